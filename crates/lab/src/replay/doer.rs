//! Who does in the virtual run what somebody else did in the log.

use upline_core::decide::role;
use upline_core::table::Role;
use upline_core::workflow::{Action, Doing, Work};
use upline_core::{Actor, Base, Context, Directory, Holder, Name, Position, Ticket, Who};

use super::{By, Doer, Log, LogEntry};

/// The name of the actor behind rows that nobody of the directory stands behind.
pub(super) const LOG: Name = Name::new_static("log");

/// Whoever may take the action: who has the ticket, and for an action that names others, the first of them.
///
/// Of candidates the one with the fewest open tickets takes it. What a machine would answer, an operator
/// answers in its place. `None` if nobody may: then whoever has it tries, and the refusal says why not.
pub(super) fn whoever_may(
    ctx: &Context<'_>,
    ticket: &Ticket,
    position: &Position,
    work: &Work,
    action: &Action,
) -> Option<Actor> {
    if matches!(work.doing, Some(Doing::Run(_) | Doing::Call(_))) && action.by.is_empty() {
        return Some(Actor::Operator(LOG));
    }
    if action.by.is_empty() {
        return holder(ctx, position);
    }
    let named = |by: &Actor| role(ctx, ticket, position, by, Some(action)) == Role::Named;
    let holder = holder(ctx, position);
    let others = action.by.iter().flat_map(|who| meant(ctx, ticket, who));
    holder.iter().cloned().chain(others).find(named).or(holder)
}

/// Who has it, or of those who may claim it the one with the fewest open tickets.
pub(super) fn holder(ctx: &Context<'_>, position: &Position) -> Option<Actor> {
    let person = match &position.holder {
        Holder::Offer {
            candidates, lead, ..
        } => {
            let open = |person: &&Name| ctx.workload.of(person).open;
            candidates.iter().min_by_key(open).unwrap_or(lead)
        }
        other => other.answerable()?,
    };
    Some(Actor::Person(person.clone()))
}

/// Everybody whom a phrase may mean; which of them it does mean is the core's to say.
fn meant(ctx: &Context<'_>, ticket: &Ticket, who: &Who) -> Vec<Actor> {
    let mut all: Vec<Actor> = match &who.base {
        Base::Contact(field) => vec![Actor::Contact(field.clone())],
        Base::Opener => vec![ticket.opener.clone()],
        Base::User(person) => vec![Actor::Person(person.clone())],
        Base::Named(field) => {
            let named = ticket.named(field).map(Name::new);
            named.map(Actor::Person).into_iter().collect()
        }
        Base::WhoDid(action) => {
            let did = ticket.did.get(action);
            did.map(|person| Actor::Person(person.clone()))
                .into_iter()
                .collect()
        }
        Base::Assignee => Vec::new(),
        Base::OnCall(schedule) => {
            let schedule = ctx.directory.schedules.get(schedule);
            let on_duty = schedule.map(|schedule| schedule.on_duty(ctx.now));
            on_duty
                .unwrap_or_default()
                .into_iter()
                .map(Actor::Person)
                .collect()
        }
        base => {
            let group = base
                .group()
                .and_then(|group| ctx.directory.groups.get(group));
            let people = group.map(|group| {
                let leaders = [&group.lead, &group.manager].into_iter().flatten();
                group.members.iter().chain(leaders)
            });
            people
                .into_iter()
                .flatten()
                .map(|person| Actor::Person(person.clone()))
                .collect()
        }
    };
    if let Some(otherwise) = &who.otherwise {
        all.extend(meant(ctx, ticket, otherwise));
    }
    all
}

/// Who the mapping names for the row; `None` is whoever may.
pub(super) fn named(
    log: &Log,
    directory: &Directory,
    entry: &LogEntry,
    by: &By,
) -> Result<Option<Actor>, String> {
    for doer in [Some(&by.who), by.otherwise.as_ref()].into_iter().flatten() {
        match doer {
            Doer::Holder => return Ok(None),
            Doer::User(person) => return Ok(Some(Actor::Person(person.clone()))),
            Doer::System(system) => return Ok(Some(Actor::System(system.clone()))),
            Doer::Person => {
                let person = entry.person.map(|person| log.text(person));
                let known = person.filter(|person| directory.people.contains_key(*person));
                if let Some(person) = known {
                    return Ok(Some(Actor::Person(person.clone())));
                }
            }
        }
    }
    Err("the log's person is not in the directory".to_owned())
}
