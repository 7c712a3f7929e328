//! What the stories stand on: projects that share their tools, runs whose traces are looked at, signals at the right time.

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::hash::{Hash, Hasher};
use std::io::{Read, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use wheelproof_tests::{Project, Run, program};

/// Longer than anything here takes on a busy machine; a test that gets there hangs.
const LIMIT: Duration = Duration::from_secs(600);

/// A root with one project and a configuration, which finds its tools where all others do.
pub(crate) struct Sandbox {
    pub(crate) project: Project,
    name: String,
    pub(crate) root: Utf8PathBuf,
    begun: Instant,
}

/// What stands in a generated ci/wheels.yaml.
#[derive(Clone, Default)]
pub(crate) struct Asked<'a> {
    /// Lines of the project's entry.
    pub(crate) project: &'a [&'a str],
    /// Lines of the top level.
    pub(crate) top: &'a [&'a str],
    /// The Pythons; none means the newest one here.
    pub(crate) python: &'a [&'a str],
}

impl Asked<'_> {
    fn yaml(&self, path: &str) -> String {
        let newest;
        let python: Vec<&str> = if self.python.is_empty() {
            newest = newest_python();
            vec![newest.as_str()]
        } else {
            self.python.to_vec()
        };
        let mut text = format!("version: 1\nprojects:\n  - path: {path}\n");
        for line in self.project {
            let _ = writeln!(text, "    {line}");
        }
        let _ = writeln!(text, "python: {python:?}");
        for line in self.top {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

impl Sandbox {
    /// With a copy of tests/projects/`name`, committed.
    pub(crate) fn of(name: &str, asked: &Asked<'_>) -> Self {
        let project = Project::of(name, &asked.yaml(name)).commit();
        let sandbox = Self { name: name.to_owned(), root: project.root().to_owned(), project, begun: Instant::now() };
        sandbox.share_tools();
        sandbox
    }

    /// The little C extension, with a wheel of a former run in dist/.
    pub(crate) fn plain(asked: &Asked<'_>) -> Self {
        Self::with_former("plain", former_plain(), asked)
    }

    /// The project with the backend that misbehaves, with a wheel of a former run in dist/.
    pub(crate) fn wayward(mood: &str) -> Self {
        let environment = format!("environment: {{ WAYWARD: {mood} }}");
        let asked = Asked { project: &["import: [wayward]", &environment], ..Asked::default() };
        Self::with_former("wayward", former_wayward(), &asked)
    }

    fn with_former(name: &str, former: &Utf8Path, asked: &Asked<'_>) -> Self {
        let sandbox = Self::of(name, asked);
        for folder in FORMER_FOLDERS {
            copy_folder(&former.join(folder), &sandbox.root.join(folder));
        }
        sandbox
    }

    fn share_tools(&self) {
        let state = self.root.join("target/wheelproof");
        fs_err::create_dir_all(&state).unwrap();
        fs_err::write(state.join(".gitignore"), "*\n").unwrap();
        fs_err::os::unix::fs::symlink(shared_tools(), state.join("tools")).unwrap();
    }

    /// Takes the shared tools away again: the next run is a first run.
    pub(crate) fn without_tools(self) -> Self {
        fs_err::remove_file(self.root.join("target/wheelproof/tools")).unwrap();
        self
    }

    /// Replaces the configuration.
    pub(crate) fn ask(&self, asked: &Asked<'_>) {
        self.project.write("ci/wheels.yaml", asked.yaml(&self.name));
    }

    /// A call of `wheels`, not yet made.
    pub(crate) fn wheels(&self, args: &[&str]) -> Call<'_> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let token = format!("story-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let mut command = program(&self.root).command();
        let outer = std::env::var("WHEELPROOF_STEP").map(|outer| outer + ":").unwrap_or_default();
        command.arg("wheels").args(args).env("WHEELPROOF_STEP", outer + &token);
        // No index is asked five times in a row.
        command.env("PIP_RETRIES", "1").env_remove("GITHUB_ACTIONS").env_remove("CI").env_remove("NO_COLOR");
        Call { sandbox: self, command, token, dist: wheels_in(&self.root.join("dist")), sources: self.sources() }
    }

    /// Every file of the user's own, and what git says of the tree.
    fn sources(&self) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        walk(&self.root, &mut |path| {
            let below = path.strip_prefix(&self.root).unwrap();
            let ours = below.starts_with("dist") || below.starts_with("target") || below.starts_with(".git");
            if !ours {
                files.insert(below.to_string(), fingerprint(path));
            }
        });
        files.insert("git status".to_owned(), hash(self.git_status().as_bytes()));
        files
    }

    fn git_status(&self) -> String {
        let output = Command::new("git")
            .args([
                "--no-optional-locks",
                "status",
                "--porcelain",
                "--untracked-files=all",
                "--",
                ".",
                ":!dist",
                ":!target",
            ])
            .current_dir(&self.root)
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The one wheel in dist/.
    pub(crate) fn wheel(&self) -> Utf8PathBuf {
        let wheels: Vec<_> =
            wheels_in(&self.root.join("dist")).into_keys().filter(|name| name.ends_with(".whl")).collect();
        assert_eq!(wheels.len(), 1, "{wheels:?}");
        self.root.join("dist").join(&wheels[0])
    }

    /// The identifier of its build for a Python.
    pub(crate) fn id(&self, python: &str) -> String {
        format!("{python}-linux_{}", std::env::consts::ARCH)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let test = thread::current().name().unwrap_or("?").to_owned();
        // Past the harness's capture: how long each story takes is always shown.
        let _ = writeln!(std::io::stderr(), "{:6.1} s  {test} ({})", self.begun.elapsed().as_secs_f64(), self.name);
    }
}

/// A call that is being put together.
pub(crate) struct Call<'a> {
    sandbox: &'a Sandbox,
    command: Command,
    token: String,
    dist: BTreeMap<String, u64>,
    sources: BTreeMap<String, u64>,
}

