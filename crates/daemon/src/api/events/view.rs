//! An event as others read it: CloudEvents 1.0 in JSON.

use serde_json::{Map, Value, json};
use upline::core::event::{Cause, ClockMove, Hop, Notice, PromiseChange, Recipient, Topic};
use upline::core::ticket::{Clock, ClockKind};
use upline::core::{Fact, Holder, Level, Operation};
use upline::feed::{Happening, What};
use upline::journal::FolderId;
use upline::record::{Fate, Settled};

use super::super::view::{actor, json as value, level};
use super::super::wishes::word;

/// Every type of events, in the order of the documentation.
pub(crate) const KINDS: [&str; 39] = [
    "upline.ticket.opened.v1",
    "upline.ticket.fields-set.v1",
    "upline.ticket.acted.v1",
    "upline.ticket.entered.v1",
    "upline.ticket.assigned.v1",
    "upline.ticket.offered.v1",
    "upline.ticket.claimed.v1",
    "upline.ticket.escalated.v1",
    "upline.ticket.level-reached.v1",
    "upline.ticket.level-passed.v1",
    "upline.ticket.reminded.v1",
    "upline.ticket.notified.v1",
    "upline.ticket.suspended.v1",
    "upline.ticket.resumed.v1",
    "upline.ticket.clock-moved.v1",
    "upline.ticket.held.v1",
    "upline.ticket.commented.v1",
    "upline.ticket.ticked.v1",
    "upline.ticket.call-started.v1",
    "upline.ticket.call-failed.v1",
    "upline.ticket.child-opened.v1",
    "upline.ticket.branch-ended.v1",
    "upline.ticket.ended.v1",
    "upline.ticket.cancelled.v1",
    "upline.ticket.migrated.v1",
    "upline.ticket.erased.v1",
    "upline.ticket.set-aside.v1",
    "upline.ticket.taken-up.v1",
    "upline.promise.started.v1",
    "upline.promise.paused.v1",
    "upline.promise.resumed.v1",
    "upline.promise.met.v1",
    "upline.promise.warned.v1",
    "upline.promise.breached.v1",
    "upline.promise.retargeted.v1",
    "upline.notification.delivered.v1",
    "upline.notification.failed.v1",
    "upline.notification.withdrawn.v1",
    "upline.files.deployed.v1",
];

/// The type of an event; `None`: it is told by another one.
pub(super) fn kind(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Fact { fact, .. } => return of_fact(fact),
        What::Settled { settled, .. } => match settled.fate {
            Fate::Delivered => "upline.notification.delivered.v1",
            Fate::Failed => "upline.notification.failed.v1",
            Fate::Withdrawn => "upline.notification.withdrawn.v1",
        },
        What::Deployed { .. } => "upline.files.deployed.v1",
        What::Erased { .. } => "upline.ticket.erased.v1",
        What::SetAside { why: Some(_) } => "upline.ticket.set-aside.v1",
        What::SetAside { why: None } | What::Released { .. } => "upline.ticket.taken-up.v1",
        _ => return None,
    })
}

