//! `states:`, of the workflow and of each branch.

use std::collections::BTreeSet;

use upline_core::workflow::{After, ChecklistItem, LadderChoice, Parallel, StateKind, Work};
use upline_core::{Action, Condition, Label, Name, Span, SpanCount, State, Who};

use super::{Scope, actions, leaf, machines};
use crate::Code;
use crate::names::valid_name;
use crate::reader::{Fields, Reader};
use crate::syntax::{Entry, Kind};

/// Most states of a workflow.
pub(crate) const MAX_STATES: usize = 10_000;

const SHAPE: &str = "`NAME: { title: \"What people see\", assign: lead of GROUP, … }`";

/// Where states stand: those of the workflow, or those of a branch.
pub(crate) struct Region {
    /// The parallel state and the branch; `None` for the ticket's own.
    pub(crate) within: Option<(Name, Name)>,
    /// What a `goto` may name here.
    pub(crate) names: BTreeSet<Name>,
}

impl Region {
    /// The region of these states.
    pub(crate) fn new(within: Option<(Name, Name)>, entries: &[Entry]) -> Self {
        Self {
            within,
            names: entries.iter().map(|one| one.key.clone()).collect(),
        }
    }
}

/// Reads the states of a region and, behind each, those of its branches.
pub(crate) fn states(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    region: &Region,
    entry: &Entry,
    all: &mut Vec<State>,
) {
    let entries = reader.named(entry, "`states`", SHAPE);
    if entries.is_empty() && matches!(entry.value.kind, Kind::Map(_)) {
        reader.error(Code::BadValue, entry.value.at, "there are no states");
    }
    for one in entries {
        let Some(name) = valid_name(&one.key).ok() else {
            reader.key_name(one);
            continue;
        };
        let place = reader.place(one.key_at);
        let index = all.len();
        let mut read = StateReader {
            reader,
            scope,
            region,
            name: &name,
            branches: all,
        };
        let (title, kind) = read.state(one);
        let state = State {
            title: title.unwrap_or_else(|| Label::plain(name.as_str())),
            within: region.within.clone(),
            kind,
            place,
            name,
        };
        all.insert(index, state);
    }
}

/// One state.
struct StateReader<'r, 'a, 's> {
    reader: &'r mut Reader<'a>,
    scope: &'r Scope<'s>,
    region: &'r Region,
    name: &'r Name,
    branches: &'r mut Vec<State>,
}

