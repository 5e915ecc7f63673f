//! All *who* phrases of a workflow, each with what it is for.

use upline_core::workflow::StateKind;
use upline_core::{Base, Who, Workflow};

/// A phrase and what it is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'w> {
    pub(super) who: &'w Who,
    pub(super) role: Role<'w>,
}

/// What a phrase is for. Numbers count in the author's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role<'w> {
    /// `assign` of a state.
    Assign(usize),
    /// `notify` of a state.
    Informed(usize, usize),
    /// `by` of an action.
    By(usize, &'w str, usize),
    /// `assign` of a level.
    Level(&'w str, usize),
    /// `notify` of a level.
    LevelInformed(&'w str, usize, usize),
    /// `notify` of a warning, by its percentage.
    Warned(&'w str, u8, usize),
    /// `notify` of a breach.
    Breached(&'w str, usize),
}

impl Asked<'_> {
    /// Whether it makes somebody answerable.
    pub(super) fn assigns(&self) -> bool {
        matches!(self.role, Role::Assign(_) | Role::Level(..))
    }
}

/// A phrase and, in turn, what stands behind its `else`.
pub(super) fn alternatives(who: &Who) -> impl Iterator<Item = &Who> {
    std::iter::successors(Some(who), |who| who.otherwise.as_deref())
}

/// All starting points of a phrase: those that are asked, and those that are left out.
pub(super) fn bases(who: &Who) -> impl Iterator<Item = &Base> {
    alternatives(who).flat_map(|who| std::iter::once(&who.base).chain(&who.except))
}

/// The phrases of the states, the ladders and the promises.
pub(super) fn phrases(workflow: &Workflow) -> Vec<Asked<'_>> {
    let mut all = Vec::with_capacity(workflow.states.len() * 2);
    let states = workflow.state_order.iter();
    let states = states.filter_map(|name| workflow.states.get(name));
    for (number, state) in states.enumerate() {
        let notify = match &state.kind {
            StateKind::Choose { .. } => continue,
            StateKind::End { notify, .. } => notify,
            StateKind::Work(work) => {
                let role = Role::Assign(number);
                all.extend(work.assign.iter().map(|assign| Asked {
                    who: &assign.who,
                    role,
                }));
                for action in &work.actions {
                    let role = |item| Role::By(number, &action.name, item);
                    list(&mut all, &action.by, role);
                }
                &work.notify
            }
        };
        list(&mut all, notify, |item| Role::Informed(number, item));
    }
    for ladder in workflow.ladders.values() {
        for (number, level) in ladder.levels.iter().enumerate() {
            let role = Role::Level(&ladder.name, number);
            all.extend(level.assign.iter().map(|assign| Asked {
                who: &assign.who,
                role,
            }));
            let role = |item| Role::LevelInformed(&ladder.name, number, item);
            list(&mut all, &level.notify, role);
        }
    }
    for promise in &workflow.promises {
        for warn in &promise.warn {
            let role = |item| Role::Warned(&promise.name, warn.percent, item);
            list(&mut all, &warn.notify, role);
        }
        let role = |item| Role::Breached(&promise.name, item);
        list(&mut all, &promise.breach.notify, role);
    }
    all
}

fn list<'w>(all: &mut Vec<Asked<'w>>, whos: &'w [Who], role: impl Fn(usize) -> Role<'w>) {
    let whos = whos.iter().enumerate();
    all.extend(whos.map(|(item, who)| Asked {
        who,
        role: role(item),
    }));
}
