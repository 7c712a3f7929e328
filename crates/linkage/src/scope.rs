//! In which order the ELF loaders look for a definition.
//!
//! First the global scope: the program, its libraries, what was opened with `RTLD_GLOBAL`; then what was opened,
//! its libraries breadth first, their libraries, and so on. An object with `DF_SYMBOLIC` looks in itself before all
//! (glibc alone).

use crate::closure::{Closure, MemberId, Mode, Outcome};
use std::collections::HashSet;

/// Who can define a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// The program, for which the providers answer.
    Program,
    /// A member of the closure.
    Member(MemberId),
}

/// The scope of everything that one opening brought, for each opening.
pub(crate) fn scopes(closure: &Closure) -> Vec<Vec<Source>> {
    let has_program = closure.openings.iter().any(|(opening, _)| opening.mode == Mode::Program);
    let mut global = Ordered::default();
    if !has_program {
        global.extend([Source::Program]);
    }
    let loaded = closure.members.iter().zip(0..).filter(|(member, _)| member.opening.is_none());
    let loaded: Vec<Source> = loaded.map(|(_, id)| Source::Member(MemberId(id))).collect();
    let mut scopes = Vec::with_capacity(closure.openings.len());
    for (index, (opening, root)) in closure.openings.iter().enumerate() {
        let list = root.as_ref().map(|root| search_list(closure, *root)).unwrap_or_default();
        if opening.mode != Mode::Local {
            global.extend(list.iter().map(|id| Source::Member(*id)));
        }
        // Libraries that were there from the start come after the program, which is the first opening if it is one.
        if index == 0 || !has_program {
            global.extend(loaded.iter().copied());
        }
        let mut scope = global.clone();
        scope.extend(list.iter().map(|id| Source::Member(*id)));
        scopes.push(scope.order);
    }
    scopes
}

/// A member and its libraries, breadth first.
pub(crate) fn search_list(closure: &Closure, root: MemberId) -> Vec<MemberId> {
    let mut list = vec![root];
    let mut known = HashSet::from([root]);
    let mut next = 0;
    while let Some(&id) = list.get(next) {
        next += 1;
        for edge in closure.edges_of(id) {
            if let Outcome::Found { to, .. } = edge.outcome
                && known.insert(to)
            {
                list.push(to);
            }
        }
    }
    list
}

#[derive(Debug, Clone, Default)]
struct Ordered {
    order: Vec<Source>,
    known: HashSet<Source>,
}

impl Ordered {
    fn extend(&mut self, sources: impl IntoIterator<Item = Source>) {
        let known = &mut self.known;
        self.order.extend(sources.into_iter().filter(|source| known.insert(*source)));
    }
}
