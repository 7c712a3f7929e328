//! Projects resolved: their folder, pyproject.toml, commands, options and LLVM.

use super::resolve::{Resolver, join};
use super::units::{is_module_name, tidy};
use super::{LlvmOptions, Options, Origin, Project, ProjectTarget, Target};
use crate::config::file::{Lines, Linkage, LlvmEntry, OptionsRef, ProjectEntry, ProjectTargetEntry};
use crate::config::yaml::{self, ConfigError, Located, Place};
use crate::pyproject::Pyproject;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use platform::paths::same_somewhere;
use platform::{Distribution, PythonRequest, TargetKey};
use std::collections::{BTreeMap, BTreeSet};

/// A text without what editors and Git on Windows add: a byte order mark in front, `\r` at line ends. It goes into the
/// digests that environments of tools are named by, and those are to be the same in every checkout.
fn plain_text(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

impl Resolver<'_> {
    pub(super) fn projects(
        &mut self,
        entry: Option<&Located<Vec<Located<ProjectEntry>>>>,
        targets: &[Target],
    ) -> Result<Vec<Project>, ConfigError> {
        let Some(entry) = entry else {
            return Err(self
                .error(Place::default(), "`projects:` is missing")
                .help("list at least one folder with a pyproject.toml: projects: [{ path: ., import: [mypackage] }]"));
        };
        if entry.value.is_empty() {
            return Err(self.error(entry.place, "`projects:` lists no project"));
        }
        let mut seen = BTreeSet::new();
        let mut projects = Vec::new();
        for (index, project) in entry.value.iter().enumerate() {
            if project.value.path.value.is_empty() {
                let help = "`path:` names the folder with the project's pyproject.toml; `.` is this one";
                return Err(self.error(project.place, "this project has no `path:`").help(help));
            }
            let project = &project.value;
            let resolved = self.project(index, project, targets)?;
            if !seen.insert(resolved.key.clone()) {
                let message = format!("the project `{}` is listed twice", resolved.key);
                return Err(self.error(project.path.place, message));
            }
            let meets = |other: &&Project| same_somewhere(other.shown.as_str(), resolved.shown.as_str());
            if let Some(other) = projects.iter().find(meets) {
                let message = format!("`{}` and `{}` are one folder on macOS and Windows", other.shown, resolved.shown);
                return Err(self
                    .error(project.path.place, message)
                    .help("give them names that differ in more than case"));
            }
            projects.push(resolved);
        }
        Ok(projects)
    }

    fn project(&mut self, index: usize, entry: &ProjectEntry, targets: &[Target]) -> Result<Project, ConfigError> {
        let at = format!("projects[{index}]");
        let place = entry.path.place;
        let shown = Utf8PathBuf::from(&entry.path.value);
        let dir = tidy(&self.root.join(&shown));
        // Found all the same where the file system does not tell cases apart; a runner with Linux would not find it.
        if let Some(name) = on_disk(self.root, &shown) {
            let message = format!("the project folder `{shown}` is called `{name}`");
            return Err(self.error(place, message).help(format!("write `{name}`: case counts on Linux")));
        }
        if !dir.is_dir() {
            let message = format!("the project folder `{shown}` does not exist");
            return Err(self.error(place, message).help(format!("`path:` is relative to `{}`", self.root)));
        }
        let pyproject = Pyproject::read(&dir, &shown).map_err(|error| {
            // A project without the file is the configuration's fault, so that is what is shown.
            if error.place == Place::default() && place != Place::default() {
                let shown = self.error(place, error.message.clone());
                if let Some(help) = error.help { shown.help(help) } else { shown }
            } else {
                error
            }
        })?;
        self.note(format!("{at}.path"), &shown, Self::at(place));
        let file = platform::paths::join(&shown, "pyproject.toml");
        let key = Distribution::new(&pyproject.name)
            .map_err(|error| ConfigError::new(&file, "", Place::default(), error.to_string()))?;
        let imports = match &entry.import {
            Some(modules) => {
                self.note(format!("{at}.import"), join(&modules.value, |m| &m.value), Self::at(modules.place));
                for module in &modules.value {
                    if !is_module_name(&module.value) {
                        let message = format!("`{}` is not a module name", module.value);
                        return Err(self
                            .error(module.place, message)
                            .help("dotted identifiers, as in an import statement"));
                    }
                }
                modules.value.iter().map(|module| module.value.clone()).collect()
            }
            None => {
                let module = pyproject.likely_module();
                self.note(format!("{at}.import"), &module, Origin::Pyproject(file.clone()));
                vec![module]
            }
        };
        let requires_python = match &pyproject.requires_python {
            Some(text) => {
                self.note(format!("{at}.requires-python"), text, Origin::Pyproject(file.clone()));
                Some(PythonRequest::from_specifiers(text).map_err(|error| {
                    ConfigError::new(&file, "", Place::default(), format!("requires-python: {error}"))
                })?)
            }
            None => None,
        };
        let tests = self.commands(&format!("{at}.test"), entry.test.as_ref())?.unwrap_or_default();
        let lock = match &entry.lock {
            Some(lock) => {
                self.note(format!("{at}.lock"), &lock.value, Self::at(lock.place));
                let text = fs_err::read_to_string(self.root.join(&lock.value)).map_err(|error| {
                    let why = if error.kind() == std::io::ErrorKind::NotFound {
                        "does not exist".to_owned()
                    } else {
                        error.to_string()
                    };
                    self.error(lock.place, format!("the lock file `{}` {why}", lock.value))
                })?;
                Some(plain_text(&text))
            }
            None => None,
        };
        let options = self.options(&at, entry.options())?;
        let mut own = BTreeMap::new();
        let known: Vec<String> = targets.iter().map(|target| target.key.to_string()).collect();
        for (name, located) in entry.targets.iter().flatten() {
            let located: &Located<ProjectTargetEntry> = located;
            if name.parse::<TargetKey>().is_err() || (!known.is_empty() && !known.contains(name)) {
                let message = format!("`{name}` is no target of this file");
                let help = yaml::choose(name, &known);
                return Err(self.error(self.place_of_key(name, located.place), message).help(help));
            }
            let options = self.options(&format!("{at}.targets.{name}"), located.value.options())?;
            let skip = self.flag(located.value.skip.as_ref())?.unwrap_or(false);
            own.insert(name.clone(), ProjectTarget { skip, options });
        }
        if let Some(coexist) = &entry.coexist {
            self.note_found(format!("{at}.coexist"), "coexist", coexist.join(", "));
        }
        Ok(Project {
            key: key.to_string(),
            dir,
            shown,
            pyproject,
            requires_python,
            imports,
            tests,
            coexist: entry.coexist.clone().unwrap_or_default(),
            lock,
            options,
            targets: own,
        })
    }

    pub(super) fn options(&mut self, at: &str, options: OptionsRef<'_>) -> Result<Options, ConfigError> {
        let own_llvm =
            options.llvm.map(|entry| self.llvm(&format!("{at}.llvm"), entry)).transpose()?.unwrap_or_default();
        if let Some(environment) = options.environment {
            for (name, value) in environment {
                if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
                    let message = format!("`{at}.environment`: `{name}` is not a variable that can be set");
                    return Err(self.error(self.place_of_key(name, Self::ANYWHERE), message));
                }
            }
        }
        for (name, value) in options.environment.into_iter().flatten() {
            self.note_found(format!("{at}.environment.{name}"), name, value);
        }
        for (name, lines) in options.config_settings.into_iter().flatten() {
            self.note_found(format!("{at}.config_settings.{name}"), name, lines.0.join(", "));
        }
        for (name, list) in [("test_requires", options.test_requires), ("test_extras", options.test_extras)] {
            if let Some(list) = list {
                self.note_found(format!("{at}.{name}"), name, list.join(", "));
            }
        }
        Ok(Options {
            config_settings: options
                .config_settings
                .map(|map| map.iter().map(|(key, lines)| (key.clone(), lines.0.clone())).collect())
                .unwrap_or_default(),
            environment: options.environment.cloned().unwrap_or_default(),
            before_all: self.commands(&format!("{at}.before_all"), options.before_all)?,
            before_build: self.commands(&format!("{at}.before_build"), options.before_build)?,
            test_requires: options.test_requires.cloned(),
            test_extras: options.test_extras.cloned(),
            llvm: own_llvm,
        })
    }

    pub(super) fn llvm(&mut self, at: &str, entry: &Located<LlvmEntry>) -> Result<LlvmOptions, ConfigError> {
        match &entry.value {
            LlvmEntry::No => {
                self.note(at, "false", Self::at(entry.place));
                Ok(LlvmOptions { used: Some(false), ..LlvmOptions::default() })
            }
            LlvmEntry::Wanted(wish) => {
                let version = match &wish.version {
                    Some(text) => {
                        self.note(format!("{at}.version"), text, Self::at(entry.place));
                        let range = text.parse::<llvm::VersionRange>().map_err(|error| {
                            self.error(entry.place, error.to_string()).help("for example `>=14`, `>=15,<20`, `19`")
                        })?;
                        Some(range)
                    }
                    None => None,
                };
                let linkage = wish.linkage.map(|linkage| match linkage {
                    Linkage::Shared => llvm::Linkage::Shared,
                    Linkage::Static => llvm::Linkage::Static,
                });
                if let Some(linkage) = linkage {
                    let shown = if linkage == llvm::Linkage::Static { "static" } else { "shared" };
                    self.note(format!("{at}.linkage"), shown, Self::at(entry.place));
                }
                let dir = wish.dir.as_ref().map(|dir| self.folder(dir));
                if let Some(dir) = &dir {
                    self.note(format!("{at}.dir"), dir, Self::at(entry.place));
                }
                Ok(LlvmOptions { used: Some(true), version, linkage, dir })
            }
        }
    }

    fn commands(&mut self, at: &str, lines: Option<&Located<Lines>>) -> Result<Option<Vec<Vec<String>>>, ConfigError> {
        let Some(lines) = lines else { return Ok(None) };
        self.note(at, lines.value.0.join(" && "), Self::at(lines.place));
        let mut commands = Vec::new();
        for line in &lines.value.0 {
            let words = shell_words::split(line).map_err(|error| {
                self.error(lines.place, format!("`{line}` cannot be split into words: {error}"))
                    .help("a command is split as a shell would, and run without one")
            })?;
            if words.is_empty() {
                return Err(self.error(lines.place, format!("`{at}` has an empty command")));
            }
            if let Some(operator) =
                words.iter().find(|word| matches!(word.as_str(), "&&" | "||" | "|" | ";" | ">" | "<"))
            {
                return Err(self
                    .error(lines.place, format!("`{operator}` stands in `{line}`, but no shell runs it"))
                    .help("write a list of commands, or `sh -c '…'`"));
            }
            self.placeholders(line, &words, lines.place)?;
            commands.push(words);
        }
        Ok(Some(commands))
    }
}

