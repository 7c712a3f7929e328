#!/usr/bin/env python3
"""Writes ../data/{glibc,gnu,musl,macos,windows}.exports: which symbols the systems' own libraries export.

    python make_exports.py ZIG [GNU]

ZIG is the folder of an installed `ziglang` Python package, beside it `pefile`. GNU has real libraries of GCC and zlib
under their sonames: in `x86_64/` Debian 12's, in `aarch64/` libgcc_s.so.1 and libstdc++.so.6 as musllinux wheels carry
them. Without it gnu.exports stays as it is.

Only facts are taken, names of libraries, symbols and versions. All files have one form: a header in lines that
begin with `#`, an empty line, and a raw deflate stream of text. There a line that begins with a tab opens a group (its
cells are tab-separated and differ by file, see `groups` below); any other line is a symbol of the group, sorted by
bytes: one character that counts what it shares with the symbol before it (`!` is 0, `"` 1, … up to 90), and the rest.
"""

import os
import pathlib
import re
import subprocess
import sys
import zlib

OUT = pathlib.Path(__file__).resolve().parent
POLICIES = OUT.parent / "policies"


def front_coded(groups):
    """Text of {cells: symbols}."""
    lines = []
    for cells in sorted(groups):
        lines.append("\t" + "\t".join(cells))
        before = ""
        for symbol in sorted(groups[cells], key=lambda s: s.encode()):
            shared = min(len(os.path.commonprefix([before, symbol])), 90)
            lines.append(chr(33 + shared) + symbol[shared:])
            before = symbol
    return "\n".join(lines) + "\n"


def write(name, header, groups):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 9)
    packed = packer.compress(front_coded(groups).encode()) + packer.flush()
    header = "".join(f"# {line}\n" for line in header + ["Written by data/make_exports.py; its form is told there."])
    (OUT / f"{name}.exports").write_bytes(header.encode() + b"\n" + packed)
    total = sum(len(symbols) for symbols in groups.values())
    print(f"{name}: {len(groups)} groups, {total} symbols, {len(packed)} bytes packed", file=sys.stderr)


# ---- glibc: one bit of a 64-bit set per target, symbol by symbol (the reader is zig's src/libs/glibc.zig)

GLIBC_TARGETS = {
    "x86_64-linux-gnu": "x86_64",
    "aarch64-linux-gnu": "aarch64",
    "x86-linux-gnu": "i686",
    "arm-linux-gnueabihf": "armv7l",
    "powerpc64le-linux-gnu": "ppc64le",
    "s390x-linux-gnu": "s390x",
    "riscv64-linux-gnu": "riscv64",
}
GLIBC_SONAMES = {
    "m": "libm.so.6", "c": "libc.so.6", "ld": "ld", "resolv": "libresolv.so.2", "pthread": "libpthread.so.0",
    "dl": "libdl.so.2", "rt": "librt.so.1", "util": "libutil.so.1",
}  # `ld` stands for the loader, whose name differs by architecture
# A library that zig leaves out, since programs no longer link with it: added in 2.2.3, or when the architecture was.
LIBANL = ["gai_cancel", "gai_error", "gai_suspend", "getaddrinfo_a"]
LIBANL_VERSIONS = {"x86_64": "2.2.5", "i686 s390x": "2.2.3", "armv7l": "2.4", "aarch64 ppc64le": "2.17", "riscv64": "2.27"}


class Bytes:
    def __init__(self, data):
        self.data, self.at = data, 0

    def byte(self):
        self.at += 1
        return self.data[self.at - 1]

    def u16(self):
        return self.byte() | self.byte() << 8

    def text(self):
        end = self.data.index(0, self.at)
        text, self.at = self.data[self.at:end].decode(), end + 1
        return text

    def leb128(self):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                return value


