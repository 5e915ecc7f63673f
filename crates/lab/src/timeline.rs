//! [`Timeline`]: what happens to a ticket and when, for programs (JSON) and for people (lines).

use jiff::Timestamp;
use serde::Serialize;
use upline_core::ticket::Level;
use upline_core::{
    Branch, Cause, Clock, Fact, Holder, LeftOut, Name, Notice, Place, PromiseChange, Reason,
    StandIn, Ticket,
};

use crate::chronicle::{Chronicle, Reminders};
use crate::render::rejected;
use crate::world::{Entry, Log, World};

/// What happens to a ticket between two instants, in order.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Timeline {
    /// The ticket.
    pub ticket: Name,
    /// Where it begins.
    pub from: Timestamp,
    /// How far it looks.
    pub to: Timestamp,
    /// Who is answerable at the end, by branch; empty if the ticket has ended.
    pub answerable: Vec<(Branch, Name)>,
    /// How it ended, if it did.
    pub outcome: Option<Name>,
    /// When the last resort became answerable, if it did.
    pub last_resort: Option<Timestamp>,
    /// Whether more would have followed: the horizon or the limit on steps cut it off.
    pub more: bool,
    /// What happens.
    pub steps: Vec<Step>,
    /// The same as lines for people, as transcripts show it.
    pub lines: Vec<Line>,
}

/// A line for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it happens.
    pub at: Timestamp,
    /// The line, with its time.
    pub text: String,
}

/// One thing that happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Step {
    /// When.
    pub at: Timestamp,
    /// To which ticket: the one in question, or one that it waits for.
    pub ticket: Name,
    /// In which branch; empty for the ticket itself.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub branch: Branch,
    /// What.
    #[serde(flatten)]
    pub what: What,
    /// Who is told of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// To whom.
    pub to: Name,
    /// By which channel.
    pub via: Name,
}

/// Where on the ladder somebody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rung {
    /// The state itself asks.
    Entry,
    /// This level, from 1.
    Level(u16),
    /// After all levels.
    LastResort,
}

impl From<Level> for Rung {
    fn from(level: Level) -> Self {
        match level {
            Level::Entry => Self::Entry,
            Level::Number(number) => Self::Level(number),
            Level::LastResort => Self::LastResort,
        }
    }
}

/// Somebody who is not asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotAsked {
    /// Who; empty if the rule means nobody at all.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub who: Name,
    /// Why not, in English with times in UTC.
    pub reason: String,
    /// Why not.
    #[serde(skip)]
    pub why: Reason,
}

impl From<&LeftOut> for NotAsked {
    fn from(left: &LeftOut) -> Self {
        Self {
            who: left.who.clone(),
            reason: left.reason.to_string(),
            why: left.reason.clone(),
        }
    }
}

/// What happens.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(
    tag = "what",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case"
)]
pub enum What {
    /// A state is entered.
    State {
        /// Which.
        state: Name,
        /// Whether a clock led there, and nobody.
        by_silence: bool,
    },
    /// Somebody is asked, and has it from then on.
    Asked {
        /// Whose name is on it.
        who: Name,
        /// Who may claim it, if it is offered.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        candidates: Vec<Name>,
        /// For whom he stands in.
        #[serde(skip_serializing_if = "Option::is_none")]
        deputy_of: Option<Name>,
        /// Candidates who stand in for others.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        stand_ins: Vec<StandIn>,
        /// Where on the ladder.
        rung: Rung,
        /// The ladder.
        ladder: Option<Name>,
        /// The round, from 1.
        round: u32,
        /// The rule, in the author's words.
        rule: Name,
        /// Where the rule stands.
        place: Place,
        /// Until when, if nobody acts.
        until: Option<Timestamp>,
        /// Seconds between the due time and now.
        late: i64,
        /// Each who was looked at, and why not.
        not_asked: Vec<NotAsked>,
    },
    /// A level is reached that changes nobody.
    Level {
        /// Which.
        rung: Rung,
        /// Of which ladder.
        ladder: Name,
        /// When the next one is due.
        until: Option<Timestamp>,
    },
    /// A level has nobody and is passed at once.
    Passed {
        /// Which.
        rung: Rung,
        /// The rule.
        rule: Name,
        /// Where the rule stands.
        place: Place,
        /// Each who was looked at, and why not.
        not_asked: Vec<NotAsked>,
    },
    /// The last resort is reminded.
    Reminded {
        /// When again.
        until: Timestamp,
    },
    /// A promise changes.
    Promise {
        /// Which.
        promise: Name,
        /// How.
        change: PromiseChange,
    },
    /// The ticket ends.
    Ended {
        /// The end state; empty if it was cancelled.
        state: Name,
        /// The outcome.
        outcome: Name,
    },
    /// Anything else that people do or machines report: the lines tell it.
    Other,
}

