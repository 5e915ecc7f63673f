//! What a position is like and what somebody is to it: the two keys of the table.

use crate::decide::{Context, Draft};
use crate::table::{Owner, Role, Ruling, Situation, rule};
use crate::ticket::{Actor, Branch, Holder, Level, Position, Ticket};
use crate::workflow::Action;
use crate::{Base, Name, Operation, Rejection, Who};

/// What the position is like, as far as operations are concerned.
pub fn situation(position: &Position) -> Situation {
    match &position.holder {
        Holder::Nobody => Situation::Over,
        Holder::Branches => Situation::Branches,
        _ if position.suspended.is_some() => Situation::Suspended,
        _ if position.level == Level::LastResort => Situation::LastResort,
        Holder::Offer { .. } => Situation::Offered,
        Holder::Assignee(_) if position.taken => Situation::Taken,
        Holder::Assignee(_) => Situation::Asked,
    }
}

/// What `by` is to the position; for an action with a `by` of its own, to that action.
pub fn role(
    ctx: &Context<'_>,
    ticket: &Ticket,
    position: &Position,
    by: &Actor,
    action: Option<&Action>,
) -> Role {
    let person = match by {
        Actor::Operator(_) | Actor::Clock => return Role::Operator,
        Actor::Person(person) => Some(person),
        Actor::Contact(_) | Actor::System(_) => None,
    };
    if let Some(action) = action.filter(|action| !action.by.is_empty()) {
        return match action
            .by
            .iter()
            .any(|who| is_meant(ctx, ticket, position, who, by))
        {
            true => Role::Named,
            // An action that names who may take it is for nobody else, not even for the holder.
            false if person.is_some() => Role::Colleague,
            false => outside(by),
        };
    }
    let Some(person) = person else {
        return outside(by);
    };
    if position.holder.answerable() == Some(person) {
        return Role::Holder;
    }
    match &position.holder {
        Holder::Offer { candidates, .. } if candidates.contains(person) => Role::Candidate,
        holder if leads(ctx, holder, person) => Role::Lead,
        _ => Role::Colleague,
    }
}

fn outside(by: &Actor) -> Role {
    match by {
        Actor::System(_) => Role::System,
        _ => Role::Contact,
    }
}

/// Whether `person` leads or manages a group that the holder is in, leads, or that was offered it.
fn leads(ctx: &Context<'_>, holder: &Holder, person: &Name) -> bool {
    let mut groups = ctx
        .directory
        .groups
        .values()
        .filter(|group| group.is_led_by(person));
    match holder {
        Holder::Offer { group, .. } => groups.any(|led| led.id == *group),
        Holder::Assignee(holder) => groups.any(|led| led.has(holder) || led.is_led_by(holder)),
        Holder::Branches | Holder::Nobody => false,
    }
}

/// Whether the phrase, as the `by` of an action, means this actor. A group means each of its members.
fn is_meant(
    ctx: &Context<'_>,
    ticket: &Ticket,
    position: &Position,
    who: &Who,
    by: &Actor,
) -> bool {
    let base = base_means(ctx, ticket, position, &who.base, by);
    let excluded = || {
        who.except
            .iter()
            .any(|base| base_means(ctx, ticket, position, base, by))
    };
    let skilled = || match by
        .person()
        .and_then(|person| ctx.directory.people.get(person))
    {
        Some(person) => who.skills.iter().all(|skill| person.skills.contains(skill)),
        None => who.skills.is_empty(),
    };
    let otherwise = || {
        let other = who.otherwise.as_deref();
        other.is_some_and(|other| is_meant(ctx, ticket, position, other, by))
    };
    (base && !excluded() && skilled()) || otherwise()
}

