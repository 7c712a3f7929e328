//! Our verdict against the real loader's: each situation is built with gcc, loaded by a small program, and judged
//! by this crate from the same files. Where there is no gcc or no glibc, it is skipped.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // also in what the tests share

mod disk;
mod situations;

use camino::{Utf8Path, Utf8PathBuf};
use disk::{Host, Verdict};
use situations::{Cut, Lib, Make, Move, Patch, Program, Remove, Situation, Symlink, Text};
use std::io::Write;
use std::process::{Command, Stdio};
use wheelproof_linkage::Opening;

const HOST: &str = r#"
#include <dlfcn.h>
#include <stdio.h>
__attribute__((visibility("default"))) int host_api(void) { return 1; }
__attribute__((visibility("hidden"))) int host_hidden(void) { return 1; }
int main(int argc, char **argv) {
    void *last = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        last = dlopen(argv[i + 1], RTLD_NOW | (argv[i][0] == 'g' ? RTLD_GLOBAL : RTLD_LOCAL));
        if (!last) { puts(dlerror()); return 1; }
    }
    int (*probe)(void) = (int (*)(void)) dlsym(last, "probe");
    printf("loaded %d\n", probe ? probe() : 0);
    return 0;
}
"#;

fn gcc(folder: &Utf8Path, output: &str, source: &str, args: &[&str]) -> Result<(), String> {
    let output = folder.join(output);
    fs_err::create_dir_all(output.parent().unwrap()).unwrap();
    let mut command = Command::new("gcc");
    command.args(["-O1", "-w", "-o", output.as_str(), "-x", "c", "-", "-x", "none"]);
    command.args(args.iter().map(|arg| arg.replace('@', folder.as_str())));
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    let done = child.wait_with_output().map_err(|error| error.to_string())?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).into_owned()) }
}

fn make(folder: &Utf8Path, step: &Make) -> Result<(), String> {
    let at = |name: &str| folder.join(name);
    let parent = |name: &str| fs_err::create_dir_all(at(name).parent().unwrap()).unwrap();
    match step {
        Lib(output, source, args) => {
            let args: Vec<&str> = ["-shared", "-fPIC"].into_iter().chain(args.split_whitespace()).collect();
            return gcc(folder, output, source, &args);
        }
        Program(output, source) => return gcc(folder, output, source, &["-pie", "-fPIE"]),
        Text(name, text) => {
            parent(name);
            fs_err::write(at(name), text).unwrap();
        }
        Remove(name) => fs_err::remove_file(at(name)).unwrap(),
        Move(from, to) => {
            parent(to);
            fs_err::rename(at(from), at(to)).unwrap();
        }
        Symlink(name, target) => symlink(target, &at(name)),
        Cut(name, length) => {
            let bytes = fs_err::read(at(name)).unwrap();
            fs_err::write(at(name), &bytes[..*length]).unwrap();
        }
        Patch(name, change) => {
            let mut bytes = fs_err::read(at(name)).unwrap();
            change(&mut bytes);
            fs_err::write(at(name), bytes).unwrap();
        }
    }
    Ok(())
}

#[cfg(unix)]
fn symlink(target: &str, name: &Utf8Path) {
    std::os::unix::fs::symlink(target, name).unwrap();
}

#[cfg(not(unix))]
fn symlink(_target: &str, _name: &Utf8Path) {}

fn judge(situation: &Situation, folder: &Utf8Path, host: &Host) -> Verdict {
    let program = std::iter::once(Opening::program(folder.join("host")));
    let openings: Vec<Opening> = program
        .chain(situation.open.iter().map(|(mode, path)| match mode {
            'g' => Opening::global(folder.join(path)),
            _ => Opening::local(folder.join(path)),
        }))
        .collect();
    let library_path: Vec<Utf8PathBuf> = Some(situation.library_path)
        .filter(|path| !path.is_empty())
        .map(|path| folder.join(path))
        .into_iter()
        .collect();
    host.judge(folder, &openings, &library_path, situation.probe)
}

#[test]
fn agrees_on_where_libraries_are_found() {
    agrees(&situations::search());
}

#[test]
fn agrees_on_symbols() {
    agrees(&situations::symbols());
}

#[test]
fn agrees_on_versions() {
    agrees(&situations::versioned());
}

#[test]
fn agrees_on_what_is_refused() {
    agrees(&situations::refused());
}

