//! Text of others, before it gets into a letter: nothing in it may act, hide, or turn other text round.

/// Whether a character shows nothing and does something: control characters of both sets, marks and
/// overrides of the direction of writing, blanks without width, the byte order mark, separators of lines and
/// paragraphs.
#[must_use]
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{61c}' | '\u{feff}'
        )
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line: what is hidden, and each run of blanks, is one blank.
#[must_use]
pub(crate) fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || is_hidden(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Lines that end in `\n`, without what is hidden, without blanks at their ends, at most one empty line
/// between two others.
#[must_use]
pub(crate) fn text(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut clean = String::with_capacity(text.len());
    let mut empty = 0;
    for line in text.split('\n') {
        let line: String = line
            .chars()
            .map(|c| if c == '\t' { ' ' } else { c })
            .filter(|c| !is_hidden(*c))
            .collect();
        let line = line.trim_end();
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty <= 1 && !(line.is_empty() && clean.is_empty()) {
            clean.push_str(line);
            clean.push('\n');
        }
    }
    let end = clean.trim_end_matches('\n').len();
    clean.truncate(end);
    if !clean.is_empty() {
        clean.push('\n');
    }
    clean
}

/// At most so many characters; what is longer ends in `…`.
#[must_use]
pub(crate) fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let kept: String = text.chars().take(most.saturating_sub(1)).collect();
            format!("{}…", kept.trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        assert_eq!(line("a\r\nBcc: x\u{0}\u{85}y"), "a Bcc: x y");
        assert_eq!(line(" a \u{202e}b\u{2066}\u{2028} c\u{7f}"), "a b c");
        assert_eq!(line("退款 未到账"), "退款 未到账");
    }

    #[test]
    fn a_text_keeps_its_lines() {
        assert_eq!(
            text("\r\n a\rb\tc \n\n\n\nd\u{1b}[31m\u{202e}"),
            " a\nb c\n\nd[31m\n"
        );
        assert_eq!(text("\n \n"), "");
    }

    #[test]
    fn what_is_too_long_ends_early() {
        assert_eq!(clip("退款未到账", 5), "退款未到账");
        assert_eq!(clip("退款未到账了", 5), "退款未到…");
    }
}
