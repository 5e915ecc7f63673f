//! What is told of a data folder, in the language of whoever looks at it. The English words stand with the
//! types; what the operating system says stays as it says it.
//!
//! The Chinese is sought by the English text, since much of it has become text before anybody knows who reads
//! it: the reason why a ticket can't be read stands in its record.

mod catalogue;

use std::io;

use upline_lab::render::{Language, rejection_words};

use crate::disk::is_in_the_way;
use crate::error::Error;
use crate::journal::{Damage, JournalError};
use crate::look::LookError;
use crate::store::StoreError;
use crate::store::log::snapshot::SnapshotError;
use catalogue::{CATALOGUE, Entry};

/// Parts of parts are told in Chinese down to this depth: none is deeper.
const MAX_DEPTH: usize = 8;

/// A text about a data folder that this program has written in English, in a language. Any other stays as it
/// is, as does what the operating system says in it.
///
/// ```
/// use upline::doctor::in_language;
/// use upline::lab::render::Language;
///
/// let why = "the file \"keys/0000000001\" has changed since";
/// assert_eq!(in_language(why, Language::Chinese), "文件 \"keys/0000000001\" 此后有改动");
/// assert_eq!(in_language("disk on fire", Language::Chinese), "disk on fire");
/// ```
#[must_use]
pub fn of(english: &str, language: Language) -> String {
    match language {
        Language::English => english.to_owned(),
        Language::Chinese => chinese(english).unwrap_or_else(|| english.to_owned()),
    }
}

fn chinese(english: &str) -> Option<String> {
    in_chinese(english, MAX_DEPTH)
}

fn in_chinese(english: &str, depth: usize) -> Option<String> {
    let deeper = depth.checked_sub(1)?;
    let mut entries = CATALOGUE.iter().copied().flatten();
    entries.find_map(|(from, to): &Entry| {
        let parts = parts(from, english)?.into_iter();
        let parts = parts.map(|part| in_chinese(part, deeper).unwrap_or_else(|| part.to_owned()));
        Some(filled(to, &parts.collect::<Vec<_>>()))
    })
}

/// A pattern with these in the places of `{0}`, `{1}`.
fn filled(pattern: &str, parts: &[String]) -> String {
    let mut pieces = pattern.split('{');
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (place, behind) in pieces.filter_map(|piece| piece.split_once('}')) {
        let part = place.parse().ok().and_then(|at: usize| parts.get(at));
        text.push_str(part.map_or("", String::as_str));
        text.push_str(behind);
    }
    text
}

/// What stands in the places of a pattern's `{}`.
fn parts<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut fixed: Vec<&str> = pattern.split("{}").collect();
    let last = fixed.pop()?;
    let Some(first) = fixed.first() else {
        return (text == last).then(Vec::new);
    };
    let mut rest = text.strip_prefix(first)?.strip_suffix(last)?;
    let mut parts = Vec::new();
    for between in &fixed[1..] {
        let (part, behind) = rest.split_once(between)?;
        parts.push(part);
        rest = behind;
    }
    parts.push(rest);
    Some(parts)
}

impl Damage {
    /// The place and what is wrong there, in a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        of(&self.to_string(), language)
    }
}

impl StoreError {
    /// What went wrong, in a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Full => "磁盘已满：请腾出空间；正在工作的引擎会自己继续，其他的要重新开始".into(),
            Self::Io { source, .. } => format!("读写失败：{source}{}", way_out(source)),
            Self::Damaged(why) => chinese(why).unwrap_or_else(|| format!("已损坏：{why}")),
            Self::Ticket { number, why } => {
                format!("第 {number} 号工单无法读取：{}", of(why, language))
            }
            Self::Format(why) => chinese(why).unwrap_or_else(|| format!("这个文件夹不能用：{why}")),
            Self::Locked => {
                "这个数据文件夹已经打开了（在另一个进程或本进程里）：请先停止那一个".into()
            }
            Self::Fenced => "另一个写入者已经接管：这一个必须停止".into(),
            Self::Conflict {
                number,
                is,
                expected,
            } => format!("第 {number} 号工单的修订是 {is}，而不是 {expected}"),
            Self::TooLarge(bytes) => format!("一次提交有 {bytes} 字节，太大了"),
        }
    }
}

