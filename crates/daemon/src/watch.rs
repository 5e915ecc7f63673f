//! What the operator must know: incidents, logged and counted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use upline::Incident;

use crate::alarms::Alarms;
use crate::mailbox::Figures;
use crate::tell::Tries;

/// The kinds of incidents, in the order of their counters.
pub(crate) const KINDS: [&str; 9] = [
    "set-aside",
    "store",
    "gap",
    "index",
    "overdue",
    "outbox",
    "refused",
    "disk-full",
    "other",
];

/// The alarm of a full disk. It is a reason of `/readyz`, not a warning.
pub(crate) const DISK_FULL: &str = "disk-full";

/// What it says.
pub(crate) const DISK_IS_FULL: &str = "the disk is full, and commands are refused: make room on it, and it \
    goes on by itself within seconds";

/// What is wrong with the files of the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilesFault {
    /// In one line: the first mistake.
    pub(crate) first: String,
    /// Each mistake as the log has it.
    pub(crate) mistakes: Vec<String>,
}

/// The code of the warning that files have mistakes.
pub(crate) const FILES: &str = "files";

/// What happened since the start.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    incidents: [AtomicU64; KINDS.len()],
    /// What is wrong with the files of the folder, while those that held before hold on.
    files: Mutex<Option<FilesFault>>,
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
        match incident {
            // These are in the log as alarms: they last.
            Incident::Full { over: true } => return self.alarms.clear(DISK_FULL),
            Incident::Full { over: false } => self.alarms.raise(DISK_FULL, DISK_IS_FULL),
            _ => (),
        }
        let kind = match incident {
            Incident::SetAside { .. } => 0,
            Incident::Store { .. } => 1,
            Incident::Gap(_) => 2,
            Incident::Index { .. } => 3,
            Incident::Overdue { .. } => 4,
            Incident::Outbox { .. } => 5,
            Incident::Refused { .. } => 6,
            Incident::Full { .. } => 7,
            _ => 8,
        };
        self.incidents[kind].fetch_add(1, Ordering::Relaxed);
        if matches!(incident, Incident::Full { .. }) {
            return;
        }
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

    /// Whether the disk is full, as far as the engine has told.
    pub(crate) fn is_disk_full(&self) -> bool {
        let all = self.alarms.current();
        all.iter().any(|(code, _)| *code == DISK_FULL)
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
    pub(crate) fn set_files_fault(&self, fault: Option<FilesFault>) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if *files != fault {
            *files = fault;
            self.alarms.change();
        }
    }

    pub(crate) fn files_fault(&self) -> Option<FilesFault> {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.clone()
    }

    /// All that is wrong around the daemon now, by its code, each with what the log says.
    pub(crate) fn troubles(&self) -> BTreeMap<&'static str, String> {
        let mut troubles: BTreeMap<_, _> = self.alarms.current().into_iter().collect();
        if let Some(fault) = self.files_fault() {
            let told = match fault.mistakes.is_empty() {
                true => fault.first,
                false => fault.mistakes.join("\n\n"),
            };
            troubles.insert(FILES, told);
        }
        troubles
    }
}
