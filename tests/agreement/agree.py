#!/usr/bin/env python3
"""Whether the import proof and the real loader agree on published Linux wheels.

    python agree.py --xtask target/debug/xtask --python python3.13 [--minutes 30] [WHEEL | FOLDER | NAME | NAME==VERSION …]

Each wheel is judged by `xtask verify --no-import`, installed with its dependencies, and every extension module in it is
imported in a process of its own. Without arguments the distributions of packages.txt are taken. Needs only the standard
library and the `pip` of the named Python. Exit code 0: no difference; 1: differences; 2: nothing could be tried.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import zipfile

HERE = pathlib.Path(__file__).resolve().parent

# What glibc's loader and CPython's say when a file does not load, as opposed to what a module's own code raises.
LOADER = re.compile(
    r"cannot open shared object|undefined symbol|not found \(required by|cannot allocate memory in static TLS"
    r"|cannot enable executable stack|invalid ELF header|wrong ELF class|ELF load command|file too short|DT_RELR"
    r"|CPU ISA level|does not define module export function|cannot read file data|failed to map segment"
)
# Libraries that the manylinux policies leave to the machine. One without a desktop lacks them.
MACHINE = re.compile(
    r"lib(GL|X11|Xext|Xrender|ICE|SM|gobject-2\.0|gthread-2\.0|glib-2\.0)\.so\.\d+: cannot open shared object"
)
SUFFIX = re.compile(r"(\.cpython-(?P<version>3\d+)-[\w-]+|\.abi3)?\.so$")


def modules(wheel, python):
    """The names under which the wheel's extension modules are imported: a `.so` where Python looks that has its PyInit."""
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            parts = member.split("/")
            if re.search(r"\.data$", parts[0]) and len(parts) > 2:
                if parts[1] not in ("platlib", "purelib"):
                    continue
                parts = parts[2:]
            suffix = SUFFIX.search(parts[-1])
            if not suffix or suffix["version"] not in (None, python):
                continue
            parts[-1] = parts[-1][: suffix.start()]
            if parts[-1] == "__init__" and len(parts) > 1:
                parts.pop()
            if not all(part.isidentifier() for part in parts):
                continue
            # Its string table has the name between two zeros, unless it is the tail of another name.
            if b"PyInit_" + parts[-1].encode() + b"\0" in archive.read(member):
                found.append(".".join(parts))
    return sorted(set(found))


def run(argv, seconds, **more):
    """The exit code (None: out of time) and both outputs."""
    try:
        more |= {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "errors": "replace"}
        done = subprocess.run(argv, timeout=seconds, **more)
    except subprocess.TimeoutExpired:
        return None, "", "out of time"
    return done.returncode, done.stdout, done.stderr


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def classify(code, error):
    """`good`, `loader` (it refused), `machine` (a library that is the machine's to have), `code` (ordinary) or `slow`."""
    if code == 0:
        return "good"
    if code is None:
        return "slow"
    if code < 0:  # a signal: whatever it was, this module cannot be imported
        return "loader"
    # Packages catch the loader's message and raise a friendlier ImportError: then the whole traceback counts.
    line = last_line(error)
    text = error if re.match(r"(\w+\.)*ImportError\b", line) else line
    if MACHINE.search(text):
        return "machine"
    return "loader" if LOADER.search(text) else "code"


def verdict(xtask, wheel, seconds):
    """The verdict without the import, what was said against the wheel, and how long it took."""
    start = time.monotonic()
    # A project's own settings may accept findings; here there is none.
    code, out, error = run([xtask, "verify", "--no-import", "--format", "json", wheel], seconds, cwd=wheel.parent)
    took = time.monotonic() - start
    try:
        record = json.loads(out)["wheels"][0]
    except (ValueError, LookupError):
        return None, f"exit {code}: {last_line(error)}", took
    worst = [finding for finding in record["findings"] if finding.get("severity") == "error"]
    return record["verdict"], "; ".join(finding.get("message", "") for finding in worst), took


def environments(python, wheels, work, cache, seconds):
    """The wheels in as few environments as pip can resolve together: (python of the environment or None, wheels, reason)."""
    pending = [wheels]
    while pending:
        group = pending.pop(0)
        if not group:
            continue
        left = seconds()
        if left <= 0:
            yield None, group, "out of time"
            continue
        here = work / f"venv-{os.getpid()}-{time.monotonic_ns()}"
        code, _, error = run([python, "-m", "venv", "--without-pip", here], 120)
        inside = here / "bin" / "python"
        if code == 0:
            pip = [python, "-m", "pip", "--python", inside, "install", "--no-input", "--no-compile"]
            code, _, error = run([*pip, "--only-binary", ":all:", "--find-links", cache, *group], left)
        if code == 0:
            yield inside, group, ""
        elif len(group) > 1:
            middle = len(group) // 2
            pending[:0] = [group[:middle], group[middle:]]
        else:
            yield None, group, "not installed: " + last_line(error)


