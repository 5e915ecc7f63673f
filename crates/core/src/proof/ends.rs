//! Ends that silence alone leads to, though they don't say that it may.

use super::map::{Map, is_behind};
use super::measure::Measure;
use super::{Problem, ProblemKind};
use crate::workflow::{Join, StateKind};
use crate::{Name, Place};

/// Each clock that leads to such an end, be it after the last resort has had the ticket: nobody has acted.
pub(super) fn silent_ends(map: &Map<'_>, measure: &mut Measure<'_>, problems: &mut Vec<Problem>) {
    for (number, node) in map.nodes.iter().enumerate() {
        let mut leads: Vec<(usize, &Place)> = (0..node.exits.len())
            .filter(|exit| !is_behind(&node.exits, *exit, measure))
            .map(|exit| (node.exits[exit].to, &node.exits[exit].place))
            .collect();
        if let Some(goto) = node.goto.filter(|_| may_join(map, number)) {
            leads.push((goto, &node.state.place));
        }
        for (to, place) in leads {
            let name = &node.state.name;
            refuse(
                map,
                to,
                place,
                std::slice::from_ref(name),
                problems,
                |end| {
                    format!(
                        "silence alone leads from `{name}` to the end `{end}`, which does not allow it"
                    )
                },
            );
        }
    }
    for (target, place) in &map.breaches {
        refuse(map, *target, place, &[], problems, |end| {
            format!("a broken promise alone leads to the end `{end}`, which does not allow it")
        });
    }
}

/// Whether enough branches of a parallel state may end by silence, sooner or later.
fn may_join(map: &Map<'_>, number: usize) -> bool {
    let node = &map.nodes[number];
    let mut starts = node.starts.iter();
    match node.join {
        None => false,
        Some(Join::All) => starts.all(|start| map.may_end[*start]),
        Some(Join::Any) => starts.any(|start| map.may_end[*start]),
    }
}

/// Follows choices from a state to ends that silence must not lead to.
fn refuse(
    map: &Map<'_>,
    from: usize,
    place: &Place,
    before: &[Name],
    problems: &mut Vec<Problem>,
    text: impl Fn(&Name) -> String,
) {
    let mut seen = vec![from];
    let mut came_from: Vec<Option<usize>> = vec![None];
    let mut next = 0;
    while let Some(&number) = seen.get(next) {
        let node = &map.nodes[number];
        if matches!(node.state.kind, StateKind::End { by_silence, .. } if !by_silence) {
            let mut path = vec![node.state.name.clone()];
            let mut last = next;
            while let Some(previous) = came_from.get(last).copied().flatten() {
                path.push(map.nodes[seen[previous]].state.name.clone());
                last = previous;
            }
            path.extend(before.iter().rev().cloned());
            path.reverse();
            path.truncate(super::MAX_PATH);
            problems.push(Problem {
                kind: ProblemKind::SilentEnd,
                path,
                place: place.clone(),
                text: text(&node.state.name),
            });
        }
        for to in &node.chooses {
            if !seen.contains(to) {
                seen.push(*to);
                came_from.push(Some(next));
            }
        }
        next += 1;
    }
}
