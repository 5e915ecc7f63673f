//! Time zones by name, and local times in them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use upline_core::Name;

use crate::reader::Reader;
use crate::syntax::Entry;

/// The zone that an entry names.
pub fn zone(reader: &mut Reader<'_>, entry: &Entry) -> Option<(Name, TimeZone)> {
    let text = reader.text(&entry.value, "a time zone")?;
    if let Ok(zone) = TimeZone::get(text) {
        // The database finds a zone whatever the case of its letters.
        let name = zone.iana_name().map_or_else(|| text.clone(), Name::from);
        return Some((name, zone));
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|name| name.to_string())
        .collect();
    let names = reader.candidates(known.iter().map(String::as_str));
    reader.found.unknown_zone(entry.value.at, text, names);
    None
}

/// When a local time is: one that the zone skips is the first instant after the skip, one that it has twice
/// is the first of them. `None` outside of the time there is. The one rule of workflows, directories,
/// transcripts, simulations and logs.
pub fn instant(zone: &TimeZone, local: DateTime) -> Option<Timestamp> {
    match zone.to_ambiguous_timestamp(local).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(local).ok(),
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(local).ok(),
        AmbiguousOffset::Gap { before, after } => {
            // By the offset from before the skip this is after it, by the one from after it is before.
            let later = before.to_timestamp(local).ok()?;
            let earlier = after.to_timestamp(local).ok()?;
            let skip = zone.following(earlier).next()?.timestamp();
            (skip <= later).then_some(skip)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_and_doubled_times() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let at = |local: &str| {
            instant(&berlin, local.parse().unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(at("2026-03-29T01:59"), "2026-03-29T00:59:00Z");
        assert_eq!(at("2026-03-29T02:00"), "2026-03-29T01:00:00Z");
        assert_eq!(at("2026-03-29T02:30"), "2026-03-29T01:00:00Z");
        assert_eq!(at("2026-03-29T03:00"), "2026-03-29T01:00:00Z");
        assert_eq!(at("2026-10-25T02:30"), "2026-10-25T00:30:00Z");
        assert_eq!(at("2026-10-25T03:00"), "2026-10-25T02:00:00Z");
        let apia = TimeZone::get("Pacific/Apia").unwrap();
        let gone = instant(&apia, "2011-12-30T12:00".parse().unwrap()).unwrap();
        assert_eq!(gone.to_string(), "2011-12-30T10:00:00Z");
    }
}
