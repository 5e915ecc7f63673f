//! The checked workflow: what an author wrote, once it is known to be right.
//!
//! Nothing in here is "maybe invalid": every name that one part uses, another part defines. The dsl
//! makes these values; they are immutable. What holds by construction is said at each field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Condition, Field, Label, Name, Span, Value, Who};

/// Most automatic steps (`choose`, splits, joins) that one command may cause. `check` refuses loops of
/// such states, so the bound is met only by a workflow that was not checked.
pub const MAX_AUTOMATIC_STEPS: usize = 64;

/// Where a rule stands in the author's files.
#[derive(Debug, Clone, PartialEq, Eq, Default, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file, as it was named on loading.
    pub file: Name,
    /// Line, from 1; 0 for a rule that stands in no file, such as a default.
    pub line: u32,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A *who* phrase that makes somebody answerable, with its text made once: each hop records it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assign {
    /// Whom to ask.
    pub who: Who,
    /// The phrase in its canonical form.
    pub text: Name,
    /// Where it stands.
    pub place: Place,
}

impl Assign {
    /// The phrase at its place.
    pub fn new(who: Who, place: Place) -> Self {
        let text = Name::new(who.to_string());
        Self { who, text, place }
    }
}

/// One version of a workflow.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Its name.
    pub name: Name,
    /// The author's version; a ticket keeps the one it was opened with.
    pub version: u32,
    /// What people see.
    pub title: Label,
    /// The calendar in which spans count unless they say otherwise; `None` is around the clock.
    pub calendar: Option<Name>,
    /// Fields by name.
    pub fields: BTreeMap<Name, Field>,
    /// The author's order of the fields.
    pub field_order: Vec<Name>,
    /// Promises in the author's order.
    pub promises: Vec<Promise>,
    /// Ladders by name.
    pub ladders: BTreeMap<Name, Ladder>,
    /// Where a ticket begins: a key of `states`.
    pub start: Name,
    /// The states of the ticket itself and of all branches, by name: names are unique in a workflow.
    pub states: BTreeMap<Name, State>,
    /// The author's order of the states.
    pub state_order: Vec<Name>,
    /// What a clock that fell due while nobody was there to fire it does to the clocks after it.
    pub catch_up: CatchUp,
    /// Tickets that open by themselves.
    pub every: Vec<Every>,
    /// For how long at most a ticket may be suspended.
    pub suspend_at_most: Span,
    /// Where the workflow stands.
    pub place: Place,
}

/// From when the clock after a late one runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CatchUp {
    /// From when the person was told: an outage never burns through the ladder unseen.
    #[default]
    FromTold,
    /// From when it should have been: several levels may pass at once after an outage.
    FromDue,
}

/// A promise (service level): a budget of time until the ticket is in one of some states.
#[derive(Debug, Clone)]
pub struct Promise {
    /// Its name.
    pub name: Name,
    /// The budget.
    pub within: Span,
    /// Other budgets by condition; the first that holds counts.
    pub except: Vec<(Condition, Span)>,
    /// The calendar it counts in; `None` is the workflow's.
    pub calendar: Option<Name>,
    /// What starts it.
    pub since: Since,
    /// States in which it is met.
    pub met_in: BTreeSet<Name>,
    /// States in which it stands still.
    pub paused_in: BTreeSet<Name>,
    /// Once met it stays met. Otherwise it goes on with the ledger when the ticket goes back to a state that
    /// comes before those of `met_in`: reopening does, and what follows a solution does not.
    pub once: bool,
    /// Warnings, by rising percentage.
    pub warn: Vec<Warn>,
    /// What happens when the budget is used up.
    pub breach: Breach,
    /// Where it stands.
    pub place: Place,
}

/// What starts a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Since {
    /// The opening of the ticket.
    #[default]
    Opening,
    /// The oldest unanswered word of the caller; an answer to the caller meets it until he writes again.
    Caller,
}

/// A warning of a promise.
#[derive(Debug, Clone)]
pub struct Warn {
    /// Share of the budget, 1 to 99.
    pub percent: u8,
    /// Who is told.
    pub notify: Vec<Who>,
}

/// What a breach of a promise does.
#[derive(Debug, Clone, Default)]
pub struct Breach {
    /// Who is told.
    pub notify: Vec<Who>,
    /// The ladder of each position takes its next step at once.
    pub escalate: bool,
    /// Fields that change.
    pub set: Vec<(Name, Value)>,
    /// The state that the ticket goes to; a state of the ticket itself, not of a branch.
    pub goto: Option<Name>,
}

