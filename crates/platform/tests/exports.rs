//! The system exports, as the import proof asks for them, and glibc's against a real one.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a test may fail, and says why it is skipped

use std::collections::BTreeSet;
use std::process::Command;
use wheelproof_platform::Arch::{self, Arm64, I686, Riscv64, S390x, X86_64};
use wheelproof_platform::exports::{SymbolKind, Versions, Wanted, glibc, gnu, macos, musl, windows};
use wheelproof_platform::policy::is_loader;

const SYSTEM: &str = "/usr/lib/libSystem.B.dylib";

fn versions(arch: Arch, library: &str, symbol: &str) -> Vec<String> {
    let found = glibc(arch).unwrap().find(library, symbol);
    found.iter().flat_map(Versions::iter).map(ToString::to_string).collect()
}

#[test]
fn glibc_gives_symbols_under_versions() {
    for (arch, library, symbol, expected) in [
        (X86_64, "libc.so.6", "memcpy", &["GLIBC_2.2.5", "GLIBC_2.14"][..]),
        (Arm64, "libc.so.6", "memcpy", &["GLIBC_2.17"]),
        (Riscv64, "libc.so.6", "memcpy", &["GLIBC_2.27"]),
        (X86_64, "libm.so.6", "pow", &["GLIBC_2.2.5", "GLIBC_2.29"]),
        (I686, "libm.so.6", "pow", &["GLIBC_2.0", "GLIBC_2.29"]),
        (X86_64, "libm.so.6", "memcpy", &[]),
        (X86_64, "libpthread.so.0", "pthread_create", &["GLIBC_2.2.5"]),
        // Merged into libc.so.6, where the old version is kept.
        (X86_64, "libc.so.6", "pthread_create", &["GLIBC_2.2.5", "GLIBC_2.34"]),
        (X86_64, "libc.so.6", "dlopen", &["GLIBC_2.2.5", "GLIBC_2.34"]),
        (Arm64, "ld-linux-aarch64.so.1", "__tls_get_addr", &["GLIBC_2.17"]),
        (X86_64, "ld-linux-x86-64.so.2", "__tls_get_addr", &["GLIBC_2.3"]),
        (S390x, "ld64.so.1", "__tls_get_offset", &["GLIBC_2.3"]),
        (X86_64, "libc.so.6", "no_such_symbol", &[]),
        (X86_64, "libLLVM.so.19.1", "memcpy", &[]),
    ] {
        assert_eq!(versions(arch, library, symbol), expected, "{symbol} of {library} on {arch}");
    }
    let glibc = glibc(X86_64).unwrap();
    assert!(glibc.latest_known() >= (2, 41), "{:?}", glibc.latest_known());
    for (library, known) in [
        ("libc.so.6", true),
        ("libm.so.6", true),
        ("ld-linux-x86-64.so.2", true),
        ("ld-musl-x86_64.so.1", false),
        ("ld", false),
        ("libmvec.so.1", false),
        ("libstdc++.so.6", false),
        ("", false),
    ] {
        assert_eq!(glibc.knows(library), known, "{library}");
    }
    assert_eq!(glibc.libraries().len(), 9);
}

#[test]
fn a_release_has_what_came_before_it() {
    let glibc = glibc(X86_64).unwrap();
    let memcpy = glibc.find("libc.so.6", "memcpy").unwrap();
    assert!(memcpy.has("GLIBC_2.14") && !memcpy.has("GLIBC_2.17") && !memcpy.has("2.14"));
    let default = |release| memcpy.default_in(release).map(ToString::to_string);
    assert_eq!(default((2, 12)).as_deref(), Some("GLIBC_2.2.5"));
    assert_eq!(default((2, 28)).as_deref(), Some("GLIBC_2.14"));
    assert_eq!(default((2, 1)), None);
    // libc.so.6 has libpthread's symbols since 2.34, also under their old version.
    let create = glibc.find("libc.so.6", "pthread_create").unwrap();
    assert_eq!(create.in_release((2, 33)).count(), 0);
    assert_eq!(create.in_release((2, 34)).count(), 2);
    assert_eq!(create.get("GLIBC_2.2.5").map(|version| version.since), Some((2, 34)));
    assert_eq!(memcpy.kind, SymbolKind::Function);
    assert_eq!(glibc.find("libc.so.6", "environ").map(|versions| versions.kind), Some(SymbolKind::Object));
}