def glibc(lib, source):
    b = Bytes((lib / "libc/glibc/abilists").read_bytes())
    libraries = [b.text() for _ in range(b.byte())]
    releases = [(b.byte(), b.byte(), b.byte()) for _ in range(b.byte())]
    targets = [b.text() for _ in range(b.byte())]
    releases = [".".join(map(str, r if r[2] else r[:2])) for r in releases]
    groups = {}
    for kind in ("function", "object", "tls"):
        name = None
        for _ in range(b.u16()):
            name = name or b.text()
            bits = b.leb128()
            if kind != "function":
                b.leb128()  # its size
            library = b.byte()
            versions = []
            while True:
                version = b.byte()
                versions.append(releases[version & 127])
                if version & 128:
                    break
            arches = " ".join(a for t, a in GLIBC_TARGETS.items() if bits >> targets.index(t) & 1)
            if arches:
                key = (GLIBC_SONAMES[libraries[library & 127]], kind, arches, " ".join(versions))
                groups.setdefault(key, set()).add(name)
            if library & 128:
                name = None
    for arches, version in LIBANL_VERSIONS.items():
        groups[("libanl.so.1", "function", arches, version)] = set(LIBANL)
    assert b.at == len(b.data), "the list has a part that is not understood"
    write("glibc", [
        f"Exported symbols of glibc's libraries per version and architecture, up to {releases[-1]}.",
        f"Source of the facts: glibc's own *.abilist files of all releases, as {source} merges them (lib/libc/glibc/abilists).",
        "Versions GLIBC_PRIVATE are in no such list. A symbol that moved to libc.so.6 stands in both libraries,",
        "under the versions it was linked with there.",
        "libanl.so.1 is from glibc's own libanl.abilist files.",
        "groups: library, function, object or tls, architectures, versions of GLIBC",
        f"latest: {releases[-1]}",
    ], groups)


# ---- GCC's runtime libraries and zlib: real binaries, read by binutils


def dynamic_exports(path):
    """{(symbol, version or "")}"""
    run = subprocess.run(["readelf", "--dyn-syms", "--wide", path], capture_output=True, text=True, check=True)
    found = set()
    for line in run.stdout.splitlines():
        cells = line.split()
        if len(cells) >= 8 and cells[0][:-1].isdigit() and cells[6] not in ("UND", "ABS") and cells[4] != "LOCAL":
            symbol, _, version = cells[7].partition("@")
            found.add((symbol, version.lstrip("@")))
    return found


def gnu(folder):
    groups = {}
    for path in sorted((folder / "x86_64").iterdir()):
        other = folder / "aarch64" / path.name
        there = dynamic_exports(other) if other.exists() else set()
        versioned = any(version for _, version in there)
        # A libstdc++ that was built without versions still tells which of the names that architecture has.
        same = there if versioned else {(s, v) for s, v in dynamic_exports(path) if (s, "") in there}
        for here, arch in ((dynamic_exports(path), "x86_64"), (same, "aarch64")):
            for symbol, version in here:
                groups.setdefault((path.name, version), {}).setdefault(symbol, []).append(arch)
    packed = {}
    for (library, version), symbols in groups.items():
        for symbol, arches in symbols.items():
            packed.setdefault((library, version, " ".join(arches)), set()).add(symbol)
    write("gnu", [
        "Exported symbols of GCC's runtime libraries, zlib and glibc's libmvec, per version and architecture.",
        "Source of the facts: Debian 12's binaries for x86_64 (GCC 12.2, zlib 1.2.13, glibc 2.36); for aarch64 the libgcc_s",
        "(GCC 13) and the names, without versions, of the libstdc++ that a musllinux wheel of numpy 2.2.1 carries.",
        "groups: library, version (may be empty), architectures",
        "latest: 12.2",
    ], packed)


# ---- musl: an assembler source that defines each symbol where an architecture has it

MUSL = {
    "x86_64": ("PTR64", "ARCH_x86_64", "FAMILY_x86"),
    "aarch64": ("PTR64", "ARCH_aarch64", "FAMILY_aarch64"),
    "i686": ("TIME32", "ARCH_i386", "FAMILY_x86"),
    "armv7l": ("TIME32", "ARCH_arm", "FAMILY_arm"),
    "ppc64le": ("PTR64", "ARCH_powerpc64", "FAMILY_powerpc"),
    "s390x": ("PTR64", "ARCH_s390x", "FAMILY_s390x"),
    "riscv64": ("PTR64", "ARCH_riscv64", "FAMILY_riscv"),
}


