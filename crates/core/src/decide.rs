//! `decide`: what a command means for a ticket, now.

mod act;
mod ascent;
mod due;
mod enter;
mod fields;
mod gone;
mod hand;
mod ladder;
mod machine;
mod migrate;
mod notice;
mod open;
mod pause;
mod possible;
mod promise;
mod resolve;
mod roles;

use std::borrow::Cow;
use std::ops::Deref;

use jiff::Timestamp;

use crate::ticket::{Branch, Clock, ClockId, ClockKind, Position};
use crate::workflow::StateKind;
use crate::{
    Calendar, Command, Directory, Event, Fact, Hop, Name, Rejection, Span, Ticket, Wish, Work,
    Workflow, Workload, evolve,
};

pub use fields::MAX_NOTE_BYTES;
pub use ladder::{LAST_RESORT, REMIND_SECONDS, STAND_IN};
pub use machine::{DONE, FAILED, MAX_BACKOFF_SECONDS};
pub use migrate::{MigratedClocks, Migration, migrate};
pub use notice::CONTACT_CHANNEL;
pub use open::MAX_ID_BYTES;
pub use pause::HOLD_SECONDS;
pub use possible::{Possible, concerns, possible};
pub use roles::{role, situation};

/// Everything a decision may look at besides the ticket and the command.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The time of the decision: stamped once, by the writer.
    pub now: Timestamp,
    /// The version of the workflow that the ticket keeps.
    pub workflow: &'a Workflow,
    /// The directory as it is now.
    pub directory: &'a Directory,
    /// Who holds how many.
    pub workload: &'a Workload,
}

/// What `command` means for `ticket` at `ctx.now`. Pure: same arguments, same events.
///
/// A clock that is no longer armed, a delivery of something that is over, and a machine's answer to a visit
/// that is past yield no events: coming twice, late or after a crash does no harm.
///
/// # Errors
/// A [`Rejection`] says why the wish is not possible; nothing has changed.
pub fn decide(
    ctx: &Context<'_>,
    ticket: &Ticket,
    command: &Command,
) -> Result<Vec<Event>, Rejection> {
    let mut draft = Draft::new(*ctx, ticket);
    if let Wish::Open {
        ticket: id,
        key,
        parent,
        fields,
    } = &command.wish
    {
        open::open(
            &mut draft,
            id,
            key.as_ref(),
            parent.as_ref(),
            fields,
            &command.by,
        )?;
        return Ok(draft.events);
    }
    if ticket.id.is_empty() {
        return Err(Rejection::NotOpen);
    }
    // What machines report of a ticket that is over is late, not wrong.
    if ticket.ended.is_some() {
        return if command.wish.is_report() {
            Ok(Vec::new())
        } else {
            Err(Rejection::HasEnded)
        };
    }
    let by = &command.by;
    let branch = command.branch.as_ref();
    match &command.wish {
        Wish::Open { .. } => (),
        Wish::Due { clock } => due::due(&mut draft, *clock)?,
        Wish::RunDone { visit, answer } => machine::run_done(&mut draft, *visit, answer)?,
        Wish::RunFailed {
            visit,
            attempt,
            reason,
            retry,
        } => {
            machine::run_failed(&mut draft, *visit, *attempt, reason, *retry)?;
        }
        Wish::ChildEnded {
            visit,
            outcome,
            fields,
        } => machine::child_ended(&mut draft, *visit, outcome, fields)?,
        Wish::Delivered { notice } => notice::delivered(&mut draft, *notice),
        Wish::Undeliverable { notice, reason } => {
            notice::undeliverable(&mut draft, *notice, reason)?
        }
        Wish::Recheck => gone::recheck(&mut draft)?,
        Wish::Message { message, fields } => act::message(&mut draft, branch, by, message, fields)?,
        Wish::Act {
            action,
            fields,
            note,
        } => act::act(&mut draft, branch, by, action, fields, note.as_deref())?,
        Wish::Claim => hand::claim(&mut draft, branch, by)?,
        Wish::Decline { reason } => hand::decline(&mut draft, branch, by, reason.as_deref())?,
        Wish::Release { reason } => hand::release(&mut draft, branch, by, reason.as_deref())?,
        Wish::Delegate { to, reason } => {
            hand::delegate(&mut draft, branch, by, to, reason.as_deref())?
        }
        Wish::Reassign { to, reason } => {
            hand::reassign(&mut draft, branch, by, to, reason.as_deref())?
        }
        Wish::Escalate { to, reason } => {
            hand::escalate(&mut draft, branch, by, *to, reason.as_deref())?
        }
        Wish::Cancel { reason } => hand::cancel(&mut draft, branch, by, reason)?,
        Wish::Suspend { until, reason } => {
            pause::suspend(&mut draft, branch, by, *until, reason.as_deref())?
        }
        Wish::Resume => pause::resume(&mut draft, branch, by)?,
        Wish::AnswerBy { at } => pause::answer_by(&mut draft, branch, by, *at)?,
        Wish::ChangeClock { clock, due, reason } => {
            pause::change_clock(&mut draft, by, *clock, *due, reason)?
        }
        Wish::Hold => pause::hold(&mut draft, branch, by)?,
        Wish::Comment { text, to_caller } => {
            fields::comment(&mut draft, branch, by, text, *to_caller)?
        }
        Wish::Save { fields } => fields::save(&mut draft, branch, by, fields)?,
        Wish::Tick { item, done } => fields::tick(&mut draft, branch, by, item, *done)?,
    }
    Ok(draft.events)
}