#[test]
fn every_architecture_of_glibc_is_there() {
    for arch in Arch::ALL {
        for symbol in ["malloc", "stdout", "__cxa_finalize", "pthread_create"] {
            assert!(!versions(arch, "libc.so.6", symbol).is_empty(), "{symbol} on {arch}");
        }
    }
}

#[test]
fn the_runtime_of_gcc_as_far_as_it_is_known() {
    const CXX: &str = "libstdc++.so.6";
    const UNWIND: &str = "libgcc_s.so.1";
    for (arch, library, symbol, versions) in [
        (X86_64, CXX, "_ZNSt8ios_base4InitC1Ev", Some(&["GLIBCXX_3.4"][..])),
        (Arm64, CXX, "_ZNSt8ios_base4InitC1Ev", Some(&["GLIBCXX_3.4"])),
        (X86_64, CXX, "__cxa_throw", Some(&["CXXABI_1.3"])),
        (X86_64, CXX, "_ZTIg", Some(&["CXXABI_FLOAT128"])),
        (Arm64, CXX, "_ZTIg", None),
        (X86_64, UNWIND, "_Unwind_Resume", Some(&["GCC_3.0"])),
        (X86_64, UNWIND, "__addtf3", Some(&["GCC_4.3.0"])),
        (Arm64, UNWIND, "__addtf3", Some(&["GCC_3.0"])),
        (X86_64, "libz.so.1", "inflate", Some(&[""])),
        (X86_64, "libz.so.1", "inflateGetDictionary", Some(&["ZLIB_1.2.7.1"])),
        (X86_64, "libz.so.1", "inflate_table", None),
        (X86_64, "libmvec.so.1", "_ZGVbN2v_sin", Some(&["GLIBC_2.22"])),
        (X86_64, CXX, "malloc", None),
        (S390x, CXX, "__cxa_throw", None),
    ] {
        assert_eq!(gnu(arch).find(library, symbol).as_deref(), versions, "{symbol} of {library} on {arch}");
    }
    for (arch, library, version, knows, whole) in [
        (X86_64, CXX, "GLIBCXX_3.4.21", true, true),
        (X86_64, CXX, "GLIBCXX_3.4.33", true, false),
        (X86_64, "libz.so.1", "", true, true),
        (Arm64, CXX, "GLIBCXX_3.4.21", true, false),
        (Arm64, UNWIND, "GCC_3.0", true, true),
        (Arm64, "libz.so.1", "", false, false),
        (Riscv64, UNWIND, "GCC_3.0", false, false),
        (X86_64, "libGL.so.1", "", false, false),
    ] {
        let gnu = gnu(arch);
        assert_eq!((gnu.knows(library), gnu.is_whole(library, version)), (knows, whole), "{library} on {arch}");
    }
}

#[test]
fn musl_is_one_library_of_many_names() {
    for (arch, symbol, found) in [
        (X86_64, "malloc", true),
        (Arm64, "pthread_create", true),
        (X86_64, "statx", true),
        (X86_64, "__memcpy_chk", false),
        (X86_64, "__stat_time64", false),
        (I686, "__stat_time64", true),
        (X86_64, "arch_prctl", true),
        (Arm64, "arch_prctl", false),
    ] {
        assert_eq!(musl(arch).find(symbol), found.then_some(symbol), "{symbol} on {arch}");
    }
    for (library, known) in [
        ("libc.musl-x86_64.so.1", true),
        ("ld-musl-x86_64.so.1", true),
        ("libc.so", true),
        ("libm.so.6", true),
        ("libstdc++.so.6", false),
    ] {
        assert_eq!(musl(X86_64).knows(library), known, "{library}");
    }
    assert_eq!(musl(X86_64).latest_known(), (1, 2));
}

