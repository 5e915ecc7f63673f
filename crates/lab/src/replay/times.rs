//! The times of a log: from text to instants.

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::fmt::strtime::BrokenDownTime;
use jiff::fmt::temporal::Pieces;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::render::clock_time;

/// The first year of which a log may tell; earlier times are mistakes, such as an empty date's 1900-01-01.
pub const FIRST_YEAR: i16 = 1970;
/// The last year of which a log may tell; later times are mistakes, such as the 9999-12-31 of "never".
pub const LAST_YEAR: i16 = 2199;

/// How a log writes its times.
#[derive(Debug, Clone)]
pub struct Times {
    /// The notation.
    pub notation: Notation,
    /// The zone of times that have no offset; `None` if each must have one.
    pub zone: Option<TimeZone>,
}

/// The notation of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notation {
    /// ISO 8601: `2010-03-31T15:59:42+01:00`, `2010-03-31 15:59Z`, or without an offset.
    Iso,
    /// A pattern of `%` letters: `%d.%m.%Y %H:%M`.
    Pattern(String),
    /// Seconds since 1970-01-01 00:00 UTC; a fraction is allowed.
    UnixSeconds,
    /// Milliseconds since then.
    UnixMillis,
}

/// How a local time met a change of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockChange {
    /// It met none.
    None,
    /// The zone had this time twice; it was read as the first.
    Twice,
    /// The zone skipped this time; it was read as the first one after the skip.
    Skipped,
}

/// Why a text is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeFault {
    /// Not in the notation.
    #[error("is not {expected}")]
    Unreadable {
        /// What is meant, with an example.
        expected: String,
    },
    /// Readable, but without an offset and with no zone given.
    #[error("has no offset from UTC, and the mapping names no zone")]
    NoZone,
    /// Before [`FIRST_YEAR`] or after [`LAST_YEAR`].
    #[error("is outside the years {FIRST_YEAR} to {LAST_YEAR}")]
    OutOfRange,
}

impl Times {
    /// Reads one time.
    ///
    /// # Errors
    /// [`TimeFault`] says what is expected.
    ///
    /// ```
    /// use upline_lab::replay::{ClockChange, Notation, Times};
    /// let times = Times { notation: Notation::Iso, zone: None };
    /// let (at, change) = times.read("2010-03-31T15:59:42+01:00")?;
    /// assert_eq!(at.to_string(), "2010-03-31T14:59:42Z");
    /// assert_eq!(change, ClockChange::None);
    /// # Ok::<(), upline_lab::replay::TimeFault>(())
    /// ```
    pub fn read(&self, text: &str) -> Result<(Timestamp, ClockChange), TimeFault> {
        let text = text.trim();
        let exact = |at: Option<Timestamp>| Some((at?, ClockChange::None));
        let read = match &self.notation {
            Notation::Iso => match text.parse::<Timestamp>() {
                Ok(at) => exact(Some(at)),
                Err(_) => match Pieces::parse(text) {
                    Err(_) => None,
                    // An offset, and yet no instant: beyond the last one there is.
                    Ok(pieces) if pieces.offset().is_some() => return Err(TimeFault::OutOfRange),
                    Ok(pieces) => {
                        let time = pieces.time().unwrap_or(Time::midnight());
                        Some(self.local(pieces.date().to_datetime(time))?)
                    }
                },
            },
            Notation::Pattern(pattern) => match BrokenDownTime::parse(pattern, text) {
                Err(_) => None,
                Ok(parts) if parts.offset().is_some() => exact(parts.to_timestamp().ok()),
                Ok(parts) => {
                    let local = parts.to_datetime().ok();
                    local.map(|local| self.local(local)).transpose()?
                }
            },
            Notation::UnixSeconds => exact(unix(text, 1_000_000_000)),
            Notation::UnixMillis => exact(unix(text, 1_000_000)),
        };
        let (at, change) = read.ok_or_else(|| TimeFault::Unreadable {
            expected: self.notation.expected(),
        })?;
        let year = Offset::UTC.to_datetime(at).year();
        match (FIRST_YEAR..=LAST_YEAR).contains(&year) {
            true => Ok((at, change)),
            false => Err(TimeFault::OutOfRange),
        }
    }

    /// The first instant at which the wall clock shows this time or a later one, as everywhere in Upline.
    fn local(&self, local: DateTime) -> Result<(Timestamp, ClockChange), TimeFault> {
        let zone = self.zone.as_ref().ok_or(TimeFault::NoZone)?;
        let at = |offset: Offset| {
            offset
                .to_timestamp(local)
                .map_err(|_| TimeFault::OutOfRange)
        };
        Ok(match zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => (at(offset)?, ClockChange::None),
            AmbiguousOffset::Fold { before, .. } => (at(before)?, ClockChange::Twice),
            AmbiguousOffset::Gap { before, after } => {
                let change = zone.following(at(after)?).next();
                let change = change.map_or(at(before)?, |change| change.timestamp());
                (change, ClockChange::Skipped)
            }
        })
    }
}

