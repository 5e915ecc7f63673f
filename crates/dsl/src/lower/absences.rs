//! `absences:`

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{DateTime, Time};
use jiff::tz::TimeZone;
use upline_core::{Absence, Name};

use super::directory::People;
use super::moments::{Moment, moment};
use crate::Code;
use crate::reader::Reader;
use crate::syntax::{Entry, Node};
use crate::zone::instant;

/// Most absences of a directory.
pub(crate) const MAX_ABSENCES: usize = 50_000;

const SHAPE: &str = "`- { who: bob, from: 2026-08-01, to: 2026-08-21, deputy: cem }`";

/// The absences by person, by their start.
///
/// A date counts in the zone of the person, else in `zone`. `to: 2026-08-21` is the last day of it: the
/// absence is over when that day is.
pub(super) fn absences(
    reader: &mut Reader<'_>,
    people: &People,
    zone: &TimeZone,
    entry: &Entry,
) -> BTreeMap<Name, Vec<Absence>> {
    let mut all: BTreeMap<Name, Vec<Absence>> = BTreeMap::new();
    let items = reader.list(entry, "`absences`", SHAPE);
    if items.len() > MAX_ABSENCES {
        let message = format!("a directory has at most {MAX_ABSENCES} absences");
        reader.error(Code::TooMany, entry.key_at, message);
        return all;
    }
    for item in items {
        if let Some(absence) = absence(reader, people, zone, item) {
            all.entry(absence.who.clone()).or_default().push(absence);
        }
    }
    for absences in all.values_mut() {
        absences.sort_by_key(|absence| (absence.from, absence.to));
    }
    all
}

fn absence(
    reader: &mut Reader<'_>,
    people: &People,
    zone: &TimeZone,
    item: &Node,
) -> Option<Absence> {
    let mut map = reader.map_of(item, item.at, "an absence", SHAPE);
    let who = map.required(reader, "who");
    let from = map.required(reader, "from");
    let to = map.required(reader, "to");
    let deputy = map.optional(reader, "deputy");
    map.finish(reader);
    let who = who.and_then(|who| people.one(reader, &who.value));
    let own = who.as_ref().and_then(|who| own_zone(people, who));
    let zone = own.as_ref().unwrap_or(zone);
    let begin = from.and_then(|from| start(reader, zone, from));
    let end = to.and_then(|to| end(reader, zone, to).map(|end| (end, to.value.at)));
    let stand_in = deputy.and_then(|deputy| people.one(reader, &deputy.value));
    if let Some(deputy) = deputy
        && stand_in.is_some()
        && stand_in == who
    {
        let message = "nobody stands in for himself";
        reader.error(Code::BadAbsence, deputy.value.at, message);
    }
    if let (Some((begins, begin)), Some(((ends, end), at))) = (begin, end)
        && end <= begin
    {
        let message = match begins < ends {
            true => "the clocks go forward over all of this absence: none of it ever comes",
            false => "the absence ends before it begins",
        };
        reader.error(Code::BadAbsence, at, message);
    }
    Some(Absence {
        who: who?,
        from: begin?.1,
        to: end?.0.1,
        deputy: stand_in,
    })
}

fn own_zone(people: &People, who: &Name) -> Option<TimeZone> {
    let name = people.all.get(who)?.time_zone.as_ref()?;
    TimeZone::get(name).ok()
}

/// As it is written, and when that is.
fn start(reader: &mut Reader<'_>, zone: &TimeZone, entry: &Entry) -> Option<(DateTime, Timestamp)> {
    let local = moment(reader, &entry.value)?.start();
    Some((local, instant(zone, local)?))
}

/// The same; a day ends with its last moment.
fn end(reader: &mut Reader<'_>, zone: &TimeZone, entry: &Entry) -> Option<(DateTime, Timestamp)> {
    let local = match moment(reader, &entry.value)? {
        Moment::Day(date) => date.tomorrow().ok()?.to_datetime(Time::midnight()),
        Moment::Time(local) => local,
    };
    Some((local, instant(zone, local)?))
}
