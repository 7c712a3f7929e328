//! Options that changed nothing: whoever gave them expects something of them, and is told.

use super::RepairArgs;
use super::asked::Given;
use super::outcome::{Entry, Status};
use platform::{Os, library_pattern};

/// A sentence for each. `entries` are those of the first wheels; after an interruption there are fewer.
pub(super) fn options(args: &RepairArgs, wheels: &[Given], entries: &[Entry], host: Os) -> Vec<String> {
    let each: Vec<(&Entry, Os)> =
        entries.iter().zip(wheels).map(|(entry, given)| (entry, os_of(given).unwrap_or(host))).collect();
    let mut said = Vec::new();
    if args.strip {
        let those = |status: Status, on: &[Os]| {
            let those = each.iter().filter(|(entry, os)| entry.status == status && on.contains(os));
            those.map(|(entry, _)| format!("`{}`", entry.file_name())).collect::<Vec<_>>().join(", ")
        };
        for (names, why) in [
            (those(Status::Unchanged, &Os::ALL), "what needs no repair is left as it is"),
            (those(Status::Repaired, &[Os::MacOs]), "delocate does not strip"),
        ] {
            if !names.is_empty() {
                said.push(format!("--strip did nothing to {names}: {why}"));
            }
        }
    }
    // Of a wheel that did not come through it is not known what it would have needed.
    if each.iter().all(|(entry, _)| matches!(entry.status, Status::Repaired | Status::Unchanged)) {
        let left_out = |pattern: &String| {
            each.iter()
                .any(|(entry, os)| entry.assumed.iter().any(|one| library_pattern::means(pattern, &one.library, *os)))
        };
        let idle = args.exclude.iter().filter(|pattern| !left_out(pattern));
        said.extend(idle.map(|pattern| {
            format!("`--exclude {pattern}` left nothing out: no wheel here needs such a library from outside")
        }));
    }
    if !wheels.iter().any(|given| os_of(given) == Some(Os::Windows)) {
        let given = [
            ("--no-mangle", !args.no_mangle.is_empty()),
            ("--namespace-package", !args.namespace_package.is_empty()),
            ("--graft-existing", args.graft_existing),
        ];
        let given = given.into_iter().filter(|(_, given)| *given);
        said.extend(
            given.map(|(option, _)| format!("{option} did nothing: it is for Windows' wheels, and here is none")),
        );
    }
    said
}

fn os_of(given: &Given) -> Option<Os> {
    given.target.as_ref().map(|target| target.os)
}
