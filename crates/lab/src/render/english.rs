//! The lines in English.

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
            let parent = parent.as_ref().map(|id| format!(" for ticket {id}"));
            let key = key.as_ref().map(|key| format!(", key {key}"));
            let parts = [
                format!("opened by {}", who(by)),
                or_empty(parent),
                or_empty(key),
            ];
            parts.concat()
        }
        Say::Fields { by, values } => {
            let values = values.iter().map(|(field, value)| match value {
                Some(value) => format!("{field} \"{value}\""),
                None => format!("{field} emptied"),
            });
            let values: Vec<_> = values.collect();
            match by {
                Actor::Clock => format!("set {}", values.join(", ")),
                _ => format!("set {} by {}", values.join(", "), who(by)),
            }
        }
        Say::Acted { by, action, note } => {
            format!("{}: {action}{}", who(by), said(note.as_deref()))
        }
        Say::State {
            state,
            holder,
            cause,
        } => {
            let holder = holder.as_ref().map(|name| format!(", {name}"));
            let cause = cause.as_ref().map(entry_cause);
            format!("state: {state}{}{}", or_empty(holder), or_empty(cause))
        }
        Say::Asked { .. } => asked(say),
        Say::Stays { who } => format!("stays with {who}"),
        Say::LeftOut(left) => format!("left out: {}", left_out(left, &within)),
        Say::Notice(notice) => told(notice),
        Say::Next(next, due) => format!("next: {}, {}", what_next(next), within(*due)),
        Say::Level {
            number,
            ladder,
            late,
        } => {
            format!("level {number} of {ladder}{}", late_by(*late))
        }
        Say::Passed {
            number,
            rule,
            left_out: left,
        } => {
            let level = number.map(|number| format!("level {number} "));
            let left = left_out(left, &within);
            let why = if left.is_empty() {
                left
            } else {
                format!(": {left}")
            };
            format!("{}passed ({rule}){why}", or_empty(level))
        }
        Say::Reminded { late } => format!("still with the last resort{}", late_by(*late)),
        Say::Delivery { via, state, detail } => {
            let state = match state {
                Delivery::Queued => "queued",
                Delivery::Delivered => "delivered",
                Delivery::Failed => "not delivered",
            };
            format!("{} {state}{}", channel(via), said(detail.as_deref()))
        }
        Say::Suspended { until, by, reason } => {
            let until = within(*until);
            format!(
                "suspended until {until} by {}{}",
                who(by),
                said(reason.as_deref())
            )
        }
        Say::Resumed { cause } => match cause {
            Cause::Clock { late, .. } => format!("wakes up{}", late_by(*late)),
            cause => format!("goes on{}", because(cause)),
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
            let to = if *to_caller { " answers" } else { "" };
            format!("{}{to}: {}", who(by), quoted(text))
        }
        Say::Ticked { by, item, done } => {
            let verb = if *done { "ticked" } else { "unticked" };
            format!("{item} {verb} by {}", who(by))
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
            let attempt = if *attempt > 1 {
                format!(", try {attempt}")
            } else {
                String::new()
            };
            format!("call webhook {webhook}{attempt}, until {}", within(*until))
        }
        Say::RunFailed {
            attempt,
            reason,
            again,
        } => {
            let again = again.map(|again| format!("; again {}", within(again)));
            format!(
                "try {attempt} failed: {}{}",
                quoted(reason),
                or_empty(again)
            )
        }
        Say::Called { workflow } => format!("calls {workflow}"),
        Say::BranchEnded { outcome } => format!("ended: {outcome}"),
        Say::Ended {
            state,
            outcome,
            cause,
        } => match state.is_empty() {
            true => format!("ended: {outcome}{}", because(cause)),
            false => {
                let cause = match cause {
                    Cause::Clock { .. } | Cause::Chosen { .. } => entry_cause(cause),
                    _ => String::new(),
                };
                format!("ended: {outcome}, state {state}{cause}")
            }
        },
        Say::Migrated { version, by } => format!("goes on in version {version}, by {}", who(by)),
        _ => String::new(),
    }
}

/// Somebody, and for whom he stands in.
fn deputy(person: &Name, of: Option<&Name>) -> String {
    match of {
        Some(absent) => format!("{person} for {absent}"),
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
    let from = from.as_ref().map_or("nobody", Name::as_str);
    let because = match cause {
        Cause::Undeliverable => format!(", no channel reached {from}"),
        Cause::Gone => format!(", {from} is no longer there"),
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
            let candidates = candidates.collect::<Vec<_>>().join(", ");
            let lead = deputy(lead, deputy_of.as_ref());
            return format!(
                "offered to {group}: {candidates}; {lead} is answerable{late}{because}"
            );
        }
        Holder::Branches => "its branches".to_owned(),
        Holder::Nobody => "nobody".to_owned(),
    };
    let rule = match last_resort {
        true => " (last resort)".to_owned(),
        // What somebody did by hand has no rule but that.
        false if is_by_hand(cause, rule) => String::new(),
        false if rule.is_empty() => String::new(),
        false => format!(" ({rule})"),
    };
    let to = if *entry { "assigned to" } else { "to" };
    format!("{to} {holder}{rule}{late}{because}")
}

fn participle(operation: Operation) -> &'static str {
    match operation {
        Operation::Act => "acted on",
        Operation::Claim => "claimed",
        Operation::Decline => "declined",
        Operation::Release => "released",
        Operation::Delegate => "delegated",
        Operation::Reassign => "reassigned",
        Operation::Escalate => "escalated",
        Operation::Suspend => "suspended",
        Operation::Resume => "resumed",
        Operation::Comment => "commented",
        Operation::Save => "saved",
        Operation::Tick => "ticked",
        Operation::AnswerBy => "answered",
        Operation::ChangeClock => "moved",
        Operation::Hold => "held",
        Operation::Cancel => "cancelled",
    }
}

