//! `schedules:`

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use upline_core::Schedule;
use upline_core::schedule::{
    Every, MAX_EVERY, Override, Rotation, ScheduleParts, Shift, WeeklyShift,
};

use super::directory::People;
use super::moments::{Moment, days_and_hours, moment, week};
use crate::Code;
use crate::reader::{Fields, Reader};
use crate::syntax::{Entry, Node};
use crate::zone::zone;

/// Most rotations, shifts and overrides of a schedule, each.
pub(crate) const MAX_PARTS: usize = 10_000;

const SHAPE: &str =
    "`NAME: { rotation: { every: 1 week, from: 2026-03-02 08:00, members: [ann] } }`";

/// The schedules in the author's order. `usual` is the zone of one that names none.
pub(super) fn schedules(
    reader: &mut Reader<'_>,
    people: &People,
    usual: &TimeZone,
    entry: &Entry,
) -> Vec<Schedule> {
    let entries = reader.named(entry, "`schedules`", SHAPE);
    entries
        .iter()
        .filter_map(|one| schedule(reader, people, usual, one))
        .collect()
}

fn schedule(
    reader: &mut Reader<'_>,
    people: &People,
    usual: &TimeZone,
    entry: &Entry,
) -> Option<Schedule> {
    let name = reader.key_name(entry);
    let before = reader.found.errors();
    let mut map = reader.map(entry, "a schedule", SHAPE);
    let time_zone = map.optional(reader, "time-zone");
    let rotation = map.optional(reader, "rotation");
    let rotations = map.optional(reader, "rotations");
    let shifts = map.optional(reader, "shifts");
    let overrides = map.optional(reader, "overrides");
    map.finish(reader);
    let zone = match time_zone {
        None => Some(usual.clone()),
        Some(entry) => zone(reader, entry).map(|(_, zone)| zone),
    };
    let mut parts = ScheduleParts {
        name: name?,
        zone: zone?,
        rotations: Vec::new(),
        shifts: Vec::new(),
        weekly: Vec::new(),
        overrides: Vec::new(),
    };
    for entry in [rotation, rotations].into_iter().flatten() {
        parts.rotations.extend(each(reader, entry, |reader, item| {
            read_rotation(reader, people, item)
        }));
    }
    if let Some(entry) = shifts {
        for shift in each(reader, entry, |reader, item| shift(reader, people, item)) {
            match shift {
                AnyShift::Dates(shift) => parts.shifts.push(shift),
                AnyShift::Weekly(shift) => parts.weekly.push(shift),
            }
        }
    }
    if let Some(entry) = overrides {
        parts.overrides = each(reader, entry, |reader, item| {
            read_override(reader, people, item)
        });
    }
    // A schedule whose parts could not be read is not also empty.
    if reader.found.errors() > before {
        return None;
    }
    match Schedule::new(parts) {
        Ok(schedule) => Some(schedule),
        Err(error) => {
            reader.error(Code::BadSchedule, entry.key_at, error.to_string());
            None
        }
    }
}

