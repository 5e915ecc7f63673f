//! Dates, times of day and hours of the week.

use jiff::civil::{Date, DateTime, Time, Weekday};
use upline_core::calendar::{CalendarError, Opening, WEEKDAYS, Week};

use crate::reader::Reader;
use crate::syntax::{Entry, Kind, Node};
use crate::{Code, Diagnostic, Site};

/// Years that dates may be in: what lies beyond is a slip of the finger.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2199;

/// A date, or a date with a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// `2026-08-01`.
    Day(Date),
    /// `2026-08-01 08:00`.
    Time(DateTime),
}

impl Moment {
    /// A day begins at its midnight.
    pub(super) fn start(self) -> DateTime {
        match self {
            Self::Day(date) => date.to_datetime(Time::midnight()),
            Self::Time(local) => local,
        }
    }
}

/// A date, or a date with a time of day.
pub(super) fn moment(reader: &mut Reader<'_>, node: &Node) -> Option<Moment> {
    let text = reader.text(node, "a day or a time")?;
    let (day, time) = match text.trim().split_once([' ', 'T']) {
        Some((day, time)) => (day, Some(time.trim())),
        None => (text.trim(), None),
    };
    let moment = match (parse_date(day), time) {
        (Some(date), None) => Some(Moment::Day(date)),
        (Some(date), Some(time)) => parse_time(time).and_then(|seconds| match seconds {
            86_400 => Some(Moment::Time(
                date.tomorrow().ok()?.to_datetime(Time::midnight()),
            )),
            _ => Some(Moment::Time(date.to_datetime(time_of(seconds)?))),
        }),
        _ => None,
    };
    if moment.is_none() {
        let message = format!("`{text}` is no day, and no day with a time");
        let label = "such as `2026-03-02` or `2026-03-02 08:00`";
        reader.error_with(Code::BadDate, node.at, message, label);
    }
    moment
}

/// `2026-10-10`, and nothing else.
pub(super) fn parse_date(text: &str) -> Option<Date> {
    let shape = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = text.parse().ok().filter(|_| shape)?;
    YEARS.contains(&date.year()).then_some(date)
}

/// `09:00` or `09:00:30` in seconds of the day; `24:00` is its end.
pub(super) fn parse_time(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let mut part = |most: u32| -> Option<u32> {
        let part = parts.next()?;
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        part.parse().ok().filter(|number| digits && *number <= most)
    };
    let seconds = part(24)? * 3600 + part(59)? * 60;
    let rest = match text.matches(':').count() {
        1 => 0,
        2 => part(59)?,
        _ => return None,
    };
    (seconds + rest <= 86_400).then_some(seconds + rest)
}

fn time_of(seconds: u32) -> Option<Time> {
    let part = |number: u32| i8::try_from(number).ok();
    let hour = part(seconds / 3600)?;
    Time::new(hour, part(seconds / 60 % 60)?, part(seconds % 60)?, 0).ok()
}

/// `"09:00-12:00"`, `"22:00-06:00"` over midnight, or `24 h`. `None`: it is not written so.
pub(super) fn parse_opening(text: &str) -> Option<Result<Opening, CalendarError>> {
    if ["24 h", "24h", "all day"].contains(&text.trim()) {
        return Some(Ok(Opening::WHOLE_DAY));
    }
    let (start, end) = text.split_once(['-', '–'])?;
    Some(Opening::new(
        parse_time(start.trim())?,
        parse_time(end.trim())?,
    ))
}

/// The same of a node.
pub(super) fn opening(reader: &mut Reader<'_>, node: &Node) -> Option<Opening> {
    let text = reader.text(node, "hours")?;
    match parse_opening(text) {
        Some(Ok(opening)) => return Some(opening),
        Some(Err(error)) => reader.error(Code::BadDate, node.at, error.to_string()),
        None => {
            let message = format!("`{text}` are no hours");
            let label = "such as \"09:00-12:00\", \"22:00-06:00\" or 24 h";
            reader.error_with(Code::BadDate, node.at, message, label);
        }
    }
    None
}

/// Most openings of a day.
const MAX_OPENINGS: usize = 50;

