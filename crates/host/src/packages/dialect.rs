//! How each package manager is called: the words, the rights, what keeps it from asking questions.

use super::{ManagerKind, PackageManager};
use platform::{Os, paths};

/// How a manager is used, whichever of its programs it is.
pub(crate) struct ManagerFacts {
    pub(crate) kind: ManagerKind,
    /// Programs, in the order of preference.
    pub(crate) programs: &'static [&'static str],
    /// The systems on which a program of that name is this manager.
    pub(crate) systems: &'static [Os],
    /// What keeps it from asking questions.
    pub(crate) env: &'static [(&'static str, &'static str)],
    /// Who may install.
    pub(crate) wants: Wants,
    /// It takes one package a time.
    pub(crate) one_by_one: bool,
    /// Exit codes besides 0 that mean that nothing is left to be done.
    pub(crate) done: &'static [i32],
}

/// Who may install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wants {
    /// Root, or whoever may become root.
    Root,
    /// A Windows administrator in a console that was started as one.
    Administrator,
    /// Anybody but root: it refuses root.
    NotRoot,
    /// Anybody. (winget asks Windows for more rights by itself where a package needs them.)
    Anybody,
}

/// "No applicable update found", which is how `winget install` ends for what is there in its newest version, and "found at least
/// one version of the package installed" (winget-cli, doc/windows/package-manager/winget/returnCodes.md).
const WINGET_HAS_IT: &[i32] = &[0x8A15_002B_u32.cast_signed(), 0x8A15_0061_u32.cast_signed()];

/// Every manager, in the order of [`ManagerKind::ALL`].
pub(crate) const MANAGERS: [ManagerFacts; 7] = [
    ManagerFacts {
        kind: ManagerKind::Apt,
        programs: &["apt-get"],
        systems: &[Os::Linux],
        env: &[("DEBIAN_FRONTEND", "noninteractive")],
        wants: Wants::Root,
        one_by_one: false,
        done: &[],
    },
    ManagerFacts {
        kind: ManagerKind::Dnf,
        programs: &["dnf", "microdnf", "yum"],
        systems: &[Os::Linux],
        env: &[],
        wants: Wants::Root,
        one_by_one: false,
        done: &[],
    },
    ManagerFacts {
        kind: ManagerKind::Apk,
        programs: &["apk"],
        systems: &[Os::Linux],
        env: &[],
        wants: Wants::Root,
        one_by_one: false,
        done: &[],
    },
    ManagerFacts {
        kind: ManagerKind::Brew,
        programs: &["brew"],
        systems: &[Os::MacOs, Os::Linux],
        // What is there already stays as it is: nobody asked for an upgrade of his system.
        env: &[
            ("HOMEBREW_NO_AUTO_UPDATE", "1"),
            ("HOMEBREW_NO_INSTALL_CLEANUP", "1"),
            ("HOMEBREW_NO_INSTALL_UPGRADE", "1"),
            // From Homebrew 6 on it asks by default. (NONINTERACTIVE is a word of its installer alone.)
            ("HOMEBREW_NO_ASK", "1"),
        ],
        wants: Wants::NotRoot,
        one_by_one: false,
        done: &[],
    },
    ManagerFacts {
        kind: ManagerKind::Winget,
        programs: &["winget"],
        systems: &[Os::Windows],
        env: &[],
        wants: Wants::Anybody,
        one_by_one: true,
        done: WINGET_HAS_IT,
    },
    ManagerFacts {
        kind: ManagerKind::Choco,
        programs: &["choco"],
        systems: &[Os::Windows],
        env: &[],
        wants: Wants::Administrator,
        one_by_one: false,
        done: &[],
    },
    ManagerFacts {
        kind: ManagerKind::Conda,
        programs: &["micromamba", "mamba", "conda", "pixi"],
        systems: &[Os::Linux, Os::MacOs, Os::Windows],
        env: &[],
        wants: Wants::Anybody,
        one_by_one: false,
        done: &[],
    },
];

/// The words for one of the programs.
pub(crate) struct Dialect {
    program: &'static str,
    /// Words before the packages. `{environment}` is where to; the word before it goes with it.
    pub(crate) install: &'static [&'static str],
    /// Words after them.
    pub(crate) after: &'static [&'static str],
    /// Words that fetch the lists; none if the manager does so by itself.
    pub(crate) update: &'static [&'static str],
}

/// Without `--override-channels` the `defaults` of a stock Miniconda are asked too, whose terms somebody must have accepted
/// (`CondaToSNonInteractiveError`). mamba and micromamba know the option (`micromamba/src/common_options.cpp`).
const CONDA: &[&str] =
    &["install", "--yes", "--override-channels", "--channel", "conda-forge", "--prefix", "{environment}"];