/// A named list of levels.
#[derive(Debug, Clone)]
pub struct Ladder {
    /// Its name.
    pub name: Name,
    /// Whom to ask, after how long; at least one.
    pub levels: Vec<Level>,
    /// How many more rounds are made before the last resort.
    pub repeat: u32,
    /// The level, from 1, that a further round starts with; `None` starts with the state's own `assign`.
    pub back_to: Option<usize>,
    /// Whether a comment or a saved form of the assignee restarts it; `None` says: where the state watches
    /// somebody who took the ticket (`who did …`, no `assign`, or claimed), not where it makes an offer.
    pub restart_on_activity: Option<bool>,
    /// Longest time by which the assignee may set his own next due time; `None` refuses it.
    pub answer_by: Option<Span>,
    /// Where it stands.
    pub place: Place,
}

/// One level of a ladder.
#[derive(Debug, Clone)]
pub struct Level {
    /// How long whoever was asked before has had.
    pub after: Span,
    /// Who is answerable then; `None` notifies and changes nobody.
    pub assign: Option<Assign>,
    /// Who is told besides.
    pub notify: Vec<Who>,
    /// Fields that change.
    pub set: Vec<(Name, Value)>,
    /// Where it stands.
    pub place: Place,
}

/// Which ladder a state uses.
#[derive(Debug, Clone)]
pub struct LadderChoice {
    /// `None` holds always.
    pub when: Option<Condition>,
    /// A key of [`Workflow::ladders`].
    pub ladder: Name,
}

/// A state.
#[derive(Debug, Clone)]
pub struct State {
    /// Its name, unique in the workflow.
    pub name: Name,
    /// What people see.
    pub title: Label,
    /// The parallel state and branch that it belongs to; `None` for the ticket's own states.
    pub within: Option<(Name, Name)>,
    /// What happens in it.
    pub kind: StateKind,
    /// Where it stands.
    pub place: Place,
}

/// What happens in a state.
#[derive(Debug, Clone)]
#[expect(
    clippy::large_enum_variant,
    reason = "most states are work, a workflow has few, and they are borrowed, never moved"
)]
pub enum StateKind {
    /// Somebody is answerable, and a clock runs.
    Work(Work),
    /// Decides at once: the first condition that holds, else the last target.
    Choose {
        /// Conditions and where they lead.
        cases: Vec<(Condition, Name)>,
        /// Where it leads if none holds.
        otherwise: Name,
    },
    /// The end of the ticket, or of its branch.
    End {
        /// The outcome, such as `done`; a calling workflow goes on by it.
        outcome: Name,
        /// Whether silence alone may lead here.
        by_silence: bool,
        /// Who is told.
        notify: Vec<Who>,
    },
}

/// A state in which somebody is answerable.
#[derive(Debug, Clone)]
pub struct Work {
    /// Who is answerable on entry; `None` keeps who it was.
    pub assign: Option<Assign>,
    /// Who is told on entry.
    pub notify: Vec<Who>,
    /// The ladder, by condition; the first that holds counts. May be empty if `after` is not.
    pub escalate: Vec<LadderChoice>,
    /// The fields people fill in here, in order.
    pub form: Vec<Name>,
    /// Items to be ticked.
    pub checklist: Vec<ChecklistItem>,
    /// What leads out, in the author's order. For `run` and `call` also the machine's outcomes.
    pub actions: Vec<Action>,
    /// Where it goes by itself, by rising span.
    pub after: Vec<After>,
    /// What a machine does meanwhile.
    pub doing: Option<Doing>,
}

/// An item of a checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecklistItem {
    /// Its name.
    pub name: Name,
    /// What people see.
    pub label: Label,
}

/// `after: { 3 days: resolved }`.
#[derive(Debug, Clone)]
pub struct After {
    /// Counted from entering the state.
    pub span: Span,
    /// Where it leads.
    pub goto: Name,
    /// Where it stands.
    pub place: Place,
}

/// Something that leads out of a state.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its name, unique in the state.
    pub name: Name,
    /// What people see on the button.
    pub label: Label,
    /// Who may take it; empty is the assignee (or, while offered, each candidate).
    pub by: Vec<Who>,
    /// The message of another system that takes it, if one does.
    pub message: Option<Name>,
    /// Where it leads.
    pub goto: Name,
    /// Fields that must be filled.
    pub requires: Vec<Name>,
    /// Checklist items that must be ticked.
    pub ticked: Vec<Name>,
    /// Fields that change.
    pub set: Vec<(Name, Value)>,
    /// Where it stands.
    pub place: Place,
}

