//! What the pages of links say, in both languages.

use upline::core::Name;
use upline::lab::render::Language as Rendered;

use super::page::Said;
use super::token::Deed;
use super::{GOOD_FOR_SECONDS, MAX_WRONG};
use crate::tell::Language;

/// The tag by which labels of workflows are asked for.
pub(super) fn tag(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh",
    }
}

/// The same language, as refusals and clocks are put into words by.
pub(crate) fn rendered(language: Language) -> Rendered {
    match language {
        Language::En => Rendered::English,
        Language::Zh => Rendered::Chinese,
    }
}

/// The tag of the page.
pub(super) fn html_tag(language: Language) -> &'static str {
    match language {
        Language::En => "en",
        Language::Zh => "zh-CN",
    }
}

pub(super) fn claim(language: Language) -> &'static str {
    match language {
        Language::En => "I take it",
        Language::Zh => "我来认领",
    }
}

pub(super) fn decline(language: Language) -> &'static str {
    match language {
        Language::En => "Not me",
        Language::Zh => "我不接手",
    }
}

/// Words that stand alone.
pub(super) struct Words {
    pub(super) no_link: &'static str,
    pub(super) state: &'static str,
    pub(super) with: &'static str,
    pub(super) asked: &'static str,
    pub(super) since: &'static str,
    pub(super) next: &'static str,
    pub(super) outcome: &'static str,
    pub(super) number: &'static str,
    pub(super) number_hint: &'static str,
    pub(super) unchanged: &'static str,
    pub(super) undo: &'static str,
    pub(super) undo_hint: &'static str,
    /// The other language, in its own words.
    pub(super) other: &'static str,
}

pub(super) fn words(language: Language) -> &'static Words {
    match language {
        Language::En => &Words {
            no_link: "No such link",
            state: "State",
            with: "Who has it",
            asked: "Who is asked",
            since: "since",
            next: "If nobody acts",
            outcome: "Outcome",
            number: "The two digits beside the link in the message",
            number_hint: "They show that a person presses, and no program that opens links.",
            unchanged: "Opening this page has changed nothing.",
            undo: "Undo: give it back",
            undo_hint: "For five minutes you can give it back: the others are asked again.",
            other: "中文",
        },
        Language::Zh => &Words {
            no_link: "没有这个链接",
            state: "状态",
            with: "负责人",
            asked: "已询问",
            since: "自",
            next: "若无人处理",
            outcome: "结果",
            number: "消息中链接旁的两位数字",
            number_hint: "用来确认是人在操作，而不是自动打开链接的程序。",
            unchanged: "打开本页不会改变任何内容。",
            undo: "撤回：放回工单",
            undo_hint: "五分钟内可以放回，系统会重新询问其他人。",
            other: "English",
        },
    }
}

/// The main sentence of a page.
pub(super) fn sentence(
    said: &Said,
    label: &str,
    deed: Option<&Deed>,
    language: Language,
) -> String {
    match language {
        Language::En => english(said, label, deed),
        Language::Zh => chinese(said, label, deed),
    }
}

