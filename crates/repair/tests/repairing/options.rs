//! What each tool is told: the options of a repair, one to one, and an environment with nothing of the user's in it.

use crate::bench::{Bench, EPOCH, world};
use camino::Utf8PathBuf;
use exec::Step;
use host::World;
use host::toolenv::ToolEnvironment;
use platform::Os;
use wheelproof_repair::{Existing, Request, steps};

/// A request with every option, for a tool that nobody starts.
fn request(bench: &Bench, target: &str, platform: &str) -> Request {
    let tools = ToolEnvironment {
        purpose: "repair".to_owned(),
        dir: "/tools".into(),
        python: "/tools/bin/python".into(),
        programs: "/tools/bin".into(),
        base_python: "python3".into(),
        requirements: String::new(),
        locked: false,
    };
    let mut request = Request {
        library_dirs: vec!["/one/lib".into(), "/two/lib".into()],
        exclude: vec!["liba.so.1".to_owned(), "lib?b*.dll".to_owned()],
        strip: true,
        work_dir: "/work".into(),
        log_dir: "/log".into(),
        ..bench.request(target, platform, tools)
    };
    request.options.program_dirs = vec![Utf8PathBuf::from("/shims")];
    request.options.no_mangle = vec!["c.dll".to_owned(), "d*.dll".to_owned()];
    request.options.namespace_packages = vec!["ns".to_owned(), "ns.inner".to_owned()];
    request
}

fn step(request: &Request, os: Os) -> Step {
    let mut made = steps(request, &World { os, ..world().clone() });
    assert_eq!(made.len(), 1);
    made.remove(0)
}

fn set<'a>(step: &'a Step, name: &str) -> Option<&'a str> {
    step.env.get(name).and_then(|value| value.as_deref())
}

#[test]
fn one_to_one() {
    let bench = Bench::new();
    let keep = "--ignore-existing --analyze-existing";
    let cases = [
        (
            ("linux-x86_64", "manylinux_2_28", Os::Linux, Existing::Keep),
            "-m auditwheel repair --only-plat -w /work/wheel --plat manylinux_2_28_x86_64 --exclude liba.so.1 \
             --exclude lib?b*.dll --strip {wheel}"
                .to_owned(),
        ),
        (
            ("macos-arm64", "macosx_12_0", Os::MacOs, Existing::Keep),
            "-m delocate.cmd.delocate_wheel -v --require-archs arm64 -w /work/wheel --exclude liba.so.1 --exclude .dll {wheel}"
                .to_owned(),
        ),
        (
            ("windows-x86_64", "auto", Os::Windows, Existing::Keep),
            format!(
                "-m delvewheel repair -v -w /work/wheel --add-path /one/lib;/two/lib --exclude liba.so.1;lib[!*]b*.dll \
                 --no-mangle c.dll;d*.dll --namespace-pkg ns;ns.inner {keep} --strip {{wheel}}"
            ),
        ),
        // On another host delvewheel reads lists as that host writes them.
        (
            ("windows-x86_64", "auto", Os::Linux, Existing::KeepAndMangleTheirNeeds),
            "-m delvewheel repair -v -w /work/wheel --add-path /one/lib:/two/lib --exclude liba.so.1:lib[!*]b*.dll \
             --no-mangle c.dll:d*.dll --namespace-pkg ns:ns.inner --ignore-existing --with-mangle --strip {wheel}"
                .to_owned(),
        ),
        (
            ("windows-x86_64", "auto", Os::Linux, Existing::Graft),
            "-m delvewheel repair -v -w /work/wheel --add-path /one/lib:/two/lib --exclude liba.so.1:lib[!*]b*.dll \
             --no-mangle c.dll:d*.dll --namespace-pkg ns:ns.inner --analyze-existing --strip {wheel}"
                .to_owned(),
        ),
    ];
    for ((target, platform, os, existing), expected) in cases {
        let mut request = request(&bench, target, platform);
        request.options.existing = existing;
        let made = step(&request, os);
        assert_eq!(made.argv[1..].join(" "), expected, "{target} on {os}");
        assert!(made.clean_env, "nothing of the user's");
        let temp = if os == Os::Windows { "TEMP" } else { "TMPDIR" };
        let between = if os == Os::Windows { ";" } else { ":" };
        assert_eq!(set(&made, temp), Some("/work/tmp"));
        assert_eq!(set(&made, "PATH"), Some(["/shims", "/tools/bin", "{PATH}"].join(between).as_str()));
        assert_eq!(set(&made, "SOURCE_DATE_EPOCH"), Some(EPOCH.to_string().as_str()));
        assert_eq!(set(&made, "PYTHONHASHSEED"), Some("0"));
        assert_eq!(made.timeout_seconds, Some(request.time_limit));
        for leading in ["LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LD_PRELOAD"] {
            assert_eq!(set(&made, leading), None);
        }
    }
}

#[test]
fn where_libraries_lie_and_how_old_the_system_may_be() {
    let bench = Bench::new();
    let linux = step(&request(&bench, "linux-x86_64", "auto"), Os::Linux);
    assert_eq!(set(&linux, "AUDITWHEEL_LD_LIBRARY_PATH"), Some("/one/lib:/two/lib"));
    let macos = step(&request(&bench, "macos-arm64", "macosx_12_0"), Os::MacOs);
    assert_eq!(set(&macos, "DYLD_FALLBACK_LIBRARY_PATH"), Some("/one/lib:/two/lib:/usr/local/lib:/usr/lib"));
    assert_eq!(set(&macos, "MACOSX_DEPLOYMENT_TARGET"), Some("12.0"));
}
