//! What is shown while builds run, side by side or one after the other.
//!
//! | who listens | one build at a time | several at once |
//! |---|---|---|
//! | a terminal | a live line for the running step, a plain line when it has ended | the same, a live line for each |
//! | a file, a pipe, another CI system | a line when a step starts and when it ends, with its scope | the same |
//! | `-v` | and what the tools print, as it comes | each of these lines with its scope in front |
//! | GitHub | a group for each step, filled as the tools print | groups can neither nest nor interleave: each is printed whole, from the step's log, when it has ended |
//! | `-q` | nothing | nothing |

use super::line::{Line, start};
use super::screen::Screen;
use super::{Console, Talk, prefix, understands};
use camino::Utf8Path;
use exec::{Event, Events};
use pipeline::Timings;
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often the live lines are looked at: seconds are shown, and a step that starts is seen at once.
const TICK: Duration = Duration::from_millis(100);

/// A longer line of a log is printed in pieces.
const LONGEST_LINE: u64 = 64 * 1024;

/// Columns and rows of the terminal; none if there is no such thing.
type Size = Box<dyn Fn() -> Option<(usize, usize)> + Send + Sync>;

/// The listener while builds run. When it is dropped nothing of it is left on the terminal.
pub(crate) struct Display<'a> {
    console: &'a Console,
    several: bool,
    live: Option<Live>,
}

impl<'a> Display<'a> {
    /// For the builds of these scopes, so many at once; `timings` of the last run make estimates.
    pub(crate) fn new(console: &'a Console, scopes: Vec<String>, at_once: usize, timings: Timings) -> Self {
        let size: Size = Box::new(|| {
            let (width, height) = terminal_size::terminal_size_of(std::io::stderr())?;
            Some((width.0.into(), height.0.into()))
        });
        // In CI a log is read later, even where it is written to something like a terminal.
        let terminal = console.talk == Talk::Plain && understands() && !anstyle_query::is_ci();
        let live = (terminal && size().is_some()).then(|| {
            clear_before_panics(&console.screen);
            Live::new(Arc::clone(&console.screen), size, scopes, timings)
        });
        Self { console, several: at_once > 1, live }
    }

    /// Whether the tools' own output is to come as events.
    pub(crate) fn streams(talk: Talk, at_once: usize) -> bool {
        talk.streams() && (talk == Talk::Verbose || at_once == 1)
    }

    fn live(&self, live: &Live, event: &Event) {
        match event {
            Event::Started { scope, step, .. } => live.started(scope, step),
            Event::Ended { scope, step, seconds, status, .. } => {
                live.ended(scope, &format!("{}\n", self.console.ended(scope, step, *seconds, *status)));
            }
            Event::Output { .. } | Event::Note { .. } | Event::Warning { .. } | Event::Waiting { .. } => {
                self.console.emit(event);
            }
        }
    }

    /// A whole group at once: heading, the step's output, and how it ended.
    fn group(&self, scope: &str, step: &str, log: &Utf8Path, ended: &str) {
        self.console.screen.stream(&mut |out| {
            let _ = writeln!(out, "::group::{}{step}", prefix(scope));
            output(log, out);
            let _ = writeln!(out, "::endgroup::\n{ended}");
            let _ = out.flush();
        });
    }
}

impl Events for Display<'_> {
    fn emit(&self, event: &Event) {
        if let Some(live) = &self.live {
            return self.live(live, event);
        }
        match (self.several, self.console.talk, event) {
            // A line of life; the group comes when it is whole.
            (true, Talk::Groups, Event::Started { scope, step, .. }) => {
                self.console.line(&format!("{}{step} …", prefix(scope)));
            }
            (true, Talk::Groups, Event::Ended { scope, step, seconds, status, log }) => {
                self.group(scope, step, log, &self.console.ended(scope, step, *seconds, *status));
            }
            (true, Talk::Verbose, Event::Output { scope, line, .. }) => {
                self.console.line(&format!("{}| {}", prefix(scope), diagnostics::printable(line)));
            }
            _ => self.console.emit(event),
        }
    }
}

/// What a step printed, without what its log says before and after.
fn output(log: &Utf8Path, out: &mut dyn Write) {
    let Ok(file) = fs_err::File::open(log) else { return };
    let mut reader = BufReader::new(file);
    let mut heading = true;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if !read.is_ok_and(|length| length > 0) {
            return;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        // The heading ends with an empty line; the last line says how it ended.
        if heading {
            heading = text.starts_with("# ");
        } else if !text.starts_with("# ended: ") {
            let _ = writeln!(out, "{}", diagnostics::printable(text));
        }
    }
}

/// What a panic says is not to be written into a live line.
fn clear_before_panics(screen: &Arc<Screen>) {
    let screen = Arc::downgrade(screen);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(screen) = screen.upgrade() {
            screen.try_clear();
        }
        before(panic);
    }));
}

