//! What an answer adds to the mail that it answers.

/// What stands, between dashes, before a whole mail that was answered; what follows is not the answer's.
const ORIGINALS: [&str; 8] = [
    "original message",
    "original appointment",
    "forwarded message",
    "ursprüngliche nachricht",
    "原始邮件",
    "原邮件",
    "回复的原邮件",
    "邮件原件",
];
/// How a block begins that tells from whom the answered mail was.
const FROM: [&str; 5] = ["from:", "von:", "发件人:", "发件人：", "寄件者:"];
/// What stands in that block besides.
const BESIDES: [&str; 10] = [
    "sent:",
    "date:",
    "to:",
    "gesendet:",
    "an:",
    "发送时间:",
    "发送时间：",
    "日期:",
    "日期：",
    "收件人:",
];
/// What a line that ends in a colon has in it that says who wrote what follows.
const WROTE: [&str; 6] = ["wrote", "schrieb", "写道", "寫道", "a écrit", "escribió"];
/// Longest such line, in characters, when it was broken into two.
const MAX_WROTE_CHARS: usize = 240;
/// How many lines of a block are looked at.
const BLOCK: usize = 5;

/// The answer, without what it quotes and without the signature. If nothing would be left, all of it.
pub(crate) fn cut(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let rest = &lines[at..];
        if is_end(rest) {
            break;
        }
        let wrote = wrote(rest);
        match wrote {
            // Between the pieces that are quoted the answer may go on.
            Some(length) if is_quoted_next(&rest[length..]) => at += length,
            Some(_) => break,
            None => {
                if !is_quoted(rest[0]) {
                    kept.push(rest[0]);
                }
                at += 1;
            }
        }
    }
    let kept = joined(&kept);
    match kept.is_empty() {
        true => text.trim().to_owned(),
        false => kept,
    }
}

/// Lines with at most one empty one between them.
fn joined(lines: &[&str]) -> String {
    let mut all = String::new();
    let mut empty = false;
    for line in lines.iter().map(|line| line.trim_end()) {
        if line.is_empty() {
            empty = true;
            continue;
        }
        if !all.is_empty() {
            all.push_str(if empty { "\n\n" } else { "\n" });
        }
        all.push_str(line);
        empty = false;
    }
    all
}

fn is_quoted(line: &str) -> bool {
    line.trim_start().starts_with('>')
}

fn is_quoted_next(lines: &[&str]) -> bool {
    let next = lines.iter().find(|line| !line.trim().is_empty());
    next.is_some_and(|line| is_quoted(line))
}

/// Whether nothing of the answer follows: a signature, or a whole mail.
fn is_end(lines: &[&str]) -> bool {
    let Some(first) = lines.first() else {
        return true;
    };
    if *first == "-- " || *first == "--" {
        return true;
    }
    let line = first.trim().to_lowercase();
    let ruled = line.starts_with("--") || line.starts_with("__");
    let inner = line.trim_matches(|c: char| matches!(c, '-' | '_' | ' '));
    if ruled && ORIGINALS.contains(&inner) {
        return true;
    }
    // A line across, and the block below it.
    let block = match ruled && inner.is_empty() {
        true => &lines[1..],
        false => lines,
    };
    let mut block = block.iter().take(BLOCK).map(|line| plain(line));
    let from = block.next().is_some_and(|line| begins(&line, &FROM));
    from && block.any(|line| begins(&line, &BESIDES))
}

/// Without what mail programs write in bold.
fn plain(line: &str) -> String {
    line.trim().replace('*', "").to_lowercase()
}

fn begins(line: &str, with: &[&str]) -> bool {
    with.iter().any(|start| line.starts_with(start))
}

/// How many lines say who wrote what follows, if the next ones do.
fn wrote(lines: &[&str]) -> Option<usize> {
    let first = lines.first()?.trim();
    if first.is_empty() || is_quoted(first) {
        return None;
    }
    if ends(first) && says_when(first) {
        return Some(1);
    }
    let second = lines.get(1)?.trim();
    let both = first.chars().count() + second.chars().count();
    (says_when(first) && ends(second) && both <= MAX_WROTE_CHARS).then_some(2)
}

fn ends(line: &str) -> bool {
    let line = line.to_lowercase();
    line.ends_with([':', '：']) && WROTE.iter().any(|word| line.contains(word))
}

/// A person may write "as Bob wrote:"; a program says when.
fn says_when(line: &str) -> bool {
    line.chars().any(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_cut_off() {
        let answers = [
            (
                "yes\n\nOn Mon, 3 Mar 2026 at 09:00, Desk <d@x> wrote:\n> please\n> look",
                "yes",
            ),
            (
                "yes\n\nOn Mon, 3 Mar 2026 at 09:00, Service Desk\n<desk@example.com> wrote:\n\n> please",
                "yes",
            ),
            (
                "yes\n\nOn 3 Mar 2026, at 09:00, Desk wrote:\nplease look",
                "yes",
            ),
            ("> do you?\nyes\n> and?\nno", "yes\nno"),
            ("ja\n\nAm 06.03.2026 um 09:10 schrieb Desk:\n> bitte", "ja"),
            ("On 3 Mar 2026 Desk wrote:\n> do you?\nyes", "yes"),
            ("yes\n-----Original Message-----\nFrom: Desk\n", "yes"),
            (
                "yes\n\n________________________________\nFrom: Desk <d@x>\nSent: Monday\nTo: Ann\n",
                "yes",
            ),
            ("yes\n\n*From:* Desk <d@x>\n*Sent:* Monday\n", "yes"),
            (
                "认领\n\n------------------ 原始邮件 ------------------\n发件人: desk\n",
                "认领",
            ),
            (
                "好的\n\n发件人：desk@example.com\n发送时间：2026年3月6日\n",
                "好的",
            ),
            (
                "好的\n\n在 2026年3月6日 09:10，Desk <d@x> 写道：\n> 请看",
                "好的",
            ),
            ("好的\n---- 回复的原邮件 ----\n| 发件人 | desk |", "好的"),
            ("yes\n-- \nAnn\nDesk", "yes"),
            ("yes\n\n\n\nno  \n", "yes\n\nno"),
        ];
        for (text, expected) in answers {
            assert_eq!(cut(text), expected, "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_it_is_kept() {
        let kept = [
            "as Bob wrote:\nit is the cable",
            "From: the cellar comes water",
            "a -- b\nc",
            "-----\nx",
            "5 > 3",
        ];
        for text in kept {
            assert_eq!(cut(text), text);
        }
        assert_eq!(cut("> all of it\n> is quoted"), "> all of it\n> is quoted");
        assert_eq!(cut(""), "");
    }
}
