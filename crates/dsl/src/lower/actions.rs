//! `actions:`

use std::collections::BTreeSet;

use upline_core::workflow::ChecklistItem;
use upline_core::{Action, Label, Name};

use super::states::Region;
use super::{Scope, leaf};
use crate::Code;
use crate::names::{normal, valid_name};
use crate::reader::Reader;
use crate::syntax::{Entry, Kind};

/// Where an action stands.
pub(super) struct Place<'a, 's> {
    pub(super) scope: &'a Scope<'s>,
    pub(super) region: &'a Region,
    pub(super) checklist: &'a [ChecklistItem],
}

const SHAPE: &str = "`NAME: { label: \"What the button says\", goto: STATE }`";

/// One action: `NAME: STATE`, or a map.
pub(super) fn action(
    reader: &mut Reader<'_>,
    at: &Place<'_, '_>,
    entry: &Entry,
    name: Name,
) -> Option<Action> {
    let mut action = Action {
        label: Label::plain(name.as_str()),
        name,
        by: Vec::new(),
        message: None,
        goto: Name::default(),
        requires: Vec::new(),
        ticked: Vec::new(),
        set: Vec::new(),
        place: reader.place(entry.key_at),
    };
    if matches!(entry.value.kind, Kind::Text { .. }) {
        action.goto = goto(reader, at, entry)?;
        return Some(action);
    }
    let mut map = reader.map(entry, "an action", SHAPE);
    let label = map.optional(reader, "label");
    let target = map.required(reader, "goto");
    let by = map.optional(reader, "by");
    let requires = map.optional(reader, "requires");
    let ticked = map.optional(reader, "ticked");
    let set = map.optional(reader, "set");
    let message = map.optional(reader, "message");
    map.finish(reader);
    if let Some(label) = label.and_then(|label| reader.label(label, "a label")) {
        action.label = label;
    }
    let target = target.and_then(|target| goto(reader, at, target));
    action.by = by.map_or_else(Vec::new, |by| leaf::whos(reader, at.scope, by));
    action.requires = requires.map_or_else(Vec::new, |fields| {
        leaf::field_names(reader, at.scope, fields)
    });
    action.ticked = ticked.map_or_else(Vec::new, |ticked| items(reader, at, ticked));
    action.set = set.map_or_else(Vec::new, |set| leaf::settings(reader, at.scope, set));
    action.message = message.and_then(|message| {
        let text = reader.text(&message.value, "`message`")?;
        let read = valid_name(text);
        reader.checked_name(message.value.at, text, read)
    });
    action.goto = target?;
    Some(action)
}

fn goto(reader: &mut Reader<'_>, at: &Place<'_, '_>, entry: &Entry) -> Option<Name> {
    leaf::state(reader, &entry.value, &at.region.names, &at.scope.all_states)
}

/// `ticked: [backup, tested]`, or `ticked: all`.
fn items(reader: &mut Reader<'_>, at: &Place<'_, '_>, entry: &Entry) -> Vec<Name> {
    let all = at.checklist.iter().map(|item| &item.name);
    if let Kind::Text { text, .. } = &entry.value.kind
        && text == "all"
        && !all.clone().any(|item| item == "all")
    {
        if at.checklist.is_empty() {
            let message = "this state has no checklist";
            reader.error(Code::UnknownItem, entry.value.at, message);
        }
        return all.cloned().collect();
    }
    let known: BTreeSet<&Name> = all.clone().collect();
    let mut ticked = Vec::new();
    for node in reader.items(entry) {
        let Some(text) = reader.text(node, "a checklist item") else {
            continue;
        };
        let name = normal(text);
        if known.contains(&name) {
            ticked.push(name);
        } else {
            let names = reader.candidates(all.clone().map(Name::as_str));
            reader.found.unknown_item(node.at, &name, names);
        }
    }
    ticked
}
