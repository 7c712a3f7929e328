"""Which shared libraries a Python process has loaded, and what each import added.

    python loaded.py import [--before NAME]... [--after NAME]... [--json-out FILE] MODULE...
        imports the modules one after another in this process: those of --before, MODULE..., those of --after
    python loaded.py hook [FOLDER]
        puts itself into the environment's site-packages (or FOLDER), so that every process of it that has
        WHEELPROOF_LOADED_DIR set writes <folder>/<pid>-<number>.json when it ends; not one that is killed or
        leaves by os._exit, as a forked child of multiprocessing does

The JSON is {"schema_version": 1, "pid", "argv", "platform", "executable", "prefix", "base_prefix", "version",
"system_root", "unlisted", "current", "phases": [{"phase", "role", "module", "file", "seconds", "error", "libraries": [{"path", "deleted",
"listing"}]}]}. A phase has the libraries that were not there before it. It is written anew before and after each import,
so that a process that dies while importing leaves its name in "current".

On Linux nothing is imported for listing that loads a library. On macOS and Windows ctypes is needed, which loads
libffi: what it brings is marked "listing". Where it is missing, "unlisted" says so, and the extension modules that were
imported are all that is listed. Paths are real ones: links followed, in the case in which they are stored.
"""

import os
import sys

SCHEMA_VERSION = 1
HOOK_VARIABLE = "WHEELPROOF_LOADED_DIR"
HOOK_MODULE = "_wheelproof_loaded"

# Mapped files that are no libraries although they may be executable: shared memory, and what a JIT makes.
NOT_FILES = ("/memfd:", "/dev/", "/SYSV", "/anon_hugepage", "/[", "/i915", "/drm")


# --- listing, a function per system: path -> {"deleted": bool} ------------------------------------------------------


def parse_maps(text):
    """The files of /proc/<pid>/maps, each with whether a mapping of it can be executed and whether it was deleted."""
    files = {}
    for line in text.splitlines():
        fields = line.split(None, 5)
        if len(fields) < 6 or not fields[5].startswith("/") or fields[5].startswith(NOT_FILES):
            continue
        path, deleted = fields[5], False
        if path.endswith(" (deleted)"):
            path, deleted = path[: -len(" (deleted)")], True
        # The kernel writes a newline in a name as an octal escape, and nothing else.
        path = path.replace("\\012", "\n")
        known = files.setdefault(path, {"executable": False, "deleted": deleted})
        known["executable"] = known["executable"] or "x" in fields[1]
    return files


def is_shared_object(path):
    """ELF with type ET_DYN: a library of data alone (libicudata) has no executable mapping but is one too."""
    try:
        with open(path, "rb") as file:
            header = file.read(18)
    except OSError:
        return None
    if len(header) < 18 or header[:4] != b"\x7fELF":
        return False
    kind = header[16] if header[5] == 1 else header[17]
    return kind == 3


def linux():
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
        files = parse_maps(file.read())
    try:
        program = os.readlink("/proc/self/exe")
    except OSError:
        program = None
    found = {}
    for path, facts in files.items():
        if path == program:
            continue
        shared = None if facts["deleted"] else is_shared_object(path)
        if shared or (shared is None and facts["executable"]):
            found[path] = {"deleted": facts["deleted"]}
    return found


def macos():
    """What dyld says (dyld(3)): also the system's libraries, which are no files but in its shared cache."""
    import ctypes

    loader = ctypes.CDLL(None)
    loader._dyld_image_count.restype = ctypes.c_uint32
    loader._dyld_image_count.argtypes = []
    loader._dyld_get_image_name.restype = ctypes.c_char_p
    loader._dyld_get_image_name.argtypes = [ctypes.c_uint32]
    found = {}
    # Image 0 is the program itself.
    for index in range(1, loader._dyld_image_count()):
        name = loader._dyld_get_image_name(index)
        # Empty for an image that was unloaded meanwhile.
        if name:
            found[real(os.fsdecode(name))] = {"deleted": False}
    return found


