"""C compiler and linker for another system: `zig cc`, without the arguments that rustc and cc-rs add and zig does not take.

    python ci/zig-cc.py TARGET ARGUMENT...

TARGET is zig's name, such as `x86_64-windows-gnu` or `aarch64-macos.12.0`. The package `ziglang` is imported for its place
alone: zig replaces this process.
"""

import os
import sys

import ziglang

# What zig decides by its own -target, or has no such thing (arguments in full, then by their beginning).
UNKNOWN = {
    "-nolibc",
    "--unwindlib=none",
    "-m64",
    "-nodefaultlibs",
    "-lmsvcrt",
    "-lmingw32",
    "-lmingwex",
    "-liconv",
    "-Wl,--nxcompat",
}
UNKNOWN_BEGINNINGS = ("--target=", "-mmacosx-version-min=", "-mmacos-version-min=")
# The same with their value as the next argument.
UNKNOWN_PAIRS = {"-arch", "-target"}


def taken(arguments):
    """The arguments that zig takes."""
    arguments = iter(arguments)
    for argument in arguments:
        if argument in UNKNOWN_PAIRS:
            next(arguments, None)
        elif argument not in UNKNOWN and not argument.startswith(UNKNOWN_BEGINNINGS):
            yield argument


def main():
    zig = os.path.join(os.path.dirname(ziglang.__file__), "zig")
    # A compiler that was unpacked beside its libraries is started with this; zig has nothing to look for there.
    os.environ.pop("LD_LIBRARY_PATH", None)
    os.execv(zig, [zig, "cc", "-target", sys.argv[1], *taken(sys.argv[2:])])


main()
