//! What transcripts have exercised of the workflows.

use std::collections::BTreeSet;

use upline_core::ticket::Level;
use upline_core::{Fact, Name, Ticket, Workflow};

/// States entered, actions taken and ladder levels reached, by workflow. Adds up over transcripts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Workflow and state.
    pub states: BTreeSet<(Name, Name)>,
    /// Workflow, state and action.
    pub actions: BTreeSet<(Name, Name, Name)>,
    /// Workflow, ladder and level, from 1.
    pub levels: BTreeSet<(Name, Name, u16)>,
}

impl Coverage {
    /// Takes note of an event; `before` is the ticket before it.
    pub fn note(&mut self, before: &Ticket, fact: &Fact) {
        let workflow = || before.workflow.clone();
        let state = |branch: &Name| {
            let position = before.positions.get(branch);
            position
                .map(|position| position.state.clone())
                .unwrap_or_default()
        };
        match fact {
            Fact::Entered { state, .. } => {
                self.states.insert((workflow(), state.clone()));
            }
            Fact::Acted { branch, action, .. } => {
                self.actions
                    .insert((workflow(), state(branch), action.clone()));
            }
            Fact::Ended { state, .. } | Fact::BranchEnded { state, .. } => {
                self.states.insert((workflow(), state.clone()));
            }
            Fact::Hopped(hop) => {
                if let (Some(ladder), Level::Number(level)) = (&hop.ladder, hop.level) {
                    self.levels.insert((workflow(), ladder.clone(), level));
                }
            }
            Fact::LevelReached {
                ladder,
                level: Level::Number(level),
                ..
            } => {
                self.levels.insert((workflow(), ladder.clone(), *level));
            }
            Fact::LevelPassed {
                branch,
                level: Level::Number(level),
                ..
            } => {
                let position = before.positions.get(branch);
                if let Some(ladder) = position.and_then(|position| position.ladder.clone()) {
                    self.levels.insert((workflow(), ladder, *level));
                }
            }
            _ => (),
        }
    }

    /// Adds what another has exercised.
    pub fn merge(&mut self, other: Self) {
        self.states.extend(other.states);
        self.actions.extend(other.actions);
        self.levels.extend(other.levels);
    }

    /// What there is in a workflow, all of it: what a complete set of transcripts would exercise.
    pub fn whole(workflow: &Workflow) -> Self {
        let mut whole = Self::default();
        let name = || workflow.name.clone();
        for state in workflow.states.keys() {
            whole.states.insert((name(), state.clone()));
            let actions = workflow.work(state).map(|work| work.actions.as_slice());
            for action in actions.unwrap_or_default() {
                whole
                    .actions
                    .insert((name(), state.clone(), action.name.clone()));
            }
        }
        for ladder in workflow.ladders.values() {
            for level in (1..).take(ladder.levels.len()) {
                whole.levels.insert((name(), ladder.name.clone(), level));
            }
        }
        whole
    }

    /// What `whole` has and this has not.
    #[must_use]
    pub fn missing(&self, whole: &Self) -> Self {
        Self {
            states: whole.states.difference(&self.states).cloned().collect(),
            actions: whole.actions.difference(&self.actions).cloned().collect(),
            levels: whole.levels.difference(&self.levels).cloned().collect(),
        }
    }

    /// How many states, actions and levels it has.
    pub fn len(&self) -> usize {
        self.states.len() + self.actions.len() + self.levels.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