/// A time as people read it: by the clocks of the zone, or with the offset from UTC.
pub(super) fn written(at: Timestamp, zone: Option<&TimeZone>) -> String {
    let Some(zone) = zone else {
        return at.to_string();
    };
    let local = zone.to_datetime(at);
    let offset = match zone.to_ambiguous_timestamp(local).is_ambiguous() {
        true => zone.to_offset(at).to_string(),
        false => String::new(),
    };
    format!("{} {}{offset}", local.date(), clock_time(local.time()))
}

impl Notation {
    /// What is meant, with an example.
    fn expected(&self) -> String {
        match self {
            Self::Iso => "a time such as 2010-03-31T15:59:42+01:00".to_owned(),
            Self::Pattern(pattern) => format!("a time like `{pattern}`"),
            Self::UnixSeconds => "a count of seconds since 1970 such as 1270047582".to_owned(),
            Self::UnixMillis => {
                "a count of milliseconds since 1970 such as 1270047582000".to_owned()
            }
        }
    }
}

/// A decimal number of units, exact to the nanosecond.
fn unix(text: &str, nanos_per_unit: i128) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let whole_digits = whole.strip_prefix('-').unwrap_or(whole);
    if whole_digits.is_empty() || !digits(whole_digits) || !digits(fraction) || text.len() > 40 {
        return None;
    }
    let mut nanos = whole.parse::<i128>().ok()?.checked_mul(nanos_per_unit)?;
    let mut unit = nanos_per_unit;
    for digit in fraction.bytes() {
        unit /= 10;
        let part = i128::from(digit - b'0') * unit;
        nanos += if whole.starts_with('-') { -part } else { part };
    }
    Timestamp::from_nanosecond(nanos).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn times(notation: Notation, zone: Option<&str>) -> Times {
        let zone = zone.map(|zone| TimeZone::get(zone).unwrap());
        Times { notation, zone }
    }

    fn read(times: &Times, text: &str) -> String {
        match times.read(text) {
            Ok((at, ClockChange::None)) => at.to_string(),
            Ok((at, change)) => format!("{at} {change:?}"),
            Err(fault) => fault.to_string(),
        }
    }

    #[test]
    fn iso_with_and_without_offset() {
        let bare = times(Notation::Iso, None);
        assert_eq!(
            read(&bare, " 2010-03-31T15:59:42+01:00"),
            "2010-03-31T14:59:42Z"
        );
        assert_eq!(read(&bare, "2010-03-31 15:59:42Z"), "2010-03-31T15:59:42Z");
        assert!(read(&bare, "2010-03-31 15:59:42").contains("no offset"));
        assert!(read(&bare, "yesterday").contains("is not a time such as"));
        let brussels = times(Notation::Iso, Some("Europe/Brussels"));
        assert_eq!(read(&brussels, "2010-03-31 15:59"), "2010-03-31T13:59:00Z");
        assert_eq!(
            read(&brussels, "2010-03-31T15:59+09:00"),
            "2010-03-31T06:59:00Z"
        );
    }

    #[test]
    fn a_local_time_means_the_first_instant_that_shows_it_or_a_later_one() {
        let times = times(
            Notation::Pattern("%d.%m.%Y %H:%M".to_owned()),
            Some("Europe/Berlin"),
        );
        assert_eq!(read(&times, "06.03.2026 17:20"), "2026-03-06T16:20:00Z");
        assert_eq!(
            read(&times, "25.10.2026 02:30"),
            "2026-10-25T00:30:00Z Twice"
        );
        assert_eq!(
            read(&times, "29.03.2026 02:30"),
            "2026-03-29T01:00:00Z Skipped"
        );
        assert_eq!(
            read(&times, "31.02.2026 00:00"),
            "is not a time like `%d.%m.%Y %H:%M`"
        );
        assert!(read(&times, "6/3/2026").contains("is not"));
    }

    #[test]
    fn counts_since_1970() {
        let seconds = times(Notation::UnixSeconds, None);
        assert_eq!(read(&seconds, "1270047582"), "2010-03-31T14:59:42Z");
        assert_eq!(read(&seconds, "1270047582.25"), "2010-03-31T14:59:42.25Z");
        let millis = times(Notation::UnixMillis, None);
        assert_eq!(read(&millis, "1270047582250"), "2010-03-31T14:59:42.25Z");
        for text in [
            "",
            "-",
            ".",
            "1e9",
            "99999999999999999999999999999999999999999",
        ] {
            assert!(read(&seconds, text).contains("is not"), "{text}");
        }
    }

    #[test]
    fn far_times_are_mistakes() {
        let times = times(Notation::Iso, None);
        for text in [
            "9999-12-31T00:00Z",
            "1900-01-01T00:00Z",
            "-009999-01-01T00:00Z",
        ] {
            assert!(read(&times, text).contains("outside the years"), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_and_pattern(pattern in "[%a-zA-Z0-9: .:-]{0,12}", text in "[ -~é\u{0}]{0,30}") {
            let zone = Some(TimeZone::get("Europe/Berlin").unwrap());
            for notation in [Notation::Iso, Notation::UnixSeconds, Notation::UnixMillis,
                Notation::Pattern(pattern)] {
                let _ = Times { notation, zone: zone.clone() }.read(&text);
            }
        }
    }
}
