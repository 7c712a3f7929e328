//! What tells this program from another that would judge otherwise: a digest of sources, as far as they mean something.
//!
//! The build script computes it; it is part of every cache key.

/// The version, and a digest of the files in their order: (name, text). Comments and tests decide nothing.
pub(crate) fn of(version: &str, files: &[(String, String)]) -> String {
    let mut digest = Fnv::default();
    for (name, text) in files {
        digest.take(name.as_bytes());
        let (rust, text) = (name.ends_with(".rs"), text.replace("\r\n", "\n"));
        let end = text.find("#[cfg(test)]\nmod tests {").filter(|_| rust).unwrap_or(text.len());
        for line in text[..end].lines().map(str::trim_end) {
            if line.is_empty() || (rust && line.trim_start().starts_with("//")) {
                continue;
            }
            digest.take(line.as_bytes());
        }
    }
    format!("{version}+{:016x}", digest.0)
}

/// FNV-1a with 64 bits: the same with every compiler, and nobody is out to deceive it.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(b"\n") {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn what_decides_counts_and_nothing_else() {
        let with = |text: &str| of("0.1.0", &[("audit/src/rule.rs".to_owned(), text.to_owned())]);
        let first = with("//! A rule.\nconst MOST: u32 = 7;\n");
        assert!(first.starts_with("0.1.0+"), "{first}");
        for (text, same) in [
            ("//! A rule that is told better.\r\nconst MOST: u32 = 7;\r\n", true),
            ("const MOST: u32 = 7;\n\n#[cfg(test)]\nmod tests {\n    fn more() {}\n}\n", true),
            ("const MOST: u32 = 8;\n", false),
        ] {
            assert_eq!(with(text) == first, same, "{text}");
        }
    }
}