/// One opening, or a list of them.
pub(super) fn openings(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Opening> {
    let items = reader.items(entry);
    if items.len() > MAX_OPENINGS {
        let message = format!("a day opens at most {MAX_OPENINGS} times");
        reader.error(Code::TooMany, entry.key_at, message);
        return Vec::new();
    }
    items
        .iter()
        .filter_map(|item| opening(reader, item))
        .collect()
}

/// `{ mon-fri: ["09:00-12:00"], sat: "09:00-12:00" }`, or `24 h` for every day.
pub(super) fn week(reader: &mut Reader<'_>, entry: &Entry) -> Option<Week> {
    if !matches!(entry.value.kind, Kind::Map(_)) {
        let openings = openings(reader, entry);
        return (!openings.is_empty()).then(|| Week::of(&WEEKDAYS, &openings));
    }
    let mut week = Week::default();
    let mut named: [Option<Site>; 7] = [None; 7];
    for one in reader.named(entry, "hours", "`{ mon-fri: [\"09:00-17:00\"] }`") {
        let days = days(reader, one.key_at, &one.key);
        let openings = if is_closed(&one.value) {
            Vec::new()
        } else {
            openings(reader, one)
        };
        for day in days {
            let index = day.to_monday_zero_offset().unsigned_abs() as usize;
            if let Some(first) = named[index] {
                let message = format!("the hours of `{}` are given twice", DAYS[index]);
                let mut twice = Diagnostic::new(Code::BadCalendar, one.key_at, message);
                twice.also(first, "the first time");
                reader.found.push(twice);
                continue;
            }
            named[index] = Some(one.key_at);
            openings.iter().for_each(|opening| week.add(day, *opening));
        }
    }
    Some(week)
}

/// `days: mon-fri` or `days: [mon, tue]`, and `hours: "09:00-17:00"` on each of them.
pub(super) fn days_and_hours(
    reader: &mut Reader<'_>,
    day_entry: &Entry,
    hours: &Entry,
) -> Option<Week> {
    let mut all = Vec::new();
    for item in reader.items(day_entry) {
        if let Some(text) = reader.text(item, "days of the week") {
            all.extend(days(reader, item.at, text));
        }
    }
    all.sort_unstable_by_key(|day| day.to_monday_zero_offset());
    all.dedup();
    let openings = openings(reader, hours);
    (!all.is_empty() && !openings.is_empty()).then(|| Week::of(&all, &openings))
}

/// `sun: closed`, which is the same as not to name the day.
pub(super) fn is_closed(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text { text, .. } if text == "closed")
        || matches!(&node.kind, Kind::List(items) if items.is_empty())
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// `mon-fri`, `sat, sun`, `daily`; a range may run over the end of the week.
fn days(reader: &mut Reader<'_>, site: Site, text: &str) -> Vec<Weekday> {
    let mut days = Vec::new();
    if ["daily", "every day"].contains(&text) {
        return WEEKDAYS.to_vec();
    }
    for part in text.split(',') {
        let Some(some) = parse_days(part) else {
            let message = format!("`{}` are no days of the week", part.trim());
            let label = "such as `mon`, `mon-fri`, `sat, sun` or `daily`";
            reader.error_with(Code::BadDate, site, message, label);
            continue;
        };
        days.extend(some);
    }
    days
}

/// `mon` or `mon-fri`.
pub(super) fn parse_days(part: &str) -> Option<Vec<Weekday>> {
    let (first, last) = match part.split_once(['-', '–']) {
        Some((first, last)) => (weekday(first)?, weekday(last)?),
        None => (weekday(part)?, weekday(part)?),
    };
    let count = (last + 7 - first) % 7 + 1;
    Some(
        (first..first + count)
            .map(|day| WEEKDAYS[day % 7])
            .collect(),
    )
}

/// A weekday by its English name or the first three letters of it, from Monday as 0.
fn weekday(text: &str) -> Option<usize> {
    const LONG: [&str; 7] = [
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ];
    let text = text.trim().to_ascii_lowercase();
    let is = |name: &&str| **name == text;
    DAYS.iter()
        .position(is)
        .or_else(|| LONG.iter().position(is))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times_have_one_form() {
        assert!(parse_date("2026-02-28").is_some());
        for text in [
            "2026-02-30",
            "2026-2-3",
            "26-02-03",
            "2026-02-281",
            "9999-01-01",
            "",
            "2026/02/03",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
        assert_eq!(parse_time("09:30"), Some(34_200));
        assert_eq!(parse_time("24:00"), Some(86_400));
        assert_eq!(parse_time("7:05:01"), Some(25_501));
        for text in [
            "24:01",
            "9",
            "9:60",
            "25:00",
            "-1:00",
            "9:00 pm",
            "+9:00",
            "9:00:00:00",
            "999999999999:00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
    }
}
