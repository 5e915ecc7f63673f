//! Who is told, by which channel, and what happens when no channel reaches him.

use crate::decide::{Draft, ladder};
use crate::event::{Cause, Fact, LeftOut, Notice, Reason, Recipient, Topic};
use crate::ticket::{Actor, Branch, Clock, ClockKind, Delivery, Holder, NoticeId, Position};
use crate::{Base, Name, Person, Rejection, Who};

/// The channel by which a contact outside the directory is told.
pub const CONTACT_CHANNEL: &str = "mail";

impl Draft<'_> {
    /// Messages to the person on the channels that are used at once.
    pub(super) fn tell(&mut self, notices: &mut Vec<Notice>, person: &Name, topic: &Topic) {
        let directory = self.ctx.directory;
        let already = |notice: &Notice| matches!(&notice.to, Recipient::Person(to) if to == person);
        // The same person twice on one level is one message.
        if notices.iter().any(already) {
            return;
        }
        let channels = directory
            .people
            .get(person)
            .map_or(&[][..], |person| &person.channels);
        // Somebody whose rules all begin later is told of side matters by the first of them, now.
        let assigned = matches!(topic, Topic::Assigned | Topic::Offered | Topic::Reminded);
        let at_once = channels.iter().filter(|channel| channel.after.is_none());
        let first = channels
            .first()
            .filter(|channel| !assigned && channel.after.is_some());
        for channel in at_once.chain(first) {
            self.last_notice += 1;
            notices.push(Notice {
                id: self.last_notice,
                to: Recipient::Person(person.clone()),
                via: channel.via.clone(),
                topic: topic.clone(),
            });
            if !assigned {
                break;
            }
        }
    }

    /// The clocks of the channels that a person who was asked has for later.
    pub(super) fn reach(&mut self, branch: &Branch, person: &Name) -> Vec<Clock> {
        let channels = self
            .ctx
            .directory
            .people
            .get(person)
            .map_or(&[][..], |person| &person.channels);
        let mut clocks = Vec::new();
        for (index, channel) in channels.iter().enumerate() {
            let (Some(after), Ok(number)) = (channel.after, u16::try_from(index)) else {
                continue;
            };
            let due = super::due_in(None, self.base, after);
            let kind = ClockKind::Reach {
                person: person.clone(),
                channel: number,
                unless_acted: channel.unless_acted,
            };
            clocks.push(self.clock(branch, kind, due, Some(after)));
        }
        clocks
    }

    /// Messages to everybody whom the phrases mean, besides those already told; `holder` is who has it now.
    pub(super) fn tell_all(
        &mut self,
        notices: &mut Vec<Notice>,
        position: &Position,
        holder: &Holder,
        phrases: &[Who],
        topic: &Topic,
    ) {
        for who in phrases {
            let mut phrase = Some(who);
            while let Some(who) = phrase {
                let before = notices.len();
                if let Base::Contact(field) = &who.base {
                    self.tell_contact(notices, field, topic);
                } else {
                    for person in self.meant_by(position, holder, who) {
                        self.tell(notices, &person, topic);
                    }
                }
                phrase = who.otherwise.as_deref().filter(|_| notices.len() == before);
            }
        }
    }

    fn tell_contact(&mut self, notices: &mut Vec<Notice>, field: &Name, topic: &Topic) {
        let to = Recipient::Contact(field.clone());
        let known = self.ticket().fields.contains_key(field);
        if known && !notices.iter().any(|notice| notice.to == to) {
            self.last_notice += 1;
            let via = Name::new(CONTACT_CHANNEL);
            notices.push(Notice {
                id: self.last_notice,
                to,
                via,
                topic: topic.clone(),
            });
        }
    }

    /// Whom a phrase of a `notify` means: a group means each of its members who is there.
    fn meant_by(&mut self, position: &Position, holder: &Holder, who: &Who) -> Vec<Name> {
        let ctx = self.ctx;
        let ticket = self.ticket();
        let group = |name: &Name| ctx.directory.groups.get(name);
        let people: Vec<Name> = match &who.base {
            Base::Assignee => match holder {
                Holder::Offer { candidates, .. } => candidates.clone(),
                holder => holder.answerable().cloned().into_iter().collect(),
            },
            Base::Opener => ticket.opener.person().cloned().into_iter().collect(),
            Base::User(person) => vec![person.clone()],
            Base::WhoDid(action) => ticket.did.get(action).cloned().into_iter().collect(),
            Base::Named(field) => ticket.named(field).map(Name::new).into_iter().collect(),
            Base::LeadOf(name) => group(name)
                .and_then(|group| group.lead.clone())
                .into_iter()
                .collect(),
            Base::ManagerOf(name) => group(name)
                .and_then(|group| group.manager.clone())
                .into_iter()
                .collect(),
            Base::OnCall(schedule) => {
                let schedule = ctx.directory.schedules.get(schedule);
                schedule
                    .map(|schedule| schedule.on_duty(ctx.now))
                    .unwrap_or_default()
            }
            Base::Contact(_) => Vec::new(),
            Base::AnyoneIn(name)
            | Base::LeastBusy(name)
            | Base::LongestIdle(name)
            | Base::NextIn(name)
            | Base::AnotherIn(name) => group(name)
                .map(|group| group.members.clone())
                .unwrap_or_default(),
        };
        let there = people
            .iter()
            .filter_map(|person| ctx.directory.stand_in(person, ctx.now));
        let fits = |person: &&Name| {
            let actor = Actor::Person((*person).clone());
            let excluded = |base| super::roles::base_means(&ctx, ticket, position, base, &actor);
            let known = ctx.directory.people.get(*person);
            let skilled =
                |known: &Person| who.skills.iter().all(|skill| known.skills.contains(skill));
            known.is_some_and(skilled) && !who.except.iter().any(excluded)
        };
        there.filter(fits).cloned().collect()
    }
}

