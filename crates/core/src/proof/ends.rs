//! Ends that silence alone leads to, though they don't say that it may.

use std::collections::VecDeque;

use super::map::{Map, is_behind};
use super::measure::Measure;
use super::{MAX_PATH, Problem, ProblemKind};
use crate::workflow::{Join, StateKind};
use crate::{Name, Place};

/// Each clock that leads to such an end, be it after the last resort has had the ticket: nobody has acted.
pub(super) fn silent_ends(map: &Map<'_>, measure: &mut Measure<'_>, problems: &mut Vec<Problem>) {
    let refused = refused(map);
    for (number, node) in map.nodes.iter().enumerate() {
        let mut leads: Vec<(usize, &Place)> = (0..node.exits.len())
            // A machine is not behind a clock: it may come at any moment before.
            .filter(|exit| !node.exits[*exit].exact || !is_behind(&node.exits, *exit, measure))
            .map(|exit| (node.exits[exit].to, &node.exits[exit].place))
            .collect();
        if let Some(goto) = node.goto.filter(|_| may_join(map, number)) {
            leads.push((goto, &node.state.place));
        }
        for (to, place) in leads {
            let name = Some(&node.state.name);
            problems.extend(refuse(map, &refused, to, place, name));
        }
    }
    for (target, place) in &map.breaches {
        problems.extend(refuse(map, &refused, *target, place, None));
    }
}

/// Whether enough branches of a parallel state may end by silence, sooner or later: be it after the last
/// resort has had them, while others are still asked.
pub(super) fn may_join(map: &Map<'_>, number: usize) -> bool {
    let node = &map.nodes[number];
    let mut starts = node.starts.iter();
    match node.join {
        None => false,
        Some(Join::All) => starts.all(|start| map.may_end[*start]),
        Some(Join::Any) => starts.any(|start| map.may_end[*start]),
    }
}

/// By state: whether it is an end that silence must not lead to, or a choice that may lead to one; and where
/// it leads first.
fn refused(map: &Map<'_>) -> Vec<Option<usize>> {
    let mut leads: Vec<Vec<usize>> = vec![Vec::new(); map.nodes.len()];
    let mut next = vec![None; map.nodes.len()];
    let mut ahead = VecDeque::new();
    for (number, node) in map.nodes.iter().enumerate() {
        node.chooses.iter().for_each(|to| leads[*to].push(number));
        if matches!(node.state.kind, StateKind::End { by_silence, .. } if !by_silence) {
            next[number] = Some(number);
            ahead.push_back(number);
        }
    }
    while let Some(state) = ahead.pop_front() {
        for before in &leads[state] {
            if next[*before].is_none() {
                next[*before] = Some(state);
                ahead.push_back(*before);
            }
        }
    }
    next
}

/// Follows choices from a state to an end that silence must not lead to.
fn refuse(
    map: &Map<'_>,
    refused: &[Option<usize>],
    from: usize,
    place: &Place,
    before: Option<&Name>,
) -> Option<Problem> {
    let mut path: Vec<Name> = before.into_iter().cloned().collect();
    let (mut state, mut next) = (from, refused[from]?);
    path.push(map.nodes[state].state.name.clone());
    while next != state {
        (state, next) = (next, refused[next]?);
        path.push(map.nodes[state].state.name.clone());
    }
    path.truncate(MAX_PATH);
    let end = &map.nodes[state].state.name;
    let text = match before {
        Some(name) => {
            format!("silence alone leads from `{name}` to the end `{end}`, which does not allow it")
        }
        None => format!("a broken promise alone leads to the end `{end}`, which does not allow it"),
    };
    Some(Problem {
        kind: ProblemKind::SilentEnd,
        path,
        place: place.clone(),
        text,
    })
}
