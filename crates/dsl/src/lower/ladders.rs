//! `ladders:`

use upline_core::Name;
use upline_core::workflow::{Ladder, Level};

use super::{Scope, leaf};
use crate::Code;
use crate::reader::Reader;
use crate::syntax::{Entry, Kind, Node};

/// Most levels of a ladder.
pub(crate) const MAX_LEVELS: usize = 50;

/// Most further rounds of a ladder.
pub(crate) const MAX_REPEAT: u32 = 100;

const SHAPE: &str = "`NAME:` and under it `- { after: 15 min, assign: lead of GROUP }`";
const LEVEL: &str = "`- { after: 15 min, assign: lead of GROUP }`";

/// The ladders in the author's order.
pub(crate) fn ladders(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Ladder> {
    let all = reader.named(entry, "`ladders`", SHAPE);
    all.iter()
        .filter_map(|one| ladder(reader, scope, one))
        .collect()
}

fn ladder(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Option<Ladder> {
    let name = reader.key_name(entry);
    let mut ladder = Ladder {
        name: name.clone().unwrap_or_default(),
        levels: Vec::new(),
        repeat: 0,
        back_to: None,
        restart_on_activity: None,
        answer_by: None,
        place: reader.place(entry.key_at),
    };
    if matches!(entry.value.kind, Kind::Map(_)) {
        long_form(reader, scope, entry, &mut ladder);
    } else {
        ladder.levels = levels(reader, scope, entry);
    }
    name.map(|_| ladder)
}

fn long_form(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry, ladder: &mut Ladder) {
    let mut map = reader.map(entry, "a ladder", SHAPE);
    if let Some(entry) = map.required(reader, "levels") {
        ladder.levels = levels(reader, scope, entry);
    }
    let repeat = map.optional(reader, "repeat");
    let back_to = map.optional(reader, "back-to");
    let restart = map.optional(reader, "restart");
    let answer_by = map.optional(reader, "answer-by");
    map.finish(reader);
    if let Some(back_to) = back_to {
        let most = u32::try_from(ladder.levels.len()).unwrap_or(u32::MAX);
        let level = reader.number(back_to, 1, most.max(1));
        ladder.back_to = level.and_then(|level| usize::try_from(level).ok());
        // Going back at all is one further round.
        ladder.repeat = 1;
    }
    if let Some(repeat) = repeat {
        ladder.repeat = reader.number(repeat, 1, MAX_REPEAT).unwrap_or(1);
    }
    ladder.restart_on_activity = restart.and_then(|entry| {
        let word = reader.text(&entry.value, "`restart`")?;
        match word.as_str() {
            "on-activity" => Some(true),
            "never" => Some(false),
            other => {
                let message = format!("`restart` must be `on-activity` or `never`, not `{other}`");
                reader.error(Code::BadValue, entry.value.at, message);
                None
            }
        }
    });
    ladder.answer_by = answer_by.and_then(|span| leaf::span(reader, &span.value));
}

fn levels(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Level> {
    let items = reader.list(entry, "a ladder", LEVEL);
    if matches!(entry.value.kind, Kind::List(_)) && items.is_empty() {
        reader.error(
            Code::BadValue,
            entry.value.at,
            "a ladder has at least one level",
        );
    }
    if items.len() > MAX_LEVELS {
        let message = format!("a ladder has at most {MAX_LEVELS} levels");
        reader.error(Code::TooMany, entry.key_at, message);
        return Vec::new();
    }
    items
        .iter()
        .filter_map(|item| level(reader, scope, item))
        .collect()
}

fn level(reader: &mut Reader<'_>, scope: &Scope<'_>, item: &Node) -> Option<Level> {
    let mut map = reader.map_of(item, first_byte(item), "a level", LEVEL);
    let is_map = map.is_map();
    let after = map
        .required(reader, "after")
        .and_then(|after| leaf::span(reader, &after.value));
    let assign = map.optional(reader, "assign");
    let notify = map.optional(reader, "notify");
    let set = map.optional(reader, "set");
    let idle = is_map && !map.has("assign") && !map.has("notify") && !map.has("set");
    map.finish(reader);
    if idle {
        let label = "give it `assign`, `notify` or `set`";
        reader.error_with(
            Code::MissingKey,
            first_byte(item),
            "this level asks nobody and does nothing",
            label,
        );
    }
    let level = Level {
        after: after.unwrap_or(upline_core::Span::hours(1)),
        assign: assign.and_then(|assign| leaf::assign(reader, scope, assign)),
        notify: notify.map_or_else(Vec::new, |notify| leaf::whos(reader, scope, notify)),
        set: set.map_or_else(Vec::new, |set| leaf::settings(reader, scope, set)),
        place: reader.place(item.at),
    };
    is_map.then_some(level)
}

fn first_byte(node: &Node) -> crate::Site {
    crate::Site {
        end: node.at.end.min(node.at.start + 1),
        ..node.at
    }
}

/// The names of the ladders, for references.
pub(crate) fn names(entry: &Entry) -> impl Iterator<Item = Name> {
    entry.value.entries().iter().map(|one| one.key.clone())
}
