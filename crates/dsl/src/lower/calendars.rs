//! `calendars:`

use jiff::civil::Date;
use upline_core::calendar::{
    CalendarError, CalendarParts, Holiday, HolidayDays, WorkingDay, WorkingHours,
};
use upline_core::{Calendar, Name};

use super::hours_at::Parts;
use super::moments::{is_closed, openings, parse_date, week};
use crate::reader::Reader;
use crate::syntax::{Entry, Kind, Node};
use crate::zone::zone;
use crate::{Code, Diagnostic};

/// Most holidays and working days of a calendar, each.
pub(crate) const MAX_DAYS: usize = 5_000;

/// Longest holiday, in days; whoever closes for longer has closed.
const MAX_HOLIDAY_DAYS: i64 = 366;

const SHAPE: &str = "`NAME: { time-zone: Europe/Berlin, hours: { mon-fri: [\"09:00-17:00\"] } }`";

/// The calendars in the author's order.
pub(super) fn calendars(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Calendar> {
    let entries = reader.named(entry, "`calendars`", SHAPE);
    entries
        .iter()
        .filter_map(|one| calendar(reader, one))
        .collect()
}

fn calendar(reader: &mut Reader<'_>, entry: &Entry) -> Option<Calendar> {
    let before = reader.found.errors();
    let name = reader.key_name(entry);
    let mut map = reader.map(entry, "a calendar", SHAPE);
    let zone = map
        .required(reader, "time-zone")
        .and_then(|entry| zone(reader, entry));
    let given = map.required(reader, "hours");
    let hours = given.and_then(|hours| week(reader, hours));
    let holidays = map.optional(reader, "holidays");
    let working_days = map.optional(reader, "working-days");
    map.finish(reader);
    let places = Parts {
        hours: given,
        working_days,
    };
    let holidays = holidays.map_or_else(Vec::new, |entry| read_holidays(reader, entry));
    let working_days = working_days.map_or_else(Vec::new, |entry| read_working(reader, entry));
    let parts = CalendarParts {
        name: name?,
        zone: zone?.1,
        week: hours?,
        holidays,
        working_days,
    };
    match Calendar::new(parts) {
        Ok(calendar) => Some(calendar),
        // Whatever could not be read may be what it lacks.
        Err(CalendarError::NeverOpen | CalendarError::WorkingDayWithoutHours { .. })
            if reader.found.errors() > before =>
        {
            None
        }
        Err(error) => {
            let code = match error {
                CalendarError::NeverOpen => Code::ClosedCalendar,
                _ => Code::BadCalendar,
            };
            let (site, other) = places.of(&error).unwrap_or((entry.key_at, None));
            let mut diagnostic = Diagnostic::new(code, site, error.to_string());
            if let Some(other) = other {
                diagnostic.also(other, "the first");
            }
            reader.found.push(diagnostic);
            None
        }
    }
}

fn too_many(reader: &mut Reader<'_>, entry: &Entry, count: usize) -> bool {
    let many = count > MAX_DAYS;
    if many {
        let message = format!("`{}` has at most {MAX_DAYS} entries", entry.key);
        reader.error(Code::TooMany, entry.key_at, message);
    }
    many
}

/// `[2026-10-01..2026-10-07, 12-25]`, or `{ Christmas: 12-25 }`.
fn read_holidays(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Holiday> {
    if !matches!(entry.value.kind, Kind::Map(_)) {
        let items = reader.items(entry);
        if too_many(reader, entry, items.len()) {
            return Vec::new();
        }
        return items
            .iter()
            .filter_map(|item| holiday(reader, item))
            .collect();
    }
    let mut holidays = Vec::new();
    let named = entry.value.entries();
    if too_many(reader, entry, named.len()) {
        return holidays;
    }
    for one in named {
        for item in reader.items(one) {
            holidays.extend(holiday(reader, item).map(|holiday| holiday.named(one.key.as_str())));
        }
    }
    holidays
}

fn holiday(reader: &mut Reader<'_>, node: &Node) -> Option<Holiday> {
    let text = reader.text(node, "a holiday")?;
    let days = match text.split_once("..") {
        Some((from, to)) => parse_date(from.trim())
            .zip(parse_date(to.trim()))
            .map(|(from, to)| HolidayDays::Dates { from, to }),
        None => parse_date(text)
            .map(|date| HolidayDays::Dates {
                from: date,
                to: date,
            })
            .or_else(|| yearly(text)),
    };
    let Some(days) = days else {
        let message = format!("`{text}` is no day");
        let label = "such as `2026-10-01`, `2026-10-01..2026-10-07` or `12-25` for each year";
        reader.error_with(Code::BadDate, node.at, message, label);
        return None;
    };
    if let HolidayDays::Dates { from, to } = days {
        if to < from {
            let message = format!("this holiday ends on {to}, before it begins on {from}");
            reader.error(Code::BadDate, node.at, message);
            return None;
        }
        if days_between(from, to) > MAX_HOLIDAY_DAYS {
            let message = format!("a holiday has at most {MAX_HOLIDAY_DAYS} days");
            reader.error(Code::ClosedCalendar, node.at, message);
            return None;
        }
    }
    Some(Holiday { name: None, days })
}

fn days_between(from: Date, to: Date) -> i64 {
    from.duration_until(to).as_hours() / 24 + 1
}

/// `12-25`, each year.
fn yearly(text: &str) -> Option<HolidayDays> {
    let (month, day) = text.split_once('-')?;
    let number = |text: &str| -> Option<i8> {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| digits)
    };
    let (month, day) = (number(month)?, number(day)?);
    // 2000 is a leap year.
    Date::new(2000, month, day).ok()?;
    Some(HolidayDays::Yearly { month, day })
}

/// `[2026-10-10]`, or `{ 2026-10-10: "09:00-12:00" }` for hours of its own.
fn read_working(reader: &mut Reader<'_>, entry: &Entry) -> Vec<WorkingDay> {
    let mut days = Vec::new();
    if let Kind::Map(entries) = &entry.value.kind {
        if too_many(reader, entry, entries.len()) {
            return days;
        }
        for one in entries {
            let date = date(reader, one.key_at, &one.key);
            if is_closed(&one.value) {
                let message = format!("`{}` is to be a working day, and closed", one.key);
                let label = "a day that is closed stands under `holidays`";
                reader.error_with(Code::BadCalendar, one.value.at, message, label);
                continue;
            }
            let hours = openings(reader, one);
            days.extend(date.map(|date| WorkingDay {
                date,
                hours: WorkingHours::Own(hours),
            }));
        }
        return days;
    }
    let items = reader.items(entry);
    if too_many(reader, entry, items.len()) {
        return days;
    }
    for item in items {
        let text: Option<&Name> = reader.text(item, "a working day");
        let date = text.and_then(|text| date(reader, item.at, text));
        days.extend(date.map(WorkingDay::on));
    }
    days
}

fn date(reader: &mut Reader<'_>, site: crate::Site, text: &str) -> Option<Date> {
    let date = parse_date(text);
    if date.is_none() {
        let message = format!("`{text}` is no day");
        reader.error_with(Code::BadDate, site, message, "such as `2026-10-10`");
    }
    date
}
