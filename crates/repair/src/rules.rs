//! What a repaired wheel must hold. Tags that promise too much and a RECORD that does not fit are the proof's rules: one
//! fault has one name, whoever finds it.

pub(crate) use audit::proof::fact_rules::{RECORD_MISMATCH, TAG_TOO_WIDE};
use audit::proof::rules as proof;
pub(crate) use audit::rules::TWO_LLVM;
use diagnostics::{Finding, Rule, Severity};

/// The proof's rules that a repair judges by too.
pub const SHARED: &[&Rule] = &[&RECORD_MISMATCH, &TAG_TOO_WIDE, &TWO_LLVM];

/// What the proof says of the same fault, seen from the loader's side.
const SAME_FAULT: &[(&Rule, &[&Rule])] = &[
    (&LIBRARY_LEFT_OUT, &[&proof::MISSING_LIBRARY]),
    (&NOT_REACHED, &[&proof::MISSING_LIBRARY]),
    (&RUNPATH_HIDES_RPATH, &[&proof::MISSING_LIBRARY]),
    (&VERSION_NEED_STRANDED, &[&proof::MISSING_VERSION, &proof::LOADER_REFUSES]),
    (&IMAGE_DAMAGED, &[&proof::SEGMENT_ALIGNMENT, &proof::LOADER_REFUSES]),
    (&SIGNATURE_BROKEN, &[&proof::UNSIGNED_CODE]),
    (&WRONG_ARCHITECTURE, &[&proof::LOADER_REFUSES]),
    (&GRAFTED_TWICE, &[&proof::TWO_COPIES]),
];

/// Whether a finding of the proof is about a fault that the repair's own findings tell already: the same rule or its
/// counterpart, of the same member and, where both name one, the same library or symbol, and no less severe. `own` is what is
/// really reported: what the configuration accepts or switches off there is for the proof to say.
pub fn is_told(own: &[Finding], proof: &Finding) -> bool {
    own.iter().any(|finding| {
        let counterpart = SAME_FAULT.iter().any(|(rule, others)| *rule == finding.rule && others.contains(&proof.rule));
        let (one, other) = (&finding.subject, &proof.subject);
        let symbols = one.symbol.is_none() || other.symbol.is_none() || one.symbol == other.symbol;
        let weight = finding.severity >= proof.severity;
        (finding.rule == proof.rule || counterpart) && one.member == other.member && symbols && weight
    })
}

/// The rules of this crate.
pub const RULES: &[&Rule] = &[
    &LINUX_TAG,
    &TAG_NOT_MET,
    &MEMBER_LOST,
    &MEMBER_CHANGED,
    &NEEDLESS_PLATFORM,
    &GRAFTED_TWICE,
    &LIBRARY_LEFT_OUT,
    &RUNPATH_HIDES_RPATH,
    &NOT_REACHED,
    &VERSION_NEED_STRANDED,
    &IMAGE_DAMAGED,
    &PATH_LEADS_OUTSIDE,
    &INSTALL_NAME,
    &SIGNATURE_BROKEN,
    &WRONG_ARCHITECTURE,
    &LIBLLVM_COPIES,
];

/// The wheel still has a `linux_*` tag.
pub static LINUX_TAG: Rule = Rule {
    code: "WH311",
    name: "linux-tag",
    severity: Severity::Error,
    summary: "the repaired wheel still has a linux_* platform tag",
    why: "A `linux_x86_64` tag promises nothing about glibc or other libraries; PyPI refuses such a wheel, and an index that \
          takes it gives it to machines on which it cannot be imported.",
    fix: "Repair the wheel with a policy: `platform: auto` finds the most widely usable one that it meets.",
    example: "x-1.0-cp313-cp313-linux_x86_64.whl",
};