def musl(lib, source):
    symbols = {}
    for arch, defined in MUSL.items():
        run = subprocess.run(
            [lib.parent / "zig", "cc", "-target", "x86_64-linux-musl", "-E", "-P", "-w", "-x", "assembler-with-cpp"]
            + [f"-D{name}" for name in defined] + [lib / "libc/musl/libc.S"],
            capture_output=True, text=True, check=True)
        kinds = dict(re.findall(r"^\.type (\S+), %(\w+)", run.stdout, re.M))
        for name in re.findall(r"^\.(?:globl|weak) (\S+)", run.stdout, re.M):
            symbols.setdefault((name, kinds[name]), []).append(arch)
    groups = {}
    for (name, kind), arches in symbols.items():
        groups.setdefault(("libc", kind, " ".join(arches)), set()).add(name)
    write("musl", [
        "Exported symbols of musl's one library, per architecture, up to 1.2.5.",
        f"Source of the facts: musl 1.2.5 as {source} lists it (lib/libc/musl/libc.S).",
        "groups: libc, function or object, architectures",
        "latest: 1.2",
    ], groups)


# ---- macOS: text-based stubs (YAML; the subset that the SDK's tools write)


MACOS = {"x86_64": {"x86_64"}, "arm64": {"arm64", "arm64e"}}


def flow_list(text):
    return [item.strip().strip("'\"") for item in text.replace("\n", " ").split(",") if item.strip()]


def macos(lib, source):
    sdk = re.search(r'"MinimalDisplayName":"([\d.]+)"', (lib / "libc/darwin/SDKSettings.json").read_text())[1]
    groups = {}
    libraries = 0
    for document in re.split(r"^--- .*$", (lib / "libc/darwin/libSystem.tbd").read_text(), flags=re.M):
        found = re.search(r"^install-name:\s*'([^']+)'", document, re.M)
        if not found:
            continue
        libraries += 1
        library = found[1]
        section = None
        arches = ""
        # `key: [ … ]` over several lines; sections are the lines without indentation.
        for m in re.finditer(r"^(\S+):[ \t]*$|^[ \t]+-?[ \t]*([a-z-]+):\s*\[([^\]]*)\]", document, re.M):
            if m[1]:
                section = m[1]
                continue
            key, items = m[2], flow_list(m[3])
            if key == "targets":
                mac = {t.split("-")[0] for t in items if t.endswith("-macos")}
                arches = " ".join(a for a, slices in MACOS.items() if mac & slices)
                continue
            if not arches:
                continue
            if section == "reexported-libraries" and key == "libraries":
                groups.setdefault((library, "reexport", arches), set()).update(items)
            elif section in ("exports", "reexports"):
                kind = "weak" if key == "weak-symbols" else "symbol"
                if key in ("symbols", "weak-symbols", "thread-local-symbols"):
                    names = {i for i in items if not i.startswith("$ld$")}
                elif key == "objc-classes":
                    names = {f"_OBJC_{what}_$_{i}" for i in items for what in ("CLASS", "METACLASS")}
                elif key == "objc-ivars":
                    names = {f"_OBJC_IVAR_$_{i}" for i in items}
                elif key == "objc-eh-types":
                    names = {f"_OBJC_EHTYPE_$_{i}" for i in items}
                else:
                    raise SystemExit(f"{library}: {key} is not understood")
                groups.setdefault((library, kind, arches), set()).update(names)
            else:
                raise SystemExit(f"{library}: {section} is not understood")
    assert libraries > 30, libraries
    write("macos", [
        f"Exported symbols of macOS's libSystem and the libraries it re-exports, of the SDK {sdk}.",
        f"Source of the facts: Apple's text-based stubs as {source} carries them (lib/libc/darwin/libSystem.tbd);",
        "`$ld$` directives are left out; arm64 is the SDK's arm64e.",
        "groups: install name, symbol or weak (or reexport: its entries are install names), architectures",
        f"latest: {sdk}",
    ], groups)


# ---- Windows: import definitions

BESIDE_PYTHON = {"vcruntime140.dll", "ucrtbase.dll"}
WINDOWS = {
    "x86_64": ("x86_64-windows-gnu", "lib64"),
    "i686": ("x86-windows-gnu", "lib32"),
    "arm64": ("aarch64-windows-gnu", None),
}


