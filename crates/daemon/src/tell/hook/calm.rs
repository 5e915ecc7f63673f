//! What tickets say, made harmless for chats: it mentions nobody, links to nothing and formats nothing.

use std::borrow::Cow;

/// Behind an `@` it keeps the word behind that from being a mention, and is not seen.
const JOINER: char = '\u{2060}';

/// Words that mention everybody in one chat or another.
const EVERYBODY: [&str; 5] = ["all", "channel", "here", "everyone", "所有人"];

/// For chats that read Markdown and have no reliable escape: signs that mean something become their wide
/// forms, which mean nothing.
pub(super) fn wide(text: &str) -> String {
    let mut calm = String::with_capacity(text.len());
    let mut at_start = true;
    for c in text.chars() {
        calm.push(match c {
            '<' => '＜',
            '>' => '＞',
            '[' => '［',
            ']' => '］',
            '*' => '＊',
            '_' => '＿',
            '`' => '｀',
            '#' => '＃',
            '@' => '＠',
            '~' => '～',
            '|' => '｜',
            '\\' => '＼',
            '-' if at_start => '－',
            '+' if at_start => '＋',
            '=' if at_start => '＝',
            other => other,
        });
        at_start = c == '\n' || (at_start && c == ' ');
    }
    calm
}

/// For Slack and what is like it: the three signs that it gives a meaning, and words that call everybody.
pub(super) fn slack(text: &str) -> String {
    let calm = text.replace('&', "&amp;");
    let calm = calm.replace('<', "&lt;").replace('>', "&gt;");
    unmentioned(&calm)
}

/// Nobody is called by `@channel` and the like.
pub(super) fn unmentioned(text: &str) -> String {
    let mut calm = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('@') {
        let (before, after) = rest.split_at(at + 1);
        calm.push_str(before);
        let calls = |word: &str| {
            let begins = after.get(..word.len());
            begins.is_some_and(|begins| begins.eq_ignore_ascii_case(word))
        };
        if EVERYBODY.iter().any(|word| calls(word)) {
            calm.push(JOINER);
        }
        rest = after;
    }
    calm.push_str(rest);
    calm
}

/// At most `most` bytes of a text; what is left out is `…`.
pub(super) fn clip(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let room = most.saturating_sub('…'.len_utf8());
    let end = text.floor_char_boundary(room);
    Cow::Owned(format!("{}…", &text[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_and_mentions_mean_nothing_any_more() {
        let hostile = "<@all> **bold** [bank](https://evil.example) `x` # no @所有人\n- item\n  === \n> quote";
        let calm = wide(hostile);
        for sign in ["<", ">", "*", "[", "]", "`", "#", "@", "\n-", "\n  ="] {
            assert!(!calm.contains(sign), "{sign:?} in {calm}");
        }
        assert!(calm.contains("bold") && calm.contains("https://evil.example"));
        assert_eq!(wide("宽带中断 6 小时, 2 - 1"), "宽带中断 6 小时, 2 - 1");
    }

    #[test]
    fn slack_calls_nobody() {
        let calm =
            slack("<!channel> <@U1> <https://evil.example|bank> @here @Channel a@b.example &lt;");
        assert!(!calm.contains('<') && !calm.contains('>'));
        assert!(calm.contains("&lt;!channel&gt;") && calm.contains("&amp;lt;"));
        assert!(
            !calm.contains("@here") && !calm.contains("@Channel") && calm.contains("a@b.example")
        );
        assert!(!unmentioned("看 @所有人").contains("@所有人"));
    }

    #[test]
    fn a_clipped_text_ends_between_characters() {
        assert_eq!(clip("宽带中断", 12), "宽带中断");
        assert_eq!(clip("宽带中断", 11), "宽带…");
        assert_eq!(clip("宽带中断", 2), "…");
    }
}
