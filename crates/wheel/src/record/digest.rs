//! A hash as RECORD writes it: `sha256=` and URL-safe base64 without padding.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// A hash algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// SHA-256, what all tools write.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// Any other, in lower case. The specification wants SHA-256 or better and forbids MD5 and SHA-1 by name.
    Other(String),
}

impl Algorithm {
    /// The name in RECORD.
    pub fn name(&self) -> &str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Other(name) => name,
        }
    }

    /// The digest's length in bytes, if the algorithm is known.
    fn length(&self) -> Option<usize> {
        match self {
            Self::Sha256 => Some(32),
            Self::Sha384 => Some(48),
            Self::Sha512 => Some(64),
            Self::Other(_) => None,
        }
    }
}

/// A hash in RECORD.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Digest {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The digest in URL-safe base64 without padding.
    pub value: String,
}

impl Digest {
    /// A SHA-256 that was computed.
    pub fn sha256(digest: &[u8; 32]) -> Self {
        Self { algorithm: Algorithm::Sha256, value: base64(digest) }
    }

    /// Hashes bytes; nothing if the algorithm is not known.
    pub fn of(algorithm: &Algorithm, bytes: &[u8]) -> Option<Self> {
        let value = match algorithm {
            Algorithm::Sha256 => base64(&Sha256::digest(bytes)),
            Algorithm::Sha384 => base64(&Sha384::digest(bytes)),
            Algorithm::Sha512 => base64(&Sha512::digest(bytes)),
            Algorithm::Other(_) => return None,
        };
        Some(Self { algorithm: algorithm.clone(), value })
    }
}

/// The text is no `algorithm=digest`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not `algorithm=digest` in URL-safe base64 without padding", text.escape_debug())]
pub struct DigestError {
    text: String,
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let error = || DigestError { text: crate::text::shortened(text) };
        let (name, value) = text.split_once('=').ok_or_else(error)?;
        let fine = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let algorithm = match name.to_ascii_lowercase().as_str() {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            other => Algorithm::Other(other.to_owned()),
        };
        let fits = algorithm.length().is_none_or(|bytes| value.len() == (bytes * 4).div_ceil(3));
        if !fine || !fits || value.is_empty() || !value.bytes().all(url_safe) {
            return Err(error());
        }
        Ok(Self { algorithm, value: value.to_owned() })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.algorithm.name(), self.value)
    }
}

/// URL-safe base64 without padding (RFC 4648, section 5).
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity((bytes.len() * 4).div_ceil(3));
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, &byte| word << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_rfc_4648() {
        let table: [(&[u8], &str); 6] =
            [(b"", ""), (b"f", "Zg"), (b"fo", "Zm8"), (b"foo", "Zm9v"), (b"foob", "Zm9vYg"), (b"\xfb\xff\xfe", "-__-")];
        for (bytes, text) in table {
            assert_eq!(base64(bytes), text);
        }
    }

    #[test]
    fn digests() {
        let empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        assert_eq!(Digest::of(&Algorithm::Sha256, b"").unwrap().to_string(), empty);
        assert_eq!(empty.parse::<Digest>().unwrap().to_string(), empty);
        assert_eq!("md5=abc".parse::<Digest>().unwrap().algorithm, Algorithm::Other("md5".into()));
        let bad = ["", "sha256", "=abc", "sha256=", "sha256=abc", &format!("{empty}="), &empty.replace('-', "+")];
        for text in bad {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
