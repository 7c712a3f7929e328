//! What the commands that look into wheels share: a signal ends the look, and a path that cannot be read is a fault of usage.

use crate::exit::Failure;
use audit::proof::{Proof, ProofOptions, prove};
use audit::{Inspection, OpenError, Options, Stop};
use camino::Utf8Path;
use exec::Cancel;

/// Proves a wheel until a signal comes.
pub(crate) fn proof(path: &Utf8Path, options: &ProofOptions, cancel: &Cancel, command: &str) -> Result<Proof, Failure> {
    cancel.check(command)?;
    let options = ProofOptions { stop: stop(cancel), ..options.clone() };
    prove(path, &options).map_err(|error| failure(&error, cancel, command))
}

/// Opens a wheel, binary or folder until a signal comes.
pub(crate) fn inspection(path: &Utf8Path, cancel: &Cancel, command: &str) -> Result<Inspection, Failure> {
    cancel.check(command)?;
    let options = Options { stop: stop(cancel), ..Options::default() };
    audit::open(path, &options).map_err(|error| failure(&error, cancel, command))
}

fn stop(cancel: &Cancel) -> Stop {
    let cancel = cancel.clone();
    Stop::when(move || cancel.is_cancelled())
}

fn failure(error: &OpenError, cancel: &Cancel, command: &str) -> Failure {
    match (error, cancel.check(command)) {
        (OpenError::Stopped, Err(cancelled)) => cancelled.into(),
        _ => Failure::usage(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::exit;
    use exec::CancelReason;

    #[test]
    fn a_signal_is_130_wherever_it_comes() {
        let cancel = Cancel::new();
        let nowhere = Utf8Path::new("nowhere.whl");
        assert_eq!(proof(nowhere, &ProofOptions::default(), &cancel, "verify").unwrap_err().code, exit::USAGE);
        let stop = stop(&cancel);
        assert!(!stop.is_due());
        cancel.cancel(CancelReason::Interrupt);
        assert!(stop.is_due());
        let failures = [
            proof(nowhere, &ProofOptions::default(), &cancel, "verify").unwrap_err(),
            inspection(nowhere, &cancel, "symbols").unwrap_err(),
            failure(&OpenError::Stopped, &cancel, "show"),
        ];
        for failure in failures {
            assert_eq!(failure.code, exit::INTERRUPTED, "{}", failure.message);
        }
    }
}
