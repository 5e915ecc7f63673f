//! Why a wish is not possible, and why a clock stands still, in words.
//!
//! English is what the core's own values say of themselves, but for times, which only a reader's zone makes
//! readable.

use jiff::Timestamp;
use upline_core::calendar::Why;
use upline_core::rejection::MigrationFault;
use upline_core::value::MAX_TEXT_BYTES;
use upline_core::{Because, FieldFault, Name, Rejection, ValueError};

use super::chinese::{channel, operation};
use super::{Language, reason_words};
use crate::world::{MAX_CALL_DEPTH, Refusal};

/// Why a step of a transcript or a simulation does nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum InVain {
    /// The world refuses it.
    Refused(Refusal),
    /// No such message is under way.
    NoMessage { to: Name, via: Name },
    /// No such clock is running.
    NoClock,
    /// No machine was called.
    NoMachine,
}

impl From<Refusal> for InVain {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Why a wish is not possible now, with times written by `time`: `lea has it now`.
///
/// ```
/// use upline_core::Rejection;
/// use upline_lab::render::{Language, rejection_words};
///
/// let held = Rejection::HeldBy { holder: "lea".into() };
/// assert_eq!(rejection_words(&held, Language::English, &|at| at.to_string()), "lea has it now");
/// assert_eq!(rejection_words(&held, Language::Chinese, &|at| at.to_string()), "现在由 lea 负责");
/// ```
pub fn rejection_words(
    rejection: &Rejection,
    language: Language,
    time: &impl Fn(Timestamp) -> String,
) -> String {
    match (language, rejection) {
        (Language::English, Rejection::BadTime { latest }) => {
            format!("the time must lie after now and before {}", time(*latest))
        }
        (Language::English, Rejection::CannotHave { person, reason }) => {
            let reason = reason_words(reason, language, time);
            format!("{person} can't have it: {reason}")
        }
        (Language::English, rejection) => rejection.to_string(),
        (Language::Chinese, rejection) => chinese(rejection, time),
    }
}

/// Why a world does not do something, with times written by `time`.
pub fn refusal_words(
    refusal: &Refusal,
    language: Language,
    time: &impl Fn(Timestamp) -> String,
) -> String {
    match (language, refusal) {
        (_, Refusal::Rejected(rejection)) => rejection_words(rejection, language, time),
        (Language::English, refusal) => refusal.to_string(),
        (Language::Chinese, Refusal::SameKey { key, ticket }) => {
            format!("键 `{key}` 已属于未结束的工单 {ticket}")
        }
        (Language::Chinese, Refusal::NoSuchWorkflow { workflow }) => {
            format!("没有流程 `{workflow}`")
        }
        (Language::Chinese, Refusal::TooDeep) => format!("流程相互调用超过 {MAX_CALL_DEPTH} 层"),
        (Language::Chinese, Refusal::Down) => "引擎已停止".to_owned(),
    }
}

/// Why a step does nothing.
pub(crate) fn in_vain(
    why: &InVain,
    language: Language,
    time: &impl Fn(Timestamp) -> String,
) -> String {
    match (language, why) {
        (_, InVain::Refused(refusal)) => refusal_words(refusal, language, time),
        (Language::English, InVain::NoMessage { to, via }) => {
            format!("no message to {to} by {via} is under way")
        }
        (Language::English, InVain::NoClock) => "no such clock is running".to_owned(),
        (Language::English, InVain::NoMachine) => "no machine was called".to_owned(),
        (Language::Chinese, InVain::NoMessage { to, via }) => {
            format!("没有在途的通知：{to}，{}", channel(via))
        }
        (Language::Chinese, InVain::NoClock) => "没有这样的时钟在运行".to_owned(),
        (Language::Chinese, InVain::NoMachine) => "没有调用机器".to_owned(),
    }
}

/// Why time counts in a calendar, or does not: `outside hours`.
pub fn calendar_words(why: &Why, language: Language) -> String {
    if language == Language::English {
        return why.to_string();
    }
    match why {
        Why::Open => "营业".to_owned(),
        Why::OutsideHours => "非营业时间".to_owned(),
        Why::DayOff => "休息日".to_owned(),
        Why::Holiday(None) => "节假日".to_owned(),
        Why::Holiday(Some(name)) => format!("节假日：{name}"),
        Why::UnknownYear => "年份未知".to_owned(),
        // Of a later version of the core; better its own word than none.
        other => other.to_string(),
    }
}

fn chinese(rejection: &Rejection, time: &impl Fn(Timestamp) -> String) -> String {
    match rejection {
        Rejection::AlreadyOpen => "工单已经建立".to_owned(),
        Rejection::NotOpen => "没有这张工单".to_owned(),
        Rejection::HasEnded => "工单已结束".to_owned(),
        Rejection::WhichBranch { branches } => format!("请指明分支：{}", quoted(branches)),
        Rejection::NoSuchBranch { branch } => format!("没有进行中的分支 `{branch}`"),
        Rejection::NoSuchAction {
            state,
            action,
            actions,
        } => format!(
            "`{state}` 没有操作 `{action}`；可用的有：{}",
            quoted(actions)
        ),
        Rejection::NotAwaited { message } => format!("目前没有在等消息 `{message}`"),
        Rejection::HeldBy { holder } => format!("现在由 {holder} 负责"),
        Rejection::AlreadyClaimed { by } => format!("{by} 已经认领"),
        Rejection::NotAllowed { operation: what } => format!("您在此处不能{}", operation(*what)),
        Rejection::Excluded { action, except } => {
            format!("您不能执行 `{action}`:规则写明 `except {except}`,而那正是您")
        }
        Rejection::NotPossible {
            operation: what,
            because,
        } => format!("此处无法{}：{}", operation(*what), not_possible(*because)),
        Rejection::NoSuchPerson { person } => format!("没有名为 `{person}` 的人"),
        Rejection::CannotHave { person, reason } => {
            let reason = reason_words(reason, Language::Chinese, time);
            format!("不能交给 {person}：{reason}")
        }
        Rejection::Form { faults } => faults.iter().map(fault).collect::<Vec<_>>().join("；"),
        Rejection::NotTicked { items } => format!("尚未勾选：{}", quoted(items)),
        Rejection::NoSuchItem { item } => format!("此处没有检查项 `{item}`"),
        Rejection::NoSuchLevel { levels } => format!("升级链只有 {levels} 级"),
        Rejection::NoSuchClock => "该时钟没有在运行".to_owned(),
        Rejection::BadTime { latest } => format!("时间须在现在之后、{} 之前", time(*latest)),
        Rejection::BadText { limit } => format!("需要 1 到 {limit} 字节的文字"),
        Rejection::BadId { limit } => format!(
            "工单的标识和键须是一行，最多 {limit} 字节，键不能为空；纯数字的标识是工单的编号，只由引擎给出"
        ),
        Rejection::InstantLoop { state } => format!("`{state}` 不经任何人和时钟又回到自身"),
        Rejection::CannotMigrate { state, because } => {
            format!("在 `{state}` 无法转到新版本：{}", migration(*because))
        }
        Rejection::WrongWorkflow { state } => format!("流程中没有状态 `{state}`"),
    }
}

fn not_possible(because: Because) -> &'static str {
    match because {
        Because::NotOffered => "没有待认领的",
        Because::NotTaken => "还没有人接手",
        Because::LastResort => "已在最终负责人处",
        Because::Suspended => "已暂停",
        Because::NotSuspended => "没有暂停",
        Because::NoLadder => "此状态没有升级链",
        Because::NotGiven => "流程不允许，或已经用过",
        Because::Branches => "由各分支负责",
    }
}