pub(super) fn what_next(next: &Next) -> String {
    match next {
        Next::Ask(rule) => rule.to_string(),
        Next::Tell(rules) => format!("notify {}", names(rules)),
        Next::Level(number) => format!("level {number}"),
        Next::Round(round) => format!("round {round}"),
        Next::LastResort => "last resort".to_owned(),
        Next::Remind => "reminder".to_owned(),
        Next::State(state) => format!("state {state}"),
        Next::Leave => "the state is left".to_owned(),
        Next::GiveUp => "the call is given up".to_owned(),
        Next::Retry => "the call is tried again".to_owned(),
        Next::Wake => "wake-up".to_owned(),
        Next::Reach {
            person,
            unless_acted: true,
        } => format!("notify {person} unless acted"),
        Next::Reach { person, .. } => format!("notify {person}"),
        Next::Warn(promise, percent) => format!("promise {promise} at {percent}%"),
        Next::Breach(promise) => format!("promise {promise} broken"),
    }
}

fn told(notice: &Notice) -> String {
    let to = notice.to.name();
    let by = channel(&notice.via);
    match &notice.topic {
        Topic::Assigned | Topic::Offered | Topic::Informed => format!("notify {to} by {by}"),
        Topic::Reminded => format!("remind {to} by {by}"),
        Topic::PromiseWarned { promise, percent } => {
            format!("warn {to} by {by}: {promise} at {percent}%")
        }
        Topic::PromiseBreached { promise } => format!("notify {to} by {by}: {promise} broken"),
        Topic::Outcome => format!("notify {to} of the outcome by {by}"),
        Topic::Commented => format!("notify {to} of the comment by {by}"),
    }
}

fn moved(due: &str, next: &Next, by: &Actor, how: &ClockMove) -> String {
    let next = what_next(next);
    match how {
        ClockMove::Changed { reason } => {
            format!(
                "clock moved by {}: {next}, {due}{}",
                who(by),
                said(Some(reason))
            )
        }
        ClockMove::AnswerBy => format!("{} answers by {due}, else {next}", who(by)),
        ClockMove::Held => format!("held by a link: {next}, {due}"),
    }
}

fn promised(promise: &Name, change: &PromiseChange, due: Option<String>) -> String {
    let due = or_empty(due.map(|due| format!(", due {due}")));
    let span = |seconds: &i64| times::duration(*seconds, Language::English);
    let what = match change {
        PromiseChange::Started { budget } => format!("{}{due}", span(budget)),
        PromiseChange::Paused { consumed } => format!("paused, {} used", span(consumed)),
        PromiseChange::Resumed => format!("goes on{due}"),
        PromiseChange::Met { consumed } => format!("met, {} used", span(consumed)),
        PromiseChange::Warned { percent, late } => format!("at {percent}%{}", late_by(*late)),
        PromiseChange::Breached { late } => format!("broken{}", late_by(*late)),
        PromiseChange::Retargeted { budget } => format!("{} from its start{due}", span(budget)),
    };
    format!("promise {promise}: {what}")
}

fn left_out(left: &[LeftOut], within: &impl Fn(Timestamp) -> String) -> String {
    let left = left.iter().map(|left| {
        let reason = reason(&left.reason, within);
        match left.who.is_empty() {
            true => reason,
            false => format!("{} ({reason})", left.who),
        }
    });
    left.collect::<Vec<_>>().join(", ")
}

/// Why somebody was not asked, as the rest of a sentence that begins with the person.
pub(super) fn reason(reason: &Reason, within: &impl Fn(Timestamp) -> String) -> String {
    match reason {
        Reason::Absent { until } => format!("away until {}", within(*until)),
        Reason::AtCapacity { at_most } => format!("at capacity: {at_most}"),
        Reason::Nobody => "nobody is meant".to_owned(),
        other => other.to_string(),
    }
}

/// What led to a state, where no person did.
fn entry_cause(cause: &Cause) -> String {
    match cause {
        Cause::Clock { late, .. } => format!(" (nobody acted{})", late_by(*late)),
        Cause::Chosen { when } => format!(" ({when})"),
        Cause::Joined => " (branches joined)".to_owned(),
        Cause::Breach { promise } => format!(" (promise {promise} broken)"),
        _ => String::new(),
    }
}

/// What led to a hop or a resumption, where a clock did not.
fn because(cause: &Cause) -> String {
    match cause {
        Cause::Person {
            operation,
            by,
            reason,
        } => {
            let done = participle(*operation);
            format!(", {done} by {}{}", who(by), said(reason.as_deref()))
        }
        Cause::Breach { promise } => format!(", promise {promise} broken"),
        Cause::Migrated => ", migrated".to_owned(),
        _ => String::new(),
    }
}

fn who(by: &Actor) -> String {
    let name = actor(by).map_or("the clock", Name::as_str);
    match by {
        Actor::Operator(_) => format!("operator {name}"),
        Actor::System(_) => format!("system {name}"),
        _ => name.to_owned(),
    }
}

pub(super) fn channel(via: &Name) -> String {
    via.replace(':', " ")
}

fn late_by(seconds: i64) -> String {
    match seconds {
        0 => String::new(),
        late => format!(", {} late", times::lateness(late, Language::English)),
    }
}

fn names(names: &[Name]) -> String {
    names
        .iter()
        .map(Name::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

fn said(text: Option<&str>) -> String {
    let text = text.filter(|text| !text.is_empty());
    or_empty(text.map(|text| format!(": {}", quoted(text))))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\n', "\\n").replace('"', "\\\""))
}

fn or_empty(text: Option<String>) -> String {
    text.unwrap_or_default()
}
