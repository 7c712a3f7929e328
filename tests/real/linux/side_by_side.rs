//! Builds side by side: what each comes to, what a failure and Ctrl-C do to the others, and what is to be seen of it.

use super::support::{Outcome, Sandbox, id, newest_python};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use wheelproof_tests::{on_path, repository, skip};

/// A project of its own name, with what makes it differ.
struct Each<'a> {
    name: String,
    lines: &'a [&'a str],
}

fn each<'a>(name: impl Into<String>, lines: &'a [&'a str]) -> Each<'a> {
    Each { name: name.into(), lines }
}

/// Several projects that build in a moment, each with a backend of its own.
fn several(projects: &[Each<'_>], top: &[&str]) -> Sandbox {
    // It brings the shared tools, and a wheel of a former run that nobody here touches.
    let sandbox = Sandbox::wayward("");
    let mut yaml = "version: 1\nprojects:\n".to_owned();
    for Each { name, lines } in projects {
        let from = repository().join("tests/projects/wayward");
        for file in ["pyproject.toml", "backend/wayward_backend.py", "src/wayward/__init__.py"] {
            let text = fs_err::read_to_string(from.join(file)).unwrap().replace("wayward", name);
            sandbox.project.write(&format!("{name}/{}", file.replace("wayward", name)), text);
        }
        let _ = writeln!(yaml, "  - path: {name}\n    import: [{name}]");
        for line in *lines {
            let _ = writeln!(yaml, "    {line}");
        }
    }
    let _ = writeln!(yaml, "python: [{}]", newest_python());
    for line in top {
        let _ = writeln!(yaml, "{line}");
    }
    sandbox.project.write("ci/wheels.yaml", yaml);
    sandbox
}

fn builds(outcome: &Outcome<'_>) -> Vec<Value> {
    outcome.report()["builds"].as_array().unwrap().clone()
}

/// Each build's project with what became of it.
fn verdicts(outcome: &Outcome<'_>) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    builds(outcome).iter().map(|build| (text(&build["project"]), text(&build["status"]))).collect()
}

/// The lines on stderr by the build that they begin with; a line that begins with none is a fault.
#[track_caller]
fn by_build<'a>(stderr: &'a str, names: &[&str]) -> BTreeMap<String, Vec<&'a str>> {
    let id = id(&newest_python());
    let mut lines: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for line in stderr.lines() {
        let own = names.iter().find_map(|name| Some((*name, line.strip_prefix(&format!("{name}/{id}  "))?)));
        let (name, rest) = own.unwrap_or_else(|| panic!("whose line is `{line}`?\n{stderr}"));
        lines.entry(name.to_owned()).or_default().push(rest);
    }
    lines
}

/// A build's lines are whole and in order: each step begins and ends before the next one does.
#[track_caller]
fn in_turn(name: &str, lines: &[&str]) {
    let mut open: Option<&str> = None;
    for line in lines {
        match (line.strip_suffix(" …"), open) {
            (Some(step), None) => open = Some(step),
            (None, Some(step)) => {
                let rest = line.strip_prefix(&format!("{step} ")).unwrap_or_default();
                let word = rest.split_once(" in ").map_or("", |(word, _)| word);
                assert!(["done", "FAILED", "TIMED OUT", "stopped"].contains(&word), "{name}: {line}");
                open = None;
            }
            _ => panic!("{name}: `{line}` while {open:?}\n{lines:#?}"),
        }
    }
    assert_eq!(open, None, "{name}");
}

