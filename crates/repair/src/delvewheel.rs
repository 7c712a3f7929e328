//! delvewheel, for Windows' wheels on any host.

use crate::repairer::{Left, Minimum, Repairer, Said, list, out_dir, path_separator, step};
use crate::request::{Existing, Request};
use exec::Step;
use host::World;
use platform::{Os, library_pattern};
use wheel::Wheel;

/// delvewheel.
#[derive(Debug)]
pub(crate) struct Delvewheel;

const MINIMUMS: &[Minimum] = &[Minimum {
    distribution: "delvewheel",
    version: (1, 12),
    reason: "before 1.12 `--exclude` and `--no-mangle` knew no patterns, before 1.9 DependentLoadFlags stayed set, which \
             makes Windows look past the folder of the grafted DLLs, and before 1.7 there was no `--analyze-existing`",
}];

impl Repairer for Delvewheel {
    fn name(&self) -> &'static str {
        "delvewheel"
    }

    fn minimums(&self) -> &'static [Minimum] {
        MINIMUMS
    }

    fn programs(&self, request: &Request) -> Vec<&'static str> {
        if request.strip { vec!["strip"] } else { Vec::new() }
    }

    fn runs_on(&self) -> Option<Os> {
        None
    }

    fn steps(&self, request: &Request, world: &World) -> Vec<Step> {
        let out = out_dir(request);
        let python = request.tools.python.as_str();
        let separator = path_separator(world.os);
        let mut argv = [python, "-m", "delvewheel", "repair", "-v", "-w", out.as_str()].map(str::to_owned).to_vec();
        let mut option = |name: &str, value: String| {
            if !value.is_empty() {
                argv.extend([name.to_owned(), value]);
            }
        };
        option("--add-path", list(&request.library_dirs, world.os));
        let patterns =
            |of: &[String]| of.iter().map(|pattern| in_its_words(pattern)).collect::<Vec<_>>().join(separator);
        option("--exclude", patterns(&request.exclude));
        option("--no-mangle", patterns(&request.options.no_mangle));
        option("--namespace-pkg", request.options.namespace_packages.join(separator));
        match request.options.existing {
            // What is in the wheel and needs something gets it too, whether an extension names it or not.
            Existing::Keep => argv.extend(["--ignore-existing".to_owned(), "--analyze-existing".to_owned()]),
            // With both, delvewheel 1.13 patches a DLL that is in the wheel twice and stops with a KeyError.
            Existing::KeepAndMangleTheirNeeds => {
                argv.extend(["--ignore-existing".to_owned(), "--with-mangle".to_owned()]);
            }
            Existing::Graft => argv.push("--analyze-existing".to_owned()),
        }
        if request.strip {
            argv.push("--strip".to_owned());
        }
        argv.push("{wheel}".to_owned());
        vec![step(request, world, argv)]
    }

    fn understand(&self, log: &str) -> Option<Said> {
        // It breaks its messages into lines of a terminal's width. The last occurrence is the message; the ones before stand
        // in the traceback's lines of source.
        let log = log.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((_, rest)) = log.rsplit_once("Unable to find library: ") {
            let library = rest.split(' ').next().map(str::to_owned);
            return Some(Said::LibraryNotFound { library });
        }
        if let Some((_, rest)) = log.rsplit_once("Unable to rename the dependencies of ")
            && let Some((file, rest)) = rest.split_once(" because ")
            && rest.contains("overlay")
        {
            return Some(Said::Overlay(file.to_owned()));
        }
        if let Some((before, _)) = log.rsplit_once(" has a CPU architecture that is not compatible with this wheel") {
            let file = before.rsplit(' ').next().unwrap_or_default();
            return Some(Said::WrongArchitecture(file.to_owned()));
        }
        None
    }

    fn repaired_before(&self, wheel: &Wheel) -> Option<String> {
        const MOST: usize = 4096;
        let path = wheel.dist_info.as_ref().ok()?.path("DELVEWHEEL");
        let text = wheel.archive.read_prefix(wheel.archive.member(&path)?, MOST).ok()?;
        let text = String::from_utf8_lossy(&text);
        let version = text.lines().find_map(|line| line.strip_prefix("Version: ")).unwrap_or_default();
        Some(format!("delvewheel {version}").trim_end().to_owned())
    }

    fn archive(&self) -> Left {
        // The order of files is the folder's, and their modes are the umask's.
        Left::InDisorder
    }
}

/// It asks fnmatch where there is a star, and compares letter by letter where there is none: any one character is `[!*]`,
/// since no file's name has a star.
fn in_its_words(pattern: &str) -> String {
    if pattern.contains(['*', '?']) {
        library_pattern::for_fnmatch(pattern).replace('?', "[!*]")
    } else {
        pattern.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_in_its_words() {
        for (pattern, words) in [
            ("a.dll", "a.dll"),
            ("a[1].dll", "a[1].dll"),
            ("a*.dll", "a*.dll"),
            ("a?.dll", "a[!*].dll"),
            ("a[1]*.dll", "a[[]1]*.dll"),
        ] {
            assert_eq!(in_its_words(pattern), words);
        }
    }

    #[test]
    fn what_it_says() {
        for (log, said) in [
            (
                "    raise FileNotFoundError(f'Unable to find library: {dll_name}')\nFileNotFoundError: Unable to find library: zlib1.dll\n",
                Said::LibraryNotFound { library: Some("zlib1.dll".to_owned()) },
            ),
            (
                "RuntimeError: Unable to rename the dependencies of a.dll because this DLL does\nnot contain enough internal padding \
                 to fit the new dependency names, and it\ncontains an overlay. Commonly, …",
                Said::Overlay("a.dll".to_owned()),
            ),
            (
                "RuntimeError: pkg/_core.pyd has a CPU architecture that is not compatible with this wheel",
                Said::WrongArchitecture("pkg/_core.pyd".to_owned()),
            ),
        ] {
            assert_eq!(Delvewheel.understand(log), Some(said), "{log}");
        }
        assert_eq!(Delvewheel.understand("Traceback"), None);
    }
}
