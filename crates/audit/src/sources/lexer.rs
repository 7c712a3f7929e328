//! The words of a source text, with what is comment left out and what is in a string literal marked.
//!
//! As much of C, C++, Cython and Rust as tells code, comments and literals apart. What is malformed ends at the end of the
//! line or of the file; nothing here fails.

use camino::Utf8Path;

/// How comments and literals look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Language {
    /// C, C++, Objective-C.
    C,
    /// Cython and Python.
    Cython,
    /// Rust.
    Rust,
}

impl Language {
    /// By the file's extension.
    pub(super) fn of(path: &Utf8Path) -> Option<Self> {
        match path.extension()?.to_ascii_lowercase().as_str() {
            "c" | "h" | "cc" | "cpp" | "cxx" | "c++" | "hh" | "hpp" | "hxx" | "inc" | "inl" | "ipp" | "tpp" | "def"
            | "m" | "mm" | "cu" => Some(Self::C),
            "pyx" | "pxd" | "pxi" => Some(Self::Cython),
            "rs" => Some(Self::Rust),
            _ => None,
        }
    }
}

/// An identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a [u8],
    /// Counted from 1.
    pub(super) line: u32,
    pub(super) in_string: bool,
}

/// Calls `found` for every identifier outside of comments.
pub(super) fn words<'a>(text: &'a [u8], language: Language, found: impl FnMut(Word<'a>)) {
    Lexer { text, at: 0, line: 1, language, found }.run();
}

struct Lexer<'a, F> {
    text: &'a [u8],
    at: usize,
    line: u32,
    language: Language,
    found: F,
}

impl<'a, F: FnMut(Word<'a>)> Lexer<'a, F> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.text.get(self.at + ahead).copied()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// One byte on, counting lines.
    fn step(&mut self) {
        if self.peek(0) == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn skip(&mut self, bytes: usize) {
        for _ in 0..bytes {
            self.step();
        }
    }

    fn run(&mut self) {
        while let Some(byte) = self.peek(0) {
            match (self.language, byte, self.peek(1)) {
                (Language::C | Language::Rust, b'/', Some(b'/')) | (Language::Cython, b'#', _) => self.line_comment(),
                (Language::C | Language::Rust, b'/', Some(b'*')) => self.block_comment(),
                (_, b'"', _) => self.string(b'"'),
                (Language::C | Language::Cython, b'\'', _) => self.string(b'\''),
                (Language::Rust, b'\'', _) => self.rust_character(),
                _ if is_word(byte) => self.word(),
                _ => self.step(),
            }
        }
    }

    fn line_comment(&mut self) {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'\n' => return,
                // A backslash at the end of the line continues a C comment.
                b'\\' if self.language == Language::C => self.skip(2),
                _ => self.step(),
            }
        }
    }

    /// Rust's nest.
    fn block_comment(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.text.len() {
            if self.rest().starts_with(b"/*") && (depth == 0 || self.language == Language::Rust) {
                depth += 1;
                self.skip(2);
            } else if self.rest().starts_with(b"*/") {
                depth = depth.saturating_sub(1);
                self.skip(2);
                if depth == 0 {
                    return;
                }
            } else {
                self.step();
            }
        }
    }

    fn string(&mut self, quote: u8) {
        if self.language == Language::Cython && self.rest().starts_with(&[quote; 3]) {
            self.skip(3);
            return self.literal(&[quote; 3], true);
        }
        self.step();
        let one = [quote];
        // Rust's go over several lines; C's end there, be it by mistake (an apostrophe in an #error line).
        self.text_until(&one, true, self.language == Language::Rust);
    }

    fn literal(&mut self, end: &[u8], escapes: bool) {
        self.text_until(end, escapes, true);
    }

    fn text_until(&mut self, end: &[u8], escapes: bool, lines: bool) {
        while let Some(byte) = self.peek(0) {
            if self.rest().starts_with(end) {
                return self.skip(end.len());
            }
            match byte {
                // An escape's letter is no part of the word behind it: "\n_PySet_Update".
                b'\\' if escapes => self.skip(2),
                b'\n' if !lines => return,
                _ if is_word(byte) => self.identifier(true),
                _ => self.step(),
            }
        }
    }

    /// A character literal, or a lifetime.
    fn rust_character(&mut self) {
        self.step();
        if self.peek(0) == Some(b'\\') {
            self.skip(2);
        } else if self.peek(1) != Some(b'\'') {
            return; // a lifetime, or a character of several bytes: its closing quote begins nothing worse
        } else {
            self.step();
        }
        if self.peek(0) == Some(b'\'') {
            self.step();
        }
    }

    fn identifier(&mut self, in_string: bool) {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        (self.found)(Word { text, line: self.line, in_string });
    }

    /// A word in code; a raw string's prefix leads into the string.
    fn word(&mut self) {
        let start = self.at;
        while self.peek(0).is_some_and(is_word) {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).unwrap_or_default();
        let raw = match (self.language, text, self.peek(0)) {
            (Language::C, b"R" | b"LR" | b"uR" | b"UR" | b"u8R", Some(b'"')) => self.raw_c(),
            (Language::Rust, b"r" | b"br" | b"cr", Some(b'"' | b'#')) => self.raw_rust(),
            (Language::Cython, b"r" | b"R" | b"br" | b"rb", Some(quote @ (b'"' | b'\''))) => {
                self.string(quote);
                true
            }
            // Digit separators: 1'000'000.
            (Language::C, [b'0'..=b'9', ..], Some(b'\'')) => {
                self.step();
                true
            }
            _ => false,
        };
        if !raw {
            (self.found)(Word { text, line: self.line, in_string: false });
        }
    }

    /// `R"name( … )name"`.
    fn raw_c(&mut self) -> bool {
        let after = self.rest().get(1..18).or_else(|| self.rest().get(1..)).unwrap_or_default();
        let Some(open) = after.iter().position(|&byte| byte == b'(') else { return false };
        let delimiter = after.get(..open).unwrap_or_default();
        let end = [b")", delimiter, b"\""].concat();
        self.skip(open + 2);
        self.literal(&end, false);
        true
    }

    /// `r#" … "#`.
    fn raw_rust(&mut self) -> bool {
        let hashes = self.rest().iter().take_while(|&&byte| byte == b'#').count();
        if self.peek(hashes) != Some(b'"') {
            return false; // r#keyword
        }
        let end = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
        self.skip(hashes + 1);
        self.literal(&end, false);
        true
    }
}

const fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric() || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Words that start with `x`, as `name@line`, those in strings in quotes.
    fn found(text: &str, language: Language) -> Vec<String> {
        let mut out = Vec::new();
        words(text.as_bytes(), language, |word| {
            let name = String::from_utf8_lossy(word.text);
            if name.starts_with('x') {
                out.push(if word.in_string {
                    format!("'{name}'@{}", word.line)
                } else {
                    format!("{name}@{}", word.line)
                });
            }
        });
        out
    }

    #[test]
    fn comments_are_left_out_and_strings_marked() {
        use Language::{C, Cython, Rust};
        let table: &[(Language, &str, &[&str])] = &[
            (C, "x1; // x2\nx3 /* x4\n x5 */ x6", &["x1@1", "x3@2", "x6@3"]),
            (C, "f(\"x1\", 'x', x2)", &["'x1'@1", "'x'@1", "x2@1"]),
            (C, "\"a\\\"x1\" x2", &["'x1'@1", "x2@1"]),
            (C, "\"\\nx1\" x2", &["'x1'@1", "x2@1"]),
            (C, "// one \\\n x1\nx2", &["x2@3"]),
            // What follows an apostrophe on such a line is taken for a string, and the next line is code again.
            (C, "#error don't x1\nx2", &["'x1'@1", "x2@2"]),
            (C, "R\"q(x1 \" )x2\n)q\" x3", &["'x1'@1", "'x2'@1", "x3@2"]),
            (C, "1'000 x1", &["x1@1"]),
            (C, "axx xx_1", &["xx_1@1"]),
            (C, "/* /* x1 */ x2", &["x2@1"]),
            (C, "\"/* x1\" x2", &["'x1'@1", "x2@1"]),
            (Rust, "/* /* x1 */ x2 */ x3", &["x3@1"]),
            (Rust, "fn f<'x>(a: &'x T) { \"x1\n\" }", &["x@1", "x@1", "'x1'@1"]),
            (Rust, "c\"x1\" b'\"' x2 r#\"x3\"x4\"# x5", &["'x1'@1", "x2@1", "'x3'@1", "'x4'@1", "x5@1"]),
            (Cython, "x1 # x2\n'''x3\n''' x4", &["x1@1", "'x3'@2", "x4@3"]),
            (Cython, "cdef extern x1 'x2'\n", &["x1@1", "'x2'@1"]),
        ];
        for (language, text, expected) in table {
            assert_eq!(found(text, *language), *expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_to_an_end(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            for language in [Language::C, Language::Cython, Language::Rust] {
                let mut last = 0;
                words(&bytes, language, |word| {
                    assert!(word.line >= last);
                    last = word.line;
                });
            }
        }
    }
}
