//! Names from outside made harmless for a person's eyes: terminals obey escape sequences, CI systems obey lines that look
//! like their commands, and invisible or direction-changing characters make a name look like another one.

use std::borrow::Cow;

/// The text with everything that is not visible as itself written as an escape: control characters (`\n`, `\x1b`), C1
/// controls, line and paragraph separators, direction marks, zero-width and other default-ignorable characters
/// (`\u{202e}`), and the second `#` of `##[` and `##vso[`, which two CI systems take for commands anywhere in a line.
/// Backslashes stay as they are: this is for reading, not for parsing back.
pub fn printable(text: &str) -> Cow<'_, str> {
    let suspicious = |c: char| !c.is_ascii_graphic() && c != ' ' && is_hidden(c);
    if !text.contains(suspicious) && !text.contains("##") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = '\0';
    for (at, c) in text.char_indices() {
        if is_hidden(c) {
            push_escape(&mut out, c);
        } else if c == '#' && before == '#' && is_command(&text[at + 1..]) {
            out.push_str("\\x23");
        } else {
            out.push(c);
        }
        before = c;
    }
    Cow::Owned(out)
}

/// [`printable`] text of at most `most` characters: a longer one keeps both ends around `…`. Linear in the text's length,
/// and the result is short however long the text is.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    let most = most.max(3);
    if text.len() <= most || text.chars().nth(most).is_none() {
        let whole = printable(text);
        if whole.chars().nth(most).is_none() {
            return whole;
        }
        return Cow::Owned(elided(&whole, most));
    }
    // An escape is longer than what it stands for, so twice the budget from either end is always enough.
    let head: String = text.chars().take(most).collect();
    let tail: String = text.chars().rev().take(most).collect::<Vec<_>>().into_iter().rev().collect();
    Cow::Owned(elided(&format!("{}{}", printable(&head), printable(&tail)), most))
}

/// The first two thirds and the last third of `most` characters.
fn elided(text: &str, most: usize) -> String {
    let count = text.chars().count();
    let tail = (most - 1) / 3;
    let head = most - 1 - tail;
    let mut out: String = text.chars().take(head).collect();
    out.push('…');
    out.extend(text.chars().skip(count.saturating_sub(tail)));
    out
}

/// Whether what follows `##` makes it a command: `[` on GitHub's runners, `vso[` on Azure's.
pub(crate) fn is_command(rest: &str) -> bool {
    rest.starts_with('[') || rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case("vso["))
}

/// Whether a character has no shape of its own. The ranges are Unicode's general categories Cc, Zl, Zp and the property
/// Default_Ignorable_Code_Point (DerivedCoreProperties.txt, Unicode 16), plus the interlinear annotation marks.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn push_escape(out: &mut String, c: char) {
    match c {
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if u32::from(c) < 0x100 => put!(out, "\\x{:02x}", u32::from(c)),
        c => put!(out, "\\u{{{:x}}}", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_becomes_visible() {
        let table = [
            ("_PySet_Update", "_PySet_Update"),
            ("std::vector<int>::operator[](unsigned long)", "std::vector<int>::operator[](unsigned long)"),
            ("größe 数 日本", "größe 数 日本"),
            ("C:\\x\\y.pyd", "C:\\x\\y.pyd"),
            ("a\nb\r\tc\0", "a\\nb\\r\\tc\\x00"),
            ("\u{1b}[31mred\u{1b}]0;title\u{7}", "\\x1b[31mred\\x1b]0;title\\x07"),
            ("\u{9b}31m\u{7f}", "\\x9b31m\\x7f"),
            ("evil\u{202e}os.", "evil\\u{202e}os."),
            ("a\u{2028}b\u{200b}\u{feff}", "a\\u{2028}b\\u{200b}\\u{feff}"),
            ("tag\u{e0041}", "tag\\u{e0041}"),
            ("x ##[add-mask]y", "x #\\x23[add-mask]y"),
            ("##vso[task.setvariable]y", "#\\x23vso[task.setvariable]y"),
            ("##VSO[x]", "#\\x23VSO[x]"),
            ("a ## b ###", "a ## b ###"),
            ("###[x]", "##\\x23[x]"),
        ];
        for (text, expected) in table {
            assert_eq!(printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn long_names_keep_both_ends() {
        assert_eq!(shortened("abcdefghij", 10), "abcdefghij");
        assert_eq!(shortened("abcdefghijk", 10), "abcdef…ijk");
        assert_eq!(shortened("\u{1b}\u{1b}\u{1b}", 9), "\\x1b\\x…1b");
        assert_eq!(shortened(&"x".repeat(10 << 20), 5).chars().count(), 5);
    }

    proptest! {
        #[test]
        fn nothing_hidden_remains(text in any::<String>(), most in 3usize..40) {
            let shown = printable(&text);
            prop_assert!(!shown.contains(is_hidden));
            prop_assert!(!shown.contains("##[") && !shown.to_ascii_lowercase().contains("##vso["));
            prop_assert_eq!(printable(&shown), shown.clone());
            let short = shortened(&text, most);
            prop_assert!(short.chars().count() <= most);
            prop_assert!(!short.contains(is_hidden) && !short.contains("##["));
            prop_assert!(shown.chars().count() > most || short == shown);
        }
    }
}
