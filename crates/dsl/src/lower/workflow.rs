//! A whole workflow.

use std::collections::BTreeMap;

use upline_core::workflow::{CatchUp, StateKind, Workflow};
use upline_core::{Label, Name, Place, Span, State};

use super::scope::Known;
use super::states::{MAX_STATES, Region, states};
use super::{Scope, every, fields, ladders, leaf, promises};
use crate::Code;
use crate::names::valid_name;
use crate::reader::{Fields, Reader};
use crate::syntax::{Entry, Node};

/// For how long at most a ticket may be suspended, if the author says nothing.
pub const DEFAULT_SUSPEND: Span = Span::days(30).around_the_clock();

/// Highest version.
const MAX_VERSION: u32 = 1_000_000;

/// Reads a workflow. What it returns is whole only if no error was found.
pub(crate) fn workflow(
    reader: &mut Reader<'_>,
    root: &Node,
    known: Option<&Known>,
) -> Option<Workflow> {
    let start_of_file = start_of(root);
    let shape = "a workflow begins with `workflow: NAME`";
    let mut map = reader.map_of(root, start_of_file, "the workflow", shape);
    let name_entry = map.required(reader, "workflow");
    let name = name_entry.and_then(|entry| {
        let text = reader.text(&entry.value, "the workflow's name")?;
        let read = valid_name(text);
        reader.checked_name(entry.value.at, text, read)
    });
    let version = map.optional(reader, "version");
    let title = map.optional(reader, "title");
    let mut parts = Parts::take(reader, &mut map);
    let start = map.required(reader, "start");
    let states_entry = map.required(reader, "states");
    map.finish(reader);

    let mut scope = Scope::new(known);
    let fields = parts
        .fields
        .take()
        .map_or_else(Vec::new, |entry| fields::fields(reader, entry));
    scope.fields = fields
        .iter()
        .map(|field| (field.name.clone(), field.clone()))
        .collect();
    scope.ladders = parts
        .ladders
        .iter()
        .flat_map(|entry| ladders::names(entry))
        .collect();
    let region = Region::new(
        None,
        states_entry.map_or(&[], |entry| entry.value.entries()),
    );
    scope.states.clone_from(&region.names);
    let fits = states_entry.is_none_or(|entry| collect(reader, &mut scope, entry));
    let mut all = Vec::new();
    if let Some(entry) = states_entry.filter(|_| fits) {
        states(reader, &scope, &region, entry, &mut all);
    }
    let ladders = parts
        .ladders
        .map_or_else(Vec::new, |entry| ladders::ladders(reader, &scope, entry));
    let start =
        start.and_then(|start| leaf::state(reader, &start.value, &scope.states, &scope.all_states));
    let name = name?;
    Some(Workflow {
        title: title
            .and_then(|title| reader.label(title, "a title"))
            .unwrap_or_else(|| Label::plain(name.as_str())),
        version: version
            .and_then(|version| reader.number(version, 1, MAX_VERSION))
            .unwrap_or(1),
        calendar: parts.calendar.and_then(|entry| {
            let (name, site) = leaf::name(reader, &entry.value, "a calendar's name")?;
            scope.check_calendar(reader, site, &name);
            Some(name)
        }),
        field_order: fields.iter().map(|field| field.name.clone()).collect(),
        promises: parts
            .promises
            .map_or_else(Vec::new, |entry| promises::promises(reader, &scope, entry)),
        ladders: ladders
            .into_iter()
            .map(|ladder| (ladder.name.clone(), ladder))
            .collect(),
        start: start.unwrap_or_default(),
        state_order: all.iter().map(|state| state.name.clone()).collect(),
        states: by_name(all),
        catch_up: parts
            .catch_up
            .map_or(CatchUp::default(), |entry| read_catch_up(reader, entry)),
        every: parts
            .every
            .map_or_else(Vec::new, |entry| every::every(reader, &scope, entry)),
        suspend_at_most: parts
            .suspend
            .and_then(|entry| leaf::span(reader, &entry.value))
            .unwrap_or(DEFAULT_SUSPEND),
        place: name_entry.map_or_else(Place::default, |entry| reader.place(entry.key_at)),
        fields: scope.fields,
        name,
    })
}

