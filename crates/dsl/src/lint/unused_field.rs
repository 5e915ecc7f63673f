//! `unused-field`: no form, condition, phrase or call uses the field.

use std::collections::HashSet;

use upline_core::workflow::{BodyValue, Doing, StateKind, Work};
use upline_core::{Base, Condition, Name};

use super::graph::work;
use super::phrases::bases;
use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let workflow = at.workflow;
    if workflow.fields.is_empty() {
        return;
    }
    let mut used: HashSet<&str> = HashSet::new();
    let mut uses = Uses { used: &mut used };
    for state in &at.graph.states {
        match &state.kind {
            StateKind::Choose { cases, .. } => {
                cases.iter().for_each(|(when, _)| uses.condition(when));
            }
            StateKind::Work(work) => uses.work(work),
            StateKind::End { .. } => (),
        }
    }
    for asked in &at.phrases {
        for base in bases(asked.who) {
            if let Base::Contact(field) | Base::Named(field) = base {
                uses.name(field);
            }
        }
    }
    for promise in &workflow.promises {
        promise
            .except
            .iter()
            .for_each(|(when, _)| uses.condition(when));
        promise
            .breach
            .set
            .iter()
            .for_each(|(field, _)| uses.name(field));
    }
    let levels = workflow.ladders.values().flat_map(|ladder| &ladder.levels);
    let opened = workflow.every.iter().flat_map(|every| &every.set);
    let set = levels.flat_map(|level| &level.set).chain(opened);
    set.for_each(|(field, _)| uses.name(field));
    let callers = at.loaded.workflows.iter();
    for state in callers.flat_map(|read| read.value.states.values()) {
        if let Some(Doing::Call(call)) = work(state).and_then(|work| work.doing.as_ref())
            && call.workflow == workflow.name
        {
            call.with.iter().for_each(|(theirs, _)| uses.name(theirs));
            call.take.iter().for_each(|(_, theirs)| uses.name(theirs));
        }
    }
    let unused = workflow
        .field_order
        .iter()
        .filter(|name| !used.contains(name.as_str()));
    for name in unused {
        found.add(|| {
            let message = format!("nothing uses the field `{name}`");
            let site = at.defined_at("fields", name);
            let mut diagnostic = Diagnostic::new(Code::UnusedField, site, message);
            diagnostic.label("add it to the `form` of a state");
            diagnostic
        });
    }
}

struct Uses<'u, 'w> {
    used: &'u mut HashSet<&'w str>,
}

impl<'w> Uses<'_, 'w> {
    fn name(&mut self, name: &'w Name) {
        self.used.insert(name);
    }

    fn condition(&mut self, condition: &'w Condition) {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => {
                parts.iter().for_each(|part| self.condition(part));
            }
            Condition::Not(inner) => self.condition(inner),
            Condition::During(_) => (),
            Condition::Is(field, _)
            | Condition::IsOneOf(field, _)
            | Condition::IsEmpty(field)
            | Condition::IsOver(field, _)
            | Condition::IsUnder(field, _)
            | Condition::Before(field, _)
            | Condition::After(field, _) => self.name(field),
        }
    }

    fn work(&mut self, work: &'w Work) {
        work.form.iter().for_each(|field| self.name(field));
        for action in &work.actions {
            action.requires.iter().for_each(|field| self.name(field));
            action.set.iter().for_each(|(field, _)| self.name(field));
        }
        for choice in &work.escalate {
            choice.when.iter().for_each(|when| self.condition(when));
        }
        match &work.doing {
            Some(Doing::Run(run)) => {
                run.take.iter().for_each(|(ours, _)| self.name(ours));
                for (_, value) in &run.body {
                    if let BodyValue::Field(field) = value {
                        self.name(field);
                    }
                }
            }
            Some(Doing::Call(call)) => {
                call.with.iter().for_each(|(_, ours)| self.name(ours));
                call.take.iter().for_each(|(ours, _)| self.name(ours));
            }
            Some(Doing::Parallel(_)) | None => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::check;

    #[test]
    fn every_use_counts() {
        check(
            "
fields:
  asked: { type: text }
  read: { type: number }
  told: { type: contact }
  set: { type: text }
  sent: { type: text }
  taken: { type: text }
  late: { type: text }
  promised: { type: number }
  climbed: { type: number }
  left-over: { type: text }
promises:
  soon:
    within: 8 h
    except: { when: promised is over 3, within: 4 h }
    met-in: done
    breach: { set: { late: x } }
ladders:
  quick: [{ after: 1 h, assign: lead of desk }]
states:
  new:
    assign: next in desk
    form: [asked]
    escalate: [{ when: climbed is over 3, ladder: quick }, { else: climb }]
    notify: [told]
    actions: { go: { goto: sorted, set: { set: x } } }
  sorted: { choose: [{ when: not (read is over 3 or read is empty), goto: shop }, { else: done }] }
  shop:
    run: { webhook: shop, body: [sent], take: { taken: x } }
    escalate: climb
    actions: { done: done, failed: failed }
  failed: { LEAD { go: done } }
  done: { end: done }
",
            &["unused-field `left-over` nothing uses the field `left-over`"],
        );
    }
}
