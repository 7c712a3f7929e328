//! Whoever waits for a proof or an inspection may leave at any time.
#![allow(clippy::unwrap_used)]

mod demo;

use camino::Utf8Path;
use demo::{Case, HELPER, LINUX, NONE, Origin::Fixture, SO, build};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use wheelproof_audit::proof::{ProofOptions, prove};
use wheelproof_audit::{OpenError, Options, Stop, open};

/// What came of a look that may be stopped, and how often it asked.
type Look<'a> = dyn Fn(usize) -> (Result<(), OpenError>, usize) + 'a;

/// Stops when it is asked for the last time of so many; counts how often it was.
fn after(times: usize) -> (Stop, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    (Stop::when(move || count.fetch_add(1, Ordering::SeqCst) >= times), asked)
}

#[test]
fn at_every_point_that_asks() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Utf8Path::from_path(dir.path()).unwrap();
    let files: &[_] = &[(SO, Fixture("linux/core.so")), (HELPER, Fixture("linux/helper.so"))];
    let wheel = build(&Case { tags: LINUX, files, ..NONE }, dir);
    let proof = |times| {
        let (stop, asked) = after(times);
        let result = prove(&wheel, &ProofOptions { stop, ..ProofOptions::default() }).map(|_| ());
        (result, asked.load(Ordering::SeqCst))
    };
    let inspection = |times| {
        let (stop, asked) = after(times);
        (open(&wheel, &Options { stop, ..Options::default() }).map(|_| ()), asked.load(Ordering::SeqCst))
    };
    let all: [(&str, usize, &Look<'_>); 2] = [("proof", 6, &proof), ("inspection", 4, &inspection)];
    for (what, least, run) in all {
        let (result, asked) = run(usize::MAX);
        assert!(result.is_ok() && asked >= least, "{what}: {result:?}, asked {asked} times");
        for times in 0..asked {
            let (result, _) = run(times);
            assert!(matches!(result, Err(OpenError::Stopped)), "{what}: stopped at {times} of {asked}: {result:?}");
        }
    }
}