fn of_fact(fact: &Fact) -> Option<&'static str> {
    Some(match fact {
        Fact::Opened { .. } => "upline.ticket.opened.v1",
        Fact::FieldsSet { .. } => "upline.ticket.fields-set.v1",
        Fact::Acted { .. } => "upline.ticket.acted.v1",
        Fact::Entered { .. } => "upline.ticket.entered.v1",
        Fact::Hopped(hop) => of_hop(hop),
        Fact::LevelReached { .. } => "upline.ticket.level-reached.v1",
        Fact::LevelPassed { .. } => "upline.ticket.level-passed.v1",
        Fact::Reminded { .. } => "upline.ticket.reminded.v1",
        Fact::Notified { .. } => "upline.ticket.notified.v1",
        // The fate of every message is told when it is settled.
        Fact::Delivery { .. } => return None,
        Fact::Suspended { .. } => "upline.ticket.suspended.v1",
        Fact::Resumed { .. } => "upline.ticket.resumed.v1",
        Fact::ClockMoved { how, .. } => match how {
            ClockMove::Held => "upline.ticket.held.v1",
            ClockMove::Changed { .. } | ClockMove::AnswerBy => "upline.ticket.clock-moved.v1",
        },
        Fact::Commented { .. } => "upline.ticket.commented.v1",
        Fact::Ticked { .. } => "upline.ticket.ticked.v1",
        Fact::Promise { change, .. } => match change {
            PromiseChange::Started { .. } => "upline.promise.started.v1",
            PromiseChange::Paused { .. } => "upline.promise.paused.v1",
            PromiseChange::Resumed => "upline.promise.resumed.v1",
            PromiseChange::Met { .. } => "upline.promise.met.v1",
            PromiseChange::Warned { .. } => "upline.promise.warned.v1",
            PromiseChange::Breached { .. } => "upline.promise.breached.v1",
            PromiseChange::Retargeted { .. } => "upline.promise.retargeted.v1",
        },
        Fact::RunStarted { .. } => "upline.ticket.call-started.v1",
        Fact::RunFailed { .. } => "upline.ticket.call-failed.v1",
        Fact::Called { .. } => "upline.ticket.child-opened.v1",
        Fact::BranchEnded { .. } => "upline.ticket.branch-ended.v1",
        Fact::Ended { state, .. } if state.is_empty() => "upline.ticket.cancelled.v1",
        Fact::Ended { .. } => "upline.ticket.ended.v1",
        Fact::Migrated { .. } => "upline.ticket.migrated.v1",
    })
}

fn of_hop(hop: &Hop) -> &'static str {
    let operation = match &hop.cause {
        Cause::Person { operation, .. } => Some(*operation),
        _ => None,
    };
    let by_itself = matches!(
        hop.cause,
        Cause::Clock { .. } | Cause::Undeliverable | Cause::Breach { .. }
    );
    match (operation, &hop.holder) {
        (Some(Operation::Claim), _) => "upline.ticket.claimed.v1",
        (Some(Operation::Escalate), _) => "upline.ticket.escalated.v1",
        _ if by_itself && hop.level != Level::Entry => "upline.ticket.escalated.v1",
        (_, Holder::Offer { .. }) => "upline.ticket.offered.v1",
        _ => "upline.ticket.assigned.v1",
    }
}

/// Whose events they are: with their ids this makes them unique in the world.
pub(super) struct Source(String);

impl Source {
    pub(super) fn of(folder: FolderId) -> Self {
        Self(format!("urn:upline:{folder}"))
    }

    /// An event as it is sent.
    pub(super) fn event(&self, one: &Happening) -> Value {
        let mut data = Map::new();
        let subject = one.subject.as_ref();
        if let Some(subject) = subject.filter(|subject| !subject.workflow.is_empty()) {
            data.insert("workflow".into(), subject.workflow.as_str().into());
        }
        say(&one.what, &mut data);
        let mut event = json!({
            "specversion": "1.0",
            "id": one.id.to_string(),
            "source": self.0,
            "type": kind(&one.what).unwrap_or_default(),
            "time": one.at.to_string(),
            "datacontenttype": "application/json",
            "data": data,
        });
        if let Some(subject) = subject {
            event["subject"] = subject.id.as_str().into();
        }
        event
    }
}

fn say(what: &What, to: &mut Map<String, Value>) {
    let members = match what {
        What::Fact {
            revision,
            origin,
            fact,
            erased,
        } => {
            to.insert("revision".into(), (*revision).into());
            to.insert("origin".into(), origin.as_str().into());
            if *erased {
                to.insert("erased".into(), true.into());
            }
            if let Some(branch) = fact.branch() {
                to.insert("branch".into(), branch.as_str().into());
            }
            if !fact.notices().is_empty() {
                to.insert(
                    "notices".into(),
                    fact.notices().iter().map(notice).collect(),
                );
            }
            members(fact)
        }
        What::Settled { settled, detail } => {
            let Settled { notice, tries, .. } = settled;
            json!({ "notice": notice, "tries": tries, "detail": detail })
        }
        What::Deployed { files } => {
            let files: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
            json!({ "files": files })
        }
        What::Erased { by } => json!({ "by": by.as_str() }),
        What::SetAside { why } => json!({ "why": why }),
        What::Released { by } => json!({ "by": by.as_str() }),
        _ => Value::Null,
    };
    if let Value::Object(members) = members {
        to.extend(members);
    }
}