def theirs(python, wheel, seconds):
    """auditwheel's policy, and the libraries that it takes for neither the wheel's nor the system's."""
    _, out, _ = run([python, "-m", "auditwheel", "show", "--json", wheel], seconds)
    try:
        document = json.loads(out)
        return document["overall_tag"], sorted(document["external_libs"])
    except (ValueError, LookupError):
        return None


def ours(xtask, wheel, seconds):
    """The same of `show`, with the reasons against each wider policy."""
    _, out, _ = run([xtask, "show", "--format", "json", wheel], seconds, cwd=wheel.parent)
    try:
        document = json.loads(out)["wheels"][0]
        needs = [need for binary in document["binaries"] for piece in binary["slices"] for need in piece["needs"]]
        external = {need["name"] for need in needs if need["provider"] not in ("wheel", "system")}
        # auditwheel calls it linux_x86_64 if no policy is met.
        reached = [policy["reached"] or "linux_" + policy["tag"].split("_", 3)[-1] for policy in document["policies"]]
        return reached, sorted(external), document["policies"]
    except (ValueError, LookupError):
        return None


def fetch(python, names, cache, seconds):
    """Wheels of the named distributions that this Python takes, without their dependencies."""
    pip = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    pip += ["--find-links", cache, "--dest", cache]
    for name in names:
        left = seconds()
        code, _, error = run([*pip, name], max(left, 1)) if left > 0 else (None, "", "out of time")
        if code != 0:
            print(f"{name}: not downloaded: {last_line(error)}", file=sys.stderr)


def native(wheel, most):
    """Whether it is a Linux wheel of code and not too large."""
    return "linux" in wheel.name.split("-")[-1] and wheel.stat().st_size <= most


def key(name):
    """A distribution's name as two spellings of it compare."""
    return re.sub(r"[-_.]+", "-", re.split(r"[=<>!~ ]", name)[0]).lower()


def of(wheel):
    return key(wheel.name.split("-")[0])


def chosen(given, cache, left):
    """The wheels to try, the smallest first; named distributions are downloaded unless they are there."""
    listed = (HERE / "packages.txt").read_text().splitlines()
    what = given.what or [line for line in listed if line and not line.startswith("#")]
    paths = [pathlib.Path(name) for name in what if os.sep in name or name.endswith(".whl")]
    names = [name for name in what if pathlib.Path(name) not in paths]
    have = {of(wheel) for wheel in cache.glob("*.whl")}
    fetch(given.python, [name for name in names if key(name) not in have], cache, left)
    wheels = [path for path in paths if path.is_file()]
    wheels += [wheel for path in paths if path.is_dir() for wheel in path.glob("*.whl")]
    wanted = {key(name) for name in names}
    wheels += [wheel for wheel in cache.glob("*.whl") if of(wheel) in wanted]
    wheels = {wheel.resolve() for wheel in wheels if native(wheel, given.most * 1e6)}
    return sorted(wheels, key=lambda wheel: (wheel.stat().st_size, wheel.name))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="*", help="wheels, folders of wheels, or distributions to download")
    parser.add_argument("--xtask", required=True, type=pathlib.Path)
    parser.add_argument("--python", default=sys.executable, help="the CPython that imports (default: this one)")
    work = pathlib.Path(tempfile.gettempdir()) / "wheelproof-agreement"
    parser.add_argument("--work", default=work, type=pathlib.Path, help="downloads, environments and results")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--most", type=float, default=40, metavar="MB", help="larger wheels are left out")
    parser.add_argument("--auditwheel", metavar="PYTHON", help="a Python with auditwheel: compare the policies too")
    parser.add_argument("--policy-most", type=float, default=5, metavar="MB", help="larger ones auditwheel is spared")
    given = parser.parse_args()

    end = time.monotonic() + given.minutes * 60
    left = lambda: end - time.monotonic()
    work = given.work.resolve()
    cache, results = work / "wheels", work / "results"
    for folder in (cache, results):
        folder.mkdir(parents=True, exist_ok=True)
    xtask = given.xtask.resolve()
    code, version, _ = run([given.python, "-c", "import sys; print('%d%d' % sys.version_info[:2])"], 60)
    if code != 0:
        parser.error(f"`{given.python}` is no Python")
    version = version.strip()

    wheels = chosen(given, cache, left)
    done = {}
    for wheel in wheels:
        kept = results / (wheel.name + ".json")
        if kept.exists():
            done[wheel.name] = json.loads(kept.read_text())
    todo = [wheel for wheel in wheels if wheel.name not in done]
    if todo:
        for inside, group, reason in environments(given.python, todo, work, cache, left):
            for wheel in group:
                if inside is None or left() <= 0:
                    print(f"{wheel.name}: could not be tried: {reason or 'out of time'}", file=sys.stderr, flush=True)
                    continue
                record = one(wheel, xtask, inside, version, left)
                if record is None:
                    print(f"{wheel.name}: could not be tried: out of time", file=sys.stderr, flush=True)
                    continue
                done[wheel.name] = record
                (results / (wheel.name + ".json")).write_text(json.dumps(record, indent=1))
                print(row(record), file=sys.stderr, flush=True)
    print("| wheel | verdict | modules imported | raised by other code | refused by the loader | result |")
    print("|---|---|---|---|---|---|")
    for name in sorted(done):
        print(row(done[name]))
    if given.auditwheel:
        policies(given.auditwheel, xtask, wheels, given.policy_most * 1e6, left)
    agree = sum(record["result"] == "agree" for record in done.values())
    differ = sum(record["result"] == "differ" for record in done.values())
    imported = sum(record["imported"] for record in done.values())
    modules = sum(record["modules"] for record in done.values())
    print(f"\n{imported} of {modules} modules imported")
    print(f"{len(wheels)} wheels, {agree} agree, {differ} differ, {len(wheels) - agree - differ} could not be tried")
    return 1 if differ else 0 if agree else 2


