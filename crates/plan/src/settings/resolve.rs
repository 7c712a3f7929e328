//! One file resolved into settings: Pythons, targets, limits, rules. Projects are `project`'s.

use super::units::{parse_duration, parse_size, tidy};
use super::{CONFIG_FILE, DEFAULT_BUDGET, Explained, Given, Origin, Repair, Settings, Target, TimeLimits};
use crate::config::file::{AcceptEntry, Flag, ProjectEntry, PythonLines, RuleEntry, TargetEntry, WheelsFile};
use crate::config::yaml::{self, ConfigError, Located, Place};
use crate::matrix::default_runner;
use camino::{Utf8Path, Utf8PathBuf};
use diagnostics::{Acceptance, Adjustments, Registry, RuleSettings};
use platform::policy::{Libc, Policy, macos, policies};
use platform::{PolicyStem, PythonRequest, TargetKey, TargetPlatform};
use std::collections::BTreeMap;
use std::fmt;

/// What holds for a folder with a pyproject.toml and nothing else.
pub(super) fn without_file() -> WheelsFile {
    let project =
        ProjectEntry { path: Located { value: ".".to_owned(), place: Place::default() }, ..Default::default() };
    WheelsFile {
        version: Located { value: 1, place: Place::default() },
        projects: Some(Located {
            value: vec![Located { value: project, place: Place::default() }],
            place: Place::default(),
        }),
        python: None,
        llvm: None,
        targets: None,
        provision: None,
        repair: None,
        budget: None,
        time_limits: None,
        rules: None,
    }
}

