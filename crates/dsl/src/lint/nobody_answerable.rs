//! `nobody-answerable`: a state without `assign` keeps whoever has the ticket, and nobody has. The design's
//! exact rules: not at the start, not after a join, not after an offer that nobody claimed.

use upline_core::Base;
use upline_core::workflow::{StateKind, Work};

use super::graph::{Edge, Graph, How, parallel, work};
use super::phrases::alternatives;
use super::subject::{MAX_ALSO, Subject};
use crate::{Code, Diagnostic, Found};

/// Why nobody has the ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nobody<'g> {
    AtTheStart,
    AfterAJoin(&'g Edge),
    AfterABreach(&'g Edge),
    Unclaimed(&'g Edge),
}

pub(super) fn check(at: &Subject<'_>, found: &mut Found) {
    let graph = &at.graph;
    if graph.states.is_empty() {
        return;
    }
    let mut why: Vec<Vec<Nobody<'_>>> = vec![Vec::new(); graph.nodes()];
    let mut left = vec![(graph.start, Nobody::AtTheStart)];
    let offers = offers(at);
    // A breach may come while nobody has claimed an offer, or while there are branches.
    let own = |state: &usize| graph.parent(*state).is_none() && at.reachable[*state];
    let unheld = |state: usize| offers[state] || parallel(graph.states[state]).is_some();
    if (0..graph.states.len()).filter(own).any(unheld) {
        let breaches = graph
            .edges
            .iter()
            .filter(|edge| matches!(edge.how, How::Breach(_)));
        left.extend(breaches.map(|edge| (edge.to, Nobody::AfterABreach(edge))));
    }
    for edge in graph.edges.iter().filter(|edge| at.reachable[edge.from]) {
        let Some(state) = graph.state(edge.from) else {
            continue;
        };
        match edge.how {
            How::Join => left.push((edge.to, Nobody::AfterAJoin(edge))),
            How::After(_) if parallel(state).is_some() => {
                left.push((edge.to, Nobody::AfterAJoin(edge)));
            }
            How::After(_) if offers[edge.from] => left.push((edge.to, Nobody::Unclaimed(edge))),
            How::Action(number)
                if offers[edge.from]
                    && work(state).is_some_and(|work| needs_no_claim(work, number)) =>
            {
                left.push((edge.to, Nobody::Unclaimed(edge)));
            }
            _ => (),
        }
    }
    // Choices and the beginnings of branches pass it on as it is.
    while let Some((state, nobody)) = left.pop() {
        let known = &mut why[state];
        if known.contains(&nobody) || known.len() > MAX_ALSO {
            continue;
        }
        known.push(nobody);
        if passes_on(graph, state) {
            let on = graph
                .out(state)
                .filter(|edge| matches!(edge.how, How::Case(_) | How::Otherwise | How::Branch(_)));
            left.extend(on.map(|edge| (edge.to, nobody)));
        }
    }
    for (number, state) in at.reached() {
        let keeps = work(state).is_some_and(|work| work.assign.is_none());
        if keeps && parallel(state).is_none() && !why[number].is_empty() {
            found.add(|| diagnostic(at, number, &why[number]));
        }
    }
}

fn passes_on(graph: &Graph<'_>, state: usize) -> bool {
    graph.state(state).is_some_and(|state| {
        matches!(state.kind, StateKind::Choose { .. }) || parallel(state).is_some()
    })
}

/// Which states may be an offer to a group.
fn offers(at: &Subject<'_>) -> Vec<bool> {
    let is_offer = |assign: &upline_core::workflow::Assign| {
        alternatives(&assign.who).any(|who| matches!(who.base, Base::AnyoneIn(_)))
    };
    let ladders = at.workflow.ladders.iter();
    let offering: Vec<&str> = ladders
        .filter(|(_, ladder)| {
            let mut assigned = ladder
                .levels
                .iter()
                .filter_map(|level| level.assign.as_ref());
            assigned.any(is_offer)
        })
        .map(|(name, _)| name.as_str())
        .collect();
    let state = |work: &Work| {
        let mut ladders = work.escalate.iter();
        work.assign.as_ref().is_some_and(is_offer)
            || ladders.any(|choice| offering.binary_search(&choice.ladder.as_str()).is_ok())
    };
    let states = at.graph.states.iter();
    states.map(|one| work(one).is_some_and(state)).collect()
}

/// Whether somebody who is no candidate can take the action.
fn needs_no_claim(work: &Work, number: usize) -> bool {
    let Some(action) = work.actions.get(number) else {
        return false;
    };
    let outside = action.by.iter().flat_map(alternatives);
    let mut outside = outside.filter(|who| matches!(who.base, Base::Contact(_) | Base::Opener));
    let machine = work.doing.is_some() && action.by.is_empty();
    action.message.is_some() || machine || outside.next().is_some()
}

fn diagnostic(at: &Subject<'_>, state: usize, why: &[Nobody<'_>]) -> Diagnostic {
    let name = at.name(state);
    let message = format!("nobody is answerable in the state `{name}`");
    let mut diagnostic = Diagnostic::new(Code::NobodyAnswerable, at.state_at(state), message);
    diagnostic.label("add `assign`");
    for nobody in why.iter().take(MAX_ALSO) {
        match nobody {
            Nobody::AtTheStart => {
                diagnostic.also(at.node(&["start"]).at, "at the start nobody has the ticket");
            }
            Nobody::AfterAJoin(edge) => {
                let text = "after the branches nobody has the ticket as a whole";
                diagnostic.also(at.edge_at(edge), text);
            }
            Nobody::AfterABreach(edge) => {
                let text = "a promise may be broken while nobody has the ticket as a whole";
                diagnostic.also(at.edge_at(edge), text);
            }
            Nobody::Unclaimed(edge) => {
                let text = "this leads on from an offer that nobody may have claimed";
                diagnostic.also(at.edge_at(edge), text);
            }
        }
    }
    diagnostic
}

#[cfg(test)]
mod tests {
    use crate::lint::kit::{check, fine};

    #[test]
    fn at_the_start_and_through_choices() {
        check(
            "
fields: { sort: { type: choice, options: [A, B] } }
start: sorted
states:
  sorted: { choose: [{ when: sort is A, goto: then }, { else: new }] }
  new: { assign: next in desk, escalate: climb, form: [sort], actions: { go: then } }
  then: { escalate: climb, actions: { go: done } }
  done: { end: done }
",
            &["nobody-answerable `then` nobody is answerable in the state `then` + `sorted`"],
        );
    }

    #[test]
    fn after_a_join_and_after_an_offer() {
        check(
            "
fields: { caller: { type: contact } }
ladders:
  offers: [{ after: 1 h, assign: anyone in desk }]
states:
  new:
    assign: anyone in desk
    escalate: climb
    form: [caller]
    actions: { take: fine, answer: { goto: wrong, by: caller } }
    after: { 3 h: wrong }
  fine: { escalate: offers, actions: { go: both, told: { goto: wrong2, message: told } } }
  wrong: { escalate: climb, actions: { go: both } }
  wrong2: { escalate: climb, actions: { go: both } }
  both:
    parallel:
      branches:
        left: { start: l, states: { l: { escalate: climb, actions: { go: l2 } }, l2: { end: done } } }
        right: { start: r, states: { r: { escalate: climb, actions: { go: r2 } }, r2: { end: done } } }
      join: all
      goto: joined
    after: { 1 day: late }
  joined: { escalate: climb, actions: { go: done } }
  late: { escalate: climb, actions: { go: done } }
  done: { end: done }
",
            &[
                "nobody-answerable `wrong` nobody is answerable in the state `wrong` + `wrong` + `wrong`",
                "nobody-answerable `wrong2` nobody is answerable in the state `wrong2` + `wrong2`",
                "nobody-answerable `joined` nobody is answerable in the state `joined` + `joined`",
                "nobody-answerable `late` nobody is answerable in the state `late` + `late`",
            ],
        );
    }

    #[test]
    fn after_a_breach() {
        let workflow = |assign: &str| {
            format!(
                "
promises: {{ soon: {{ within: 8 h, met-in: done, breach: {{ goto: late }} }} }}
states:
  new: {{ assign: {assign}, escalate: climb, actions: {{ go: done }} }}
  late: {{ escalate: climb, actions: {{ go: done }} }}
  done: {{ end: done }}
"
            )
        };
        fine(&workflow("next in desk"));
        let nobody = "nobody-answerable `late` nobody is answerable in the state `late` + `late`";
        check(&workflow("anyone in desk"), &[nobody]);
    }

    #[test]
    fn a_branch_keeps_who_had_the_ticket() {
        fine(
            "
states:
  new: { assign: anyone in desk, escalate: climb, actions: { take: both } }
  both:
    parallel:
      branches:
        left: { start: l, states: { l: { escalate: climb, actions: { go: l2 } }, l2: { end: done } } }
        right: { start: r, states: { r: { escalate: climb, actions: { go: r2 } }, r2: { end: done } } }
      join: any
      goto: joined
  joined: { LEAD { go: then } }
  then: { escalate: climb, actions: { go: done } }
  done: { end: done }
",
        );
    }
}
