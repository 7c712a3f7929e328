//! How long the import proof of a wheel takes, beside what other tools need to read the same file.
//!
//!     cargo bench --profile dev -p wheelproof-audit --bench proof -- WHEEL…
//!
//! Without a wheel, those of `WHEELPROOF_WHEELHOUSE` named `justjit-*` are taken, of all three systems. Tools that are not
//! installed are left out. Each command is run three times; the best wall-clock time counts. `auditwheel show` takes part only
//! with `--all`, since it needs half a minute, and only for wheels of Linux; a Python that has it is named by
//! `WHEELPROOF_AUDITWHEEL`, otherwise it is looked for as a command.
#![allow(clippy::print_stdout)]

use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wheelproof_audit::proof::{ProofOptions, Verdict, prove};

const ROUNDS: usize = 3;

/// What is aimed at for the largest wheels, on two cores.
const AIM: Duration = Duration::from_millis(800);

fn best<T>(mut run: impl FnMut() -> Option<T>) -> Option<(Duration, T)> {
    let time = |_| {
        let start = Instant::now();
        run().map(|outcome| (start.elapsed(), outcome))
    };
    let times: Option<Vec<_>> = (0..ROUNDS).map(time).collect();
    times?.into_iter().min_by_key(|(took, _)| *took)
}

fn ours(path: &Utf8Path) -> Option<(Duration, Verdict)> {
    best(|| prove(path, &ProofOptions::default()).ok().map(|proof| proof.verdict))
}

/// A command that succeeded; none if it is not there or refuses the file, for then its time says nothing.
fn theirs(argv: &[&str], path: &Utf8Path) -> Option<Duration> {
    let (program, arguments) = argv.split_first()?;
    let (took, ()) = best(|| {
        let mut command = Command::new(program);
        command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(())
    })?;
    Some(took)
}

/// The largest amount of memory that was resident so far, in MiB; Linux only.
fn peak() -> Option<u64> {
    let status = fs_err::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? / 1024)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let all = arguments.iter().any(|argument| argument == "--all");
    let mut wheels: Vec<Utf8PathBuf> =
        arguments.iter().filter(|argument| !argument.starts_with('-')).map(Utf8PathBuf::from).collect();
    if wheels.is_empty() {
        wheels = from_wheelhouse();
    }
    if wheels.is_empty() {
        println!("skipped: no wheel was named and WHEELPROOF_WHEELHOUSE has no justjit-*.whl");
    }
    let python = std::env::var("WHEELPROOF_AUDITWHEEL").ok();
    let auditwheel: Vec<&str> = match &python {
        Some(python) => vec![python, "-m", "auditwheel", "show"],
        None => vec!["auditwheel", "show"],
    };
    for wheel in wheels {
        let Some((own, verdict)) = ours(&wheel) else {
            println!("{wheel}: cannot be opened");
            continue;
        };
        let name = wheel.file_name().unwrap_or_default();
        let size = fs_err::metadata(&wheel).map_or(0, |metadata| metadata.len());
        println!("{name} ({:.1} MB): {verdict}", size as f64 / 1e6);
        let memory = peak().map_or(String::new(), |mib| format!(", peak {mib} MiB"));
        let aim = if own <= AIM { "" } else { ", more than the 0.8 s that are aimed at" };
        println!("  wheelproof proof    {:8.3} s{memory}{aim}", own.as_secs_f64());
        let mut others: Vec<(&str, &[&str])> = vec![("unzip -t", &["unzip", "-tqq"])];
        if all && name.contains("linux") {
            others.push(("auditwheel show", &auditwheel));
        }
        for (tool, argv) in others {
            match theirs(argv, &wheel) {
                Some(time) => {
                    let ratio = own.as_secs_f64() / time.as_secs_f64();
                    println!("  {tool:<19} {:8.3} s  our proof takes {ratio:.2} times as long", time.as_secs_f64());
                }
                None => println!("  {tool:<19} not installed, or it refuses the wheel"),
            }
        }
    }
}

fn from_wheelhouse() -> Vec<Utf8PathBuf> {
    let Ok(house) = std::env::var("WHEELPROOF_WHEELHOUSE") else { return Vec::new() };
    let folders = ["linux", "macos", "windows"].map(|system| Utf8PathBuf::from(&house).join(system));
    let entries = folders.iter().filter_map(|folder| folder.read_dir_utf8().ok()).flatten().flatten();
    let mut wheels: Vec<_> = entries.map(|entry| entry.path().to_owned()).collect();
    wheels.retain(|wheel| wheel.file_name().is_some_and(|name| name.starts_with("justjit-")));
    wheels.sort();
    wheels
}
