//! A line as a terminal would show it.

/// Longer lines are cut, in characters: a linker's command can be a megabyte.
const WIDTH: usize = 300;

/// Without control sequences, with what a carriage return overwrote removed, at most [`WIDTH`] characters.
pub(super) fn line(raw: &str) -> String {
    // Progress bars rewrite their line.
    let shown = raw.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default();
    let mut clean = String::with_capacity(shown.len().min(4 * WIDTH));
    let mut count = 0;
    let mut characters = shown.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\t' => clean.push_str("    "),
            control if control.is_control() => {}
            other => clean.push(other),
        }
        count += 1;
        if count > WIDTH {
            clean.push('…');
            break;
        }
    }
    clean.truncate(clean.trim_end().len());
    clean
}

/// What follows an escape character (ECMA-48): `[` parameters up to a letter, `]` text up to a bell or another escape
/// (which the `\` of its terminator follows), or a single character.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    let ends: fn(&char) -> bool = match characters.next() {
        Some('[') => |character| ('@'..='~').contains(character),
        Some(']') => |character| matches!(character, '\u{7}' | '\u{1b}'),
        _ => return,
    };
    if characters.find(ends) == Some('\u{1b}') {
        characters.next();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cleaned() {
        for (raw, expected) in [
            ("plain  ", "plain"),
            ("\u{1b}[1;31merror\u{1b}[0m: x", "error: x"),
            ("\u{1b}]8;;file:///x\u{1b}\\x.cpp\u{1b}]8;;\u{7}:3", "x.cpp:3"),
            (" 10%\r 50%\r100%\r", "100%"),
            ("a\tb\u{8}", "a    b"),
            ("\u{1b}", ""),
            ("\u{1b}[31", ""),
        ] {
            assert_eq!(line(raw), expected, "{raw:?}");
        }
        assert_eq!(line(&"x".repeat(1 << 20)).chars().count(), WIDTH + 2);
    }
}
