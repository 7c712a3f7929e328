//! Compatibility tags of wheels (PEP 425): `cp313-cp313-manylinux_2_28_x86_64`, and compressed sets of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::platform_tag::{PlatformTag, TagError, part};
use crate::text::number;

/// The python tag: `cp313`, `py3`, `py2`, `pp310` … In lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PythonTag(String);

impl PythonTag {
    /// `cp313`.
    pub fn cpython(major: u8, minor: u8) -> Self {
        Self(format!("cp{major}{minor}"))
    }

    /// `py3`, or `py312` with a minor version.
    pub fn generic(major: u8, minor: Option<u8>) -> Self {
        Self(minor.map_or_else(|| format!("py{major}"), |minor| format!("py{major}{minor}")))
    }

    /// As the tag is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The implementation's letters: `cp`, `py`, `pp` …
    pub fn implementation(&self) -> &str {
        self.0.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_')
    }

    /// Major and minor version, the latter where the tag has one: `cp310` gives 3 and 10, `py3` gives 3.
    pub fn version(&self) -> Option<(u8, Option<u8>)> {
        let digits = self.0.strip_prefix(self.implementation())?;
        let (major, minor) = digits.split_at_checked(1)?;
        let minor = if minor.is_empty() { None } else { Some(number(minor)?) };
        Some((number(major)?, minor))
    }
}

/// The ABI tag: `cp313`, `cp313t`, `abi3`, `none` … In lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AbiTag(String);

impl AbiTag {
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `abi3`: the stable ABI (PEP 384).
    pub fn abi3() -> Self {
        Self::of("abi3")
    }

    /// `abi3t`: the stable ABI of builds without the GIL (PEP 803, CPython 3.15 on).
    pub fn abi3t() -> Self {
        Self::of("abi3t")
    }

    /// `none`: needs no ABI.
    pub fn none() -> Self {
        Self::of("none")
    }

    /// Whether it is a stable ABI: `abi3` or `abi3t`.
    pub fn is_stable(&self) -> bool {
        matches!(self.as_str(), "abi3" | "abi3t")
    }

    /// As the tag is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PythonTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        part(text, "a python").map(Self)
    }
}

impl FromStr for AbiTag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        part(text, "an ABI").map(Self)
    }
}

impl fmt::Display for PythonTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for AbiTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One compatibility tag: what a wheel needs, or one of what an interpreter takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag {
    /// Which Python.
    pub python: PythonTag,
    /// Which ABI.
    pub abi: AbiTag,
    /// Which machines.
    pub platform: PlatformTag,
}

impl FromStr for Tag {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let [python, abi, platform] = three(text)?;
        Ok(Self { python: python.parse()?, abi: abi.parse()?, platform: platform.parse()? })
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}-{}", self.python, self.abi, self.platform))
    }
}

fn three(text: &str) -> Result<[&str; 3], TagError> {
    let parts: Vec<&str> = text.split('-').collect();
    parts.try_into().map_err(|_| TagError {
        text: text.to_owned(),
        what: "a compatibility",
        reason: "it has three parts, `python-abi-platform`".to_owned(),
    })
}

/// The tags of a wheel as its file name gives them: a compressed set (PEP 425), every python tag with every ABI tag
/// with every platform tag. Each part is kept sorted and without repetition, as the standard has it, so equal sets
/// print alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagSet {
    pythons: BTreeSet<PythonTag>,
    abis: BTreeSet<AbiTag>,
    platforms: BTreeSet<PlatformTag>,
}

impl TagSet {
    /// Every combination of the given parts; `None` if one of them is empty.
    pub fn new(
        pythons: impl IntoIterator<Item = PythonTag>,
        abis: impl IntoIterator<Item = AbiTag>,
        platforms: impl IntoIterator<Item = PlatformTag>,
    ) -> Option<Self> {
        let set = Self {
            pythons: pythons.into_iter().collect(),
            abis: abis.into_iter().collect(),
            platforms: platforms.into_iter().collect(),
        };
        (!set.pythons.is_empty() && !set.abis.is_empty() && !set.platforms.is_empty()).then_some(set)
    }

    /// The one set that holds exactly these tags; `None` if there is none, since not every set of tags is a product of
    /// its parts (a WHEEL file can list such tags, a file name cannot), and for no tags.
    pub fn compress<'a>(tags: impl IntoIterator<Item = &'a Tag>) -> Option<Self> {
        let tags: BTreeSet<&Tag> = tags.into_iter().collect();
        let set = Self::new(
            tags.iter().map(|tag| tag.python.clone()),
            tags.iter().map(|tag| tag.abi.clone()),
            tags.iter().map(|tag| tag.platform.clone()),
        )?;
        (set.len() == tags.len()).then_some(set)
    }

    /// The python tags, sorted.
    pub fn pythons(&self) -> impl Iterator<Item = &PythonTag> {
        self.pythons.iter()
    }

    /// The ABI tags, sorted.
    pub fn abis(&self) -> impl Iterator<Item = &AbiTag> {
        self.abis.iter()
    }

    /// The platform tags, sorted.
    pub fn platforms(&self) -> impl Iterator<Item = &PlatformTag> {
        self.platforms.iter()
    }

    /// How many tags it stands for; never 0. No tag is made for it, so a hostile name costs nothing.
    pub fn len(&self) -> usize {
        self.pythons.len().saturating_mul(self.abis.len()).saturating_mul(self.platforms.len())
    }

    /// Never: a set has at least one tag.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// Each tag the set stands for, one at a time.
    pub fn expand(&self) -> impl Iterator<Item = Tag> {
        self.pythons.iter().flat_map(move |python| {
            self.abis.iter().flat_map(move |abi| {
                self.platforms.iter().map(move |platform| Tag {
                    python: python.clone(),
                    abi: abi.clone(),
                    platform: platform.clone(),
                })
            })
        })
    }

    /// Whether the set holds the tag as it is spelled.
    pub fn contains(&self, tag: &Tag) -> bool {
        self.pythons.contains(&tag.python) && self.abis.contains(&tag.abi) && self.platforms.contains(&tag.platform)
    }

    /// The place of the best of the wheel's tags in what an interpreter takes (see [`crate::compatible_tags`]), 0 being
    /// the best; `None` if the wheel cannot be installed there. Of two wheels installers take the one with the lower.
    pub fn rank(&self, compatible: &[Tag]) -> Option<usize> {
        compatible.iter().position(|tag| self.contains(tag))
    }

    /// Whether an index takes a wheel with these tags: no `linux_*` among them.
    pub fn is_publishable(&self) -> bool {
        self.platforms.iter().all(PlatformTag::is_publishable)
    }

    /// The same Python and ABI on other platforms; `None` if there are no platforms.
    #[must_use]
    pub fn with_platforms(&self, platforms: impl IntoIterator<Item = PlatformTag>) -> Option<Self> {
        Self::new(self.pythons.iter().cloned(), self.abis.iter().cloned(), platforms)
    }
}

