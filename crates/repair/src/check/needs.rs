//! Whether every need of every binary leads somewhere: to the system, into the wheel, or to what was left out on
//! purpose. The rules of three loaders, as far as a wheel depends on them.

use super::{Context, Facts};
use crate::binary::{Binary, arch_of};
use crate::place::{folder, normal};
use crate::rules;
use diagnostics::{Finding, Severity, Subject};
use objfile::{Format, ObjectKind, RpathKind};
use platform::policy::{self, macos, windows};
use std::collections::{BTreeMap, BTreeSet};

/// A library that is in nobody's wheel by intention: it is assumed to be loaded already.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assumed {
    /// Its name, as the binary needs it.
    pub library: String,
    /// The member that needs it.
    pub needed_by: String,
}

/// Where one need leads.
enum Way<'a> {
    System,
    Found,
    /// In the wheel, where the loader does not look.
    Unreachable {
        provider: &'a Binary,
        how: String,
    },
    LeftOut(String),
}

/// Why nothing leads from a program among the scripts to a library of the wheel.
const FROM_OUTSIDE: &str =
    "it is installed among the programs, and no relative path leads from there into the packages' folder";

pub(super) fn check(context: &Context<'_>, facts: &mut Facts) {
    let texts = Patches::of(context);
    let mut assumed = BTreeSet::new();
    for binary in &context.after.binaries {
        for needed in &binary.needed {
            let way = match binary.format {
                Format::Elf => elf(context, binary, &needed.name),
                Format::MachO => macho(context, binary, &needed.name),
                Format::Pe => pe(context, &texts, binary, &needed.name),
                Format::Coff => Way::System,
            };
            let subject = || Subject::file(context.name).member(&binary.member).symbol(&needed.name);
            match way {
                Way::System | Way::Found => {}
                Way::Unreachable { provider, how } => {
                    let mut finding = Finding::new(
                        &rules::NOT_REACHED,
                        subject(),
                        format!(
                            "`{}` needs `{}`, which lies in the wheel as `{}`, but {how}",
                            binary.member, needed.name, provider.member
                        ),
                    );
                    // What the build put there itself may be loaded by Python code first; what was grafted is not.
                    if !context.grafted(provider) {
                        finding = finding.severity(Severity::Warning);
                    }
                    facts.findings.push(finding);
                }
                Way::LeftOut(_) if context.request.excludes(&needed.name) => {
                    assumed.insert(Assumed { library: needed.name.clone(), needed_by: binary.member.clone() });
                }
                Way::LeftOut(why) => {
                    let message = format!("`{}` needs `{}`, {why}", binary.member, needed.name);
                    let mut finding = Finding::new(&rules::LIBRARY_LEFT_OUT, subject(), message);
                    if needed.optional {
                        finding = finding.severity(Severity::Warning);
                    }
                    facts.findings.push(finding);
                }
            }
        }
    }
    facts.assumed = assumed.into_iter().collect();
}

/// ELF: by name, in the wheel by soname or file name, along run paths. What is outside is judged with the policy that
/// the tag names.
fn elf<'a>(context: &Context<'a>, binary: &Binary, name: &str) -> Way<'a> {
    if policy::is_loader_or_libc(name) {
        return Way::System;
    }
    let providers: Vec<&'a Binary> = context.others(binary).filter(|other| other.answers_to(name)).collect();
    let Some(first) = providers.first() else {
        let policies: Vec<_> = context.policies().collect();
        let allowed = !policies.is_empty() && policies.iter().all(|policy| policy.allows_library(name));
        // Without a policy in the tag, what every policy knows is the system's; the tag itself is a finding already.
        return if allowed || (policies.is_empty() && policy::whitelisted_anywhere(name)) {
            Way::System
        } else {
            Way::LeftOut("which is neither in the wheel nor the platform's".to_owned())
        };
    };
    if providers.iter().any(|provider| elf_reaches(context, binary, provider)) {
        return Way::Found;
    }
    let how = if binary.is_outside() && !first.is_outside() {
        FROM_OUTSIDE.to_owned()
    } else if binary.has_runpath() {
        "its RUNPATH does not lead there".to_owned()
    } else {
        "no RPATH of it or of who needs it leads there".to_owned()
    };
    Way::Unreachable { provider: first, how }
}

/// The RUNPATH of a binary counts for its own needs and switches every RPATH off; without one, its RPATH and those of
/// everyone who loads it count (ld.so(8)).
fn elf_reaches(context: &Context<'_>, binary: &Binary, provider: &Binary) -> bool {
    let leads = |from: &Binary, kind| from.paths(kind).any(|path| elf_leads_to(path, from.folder(), provider.folder()));
    if binary.has_runpath() {
        return leads(binary, RpathKind::Runpath);
    }
    context.loaders(binary).into_iter().any(|loader| !loader.has_runpath() && leads(loader, RpathKind::Rpath))
}

/// Whether a run path with `$ORIGIN`, of a file in `from`, leads to the folder `wanted` of the wheel.
pub(super) fn elf_leads_to(path: &str, from: &str, wanted: &str) -> bool {
    path.split(':').any(|path| {
        let Some(rest) = path.strip_prefix("$ORIGIN").or_else(|| path.strip_prefix("${ORIGIN}")) else { return false };
        (rest.is_empty() || rest.starts_with('/')) && normal(&format!("{from}/{rest}")).as_deref() == Some(wanted)
    })
}

