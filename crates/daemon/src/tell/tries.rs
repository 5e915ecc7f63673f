//! Why messages that wait have not gone yet. The journal has the fate of a message, not each try.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use lru::LruCache;
use upline::notify::{Message, SendError};

/// Most messages of which the last failure is remembered; of the others, the journal has what became of them.
pub const MAX_REMEMBERED: usize = 10_000;

/// The last failure of each message, since the start.
#[derive(Debug, Clone)]
pub struct Tries(Arc<Mutex<LruCache<String, Try>>>);

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
        Self(Arc::new(Mutex::new(LruCache::new(most))))
    }
}

impl Tries {
    /// What came of a try.
    pub(crate) fn note(&self, message: &Message, result: &Result<(), SendError>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match result {
            Ok(()) => drop(all.pop(&message.key)),
            Err(error) => {
                let number = message.attempt;
                let why = error.to_string();
                all.put(message.key.clone(), Try { number, why });
            }
        }
    }

    /// The last failure of the message with this key, if it has failed since the start.
    #[must_use]
    pub fn last(&self, key: &str) -> Option<Try> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.peek(key).cloned()
    }
}
