//! The word to stop, asked for between one member or module and the next: whoever waits for an answer may have left.

use crate::open::OpenError;
use std::fmt;
use std::sync::Arc;

/// Asked whether to stop; by default never. Asking has to be cheap: it is done from many threads, thousands of times.
#[derive(Clone, Default)]
pub struct Stop(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Stop {
    /// Stops when `asked` says so.
    pub fn when(asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(asked)))
    }

    /// Is it time to stop?
    pub fn is_due(&self) -> bool {
        self.0.as_ref().is_some_and(|asked| asked())
    }

    /// An error if it is.
    pub(crate) fn check(&self) -> Result<(), OpenError> {
        if self.is_due() { Err(OpenError::Stopped) } else { Ok(()) }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.is_due()).finish()
    }
}