/// The live lines of a terminal, and the thread that keeps them up to date.
struct Live {
    lines: Arc<Lines>,
    /// Dropped, it ends the thread.
    ticking: Option<Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

struct Lines {
    screen: Arc<Screen>,
    size: Size,
    timings: Timings,
    running: Mutex<Running>,
}

/// What runs, in the plan's order: a build's next step stands where the former one stood.
struct Running {
    builds: Vec<(String, Option<(String, Instant)>)>,
}

impl Live {
    fn new(screen: Arc<Screen>, size: Size, scopes: Vec<String>, timings: Timings) -> Self {
        let running = Mutex::new(Running { builds: scopes.into_iter().map(|scope| (scope, None)).collect() });
        let lines = Arc::new(Lines { screen, size, timings, running });
        let (ticking, done) = channel::<()>();
        let theirs = Arc::clone(&lines);
        let tick = move || {
            while matches!(done.recv_timeout(TICK), Err(RecvTimeoutError::Timeout)) {
                theirs.draw("");
            }
        };
        // Without a thread the lines change when a step starts or ends.
        let ticker = std::thread::Builder::new().name("display".to_owned()).spawn(tick).ok();
        Self { lines, ticking: Some(ticking), ticker }
    }

    fn started(&self, scope: &str, step: &str) {
        // The ticker shows it: many steps are over before anybody could read them.
        self.lines.lock().set(scope, Some((step.to_owned(), Instant::now())));
    }

