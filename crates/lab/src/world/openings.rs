//! Tickets that open by themselves: `every:` of a workflow.

use std::sync::Arc;

use jiff::Timestamp;
use upline_core::workflow::Every;
use upline_core::{Actor, Command, Name, Wish, Workflow};

use super::Workflows;

/// All `every:` of all workflows.
#[derive(Debug, Clone)]
pub(super) struct Openings(Arc<Vec<(Arc<Workflow>, Every)>>);

impl Openings {
    pub(super) fn new(workflows: &Workflows) -> Self {
        let all = workflows.iter().flat_map(|workflow| {
            let every = workflow.every.iter();
            every.map(|every| (Arc::clone(workflow), every.clone()))
        });
        Self(Arc::new(all.collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn name(&self, index: usize) -> Name {
        self.0[index].1.name.clone()
    }

    /// When the next ticket opens after `after`.
    pub(super) fn next(&self, index: usize, after: Timestamp) -> Option<Timestamp> {
        upline_dsl::cron::next_after(&self.0[index].1, after)
    }

    /// What opens the ticket of `due`. Its name and key are made of that instant, so that an opening told
    /// twice is one ticket.
    pub(super) fn command(&self, index: usize, due: Timestamp) -> (Name, Command) {
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
