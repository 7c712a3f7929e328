//! Needs and the facts of a manager → command lines, as golden texts.

use super::*;

fn manager(kind: ManagerKind) -> PackageManager {
    PackageManager {
        kind,
        path: Utf8PathBuf::from("/usr/bin").join(table::facts(kind).programs[0]),
        lists_empty: false,
        installed: BTreeMap::new(),
        llvm: [("14.0.6", "llvm-14-dev"), ("19.1.7", "llvm-19-dev"), ("22.1.8", "llvm-22-dev")]
            .map(|(version, package)| LlvmCandidate { version: version.parse().unwrap(), package: package.to_owned() })
            .to_vec(),
        pythons: vec!["3.11".to_owned()],
        sudo: None,
    }
}

fn llvm(major: u32, linkage: Linkage) -> Need {
    Need::Llvm { major, linkage }
}

#[test]
fn apt_as_root() {
    let needs = [
        llvm(19, Linkage::Shared),
        Need::CxxCompiler,
        Need::PythonVenv("3.11".to_owned()),
        Need::PythonHeaders("3.11".to_owned()),
        Need::CmakePackage("zstd".to_owned()),
        Need::Package("libopenblas-dev".to_owned()),
        Need::CxxCompiler,
    ];
    let found = installation(&needs, &manager(ManagerKind::Apt), true);
    assert_eq!(
        found.commands[0].argv.join(" "),
        "/usr/bin/apt-get install -y --no-install-recommends g++ libopenblas-dev libzstd-dev llvm-19-dev make \
         python3.11-dev python3.11-venv"
    );
    assert_eq!(found.commands[0].env["DEBIAN_FRONTEND"], "noninteractive");
    assert_eq!((found.rights, found.unknown.len(), found.commands.len()), (Rights::Sufficient, 0, 1));
}

#[test]
fn what_is_installed_is_left_out() {
    let mut apt = manager(ManagerKind::Apt);
    apt.installed.extend([("g++".to_owned(), "4:12.2.0-3".to_owned()), ("make".to_owned(), "4.3".to_owned())]);
    let found = installation(&[Need::CxxCompiler, Need::Git], &apt, true);
    assert_eq!(found.packages, ["git"]);
    let nothing = installation(&[Need::CxxCompiler], &apt, true);
    assert_eq!((nothing.packages.len(), nothing.commands.len()), (0, 0));
}

#[test]
fn rights() {
    let mut apt = manager(ManagerKind::Apt);
    let without = installation(&[Need::Git], &apt, false);
    assert_eq!(without.rights, Rights::Missing);
    assert_eq!(without.shell_line(), "/usr/bin/apt-get install -y --no-install-recommends git");
    apt.sudo = Some(Utf8PathBuf::from("/usr/bin/sudo"));
    let with = installation(&[Need::Git], &apt, false);
    assert_eq!(with.rights, Rights::BySudo);
    assert_eq!(
        with.commands[0].argv.join(" "),
        "/usr/bin/sudo env DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get install -y --no-install-recommends git"
    );
    assert_eq!(with.shell_line(), "/usr/bin/sudo /usr/bin/apt-get install -y --no-install-recommends git");
    assert!(with.commands[0].env.is_empty());
}

#[test]
fn empty_lists_are_fetched_first() {
    let mut apt = manager(ManagerKind::Apt);
    apt.lists_empty = true;
    assert_eq!(
        installation(&[Need::Git], &apt, true).shell_line(),
        "/usr/bin/apt-get update && /usr/bin/apt-get install -y --no-install-recommends git"
    );
    assert!(installation(&[], &apt, true).commands.is_empty());
}

#[test]
fn every_manager_in_its_own_words() {
    let needs =
        [Need::CxxCompiler, llvm(19, Linkage::Static), Need::PythonHeaders("3.12".to_owned()), Need::Bubblewrap];
    for (kind, expected, unknown) in [
        (
            ManagerKind::Apt,
            "/usr/bin/apt-get install -y --no-install-recommends bubblewrap g++ llvm-19-dev make python3.12-dev",
            0,
        ),
        (
            ManagerKind::Dnf,
            "/usr/bin/dnf install -y bubblewrap gcc-c++ llvm-devel llvm-static make python3.12-devel",
            0,
        ),
        (ManagerKind::Apk, "/usr/bin/apk add bubblewrap g++ llvm19-dev llvm19-static make python3-dev", 0),
        (ManagerKind::Brew, "/usr/bin/brew install llvm@19", 1),
        (ManagerKind::Choco, "/usr/bin/choco install -y visualstudio2022-workload-vctools", 2),
        (ManagerKind::Conda, "/usr/bin/micromamba install -y -c conda-forge cxx-compiler llvmdev=19 make", 1),
    ] {
        let found = installation(&needs, &manager(kind), true);
        assert_eq!(found.shell_line(), expected, "{kind}");
        assert_eq!(found.unknown.len(), unknown, "{kind}");
    }
}

#[test]
fn the_table_is_in_the_order_of_the_kinds() {
    for (facts, kind) in MANAGERS.iter().zip(ManagerKind::ALL) {
        assert_eq!(facts.kind, kind);
    }
}

#[test]
fn the_newest_llvm_within_the_range() {
    let apt = manager(ManagerKind::Apt);
    for (range, package) in
        [("", Some("llvm-22-dev")), (">=14,<22", Some("llvm-19-dev")), ("14", Some("llvm-14-dev")), (">22", None)]
    {
        let found = apt.newest_llvm(&range.parse().unwrap()).map(|candidate| candidate.package.as_str());
        assert_eq!(found, package, "{range}");
    }
}
