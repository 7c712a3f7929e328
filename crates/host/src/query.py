# Asked of every interpreter by wheelproof, as `python -E -s -c SCRIPT`: one line of JSON behind a mark.
# It runs on everything from Python 2.7 on, so that an odd interpreter answers what it is instead of a traceback.
import json
import os
import sys

try:
    import sysconfig
except ImportError:
    sysconfig = None


def variable(name):
    try:
        return sysconfig.get_config_var(name)
    except Exception:
        return None


def path(name):
    try:
        return sysconfig.get_path(name)
    except Exception:
        return None


def text(value):
    return value if value and not isinstance(value, int) else None


def folders(*candidates):
    found = []
    for folder in candidates:
        if text(folder) and folder not in found and os.path.isdir(folder):
            found.append(folder)
    return found


def works(name):
    try:
        __import__(name)
        return None
    except BaseException as error:
        return "%s: %s" % (type(error).__name__, error)


def libc():
    try:
        name, version = os.confstr("CS_GNU_LIBC_VERSION").split()
        return {"kind": name, "version": version}
    except Exception:
        pass
    # musl has no such name; its loader is what the interpreter's tag says.
    if "musl" in (variable("SOABI") or "") or "musl" in (variable("HOST_GNU_TYPE") or ""):
        return {"kind": "musl", "version": ""}
    return None


def version():
    v = sys.version_info
    levels = {"alpha": "a", "beta": "b", "candidate": "rc", "final": ""}
    level = levels.get(v[3], "")
    return "%d.%d.%d%s" % (v[0], v[1], v[2], level + str(v[4]) if level else "")


def implementation():
    try:
        return sys.implementation.name
    except AttributeError:
        return "pypy" if hasattr(sys, "pypy_version_info") else "cpython"


def ext_suffix():
    # Python 3.8 for Windows and older say the short one, which other Pythons would load too.
    suffix = text(variable("EXT_SUFFIX")) or text(variable("SO"))
    if suffix == ".pyd":
        try:
            import importlib.machinery

            return importlib.machinery.EXTENSION_SUFFIXES[0]
        except Exception:
            pass
    return suffix


def free_threaded():
    return bool(variable("Py_GIL_DISABLED")) or "free-threading build" in sys.version


def import_library():
    """Windows: the file that extensions are linked to, there or not. pythonXY.lib is also what headers ask for."""
    if os.name != "nt":
        return None
    debug = "_d" if hasattr(sys, "gettotalrefcount") else ""
    name = "python%d%d%s%s.lib" % (sys.version_info[0], sys.version_info[1], "t" if free_threaded() else "", debug)
    return os.path.join(base, "libs", name)


def includes():
    found = []
    # A framework's headers are also below the name that its installer links them to.
    for folder in (path("include"), path("platinclude"), variable("INCLUDEPY")):
        if text(folder) and folder not in found:
            found.append(folder)
    return found


base = getattr(sys, "base_prefix", None) or getattr(sys, "real_prefix", None) or sys.prefix
answer = {
    "version": version(),
    "implementation": implementation(),
    "abi_flags": getattr(sys, "abiflags", ""),
    "free_threaded": free_threaded(),
    "debug": bool(variable("Py_DEBUG")) or hasattr(sys, "gettotalrefcount"),
    "soabi": text(variable("SOABI")),
    "ext_suffix": ext_suffix(),
    "platform": sysconfig.get_platform() if sysconfig else sys.platform,
    "bits": 64 if sys.maxsize > 2**32 else 32,
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base_prefix": base,
    "include": includes(),
    "import_library": import_library(),
    "library_dirs": folders(variable("LIBDIR"), variable("LIBPL"), os.path.join(base, "libs")),
    "stdlib": path("stdlib"),
    # A framework's own library is shared although its configuration says no.
    "shared_libpython": bool(variable("Py_ENABLE_SHARED") or variable("PYTHONFRAMEWORK")) or os.name == "nt",
    "macos_deployment_target": text(str(variable("MACOSX_DEPLOYMENT_TARGET") or "")),
    "venv_error": works("venv") or works("ensurepip") or works("zlib"),
    "libc": libc(),
}
# In front of the line, because a sitecustomize may print what it likes; on a line of its own.
sys.stdout.write("\nwheelproof-answer:" + json.dumps(answer) + "\n")
