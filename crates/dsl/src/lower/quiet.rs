//! `quiet-hours:` of a person, and `quiet:` of his ways of `notify`.

use jiff::tz::TimeZone;
use upline_core::calendar::{WEEKDAYS, Week};
use upline_core::{Channel, Quiet, QuietHours};

use super::moments::{days_and_hours, opening, openings};
use crate::reader::Reader;
use crate::syntax::{Entry, Kind, Node};
use crate::{Code, Site};

/// Most windows of a person's quiet hours: each message to him looks at them.
pub(crate) const MAX_QUIET_HOURS: usize = 50;

/// `"22:00-07:00"`, `{ days: sat-sun, hours: "00:00-24:00" }`, or a list of both.
pub(super) fn hours(reader: &mut Reader<'_>, zone: &TimeZone, entry: &Entry) -> Option<QuietHours> {
    let items = reader.items(entry);
    if items.len() > MAX_QUIET_HOURS {
        let message = format!("quiet hours have at most {MAX_QUIET_HOURS} windows");
        reader.error(Code::TooMany, entry.key_at, message);
        return None;
    }
    if matches!(entry.value.kind, Kind::List(_)) && items.is_empty() {
        let message = "these are no quiet hours";
        reader.error_with(Code::BadValue, entry.value.at, message, "delete the line");
    }
    let mut all = Week::default();
    for item in items {
        let Some(week) = window(reader, item) else {
            continue;
        };
        for day in WEEKDAYS {
            week.on(day)
                .iter()
                .for_each(|opening| all.add(day, *opening));
        }
    }
    (!all.is_empty()).then(|| QuietHours::new(all, zone.clone()))
}

fn window(reader: &mut Reader<'_>, item: &Node) -> Option<Week> {
    if !matches!(item.kind, Kind::Map(_)) {
        return Some(Week::of(&WEEKDAYS, &[opening(reader, item)?]));
    }
    let shape = "`{ days: sat-sun, hours: \"00:00-24:00\" }`";
    let mut map = reader.map_of(item, item.at, "quiet hours", shape);
    let days = map.optional(reader, "days");
    let hours = map.required(reader, "hours");
    map.finish(reader);
    match days {
        Some(days) => days_and_hours(reader, days, hours?),
        None => Some(Week::of(&WEEKDAYS, &openings(reader, hours?))),
    }
}

/// `quiet: skip` or `quiet: only`.
pub(super) fn minds(reader: &mut Reader<'_>, entry: &Entry, has_quiet_hours: bool) -> Quiet {
    if !has_quiet_hours {
        let message = "the person has no quiet hours";
        let label = "give the person `quiet-hours`, or delete this";
        reader.error_with(Code::BadQuietHours, entry.key_at, message, label);
    }
    match reader.text(&entry.value, "`quiet`").map(|word| &**word) {
        Some("skip") => Quiet::Skip,
        Some("only") => Quiet::Only,
        Some(word) => {
            let message = format!("`quiet` must be `skip` or `only`, not `{word}`");
            let label = "`skip`: not in quiet hours; `only`: in them only";
            reader.error_with(Code::BadValue, entry.value.at, message, label);
            Quiet::Any
        }
        None => Quiet::Any,
    }
}

/// Refuses ways of which none is for quiet hours, or none for all others: whoever is asked must be told.
pub(super) fn check(reader: &mut Reader<'_>, site: Site, channels: &[Channel]) {
    let cases = [
        (true, "in", "`quiet: only`"),
        (false, "outside of", "`quiet: skip`"),
    ];
    for (quiet, when, word) in cases {
        if !channels.is_empty() && !channels.iter().any(|way| way.quiet.is_for(quiet)) {
            let message = format!("nothing reaches the person {when} quiet hours");
            let label = format!("add a way with {word}, or one without `quiet`");
            reader.error_with(Code::BadQuietHours, site, message, label);
        }
    }
}
