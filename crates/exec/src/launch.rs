//! From a command as it was written to an expression that can be started.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use duct::Expression;

use crate::environment::{self, Inherit, STEP_VARIABLE};
use crate::error::StepError;
use crate::program::{Naming, find_program};

/// What is started, whoever asked for it.
pub(crate) struct Launch<'a> {
    pub(crate) name: &'a str,
    pub(crate) argv: &'a [String],
    pub(crate) env: &'a BTreeMap<String, Option<String>>,
    pub(crate) inherit: Inherit,
    pub(crate) cwd: &'a Utf8Path,
}

/// An expression without input and output, which the caller connects.
pub(crate) struct Ready {
    pub(crate) expression: Expression,
    pub(crate) program: Utf8PathBuf,
    /// By which the processes of this start are recognised.
    pub(crate) mark: String,
}

impl Launch<'_> {
    /// The program as it was asked for.
    pub(crate) fn program(&self) -> &str {
        self.argv.first().map(String::as_str).unwrap_or_default()
    }

    /// Checks it, finds the program, and puts the environment together.
    pub(crate) fn prepare(&self) -> Result<Ready, StepError> {
        self.check()?;
        let naming = Naming::host();
        let cwd = camino::absolute_utf8(self.cwd).map_err(|source| self.io("enter", self.cwd, source))?;
        let metadata = fs_err::metadata(&cwd).map_err(|error| self.io("enter", &cwd, error.kind().into()))?;
        if !metadata.is_dir() {
            return Err(self.io("enter", &cwd, std::io::ErrorKind::NotADirectory.into()));
        }
        let mut environment = environment::compose(std::env::vars_os(), self.inherit, self.env, &naming);
        let path = environment::value_of(&environment, "PATH", &naming).map(|path| path.to_string_lossy().into_owned());
        let program = find_program(self.program(), &path.unwrap_or_default(), &cwd, &naming).map_err(|searched| {
            StepError::NotFound { step: self.name.to_owned(), program: self.program().to_owned(), searched }
        })?;
        let mark = new_mark();
        environment.retain(|(name, _)| name.to_str() != Some(STEP_VARIABLE));
        environment.push((STEP_VARIABLE.into(), marks(std::env::var_os(STEP_VARIABLE), &mark)));
        let expression = duct::cmd(program.as_std_path(), self.argv.iter().skip(1)).dir(&cwd).full_env(environment);
        Ok(Ready { expression, program, mark })
    }

    /// What the system would refuse with an obscure word, or take for something else.
    fn check(&self) -> Result<(), StepError> {
        let reason = if self.program().is_empty() {
            "there is no program to run".to_owned()
        } else if let Some(argument) = self.argv.iter().find(|argument| argument.contains('\0')) {
            format!("an argument holds a NUL byte: {argument:?}")
        } else if let Some(name) = self.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
            format!("{name:?} cannot be the name of a variable")
        } else if let Some((name, _)) =
            self.env.iter().find(|(_, value)| value.as_ref().is_some_and(|v| v.contains('\0')))
        {
            format!("the variable `{name}` holds a NUL byte")
        } else {
            return Ok(());
        };
        Err(StepError::Malformed { step: self.name.to_owned(), reason })
    }

    fn io(&self, action: &'static str, path: &Utf8Path, source: std::io::Error) -> StepError {
        StepError::Io { step: self.name.to_owned(), action, path: path.to_owned(), source }
    }
}

/// Unlike any other, here and in other processes: the hasher's keys come from the system's random source.
fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let word = || {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(COUNT.fetch_add(1, Ordering::Relaxed));
        hasher.write_u32(std::process::id());
        hasher.finish()
    };
    format!("{:016x}{:016x}", word(), word())
}

/// A run within a run keeps the outer mark, so that the outer one finds its processes too.
fn marks(outer: Option<OsString>, mark: &str) -> OsString {
    match outer {
        Some(mut outer) if !outer.is_empty() => {
            outer.push(":");
            outer.push(mark);
            outer
        }
        _ => mark.into(),
    }
}