/// Where something is reported that is nowhere in the file: at its first key.
pub(super) fn start_of(root: &Node) -> crate::Site {
    let beginning = crate::Site {
        end: root.at.start,
        ..root.at
    };
    let first = root.entries().first();
    first.map_or(beginning, |entry| entry.key_at)
}

/// The entries that may be there.
struct Parts<'n> {
    calendar: Option<&'n Entry>,
    catch_up: Option<&'n Entry>,
    suspend: Option<&'n Entry>,
    fields: Option<&'n Entry>,
    promises: Option<&'n Entry>,
    ladders: Option<&'n Entry>,
    every: Option<&'n Entry>,
}

impl<'n> Parts<'n> {
    fn take(reader: &mut Reader<'_>, map: &mut Fields<'n>) -> Self {
        Self {
            calendar: map.optional(reader, "calendar"),
            catch_up: map.optional(reader, "catch-up"),
            suspend: map.optional(reader, "suspend-at-most"),
            fields: map.optional(reader, "fields"),
            promises: map.optional(reader, "promises"),
            ladders: map.optional(reader, "ladders"),
            every: map.optional(reader, "every"),
        }
    }
}

fn by_name(states: Vec<State>) -> BTreeMap<Name, State> {
    states
        .into_iter()
        .map(|state| (state.name.clone(), state))
        .collect()
}

fn read_catch_up(reader: &mut Reader<'_>, entry: &Entry) -> CatchUp {
    let word = reader.text(&entry.value, "`catch-up`").map(Name::as_str);
    match word {
        Some("from-due") => return CatchUp::FromDue,
        Some("from-told") | None => (),
        Some(other) => {
            let message = format!("`catch-up` must be `from-told` or `from-due`, not `{other}`");
            reader.error(Code::BadValue, entry.value.at, message);
        }
    }
    CatchUp::FromTold
}

/// Collects the names of all states and actions, those of the branches too. State names are unique in a
/// workflow: journals and `met-in` name them without their branch. `false` if there are too many.
fn collect(reader: &mut Reader<'_>, scope: &mut Scope<'_>, entry: &Entry) -> bool {
    let mut seen: BTreeMap<&Name, crate::Site> = BTreeMap::new();
    let mut left = vec![entry];
    while let Some(entry) = left.pop() {
        for state in entry.value.entries() {
            match seen.get(&state.key) {
                Some(first) => {
                    reader
                        .found
                        .duplicate_name(state.key_at, *first, "state", &state.key);
                }
                None => {
                    seen.insert(&state.key, state.key_at);
                }
            }
            if let Some(actions) = state.value.get("actions") {
                let names = actions.value.entries().iter();
                scope.actions.extend(names.map(|action| action.key.clone()));
            }
            let branches = state.value.get("parallel");
            let branches = branches.and_then(|parallel| parallel.value.get("branches"));
            for branch in branches.map_or(&[][..], |branches| branches.value.entries()) {
                left.extend(branch.value.get("states"));
            }
        }
        if seen.len() > MAX_STATES {
            let message = format!("a workflow has at most {MAX_STATES} states");
            reader.error(Code::TooMany, entry.key_at, message);
            return false;
        }
    }
    scope.all_states = seen.into_keys().cloned().collect();
    true
}

/// Whether every goto, start and case of the workflow leads somewhere: holds unless an error was reported.
pub(crate) fn is_whole(workflow: &Workflow) -> bool {
    let known = |name: &Name| workflow.states.contains_key(name);
    known(&workflow.start)
        && workflow.states.values().all(|state| match &state.kind {
            StateKind::Choose { cases, otherwise } => {
                known(otherwise) && cases.iter().all(|(_, goto)| known(goto))
            }
            StateKind::Work(work) => {
                work.actions.iter().all(|action| known(&action.goto))
                    && work.after.iter().all(|after| known(&after.goto))
            }
            StateKind::End { .. } => true,
        })
}
