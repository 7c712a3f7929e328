//! `bench`: our own overhead against the same commands typed by hand, two Pythons at once against one after the other, and
//! what a run costs that has nothing to do. Prints ratios; judges nothing.

use anyhow::{Context, Result, anyhow, bail};
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Arg, ArgMatches, Command};
use serde_json::Value;
use std::process::{Command as Process, Stdio};
use std::time::{Duration, Instant};
use wheelproof::{Extra, exit};

/// The command.
pub(crate) fn extra() -> Extra {
    let project =
        Arg::new("bench-project").long("bench-project").value_name("DIR").default_value("tests/projects/plain");
    let runs =
        Arg::new("runs").long("runs").value_name("N").default_value("5").value_parser(clap::value_parser!(usize));
    let command = Command::new("bench")
        .about("Measure our overhead, what builds side by side save, and what a run costs that has nothing to do")
        .arg(project.help("The project that is built"))
        .arg(runs.help("How often"));
    Extra { command, run: |matches| bench(matches).unwrap_or_else(|error| fail(&error)) }
}

#[allow(clippy::print_stderr)] // a command of this repository alone: it talks to whoever typed it
fn fail(error: &anyhow::Error) -> u8 {
    eprintln!("bench: {error:#}");
    exit::STEP
}

#[allow(clippy::print_stdout)] // the figures are what was asked for
fn bench(matches: &ArgMatches) -> Result<u8> {
    let project = matches.get_one::<String>("bench-project").context("no project")?;
    let runs = *matches.get_one::<usize>("runs").context("no number of runs")?;
    let here = std::env::current_exe()?;
    let program = Utf8PathBuf::try_from(here)?;
    let scratch = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/wheelproof/bench");
    let all = Bench { program, scratch, pythons: vec![">=3.9".to_owned()] };
    all.prepare(project)?;
    let found = all.runnable()?;
    let newest = found.get(..1).context("there is no Python here that the project can be built for")?;
    let bench = Bench { pythons: newest.to_vec(), ..all };
    // One run to install tools and fill caches; its plan is what the other side types.
    bench.ours(&["--force"])?;
    let plan = bench.plan()?;
    let (mut ours, mut byhand, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs.max(1) {
        let a = bench.ours(&["--force"])?;
        let b = Bench::by_hand(&plan)?;
        ratios.push(a.as_secs_f64() / b.as_secs_f64());
        ours.push(a.as_secs_f64());
        byhand.push(b.as_secs_f64());
    }
    println!(
        "the same steps: ours {:.2} s, typed by hand {:.2} s, ratio {:.3} (medians of {runs})",
        median(&mut ours),
        median(&mut byhand),
        median(&mut ratios)
    );
    match found.get(..2) {
        Some(two) => side_by_side(&Bench { pythons: two.to_vec(), ..bench.clone() }, runs)?,
        None => println!("two Pythons at once: not measured, there is only one here"),
    }
    for (label, arguments) in [("nothing to do", &[][..]), ("--plan", &["--plan", "--format", "json"][..])] {
        let mut times =
            (0..20).map(|_| bench.ours(arguments).map(|t| t.as_secs_f64() * 1e3)).collect::<Result<Vec<_>>>()?;
        println!("{label}: {:.0} ms (median of 20)", median(&mut times));
    }
    Ok(exit::FINE)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Two Pythons at once against one after the other, in pairs: with the steps as they are, most of which use one core, and
/// with two seconds of waiting in each build's `sdist` and `build`.
#[allow(clippy::print_stdout)] // the figures are what was asked for
fn side_by_side(bench: &Bench, runs: usize) -> Result<()> {
    bench.ours(&["--force"])?;
    for (label, seconds) in [("as they are", "0"), ("that wait 2 s", "2")] {
        let (mut at_once, mut in_turn, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..runs.max(1) {
            let timed =
                |jobs: &str| Bench::timed(bench.command(&["--force", "--jobs", jobs]).env("PLAIN_SLEEP", seconds));
            let (two, one) = (timed("2")?.as_secs_f64(), timed("1")?.as_secs_f64());
            ratios.push(two / one);
            at_once.push(two);
            in_turn.push(one);
        }
        println!(
            "two Pythons at once, steps {label}: {:.2} s, one after the other {:.2} s, ratio {:.3} (medians of {runs})",
            median(&mut at_once),
            median(&mut in_turn),
            median(&mut ratios)
        );
    }
    Ok(())
}

#[derive(Clone)]
struct Bench {
    program: Utf8PathBuf,
    scratch: Utf8PathBuf,
    pythons: Vec<String>,
}

impl Bench {
    /// A copy of the project, so that dist/ and target/ of the repository stay as they are.
    fn prepare(&self, project: &str) -> Result<()> {
        let _ = fs_err::remove_dir_all(&self.scratch);
        fs_err::create_dir_all(&self.scratch)?;
        let copied = Process::new("cp").args(["-r", &format!("{project}/."), self.scratch.as_str()]).status();
        anyhow::ensure!(copied.is_ok_and(|status| status.success()), "`{project}` cannot be copied");
        Ok(())
    }

    fn command(&self, arguments: &[&str]) -> Process {
        let mut command = Process::new(&self.program);
        command.args(["wheels", "--quiet", "--project", self.scratch.as_str()]).args(arguments);
        for python in &self.pythons {
            command.args(["--python", python]);
        }
        command
    }

    fn ours(&self, arguments: &[&str]) -> Result<Duration> {
        Self::timed(&mut self.command(arguments))
    }

    fn timed(command: &mut Process) -> Result<Duration> {
        let started = Instant::now();
        let output = command.output()?;
        let took = started.elapsed();
        if output.status.success() { Ok(took) } else { Err(anyhow!("{}", String::from_utf8_lossy(&output.stderr))) }
    }

    fn plan(&self) -> Result<Value> {
        let output = self.command(&["--plan", "--format", "json"]).output()?;
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The Pythons that can be built for here, newest first.
    fn runnable(&self) -> Result<Vec<String>> {
        let plan = self.plan()?;
        let builds = plan["builds"].as_array().context("the plan has no builds")?;
        let runnable = builds.iter().filter(|build| build["runnable"] == true);
        let mut pythons: Vec<String> =
            runnable.filter_map(|build| Some(build["python"].as_str()?.to_owned())).collect();
        pythons.reverse();
        Ok(pythons)
    }

    /// The plan's own command lines, one after another, without this program: the folders that it left are used again.
    fn by_hand(plan: &Value) -> Result<Duration> {
        let steps = plan.pointer("/builds/0/steps").and_then(Value::as_array).context("the plan has no build")?;
        let work = steps
            .iter()
            .find(|step| step["name"] == "venv")
            .and_then(|step| step["cwd"].as_str())
            .and_then(|cwd| Utf8Path::new(cwd).parent()?.parent().map(Utf8Path::to_owned))
            .context("the plan has no verification")?;
        let sdist = the_only(&work.join("build/sdist"))?;
        let unpacked = the_only(&work.join("build/unpacked"))?;
        let built = the_only(&work.join("build/wheel"))?;
        let repaired = the_only(&work.join("repair/repaired")).unwrap_or_else(|_| built.clone());
        // What the last run made would leave less to do by hand.
        for made in ["verify/venv", "repair/wheel"] {
            match fs_err::remove_dir_all(work.join(made)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        let path = std::env::var("PATH").unwrap_or_default();
        let started = Instant::now();
        for step in steps {
            let name = step["name"].as_str().unwrap_or_default();
            let argv: Vec<&str> = step["argv"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            // Tools are there already, and what runs inside this program has no command line to type.
            if name.starts_with("tools-") || argv.first() == Some(&"wheelproof") {
                continue;
            }
            let wheel = if name == "repair" { &built } else { &repaired };
            let source = if name == "sdist" { work.join("build/copy") } else { unpacked.clone() };
            let fill = |word: &str| {
                word.replace("{wheel}", wheel.as_str())
                    .replace("{sdist}", sdist.as_str())
                    .replace("{source}", source.as_str())
                    .replace("{project}", work.join("verify/project").as_str())
                    .replace("{PATH}", &path)
            };
            let argv: Vec<String> = argv.into_iter().map(fill).collect();
            let (program, arguments) = argv.split_first().context("an empty command line")?;
            let mut command = Process::new(program);
            command.args(arguments).current_dir(fill(step["cwd"].as_str().unwrap_or("."))).stdin(Stdio::null());
            for (variable, value) in step["env"].as_object().into_iter().flatten() {
                match value.as_str() {
                    Some(value) => command.env(variable, fill(value)),
                    None => command.env_remove(variable),
                };
            }
            let output = command.output().with_context(|| name.to_owned())?;
            if !output.status.success() {
                bail!("{name}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
        Ok(started.elapsed())
    }
}

fn the_only(dir: &Utf8Path) -> Result<Utf8PathBuf> {
    let entry = dir.read_dir_utf8().ok().and_then(|mut entries| entries.next()?.ok());
    entry.map(camino::Utf8DirEntry::into_path).with_context(|| format!("`{dir}` is empty"))
}
