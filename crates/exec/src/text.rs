//! What programs print, as text: UTF-8, or on Windows the code page of a program that knows no better (MSVC's tools,
//! Python without its UTF-8 mode). Logs keep the bytes; this is for what is shown and searched.

use std::borrow::Cow;

/// `bytes` as text. Line by line, because programs of both kinds write to one log: what is UTF-8 is taken so, and only
/// the lines that are not are read in this machine's code page. What is invalid there too is replaced.
pub(crate) fn shown(bytes: &[u8]) -> Cow<'_, str> {
    shown_by(bytes, &foreign)
}

fn shown_by<'a>(bytes: &'a [u8], foreign: &dyn Fn(&[u8]) -> String) -> Cow<'a, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let line = |line: &'a [u8]| match std::str::from_utf8(line) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(foreign(line)),
    };
    Cow::Owned(bytes.split_inclusive(|byte| *byte == b'\n').map(line).collect())
}

/// A line in this machine's code page.
#[cfg(windows)]
fn foreign(line: &[u8]) -> String {
    in_code_page(line, crate::win32::code_page())
}

/// UTF-8 is the only encoding elsewhere; what is not, is broken.
#[cfg(not(windows))]
fn foreign(line: &[u8]) -> String {
    String::from_utf8_lossy(line).into_owned()
}

#[cfg(windows)]
fn in_code_page(line: &[u8], page: u32) -> String {
    crate::win32::decode(line, page).unwrap_or_else(|| String::from_utf8_lossy(line).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_in_its_own_encoding() {
        // As ISO 8859-1, where a byte is a character.
        let latin = |line: &[u8]| line.iter().map(|byte| char::from(*byte)).collect();
        for (bytes, text) in [
            (&b"plain\r\n"[..], "plain\r\n"),
            ("caf\u{e9}".as_bytes(), "caf\u{e9}"),
            (b"caf\xe9\n", "caf\u{e9}\n"),
            (b"caf\xe9\r\ncaf\xc3\xa9\nx", "caf\u{e9}\r\ncaf\u{e9}\nx"),
            (b"\xc3", "\u{c3}"),
            (b"", ""),
        ] {
            assert_eq!(shown_by(bytes, &latin), text, "{bytes:?}");
        }
        assert!(matches!(shown_by("caf\u{e9}".as_bytes(), &latin), Cow::Borrowed(_)));
    }

    #[test]
    #[cfg(not(windows))]
    fn elsewhere_it_is_replaced() {
        assert_eq!(shown(b"caf\xe9\n\xff"), "caf\u{fffd}\n\u{fffd}");
    }

    #[test]
    #[cfg(windows)]
    fn code_pages() {
        for (page, bytes, text) in [
            (1252, &b"J\xfcrgen \x80"[..], "J\u{fc}rgen \u{20ac}"),
            (850, b"J\x81rgen", "J\u{fc}rgen"),
            (437, b"\xe1", "\u{df}"),
            (932, b"\x93\xfa\x96\x7b", "\u{65e5}\u{672c}"),
            (65001, b"caf\xe9", "caf\u{fffd}"),
            (0xfffe_fffe, b"caf\xe9", "caf\u{fffd}"),
            (1252, b"", ""),
        ] {
            assert_eq!(in_code_page(bytes, page), text, "{page}");
        }
        assert!(!shown(b"caf\xe9").contains('\0'));
    }
}