/// Sources: the manual pages of apt-get(8), dnf(8), apk(8) and brew(1), `choco install --help`, learn.microsoft.com's
/// page of `winget install`, the command references of conda, mamba and pixi.
const DIALECTS: &[Dialect] = &[
    Dialect {
        program: "apt-get",
        install: &["install", "-y", "--no-install-recommends"],
        after: &[],
        update: &["update"],
    },
    Dialect {
        program: "dnf",
        install: &["install", "-y", "--setopt=install_weak_deps=False"],
        after: &[],
        update: &["makecache"],
    },
    Dialect {
        program: "microdnf",
        install: &["install", "-y", "--setopt=install_weak_deps=0"],
        after: &[],
        update: &["makecache"],
    },
    Dialect { program: "yum", install: &["install", "-y"], after: &[], update: &["makecache"] },
    Dialect { program: "apk", install: &["add"], after: &[], update: &["update"] },
    Dialect { program: "brew", install: &["install"], after: &[], update: &[] },
    Dialect {
        program: "winget",
        install: &["install", "--exact", "--id"],
        after: &[
            "--source",
            "winget",
            "--accept-package-agreements",
            "--accept-source-agreements",
            "--disable-interactivity",
            "--silent",
        ],
        update: &[],
    },
    Dialect {
        program: "choco",
        // An installer that wants a restart (3010, 1641) has succeeded.
        install: &["install", "-y", "--no-progress", "--ignore-package-exit-codes"],
        after: &[],
        update: &[],
    },
    Dialect { program: "micromamba", install: CONDA, after: &[], update: &[] },
    Dialect { program: "mamba", install: CONDA, after: &[], update: &[] },
    Dialect { program: "conda", install: CONDA, after: &[], update: &[] },
    // An environment of pixi is what its manifest says, so that is where it is added; the channels stand there too.
    Dialect { program: "pixi", install: &["add", "--manifest-path", "{environment}"], after: &[], update: &[] },
];

/// Words that a single package needs besides. The Build Tools alone have no compiler; the workload brings it
/// (learn.microsoft.com, "Visual Studio Build Tools component directory").
const BESIDES: &[(&str, &[&str])] = &[(
    "Microsoft.VisualStudio.2022.BuildTools",
    &[
        "--override",
        "--quiet --wait --norestart --nocache --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended",
    ],
)];

/// The row of a manager.
pub(crate) fn facts(kind: ManagerKind) -> &'static ManagerFacts {
    MANAGERS.iter().find(|facts| facts.kind == kind).unwrap_or(&MANAGERS[0])
}

/// How this manager's program is spoken to: by its name, without its folder and `.exe` or `.bat`.
pub(crate) fn dialect(manager: &PackageManager) -> &'static Dialect {
    let name = program_name(manager);
    let known = |wanted: &str| DIALECTS.iter().find(|dialect| dialect.program == wanted);
    let first = facts(manager.kind).programs.first().copied().unwrap_or_default();
    known(&name).or_else(|| known(first)).unwrap_or(&DIALECTS[0])
}

fn program_name(manager: &PackageManager) -> String {
    let file = paths::file_name(&manager.path).unwrap_or_default().to_ascii_lowercase();
    let ending = [".exe", ".bat", ".cmd"].into_iter().find(|ending| file.ends_with(ending)).unwrap_or_default();
    file.strip_suffix(ending).unwrap_or(&file).to_owned()
}

/// The argument lists (without the program) that install these packages.
pub(crate) fn install(manager: &PackageManager, packages: &[String]) -> Vec<Vec<String>> {
    let dialect = dialect(manager);
    let environment = manager.environment.as_ref();
    let mut before: Vec<String> = Vec::new();
    for word in dialect.install {
        match (*word, environment) {
            ("{environment}", Some(environment)) => before.push(environment.to_string()),
            // Without one the manager takes its own, and the option that would name it goes too.
            ("{environment}", None) => drop(before.pop()),
            (word, _) => before.push(word.to_owned()),
        }
    }
    let size = if facts(manager.kind).one_by_one { 1 } else { packages.len().max(1) };
    let groups = packages.chunks(size).map(|group| {
        let besides = |package: &String| BESIDES.iter().find(|(known, _)| known == package).map(|(_, words)| *words);
        let after = dialect.after.iter().copied().chain(group.iter().filter_map(besides).flatten().copied());
        before.iter().cloned().chain(group.iter().cloned()).chain(after.map(str::to_owned)).collect()
    });
    groups.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds_and_every_program_has_words() {
        for (facts, kind) in MANAGERS.iter().zip(ManagerKind::ALL) {
            assert_eq!(facts.kind, kind);
            for program in facts.programs {
                assert!(DIALECTS.iter().any(|dialect| dialect.program == *program), "{program}");
            }
        }
    }
}
