//! Tickets that open by themselves: `every:` of a workflow.

use std::sync::Arc;

use jiff::Timestamp;
use upline_core::workflow::Every;
use upline_core::{Actor, Command, Name, Wish, Workflow};

use super::Workflows;

/// All `every:` of all workflows.
#[derive(Debug, Clone)]
pub struct Openings(Arc<Vec<(Arc<Workflow>, Every)>>);

impl Openings {
    /// Those of the newest version of each workflow.
    pub fn new(workflows: &Workflows) -> Self {
        let all = workflows.iter().flat_map(|workflow| {
            let every = workflow.every.iter();
            every.map(|every| (Arc::clone(workflow), every.clone()))
        });
        Self(Arc::new(all.collect()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no workflow opens tickets by itself.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How the author called it.
    pub fn name(&self, index: usize) -> Name {
        self.0[index].1.name.clone()
    }

    /// When the next ticket opens after `after`.
    pub fn next(&self, index: usize, after: Timestamp) -> Option<Timestamp> {
        upline_dsl::cron::next_after(&self.0[index].1, after)
    }

    /// What opens the ticket of `due`. Its name and key are made of that instant, so that an opening told
    /// twice is one ticket.
    pub fn command(&self, index: usize, due: Timestamp) -> (Name, Command) {
        let (workflow, every) = &self.0[index];
        let key = Name::new(format!("{}@{due}", every.name));
        let set = every.set.iter();
        let fields = set.map(|(field, value)| (field.clone(), value.to_string()));
        let command = Command {
            by: Actor::System(every.name.clone()),
            branch: None,
            wish: Wish::Open {
                ticket: Name::new(format!("{}-{key}", workflow.name)),
                key: Some(key),
                parent: None,
                fields: fields.collect(),
            },
        };
        (workflow.name.clone(), command)
    }
}