    fn ended(&self, scope: &str, text: &str) {
        self.lines.lock().set(scope, None);
        self.lines.draw(text);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        drop(self.ticking.take());
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
        self.lines.screen.show("", Vec::new());
    }
}

impl Running {
    fn set(&mut self, scope: &str, step: Option<(String, Instant)>) {
        match self.builds.iter_mut().find(|(known, _)| known == scope) {
            Some((_, current)) => *current = step,
            None => self.builds.push((scope.to_owned(), step)),
        }
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes text above the lines and these anew, for the size that the terminal has now.
    fn draw(&self, text: &str) {
        // Held while it is written: an older picture must not come after a newer one.
        let running = self.lock();
        self.screen.show(text, self.picture(&running, Instant::now()));
    }

    fn picture(&self, running: &Running, now: Instant) -> Vec<String> {
        let Some((columns, rows)) = (self.size)() else { return Vec::new() };
        // Some terminals begin a new line already when the last column is written.
        let columns = columns.saturating_sub(1);
        let mut lines: Vec<String> = Vec::new();
        for (scope, step) in &running.builds {
            let Some((step, since)) = step else { continue };
            let expected =
                self.timings.seconds(scope, step).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            lines.push(Line { scope, step, elapsed: now.saturating_duration_since(*since), expected }.fit(columns));
        }
        let most = rows.saturating_sub(1).max(1);
        if lines.len() > most {
            let more = lines.len() - (most - 1);
            lines.truncate(most - 1);
            lines.push(start(&format!("… and {more} more"), columns).into_owned());
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use exec::Ending;

    /// What was written, for looking at while others write.
    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Paper {
        fn pieces(&self) -> Vec<String> {
            let pieces = self.0.lock().unwrap();
            pieces.iter().map(|piece| String::from_utf8(piece.clone()).unwrap()).collect()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// A pipe whose reader has gone.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
    }

    fn console(talk: Talk, out: impl Write + Send + 'static) -> Console {
        Console { talk, colour: false, screen: Arc::new(Screen::new(Box::new(out))) }
    }

    fn started(scope: &str) -> Event {
        let (scope, step) = (scope.to_owned(), "build".to_owned());
        Event::Started { scope, step, argv: Vec::new(), command_line: String::new(), log: "log".into() }
    }

    fn ended(scope: &str, log: &Utf8Path) -> Event {
        let (scope, step, log) = (scope.to_owned(), "build".to_owned(), log.to_owned());
        Event::Ended { scope, step, seconds: 1.0, status: Ending::Succeeded, log }
    }

    fn output_of(scope: &str, line: &str) -> Event {
        Event::Output { scope: scope.to_owned(), step: "build".to_owned(), line: line.to_owned() }
    }

    #[test]
    fn lines_of_several_builds_say_whose_they_are_and_are_written_whole() {
        let paper = Paper::default();
        let console = console(Talk::Verbose, paper.clone());
        let display = Display { console: &console, several: true, live: None };
        std::thread::scope(|scope| {
            for build in ["p/a", "p/b", "p/c"] {
                let display = &display;
                scope.spawn(move || {
                    for _ in 0..100 {
                        display.emit(&output_of(build, &format!("from {build}")));
                    }
                });
            }
        });
        let pieces = paper.pieces();
        assert_eq!(pieces.len(), 300);
        for piece in pieces {
            assert!(
                ["p/a", "p/b", "p/c"].iter().any(|build| piece == format!("{build}  | from {build}\n")),
                "{piece:?}"
            );
        }
    }

    #[test]
    fn a_group_is_printed_whole_from_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = camino::Utf8PathBuf::from_path_buf(dir.path().join("log")).unwrap();
        fs_err::write(&log, "# step: build\n# environment: TOKEN=x\n\none\n\n\u{1b}[31mtwo\n# no end\n\n# ended: exit code 0 after 1 s\n").unwrap();
        let paper = Paper::default();
        let console = console(Talk::Groups, paper.clone());
        let display = Display { console: &console, several: true, live: None };
        display.emit(&started("p/a"));
        display.emit(&started("p/b"));
        display.emit(&output_of("p/a", "never streamed"));
        display.emit(&ended("p/b", &log));
        display.emit(&ended("p/a", Utf8Path::new("/nowhere")));
        let text = paper.pieces().concat();
        let said: Vec<&str> = text.lines().filter(|line| !line.contains("never")).collect();
        assert_eq!(
            said,
            [
                "p/a  build …",
                "p/b  build …",
                "::group::p/b  build",
                "one",
                "",
                "\\x1b[31mtwo",
                "# no end",
                "",
                "::endgroup::",
                "p/b  build done in 1.0 s",
                "::group::p/a  build",
                "::endgroup::",
                "p/a  build done in 1.0 s",
            ]
        );
        assert!(
            !Display::streams(Talk::Groups, 2)
                && Display::streams(Talk::Groups, 1)
                && Display::streams(Talk::Verbose, 2)
        );
    }

    fn live(console: &Console, columns: usize, rows: usize) -> Display<'_> {
        let size = Box::new(move || Some((columns, rows)));
        let live = Live::new(Arc::clone(&console.screen), size, vec!["p/a".to_owned()], Timings::default());
        Display { console, several: true, live: Some(live) }
    }

    #[test]
    fn a_terminal_shows_what_runs_and_keeps_what_has_ended() {
        let paper = Paper::default();
        let console = console(Talk::Plain, paper.clone());
        let display = live(&console, 80, 24);
        display.emit(&started("p/b"));
        display.emit(&started("p/a"));
        display.emit(&Event::Note { scope: "p/b".to_owned(), text: "look".to_owned() });
        while !paper.pieces().concat().contains("p/b  build  0 s\r") {
            std::thread::sleep(Duration::from_millis(1));
        }
        display.emit(&ended("p/a", Utf8Path::new("log")));
        let last = paper.pieces().last().unwrap().clone();
        // Up to the first shown line, all of it gone, the text, and what still runs.
        assert!(last.starts_with("\x1b[1A\r\x1b[Jp/a  build done in 1.0 s\np/b  build  "), "{last:?}");
        display.emit(&Event::Warning { scope: "p/b".to_owned(), text: "odd".to_owned() });
        let last = paper.pieces().last().unwrap().clone();
        assert!(last.starts_with("\r\x1b[Jwarning: p/b  odd\np/b  build  ") && last.ends_with('\r'), "{last:?}");
        drop(display);
        assert_eq!(paper.pieces().last().unwrap(), "\r\x1b[J");
    }

    #[test]
    fn a_low_terminal_counts_what_it_has_no_room_for() {
        let paper = Paper::default();
        let console = console(Talk::Plain, paper.clone());
        for (rows, expected) in [(24, 5), (4, 3), (2, 1), (1, 1)] {
            let display = live(&console, 20, rows);
            for build in 0..5 {
                display.emit(&started(&format!("p/cp31{build}-linux_x86_64")));
            }
            let live = display.live.as_ref().unwrap();
            let picture = live.lines.picture(&live.lines.lock(), Instant::now());
            assert_eq!(picture.len(), expected, "{picture:?}");
            assert_eq!(picture[0].starts_with("cp310-li… build 0 s"), rows > 2, "{picture:?}");
            assert_eq!(picture.last().unwrap().starts_with("… and "), rows < 6, "{picture:?}");
        }
    }

    #[test]
    fn a_closed_pipe_and_a_terminal_that_goes_away_stop_nothing() {
        let console = console(Talk::Plain, Closed);
        let display = live(&console, 80, 24);
        display.emit(&started("p/a"));
        std::thread::sleep(2 * TICK);
        display.emit(&ended("p/a", Utf8Path::new("log")));
        console.error("said to nobody", Some("never mind"));
        let gone = Live::new(Arc::clone(&console.screen), Box::new(|| None), Vec::new(), Timings::default());
        gone.started("p/a", "build");
        assert_eq!(gone.lines.picture(&gone.lines.lock(), Instant::now()), [""; 0]);
    }
}
