//! What a step costs beyond the process itself, and what an excerpt of a large log costs. Prints; asserts nothing.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use wheelproof_exec::{Cancel, Query, Recorder, Runner, Silent, Step, excerpt};

const ROUNDS: u32 = 200;

/// Milliseconds of one run, the median of many.
fn median(mut run: impl FnMut()) -> f64 {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let begun = Instant::now();
            run();
            begun.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let place = Utf8Path::from_path(folder.path()).unwrap();
    let cancel = Cancel::new();
    let recorder = Recorder::default();
    let step = Step::new("true", ["true"], place, place.join("logs/x.log"));
    let bare = median(|| {
        Command::new("true").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    });
    let run = median(|| drop(Runner::new(&Silent, &cancel).run(&step).unwrap()));
    let streamed = median(|| drop(Runner::new(&recorder, &cancel).streaming(true).run(&step).unwrap()));
    let failed = Step::new("false", ["false"], place, place.join("logs/x.log"));
    let failed = median(|| drop(Runner::new(&Silent, &cancel).run(&failed).unwrap_err()));
    let query = Query::new(["true"]);
    let captured = median(|| drop(Runner::new(&Silent, &cancel).capture(&query).unwrap()));
    println!("`true` alone             {bare:7.3} ms");
    for (what, time) in [("as a step", run), ("streamed", streamed), ("failing", failed), ("as a query", captured)] {
        println!("{what:<24} {time:7.3} ms   +{:.3} ms", time - bare);
    }
    let log =
        "[12/900] Building CXX object CMakeFiles/x.dir/a/long/path/to/some/file.cpp.o with warnings\n".repeat(50_000);
    let begun = Instant::now();
    excerpt(&log);
    println!("excerpt of {} MB          {:7.3} ms", log.len() / 1_000_000, begun.elapsed().as_secs_f64() * 1e3);
}