def windows():
    """What the loader of Windows has in this process (EnumProcessModulesEx, GetModuleFileNameEx)."""
    import ctypes
    from ctypes import wintypes

    kernel = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    kernel.GetCurrentProcess.argtypes = []
    enumerate_modules = kernel.K32EnumProcessModulesEx
    enumerate_modules.restype = wintypes.BOOL
    enumerate_modules.argtypes = [
        wintypes.HANDLE,
        ctypes.POINTER(wintypes.HMODULE),
        wintypes.DWORD,
        ctypes.POINTER(wintypes.DWORD),
        wintypes.DWORD,
    ]
    name_of = kernel.K32GetModuleFileNameExW
    name_of.restype = wintypes.DWORD
    name_of.argtypes = [wintypes.HANDLE, wintypes.HMODULE, wintypes.LPWSTR, wintypes.DWORD]
    process = kernel.GetCurrentProcess()
    count, needed = 512, wintypes.DWORD()
    while True:
        modules = (wintypes.HMODULE * count)()
        size = ctypes.sizeof(modules)
        # 3: LIST_MODULES_ALL
        if not enumerate_modules(process, modules, size, ctypes.byref(needed), 3):
            raise ctypes.WinError(ctypes.get_last_error())
        if needed.value <= size:
            break
        count = needed.value // ctypes.sizeof(wintypes.HMODULE) + 64
    found = {}
    # The longest path that Windows has.
    buffer = ctypes.create_unicode_buffer(32768)
    for module in modules[: needed.value // ctypes.sizeof(wintypes.HMODULE)]:
        length = name_of(process, module, buffer, len(buffer))
        path = real(without_verbatim(buffer[:length]))
        if path and not path.lower().endswith(".exe"):
            found[path] = {"deleted": False}
    return found


def without_verbatim(path):
    """A library that was opened by such a path is listed by it too."""
    if path[:8].upper() == "\\\\?\\UNC\\":
        return "\\\\" + path[8:]
    return path[4:] if path.startswith("\\\\?\\") else path


def real(path):
    try:
        return os.path.realpath(path) if path else path
    except (OSError, ValueError):
        return path


def extension_modules():
    """What can be told without any help of the system: the extension modules among what was imported."""
    found = {}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if isinstance(path, str) and path.lower().endswith((".so", ".pyd", ".dll", ".dylib")):
            found[real(path)] = {"deleted": False}
    return found


def listing_function(platform=sys.platform):
    if platform.startswith("linux"):
        return linux
    return {"darwin": macos, "win32": windows, "cygwin": windows}.get(platform)


def unknown_system():
    raise NotImplementedError("libraries cannot be listed on " + sys.platform)


def brought_by_ctypes(path, platform=sys.platform):
    if platform.startswith("linux"):
        return False
    name = os.path.basename(path.replace("\\", "/")).lower()
    return name.startswith(("_ctypes", "libffi"))


# --- the record of a process ----------------------------------------------------------------------------------------


class Record(object):
    """What is written: the phases, each with what it added."""

    def __init__(self, out=None):
        self.out = out
        self.seen = set()
        self.list = listing_function() or unknown_system
        self.value = {
            "schema_version": SCHEMA_VERSION,
            "pid": os.getpid(),
            "argv": list(getattr(sys, "argv", [])),
            "platform": sys.platform,
            "executable": sys.executable,
            "prefix": real(sys.prefix),
            "base_prefix": real(getattr(sys, "base_prefix", sys.prefix)),
            "version": "%d.%d.%d" % sys.version_info[:3],
            "system_root": os.environ.get("SystemRoot") if sys.platform in ("win32", "cygwin") else None,
            "unlisted": None,
            "current": None,
            "phases": [],
        }

    def add(self, phase, **facts):
        entry = {"phase": phase, "role": None, "module": None, "file": None, "seconds": None, "error": None}
        entry.update(facts)
        libraries = []
        try:
            listed = self.list()
        except Exception as error:
            # The import that is looked at must not fail by being looked at.
            self.value["unlisted"] = "%s: %s" % (type(error).__name__, error)
            self.list = extension_modules
            listed = self.list()
        for path, found in listed.items():
            if path not in self.seen:
                self.seen.add(path)
                mark = phase == "baseline" and brought_by_ctypes(path)
                libraries.append({"path": path, "deleted": found["deleted"], "listing": mark})
        entry["libraries"] = libraries
        self.value["phases"].append(entry)

    def write(self):
        import json

        # JSON has no way for a name that is not UTF-8 but an escaped lone surrogate, which readers refuse.
        text = json.dumps(self.value, ensure_ascii=False, indent=1).encode("utf-8", "replace").decode("utf-8")
        if self.out in (None, "-"):
            return text
        beside = "%s.%d.part" % (self.out, os.getpid())
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text + "\n")
        os.replace(beside, self.out)
        return text


