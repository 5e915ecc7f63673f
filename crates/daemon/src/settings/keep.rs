//! For how long history is kept.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use upline::store::log::MIN_HISTORY;

/// Seconds of a day.
const DAY: u64 = 24 * 3600;
/// Most days that can be said: a hundred years.
const MAX_DAYS: u64 = 36_525;

/// For how long what has ended is kept: `90 days`, or `for ever`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeepHistory(Option<Duration>);

impl KeepHistory {
    /// How long; `None`: for ever.
    #[must_use]
    pub fn time(self) -> Option<Duration> {
        self.0
    }
}

impl fmt::Display for KeepHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("for ever"),
            Some(time) => write!(f, "{} days", time.as_secs() / DAY),
        }
    }
}

impl FromStr for KeepHistory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "for ever" {
            return Ok(Self(None));
        }
        let days = text.strip_suffix("days").unwrap_or(text).trim();
        let days: Option<u64> = days.parse().ok().filter(|days| *days <= MAX_DAYS);
        let time = days.map(|days| Duration::from_secs(days * DAY));
        let least = MIN_HISTORY.as_secs() / DAY;
        time.filter(|time| *time >= MIN_HISTORY)
            .map(|time| Self(Some(time)))
            .ok_or_else(|| format!("it must be `for ever`, or `{least} days` to `{MAX_DAYS} days`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_shown() {
        for text in ["for ever", "7 days", "36525 days"] {
            assert_eq!(text.parse::<KeepHistory>().unwrap().to_string(), text);
        }
        assert_eq!("90".parse::<KeepHistory>().unwrap().to_string(), "90 days");
        for wrong in [
            "",
            "6 days",
            "36526",
            "-1",
            "90 hours",
            "18446744073709551615 days",
        ] {
            assert!(wrong.parse::<KeepHistory>().is_err(), "{wrong}");
        }
    }
}
