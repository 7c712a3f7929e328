//! What only Windows has: endings of programs, batch files, long paths, code pages, inherited handles.
#![cfg(windows)]
#![allow(clippy::unwrap_used)] // of the tests' own helpers too

mod stage;

use camino::{Utf8Path, Utf8PathBuf};
use stage::{Place, copy_actor, run};
use wheelproof_exec::{Cancel, Explain, Recorder, Runner, Silent, Step, StepError, Terminal};

fn step<W: Into<String>>(place: &Place, argv: impl IntoIterator<Item = W>) -> Step {
    Step::new("try", argv, &place.path, place.log_path())
}

#[test]
fn a_program_is_found_by_its_endings() {
    let place = Place::new();
    copy_actor(&place.path.join("one/tool.exe"));
    fs_err::create_dir(place.path.join("two")).unwrap();
    fs_err::write(place.path.join("two/tool.bat"), "@echo a batch file\r\n").unwrap();
    for (program, path, output) in [
        ("tool", "one;two", "an actor"),
        ("TOOL", "two;one", "a batch file"),
        ("tool.exe", "two;one", "an actor"),
        ("Tool.Bat", "one;two", "a batch file"),
        ("one\\tool", "", "an actor"),
        ("two/tool", "", "a batch file"),
    ] {
        let step = step(&place, [program, "out", "an actor"]).with_env("Path", path);
        run(&step).unwrap();
        assert!(place.log().contains(&format!("\n{output}\n")), "{program}: {}", place.log());
    }
}

/// `std` writes command lines for batch files by `cmd.exe`'s rules, and refuses what these cannot say.
#[test]
fn arguments_of_batch_files() {
    let place = Place::new();
    fs_err::write(place.path.join("show it.cmd"), "@echo off\r\necho [%~1] [%~2] [%~3]\r\nexit /b 4\r\n").unwrap();
    for (arguments, shown) in [
        (["a", "b c", "--x=1"], "[a] [b c] [--x=1]"),
        (["a b", "", "C:\\x y\\z"], "[a b] [] [C:\\x y\\z]"),
        (["(x)", "a,b", "a;b"], "[(x)] [a,b] [a;b]"),
    ] {
        let mut argv = vec![place.path.join("show it.cmd").into_string()];
        argv.extend(arguments.map(str::to_owned));
        let error = run(&step(&place, argv)).unwrap_err();
        assert!(error.to_string().ends_with("failed with exit code 4"), "{error}");
        assert!(place.log().contains(&format!("\n{shown}\n")), "{arguments:?}: {}", place.log());
    }
    let error = run(&step(&place, [".\\show it.cmd", "two\r\nlines"])).unwrap_err();
    assert!(matches!(error, StepError::CannotStart { .. }), "{error:?}");
    assert!(error.hint().unwrap().contains("batch file"), "{:?}", error.hint());
}

#[test]
fn what_is_damaged_says_so() {
    let place = Place::new();
    let damaged = place.path.join(format!("damaged{}", std::env::consts::EXE_SUFFIX));
    fs_err::copy(stage::actor(), &damaged).unwrap();
    // Keeps the execute bit, and begins like no program.
    fs_err::write(&damaged, [0_u8; 4096]).unwrap();
    let error = run(&Step::new("try", [damaged.as_str()], &place.path, place.log_path())).unwrap_err();
    assert!(matches!(&error, StepError::CannotStart { program, .. } if *program == damaged), "{error:?}");
    assert!(error.hint().unwrap().contains("made for another system"), "{:?}", error.hint());
}

/// A folder whose path is longer than `MAX_PATH` (260).
fn deep(place: &Place) -> Utf8PathBuf {
    let mut folder = place.path.clone();
    while folder.as_str().len() < 300 {
        folder.push("a folder with a long name and blanks");
    }
    fs_err::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn long_paths() {
    let place = Place::new();
    let folder = deep(&place);
    let mut with_long_log = place.step(["out", "written"]);
    with_long_log.log = folder.join("logs/x.log");
    run(&with_long_log).unwrap();
    assert!(fs_err::read_to_string(&with_long_log.log).unwrap().contains("written"));
    // Not every version of Windows starts a program from there (wine does not either); then the error says why.
    copy_actor(&folder.join("tool.exe"));
    match run(&step(&place, [folder.join("tool.exe").as_str(), "out", "started"])) {
        Ok(()) => assert!(place.log().contains("\nstarted\n"), "{}", place.log()),
        Err(error) => {
            assert!(matches!(error, StepError::CannotStart { .. }), "{error:?}");
            assert!(error.hint().unwrap().contains("260 characters"), "{:?}", error.hint());
        }
    }
}

/// `\\?\` paths, as `canonicalize` gives them: no `/` means anything in them.
#[test]
fn extended_paths() {
    let place = Place::new();
    copy_actor(&place.path.join("bin/tool.exe"));
    let extended = place.path.canonicalize_utf8().unwrap();
    assert!(extended.as_str().starts_with(r"\\?\"));
    for program in [extended.join("bin").join("tool"), "bin/tool".into(), "bin\\tool.exe".into()] {
        let mut step = step(&place, [program.as_str(), "out", "started"]);
        step.cwd.clone_from(&extended);
        run(&step).unwrap();
        assert!(place.log().contains("\nstarted\n"), "{}", place.log());
    }
}

#[test]
fn lines_in_the_code_page_of_old_programs_are_told_and_their_bytes_kept() {
    let place = Place::new();
    let events = Recorder::default();
    let step = place.step(["raw", "4a fc 72 67 65 6e 0d 0a 4a c3 bc 72 67 65 6e 0d 0a"]);
    Runner::new(&events, &Cancel::new()).streaming(true).run(&step).unwrap();
    let lines = events.lines();
    // What the byte means depends on the machine; that it means something does not.
    assert!(lines[0].starts_with('J') && lines[0].ends_with("rgen") && !lines[0].contains('\u{fffd}'), "{lines:?}");
    assert_eq!(lines[1], "Jürgen");
    let log = fs_err::read(place.log_path()).unwrap();
    assert!(log.windows(7).any(|bytes| bytes == b"J\xfcrgen\r"));
}

#[test]
fn what_shares_our_terminal_is_logged_all_the_same() {
    let place = Place::new();
    let step = place.step(["out", "shared"]);
    Runner::new(&Silent, &Cancel::new()).terminal(Terminal::Shared).run(&step).unwrap();
    assert!(place.log().contains("\nshared\n"), "{}", place.log());
}

#[test]
fn a_path_that_is_no_path() {
    let place = Place::new();
    for program in ["C:relative", "\\\\server\\share\\gone.exe", "NUL", "a:b:c", "con"] {
        let error = run(&step(&place, [program])).unwrap_err();
        assert!(matches!(error, StepError::NotFound { .. } | StepError::CannotStart { .. }), "{program}: {error:?}");
    }
    assert!(Utf8Path::new(place.path.as_str()).exists());
}