/// What an event is for a timeline.
fn what(fact: &Fact) -> What {
    let until = |clock: &Option<Clock>| clock.as_ref().map(|clock| clock.due);
    match fact {
        Fact::Entered { state, cause, .. } => What::State {
            state: state.clone(),
            by_silence: matches!(cause, Cause::Clock { .. }),
        },
        Fact::Hopped(hop) => What::Asked {
            who: hop.holder.answerable().cloned().unwrap_or_default(),
            candidates: match &hop.holder {
                Holder::Offer { candidates, .. } => candidates.clone(),
                _ => Vec::new(),
            },
            deputy_of: hop.deputy_of.clone(),
            stand_ins: hop.stand_ins.clone(),
            rung: hop.level.into(),
            ladder: hop.ladder.clone(),
            round: hop.round,
            rule: hop.why.rule.clone(),
            place: hop.why.place.clone(),
            until: until(&hop.clock),
            late: match hop.cause {
                Cause::Clock { late, .. } => late,
                _ => 0,
            },
            not_asked: hop.left_out.iter().map(NotAsked::from).collect(),
        },
        Fact::LevelReached {
            level,
            ladder,
            clock,
            ..
        } => What::Level {
            rung: (*level).into(),
            ladder: ladder.clone(),
            until: until(clock),
        },
        Fact::LevelPassed {
            level,
            why,
            left_out,
            ..
        } => What::Passed {
            rung: (*level).into(),
            rule: why.rule.clone(),
            place: why.place.clone(),
            not_asked: left_out.iter().map(NotAsked::from).collect(),
        },
        Fact::Reminded { clock, .. } => What::Reminded { until: clock.due },
        Fact::Promise {
            promise, change, ..
        } => What::Promise {
            promise: promise.clone(),
            change: change.clone(),
        },
        Fact::Ended { state, outcome, .. } => What::Ended {
            state: state.clone(),
            outcome: outcome.clone(),
        },
        _ => What::Other,
    }
}

fn told(notices: &[Notice]) -> Vec<Told> {
    let told = notices.iter().map(|notice| Told {
        to: notice.to.name().clone(),
        via: notice.via.clone(),
    });
    told.collect()
}

/// The timeline of the chronicle's first ticket in a world's log, from its first entry on.
pub(crate) fn timeline(
    world: &World<Log>,
    from: Timestamp,
    more: bool,
    rejections: &[(Timestamp, String)],
    mut chronicle: Chronicle,
) -> Timeline {
    let entries = &world.observer().entries;
    let shown = Reminders::shown(entries);
    chronicle.times.know(from);
    let kept = entries.iter().zip(&shown).filter(|(_, shown)| **shown);
    let steps: Vec<Step> = kept.map(|(entry, _)| step(entry)).collect();
    let all = entries.iter().zip(shown.iter().copied());
    let mut lines = chronicle.lines(world, all);
    for (at, text) in rejections {
        let text = rejected(text, chronicle.language);
        let text = format!("{}  {text}", chronicle.times.stamp(*at));
        let place = lines.partition_point(|line| line.at <= *at);
        lines.insert(place, Line { at: *at, text });
    }
    let ticket = &chronicle.first;
    let after = world.ticket(ticket);
    let last_resort = steps.iter().find(|step: &&Step| {
        let asked = |what: &What| {
            matches!(
                what,
                What::Asked {
                    rung: Rung::LastResort,
                    ..
                } | What::Level {
                    rung: Rung::LastResort,
                    ..
                }
            )
        };
        step.ticket == *ticket && asked(&step.what)
    });
    Timeline {
        ticket: ticket.clone(),
        from,
        to: world.now(),
        answerable: after.map(answerable).unwrap_or_default(),
        outcome: after.and_then(|after| Some(after.ended.as_ref()?.outcome.clone())),
        last_resort: last_resort.map(|step| step.at),
        more,
        steps,
        lines,
    }
}

fn answerable(ticket: &Ticket) -> Vec<(Branch, Name)> {
    let names = ticket.answerable();
    names
        .map(|(branch, name)| (branch.clone(), name.clone()))
        .collect()
}

fn step(entry: &Entry) -> Step {
    let fact = &entry.event.fact;
    Step {
        at: entry.event.at,
        ticket: entry.ticket.clone(),
        branch: fact.branch().cloned().unwrap_or_default(),
        what: what(fact),
        told: told(fact.notices()),
    }
}
