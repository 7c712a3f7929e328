//! Builds side by side: started in the plan's order on a few workers, answered in the plan's order whatever order they end in.
//!
//! Knows: who works when, who waits for whom, what a panic costs (its own build and no other). Must not know: what a build
//! is.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// As much as the main thread has on the systems that we know: what runs there runs in a worker too.
const STACK: usize = 8 << 20;

/// What is done with each of the items.
pub(crate) struct Work<'a, T, R> {
    /// Carries out an item; its number stands in front.
    pub(crate) run: &'a (dyn Fn(usize, &T) -> R + Sync),
    /// The result of one that panicked, from what the panic said.
    pub(crate) fallen: &'a (dyn Fn(&T, &str) -> R + Sync),
    /// Once it is true nothing more is begun. What runs already is finished.
    pub(crate) stopped: &'a AtomicBool,
}

/// Carries out the items, at most `workers` at once, each begun after all before it were begun. The calling
/// thread is one of the workers: with one, everything happens on it. None is the result of an item that was not begun.
pub(crate) fn side_by_side<T: Sync, R: Send>(items: &[T], workers: usize, work: &Work<'_, T, R>) -> Vec<Option<R>> {
    let results: Vec<Mutex<Option<R>>> = items.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let worker = || {
        while !work.stopped.load(Ordering::SeqCst) {
            let index = next.fetch_add(1, Ordering::SeqCst);
            let Some((item, place)) = items.get(index).zip(results.get(index)) else { break };
            let caught = catch_unwind(AssertUnwindSafe(|| (work.run)(index, item)));
            *lock(place) = Some(caught.unwrap_or_else(|panic| (work.fallen)(item, words(panic.as_ref()))));
        }
    };
    thread::scope(|scope| {
        for number in 1..workers.min(items.len()) {
            let thread = thread::Builder::new().name(format!("builds-{number}")).stack_size(STACK);
            // Where the system has no thread left the others do the work.
            let _ = thread.spawn_scoped(scope, worker);
        }
        worker();
    });
    results.into_iter().map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner)).collect()
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("it panicked")
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What several builds need and one makes: an environment of tools, what `before_all` does.
///
/// The first build in the plan's order makes it while the others wait; if it does not get so far, the next one does. So it
/// is the same build at any number of workers. Nobody can wait for ever: one waits only for builds before it, which were all
/// begun before it, and the first that still runs waits for nobody.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// Who wants it and has neither passed nor left, by what is wanted.
    wanting: Mutex<BTreeMap<String, BTreeSet<usize>>>,
    changed: Condvar,
}

impl Turns {
    /// From who wants what.
    pub(crate) fn new(wants: impl IntoIterator<Item = (usize, String)>) -> Self {
        let mut wanting: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (index, key) in wants {
            wanting.entry(key).or_default().insert(index);
        }
        Self { wanting: Mutex::new(wanting), changed: Condvar::new() }
    }

