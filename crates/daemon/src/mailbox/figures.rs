//! How the mailboxes are: for `/readyz`, `/metrics`, and people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use upline::core::Name;

/// What became of a mail, in the order of the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Became {
    /// It opened a ticket.
    Opened,
    /// It is a comment.
    Said,
    /// It was a word of command, or what was awaited, and done.
    Acted,
    /// It was put aside.
    Aside,
}

/// The words for what became of mails, in the order of [`Became`].
pub(crate) const BECAME: [&str; 4] = ["opened", "said", "acted", "aside"];

/// One mailbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figure {
    /// What is wrong with it now.
    pub(crate) fault: Option<String>,
    /// Mails, by what became of them.
    pub(crate) mails: [u64; BECAME.len()],
    /// Reports that a mail about a ticket was not delivered.
    pub(crate) bounced: u64,
}

/// All mailboxes. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<BTreeMap<Name, Figure>>>);

impl Figures {
    /// How each is.
    pub(crate) fn all(&self) -> BTreeMap<Name, Figure> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    }

    fn change(&self, mailbox: &Name, change: impl FnOnce(&mut Figure)) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(all.entry(mailbox.clone()).or_default());
    }

    pub(crate) fn count(&self, mailbox: &Name, became: Became) {
        self.change(mailbox, |figure| {
            if let Some(count) = figure.mails.get_mut(became as usize) {
                *count += 1;
            }
        });
    }

    pub(crate) fn bounced(&self, mailbox: &Name) {
        self.change(mailbox, |figure| figure.bounced += 1);
    }

    /// What is wrong with a mailbox, or that nothing is. Said again, it is not logged again.
    pub(crate) fn set_fault(&self, mailbox: &Name, fault: Option<String>) {
        self.change(mailbox, |figure| {
            match (&figure.fault, &fault) {
                (before, Some(why)) if before.as_ref() != Some(why) => {
                    tracing::error!(
                        code = "mailbox",
                        mailbox = %mailbox,
                        why = %why,
                        "mail waits: an operator must look at this"
                    );
                }
                (Some(_), None) => {
                    tracing::info!(
                        code = "mailbox-over",
                        mailbox = %mailbox,
                        "mail is taken again"
                    );
                }
                _ => (),
            }
            figure.fault = fault;
        });
    }
}
