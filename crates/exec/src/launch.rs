//! From a command as it was written to an expression that can be started.

use std::collections::hash_map::RandomState;
use std::ffi::OsString;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use duct::Expression;

use crate::environment::{self, Inherit, STEP_VARIABLE};
use crate::error::StepError;
use crate::program::{Naming, find_program};
use crate::step::Step;

/// An expression without input and output, which the caller connects.
pub(crate) struct Ready {
    pub(crate) expression: Expression,
    pub(crate) program: Utf8PathBuf,
    /// By which the processes of this start are recognised.
    pub(crate) mark: String,
}

/// The program as it was asked for.
pub(crate) fn program(step: &Step) -> &str {
    step.argv.first().map(String::as_str).unwrap_or_default()
}

/// Checks what is to be started, finds its program, and puts its environment together. The log is left to the caller.
pub(crate) fn prepare(step: &Step) -> Result<Ready, StepError> {
    let naming = Naming::host();
    check(step, &naming)?;
    let cwd = camino::absolute_utf8(&step.cwd).map_err(|source| enter(step, &step.cwd, source))?;
    let metadata = fs_err::metadata(&cwd).map_err(|error| enter(step, &cwd, error.kind().into()))?;
    if !metadata.is_dir() {
        return Err(enter(step, &cwd, std::io::ErrorKind::NotADirectory.into()));
    }
    let inherit = Inherit { clean: step.clean_env, network: step.network };
    let mut environment = environment::compose(std::env::vars_os(), inherit, &step.env, &naming);
    let path = environment::value_of(&environment, "PATH", &naming).map(|path| path.to_string_lossy().into_owned());
    let program = find_program(program(step), &path.unwrap_or_default(), &cwd, &naming).map_err(|searched| {
        StepError::NotFound { step: step.name.clone(), program: program(step).to_owned(), searched }
    })?;
    let mark = new_mark();
    environment.retain(|(name, _)| name.to_str() != Some(STEP_VARIABLE));
    environment.push((STEP_VARIABLE.into(), marks(std::env::var_os(STEP_VARIABLE), &mark)));
    let expression = duct::cmd(program.as_std_path(), step.argv.iter().skip(1)).dir(&cwd).full_env(environment);
    Ok(Ready { expression, program, mark })
}

/// What the system would refuse with an obscure word, or take for something else.
fn check(step: &Step, naming: &Naming) -> Result<(), StepError> {
    let names: Vec<&String> = step.env.keys().collect();
    let twice =
        |(index, name): (usize, &&String)| names.iter().take(index).any(|other| naming.same_variable(name, other));
    let reason = if program(step).is_empty() {
        "there is no program to run".to_owned()
    } else if let Some(argument) = step.argv.iter().find(|argument| argument.contains('\0')) {
        format!("an argument holds a NUL byte: {argument:?}")
    } else if let Some(name) = step.env.keys().find(|name| name.is_empty() || name.contains(['=', '\0'])) {
        format!("{name:?} cannot be the name of a variable")
    } else if let Some((name, _)) = step.env.iter().find(|(_, value)| value.as_ref().is_some_and(|v| v.contains('\0')))
    {
        format!("the variable `{name}` holds a NUL byte")
    } else if let Some((_, name)) = names.iter().enumerate().find(|(index, name)| twice((*index, name))) {
        format!("the variable `{name}` is set twice: its name is the same in capitals and small letters")
    } else {
        return Ok(());
    };
    Err(StepError::Malformed { step: step.name.clone(), reason })
}

fn enter(step: &Step, path: &Utf8Path, source: std::io::Error) -> StepError {
    StepError::Io { step: step.name.clone(), action: "enter", path: path.to_owned(), source }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_one_value() {
        let step = Step::new("x", ["y"], "/", "/log").with_env("Path", "a").with_env("PATH", "b");
        assert!(check(&step, &Naming::Posix).is_ok());
        let error = check(&step, &Naming::Windows { pathext: vec![] }).unwrap_err();
        assert!(error.to_string().contains("`Path` is set twice"), "{error}");
    }

    #[test]
    fn marks_differ_and_keep_the_outer_one() {
        let marked: std::collections::HashSet<String> = (0..1000).map(|_| new_mark()).collect();
        assert_eq!(marked.len(), 1000);
        assert_eq!(marks(None, "b"), "b");
        assert_eq!(marks(Some("".into()), "b"), "b");
        assert_eq!(marks(Some("a".into()), "b"), "a:b");
    }
}
