//! What somebody could do to a ticket now, and whether it is his to see: for lists, pages and menus, so that
//! none of them decides anything for itself.

use crate::decide::{Context, Draft, act, fields, roles};
use crate::ticket::{Actor, Branch, Holder, Position, Ticket};
use crate::workflow::{Action, Work};
use crate::{Directory, Name, Operation, Workflow};

/// One thing that somebody could do to a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Possible {
    /// Where.
    pub branch: Branch,
    /// What.
    pub operation: Operation,
    /// Which action of the state, if it is [`Operation::Act`].
    pub action: Option<Name>,
    /// Fields that are empty and must be filled with the action.
    pub needs: Vec<Name>,
}

/// All that `by` could do to the ticket now: the states' own actions in their author's order, then the
/// operations of the [table](crate::table). What is not in it, [`decide`](crate::decide()) refuses; what is
/// in it can still be refused for what comes with it, such as a person who can't have it.
///
/// [`Operation::Hold`] is never in it: it is what a link does, not a person.
pub fn possible(ctx: &Context<'_>, ticket: &Ticket, by: &Actor) -> Vec<Possible> {
    let mut found = Vec::new();
    if !ticket.is_open() {
        return found;
    }
    let mut draft = Draft::new(*ctx, ticket);
    for (branch, position) in &ticket.positions {
        let work = ctx.workflow.work(&position.state);
        let Some(work) = work.filter(|_| position.ended.is_none()) else {
            continue;
        };
        let actions = work.actions.iter();
        let actions = actions.filter(|action| may_act(&mut draft, branch, work, action, by));
        found.extend(actions.map(|action| Possible {
            branch: branch.clone(),
            operation: Operation::Act,
            action: Some(action.name.clone()),
            needs: needs(ctx.workflow, ticket, work, action, by),
        }));
        for operation in Operation::ALL {
            let other = !matches!(operation, Operation::Act | Operation::Hold);
            if other
                && has_object(ctx, ticket, (branch, position), work, operation, by)
                && roles::guard(&mut draft, branch, operation, by, None).is_ok()
            {
                found.push(Possible {
                    branch: branch.clone(),
                    operation,
                    action: None,
                    needs: Vec::new(),
                });
            }
        }
    }
    found
}

fn may_act(
    draft: &mut Draft<'_>,
    branch: &Branch,
    work: &Work,
    action: &Action,
    by: &Actor,
) -> bool {
    let machine = act::is_outcome(work, &action.name) && !matches!(by, Actor::Operator(_));
    !machine && roles::guard(draft, branch, Operation::Act, by, Some(action)).is_ok()
}

/// Whether there is anything here that the operation could be done to, or by.
fn has_object(
    ctx: &Context<'_>,
    ticket: &Ticket,
    (branch, position): (&Branch, &Position),
    work: &Work,
    operation: Operation,
    by: &Actor,
) -> bool {
    let used = || {
        let person = by.person();
        person.is_some_and(|person| position.answered_by.contains(person))
    };
    let ladder = position.ladder.as_ref();
    let ladder = ladder.and_then(|name| ctx.workflow.ladders.get(name));
    let known = |person| ctx.directory.people.contains_key(person);
    match operation {
        Operation::Claim => by.person().is_some_and(known),
        Operation::Escalate => ladder.is_some(),
        Operation::AnswerBy => ladder.is_some_and(|ladder| ladder.answer_by.is_some()) && !used(),
        Operation::Save => !work.form.is_empty(),
        Operation::Tick => !work.checklist.is_empty(),
        Operation::ChangeClock => ticket.clocks.iter().any(|clock| clock.branch == *branch),
        _ => true,
    }
}

fn needs(
    workflow: &Workflow,
    ticket: &Ticket,
    work: &Work,
    action: &Action,
    by: &Actor,
) -> Vec<Name> {
    let mut wanted = fields::wanted(workflow, work, action, by);
    wanted.retain(|field| !ticket.fields.contains_key(*field));
    wanted.into_iter().cloned().collect()
}

/// Whether the ticket is `by`'s to see, without a role that sees everything: he has it, has had it in this
/// round, may claim it, has opened it or acted on it, a field names him, or it is with a group that he is in
/// or leads. Another system sees what it has opened.
///
/// Of a ticket that has ended: whoever opened it, acted on it, or is named by a field.
pub fn concerns(directory: &Directory, ticket: &Ticket, by: &Actor) -> bool {
    let person = match by {
        Actor::Operator(_) | Actor::Clock => return true,
        Actor::System(_) | Actor::Contact(_) => return ticket.opener == *by,
        Actor::Person(person) => person,
    };
    let named = || {
        let mut fields = ticket.fields.keys();
        fields.any(|field| ticket.named(field) == Some(person.as_str()))
    };
    ticket.opener.person() == Some(person)
        || ticket.did.values().any(|other| other == person)
        || ticket
            .positions
            .values()
            .any(|position| is_near(directory, position, person))
        || named()
}

/// Whether somebody has to do with who has the position.
fn is_near(directory: &Directory, position: &Position, person: &Name) -> bool {
    let mut groups = directory.groups_of(person);
    let with_group = match &position.holder {
        Holder::Offer {
            group, candidates, ..
        } => candidates.contains(person) || groups.any(|own| own.id == *group),
        Holder::Assignee(holder) => groups.any(|own| own.has(holder) || own.is_led_by(holder)),
        Holder::Branches | Holder::Nobody => false,
    };
    with_group
        || position.holder.answerable() == Some(person)
        || position.had.contains(person)
        || position.delegated_by.as_ref() == Some(person)
}
