#!/usr/bin/env python3
"""Makes and checks `capi.tsv`, the table of CPython's C API (see README.md beside this file).

    make.py column --python PATH [--include DIR] [--library FILE] > 3.16.column
    make.py add 3.16.column [--tiers FILE]      merges a version's column into capi.tsv, classifies new names
    make.py windows python316.dll.def 3.16      merges what a Windows build exports; `--free-threaded` for 316t
    make.py manifest Misc/stable_abi.toml       sets since when a name belongs to the stable ABI
    make.py derive                              fills what was not measured: macOS, Windows without a .def, free-threaded
    make.py check --python PATH                 makes that Python's column anew and compares (exit 0, 1, or 77: skipped)

Only the standard library is used, Python 3.9 or later; the ELF reader below makes `nm` unnecessary.
"""

import argparse
import json
import mmap
import re
import struct
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
TABLE = HERE / "capi.tsv"
OLDEST, NEWEST_POSSIBLE = 8, 23  # sixteen minors fit the table's bit sets
COLUMNS = "name kind tier abi3 abi3_where linux macos windows ft declared macro inline internal through documented micro".split()
API_NAME = re.compile(r"_?(?:Py|PY)\w+")


# The releases whose libraries made the Linux columns. Another release of the same minor version may export a little less
# (if older) or more (if newer): `check` reports that and does not fail; rows that are known to differ have `micro`.
MEASURED = {8: 18, 9: 18, 10: 13, 11: 7, 12: 1, 13: 0, 14: 10, 15: 2}
# Exported only where the machine has what they are about.
BY_MACHINE = {
    "_Py_get_387controlword": ("x86_64", "i686"),
    "_Py_set_387controlword": ("x86_64", "i686"),
    "_Py_trampoline_func_start": ("x86_64", "aarch64"),
    "_Py_trampoline_func_end": ("x86_64", "aarch64"),
}


# --- version sets ---------------------------------------------------------------------------------------------------

def parse_versions(text):
    """`3.8-3.10,3.12` → {8, 9, 10, 12}"""
    minors = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        minors |= set(range(int(first[2:]), int(last[2:] if last else first[2:]) + 1))
    return minors


def print_versions(minors):
    """The inverse of `parse_versions`."""
    parts, run = [], []
    for minor in sorted(minors):
        if run and minor == run[-1] + 1:
            run.append(minor)
        else:
            run = [minor]
            parts.append(run)
    return ",".join(f"3.{r[0]}" if len(r) == 1 else f"3.{r[0]}-3.{r[-1]}" for r in parts)


# --- the table ------------------------------------------------------------------------------------------------------

def read_table(path=TABLE):
    rows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("#") or line.startswith("name\t"):
                continue
            row = dict(zip(COLUMNS, line.rstrip("\n").split("\t")))
            rows[row["name"]] = row
    return rows


def write_table(rows, path=TABLE):
    with open(path, "w", encoding="utf-8", newline="\n") as out:
        out.write("# CPython's C API, one name a row; made by make.py, columns explained in README.md.\n")
        out.write("\t".join(COLUMNS) + "\n")
        for name in sorted(rows, key=lambda n: n.encode()):
            out.write("\t".join(rows[name].get(c, "") for c in COLUMNS) + "\n")


def set_version(row, column, minor, present):
    minors = parse_versions(row.get(column, ""))
    (minors.add if present else minors.discard)(minor)
    row[column] = print_versions(minors)


# --- what a binary exports ------------------------------------------------------------------------------------------