/// What is particular to a fact.
fn members(fact: &Fact) -> Value {
    match fact {
        Fact::Opened {
            version,
            by,
            key,
            parent,
            ..
        } => json!({
            "version": version,
            "by": actor(by),
            "key": key.as_deref(),
            "parent": parent.as_ref().map(|parent| parent.ticket.as_str()),
        }),
        Fact::FieldsSet { by, values } => {
            let fields = values.iter();
            let fields = fields
                .map(|(name, held)| (name.to_string(), held.as_ref().map_or(Value::Null, value)));
            json!({ "by": actor(by), "fields": fields.collect::<Map<_, _>>() })
        }
        Fact::Acted {
            action, by, note, ..
        } => json!({ "action": action.as_str(), "by": actor(by), "note": note }),
        Fact::Entered {
            state,
            cause,
            clocks,
            holder,
            ..
        } => json!({
            "state": state.as_str(),
            "cause": because(cause),
            "answerable": answerable(holder),
            "clocks": clocks.iter().map(clock).collect::<Vec<_>>(),
        }),
        Fact::Hopped(hop) => hopped(hop),
        Fact::LevelReached {
            level: at,
            round,
            cause,
            clock,
            ..
        } => {
            json!({ "level": level(*at), "round": round, "cause": because(cause), "due": due(clock) })
        }
        Fact::LevelPassed { level: at, why, .. } => {
            json!({ "level": level(*at), "rule": why.rule.as_str() })
        }
        Fact::Reminded { clock, .. } => json!({ "due": clock.due.to_string() }),
        Fact::Notified { .. } | Fact::Delivery { .. } => Value::Null,
        Fact::Commented {
            by,
            text,
            to_caller,
            ..
        } => json!({ "by": actor(by), "text": text, "to-caller": to_caller }),
        Fact::Ticked { item, done, by, .. } => {
            json!({ "by": actor(by), "item": item.as_str(), "done": done })
        }
        Fact::Promise {
            promise,
            change,
            clocks,
            ..
        } => promised(promise, change, clocks),
        other => later(other),
    }
}

/// The rest of them.
fn later(fact: &Fact) -> Value {
    match fact {
        Fact::Suspended {
            by, reason, clock, ..
        } => json!({ "by": actor(by), "reason": reason, "until": clock.due.to_string() }),
        Fact::Resumed { cause, clock, .. } => json!({ "cause": because(cause), "due": due(clock) }),
        Fact::ClockMoved { new, by, how, .. } => {
            let reason = match how {
                ClockMove::Changed { reason } => Some(reason),
                ClockMove::AnswerBy | ClockMove::Held => None,
            };
            json!({ "by": actor(by), "clock": clock(new), "reason": reason })
        }
        Fact::RunStarted {
            webhook,
            attempt,
            body,
            clock,
            ..
        } => json!({
            "webhook": webhook.as_str(),
            "attempt": attempt,
            "fields": fields(body),
            "due": clock.due.to_string(),
        }),
        Fact::RunFailed {
            attempt,
            reason,
            clock,
            ..
        } => json!({ "attempt": attempt, "reason": reason, "due": due(clock) }),
        Fact::Called {
            workflow,
            fields: held,
            ..
        } => json!({ "child-workflow": workflow.as_str(), "fields": fields(held) }),
        Fact::BranchEnded { state, outcome, .. } => {
            json!({ "state": state.as_str(), "outcome": outcome.as_str() })
        }
        Fact::Ended {
            state,
            outcome,
            cause,
            ..
        } => {
            json!({ "state": state.as_str(), "outcome": outcome.as_str(), "cause": because(cause) })
        }
        Fact::Migrated {
            version,
            by,
            positions,
        } => {
            let positions = positions.iter();
            let positions: Vec<Value> = positions
                .map(|at| json!({ "branch": at.branch.as_str(), "state": at.state.as_str() }))
                .collect();
            json!({ "version": version, "by": actor(by), "positions": positions })
        }
        _ => Value::Null,
    }
}

