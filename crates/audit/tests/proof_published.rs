//! Published wheels import on the machines they are published for, so none of them may be refuted. Needs a folder with
//! wheels, named by `WHEELPROOF_WHEELHOUSE` (it is searched two levels deep); without it the test is skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use camino::{Utf8Path, Utf8PathBuf};
use std::time::Instant;
use wheel::{Archive, Edits, WriteOptions, rewrite};
use wheelproof_audit::proof::{Proof, ProofOptions, Provider, Verdict, prove};

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

/// The libraries in the wheel that an extension module needs directly: without any of them it does not import.
fn vital(proof: &Proof) -> Vec<String> {
    let modules = proof.binaries.iter().filter(|binary| binary.module.is_some());
    let needs = modules.flat_map(|binary| &binary.slices).flat_map(|slice| &slice.needs);
    let mut vital: Vec<String> =
        needs.filter(|need| need.provider == Provider::Wheel).filter_map(|need| need.found.clone()).collect();
    vital.sort();
    vital.dedup();
    vital
}

#[test]
fn a_library_taken_out_of_a_published_wheel_refutes_it() {
    /// Larger ones take too long to be written again.
    const MOST: u64 = 60_000_000;
    let Ok(dir) = std::env::var("WHEELPROOF_WHEELHOUSE") else {
        println!("skipped: WHEELPROOF_WHEELHOUSE names no folder with wheels");
        return;
    };
    let scratch = tempfile::tempdir().unwrap();
    let (mut tried, mut wrong) = (0, Vec::new());
    for path in wheels(Utf8Path::new(&dir), 2) {
        let archive = Archive::open(&path).unwrap();
        if archive.file_size() > MOST {
            continue;
        }
        let proof = prove(&path, &ProofOptions::default()).unwrap();
        for library in vital(&proof).into_iter().take(3) {
            let out = Utf8Path::from_path(scratch.path()).unwrap().join(path.file_name().unwrap());
            let mut edits = Edits::new();
            edits.remove(&library);
            rewrite(&archive, &edits, None, &out, &WriteOptions::default()).unwrap();
            let broken = prove(&out, &ProofOptions::default()).unwrap();
            let named = broken.findings.iter().any(|finding| finding.rule.name == "missing-library");
            tried += 1;
            // Microsoft's runtime may be installed: that is assumed, and said.
            let assumed = broken.findings.iter().any(|finding| finding.rule.name == "needs-vc-redistributable");
            if !(broken.verdict == Verdict::Refuted && named || assumed) {
                wrong.push(format!("{path} without {library}: {} {:?}", broken.verdict, broken.assumptions));
            }
        }
    }
    println!("{tried} broken variants");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
