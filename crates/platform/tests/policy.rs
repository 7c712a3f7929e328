//! The library policies, as the stages ask about them.

use wheelproof_platform::Arch::{self, Arm64, I686, Riscv64, X86_64};
use wheelproof_platform::policy::{
    Libc, Need, Needs, Policy, is_loader, policies, whitelisted_anywhere, why_not, widest,
};

fn policy(name: &str) -> &'static Policy {
    Policy::by_name(name).unwrap_or_else(|| panic!("{name}"))
}

#[test]
fn policies_by_every_name_they_have() {
    for (name, tag, aliases) in [
        ("manylinux1", "manylinux_2_5_x86_64", &["manylinux1_x86_64"][..]),
        ("manylinux2010", "manylinux_2_12_x86_64", &["manylinux2010_x86_64"]),
        ("manylinux_2_17", "manylinux_2_17_x86_64", &["manylinux2014_x86_64"]),
        ("manylinux_2_28", "manylinux_2_28_x86_64", &[]),
        ("musllinux_1_2", "musllinux_1_2_x86_64", &[]),
    ] {
        let policy = policy(name);
        assert_eq!(policy.platform_tag(X86_64), tag);
        assert_eq!(policy.alias_tags(X86_64), aliases);
        assert_eq!(Policy::by_name(policy.name), Some(policy));
    }
    assert_eq!(policy("manylinux_2_28").platform_tag(Arm64), "manylinux_2_28_aarch64");
    for name in ["linux", "manylinux", "manylinux_2_28_x86_64", "manylinux_2_29", ""] {
        assert_eq!(Policy::by_name(name), None, "{name}");
    }
}

#[test]
fn the_most_widely_usable_comes_first() {
    for libc in Libc::ALL {
        for arch in Arch::ALL {
            assert!(policies(libc, arch).is_sorted_by(|a, b| a.priority > b.priority && a.version < b.version));
        }
    }
    let first = |arch| policies(Libc::Glibc, arch).next().map(|policy| policy.name);
    let firsts = [X86_64, Arm64, Riscv64].map(first);
    assert_eq!(firsts, [Some("manylinux_2_5"), Some("manylinux_2_17"), Some("manylinux_2_31")]);
}

#[test]
fn versions_are_sets_per_architecture() {
    for (name, arch, version, allowed) in [
        ("manylinux_2_28", X86_64, "GLIBC_2.28", true),
        ("manylinux_2_28", X86_64, "GLIBC_2.29", false),
        ("manylinux_2_28", X86_64, "GLIBC_2.2.5", true),
        // 2.20 has no symbols: no system has that version, old as it is.
        ("manylinux_2_28", X86_64, "GLIBC_2.20", false),
        // aarch64 begins with 2.17.
        ("manylinux_2_28", Arm64, "GLIBC_2.2.5", false),
        ("manylinux_2_28", Arm64, "GLIBC_2.17", true),
        ("manylinux_2_5", I686, "GLIBC_2.1", true),
        ("manylinux_2_5", X86_64, "GLIBC_2.1", false),
        // No numbers.
        ("manylinux_2_35", X86_64, "GLIBC_ABI_DT_RELR", false),
        ("manylinux_2_36", X86_64, "GLIBC_ABI_DT_RELR", true),
        ("manylinux_2_36", Riscv64, "GLIBC_ABI_DT_RELR", false),
        ("manylinux_2_12", X86_64, "CXXABI_TM_1", false),
        ("manylinux_2_17", X86_64, "CXXABI_TM_1", true),
        ("manylinux_2_41", X86_64, "GLIBC_PRIVATE", false),
        // Known, but no system of this policy has any.
        ("manylinux_2_5", X86_64, "ZLIB_1.2.0", false),
        // Not the policies' business.
        ("manylinux_2_5", X86_64, "OPENSSL_3.0.0", true),
        ("manylinux_2_5", X86_64, "LLVM", true),
        ("musllinux_1_1", X86_64, "GLIBC_2.2.5", true),
    ] {
        assert_eq!(policy(name).allows_version(arch, version), allowed, "{version} in {name} on {arch}");
    }
    let ceilings = ["GLIBC", "GLIBCXX", "CXXABI", "GCC", "LIBATOMIC", "ZLIB", "OPENSSL"]
        .map(|namespace| policy("manylinux_2_28").highest(X86_64, namespace));
    let expected = [Some("2.28"), Some("3.4.24"), Some("1.3.11"), Some("7.0.0"), Some("1.2"), Some("1.2.9"), None];
    assert_eq!(ceilings, expected);
    assert_eq!(policy("manylinux_2_17").versions(X86_64, "CXXABI").last(), Some(&"TM_1"));
}

#[test]
fn libraries_of_the_system() {
    for (name, library, allowed) in [
        ("manylinux_2_28", "libz.so.1", true),
        ("manylinux_2_5", "libexpat.so.1", false),
        ("manylinux_2_12", "libexpat.so.1", true),
        ("manylinux_2_17", "libmvec.so.1", false),
        ("manylinux_2_24", "libmvec.so.1", true),
        ("manylinux_2_41", "libtinfo.so.6", false),
        ("manylinux_2_41", "libc.musl-x86_64.so.1", false),
        ("manylinux_2_5", "ld-linux-x86-64.so.2", true),
        ("musllinux_1_1", "libc.musl-x86_64.so.1", true),
        ("musllinux_1_1", "libc.so", true),
        ("musllinux_1_1", "libc.so.6", false),
        ("musllinux_1_2", "libstdc++.so.6", false),
        ("musllinux_1_2", "ld-musl-x86_64.so.1", true),
    ] {
        assert_eq!(policy(name).allows_library(library), allowed, "{library} in {name}");
        if allowed {
            assert!(whitelisted_anywhere(library), "{library}");
        }
    }
    assert!(!whitelisted_anywhere("libLLVM.so.19.1"));
    assert_eq!(policy("manylinux_2_28").system_libraries().len(), 24);
    assert_eq!(policy("musllinux_1_1").system_libraries(), ["libc.so", "libz.so.1"]);
}

