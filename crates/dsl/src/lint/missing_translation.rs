//! `missing-translation`: a text lacks a language that other texts of the workflow have.

use std::collections::BTreeSet;

use upline_core::workflow::StateKind;
use upline_core::{Label, Name};

use super::subject::Subject;
use crate::syntax::Node;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let mut languages: BTreeSet<&Name> = BTreeSet::new();
    each(at, &mut |label, _| {
        languages.extend(label.languages().filter(|language| !language.is_empty()));
    });
    if languages.is_empty() {
        return;
    }
    each(at, &mut |label, node| {
        let has: BTreeSet<&Name> = label.languages().collect();
        let missing = languages.iter().filter(|language| !has.contains(*language));
        let mut missing: Vec<&str> = missing.map(|language| language.as_str()).collect();
        // An option with texts in other languages is itself the text in its own: in English, if that is not
        // given.
        if has.len() > 1 && has.iter().any(|language| language.is_empty()) {
            let own = missing
                .iter()
                .position(|language| *language == "en")
                .unwrap_or(0);
            missing.drain(own..missing.len().min(own + 1));
        }
        // A text that was not given at all is the name of the thing, in every language.
        let Some(node) = node().filter(|_| !missing.is_empty()) else {
            return;
        };
        found.add(|| {
            let message = format!(
                "this text is missing in {}",
                super::subject::listed(missing.iter().copied())
            );
            let mut diagnostic = Diagnostic::new(Code::MissingTranslation, node.at, message);
            diagnostic.label(match has.iter().any(|language| language.is_empty()) {
                true => "write it as `{ en: \"…\", zh: \"…\" }`, as others are",
                false => "other texts of the workflow have it",
            });
            diagnostic
        });
    });
}

type Visit<'v, 'a> = &'v mut dyn FnMut(&'a Label, &dyn Fn() -> Option<&'a Node>);

/// Each text for people, and where it stands if it was given.
fn each<'a>(at: &Subject<'a>, visit: Visit<'_, 'a>) {
    let given = |node: &'a Node, key: &str| node.get(key).map(|entry| &entry.value);
    let root = at.node(&[]);
    visit(&at.workflow.title, &|| given(root, "title"));
    for entry in root.find(&["fields"]).entries() {
        if let Some(field) = at.workflow.fields.get(&entry.key) {
            visit(&field.label, &|| given(&entry.value, "label"));
            for (option, label) in &field.option_labels {
                visit(label, &|| given(entry.value.find(&["options"]), option));
            }
        }
    }
    for (number, state) in at.graph.states.iter().enumerate() {
        let node = at.state_node(number);
        // Nobody stays in a choice long enough to read its title.
        if !matches!(state.kind, StateKind::Choose { .. }) {
            visit(&state.title, &|| given(node, "title"));
        }
        let StateKind::Work(work) = &state.kind else {
            continue;
        };
        for action in &work.actions {
            let label = || {
                given(
                    node.find(&["actions"])
                        .get(&action.name)
                        .map(|one| &one.value)?,
                    "label",
                )
            };
            visit(&action.label, &label);
        }
        for item in &work.checklist {
            visit(&item.label, &|| {
                given(node.find(&["checklist"]), &item.name)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn a_language_that_others_have() {
        check(
            "
title: { en: Fault, zh: 故障 }
fields:
  sort: { type: choice, label: Which?, options: [A, B] }
  more: { type: text, label: { en: More } }
states:
  new:
    title: { zh: 新 }
    assign: next in desk
    escalate: climb
    form: [sort, more]
    checklist: { sure: { en: Sure? } }
    actions: { go: { label: { en: Go, zh: 走 }, goto: done }, plain: done }
  done: { end: done }
",
            &[
                "missing-translation `Which?` this text is missing in `en` and `zh`",
                "missing-translation `{ en: More }` this text is missing in `zh`",
                "missing-translation `{ zh: 新 }` this text is missing in `en`",
                "missing-translation `{ en: Sure? }` this text is missing in `zh`",
            ],
        );
    }

    /// An option is the text in its own language; of others that the workflow speaks each must be there.
    #[test]
    fn options_speak_what_others_speak() {
        let text = |title: &str, more: &str| {
            format!(
                "
title: {title}
fields:
  sort:
    type: choice
    label: {title}
    options: {{ A: {{ zh: 甲 }}, B: {{ en: Bee, zh: 乙 }}{more} }}
states:
  new:
    title: {title}
    assign: next in desk
    escalate: climb
    form: sort
    actions: {{ go: {{ label: {title}, goto: done }} }}
  done: {{ title: {title}, end: done }}
"
            )
        };
        fine(&text("{ en: Fault, zh: 故障 }", ""));
        check(
            &text("{ en: Fault, zh: 故障, de: Störung }", ", C: Sea"),
            &[
                "missing-translation `{ zh: 甲 }` this text is missing in `de`",
                "missing-translation `Sea` this text is missing in `de`, `en` and `zh`",
            ],
        );
    }

    #[test]
    fn one_language_is_enough() {
        fine(
            "
title: Fault
states:
  new: { title: The call, NEXT { go: { label: Go, goto: done } } }
  done: { end: done }
",
        );
    }
}