    /// Waits until it is there or no build before this one can still make it.
    pub(crate) fn wait(&self, key: &str, index: usize, is_there: &dyn Fn() -> bool) {
        let mut wanting = lock(&self.wanting);
        let before = |wanting: &BTreeMap<String, BTreeSet<usize>>| {
            wanting.get(key).and_then(BTreeSet::first).is_some_and(|first| *first < index)
        };
        while before(&wanting) && !is_there() {
            wanting = self.changed.wait(wanting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// This build has it, or has found it made.
    pub(crate) fn pass(&self, key: &str, index: usize) {
        if let Some(who) = lock(&self.wanting).get_mut(key) {
            who.remove(&index);
        }
        self.changed.notify_all();
    }

    /// This build will make nothing any more, however it ended.
    pub(crate) fn leave(&self, index: usize) {
        for who in lock(&self.wanting).values_mut() {
            who.remove(&index);
        }
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::{Utf8Path, Utf8PathBuf};
    use exec::{Cancel, CancelReason, Ending, Event, Recorder, Runner, Step, StepError};
    use std::sync::Barrier;
    use std::time::{Duration, Instant};

    static ON: AtomicBool = AtomicBool::new(false);

    fn numbers(count: usize, workers: usize, run: &(dyn Fn(usize) -> usize + Sync)) -> Vec<Option<usize>> {
        let items: Vec<usize> = (0..count).collect();
        side_by_side(&items, workers, &Work { run: &|_, item| run(*item), fallen: &|_, _| usize::MAX, stopped: &ON })
    }

    #[test]
    fn results_stand_in_order_whatever_order_they_end_in() {
        for workers in [1, 2, 3, 10, 99] {
            // The later it was begun, the sooner it ends.
            let run = |index: usize| {
                thread::sleep(Duration::from_millis(20 - 2 * index as u64));
                index
            };
            let expected: Vec<Option<usize>> = (0..10).map(Some).collect();
            assert_eq!(numbers(10, workers, &run), expected, "{workers} workers");
        }
        assert_eq!(numbers(0, 4, &|_| 0), []);
    }

    #[test]
    fn as_many_run_at_once_as_there_are_workers() {
        // It ends only if four are there at the same time.
        let barrier = Barrier::new(4);
        let run = |index: usize| {
            barrier.wait();
            index
        };
        assert_eq!(numbers(8, 4, &run).len(), 8);
    }

    #[test]
    fn with_one_worker_everything_happens_on_the_callers_thread() {
        let caller = thread::current().id();
        let run = |_: usize| usize::from(thread::current().id() == caller);
        assert_eq!(numbers(3, 1, &run), [Some(1), Some(1), Some(1)]);
    }

    #[test]
    fn once_stopped_nothing_is_begun_and_what_runs_is_finished() {
        for workers in [1, 2] {
            let (both, stopped) = (Barrier::new(workers), AtomicBool::new(false));
            let run = |index: usize| {
                both.wait();
                // One stops the rest while the other still runs.
                if index == 0 {
                    stopped.store(true, Ordering::SeqCst);
                }
                while !stopped.load(Ordering::SeqCst) {
                    thread::sleep(Duration::from_millis(1));
                }
                index
            };
            let results = side_by_side(
                &[0, 1, 2, 3],
                workers,
                &Work { run: &|_, index| run(*index), fallen: &|_, _| 99, stopped: &stopped },
            );
            let expected: Vec<_> = (0..4).map(|index| (index < workers).then_some(index)).collect();
            assert_eq!(results, expected);
        }
    }

    #[test]
    fn a_panic_is_one_builds_result() {
        let run = |index: usize| {
            assert!(index != 1, "number {index} fell");
            index.to_string()
        };
        for workers in [1, 2] {
            let work =
                Work { run: &|_, index| run(*index), fallen: &|index, said| format!("{index}: {said}"), stopped: &ON };
            let results = side_by_side(&[0, 1, 2], workers, &work);
            assert_eq!(results, [Some("0".to_owned()), Some("1: number 1 fell".to_owned()), Some("2".to_owned())]);
        }
    }

    #[test]
    fn shared_work_is_done_by_the_first_that_comes_so_far() {
        // Who leaves without having made it, and who then makes it.
        for (leaving, maker) in [(&[][..], 0), (&[0], 1), (&[0, 1, 3], 2)] {
            let turns = Turns::new((0..5).map(|index| (index, "tools".to_owned())));
            let made = Mutex::new(None);
            let work = Work {
                run: &|index, (): &()| {
                    thread::sleep(Duration::from_millis(if index == 0 { 20 } else { 0 }));
                    if !leaving.contains(&index) {
                        turns.wait("tools", index, &|| lock(&made).is_some());
                        let mut made = lock(&made);
                        *made = made.or(Some(index));
                        drop(made);
                        turns.pass("tools", index);
                    }
                    turns.leave(index);
                },
                fallen: &|(), _| (),
                stopped: &ON,
            };
            side_by_side(&[(); 5], 5, &work);
            assert_eq!(*lock(&made), Some(maker), "{leaving:?} left");
        }
    }

    /// A build of steps that need no compiler, as far as the scheduler can tell.
    fn steps(dir: &Utf8Path, scope: &str, script: &str) -> Step {
        Step::new("build", ["sh", "-c", script], dir, dir.join(scope).join("build.log"))
    }

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(dir.path().to_owned()).unwrap();
        (dir, path)
    }

    #[test]
    fn ten_at_once_with_one_that_fails_one_that_hangs_and_one_fault_of_ours() {
        let (_dir, dir) = folder();
        let (events, cancel) = (Recorder::default(), Cancel::new());
        let work = Work {
            run: &|index, (): &()| {
                let scope = format!("p/b{index}");
                let script = match index {
                    3 => "echo 3; exit 9".to_owned(),
                    5 => "echo 5; sleep 600".to_owned(),
                    _ => format!("for i in 1 2 3; do echo {index}; sleep 0.01; done"),
                };
                assert!(index != 7, "a fault of ours");
                let step = steps(&dir, &scope, &script).with_timeout(if index == 5 { 1 } else { 300 });
                let runner = Runner::new(&events, &cancel).scope(&scope).grace(Duration::ZERO);
                runner.run(&step).map(drop)
            },
            fallen: &|(), said| Err(StepError::Malformed { step: "fallen".to_owned(), reason: said.to_owned() }),
            stopped: &ON,
        };
        let results = side_by_side(&[(); 10], 10, &work);
        for (index, result) in results.iter().enumerate() {
            let result = result.as_ref().unwrap();
            let right = match index {
                3 => matches!(result, Err(StepError::Failed { .. })),
                5 => matches!(result, Err(StepError::TimedOut { .. })),
                7 => matches!(result, Err(StepError::Malformed { reason, .. }) if reason == "a fault of ours"),
                _ => result.is_ok(),
            };
            assert!(right, "{index}: {result:?}");
            // Each log holds its own build's words alone.
            let log = fs_err::read_to_string(dir.join(format!("p/b{index}/build.log"))).unwrap_or_default();
            let said: Vec<&str> = log.lines().filter(|line| line.parse::<usize>().is_ok()).collect();
            assert!(said.iter().all(|line| *line == index.to_string()) && (index == 7) == said.is_empty(), "{log}");
        }
        let events = events.events();
        let ended = events.iter().filter(|event| matches!(event, Event::Ended { .. })).count();
        assert_eq!(ended, 9);
    }

    #[test]
    fn a_cancelled_run_ends_all_that_run_and_begins_nothing() {
        let (_dir, dir) = folder();
        let (events, cancel, stopped) = (Recorder::default(), Cancel::new(), AtomicBool::new(false));
        let begun = Instant::now();
        let work = Work {
            run: &|index, (): &()| {
                let scope = format!("p/b{index}");
                let runner = Runner::new(&events, &cancel).scope(&scope).grace(Duration::ZERO);
                let script = format!("touch {dir}/runs-{index}; sleep 600");
                let result = runner.run(&steps(&dir, &scope, &script)).map(drop);
                stopped.store(cancel.is_cancelled(), Ordering::SeqCst);
                matches!(result, Err(StepError::Cancelled { .. }))
            },
            fallen: &|(), _| false,
            stopped: &stopped,
        };
        let results = thread::scope(|scope| {
            scope.spawn(|| {
                let running = |index: usize| dir.join(format!("runs-{index}")).exists();
                while !(0..3).all(running) {
                    thread::sleep(Duration::from_millis(2));
                }
                cancel.cancel(CancelReason::Interrupt);
            });
            side_by_side(&[(); 5], 3, &work)
        });
        assert_eq!(results, [Some(true), Some(true), Some(true), None, None]);
        assert!(begun.elapsed() < Duration::from_secs(300), "it was waited for");
        let events = events.events();
        let cancelled = |event: &&Event| matches!(event, Event::Ended { status, .. } if *status == Ending::Cancelled);
        assert_eq!(events.iter().filter(cancelled).count(), 3);
    }
}