fn hopped(hop: &Hop) -> Value {
    let candidates: Vec<&str> = match &hop.holder {
        Holder::Offer { candidates, .. } => candidates.iter().map(|one| one.as_str()).collect(),
        _ => Vec::new(),
    };
    json!({
        "from": hop.from.as_deref(),
        "answerable": answerable(&hop.holder),
        "candidates": candidates,
        "level": level(hop.level),
        "round": hop.round,
        "taken": hop.taken,
        "rule": hop.why.rule.as_str(),
        "cause": because(&hop.cause),
        "deputy-of": hop.deputy_of.as_deref(),
        "due": due(&hop.clock),
    })
}

fn promised(promise: &str, change: &PromiseChange, clocks: &[Clock]) -> Value {
    let mut said = match change {
        PromiseChange::Started { budget } | PromiseChange::Retargeted { budget } => {
            json!({ "budget-seconds": budget })
        }
        PromiseChange::Paused { consumed } | PromiseChange::Met { consumed } => {
            json!({ "consumed-seconds": consumed })
        }
        PromiseChange::Resumed => json!({}),
        PromiseChange::Warned { percent, late } => {
            json!({ "percent": percent, "late-seconds": late })
        }
        PromiseChange::Breached { late } => json!({ "late-seconds": late }),
    };
    said["promise"] = promise.into();
    said["clocks"] = clocks.iter().map(clock).collect();
    said
}

fn because(cause: &Cause) -> Value {
    match cause {
        Cause::Opened => json!({ "kind": "opened" }),
        Cause::Entered => json!({ "kind": "entered" }),
        Cause::Action { action, by } => {
            json!({ "kind": "action", "action": action.as_str(), "by": actor(by) })
        }
        Cause::Clock { late, .. } => json!({ "kind": "clock", "late-seconds": late }),
        Cause::Chosen { when } => json!({ "kind": "chosen", "when": when.as_str() }),
        Cause::Person {
            operation,
            by,
            reason,
        } => json!({
            "kind": "person",
            "operation": word(*operation),
            "by": actor(by),
            "reason": reason,
        }),
        Cause::Undeliverable => json!({ "kind": "undeliverable" }),
        Cause::Gone => json!({ "kind": "gone" }),
        Cause::Breach { promise } => json!({ "kind": "breach", "promise": promise.as_str() }),
        Cause::Joined => json!({ "kind": "joined" }),
        Cause::Activity => json!({ "kind": "activity" }),
        Cause::Migrated => json!({ "kind": "migrated" }),
    }
}

fn notice(notice: &Notice) -> Value {
    let kind = match &notice.to {
        Recipient::Person(_) => "person",
        Recipient::Contact(_) => "contact",
    };
    let topic = match &notice.topic {
        Topic::Assigned => "assigned",
        Topic::Offered => "offered",
        Topic::Informed => "informed",
        Topic::Reminded => "reminded",
        Topic::PromiseWarned { .. } => "promise-warned",
        Topic::PromiseBreached { .. } => "promise-breached",
        Topic::Outcome => "outcome",
        Topic::Commented => "commented",
    };
    json!({
        "notice": notice.id,
        "to": { "kind": kind, "name": notice.to.name().as_str() },
        "via": notice.via.as_str(),
        "topic": topic,
    })
}

fn clock(clock: &Clock) -> Value {
    let kind = match clock.kind {
        ClockKind::PromiseWarn { .. } => "promise-warn",
        ClockKind::PromiseBreach { .. } => "promise-breach",
        ClockKind::After { .. } => "after",
        ClockKind::RunTimeout => "call-timeout",
        ClockKind::RunRetry => "call-retry",
        ClockKind::Wake => "wake",
        ClockKind::Reach { .. } => "reach",
        ClockKind::Level { .. } => "level",
        ClockKind::Remind => "remind",
    };
    json!({ "clock": clock.id, "kind": kind, "due": clock.due.to_string() })
}

fn due(clock: &Option<Clock>) -> Option<String> {
    clock.as_ref().map(|clock| clock.due.to_string())
}

fn answerable(holder: &Holder) -> Option<&str> {
    holder.answerable().map(|person| person.as_str())
}

fn fields(held: &[(upline::core::Name, upline::core::Value)]) -> Map<String, Value> {
    let held = held.iter();
    held.map(|(name, held)| (name.to_string(), value(held)))
        .collect()
}