#[test]
fn lib_system_gives_what_it_re_exports() {
    let macos = macos();
    for (library, symbol, arch, from) in [
        (SYSTEM, "_malloc", Arm64, Some("/usr/lib/system/libsystem_malloc.dylib")),
        (SYSTEM, "_pow", X86_64, Some("/usr/lib/system/libsystem_m.dylib")),
        (SYSTEM, "__Unwind_Resume", Arm64, Some("/usr/lib/system/libunwind.dylib")),
        (SYSTEM, "___stack_chk_guard", Arm64, Some("/usr/lib/system/libsystem_c.dylib")),
        (SYSTEM, "dyld_stub_binder", X86_64, Some("/usr/lib/system/libdyld.dylib")),
        (SYSTEM, "_stat$INODE64", X86_64, Some("/usr/lib/system/libsystem_kernel.dylib")),
        (SYSTEM, "_stat$INODE64", Arm64, None),
        (SYSTEM, "malloc", Arm64, None),
        (SYSTEM, "/usr/lib/system/libcache.dylib", Arm64, None),
        ("/usr/lib/system/libsystem_m.dylib", "_pow", Arm64, Some("/usr/lib/system/libsystem_m.dylib")),
        ("/usr/lib/system/libsystem_m.dylib", "_malloc", Arm64, None),
        ("/usr/lib/libc++.1.dylib", "_malloc", Arm64, None),
        (SYSTEM, "_malloc", S390x, None),
    ] {
        let found = macos.find(library, symbol, arch).map(|export| export.library);
        assert_eq!(found, from, "{symbol} of {library} on {arch}");
    }
    assert!(macos.knows(SYSTEM) && macos.knows("/usr/lib/system/libdyld.dylib"));
    assert!(!macos.knows("/usr/lib/libc++.1.dylib") && !macos.knows(""));
    assert!(macos.latest_known() >= (15, 0), "{:?}", macos.latest_known());
}

#[test]
fn windows_libraries_by_name_and_ordinal() {
    use Wanted::{Name, Ordinal};
    for (arch, library, wanted, found) in [
        (X86_64, "KERNEL32.dll", Name("CreateFileW"), Some("CreateFileW")),
        (Arm64, "kernel32.dll", Name("CreateFileW"), Some("CreateFileW")),
        (I686, "kernel32.dll", Name("CreateFileW"), Some("CreateFileW")),
        (X86_64, "kernel32.dll", Name("CreateFileW@28"), None),
        (X86_64, "kernel32.dll", Name("createfilew"), None),
        (X86_64, "USER32.dll", Name("GetWindowLongPtrA"), Some("GetWindowLongPtrA")),
        (I686, "USER32.dll", Name("GetWindowLongPtrA"), None),
        (X86_64, "VCRUNTIME140.dll", Name("__CxxFrameHandler3"), Some("__CxxFrameHandler3")),
        (X86_64, "VCRUNTIME140.dll", Name("__CxxFrameHandler4"), None),
        (X86_64, "api-ms-win-crt-math-l1-1-0.dll", Name("nexttoward"), Some("nexttoward")),
        (X86_64, "api-ms-win-crt-convert-l1-1-0.dll", Name("btowc"), Some("btowc")),
        (X86_64, "WS2_32.dll", Ordinal(115), Some("WSAStartup")),
        (X86_64, "WS2_32.dll", Ordinal(9999), None),
        (I686, "wsock32.dll", Ordinal(115), Some("WSAStartup")),
        (X86_64, "OLEAUT32.dll", Ordinal(6), Some("SysFreeString")),
        (X86_64, "kernel32.dll", Ordinal(1), None),
        (X86_64, "WINSPOOL.DRV", Name("OpenPrinterW"), Some("OpenPrinterW")),
        (X86_64, "libLLVM.dll", Name("LLVMContextCreate"), None),
    ] {
        let windows = windows(arch).unwrap();
        assert_eq!(windows.find(library, wanted), found, "{wanted:?} of {library} on {arch}");
        assert!(found.is_none() || windows.knows(library), "{library}");
    }
    let windows = windows(X86_64).unwrap();
    assert!(windows.knows_ordinals("ws2_32.dll") && !windows.knows_ordinals("kernel32.dll"));
    for unknown in ["libLLVM.dll", "msvcp140.dll", "python313.dll", ""] {
        assert!(!windows.knows(unknown), "{unknown}");
    }
    assert_eq!(wheelproof_platform::exports::windows(S390x), None);
}