impl LookError {
    /// What went wrong, in a language. Mistakes in files stay as they are told.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        match (self, language) {
            (Self::Store(error), language) => error.told(language),
            (Self::NoSuchTicket { ticket, .. }, Language::Chinese) => {
                format!("没有工单 `{ticket}`")
            }
            (Self::Removed { ticket }, Language::Chinese) => {
                format!("工单 `{ticket}` 已结束，日志里已没有它的开头")
            }
            (Self::Refused(error), language) => error.told(language),
            (error, _) => error.to_string(),
        }
    }
}

impl Error {
    /// Why a command was not carried out, in a language: all that a plan tells. The rest stays in English.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Rejected(rejection) => rejection_words(rejection, language, &|at| at.to_string()),
            Self::NoSuchWorkflow { workflow } => format!("没有工作流 `{workflow}`"),
            Self::NoDirectory => "还没有目录：请先部署一个".into(),
            Self::SameVersion { workflow, version } => {
                format!("`{workflow}` 第 {version} 版已有不同的内容：请提高 `version`")
            }
            Self::SetAside { why } => format!("工单已搁置：{}", of(why, language)),
            other => other.to_string(),
        }
    }
}

/// What to do about what is in the way.
fn way_out(error: &io::Error) -> &'static str {
    match is_in_the_way(error) {
        true => "；没有发现有什么丢失：请检查它的权限，或它的位置上是什么",
        false => "",
    }
}

pub(crate) fn of_journal(error: &JournalError, language: Language) -> String {
    match (error, language) {
        (
            JournalError::Io { source, .. } | JournalError::Full { source, .. },
            Language::Chinese,
        ) => format!("日志读写失败：{source}{}", way_out(source)),
        (error, language) => of(&error.to_string(), language),
    }
}

pub(crate) fn of_snapshot(error: &SnapshotError, language: Language) -> String {
    of(&error.to_string(), language)
}

