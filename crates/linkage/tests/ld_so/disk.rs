//! This machine's files as a view, and its loader's facts, for tests against the real loader.

use camino::{Utf8Path, Utf8PathBuf};
use objfile::{Architecture, File};
use std::collections::HashMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use wheelproof_linkage::{Binding, Closure, Glibc, Image, Loader, Machine, Nothing, Opened, Opening, Resolution, Tree};

/// What we say about a situation.
pub(crate) struct Verdict {
    pub(crate) loads: bool,
    /// All sentences.
    pub(crate) said: String,
    /// What the probed symbol is bound to.
    pub(crate) probed: Option<String>,
}

/// This machine.
pub(crate) struct Host {
    architecture: Architecture,
    folders: Vec<Utf8PathBuf>,
    hwcaps: Vec<String>,
    glibc: (u16, u16),
}

impl Host {
    /// `None` (and a line that says so) where there is no glibc or no gcc.
    pub(crate) fn find() -> Option<Self> {
        let skip = |why: &str| {
            println!("skipped: {why}");
            None
        };
        let run = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        };
        if run("gcc", &["--version"]).is_none() {
            return skip("there is no gcc");
        }
        let Some(version) = run("getconf", &["GNU_LIBC_VERSION"]) else { return skip("the C library is not glibc") };
        let numbers = version.trim().rsplit(' ').next().and_then(|text| text.split_once('.'));
        let (major, minor) = numbers?;
        let glibc = (major.parse().ok()?, minor.parse().ok()?);
        let multiarch = run("gcc", &["-print-multiarch"]).unwrap_or_default();
        let multiarch = multiarch.trim();
        let folders = ["/lib/", "/usr/lib/"].iter().map(|base| format!("{base}{multiarch}").into());
        let folders = folders.chain(["/lib64", "/usr/lib64", "/lib", "/usr/lib"].map(Into::into)).collect();
        let help = run("/lib64/ld-linux-x86-64.so.2", &["--help"]).unwrap_or_default();
        let searched = help.lines().filter(|line| line.contains("(supported, searched)"));
        let hwcaps = searched.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect();
        let architecture = match std::env::consts::ARCH {
            "x86_64" => Architecture::X86_64,
            "aarch64" => Architecture::Aarch64,
            _ => return skip("the processor is neither x86-64 nor arm64"),
        };
        Some(Self { architecture, folders, hwcaps, glibc })
    }

    /// The folders that the loader searches by default, not all of which exist.
    pub(crate) fn folders(&self) -> &[Utf8PathBuf] {
        &self.folders
    }

    /// Judges these openings; all libraries below `package` are the package's.
    pub(crate) fn judge(
        &self,
        package: &Utf8Path,
        openings: &[Opening],
        library_path: &[Utf8PathBuf],
        probe: Option<&str>,
    ) -> Verdict {
        let mut tree = Tree::new();
        add_all(&mut tree, package, &mut HashMap::new());
        let known = Mutex::new(HashMap::new());
        tree.on_demand(Box::new(move |path| open(path, &known)));
        let mut loader = Glibc::new(self.architecture);
        loader.system.clone_from(&self.folders);
        loader.hwcaps.clone_from(&self.hwcaps);
        loader.library_path = library_path.to_vec();
        loader.oldest = Some(self.glibc);
        let loader = Loader::Glibc(loader);
        let closure = wheelproof_linkage::closure(openings, &tree, &loader, &Nothing);
        let resolution = wheelproof_linkage::resolve(&closure, &tree, &loader, &Nothing);
        let mut machine = Machine::new(self.architecture);
        machine.glibc = Some((self.glibc, self.glibc));
        let level = |cap: &String| cap.strip_prefix("x86-64-v").and_then(|level| level.parse().ok());
        machine.isa_level = self.hwcaps.iter().filter_map(level).max().unwrap_or(1);
        let said = sentences(&closure, &resolution, &machine);
        let probed = probe.and_then(|name| probed(&closure, &resolution, name));
        Verdict { loads: said.is_empty(), said: said.join("\n        "), probed }
    }
}

/// Everything that keeps a closure from loading.
pub(crate) fn sentences(closure: &Closure, resolution: &Resolution, machine: &Machine) -> Vec<String> {
    let refused = closure.openings.iter().filter_map(|(opening, root)| {
        root.as_ref().err().map(|missing| format!("`{}` {}", opening.path, missing.why()))
    });
    refused
        .chain(closure.missing().map(|(edge, _)| closure.sentence(edge)))
        .chain(resolution.fatal(closure).map(|unresolved| resolution.sentence(closure, unresolved)))
        .chain(resolution.versions.iter().filter(|fault| fault.is_fatal()).map(ToString::to_string))
        .chain(wheelproof_linkage::refusals(closure, machine).iter().map(ToString::to_string))
        .collect()
}

fn probed(closure: &Closure, resolution: &Resolution, name: &str) -> Option<String> {
    let (_, root) = closure.openings.last()?;
    let root = *root.as_ref().ok()?;
    let import = closure.image(root)?.imports().position(|import| import.name == name)?;
    match resolution.binding(root, import as u32)? {
        Binding::Export { member, .. } => Some(closure.name(member).to_owned()),
        other => Some(format!("{other:?}")),
    }
}

fn add_all(tree: &mut Tree, folder: &Utf8Path, known: &mut HashMap<Utf8PathBuf, Arc<Image>>) {
    for entry in folder.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            add_all(tree, &path, known);
            continue;
        }
        let real = path.canonicalize_utf8().unwrap();
        if let Some(image) = known.get(&real) {
            tree.link(&path, image);
            continue;
        }
        let bytes = fs_err::read(&path).unwrap();
        match objfile::parse(&bytes) {
            Ok(File::Object(object)) => {
                let image = tree.add(Image::from_object(path, &object));
                known.insert(real, image);
            }
            Ok(_) => tree.unusable(path, "it is no shared library"),
            Err(error) => tree.unusable(path, error.to_string()),
        }
    }
}

fn open(path: &Utf8Path, known: &Mutex<HashMap<Utf8PathBuf, Arc<Image>>>) -> Opened {
    let Ok(real) = path.canonicalize_utf8() else { return Opened::Absent };
    if !real.is_file() {
        return Opened::Absent;
    }
    if let Some(image) = known.lock().unwrap().get(&real) {
        return Opened::Images(vec![Arc::clone(image)]);
    }
    let bytes = fs_err::read(path).unwrap();
    match objfile::parse(&bytes) {
        Ok(File::Object(object)) => {
            let image = Arc::new(Image::from_object(path, &object));
            known.lock().unwrap().insert(real, Arc::clone(&image));
            Opened::Images(vec![image])
        }
        Ok(_) => Opened::Unusable("it is no shared library".into()),
        Err(error) => Opened::Unusable(error.to_string()),
    }
}