impl<'a> Call<'a> {
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Under another program: `unshare -rn`, say.
    pub(crate) fn under(mut self, wrapper: &[&str]) -> Self {
        let mut command = Command::new(wrapper[0]);
        command.args(&wrapper[1..]).arg(self.command.get_program()).args(self.command.get_args());
        command.current_dir(&self.sandbox.root).stdin(Stdio::null());
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        self.command = command;
        self
    }

    pub(crate) fn start(mut self) -> Running<'a> {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = Stream::of(child.stdout.take().unwrap());
        let stderr = Stream::of(child.stderr.take().unwrap());
        Running { call: self, child, stdout, stderr, begun: Instant::now() }
    }

    /// Makes it, waits, and looks at what it left behind: no process, no half file, nothing of the user's changed.
    #[track_caller]
    pub(crate) fn run(self) -> Outcome<'a> {
        self.start().finish()
    }
}

/// What a pipe gave so far.
struct Stream {
    text: Arc<Mutex<String>>,
    thread: thread::JoinHandle<()>,
}

impl Stream {
    fn of(mut pipe: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&text);
        let thread = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                let piece = String::from_utf8_lossy(&buffer[..read]).into_owned();
                shared.lock().unwrap_or_else(PoisonError::into_inner).push_str(&piece);
            }
        });
        Self { text, thread }
    }

    fn so_far(&self) -> String {
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn whole(self) -> String {
        let _ = self.thread.join();
        self.text.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A call under way.
pub(crate) struct Running<'a> {
    call: Call<'a>,
    child: Child,
    stdout: Stream,
    stderr: Stream,
    begun: Instant,
}

impl<'a> Running<'a> {
    /// Waits until it says a text on stderr.
    #[track_caller]
    pub(crate) fn until(&mut self, text: &str) {
        let begun = Instant::now();
        while !self.stderr.so_far().contains(text) {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < LIMIT, "`{text}` was never said\n{}", self.stderr.so_far());
            thread::sleep(Duration::from_millis(3));
        }
    }

    /// Waits until a process of this run has a text among its arguments.
    #[track_caller]
    pub(crate) fn until_process(&mut self, text: &str) {
        let begun = Instant::now();
        while !processes(&self.call.token).iter().any(|(_, arguments)| arguments.contains(text)) {
            let ended = self.child.try_wait().unwrap().is_some();
            assert!(!ended && begun.elapsed() < LIMIT, "no process `{text}`\n{}", self.stderr.so_far());
            thread::sleep(Duration::from_millis(10));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal to the program alone, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Kills it as the kernel does when memory runs out; what it had started is ended too, by hand.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        for (pid, _) in processes(&self.call.token) {
            let _ = Command::new("kill").args(["-s", "KILL", &pid.to_string()]).status();
        }
    }

    /// Waits for its end and gives the exit code alone, for when another run is at work in the same folder.
    pub(crate) fn code_only(mut self) -> i32 {
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Waits for its end and looks at what it left behind.
    #[track_caller]
    pub(crate) fn finish(mut self) -> Outcome<'a> {
        while self.child.try_wait().unwrap().is_none() {
            if self.begun.elapsed() > LIMIT {
                let said = self.stderr.so_far();
                self.kill();
                panic!("it hangs; it said\n{said}");
            }
            thread::sleep(Duration::from_millis(5));
        }
        let seconds = self.begun.elapsed().as_secs_f64();
        let status = self.child.wait().unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&status).map(|signal| 128 + signal);
        let run = Run {
            status: status.code().or(signal).unwrap_or(-1),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
        };
        let Call { sandbox, token, dist, sources, .. } = self.call;
        let outcome = Outcome { sandbox, run, dist, seconds };
        outcome.left_nothing(&token, &sources);
        outcome
    }
}