/// Resolves one file; collects where each value came from on the way.
pub(super) struct Resolver<'a> {
    pub(super) root: &'a Utf8Path,
    text: &'a str,
    explained: Vec<Explained>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(root: &'a Utf8Path, text: &'a str) -> Self {
        Self { root, text, explained: Vec::new() }
    }

    pub(super) fn error(&self, place: Place, message: impl Into<String>) -> ConfigError {
        ConfigError::new(CONFIG_FILE.into(), self.text, place, message)
    }

    /// A folder that the file names, relative to the root. An absolute one may be another system's: it stays as it is.
    pub(super) fn folder(&self, written: &str) -> Utf8PathBuf {
        let style = platform::PathStyle::of(written);
        let foreign = style.is_some() && style != platform::PathStyle::of(self.root.as_str());
        if foreign { written.into() } else { tidy(&self.root.join(written)) }
    }

    pub(super) fn note(&mut self, key: impl Into<String>, value: impl fmt::Display, origin: Origin) {
        self.explained.push(Explained { key: key.into(), value: value.to_string(), origin });
    }

    /// The same for a value whose place was not kept: that of its key, where the text has it once.
    pub(super) fn note_found(&mut self, key: String, name: &str, value: impl fmt::Display) {
        let origin = Self::at(self.place_of_key(name, Self::ANYWHERE));
        self.note(key, value, origin);
    }

    pub(super) fn at(place: Place) -> Origin {
        if place == Place::default() { Origin::Default } else { Origin::File(CONFIG_FILE.into(), place) }
    }

    /// Refuses a format that this program does not know.
    pub(super) fn version(&self, file: &WheelsFile) -> Result<(), ConfigError> {
        if file.version.value != 1 {
            let message = format!("version {} of this format is not known", file.version.value);
            return Err(self.error(file.version.place, message).help("this program reads `version: 1`"));
        }
        Ok(())
    }

    pub(super) fn resolve(
        mut self,
        file: WheelsFile,
        given: &Given,
        registry: &Registry,
    ) -> Result<Settings, ConfigError> {
        self.version(&file)?;
        let python = self.python(file.python.as_ref(), given)?;
        let llvm = file.llvm.as_ref().map(|llvm| self.llvm("llvm", llvm)).transpose()?.unwrap_or_default();
        let targets = self.targets(file.targets.as_ref(), given)?;
        let projects = self.projects(file.projects.as_ref(), &targets)?;
        let repair = self.repair(file.repair.unwrap_or_default())?;
        let budget = match file.budget.and_then(|budget| budget.wheel) {
            Some(wheel) => {
                let bytes = parse_size(&wheel.value).map_err(|reason| self.error(wheel.place, reason))?;
                self.note("budget.wheel", &wheel.value, Self::at(wheel.place));
                bytes
            }
            None => {
                self.note("budget.wheel", "100MB (PyPI's default limit)", Origin::Default);
                DEFAULT_BUDGET
            }
        };
        let limits = file.time_limits.unwrap_or_default();
        let default = TimeLimits::default();
        let time_limits = TimeLimits {
            build: self.limit("time_limits.build", limits.build, default.build)?,
            test: self.limit("time_limits.test", limits.test, default.test)?,
            step: self.limit("time_limits.step", limits.step, default.step)?,
        };
        let provision = self.provision(file.provision.unwrap_or_default())?;
        let adjustments = self.rules(file.rules.unwrap_or_default(), registry)?;
        Ok(Settings {
            program: given.program.clone(),
            root: self.root.to_owned(),
            projects,
            python,
            targets,
            llvm,
            provision,
            repair,
            budget,
            time_limits,
            adjustments,
            explained: self.explained,
            text: self.text.to_owned(),
        })
    }

    fn python(
        &mut self,
        entry: Option<&Located<PythonLines>>,
        given: &Given,
    ) -> Result<Vec<PythonRequest>, ConfigError> {
        if let Some((texts, origin)) = &given.python {
            self.note("python", texts.join(", "), origin.clone());
            return texts.iter().map(|text| parse_given(text, origin, "a Python such as `3.13` or `>=3.9`")).collect();
        }
        let Some(entry) = entry else {
            self.note("python", ">=3.9", Origin::Default);
            return Ok(vec![default_python()]);
        };
        self.note(
            "python",
            entry.value.0.iter().map(|line| line.value.as_str()).collect::<Vec<_>>().join(", "),
            Self::at(entry.place),
        );
        if entry.value.0.is_empty() {
            return Err(self.error(entry.place, "`python:` names no Python").help("for example: python: [\">=3.9\"]"));
        }
        entry
            .value
            .0
            .iter()
            .map(|line| {
                line.value.parse::<PythonRequest>().map_err(|error| {
                    let place = if line.place == Place::default() { entry.place } else { line.place };
                    self.error(place, error.to_string())
                        .help("a version (`3.13`, `cp313t`) or specifiers (`>=3.9,<3.14`)")
                })
            })
            .collect()
    }

    fn targets(
        &mut self,
        entry: Option<&Located<BTreeMap<String, Located<TargetEntry>>>>,
        given: &Given,
    ) -> Result<Vec<Target>, ConfigError> {
        let mut targets = Vec::new();
        let mut entries: Vec<_> = entry.map(|entry| &entry.value).into_iter().flatten().collect();
        // As they were written: what matters most to whoever wrote it stands first, in the plan and in the matrix.
        entries.sort_by_key(|(_, located)| (located.place.line, located.place.column));
        for (name, located) in entries {
            let key: TargetKey = name.parse().map_err(|error: platform::TargetKeyError| {
                self.error(self.place_of_key(name, located.place), error.to_string())
                    .help("a target is `os-arch[-name]`: linux-x86_64, linux-arm64, macos-arm64, windows-x86_64 …")
            })?;
            let platform = self.platform(&key, located.value.platform.as_ref())?;
            let options = self.options(&format!("targets.{name}"), located.value.options())?;
            if located.value.runner.is_none()
                && let Some(runner) = default_runner(&key)
            {
                self.note(format!("targets.{name}.runner"), runner, Origin::Default);
            }
            for (leaf, value) in [("runner", &located.value.runner), ("container", &located.value.container)] {
                if let Some(value) = value {
                    self.note(format!("targets.{name}.{leaf}"), value, Self::at(located.place));
                }
            }
            targets.push(Target {
                place: self.place_of_key(name, located.place),
                key,
                platform,
                runner: located.value.runner.clone(),
                container: located.value.container.clone(),
                options,
            });
        }
        let Some((wanted, origin)) = &given.targets else { return Ok(targets) };
        self.note("targets", wanted.join(", "), origin.clone());
        let names: Vec<String> = targets.iter().map(|target| target.key.to_string()).collect();
        for name in wanted {
            if names.contains(name) {
                continue;
            }
            if !names.is_empty() {
                let message = format!("there is no target `{name}`");
                return Err(from_origin(origin, message).help(yaml::choose(name, &names)));
            }
            targets.push(Target::auto(parse_given(name, origin, "a target such as `linux-x86_64`")?));
        }
        targets.retain(|target| wanted.contains(&target.key.to_string()));
        Ok(targets)
    }

    /// For [`Self::place_of_key`]: the last such key of the file.
    pub(super) const ANYWHERE: Place = Place { line: u64::MAX, column: 0 };

    /// A map's key has no place of its own: the line that starts with it, before its value.
    pub(super) fn place_of_key(&self, key: &str, value: Place) -> Place {
        let lines: Vec<&str> = self.text.lines().collect();
        let upto = usize::try_from(value.line).unwrap_or(0).min(lines.len());
        let found = lines.iter().take(upto).enumerate().rev().find_map(|(index, line)| {
            let column = line.find(key)?;
            line[column + key.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start()
                .starts_with(':')
                .then_some(Place { line: index as u64 + 1, column: line[..column].chars().count() as u64 + 1 })
        });
        found.unwrap_or(if value == Self::ANYWHERE { Place::default() } else { value })
    }

    /// Where a text stands that has no place of its own; the file as a whole where it is written otherwise.
    pub(super) fn place_of_text(&self, text: &str) -> Place {
        let lines = self.text.lines().enumerate();
        let found = lines.filter(|_| !text.is_empty()).find_map(|(index, line)| Some((index, line, line.find(text)?)));
        found.map_or(Place::default(), |(index, line, column)| Place {
            line: index as u64 + 1,
            column: line[..column].chars().count() as u64 + 1,
        })
    }

    fn limit(&mut self, key: &str, entry: Option<Located<String>>, default: u64) -> Result<u64, ConfigError> {
        match entry {
            Some(text) => {
                let seconds = parse_duration(&text.value).map_err(|reason| self.error(text.place, reason))?;
                self.note(key, &text.value, Self::at(text.place));
                Ok(seconds)
            }
            None => {
                self.note(key, format!("{default}s"), Origin::Default);
                Ok(default)
            }
        }
    }

    fn repair(&mut self, entry: crate::config::file::RepairEntry) -> Result<Repair, ConfigError> {
        if let Some(repairer) = &entry.repairer {
            self.repairer(repairer)?;
        }
        for (name, list) in [
            ("exclude", &entry.exclude),
            ("lib_dirs", &entry.lib_dirs),
            ("no_mangle", &entry.no_mangle),
            ("namespace_packages", &entry.namespace_packages),
        ] {
            if let Some(list) = list {
                self.note_found(format!("repair.{name}"), name, list.join(", "));
            }
        }
        let strip = self.flag(entry.strip.as_ref())?;
        let graft_existing = self.flag(entry.graft_existing.as_ref())?;
        for (name, flag) in [("strip", strip), ("graft_existing", graft_existing)] {
            if let Some(flag) = flag {
                self.note_found(format!("repair.{name}"), name, flag);
            }
        }
        Ok(Repair {
            exclude: entry.exclude.unwrap_or_default(),
            strip: strip.unwrap_or(false),
            lib_dirs: entry.lib_dirs.unwrap_or_default().iter().map(|dir| self.folder(dir)).collect(),
            no_mangle: entry.no_mangle.unwrap_or_default(),
            namespace_packages: entry.namespace_packages.unwrap_or_default(),
            graft_existing: graft_existing.unwrap_or(false),
        })
    }

    /// The platform's own tool is the only one that repairs; what will be one day is no typing error.
    fn repairer(&mut self, said: &Located<String>) -> Result<(), ConfigError> {
        const TOOL: &str = "tool";
        if said.value == "native" {
            let message =
                "`repairer: native` does not exist yet: wheels are repaired by auditwheel, delocate and delvewheel";
            return Err(self.error(said.place, message).help(format!("leave it out, or write `{TOOL}`")));
        }
        if said.value != TOOL {
            let message = format!("unknown value `{}`", said.value);
            return Err(self.error(said.place, message).help(yaml::choose(&said.value, &[TOOL])));
        }
        self.note("repair.repairer", TOOL, Self::at(said.place));
        Ok(())
    }

    /// What a target's `platform:` says.
    fn platform(&mut self, key: &TargetKey, said: Option<&Located<String>>) -> Result<TargetPlatform, ConfigError> {
        let name = format!("targets.{key}.platform");
        let Some(said) = said else {
            self.note(name, "auto", Origin::Default);
            return Ok(TargetPlatform::Auto);
        };
        self.note(name, &said.value, Self::at(said.place));
        let platform = TargetPlatform::parse(&said.value, key).map_err(|error| {
            let shown = self.error(said.place, error.to_string());
            if let Some(near) = near_policy(&said.value, key) { shown.help(near) } else { shown }
        })?;
        if let TargetPlatform::Policy(PolicyStem::Macosx(version)) = &platform
            && let Some((why, meant)) = macos::no_such_target(*version, key.arch)
        {
            let message = format!("`{}` is not a platform of {key}: {why}", said.value);
            return Err(self.error(said.place, message).help(format!("write `macosx_{}_{}`", meant.0, meant.1)));
        }
        Ok(platform)
    }

    /// What a flag says.
    pub(super) fn flag(&self, entry: Option<&Located<Flag>>) -> Result<Option<bool>, ConfigError> {
        let Some(located) = entry else { return Ok(None) };
        let Some(value) = located.value.0 else {
            return Err(self.error(located.place, "`true` or `false` is expected here"));
        };
        Ok(Some(value))
    }

    fn provision(
        &mut self,
        entry: BTreeMap<String, Vec<String>>,
    ) -> Result<BTreeMap<String, Vec<String>>, ConfigError> {
        let managers = host::packages::ManagerKind::ALL.map(host::packages::ManagerKind::name);
        for (name, packages) in &entry {
            if !managers.contains(&name.as_str()) {
                let message = format!("`provision.{name}` is not a package manager that is known");
                return Err(self
                    .error(self.place_of_key(name, Self::ANYWHERE), message)
                    .help(yaml::choose(name, &managers)));
            }
            if let Some(odd) = packages.iter().find(|package| package.is_empty() || package.starts_with('-')) {
                return Err(
                    self.error(self.place_of_text(odd), format!("`provision.{name}`: `{odd}` is not a package name"))
                );
            }
            self.note_found(format!("provision.{name}"), name, packages.join(" "));
        }
        Ok(entry)
    }

    pub(super) fn rules(
        &self,
        entries: BTreeMap<String, Located<RuleEntry>>,
        registry: &Registry,
    ) -> Result<Adjustments, ConfigError> {
        let mut settings = Vec::new();
        for (name, located) in entries {
            // What rules say is not explained line by line: `explain` and the findings themselves do that.
            if let Err(unknown) = registry.find(&name) {
                let place = self.place_of_key(&name, located.place);
                return Err(self.error(place, unknown.to_string()).help("docs/rules.md lists all rules"));
            }
            let mut accept = Vec::new();
            for Located { value, place } in located.value.accept {
                if value.reason.trim().is_empty() {
                    return Err(self.error(place, "an accepted finding needs a reason"));
                }
                if value.file.is_none() && value.member.is_none() && value.symbol.is_none() {
                    let help = "say at least one of `file`, `member`, `symbol`; to silence the rule: severity: off";
                    return Err(self.error(place, "what is accepted is not said").help(help));
                }
                let line = u32::try_from(place.line).unwrap_or(0);
                let AcceptEntry { file, member, symbol, reason } = value;
                let at = Some(diagnostics::Location::new(CONFIG_FILE, line));
                accept.push(Acceptance { file, member, symbol, reason, at });
            }
            let rule = (name, RuleSettings { severity: located.value.severity, accept });
            // One by one first, so that what is wrong with one has its place.
            Adjustments::new(registry, [rule.clone()]).map_err(|error| self.error(located.place, error.to_string()))?;
            settings.push(rule);
        }
        Adjustments::new(registry, settings).map_err(|error| self.error(Place::default(), error.to_string()))
    }
}

