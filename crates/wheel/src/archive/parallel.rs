//! Inflating many members at once within bounds of memory.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use super::Archive;
use super::member::{Member, Method};
use super::problem::MemberError;

/// What became of one member.
#[derive(Debug)]
pub struct Processed<'a, T> {
    /// The member.
    pub member: &'a Member,
    /// What was made of its bytes, or why they could not be had.
    pub result: Result<T, MemberError>,
}

/// What waits, and what those at work hold.
struct Queue {
    /// (bytes of memory needed, member), so that the largest comes last.
    waiting: BTreeSet<(u64, usize)>,
    /// Bytes that may still be taken.
    free: u64,
    /// How many more may be at work.
    idle: usize,
}

impl Queue {
    /// The largest that fits.
    fn take(&mut self) -> Option<(u64, usize)> {
        if self.idle == 0 {
            return None;
        }
        let job = *self.waiting.range(..=(self.free, usize::MAX)).next_back()?;
        self.waiting.remove(&job);
        self.free -= job.0;
        self.idle -= 1;
        Some(job)
    }
}

impl Archive {
    /// Inflates every selected member once and hands its bytes to `body`, in parallel on rayon's threads. The largest
    /// come first, so that no thread ends up alone with a big one. The inflated bytes alive at any time are at most
    /// as many as the two largest selected members have. Results come in the order of the members.
    ///
    /// A member that cannot be read has its error as result; the others are processed all the same.
    pub fn par_process<T: Send>(
        &self,
        select: impl Fn(&Member) -> bool + Sync,
        body: impl Fn(&Member, &[u8]) -> T + Sync,
    ) -> Vec<Processed<'_, T>> {
        self.par_consume(select, |member, bytes| body(member, &bytes))
    }

    /// The same, but no further member is begun once `stop` says so: the results are then not those of all.
    pub fn par_process_until<T: Send>(
        &self,
        stop: &(dyn Fn() -> bool + Sync),
        select: impl Fn(&Member) -> bool + Sync,
        body: impl Fn(&Member, &[u8]) -> T + Sync,
    ) -> Vec<Processed<'_, T>> {
        self.run(stop, select, |member, bytes| body(member, &bytes))
    }

    /// The same for a `body` that may keep the bytes; how much memory that takes is its own to bound.
    pub fn par_consume<T: Send>(
        &self,
        select: impl Fn(&Member) -> bool + Sync,
        body: impl Fn(&Member, Cow<'_, [u8]>) -> T + Sync,
    ) -> Vec<Processed<'_, T>> {
        self.run(&|| false, select, body)
    }

    fn run<T: Send>(
        &self,
        stop: &(dyn Fn() -> bool + Sync),
        select: impl Fn(&Member) -> bool + Sync,
        body: impl Fn(&Member, Cow<'_, [u8]>) -> T + Sync,
    ) -> Vec<Processed<'_, T>> {
        // A stored member takes no memory, nor does one that cannot be read.
        let need = |member: &Member| match member.method {
            Method::Deflated if member.is_readable() => member.size,
            _ => 0,
        };
        let waiting: BTreeSet<_> = self.members.iter().filter(|m| select(m)).map(|m| (need(m), m.index)).collect();
        let free = waiting.iter().rev().take(2).fold(0_u64, |sum, (size, _)| sum.saturating_add(*size));
        let done = Mutex::new(Vec::with_capacity(waiting.len()));
        let queue = Mutex::new(Queue { waiting, free, idle: rayon::current_num_threads().max(1) });
        let run = |index: usize| {
            if stop() {
                return;
            }
            let member = &self.members[index];
            let result = self.read(member).map(|bytes| {
                if matches!(bytes, Cow::Owned(_)) {
                    self.release(member);
                }
                body(member, bytes)
            });
            done.lock().unwrap_or_else(PoisonError::into_inner).push(Processed { member, result });
        };
        rayon::scope(|scope| launch(scope, &queue, &run));
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|processed| processed.member.index);
        done
    }
}

/// Starts as many jobs as memory and threads allow. Each starts more when it ends: nobody ever waits for memory, which
/// on a thread that steals work could deadlock.
fn launch<'s>(scope: &rayon::Scope<'s>, queue: &'s Mutex<Queue>, run: &'s (impl Fn(usize) + Sync)) {
    loop {
        let Some((size, index)) = queue.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        scope.spawn(move |scope| {
            run(index);
            {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.free += size;
                queue.idle += 1;
            }
            launch(scope, queue, run);
        });
    }
}