fn dotted<T: FromStr<Err = TagError> + Ord>(text: &str) -> Result<BTreeSet<T>, TagError> {
    text.split('.').map(str::parse).collect()
}

impl FromStr for TagSet {
    type Err = TagError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let [pythons, abis, platforms] = three(text)?;
        Ok(Self { pythons: dotted(pythons)?, abis: dotted(abis)?, platforms: dotted(platforms)? })
    }
}

impl fmt::Display for TagSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn joined<T: fmt::Display>(parts: &BTreeSet<T>) -> String {
            let mut parts: Vec<String> = parts.iter().map(T::to_string).collect();
            parts.sort();
            parts.join(".")
        }
        f.pad(&format!("{}-{}-{}", joined(&self.pythons), joined(&self.abis), joined(&self.platforms)))
    }
}

crate::text::serde_as_text!(PythonTag, AbiTag, Tag, TagSet);

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(text: &str) -> Tag {
        text.parse().unwrap()
    }

    #[test]
    fn parts_of_tags() {
        for (text, implementation, version) in [
            ("cp313", "cp", Some((3, Some(13)))),
            ("py3", "py", Some((3, None))),
            ("pp310", "pp", Some((3, Some(10)))),
            ("cp3_13", "cp", None),
            ("py", "py", None),
            ("cp3999", "cp", None),
        ] {
            let python: PythonTag = text.parse().unwrap();
            assert_eq!((python.implementation(), python.version()), (implementation, version), "{text}");
            assert_eq!(python.to_string(), text);
        }
        assert_eq!("CP313".parse(), Ok(PythonTag::cpython(3, 13)));
        assert!("abi3t".parse::<AbiTag>().unwrap().is_stable());
        assert!(!"cp313".parse::<AbiTag>().unwrap().is_stable());
    }

    #[test]
    fn a_compressed_set_is_every_combination() {
        let set: TagSet = "cp39.cp310-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64".parse().unwrap();
        let tags: Vec<String> = set.expand().map(|tag| tag.to_string()).collect();
        assert_eq!(set.len(), 4);
        assert_eq!(
            tags.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            BTreeSet::from([
                "cp39-abi3-manylinux_2_17_x86_64",
                "cp39-abi3-manylinux2014_x86_64",
                "cp310-abi3-manylinux_2_17_x86_64",
                "cp310-abi3-manylinux2014_x86_64",
            ])
        );
        assert_eq!(set.to_string(), "cp310.cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64");
        assert_eq!(set.to_string().parse(), Ok(set.clone()));
        assert_eq!(
            "cp310.cp39.cp39-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64".parse(),
            Ok(set.clone()),
            "order and repetition mean nothing"
        );
        let tags: Vec<Tag> = set.expand().collect();
        assert_eq!(TagSet::compress(&tags), Some(set));
        assert_eq!(TagSet::compress(tags.iter().skip(1)), None, "no product of its parts");
        assert_eq!(TagSet::compress(&[]), None);
    }

    #[test]
    fn what_is_no_set_says_why() {
        for (text, message) in [
            ("", "`` is not a compatibility tag: it has three parts, `python-abi-platform`"),
            ("a-b-c-d", "`a-b-c-d` is not a compatibility tag: it has three parts, `python-abi-platform`"),
            ("py2.-none-any", "`` is not a python tag: it is empty"),
            ("py3-n@ne-any", "`n@ne` is not an ABI tag: only letters, digits and `_` stand in it"),
        ] {
            assert_eq!(text.parse::<TagSet>().unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn sets_answer_what_installers_and_indexes_ask() {
        let set: TagSet = "py2.py3-none-any".parse().unwrap();
        assert!(set.is_publishable());
        let compatible = [tag("cp313-cp313-win_amd64"), tag("py3-none-any"), tag("py2-none-any")];
        assert_eq!(set.rank(&compatible), Some(1));
        let local: TagSet = "cp313-cp313-linux_x86_64.manylinux_2_28_x86_64".parse().unwrap();
        assert!(!local.is_publishable());
        assert_eq!(local.rank(&compatible), None);
        let repaired = local.with_platforms(["manylinux_2_28_x86_64".parse().unwrap()]).unwrap();
        assert_eq!(repaired.to_string(), "cp313-cp313-manylinux_2_28_x86_64");
        assert!(repaired.is_publishable());
        assert_eq!(local.with_platforms([]), None);
    }
}
