//! What is installed: where each manager writes it down, read directly where that can be done.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Query, Runner, Status};

use super::{ManagerKind, PackageManager, Presence, apt, asked, dnf};
use crate::Probe;

const PATIENCE: Duration = Duration::from_secs(60);

/// How winget ends that has no such package installed (winget-cli, returnCodes.md: "No packages found").
const WINGET_HAS_NONE: Status = Status::Code(0x8A15_0014_u32.cast_signed());

/// Which of these packages are there right now, with their versions. Asked afresh: what was remembered may have been
/// before an installation that failed half way.
pub fn installed_now(
    manager: &PackageManager,
    packages: &[String],
    probe: &Probe,
    runner: &Runner<'_>,
) -> BTreeMap<String, Presence> {
    let looked: Vec<Presence> = match manager.kind {
        _ if packages.is_empty() => Vec::new(),
        ManagerKind::Apt => apt::look(packages, runner),
        ManagerKind::Dnf => dnf::look(packages, &|words| dnf::ask_rpm(words, runner)),
        ManagerKind::Winget => packages.iter().map(|id| winget(manager, id, runner)).collect(),
        ManagerKind::Apk | ManagerKind::Brew | ManagerKind::Choco | ManagerKind::Conda => {
            let all = on_disk(manager, &probe.root, &probe.env);
            let now = all.map(|installed| PackageManager { installed, ..manager.clone() });
            let look = |package: &String| now.as_ref().map(|now| asked::presence(now, package));
            packages.iter().map(|package| look(package).unwrap_or(Presence::NotKnown)).collect()
        }
    };
    packages.iter().cloned().zip(looked).collect()
}

/// Everything that a manager which keeps it in plain files has installed. `None` if there are no such files.
pub(super) fn on_disk(
    manager: &PackageManager,
    root: &Utf8Path,
    env: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let value = |name: &str| env.get(name).filter(|value| !value.is_empty()).map(Utf8PathBuf::from);
    // `/opt/homebrew/bin/brew`, `C:\ProgramData\chocolatey\bin\choco.exe`, `/opt/conda/bin/conda`
    let own = || manager.path.parent()?.parent().map(Utf8Path::to_owned);
    match manager.kind {
        ManagerKind::Apk => fs_err::read_to_string(root.join("lib/apk/db/installed")).ok().map(|text| apk(&text)),
        ManagerKind::Brew => {
            let cellar = value("HOMEBREW_CELLAR").or_else(|| Some(own()?.join("Cellar")))?;
            let kegs = folders(&cellar)?.into_iter().filter_map(|keg| brew(&cellar, keg));
            // Aliases, such as `python`, are links beside those of the formulae themselves, and casks are elsewhere.
            let opt = own().map(|prefix| prefix.join("opt")).unwrap_or_default();
            let links = folders(&opt).unwrap_or_default().into_iter().filter_map(|name| alias(&opt, name));
            let caskroom = own().map(|prefix| prefix.join("Caskroom")).unwrap_or_default();
            let casks = folders(&caskroom).unwrap_or_default();
            let casks = casks.into_iter().filter_map(|cask| brew(&caskroom, cask));
            Some(links.chain(casks).chain(kegs).collect())
        }
        ManagerKind::Choco => {
            let lib = value("ChocolateyInstall").or_else(own)?.join("lib");
            folders(&lib).map(|ids| ids.into_iter().filter_map(|id| choco(&lib, id)).collect())
        }
        ManagerKind::Conda => {
            let prefix = manager.environment.clone().filter(|place| place.join("conda-meta").is_dir());
            // For pixi the place is its manifest; the environment is the one that is active.
            let prefix = prefix.or_else(|| value("CONDA_PREFIX").filter(|_| manager.environment.is_some()));
            let meta = prefix.or_else(own)?.join("conda-meta");
            folders(&meta).map(|files| files.iter().filter_map(|file| conda(file)).collect())
        }
        ManagerKind::Apt | ManagerKind::Dnf | ManagerKind::Winget => None,
    }
}

/// The names in a folder; `None` if there is no such folder.
fn folders(folder: &Utf8Path) -> Option<Vec<String>> {
    let entries = folder.read_dir_utf8().ok()?;
    Some(entries.filter_map(Result::ok).map(|entry| entry.file_name().to_owned()).collect())
}

/// apk's database: one paragraph per package, `P:` its name, `V:` its version, `p:` what it provides besides
/// (`so:libz.so.1=1.3.1 pc:zlib=1.3.1 cmd:minigzip=1.3.1-r2`).
fn apk(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut provided = Vec::new();
    let (mut name, mut version) = ("", "");
    for line in text.lines() {
        if let Some(package) = line.strip_prefix("P:") {
            name = package;
        } else if let Some(of) = line.strip_prefix("V:").filter(|_| !name.is_empty()) {
            version = of;
            found.insert(name.to_owned(), version.to_owned());
        } else if let Some(names) = line.strip_prefix("p:").filter(|_| !name.is_empty()) {
            let names = names.split_whitespace().map(|one| one.split_once('=').unwrap_or((one, version)));
            provided.extend(names.map(|(one, version)| (one.to_owned(), version.to_owned())));
        }
    }
    for (name, version) in provided {
        found.entry(name).or_insert(version);
    }
    found
}