/// The policy that was meant by one that there is not for the target's processor.
fn near_policy(text: &str, key: &TargetKey) -> Option<String> {
    let known: Vec<&Policy> = Libc::ALL.into_iter().flat_map(|libc| policies(libc, key.arch)).collect();
    if let Some(other) = Policy::by_name(text) {
        let first = known.iter().find(|policy| policy.libc == other.libc && policy.version >= other.version)?;
        return Some(format!("write `{}`: it is the first for {}", first.name, key.arch));
    }
    // What is no policy at all has its advice in the message.
    text.parse::<TargetPlatform>().ok()?;
    let letters = |text: &str| {
        let mut letters: Vec<char> = text.chars().collect();
        letters.sort_unstable();
        letters
    };
    // Of the many names with one other digit, the one with the same digits in another order is the likeliest.
    let turned = known.iter().map(|policy| policy.name).find(|name| letters(name) == letters(text));
    let near = turned.or_else(|| diagnostics::nearest(text, known.iter().map(|policy| policy.name)))?;
    Some(format!("did you mean `{near}`?"))
}

fn default_python() -> PythonRequest {
    // The oldest Python that still had security releases when this was written.
    PythonRequest::from_specifiers(">=3.9").unwrap_or_else(|_| unreachable!("a constant that a test parses"))
}

/// The texts of a list, with commas.
pub(super) fn join<T>(items: &[T], text: impl Fn(&T) -> &String) -> String {
    items.iter().map(|item| text(item).as_str()).collect::<Vec<_>>().join(", ")
}

fn from_origin(origin: &Origin, message: impl Into<String>) -> ConfigError {
    ConfigError::new(Utf8Path::new(&origin.to_string()), "", Place::default(), message)
}

fn parse_given<T>(text: &str, origin: &Origin, expected: &str) -> Result<T, ConfigError>
where
    T: std::str::FromStr,
    T::Err: fmt::Display,
{
    text.parse().map_err(|error: T::Err| from_origin(origin, error.to_string()).help(format!("expected {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_python_parses() {
        assert!(PythonRequest::from_specifiers(">=3.9").is_ok());
    }
}