fn english(said: &Said, label: &str, deed: Option<&Deed>) -> String {
    match said {
        Said::Ask if deed == Some(&Deed::Decline) => {
            "Press the button, and somebody else is asked at once.".to_owned()
        }
        Said::Ask => format!("Press the button to say: {label}."),
        Said::Done { again: false } => format!("Done: {label}."),
        Said::Done { again: true } => {
            format!("This was done before, and not a second time: {label}.")
        }
        Said::Undone => "It was given back.".to_owned(),
        Said::NoNumber => "Nothing has happened: the two digits are missing.".to_owned(),
        Said::Wrong { left } => {
            let tries = if *left == 1 { "try" } else { "tries" };
            format!("Nothing has happened: that is not the number. You have {left} more {tries}.")
        }
        Said::TooSoon => {
            "Nothing has happened: that was quicker than people are. Press again.".to_owned()
        }
        Said::Several => {
            "Nothing has happened: another link of the same message was used a moment ago, \
                          as programs do that look at mail. Wait ten seconds, and press again."
                .to_owned()
        }
        Said::Elsewhere => {
            "Nothing has happened: this came from another page. Open the link that stands \
                            in the message itself."
                .to_owned()
        }
        Said::Unknown => {
            "There is no such link. Perhaps it was cut off on its way: copy all of it.".to_owned()
        }
        Said::TooMany => {
            "There is no such link, and too many such ones came from where you are. Please wait a minute."
                .to_owned()
        }
        Said::Burned => format!(
            "A wrong number was typed {MAX_WRONG} times, so this link does nothing any more. The ticket \
             has not changed by it."
        ),
        Said::Over => format!(
            "This link was good for {} hours, and that is over. The ticket has not changed by it.",
            GOOD_FOR_SECONDS / 3600
        ),
        Said::Gone => {
            "The ticket has moved on since the message was written, so this link does nothing \
                       any more."
                .to_owned()
        }
        Said::NotNow => "This can't be done by a link now. Nothing has happened.".to_owned(),
        Said::Refused(why) => format!("Nothing has happened: {why}."),
        Said::Later => {
            "It can't be done at the moment. Press again soon: it is not done twice.".to_owned()
        }
    }
}

fn chinese(said: &Said, label: &str, deed: Option<&Deed>) -> String {
    match said {
        Said::Ask if deed == Some(&Deed::Decline) => "按下按钮后，将立即询问其他人。".to_owned(),
        Said::Ask => format!("按下按钮即表示：{label}。"),
        Said::Done { again: false } => format!("已完成：{label}。"),
        Said::Done { again: true } => format!("之前已完成，没有重复执行：{label}。"),
        Said::Undone => "工单已放回。".to_owned(),
        Said::NoNumber => "没有任何改变：请输入两位数字。".to_owned(),
        Said::Wrong { left } => format!("没有任何改变：数字不对。还可以再试 {left} 次。"),
        Said::TooSoon => "没有任何改变：操作快得不像是人。请再按一次。".to_owned(),
        Said::Several => "没有任何改变：同一消息的另一个链接刚刚被使用过，检查邮件的程序会这样做。请等十秒后再按一次。"
            .to_owned(),
        Said::Elsewhere => "没有任何改变：请求来自别的页面。请打开消息中的链接本身。".to_owned(),
        Said::Unknown => "没有这个链接。它可能在途中被截断，请完整复制。".to_owned(),
        Said::TooMany => "没有这个链接，而且来自您那里的无效链接太多。请稍等一分钟。".to_owned(),
        Said::Burned => format!("数字已输错 {MAX_WRONG} 次，此链接已失效。工单没有因此改变。"),
        Said::Over => format!(
            "此链接的有效期为 {} 小时，现已过期。工单没有因此改变。",
            GOOD_FOR_SECONDS / 3600
        ),
        Said::Gone => "消息发出后工单已有变化，此链接不再有效。".to_owned(),
        Said::NotNow => "现在无法通过链接完成此操作。没有任何改变。".to_owned(),
        Said::Refused(why) => format!("没有任何改变：{why}。"),
        Said::Later => "暂时无法完成。请稍后再按一次，不会重复执行。".to_owned(),
    }
}

/// `Ann Berg, Bob Stone`.
pub(super) fn listed(names: &[String], language: Language) -> String {
    names.join(match language {
        Language::En => ", ",
        Language::Zh => "、",
    })
}

/// A person's name for people, with his id where the directory does not know him.
pub(super) fn name_of(directory: &upline::core::Directory, person: &Name) -> String {
    let known = directory
        .people
        .get(person)
        .map(|known| known.name.as_str());
    known
        .filter(|name| !name.is_empty())
        .unwrap_or(person)
        .to_owned()
}