#[test]
fn blacklists_shrink_as_systems_get_newer() {
    for (name, library, symbol, listed) in [
        ("manylinux_2_17", "libc.so.6", "__cxa_thread_atexit_impl", true),
        ("manylinux_2_24", "libc.so.6", "__cxa_thread_atexit_impl", false),
        ("manylinux_2_28", "libz.so.1", "uncompress2", true),
        ("manylinux_2_34", "libz.so.1", "uncompress2", false),
        ("manylinux_2_41", "libz.so.1", "inflate_table", true),
        ("manylinux_2_41", "libz.so.1", "inflate", false),
        ("musllinux_1_2", "libz.so.1", "inflate_table", true),
    ] {
        assert_eq!(policy(name).blacklists(library, symbol), listed, "{symbol} of {library} in {name}");
        assert_eq!(policy(name).blacklisted(library).contains(&symbol), listed);
    }
}

#[test]
fn the_verdict_names_what_stands_in_the_way() {
    let mut needs = Needs::default();
    needs.add(
        "m/_core.so",
        ["libz.so.1", "libc.so.6", "ld-linux-x86-64.so.2"],
        [("libc.so.6", "GLIBC_2.14"), ("ld-linux-x86-64.so.2", "GLIBC_2.99"), ("libfoo.so.1", "FOO_1")],
        ["inflate", "uncompress2"],
    );
    assert_eq!(widest(Libc::Glibc, X86_64, &needs).map(|policy| policy.name), Some("manylinux_2_34"));
    needs.add("m/b.so", ["libstdc++.so.6"], [("libstdc++.so.6", "GLIBCXX_3.4.30")], ["uncompress2"]);

    let refusals = why_not(policy("manylinux_2_12"), X86_64, &needs);
    let texts: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    let expected = [
        "`libc.so.6` has GLIBC up to 2.12 in manylinux_2_12, not `GLIBC_2.14`; needed by `m/_core.so`",
        "`libstdc++.so.6` has GLIBCXX up to 3.4.13 in manylinux_2_12, not `GLIBCXX_3.4.30`; needed by `m/b.so`",
        "`uncompress2` is not in every `libz.so.1` of manylinux_2_12's systems; needed by `m/_core.so`",
    ];
    assert_eq!(texts, expected);
    let met: Vec<_> = refusals.iter().map(|refusal| refusal.met_from.map(|policy| policy.name)).collect();
    assert_eq!(met, [Some("manylinux_2_17"), Some("manylinux_2_35"), Some("manylinux_2_34")]);

    let reached = widest(Libc::Glibc, X86_64, &needs).unwrap();
    assert_eq!(reached.name, "manylinux_2_35");
    assert!(why_not(reached, X86_64, &needs).is_empty());

    needs.add("m/c.so", ["libtinfo.so.6"], [("libc.so.6", "GLIBC_PRIVATE")], []);
    assert_eq!(widest(Libc::Glibc, X86_64, &needs), None);
    let refusals = why_not(policy("manylinux_2_41"), X86_64, &needs);
    let needs: Vec<_> = refusals.iter().map(|refusal| (refusal.need, refusal.met_from)).collect();
    let private = Need::Version { library: "libc.so.6", version: "GLIBC_PRIVATE" };
    assert_eq!(needs, [(Need::Library("libtinfo.so.6"), None), (private, None)]);
}

#[test]
fn an_architecture_without_the_policy_is_a_reason_of_its_own() {
    let refusals = why_not(policy("manylinux_2_28"), Riscv64, &Needs::default());
    let [refusal] = refusals.as_slice() else { panic!("{refusals:?}") };
    assert_eq!(refusal.to_string(), "manylinux_2_28 is not defined for riscv64");
    assert_eq!(refusal.met_from.map(|policy| policy.name), Some("manylinux_2_31"));
}

#[test]
fn what_is_met_and_what_is_refused_are_one() {
    // Over every version there is: `widest` is the first policy that `why_not` has nothing against.
    for arch in Arch::ALL {
        let newest = Policy::by_name("manylinux_2_41").unwrap();
        for namespace in ["GLIBC", "GLIBCXX", "CXXABI", "GCC", "LIBATOMIC", "ZLIB"] {
            for version in newest.versions(arch, namespace) {
                let version = format!("{namespace}_{version}");
                let mut needs = Needs::default();
                needs.add("a", [], [("lib", version.as_str())], []);
                let reached = widest(Libc::Glibc, arch, &needs).unwrap();
                let mut met =
                    policies(Libc::Glibc, arch).skip_while(|policy| !why_not(policy, arch, &needs).is_empty());
                assert_eq!(met.next(), Some(reached), "{version} on {arch}");
                assert!(met.all(|policy| policy.allows_version(arch, &version)), "{version} on {arch}");
            }
        }
    }
    assert!(is_loader("ld-linux-x86-64.so.2"));
}