/// That the action's `by` would mean this actor, were he not excepted from it.
pub(super) fn excluded(
    draft: &mut Draft<'_>,
    branch: &Branch,
    by: &Actor,
    action: &Action,
) -> Option<Rejection> {
    let ctx = draft.ctx;
    let ticket = draft.ticket();
    let position = ticket.positions.get(branch)?;
    let means = |base: &Base| base_means(&ctx, ticket, position, base, by);
    let all = action
        .by
        .iter()
        .flat_map(|who| std::iter::successors(Some(who), |who| who.otherwise.as_deref()));
    let mut meant = all.filter(|who| means(&who.base));
    let except = meant.find_map(|who| who.except.iter().find(|base| means(base)))?;
    Some(Rejection::Excluded {
        action: action.name.clone(),
        except: Name::new(except.to_string()),
    })
}

/// Whether the starting point of a phrase means this actor.
pub(super) fn base_means(
    ctx: &Context<'_>,
    ticket: &Ticket,
    position: &Position,
    base: &Base,
    by: &Actor,
) -> bool {
    let person = by.person();
    let is = |other: Option<&Name>| person.is_some() && person == other;
    let group = |name: &Name| ctx.directory.groups.get(name);
    match base {
        Base::Contact(field) => matches!(by, Actor::Contact(contact) if contact == field),
        Base::Opener => ticket.opener == *by || is(ticket.opener.person()),
        Base::Assignee => is(position.holder.answerable()),
        Base::User(user) => is(Some(user)),
        Base::WhoDid(action) => is(ticket.did.get(action)),
        Base::Named(field) => {
            person.is_some_and(|person| ticket.named(field) == Some(person.as_str()))
        }
        Base::LeadOf(name) => is(group(name).and_then(|group| group.lead.as_ref())),
        Base::ManagerOf(name) => is(group(name).and_then(|group| group.manager.as_ref())),
        Base::OnCall(schedule) => {
            let on_duty = ctx.directory.schedules.get(schedule);
            let on_duty = on_duty.map(|schedule| schedule.duty(ctx.now));
            on_duty.is_some_and(|on_duty| person.is_some_and(|person| on_duty.contains(person)))
        }
        Base::AnyoneIn(name)
        | Base::LeastBusy(name)
        | Base::LongestIdle(name)
        | Base::NextIn(name)
        | Base::AnotherIn(name) => {
            person.is_some_and(|person| group(name).is_some_and(|group| group.has(person)))
        }
    }
}

/// Asks the table. `Ok` says what becomes of the owner.
pub(super) fn guard(
    draft: &mut Draft<'_>,
    branch: &Branch,
    operation: Operation,
    by: &Actor,
    action: Option<&Action>,
) -> Result<Owner, Rejection> {
    let ctx = draft.ctx;
    // A person that nobody knows has no role at all.
    if let Some(person) = by.person()
        && !ctx.directory.people.contains_key(person)
        && !matches!(by, Actor::Operator(_))
    {
        return Err(Rejection::NoSuchPerson {
            person: person.clone(),
        });
    }
    let ticket = draft.ticket();
    let Some(position) = ticket.positions.get(branch) else {
        return Err(Rejection::NoSuchBranch {
            branch: branch.clone(),
        });
    };
    let (situation, role) = (
        situation(position),
        role(&ctx, ticket, position, by, action),
    );
    let mut ruling = rule(situation, operation, role);
    // A lead who has the ticket himself is still a lead.
    if ruling == Ruling::NotAllowed
        && role == Role::Holder
        && by
            .person()
            .is_some_and(|person| leads(&ctx, &position.holder, person))
    {
        ruling = rule(situation, operation, Role::Lead);
    }
    match ruling {
        Ruling::Allowed(owner) => Ok(owner),
        Ruling::Over => Err(Rejection::HasEnded),
        Ruling::NotAllowed => Err(Rejection::NotAllowed { operation }),
        Ruling::NotPossible(because) => Err(Rejection::NotPossible { operation, because }),
        Ruling::HeldBy => Err(match position.holder.answerable() {
            // Whoever has it is told that the action is not for him, not that he has it.
            Some(holder) if by.person() == Some(holder) => Rejection::NotAllowed { operation },
            Some(holder) if position.taken && operation == Operation::Claim => {
                Rejection::AlreadyClaimed { by: holder.clone() }
            }
            Some(holder) => Rejection::HeldBy {
                holder: holder.clone(),
            },
            None => Rejection::NotAllowed { operation },
        }),
    }
}
