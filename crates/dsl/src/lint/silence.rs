//! What the proof refuses: `silent-end`, `endless-silence` and `unbounded`. From the design's exact rules.

use std::collections::BTreeMap;

use upline_core::proof::{Problem, ProblemKind};

use super::graph::{Edge, How, work};
use super::instant_loop::at_once;
use super::subject::{MAX_ALSO, Subject};
use crate::{Code, Diagnostic, Found};

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let Some(proof) = at.proof.filter(|proof| !proof.holds()) else {
        return;
    };
    let mut ends: BTreeMap<usize, Vec<Vec<usize>>> = BTreeMap::new();
    let mut instant = None;
    for problem in &proof.problems {
        let path = problem.path.iter();
        let path: Vec<usize> = path.filter_map(|name| at.graph.number(name)).collect();
        // Of what can't be reached another rule says that, and that is enough.
        if path.first().is_some_and(|first| !at.reachable[*first]) {
            continue;
        }
        match problem.kind {
            ProblemKind::SilentEnd => {
                if let Some(end) = path.last() {
                    ends.entry(*end).or_default().push(path);
                }
            }
            ProblemKind::EndlessSilence => {
                let instant = instant.get_or_insert_with(|| at_once(&at.graph));
                let ways = path.windows(2);
                let mut ways = ways.filter_map(|pair| way(at, pair[0], pair[1]));
                if !ways.all(instant) {
                    found.add(|| endless(at, &path));
                }
            }
            ProblemKind::Unbounded => found.add(|| unbounded(at, problem, &path)),
            // Said by rules of their own, with more to say.
            ProblemKind::ForgettableState
            | ProblemKind::HopelessLadder
            | ProblemKind::UnknownCalendar
            | ProblemKind::NoLastResort => (),
        }
    }
    for (end, paths) in ends {
        found.add(|| silent_end(at, end, &paths));
    }
}

/// What the proof refuses must never pass, even where no rule has a word for it.
pub(super) fn refuse(at: &Subject<'_>, found: &mut Found) {
    let problems = at.proof.map_or(&[][..], |proof| &proof.problems);
    for problem in problems {
        let first = problem.path.first();
        let path: Vec<usize> = first
            .and_then(|name| at.graph.number(name))
            .into_iter()
            .collect();
        found.add(|| unbounded(at, problem, &path));
    }
}

/// The action that is taken when a machine has failed for good.
const FAILED: &str = "failed";

/// What leads from a state to another if nobody acts: a time, or the failure of a machine.
fn way<'g>(at: &'g Subject<'_>, from: usize, to: usize) -> Option<&'g Edge> {
    let mut ways = at.graph.out(from).filter(|edge| edge.to == to);
    let failed = |edge: &&Edge| match edge.how {
        How::Action(number) => {
            let work = at.graph.state(from).and_then(work);
            let action = work.and_then(|work| work.actions.get(number));
            action.is_some_and(|action| action.name == FAILED)
        }
        _ => false,
    };
    let silent = |edge: &&Edge| !matches!(edge.how, How::Action(_));
    let time = ways.clone().find(silent);
    time.or_else(|| ways.find(failed))
}

fn silent_end(at: &Subject<'_>, end: usize, paths: &[Vec<usize>]) -> Diagnostic {
    let message = format!("silence alone leads to the end `{}`", at.name(end));
    let mut diagnostic = Diagnostic::new(Code::SilentEnd, at.state_at(end), message);
    diagnostic.label("if that is meant, add `by-silence: allowed`");
    let ways = paths.iter().filter_map(|path| match path[..] {
        [from, to, ..] => way(at, from, to),
        _ => None,
    });
    let first = paths.iter().filter_map(|path| path.first());
    let broken = first.flat_map(|state| {
        let ways = at.graph.ways_to(*state);
        ways.filter(|edge| matches!(edge.how, How::Breach(_)))
    });
    let broken = broken.filter(|_| paths.iter().any(|path| path.len() == 1));
    for edge in ways.chain(broken).take(MAX_ALSO) {
        let text = match edge.how {
            How::After(_) => "this time leads there",
            How::Join => "the branches can all be over by silence",
            How::Breach(_) => "a broken promise leads there",
            How::Action(_) => "a machine that does not answer leads there",
            _ => "by this way",
        };
        diagnostic.also(at.edge_at(edge), text);
    }
    diagnostic
}