def elf_exports(path):
    """Names in the dynamic symbol table that are defined and visible → {name: "function" | "data"}."""
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if data[:4] != b"\x7fELF":
            raise ValueError(f"{path} is not an ELF file")
        wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
        if wide:
            (shoff,) = struct.unpack_from(order + "Q", data, 40)
            shentsize, shnum = struct.unpack_from(order + "HH", data, 58)
        else:
            (shoff,) = struct.unpack_from(order + "I", data, 32)
            shentsize, shnum = struct.unpack_from(order + "HH", data, 46)
        header = order + ("IIQQQQIIQQ" if wide else "IIIIIIIIII")
        sections = [struct.unpack_from(header, data, shoff + i * shentsize) for i in range(shnum)]
        found = {}
        for _, kind, _, _, offset, size, link, _, _, entry in sections:
            if kind != 11:  # SHT_DYNSYM
                continue
            names = sections[link][4]
            for at in range(offset, offset + size, entry or 24):
                if wide:
                    name, info, other, shndx = struct.unpack_from(order + "IBBH", data, at)
                else:
                    name, _, _, info, other, shndx = struct.unpack_from(order + "IIIBBH", data, at)
                if shndx == 0 or info >> 4 == 0 or other & 3 in (1, 2):  # undefined, local, internal or hidden
                    continue
                end = data.find(b"\0", names + name)
                text = data[names + name : end].decode("ascii", "replace")
                if API_NAME.fullmatch(text):
                    found[text] = "function" if info & 15 in (2, 10) else "data"
        return found


def ask(python):
    """Version, include folders and the file that carries the exported symbols of an installed Python."""
    program = (
        "import json,sys,sysconfig,os,platform\n"
        "v=sysconfig.get_config_var\n"
        "lib=os.path.join(v('LIBDIR') or '', v('INSTSONAME') or '')\n"
        "print(json.dumps(dict(minor=sys.version_info[1],micro=sys.version_info[2],platform=sys.platform,machine=platform.machine(),"
        "final=sys.version_info[3],ft=bool(v('Py_GIL_DISABLED')),debug=bool(v('Py_DEBUG')),shared=bool(v('Py_ENABLE_SHARED')),"
        "include=[sysconfig.get_path('include'),sysconfig.get_path('platinclude')],library=lib,exe=os.path.realpath(sys.executable))))\n"
    )
    # Not from the caller's folder, and without its environment: PYTHONPATH may shadow the standard library.
    answer = subprocess.run([python, "-I", "-c", program], capture_output=True, text=True, timeout=60)
    if answer.returncode != 0:
        raise ValueError(f"{python} does not run: {answer.stderr.strip()[-200:]}")
    return json.loads(answer.stdout)


# --- what headers say -----------------------------------------------------------------------------------------------

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DIRECTIVE = re.compile(r"\s*#\s*(\w+)\b(.*)", re.S)
DECLARED = re.compile(r"\bPyAPI_(?:FUNC|DATA)\s*\((?:[^()]|\([^()]*\))*\)\s*(?:\w+\s+)*?\**\s*(\(\*\s*)?(\w+)")
EXTERN = re.compile(r"\bextern\b[^;{}()=]*?\b(_?Py\w+)\s*[(;\[]")
INLINE = re.compile(r"\b(?:static\s+(?:inline|Py_ALWAYS_INLINE|PY_ALWAYS_INLINE)|static\s+inline|Py_ALWAYS_INLINE|Py_LOCAL_INLINE\s*\([^)]*\))[^;{}()]*?\b(\w+)\s*\(")
# Conditions that never hold where an extension is compiled against a release build.
NEVER = re.compile(r"^(?:defined\s*\(?\s*)?(?:Py_BUILD_CORE|Py_BUILD_CORE_MODULE|Py_DEBUG|Py_REF_DEBUG|Py_TRACE_REFS|Py_STATS)\s*\)?$")


