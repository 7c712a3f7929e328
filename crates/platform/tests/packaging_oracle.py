"""Answers questions about names with PyPA's `packaging`: JSON on stdin, JSON on stdout."""

import json
import sys

try:
    import packaging
except ImportError:
    from pip._vendor import packaging  # noqa: F401
    from pip._vendor.packaging import _manylinux, _musllinux, specifiers, tags, utils, version
else:
    from packaging import _manylinux, _musllinux, specifiers, tags, utils, version

release = version.Version(packaging.__version__).release
if release < (22,):
    json.dump({"skipped": f"packaging {packaging.__version__} is older than 22"}, sys.stdout)
    sys.exit()


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except ValueError:
        return None


def specifier_set(text):
    return attempt(specifiers.SpecifierSet, text)


def platforms(host):
    (system, numbers), arch = host["system"], host["arch"]
    if system == "macos":
        return list(tags.mac_platforms(tuple(numbers), arch))
    if system == "windows":
        return ["win32" if arch == "win32" else f"win_{arch}"]
    glibc = tuple(numbers) if system == "glibc" else (-1, -1)
    glibc = getattr(_manylinux, "_GLibCVersion", lambda *numbers: numbers)(*glibc)
    _manylinux._get_glibc_version = lambda: glibc
    _manylinux._have_compatible_abi = lambda *_: True
    # What this machine's own `_manylinux` module would forbid is no part of the question.
    _manylinux._is_compatible = lambda *_: True
    musl = getattr(_musllinux, "_MuslVersion")(*numbers) if system == "musl" else None
    _musllinux._get_musl_version = lambda *_: musl
    many = list(_manylinux.platform_tags([arch])) if system == "glibc" else []
    return many + list(_musllinux.platform_tags([arch])) + [f"linux_{arch}"]


def compatible(case):
    python = tuple(case["python"])
    where = platforms(case["host"])
    found = list(tags.cpython_tags(python, [case["abi"]], where))
    found += tags.compatible_tags(python, "cp%d%d" % python, where)
    return [str(tag) for tag in found]


def wheel(name):
    parsed = attempt(utils.parse_wheel_filename, name)
    if parsed is None:
        return None
    project, number, build, found = parsed
    return [project, str(number), build[0] if build else None, sorted(map(str, found))]


asked = json.load(sys.stdin)
parsed = [attempt(version.Version, text) for text in asked["versions"]]
valid = [one for one in parsed if one is not None]
sets = [specifier_set(text) for text in asked["specifiers"]]
minors = range(*asked["minors"])
answers = {
    "packaging": packaging.__version__,
    # What `<` leaves out beside a post-release and `>` beside a pre-release was set right in 26.
    "exclusive_by_the_letter": release >= (26,),
    "has_abi3t": hasattr(tags, "_abi3t_applies"),
    "versions": [None if one is None else str(one) for one in parsed],
    "order": [["<=>"[(a > b) - (a < b) + 1] for b in valid[:150]] for a in valid[:150]],
    "specifiers": [
        None
        if one is None
        else [one.contains(number, prereleases=True) for number in valid]
        for one in sets
    ],
    "requires": [
        None
        if one is None
        else [any(one.contains(f"3.{minor}.{patch}", prereleases=True) for patch in range(12)) for minor in minors]
        for one in map(specifier_set, asked["requires"])
    ],
    "names": [utils.canonicalize_name(name) for name in asked["names"]],
    "wheels": [wheel(name) for name in asked["wheels"]],
    "compatible": [compatible(case) for case in asked["compatible"]],
}
json.dump(answers, sys.stdout)
