//! [`Span`]: how long something may take, as an author writes it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Seconds in a minute, an hour and a day.
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The longest span in days: a leap year of working days, or of days around the clock.
pub const MAX_SPAN_DAYS: u32 = 366;

/// The longest span in seconds: 366 days. In a calendar these are seconds of open time.
pub const MAX_SPAN_SECONDS: i64 = MAX_SPAN_DAYS as i64 * DAY;

/// How long: `15 min`, `8 h`, `3 days`, `3 days around the clock`.
///
/// A span has no length of its own, because it counts in a calendar: see
/// [`Calendar::after`](crate::Calendar::after). `8 h` is eight open hours; `3 days` is three working
/// days further, at the same time of day. `around the clock` counts physical time, and a day is 24 hours.
///
/// [`Span::new`] lets only positive spans within the limits through. The fields are open, so that a span
/// can be computed with; one that is not positive is over as soon as it begins.
///
/// ```
/// use upline_core::Span;
/// assert_eq!(Span::minutes(90).to_string(), "1 h 30 min");
/// assert_eq!(Span::days(3).around_the_clock().to_string(), "3 days around the clock");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// How many of what.
    pub count: SpanCount,
    /// Counts nights, weekends and holidays too.
    pub around_the_clock: bool,
}

/// What a [`Span`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SpanCount {
    /// Hours, minutes and seconds.
    Time {
        /// In seconds.
        seconds: i64,
    },
    /// Working days of the calendar; around the clock, days of 24 hours.
    Days {
        /// How many.
        days: u32,
    },
}

/// Why a span can't be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing, or less than nothing.
    #[error("a span must be longer than nothing")]
    NotPositive,
    /// Longer than [`MAX_SPAN_SECONDS`] or [`MAX_SPAN_DAYS`].
    #[error("a span must not be longer than {MAX_SPAN_DAYS} days")]
    TooLong,
}

/// Not the canonical phrase of a span, as `15 min`, `1 h 30 min` or `3 days around the clock`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a span in its canonical form")]
pub struct NotCanonical;

impl Span {
    /// A span within the limits.
    ///
    /// # Errors
    ///
    /// [`SpanError`] if it is not positive or too long.
    pub const fn new(count: SpanCount, around_the_clock: bool) -> Result<Self, SpanError> {
        let (positive, short) = match count {
            SpanCount::Time { seconds } => (seconds > 0, seconds <= MAX_SPAN_SECONDS),
            SpanCount::Days { days } => (days > 0, days <= MAX_SPAN_DAYS),
        };
        if !positive {
            return Err(SpanError::NotPositive);
        }
        if !short {
            return Err(SpanError::TooLong);
        }
        Ok(Self {
            count,
            around_the_clock,
        })
    }

    /// So many seconds of open time. The limits are not checked.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        Self {
            count: SpanCount::Time { seconds },
            around_the_clock: false,
        }
    }

    /// So many minutes of open time. The limits are not checked.
    #[must_use]
    pub const fn minutes(minutes: u32) -> Self {
        Self::seconds(minutes as i64 * MINUTE)
    }

    /// So many hours of open time. The limits are not checked.
    #[must_use]
    pub const fn hours(hours: u32) -> Self {
        Self::seconds(hours as i64 * HOUR)
    }

    /// So many working days. The limits are not checked.
    #[must_use]
    pub const fn days(days: u32) -> Self {
        Self {
            count: SpanCount::Days { days },
            around_the_clock: false,
        }
    }

    /// The same count in physical time.
    #[must_use]
    pub const fn around_the_clock(self) -> Self {
        Self {
            count: self.count,
            around_the_clock: true,
        }
    }

    /// How many seconds of physical time it takes at least: a working day may be a minute long, so for
    /// working days it is 0. For a span around the clock this is its exact length.
    #[must_use]
    pub const fn at_least_seconds(self) -> i64 {
        match self.count {
            SpanCount::Time { seconds } => seconds,
            SpanCount::Days { days } if self.around_the_clock => days as i64 * DAY,
            SpanCount::Days { .. } => 0,
        }
    }
}

/// Prints the author's phrase in its canonical form.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            SpanCount::Time { seconds } => fmt_seconds(seconds, f)?,
            SpanCount::Days { days: 1 } => f.write_str("1 day")?,
            SpanCount::Days { days } => write!(f, "{days} days")?,
        }
        if self.around_the_clock {
            f.write_str(" around the clock")?;
        }
        Ok(())
    }
}

fn fmt_seconds(seconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if seconds < 0 {
        f.write_str("-")?;
    }
    let all = seconds.unsigned_abs();
    let parts = [(all / 3600, "h"), (all / 60 % 60, "min"), (all % 60, "s")];
    let mut first = true;
    for (count, unit) in parts {
        if count > 0 {
            write!(f, "{}{count} {unit}", if first { "" } else { " " })?;
            first = false;
        }
    }
    if first { f.write_str("0 s") } else { Ok(()) }
}

