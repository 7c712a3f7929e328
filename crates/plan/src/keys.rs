//! Cache keys: what a step's result depends on, as one digest; each step takes in the one before it.

use exec::Step;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What the steps read that does not stand on their command lines.
#[derive(Debug)]
pub(crate) struct Seed<'a> {
    /// What judges and builds: this program, as [`crate::Given::program`] says it.
    pub(crate) program: &'a str,
    /// Digest of the project's sources.
    pub(crate) sources: &'a str,
    /// The build's identifier.
    pub(crate) id: &'a str,
    /// The interpreter: path, size, time, version.
    pub(crate) interpreter: &'a str,
    /// LLVM: prefix, version, library.
    pub(crate) llvm: Option<String>,
    /// The variables that compilers and build tools read.
    pub(crate) environment: &'a BTreeMap<String, String>,
    /// The compilers: real paths, sizes, times.
    pub(crate) compilers: String,
    /// Settings that change the verdict but no command line.
    pub(crate) settings: String,
}

/// Gives every step its key. Whether a wheel is built from the tree or from the sdist is left out: the result is the
/// same wheel, and which build is the first depends on what was selected.
pub(crate) fn chain(seed: &Seed<'_>, steps: &mut [Step]) {
    let mut digest = Sha256::new();
    let mut take = |text: &str| {
        digest.update((text.len() as u64).to_le_bytes());
        digest.update(text.as_bytes());
    };
    for text in [seed.program, seed.sources, seed.id, seed.interpreter, seed.llvm.as_deref().unwrap_or("")] {
        take(text);
    }
    take(&seed.compilers);
    take(&seed.settings);
    for (name, value) in seed.environment {
        take(name);
        take(value);
    }
    let mut before = hex(digest);
    for step in steps {
        let mut digest = Sha256::new();
        let mut take = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text.as_bytes());
        };
        take(&before);
        // What made an environment of tools is no part of the result; which one it is stands in the steps that use it.
        if step.name != "sdist" && !step.name.starts_with("tools-") {
            take(&step.name);
            for word in &step.argv {
                take(if word.ends_with("{sdist}") || word.ends_with("{source}") { "{source}" } else { word });
            }
            // The time that is written into archives follows the commit; that sources were committed is no change of them.
            // Where somebody sets it, it stands in the seed.
            for (name, value) in step.env.iter().filter(|(name, _)| *name != "SOURCE_DATE_EPOCH") {
                take(name);
                take(value.as_deref().unwrap_or("\0"));
            }
        }
        step.key = hex(digest);
        before.clone_from(&step.key);
    }
}

fn hex(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed<'a>(sources: &'a str, environment: &'a BTreeMap<String, String>) -> Seed<'a> {
        Seed {
            program: "1",
            sources,
            id: "cp313-linux_x86_64",
            interpreter: "i",
            llvm: None,
            environment,
            compilers: "c".to_owned(),
            settings: String::new(),
        }
    }

    fn steps() -> Vec<Step> {
        ["sdist", "build", "repair"].map(|name| Step::new(name, [name, "{source}"], "/", "/log")).to_vec()
    }

    #[test]
    fn every_part_changes_the_last_key_and_the_sdist_does_not() {
        let empty = BTreeMap::new();
        let flags = BTreeMap::from([("CXXFLAGS".to_owned(), "-O3".to_owned())]);
        let last = |seed: &Seed<'_>, mut steps: Vec<Step>| {
            chain(seed, &mut steps);
            steps.last().unwrap().key.clone()
        };
        let base = last(&seed("a", &empty), steps());
        assert_eq!(base, last(&seed("a", &empty), steps()));
        assert_ne!(base, last(&seed("b", &empty), steps()));
        assert_ne!(base, last(&seed("a", &flags), steps()));
        assert_ne!(
            base,
            last(&Seed { program: "2", ..seed("a", &empty) }, steps()),
            "another program judges otherwise"
        );
        assert_ne!(base, last(&Seed { compilers: "d".to_owned(), ..seed("a", &empty) }, steps()));
        let mut other = steps();
        other[1].argv.push("-v".to_owned());
        assert_ne!(base, last(&seed("a", &empty), other));
        let tools = |program: &str| {
            let mut all = vec![Step::new("tools-build-install", [program, "install"], "/", "/log")];
            all.extend(steps());
            all
        };
        assert_eq!(last(&seed("a", &empty), tools("uv")), last(&seed("a", &empty), tools("pip")));
        let later = steps().into_iter().map(|step| step.with_env("SOURCE_DATE_EPOCH", "1700000000")).collect();
        assert_eq!(base, last(&seed("a", &empty), later));
        assert_eq!(base.len(), 64);
    }
}
