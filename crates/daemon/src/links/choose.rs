//! Which links a message has.

use jiff::Timestamp;
use upline::core::decide::possible;
use upline::core::workflow::Doing;
use upline::core::{
    Action, Actor, Base, Branch, Context, Directory, Holder, Name, Operation, Position, Ticket,
    Work, Workflow, Workload,
};

use super::settings::LinksSettings;
use super::token::Deed;
use super::words;
use crate::tell::Language;

/// What is asked besides the ticket.
pub(crate) struct Ground<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) directory: &'a Directory,
    pub(crate) now: Timestamp,
}

/// One thing that the person may do by a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Choice {
    pub(crate) deed: Deed,
    pub(crate) label: String,
    pub(crate) is_main: bool,
}

/// What the person may do by a link: as far as the core lets him, nothing is to be filled in or ticked, and
/// the setting allows it. To take it comes first, not to take it last.
pub(crate) fn choices(
    settings: &LinksSettings,
    ground: &Ground<'_>,
    ticket: &Ticket,
    branch: &Branch,
    person: &Name,
    language: Language,
) -> Vec<Choice> {
    let Some(position) = ticket.positions.get(branch) else {
        return Vec::new();
    };
    let Some(work) = ground.workflow.work(&position.state) else {
        return Vec::new();
    };
    let workload = Workload::default();
    let context = Context {
        now: ground.now,
        workflow: ground.workflow,
        directory: ground.directory,
        workload: &workload,
    };
    let possible = possible(&context, ticket, &Actor::Person(person.clone()));
    let here = || possible.iter().filter(|one| one.branch == *branch);
    let may = |operation| here().any(|one| one.operation == operation);
    let own: Vec<&Action> = here()
        .filter(|one| one.needs.is_empty())
        .filter_map(|one| work.action(one.action.as_ref()?))
        .filter(|action| {
            action
                .ticked
                .iter()
                .all(|item| position.ticked.contains(item))
        })
        .collect();
    let takes = |action: &Action| is_taking(ground.workflow, position, action);
    let acts = here().filter(|one| one.operation == Operation::Act);
    let acts = acts.filter_map(|one| work.action(one.action.as_ref()?));
    let (all, taking) = acts.fold((0, 0), |(all, taking), action| {
        (all + 1, taking + usize::from(takes(action)))
    });
    // To choose between two ways of taking it is a decision, and that is more than to take it. So is what the
    // author lets only some people do (`by`), such as to approve, where there is something else to do.
    let taking = |action: &Action| {
        !position.taken && takes(action) && (all == 1 || (taking == 1 && action.by.is_empty()))
    };
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for action in own {
        let takes = taking(action);
        if settings.allows(&ground.workflow.name, &action.name, takes) {
            let label = action.label.text(words::tag(language));
            let label = if label.is_empty() {
                &action.name
            } else {
                label
            };
            let to = if takes { &mut found } else { &mut others };
            to.push((Deed::Act(action.name.clone()), label.to_owned()));
        }
    }
    if found.is_empty() && settings.takes() && may(Operation::Claim) {
        found.push((Deed::Claim, words::claim(language).to_owned()));
    }
    found.append(&mut others);
    if settings.declines() && may(Operation::Decline) && is_asked(position, person) {
        found.push((Deed::Decline, words::decline(language).to_owned()));
    }
    let found = found.into_iter().enumerate();
    found
        .map(|(index, (deed, label))| Choice {
            is_main: index == 0 && deed != Deed::Decline,
            deed,
            label,
        })
        .collect()
}

/// Whether it waits for this person to say something.
fn is_asked(position: &Position, person: &Name) -> bool {
    match &position.holder {
        Holder::Assignee(holder) => !position.taken && holder == person,
        Holder::Offer { candidates, .. } => candidates.contains(person),
        Holder::Branches | Holder::Nobody => false,
    }
}

/// Whether whoever takes the action has the ticket afterwards.
fn is_taking(workflow: &Workflow, position: &Position, action: &Action) -> bool {
    let Some(next) = workflow.work(&action.goto) else {
        return false;
    };
    let has = |work: &Work| match &work.assign {
        Some(assign) => {
            matches!(&assign.who.base, Base::WhoDid(did) if *did == action.name)
                || matches!(assign.who.base, Base::Assignee)
        }
        None => matches!(position.holder, Holder::Assignee(_)),
    };
    match &next.doing {
        None => has(next),
        Some(Doing::Parallel(parallel)) => {
            let mut first = parallel.branches.iter();
            first.any(|(_, first)| {
                workflow
                    .work(first)
                    .is_some_and(|work| work.assign.is_some() && has(work))
            })
        }
        Some(Doing::Run(_) | Doing::Call(_)) => false,
    }
}
