//! What METADATA and WHEEL have in common: email headers; and what can be wrong with the texts of a `.dist-info`.

use std::borrow::Cow;
use std::fmt;

/// Something wrong in one of the texts, at a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextProblem {
    /// `METADATA`, `WHEEL` or `RECORD`.
    pub file: &'static str,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// What is wrong.
    pub kind: TextProblemKind,
}

impl fmt::Display for TextProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.kind),
            line => write!(f, "{}:{line}: {}", self.file, self.kind),
        }
    }
}

/// See [`TextProblem`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TextProblemKind {
    /// The file is not in the wheel.
    #[error("it is missing")]
    Missing,
    /// Its member cannot be read.
    #[error("it cannot be read: {reason}")]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// Larger than any such text; it is not read.
    #[error("it has {size} bytes, more than the {limit} that are read")]
    TooLarge {
        /// Its size in bytes.
        size: u64,
        /// What is read at most.
        limit: u64,
    },
    /// More rows or fields than any such text; the rest is not read.
    #[error("it has more than {limit} rows or fields; the rest is not read")]
    TooMany {
        /// How many are read.
        limit: usize,
    },
    /// Not UTF-8; the rest was read with replacement characters.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// A header line without a colon, or with a name that is none.
    #[error("`{}` is no header", text.escape_debug())]
    NoHeader {
        /// The line, shortened.
        text: String,
    },
    /// A field that must be there is not.
    #[error("the field `{field}` is missing")]
    MissingField {
        /// Its name.
        field: &'static str,
    },
    /// A field that may be there once is there several times; the first counts.
    #[error("the field `{field}` is given several times")]
    RepeatedField {
        /// Its name.
        field: &'static str,
    },
    /// A field's value is not what it must be.
    #[error("`{field}` is `{}`, not {expected}", value.escape_debug())]
    BadValue {
        /// Its name.
        field: &'static str,
        /// What stands there, shortened.
        value: String,
        /// What should.
        expected: &'static str,
    },
    /// A row of RECORD that has not three columns.
    #[error("a row has {columns} columns, not 3")]
    Columns {
        /// How many it has.
        columns: usize,
    },
    /// A row of RECORD without a path.
    #[error("a row names no file")]
    NoPath,
    /// A quoted field of RECORD that is not closed, or goes on after its closing quote.
    #[error("a quoted field is not closed")]
    Quote,
}

/// So many fields METADATA and WHEEL may have; a bound for memory.
const MOST_FIELDS: usize = 50_000;
/// So many problems of one text are told; who made the text needs no more.
const MOST_PROBLEMS: usize = 100;

/// Adds a problem, unless there are so many already that one more would tell nothing.
pub(crate) fn report(problems: &mut Vec<TextProblem>, file: &'static str, line: usize, kind: TextProblemKind) {
    if problems.len() < MOST_PROBLEMS {
        problems.push(TextProblem { file, line, kind });
    }
}

/// Shortens outside text for a message.
pub(crate) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The text as UTF-8, and whether something had to be replaced.
pub(crate) fn decode(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    let replaced = matches!(text, Cow::Owned(_));
    (text, replaced)
}

/// A file of email headers (RFC 822 as far as core metadata uses it) and a body.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers {
    fields: Vec<Field>,
    /// What follows the first empty line.
    pub body: Option<String>,
}

#[derive(Debug, Clone)]
struct Field {
    name: String,
    value: String,
    line: usize,
}

impl PartialEq for Field {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.value == other.value
    }
}

impl Eq for Field {}

impl Headers {
    /// Reads headers; a folded value keeps its line breaks and indentation.
    pub(crate) fn parse(file: &'static str, bytes: &[u8], problems: &mut Vec<TextProblem>) -> Self {
        let (text, replaced) = decode(bytes);
        if replaced {
            report(problems, file, 0, TextProblemKind::NotUtf8);
        }
        let mut headers = Self::default();
        let mut rest: &str = &text;
        let mut line = 0;
        // Whether a continuation line belongs to a header that was understood.
        let mut open = false;
        while !rest.is_empty() {
            line += 1;
            let (this, after) = rest.split_once('\n').unwrap_or((rest, ""));
            rest = after;
            let this = this.strip_suffix('\r').unwrap_or(this);
            if this.is_empty() {
                headers.body = Some(rest.to_owned()).filter(|body| !body.is_empty());
                break;
            }
            if this.starts_with([' ', '\t']) {
                match headers.fields.last_mut().filter(|_| open) {
                    Some(field) => {
                        field.value.push('\n');
                        field.value.push_str(this.trim_end());
                    }
                    None if line == 1 => {
                        report(problems, file, line, no_header(this));
                    }
                    None => {}
                }
                continue;
            }
            let header = this.split_once(':').filter(|(name, _)| is_name(name));
            open = header.is_some();
            if headers.fields.len() >= MOST_FIELDS {
                report(problems, file, line, TextProblemKind::TooMany { limit: MOST_FIELDS });
                break;
            }
            match header {
                Some((name, value)) => {
                    headers.fields.push(Field { name: name.to_owned(), value: value.trim().to_owned(), line });
                }
                None => report(problems, file, line, no_header(this)),
            }
        }
        headers
    }

    /// The first value of a field; names are compared without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a field in their order.
    pub fn all<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        self.lines(name).map(|(value, _)| value)
    }

    /// All fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|field| (field.name.as_str(), field.value.as_str()))
    }

    /// Appends a field.
    pub fn push(&mut self, name: &str, value: &str) {
        self.fields.push(Field { name: name.to_owned(), value: value.to_owned(), line: 0 });
    }

    /// The values of a field and the lines they stand in.
    pub(crate) fn lines<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a str, usize)> {
        let name = name.to_ascii_lowercase();
        let same = move |field: &&Field| field.name.eq_ignore_ascii_case(&name);
        self.fields.iter().filter(same).map(|field| (field.value.as_str(), field.line))
    }

    /// The one value of a field that may be there once.
    pub(crate) fn once(&self, name: &'static str, report: &mut impl FnMut(usize, TextProblemKind)) -> Option<&str> {
        let mut values = self.lines(name);
        let (first, _) = values.next()?;
        if let Some((_, line)) = values.next() {
            report(line, TextProblemKind::RepeatedField { field: name });
        }
        Some(first)
    }

    /// The one value of a field that must be there.
    pub(crate) fn required(&self, name: &'static str, report: &mut impl FnMut(usize, TextProblemKind)) -> String {
        let value = self.once(name, report).filter(|value| !value.is_empty());
        if value.is_none() {
            report(0, TextProblemKind::MissingField { field: name });
        }
        value.unwrap_or_default().to_owned()
    }
}

impl fmt::Display for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            writeln!(f, "{name}: {value}")?;
        }
        match &self.body {
            Some(body) => write!(f, "\n{body}"),
            None => Ok(()),
        }
    }
}

/// RFC 822: printable ASCII without space and colon.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic())
}

fn no_header(line: &str) -> TextProblemKind {
    TextProblemKind::NoHeader { text: shortened(line) }
}
