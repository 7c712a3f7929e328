//! Every manager × every need × every kind of rights → the argument lists, as one golden file that can be read line by
//! line. `WHEELPROOF_BLESS=1` writes it anew.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use camino::Utf8PathBuf;
use llvm::Linkage;
use wheelproof_host::packages::{Installation, ManagerKind, Need, PackageManager, installation, update};

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/provision.txt");

/// Title, kind, program, environment.
const MANAGERS: &[(&str, ManagerKind, &str, Option<&str>)] = &[
    ("Debian and Ubuntu", ManagerKind::Apt, "/usr/bin/apt-get", None),
    ("Fedora, RHEL, manylinux", ManagerKind::Dnf, "/usr/bin/dnf", None),
    ("minimal RHEL", ManagerKind::Dnf, "/usr/bin/microdnf", None),
    ("Alpine, musllinux", ManagerKind::Apk, "/sbin/apk", None),
    ("macOS", ManagerKind::Brew, "/opt/homebrew/bin/brew", None),
    ("Linux with Homebrew", ManagerKind::Brew, "/home/linuxbrew/.linuxbrew/bin/brew", None),
    ("Windows", ManagerKind::Winget, r"C:\Users\me\AppData\Local\Microsoft\WindowsApps\winget.exe", None),
    ("Windows", ManagerKind::Choco, r"C:\ProgramData\chocolatey\bin\choco.exe", None),
    ("conda environment", ManagerKind::Conda, "/opt/conda/bin/conda", Some("/opt/conda/envs/jit")),
    ("conda without environment", ManagerKind::Conda, "/opt/conda/bin/conda", None),
    ("mamba environment", ManagerKind::Conda, "/opt/conda/bin/mamba", Some("/opt/conda/envs/jit")),
    ("micromamba environment", ManagerKind::Conda, "/usr/local/bin/micromamba", Some("/root/micromamba/envs/jit")),
    ("pixi environment", ManagerKind::Conda, "/root/.pixi/bin/pixi", Some("/src/pixi.toml")),
    (
        "conda environment on Windows",
        ManagerKind::Conda,
        r"C:\Miniconda\condabin\conda.bat",
        Some(r"C:\Miniconda\envs\jit"),
    ),
];

fn needs() -> Vec<Need> {
    let cmake = ["FFI", "Terminfo", "LibEdit", "ZLIB", "zstd", "LibXml2", "CURL", "Z3", "httplib", "Nothing"];
    let series = || "3.13".to_owned();
    let mut needs = vec![
        Need::CxxCompiler,
        Need::Git,
        Need::Bubblewrap,
        Need::Patchelf,
        Need::Python(series()),
        Need::PythonVenv(series()),
        Need::PythonHeaders(series()),
        Need::Llvm { major: 19, linkage: Linkage::Shared },
        Need::Llvm { major: 19, linkage: Linkage::Static },
        Need::Package("libopenblas-dev".to_owned()),
    ];
    needs.extend(cmake.map(|name| Need::CmakePackage(name.to_owned())));
    needs
}

fn described(found: &Installation) -> String {
    if let Some(unknown) = found.unknown.first() {
        return format!("not to be had: {}", unknown.why.as_deref().unwrap_or("no reason is known"));
    }
    let commands: Vec<String> = found.commands.iter().map(|command| format!("{:?}", command.argv)).collect();
    if commands.is_empty() { "nothing has to be installed".to_owned() } else { commands.join(" and ") }
}

#[test]
fn every_manager_every_need() {
    let mut text = String::from("Written by crates/host/tests/packages.rs; WHEELPROOF_BLESS=1 writes it anew.\n");
    for (title, kind, path, environment) in MANAGERS {
        let manager = PackageManager {
            kind: *kind,
            path: Utf8PathBuf::from(*path),
            environment: environment.map(Utf8PathBuf::from),
            lists_empty: false,
            installed: BTreeMap::new(),
            llvm: Vec::new(),
            pythons: Vec::new(),
            sudo: None,
        };
        writeln!(text, "\n== {kind}: {title}").unwrap();
        for need in needs() {
            let found = installation(std::slice::from_ref(&need), &manager, kind != &ManagerKind::Brew);
            let name = match &need {
                Need::CmakePackage(name) => format!("CMake's {name}"),
                other => other.to_string(),
            };
            writeln!(text, "{name:<24} {}", described(&found)).unwrap();
        }
        let with_sudo = PackageManager { sudo: Some("/usr/bin/sudo".into()), lists_empty: true, ..manager.clone() };
        for (who, manager, is_root) in
            [("root", &manager, true), ("user", &manager, false), ("user with sudo", &with_sudo, false)]
        {
            let found = installation(&[Need::Git], manager, is_root);
            let command = found.commands.last().unwrap();
            let refused = found.refusal(manager).map_or(String::new(), |(reason, _)| format!("; not run: {reason}"));
            writeln!(text, "  git by {who:<15} {:?} {:?}{refused}", command.argv, command.env).unwrap();
        }
        let lists: Vec<_> = update(&manager, true).into_iter().map(|command| command.argv).collect();
        writeln!(text, "  lists                 {lists:?}").unwrap();
        writeln!(text, "  all at once           {}", installation(&needs(), &manager, false).shell_line()).unwrap();
    }
    if std::env::var_os("WHEELPROOF_BLESS").is_some() {
        fs_err::write(GOLDEN, &text).unwrap();
    }
    let golden = fs_err::read_to_string(GOLDEN).unwrap_or_default();
    for (line, expected) in text.lines().zip(golden.lines()) {
        assert_eq!(line, expected);
    }
    assert_eq!(text.lines().count(), golden.lines().count());
}
