//! `promises:`

use std::collections::BTreeSet;

use upline_core::workflow::{Breach, Promise, Since, Warn};
use upline_core::{Condition, Name, Span};

use super::{Scope, leaf};
use crate::Code;
use crate::reader::Reader;
use crate::syntax::{Entry, Kind, Node};

const SHAPE: &str = "`NAME: { within: 8 h, met-in: STATE }`";

/// The promises in the author's order.
pub(crate) fn promises(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Promise> {
    let all = reader.named(entry, "`promises`", SHAPE);
    all.iter()
        .filter_map(|one| promise(reader, scope, one))
        .collect()
}

fn promise(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Option<Promise> {
    let name = reader.key_name(entry);
    let mut map = reader.map(entry, "a promise", SHAPE);
    let within = map
        .required(reader, "within")
        .and_then(|within| leaf::span(reader, &within.value));
    let except = map.optional(reader, "except");
    let calendar = map.optional(reader, "calendar");
    let since = map.optional(reader, "since");
    let since = since.map_or(Since::Opening, |since| read_since(reader, since));
    let met_in = match since {
        Since::Opening => map.required(reader, "met-in"),
        Since::Caller => map.optional(reader, "met-in"),
    };
    let paused_in = map.optional(reader, "paused-in");
    let once = map.optional(reader, "once");
    let warn = map.optional(reader, "warn");
    let breach = map.optional(reader, "breach");
    map.finish(reader);
    let promise = Promise {
        name: name.clone().unwrap_or_default(),
        within: within.unwrap_or(Span::hours(1)),
        except: except.map_or_else(Vec::new, |except| exceptions(reader, scope, except)),
        calendar: calendar.and_then(|calendar| {
            let (name, site) = leaf::name(reader, &calendar.value, "a calendar's name")?;
            scope.check_calendar(reader, site, &name);
            Some(name)
        }),
        since,
        met_in: met_in.map_or_else(BTreeSet::new, |states| set_of_states(reader, scope, states)),
        paused_in: paused_in
            .map_or_else(BTreeSet::new, |states| set_of_states(reader, scope, states)),
        once: once.and_then(|flag| reader.flag(flag)).unwrap_or(false),
        warn: warn.map_or_else(Vec::new, |warn| warnings(reader, scope, warn)),
        breach: breach.map_or_else(Breach::default, |breach| read_breach(reader, scope, breach)),
        place: reader.place(entry.key_at),
    };
    name.and(within).map(|_| promise)
}

fn read_since(reader: &mut Reader<'_>, entry: &Entry) -> Since {
    let word = reader.text(&entry.value, "`since`").map(Name::as_str);
    match word {
        Some("caller") => return Since::Caller,
        Some("opening") | None => (),
        Some(other) => {
            let message = format!("`since` must be `opening` or `caller`, not `{other}`");
            reader.error(Code::BadValue, entry.value.at, message);
        }
    }
    Since::Opening
}

fn exceptions(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<(Condition, Span)> {
    let shape = "`{ when: FIELD is VALUE, within: 4 h }`";
    let mut all = Vec::new();
    for item in reader.items(entry) {
        let mut map = reader.map_of(item, item.at, "an exception", shape);
        let when = map
            .required(reader, "when")
            .and_then(|when| leaf::condition(reader, scope, &when.value));
        let within = map
            .required(reader, "within")
            .and_then(|within| leaf::span(reader, &within.value));
        map.finish(reader);
        all.extend(when.zip(within));
    }
    all
}

fn set_of_states(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> BTreeSet<Name> {
    let items = reader.items(entry);
    items
        .iter()
        .filter_map(|item| leaf::state(reader, item, &scope.all_states, &BTreeSet::new()))
        .collect()
}

fn warnings(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Warn> {
    let shape = "`{ at: 75%, notify: [assignee] }`";
    let mut all: Vec<Warn> = Vec::new();
    for item in reader.items(entry) {
        let mut map = reader.map_of(item, item.at, "a warning", shape);
        let at = map.required(reader, "at");
        let percent = at.and_then(|at| percent(reader, &at.value));
        let notify = map
            .required(reader, "notify")
            .map(|notify| leaf::whos(reader, scope, notify));
        map.finish(reader);
        if let (Some(percent), Some(notify)) = (percent, notify) {
            if all.iter().any(|earlier| earlier.percent == percent) {
                let message = format!("there are two warnings at {percent}%");
                reader.error(
                    Code::DuplicateName,
                    at.map_or(item.at, |at| at.value.at),
                    message,
                );
                continue;
            }
            all.push(Warn { percent, notify });
        }
    }
    all.sort_by_key(|warn| warn.percent);
    all
}

fn percent(reader: &mut Reader<'_>, node: &Node) -> Option<u8> {
    let text = reader.text(node, "`at`")?;
    let number = text.strip_suffix('%').map(str::trim_end);
    match number.and_then(|number| number.parse::<u8>().ok()) {
        Some(percent @ 1..=99) => Some(percent),
        _ => {
            let message = format!("a warning is at 1% to 99% of the promise, not at `{text}`");
            reader.error_with(Code::BadValue, node.at, message, "such as `75%`");
            None
        }
    }
}

fn read_breach(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Breach {
    let shape = "`{ notify: [manager of GROUP] }`";
    let mut map = reader.map(entry, "a breach", shape);
    let notify = map.optional(reader, "notify");
    let escalate = map.optional(reader, "escalate");
    let set = map.optional(reader, "set");
    let goto = map.optional(reader, "goto");
    map.finish(reader);
    if matches!(&entry.value.kind, Kind::Map(entries) if entries.is_empty()) {
        reader.error(Code::BadValue, entry.value.at, "this breach does nothing");
    }
    Breach {
        notify: notify.map_or_else(Vec::new, |notify| leaf::whos(reader, scope, notify)),
        escalate: escalate.and_then(|flag| reader.flag(flag)).unwrap_or(false),
        set: set.map_or_else(Vec::new, |set| leaf::settings(reader, scope, set)),
        goto: goto
            .and_then(|goto| leaf::state(reader, &goto.value, &scope.states, &scope.all_states)),
    }
}