class Header:
    """One header: its declarations, macros and inline functions, each with the identifiers it expands to."""

    def __init__(self, text, internal):
        self.declared, self.macros, self.inlines, self.callable = set(), {}, {}, set()
        text = COMMENT.sub(lambda m: "\n" if "\n" in m.group() else " ", text.replace("\\\n", " "))
        code, stack = [], []
        for line in text.split("\n"):
            directive = DIRECTIVE.match(line)
            if not directive:
                if all(stack):
                    code.append(line)
                continue
            word, rest = directive.group(1), directive.group(2).strip()
            if word in ("if", "ifdef"):
                stack.append(internal or not NEVER.match(rest))
            elif word == "ifndef":
                stack.append(True)
            elif word in ("else", "elif") and stack:
                stack[-1] = True
            elif word == "endif" and stack:
                stack.pop()
            elif word == "define" and all(stack):
                define = re.match(r"(\w+)(\([^)]*\))?\s*(.*)", rest, re.S)
                if define and API_NAME.fullmatch(define.group(1)):
                    self.macros.setdefault(define.group(1), set()).update(identifiers(define.group(3)))
                    if define.group(2) or re.fullmatch(r"_?Py[A-Z]\w*_[A-Z]\w*[a-z]\w*", define.group(3).strip()):
                        self.callable.add(define.group(1))
        code = "\n".join(code)
        for match in DECLARED.finditer(code):
            self.declared.add(match.group(2))
        for match in EXTERN.finditer(code):
            self.declared.add(match.group(1))
        for match in INLINE.finditer(code):
            if API_NAME.fullmatch(match.group(1)):
                body = braces(code, match.end())
                if body:
                    self.inlines.setdefault(match.group(1), set()).update(identifiers(body))


def identifiers(text):
    return {word for word in re.findall(r"\b\w+\b", re.sub(r'"(?:\\.|[^"\\])*"', '""', text)) if API_NAME.fullmatch(word)}


def braces(code, start):
    """The text between the first `{` after the parameter list and its `}`; None for a declaration."""
    opening, ending = code.find("{", start), code.find(";", start)
    if opening < 0 or 0 <= ending < opening:
        return None
    depth = 0
    for at in range(opening, len(code)):
        depth += {"{": 1, "}": -1}.get(code[at], 0)
        if depth == 0:
            return code[opening:at]
    return None


def read_headers(folders):
    """→ {"public": Header-like unions, "internal": …}"""
    seen, sides = set(), {"public": Header("", False), "internal": Header("", True)}
    for folder in map(Path, folders):
        for path in sorted(folder.rglob("*.h")):
            relative = path.relative_to(folder).as_posix()
            if relative in seen or not re.fullmatch(r"(?:cpython/|internal/|internal/mimalloc/.*)?[\w.]+", relative):
                continue
            seen.add(relative)
            if "mimalloc" in relative or relative == "pyconfig.h":
                continue
            internal = relative.startswith("internal/")
            header = Header(path.read_text(encoding="utf-8", errors="replace"), internal)
            side = sides["internal" if internal else "public"]
            side.declared |= header.declared
            side.callable |= header.callable
            for own, new in ((side.macros, header.macros), (side.inlines, header.inlines)):
                for name, used in new.items():
                    own.setdefault(name, set()).update(used)
    return sides["public"], sides["internal"]


def through(public, wanted):
    """The public macro or inline function in whose expansion each name of `wanted` stands: the nearest, then the shortest."""
    expands = {}
    for source in (public.macros, public.inlines):
        for name, used in source.items():
            expands.setdefault(name, set()).update(used)
    found = {}
    for start in sorted(n for n in expands if not n.startswith("_")):
        distance, reached, front = 0, {start}, {start}
        while front and distance < 8:
            distance += 1
            front = set().union(*(expands.get(n, ()) for n in front)) - reached
            reached |= front
            for name in front & wanted:
                rank = (distance, len(start), start)
                if name not in found or rank < found[name]:
                    found[name] = rank
    return {name: rank[2] for name, rank in found.items()}


