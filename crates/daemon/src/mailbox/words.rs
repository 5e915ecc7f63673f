//! Words: those by which a person says in a mail what he does, and those that are added to what he wrote.

use upline::core::decide::Possible;
use upline::core::workflow::{Action, StateKind};
use upline::core::{Branch, Name, Operation, Wish, Workflow};

use crate::tell::Language;

/// Longest line that can be a word of command, in characters.
const MAX_WORD_CHARS: usize = 80;
/// What stands for taking what was offered.
const CLAIM: [&str; 6] = ["claim", "take it", "i take it", "认领", "我来处理", "接单"];
/// What stands for passing it on.
const DECLINE: [&str; 5] = ["decline", "not me", "拒绝", "不是我", "婉拒"];

/// What the first line of an answer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked<'a> {
    /// As it was written.
    pub(crate) word: &'a str,
    /// What follows it.
    pub(crate) rest: &'a str,
    pub(crate) wish: Wish,
    pub(crate) branch: Option<Branch>,
    /// Whether it is among what this person could do without filling in anything.
    pub(crate) is_possible: bool,
}

/// The word of command that an answer begins with. `None`: it is no command, but something that is said.
///
/// Only a line that is a word of command and nothing else is one: "accept the invoice" is not.
pub(crate) fn asked<'a>(
    text: &'a str,
    possible: &[Possible],
    workflow: &Workflow,
) -> Option<Asked<'a>> {
    let text = text.trim_start();
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let word = line.trim().trim_matches(|c| "#/.!。！".contains(c)).trim();
    if word.is_empty() || word.chars().count() > MAX_WORD_CHARS {
        return None;
    }
    let low = word.to_lowercase();
    let (operation, action) = if CLAIM.contains(&low.as_str()) {
        (Operation::Claim, None)
    } else if DECLINE.contains(&low.as_str()) {
        (Operation::Decline, None)
    } else {
        (Operation::Act, Some(named(&low, possible, workflow)?))
    };
    let is_it = |one: &&Possible| one.operation == operation && one.action == action;
    let mut found = possible.iter().filter(is_it);
    // In several branches it could mean either.
    let one = match (found.next(), found.next()) {
        (one, None) => one,
        _ => None,
    };
    let wish = match (operation, action) {
        (Operation::Claim, _) => Wish::Claim,
        (Operation::Decline, _) => Wish::Decline { reason: None },
        (_, action) => Wish::Act {
            action: action.unwrap_or_default(),
            fields: Vec::new(),
            note: None,
        },
    };
    Some(Asked {
        word,
        rest: rest.trim(),
        wish,
        branch: one.map(|one| one.branch.clone()),
        is_possible: one.is_some_and(|one| one.needs.is_empty()),
    })
}

/// The action that the word means: one that is possible now, else any of the workflow.
fn named(word: &str, possible: &[Possible], workflow: &Workflow) -> Option<Name> {
    let works = workflow
        .states
        .values()
        .filter_map(|state| match &state.kind {
            StateKind::Work(work) => Some(work),
            StateKind::Choose { .. } | StateKind::End { .. } => None,
        });
    let actions: Vec<&Action> = works.flat_map(|work| &work.actions).collect();
    let means = |action: &&&Action| {
        let labels = action.label.languages();
        let mut labels = labels.map(|language| action.label.text(language).to_lowercase());
        action.name.as_str() == word || labels.any(|label| label.trim() == word)
    };
    let now = |action: &&&Action| {
        let mut offered = possible.iter();
        offered.any(|one| one.action.as_ref() == Some(&action.name))
    };
    let mut meant = actions.iter().filter(means);
    let first = meant.clone().find(now).or_else(|| meant.next());
    first.map(|action| action.name.clone())
}

/// A size for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes / 1024),
        _ => format!("{} MB", bytes / 1_048_576),
    }
}

/// What is added to texts, in the mailbox's language.
impl Language {
    pub(crate) fn kept(self, name: &str, bytes: usize, hash: &str) -> String {
        let size = size(bytes);
        match self {
            Self::En => format!("Attachment: {name} ({size}), kept as {hash}"),
            Self::Zh => format!("附件：{name}（{size}），保存为 {hash}"),
        }
    }

    pub(crate) fn left_out(self, name: &str, bytes: usize) -> String {
        let size = size(bytes);
        match self {
            Self::En => format!("Attachment left out: {name} ({size})"),
            Self::Zh => format!("附件未保存：{name}（{size}）"),
        }
    }

    pub(crate) fn more_left_out(self, count: usize) -> String {
        match self {
            Self::En => format!("{count} more attachments left out"),
            Self::Zh => format!("另有 {count} 个附件未保存"),
        }
    }

    pub(crate) fn cut_here(self) -> &'static str {
        match self {
            Self::En => "(cut here: the mail is longer than a ticket holds)",
            Self::Zh => "（邮件超出工单可保存的长度，此处截断）",
        }
    }

    pub(crate) fn without_text(self) -> &'static str {
        match self {
            Self::En => "(a mail without text)",
            Self::Zh => "（无正文的邮件）",
        }
    }

    pub(crate) fn of_stranger(self, contact: &str) -> String {
        match self {
            Self::En => format!("From {contact}, to whom no mail about this ticket went:"),
            Self::Zh => format!("来自 {contact}（本工单未向其发送过邮件）："),
        }
    }

    pub(crate) fn after_end(self, ticket: &str) -> String {
        match self {
            Self::En => format!("This answers ticket {ticket}, which has ended."),
            Self::Zh => format!("此邮件回复的工单 {ticket} 已结束。"),
        }
    }

    pub(crate) fn bounced(self, reason: &str) -> String {
        match (self, reason) {
            (Self::En, "") => "A mail about this ticket could not be delivered.".to_owned(),
            (Self::En, _) => format!("A mail about this ticket could not be delivered: {reason}"),
            (Self::Zh, "") => "关于本工单的一封邮件未能送达。".to_owned(),
            (Self::Zh, _) => format!("关于本工单的一封邮件未能送达：{reason}"),
        }
    }

    pub(crate) fn not_done(self, who: &str, word: &str, why: &str) -> String {
        match self {
            Self::En => format!("{who} asked for “{word}” by mail; it was not done: {why}"),
            Self::Zh => format!("{who} 通过邮件要求“{word}”，未执行：{why}"),
        }
    }

    pub(crate) fn needs_more(self) -> &'static str {
        match self {
            Self::En => "it is not this person's to do now, or needs more than a word",
            Self::Zh => "此人目前无权执行，或还需填写其他内容",
        }
    }

    pub(crate) fn too_old(self) -> &'static str {
        match self {
            Self::En => "the mail that it answers is older than three days",
            Self::Zh => "所回复的邮件已超过三天",
        }
    }
}
