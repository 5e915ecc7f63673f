//! The lines in Chinese.

use jiff::Timestamp;
use upline_core::{
    Actor, Cause, ClockMove, Delivery, Holder, LeftOut, Name, Notice, Operation, PromiseChange,
    Reason, StandIn, Topic,
};

use super::reasons::{actor, is_by_hand, lateness};
use super::{Language, Next, Say, Times, times};

pub(super) fn text(say: &Say, times: &Times, at: Timestamp) -> String {
    let within = |other: Timestamp| times.within(at, other);
    match say {
        Say::Opened { by, key, parent } => {
            let parent = parent.as_ref().map(|id| format!("，属于工单 {id}"));
            let key = key.as_ref().map(|key| format!("，键 {key}"));
            [format!("{} 建单", who(by)), or_empty(parent), or_empty(key)].concat()
        }
        Say::Fields { by, values } => {
            let values = values.iter().map(|(field, value)| match value {
                Some(value) => format!("{field} “{value}”"),
                None => format!("{field} 清空"),
            });
            let values = values.collect::<Vec<_>>().join("、");
            match by {
                Actor::Clock => format!("填写 {values}"),
                _ => format!("{} 填写 {values}", who(by)),
            }
        }
        Say::Acted { by, action, note } => {
            format!("{}：{action}{}", who(by), said(note.as_deref()))
        }
        Say::State {
            state,
            holder,
            cause,
        } => {
            let holder = holder.as_ref().map(|name| format!("，{name}"));
            let cause = cause.as_ref().map(entry_cause);
            format!("状态：{state}{}{}", or_empty(holder), or_empty(cause))
        }
        Say::Asked { .. } => asked(say),
        Say::Stays { who } => format!("仍由 {who} 负责"),
        Say::LeftOut(left) => format!("未选：{}", left_out(left, &within)),
        Say::Notice(notice) => told(notice),
        Say::Next(next, due) => format!("下一步：{}，{}", what_next(next), within(*due)),
        Say::Level {
            number,
            ladder,
            late,
        } => format!("{ladder} 第 {number} 级{}", late_by(*late)),
        Say::Passed {
            number,
            rule,
            left_out: left,
        } => {
            let level = number.map(|number| format!("第 {number} 级"));
            let left = left_out(left, &within);
            let why = if left.is_empty() {
                left
            } else {
                format!("：{left}")
            };
            format!("{}跳过（{rule}）{why}", or_empty(level))
        }
        Say::Reminded { late } => format!("仍在最终负责人处{}", late_by(*late)),
        Say::Delivery { via, state, detail } => {
            let state = match state {
                Delivery::Queued => "待发",
                Delivery::Delivered => "已送达",
                Delivery::Failed => "未送达",
            };
            format!("{} {state}{}", channel(via), said(detail.as_deref()))
        }
        Say::Suspended { until, by, reason } => {
            let reason = said(reason.as_deref());
            format!("{} 暂停至 {}{reason}", who(by), within(*until))
        }
        Say::Resumed { cause } => match cause {
            Cause::Clock { late, .. } => format!("暂停结束{}", late_by(*late)),
            cause => format!("继续{}", because(cause)),
        },
        Say::ClockMoved { due, next, by, how } => moved(&within(*due), next, by, how),
        _ => progress(say, &within),
    }
}

/// What people said, promises, machines, and ends.
fn progress(say: &Say, within: &impl Fn(Timestamp) -> String) -> String {
    match say {
        Say::Commented {
            by,
            text,
            to_caller,
        } => {
            let to = if *to_caller { "答复" } else { "" };
            format!("{}{to}：{}", who(by), quoted(text))
        }
        Say::Ticked { by, item, done } => {
            let verb = if *done { "勾选" } else { "取消勾选" };
            format!("{} {verb} {item}", who(by))
        }
        Say::Promise {
            promise,
            change,
            due,
        } => promised(promise, change, due.map(within)),
        Say::RunStarted {
            webhook,
            attempt,
            until,
        } => {
            let until = within(*until);
            match attempt {
                0 | 1 => format!("调用 webhook {webhook}，等至 {until}"),
                attempt => format!("调用 webhook {webhook}，第 {attempt} 次，等至 {until}"),
            }
        }
        Say::RunFailed {
            attempt,
            reason,
            again,
        } => {
            let again = again.map(|again| format!("；{} 再试", within(again)));
            let again = or_empty(again);
            format!("第 {attempt} 次失败：{}{again}", quoted(reason))
        }
        Say::Called { workflow } => format!("转入 {workflow}"),
        Say::BranchEnded { outcome } => format!("结束：{outcome}"),
        Say::Ended {
            state,
            outcome,
            cause,
        } => match state.is_empty() {
            true => format!("结束：{outcome}{}", because(cause)),
            false => format!("结束：{outcome}，状态 {state}{}", entry_cause(cause)),
        },
        Say::Migrated { version, by } => format!("{} 迁移到版本 {version}", who(by)),
        _ => String::new(),
    }
}

