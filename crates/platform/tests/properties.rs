//! What holds of every name: printing what was read and reading that again gives the same value, and no text, however
//! odd, does more than be refused.

#![allow(clippy::unwrap_used, reason = "the whole file is a test, which clippy sees in `#[test]` functions only")]

use std::collections::BTreeSet;
use std::fmt::{Debug, Display};
use std::str::FromStr;

use proptest::prelude::*;
use wheelproof_platform::{
    BuildId, Distribution, PlatformTag, PythonRequest, PythonVersion, Specifier, SpecifierSet, Tag, TagSet, TargetKey,
    TargetPlatform, Version, WheelName,
};

/// Reads, prints, reads: the same value, and printing it again the same text. Gives back whether it could be read.
fn inverse<T: FromStr + Display + PartialEq + Debug>(text: &str) -> Result<bool, TestCaseError> {
    let Ok(value) = text.parse::<T>() else { return Ok(false) };
    let printed = value.to_string();
    let again = printed.parse::<T>();
    prop_assert!(again.is_ok(), "{text:?} is printed as {printed:?}, which cannot be read");
    if let Ok(again) = again {
        prop_assert_eq!(again.to_string(), printed);
        prop_assert_eq!(again, value);
    }
    Ok(true)
}

const VERSION: &str = "(1!)?[0-9]{1,2}(\\.[0-9]{1,2}){0,3}(a[0-9]|\\.?RC-?[0-9]?)?(\\.post[0-9]|-[0-9])?(\\.dev[0-9]?)?(\\+[a-z0-9]{1,3}([._-][a-z0-9]{1,3})?)?";
const PYTHONS: &str = "(cp3[0-9]{1,2}|py[23])(\\.cp3[0-9]{1,2}){0,2}";
const ABIS: &str = "(cp313t?|abi3|none|CP39)(\\.abi3t)?";
const PLATFORM: &str = "any|win32|win_a(md|rm)64|linux_[a-z0-9_]{1,8}|manylinux(1|2010|2014|_[0-9]{1,2}_[0-9]{1,2})_[a-z0-9_]{1,8}|musllinux_1_[0-9]_x86_64|macosx_1[0-9]_[0-9]{1,2}_(arm64|universal2)|[a-z0-9_]{1,12}";

fn like(pattern: impl AsRef<str>) -> impl Strategy<Value = String> {
    prop::string::string_regex(pattern.as_ref()).unwrap()
}

/// What stands after the name and version of a wheel: up to three platforms.
fn tags() -> impl Strategy<Value = String> {
    like(format!("{PYTHONS}-{ABIS}-({PLATFORM})(\\.({PLATFORM})){{0,2}}"))
}

/// A clause of a specifier set.
fn clause() -> impl Strategy<Value = String> {
    prop_oneof![
        like("(>=|<=|<|>|==|!=) ?(1!)?[0-9](\\.[0-9]){0,2}(rc1)?"),
        like("(==|!=)[0-9]\\.[0-9]\\.\\*|~=[0-9]\\.[0-9]"),
        like(format!("==={VERSION}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn versions(text in VERSION) {
        prop_assert!(inverse::<Version>(&text)?);
    }

    #[test]
    fn specifiers(clauses in prop::collection::vec(clause(), 0..4)) {
        let text = clauses.join(" , ");
        prop_assert!(inverse::<SpecifierSet>(&text)?);
        inverse::<PythonRequest>(&text)?;
    }

    #[test]
    fn wheel_names(
        name in "[A-Za-z0-9]([._]?[a-z0-9]){0,5}",
        version in like(VERSION.replace('-', "_")),
        build in "(-[0-9]{1,3}[a-z_]{0,3})?",
        tags in tags(),
    ) {
        // A dash parts a file name, so the version's own is written `_` there; what is left of `1.0-1` is no version.
        let readable = version.parse::<Version>().is_ok();
        prop_assert_eq!(inverse::<WheelName>(&format!("{name}-{version}{build}-{tags}.whl"))?, readable);
    }

    #[test]
    fn tags_and_sets(text in tags()) {
        prop_assert!(inverse::<TagSet>(&text)?);
        let set: TagSet = text.parse().unwrap();
        let tags: BTreeSet<Tag> = set.expand().collect();
        prop_assert_eq!(tags.len(), set.len());
        prop_assert!(tags.iter().all(|tag| set.contains(tag)));
        prop_assert_eq!(TagSet::compress(&tags), Some(set));
        for tag in tags {
            prop_assert!(inverse::<Tag>(&tag.to_string())?);
        }
    }

    #[test]
    fn platform_tags_keep_their_text(text in PLATFORM) {
        let tag: PlatformTag = text.parse().unwrap();
        prop_assert_eq!(tag.to_string(), text);
        prop_assert_eq!(tag.canonical().canonical(), tag.canonical());
    }

    #[test]
    fn builds_of_targets(
        python in "cp3(0|[1-9][0-9]?)t?",
        key in "linux-(x86_64|arm64|i686|riscv64)(-[a-z0-9._-]{1,6})?|macos-(arm64|x86_64)|windows-(x86_64|arm64|i686)",
        minor in 0_u8..60,
    ) {
        prop_assert!(inverse::<TargetKey>(&key)?);
        let key: TargetKey = key.parse().unwrap();
        let python: PythonVersion = python.parse().unwrap();
        for platform in ["auto", "win", "manylinux2014", &format!("manylinux_2_{minor}"), &format!("musllinux_1_{minor}"), &format!("macosx_12_{minor}")] {
            prop_assert!(inverse::<TargetPlatform>(platform)?);
            if let Ok(platform) = TargetPlatform::parse(platform, &key) {
                let id = BuildId::new(python, &platform, &key);
                prop_assert_eq!(id.to_string().parse::<BuildId>().ok(), Some(id));
            }
        }
    }

    /// Total orders: what sorts by them must not depend on where it began.
    #[test]
    fn versions_are_ordered(texts in prop::collection::vec(VERSION, 3)) {
        let versions: Vec<Version> = texts.iter().map(|text| text.parse().unwrap()).collect();
        for a in &versions {
            for b in &versions {
                prop_assert_eq!(a.cmp(b), b.cmp(a).reverse());
                for c in &versions {
                    prop_assert!(!(a <= b && b <= c) || a <= c);
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|[a-z0-9._+!=<>~*, -]{0,40}") {
        inverse::<BuildId>(&text)?;
        inverse::<Distribution>(&text)?;
        inverse::<PlatformTag>(&text)?;
        inverse::<PythonRequest>(&text)?;
        inverse::<PythonVersion>(&text)?;
        inverse::<Specifier>(&text)?;
        inverse::<SpecifierSet>(&text)?;
        inverse::<TagSet>(&text)?;
        inverse::<TargetKey>(&text)?;
        inverse::<TargetPlatform>(&text)?;
        inverse::<Version>(&text)?;
        inverse::<WheelName>(&format!("{text}.whl"))?;
        let key = "linux-x86_64".parse().unwrap();
        let _ = TargetPlatform::parse(&text, &key);
        let _ = PythonRequest::from_specifiers(&text);
    }
}
