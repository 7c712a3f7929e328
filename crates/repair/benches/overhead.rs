//! What a repair costs besides the tool: reading the wheel before and after, the post-conditions, the canonical archive.
//!
//!     cargo bench -p wheelproof-repair --bench overhead -- WHEEL [LIB_DIR…]
//!
//! Prints, for each of three runs, the seconds of the tool alone, of the whole, and their ratio; the aim is at most 1.10.
//! The tool has to be installed: by `cargo xtask repair` for a wheel of that system, whose environment is named by
//! `WHEELPROOF_TOOLS=DIR` (target/wheelproof/tools/repair-…).

#![allow(clippy::expect_used, clippy::print_stdout)] // a measurement that cannot be made ends

use camino::{Utf8Path, Utf8PathBuf};
use exec::{Cancel, Ending, Event, Recorder, Runner, Silent};
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
    for round in 1..=3 {
        let events = Recorder::default();
        let start = Instant::now();
        let repaired =
            run(&request, &steps(&request, &world), &given, &Runner::new(&events, &cancel)).expect("a repair");
        let whole = start.elapsed().as_secs_f64();
        let tool: f64 = events
            .events()
            .iter()
            .filter_map(|event| match event {
                Event::Ended { seconds, status: Ending::Succeeded, .. } => Some(*seconds),
                _ => None,
            })
            .sum();
        let findings = repaired.findings.len();
        println!("{round}: tool {tool:.2} s, whole {whole:.2} s, ratio {:.3}, {findings} findings", whole / tool);
    }
}
