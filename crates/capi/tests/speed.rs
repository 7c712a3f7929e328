//! Prints what a look-up and a scan cost. Nothing is asserted: machines differ.

use std::hint::black_box;
use std::time::Instant;

use wheelproof_capi::{Python, System, judge, lookup, names, scan_cstrings, scan_packed};

#[test]
fn print_the_cost_of_a_look_up_and_of_a_scan() {
    let hits: Vec<&str> = names().collect();
    let misses: Vec<String> = hits.iter().map(|name| format!("{name}x")).collect();
    // The best of many rounds: what the machine does besides is not the question.
    let per = |count: usize, run: &dyn Fn()| {
        let rounds = (0..20).map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_nanos()
        });
        rounds.min().unwrap_or_default() as f64 / count as f64
    };
    let python = Python::gil(13);
    let found = |name: &str| lookup(black_box(name)).is_some();
    let judged = |name: &str| judge(black_box(name), &python, System::Linux).is_some();
    let hit = per(hits.len(), &|| assert!(hits.iter().all(|name| found(name))));
    let miss = per(hits.len(), &|| _ = black_box(misses.iter().filter(|name| found(name)).count()));
    let whole = per(hits.len(), &|| assert!(hits.iter().all(|name| judged(name))));
    println!("look-up: {hit:.1} ns for a name, {miss:.1} ns for none; judge: {whole:.1} ns");

    // Text as dense with names as no section is (every tenth word), and the worst that can be written.
    let mut text = Vec::new();
    for (index, name) in hits.iter().cycle().take(60_000).enumerate() {
        let word: &[u8] =
            if index % 10 == 0 { name.as_bytes() } else { b"a message that is not a name of the table at all" };
        text.extend_from_slice(word);
        text.push(0);
    }
    let hostile = b"PyObject_CallOneAr".repeat(150_000);
    for (what, bytes) in [("text", &text), ("hostile", &hostile)] {
        let rate = |nanoseconds: f64| 1e3 / nanoseconds;
        let whole = rate(per(bytes.len(), &|| scan_cstrings(bytes, |hit| _ = black_box(hit))));
        let packed = rate(per(bytes.len(), &|| scan_packed(bytes, |hit| _ = black_box(hit))));
        println!("{what}: whole strings {whole:.0} MB/s, packed {packed:.0} MB/s");
    }
}
