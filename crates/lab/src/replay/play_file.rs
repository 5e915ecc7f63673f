//! The part of a mapping file that says what rows do, and its comparison with a workflow.

use std::collections::BTreeMap;

use upline_core::{Directory, FieldType, Name, Value, Workflow};
use upline_dsl::reader::{Entry, Fields, Kind, Node, Reader};
use upline_dsl::{Code, Found, Site};

use super::mapping_file::{column, meaning, shown};
use super::{Act, By, Doer, FieldText, LOG, MappedField, Mapping, PlayMap, What};

pub(super) fn play_of(reader: &mut Reader<'_>, entry: &Entry) -> PlayMap {
    let shape = "taken: { in: working, take: [accept] }, one for each meaning";
    let mut play = PlayMap {
        opening: Act {
            by: opener(),
            ..Act::default()
        },
        ..PlayMap::default()
    };
    for entry in reader.named(entry, "the play", shape) {
        if entry.key == *"opening" {
            play.opening = act(reader, entry, true);
        } else if let Some(what) = meaning(reader, entry.key_at, &entry.key) {
            let act = act(reader, entry, false);
            play.acts.insert(what, act);
        }
    }
    play
}

/// Who opens tickets if the mapping does not say so: the log's person, else the log.
fn opener() -> By {
    By {
        who: Doer::Person,
        otherwise: Some(Doer::System(LOG)),
    }
}

fn act(reader: &mut Reader<'_>, entry: &Entry, opening: bool) -> Act {
    let mut keys = reader.map(entry, "what a row does", "{ in: STATE, take: [ACTION] }");
    let states = names(reader, &mut keys, "in", "a state");
    let take = names(reader, &mut keys, "take", "an action");
    let (mut by, mut by_at) = (
        if opening { opener() } else { By::default() },
        [entry.key_at; 2],
    );
    if let Some(entry) = keys.optional(reader, "by") {
        (by, by_at) = doers(reader, &entry.value).unwrap_or((By::default(), [entry.value.at; 2]));
    }
    let fields = keys.optional(reader, "fields");
    let fields = fields
        .map(|entry| fields_of(reader, entry))
        .unwrap_or_default();
    let comment = keys.optional(reader, "comment");
    let comment = comment
        .and_then(|entry| reader.flag(entry))
        .unwrap_or(false);
    keys.finish(reader);
    Act {
        states,
        take,
        by,
        by_at,
        fields,
        comment,
    }
}

fn names(
    reader: &mut Reader<'_>,
    keys: &mut Fields<'_>,
    key: &'static str,
    what: &str,
) -> Vec<(Name, Site)> {
    let Some(entry) = keys.optional(reader, key) else {
        return Vec::new();
    };
    let items = reader.items(entry).iter();
    let names = items.filter_map(|node| Some((reader.text(node, what)?.clone(), node.at)));
    names.collect()
}

/// `holder`, `person`, `user ann`, `system log`, and two of them with `, else ` between.
fn doers(reader: &mut Reader<'_>, node: &Node) -> Option<(By, [Site; 2])> {
    let text = reader.text(node, "who does it")?;
    let (first, second) = match text.split_once(ELSE) {
        Some((first, second)) => (first, Some(second)),
        None => (text.as_str(), None),
    };
    let places = [part(node, text, 0, first), {
        let start = second.map_or(0, |_| first.len() + ELSE.len());
        part(node, text, start, second.unwrap_or(first))
    }];
    let read = doer(first).zip(second.map_or(Some(None), |second| doer(second).map(Some)));
    let Some((who, otherwise)) = read else {
        let message = format!("`{}` does not say who does it", shown(text));
        let label = "write `holder`, `person`, `user ID`, `system NAME`, or `person, else …`";
        reader.error_with(Code::BadValue, node.at, message, label);
        return None;
    };
    Some((By { who, otherwise }, places))
}

/// Between the two who may do it.
const ELSE: &str = ", else ";

/// Where a part of a text stands; the whole text, if what is written is not what is read.
fn part(node: &Node, text: &str, start: usize, part: &str) -> Site {
    let whole = node.at.span();
    let quotes = match whole.len().checked_sub(text.len()) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return node.at,
    };
    let start = whole.start + quotes + start;
    Site::new(node.at.file, start..start + part.len())
}

fn doer(text: &str) -> Option<Doer> {
    Some(match text.trim().split_once(' ') {
        None if text.trim() == "holder" => Doer::Holder,
        None if text.trim() == "person" => Doer::Person,
        Some(("user", person)) => Doer::User(Name::new(person.trim())),
        Some(("system", system)) => Doer::System(Name::new(system.trim())),
        _ => return None,
    })
}

