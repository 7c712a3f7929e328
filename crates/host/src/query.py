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


includes = [path("include"), path("platinclude")]
base = getattr(sys, "base_prefix", None) or getattr(sys, "real_prefix", None) or sys.prefix
answer = {
    "version": version(),
    "implementation": implementation(),
    "abi_flags": getattr(sys, "abiflags", ""),
    "free_threaded": bool(variable("Py_GIL_DISABLED")),
    "debug": bool(variable("Py_DEBUG")) or hasattr(sys, "gettotalrefcount"),
    "soabi": text(variable("SOABI")),
    "ext_suffix": text(variable("EXT_SUFFIX")) or text(variable("SO")),
    "platform": sysconfig.get_platform() if sysconfig else sys.platform,
    "bits": 64 if sys.maxsize > 2**32 else 32,
    "executable": sys.executable,
    "prefix": sys.prefix,
    "base_prefix": base,
    "include": [folder for folder in includes if folder],
    "library_dirs": folders(variable("LIBDIR"), variable("LIBPL"), os.path.join(base, "libs")),
    "stdlib": path("stdlib"),
    "shared_libpython": bool(variable("Py_ENABLE_SHARED")) or os.name == "nt",
    "macos_deployment_target": text(str(variable("MACOSX_DEPLOYMENT_TARGET") or "")),
    "venv_error": works("venv") or works("ensurepip") or works("zlib"),
    "libc": libc(),
}
# In front of the line, because a sitecustomize may print what it likes; on a line of its own.
sys.stdout.write("\nwheelproof-answer:" + json.dumps(answer) + "\n")
