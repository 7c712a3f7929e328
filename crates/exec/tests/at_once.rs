//! Many at once in one program: nobody gets anything of the others.
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use std::time::{Duration, Instant};

use stage::{Lifelines, PATIENCE, Place, query, words};
use wheelproof_exec::{
    Cancel, CancelReason, Ending, Event, Query, Recorder, Runner, STEP_VARIABLE, Silent, Status, StepError,
};

fn ask(query: &Query) -> String {
    Runner::new(&Silent, &Cancel::new()).capture(query).unwrap().stdout_text().trim().to_owned()
}

/// Twenty in eight threads, of which some go on until all others have answered.
#[test]
fn an_answer_is_whole_when_its_own_program_ends() {
    let (place, lines) = (Place::new(), Lifelines::new());
    let stop = place.path.join("stop");
    std::thread::scope(|scope| {
        let slow: Vec<_> = (0..4)
            .map(|number| {
                let script = format!("alive {} slow{number} until {stop} out slow{number}", lines.address());
                scope.spawn(move || ask(&query(words(&script)).timeout(2 * PATIENCE)))
            })
            .collect();
        let quick: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || (0..4).map(|number| ask(&query(["out", &format!("{thread}-{number}")]))).collect())
            })
            .collect();
        for (thread, answers) in quick.into_iter().enumerate() {
            let answers: Vec<String> = answers.join().unwrap();
            assert_eq!(answers, (0..4).map(|number| format!("{thread}-{number}")).collect::<Vec<_>>());
        }
        for number in 0..4 {
            assert!(lines.of(&format!("slow{number}")).lives(), "the slow ones were not waited for");
        }
        fs_err::write(&stop, "").unwrap();
        for (number, answer) in slow.into_iter().enumerate() {
            assert_eq!(answer.join().unwrap(), format!("slow{number}"));
        }
    });
}

#[test]
fn one_that_hangs_and_one_that_fails_do_not_touch_the_others() {
    let places: Vec<Place> = (0..10).map(|_| Place::new()).collect();
    let lines = Lifelines::new();
    let (events, cancel) = (Recorder::default(), Cancel::new());
    let results: Vec<Result<_, StepError>> = std::thread::scope(|scope| {
        let running: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(number, place)| {
                let script = match number {
                    3 => format!("deaf alive {} hangs stay", lines.address()),
                    7 => "out 7 exit 9".to_owned(),
                    _ => format!("out {number} sleep 4000 out {number}"),
                };
                let mut step = place.step(words(&script));
                if number == 3 {
                    step = step.with_timeout(2);
                }
                let runner = Runner::new(&events, &cancel).scope(number.to_string()).streaming(true);
                let runner = runner.grace(Duration::from_millis(200));
                scope.spawn(move || runner.run(&step))
            })
            .collect();
        running.into_iter().map(|each| each.join().unwrap()).collect()
    });
    for (number, result) in results.iter().enumerate() {
        let of_this = |event: &&Event| match event {
            Event::Output { scope, .. } | Event::Ended { scope, .. } => *scope == number.to_string(),
            _ => false,
        };
        let heard: Vec<String> = events
            .events()
            .iter()
            .filter(of_this)
            .map(|event| match event {
                Event::Output { line, .. } => line.clone(),
                Event::Ended { status, .. } => format!("{status:?}"),
                other => panic!("{other:?}"),
            })
            .collect();
        let own = number.to_string();
        match number {
            3 => {
                assert!(matches!(result, Err(StepError::TimedOut { .. })), "{result:?}");
                assert_eq!(heard, [format!("{:?}", Ending::TimedOut)]);
            }
            7 => {
                assert!(matches!(result, Err(StepError::Failed { status: Status::Code(9), .. })), "{result:?}");
                assert_eq!(heard, [own, format!("{:?}", Ending::Failed)]);
            }
            _ => {
                assert!(result.is_ok(), "{number}: {result:?}");
                assert_eq!(heard, [own.clone(), own.clone(), format!("{:?}", Ending::Succeeded)]);
                assert!(places[number].log().contains(&format!("\n{own}\n{own}\n")), "{}", places[number].log());
            }
        }
    }
    lines.of("hangs").assert_ended();
}

#[test]
fn one_word_stops_all() {
    let places: Vec<Place> = (0..10).map(|_| Place::new()).collect();
    let lines = Lifelines::new();
    let cancel = Cancel::new();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let running: Vec<_> = places
            .iter()
            .enumerate()
            .map(|(number, place)| {
                let step = place.step(words(&format!("deaf alive {} {number} stay", lines.address())));
                let runner = Runner::new(&Silent, &cancel).grace(2 * PATIENCE);
                scope.spawn(move || runner.run(&step).unwrap_err())
            })
            .collect();
        let each: Vec<_> = (0..10).map(|number| lines.of(&number.to_string())).collect();
        cancel.cancel(CancelReason::Interrupt);
        cancel.cancel_at_once(CancelReason::Interrupt);
        for one in running {
            assert!(matches!(one.join().unwrap(), StepError::Cancelled { reason: CancelReason::Interrupt, .. }));
        }
        each.into_iter().for_each(stage::Lifeline::assert_ended);
    });
    assert!(begun.elapsed() < 2 * PATIENCE);
}

#[test]
fn each_is_marked_as_itself() {
    let marks: Vec<String> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..10).map(|_| scope.spawn(|| ask(&query(["env", STEP_VARIABLE])))).collect();
        asking.into_iter().map(|each| each.join().unwrap()).collect()
    });
    let different: std::collections::HashSet<&String> = marks.iter().collect();
    assert_eq!(different.len(), 10, "{marks:?}");
}
