//! Compilers that are more, or less, than a program on PATH: Visual Studio's is on none, and build systems find it through vswhere;
//! Apple's programs in `/usr/bin` are there without being able to do anything.

use std::{collections::BTreeMap, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Naming, Query, Runner};
use platform::{Arch, Os, paths};

use crate::environment::Environment;

const PATIENCE: Duration = Duration::from_secs(10);

/// Where the installer of every Visual Studio since 2017 puts vswhere, below `%ProgramFiles(x86)%` (microsoft/vswhere, "Installing").
const VSWHERE: &str = "Microsoft Visual Studio/Installer/vswhere.exe";

/// Programs in macOS' `/usr/bin` that only start those of Apple's developer tools, and offer to install them where there are none
/// (xcode-select(1), FILES).
const SHIMS: &[&str] = &["c++", "cc", "clang", "clang++", "g++", "gcc", "git", "install_name_tool", "ld", "make"];

/// The Visual Studios (Build Tools too) with a C++ compiler for this processor, as vswhere lists them. `None` on other systems and
/// if vswhere does not answer; without it there are none.
pub(crate) fn visual_studios(
    os: Os,
    arch: Arch,
    root: &Utf8Path,
    env: &Environment<'_>,
    runner: &Runner<'_>,
) -> Option<Vec<Utf8PathBuf>> {
    if os != Os::Windows {
        return None;
    }
    let folder = env.folder("ProgramFiles(x86)").unwrap_or_else(|| paths::join(root, "Program Files (x86)"));
    let vswhere = paths::join(&folder, VSWHERE);
    if !vswhere.is_file() {
        return Some(Vec::new());
    }
    let component = match arch {
        Arch::Arm64 => "Microsoft.VisualStudio.Component.VC.Tools.ARM64",
        _ => "Microsoft.VisualStudio.Component.VC.Tools.x86.x64",
    };
    // `*` is every product: the Build Tools are not among those that are listed without it.
    let argv = [vswhere.as_str(), "-products", "*", "-requires", component, "-property", "installationPath"];
    let said = runner.capture(&Query::new(argv).timeout(PATIENCE).limit(1 << 20)).ok()?;
    let text = said.status.success().then(|| said.stdout_text().into_owned())?;
    Some(text.lines().map(str::trim).filter(|line| !line.is_empty()).map(Utf8PathBuf::from).collect())
}

/// Whether Apple's developer tools, of this folder, have a compiler: the Command Line Tools have it among their programs, Xcode in
/// its toolchain.
pub(crate) fn has_apples(developer_folder: Option<&Utf8Path>) -> bool {
    const CLANG: [&str; 2] = ["usr/bin/clang", "Toolchains/XcodeDefault.xctoolchain/usr/bin/clang"];
    developer_folder.is_some_and(|folder| CLANG.iter().any(|clang| folder.join(clang).is_file()))
}

/// Takes what would only offer to install Apple's tools from the programs that were found, or puts in its place what lies behind it
/// in PATH.
pub(crate) fn without_shims(
    tools: &mut BTreeMap<String, Utf8PathBuf>,
    root: &Utf8Path,
    path: &[Utf8PathBuf],
    naming: &Naming,
) {
    let shims = root.join("usr/bin");
    let others: Vec<Utf8PathBuf> = path.iter().filter(|folder| **folder != shims).cloned().collect();
    let others = paths::join_list(Os::MacOs, &others);
    for name in SHIMS {
        if tools.get(*name).is_some_and(|program| program.parent() == Some(&shims)) {
            match exec::find_program(name, &others, root, naming) {
                Ok(program) => tools.insert((*name).to_owned(), program),
                Err(_) => tools.remove(*name),
            };
        }
    }
}
