#!/usr/bin/env python3
"""Writes ../policies/{manylinux,musllinux,windows}.tsv from the facts in installed auditwheel and delvewheel packages.

    python make_policies.py        (with a Python that has auditwheel and delvewheel)

Only facts are taken (names of policies, libraries, symbol versions); the form is the project's own: what a policy
adds to the one before it. The program rebuilds auditwheel's sets from its own output and stops if they differ, so a
release of auditwheel that takes something away from a newer policy is noticed here.
"""

import json
import pathlib
import sys

import auditwheel
import delvewheel._dll_list as dlls
from importlib.metadata import version

OUT = pathlib.Path(__file__).resolve().parent.parent / "policies"
# The architectures that the crate has a name for, as wheel tags of Linux spell them.
ARCHES = ["x86_64", "aarch64", "i686", "armv7l", "ppc64le", "s390x", "riscv64"]


def linux(kind):
    source = pathlib.Path(auditwheel.__file__).parent / "policy" / f"{kind}-policy.json"
    every = json.loads(source.read_text())
    policies = sorted((p for p in every if p["name"] != "linux"), key=lambda p: -p["priority"])
    names = [p["name"] for p in policies]
    lines = [
        f"# {kind}: the platform tags' policies, the most widely usable first. See docs of `platform::policy`.",
        f"# Source of the facts: PEP 513, 571, 599, 600 and 656 as auditwheel {version('auditwheel')} has them in policy/{kind}-policy.json.",
        "# Written by data/make_policies.py.",
        "#",
        "# policy     name, priority, architectures, names before PEP 600",
        "# version    since which policy, architectures, namespace, versions",
        "# library    since which policy, libraries that every such system has",
        "# blacklist  until which policy, library, its symbols that not every such system has",
    ]
    for p in policies:
        arches = [a for a in ARCHES if a in p["symbol_versions"]]
        lines.append("\t".join(["policy", p["name"], str(p["priority"]), " ".join(arches), " ".join(p["aliases"])]).rstrip())

    # (namespace, version) -> arch -> first policy; a later policy of the same architecture must keep it.
    since = {}
    for arch in ARCHES:
        seen = {}
        for p in policies:
            if arch not in p["symbol_versions"]:
                assert not seen, f"{p['name']} lost {arch}"
                continue
            for namespace, versions in p["symbol_versions"][arch].items():
                have = seen.setdefault(namespace, set())
                assert have <= set(versions), (p["name"], arch, namespace)
                for v in set(versions) - have:
                    since.setdefault((namespace, v), {})[arch] = p["name"]
                seen[namespace] = set(versions)
    rows = {}
    for (namespace, v), by_arch in since.items():
        for name in set(by_arch.values()):
            arches = " ".join(a for a in ARCHES if by_arch.get(a) == name)
            rows.setdefault((names.index(name), namespace, arches), []).append(v)

    def key(v):
        numbers = all(x.isdigit() for x in v.split("."))
        return (0, [int(x) for x in v.split(".")], v) if numbers else (1, [], v)

    for (i, namespace, arches), versions in sorted(rows.items()):
        lines.append("\t".join(["version", names[i], arches, namespace, " ".join(sorted(versions, key=key))]))

    had = set()
    for p in policies:
        now = set(p["lib_whitelist"])
        assert had <= now, p["name"]
        if now - had:
            lines.append("\t".join(["library", p["name"], " ".join(sorted(now - had))]))
        had = now

    until = {}
    for p in policies:
        for library, symbols in p["blacklist"].items():
            for s in symbols:
                until[(library, s)] = p["name"]
    for i, p in enumerate(policies):
        expected = {(l, s) for l, symbols in p["blacklist"].items() for s in symbols}
        assert expected == {k for k, last in until.items() if names.index(last) >= i}, p["name"]
    rows = {}
    for (library, s), last in until.items():
        rows.setdefault((names.index(last), library), []).append(s)
    for (i, library), symbols in sorted(rows.items()):
        lines.append("\t".join(["blacklist", names[i], library, " ".join(sorted(symbols))]))
    (OUT / f"{kind}.tsv").write_text("\n".join(lines) + "\n")


def windows():
    m = dlls.MachineType
    order = [("x86_64", m.AMD64), ("arm64", m.ARM64), ("i686", m.I386)]
    groups = {}
    for name in sorted(set().union(*dlls.ignore_names.values())):
        assert name == name.lower() and " " not in name, name
        arches = " ".join(a for a, machine in order if name in dlls.ignore_names[machine])
        groups.setdefault(arches, []).append(name.removesuffix(".dll"))
    lines = [
        "# Libraries in the system folder of every Windows from 7 SP1 on (arm64: from 10 on), per architecture.",
        f"# Source of the facts: Microsoft's installation media as delvewheel {version('delvewheel')} lists them in _dll_list.py.",
        "# Written by data/make_policies.py.",
        "#",
        "# architectures, first letter, libraries in lower case; `.dll` where no extension stands",
    ]
    for arches, names in sorted(groups.items()):
        by_letter = {}
        for name in names:
            by_letter.setdefault(name[0], []).append(name)
        for letter, some in by_letter.items():
            lines.append("\t".join([arches, letter, " ".join(some)]))
    (OUT / "windows.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    linux("manylinux")
    linux("musllinux")
    windows()
    for f in sorted(OUT.glob("*.tsv")):
        print(f.name, f.stat().st_size, file=sys.stderr)
