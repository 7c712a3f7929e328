//! Paragraphs broken into lines.

/// Breaks `text` at spaces so that no line is longer than `width` characters, unless a single word is. At least one line
/// comes back. No line but the first starts with `::`: GitHub's runner takes such a line for a command, however far it is
/// indented, and the word may come from a hostile name.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width && !word.starts_with("::") {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        line.push_str(word);
        used += length;
    }
    lines.push(line);
    lines
}

/// Breaks a page of Markdown into lines indented by `indent` spaces: paragraphs and list items are filled, indented and
/// fenced code stays as it is.
pub(crate) fn fill(page: &str, width: usize, indent: usize) -> Vec<String> {
    let width = width.saturating_sub(indent).max(20);
    let mut lines: Vec<String> = Vec::new();
    let mut paragraph = String::new();
    let mut fenced = false;
    for line in page.trim_matches('\n').lines() {
        let fence = line.trim_start().starts_with("```");
        let verbatim = fenced || fence || line.starts_with("    ");
        let item = item_indent(line) > 0;
        if verbatim || item || line.trim().is_empty() {
            flush(&mut paragraph, width, &mut lines);
        }
        if verbatim || line.trim().is_empty() {
            lines.push(line.trim_end().to_owned());
        } else {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
        fenced ^= fence;
    }
    flush(&mut paragraph, width, &mut lines);
    let margin = " ".repeat(indent);
    lines.into_iter().map(|line| if line.is_empty() { line } else { format!("{margin}{line}") }).collect()
}

fn flush(paragraph: &mut String, width: usize, lines: &mut Vec<String>) {
    let text = std::mem::take(paragraph);
    if text.is_empty() {
        return;
    }
    let hang = item_indent(&text);
    let margin = " ".repeat(hang);
    for (index, line) in wrap(&text, width.saturating_sub(hang)).into_iter().enumerate() {
        lines.push(if index == 0 { line } else { format!("{margin}{line}") });
    }
}

/// How far the text of a list item is indented by its mark (`- `, `* `, `1. `); 0 for what is not an item.
fn item_indent(line: &str) -> usize {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    if line.starts_with("- ") || line.starts_with("* ") {
        2
    } else if digits > 0 && line[digits..].starts_with(". ") {
        digits + 2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_filled() {
        let page = "One two three four five\nsix seven.\n\n- an item that is long enough to wrap\n- b\n\n    code   stays\n\n```c\nint  x;\n```\n10. ten ten ten ten ten";
        let expected = [
            "  One two three four",
            "  five six seven.",
            "",
            "  - an item that is",
            "    long enough to",
            "    wrap",
            "  - b",
            "",
            "      code   stays",
            "",
            "  ```c",
            "  int  x;",
            "  ```",
            "  10. ten ten ten",
            "      ten ten",
        ];
        assert_eq!(fill(page, 22, 2), expected);
    }

    #[test]
    fn words_longer_than_a_line_stand_alone() {
        assert_eq!(wrap("a bbbbbbbb c", 4), ["a", "bbbbbbbb", "c"]);
        assert_eq!(wrap("", 4), [""]);
    }

    #[test]
    fn no_line_starts_like_a_command() {
        assert_eq!(wrap("aaa ::error::x bbb", 5), ["aaa ::error::x", "bbb"]);
    }
}
