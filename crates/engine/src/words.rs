//! What is told of a data folder, in the language of whoever looks at it. The English words stand with the
//! types; what the operating system says stays as it says it.

use upline_lab::render::Language;

use crate::journal::{Damage, FORMAT, Flaw, JournalError};
use crate::store::StoreError;
use crate::store::log::snapshot::{self, SnapshotError};
use crate::vault::VaultError;

impl Damage {
    /// The place and what is wrong there, in a language.
    #[must_use]
    pub fn told(&self, language: Language) -> String {
        if language == Language::English {
            return self.to_string();
        }
        let Self {
            path,
            offset,
            seq,
            flaw,
        } = self;
        let flaw = chinese(flaw);
        match self.flaw {
            Flaw::Owner { .. } | Flaw::Identity(_) => flaw,
            _ => format!("{path} 在第 {offset} 字节、第 {seq} 帧处损坏：{flaw}"),
        }
    }
}

fn chinese(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Unreadable(why) => format!("无法读取（{why}）"),
        Flaw::Header => "段的头部与校验值不符".into(),
        Flaw::Foreign { found, expected } => {
            format!("该段属于数据文件夹 {found}，而不是 {expected}")
        }
        Flaw::Name { named, first } => {
            format!("文件名说是第 {named} 帧，头部说是第 {first} 帧")
        }
        Flaw::Seam => "该段不是从前一段的末尾开始".into(),
        Flaw::Cut { found, made } => format!("文件有 {found} 字节，原来是 {made} 字节"),
        Flaw::NoFrame => "这里没有帧".into(),
        Flaw::Length => "帧比文件还长".into(),
        Flaw::Content => "帧与它的哈希不符".into(),
        Flaw::Sequence { found } => format!("这里却是第 {found} 帧"),
        Flaw::Misplaced { found } => format!("这里却是位置 {found} 的帧"),
        Flaw::Chain => "前一帧不是写入时的那一帧".into(),
        Flaw::Newer { found } => format!("帧的格式是 {found}，比 {FORMAT} 新"),
        Flaw::Other => "这不是留有标记的那一帧：日志曾被换回旧的，然后重新写过".into(),
        Flaw::Missing { from } => format!("它之前从第 {from} 帧起缺失"),
        Flaw::RolledBack { marked } => {
            format!("日志在留有标记的第 {marked} 帧之前就结束了：被截断，或被换回旧的")
        }
        Flaw::Owner { found, expected } => format!(
            "文件 \"folder\" 属于数据文件夹 {found}，而日志属于 {expected}：两个文件夹的文件混在了一起"
        ),
        Flaw::Identity(why) => format!("不知道这是谁的文件夹：{why}"),
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
            Self::Full => "磁盘已满：请腾出空间，Upline 会自己继续".into(),
            Self::Io { source, .. } => format!("读写失败：{source}"),
            Self::Damaged(why) => format!("已损坏：{why}"),
            Self::Ticket { number, why } => format!("第 {number} 号工单无法读取：{why}"),
            Self::Format(why) => format!("这个文件夹不能用：{why}"),
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

pub(crate) fn of_journal(error: &JournalError, language: Language) -> String {
    if language == Language::English {
        return error.to_string();
    }
    match error {
        JournalError::Damaged(damage) => damage.told(language),
        JournalError::Newer { path, found } => format!(
            "{path} 的格式是 {found}，这个版本的 Upline 最多读到 {FORMAT}：请用写它的新版本"
        ),
        JournalError::Older { path, found } => format!(
            "{path} 的格式是 {found}，这个版本的 Upline 已经不能读：请先用中间的版本打开一次"
        ),
        JournalError::Foreign {
            path,
            found,
            expected,
        } => format!("{path} 属于数据文件夹 {found}，而这里是 {expected}：请恢复整个文件夹"),
        JournalError::RolledBack { end, marked } => format!(
            "日志到第 {end} 帧为止，但里面曾有第 {} 帧：被截断，或被换回旧的",
            marked.seq
        ),
        JournalError::MovedOn => "读取时日志一直在往前走：请再看一次".into(),
        JournalError::Io { source, .. } | JournalError::Full { source, .. } => {
            format!("日志读写失败：{source}")
        }
        other => other.to_string(),
    }
}

pub(crate) fn of_snapshot(error: &SnapshotError, language: Language) -> String {
    match (error, language) {
        (SnapshotError::Damaged, Language::Chinese) => "已损坏".into(),
        (SnapshotError::Format(found), Language::Chinese) => {
            format!("格式是 {found}，本程序认识 {}", snapshot::FORMAT)
        }
        (error, _) => error.to_string(),
    }
}

pub(crate) fn of_vault(error: &VaultError, language: Language) -> String {
    if language == Language::English {
        return error.to_string();
    }
    match error {
        VaultError::Io(source) => format!("工单的密钥：{source}"),
        VaultError::Damaged { path } => {
            format!("存放工单密钥的文件 {path:?} 已损坏：请从最近的备份恢复它")
        }
        VaultError::Foreign { path } => {
            format!("{path:?} 属于另一个数据文件夹：请放回属于这份日志的那一个")
        }
        VaultError::Missing { path } => {
            format!("存放工单密钥的文件 {path:?} 缺失：请从最近的备份恢复它")
        }
        VaultError::Sealed { slot } => format!("用密钥 {slot} 封存的内容打不开"),
    }
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
    use crate::journal::{FolderId, Mark, Position};

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
            Flaw::Owner { found, expected },
            Flaw::Identity("it is a song".into()),
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
            let told = of_vault(&error, Language::Chinese);
            assert!(has_chinese(&told), "{told}");
        }
        for error in [
            StoreError::Full,
            StoreError::Locked,
            StoreError::Damaged("so".into()),
            StoreError::Format("so".into()),
        ] {
            let told = error.told(Language::Chinese);
            assert!(has_chinese(&told), "{told}");
            assert_eq!(error.told(Language::English), error.to_string());
        }
    }
}
