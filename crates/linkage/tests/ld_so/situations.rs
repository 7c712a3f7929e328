//! Situations: what is built, what is opened, and what must come of it.

/// How a file of a situation comes to be. `@` in arguments stands for the folder.
pub(crate) enum Make {
    /// `gcc -shared`: output, source, arguments.
    Lib(&'static str, &'static str, &'static str),
    /// An executable.
    Program(&'static str, &'static str),
    /// Writes a text.
    Text(&'static str, &'static str),
    /// Removes a file.
    Remove(&'static str),
    /// Moves a file.
    Move(&'static str, &'static str),
    /// A symbolic link: name, target.
    Symlink(&'static str, &'static str),
    /// Changes bytes.
    Patch(&'static str, fn(&mut [u8])),
    /// Cuts a file off after so many bytes.
    Cut(&'static str, usize),
}
pub(crate) use Make::{Cut, Lib, Move, Patch, Program, Remove, Symlink, Text};

pub(crate) struct Situation {
    pub(crate) name: &'static str,
    pub(crate) make: Vec<Make>,
    /// `l` local, `g` global; in order.
    pub(crate) open: &'static [(char, &'static str)],
    pub(crate) library_path: &'static str,
    /// What the real loader is known to do; `None` where it depends on its version or the processor.
    pub(crate) loads: Option<bool>,
    /// A part of what we say when it does not load.
    pub(crate) why: &'static str,
    /// A symbol of the last opened file: `int probe(void)` returns what it returned, and the file whose name ends
    /// with that digit must be what we bind it to.
    pub(crate) probe: Option<&'static str>,
}

const RUNPATH: &str = "-Wl,--enable-new-dtags,-rpath,$ORIGIN/libs -L@/libs";
const RPATH: &str = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/libs -L@/libs";
const A: &str = "int a(void) { return 1; }";
const USE_A: &str = "int a(void); int ext(void) { return a(); }";
const B: &str = "int b(void) { return 1; }";
const A_USES_B: &str = "int b(void); int a(void) { return b(); }";

/// Appends arguments to one of the constants, at run time of the test: leaked, since there are few.
fn with(base: &str, more: &str) -> &'static str {
    Box::leak(format!("{base} {more}").into_boxed_str())
}

fn fails(name: &'static str, make: Vec<Make>, open: &'static [(char, &'static str)], why: &'static str) -> Situation {
    Situation { name, make, open, library_path: "", loads: Some(false), why, probe: None }
}

fn loads(name: &'static str, make: Vec<Make>, open: &'static [(char, &'static str)]) -> Situation {
    Situation { name, make, open, library_path: "", loads: Some(true), why: "", probe: None }
}

const EXT: &[(char, &str)] = &[('l', "ext.so")];

/// Links `ext.so` against `libs/liba.so` with these arguments.
fn ext(args: &'static str) -> Make {
    Lib("ext.so", USE_A, with(args, "-la"))
}

fn a(args: &'static str) -> Make {
    Lib("libs/liba.so", A, with("-Wl,-soname,liba.so", args))
}

fn versions(text: &'static str) -> Make {
    Text("versions", text)
}

const WITH_VERSIONS: &str = "-Wl,--version-script,@/versions";
const VERSIONED: &str = "-Wl,-soname,liba.so -Wl,--version-script,@/versions";
/// Uses the C library, so that the file has a version table.
const A_WITH_LIBC: &str = "#include <stdlib.h>\nint a(void) { return abs(atoi(\"1\")); }";

pub(crate) fn search() -> Vec<Situation> {
    vec![
        loads("nothing needed", vec![Lib("ext.so", "int ext(void) { return 1; }", "")], EXT),
        fails("library missing", vec![a(""), ext("-L@/libs"), Remove("libs/liba.so")], EXT, "`liba.so`, needed by"),
        fails("no search path", vec![a(""), ext("-L@/libs")], EXT, "no search path leads there"),
        loads("RUNPATH $ORIGIN", vec![a(""), ext(RUNPATH)], EXT),
        loads("RPATH ${ORIGIN}", vec![a(""), ext("-Wl,--disable-new-dtags,-rpath,${ORIGIN}/libs -L@/libs")], EXT),
        loads(
            "RPATH reaches through",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib("libs/liba.so", A_USES_B, "-Wl,-soname,liba.so -L@/libs -lb"),
                ext(with(RPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
        ),
        fails(
            "RUNPATH does not reach through",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib("libs/liba.so", A_USES_B, "-Wl,-soname,liba.so -L@/libs -lb"),
                ext(with(RUNPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
            "a RUNPATH serves only its own",
        ),
        fails(
            "RUNPATH of the requirer shadows RPATHs",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib(
                    "libs/liba.so",
                    A_USES_B,
                    "-Wl,-soname,liba.so -L@/libs -lb -Wl,--enable-new-dtags,-rpath,$ORIGIN/../lib",
                ),
                ext(with(RPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
            "own RUNPATH makes the loader ignore it",
        ),
        loads(
            "RPATH beside the requirer's RPATH",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib(
                    "libs/liba.so",
                    A_USES_B,
                    "-Wl,-soname,liba.so -L@/libs -lb -Wl,--disable-new-dtags,-rpath,$ORIGIN/../lib",
                ),
                ext(with(RPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
        ),
        loads(
            "RUNPATH in the middle hides only its own RPATH",
            vec![
                Lib("libs/libc1.so", "int c(void) { return 1; }", "-Wl,-soname,libc1.so"),
                Lib("mid/libb.so", "int c(void); int b(void) { return c(); }", "-Wl,-soname,libb.so -L@/libs -lc1"),
                Lib(
                    "libs/liba.so",
                    A_USES_B,
                    "-Wl,-soname,liba.so -L@/mid -lb -Wl,--enable-new-dtags,-rpath,$ORIGIN/../mid",
                ),
                ext(with(RPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
        ),
        loads(
            "soname is loaded already",
            vec![Lib("x/other.so", A, "-Wl,-soname,liba.so"), a(""), ext("-L@/libs"), Remove("libs/liba.so")],
            &[('l', "x/other.so"), ('l', "ext.so")],
        ),
        fails(
            "a path that is loaded is no name",
            vec![Lib("libs/liba.so", A, ""), ext("-L@/libs")],
            &[('l', "libs/liba.so"), ('l', "ext.so")],
            "`liba.so`, needed by",
        ),
        Situation { library_path: "libs", ..loads("LD_LIBRARY_PATH", vec![a(""), ext("-L@/libs")], EXT) },
        Situation {
            library_path: "env",
            ..fails(
                "LD_LIBRARY_PATH before RUNPATH",
                vec![a(""), Lib("env/liba.so", B, "-Wl,-soname,liba.so"), ext(RUNPATH)],
                EXT,
                "`a`, needed by",
            )
        },
        Situation {
            library_path: "env",
            ..loads(
                "LD_LIBRARY_PATH after RPATH",
                vec![a(""), Lib("env/liba.so", B, "-Wl,-soname,liba.so"), ext(RPATH)],
                EXT,
            )
        },
        loads(
            "another machine is skipped",
            vec![
                a(""),
                Lib("first/liba.so", A, "-Wl,-soname,liba.so"),
                Patch("first/liba.so", other_machine),
                ext("-Wl,--enable-new-dtags,-rpath,$ORIGIN/first:$ORIGIN/libs -L@/libs"),
            ],
            EXT,
        ),
        fails(
            "another machine alone",
            vec![a(""), ext(RUNPATH), Patch("libs/liba.so", other_machine)],
            EXT,
            "skipped for their architecture",
        ),
        fails(
            "opened for another machine",
            vec![Lib("ext.so", A, ""), Patch("ext.so", other_machine)],
            EXT,
            "it is for",
        ),
        fails(
            "a text ends the search",
            vec![
                a(""),
                Text(
                    "first/liba.so",
                    "INPUT(libother.so) and more text than an ELF header has, so that it is read as one",
                ),
                ext("-Wl,--enable-new-dtags,-rpath,$ORIGIN/first:$ORIGIN/libs -L@/libs"),
            ],
            EXT,
            "cannot be loaded",
        ),
        fails(
            "an empty file ends the search",
            vec![
                a(""),
                Text("first/liba.so", ""),
                ext("-Wl,--enable-new-dtags,-rpath,$ORIGIN/first:$ORIGIN/libs -L@/libs"),
            ],
            EXT,
            "cannot be loaded",
        ),
        loads(
            "a needed path with $ORIGIN",
            vec![Lib("libs/liba.so", A, "-Wl,-soname,$ORIGIN/libs/liba.so"), ext("-L@/libs")],
            EXT,
        ),
        fails(
            "no default folders",
            vec![Lib(
                "ext.so",
                "double sin(double); double ext(double x) { return sin(x); }",
                "-Wl,-z,nodefaultlib -lm",
            )],
            EXT,
            "`libm.so.6`, needed by",
        ),
        loads(
            "no default folders, loaded already",
            vec![Lib(
                "ext.so",
                "#include <stdlib.h>\nint ext(int x) { return atoi(\"1\") + x; }",
                "-Wl,-z,nodefaultlib",
            )],
            EXT,
        ),
        loads(
            "default folders",
            vec![Lib("ext.so", "double sin(double); double ext(double x) { return sin(x); }", "-lm")],
            EXT,
        ),
        loads(
            "two that need one another",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib(
                    "libs/liba.so",
                    A_USES_B,
                    "-Wl,-soname,liba.so -L@/libs -lb -Wl,--disable-new-dtags,-rpath,$ORIGIN",
                ),
                Lib(
                    "libs/libb.so",
                    "int a(void); int b(void) { return 1; } int b2(void) { return a(); }",
                    "-Wl,-soname,libb.so -L@/libs -la",
                ),
                ext(with(RPATH, "-Wl,--allow-shlib-undefined")),
            ],
            EXT,
        ),
        Situation {
            loads: None,
            ..loads(
                "hwcaps",
                vec![a(""), ext(RUNPATH), Move("libs/liba.so", "libs/glibc-hwcaps/x86-64-v2/liba.so")],
                EXT,
            )
        },
        Situation {
            loads: None,
            ..loads(
                "hwcaps before the folder itself",
                vec![a(""), Lib("libs/glibc-hwcaps/x86-64-v2/liba.so", B, "-Wl,-soname,liba.so"), ext(RUNPATH)],
                EXT,
            )
        },
        loads(
            "one file by two names",
            vec![
                a(""),
                Symlink("libs/libalias.so", "liba.so"),
                Lib("libs/libb.so", "int a(void); int b(void) { return a(); }", "-Wl,-soname,libb.so -L@/libs -la"),
                Lib("ext.so", "int b(void); int a(void); int ext(void) { return a() + b(); }", with(RPATH, "-la -lb")),
            ],
            EXT,
        ),
    ]
}

pub(crate) fn symbols() -> Vec<Situation> {
    vec![
        fails("nobody defines it", vec![Lib("ext.so", USE_A, "")], EXT, "nothing in its scope defines it"),
        loads(
            "weak and not there",
            vec![Lib("ext.so", "__attribute__((weak)) int a(void); int ext(void) { return a ? a() : 0; }", "")],
            EXT,
        ),
        fails(
            "another extension defines it",
            vec![Lib("one.so", A, ""), Lib("ext.so", USE_A, "")],
            &[('l', "one.so"), ('l', "ext.so")],
            "one.so` defines it, but is not loaded for this",
        ),
        loads(
            "opened globally before",
            vec![Lib("one.so", A, ""), Lib("ext.so", USE_A, "")],
            &[('g', "one.so"), ('l', "ext.so")],
        ),
        fails(
            "opened globally after",
            vec![Lib("one.so", A, ""), Lib("ext.so", USE_A, "")],
            &[('l', "ext.so"), ('g', "one.so")],
            "one.so",
        ),
        loads(
            "library of one opened globally",
            vec![
                a(""),
                Lib("one.so", USE_A, with(RPATH, "-la")),
                Lib("ext.so", "int a(void); int ext2(void) { return a(); }", ""),
            ],
            &[('g', "one.so"), ('l', "ext.so")],
        ),
        fails(
            "library of one opened locally",
            vec![
                a(""),
                Lib("one.so", USE_A, with(RPATH, "-la")),
                Lib("ext.so", "int a(void); int ext2(void) { return a(); }", ""),
            ],
            &[('l', "one.so"), ('l', "ext.so")],
            "liba.so` defines it, but",
        ),
        loads(
            "the program defines it",
            vec![Lib("ext.so", "int host_api(void); int ext(void) { return host_api(); }", "")],
            EXT,
        ),
        fails(
            "the program hides it",
            vec![Lib("ext.so", "int host_hidden(void); int ext(void) { return host_hidden(); }", "")],
            EXT,
            "host_hidden",
        ),
        loads(
            "a sibling library defines it",
            vec![
                Lib("libs/libb.so", B, "-Wl,-soname,libb.so"),
                Lib("libs/liba.so", A_USES_B, "-Wl,-soname,liba.so"),
                Lib(
                    "ext.so",
                    "int a(void); int b(void); int ext(void) { return a() + b(); }",
                    with(RUNPATH, "-la -lb"),
                ),
            ],
            EXT,
        ),
        loads(
            "the requirer defines it",
            vec![
                Lib("libs/liba.so", A_USES_B, "-Wl,-soname,liba.so"),
                Lib(
                    "ext.so",
                    "int a(void); int b(void) { return 1; } int ext(void) { return a(); }",
                    with(RUNPATH, "-la"),
                ),
            ],
            EXT,
        ),
        fails(
            "a hidden definition",
            vec![
                a(""),
                ext(RUNPATH),
                Lib(
                    "libs/liba.so",
                    "__attribute__((visibility(\"hidden\"))) int a(void) { return 1; } int z(void) { return a(); }",
                    "-Wl,-soname,liba.so",
                ),
            ],
            EXT,
            "`a`, needed by",
        ),
        loads(
            "a protected definition",
            vec![
                Lib(
                    "libs/liba.so",
                    "__attribute__((visibility(\"protected\"))) int a(void) { return 1; }",
                    "-Wl,-soname,liba.so",
                ),
                ext(RUNPATH),
            ],
            EXT,
        ),
        loads(
            "lazily bound, opened with RTLD_NOW, weak",
            vec![Lib("ext.so", "__attribute__((weak)) int a(void); int ext(void) { return a(); }", "-Wl,-z,lazy")],
            EXT,
        ),
        fails("lazily bound, opened with RTLD_NOW", vec![Lib("ext.so", USE_A, "-Wl,-z,lazy")], EXT, "`a`, needed by"),
        Situation {
            probe: Some("who"),
            ..loads(
                "the first of two in the order of needs",
                vec![
                    Lib("libs/lib1.so", "int who(void) { return 1; }", "-Wl,-soname,lib1.so"),
                    Lib(
                        "libs/lib2.so",
                        "int who(void) { return 2; } int two(void) { return 2; }",
                        "-Wl,-soname,lib2.so",
                    ),
                    Lib(
                        "ext.so",
                        "int who(void); int two(void); int probe(void) { return two() ? who() : 0; }",
                        with(RUNPATH, "-l2 -l1"),
                    ),
                ],
                EXT,
            )
        },
        Situation {
            probe: Some("who"),
            ..loads(
                "global before local",
                vec![
                    Lib("libs/lib1.so", "int who(void) { return 1; }", "-Wl,-soname,lib1.so"),
                    Lib("pre2.so", "int who(void) { return 2; }", ""),
                    Lib("ext.so", "int who(void); int probe(void) { return who(); }", with(RUNPATH, "-l1")),
                ],
                &[('g', "pre2.so"), ('l', "ext.so")],
            )
        },
        Situation {
            probe: Some("who"),
            ..loads(
                "breadth first, not depth first",
                vec![
                    Lib("libs/lib1.so", "int who(void) { return 1; }", "-Wl,-soname,lib1.so"),
                    Lib(
                        "libs/lib3.so",
                        "int who(void); int three(void) { return who(); }",
                        "-Wl,-soname,lib3.so -L@/libs -l1",
                    ),
                    Lib("libs/lib2.so", "int who(void) { return 2; }", "-Wl,-soname,lib2.so"),
                    Lib(
                        "ext.so",
                        "int who(void); int three(void); int probe(void) { return three() ? who() : 0; }",
                        with(RPATH, "-l3 -l2"),
                    ),
                ],
                EXT,
            )
        },
        Situation {
            probe: Some("who"),
            ..loads(
                "a weak definition that comes first counts",
                vec![
                    Lib(
                        "libs/lib1.so",
                        "__attribute__((weak)) int who(void) { return 1; } int one(void) { return 1; }",
                        "-Wl,-soname,lib1.so",
                    ),
                    Lib(
                        "libs/lib2.so",
                        "int who(void) { return 2; } int two(void) { return 2; }",
                        "-Wl,-soname,lib2.so",
                    ),
                    Lib(
                        "ext.so",
                        "int who(void); int one(void); int two(void); int probe(void) { return one() + two() ? who() : 0; }",
                        with(RUNPATH, "-l1 -l2"),
                    ),
                ],
                EXT,
            )
        },
    ]
}

pub(crate) fn versioned() -> Vec<Situation> {
    const V1: &str = "V1 { global: a; local: *; };";
    const V2: &str = "V2 { global: a; local: *; };";
    vec![
        loads("the version is there", vec![versions(V1), a(WITH_VERSIONS), ext(RUNPATH)], EXT),
        fails(
            "another version",
            vec![versions(V2), a(WITH_VERSIONS), ext(RUNPATH), versions(V1), a(WITH_VERSIONS)],
            EXT,
            "needs version `V2` of `liba.so`, which defines `V1`",
        ),
        loads(
            "another version, weakly needed",
            vec![
                versions(V2),
                a(WITH_VERSIONS),
                Lib(
                    "ext.so",
                    "__attribute__((weak)) int a(void); int ext(void) { return a ? a() : 0; }",
                    with(RUNPATH, "-Wl,--no-as-needed -la"),
                ),
                Patch("ext.so", weaken_version_need),
                versions(V1),
                a(WITH_VERSIONS),
            ],
            EXT,
        ),
        loads(
            "no versions any more",
            vec![versions(V1), a(WITH_VERSIONS), ext(RUNPATH), Lib("libs/liba.so", A_WITH_LIBC, "-Wl,-soname,liba.so")],
            EXT,
        ),
        Situation {
            loads: None, // since some release between 2.36 and 2.41
            ..fails(
                "no version table any more",
                vec![
                    versions(V1),
                    a(WITH_VERSIONS),
                    ext(RUNPATH),
                    Lib("libs/liba.so", A, "-Wl,-soname,liba.so -nostdlib"),
                ],
                EXT,
                "which defines no versions",
            )
        },
        fails(
            "the version without the symbol",
            vec![
                versions(V1),
                a(WITH_VERSIONS),
                ext(RUNPATH),
                versions("V1 { global: b; local: *; }; V2 { global: a; };"),
                Lib("libs/liba.so", "int a(void) { return 1; } int b(void) { return 1; }", VERSIONED),
            ],
            EXT,
            "`a@V1`, needed by",
        ),
        loads(
            "no version asked for, the oldest is hidden",
            vec![
                a(""),
                ext(RUNPATH),
                versions("V1 { global: a; local: *; }; V2 { global: b; };"),
                Lib(
                    "libs/liba.so",
                    "int a1(void) { return 1; } int b(void) { return 1; } __asm__(\".symver a1,a@V1\");",
                    VERSIONED,
                ),
            ],
            EXT,
        ),
        fails(
            "no version asked for, a later one is hidden",
            vec![
                a(""),
                ext(RUNPATH),
                versions("V1 { global: b; local: *; }; V2 { global: a; };"),
                Lib(
                    "libs/liba.so",
                    "int a1(void) { return 1; } int b(void) { return 1; } __asm__(\".symver a1,a@V2\");",
                    VERSIONED,
                ),
            ],
            EXT,
            "`a`, needed by",
        ),
        loads(
            "no version asked for, a later one is the default",
            vec![
                a(""),
                ext(RUNPATH),
                versions("V1 { global: b; local: *; }; V2 { global: a; };"),
                Lib("libs/liba.so", "int a(void) { return 1; } int b(void) { return 1; }", VERSIONED),
            ],
            EXT,
        ),
        loads(
            "the version comes from another library in scope",
            vec![
                versions(V1),
                a(WITH_VERSIONS),
                ext(RUNPATH),
                Lib("libs/liba.so", "int b(void) { return 1; }", VERSIONED),
                versions("V1 { global: *; };"),
                Lib("libs/liba.so", "int b(void) { return 1; }", VERSIONED),
                Lib("one.so", A, VERSIONED),
            ],
            &[('g', "one.so"), ('l', "ext.so")],
        ),
        loads(
            "a definition without version serves any",
            vec![
                versions(V1),
                a(WITH_VERSIONS),
                ext(RUNPATH),
                versions("V1 { global: b; };"),
                Lib("libs/liba.so", "int b(void) { return 1; }", VERSIONED),
                Lib("one.so", A_WITH_LIBC, ""),
            ],
            &[('g', "one.so"), ('l', "ext.so")],
        ),
        fails(
            "a version need of a file that is not loaded",
            vec![versions(V1), a(WITH_VERSIONS), ext(RUNPATH), Patch("ext.so", misname_version_need)],
            EXT,
            "the need was not renamed with the library",
        ),
        fails(
            "a version of the C library that is not there",
            vec![
                Lib("ext.so", "#include <stdlib.h>\nint ext(void) { return atoi(\"1\"); }", ""),
                Patch("ext.so", bump_glibc),
            ],
            EXT,
            "of `libc.so.6`, which defines",
        ),
    ]
}

pub(crate) fn refused() -> Vec<Situation> {
    const TLS: &str = "-ftls-model=initial-exec";
    vec![
        loads(
            "a little static TLS",
            vec![Lib("ext.so", "__thread char block[64]; char *ext(void) { return block; }", TLS)],
            EXT,
        ),
        fails(
            "much static TLS",
            vec![Lib("ext.so", "__thread char block[65536]; char *ext(void) { return block; }", TLS)],
            EXT,
            "static thread-local storage",
        ),
        loads(
            "much dynamic TLS",
            vec![Lib(
                "ext.so",
                "__thread char block[65536]; char *ext(void) { return block; }",
                "-ftls-model=global-dynamic",
            )],
            EXT,
        ),
        Situation {
            loads: None,
            ..fails("an executable stack", vec![Lib("ext.so", A, "-Wl,-z,execstack")], EXT, "executable stack")
        },
        fails("not to be opened", vec![Lib("ext.so", A, "-Wl,-z,nodlopen")], EXT, "forbids being opened"),
        fails("a program", vec![Program("ext.so", "int main(void) { return 0; }")], EXT, "is a program"),
        Situation {
            loads: None,
            ..fails(
                "aligned for smaller pages",
                vec![Lib("ext.so", A, ""), Patch("ext.so", small_alignment)],
                EXT,
                "aligned to 2048 bytes",
            )
        },
        fails(
            "mapped for smaller pages",
            vec![Lib("ext.so", A, ""), Patch("ext.so", small_pages)],
            EXT,
            "aligned to 2048 bytes",
        ),
        Situation {
            loads: None,
            ..fails(
                "needs x86-64-v4",
                vec![Lib("ext.so", A, "-Wl,-z,x86-64-v4")],
                EXT,
                "needs a processor of x86-64-v4",
            )
        },
        Situation {
            loads: None,
            ..loads(
                "packed relative relocations",
                vec![Lib(
                    "ext.so",
                    "#include <stdlib.h>\nint x; int *y = &x; int **z = &y; int ext(void) { return abs(*y); }",
                    "-Wl,-z,pack-relative-relocs",
                )],
                EXT,
            )
        },
        fails("truncated", vec![Lib("ext.so", A, ""), Cut("ext.so", 40)], EXT, "ext.so"),
    ]
}

/// e_machine becomes that of an unlikely processor.
fn other_machine(bytes: &mut [u8]) {
    bytes[18..20].copy_from_slice(&8_u16.to_le_bytes());
}

/// Points `vn_file` of the first version need at another string of the same table: at `liba.so` without its first
/// letter.
fn misname_version_need(bytes: &mut [u8]) {
    let offset = {
        let Ok(objfile::File::Object(object)) = objfile::parse(bytes) else { panic!("no object") };
        let need = object.elf().unwrap().version_needs.iter().find(|need| need.file == "liba.so").unwrap();
        need.offset as usize + 4
    };
    let name = u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap());
    bytes[offset..offset + 4].copy_from_slice(&(name + 1).to_le_bytes());
}

/// Sets `VER_FLG_WEAK` on the first version needed of `liba.so` (ld.bfd does not, even if all references are weak).
fn weaken_version_need(bytes: &mut [u8]) {
    let offset = {
        let Ok(objfile::File::Object(object)) = objfile::parse(bytes) else { panic!("no object") };
        object.elf().unwrap().version_needs.iter().find(|need| need.file == "liba.so").unwrap().offset as usize
    };
    let first = u32::from_le_bytes(bytes[offset + 8..offset + 12].try_into().unwrap()) as usize;
    bytes[offset + first + 4] |= 2;
}

/// `GLIBC_2.2.5` becomes `GLIBC_9.9.5`, in the string and in the hash beside its name.
fn bump_glibc(bytes: &mut [u8]) {
    let hash = |name: &[u8]| {
        name.iter().fold(0_u32, |hash, byte| {
            let hash = (hash << 4).wrapping_add(u32::from(*byte));
            let high = hash & 0xf000_0000;
            (hash ^ (high >> 24)) & !high
        })
    };
    let version = {
        let Ok(objfile::File::Object(object)) = objfile::parse(bytes) else { panic!("no object") };
        object.elf().unwrap().version_needs.iter().find(|need| need.file == "libc.so.6").unwrap().versions[0]
            .name
            .to_owned()
    };
    let mut bumped = version.clone().into_bytes();
    bumped[6] = b'9';
    let replace = |bytes: &mut [u8], from: &[u8], to: &[u8]| {
        for at in 0..bytes.len() - from.len() {
            if &bytes[at..at + from.len()] == from {
                bytes[at..at + from.len()].copy_from_slice(to);
            }
        }
    };
    replace(bytes, &hash(version.as_bytes()).to_le_bytes(), &hash(&bumped).to_le_bytes());
    replace(bytes, version.as_bytes(), &bumped);
}

/// `p_align` of all PT_LOAD becomes 2048.
fn small_alignment(bytes: &mut [u8]) {
    let (start, count) = (u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize, bytes[56] as usize);
    for index in 0..count {
        let at = start + index * 56;
        if bytes[at..at + 4] == 1_u32.to_le_bytes() {
            bytes[at + 48..at + 56].copy_from_slice(&2048_u64.to_le_bytes());
        }
    }
}

/// The last PT_LOAD moves by half a page in memory.
fn small_pages(bytes: &mut [u8]) {
    small_alignment(bytes);
    let (start, count) = (u64::from_le_bytes(bytes[32..40].try_into().unwrap()) as usize, bytes[56] as usize);
    let last =
        (0..count).map(|index| start + index * 56).rfind(|&at| bytes[at..at + 4] == 1_u32.to_le_bytes()).unwrap();
    let address = u64::from_le_bytes(bytes[last + 16..last + 24].try_into().unwrap()) + 2048;
    bytes[last + 16..last + 24].copy_from_slice(&address.to_le_bytes());
}