/// A call that has ended.
pub(crate) struct Outcome<'a> {
    sandbox: &'a Sandbox,
    run: Run,
    dist: BTreeMap<String, u64>,
    pub(crate) seconds: f64,
}

impl Outcome<'_> {
    #[track_caller]
    fn left_nothing(&self, token: &str, sources: &BTreeMap<String, u64>) {
        // What was killed a moment ago may not be gone yet.
        let begun = Instant::now();
        while !processes(token).is_empty() && begun.elapsed() < Duration::from_secs(3) {
            thread::sleep(Duration::from_millis(20));
        }
        let orphans = processes(token);
        assert!(orphans.is_empty(), "processes were left behind: {orphans:?}\n{}", self.said());
        let mut halves = Vec::new();
        for folder in ["dist", "target"] {
            walk(&self.sandbox.root.join(folder), &mut |path| {
                if path.as_str().ends_with(".part") {
                    halves.push(path.to_owned());
                }
            });
        }
        assert!(halves.is_empty(), "half files were left behind: {halves:?}\n{}", self.said());
        let after = self.sandbox.sources();
        assert!(*sources == after, "the project was changed:\n{sources:?}\n{after:?}\n{}", self.sandbox.git_status());
    }

    fn said(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.run.stdout, self.run.stderr)
    }

    pub(crate) fn stdout(&self) -> &str {
        &self.run.stdout
    }

    pub(crate) fn stderr(&self) -> &str {
        &self.run.stderr
    }

    #[track_caller]
    pub(crate) fn exits(self, status: i32) -> Self {
        assert!(self.run.status == status, "exit code {} instead of {status}\n{}", self.run.status, self.said());
        self
    }

    #[track_caller]
    pub(crate) fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            let said = self.run.stdout.contains(text) || self.run.stderr.contains(text);
            assert!(said, "`{text}` was not said\n{}", self.said());
        }
        self
    }

    #[track_caller]
    pub(crate) fn never_says(self, texts: &[&str]) -> Self {
        for text in texts {
            let said = self.run.stdout.contains(text) || self.run.stderr.contains(text);
            assert!(!said, "`{text}` was said\n{}", self.said());
        }
        self
    }

    /// It failed, and what a former run had put into dist/ is as it was.
    #[track_caller]
    pub(crate) fn fails(self, status: i32) -> Self {
        let outcome = self.exits(status);
        let dist = wheels_in(&outcome.sandbox.root.join("dist"));
        assert!(outcome.dist == dist, "dist/ changed: {:?} {dist:?}\n{}", outcome.dist, outcome.said());
        outcome
    }

    /// dist/report.json.
    #[track_caller]
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&fs_err::read_to_string(self.sandbox.root.join("dist/report.json")).unwrap()).unwrap()
    }

    /// The status and reason of the first build that is not skipped, as dist/report.json has them.
    #[track_caller]
    pub(crate) fn first_build(&self) -> Value {
        let report = self.report();
        let builds = report["builds"].as_array().unwrap();
        builds.iter().find(|build| build["status"] != "skipped").unwrap_or(&builds[0]).clone()
    }

    /// The first build failed with this finding.
    #[track_caller]
    pub(crate) fn finds(self, rule: &str) -> Self {
        let build = self.first_build();
        let found = build["findings"].as_array().unwrap().iter().any(|finding| finding["rule"] == rule);
        assert!(build["status"] == "failed" && found, "no finding `{rule}`: {build:#}\n{}", self.said());
        self
    }

    /// The steps that ran, by name.
    pub(crate) fn steps(&self) -> Vec<String> {
        let started = self.run.stderr.lines().filter_map(|line| line.strip_suffix(" …"));
        started.filter_map(|line| line.rsplit(' ').next()).map(str::to_owned).collect()
    }
}