#[test]
fn ten_at_once_with_one_that_fails_one_whose_tests_fail_and_one_that_hangs() {
    let names: Vec<String> = (0..10).map(|number| format!("p{number}")).collect();
    let fails = ["environment: { WAYWARD: no-wheel }"];
    let hangs = ["test: python -c \"import subprocess; subprocess.run(['sleep', '642'])\""];
    let untrue = ["test: python -c \"import p7; assert p7.ANSWER == 41\""];
    let lines: [&[&str]; 10] = [&[], &[], &[], &fails, &[], &hangs, &[], &untrue, &[], &[]];
    let projects: Vec<Each<'_>> = names.iter().zip(lines).map(|(name, lines)| each(name, lines)).collect();
    let sandbox = several(&projects, &["time_limits: { test: 30s }"]);
    let outcome = sandbox.wheels(&["--jobs", "10", "--keep-going"]).run().exits(4);

    let expected: Vec<(String, String)> = (0..10)
        .map(|number| (format!("p{number}"), if [3, 5, 7].contains(&number) { "failed" } else { "proven" }.to_owned()))
        .collect();
    assert_eq!(verdicts(&outcome), expected);
    for (number, build) in builds(&outcome).iter().enumerate() {
        let reason = build["reason"].as_str().unwrap_or_default();
        let right = match number {
            3 => reason.contains("made no wheel"),
            5 => reason.contains("took longer than 30 s"),
            7 => reason.contains("its tests fail") && build["imported"] == serde_json::json!(["p7"]),
            _ => build["wheel"] == format!("p{number}-1.0-py3-none-any.whl"),
        };
        assert!(right, "{build:#}");
        // Each step has a log of its own, below the build's own folder.
        for step in build["steps"].as_array().unwrap() {
            assert!(step["log"].as_str().unwrap().contains(&format!("/logs/p{number}/")), "{step}");
        }
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let said = by_build(outcome.stderr(), &names);
    assert_eq!(said.len(), 10);
    for (name, lines) in &said {
        in_turn(name, lines);
    }
    // The table keeps the plan's order whatever order they ended in.
    let places: Vec<usize> = names.iter().map(|name| outcome.stdout().find(&format!("{name}/cp")).unwrap()).collect();
    assert!(places.is_sorted(), "{}", outcome.stdout());
}

/// Takes out of a report what differs from run to run: times, and the sums of archives that have times in them.
fn forget_when(report: &mut Value) {
    match report {
        Value::Object(fields) => {
            for (name, value) in fields {
                if ["seconds", "sha256", "bytes"].contains(&name.as_str()) {
                    *value = Value::Null
                } else {
                    forget_when(value)
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(forget_when),
        _ => {}
    }
}

#[test]
fn the_report_is_the_same_at_any_number() {
    let prepared = ["before_all: python -c pass"];
    let sandbox = several(&[each("first", &prepared), each("second", &prepared), each("third", &[])], &[]);
    let mut reports = Vec::new();
    for jobs in ["1", "3"] {
        let mut report = sandbox.wheels(&["--force", "-j", jobs]).run().exits(0).report();
        forget_when(&mut report);
        reports.push(report);
    }
    assert!(reports.iter().all(|report| *report == reports[0]), "{reports:#?}");
    let again = sandbox.wheels(&["-j", "3"]).run().exits(0);
    assert!(verdicts(&again).iter().all(|(_, status)| status == "cached"), "{:?}", verdicts(&again));
}

#[test]
fn tools_are_made_once_and_whoever_needs_them_waits() {
    let sandbox = several(&[each("first", &[]), each("second", &[]), each("third", &[])], &[]).without_tools();
    let outcome = sandbox.wheels(&["--jobs", "3"]).run().exits(0);
    let made: Vec<(usize, String)> = builds(&outcome)
        .iter()
        .enumerate()
        .flat_map(|(number, build)| build["steps"].as_array().unwrap().iter().map(move |step| (number, step.clone())))
        .filter_map(|(number, step)| Some((number, step["name"].as_str()?.strip_prefix("tools-")?.to_owned())))
        .collect();
    let expected = ["build-venv", "build-install", "repair-venv", "repair-install"].map(|step| (0, step.to_owned()));
    assert_eq!(made, expected);
}

#[test]
fn after_a_failure_nothing_is_begun_and_what_runs_is_finished() {
    let waits = "test: python -c \"import os, time\\nwhile not os.path.exists('FLAG'): time.sleep(0.05)\"";
    let sandbox =
        several(&[each("slow", &[]), each("fails", &["environment: { WAYWARD: no-wheel }"]), each("third", &[])], &[]);
    let flag = sandbox.root.join("target/go-on");
    let yaml = sandbox.project.read("ci/wheels.yaml");
    let waits = waits.replace("FLAG", flag.as_str()).replace("\\n", "\n      ");
    let waits = waits.replacen("test: ", "test: |-\n      ", 1);
    sandbox
        .project
        .write("ci/wheels.yaml", yaml.replacen("import: [slow]", &format!("import: [slow]\n    {waits}"), 1));
    let mut running = sandbox.wheels(&["--jobs", "2"]).start();
    running.until("nothing more is begun");
    running.until_process("while not os.path.exists");
    fs_err::write(&flag, "").unwrap();
    let outcome = running.finish().exits(4);
    let statuses: Vec<String> = verdicts(&outcome).into_iter().map(|(_, status)| status).collect();
    assert_eq!(statuses, ["proven", "failed", "skipped"]);
    let _ = outcome.says(&["not reached: a build before it failed", "--keep-going"]);
}

/// Projects whose tests wait, each with a number of its own to be recognised by.
fn waiting(count: usize) -> Sandbox {
    let lines: Vec<String> = (0..count)
        .map(|number| format!("test: python -c \"import subprocess; subprocess.run(['sleep', '65{number}'])\""))
        .collect();
    let lines: Vec<[&str; 1]> = lines.iter().map(|line| [line.as_str()]).collect();
    let projects: Vec<Each<'_>> =
        lines.iter().enumerate().map(|(number, line)| each(format!("p{number}"), line)).collect();
    several(&projects, &[])
}

#[test]
fn ctrl_c_ends_all_that_run() {
    let sandbox = waiting(6);
    let mut running = sandbox.wheels(&["--jobs", "4", "--keep-going"]).start();
    for number in 0..4 {
        running.until_process(&format!("sleep 65{number}"));
    }
    running.signal("INT");
    let outcome = running.finish().fails(130);
    let failures: Vec<Value> = builds(&outcome).iter().map(|build| build["failure"].clone()).collect();
    let (stopped, not_begun) = (serde_json::json!("interrupted"), Value::Null);
    assert_eq!(failures, [vec![stopped; 4], vec![not_begun; 2]].concat());
}

#[test]
fn nonsense_is_refused_before_anything_is_done() {
    let sandbox = Sandbox::wayward("");
    for nonsense in ["0", "-1", "many", "1.5", ""] {
        let outcome = sandbox.wheels(&[&format!("--jobs={nonsense}")]).run().fails(2);
        let outcome = outcome.says(&["--jobs", "it is a number from 1 on"]);
        assert_eq!(outcome.steps(), Vec::<String>::new());
    }
    let _ = sandbox.wheels(&[]).env("WHEELPROOF_JOBS", "none").run().fails(2).says(&["it is a number from 1 on"]);
}

#[test]
fn streamed_output_says_whose_it_is_and_groups_never_overlap() {
    let prints = "test: python -c \"print('NAME ' + 'x' * 300 + '\\\\n' * 1 + 'NAME again')\"";
    let prints: Vec<String> = ["p0", "p1", "p2"].iter().map(|name| prints.replace("NAME", name)).collect();
    let lines: Vec<[&str; 1]> = prints.iter().map(|line| [line.as_str()]).collect();
    let projects: Vec<Each<'_>> =
        ["p0", "p1", "p2"].into_iter().zip(&lines).map(|(name, lines)| each(name, lines)).collect();
    let sandbox = several(&projects, &[]);
    let long = |name: &str| format!("{name} {}", "x".repeat(300));

    let verbose = sandbox.wheels(&["--force", "-v", "--jobs", "3"]).run().exits(0);
    let said = by_build(verbose.stderr(), &["p0", "p1", "p2"]);
    for name in ["p0", "p1", "p2"] {
        let (output, steps): (Vec<&str>, Vec<&str>) = said[name].iter().partition(|line| line.starts_with("| "));
        in_turn(name, &steps);
        assert!(output.contains(&format!("| {}", long(name)).as_str()), "{output:#?}");
        assert!(output.contains(&format!("| {name} again").as_str()), "{output:#?}");
    }

    let groups = sandbox.wheels(&["--force", "--jobs", "3"]).env("GITHUB_ACTIONS", "true").run().exits(0);
    let mut open: Option<String> = None;
    let mut seen = 0;
    for line in groups.stderr().lines() {
        if let Some(heading) = line.strip_prefix("::group::") {
            assert_eq!(open, None, "a group within a group");
            open = Some(heading.split('/').next().unwrap().to_owned());
        } else if line == "::endgroup::" {
            assert!(open.take().is_some(), "the end of no group");
        } else if let Some(name) = ["p0", "p1", "p2"].into_iter().find(|name| line == long(name)) {
            assert_eq!(open.as_deref(), Some(name), "in another build's group");
            seen += 1;
        } else {
            assert!(!line.starts_with("# "), "a log's heading: {line}");
        }
    }
    assert_eq!((open, seen), (None, 3), "{}", groups.stderr());
}

#[test]
fn a_reader_that_goes_away_stops_no_build() {
    let sandbox = several(&[each("first", &[]), each("second", &[])], &[]);
    for redirected in ["2>&1 | head -1", "2>&1 >&- | head -1", ">&- 2>&-"] {
        let script = format!("set -o pipefail; \"$0\" \"$@\" {redirected}");
        let outcome = sandbox.wheels(&["--force", "--jobs", "2"]).under(&["bash", "-c", &script]).run().exits(0);
        assert!(verdicts(&outcome).iter().all(|(_, status)| status == "proven"), "{redirected}");
    }
}

/// Gives the command a terminal of so many columns as stderr and passes on what it writes there.
const TERMINAL: &str = "
import fcntl, os, struct, subprocess, sys, termios, threading
ours, theirs = os.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 24, int(sys.argv[1]), 0, 0))
child = subprocess.Popen(sys.argv[2:], stderr=theirs)
os.close(theirs)
def pump():
    try:
        while piece := os.read(ours, 65536):
            os.write(2, piece)
    except OSError:
        pass
thread = threading.Thread(target=pump)
thread.start()
import signal
signal.signal(signal.SIGINT, lambda *_: child.send_signal(signal.SIGINT))
code = child.wait()
thread.join()
sys.exit(code)
";

/// What a terminal makes of what is written to it: as much as the program uses, and nothing else is allowed.
struct Terminal {
    columns: usize,
    rows: Vec<String>,
    row: usize,
    column: usize,
    /// Every line that was drawn, also those that are gone.
    drawn: Vec<String>,
    line: String,
}

impl Terminal {
    fn of(columns: usize, written: &str) -> Self {
        let mut terminal =
            Self { columns, rows: vec![String::new()], row: 0, column: 0, drawn: Vec::new(), line: String::new() };
        let mut rest = written;
        while let Some(letter) = rest.chars().next() {
            rest = &rest[letter.len_utf8()..];
            match letter {
                '\r' | '\n' => terminal.end(letter),
                '\u{1b}' => {
                    let length = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap() + 1;
                    terminal.control(&rest[..length]);
                    rest = &rest[length..];
                }
                _ => terminal.put(letter),
            }
        }
        terminal
    }

    fn end(&mut self, letter: char) {
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.drawn.push(line);
        }
        self.column = 0;
        if letter == '\n' {
            self.down();
        }
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(String::new());
        }
    }

    fn control(&mut self, sequence: &str) {
        match sequence {
            "[J" => {
                assert_eq!(self.column, 0);
                self.rows.truncate(self.row);
                self.rows.push(String::new());
            }
            up if up.ends_with('A') => self.row -= up[1..up.len() - 1].parse::<usize>().unwrap(),
            colour => assert!(colour.ends_with('m'), "`{colour}` is not known here"),
        }
    }

    fn put(&mut self, letter: char) {
        if self.column == self.columns {
            self.column = 0;
            self.down();
        }
        self.line.push(letter);
        let kept: String = self.rows[self.row].chars().take(self.column).collect();
        self.rows[self.row] = kept + &letter.to_string();
        self.column += 1;
    }
}