/// Mach-O: by path.
fn macho<'a>(context: &Context<'a>, binary: &Binary, name: &str) -> Way<'a> {
    if macos::is_system_library(name) {
        return Way::System;
    }
    let lies_at = |path: Option<String>| path.is_some_and(|path| context.places.contains(&path));
    let from = |loader: &Binary, rest: &str| normal(&format!("{}/{rest}", loader.folder()));
    let called = || context.others(binary).find(|other| other.file_name() == crate::binary::file_name(name));
    let own = name.strip_prefix("@loader_path/").or_else(|| {
        // A program is the executable of its process; what an extension is loaded into lies anywhere.
        name.strip_prefix("@executable_path/").filter(|_| binary.kind == ObjectKind::Executable)
    });
    if let Some(rest) = own {
        return match called() {
            _ if lies_at(from(binary, rest)) => Way::Found,
            Some(provider) if binary.is_outside() && !provider.is_outside() => {
                Way::Unreachable { provider, how: FROM_OUTSIDE.to_owned() }
            }
            _ => Way::LeftOut("and there is nothing at that path in the wheel".to_owned()),
        };
    }
    if let Some(rest) = name.strip_prefix("@rpath/") {
        let found = context.loaders(binary).into_iter().any(|loader| {
            let paths = loader.paths(RpathKind::LcRpath);
            paths
                .filter_map(|path| path.strip_prefix("@loader_path"))
                .any(|path| lies_at(from(loader, &format!("{path}/{rest}"))))
        });
        if found {
            return Way::Found;
        }
        return match called() {
            Some(provider) => {
                let outside = binary.is_outside() && !provider.is_outside();
                let how = if outside { FROM_OUTSIDE } else { "no LC_RPATH leads there" };
                Way::Unreachable { provider, how: how.to_owned() }
            }
            None => Way::LeftOut("which no LC_RPATH finds in the wheel".to_owned()),
        };
    }
    let libpython = name.contains("Python.framework/") || crate::binary::file_name(name).starts_with("libpython");
    Way::LeftOut(if libpython {
        "one interpreter's own library: an extension must leave Python's symbols undefined (`-undefined dynamic_lookup`)".to_owned()
    } else {
        "a path on the machine that built it".to_owned()
    })
}

/// PE: by file name in any case, beside the extension that was opened, or in a folder that the package's `__init__.py`
/// adds before. A program is a process of its own: it looks beside itself.
fn pe<'a>(context: &Context<'a>, patches: &Patches, binary: &Binary, name: &str) -> Way<'a> {
    let provided =
        arch_of(binary.architecture).is_some_and(|arch| windows::is_system_library(arch, name, context.python_minor));
    let providers: Vec<&'a Binary> = context.others(binary).filter(|other| other.answers_to(name)).collect();
    let Some(first) = providers.first() else {
        return if provided {
            Way::System
        } else {
            Way::LeftOut("which is neither in the wheel nor Windows' or Python's".to_owned())
        };
    };
    let loaders = context.loaders(binary);
    let reached = providers.iter().any(|provider| {
        let wanted = provider.folder();
        wanted == binary.folder()
            || loaders.iter().any(|loader| {
                let adds = loader.kind != ObjectKind::Executable && patches.adds(loader.folder(), wanted);
                loader.folder() == wanted || adds
            })
    });
    if reached || provided {
        Way::Found
    } else {
        let how = if binary.is_outside() && !first.is_outside() {
            FROM_OUTSIDE
        } else if binary.kind == ObjectKind::Executable {
            "a program looks in its own folder, and nothing adds another one"
        } else {
            "it lies in another folder, and no `__init__.py` adds that with `os.add_dll_directory`"
        };
        Way::Unreachable { provider: first, how: how.to_owned() }
    }
}

/// Which packages add folders to the search for DLLs.
struct Patches {
    /// The package's folder, and the text of its `__init__.py` where that adds any.
    texts: BTreeMap<String, String>,
}

impl Patches {
    fn of(context: &Context<'_>) -> Self {
        const MOST: u64 = 4 << 20;
        let is_patch = |place: &str, file: &wheel::Member| place.ends_with("__init__.py") && file.size <= MOST;
        let texts = context
            .files
            .iter()
            .filter(|(place, file)| context.has_pe() && is_patch(place, file))
            .filter_map(|(place, file)| {
                let text = context.after.wheel.archive.read(file).ok()?;
                let text = String::from_utf8_lossy(&text).into_owned();
                text.contains("add_dll_directory").then(|| (folder(place).to_owned(), text))
            })
            .collect();
        Self { texts }
    }

    /// Whether a module in `package` (or in a package around it) is imported after `wanted` was added.
    fn adds(&self, package: &str, wanted: &str) -> bool {
        let name = crate::binary::file_name(wanted);
        let around = |dir: &str| dir == package || package.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        self.texts.iter().any(|(dir, text)| around(dir) && text.contains(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn run_paths_inside_a_wheel() {
        for (path, from, wanted, leads) in [
            ("$ORIGIN", "x.libs", "x.libs", true),
            ("$ORIGIN/../x.libs", "pkg", "x.libs", true),
            ("${ORIGIN}/../../x.libs", "pkg/sub", "x.libs", true),
            ("/opt/llvm/lib:$ORIGIN/../x.libs", "pkg", "x.libs", true),
            ("$ORIGIN/../lib", "x.libs", "x.libs", false),
            ("$ORIGINAL/../x.libs", "pkg", "x.libs", false),
            ("/usr/lib", "x.libs", "x.libs", false),
            ("$ORIGIN/../../..", "a", "", false),
        ] {
            assert_eq!(elf_leads_to(path, from, wanted), leads, "{path} of {from}");
        }
    }
}