/// A peer has accepted a message.
pub(super) fn delivered(draft: &mut Draft<'_>, notice: NoticeId) {
    if let Some((branch, via, Delivery::Queued)) = told(draft, notice) {
        let state = Delivery::Delivered;
        draft.push(Fact::Delivery {
            branch,
            notice,
            via,
            state,
            detail: None,
        });
    }
}

/// A peer has refused a message for good: the person's next channel at once, and when none is left, the next
/// person at once.
pub(super) fn undeliverable(
    draft: &mut Draft<'_>,
    notice: NoticeId,
    reason: &str,
) -> Result<(), Rejection> {
    let Some((branch, via, Delivery::Queued)) = told(draft, notice) else {
        return Ok(());
    };
    let detail = Some(super::fields::clip(reason));
    draft.push(Fact::Delivery {
        branch: branch.clone(),
        notice,
        via,
        state: Delivery::Failed,
        detail,
    });
    let Some(position) = draft.position(&branch) else {
        return Ok(());
    };
    let Some(holder) = position.holder.answerable().cloned() else {
        return Ok(());
    };
    let position = position.clone();
    // A lead is answerable, but the candidates were asked: one whom nothing reaches costs no time.
    let asked = matches!(position.holder, Holder::Assignee(_));
    let all_failed = position
        .told
        .iter()
        .filter(|told| told.to == holder)
        .all(|told| told.state == Delivery::Failed);
    if position.taken || !asked || !all_failed || position.level == crate::Level::LastResort {
        return Ok(());
    }
    if let Some(clock) = next_channel(draft, &branch, &holder) {
        return use_channel(draft, &clock);
    }
    let left_out = vec![LeftOut {
        who: holder.clone(),
        reason: Reason::Unreachable,
    }];
    ladder::pass_on(
        draft,
        &branch,
        &Cause::Undeliverable,
        Some(&holder),
        left_out,
    )
}

fn told(draft: &mut Draft<'_>, notice: NoticeId) -> Option<(Branch, Name, Delivery)> {
    let positions = draft.ticket().positions.iter();
    let mut told = positions
        .flat_map(|(branch, position)| position.told.iter().map(move |told| (branch, told)));
    let (branch, told) = told.find(|(_, told)| told.notice == notice)?;
    Some((branch.clone(), told.via.clone(), told.state))
}

fn next_channel(draft: &mut Draft<'_>, branch: &Branch, holder: &Name) -> Option<Clock> {
    let clocks = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| clock.branch == *branch);
    let of_holder = clocks
        .filter(|clock| matches!(&clock.kind, ClockKind::Reach { person, .. } if person == holder));
    of_holder.min_by_key(|clock| (clock.due, clock.id)).cloned()
}

/// Whether a later rule of the same person that is due too uses the same channel: of those that fell due
/// while nobody was there to fire them, the last is enough.
fn is_said_again(draft: &mut Draft<'_>, clock: &Clock, via: &Name) -> bool {
    let ctx = draft.ctx;
    let clocks = draft.ticket().clocks.iter();
    let mut later = clocks.filter(|other| (other.due, other.id) > (clock.due, clock.id));
    later.any(|other| match (&other.kind, &clock.kind) {
        (
            ClockKind::Reach {
                person, channel, ..
            },
            ClockKind::Reach { person: same, .. },
        ) => {
            let known = ctx.directory.people.get(person);
            let channel = known.and_then(|known| known.channels.get(usize::from(*channel)));
            person == same
                && other.branch == clock.branch
                && other.due <= ctx.now
                && channel.is_some_and(|channel| channel.via == *via)
        }
        _ => false,
    })
}

/// A person's later notification rule: its time has come, or the channels before it have failed.
pub(super) fn use_channel(draft: &mut Draft<'_>, clock: &Clock) -> Result<(), Rejection> {
    let ClockKind::Reach {
        person, channel, ..
    } = &clock.kind
    else {
        return Ok(());
    };
    let known = draft.ctx.directory.people.get(person);
    let via = known
        .and_then(|person| person.channels.get(usize::from(*channel)))
        .map(|channel| channel.via.clone());
    let mut notices = Vec::new();
    if let Some(via) = via.filter(|via| !is_said_again(draft, clock, via)) {
        draft.last_notice += 1;
        let to = Recipient::Person(person.clone());
        notices.push(Notice {
            id: draft.last_notice,
            to,
            via,
            topic: Topic::Assigned,
        });
    }
    draft.push(Fact::Notified {
        branch: clock.branch.clone(),
        notices,
        clock: Some(clock.id),
    });
    Ok(())
}
