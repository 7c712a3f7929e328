//! What a repair costs besides the tool: reading the wheel before and after, the post-conditions, the canonical archive.
//!
//!     cargo bench -p wheelproof-repair --bench overhead -- WHEEL [LIB_DIR…]
//!
//! Prints, for each of `WHEELPROOF_PAIRS` pairs (3), the seconds of the tool alone and of the whole and their ratio, on the
//! clock and of the processors, and the medians; the aim is at most 1.10.
//! The tool has to be installed: by `cargo xtask repair` for a wheel of that system, whose environment is named by
//! `WHEELPROOF_TOOLS=DIR` (target/wheelproof/tools/repair-…).

#![allow(clippy::expect_used, clippy::print_stdout)] // a measurement that cannot be made ends

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Runner, Silent};
use host::toolenv::ToolEnvironment;
use platform::{Os, TargetKey, TargetPlatform, WheelName};
use std::time::Instant;
use wheelproof_repair::{ExpectedLlvm, Options, Request, run, steps};

fn main() {
    // cargo adds --bench.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (Some(given), Ok(tools)) = (arguments.first(), std::env::var("WHEELPROOF_TOOLS")) else {
        println!("skipped: name a wheel and set WHEELPROOF_TOOLS to the environment of its tool");
        return;
    };
    let given = Utf8Path::new(given).canonicalize_utf8().expect("the wheel");
    let name: WheelName = given.file_name().expect("a name").parse().expect("a wheel's name");
    let tag = name.tags.platforms().next().expect("a tag");
    let arch = *tag.arches().last().expect("a processor");
    let target = TargetKey::new(tag.os().expect("a system"), arch);
    let dir = Utf8PathBuf::from(tools);
    let work = tempfile::tempdir().expect("a folder");
    let work = Utf8Path::from_path(work.path()).expect("UTF-8").canonicalize_utf8().expect("a path");
    let cancel = Cancel::new();
    let world = host::probe(&host::Probe::of_this_process(Some(work.join("cache"))), &Runner::new(&Silent, &cancel));
    let mut library_dirs: Vec<Utf8PathBuf> = arguments.iter().skip(1).map(Utf8PathBuf::from).collect();
    library_dirs.extend(world.llvm.installations.iter().map(|llvm| llvm.library_dir.clone()));
    let mut options = Options { expected_llvm: ExpectedLlvm::AsNeeded, ..Options::default() };
    if target.os == Os::MacOs && !cfg!(target_os = "macos") {
        options.program_dirs.push(Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/shims"));
    }
    let request = Request {
        target,
        platform: TargetPlatform::Auto,
        tools: ToolEnvironment {
            purpose: "repair".to_owned(),
            python: dir.join("bin/python"),
            programs: dir.join("bin"),
            base_python: "python3".into(),
            requirements: String::new(),
            locked: true,
            dir,
        },
        library_dirs,
        exclude: Vec::new(),
        strip: false,
        work_dir: work.join("work"),
        log_dir: work.join("log"),
        time_limit: 3600,
        source_date_epoch: 1_700_000_000,
        llvm_major: None,
        options,
    };
    let pairs = std::env::var("WHEELPROOF_PAIRS").ok().and_then(|text| text.parse().ok()).unwrap_or(3);
    let (mut walls, mut loads) = (Vec::new(), Vec::new());
    for round in 1..=pairs {
        // Which of the two is first alternates: what the first leaves in caches serves the second.
        let (bare, whole) = if round % 2 == 0 {
            let bare = measured(|| bare(&request, &world, &given, &cancel));
            (bare, measured(|| ours(&request, &world, &given, &cancel)))
        } else {
            let whole = measured(|| ours(&request, &world, &given, &cancel));
            (measured(|| bare(&request, &world, &given, &cancel)), whole)
        };
        let (wall, load) = (whole.0 / bare.0, whole.1 / bare.1);
        println!(
            "{round}: wall {:.2} s, bare {:.2} s, ratio {wall:.3}; processor {:.2} s, bare {:.2} s, ratio {load:.3}",
            whole.0, bare.0, whole.1, bare.1
        );
        walls.push(wall);
        loads.push(load);
    }
    println!("median of {pairs}: wall {:.3}, processor {:.3}", median(walls), median(loads));
}

/// The tool alone, on the given wheel, with the arguments that it gets from us.
fn bare(request: &Request, world: &host::World, given: &Utf8Path, cancel: &Cancel) {
    let dir = request.work_dir.with_file_name("bare");
    if dir.exists() {
        fs_err::remove_dir_all(&dir).expect("to be gone");
    }
    let request = Request { work_dir: dir.clone(), ..request.clone() };
    fs_err::create_dir_all(dir.join("wheel")).expect("a folder");
    fs_err::create_dir_all(dir.join("tmp")).expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    for step in steps(&request, world) {
        // As a user runs it: it compresses what it makes.
        let step = step.without_env("AUDITWHEEL_ZIP_COMPRESSION_LEVEL");
        let step = step.resolve(&[("wheel", given.as_str()), ("PATH", &path)]);
        Runner::new(&Silent, cancel).run(&step).expect("the tool");
    }
}

fn ours(request: &Request, world: &host::World, given: &Utf8Path, cancel: &Cancel) {
    let repaired = run(request, &steps(request, world), given, &Runner::new(&Silent, cancel)).expect("a repair");
    let errors = repaired.findings.iter().filter(|finding| finding.severity == diagnostics::Severity::Error);
    assert_eq!(errors.map(|finding| finding.message.as_str()).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// Seconds on the clock, and seconds of processors, of this process and its children.
fn measured(what: impl FnOnce()) -> (f64, f64) {
    let (start, before) = (Instant::now(), processor_seconds());
    what();
    (start.elapsed().as_secs_f64(), processor_seconds() - before)
}

/// From /proc, in ticks of a hundredth of a second (proc(5)); not a number where there is none.
fn processor_seconds() -> f64 {
    const UTIME: usize = 11;
    let Ok(text) = fs_err::read_to_string("/proc/self/stat") else { return f64::NAN };
    let fields = text.rsplit_once(") ").map(|(_, rest)| rest).unwrap_or_default();
    let ticks: f64 = fields.split(' ').skip(UTIME).take(4).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