fn each<T>(
    reader: &mut Reader<'_>,
    entry: &Entry,
    read: impl Fn(&mut Reader<'_>, &Node) -> Option<T>,
) -> Vec<T> {
    let items = reader.items(entry);
    if items.len() > MAX_PARTS {
        let message = format!("`{}` has at most {MAX_PARTS} entries", entry.key);
        reader.error(Code::TooMany, entry.key_at, message);
        return Vec::new();
    }
    items.iter().filter_map(|item| read(reader, item)).collect()
}

fn read_rotation(reader: &mut Reader<'_>, people: &People, item: &Node) -> Option<Rotation> {
    let shape = "`{ every: 1 week, from: 2026-03-02 08:00, members: [ann, bob] }`";
    let mut map = reader.map_of(item, item.at, "a rotation", shape);
    let every = map
        .required(reader, "every")
        .and_then(|every| turn(reader, &every.value));
    let from = required_time(reader, &mut map, "from");
    let members = map
        .required(reader, "members")
        .map(|members| people.several(reader, members));
    let until = optional_end(reader, &mut map, "until");
    let own_zone = map.optional(reader, "time-zone");
    let hours = map
        .optional(reader, "hours")
        .and_then(|hours| week(reader, hours));
    map.finish(reader);
    let own_zone = own_zone.and_then(|entry| zone(reader, entry));
    Some(Rotation {
        every: every?,
        from: from?,
        until,
        members: members?,
        zone: own_zone.map(|(_, zone)| zone),
        hours,
    })
}

/// `1 week`, `12 h`, `2 days`, `1 month`.
fn turn(reader: &mut Reader<'_>, node: &Node) -> Option<Every> {
    let text = reader.text(node, "`every`")?;
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let count = count.parse::<u32>().ok();
    let turn = count
        .filter(|count| (1..=MAX_EVERY).contains(count))
        .and_then(|count| match unit.trim() {
            "h" | "hour" | "hours" => Some(Every::Hours(count)),
            "day" | "days" => Some(Every::Days(count)),
            "week" | "weeks" => Some(Every::Weeks(count)),
            "month" | "months" => Some(Every::Months(count)),
            _ => None,
        });
    if turn.is_none() {
        let message = format!("`{text}` is not how long a turn is");
        let label = format!("such as `1 week`, `12 h`, `2 days` or `1 month`; at most {MAX_EVERY}");
        reader.error_with(Code::BadSpan, node.at, message, label);
    }
    turn
}

fn required_time(
    reader: &mut Reader<'_>,
    map: &mut Fields<'_>,
    key: &'static str,
) -> Option<DateTime> {
    let entry = map.required(reader, key)?;
    moment(reader, &entry.value).map(Moment::start)
}

/// A last day is on duty to its end.
fn optional_end(
    reader: &mut Reader<'_>,
    map: &mut Fields<'_>,
    key: &'static str,
) -> Option<DateTime> {
    let entry = map.optional(reader, key)?;
    end_of(moment(reader, &entry.value)?)
}

fn end_of(moment: Moment) -> Option<DateTime> {
    match moment {
        Moment::Day(date) => date.tomorrow().ok().map(|day| Moment::Day(day).start()),
        Moment::Time(local) => Some(local),
    }
}

/// A shift by date, or at the same hours of each week.
enum AnyShift {
    Dates(Shift),
    Weekly(WeeklyShift),
}

fn shift(reader: &mut Reader<'_>, people: &People, item: &Node) -> Option<AnyShift> {
    let shape = "`{ days: mon-fri, hours: \"09:00-17:00\", members: [ann] }`";
    let mut map = reader.map_of(item, item.at, "a shift", shape);
    let days = map.optional(reader, "days");
    let hours = map.optional(reader, "hours");
    let from = map.optional(reader, "from");
    let to = map.optional(reader, "to");
    let members = map.required(reader, "members");
    let is_map = map.is_map();
    map.finish(reader);
    let who = members.map(|members| people.several(reader, members));
    let dated = from.or(to);
    if hours.is_none() && days.is_none() {
        if is_map && dated.is_none() {
            let message = "a shift is at hours of the week, or from a day to a day";
            reader.error_with(Code::MissingKey, item.at, message, shape);
        }
        let from = from.and_then(|from| moment(reader, &from.value).map(Moment::start));
        let to = to.and_then(|to| end_of(moment(reader, &to.value)?));
        let who = who.filter(|_| dated.is_some())?;
        return Some(AnyShift::Dates(Shift { who, from, to }));
    }
    if let Some(dated) = dated {
        let message = "a shift is at hours of each week, or from a day to a day, not both";
        reader.error(Code::BadSchedule, dated.key_at, message);
    }
    let hours = match (days, hours) {
        (Some(days), Some(hours)) => days_and_hours(reader, days, hours),
        (None, Some(hours)) => week(reader, hours),
        (_, None) => {
            reader.found.missing_key(item.at, "hours", "a shift");
            None
        }
    };
    Some(AnyShift::Weekly(WeeklyShift {
        who: who?,
        hours: hours?,
    }))
}

fn read_override(reader: &mut Reader<'_>, people: &People, item: &Node) -> Option<Override> {
    let shape = "`{ from: 2026-03-10 08:00, to: 2026-03-11 08:00, on-call: ida, instead-of: max }`";
    let mut map = reader.map_of(item, item.at, "an override", shape);
    let from = required_time(reader, &mut map, "from");
    let to = map
        .required(reader, "to")
        .and_then(|to| end_of(moment(reader, &to.value)?));
    let on_call = map
        .required(reader, "on-call")
        .and_then(|person| people.one(reader, &person.value));
    let instead_of = map.optional(reader, "instead-of");
    map.finish(reader);
    let instead_of = instead_of.and_then(|person| people.one(reader, &person.value));
    Some(Override {
        from: from?,
        to: to?,
        on_call: on_call?,
        instead_of,
    })
}
