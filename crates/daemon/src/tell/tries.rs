//! Why messages that wait have not gone yet. The journal has the fate of a message, not each try.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use upline::core::Name;
use upline::notify::{Message, SendError};

/// Most messages of which the last failure is remembered; of the others, the journal has what became of them.
pub const MAX_REMEMBERED: usize = 10_000;

/// The last failure of each message, since the start.
#[derive(Debug, Clone)]
pub struct Tries {
    last: Arc<Mutex<LruCache<String, Try>>>,
    /// How many tries have failed by each channel.
    failed: Arc<Mutex<BTreeMap<Name, u64>>>,
}

/// A try that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// Its number, from 1.
    pub number: u32,
    /// What the peer said.
    pub why: String,
}

impl Default for Tries {
    fn default() -> Self {
        let most = NonZeroUsize::new(MAX_REMEMBERED).unwrap_or(NonZeroUsize::MIN);
        Self {
            last: Arc::new(Mutex::new(LruCache::new(most))),
            failed: Arc::default(),
        }
    }
}

impl Tries {
    /// What came of a try.
    pub(crate) fn note(&self, message: &Message, result: &Result<(), SendError>) {
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if result.is_err() {
            let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
            *failed.entry(message.via.clone()).or_default() += 1;
        }
        match result {
            Ok(()) => drop(all.pop(&message.key)),
            Err(error) => {
                let number = message.attempt;
                let why = error.to_string();
                all.put(message.key.clone(), Try { number, why });
            }
        }
    }

    /// How many tries have failed since the start, by each channel that any has failed by.
    pub(crate) fn failed(&self) -> BTreeMap<Name, u64> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.clone()
    }

    /// The last failure of the message with this key, if it has failed since the start.
    #[must_use]
    pub fn last(&self, key: &str) -> Option<Try> {
        let all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        all.peek(key).cloned()
    }
}
