"""One extension; the PLAIN_ variables make it fail in ways that real projects fail.

PLAIN_DEFINE   names to define for the compiler, separated by spaces (src/plain/_core.c says what they do)
PLAIN_LINK     a library to link that the extension does not use, such as /lib/x86_64-linux-gnu/libtinfo.so.6
PLAIN_GONE     link a library of this name that is made for the link and not there afterwards
PLAIN_SLEEP    seconds to wait before compiling
PLAIN_WRITE    a file to write, relative to the project: a backend that builds in its tree
"""

import os
import pathlib
import subprocess
import tempfile
import time

import setuptools


def link_with():
    if os.environ.get("PLAIN_LINK"):
        return [os.environ["PLAIN_LINK"]]
    if os.environ.get("PLAIN_GONE"):
        name = os.environ["PLAIN_GONE"]
        library = pathlib.Path(tempfile.mkdtemp()) / name
        command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(library), f"-Wl,-soname,{name}"]
        subprocess.run(command, input=b"int gone(void) { return 1; }\n", check=True)
        return [str(library)]
    return []


time.sleep(float(os.environ.get("PLAIN_SLEEP", "0")))
if os.environ.get("PLAIN_WRITE"):
    pathlib.Path(os.environ["PLAIN_WRITE"]).write_text("left by the build\n")

core = setuptools.Extension(
    "plain._core",
    ["src/plain/_core.c"],
    define_macros=[(name, "1") for name in os.environ.get("PLAIN_DEFINE", "").split()],
    # Some systems' linkers leave out what is not used; here it is meant.
    extra_link_args=["-Wl,--no-as-needed", *link_with()],
)
setuptools.setup(packages=["plain"], package_dir={"": "src"}, ext_modules=[core])