/// The events of one decision, and the ticket as they leave it.
///
/// The ticket is copied only when a decision looks at it again after an event: a hop, the commonest decision
/// of all, is one event and copies nothing.
struct Draft<'a> {
    ctx: Context<'a>,
    ticket: Cow<'a, Ticket>,
    /// The ticket as it was.
    before: &'a Ticket,
    events: Vec<Event>,
    /// How many of `events` are in `ticket`.
    applied: usize,
    last_clock: ClockId,
    last_notice: u32,
    last_epoch: u32,
    /// From when new clocks run: now, or the due time of a late clock if the workflow catches up by due
    /// times.
    base: Timestamp,
    /// Automatic steps taken.
    steps: usize,
}

/// A position to keep while events are written.
enum AsItWas<'a> {
    /// As the decision found it.
    Found(&'a Position),
    /// As earlier events of the decision left it.
    Left(Box<Position>),
}

impl Deref for AsItWas<'_> {
    type Target = Position;

    fn deref(&self) -> &Position {
        match self {
            Self::Found(position) => position,
            Self::Left(position) => position,
        }
    }
}

impl<'a> Draft<'a> {
    fn new(ctx: Context<'a>, ticket: &'a Ticket) -> Self {
        Self {
            ctx,
            ticket: Cow::Borrowed(ticket),
            before: ticket,
            events: Vec::new(),
            applied: 0,
            last_clock: ticket.last_clock,
            last_notice: ticket.last_notice,
            last_epoch: ticket.last_epoch,
            base: ctx.now,
            steps: 0,
        }
    }

    fn push_hop(&mut self, hop: Box<Hop>) {
        let hop = Event {
            at: self.ctx.now,
            fact: Fact::Hopped(hop),
        };
        // The commonest decision of all is one hop.
        match self.events.is_empty() {
            true => self.events = vec![hop],
            false => self.events.push(hop),
        }
    }

    fn push(&mut self, fact: Fact) {
        self.events.push(Event {
            at: self.ctx.now,
            fact,
        });
    }

