//! Who is told, by which channel, and what happens when no channel reaches him.

use crate::decide::{Context, Draft, ladder};
use crate::directory::Channel;
use crate::event::{Cause, Fact, LeftOut, Notice, Reason, Recipient, Topic};
use crate::schedule::OnDuty;
use crate::ticket::{
    Actor, Branch, Clock, ClockKind, Delivery, Holder, NoticeId, Position, Ticket,
};
use crate::{Base, FieldType, Name, Person, Rejection, Who};

/// The channel by which a contact outside the directory is told.
pub const CONTACT_CHANNEL: &str = "mail";

impl<'a> Draft<'a> {
    /// Messages to the person on the channels that are used at once.
    pub(super) fn tell(&mut self, notices: &mut Vec<Notice>, person: &Name, topic: &Topic) {
        if let Some(known) = self.ctx.directory.people.get(person) {
            self.tell_by(notices, person, known, topic);
        }
    }

    /// See [`Draft::tell`], where the person is known.
    pub(super) fn tell_by(
        &mut self,
        notices: &mut Vec<Notice>,
        person: &Name,
        known: &Person,
        topic: &Topic,
    ) {
        let quiet = known.is_quiet(self.ctx.now);
        tell_by(
            &mut self.last_notice,
            notices,
            person,
            (known, quiet),
            topic,
        );
    }

