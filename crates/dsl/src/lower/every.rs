//! `every:`

use upline_core::Name;
use upline_core::workflow::Every;

use super::{Scope, leaf};
use crate::Code;
use crate::reader::Reader;
use crate::syntax::Entry;
use crate::zone::zone;

const SHAPE: &str = "`NAME: { cron: \"0 8 * * mon\", time-zone: Europe/Berlin, set: { … } }`";

/// Tickets that open by themselves: one, or several by name.
pub(crate) fn every(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Every> {
    if entry.value.get("cron").is_some() {
        return one(reader, scope, entry, Name::new_static("every"))
            .into_iter()
            .collect();
    }
    let mut all = Vec::new();
    for named in reader.named(entry, "`every`", SHAPE) {
        if let Some(name) = reader.key_name(named) {
            all.extend(one(reader, scope, named, name));
        }
    }
    all
}

fn one(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry, name: Name) -> Option<Every> {
    let mut map = reader.map(entry, "`every`", SHAPE);
    let cron = map.required(reader, "cron");
    let time_zone = map.required(reader, "time-zone");
    let set = map.optional(reader, "set");
    map.finish(reader);
    let set = set.map_or_else(Vec::new, |set| leaf::settings(reader, scope, set));
    let zone = time_zone.and_then(|entry| zone(reader, entry));
    let cron = cron.and_then(|cron| {
        let text = reader.text(&cron.value, "`cron`")?;
        match crate::cron::check(text) {
            Ok(()) => Some(text.clone()),
            Err(error) => {
                let message = error.to_string();
                let label = "five fields: minute, hour, day of the month, month, day of the week";
                reader.error_with(Code::BadCron, cron.value.at, message, label);
                None
            }
        }
    });
    Some(Every {
        name,
        cron: cron?,
        zone: zone?.0,
        set,
        place: reader.place(entry.key_at),
    })
}