/// What a machine does while a state lasts. The answerable person stays so meanwhile.
#[derive(Debug, Clone)]
pub enum Doing {
    /// A call to a machine on entry; its outcomes are the actions `done` and `failed`.
    Run(Run),
    /// Another workflow, whose end moves this ticket on by the action of that outcome's name.
    Call(Call),
    /// Branches side by side.
    Parallel(Parallel),
}

/// `run:`.
#[derive(Debug, Clone)]
pub struct Run {
    /// The webhook's name in the operator's configuration.
    pub webhook: Name,
    /// What is sent: names to literal values or fields.
    pub body: Vec<(Name, BodyValue)>,
    /// How long one try may take; physical time.
    pub timeout: Span,
    /// How many more tries after a failed one.
    pub retries: u32,
    /// Wait before the second try; doubles with each further one; physical time.
    pub backoff: Span,
    /// Fields that the answer fills: field, name in the answer.
    pub take: Vec<(Name, Name)>,
}

/// One value of the body of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyValue {
    /// As written.
    Literal(Value),
    /// The field's value then.
    Field(Name),
}

/// `call:`.
#[derive(Debug, Clone)]
pub struct Call {
    /// The other workflow.
    pub workflow: Name,
    /// Fields handed in: the other's field, ours.
    pub with: Vec<(Name, Name)>,
    /// Fields taken back: ours, the other's.
    pub take: Vec<(Name, Name)>,
}

/// `parallel:`.
#[derive(Debug, Clone)]
pub struct Parallel {
    /// Branch names and their first states, in the author's order.
    pub branches: Vec<(Name, Name)>,
    /// When the ticket goes on.
    pub join: Join,
    /// Where to.
    pub goto: Name,
}

/// When a parallel state is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// When all branches have ended.
    All,
    /// When the first has ended; the others are given up.
    Any,
}

/// `every:`. Evaluated outside the core (the dsl's `cron` module), which knows the zone rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    /// Its name; the opened tickets carry it in their key.
    pub name: Name,
    /// Five fields: minute, hour, day of month, month, day of week.
    pub cron: Name,
    /// Zone by name.
    pub zone: Name,
    /// Fields of the opened ticket.
    pub set: Vec<(Name, Value)>,
    /// Where it stands.
    pub place: Place,
}

impl State {
    /// Every state that this one can lead to by itself, by an action, by a join or as a branch.
    pub fn leads_to(&self) -> Vec<&Name> {
        match &self.kind {
            StateKind::End { .. } => Vec::new(),
            StateKind::Choose { cases, otherwise } => {
                let cases = cases.iter().map(|(_, goto)| goto);
                cases.chain([otherwise]).collect()
            }
            StateKind::Work(work) => {
                let actions = work.actions.iter().map(|action| &action.goto);
                let after = work.after.iter().map(|after| &after.goto);
                let mut all: Vec<&Name> = actions.chain(after).collect();
                if let Some(Doing::Parallel(parallel)) = &work.doing {
                    all.extend(parallel.branches.iter().map(|(_, first)| first));
                    all.push(&parallel.goto);
                }
                all
            }
        }
    }
}

impl Workflow {
    /// Whether a ticket can be in `state` before it was in any of `others`, by the states' own ways.
    pub fn comes_before(&self, state: &Name, others: &BTreeSet<Name>) -> bool {
        let mut seen = BTreeSet::new();
        let mut ahead = vec![&self.start];
        while let Some(name) = ahead.pop() {
            if others.contains(name) || !seen.insert(name) {
                continue;
            }
            if name == state {
                return true;
            }
            if let Some(found) = self.states.get(name) {
                ahead.extend(found.leads_to());
            }
        }
        false
    }

    /// The working part of a state; `None` for a choice, an end, or an unknown name.
    pub fn work(&self, state: &str) -> Option<&Work> {
        match &self.states.get(state)?.kind {
            StateKind::Work(work) => Some(work),
            StateKind::Choose { .. } | StateKind::End { .. } => None,
        }
    }
}

impl Work {
    /// The action of this name.
    pub fn action(&self, name: &str) -> Option<&Action> {
        self.actions
            .iter()
            .find(|action| action.name.as_str() == name)
    }

    /// Whether the state watches somebody who took the ticket, rather than offering it to somebody: such
    /// a state's ladder runs against silence, and a sign of life restarts it.
    pub fn watches(&self) -> bool {
        match &self.assign {
            None => true,
            Some(assign) => matches!(
                assign.who.base,
                crate::Base::WhoDid(_) | crate::Base::Assignee | crate::Base::Opener
            ),
        }
    }
}