def definition(zig, mingw, path, target):
    if path.suffix != ".in":
        return path.read_text(errors="replace")
    # MinGW leaves out what takes an 80-bit long double, for its own sake: the library has it.
    run = subprocess.run(
        [zig, "cc", "-target", target, "-U__SIZEOF_LONG_DOUBLE__", "-D__SIZEOF_LONG_DOUBLE__=8", "-E", "-P", "-w",
         "-x", "assembler-with-cpp", "-I", mingw / "def-include", "-I", path.parent, path],
        capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{path}: {run.stderr[-2000:]}")
    return run.stdout


def entries(text, arch):
    """(library, [name])"""
    library, found = None, []
    for line in text.splitlines():
        # MinGW brings some functions of the C runtime itself and lists them as comments: `; btowc ; replaced …`.
        if library and re.match(r"ucrtbase\.|vcruntime|api-ms-win-crt-", library):
            line = re.sub(r"^\s*;\s*(?=[A-Za-z_]\w{3,}\s*(;|$))", "", line)
        line = line.split(";")[0].strip()
        m = re.match(r"(?:LIBRARY|NAME)\s+\"?([^\s\"]+)\"?", line, re.I)
        if m:
            library = m[1].lower()
            library = library if re.search(r"\.(dll|drv|ocx|cpl|exe|sys|acm)$", library) else library + ".dll"
            continue
        if not line or line.upper().startswith("EXPORTS"):
            continue
        words = line.replace("==", " == ").split()
        if "DATA" in words:
            words.remove("DATA")
        if len(words) > 2 and words[1] == "==":
            name = words[2].strip('"')
        else:
            name = words[0].strip('"')
            if "=" in name:
                name = name.split("=")[1]
            # What the compiler decorates, not the library: FreeAddrInfoW@4 is exported as FreeAddrInfoW.
            if not name.startswith("?"):
                name = re.sub(r"^@?(.+)@\d+$", r"\1", name)
        if re.fullmatch(r"[!-~]+", name) and "NONAME" not in words:
            found.append(name)
    return library, found


def windows(lib, source):
    zig, mingw = lib.parent / "zig", lib / "libc/mingw"
    system = {}
    for line in (POLICIES / "windows.tsv").read_text().splitlines():
        if not line.startswith("#"):
            arches, _, names = line.split("\t")
            for name in names.split(" "):
                for arch in arches.split(" "):
                    system.setdefault(arch, set()).add(name if name.endswith(".drv") else name + ".dll")
    exports = {}
    for arch, (target, own) in WINDOWS.items():
        for folder in filter(None, ["lib-common", own]):
            for path in sorted((mingw / folder).iterdir()):
                if not re.search(r"\.def(\.in)?$", path.name):
                    continue
                library, found = entries(definition(zig, mingw, path, target), arch)
                if not library or not (library in system[arch] | BESIDE_PYTHON or library.startswith("api-ms-")):
                    continue
                for name in found:
                    exports.setdefault((library, name), set()).add(arch)
    groups = {}
    for (library, name), arches in exports.items():
        groups.setdefault((library, "name", " ".join(a for a in WINDOWS if a in arches)), set()).add(name)
    for library in ("ws2_32", "wsock32", "oleaut32"):
        names = __import__(f"ordlookup.{library}", fromlist=["ord_names"]).ord_names
        numbered = {f"{ordinal} {name.decode()}" for ordinal, name in names.items()}
        groups[(f"{library}.dll", "ordinal", " ".join(WINDOWS))] = numbered
    write("windows", [
        "Exported symbols of Windows' system libraries, of its API sets, of ucrtbase.dll and vcruntime140.dll, per architecture.",
        f"Source of the facts: mingw-w64's import definitions as {source} carries them (lib/libc/mingw/lib-common, lib32, lib64).",
        "They are made from some edition of Windows by hand and tool: newer editions export more than is listed.",
        "A library stands under the name that the definitions give, in lower case.",
        "Fixed ordinals are those of ws2_32.dll, wsock32.dll and oleaut32.dll, as pefile's ordlookup has them.",
        "groups: library, name or ordinal (its entries are a number and a name), architectures",
        "latest: 10",
    ], groups)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    root = pathlib.Path(sys.argv[1])
    sys.path.append(str(root.parent))  # pefile's `ordlookup`
    release = next((d.name.split("-")[1] for d in root.parent.glob("ziglang-*.dist-info")), "?").removesuffix(".dist")
    source = f"ziglang {release}"
    glibc(root / "lib", source)
    if len(sys.argv) == 3:
        gnu(pathlib.Path(sys.argv[2]))
    musl(root / "lib", source)
    macos(root / "lib", source)
    windows(root / "lib", source)
