//! The policies' data against the programs they describe: the installed auditwheel's and delvewheel's own.
//!
//! `WHEELPROOF_ORACLE_PYTHON` names a Python that has both (auditwheel 6.8, delvewheel 1.13); without it the tests say
//! `skipped`.

#![allow(clippy::expect_used, clippy::print_stdout)] // a test may fail, and says why it is skipped

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;
use wheelproof_platform::policy::{Libc, Needs, Policy, musl_soname, policies, widest, windows};
use wheelproof_platform::{Arch, Os};

const NAMESPACES: [&str; 6] = ["CXXABI", "GCC", "GLIBC", "GLIBCXX", "LIBATOMIC", "ZLIB"];

/// What the oracle prints as JSON; `None` with the reason said.
fn ask(program: &str) -> Option<Value> {
    let Some(python) = std::env::var_os("WHEELPROOF_ORACLE_PYTHON") else {
        println!("skipped: WHEELPROOF_ORACLE_PYTHON names no Python with auditwheel and delvewheel");
        return None;
    };
    let output = Command::new(&python).args(["-c", program]).output().expect("the oracle's Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("the oracle answers in JSON"))
}

fn words(value: &Value) -> BTreeSet<String> {
    let words = value.as_array().expect("a list").iter();
    words.map(|word| word.as_str().expect("a word").to_owned()).collect()
}

#[test]
fn linux_policies_are_auditwheels() {
    let program = "
import json
from auditwheel.policy import WheelPolicies
from auditwheel.libc import Libc
from auditwheel.architecture import Architecture
out = []
for libc, musl in ((Libc.GLIBC, [None]), (Libc.MUSL, ['musllinux_1_1', 'musllinux_1_2'])):
    for arch in ('x86_64', 'aarch64', 'i686', 'armv7l', 'ppc64le', 's390x', 'riscv64'):
        found = {}
        for which in musl:
            for p in WheelPolicies(libc=libc, arch=Architecture(arch), musl_policy=which):
                if p.priority:
                    found[p.name] = dict(name=p.name, aliases=p.aliases, priority=p.priority, whitelist=sorted(p.whitelist),
                        versions={k: sorted(v) for k, v in p.symbol_versions.items()},
                        blacklist={k: sorted(v) for k, v in p.blacklist.items()})
        out.append(dict(musl=libc == Libc.MUSL, arch=arch, policies=sorted(found.values(), key=lambda p: -p['priority'])))
print(json.dumps(out))
";
    let Some(answer) = ask(program) else { return };
    let mut compared = 0;
    for group in answer.as_array().unwrap() {
        let libc = if group["musl"].as_bool().unwrap() { Libc::Musl } else { Libc::Glibc };
        let arch = Arch::from_machine(group["arch"].as_str().unwrap()).unwrap();
        let theirs = group["policies"].as_array().unwrap();
        let ours: Vec<&Policy> = policies(libc, arch).collect();
        assert_eq!(ours.len(), theirs.len(), "{libc} {arch}");
        for (ours, theirs) in ours.into_iter().zip(theirs) {
            let place = format!("{} on {arch}", ours.name);
            assert_eq!(ours.platform_tag(arch), theirs["name"].as_str().unwrap());
            assert_eq!(BTreeSet::from_iter(ours.alias_tags(arch)), words(&theirs["aliases"]), "{place}");
            assert_eq!(u64::from(ours.priority), theirs["priority"].as_u64().unwrap(), "{place}");
            let libraries = ours.system_libraries().into_iter();
            let libraries = libraries.map(|name| if name == "libc.so" { musl_soname(arch) } else { name }.to_owned());
            let libraries: BTreeSet<String> = libraries.collect();
            assert_eq!(libraries, words(&theirs["whitelist"]), "{place}");
            assert!(libraries.iter().all(|library| ours.allows_library(library)), "{place}");
            for namespace in NAMESPACES {
                let mine = ours.versions(arch, namespace).into_iter().map(str::to_owned);
                let theirs = theirs["versions"].get(namespace).map(words).unwrap_or_default();
                assert_eq!(mine.collect::<BTreeSet<_>>(), theirs, "{namespace} of {place}");
            }
            assert!(theirs["versions"].as_object().unwrap().keys().all(|key| NAMESPACES.contains(&key.as_str())));
            for (library, symbols) in theirs["blacklist"].as_object().unwrap() {
                let mine = ours.blacklisted(library).into_iter().map(str::to_owned);
                assert_eq!(mine.collect::<BTreeSet<_>>(), words(symbols), "{library} of {place}");
            }
            for library in ["libc.so.6", "libm.so.6", "libpthread.so.0", "libz.so.1"] {
                assert_eq!(ours.blacklisted(library).is_empty(), theirs["blacklist"].get(library).is_none(), "{place}");
            }
            compared += 1;
        }
    }
    assert!(compared > 80, "{compared}");
}

#[test]
fn windows_libraries_are_delvewheels() {
    let program = r"
import json, re
from delvewheel import _dll_list as d
order = [('x86_64', 'win_amd64', d.MachineType.AMD64), ('arm64', 'win_arm64', d.MachineType.ARM64), ('i686', 'win32', d.MachineType.I386)]
extra = ['python3.dll', 'python38.dll', 'python313t_d.dll', 'python.dll', 'pythonw3.dll', 'libpypy3.11-c.dll', 'libpypy-c.dll',
         'python-native.dll', 'api-ms-win-crt-heap-l1-1-0.dll', 'combase.dll', 'vcruntime140.dll', 'vcruntime140_1.dll', 'msvcp140.dll',
         'vcruntime140_2.dll', 'libllvm-19.dll', 'zlib1.dll', 'ucrtbased.dll', 'concrt140.dll']
names = sorted(set().union(*d.ignore_names.values()) | set(extra))
redist = names + ['msvcp140_1.dll', 'mfc140u.dll', 'vcomp140.dll', 'vcomp.dll', 'mfcm140.dll', 'mfcmifc80.dll', 'msvcrt.dll', 'vccorlib140.dll']
out = dict(redist=redist, is_redist=[n for n in redist if d.vc_redist.fullmatch(n)], groups=[])
for arch, plat, machine in order:
    for minor in (None, 8, 9, 12, 13):
        ignored = set(d.ignore_names[machine])
        if minor:
            for regex, dlls in {**d.ignore_by_abi_platform}.items():
                if re.fullmatch(regex, f'cp3{minor}-{plat}'): ignored |= dlls
        out['groups'].append(dict(arch=arch, minor=minor, names=[n for n in names if n in ignored or any(r.fullmatch(n) for r in d.ignore_regexes)]))
out['names'] = names
print(json.dumps(out))
";
    let Some(answer) = ask(program) else { return };
    let names = words(&answer["names"]);
    assert!(names.len() > 2000, "{}", names.len());
    for group in answer["groups"].as_array().unwrap() {
        let arch = Arch::from_machine(group["arch"].as_str().unwrap()).unwrap();
        assert!(Os::Windows.arches().contains(&arch));
        let minor = group["minor"].as_u64().map(|minor| u8::try_from(minor).unwrap());
        // delvewheel has no Python 3.8 for arm64, and so counts on no runtime there; nor is there one.
        if (arch, minor) == (Arch::Arm64, Some(8)) {
            continue;
        }
        let ours = names.iter().filter(|name| windows::is_system_library(arch, name, minor)).cloned();
        assert_eq!(ours.collect::<BTreeSet<_>>(), words(&group["names"]), "{arch} {minor:?}");
    }
    let redistributable = words(&answer["redist"]).into_iter().filter(|name| windows::is_vc_redistributable(name));
    assert_eq!(redistributable.collect::<BTreeSet<_>>(), words(&answer["is_redist"]));
}

#[test]
fn the_verdict_on_versions_is_auditwheels() {
    let program = "
import json, random
from auditwheel.policy import WheelPolicies
from auditwheel.libc import Libc
from auditwheel.architecture import Architecture
pick = random.Random(4)
out = []
for arch in ('x86_64', 'aarch64', 'i686', 'riscv64'):
    policies = WheelPolicies(libc=Libc.GLIBC, arch=Architecture(arch))
    newest = policies.lowest
    known = sorted(f'{ns}_{v}' for ns, vs in newest.symbol_versions.items() for v in vs)
    known += ['OPENSSL_3.0.0', 'LLVM_19.1', 'GLIBC_2.20', 'GLIBC_2.99', 'GLIBC_PRIVATE', 'plain', 'ZLIB_9']
    for size in [1] * 60 + [2] * 30 + [5] * 20:
        needs = sorted(pick.sample(known, size))
        answer = policies.versioned_symbols_policy({'lib': set(needs)})
        out.append(dict(arch=arch, needs=needs, policy=answer.name if answer.priority else None))
print(json.dumps(out))
";
    let Some(answer) = ask(program) else { return };
    for case in answer.as_array().unwrap() {
        let arch = Arch::from_machine(case["arch"].as_str().unwrap()).unwrap();
        let versions = words(&case["needs"]);
        let mut needs = Needs::default();
        needs.add("a.so", [], versions.iter().map(|version| ("lib", version.as_str())), []);
        let ours = widest(Libc::Glibc, arch, &needs).map(|policy| policy.platform_tag(arch));
        assert_eq!(ours.as_deref(), case["policy"].as_str(), "{versions:?} on {arch}");
    }
}
