//! Tests that an operator asks for: a message to one person by each of his channels, and what became of each.

use std::num::NonZeroU32;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use upline::core::Person;

use super::{Hooks, Language, MailSettings, try_mail};
use crate::limits::{MAX_NOTIFY_TESTS, NOTIFY_TEST_TIME};

/// Sends tests, by the settings that messages go by.
pub(crate) struct Trials {
    mail: Option<MailSettings>,
    rate: DefaultDirectRateLimiter,
}

impl Trials {
    pub(crate) fn new(mail: Option<MailSettings>) -> Self {
        let quota = Quota::per_minute(MAX_NOTIFY_TESTS);
        Self {
            mail,
            rate: RateLimiter::direct(quota),
        }
    }

    /// Counts messages that are to be sent. More than [`MAX_NOTIFY_TESTS`] never go at once.
    ///
    /// # Errors
    /// After how many seconds they may be.
    pub(crate) fn count(&self, messages: NonZeroU32) -> Result<(), u32> {
        let messages = messages.min(MAX_NOTIFY_TESTS);
        let Ok(Err(until)) = self.rate.check_n(messages) else {
            return Ok(());
        };
        let wait = until.wait_time_from(DefaultClock::default().now());
        Err(u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX))
    }

    /// Sends one: the address or the host that has taken it.
    ///
    /// # Errors
    /// Why it did not go, as the peer said it.
    pub(crate) async fn send(
        &self,
        hooks: &Hooks,
        via: &str,
        person: &Person,
        language: Language,
    ) -> Result<String, String> {
        let sending = async {
            let missing = || format!("the channel `{via}` is not set up here");
            match via.strip_prefix("webhook:") {
                Some(name) => {
                    let hook = hooks.get(name).ok_or_else(missing)?;
                    hook.try_out(language).await
                }
                None => {
                    let mail = self.mail.as_ref().filter(|_| via == "mail");
                    let mail = mail.ok_or_else(missing)?;
                    try_mail(mail, person, language, Timestamp::now()).await
                }
            }
        };
        let late = |_| {
            let seconds = NOTIFY_TEST_TIME.as_secs();
            Err(format!("it has not gone within {seconds} s"))
        };
        tokio::time::timeout(NOTIFY_TEST_TIME, sending)
            .await
            .unwrap_or_else(late)
    }
}