def describe(error):
    import traceback

    try:
        message = str(error)
    except Exception:
        message = "(the exception cannot be printed)"
    return {
        "type": type(error).__name__,
        "message": message,
        "traceback": "".join(traceback.format_exception(type(error), error, error.__traceback__)),
    }


def import_one(record, name, role):
    import importlib
    import time

    record.value["current"] = name
    record.write()
    start, error, file = time.time(), None, None
    try:
        module = importlib.import_module(name)
        file = getattr(module, "__file__", None)
    except BaseException as caught:  # SystemExit and KeyboardInterrupt are failures of an import too
        error = describe(caught)
    record.value["current"] = None
    record.add("import", role=role, module=name, file=file, seconds=round(time.time() - start, 6), error=error)
    record.write()
    return error is None


def import_command(arguments):
    before, modules, after, out = [], [], [], None
    lists = {"--before": before, "--after": after}
    arguments = list(arguments)
    while arguments:
        word = arguments.pop(0)
        if word in lists and arguments:
            lists[word].append(arguments.pop(0))
        elif word == "--json-out" and arguments:
            out = arguments.pop(0)
        elif word.startswith("-"):
            return usage("%s is not an option, or lacks its value" % word)
        else:
            modules.append(word)
    if not modules:
        return usage("no module is named")
    try:
        import faulthandler

        faulthandler.enable()
    except Exception:
        pass
    # The folder of this file must not be where a module is found.
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    sys.argv[:] = [sys.argv[0]]
    # What this program itself needs is loaded before the baseline is taken.
    import importlib  # noqa: F401
    import json  # noqa: F401
    import time  # noqa: F401
    import traceback  # noqa: F401

    record = Record(out)
    record.add("baseline")
    fine = True
    for role, names in (("before", before), ("subject", modules), ("after", after)):
        for name in names:
            fine = import_one(record, name, role) and fine
    text = record.write()
    if out in (None, "-"):
        sys.stdout.write(text + "\n")
    else:
        for phase in record.value["phases"]:
            if phase["error"]:
                sys.stderr.write(phase["error"]["traceback"])
    return 0 if fine else 1


# --- the hook -------------------------------------------------------------------------------------------------------


installed = False


def install():
    """Called at the start of every interpreter of the environment, by the .pth file."""
    global installed
    folder = os.environ.get(HOOK_VARIABLE)
    # The .pth file of a folder that is on the path under two names is read twice.
    if not folder or installed:
        return
    installed = True
    import atexit

    # Registered first, so called last: what other handlers load is seen too.
    atexit.register(write_at_exit, folder)


def write_at_exit(folder):
    try:
        # A process may begin again under the same number, or fork: never overwrite.
        number = 0
        while True:
            out = os.path.join(folder, "%d-%d.json" % (os.getpid(), number))
            if not os.path.exists(out):
                break
            number += 1
        record = Record(out)
        record.add("exit")
        record.write()
    except Exception as error:
        # The process's own exit must not change by being looked at; the missing file is noticed.
        try:
            sys.stderr.write("wheelproof: loaded libraries could not be written: %s\n" % (error,))
        except Exception:
            pass


def hook_command(arguments):
    if len(arguments) > 1:
        return usage("hook takes one folder at most")
    if arguments:
        folder = arguments[0]
    else:
        import sysconfig

        folder = sysconfig.get_path("purelib")
    with open(os.path.abspath(__file__), encoding="utf-8") as file:
        source = file.read()
    with open(os.path.join(folder, HOOK_MODULE + ".py"), "w", encoding="utf-8") as file:
        file.write(source)
    with open(os.path.join(folder, HOOK_MODULE + ".pth"), "w", encoding="utf-8") as file:
        file.write("import %s; %s.install()\n" % (HOOK_MODULE, HOOK_MODULE))
    sys.stdout.write(os.path.join(folder, HOOK_MODULE + ".pth") + "\n")
    return 0


def usage(message):
    sys.stderr.write("loaded.py: %s\n\n%s" % (message, __doc__))
    return 2


def main(arguments):
    commands = {"import": import_command, "hook": hook_command}
    if not arguments or arguments[0] not in commands:
        return usage("a command is missing: import or hook")
    return commands[arguments[0]](arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
