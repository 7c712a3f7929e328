//! What all stories need: tools, wheels made of files, a request, what came out.

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use host::World;
use host::toolenv::ToolEnvironment;
use platform::{Os, TargetPlatform};
use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, OnceLock};
use tempfile::TempDir;
use wheelproof_repair::{RepairError, Repaired, Request};

pub(crate) const EPOCH: u64 = 1_700_000_000;

/// Prints why a test does nothing, and ends it.
#[macro_export]
macro_rules! skip {
    ($($reason:tt)*) => {{
        println!("skipped: {}", format_args!($($reason)*));
        return;
    }};
}

/// What is there, or the end of the test with the reason why it is not.
#[macro_export]
macro_rules! or_skip {
    ($what:expr) => {
        match $what {
            Ok(it) => it,
            Err(why) => $crate::skip!("{why}"),
        }
    };
}

pub(crate) fn is_real() -> bool {
    std::env::var_os("WHEELPROOF_REAL").is_some_and(|value| value == "1")
}

pub(crate) fn repository() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize_utf8().unwrap()
}

/// A small binary of tests/fixtures/repair.
pub(crate) fn fixture(path: &str) -> Vec<u8> {
    fs_err::read(repository().join("tests/fixtures/repair").join(path)).unwrap()
}

pub(crate) fn shims() -> Utf8PathBuf {
    repository().join("tests/shims")
}

/// Where what is costly to make is kept between runs.
fn kept() -> Utf8PathBuf {
    Utf8PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("repairing")
}

pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let cancel = Cancel::new();
        host::probe(&host::Probe::of_this_process(Some(kept().join("cache"))), &Runner::new(&Silent, &cancel))
    })
}

/// An environment from a text of requirements: one that was made before, or with `WHEELPROOF_REAL=1` one made now.
pub(crate) fn environment(purpose: &str, requirements: &str) -> Option<ToolEnvironment> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _guard = MAKING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let usable = |i: &&host::Interpreter| i.has_venv && !i.python.free_threaded && i.implementation == "cpython";
    let oldest = platform::PythonVersion::new(3, 10);
    let base = world().interpreters.iter().filter(usable).filter(|i| i.python >= oldest).max_by_key(|i| i.python)?;
    let made = ToolEnvironment::new(&kept(), purpose, base, requirements, cfg!(windows));
    if !made.is_complete() {
        if !is_real() {
            return None;
        }
        let cancel = Cancel::new();
        let steps = made.steps(&kept().join("logs"));
        made.ensure(&steps, &Runner::new(&Silent, &cancel)).unwrap();
    }
    Some(made)
}

/// The repair tool of a system, pinned as the program pins it.
pub(crate) fn tools(os: Os) -> Option<ToolEnvironment> {
    let lock = match os {
        Os::Linux => include_str!("../../../../ci/lock/repair-linux.txt"),
        Os::MacOs => include_str!("../../../../ci/lock/repair-macos.txt"),
        Os::Windows => include_str!("../../../../ci/lock/repair-windows.txt"),
    };
    environment(&format!("repair-{os}"), lock)
}

/// A folder of its own, and everything in it.
pub(crate) struct Bench {
    pub(crate) dir: Utf8PathBuf,
    _temp: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let dir = Utf8Path::from_path(temp.path()).unwrap().canonicalize_utf8().unwrap();
        Self { dir, _temp: temp }
    }

    /// A folder that is there.
    pub(crate) fn folder(&self, name: &str) -> Utf8PathBuf {
        let dir = self.dir.join(name);
        fs_err::create_dir_all(&dir).unwrap();
        dir
    }

    /// A library folder with these files.
    pub(crate) fn libraries(&self, files: &[(&str, Vec<u8>)]) -> Utf8PathBuf {
        let dir = self.folder("libraries");
        for (name, bytes) in files {
            fs_err::write(dir.join(name), bytes).unwrap();
        }
        dir
    }

    /// A wheel of these files; METADATA, WHEEL and RECORD are added.
    pub(crate) fn wheel(&self, name: &str, files: &[(&str, Vec<u8>)]) -> Utf8PathBuf {
        self.wheel_with(name, "Root-Is-Purelib: false", files)
    }

    pub(crate) fn wheel_with(&self, name: &str, purelib: &str, files: &[(&str, Vec<u8>)]) -> Utf8PathBuf {
        let parsed: platform::WheelName = name.parse().unwrap();
        let tree = self.folder("tree").join(name);
        let info = format!("{}-{}.dist-info", parsed.distribution.escaped(), parsed.version);
        let tags: String =
            parsed.tags.expand().map(|tag| format!("Tag: {}-{}-{}\n", tag.python, tag.abi, tag.platform)).collect();
        let own = [
            (format!("{info}/METADATA"), b"Metadata-Version: 2.1\nName: pkg\nVersion: 1.0\n".to_vec()),
            (format!("{info}/WHEEL"), format!("Wheel-Version: 1.0\nGenerator: bench\n{purelib}\n{tags}").into_bytes()),
        ];
        let given = files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.clone()));
        for (path, bytes) in given.chain(own) {
            let path = tree.join(path);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, &bytes).unwrap();
            #[cfg(unix)]
            if bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"#!") {
                fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
            }
        }
        let out = self.folder("built").join(name);
        let options = wheel::WriteOptions { epoch: EPOCH, ..wheel::WriteOptions::default() };
        wheel::pack_dir(&tree, &out, &options).unwrap();
        out
    }

    pub(crate) fn request(&self, target: &str, platform: &str, tools: ToolEnvironment) -> Request {
        let target: platform::TargetKey = target.parse().unwrap();
        let mut options = wheelproof_repair::Options::default();
        if target.os == Os::MacOs && !cfg!(target_os = "macos") {
            options.program_dirs.push(shims());
        }
        options.expected_llvm = wheelproof_repair::ExpectedLlvm::AsNeeded;
        Request {
            platform: TargetPlatform::parse(platform, &target).unwrap(),
            target,
            tools,
            library_dirs: vec![self.dir.join("libraries")],
            exclude: Vec::new(),
            strip: false,
            work_dir: self.dir.join("work"),
            log_dir: self.dir.join("log"),
            time_limit: 300,
            source_date_epoch: EPOCH,
            llvm_major: None,
            options,
        }
    }
}

