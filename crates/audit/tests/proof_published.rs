//! Published wheels import on the machines they are published for, so none of them may be refuted. Needs a folder with
//! wheels, named by `WHEELPROOF_WHEELHOUSE` (it is searched two levels deep); without it the test is skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;
use wheelproof_audit::proof::{ProofOptions, Verdict, prove};

fn wheels(dir: &Utf8Path, depth: usize) -> Vec<Utf8PathBuf> {
    let mut found = Vec::new();
    for entry in dir.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() && depth > 0 {
            found.extend(wheels(&path, depth - 1));
        } else if path.extension() == Some("whl") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn no_published_wheel_is_refuted() {
    let Ok(dir) = std::env::var("WHEELPROOF_WHEELHOUSE") else {
        println!("skipped: WHEELPROOF_WHEELHOUSE names no folder with wheels");
        return;
    };
    let only = std::env::var("WHEELPROOF_ONLY").unwrap_or_default();
    let verbose = std::env::var_os("WHEELPROOF_VERBOSE").is_some();
    let mut refuted = Vec::new();
    for path in wheels(Utf8Path::new(&dir), 2).into_iter().filter(|path| path.as_str().contains(&only)) {
        let start = Instant::now();
        let proof = prove(&path, &ProofOptions::default()).unwrap();
        let took = start.elapsed();
        println!(
            "{:8} {:>6} ms {:>3} modules  {}",
            proof.verdict,
            took.as_millis(),
            proof.modules.len(),
            path.file_name().unwrap()
        );
        for assumption in &proof.assumptions {
            println!("      assumed  {assumption}");
        }
        for finding in &proof.findings {
            if verbose || finding.severity >= diagnostics::Severity::Warning {
                println!("      {} {} {}", finding.severity, finding.rule.name, finding.message);
                finding.notes.iter().filter(|_| verbose).for_each(|note| println!("          {note}"));
            }
        }
        if proof.verdict == Verdict::Refuted {
            refuted.push(path);
        }
    }
    assert!(refuted.is_empty(), "refuted: {refuted:#?}");
}
