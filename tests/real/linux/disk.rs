//! Folders that cannot be written and disks that are full.

use super::support::{PLAIN, Sandbox, can_unshare};
use wheelproof_tests::skip;

/// Runs the rest of the command line with something done to a folder in a mount namespace of its own, and shows what lies
/// in that folder afterwards.
const WITH: &str = r#"folder=$1; shift; eval "$BEFORE"; "$@"; code=$?; echo "left: $(ls -A "$folder")"; exit $code"#;

fn in_namespace(folder: &str) -> Vec<&str> {
    vec!["unshare", "-rm", "sh", "-c", WITH, "sh", folder]
}

const READ_ONLY: &str = r#"mount --bind "$folder" "$folder" && mount -o remount,ro,bind "$folder" || exit 99"#;
const FULL: &str = r#"mount -t tmpfs -o size=8k none "$folder" || exit 99"#;
const FULLER: &str = r#"mount -t tmpfs -o size=4k none "$folder" || exit 99"#;

fn no_namespaces() -> bool {
    let none = !can_unshare("-rm");
    if none {
        skip("no mount namespace is to be had (unshare -rm)");
    }
    none
}

#[test]
fn a_read_only_dist_is_said_before_anything_is_built() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    let outcome = sandbox.wheels(&[]).env("BEFORE", READ_ONLY).under(&in_namespace("dist")).run().fails(2);
    let outcome = outcome.says(&["dist` cannot be written", "ead-only file system"]);
    assert_eq!(outcome.steps(), Vec::<String>::new());
}

#[test]
fn a_read_only_state_folder_is_said_before_anything_is_built() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    let outcome = sandbox.wheels(&[]).env("BEFORE", READ_ONLY).under(&in_namespace("target/wheelproof")).run().fails(2);
    let outcome = outcome.says(&["target/wheelproof/lock` cannot be locked", "ead-only file system"]);
    assert_eq!(outcome.steps(), Vec::<String>::new());
}

#[test]
fn a_plan_needs_no_folder_that_can_be_written() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    let call = sandbox.wheels(&["--plan"]).env("BEFORE", READ_ONLY).under(&in_namespace("."));
    let _ = call.run().exits(0).says(&["1 of 1 builds run here"]);
}

#[test]
fn a_full_disk_at_the_end_leaves_no_half_wheel() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    // Room for a probe and a report, not for the wheel of 9 kB.
    let outcome = sandbox.wheels(&[]).env("BEFORE", FULL).under(&in_namespace("dist")).run();
    let outcome = outcome.fails(4).says(&["could not be put into dist/", "No space left on device"]);
    let (_, left) = outcome.stdout().split_once("left: ").unwrap();
    assert!(!left.contains(".part") && !left.contains(".whl"), "{left}");
}

#[test]
fn a_disk_too_full_for_the_report_does_not_hide_why_the_build_failed() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    let outcome = sandbox.wheels(&[]).env("BEFORE", FULLER).under(&in_namespace("dist")).run();
    let _ =
        outcome.fails(4).says(&["could not be put into dist/", "dist/report.", "cannot be written: no storage space"]);
}

#[test]
fn a_full_disk_while_building_is_called_that() {
    if no_namespaces() {
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    fs_err::create_dir_all(sandbox.root.join("target/wheelproof/work")).unwrap();
    let call = sandbox.wheels(&[]).env("BEFORE", FULL).under(&in_namespace("target/wheelproof/work"));
    let _ = call.run().fails(4).says(&["No space left on device"]);
}