#[cfg(feature = "sled")]
impl crate::index::Difference {
    /// What differs, in a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        match self {
            Self::Missing { number } => format!("缺少第 {number} 号工单"),
            Self::Other {
                number,
                revision,
                expected,
            } => format!("第 {number} 号工单与日志不符（修订 {revision}，按日志是 {expected}）"),
            Self::NotListed { number, view } => {
                format!("第 {number} 号工单不在视图 {view} 里")
            }
            Self::Command { id } => format!("命令 {id:02x?} 的记录与原来不同"),
            Self::Fields => "某个工作流的哪些字段存放联系人，索引并不知道".into(),
            Self::Note { number } => format!("少了一次与第 {number} 号工单有关的提交"),
            Self::Surplus {
                view,
                found,
                expected,
            } => format!("视图 {view} 有 {found} 个键，应有 {expected} 个"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{Flaw, FolderId, Mark, Position};
    use crate::vault::VaultError;

    fn has_chinese(text: &str) -> bool {
        text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
    }

    #[test]
    fn every_flaw_is_told_in_chinese_with_its_numbers() {
        let (found, expected) = (FolderId([7; 16]), FolderId([8; 16]));
        let flaws = [
            Flaw::Unreadable("bad sector".into()),
            Flaw::Header,
            Flaw::Foreign { found, expected },
            Flaw::Name {
                named: 71,
                first: 72,
            },
            Flaw::Seam,
            Flaw::Cut {
                found: 71,
                made: 72,
            },
            Flaw::NoFrame,
            Flaw::Length,
            Flaw::Content,
            Flaw::Sequence { found: 71 },
            Flaw::Misplaced {
                found: Position(71),
            },
            Flaw::Chain,
            Flaw::Newer { found: 71 },
            Flaw::Other,
            Flaw::Missing { from: 71 },
            Flaw::RolledBack { marked: 71 },
            Flaw::Gone { marked: 71 },
            Flaw::Owner { found, expected },
            Flaw::Identity("the file \"folder\" is not of a data folder".into()),
        ];
        for flaw in flaws {
            let damage = Damage {
                path: "journal/x.log".into(),
                offset: 512,
                seq: 9,
                flaw,
            };
            let (english, chinese) = (
                damage.told(Language::English),
                damage.told(Language::Chinese),
            );
            assert_eq!(english, damage.to_string());
            assert!(has_chinese(&chinese), "{chinese}");
            for number in ["71", "72", "512", "0707", "0808"] {
                assert_eq!(
                    english.contains(number),
                    chinese.contains(number),
                    "{chinese}"
                );
            }
        }
    }

    #[test]
    fn errors_of_a_folder_are_told_in_chinese() {
        let mark = Mark {
            seq: 71,
            position: Position(1),
            hash: crate::journal::Hash([0; 32]),
        };
        let path = || "journal/x.log".to_owned();
        for error in [
            JournalError::Newer {
                path: path(),
                found: 7,
            },
            JournalError::Older {
                path: path(),
                found: 7,
            },
            JournalError::RolledBack {
                end: 7,
                marked: Box::new(mark),
            },
            JournalError::Displaced { path: path() },
            JournalError::MovedOn,
        ] {
            assert!(has_chinese(&of_journal(&error, Language::Chinese)));
        }
        for error in [
            VaultError::Damaged { path: path() },
            VaultError::Foreign { path: path() },
            VaultError::Missing { path: path() },
            VaultError::Sealed { slot: 7 },
        ] {
            let told = of(&error.to_string(), Language::Chinese);
            assert!(has_chinese(&told), "{told}");
        }
        for error in [
            StoreError::Full,
            StoreError::Locked,
            StoreError::Damaged("so".into()),
            StoreError::Format("so".into()),
            StoreError::Ticket {
                number: 7,
                why: VaultError::Sealed { slot: 7 }.to_string(),
            },
        ] {
            let told = error.told(Language::Chinese);
            assert!(has_chinese(&told), "{told}");
            assert_eq!(error.told(Language::English), error.to_string());
        }
    }

    /// Each is told as it stands, with what is in its places in the right ones.
    #[test]
    fn every_entry_is_found_and_fits() {
        for (english, chinese) in CATALOGUE.iter().copied().flatten() {
            let places = english.matches("{}").count();
            let (mut from, mut to) = ((*english).to_owned(), (*chinese).to_owned());
            for place in 0..places {
                from = from.replacen("{}", &format!("<{place}>"), 1);
                let at = format!("{{{place}}}");
                assert_eq!(to.matches(&at).count(), 1, "{chinese}");
                to = to.replace(&at, &format!("<{place}>"));
            }
            assert!(!to.contains('{') && has_chinese(&to), "{chinese}");
            assert_eq!(of(&from, Language::Chinese), to);
            assert_eq!(of(&from, Language::English), from);
        }
    }

    #[test]
    fn parts_of_parts_are_told_in_chinese() {
        let damage = Damage {
            path: "journal/x.log".into(),
            offset: 512,
            seq: 9,
            flaw: Flaw::Content,
        };
        let error = StoreError::from(JournalError::Damaged(damage));
        let told = error.told(Language::Chinese);
        let start = "journal/x.log 在第 512 字节、第 9 次提交处损坏：提交与它的哈希不符；";
        assert!(told.starts_with(start), "{told}");
        // Nothing that stands in a text is taken for a place of another one.
        let told = of(
            "a {1} has the format {0}, which is newer",
            Language::Chinese,
        );
        assert_eq!(told, "a {1} has the format {0}, which is newer");
        let told = of("the file {1} can't be read ({0})", Language::Chinese);
        assert_eq!(told, "文件 {1} 无法读取（{0}）");
    }
}
