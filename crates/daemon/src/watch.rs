//! What the operator must know: incidents, logged and counted.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use upline::Incident;

use crate::alarms::Alarms;
use crate::mailbox::Figures;
use crate::tell::Tries;

/// The kinds of incidents, in the order of their counters.
pub(crate) const KINDS: [&str; 8] = [
    "set-aside",
    "store",
    "gap",
    "index",
    "overdue",
    "outbox",
    "refused",
    "other",
];

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    incidents: [AtomicU64; KINDS.len()],
    /// What is wrong with the files of the folder, while those that held before hold on.
    files: Mutex<Option<String>>,
    alarms: Alarms,
    tries: Tries,
    mailboxes: Figures,
}

impl Watch {
    /// The way in for the engine; it is called in the writer's thread.
    pub(crate) fn listener(self: &Arc<Self>) -> impl FnMut(Incident) + Send + 'static {
        let watch = Arc::clone(self);
        move |incident| watch.tell(&incident)
    }

    fn tell(&self, incident: &Incident) {
        let kind = match incident {
            Incident::SetAside { .. } => 0,
            Incident::Store { .. } => 1,
            Incident::Gap(_) => 2,
            Incident::Index { .. } => 3,
            Incident::Overdue { .. } => 4,
            Incident::Outbox { .. } => 5,
            Incident::Refused { .. } => 6,
            _ => 7,
        };
        self.incidents[kind].fetch_add(1, Ordering::Relaxed);
        tracing::error!(
            code = "incident",
            kind = KINDS[kind],
            incident = ?incident,
            "an operator must look at this"
        );
    }

    /// How many incidents there were, by kind.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.incidents.iter();
        let counts = counts.map(|count| count.load(Ordering::Relaxed));
        KINDS.into_iter().zip(counts)
    }

    /// What is wrong around the daemon for as long as it is.
    pub(crate) fn alarms(&self) -> &Alarms {
        &self.alarms
    }

    /// Why messages that wait have not gone yet.
    pub(crate) fn tries(&self) -> &Tries {
        &self.tries
    }

    /// How the mailboxes are.
    pub(crate) fn mailboxes(&self) -> &Figures {
        &self.mailboxes
    }

    /// The files of the folder can't be used; `None`: they can.
    pub(crate) fn set_files_fault(&self, fault: Option<String>) {
        *self.files.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    pub(crate) fn files_fault(&self) -> Option<String> {
        self.files
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
