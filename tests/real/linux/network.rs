//! Without a network: a first run says so, a later one does not need it.

use super::support::{PLAIN, Sandbox, can_unshare};
use wheelproof_tests::skip;

#[test]
fn a_first_run_without_network_says_that_the_index_cannot_be_reached() {
    if !can_unshare("-rn") {
        skip("no network namespace is to be had (unshare -rn)");
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN).without_tools();
    let outcome = sandbox.wheels(&[]).under(&["unshare", "-rn"]).run().fails(4);
    let _ = outcome.says(&["tools-build-install", "package index", "tools-build-install.log"]);
    // What was half made is not taken for whole.
    let _ = sandbox.wheels(&["--plan"]).run().exits(0);
}

#[test]
fn an_index_that_does_not_answer_is_told_from_a_package_that_is_not_there() {
    let sandbox = Sandbox::plain(&PLAIN).without_tools();
    // Nothing listens on port 1.
    let call = sandbox.wheels(&[]).env("PIP_INDEX_URL", "http://127.0.0.1:1/simple").env("PIP_NO_CACHE_DIR", "1");
    let _ = call.env("PIP_FIND_LINKS", "").run().fails(4).says(&["cannot be reached"]);
}

#[test]
fn with_its_tools_there_a_run_needs_no_network() {
    if !can_unshare("-rn") {
        skip("no network namespace is to be had (unshare -rn)");
        return;
    }
    let sandbox = Sandbox::plain(&PLAIN);
    let outcome = sandbox.wheels(&["--force"]).under(&["unshare", "-rn"]).run().exits(0);
    assert!(!outcome.steps().iter().any(|step| step.starts_with("tools-")), "{:?}", outcome.steps());
}
