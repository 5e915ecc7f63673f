//! Why a ticket is where it is: who is answerable, since when, by which rule, who else was looked at and why
//! not, and what each clock has counted.

mod moves;
mod text;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use upline_core::calendar::Why;
use upline_core::ticket::{PromiseState, Suspension};
use upline_core::{
    Branch, Calendar, Clock, ClockId, ClockKind, Directory, Event, Fact, Holder, Later, Name,
    Place, Position, Ticket, Workflow,
};

use crate::render::{Language, Next, next_words};
use crate::timeline::{NotAsked, Rung};

pub use moves::{moves, moves_to};

/// Most stretches of a ledger that an explanation has: a clock that runs for a year has many nights.
pub const MAX_STRETCHES: usize = 64;

/// Why a ticket is where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// The ticket.
    pub ticket: Name,
    /// Its workflow.
    pub workflow: Name,
    /// The version that it keeps.
    pub version: u32,
    /// When this was asked.
    pub now: Timestamp,
    /// How it ended, if it did.
    pub outcome: Option<Name>,
    /// When it ended, if it did.
    pub ended: Option<Timestamp>,
    /// Why no engine moves it, if it is set aside: nothing comes next until an operator has looked. What
    /// [`explain`] leaves open, since the ticket itself does not know.
    pub set_aside: Option<String>,
    /// Each position that somebody has.
    pub positions: Vec<Standing>,
    /// The promises.
    pub promises: Vec<PromiseStanding>,
}

/// Who has a position, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Standing {
    /// The branch; empty for the ticket itself.
    pub branch: Branch,
    /// The state.
    pub state: Name,
    /// Since when.
    pub entered: Timestamp,
    /// Whose name is on it.
    pub answerable: Name,
    /// Who may claim it, if it is offered.
    pub candidates: Vec<Name>,
    /// Since when that person has it.
    pub since: Timestamp,
    /// Whether it was taken, rather than asked.
    pub taken: bool,
    /// The rule, in the author's words.
    pub rule: Name,
    /// Where the rule stands.
    pub place: Place,
    /// Where on the ladder.
    pub rung: Rung,
    /// The ladder.
    pub ladder: Option<Name>,
    /// The round, from 1.
    pub round: u32,
    /// Who has had it in this round.
    pub had: Vec<Name>,
    /// Who was looked at when that person was asked, and why not.
    pub not_asked: Vec<NotAsked>,
    /// Until when the ladder stands still.
    pub suspended: Option<Timestamp>,
    /// When somebody else has it, or the state is left, if nobody acts; see [`moves`].
    pub moves: Option<Timestamp>,
    /// The clocks that run, the next one first.
    pub clocks: Vec<Running>,
}

/// A clock that runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Running {
    /// What it will do; for programs, in English.
    #[serde(serialize_with = "in_english")]
    pub next: Next,
    /// Whether somebody else has it then, or the state is left; else people are told, or a promise is broken.
    pub moves: bool,
    /// By which channel, if a person is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Name>,
    /// When.
    pub due: Timestamp,
    /// Whether that is over: no engine has run since, and the first one that does fires it.
    pub overdue: bool,
    /// Since when it runs.
    pub armed: Timestamp,
    /// The span that the author gave, if he gave one.
    pub span: Option<String>,
    /// The calendar in which it counts; `None` is around the clock.
    pub calendar: Option<Name>,
    /// What it counts until it is due; at most [`MAX_STRETCHES`].
    pub ledger: Vec<Stretch>,
}

/// A stretch of time that a clock counts, or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Stretch {
    /// Its first instant.
    pub from: Timestamp,
    /// The first instant after it.
    pub to: Timestamp,
    /// Whether it counts.
    pub counted: bool,
    /// Why, or why not: `open`, `outside hours`, `day off`, `holiday: …`.
    pub why: String,
    /// The same for a reader's language.
    #[serde(skip)]
    pub reason: Why,
}

/// How a promise stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PromiseStanding {
    /// Which.
    pub promise: Name,
    /// How it stands.
    pub state: PromiseState,
    /// Its budget, in seconds of its calendar.
    pub budget: i64,
    /// What was used up when it began to run last, in seconds of its calendar.
    pub consumed: i64,
    /// Since when it runs.
    pub running: Option<Timestamp>,
    /// When it is due.
    pub due: Option<Timestamp>,
    /// When it was broken.
    pub breached: Option<Timestamp>,
}

