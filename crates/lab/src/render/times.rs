//! Times as people read them, short where that can't be mistaken.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use super::Language;

/// Days after a known date within which a weekday names one day only.
const UNMISTAKABLE_DAYS: i64 = 6;

/// Writes the times of a journal in one zone.
///
/// `Fri 17:20` stands for a day only if the reader knows which Friday: it lies within six days after the
/// last date that was written in full. Otherwise the date is written, and the reader knows that one from
/// then on.
#[derive(Debug, Clone)]
pub struct Times {
    zone: TimeZone,
    language: Language,
    known: Option<Date>,
}

impl Times {
    /// Times in this zone; no date is known to the reader yet.
    pub fn new(zone: TimeZone, language: Language) -> Self {
        Self {
            zone,
            language,
            known: None,
        }
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The reader has seen this instant's date.
    pub fn know(&mut self, at: Timestamp) {
        self.known = Some(self.date(at));
    }

    /// The time in front of a line: `Fri 17:20`, or `Fri 2026-03-06 17:20`, which is known from then on.
    pub fn stamp(&mut self, at: Timestamp) -> String {
        let date = self.date(at);
        let short = self.known.is_some_and(|known| is_unmistakable(known, date));
        if !short {
            self.known = Some(date);
        }
        self.written(at, short)
    }

    /// A time within a line about something that happened at `line`.
    pub fn within(&self, line: Timestamp, at: Timestamp) -> String {
        self.written(at, is_unmistakable(self.date(line), self.date(at)))
    }

    /// A time that is told at `now`, before it or after it, which its sentence says.
    pub fn around(&self, now: Timestamp, at: Timestamp) -> String {
        let (now, date) = (self.date(now), self.date(at));
        self.written(at, is_unmistakable(now, date) || is_unmistakable(date, now))
    }

    fn date(&self, at: Timestamp) -> Date {
        self.zone.to_datetime(at).date()
    }

    fn written(&self, at: Timestamp, short: bool) -> String {
        let local = self.zone.to_datetime(at);
        let day = weekday(local.weekday(), self.language);
        let time = clock_time(local.time());
        // The hour that a clock goes back over is there twice: the offset says which one is meant.
        let offset = match self.zone.to_ambiguous_timestamp(local).is_ambiguous() {
            true => self.zone.to_offset(at).to_string(),
            false => String::new(),
        };
        match short {
            true => format!("{day} {time}{offset}"),
            false => format!("{day} {} {time}{offset}", local.date()),
        }
    }
}

fn is_unmistakable(known: Date, date: Date) -> bool {
    let days = i64::from((date - known).get_days());
    (0..=UNMISTAKABLE_DAYS).contains(&days)
}

/// `17:20`, or `17:20:30` when there are seconds.
pub fn clock_time(time: Time) -> String {
    match time.second() {
        0 => time.strftime("%H:%M").to_string(),
        _ => time.strftime("%H:%M:%S").to_string(),
    }
}

fn weekday(day: Weekday, language: Language) -> &'static str {
    let index = usize::from(day.to_monday_zero_offset().unsigned_abs());
    let names = match language {
        Language::English => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        Language::Chinese => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"],
    };
    names[index % names.len()]
}

/// How late something is: as [`duration`], but in days if it is more than a hundred of them.
pub(super) fn lateness(seconds: i64, language: Language) -> String {
    const DAY: i64 = 86_400;
    match (seconds / DAY, language) {
        (..=100, language) => duration(seconds, language),
        (days, Language::English) => format!("{days} days"),
        (days, Language::Chinese) => format!("{days} 天"),
    }
}

/// Seconds as an author writes a span: `1 h 30 min`; Chinese: `1 小时 30 分`.
pub fn duration(seconds: i64, language: Language) -> String {
    let units = match language {
        Language::English => [(" h", 3600), (" min", 60), (" s", 1)],
        Language::Chinese => [(" 小时", 3600), (" 分", 60), (" 秒", 1)],
    };
    let mut rest = seconds.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, size) in units {
        if rest >= size || (size == 1 && parts.is_empty()) {
            parts.push(format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", parts.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lateness_is_told_in_days() {
        let both = |seconds| [Language::English, Language::Chinese].map(|to| lateness(seconds, to));
        assert_eq!(both(188_515_606_000), ["2181893 days", "2181893 天"]);
        assert_eq!(both(100 * 86_400), ["2400 h", "2400 小时"]);
        assert_eq!(both(90), ["1 min 30 s", "1 分 30 秒"]);
    }
}
