//! A ticket as one caller meets it.

use std::sync::Arc;

use jiff::tz::TimeZone;
use upline_core::decide::{Possible, concerns, possible};
use upline_core::{Actor, Directory, Ticket, Workflow};

use super::{Fault, Floor};

/// A ticket as one caller meets it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Met {
    /// The ticket.
    pub ticket: Ticket,
    /// The version of the workflow that it keeps.
    pub workflow: Arc<Workflow>,
    /// The time zone of the workflow's calendar, else UTC.
    pub zone: TimeZone,
    /// Whether the ticket has to do with the caller; see [`concerns`].
    pub concerns: bool,
    /// What the caller could do to it now; see [`possible`]. Nothing, if it is set aside.
    pub possible: Vec<Possible>,
}

impl Floor {
    /// The people as they are now.
    pub(crate) fn directory(&self) -> Option<Arc<Directory>> {
        self.directory.clone()
    }

    /// A ticket, open or ended, as this caller meets it.
    pub(crate) fn meet(&self, ticket: Ticket, by: &Actor) -> Result<Met, Fault> {
        let found = self.workflows.version(&ticket.workflow, ticket.version);
        let workflow = found.cloned().ok_or_else(|| Fault::no_version(&ticket))?;
        let context = self.context(&workflow)?;
        let calendar = workflow.calendar.as_ref();
        let calendar = calendar.and_then(|name| context.directory.calendars.get(name));
        let zone = calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone());
        let aside = self.find_id(&ticket.id);
        let aside = aside.is_some_and(|number| self.set_aside.contains_key(&number));
        let concerns = concerns(context.directory, &ticket, by);
        let possible = match aside {
            true => Vec::new(),
            false => possible(&context, &ticket, by),
        };
        Ok(Met {
            zone,
            concerns,
            possible,
            workflow,
            ticket,
        })
    }
}
