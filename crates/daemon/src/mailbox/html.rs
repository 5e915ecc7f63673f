//! The text of a mail that has only HTML.

use mail_parser::decoders::html::html_to_text;

/// Elements that begin a line of their own; the decoder knows `br` and `p`.
const LINES: [&str; 9] = [
    "div",
    "li",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "blockquote",
    "table",
];

/// The text of a page, with what it quotes marked by `>` as texts do.
pub(crate) fn text(html: &str) -> String {
    let mut all = String::new();
    for (depth, piece) in pieces(html) {
        let text = html_to_text(&with_lines(piece));
        let lines = text.lines().map(str::trim);
        for line in lines {
            // Two levels look like one: all of it is quoted.
            if depth > 0 {
                all.push_str("> ");
            }
            all.push_str(line);
            all.push('\n');
        }
    }
    all
}

/// The pieces between the ends of quotations, each with how deep in quotations it is.
fn pieces(html: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut depth, mut from) = (0_usize, 0);
    for (at, _) in html.match_indices('<') {
        let tag = &html[at..];
        let begins = is_tag(tag, "<blockquote");
        let ends = is_tag(tag, "</blockquote");
        if !begins && !ends {
            continue;
        }
        pieces.push((depth, &html[from..at]));
        from = at;
        depth = match begins {
            true => depth.saturating_add(1),
            false => depth.saturating_sub(1),
        };
    }
    pieces.push((depth, &html[from..]));
    pieces
}

fn is_tag(text: &str, tag: &str) -> bool {
    let bytes = text.as_bytes();
    let same = bytes
        .get(..tag.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    let after = bytes.get(tag.len());
    same && after.is_none_or(|c| c.is_ascii_whitespace() || matches!(c, b'>' | b'/'))
}

/// With a line's end before what begins a line.
fn with_lines(html: &str) -> String {
    let mut all = String::with_capacity(html.len());
    let mut from = 0;
    for (at, _) in html.match_indices('<') {
        let tag = html[at..].trim_start_matches('<');
        let begins = |name: &&str| is_tag(tag, name);
        if LINES.iter().any(begins) {
            all.push_str(&html[from..at]);
            all.push_str("<br>");
            from = at;
        }
    }
    all.push_str(&html[from..]);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_lines_and_quotations_are_marked() {
        let html = "<html><head><style>p{}</style><title>x</title></head><body>\
            <div>I am <b>on</b> it &amp; hurry</div><div>Ann</div>\
            <script>alert(1)</script>\
            <BLOCKQUOTE type=\"cite\"><p>please look<br>at this</p>\
            <blockquote>older</blockquote></BLOCKQUOTE>\
            <div>after</div></body></html>";
        let text = text(html);
        let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(
            lines
                .iter()
                .filter(|line| **line != ">")
                .copied()
                .filter(|line| *line != "> ")
                .collect::<Vec<_>>(),
            [
                "I am on it & hurry",
                "Ann",
                "> please look",
                "> at this",
                "> older",
                "after"
            ],
        );
    }

    #[test]
    fn broken_pages_do_no_harm() {
        for html in [
            "",
            "<",
            "<<<",
            "</blockquote></blockquote>x",
            "<blockquote",
            "<div<div>é",
            "&#x110000;&;",
            "<!-- ",
        ] {
            let _ = text(html);
        }
        assert_eq!(text("</blockquote>x").trim(), "x");
        let deep = "<blockquote>".repeat(10_000);
        assert!(text(&deep).len() < 10 * deep.len());
    }
}