/// Somebody, and for whom he stands in.
fn deputy(person: &Name, of: Option<&Name>) -> String {
    match of {
        Some(absent) => format!("{person}（代 {absent}）"),
        None => person.to_string(),
    }
}

fn stands_in(person: &Name, stand_ins: &[StandIn]) -> String {
    let of = stand_ins.iter().find(|one| one.who == *person);
    deputy(person, of.map(|one| &one.of))
}

fn asked(say: &Say) -> String {
    let Say::Asked {
        from,
        holder,
        deputy_of,
        stand_ins,
        rule,
        entry,
        last_resort,
        cause,
    } = say
    else {
        return String::new();
    };
    let late = late_by(lateness(cause));
    let from = from.as_ref().map_or("无人", Name::as_str);
    let because = match cause {
        Cause::Undeliverable => format!("，无法通知到 {from}"),
        Cause::Gone => format!("，{from} 已不在"),
        cause => because(cause),
    };
    let holder = match holder {
        Holder::Assignee(person) => deputy(person, deputy_of.as_ref()),
        Holder::Offer {
            group,
            lead,
            candidates,
        } => {
            let candidates = candidates.iter().map(|one| stands_in(one, stand_ins));
            let candidates = candidates.collect::<Vec<_>>().join("、");
            let lead = deputy(lead, deputy_of.as_ref());
            return format!("待 {group} 认领：{candidates}；{lead} 负责{late}{because}");
        }
        Holder::Branches => "各分支".to_owned(),
        Holder::Nobody => "无人".to_owned(),
    };
    let rule = match last_resort {
        true => "（最终负责人）".to_owned(),
        false if rule.is_empty() || is_by_hand(cause, rule) => String::new(),
        false => format!("（{rule}）"),
    };
    let to = if *entry { "分派给" } else { "转给" };
    format!("{to} {holder}{rule}{late}{because}")
}

pub(super) fn operation(operation: Operation) -> &'static str {
    match operation {
        Operation::Act => "操作",
        Operation::Claim => "认领",
        Operation::Decline => "谢绝",
        Operation::Release => "放回",
        Operation::Delegate => "委托",
        Operation::Reassign => "改派",
        Operation::Escalate => "升级",
        Operation::Suspend => "暂停",
        Operation::Resume => "恢复",
        Operation::Comment => "留言",
        Operation::Save => "保存",
        Operation::Tick => "勾选",
        Operation::AnswerBy => "约定答复",
        Operation::ChangeClock => "改时",
        Operation::Hold => "保留",
        Operation::Cancel => "撤销",
    }
}

pub(super) fn what_next(next: &Next) -> String {
    match next {
        Next::Ask(rule) => rule.to_string(),
        Next::Tell(rules) => format!("通知 {}", names(rules)),
        Next::Level(number) => format!("第 {number} 级"),
        Next::Round(round) => format!("第 {round} 轮"),
        Next::LastResort => "最终负责人".to_owned(),
        Next::Remind => "提醒".to_owned(),
        Next::State(state) => format!("状态 {state}"),
        Next::Leave => "离开此状态".to_owned(),
        Next::GiveUp => "放弃调用".to_owned(),
        Next::Retry => "再次调用".to_owned(),
        Next::Wake => "暂停结束".to_owned(),
        Next::Reach {
            person,
            unless_acted: true,
        } => format!("若未处理则通知 {person}"),
        Next::Reach { person, .. } => format!("通知 {person}"),
        Next::Warn(promise, percent) => format!("承诺 {promise} 用去 {percent}%"),
        Next::Breach(promise) => format!("承诺 {promise} 违约"),
    }
}

fn told(notice: &Notice) -> String {
    let to = notice.to.name();
    let by = channel(&notice.via);
    match &notice.topic {
        Topic::Assigned | Topic::Offered | Topic::Informed => format!("通知 {to}：{by}"),
        Topic::Reminded => format!("提醒 {to}：{by}"),
        Topic::PromiseWarned { promise, percent } => {
            format!("预警 {to}：{by}，{promise} 用去 {percent}%")
        }
        Topic::PromiseBreached { promise } => format!("通知 {to}：{by}，{promise} 违约"),
        Topic::Outcome => format!("通知 {to} 结果：{by}"),
        Topic::Commented => format!("通知 {to} 有留言：{by}"),
    }
}