    /// The ticket with all events so far.
    fn ticket(&mut self) -> &Ticket {
        // That a level was passed changes nothing that a decision looks at.
        let passes = |event: &Event| matches!(event.fact, Fact::LevelPassed { .. });
        if !self.events[self.applied..].iter().all(passes) {
            let ticket = self.ticket.to_mut();
            for event in &self.events[self.applied..] {
                evolve(ticket, event);
            }
            self.applied = self.events.len();
            // Entering a state raises the epoch by itself.
            self.last_epoch = self.last_epoch.max(self.ticket.last_epoch);
        }
        &self.ticket
    }

    /// The position, which the caller knows to be there.
    fn position(&mut self, branch: &Branch) -> Option<&Position> {
        self.ticket().positions.get(branch)
    }

    /// The position to keep while events are written: borrowed as long as there are none.
    fn position_as_it_is(&mut self, branch: &Branch) -> Option<AsItWas<'a>> {
        match self.ticket {
            Cow::Borrowed(ticket) if self.events.is_empty() => {
                ticket.positions.get(branch).map(AsItWas::Found)
            }
            _ => {
                let position = self.position(branch)?.clone();
                Some(AsItWas::Left(Box::new(position)))
            }
        }
    }

    /// The working state of a position.
    fn work(&mut self, branch: &Branch) -> Option<&'a Work> {
        let workflow = self.ctx.workflow;
        self.position(branch)
            .and_then(|position| workflow.work(&position.state))
    }

    /// The position that a command means, and what the workflow says of its state.
    fn meant(&mut self, branch: Option<&Branch>) -> Result<(Branch, &'a Work), Rejection> {
        let workflow = self.ctx.workflow;
        let ticket = self.ticket();
        let branch = match branch {
            Some(branch) => branch.clone(),
            None => {
                let open = ticket
                    .positions
                    .iter()
                    .filter(|(_, position)| position.holder.answerable().is_some());
                let open: Vec<_> = open.map(|(branch, _)| branch.clone()).collect();
                match <[Branch; 1]>::try_from(open) {
                    Ok([branch]) => branch,
                    Err(branches) => return Err(Rejection::WhichBranch { branches }),
                }
            }
        };
        let Some(position) = ticket.positions.get(&branch) else {
            return Err(Rejection::NoSuchBranch { branch });
        };
        match workflow
            .states
            .get(&position.state)
            .map(|state| &state.kind)
        {
            Some(StateKind::Work(work)) => Ok((branch, work)),
            // A branch that has ended stands in its end state until the others are done.
            Some(_) => Err(Rejection::HasEnded),
            None => Err(Rejection::WrongWorkflow {
                state: position.state.clone(),
            }),
        }
    }

    /// The calendar of this name; without a name, or without such a calendar, around the clock.
    fn calendar(&self, name: Option<&Name>) -> Option<&'a Calendar> {
        self.ctx.directory.calendars.get(name?)
    }

    /// When `span` is over, counted from `from` in the workflow's calendar.
    fn due(&self, from: Timestamp, span: Span) -> Timestamp {
        due_in(
            self.calendar(self.ctx.workflow.calendar.as_ref()),
            from,
            span,
        )
    }

    fn clock(
        &mut self,
        branch: &Branch,
        kind: ClockKind,
        due: Timestamp,
        span: Option<Span>,
    ) -> Clock {
        self.last_clock += 1;
        Clock {
            id: self.last_clock,
            branch: branch.clone(),
            kind,
            due,
            armed: self.base,
            span,
        }
    }
}

/// When `span` is over in the calendar. A calendar that never opens again counts as always open: `check`
/// refuses it, but a directory can change under a ticket, and a ticket without a clock would be forgotten.
pub(crate) fn due_in(calendar: Option<&Calendar>, from: Timestamp, span: Span) -> Timestamp {
    let open = calendar
        .filter(|_| !span.around_the_clock)
        .and_then(|calendar| calendar.after(from, span));
    open.unwrap_or_else(|| {
        from.checked_add(jiff::SignedDuration::from_secs(
            span.around_the_clock().at_least_seconds(),
        ))
        .unwrap_or(Timestamp::MAX)
    })
}