/// `Cellar/llvm@19/19.1.7`: the newest of its kegs.
fn brew(cellar: &Utf8Path, keg: String) -> Option<(String, String)> {
    let versions = folders(&cellar.join(&keg))?;
    let version = versions.into_iter().filter(|version| !version.starts_with('.')).max_by_key(|version| {
        version.split(['.', '_', '-']).map(|part| part.parse::<u64>().unwrap_or(0)).collect::<Vec<_>>()
    })?;
    Some((keg, version))
}

/// `opt/python` → `../Cellar/python@3.13/3.13.9`: the version is the folder that it leads to.
fn alias(opt: &Utf8Path, name: String) -> Option<(String, String)> {
    let keg = opt.join(&name).read_link_utf8().ok()?;
    Some((name, keg.file_name()?.to_owned()))
}

/// `lib\git\git.nuspec`, an XML whose `<metadata>` begins with `<id>` and `<version>`.
fn choco(lib: &Utf8Path, id: String) -> Option<(String, String)> {
    let text = fs_err::read_to_string(lib.join(&id).join(format!("{id}.nuspec"))).ok()?;
    let (_, rest) = text.split_once("<version>")?;
    let (version, _) = rest.split_once("</version>")?;
    Some((id, version.trim().to_owned()))
}

/// `conda-meta/llvmdev-19.1.7-hb7fb071_0.json`: name, version and build; a name may have dashes, the others have none.
fn conda(file: &str) -> Option<(String, String)> {
    let mut parts = file.strip_suffix(".json")?.rsplitn(3, '-');
    let (_build, version, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some((name.to_owned(), version.to_owned()))
}

/// winget keeps nothing that others may read. What it prints is a table whose words are in the user's language, but an
/// identifier is one word and the version the next.
fn winget(manager: &PackageManager, id: &str, runner: &Runner<'_>) -> Presence {
    let argv = [manager.path.as_str(), "list", "--exact", "--id", id];
    let argv = argv.into_iter().chain(["--accept-source-agreements", "--disable-interactivity"]);
    let Ok(said) = runner.capture(&Query::new(argv).timeout(PATIENCE)) else { return Presence::NotKnown };
    match winget_version(&said.stdout_text(), id) {
        Some(version) if said.status.success() => Presence::There(version),
        _ if said.status == WINGET_HAS_NONE => Presence::Missing,
        _ => Presence::NotKnown,
    }
}

fn winget_version(text: &str, id: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| !word.eq_ignore_ascii_case(id));
        words.next()?;
        words.next().map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alpines_database() {
        let text = "C:Q1abc=\nP:musl\nV:1.2.5-r9\nA:x86_64\n\nC:Q1def=\nP:llvm19-dev\nV:19.1.7-r2\nF:usr\nR:x\n";
        let found = apk(text);
        assert_eq!(found["musl"], "1.2.5-r9");
        assert_eq!(found["llvm19-dev"], "19.1.7-r2");
        assert!(apk("V:1").is_empty());
        let found =
            apk("P:zlib-dev\nV:1.3.1-r2\np:pc:zlib=1.3.1 cmd:x zlib=9\n\nP:zlib\nV:1.3.1-r2\np:so:libz.so.1=1.3.1\n");
        let found: Vec<_> = found.iter().map(|(name, version)| format!("{name} {version}")).collect();
        assert_eq!(
            found,
            ["cmd:x 1.3.1-r2", "pc:zlib 1.3.1", "so:libz.so.1 1.3.1", "zlib 1.3.1-r2", "zlib-dev 1.3.1-r2"]
        );
    }

    #[test]
    fn conda_meta() {
        for (file, expected) in [
            ("llvmdev-19.1.7-hb7fb071_0.json", Some(("llvmdev", "19.1.7"))),
            ("cxx-compiler-1.10.0-h1a2810e_0.json", Some(("cxx-compiler", "1.10.0"))),
            ("python-3.13.9-h2b335a9_100_cp313.json", Some(("python", "3.13.9"))),
            ("history", None),
            ("state.json", None),
        ] {
            let expected = expected.map(|(name, version)| (name.to_owned(), version.to_owned()));
            assert_eq!(conda(file), expected, "{file}");
        }
    }

    #[test]
    fn what_winget_prints() {
        let text = "Name              Id                 Version Available Source\r\n\
                    -------------------------------------------------------------\r\n\
                    Python 3.13.1 (64-bit) Python.Python.3.13 3.13.1  3.13.9    winget\r\n";
        assert_eq!(winget_version(text, "Python.Python.3.13").as_deref(), Some("3.13.1"));
        assert_eq!(winget_version("No installed package found matching input criteria.\r\n", "Git.Git"), None);
    }
}