#[test]
fn a_terminal_shows_a_line_for_each_that_runs_and_is_clean_afterwards() {
    let Some(python) = on_path("python3") else { return skip("no python3 on PATH gives a terminal to a program") };
    let waits = ["test: python -c \"import time; time.sleep(2.5)\""];
    let sandbox = several(&[each("first", &waits), each("second", &waits), each("third", &waits)], &[]);
    let id = id(&newest_python());
    for (round, columns) in [80, 20, 80].into_iter().enumerate() {
        let width = columns.to_string();
        let call = sandbox.wheels(&["--force", "--jobs", "3"]).env("TERM", "xterm-256color");
        let outcome = call.under(&[python.as_str(), "-c", TERMINAL, &width]).run().exits(0);
        let terminal = Terminal::of(columns, outcome.stderr());
        let (ended, live): (Vec<&String>, Vec<&String>) =
            terminal.drawn.iter().partition(|line| line.contains(" done in "));
        let wide: Vec<&&String> = live.iter().filter(|line| line.chars().count() >= columns).collect();
        assert_eq!(wide, [&&String::new(); 0], "wider than {columns}");
        for name in ["first", "second", "third"] {
            // Which seconds were drawn is for the machine's load to say.
            let (start, then) = match columns {
                20 => (id.chars().take(6).collect(), "… test "),
                _ => (format!("{name}/{id}  test  "), " s"),
            };
            let shows = |line: &&&String| line.starts_with(&start) && line.contains(then);
            assert!(live.iter().any(|line| shows(&line)), "no `{start}{then}` in {live:#?}");
            // From the second run on it is known how long it takes.
            let estimated = live.iter().any(|line| shows(&line) && line.contains(" s of ~"));
            assert_eq!(estimated, round == 2, "{live:#?}");
        }
        // What stays is what has ended, nothing else, and the cursor where it belongs.
        let stays: String = terminal.rows.concat();
        let expected: String = ended.iter().map(|line| line.as_str()).collect();
        assert_eq!((stays, terminal.column, terminal.row), (expected, 0, terminal.rows.len() - 1));
        assert!(!outcome.stderr().contains("[?25"), "the cursor was hidden");
    }
}