/// Builds, loads and judges each.
fn agrees(all: &[Situation]) {
    let Some(host) = Host::find() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let scratch = Utf8PathBuf::from_path_buf(scratch.path().canonicalize().unwrap()).unwrap();
    if let Err(error) = gcc(&scratch, "host", HOST, &["-rdynamic", "-ldl"]) {
        println!("skipped: gcc cannot build a program: {error}");
        return;
    }
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for (index, situation) in all.iter().enumerate() {
        let folder = scratch.join(index.to_string());
        fs_err::create_dir_all(&folder).unwrap();
        fs_err::copy(scratch.join("host"), folder.join("host")).unwrap();
        if let Some(error) = situation.make.iter().find_map(|step| make(&folder, step).err()) {
            println!("skipped: {}: {error}", situation.name);
            continue;
        }
        let mut command = Command::new(folder.join("host"));
        command.env_remove("LD_LIBRARY_PATH").env_remove("LD_PRELOAD");
        if !situation.library_path.is_empty() {
            command.env("LD_LIBRARY_PATH", folder.join(situation.library_path));
        }
        for (mode, path) in situation.open {
            command.arg(mode.to_string()).arg(folder.join(path));
        }
        let real = command.output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&real.stdout), String::from_utf8_lossy(&real.stderr));
        let ours = judge(situation, &folder, &host);
        compared += 1;
        let mut complain =
            |text: String| wrong.push(format!("{}: {text}\n  real: {said}  ours: {}", situation.name, ours.said));
        if real.status.success() != ours.loads {
            complain(format!("the loader says {}, we say {}", real.status.success(), ours.loads));
        }
        if situation.loads.is_some_and(|loads| loads != real.status.success()) {
            complain("not what this situation is meant to show".into());
        }
        if !ours.loads && !ours.said.contains(situation.why) {
            complain(format!("our reason lacks `{}`", situation.why));
        }
        if let Some(probed) = &ours.probed {
            let number = said.trim().rsplit(' ').next().unwrap_or_default().to_owned();
            if !probed.trim_end_matches(".so").ends_with(&number) {
                complain(format!("bound to {number}, we say `{probed}`"));
            }
        }
    }
    println!("{compared} of {} situations compared with the real loader", all.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Some of the libraries that this system has, each opened alone by a program with few libraries of its own. What
/// they need is decided by their makers, not by us.
#[test]
fn agrees_on_the_libraries_of_this_system() {
    const AT_MOST: usize = 60;
    let Some(host) = Host::find() else { return };
    let scratch = tempfile::tempdir().unwrap();
    let scratch = Utf8PathBuf::from_path_buf(scratch.path().canonicalize().unwrap()).unwrap();
    if let Err(error) = gcc(&scratch, "host", HOST, &["-rdynamic", "-ldl"]) {
        println!("skipped: gcc cannot build a program: {error}");
        return;
    }
    let is_library = |path: &Utf8PathBuf| {
        let size = fs_err::metadata(path).map_or(0, |metadata| metadata.len());
        path.as_str().contains(".so") && path.is_file() && !path.is_symlink() && (1..4_000_000).contains(&size)
    };
    let mut libraries: Vec<Utf8PathBuf> = Vec::new();
    for folder in host.folders() {
        let Ok(entries) = folder.read_dir_utf8() else { continue };
        libraries.extend(entries.filter_map(Result::ok).map(camino::Utf8DirEntry::into_path).filter(is_library));
    }
    libraries.sort();
    let step = libraries.len().div_ceil(AT_MOST).max(1);
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for library in libraries.iter().step_by(step) {
        let real = Command::new(scratch.join("host"))
            .args(["l", library.as_str()])
            .env_remove("LD_LIBRARY_PATH")
            .output()
            .unwrap();
        // Without a code it was killed by a signal: its own initialisation failed, which is not the loader's doing.
        let Some(code) = real.status.code() else { continue };
        let openings = [Opening::program(scratch.join("host")), Opening::local(library.clone())];
        let ours = host.judge(&scratch, &openings, &[], None);
        compared += 1;
        if (code == 0) != ours.loads {
            let said = format!("{}{}", String::from_utf8_lossy(&real.stdout), String::from_utf8_lossy(&real.stderr));
            wrong.push(format!("{library}: {said}  ours: {}", ours.said));
        }
    }
    println!("{compared} libraries compared");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
