//! `forgettable-state`: nothing watches the state: no ladder, no `after`, no branches, and no call to a
//! machine, which has a timeout. From the language's list of checks.
//!
//! A called workflow does not watch: its ticket may take for ever.

use upline_core::workflow::Doing;

use super::graph::work;
use super::subject::Subject;
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    for (number, state) in at.reached() {
        let Some(work) = work(state) else { continue };
        let waits = matches!(work.doing, None | Some(Doing::Call(_)));
        if waits && work.escalate.is_empty() && work.after.is_empty() {
            found.add(|| {
                let message = format!("nothing watches the state `{}`", state.name);
                let site = at.state_at(number);
                let mut diagnostic = Diagnostic::new(Code::ForgettableState, site, message);
                diagnostic.label("add `escalate: LADDER` or `after: { 3 days: STATE }`");
                let promises = at.workflow.promises.iter();
                if promises
                    .clone()
                    .any(|promise| !promise.met_in.contains(&state.name))
                {
                    diagnostic.help(
                        "a promise is not enough: it stands still while it is paused, and is \
                         over when it was broken",
                    );
                }
                diagnostic
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn somebody_must_be_asked_or_some_time_run() {
        check(
            "
promises: { soon: { within: 8 h, met-in: closed } }
states:
  new: { assign: next in desk, actions: { fixed: closed, ask: waiting } }
  waiting: { actions: { fixed: closed } }
  closed: { end: done }
",
            &[
                "forgettable-state `new` nothing watches the state `new`",
                "forgettable-state `waiting` nothing watches the state `waiting`",
            ],
        );
    }

    #[test]
    fn time_machines_and_branches_watch() {
        fine(
            "
states:
  new: { assign: next in desk, actions: { go: order }, after: { 1 day: order } }
  order:
    run: { webhook: shop }
    actions: { done: both, failed: both }
  both:
    parallel:
      branches:
        left: { start: l, states: { l: { LEAD { go: l2 } }, l2: { end: done } } }
        right: { start: r, states: { r: { LEAD { go: r2 } }, r2: { end: done } } }
      join: all
      goto: done
  done: { end: done }
",
        );
    }
}