def one(wheel, xtask, inside, version, left):
    """Verdict and imports of one wheel; none if the time ran out."""
    said, why, took = verdict(xtask, wheel, max(left(), 1))
    names = modules(wheel, version)
    kinds = {"good": [], "loader": [], "machine": [], "code": [], "slow": []}
    for name in names:
        if left() <= 0:
            return None
        argv = [inside, "-I", "-c", f"import importlib; importlib.import_module({name!r})"]
        code, _, error = run(argv, min(120, max(left(), 1)), cwd="/")
        if code is None and left() <= 0:
            return None
        kind = classify(code, error)
        kinds[kind].append([name, "" if kind == "good" else f"{last_line(error)[:300]} (exit {code})"])
    if said is None or not kinds["good"] and not kinds["loader"]:
        result = "not tried"
    else:
        result = "agree" if (said == "refuted") == bool(kinds["loader"]) else "differ"
    distribution, release = wheel.name.split("-")[:2]
    record = {"wheel": f"{distribution} {release}", "file": wheel.name, "verdict": said, "why": why}
    record |= {"seconds": round(took, 2), "modules": len(names), "imported": len(kinds.pop("good"))}
    return record | kinds | {"result": result}


def row(record):
    other = len(record["code"]) + len(record["machine"]) + len(record["slow"])
    cells = [record["wheel"], record["verdict"], f"{record['imported']} of {record['modules']}", other]
    return "| " + " | ".join(str(cell) for cell in [*cells, len(record["loader"]), record["result"]]) + " |"


def policies(python, xtask, wheels, most, left):
    """auditwheel's verdict on each wheel beside that of `show`; the reasons of the latter where they differ."""
    print("\n| wheel | auditwheel | external | show | external | result |\n|---|---|---|---|---|---|")
    same = different = 0
    for wheel in wheels:
        if wheel.stat().st_size > most or left() <= 0:
            continue
        one, other = theirs(python, wheel, max(left(), 1)), ours(xtask, wheel, max(left(), 1))
        if one is None or other is None:
            print(f"{wheel.name}: no policy from {'auditwheel' if one is None else 'show'}", file=sys.stderr)
            continue
        equal = one[0] in other[0] and one[1] == other[1]
        same, different = same + equal, different + (not equal)
        cells = [" ".join(wheel.name.split("-")[:2]), one[0], ", ".join(one[1]), ", ".join(other[0]), ", ".join(other[1])]
        print("| " + " | ".join([*cells, "same" if equal else "differs"]) + " |", flush=True)
        if not equal:
            for policy in other[2]:
                for wider in policy["why_not_wider"][:1]:
                    reasons = "; ".join(wider["reasons"][:4])
                    print(f"    {wheel.name}: not {wider['tag']}: {reasons}", file=sys.stderr, flush=True)
    print(f"\n{same + different} wheels, same policy and external libraries for {same}, not for {different}")


if __name__ == "__main__":
    sys.exit(main())