/// The wheel's tag is not what was asked for.
pub static TAG_NOT_MET: Rule = Rule {
    code: "WH312",
    name: "tag-not-met",
    severity: Severity::Error,
    summary: "the repaired wheel has not the platform tag that was asked for, nor a more widely usable one",
    why: "`platform:` and `--plat` name the oldest system that the wheel has to run on. A tool may fall back to a tag that stands for \
          fewer systems; those who use an older one then get no wheel at all.",
    fix: "Build in an environment of that platform (an image of the policy, MACOSX_DEPLOYMENT_TARGET), or ask for `platform: auto`.",
    example: "`manylinux_2_17_x86_64` was asked for, the wheel is tagged `manylinux_2_34_x86_64`",
};

/// There is no libLLVM, or not the one that was asked for.
pub static LIBLLVM_COPIES: Rule = Rule {
    code: "LL411",
    name: "libllvm-copies",
    severity: Severity::Error,
    summary: "the repaired wheel lacks the libLLVM that was asked for, or has one that was not",
    why: "A wheel that was linked to a shared libLLVM must carry it: without it the import fails on a clean machine, and another \
          version than the one the extension was linked with lacks its versioned symbols. More than one is the rule `two-llvm`.",
    fix: "Look at the repair log. None: the library was excluded or taken for a system library. Another: something else than \
          the extension was linked with it; link all with the same LLVM.",
    example: "there is no libLLVM in the wheel, but LLVM 19 was linked as a shared library",
};

/// A needed library is neither in the wheel nor the platform's.
pub static LIBRARY_LEFT_OUT: Rule = Rule {
    code: "LD211",
    name: "library-left-out",
    severity: Severity::Error,
    summary: "a binary of the repaired wheel needs a library that is neither in the wheel nor the platform's",
    why: "On a clean machine the loader finds only what the wheel carries and what the policy promises. Anything else is \
          there by chance.",
    fix: "Let the repair graft it, or, if another wheel brings it, exclude it and name that wheel in Requires-Dist.",
    example: "pkg/_core.so needs libfoo.so.2",
};

/// A grafted library's RUNPATH hides the RPATH of who needs it.
pub static RUNPATH_HIDES_RPATH: Rule = Rule {
    code: "LD212",
    name: "runpath-hides-rpath",
    severity: Severity::Error,
    summary: "a library's own RUNPATH makes the loader ignore the path that would find its needs",
    why: "ld.so searches the RPATH of a requirer and of those who loaded it, but not when the library itself has a RUNPATH, \
          which counts for its direct needs alone. A grafted library that kept the RUNPATH of its old home finds nothing.",
    fix: "Set an RPATH of `$ORIGIN` instead (patchelf --force-rpath --set-rpath), or remove the RUNPATH.",
    example: "pkg.libs/libLLVM-e7f2b360.so.19.1 has RUNPATH [$ORIGIN/../lib] and needs libffi-1f2e.so.8, which lies beside it",
};

/// A file of the wheel is gone after the repair.
pub static MEMBER_LOST: Rule = Rule {
    code: "WH314",
    name: "member-lost",
    severity: Severity::Error,
    summary: "a file that was in the wheel before the repair is not in it any more",
    why: "A repair adds libraries. When a file disappears, something was unpacked over another file, or the tool took it for \
          its own; whoever installs the wheel gets less than the build made.",
    fix: "Look at the repair log for the file's name. Two files whose names differ in case only cannot be unpacked on every \
          system.",
    example: "pkg/data/table.bin was in the wheel before the repair and is not any more",
};

/// A file changed that a repair has no business with.
pub static MEMBER_CHANGED: Rule = Rule {
    code: "WH315",
    name: "member-changed",
    severity: Severity::Error,
    summary: "the repair changed a file that it has no reason to change, or broke one that it has",
    why: "A repair may patch binaries (their code is the same, byte for byte, and they export the same as before), rewrite RECORD \
          and the tags in WHEEL, and on Windows add delvewheel's block to the `__init__.py` of a package at the root. Anything \
          else is damage, or worse: other code, a line more or less, a lost symbol, a lost permission.",
    fix: "Look at the repair log. On Windows, code that the tool cannot patch (text after a docstring on the same line) can \
          be moved to the next line.",
    example: "pkg/_core.so does not export the 2 symbols that it did before the repair, but 0 others",
};

