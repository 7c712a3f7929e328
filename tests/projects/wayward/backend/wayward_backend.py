"""A PEP 517 backend that reports success and misbehaves as the variable WAYWARD says.

no-wheel, no-sdist       nothing is made
two-wheels, two-sdists   one too many is made
no-archive               the wheel is no archive
half                     the wheel's RECORD does not fit what it holds
other-module             the wheel holds another module
other-python             the wheel's tag is another Python's
hollow-sdist             the sdist holds no project
litter                   files are written and changed in the tree
sleep                    a process of its own is started and waited for
"""

import base64
import hashlib
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import zipfile

MOOD = os.environ.get("WAYWARD", "")


def _digest(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def _wheel(folder, version="1.0"):
    tag = "cp38-cp38-linux_x86_64" if MOOD == "other-python" else "py3-none-any"
    name = f"wayward-{version}-{tag}.whl"
    module = "headstrong" if MOOD == "other-module" else "wayward"
    info = f"wayward-{version}.dist-info"
    source = pathlib.Path("src/wayward/__init__.py").read_bytes()
    members = {
        f"{module}/__init__.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: wayward\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: wayward\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    if MOOD == "half":
        members[f"{module}/__init__.py"] += b"# changed after RECORD was written\n"
    with zipfile.ZipFile(pathlib.Path(folder) / name, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    if MOOD == "no-wheel":
        return "wayward-1.0-py3-none-any.whl"
    if MOOD == "no-archive":
        pathlib.Path(wheel_directory, "wayward-1.0-py3-none-any.whl").write_bytes(b"\0" * 22)
        return "wayward-1.0-py3-none-any.whl"
    if MOOD == "two-wheels":
        _wheel(wheel_directory, "2.0")
    if MOOD == "litter":
        pathlib.Path("build").mkdir(exist_ok=True)
        pathlib.Path("build/left-behind").write_text("x")
        with open("src/wayward/__init__.py", "a") as file:
            file.write("\n")
    if MOOD == "sleep":
        subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
    return _wheel(wheel_directory)


def build_sdist(sdist_directory, config_settings=None):
    if MOOD == "no-sdist":
        return "wayward-1.0.tar.gz"
    if MOOD == "two-sdists":
        pathlib.Path(sdist_directory, "wayward-2.0.tar.gz").write_bytes(b"")
    with tarfile.open(pathlib.Path(sdist_directory) / "wayward-1.0.tar.gz", "w:gz") as archive:
        if MOOD == "hollow-sdist":
            note = tarfile.TarInfo("wayward-1.0/PKG-INFO")
            archive.addfile(note, io.BytesIO(b""))
        else:
            for path in ("pyproject.toml", "backend", "src"):
                archive.add(path, f"wayward-1.0/{path}")
    return "wayward-1.0.tar.gz"