/// Reads the canonical phrase back, and nothing else: authors' phrases are read by `upline-dsl`.
///
/// The limits are not checked, because a journal must stay readable whatever was computed.
impl FromStr for Span {
    type Err = NotCanonical;

    fn from_str(phrase: &str) -> Result<Self, NotCanonical> {
        let (phrase, around_the_clock) = match phrase.strip_suffix(" around the clock") {
            Some(count) => (count, true),
            None => (phrase, false),
        };
        let (negative, text) = phrase
            .strip_prefix('-')
            .map_or((false, phrase), |text| (true, text));
        let mut words = text.split(' ');
        let mut seconds = 0i128;
        let mut days = None;
        while let Some(count) = words.next() {
            let count: u64 = count.parse().map_err(|_| NotCanonical)?;
            match words.next() {
                Some("h") => seconds += i128::from(count) * i128::from(HOUR),
                Some("min") => seconds += i128::from(count) * i128::from(MINUTE),
                Some("s") => seconds += i128::from(count),
                Some("day" | "days") => days = Some(count),
                _ => return Err(NotCanonical),
            }
        }
        let count = match days {
            Some(days) => SpanCount::Days {
                days: days.try_into().map_err(|_| NotCanonical)?,
            },
            None => {
                let seconds = if negative { -seconds } else { seconds };
                SpanCount::Time {
                    seconds: seconds.try_into().map_err(|_| NotCanonical)?,
                }
            }
        };
        let span = Self {
            count,
            around_the_clock,
        };
        // One phrase for each span: `90 min`, `1 day 3 h` and `+15 min` are not what is written.
        let canonical = span.to_string();
        let same = canonical
            .strip_suffix(" around the clock")
            .unwrap_or(&canonical)
            == phrase;
        if same { Ok(span) } else { Err(NotCanonical) }
    }
}

/// Journals that people read say what the author wrote: the phrase. Others hold the count.
impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.count, self.around_the_clock).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Phrase)
        } else {
            let (count, around_the_clock) = Deserialize::deserialize(deserializer)?;
            Ok(Self {
                count,
                around_the_clock,
            })
        }
    }
}

struct Phrase;

impl de::Visitor<'_> for Phrase {
    type Value = Span;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a span such as \"15 min\"")
    }

    fn visit_str<E: de::Error>(self, phrase: &str) -> Result<Span, E> {
        phrase.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_the_phrase_and_reads_it_back() {
        let phrases = [
            (Span::minutes(15), "15 min"),
            (Span::minutes(90), "1 h 30 min"),
            (Span::hours(8), "8 h"),
            (Span::hours(36).around_the_clock(), "36 h around the clock"),
            (Span::seconds(3605), "1 h 5 s"),
            (Span::days(1), "1 day"),
            (Span::days(3), "3 days"),
            (Span::days(3).around_the_clock(), "3 days around the clock"),
            (Span::seconds(0), "0 s"),
            (Span::seconds(i64::MIN), "-2562047788015215 h 30 min 8 s"),
        ];
        for (span, phrase) in phrases {
            assert_eq!(span.to_string(), phrase);
            assert_eq!(phrase.parse(), Ok(span));
            let journal = serde_json::to_string(&span).unwrap();
            assert_eq!(journal, format!("\"{phrase}\""));
            assert_eq!(serde_json::from_str::<Span>(&journal).unwrap(), span);
        }
        let wrong = [
            "",
            " ",
            "15",
            "min",
            "15min",
            "90 min",
            "1 days",
            "2 day",
            "-3 days",
            "3 days 1 h",
            "0 h",
            "1 h 0 min",
            "5 s 1 h",
            "+15 min",
            "015 min",
            "15 min ",
            "99999999999999999999 s",
            "4294967296 days",
            "9223372036854775807 h",
            "8 h around the clock around the clock",
            "8 Stunden",
        ];
        for phrase in wrong {
            assert_eq!(phrase.parse::<Span>(), Err(NotCanonical), "{phrase:?}");
        }
    }

    #[test]
    fn the_limits_hold() {
        let new = |seconds| Span::new(SpanCount::Time { seconds }, false);
        assert_eq!(new(0), Err(SpanError::NotPositive));
        assert_eq!(new(-5), Err(SpanError::NotPositive));
        assert_eq!(new(MAX_SPAN_SECONDS + 1), Err(SpanError::TooLong));
        assert_eq!(new(MAX_SPAN_SECONDS), Ok(Span::seconds(MAX_SPAN_SECONDS)));
        let days = |days| Span::new(SpanCount::Days { days }, true);
        assert_eq!(days(0), Err(SpanError::NotPositive));
        assert_eq!(days(367), Err(SpanError::TooLong));
        assert_eq!(days(366), Ok(Span::days(366).around_the_clock()));
    }
}
