//! What is wrong around the daemon for as long as it is: the mail server is gone, a template is broken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// What an operator must see to, by its code: it is in the log when it begins, in `/readyz` while it lasts,
/// and in the log again when it is over.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    all: Arc<Mutex<BTreeMap<&'static str, String>>>,
    changed: Arc<Notify>,
}

impl Alarms {
    /// Something is wrong. Said again, it is not logged again.
    pub fn raise(&self, code: &'static str, why: &str) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.insert(code, why.to_owned());
        if before.is_none_or(|before| before != why) {
            tracing::error!(
                code = "alarm",
                alarm = code,
                why,
                "an operator must look at this"
            );
            self.change();
        }
    }

    /// It is right again.
    pub fn clear(&self, code: &'static str) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.remove(code).is_some() {
            tracing::info!(code = "alarm-over", alarm = code, "it is right again");
            self.change();
        }
    }

    /// Something that lasts has begun or is over, here or beside the alarms.
    pub(crate) fn change(&self) {
        self.changed.notify_one();
    }

    /// Waits for the next change; one that came since the last wait counts. For one listener.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// What is wrong now.
    #[must_use]
    pub fn current(&self) -> Vec<(&'static str, String)> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(code, why)| (*code, why.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_lasts_until_it_is_cleared() {
        let alarms = Alarms::default();
        let other = alarms.clone();
        alarms.raise("mail", "no connection");
        alarms.raise("mail", "refused");
        assert_eq!(other.current(), [("mail", "refused".to_owned())]);
        other.clear("mail");
        assert_eq!(alarms.current(), []);
    }
}