def make_column(python, include=None, library=None):
    """One version's facts → (asked, {name: {exported, declared, macro, inline, through}})."""
    asked = ask(python) if python else {"shared": True}
    if include:
        asked["include"] = include
    if library:
        asked["library"] = library
    elif not (asked["shared"] and Path(asked["library"]).is_file()):
        asked["library"] = asked["exe"]  # a static interpreter exports the API itself, and Debian's is one
    exported = elf_exports(asked["library"])
    if not exported:
        raise FileNotFoundError(f"{asked['library']} exports nothing")
    public, internal = read_headers(asked["include"])
    if not public.declared:
        raise FileNotFoundError(f"no headers in {asked['include'][0]}")
    names = set(exported) | public.declared | internal.declared | set(public.macros) | set(public.inlines)
    names |= set(internal.macros) | set(internal.inlines)
    reached = through(public, {n for n in names if n in exported or n in public.declared})
    facts = {}
    for name in names:
        if not API_NAME.fullmatch(name):
            continue
        in_public = name in public.declared or name in public.macros or name in public.inlines
        in_internal = name in internal.declared or name in internal.macros or name in internal.inlines
        facts[name] = {
            "exported": exported.get(name, ""),
            "declared": "public" if in_public else "internal" if in_internal else "",
            "macro": name in public.macros,
            "callable": name in public.callable or name in public.inlines,
            "inline": name in public.inlines,
            "through": reached.get(name, "") if name.startswith("_") else "",
        }
    return asked, facts


# --- merging --------------------------------------------------------------------------------------------------------

def classify(name, fact):
    """The tier of a name that the table does not know yet."""
    if name.startswith("PyInit_"):
        return "builtin-init"
    if "PyUnstable_" in name:
        return "unstable"
    if fact["declared"] == "internal":
        return "internal"
    if not fact["declared"]:
        return "private-undeclared" if name.startswith("_") else "undeclared"
    return "private" if name.startswith("_") else "cpython-public"


def apply_column(rows, minor, facts):
    """Writes a version's column into the rows."""
    for name, row in rows.items():
        fact = facts.get(name)
        set_version(row, "linux", minor, bool(fact and fact["exported"]))
        set_version(row, "declared", minor, bool(fact and fact["declared"] == "public" and not (fact["macro"] or fact["inline"])))
        set_version(row, "macro", minor, bool(fact and fact["macro"]))
        set_version(row, "inline", minor, bool(fact and fact["inline"]))
        set_version(row, "internal", minor, bool(fact and fact["declared"] == "internal"))
        macro = fact["through"] if fact else ""
        origins = dict(part.split(":") for part in row["through"].split(";") if part)
        for origin in list(origins):
            left = parse_versions(origins[origin]) - {minor}
            origins[origin] = print_versions(left)
        if macro:
            origins[macro] = print_versions(parse_versions(origins.get(macro, "")) | {minor})
        row["through"] = ";".join(f"{m}:{v}" for m, v in sorted(origins.items()) if v)


def new_names(rows, facts):
    """Names of a column that deserve a row: whatever is exported or declared, and the public macros that look like functions."""
    for name, fact in facts.items():
        if name in rows or name.startswith(("PY_", "PyAPI_", "PyDoc_")) and not fact["exported"]:
            continue
        if fact["exported"] or (fact["callable"] and fact["declared"] == "public" and not name.startswith("_")):
            yield name


def command_column(options):
    asked, facts = make_column(options.python, options.include, options.library)
    minor, micro = options.release.split(".")[1:] if options.release else (asked["minor"], asked["micro"])
    json.dump({"minor": int(minor), "micro": int(micro), "names": facts}, sys.stdout, indent=0, sort_keys=True)


def command_add(options):
    column = json.loads(Path(options.column).read_text(encoding="utf-8"))
    rows, facts, minor = read_table(), column["names"], column["minor"]
    added = sorted(new_names(rows, facts))
    for name in added:
        kind = facts[name]["exported"] or "macro-only"
        rows[name] = dict.fromkeys(COLUMNS, "") | {"name": name, "kind": kind, "tier": classify(name, facts[name])}
    apply_column(rows, minor, facts)
    write_table(rows)
    print(f"3.{minor}: {len(added)} new names, {sum(minor in parse_versions(r['linux']) for r in rows.values())} exported")