#[test]
fn ctrl_c_leaves_a_clean_terminal() {
    let Some(python) = on_path("python3") else { return skip("no python3 on PATH gives a terminal to a program") };
    let sandbox = waiting(3);
    let call = sandbox.wheels(&["--jobs", "3"]).env("TERM", "xterm");
    let mut running = call.under(&[python.as_str(), "-c", TERMINAL, "80"]).start();
    for number in 0..3 {
        running.until_process(&format!("sleep 65{number}"));
    }
    running.until("test  ");
    running.signal("INT");
    let outcome = running.finish().exits(130);
    let terminal = Terminal::of(80, outcome.stderr());
    assert_eq!(terminal.rows.iter().filter(|row| row.contains("test stopped in ")).count(), 3, "{:#?}", terminal.rows);
    assert!(!terminal.rows.iter().any(|row| row.contains("test  ")), "{:#?}", terminal.rows);
}

#[test]
fn where_nobody_looks_there_are_plain_lines() {
    let Some(python) = on_path("python3") else { return skip("no python3 on PATH gives a terminal to a program") };
    let sandbox = several(&[each("first", &[])], &[]);
    // A terminal that can nothing, one without any width, a terminal of a CI system.
    for (width, name, value) in [("80", "TERM", "dumb"), ("0", "TERM", "xterm"), ("80", "CI", "true")] {
        let call = sandbox.wheels(&["--force"]).env("TERM", "xterm").env("NO_COLOR", "1").env(name, value);
        let outcome = call.under(&[python.as_str(), "-c", TERMINAL, width]).run().exits(0);
        let outcome = outcome.says(&["build …", "build done in "]).never_says(&["\u{1b}"]);
        let said = outcome.stderr().replace("\r\n", "\n");
        in_turn("first", &by_build(&said, &["first"])["first"]);
    }
}
