//! Other ways to build: the same path for every backend.

use super::support::{Asked, Sandbox};
use wheelproof_tests::{on_path, skip};

#[test]
fn maturin_builds_and_leaves_the_repair_to_us() {
    if on_path("cargo").is_none() {
        skip("cargo is not on PATH");
        return;
    }
    let test = "test: python -c \"import rusty; assert rusty.add(2, 0.5) == 2.5\"";
    let sandbox = Sandbox::rusty(&Asked { project: &["import: [rusty]", test], ..Asked::default() });
    let outcome = sandbox.wheels(&[]).run().exits(0);
    let build = outcome.first_build();
    let wheel = build["wheel"].as_str().unwrap();
    assert!(wheel.starts_with("rusty-1.0.0-cp") && wheel.contains("-manylinux"), "{wheel}");
    assert_eq!(outcome.report()["sdists"][0]["name"], "rusty-1.0.0.tar.gz");
    // maturin's own repair would have given its wheel another tag than the system's.
    let id = build["id"].as_str().unwrap();
    let made = sandbox.project.names(&format!("target/wheelproof/work/rusty/{id}/build/wheel"));
    assert!(made.len() == 1 && made[0].ends_with(&format!("-linux_{}.whl", std::env::consts::ARCH)), "{made:?}");
}
