//! Time zones by name, and local times in them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use upline_core::Name;

use crate::found::printable;
use crate::reader::Reader;
use crate::syntax::Entry;
use crate::{Code, Found, Site, did_you_mean};

/// The zone that an entry names.
pub fn zone(reader: &mut Reader<'_>, entry: &Entry) -> Option<(Name, TimeZone)> {
    let text = reader.text(&entry.value, "a time zone")?;
    if let Ok(zone) = TimeZone::get(text) {
        // The database finds a zone whatever the case of its letters.
        let name = zone.iana_name().map_or_else(|| text.clone(), Name::from);
        return Some((name, zone));
    }
    let known = known();
    let names = reader.candidates(known.iter().map(String::as_str));
    reader.found.unknown_zone_of(entry.value.at, text, &names);
    None
}

/// The names of all zones.
fn known() -> Vec<String> {
    let names = jiff::tz::db().available();
    names.map(|name| name.to_string()).collect()
}

impl Found {
    /// A zone that the zone database does not have.
    pub fn unknown_zone(&mut self, site: Site, text: &str) {
        let known = known();
        let names: Vec<&str> = known.iter().map(String::as_str).collect();
        self.unknown_zone_of(site, text, &names);
    }

    fn unknown_zone_of(&mut self, site: Site, text: &str, names: &[&str]) {
        let near = || did_you_mean(text, names.iter().copied());
        let label = offset(text)
            .or_else(|| place(text, names))
            .or_else(|| near().map(|near| format!("did you mean `{near}`?")));
        let label = label.unwrap_or_else(|| {
            "a zone has the name of a place, such as `Europe/Berlin` or `Asia/Shanghai`".to_owned()
        });
        let message = format!("there is no time zone `{}`", printable(text));
        self.report_with(Code::UnknownZone, site, message, label);
    }
}

/// Places that people look for, and the name that their zone has.
const PLACES: [(&str, &str); 12] = [
    (
        "beijing peking 北京 china 中国 shenzhen guangzhou hangzhou 上海",
        "Asia/Shanghai",
    ),
    ("香港", "Asia/Hong_Kong"),
    ("台北", "Asia/Taipei"),
    ("osaka japan", "Asia/Tokyo"),
    ("mumbai delhi new_delhi bangalore india", "Asia/Kolkata"),
    ("frankfurt munich hamburg cologne germany", "Europe/Berlin"),
    ("geneva basel bern switzerland", "Europe/Zurich"),
    ("barcelona spain", "Europe/Madrid"),
    ("milan italy", "Europe/Rome"),
    ("washington boston miami atlanta", "America/New_York"),
    ("dallas houston", "America/Chicago"),
    ("san_francisco seattle", "America/Los_Angeles"),
];

/// The way out for a place that has no zone of its own, or one without its continent.
fn place(text: &str, known: &[&str]) -> Option<String> {
    let last = text.rsplit('/').next().unwrap_or(text);
    let low = last.to_lowercase().replace(' ', "_");
    let named = |(names, _): &&(&str, &str)| names.split(' ').any(|name| name == low);
    let meant = PLACES.iter().find(named).map(|(_, zone)| *zone);
    let whole = || {
        let ends = |zone: &&&str| {
            let place = zone.rsplit_once('/').map(|(_, place)| place.to_lowercase());
            place.as_deref() == Some(low.as_str())
        };
        known.iter().find(ends).copied()
    };
    meant.or_else(whole).map(|zone| format!("write `{zone}`"))
}

/// The way out for `+08:00` or `UTC+1`, which is no place.
fn offset(text: &str) -> Option<String> {
    let rest = ["UTC", "GMT", "utc", "gmt"]
        .iter()
        .find_map(|word| text.strip_prefix(word));
    let rest = rest.unwrap_or(text).trim();
    let digits = rest.strip_prefix(['+', '-', '−'])?;
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None if digits.len() == 4 && digits.is_ascii() => digits.split_at(2),
        None => (digits, "0"),
    };
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let ahead = rest.starts_with('+');
    let way = "name a place, such as `Europe/Berlin` or `Asia/Shanghai`: it knows summer time, too";
    // Names of this kind count westwards.
    let sign = if ahead { '-' } else { '+' };
    let fixed = format!("Etc/GMT{sign}{hours}");
    if minutes != 0 || TimeZone::get(&fixed).is_err() {
        return Some(way.to_owned());
    }
    let side = if ahead { "ahead of" } else { "behind" };
    Some(format!("{way}; `{fixed}` is always {hours} h {side} UTC"))
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
    fn what_is_no_zone_has_a_way_out() {
        assert_eq!(place("Asia/Beijing", &[]).unwrap(), "write `Asia/Shanghai`");
        assert_eq!(place("中国", &[]).unwrap(), "write `Asia/Shanghai`");
        let known = ["Europe/Berlin", "America/New_York"];
        assert_eq!(
            place("new york", &known).unwrap(),
            "write `America/New_York`"
        );
        assert_eq!(place("Mars/Olympus", &known), None);
        for (text, end) in [
            ("+08:00", "`Etc/GMT-8` is always 8 h ahead of UTC"),
            ("UTC+1", "`Etc/GMT-1` is always 1 h ahead of UTC"),
            ("GMT-0300", "`Etc/GMT+3` is always 3 h behind UTC"),
            ("+05:30", "it knows summer time, too"),
            ("+99", "it knows summer time, too"),
        ] {
            let way = offset(text).unwrap();
            assert!(way.ends_with(end), "{text}: {way}");
        }
        for text in ["Europe/Berln", "UTC", "-", "+8a", "", "Etc/GMT-99"] {
            assert_eq!(offset(text), None, "{text}");
        }
    }

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