pub(crate) fn repair(request: &Request, wheel: &Utf8Path) -> Result<Repaired, RepairError> {
    let cancel = Cancel::new();
    wheelproof_repair::run(request, &wheelproof_repair::steps(request, world()), wheel, &Runner::new(&Silent, &cancel))
}

/// A repair that has to succeed without a finding.
pub(crate) fn repaired(request: &Request, wheel: &Utf8Path) -> Repaired {
    let before = fs_err::read(wheel).unwrap();
    let repaired = match repair(request, wheel) {
        Ok(repaired) => repaired,
        Err(error) => {
            let log = fs_err::read_to_string(request.log_dir.join("repair.log")).unwrap_or_default();
            panic!("{error}\n{log}");
        }
    };
    assert_eq!(
        repaired.findings.iter().map(|finding| finding.message.as_str()).collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    assert_eq!(fs_err::read(wheel).unwrap(), before, "the given wheel is as it was");
    assert_eq!(repaired.origins.unknown, Vec::<String>::new(), "each grafted library lies somewhere: {repaired:?}");
    repaired
}

/// The error's own sentence, of a repair that has to fail.
pub(crate) fn refused(request: &Request, wheel: &Utf8Path) -> (RepairError, String) {
    match repair(request, wheel) {
        Ok(repaired) => panic!("it came out as {repaired:?}"),
        Err(error) => {
            let text = error.to_string();
            (error, text)
        }
    }
}

/// Every file of a wheel.
pub(crate) fn members(wheel: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    let archive = wheel::Archive::open(wheel).unwrap();
    archive
        .members()
        .iter()
        .filter(|member| !member.is_dir)
        .map(|member| (member.name.clone(), archive.read(member).unwrap().into_owned()))
        .collect()
}

/// The grafted libraries by name, without the digest in it: `x.libs/libhelper-1f2e3d4c.so.2` is `libhelper.so.2`.
pub(crate) fn grafted(repaired: &Repaired) -> Vec<String> {
    let mut names: Vec<String> = repaired
        .grafted
        .iter()
        .map(|grafted| {
            let name = grafted.name.rsplit('/').next().unwrap();
            let (stem, ending) = name.split_once('.').unwrap();
            format!("{}.{ending}", stem.rsplit_once('-').map_or(stem, |(stem, _)| stem))
        })
        .collect();
    names.sort();
    names
}

/// Unpacks a wheel as an installer would.
pub(crate) fn install(wheel: &Utf8Path, into: &Utf8Path) {
    for (name, bytes) in members(wheel) {
        let place = name.split_once(".data/platlib/").map_or(name.as_str(), |(_, place)| place);
        let path = into.join(place);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(&path, bytes).unwrap();
    }
}

/// Runs a program that has to succeed; `None` if it is not there.
pub(crate) fn run(program: &str, arguments: &[&str], dir: &Utf8Path) -> Option<String> {
    let out = match Command::new(program).args(arguments).current_dir(dir).output() {
        Ok(out) => out,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{program}: {error}"),
    };
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success(), "{program} {arguments:?}: {text}");
    Some(text)
}

/// The same Mach-O with its load commands reaching up to the first section: run paths that lead nowhere fill the room.
pub(crate) fn without_pad(mut macho: Vec<u8>) -> Vec<u8> {
    const LC_RPATH: u32 = 0x8000_001c;
    const LONGEST: usize = 208;
    const SHORTEST: usize = 40;
    let (mut end, mut pad) = {
        let file = objfile::parse(&macho).unwrap();
        let facts = file.objects().next().unwrap().macho().unwrap();
        (facts.load_commands_end as usize, facts.header_pad as usize / 8 * 8)
    };
    let number = |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let put = |bytes: &mut [u8], at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    let (mut count, start) = (number(&macho, 16), end);
    while pad > 0 {
        let rest = pad.saturating_sub(LONGEST);
        let size = if (1..SHORTEST).contains(&rest) { pad - SHORTEST } else { pad.min(LONGEST) };
        let path = format!("@loader_path/{}", "a".repeat(LONGEST));
        put(&mut macho, end, LC_RPATH);
        put(&mut macho, end + 4, u32::try_from(size).unwrap());
        put(&mut macho, end + 8, 12);
        macho[end + 12..end + size - 4].copy_from_slice(&path.as_bytes()[..size - 16]);
        macho[end + size - 4..end + size].fill(0);
        (end, pad, count) = (end + size, pad - size, count + 1);
    }
    let all = number(&macho, 20) + u32::try_from(end - start).unwrap();
    put(&mut macho, 16, count);
    put(&mut macho, 20, all);
    macho
}