fn migration(fault: MigrationFault) -> &'static str {
    match fault {
        MigrationFault::NoSuchState => "新版本没有这个状态",
        MigrationFault::NobodyAnswerable => "只有由人负责的状态才能接收工单",
        MigrationFault::OtherBranch => "在新版本中它属于另一个分支",
        MigrationFault::NothingWatches => "新状态既没有升级链也没有 `after`，工单会停住",
        MigrationFault::OtherBranches => "新版本的分支不同",
        MigrationFault::NothingAwaited => "新版本中没有它在等的事",
    }
}

fn fault(fault: &FieldFault) -> String {
    match fault {
        FieldFault::Unknown { field } => format!("没有字段 `{field}`"),
        FieldFault::NotInForm { field } => format!("此处的表单没有 `{field}`"),
        FieldFault::Missing { field } => format!("`{field}` 必须填写"),
        FieldFault::Value { field, fault } => format!("`{field}` {}", value(fault)),
    }
}

fn value(error: &ValueError) -> String {
    match error {
        ValueError::TooLong => format!("超过 {MAX_TEXT_BYTES} 字节"),
        ValueError::NotOneLine => "须为一行，不含控制字符".to_owned(),
        ValueError::NotAnOption { options } => format!("须为选项之一：{}", quoted(options)),
        ValueError::NotANumber => "须为数字，例如 12 或 12.50".to_owned(),
        ValueError::TooManyDigits => "位数太多：最多精确保存 28 位".to_owned(),
        ValueError::NotAFlag => "须为 `true` 或 `false`".to_owned(),
        ValueError::NotADate => "须为日期，例如 2026-03-06".to_owned(),
    }
}

fn quoted(names: &[Name]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests;
