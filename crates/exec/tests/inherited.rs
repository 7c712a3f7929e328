//! What children get of us besides what we give them: nothing. Alone in its program, because what other tests hold open
//! (sockets) comes down too on some systems.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::sync::Mutex;

use stage::query;
use wheelproof_exec::{Cancel, Query, Runner, Silent};

fn ask(query: &Query) -> String {
    Runner::new(&Silent, &Cancel::new()).capture(query).unwrap().stdout_text().trim().to_owned()
}

/// A pipe's end in another's hands would keep its reader waiting, or an answer from ending.
#[test]
fn no_child_inherits_another_s_pipes() {
    let alone = ask(&query(["pipes"]));
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..8 {
                    let answer = ask(&query(["pipes"]));
                    answers.lock().unwrap().push(answer);
                }
            });
        }
    });
    let answers = answers.into_inner().unwrap();
    assert_eq!(answers.len(), 64);
    assert!(answers.iter().all(|answer| *answer == alone), "alone {alone}, at once {answers:?}");
}