def read_def(path):
    """The EXPORTS of a module-definition file → {name: is it data}."""
    names, inside = {}, False
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        words = line.split()
        if not words or words[0].startswith(";"):
            continue
        if words[0] == "EXPORTS":
            inside = True
        elif inside and API_NAME.fullmatch(words[0]):
            names[words[0]] = "DATA" in words[1:]
    return names


def command_windows(options):
    rows, minor, names = read_table(), int(options.version[2:]), read_def(options.file)
    for name, data in names.items():
        if name not in rows:
            tier = classify(name, {"declared": ""})
            rows[name] = dict.fromkeys(COLUMNS, "") | {"name": name, "kind": "data" if data else "function", "tier": tier}
    for name, row in rows.items():
        if options.free_threaded:
            usual = minor in parse_versions(row["windows"])
            kind, minors = parse_ft(row["ft"])
            minors.discard(minor)
            if (name in names) != usual:
                kind = "only" if name in names else "not"
                minors.add(minor)
            row["ft"] = f"{kind} {print_versions(minors)}" if minors else ""
        else:
            set_version(row, "windows", minor, name in names)
    write_table(rows)


def parse_ft(text):
    kind, _, versions = text.partition(" ")
    return kind, parse_versions(versions)


def command_manifest(options):
    rows, name = read_table(), None
    for line in Path(options.file).read_text(encoding="utf-8").splitlines():
        section = re.match(r"\[(?:function|data|macro|const|struct|typedef|feature_macro)\.(\w+)\]", line)
        if section:
            name = section.group(1) if re.match(r"\[(function|data)", line) else None
        since = re.match(r"\s*added\s*=\s*'3\.(\d+)'", line)
        if name in rows and since:
            rows[name]["abi3"] = f"3.{since.group(1)}"
        where = re.match(r"\s*ifdef\s*=\s*'(\w+)'", line)
        if name in rows and where:
            rows[name]["abi3_where"] = where.group(1)
    write_table(rows)


# Linux names that macOS lacks: the perf trampoline was Linux's alone until 3.15.
NOT_ON_MACOS = {"_Py_trampoline_func_start": range(12, 15), "_Py_trampoline_func_end": range(12, 15)}
# Versions that have a .def file to say what Windows exports; the rest is derived from the version before.
WINDOWS_MEASURED, FT_MEASURED = range(8, 15), range(13, 15)


def still_declared(row, minor):
    """Does a header still name it, if the version before did?"""
    seen = parse_versions(row["declared"]) | parse_versions(row["internal"]) | parse_versions(row["macro"])
    return minor in seen or minor - 1 not in seen


def command_derive(_options):
    rows = read_table()
    newest = max(max(parse_versions(r["linux"]), default=0) for r in rows.values())
    for name, row in rows.items():
        linux, windows = parse_versions(row["linux"]), parse_versions(row["windows"])
        row["macos"] = print_versions(linux - set(NOT_ON_MACOS.get(name, ())))
        for minor in range(WINDOWS_MEASURED.stop, newest + 1):
            before = minor - 1
            if before in windows or before in linux:  # as in the version before, unless it went from Linux too
                there = before in windows or later_micro(row, before) is not None
                here = there and (minor in linux or before not in linux and still_declared(row, minor))
            else:
                here = minor in linux and row["tier"] != "builtin-init"
            set_version(row, "windows", minor, here)
        kind, minors = parse_ft(row["ft"])
        for minor in range(FT_MEASURED.stop, newest + 1):
            minors.discard(minor)
            usual = minor in linux or minor in parse_versions(row["windows"])
            if minor - 1 in minors and (usual if kind == "not" else not usual and still_declared(row, minor)):
                minors.add(minor)
        row["ft"] = f"{kind} {print_versions(minors)}" if minors else ""
    write_table(rows)


# --- checking -------------------------------------------------------------------------------------------------------