fn moved(due: &str, next: &Next, by: &Actor, how: &ClockMove) -> String {
    let next = what_next(next);
    match how {
        ClockMove::Changed { reason } => {
            format!("{} 改时：{next}，{due}{}", who(by), said(Some(reason)))
        }
        ClockMove::AnswerBy => format!("{} 约定 {due} 前答复，否则{next}", who(by)),
        ClockMove::Held => format!("链接保留：{next}，{due}"),
    }
}

fn promised(promise: &Name, change: &PromiseChange, due: Option<String>) -> String {
    let due = or_empty(due.map(|due| format!("，期限 {due}")));
    let span = |seconds: &i64| times::duration(*seconds, Language::Chinese);
    let what = match change {
        PromiseChange::Started { budget } => format!("{}{due}", span(budget)),
        PromiseChange::Paused { consumed } => format!("暂停，已用 {}", span(consumed)),
        PromiseChange::Resumed => format!("继续{due}"),
        PromiseChange::Met { consumed } => format!("达成，用时 {}", span(consumed)),
        PromiseChange::Warned { percent, late } => format!("用去 {percent}%{}", late_by(*late)),
        PromiseChange::Breached { late } => format!("违约{}", late_by(*late)),
        PromiseChange::Retargeted { budget } => format!("自起点改为 {}{due}", span(budget)),
    };
    format!("承诺 {promise}：{what}")
}

fn left_out(left: &[LeftOut], within: &impl Fn(Timestamp) -> String) -> String {
    let left = left.iter().map(|left| {
        let reason = reason(&left.reason, within);
        match left.who.is_empty() {
            true => reason,
            false => format!("{}（{reason}）", left.who),
        }
    });
    left.collect::<Vec<_>>().join("、")
}

/// Why somebody was not asked.
pub(super) fn reason(reason: &Reason, within: &impl Fn(Timestamp) -> String) -> String {
    match reason {
        Reason::Absent { until } => format!("不在，至 {}", within(*until)),
        Reason::OffShift => "不当班".to_owned(),
        Reason::AtCapacity { at_most } => format!("已满：{at_most}"),
        Reason::LacksSkill { skill } => format!("缺少技能 {skill}"),
        Reason::Excluded => "按规则排除".to_owned(),
        Reason::Unreachable => "无法通知到".to_owned(),
        Reason::HadIt => "已负责过".to_owned(),
        Reason::HasIt => "正在负责".to_owned(),
        Reason::Busier { open } => format!("更忙：{open} 单"),
        Reason::LaterInLine => "排在后面".to_owned(),
        Reason::Unknown => "不在通讯录中".to_owned(),
        Reason::Nobody => "无人可指".to_owned(),
        Reason::More { count } => format!("另有 {count} 人"),
    }
}

/// What led to a state, where no person did.
fn entry_cause(cause: &Cause) -> String {
    match cause {
        Cause::Clock { late, .. } => format!("（无人处理{}）", late_by(*late)),
        Cause::Chosen { when } => format!("（{when}）"),
        Cause::Joined => "（分支会合）".to_owned(),
        Cause::Breach { promise } => format!("（承诺 {promise} 违约）"),
        _ => String::new(),
    }
}

/// What led to a hop or a resumption, where a clock did not.
fn because(cause: &Cause) -> String {
    match cause {
        Cause::Person {
            operation: done,
            by,
            reason,
        } => format!(
            "，由 {} {}{}",
            who(by),
            operation(*done),
            said(reason.as_deref())
        ),
        Cause::Breach { promise } => format!("，承诺 {promise} 违约"),
        Cause::Migrated => "，已迁移".to_owned(),
        _ => String::new(),
    }
}

fn who(by: &Actor) -> String {
    let name = actor(by).map_or("时钟", Name::as_str);
    match by {
        Actor::Operator(_) => format!("管理员 {name}"),
        Actor::System(_) => format!("系统 {name}"),
        _ => name.to_owned(),
    }
}

pub(super) fn channel(via: &Name) -> String {
    match via.as_str() {
        "mail" => "邮件".to_owned(),
        other => other.replace(':', " "),
    }
}

fn late_by(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        late => format!("，迟 {}", times::lateness(late, Language::Chinese)),
    }
}

fn names(names: &[Name]) -> String {
    let names = names.iter().map(Name::as_str);
    names.collect::<Vec<_>>().join("、")
}

fn said(text: Option<&str>) -> String {
    let text = text.filter(|text| !text.is_empty());
    or_empty(text.map(|text| format!("：{}", quoted(text))))
}

fn quoted(text: &str) -> String {
    format!("“{}”", text.replace('\n', "\\n"))
}

fn or_empty(text: Option<String>) -> String {
    text.unwrap_or_default()
}