impl StateReader<'_, '_, '_> {
    fn state(&mut self, entry: &Entry) -> (Option<Label>, StateKind) {
        let mut map = self.reader.map(entry, "a state", SHAPE);
        let title = map
            .optional(self.reader, "title")
            .and_then(|title| self.reader.label(title, "a title"));
        let kind = if map.has("end") {
            self.end(&mut map)
        } else if map.has("choose") {
            self.choose(&mut map)
        } else {
            StateKind::Work(self.work(&mut map))
        };
        map.finish(self.reader);
        (title, kind)
    }

    fn end(&mut self, map: &mut Fields<'_>) -> StateKind {
        let outcome = map.required(self.reader, "end").and_then(|end| {
            let text = self.reader.text(&end.value, "`end`")?;
            let read = valid_name(text);
            self.reader.checked_name(end.value.at, text, read)
        });
        let by_silence = map
            .optional(self.reader, "by-silence")
            .is_some_and(|entry| {
                let word = self.reader.text(&entry.value, "`by-silence`");
                let allowed = word.is_some_and(|word| word == "allowed");
                if let (Some(word), false) = (word, allowed) {
                    let message = format!("`by-silence` must be `allowed`, not `{word}`");
                    let label = "delete the line if silence must not lead here";
                    self.reader
                        .error_with(Code::BadValue, entry.value.at, message, label);
                }
                allowed
            });
        StateKind::End {
            outcome: outcome.unwrap_or_default(),
            by_silence,
            notify: self.notify(map),
        }
    }

    fn choose(&mut self, map: &mut Fields<'_>) -> StateKind {
        let mut cases: Vec<(Condition, Name)> = Vec::new();
        let mut otherwise = None;
        let entry = map.required(self.reader, "choose");
        let shape = "`- { when: FIELD is VALUE, goto: STATE }` and last `- { else: STATE }`";
        let items = entry.map_or(&[][..], |entry| self.reader.list(entry, "`choose`", shape));
        for item in items {
            let mut case = self.reader.map_of(item, item.at, "a case", shape);
            if let Some(entry) = case.optional(self.reader, "else") {
                if otherwise.is_some() {
                    let message = "there is a second `else`";
                    self.reader.error(Code::DuplicateKey, entry.key_at, message);
                }
                otherwise = otherwise.or(Some(self.goto(entry)));
                case.finish(self.reader);
                continue;
            }
            let when = case
                .required(self.reader, "when")
                .and_then(|when| leaf::condition(self.reader, self.scope, &when.value));
            let goto = case
                .required(self.reader, "goto")
                .and_then(|goto| self.goto(goto));
            case.finish(self.reader);
            if otherwise.is_some() {
                let message = "no case behind `else` is ever looked at";
                self.reader
                    .error_with(Code::BadValue, item.at, message, "put `else` last");
            }
            cases.extend(when.zip(goto));
        }
        if let (Some(entry), None) = (entry, &otherwise)
            && matches!(entry.value.kind, Kind::List(_))
        {
            let message = "`choose` needs an `else`: where does it go when no case holds?";
            let label = "add `- { else: STATE }`";
            self.reader
                .error_with(Code::MissingKey, entry.key_at, message, label);
        }
        StateKind::Choose {
            cases,
            otherwise: otherwise.flatten().unwrap_or_default(),
        }
    }

    fn work(&mut self, map: &mut Fields<'_>) -> Work {
        let parallel = map.optional(self.reader, "parallel");
        let doing = machines::doing(self.reader, self.scope, map);
        let assign = map.optional(self.reader, "assign");
        let escalate = map.optional(self.reader, "escalate");
        let form = map.optional(self.reader, "form");
        let checklist = map.optional(self.reader, "checklist");
        let actions = map.optional(self.reader, "actions");
        if let Some(parallel) = parallel {
            let branch_side = [assign, escalate, form, checklist, actions];
            for entry in branch_side.into_iter().flatten() {
                let message = format!(
                    "`{}` belongs in the branches of a parallel state",
                    entry.key
                );
                let label = "write it at a state of a branch";
                self.reader
                    .error_with(Code::BadBranch, entry.key_at, message, label);
            }
            if doing.is_some() {
                let message = "a state has branches, or calls a machine, not both";
                self.reader.error(Code::BadBranch, parallel.key_at, message);
            }
        }
        let checklist = checklist.map_or_else(Vec::new, |checklist| self.checklist(checklist));
        let actions = actions.map_or_else(Vec::new, |actions| self.actions(actions, &checklist));
        if let Some(doing) = &doing {
            machines::outcomes(self.reader, doing, &actions, map.at());
        }
        let parallel = parallel.map(|parallel| self.parallel(parallel));
        Work {
            assign: assign.and_then(|assign| leaf::assign(self.reader, self.scope, assign)),
            notify: self.notify(map),
            escalate: escalate.map_or_else(Vec::new, |escalate| self.escalate(escalate)),
            form: form.map_or_else(Vec::new, |form| {
                leaf::field_names(self.reader, self.scope, form)
            }),
            checklist,
            actions,
            after: self.after(map),
            doing: parallel
                .map(upline_core::workflow::Doing::Parallel)
                .or(doing),
        }
    }

    fn notify(&mut self, map: &mut Fields<'_>) -> Vec<Who> {
        map.optional(self.reader, "notify")
            .map_or_else(Vec::new, |notify| {
                leaf::whos(self.reader, self.scope, notify)
            })
    }

    fn goto(&mut self, entry: &Entry) -> Option<Name> {
        leaf::state(
            self.reader,
            &entry.value,
            &self.region.names,
            &self.scope.all_states,
        )
    }

    fn escalate(&mut self, entry: &Entry) -> Vec<LadderChoice> {
        let shape = "a ladder's name, or `- { when: FIELD is VALUE, ladder: NAME }`";
        let items = match &entry.value.kind {
            Kind::Text { .. } => {
                let ladder = self.ladder(&entry.value);
                return ladder
                    .map(|ladder| LadderChoice { when: None, ladder })
                    .into_iter()
                    .collect();
            }
            _ => self.reader.list(entry, "`escalate`", shape),
        };
        let mut choices: Vec<LadderChoice> = Vec::new();
        let mut has_else = false;
        for item in items {
            let mut map = self
                .reader
                .map_of(item, item.at, "a choice of ladder", shape);
            if has_else {
                let message = "no choice behind `else` is ever looked at";
                self.reader
                    .error_with(Code::BadValue, item.at, message, "put `else` last");
            }
            if let Some(otherwise) = map.optional(self.reader, "else") {
                has_else = true;
                let ladder = self.ladder(&otherwise.value);
                choices.extend(ladder.map(|ladder| LadderChoice { when: None, ladder }));
            } else {
                let when = map
                    .required(self.reader, "when")
                    .and_then(|when| leaf::condition(self.reader, self.scope, &when.value));
                let ladder = map
                    .required(self.reader, "ladder")
                    .and_then(|ladder| self.ladder(&ladder.value));
                choices.extend(when.zip(ladder).map(|(when, ladder)| LadderChoice {
                    when: Some(when),
                    ladder,
                }));
            }
            map.finish(self.reader);
        }
        if !has_else && matches!(entry.value.kind, Kind::List(_)) {
            let message = "`escalate` needs an `else`: who is asked when no condition holds?";
            let label = "add `- { else: LADDER }`";
            self.reader
                .error_with(Code::MissingKey, entry.key_at, message, label);
        }
        choices
    }

    fn ladder(&mut self, node: &crate::syntax::Node) -> Option<Name> {
        let (name, site) = leaf::name(self.reader, node, "a ladder's name")?;
        if self.scope.ladders.contains(&name) {
            return Some(name);
        }
        let names = self
            .reader
            .candidates(self.scope.ladders.iter().map(Name::as_str));
        self.reader.found.unknown_ladder(site, &name, names);
        None
    }

    fn checklist(&mut self, entry: &Entry) -> Vec<ChecklistItem> {
        let mut items = Vec::new();
        for one in self
            .reader
            .named(entry, "`checklist`", "`{ NAME: \"What is to be done\" }`")
        {
            let name = self.reader.key_name(one);
            let label = self.reader.label(one, "a checklist item");
            items.extend(
                name.zip(label)
                    .map(|(name, label)| ChecklistItem { name, label }),
            );
        }
        items
    }

    fn actions(&mut self, entry: &Entry, checklist: &[ChecklistItem]) -> Vec<Action> {
        let shape = "`NAME: { label: \"What the button says\", goto: STATE }`";
        let mut all: Vec<Action> = Vec::new();
        for one in self.reader.named(entry, "`actions`", shape) {
            let Some(name) = self.reader.key_name(one) else {
                continue;
            };
            let place = actions::Place {
                scope: self.scope,
                region: self.region,
                checklist,
            };
            if let Some(action) = actions::action(self.reader, &place, one, name) {
                all.push(action);
            }
        }
        all
    }

    /// `after: { 3 days: resolved }`.
    fn after(&mut self, map: &mut Fields<'_>) -> Vec<After> {
        let Some(entry) = map.optional(self.reader, "after") else {
            return Vec::new();
        };
        let mut all: Vec<After> = Vec::new();
        let mut seen = BTreeSet::new();
        for one in self.reader.named(entry, "`after`", "`{ 3 days: STATE }`") {
            let span = leaf::span_text(self.reader, one.key_at, &one.key);
            let goto = self.goto(one);
            if let (Some(span), Some(goto)) = (span, goto) {
                if !seen.insert(span) {
                    let message = format!("something else happens after {span} already");
                    self.reader.error(Code::DuplicateName, one.key_at, message);
                }
                let place = self.reader.place(one.key_at);
                all.push(After { span, goto, place });
            }
        }
        all.sort_by_key(|after| (about_seconds(after.span), after.span));
        all
    }

    fn parallel(&mut self, entry: &Entry) -> Parallel {
        let name = self.name.clone();
        machines::parallel(
            self.reader,
            self.scope,
            self.region,
            &name,
            entry,
            self.branches,
        )
    }
}

/// A length to sort by. How long a working day is only a calendar knows; hours and days of one `after` are
/// rarely near each other.
fn about_seconds(span: Span) -> i64 {
    const WORKING_DAY: i64 = 8 * 3600;
    match span.count {
        SpanCount::Days { days } if !span.around_the_clock => i64::from(days) * WORKING_DAY,
        _ => span.at_least_seconds(),
    }
}