def command_check(options):
    try:
        asked = ask(options.python)
    except (ValueError, OSError, subprocess.TimeoutExpired) as error:
        print(f"skipped: {error}")
        return 77
    minor = asked["minor"]
    rows = read_table()
    newest = max(max(parse_versions(r["linux"]), default=0) for r in rows.values())
    reason = None
    if not asked["platform"].startswith("linux"):
        reason = f"{asked['platform']} has no ELF symbol table"
    elif not OLDEST <= minor <= newest:
        reason = f"3.{minor} is not in the table"
    elif asked["debug"]:
        reason = "a debug build exports more"
    elif asked["final"] != "final":
        reason = "a pre-release may still change"
    else:
        try:
            asked, facts = make_column(options.python)
        except FileNotFoundError as error:
            reason = str(error)
    if reason is not None:
        print(f"skipped: {options.python}: {reason}")
        return 77
    micro, measured, wrong, noted, compared = asked["micro"], MEASURED[minor], [], [], 0
    for name in sorted(set(rows) | {n for n, f in facts.items() if f["exported"]}):
        row, fact = rows.get(name), facts.get(name, {"exported": "", "macro": False, "inline": False})
        here = bool(fact["exported"])
        # Which modules are linked in is the distributor's choice.
        if name.startswith("PyInit_") or asked["machine"] not in BY_MACHINE.get(name, (asked["machine"],)):
            continue
        compared += 1
        said = row is not None and minor in parse_versions(row["linux"])
        later = later_micro(row, minor) if row is not None else None
        if row is not None and asked["ft"]:
            kind, minors = parse_ft(row["ft"])
            said = (said or kind == "only" and minor in minors) and not (kind == "not" and minor in minors)
        if later is not None:
            absent, present = later
            said = here if absent < micro < present else micro >= present
        if here != said:
            text = f"{name}: {'exported' if here else 'not exported'}, the table says otherwise"
            # The free-threaded columns are derived; other releases than the measured one differ a little.
            (noted if (micro > measured if here else micro < measured) or asked["ft"] else wrong).append(text)
        if row is not None and not asked["ft"]:
            for column in ("macro", "inline"):
                if fact[column] != (minor in parse_versions(row[column])):
                    (wrong if micro == measured else noted).append(f"{name}: {column} in the headers is {fact[column]}")
    for kind, lines in (("error", wrong), ("note", noted)):
        for line in lines[:50]:
            print(f"{kind}: {line}")
    print(f"3.{minor}.{micro} {asked['library']}: {compared} names compared, {len(wrong)} wrong, {len(noted)} noted")
    return 1 if wrong else 0


def later_micro(row, minor):
    """(last micro known to lack it, first micro known to have it), if only later releases of this minor export the name."""
    for part in filter(None, row["micro"].split(",")):
        absent, present = part.split("<")
        if int(absent.split(".")[1]) == minor:
            return int(absent.split(".")[2]), int(present.split(".")[2]) if present else 1 << 16
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, run in (("column", command_column), ("check", command_check)):
        command = commands.add_parser(name)
        command.set_defaults(run=run)
        command.add_argument("--python", required=name == "check", help="an installed Python of the version")
        if name == "column":
            command.add_argument("--release", help="without --python: which release the two files below are of, as 3.16.0")
            command.add_argument("--include", action="append", help="header folder, instead of that Python's own")
            command.add_argument("--library", help="library or program that exports the API, instead of that Python's own")
    command = commands.add_parser("add")
    command.set_defaults(run=command_add)
    command.add_argument("column")
    command = commands.add_parser("windows")
    command.set_defaults(run=command_windows)
    command.add_argument("file")
    command.add_argument("version")
    command.add_argument("--free-threaded", action="store_true")
    command = commands.add_parser("manifest")
    command.set_defaults(run=command_manifest)
    command.add_argument("file")
    commands.add_parser("derive").set_defaults(run=command_derive)
    options = parser.parse_args()
    try:
        return options.run(options) or 0
    except (OSError, ValueError) as error:
        print(f"make.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