/// Public symbols of a library on this machine, as (symbol, version), read by binutils.
fn real_exports(readelf: &str, path: &str) -> Option<BTreeSet<(String, String)>> {
    let output = Command::new(readelf).args(["--dyn-syms", "--wide", path]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    Some(
        rows.filter_map(|row| {
            let [_, _, _, kind, _, _, section, name, ..] = row.as_slice() else { return None };
            let (symbol, version) = name.split_once('@')?;
            let version = version.trim_start_matches('@');
            let public = version.starts_with("GLIBC_2") && *section != "UND" && *section != "ABS" && *kind != "NOTYPE";
            // Only there to keep a version defined; nothing can refer to it.
            let counts = public && !symbol.ends_with("_version_placeholder");
            counts.then(|| (symbol.to_owned(), version.to_owned()))
        })
        .collect(),
    )
}

#[test]
fn glibc_of_this_machine_is_as_listed() {
    let Ok(arch) =
        std::env::consts::ARCH.parse::<Arch>().or_else(|_| Arch::from_machine(std::env::consts::ARCH).ok_or(()))
    else {
        return println!("skipped: no list for {}", std::env::consts::ARCH);
    };
    let triple = format!("/lib/{}-linux-gnu", std::env::consts::ARCH);
    let folder =
        [triple.as_str(), "/lib64"].into_iter().find(|folder| std::path::Path::new(folder).join("libc.so.6").exists());
    let Some(folder) = folder else { return println!("skipped: this machine has no glibc where it is looked for") };
    let Some(libc) = real_exports("readelf", &format!("{folder}/libc.so.6")) else {
        return println!("skipped: `readelf` is not installed");
    };
    let glibc = glibc(arch).unwrap();
    let number = |version: &str| -> (u16, u16) {
        let mut parts = version.trim_start_matches("GLIBC_").split('.').map(|part| part.parse().unwrap_or(0));
        (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
    };
    let Some(host) = libc.iter().map(|(_, version)| number(version)).max() else {
        return println!("skipped: {folder}/libc.so.6 is not glibc's");
    };
    let mut compared = 0;
    for library in
        ["libc.so.6", "libm.so.6", "libresolv.so.2", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"]
    {
        let Some(real) = real_exports("readelf", &format!("{folder}/{library}")) else { continue };
        let unlisted: Vec<_> = real
            .iter()
            .filter(|(_, version)| number(version) <= glibc.latest_known())
            .filter(|(symbol, version)| {
                let found = glibc.find(library, symbol);
                !found.is_some_and(|versions| versions.in_release(host).any(|known| known.to_string() == *version))
            })
            .collect();
        assert!(unlisted.is_empty(), "{library} of this machine exports what is not listed: {unlisted:?}");
        compared += real.len();
    }
    assert!(compared > 2000, "{compared}");
    // And nothing is listed that is not there: what a program links with today.
    for symbol in ["malloc", "free", "fopen", "printf", "pthread_create", "dlopen", "qsort", "getaddrinfo"] {
        let versions = glibc.find("libc.so.6", symbol).unwrap();
        for version in versions.in_release(host) {
            assert!(libc.contains(&(symbol.to_owned(), version.to_string())), "{symbol}@{version}");
        }
    }
    assert!(!is_loader("libc.so.6"));
}
