//! Needs and the facts of a manager → command lines, as golden texts.

use super::*;

fn manager(kind: ManagerKind) -> PackageManager {
    PackageManager {
        kind,
        path: format!("/usr/bin/{}", dialect::facts(kind).programs[0]).into(),
        environment: None,
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
fn a_version_that_is_asked_for_is_compared() {
    for (kind, there, package, expected) in [
        (ManagerKind::Conda, ("llvmdev", "19.1.7"), "llvmdev=19", Some("19.1.7")),
        (ManagerKind::Conda, ("llvmdev", "20.1.8"), "llvmdev=19", None),
        (ManagerKind::Conda, ("python", "3.1.3"), "python=3.13", None),
        (ManagerKind::Conda, ("git", "2.47.0"), "git", Some("2.47.0")),
        (ManagerKind::Brew, ("llvm", "22.1.8_1"), "llvm@22", Some("22.1.8_1")),
        (ManagerKind::Brew, ("llvm", "22.1.8"), "llvm@2", None),
        (ManagerKind::Brew, ("llvm", "22.1.8"), "llvm@21", None),
        (ManagerKind::Brew, ("llvm@21", "21.1.8"), "llvm@21", Some("21.1.8")),
        (ManagerKind::Apt, ("llvm", "19"), "llvm@19", None),
    ] {
        let mut manager = manager(kind);
        manager.installed.insert(there.0.to_owned(), there.1.to_owned());
        let version = match asked::presence(&manager, package) {
            Presence::There(version) => Some(version),
            Presence::Missing | Presence::NotKnown => None,
        };
        assert_eq!(version.as_deref(), expected, "{kind} {package}");
    }
}

#[test]
fn dnf_calls_llvm_as_its_repositories_do() {
    let mut dnf = manager(ManagerKind::Dnf);
    let packages = |dnf: &PackageManager, linkage| {
        let found = installation(&[llvm(19, linkage)], dnf, true);
        found.unknown.iter().map(ToString::to_string).chain(found.packages).collect::<Vec<_>>()
    };
    let candidate =
        |version: &str, package: &str| LlvmCandidate { version: version.parse().unwrap(), package: package.to_owned() };
    dnf.llvm = vec![candidate("19.1.7", "llvm19-devel"), candidate("21.1.4", "llvm-devel")];
    assert_eq!(packages(&dnf, Linkage::Shared), ["llvm19-devel"]);
    assert_eq!(packages(&dnf, Linkage::Static), ["llvm19-devel", "llvm19-static"]);
    dnf.llvm = vec![candidate("17.0.6", "llvm17-devel"), candidate("21.1.4", "llvm-devel")];
    assert_eq!(packages(&dnf, Linkage::Shared), ["LLVM 19 (shared): its repositories have LLVM 17, 21"]);
    dnf.llvm.clear();
    assert_eq!(packages(&dnf, Linkage::Static), ["llvm-devel", "llvm-static"]);
}

#[test]
fn managers_that_were_not_asked_offer_what_they_are_known_to_have() {
    let newest = |kind, range: &str| {
        let mut manager = manager(kind);
        manager.llvm.clear();
        manager.newest_llvm(&range.parse().unwrap()).map(|candidate| candidate.package)
    };
    for (kind, range, expected) in [
        (ManagerKind::Conda, ">=14", Some("llvmdev=23")),
        (ManagerKind::Conda, ">=15,<20", Some("llvmdev=19")),
        // A patch release is not known, but that the series may have it is.
        (ManagerKind::Conda, "19.1.7", Some("llvmdev=19")),
        (ManagerKind::Conda, ">=24", None),
        (ManagerKind::Brew, "19", Some("llvm@19")),
        (ManagerKind::Brew, "14", None),
        // No formula of that name is known, but one that is whatever is the newest.
        (ManagerKind::Brew, ">=24", Some("llvm")),
        (ManagerKind::Brew, ">=14,!=23", Some("llvm@22")),
        (ManagerKind::Brew, "24", None),
        (ManagerKind::Brew, ">=24,<25", None),
        (ManagerKind::Choco, "19", None),
        (ManagerKind::Winget, "19", None),
        (ManagerKind::Dnf, "19", None),
        (ManagerKind::Apt, "19", None),
    ] {
        assert_eq!(newest(kind, range).as_deref(), expected, "{kind} {range}");
    }
}

#[test]
fn who_may_not_install_is_told_what_to_do() {
    let refusal = |manager: &PackageManager, root| installation(&[Need::Git], manager, root).refusal(manager);
    let (reason, remedy) = refusal(&manager(ManagerKind::Apt), false).unwrap();
    assert_eq!(reason, "installing packages needs root, and there is no sudo here");
    assert_eq!(remedy, "as root: /usr/bin/apt-get install -y --no-install-recommends git");
    let (reason, remedy) = refusal(&manager(ManagerKind::Brew), true).unwrap();
    assert_eq!(reason, "brew refuses to be run by root");
    assert_eq!(remedy, "as the user whose brew it is: /usr/bin/brew install git");
    let mut choco = manager(ManagerKind::Choco);
    choco.path = r"C:\ProgramData\chocolatey\bin\choco.exe".into();
    choco.sudo = Some(r"C:\Windows\System32\sudo.exe".into());
    let (reason, remedy) = refusal(&choco, false).unwrap();
    assert_eq!(reason, "choco needs a console that was started as administrator");
    assert_eq!(
        remedy,
        r"in one: C:\ProgramData\chocolatey\bin\choco.exe install -y --no-progress --ignore-package-exit-codes git"
    );
    assert_eq!(refusal(&choco, true), None);
    assert_eq!(refusal(&manager(ManagerKind::Brew), false), None);
    assert_eq!(refusal(&manager(ManagerKind::Conda), true), None);
}

#[test]
fn what_windows_people_paste_is_for_powershell() {
    let mut winget = manager(ManagerKind::Winget);
    winget.path = r"C:\Users\A User\AppData\Local\Microsoft\WindowsApps\winget.exe".into();
    let found = installation(&[Need::CxxCompiler, Need::Git], &winget, false);
    let line = found.shell_line();
    let program = r"& 'C:\Users\A User\AppData\Local\Microsoft\WindowsApps\winget.exe' install --exact --id";
    assert!(line.starts_with(&format!("{program} Git.Git --source winget ")), "{line}");
    assert!(line.contains(&format!(" --silent; {program} Microsoft.VisualStudio.2022.BuildTools ")), "{line}");
    assert!(line.ends_with(" --override '--quiet --wait --norestart --nocache --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended'"), "{line}");
    assert_eq!(found.commands.len(), 2, "one command a package");
}

#[test]
fn what_is_there_in_vain() {
    let winget = manager(ManagerKind::Winget);
    let tools = installation(&[Need::CxxCompiler], &winget, false).packages;
    assert!(in_vain(&winget, &tools).unwrap().contains("Desktop development with C++"));
    assert_eq!(in_vain(&manager(ManagerKind::Apt), &["g++".to_owned()]), None);
}

#[test]
fn winget_says_by_its_exit_code_that_a_package_is_there() {
    // As PowerShell shows them.
    assert_eq!(dialect::facts(ManagerKind::Winget).done, [-1_978_335_189, -1_978_335_135]);
    assert!(dialect::MANAGERS.iter().all(|facts| facts.kind == ManagerKind::Winget || facts.done.is_empty()));
}

#[test]
fn the_newest_llvm_within_the_range() {
    let apt = manager(ManagerKind::Apt);
    for (range, package) in
        [("", Some("llvm-22-dev")), (">=14,<22", Some("llvm-19-dev")), ("14", Some("llvm-14-dev")), (">22", None)]
    {
        let found = apt.newest_llvm(&range.parse().unwrap()).map(|candidate| candidate.package);
        assert_eq!(found.as_deref(), package, "{range}");
    }
}

#[test]
fn where_else_a_package_is() {
    for (kind, package, said) in [
        (ManagerKind::Dnf, "llvm-static", Some("`llvm-static`: on RHEL and its likes it is in CRB")),
        (ManagerKind::Dnf, "patchelf", Some("`patchelf`: on RHEL and its likes it is in EPEL")),
        (ManagerKind::Dnf, "git", None),
        (ManagerKind::Apt, "llvm-25-dev", Some("`llvm-25-dev`: other releases of LLVM")),
        (ManagerKind::Apt, "python3.13-venv", Some("`python3.13-venv`: a Debian or Ubuntu has one Python")),
        (ManagerKind::Winget, "Python.Python.3.99", Some("`Python.Python.3.99`: `winget search")),
        (ManagerKind::Conda, "git", None),
    ] {
        let found = elsewhere(&manager(kind), &["nothing-known", package]);
        assert_eq!(found.is_some(), said.is_some(), "{kind} {package}");
        assert!(found.unwrap_or_default().starts_with(said.unwrap_or_default()), "{kind} {package}");
    }
}
