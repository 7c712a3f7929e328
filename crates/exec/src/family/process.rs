//! Who belongs to a step, of all processes that a system lists.

use std::collections::HashMap;

use crate::environment::STEP_VARIABLE;

/// What systems tell of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) pid: libc::pid_t,
    pub(super) parent: libc::pid_t,
    pub(super) group: libc::pid_t,
    pub(super) session: libc::pid_t,
    pub(super) zombie: bool,
    /// In the system's own unit; with the number it names one process for good.
    pub(super) start: u64,
}

/// Everything alive that belongs to the child `leader`, which is not yet waited for: its group, its session, its
/// descendants, and what `carries` its mark.
pub(super) fn members(
    processes: &HashMap<libc::pid_t, Process>,
    leader: libc::pid_t,
    carries: &dyn Fn(&Process) -> bool,
) -> Vec<Process> {
    let own = std::process::id().cast_signed();
    // What is older than the child was not started by it, so its environment need not be read.
    let since = processes.get(&leader).map_or(0, |leader| leader.start);
    let belongs = |process: &&Process| {
        let kin = process.pid == leader || process.group == leader || process.session == leader;
        kin || descends(process, leader, processes) || carries(process)
    };
    let possible =
        |process: &&Process| !process.zombie && process.start >= since && process.pid != own && process.pid != 1;
    processes.values().filter(possible).filter(belongs).copied().collect()
}

fn descends(process: &Process, ancestor: libc::pid_t, processes: &HashMap<libc::pid_t, Process>) -> bool {
    let mut parent = process.parent;
    // Bounded, because the entries were not read at one moment and may form a circle.
    for _ in 0..processes.len() {
        if parent == ancestor {
            return true;
        }
        match processes.get(&parent) {
            Some(next) if parent > 1 => parent = next.parent,
            _ => return false,
        }
    }
    false
}

/// Does an environment (`NAME=value` entries, each ended by a NUL) hold our mark?
pub(super) fn is_marked(environment: &[u8], mark: &str) -> bool {
    environment.split(|byte| *byte == 0).any(|entry| {
        std::str::from_utf8(entry).is_ok_and(|entry| {
            entry.strip_prefix(STEP_VARIABLE).and_then(|rest| rest.strip_prefix('=')).is_some_and(|marks| {
                // Runs within runs carry the marks of all.
                marks.split(':').any(|each| each == mark)
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: libc::pid_t, parent: libc::pid_t) -> Process {
        Process { pid, parent, group: pid, session: pid, zombie: false, start: 10 }
    }

    #[test]
    fn circles_end() {
        let processes = HashMap::from([(5, process(5, 6)), (6, process(6, 5)), (7, process(7, 5))]);
        assert!(!descends(&processes[&7], 99, &processes));
        assert!(descends(&processes[&7], 6, &processes));
    }

    #[test]
    fn who_belongs() {
        const LEADER: libc::pid_t = 100_000_000;
        let of = |number: libc::pid_t| LEADER + number;
        let table = [
            (process(LEADER, 1), true),
            (Process { group: LEADER, ..process(of(1), 1) }, true),
            (Process { session: LEADER, ..process(of(2), 1) }, true),
            // Its parent belongs by its group alone, and so does it.
            (Process { group: LEADER, ..process(of(3), of(1)) }, true),
            (process(of(4), LEADER), true),
            (process(of(5), of(4)), true),
            (process(of(6), 1), true), // by its mark
            (process(of(7), 1), false),
            (Process { start: 9, ..process(of(8), LEADER) }, false),
            (Process { zombie: true, ..process(of(9), LEADER) }, false),
            (process(std::process::id().cast_signed(), LEADER), false),
            (process(1, 0), false),
        ];
        let processes = table.iter().map(|(process, _)| (process.pid, *process)).collect();
        let mut found: Vec<_> =
            members(&processes, LEADER, &|process| process.pid == of(6)).iter().map(|process| process.pid).collect();
        found.sort_unstable();
        let expected: Vec<_> = table.iter().filter(|(_, belongs)| *belongs).map(|(process, _)| process.pid).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn marks() {
        for (environment, marked) in [
            (&b"A=b\0WHEELPROOF_STEP=m\0C=d\0"[..], true),
            (b"WHEELPROOF_STEP=x:m", true),
            (b"WHEELPROOF_STEP=xm\0", false),
            (b"OTHER_WHEELPROOF_STEP=m\0", false),
            (b"WHEELPROOF_STEP\0m\0", false),
            (b"\xff=\xfe\0WHEELPROOF_STEP=m\0", true),
            (b"", false),
        ] {
            assert_eq!(is_marked(environment, "m"), marked, "{environment:?}");
        }
    }
}