fn endless(at: &Subject<'_>, path: &[usize]) -> Diagnostic {
    let round: Vec<String> = path
        .iter()
        .map(|state| format!("`{}`", at.name(*state)))
        .collect();
    let shown = round.len().min(MAX_ALSO + 2);
    let round = round[..shown].join(" → ");
    let message = "nobody acts, and time alone leads round in a circle";
    let mut ways = path.windows(2).filter_map(|pair| way(at, pair[0], pair[1]));
    let site = match ways.next() {
        Some(first) => at.edge_at(first),
        None => path
            .first()
            .map_or_else(|| at.key_at("states"), |state| at.state_at(*state)),
    };
    let mut diagnostic = Diagnostic::new(Code::EndlessSilence, site, message);
    diagnostic.label("each time the ladder begins anew, and the last resort is never asked");
    for edge in ways.take(MAX_ALSO) {
        diagnostic.also(at.edge_at(edge), "and on");
    }
    diagnostic.help(format!(
        "it goes {round}: let one of these states wait until its ladder is through, or lead to an end"
    ));
    diagnostic
}

fn unbounded(at: &Subject<'_>, problem: &Problem, path: &[usize]) -> Diagnostic {
    let site = match path.first() {
        Some(state) => at.state_at(*state),
        None => at.node(&["calendar"]).at,
    };
    let mut diagnostic = Diagnostic::new(Code::Unbounded, site, problem.text.as_str());
    diagnostic.label("so nothing is proved");
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, check_files, fine, states};

    #[test]
    fn ends_that_silence_leads_to() {
        check(
            "
fields: { sort: { type: choice, options: [A, B] } }
states:
  new: { form: [sort], NEXT { go: then }, after: { 1 day: sorted } }
  then: { LEAD { go: done }, after: { 3 days: done } }
  sorted: { choose: [{ when: sort is A, goto: then }, { else: done }] }
  done: { end: done }
",
            &["silent-end `done` silence alone leads to the end `done` + `sorted` + `done`"],
        );
    }

    #[test]
    fn a_broken_promise_that_leads_to_an_end() {
        check(
            "
promises: { soon: { within: 8 h, met-in: then, breach: { goto: done } } }
states:
  new: { NEXT { go: then } }
  then: { LEAD { go: done } }
  done: { end: done }
",
            &["silent-end `done` silence alone leads to the end `done` + `done`"],
        );
    }

    #[test]
    fn time_goes_round() {
        check(
            "
states:
  new: { NEXT { go: done }, after: { 30 min: then } }
  then: { assign: lead of desk, actions: { go: done }, after: { 30 min: new } }
  done: { end: done }
",
            &["endless-silence `then` nobody acts, and time alone leads round in a circle + `new`"],
        );
    }

    #[test]
    fn silence_that_ends_as_it_shall() {
        fine(
            "
states:
  new: { NEXT { go: then }, after: { 1 day: then } }
  then: { LEAD { back: new, go: done }, after: { 3 days: done } }
  done: { end: done, by-silence: allowed }
",
        );
    }

    /// A called workflow that ends by itself moves its caller on, and nobody has acted.
    #[test]
    fn what_a_silent_child_leads_to() {
        let child = states(
            "child",
            "
  new: { NEXT { ok: gone }, after: { 10 min: gone } }
  gone: { end: done, by-silence: allowed }
",
        );
        let caller = |body: &str| states("caller", body);
        let ends = caller(
            "
  new: { NEXT { go: order } }
  order: { call: { workflow: child }, escalate: climb, actions: { done: closed } }
  closed: { end: done }
",
        );
        check_files(
            &[&ends, &child],
            &["silent-end `closed` silence alone leads to the end `closed`"],
        );
        let round = caller(
            "
  new: { call: { workflow: child }, assign: next in desk, escalate: climb, actions: { done: again } }
  again: { NEXT { go: new, stop: closed }, after: { 30 min: new } }
  closed: { end: done }
",
        );
        check_files(
            &[&round, &child],
            &["endless-silence `new` nobody acts, and time alone leads round in a circle"],
        );
    }
}
