//! `unused-ladder`: no state uses the ladder.

use std::collections::HashSet;

use super::graph::work;
use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let works = at.graph.states.iter().filter_map(|state| work(state));
    let used: HashSet<&str> = works
        .flat_map(|work| &work.escalate)
        .map(|choice| choice.ladder.as_str())
        .collect();
    for name in at.workflow.ladders.keys() {
        if !used.contains(name.as_str()) {
            found.add(|| {
                let message = format!("no state uses the ladder `{name}`");
                let site = at.defined_at("ladders", name);
                let mut diagnostic = Diagnostic::new(Code::UnusedLadder, site, message);
                diagnostic.label(format!("a state uses it by `escalate: {name}`"));
                diagnostic
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::check;

    #[test]
    fn one_of_three() {
        check(
            "
fields: { sort: { type: choice, options: [A, B] } }
ladders:
  used: [{ after: 1 h, assign: lead of desk }]
  unused: [{ after: 1 h, assign: lead of desk }]
  at-times: [{ after: 1 h, assign: lead of desk }]
states:
  new:
    assign: next in desk
    form: [sort]
    escalate: [{ when: sort is A, ladder: at-times }, { else: used }]
    actions: { go: done }
  done: { end: done }
",
            &["unused-ladder `unused` no state uses the ladder `unused`"],
        );
    }
}