/// Explains a ticket as it stands at `now`. `journal` is its events, as far as they are at hand: of those
/// that are missing the reasons are missing.
pub fn explain<'a>(
    ticket: &Ticket,
    journal: impl IntoIterator<Item = &'a Event>,
    workflow: &Workflow,
    directory: &Directory,
    now: Timestamp,
) -> Explanation {
    let mut hops = Vec::new();
    for event in journal {
        match &event.fact {
            Fact::Hopped(hop) => hops.push(hop),
            Fact::Entered { branch, .. } => hops.retain(|hop| hop.branch != *branch),
            _ => (),
        }
    }
    let positions = ticket.positions.iter().filter_map(|(branch, position)| {
        let hop = hops.iter().rev();
        let hop = hop
            .into_iter()
            .find(|hop| hop.branch == *branch && hop.epoch == position.epoch);
        let left_out = hop.map(|hop| hop.left_out.iter().map(NotAsked::from).collect());
        let clocks = ticket.clocks.iter().filter(|clock| clock.branch == *branch);
        let clocks = clocks.filter(|clock| !is_promise(&clock.kind));
        let reached = reached(clocks.clone(), directory, now);
        let running = |clock: &Clock| {
            let by = reached.get(&clock.id);
            // What leads to nothing is not told: the rule is not for that time, or has been used before it.
            let told = by.is_some() || !is_reach(&clock.kind);
            told.then(|| running(clock, by, position, workflow, directory, now))
        };
        let mut standing = standing(branch, position, clocks.filter_map(running).collect())?;
        standing.not_asked = left_out.unwrap_or_default();
        standing.moves = moves(ticket, branch, Some(workflow), Some(directory));
        Some(standing)
    });
    let promises = ticket.promises.iter().map(|(name, ledger)| {
        let breach = ticket.clocks.iter().find(
            |clock| matches!(&clock.kind, ClockKind::PromiseBreach { promise } if promise == name),
        );
        PromiseStanding {
            promise: name.clone(),
            state: ledger.state,
            budget: ledger.budget,
            consumed: ledger.consumed,
            running: ledger.running,
            due: breach.map(|clock| clock.due),
            breached: ledger.breached,
        }
    });
    Explanation {
        ticket: ticket.id.clone(),
        workflow: ticket.workflow.clone(),
        version: ticket.version,
        now,
        outcome: ticket.ended.as_ref().map(|ended| ended.outcome.clone()),
        ended: ticket.ended.as_ref().map(|ended| ended.at),
        set_aside: None,
        positions: positions.collect(),
        promises: promises.collect(),
    }
}

fn in_english<S: Serializer>(next: &Next, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&next_words(next, Language::English))
}

fn is_promise(kind: &ClockKind) -> bool {
    matches!(
        kind,
        ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. }
    )
}

/// `None` for a position that nobody has: its branches have it, or it has ended.
fn standing(branch: &Branch, position: &Position, mut clocks: Vec<Running>) -> Option<Standing> {
    clocks.sort_by_key(|clock| clock.due);
    let candidates = match &position.holder {
        Holder::Offer { candidates, .. } => candidates.clone(),
        _ => Vec::new(),
    };
    let suspended = position.suspended.as_ref();
    Some(Standing {
        branch: branch.clone(),
        state: position.state.clone(),
        entered: position.entered,
        answerable: position.holder.answerable()?.clone(),
        candidates,
        since: position.since,
        taken: position.taken,
        rule: position.why.rule.clone(),
        place: position.why.place.clone(),
        rung: position.level.into(),
        ladder: position.ladder.clone(),
        round: position.round,
        had: position.had.clone(),
        not_asked: Vec::new(),
        suspended: suspended.map(|Suspension { until, .. }| *until),
        moves: None,
        clocks,
    })
}

fn is_reach(kind: &ClockKind) -> bool {
    matches!(kind, ClockKind::Reach { .. })
}

fn running(
    clock: &Clock,
    by: Option<&Later<'_>>,
    position: &Position,
    workflow: &Workflow,
    directory: &Directory,
    now: Timestamp,
) -> Running {
    // Times that machines and people's own rules are given are physical.
    let physical = matches!(
        clock.kind,
        ClockKind::RunTimeout | ClockKind::RunRetry | ClockKind::Wake
    ) || is_reach(&clock.kind);
    let around = physical || clock.span.is_some_and(|span| span.around_the_clock);
    let name = workflow.calendar.as_ref().filter(|_| !around);
    let calendar = name.and_then(|name| directory.calendars.get(name));
    let mut next = Next::of(clock, Some(position), Some(workflow));
    if let (Next::Reach { unless_acted, .. }, Some(by)) = (&mut next, by) {
        *unless_acted = by.unless_acted;
    }
    Running {
        by: by.map(|by| by.channel.via.clone()),
        moves: next.moves(),
        next,
        due: clock.due,
        overdue: clock.due < now,
        armed: clock.armed,
        span: clock.span.map(|span| span.to_string()),
        calendar: calendar.and(name).cloned(),
        ledger: ledger(calendar, clock.armed, clock.due),
    }
}

/// By what the person's own rules have him told next, for each of their clocks.
fn reached<'d, 'c>(
    clocks: impl Iterator<Item = &'c Clock> + Clone,
    directory: &'d Directory,
    now: Timestamp,
) -> BTreeMap<ClockId, Later<'d>> {
    let people = clocks.clone().filter_map(|clock| match &clock.kind {
        ClockKind::Reach { person, .. } => directory.people.get(person),
        _ => None,
    });
    let later = people.flat_map(|person| person.later(clocks.clone(), now));
    later.map(|later| (later.clock, later)).collect()
}

/// What counts between two instants; neighbouring days off are one stretch each, as the calendar tells them.
fn ledger(calendar: Option<&Calendar>, from: Timestamp, to: Timestamp) -> Vec<Stretch> {
    let Some(calendar) = calendar else {
        let reason = Why::Open;
        return vec![Stretch {
            from,
            to,
            counted: true,
            why: reason.to_string(),
            reason,
        }];
    };
    let stretches = calendar.ledger(from, to).take(MAX_STRETCHES);
    let stretches = stretches.map(|stretch| Stretch {
        from: stretch.from,
        to: stretch.to,
        counted: stretch.counted,
        why: stretch.why.to_string(),
        reason: stretch.why,
    });
    stretches.collect()
}