impl Resolver<'_> {
    /// Refuses what looks like something that is filled in and is not: it would reach the program as it stands. What a
    /// program is given to run (`python -c …`, `sh -c …`) is another language, with braces of its own.
    fn placeholders(&self, line: &str, words: &[String], place: Place) -> Result<(), ConfigError> {
        const KNOWN: [&str; 1] = ["project"];
        for (index, word) in words.iter().enumerate() {
            let code = index > 0 && words.get(index - 1).is_some_and(|before| before == "-c");
            for name in braced(word).filter(|name| !KNOWN.contains(name)) {
                let near = diagnostics::nearest(name, KNOWN);
                if code && near.is_none() {
                    continue;
                }
                let written = format!("{{{name}}}");
                let found = self.place_of_text(&written);
                let at = if found == Place::default() { place } else { found };
                let known = KNOWN.map(|name| format!("{{{name}}}"));
                return Err(self
                    .error(at, format!("`{written}` in `{line}` stands for nothing"))
                    .help(yaml::choose(&written, &known)));
            }
        }
        Ok(())
    }
}

/// The names in `{…}`, without those of a shell's `${…}`.
fn braced(word: &str) -> impl Iterator<Item = &str> {
    let named = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    word.match_indices('{').filter_map(move |(start, _)| {
        let shell = word.get(..start).is_some_and(|before| before.ends_with('$'));
        let (name, _) = word.get(start + 1..)?.split_once('}')?;
        (!shell && named(name)).then_some(name)
    })
}

/// A path below the root as the folders on the disk are written, where that differs from what was asked for in case alone;
/// none if nothing of that name is there, or a part of the path is `..`.
fn on_disk(root: &Utf8Path, asked: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut folder = root.to_owned();
    let mut written = Utf8PathBuf::new();
    for component in asked.components() {
        let name = match component {
            Utf8Component::Normal(name) => name,
            Utf8Component::CurDir => continue,
            _ => return None,
        };
        let names: Vec<String> =
            folder.read_dir_utf8().ok()?.flatten().map(|entry| entry.file_name().to_owned()).collect();
        let exact = names.iter().find(|known| *known == name);
        let name = exact.or_else(|| names.iter().find(|known| known.to_lowercase() == name.to_lowercase()))?;
        folder.push(name);
        written = if written.as_str().is_empty() { name.into() } else { platform::paths::join(&written, name) };
    }
    (!same_text(&written, asked)).then_some(written)
}

/// Whether two relative paths are the same but for separators and `.`.
fn same_text(one: &Utf8Path, other: &Utf8Path) -> bool {
    let parts = |path: &Utf8Path| -> Vec<String> {
        path.as_str().split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    parts(one) == parts(other)
}