fn fields_of(reader: &mut Reader<'_>, entry: &Entry) -> Vec<MappedField> {
    let shape = "FIELD: { column: … }, or FIELD: a text";
    let fields = reader.named(entry, "the fields", shape).iter();
    let mapped = fields.filter_map(|entry| {
        let at = entry.value.at;
        let (with, given) = match &entry.value.kind {
            Kind::Text { text, .. } => {
                let text = text.to_string();
                (FieldText::Constant(text.clone()), vec![(text, at)])
            }
            Kind::Empty => {
                let given = vec![(String::new(), entry.key_at)];
                (FieldText::Constant(String::new()), given)
            }
            _ => field_column(reader, entry)?,
        };
        Some(MappedField {
            field: entry.key.clone(),
            site: entry.key_at,
            with,
            given,
        })
    });
    mapped.collect()
}

fn field_column(
    reader: &mut Reader<'_>,
    entry: &Entry,
) -> Option<(FieldText, Vec<(String, Site)>)> {
    let mut given = Vec::new();
    let mut keys = reader.map(
        entry,
        "a field",
        "{ column: …, values: { THEIRS: ours }, else: … }",
    );
    let name = keys.required(reader, "column");
    let name = name.and_then(|entry| column(reader, &entry.value));
    let values = keys.optional(reader, "values");
    let values = values.map(|entry| {
        let values = reader.named(entry, "the values", "THEIRS: ours").iter();
        let pairs = values.filter_map(|entry| {
            let ours = reader.text(&entry.value, "a value")?;
            given.push((ours.to_string(), entry.value.at));
            Some((entry.key.trim().to_owned(), ours.to_string()))
        });
        pairs.collect::<BTreeMap<_, _>>()
    });
    let otherwise = keys.optional(reader, "else");
    let otherwise = otherwise.and_then(|entry| {
        let text = reader.text(&entry.value, "a value")?.to_string();
        given.push((text.clone(), entry.value.at));
        Some(text)
    });
    keys.finish(reader);
    let with = FieldText::Column {
        column: name?,
        values: values.unwrap_or_default(),
        otherwise,
    };
    Some((with, given))
}

impl Mapping {
    /// Compares what the rows do with a workflow and a directory: states, actions, fields, their values and
    /// people must be there.
    #[must_use]
    pub fn check(&self, workflow: &Workflow, directory: &Directory) -> Found {
        let mut found = Found::new();
        let Some(play) = &self.play else { return found };
        check_act(&play.opening, workflow, directory, &mut found);
        for act in play.acts.values() {
            check_act(act, workflow, directory, &mut found);
        }
        found
    }
}

fn check_act(act: &Act, workflow: &Workflow, directory: &Directory, found: &mut Found) {
    for (state, at) in &act.states {
        if !workflow.states.contains_key(state) {
            let known = workflow.states.keys().map(Name::as_str);
            found.unknown_state(*at, state, known.collect::<Vec<_>>());
        }
    }
    let works = workflow
        .states
        .keys()
        .filter_map(|state| workflow.work(state));
    let known = works
        .flat_map(|work| &work.actions)
        .map(|action| action.name.as_str());
    let known: Vec<_> = known.collect();
    for (action, at) in &act.take {
        if !known.contains(&action.as_str()) {
            found.unknown_action(*at, action, known.clone());
        }
    }
    let doers = [Some(&act.by.who), act.by.otherwise.as_ref()];
    for (doer, at) in doers.into_iter().zip(act.by_at) {
        if let Some(Doer::User(person)) = doer
            && !directory.people.contains_key(person)
        {
            let known = directory.people.keys().map(Name::as_str);
            found.unknown_person(at, person, known.collect::<Vec<_>>());
        }
    }
    for mapped in &act.fields {
        match workflow.fields.get(&mapped.field) {
            Some(field) => check_values(mapped, &field.kind, found),
            None => {
                let known = workflow.fields.keys().map(Name::as_str);
                found.unknown_field(mapped.site, &mapped.field, known.collect::<Vec<_>>());
            }
        }
    }
}

/// The values that the mapping itself gives must fit the field's type. What comes from the log is looked at
/// when it comes.
fn check_values(mapped: &MappedField, kind: &FieldType, found: &mut Found) {
    for (text, at) in &mapped.given {
        if let Err(fault) = Value::read(kind, text) {
            let message = format!(
                "`{}` does not fit `{}`: it {fault}",
                shown(text),
                mapped.field
            );
            found.report(Code::BadValue, *at, message);
        }
    }
}

impl PlayMap {
    /// Meanings that do nothing in the workflow.
    pub fn without_act(&self) -> impl Iterator<Item = What> {
        let meanings = What::ALL.into_iter();
        meanings.filter(|what| self.acts.get(what).is_none_or(Act::is_empty))
    }
}