/// A wheel without binaries is for one platform only.
pub static NEEDLESS_PLATFORM: Rule = Rule {
    code: "WH316",
    name: "needless-platform-tag",
    severity: Severity::Warning,
    summary: "a wheel without any binary is tagged for one platform",
    why: "Such a wheel installs on one system though it would run on all; more often the extension that it should hold is \
          missing, because the build did not put it in.",
    fix: "Look whether the extension was built. If the project is pure Python, build a `py3-none-any` wheel.",
    example: "x-1.0-cp313-cp313-manylinux_2_28_x86_64.whl holds no binary",
};

/// The same library is in the wheel twice.
pub static GRAFTED_TWICE: Rule = Rule {
    code: "WH317",
    name: "grafted-twice",
    severity: Severity::Warning,
    summary: "the repair put a library into the wheel that it put there already, or that the wheel carries",
    why: "Each copy is loaded on its own: twice the size and the memory, and two sets of global variables where one was meant. A \
          library that the build put into the wheel is grafted once more when no run path leads from the extension to it: the \
          tool finds another one on the machine.",
    fix: "Let all extensions link the library by the same name, and give them a run path (`$ORIGIN/…`, `@loader_path/…`) to what \
          the wheel carries, or exclude it. On Windows, move extensions out of the root of namespace packages, which get their \
          own copies.",
    example: "ns/zlib-1f2e.dll and x.libs/zlib-1f2e.dll are two copies of one library",
};

/// A library is in the wheel where the loader does not look.
pub static NOT_REACHED: Rule = Rule {
    code: "LD213",
    name: "not-reached",
    severity: Severity::Error,
    summary: "a needed library is in the wheel, but nothing leads the loader there",
    why: "The loader looks in the folders that run paths, install names or `os.add_dll_directory` give, and nowhere else. A \
          library in another folder of the wheel might as well not be there.",
    fix: "Run paths must be relative to the binary (`$ORIGIN/…`, `@loader_path/…`) and fit the place where the file is \
          installed, not where it lies in the archive (`.data/platlib`). Programs in `.data/scripts` are installed into a folder \
          from which no relative path leads to the packages: auditwheel moves them to where one does, delocate and delvewheel do \
          not; link such a program statically, or start it from a Python function (`[project.scripts]`). For libraries that \
          Python code loads first, this can be accepted with that reason.",
    example: "pkg/_core.so needs libfoo-1f2e.so.1, which lies in the wheel as x.libs/libfoo-1f2e.so.1, but no RPATH leads there",
};

/// Version needs name a file that is not needed.
pub static VERSION_NEED_STRANDED: Rule = Rule {
    code: "LD214",
    name: "version-need-stranded",
    severity: Severity::Error,
    summary: "a binary needs symbol versions of a file that is not among its needed libraries",
    why: "When a needed library is renamed, the table of version needs has to be renamed with it. Otherwise ld.so stops the \
          process with an assertion (`dl-version.c: … needed != NULL`).",
    fix: "Use patchelf 0.19 or newer; other patchers forget the table.",
    example: "pkg/_core.so needs versions of libLLVM.so.19.1, which is not among the libraries that it needs",
};

/// A patched binary does not hold together.
pub static IMAGE_DAMAGED: Rule = Rule {
    code: "LD215",
    name: "image-damaged",
    severity: Severity::Error,
    summary: "a binary does not hold together",
    why: "Patching moves tables inside a file. Segments that overlap, are not aligned to pages, or reach beyond the file, \
          sections that are not mapped, load commands over code, or a wrong checksum make the loader refuse the file, or \
          crash later.",
    fix: "Never strip what was patched; strip before (`strip: true` does). Use the tools' pinned versions. A Mach-O needs \
          room in its header: link with `-Wl,-headerpad_max_install_names`. What the build itself left so no repair mends: link \
          it again. A wrong checksum or a stray section, which the loader overlooks, is a warning in what no tool touched.",
    example: "x.libs/libLLVM-e7f2b360.so.19.1 has a segment at 0x8c5a000 that is not aligned to pages",
};