    /// The clocks of the channels that a person who was asked has for later.
    pub(super) fn reach(&mut self, branch: &Branch, person: &Name, known: &Person) -> Vec<Clock> {
        let mut clocks = Vec::new();
        let quiet = known.is_quiet(self.ctx.now);
        let used = known.brought_forward(quiet);
        let used_after = used.and_then(|used| known.channels.get(used)?.after);
        for (index, channel) in known.channels.iter().enumerate() {
            let (Some(after), Ok(number)) = (channel.after, u16::try_from(index)) else {
                continue;
            };
            // What is not for the time at which it will be due is armed too: it may be used before, when
            // another channel fails.
            let stands_back = used_after == Some(after) && !channel.quiet.is_for(quiet);
            if used == Some(index) || stands_back {
                continue;
            }
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
        if phrases.is_empty() {
            return;
        }
        let (ctx, mut last_notice) = (self.ctx, self.last_notice);
        let ticket = self.ticket();
        for who in phrases {
            let mut phrase = Some(who);
            while let Some(who) = phrase {
                let before = notices.len();
                if let Base::Contact(field) = &who.base {
                    tell_contact(ticket, &mut last_notice, notices, field, topic);
                } else {
                    meant_by(&ctx, ticket, position, holder, who, &mut |person, known| {
                        let known = (known, known.is_quiet(ctx.now));
                        tell_by(&mut last_notice, notices, person, known, topic);
                    });
                }
                phrase = who.otherwise.as_deref().filter(|_| notices.len() == before);
            }
        }
        self.last_notice = last_notice;
    }
}

fn tell_by(
    last_notice: &mut NoticeId,
    notices: &mut Vec<Notice>,
    person: &Name,
    (known, quiet): (&Person, bool),
    topic: &Topic,
) {
    let already = |notice: &Notice| matches!(&notice.to, Recipient::Person(to) if to == person);
    // The same person twice on one level is one message.
    if notices.iter().any(already) {
        return;
    }
    let mut by = |channel: &Channel| {
        *last_notice += 1;
        notices.push(Notice {
            id: *last_notice,
            to: Recipient::Person(person.clone()),
            via: channel.via.clone(),
            topic: topic.clone(),
        });
    };
    if !matches!(topic, Topic::Assigned | Topic::Offered | Topic::Reminded) {
        // Somebody whose rules all begin later is told of side matters by the first of them, now.
        return known.first_channel(quiet).into_iter().for_each(by);
    }
    let forward = known.brought_forward(quiet);
    for (index, channel) in known.channels.iter().enumerate() {
        let at_once = channel.after.is_none() && channel.quiet.is_for(quiet);
        if at_once || forward == Some(index) {
            by(channel);
        }
    }
}

fn tell_contact(
    ticket: &Ticket,
    last_notice: &mut NoticeId,
    notices: &mut Vec<Notice>,
    field: &Name,
    topic: &Topic,
) {
    let to = Recipient::Contact(field.clone());
    let known = ticket.fields.contains_key(field);
    if known && !notices.iter().any(|notice| notice.to == to) {
        *last_notice += 1;
        notices.push(Notice {
            id: *last_notice,
            to,
            via: Name::new_static(CONTACT_CHANNEL),
            topic: topic.clone(),
        });
    }
}

/// Messages about what was said: to whoever is answerable where it was said, or in each branch if it is about
/// the ticket as a whole, but not to who said it; and to the caller, if it was said to him.
pub(super) fn of_comment(
    draft: &mut Draft<'_>,
    branch: &Branch,
    by: &Actor,
    to_caller: bool,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let positions = &draft.ticket().positions;
    let here = positions.get(branch);
    let here = here.filter(|position| !matches!(position.holder, Holder::Branches));
    let asked: Vec<Name> = match here {
        Some(position) => position.holder.answerable().cloned().into_iter().collect(),
        None => {
            let open = positions.values().filter(|one| one.ended.is_none());
            let all = open.filter_map(|position| position.holder.answerable());
            all.cloned().collect()
        }
    };
    for person in asked.iter().filter(|person| by.person() != Some(person)) {
        draft.tell(&mut notices, person, &Topic::Commented);
    }
    // What the caller has said himself he sees, and need not be told.
    if to_caller && !matches!(by, Actor::Contact(_)) {
        tell_caller(draft, &mut notices, by);
    }
    notices
}

/// The caller: the contact who has opened the ticket, else the first contact of its form whom it names, else
/// the person who has opened it.
fn tell_caller(draft: &mut Draft<'_>, notices: &mut Vec<Notice>, by: &Actor) {
    let (ctx, mut last_notice) = (draft.ctx, draft.last_notice);
    let ticket = draft.ticket();
    let known = |field: &&Name| ticket.fields.contains_key(*field);
    let opener = match &ticket.opener {
        Actor::Contact(field) => Some(field).filter(known),
        _ => None,
    };
    let is_contact = |field: &&Name| {
        let field = ctx.workflow.fields.get(*field);
        field.is_some_and(|field| field.kind == FieldType::Contact)
    };
    let first = || {
        let mut contacts = ctx.workflow.field_order.iter().filter(is_contact);
        contacts.find(known)
    };
    match (opener.or_else(first), ticket.opener.person().cloned()) {
        (Some(field), _) => {
            let field = field.clone();
            tell_contact(ticket, &mut last_notice, notices, &field, &Topic::Commented);
            draft.last_notice = last_notice;
        }
        (None, Some(person)) if by.person() != Some(&person) => {
            draft.tell(notices, &person, &Topic::Commented);
        }
        (None, _) => (),
    }
}

/// Whom a phrase of a `notify` means: a group means each of its members who is there.
fn meant_by(
    ctx: &Context<'_>,
    ticket: &Ticket,
    position: &Position,
    holder: &Holder,
    who: &Who,
    tell: &mut dyn FnMut(&Name, &Person),
) {
    let mut each = |person: &Name| {
        let Some(person) = ctx.directory.stand_in(person, ctx.now) else {
            return;
        };
        let Some(known) = ctx.directory.people.get(person) else {
            return;
        };
        let excluded = || {
            let actor = Actor::Person(person.clone());
            let means = |base| super::roles::base_means(ctx, ticket, position, base, &actor);
            who.except.iter().any(means)
        };
        let skilled = who.skills.iter().all(|skill| known.skills.contains(skill));
        if skilled && (who.except.is_empty() || !excluded()) {
            tell(person, known);
        }
    };
    let group = |name: &Name| ctx.directory.groups.get(name);
    let one = match &who.base {
        Base::Assignee => match holder {
            Holder::Offer { candidates, .. } => return candidates.iter().for_each(each),
            holder => holder.answerable(),
        },
        Base::Opener => ticket.opener.person(),
        Base::User(person) => Some(person),
        Base::WhoDid(action) => ticket.did.get(action),
        Base::Named(field) => {
            let named = ticket.named(field).map(Name::new);
            return named.iter().for_each(each);
        }
        Base::LeadOf(name) => group(name).and_then(|group| group.lead.as_ref()),
        Base::ManagerOf(name) => group(name).and_then(|group| group.manager.as_ref()),
        Base::OnCall(schedule) => {
            let schedule = ctx.directory.schedules.get(schedule);
            let on_duty = schedule.map(|schedule| schedule.duty(ctx.now));
            return on_duty.iter().flat_map(OnDuty::iter).for_each(each);
        }
        Base::Contact(_) => None,
        Base::AnyoneIn(name)
        | Base::LeastBusy(name)
        | Base::LongestIdle(name)
        | Base::NextIn(name)
        | Base::AnotherIn(name) => {
            let members = group(name).map(|group| &group.members);
            return members.into_iter().flatten().for_each(each);
        }
    };
    one.into_iter().for_each(&mut each);
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

/// The first of the person's later rules that is for this moment.
fn next_channel(draft: &mut Draft<'_>, branch: &Branch, person: &Name) -> Option<Clock> {
    let ctx = draft.ctx;
    let known = ctx.directory.people.get(person)?;
    let quiet = known.is_quiet(ctx.now);
    let clocks = draft
        .ticket()
        .clocks
        .iter()
        .filter(|clock| clock.branch == *branch);
    let usable = clocks.filter(|clock| match &clock.kind {
        ClockKind::Reach {
            person: of,
            channel,
            ..
        } => {
            let rule = known.channels.get(usize::from(*channel));
            of == person && rule.is_some_and(|rule| rule.quiet.is_for(quiet))
        }
        _ => false,
    });
    usable.min_by_key(|clock| (clock.due, clock.id)).cloned()
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
            let rule = ctx.directory.people.get(person).and_then(|known| {
                let rule = known.channels.get(usize::from(*channel))?;
                rule.quiet.is_for(known.is_quiet(ctx.now)).then_some(rule)
            });
            person == same
                && other.branch == clock.branch
                && other.due <= ctx.now
                && rule.is_some_and(|rule| rule.via == *via)
        }
        _ => false,
    })
}

