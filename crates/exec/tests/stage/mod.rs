//! Where the tests let the actor (`actor.rs`) play: folders, steps, and lines that tell whether a process lives.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // of several tests, none of which uses all

use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use wheelproof_exec::{Cancel, Query, Runner, Silent, Step, StepError};

/// More than the slowest machine needs, and less than the actor lives.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The actor's path.
pub fn actor() -> Utf8PathBuf {
    // Where the test was built is not always where it runs, but the two lie together.
    let own = Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
    own.ancestors().nth(2).unwrap().join(format!("exec-actor{}", std::env::consts::EXE_SUFFIX))
}

/// The actor under another name. Beside it, whatever must lie beside it to start (wine lacks a library of Windows).
pub fn copy_actor(to: &Utf8Path) {
    fs_err::create_dir_all(to.parent().unwrap()).unwrap();
    fs_err::copy(actor(), to).unwrap();
    let library = actor().with_file_name("bcryptprimitives.dll");
    if library.exists() {
        fs_err::copy(&library, to.with_file_name("bcryptprimitives.dll")).unwrap();
    }
}

pub struct Place {
    folder: tempfile::TempDir,
    pub path: Utf8PathBuf,
}

impl Place {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        // A temporary folder may lie behind a link, and its real path is what a child says of itself. (Of Windows'
        // own extended paths, `\\?\C:\…`, no child speaks.)
        let path = if cfg!(windows) { path } else { path.canonicalize_utf8().unwrap() };
        Self { folder, path }
    }

    pub fn log_path(&self) -> Utf8PathBuf {
        self.path.join("logs/deep/try.log")
    }

    pub fn step<W: Into<String>>(&self, words: impl IntoIterator<Item = W>) -> Step {
        let argv = std::iter::once(actor().into_string()).chain(words.into_iter().map(Into::into));
        Step::new("try", argv, &self.path, self.log_path())
    }

    /// The log, with the line ends of this system made one.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs_err::read(self.log_path()).unwrap()).replace("\r\n", "\n")
    }
}

pub fn query<W: Into<String>>(words: impl IntoIterator<Item = W>) -> Query {
    Query::new(std::iter::once(actor().into_string()).chain(words.into_iter().map(Into::into))).named("actor")
}

pub fn words(text: &str) -> Vec<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

pub fn run(step: &Step) -> Result<(), StepError> {
    Runner::new(&Silent, &Cancel::new()).run(step).map(|_| ())
}

/// Waits for lines of actors.
pub struct Lifelines {
    listener: TcpListener,
    known: std::cell::RefCell<Vec<(String, TcpStream)>>,
}

impl Lifelines {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self { listener, known: std::cell::RefCell::default() }
    }

    /// For the actor's `alive`.
    pub fn address(&self) -> String {
        self.listener.local_addr().unwrap().to_string()
    }

    /// The line of the process that calls itself so, waited for.
    pub fn of(&self, name: &str) -> Lifeline {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut known = self.known.borrow_mut();
            if let Some(index) = known.iter().position(|(other, _)| other == name) {
                return Lifeline { name: name.to_owned(), stream: known.swap_remove(index).1 };
            }
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false).unwrap();
                    let mut said = String::new();
                    BufReader::new(&stream).read_line(&mut said).unwrap();
                    known.push((said.trim().to_owned(), stream));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(Instant::now() < until, "{name} was never heard of");
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// Cut when the process at its other end ends.
pub struct Lifeline {
    name: String,
    stream: TcpStream,
}

impl Lifeline {
    fn cut_within(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        match self.stream.read(&mut [0; 1]) {
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            Ok(length) => length == 0,
        }
    }

    pub fn lives(&mut self) -> bool {
        !self.cut_within(Duration::from_millis(50))
    }

    /// It has ended, or does so while the system clears up.
    pub fn assert_ended(mut self) {
        assert!(self.cut_within(Duration::from_secs(10)), "{} lives on", self.name);
    }

    /// Waits for its end.
    pub fn wait(mut self) {
        assert!(self.cut_within(PATIENCE), "{} lives on", self.name);
    }
}

/// `\` instead of `/` in what Windows says of paths.
pub fn slashes(path: &Utf8Path) -> String {
    path.as_str().replace('\\', "/")
}
