//! The program that the tests start as step, query, child and grandchild: it does what its arguments say, word by word,
//! the same on every system. Whatever it does, it ends by itself after some minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)] // a part of the tests

use std::io::{Read, Write, stderr, stdin, stdout};
use std::net::TcpStream;
use std::process::{Command, Stdio, exit};
use std::time::{Duration, Instant};

use wheelproof_exec::{Cancel, Runner, Silent, Step, StepError};

/// Longer than any test waits.
const LIFE: Duration = Duration::from_secs(240);

fn main() {
    let mut words: std::collections::VecDeque<String> = std::env::args().skip(1).collect();
    let mut kept = Vec::new();
    let mut cancel = Cancel::new();
    while let Some(verb) = words.pop_front() {
        let mut next = || words.pop_front().unwrap_or_else(|| panic!("{verb} needs a word"));
        match verb.as_str() {
            // Words that follow, as they arrived.
            "args" => {
                words.drain(..).for_each(|word| println!("{word:?}"));
                exit(0);
            }
            "out" => println!("{}", next()),
            "err" => eprintln!("{}", next()),
            "raw" => {
                let escaped = next();
                let bytes: Vec<u8> = escaped.split(' ').map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
                stdout().write_all(&bytes).unwrap();
                stdout().flush().unwrap();
            }
            "spam" => spam(&mut stdout().lock(), &next()),
            "spam-err" => spam(&mut stderr().lock(), &next()),
            "env" => {
                let name = next();
                println!("{name}={}", std::env::var(&name).unwrap_or_else(|_| "(none)".to_owned()));
            }
            "all-env" => std::env::vars_os()
                .for_each(|(name, value)| println!("{}={:?}", name.display(), value.to_string_lossy())),
            "cwd" => println!("{}", std::env::current_dir().unwrap().display()),
            "stdin" => {
                let mut text = String::new();
                stdin().read_to_string(&mut text).unwrap();
                println!("stdin: {text:?}");
            }
            "sleep" => std::thread::sleep(Duration::from_millis(next().parse().unwrap())),
            "stay" => {
                std::thread::sleep(LIFE);
                exit(99);
            }
            // A line to the test that is cut when this process ends.
            "alive" => {
                let mut line = TcpStream::connect(next()).unwrap();
                writeln!(line, "{}", next()).unwrap();
                kept.push(line);
            }
            // A child in the background that has as many of the following words as its own.
            verb @ ("start" | "start-quiet") => {
                let count: usize = next().parse().unwrap();
                let mut child = Command::new(std::env::current_exe().unwrap());
                child.args(words.drain(..count));
                if verb == "start-quiet" {
                    child.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                }
                drop(child.spawn().unwrap());
            }
            // Asked to end, and no more.
            "deaf" => cancel = Cancel::on_interrupt().unwrap(),
            "until-asked" => {
                let begun = Instant::now();
                while !cancel.is_cancelled() && begun.elapsed() < LIFE {
                    std::thread::sleep(Duration::from_millis(10));
                }
                println!("asked: {:?}", cancel.reason());
            }
            "exit" => exit(next().parse().unwrap()),
            "abort" => std::process::abort(),
            // Goes on once the file is there.
            "until" => {
                let (file, begun) = (next(), Instant::now());
                while !std::path::Path::new(&file).exists() && begun.elapsed() < LIFE {
                    std::thread::sleep(Duration::from_millis(10));
                }
            }
            // How many pipes came down to this process that it does not know of.
            "pipes" => println!("{}", system::pipes()),
            // A console of its own, where there are consoles.
            "console" => system::console(),
            // Ctrl-C, once the file is there; from inside, because it goes to all at a console.
            "interrupt-on" => {
                let file = next();
                std::thread::spawn(move || {
                    while !std::path::Path::new(&file).exists() {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    system::interrupt();
                });
            }
            // A program that runs one step (the following words) as its users do, and writes the result into `folder`.
            "run" => {
                let folder = camino::Utf8PathBuf::from(next());
                let limit = next().parse().unwrap();
                let argv = std::iter::once(std::env::current_exe().unwrap().to_str().unwrap().to_owned());
                let step =
                    Step::new("long", argv.chain(words.drain(..)), &folder, folder.join("log")).with_timeout(limit);
                let cancel = Cancel::on_interrupt().unwrap();
                // Long enough for a slow machine, and less than a test waits: what cannot be asked is killed then.
                let result = Runner::new(&Silent, &cancel).grace(Duration::from_secs(20)).run(&step);
                fs_err::write(folder.join("result"), format!("{result:?}")).unwrap();
                exit(if matches!(result, Err(StepError::Cancelled { .. })) { 130 } else { 1 });
            }
            other => panic!("unknown word {other}"),
        }
    }
}

fn spam(stream: &mut dyn Write, count: &str) {
    let mut left: usize = count.parse().unwrap();
    while left > 0 {
        let piece = left.min(65_536);
        // Who reads may have enough.
        if stream.write_all(&vec![b'x'; piece]).and_then(|()| stream.flush()).is_err() {
            exit(3);
        }
        left -= piece;
    }
}

#[cfg(unix)]
mod system {
    pub(crate) fn console() {}

    #[allow(unsafe_code)]
    pub(crate) fn interrupt() {
        // SAFETY: a plain system call.
        unsafe { libc::kill(libc::getpid(), libc::SIGINT) };
    }

    #[allow(unsafe_code)]
    pub(crate) fn pipes() -> usize {
        let is_pipe = |descriptor: &i32| {
            let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
            // SAFETY: `status` is a valid place for the answer, and all-zero bytes are a valid `stat`.
            unsafe {
                libc::fstat(*descriptor, status.as_mut_ptr()) == 0
                    && status.assume_init().st_mode & libc::S_IFMT == libc::S_IFIFO
            }
        };
        (3..1024).filter(is_pipe).count()
    }
}

#[cfg(windows)]
mod system {
    use windows_sys::Win32::Storage::FileSystem::{FILE_TYPE_PIPE, GetFileType};
    use windows_sys::Win32::System::Console::{
        AllocConsole, CTRL_C_EVENT, FreeConsole, GenerateConsoleCtrlEvent, SetConsoleCtrlHandler,
    };

    #[allow(unsafe_code)]
    pub(crate) fn console() {
        // SAFETY: no memory is involved. The last call hears Ctrl-C again if whoever started us ignores it.
        let made = unsafe {
            FreeConsole();
            let made = AllocConsole();
            SetConsoleCtrlHandler(None, 0);
            made
        };
        assert!(made != 0, "no console: {}", std::io::Error::last_os_error());
    }

    #[allow(unsafe_code)]
    pub(crate) fn interrupt() {
        // SAFETY: no memory is involved; 0 is everything at our console.
        let sent = unsafe { GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0) };
        assert!(sent != 0, "no Ctrl-C: {}", std::io::Error::last_os_error());
    }

    #[allow(unsafe_code)]
    pub(crate) fn pipes() -> usize {
        use std::os::windows::io::AsRawHandle;

        let own =
            [std::io::stdin().as_raw_handle(), std::io::stdout().as_raw_handle(), std::io::stderr().as_raw_handle()];
        // Handles are multiples of four, given from the lowest number up.
        let handles = (1..4096_usize).map(|number| std::ptr::without_provenance_mut(number * 4));
        // SAFETY: the call fails for what is no handle.
        handles.filter(|handle| !own.contains(handle) && unsafe { GetFileType(*handle) } == FILE_TYPE_PIPE).count()
    }
}
