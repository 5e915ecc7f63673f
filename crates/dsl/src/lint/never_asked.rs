//! `never-asked`: an action requires a field that can't be filled by then. From the language's list of
//! checks.
//!
//! A field can be filled if it is in the form of the state, or of any that can come before; if an action, a
//! level, a breach, a machine or another workflow sets it on the way; or if a message comes, which can bring
//! any.

use std::collections::{BTreeMap, BTreeSet};

use upline_core::workflow::Doing;
use upline_core::{Name, Value};

use super::facts::Facts;
use super::graph::{Edge, How, work};
use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let states = at.graph.states.iter().filter_map(|state| work(state));
    let actions = states.flat_map(|work| &work.actions);
    let wanted: BTreeSet<&Name> = actions.flat_map(|action| &action.requires).collect();
    if wanted.is_empty() {
        return;
    }
    let given = given(at);
    let numbers: BTreeMap<&Name, usize> = wanted.into_iter().zip(0..).collect();
    let fields = Fields { at, numbers };
    let facts = Facts::flow(
        &at.graph,
        fields.numbers.len(),
        |state, visit| fields.of_state(state, visit),
        |edge, visit| fields.of_way(edge, visit),
    );
    for (number, state) in at.reached() {
        let Some(work) = work(state) else { continue };
        let mut here = BTreeSet::new();
        fields.of_state(number, &mut |field| {
            here.insert(field);
        });
        for action in work
            .actions
            .iter()
            .filter(|action| action.message.is_none())
        {
            for (item, name) in action.requires.iter().enumerate() {
                let field = fields.numbers.get(name).copied().unwrap_or_default();
                if !facts.has(number, field) && !here.contains(&field) && !given.contains(name) {
                    found.add(|| {
                        let message = format!("no form on the way has the field `{name}`");
                        let node = at.state_node(number);
                        let node = node.find(&["actions", &action.name, "requires"]).item(item);
                        let mut diagnostic = Diagnostic::new(Code::NeverAsked, node.at, message);
                        diagnostic.label(format!("so nobody can ever take `{}`", action.name));
                        diagnostic.help(format!(
                            "add `{name}` to the `form` of `{}`, or of a state before it",
                            state.name
                        ));
                        diagnostic
                    });
                }
            }
        }
    }
}

/// Fields that may be filled at any time: tickets that open by themselves, calling workflows, breaches.
fn given<'a>(at: &Subject<'a>) -> BTreeSet<&'a Name> {
    let opened = at.workflow.every.iter().flat_map(|every| &every.set);
    let breached = at.workflow.promises.iter();
    let breached = breached.flat_map(|promise| &promise.breach.set);
    let mut given: BTreeSet<&Name> = opened.chain(breached).map(|(field, _)| field).collect();
    for caller in &at.loaded.workflows {
        for state in caller.value.states.values() {
            if let Some(Doing::Call(call)) = work(state).and_then(|work| work.doing.as_ref())
                && call.workflow == at.workflow.name
            {
                given.extend(call.with.iter().map(|(field, _)| field));
            }
        }
    }
    given
}

struct Fields<'s, 'a> {
    at: &'s Subject<'a>,
    numbers: BTreeMap<&'a Name, usize>,
}

impl Fields<'_, '_> {
    fn one(&self, field: &Name, visit: &mut dyn FnMut(usize)) {
        if let Some(number) = self.numbers.get(field) {
            visit(*number);
        }
    }

    fn set(&self, set: &[(Name, Value)], visit: &mut dyn FnMut(usize)) {
        set.iter().for_each(|(field, _)| self.one(field, visit));
    }

    /// What may be filled while a ticket is in the state.
    fn of_state(&self, state: usize, visit: &mut dyn FnMut(usize)) {
        let Some(work) = self.at.graph.state(state).and_then(work) else {
            return;
        };
        work.form.iter().for_each(|field| self.one(field, visit));
        for choice in &work.escalate {
            let ladder = self.at.workflow.ladders.get(&choice.ladder);
            let levels = ladder.map_or(&[][..], |ladder| &ladder.levels);
            levels.iter().for_each(|level| self.set(&level.set, visit));
        }
        let taken = match &work.doing {
            Some(Doing::Run(run)) => &run.take,
            Some(Doing::Call(call)) => &call.take,
            Some(Doing::Parallel(_)) | None => return,
        };
        taken.iter().for_each(|(field, _)| self.one(field, visit));
    }

    fn of_way(&self, edge: &Edge, visit: &mut dyn FnMut(usize)) {
        let How::Action(number) = edge.how else {
            return;
        };
        let work = self.at.graph.state(edge.from).and_then(work);
        if let Some(action) = work.and_then(|work| work.actions.get(number)) {
            self.set(&action.set, visit);
            if action.message.is_some() {
                self.numbers.values().for_each(|number| visit(*number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    const FIELDS: &str = "fields: { cause: { type: text }, part: { type: text } }";

    #[test]
    fn a_field_that_comes_too_late() {
        check(
            &format!(
                "{FIELDS}
states:
  new:
    assign: next in desk
    escalate: climb
    form: [part]
    actions: {{ go: {{ goto: then, requires: [part, cause] }} }}
  then:
    assign: next in desk
    escalate: climb
    form: [cause]
    actions: {{ go: {{ goto: done, requires: cause }} }}
  done: {{ end: done }}
"
            ),
            &["never-asked `cause` no form on the way has the field `cause`"],
        );
    }

    #[test]
    fn whatever_may_fill_it_counts() {
        for (ways, then) in [
            ("form: [cause], actions: { go: then }", ""),
            ("actions: { go: { goto: then, set: { cause: x } } }", ""),
            ("actions: { go: { goto: then, message: told } }", ""),
            (
                "run: { webhook: shop, take: { cause: why } }, actions: { done: then, failed: then }",
                "",
            ),
            ("actions: { go: then }", "form: [cause], "),
            ("actions: { go: then }", "escalate: fills, "),
        ] {
            let escalate = if then.contains("escalate") {
                ""
            } else {
                "escalate: climb, "
            };
            fine(&format!(
                "fields: {{ cause: {{ type: text }} }}
ladders:
  fills: [{{ after: 1 h, set: {{ cause: late }} }}, {{ after: 1 h, assign: lead of desk }}]
states:
  new: {{ assign: next in desk, escalate: fills, {ways} }}
  then: {{ assign: lead of desk, {escalate}{then}actions: {{ go: {{ goto: done, requires: [cause] }} }} }}
  done: {{ end: done }}
"
            ));
        }
    }

    #[test]
    fn circles_bring_it_back() {
        fine(
            "fields: { cause: { type: text } }
states:
  new: { NEXT { go: then, fixed: { goto: done, requires: [cause] } } }
  then: { assign: lead of desk, escalate: climb, form: [cause], actions: { back: new } }
  done: { end: done }
",
        );
    }

    #[test]
    fn another_branch_may_fill_it() {
        fine(
            "fields: { cause: { type: text } }
states:
  both:
    parallel:
      branches:
        left:
          start: l
          states: { l: { LEAD { go: { goto: l2, requires: [cause] } } }, l2: { end: done } }
        right:
          start: r
          states:
            r: { assign: lead of desk, escalate: climb, form: [cause], actions: { go: r2 } }
            r2: { end: done }
      join: all
      goto: done
  done: { end: done }
",
        );
    }
}
