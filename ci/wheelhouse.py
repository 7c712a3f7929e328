#!/usr/bin/env python3
"""Fetches the published wheels that crates/audit/tests/published.rs judges.

    python3 ci/wheelhouse.py [DIR] [--minutes N] [--system linux|macos|windows]... [--only NAME]...

For each distribution the newest cp313 (or abi3, or else pure) wheel for Linux, macOS and Windows is put into
DIR/<system>/; what is there already is kept. Stops asking after N minutes. Prints what it could not get, which is
no failure: the index has not every wheel for every system.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys
import time

NAMES = """
numpy pandas scipy lxml pyyaml cffi cryptography pydantic-core orjson greenlet gevent psutil grpcio protobuf regex
msgpack simplejson ujson frozenlist multidict yarl aiohttp kiwisolver matplotlib pillow pyarrow llvmlite numba cython
mypy black tornado wrapt markupsafe sqlalchemy zstandard bcrypt pynacl rpds-py tokenizers justjit
""".split()

# The platform tags that a current machine of each system accepts, the newest first: pip takes the best of them.
LINUX = [f"manylinux_2_{minor}_x86_64" for minor in range(39, 4, -1)] + ["manylinux2014_x86_64", "manylinux1_x86_64"]
MACOS = [f"macosx_{major}_0_{arch}" for major in range(15, 10, -1) for arch in ("arm64", "universal2")]
MACOS += [f"macosx_10_{minor}_universal2" for minor in range(16, 8, -1)]
PLATFORMS = {"linux": LINUX, "macos": MACOS, "windows": ["win_amd64"]}


# Environments of tools have no pip inside; this runs the one that every Python brings along.
PIP = pathlib.Path(__file__).resolve().parent.parent / "crates/host/src/toolenv/bundled_pip.py"


def normalised(name):
    return re.sub(r"[-_.]+", "_", name).lower()


def present(folder, name):
    return any(normalised(wheel.name.split("-")[0]) == normalised(name) for wheel in folder.glob("*.whl"))


def fetch(folder, name, platforms, seconds):
    command = [sys.executable, str(PIP), "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", "3.13", "--implementation", "cp"]
    command += ["--abi", "cp313", "--abi", "abi3", "--abi", "none"]
    for platform in [*platforms, "any"]:
        command += ["--platform", platform]
    command += ["--dest", str(folder), name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return "no answer in time"
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
    return lines[-1] if lines else "pip failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = os.environ.get("WHEELPROOF_WHEELHOUSE", "target/wheelproof/wheelhouse")
    parser.add_argument("folder", nargs="?", type=pathlib.Path, default=pathlib.Path(default))
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--system", action="append", choices=list(PLATFORMS))
    parser.add_argument("--only", action="append", help="only these distributions")
    options = parser.parse_args()
    end = time.monotonic() + options.minutes * 60
    missing = []
    for name in options.only or NAMES:
        for system in options.system or PLATFORMS:
            folder = options.folder / system
            folder.mkdir(parents=True, exist_ok=True)
            if present(folder, name):
                continue
            left = end - time.monotonic()
            problem = "out of time" if left < 1 else fetch(folder, name, PLATFORMS[system], left)
            if problem:
                missing.append((system, name, problem))
    for system, name, problem in missing:
        print(f"{system}: {name}: {problem}")
    print(f"{len(list(options.folder.glob('*/*.whl')))} wheels in {options.folder}, {len(missing)} missing")


if __name__ == "__main__":
    main()