/// A person's later notification rule: its time has come, or the channels before it have failed or are not
/// for this moment. If it is not for this moment itself, the next one that is takes its place at once.
pub(super) fn use_channel(draft: &mut Draft<'_>, clock: &Clock) -> Result<(), Rejection> {
    let ClockKind::Reach {
        person, channel, ..
    } = &clock.kind
    else {
        return Ok(());
    };
    let now = draft.ctx.now;
    let known = draft.ctx.directory.people.get(person);
    let rule = known.and_then(|person| person.channels.get(usize::from(*channel)));
    let quiet = known.is_some_and(|known| known.is_quiet(now));
    let for_now = rule.filter(|rule| rule.quiet.is_for(quiet));
    let via = for_now.map(|rule| rule.via.clone());
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
    match (rule, for_now) {
        (Some(_), None) => match next_channel(draft, &clock.branch, person) {
            // It is for this moment, so it leads no further.
            Some(next) => use_channel(draft, &next),
            None => Ok(()),
        },
        (Some(_), Some(_)) => {
            leave_out(draft, clock, person, quiet);
            Ok(())
        }
        (None, _) => Ok(()),
    }
}

/// Rules of the same time as one that is used, and not for this moment: nothing takes their place.
fn leave_out(draft: &mut Draft<'_>, used: &Clock, person: &Name, quiet: bool) {
    let known = draft.ctx.directory.people.get(person);
    let clocks = draft.ticket().clocks.iter();
    let same = clocks.filter(|clock| clock.branch == used.branch && clock.due == used.due);
    let others = same.filter(|clock| match &clock.kind {
        ClockKind::Reach {
            person: of,
            channel,
            ..
        } => {
            let rule = known.and_then(|known| known.channels.get(usize::from(*channel)));
            of == person && rule.is_some_and(|rule| !rule.quiet.is_for(quiet))
        }
        _ => false,
    });
    let others: Vec<_> = others.map(|clock| clock.id).collect();
    for clock in others {
        draft.push(Fact::Notified {
            branch: used.branch.clone(),
            notices: Vec::new(),
            clock: Some(clock),
        });
    }
}
