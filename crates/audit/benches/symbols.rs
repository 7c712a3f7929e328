//! How long it takes to open and judge a wheel, beside what other tools need to read the same file.
//!
//!     cargo bench --profile dev -p wheelproof-audit --bench symbols -- WHEEL…
//!
//! Without a wheel, those of `WHEELPROOF_WHEELHOUSE` named `justjit-*` are taken. Tools that are not installed are left out. Each
//! command is run three times; the best wall-clock time counts. `auditwheel show` takes part only with `--all`, since it
//! needs half a minute.
#![allow(clippy::print_stdout)]

use camino::{Utf8Path, Utf8PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wheelproof_audit as audit;

const ROUNDS: usize = 3;

fn best(mut run: impl FnMut() -> bool) -> Option<Duration> {
    let time = |_| {
        let start = Instant::now();
        run().then(|| start.elapsed())
    };
    let times: Option<Vec<_>> = (0..ROUNDS).map(time).collect();
    times?.into_iter().min()
}

fn ours(path: &Utf8Path) -> Option<Duration> {
    best(|| audit::wheel_findings(path, &[]).is_ok())
}

/// A command that ran to its end, whatever it says of the file; none if it is not there.
fn theirs(argv: &[&str], path: &Utf8Path) -> Option<Duration> {
    let (program, arguments) = argv.split_first()?;
    best(|| {
        let mut command = Command::new(program);
        command.args(arguments).arg(path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.code().is_some())
    })
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
    for wheel in wheels {
        let Some(own) = ours(&wheel) else {
            println!("{wheel}: cannot be opened");
            continue;
        };
        let size = fs_err::metadata(&wheel).map_or(0, |metadata| metadata.len());
        println!("{} ({:.1} MB)", wheel.file_name().unwrap_or_default(), size as f64 / 1e6);
        let memory = peak().map_or(String::new(), |mib| format!(", peak {mib} MiB"));
        println!("  wheelproof symbols  {:8.3} s{memory}", own.as_secs_f64());
        let mut others: Vec<&[&str]> = vec![&["unzip", "-tqq"], &["abi3audit"]];
        if all {
            others.push(&["auditwheel", "show"]);
        }
        for argv in others {
            let name = argv.join(" ");
            match theirs(argv, &wheel) {
                Some(time) => {
                    let ratio = time.as_secs_f64() / own.as_secs_f64();
                    println!("  {name:<19} {:8.3} s  {ratio:6.1} times as long", time.as_secs_f64());
                }
                None => println!("  {name:<19} not installed"),
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
