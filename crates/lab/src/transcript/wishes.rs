//! What people say in a transcript, as wishes.

use jiff::tz::TimeZone;
use upline_core::ticket::NoticeId;
use upline_core::{ClockKind, Name, Wish};

use super::deed::{Answer, ClockWord, Target, Verb, When};
use super::moment::instant;
use super::player::Fault;
use crate::render::InVain;
use crate::world::{Log, World};

/// The wish; or why there is nothing to wish for.
pub(super) fn wish(
    world: &World<Log>,
    zone: &TimeZone,
    target: &Target,
    verb: &Verb,
) -> Result<Result<Wish, InVain>, Fault> {
    let time = |when: &When| instant(when, Some(world.now()), zone);
    Ok(Ok(match verb.clone() {
        Verb::Act {
            action,
            fields,
            note,
        } => Wish::Act {
            action,
            fields,
            note,
        },
        Verb::Message { message, fields } => Wish::Message { message, fields },
        Verb::Claim => Wish::Claim,
        Verb::Decline(reason) => Wish::Decline { reason },
        Verb::Release(reason) => Wish::Release { reason },
        Verb::Delegate(to, reason) => Wish::Delegate { to, reason },
        Verb::Reassign(to, reason) => Wish::Reassign { to, reason },
        Verb::Escalate(to, reason) => Wish::Escalate { to, reason },
        Verb::Suspend(until, reason) => Wish::Suspend {
            until: time(&until)?,
            reason,
        },
        Verb::Resume => Wish::Resume,
        Verb::Comment { text, to_caller } => Wish::Comment { text, to_caller },
        Verb::Save(fields) => Wish::Save { fields },
        Verb::Tick(item, done) => Wish::Tick { item, done },
        Verb::AnswerBy(at) => Wish::AnswerBy { at: time(&at)? },
        Verb::Move { clock, to, reason } => {
            let meant = |kind: &ClockKind| match clock {
                ClockWord::Level => matches!(kind, ClockKind::Level { .. } | ClockKind::Remind),
                ClockWord::After => matches!(kind, ClockKind::After { .. }),
                ClockWord::Wake => matches!(kind, ClockKind::Wake),
            };
            let ticket = world.ticket(&target.ticket);
            let clocks = ticket
                .map(|ticket| ticket.clocks.as_slice())
                .unwrap_or_default();
            let here = clocks.iter().filter(|clock| {
                let branch = target.branch.as_ref();
                branch.is_none_or(|branch| *branch == clock.branch) && meant(&clock.kind)
            });
            match here.min_by_key(|clock| clock.due) {
                Some(found) => Wish::ChangeClock {
                    clock: found.id,
                    due: time(&to)?,
                    reason,
                },
                None => return Ok(Err(InVain::NoClock)),
            }
        }
        Verb::Hold => Wish::Hold,
        Verb::Cancel(reason) => Wish::Cancel { reason },
    }))
}

/// The latest message to somebody by a channel.
pub(super) fn latest_notice(
    world: &World<Log>,
    target: &Target,
    via: &Name,
    to: &Name,
) -> Option<NoticeId> {
    let mut found = None;
    for event in world.observer().of(&target.ticket) {
        let notices = event.fact.notices().iter();
        let mine = notices.filter(|notice| notice.via == *via && notice.to.name() == to);
        found = mine.map(|notice| notice.id).next_back().or(found);
    }
    found
}

/// The answer to the call that is under way.
pub(super) fn run_answer(
    world: &World<Log>,
    target: &Target,
    answer: &Answer,
) -> (Target, Result<Wish, InVain>) {
    let ticket = world.ticket(&target.ticket);
    let running = ticket.and_then(|ticket| {
        let mut positions = ticket.positions.iter();
        positions.find(|(branch, position)| {
            let here = target
                .branch
                .as_ref()
                .is_none_or(|target| target == *branch);
            here && position.attempt > 0
        })
    });
    let Some((branch, position)) = running else {
        return (target.clone(), Err(InVain::NoMachine));
    };
    let wish = match answer.clone() {
        Answer::Done(answer) => Wish::RunDone {
            visit: position.visit,
            answer,
        },
        Answer::Failed { reason, retry } => Wish::RunFailed {
            visit: position.visit,
            attempt: position.attempt,
            reason,
            retry,
        },
    };
    let branch = Some(branch.clone());
    (
        Target {
            branch,
            ..target.clone()
        },
        Ok(wish),
    )
}