/// The processes that were started on behalf of a token, with their arguments.
fn processes(token: &str) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let environment = String::from_utf8_lossy(&environment);
        let ours = environment.split('\0').any(|variable| {
            variable.strip_prefix("WHEELPROOF_STEP=").is_some_and(|marks| marks.split(':').any(|mark| mark == token))
        });
        if ours {
            let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
            found.push((pid, String::from_utf8_lossy(&arguments).replace('\0', " ")));
        }
    }
    found
}

/// Wheels and sdists of a folder, by name.
fn wheels_in(dist: &Utf8Path) -> BTreeMap<String, u64> {
    let mut files = BTreeMap::new();
    for entry in dist.read_dir_utf8().into_iter().flatten().flatten() {
        let name = entry.file_name();
        if !name.starts_with('.') && !name.starts_with("report.") {
            files.insert(name.to_owned(), fingerprint(entry.path()));
        }
    }
    files
}

fn fingerprint(path: &Utf8Path) -> u64 {
    hash(&std::fs::read(path).unwrap_or_default())
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn walk(folder: &Utf8Path, visit: &mut dyn FnMut(&Utf8Path)) {
    for entry in folder.read_dir_utf8().into_iter().flatten().flatten() {
        // Links are not followed: the shared tools are another's.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => walk(entry.path(), visit),
            _ => visit(entry.path()),
        }
    }
}

/// Where the environments of tools lie; they outlive a run of the tests, as they do for a user.
fn shared_tools() -> &'static Utf8Path {
    static TOOLS: OnceLock<Utf8PathBuf> = OnceLock::new();
    TOOLS.get_or_init(|| {
        let tools = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/tools");
        fs_err::create_dir_all(&tools).unwrap();
        tools
    })
}

/// The Pythons that an extension can be built for here, newest first, as `cp313`.
pub(crate) fn pythons() -> &'static [String] {
    static PYTHONS: OnceLock<Vec<String>> = OnceLock::new();
    PYTHONS.get_or_init(|| {
        let all = Asked { project: &["import: [plain]"], python: &[">=3.9"], ..Asked::default() };
        let sandbox = Sandbox::of("plain", &all);
        let outcome = sandbox.wheels(&["--plan", "--format", "json"]).run().exits(0);
        let plan: Value = serde_json::from_str(outcome.stdout()).unwrap();
        let builds = plan["builds"].as_array().unwrap().iter().filter(|build| build["runnable"] == true);
        let found: Vec<String> = builds.filter_map(|build| Some(build["python"].as_str()?.to_owned())).collect();
        found.into_iter().rev().filter(|python| !python.ends_with('t')).collect()
    })
}

pub(crate) fn newest_python() -> String {
    pythons().first().expect("a Python with headers and venv is needed for any of this").clone()
}

/// What `plain` asks for when nothing is wrong.
pub(crate) const PLAIN: Asked<'_> =
    Asked { project: &["import: [plain]", "test: python {project}/tests/check.py"], top: &[], python: &[] };

/// What a run of the little C extension leaves; made once for all, and with it the tools that the others share.
fn former_plain() -> &'static Utf8Path {
    static FORMER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FORMER.get_or_init(|| former("plain", &PLAIN))
}

fn former_wayward() -> &'static Utf8Path {
    static FORMER: OnceLock<Utf8PathBuf> = OnceLock::new();
    FORMER.get_or_init(|| {
        // The tools for repairs are made by the one alone.
        let _ = former_plain();
        former("wayward", &Asked { project: &["import: [wayward]"], ..Asked::default() })
    })
}

/// Proves a project and keeps what stays of it: dist/ and what is remembered.
fn former(name: &str, asked: &Asked<'_>) -> Utf8PathBuf {
    let sandbox = Sandbox::of(name, asked);
    let _ = sandbox.wheels(&[]).run().exits(0);
    let kept = Utf8Path::new(env!("CARGO_TARGET_TMPDIR")).join("real/former").join(name);
    let _ = fs_err::remove_dir_all(&kept);
    for folder in FORMER_FOLDERS {
        copy_folder(&sandbox.root.join(folder), &kept.join(folder));
    }
    kept
}

const FORMER_FOLDERS: [&str; 2] = ["dist", "target/wheelproof/proven"];

fn copy_folder(from: &Utf8Path, to: &Utf8Path) {
    fs_err::create_dir_all(to.parent().unwrap()).unwrap();
    let copied = Command::new("cp").args(["-a", from.as_str(), to.as_str()]).status().unwrap();
    assert!(copied.success());
}

/// Whether a new namespace of this kind is to be had: `-rn` (no network), `-rm` (own mounts).
pub(crate) fn can_unshare(flags: &str) -> bool {
    let tried = Command::new("unshare").args([flags, "true"]).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}