/// A search path of the building machine.
pub static PATH_LEADS_OUTSIDE: Rule = Rule {
    code: "LD216",
    name: "path-leads-outside",
    severity: Severity::Error,
    summary: "a binary looks for libraries in a folder of the machine that built it",
    why: "On the user's machine that folder holds nothing, or something else: whoever may write there decides what is loaded \
          into the user's process. An error in what the repair grafted or patched: its paths are the tool's to set. A warning in \
          an extension that no tool had a reason to touch: it imports all the same, and many published wheels carry such a path.",
    fix: "Build without absolute run paths (CMake: `CMAKE_INSTALL_RPATH`), or let the repair tool remove them.",
    example: "pkg/_core.so looks for libraries in /home/me/llvm/lib",
};

/// A grafted library kept its old install name.
pub static INSTALL_NAME: Rule = Rule {
    code: "LD217",
    name: "install-name",
    severity: Severity::Error,
    summary: "a grafted library calls itself by its path on another machine",
    why: "dyld takes two libraries with the same install name for one: the first one that is loaded into a process serves all. \
          A grafted library with its old name is mixed up with Homebrew's or another wheel's.",
    fix: "Its install name has to be unique to the wheel, as delocate's `/DLC/…` is.",
    example: "pkg/.dylibs/libLLVM.dylib calls itself /opt/homebrew/opt/llvm/lib/libLLVM.dylib",
};

/// A Mach-O's signature does not fit.
pub static SIGNATURE_BROKEN: Rule = Rule {
    code: "LD218",
    name: "signature-broken",
    severity: Severity::Error,
    summary: "a Mach-O is not signed where it has to be, or its signature does not fit its bytes",
    why: "macOS on arm64 loads no code without a signature, and everywhere it kills a process that touches a page whose hash \
          differs from the signed one: `Killed: 9`, without a word.",
    fix: "Sign ad hoc after the last change: `codesign --force --sign - FILE`.",
    example: "pkg/_core.cpython-313-darwin.so has a signature that does not fit its pages",
};

/// A binary for another processor or system.
pub static WRONG_ARCHITECTURE: Rule = Rule {
    code: "LD219",
    name: "wrong-architecture",
    severity: Severity::Error,
    summary: "a binary is for another processor or system than the wheel's tag says",
    why: "The loader refuses it. It happens with cross builds that pick up the building machine's library, and with universal2 \
          wheels of which one part was built for one processor only.",
    fix: "Build it for every architecture of the tag, or take the architecture out of the tag.",
    example: "pkg/_core.so is for x86_64, the tag promises aarch64",
};

#[cfg(test)]
mod tests {
    use super::*;
    use diagnostics::Subject;

    #[test]
    fn the_pages_are_whole() {
        static FAMILIES: &[&[&diagnostics::Rule]] = &[super::RULES];
        assert_eq!(diagnostics::Registry::new(FAMILIES).faults(), []);
    }

    #[test]
    fn one_fault_is_told_once() {
        let of = |rule, member: &str, symbol: Option<&str>| {
            let subject = Subject::file("x.whl").member(member);
            Finding::new(rule, symbol.map_or(subject.clone(), |symbol| subject.symbol(symbol)), "")
        };
        let own = [of(&LIBRARY_LEFT_OUT, "a.so", Some("libx.so.1")), of(&TAG_TOO_WIDE, "b.so", None)];
        for (finding, told) in [
            (of(&proof::MISSING_LIBRARY, "a.so", Some("libx.so.1")), true),
            (of(&proof::MISSING_LIBRARY, "a.so", None), true),
            (of(&proof::MISSING_LIBRARY, "a.so", Some("liby.so.1")), false),
            (of(&proof::MISSING_LIBRARY, "b.so", Some("libx.so.1")), false),
            (of(&proof::MISSING_VERSION, "a.so", Some("libx.so.1")), false),
            (of(&TAG_TOO_WIDE, "b.so", None), true),
        ] {
            assert_eq!(is_told(&own, &finding), told, "{finding:?}");
        }
        let mild = own.map(|finding| finding.severity(Severity::Warning));
        assert!(!is_told(&mild, &of(&proof::MISSING_LIBRARY, "a.so", None)), "a warning hides no error");
    }
}
