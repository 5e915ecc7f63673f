//! What a clock will do, in the author's phrase.

use jiff::Timestamp;
use upline_core::{Clock, ClockKind, Directory, Hop, Name, Position, Workflow, ticket};

/// What happens when a clock is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Somebody else is asked: the rule.
    Ask(Name),
    /// People are told: the rules.
    Tell(Vec<Name>),
    /// A level of the ladder, where the workflow is not known.
    Level(u16),
    /// Whom the state asks is asked anew, in this round.
    Round(u32),
    /// The last resort is answerable.
    LastResort,
    /// The last resort is reminded.
    Remind,
    /// The state is left for this one.
    State(Name),
    /// The state is left.
    Leave,
    /// A call to a machine is given up.
    GiveUp,
    /// A machine is called again.
    Retry,
    /// A suspended ladder goes on.
    Wake,
    /// The person's next channel is used.
    Reach {
        /// Who.
        person: Name,
        /// Not when the person has acted by then.
        unless_acted: bool,
    },
    /// A promise gives a warning.
    Warn(Name, u8),
    /// A promise is broken.
    Breach(Name),
}

impl Next {
    /// Whether somebody else has it then, or the state is left. Reminders, promises, calls to machines and a
    /// person's next channel change nothing of that.
    pub fn moves(&self) -> bool {
        match self {
            Self::Ask(_)
            | Self::Level(_)
            | Self::Round(_)
            | Self::LastResort
            | Self::State(_)
            | Self::Leave => true,
            Self::Tell(_)
            | Self::Remind
            | Self::GiveUp
            | Self::Retry
            | Self::Wake
            | Self::Reach { .. }
            | Self::Warn(..)
            | Self::Breach(_) => false,
        }
    }

    /// What the clock will do; `position` is the one that it belongs to.
    pub fn of(clock: &Clock, position: Option<&Position>, workflow: Option<&Workflow>) -> Self {
        let state = position.map(|position| &position.state);
        let ladder = position.and_then(|position| position.ladder.as_ref());
        match &clock.kind {
            ClockKind::PromiseWarn { promise, percent } => Self::Warn(promise.clone(), *percent),
            ClockKind::PromiseBreach { promise } => Self::Breach(promise.clone()),
            ClockKind::After { index } => {
                let work = workflow.and_then(|workflow| workflow.work(state?));
                let after = work.and_then(|work| work.after.get(usize::from(*index)));
                after.map_or(Self::Leave, |after| Self::State(after.goto.clone()))
            }
            ClockKind::RunTimeout => Self::GiveUp,
            ClockKind::RunRetry => Self::Retry,
            ClockKind::Wake => Self::Wake,
            ClockKind::Reach {
                person,
                unless_acted,
                ..
            } => Self::Reach {
                person: person.clone(),
                unless_acted: *unless_acted,
            },
            ClockKind::Remind => Self::Remind,
            ClockKind::Level { next, round } => match next {
                ticket::Level::LastResort => Self::LastResort,
                ticket::Level::Entry => Self::Round(*round),
                ticket::Level::Number(number) => {
                    let found = workflow.and_then(|workflow| level(workflow, ladder?, *number));
                    found.unwrap_or(Self::Level(*number))
                }
            },
        }
    }
}

/// What the clocks of a person's later rules will do that a hop at `at` has armed, and when. With the
/// directory those are left out that lead to nothing by his quiet hours.
pub(super) fn later(
    hop: &Hop,
    directory: Option<&Directory>,
    at: Timestamp,
) -> Vec<(Next, Timestamp)> {
    let person = hop.holder.answerable();
    let known = directory.and_then(|directory| directory.people.get(person?));
    let later = known.map(|known| known.later(&hop.reach, at));
    let clocks = hop.reach.iter().filter_map(|clock| {
        let mut next = Next::of(clock, None, None);
        if let Some(later) = &later {
            let rule = later.iter().find(|rule| rule.clock == clock.id)?;
            if let Next::Reach { unless_acted, .. } = &mut next {
                *unless_acted = rule.unless_acted;
            }
        }
        Some((next, clock.due))
    });
    clocks.collect()
}

fn level(workflow: &Workflow, ladder: &Name, number: u16) -> Option<Next> {
    let ladder = workflow.ladders.get(ladder)?;
    let level = ladder.levels.get(usize::from(number).checked_sub(1)?)?;
    Some(match &level.assign {
        Some(assign) => Next::Ask(assign.text.clone()),
        None => {
            let told = level.notify.iter();
            Next::Tell(told.map(|who| Name::new(who.to_string())).collect())
        }
    })
}
