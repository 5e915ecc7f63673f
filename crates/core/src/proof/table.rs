//! What was found, as authors read it: bounds, paths and problems.

use super::silence::Silence;
use super::ways::{Way, Ways};
use super::{Bound, LevelBound, MAX_PATH, Problem, ProblemKind, StateBound};
use crate::{Name, Place};

impl Silence<'_> {
    pub(super) fn bounds(&mut self, problems: &mut Vec<Problem>) -> Vec<StateBound> {
        let mut bounds = Vec::new();
        for state in 0..self.map.nodes.len() {
            for case in 0..self.map.nodes[state].cases.len() {
                let ways = self.cases[state].get(case).cloned().flatten();
                let found = ways.as_ref().map(|ways| self.bound_of(ways));
                if let Some(None) = found {
                    problems.push(self.unbounded(state));
                }
                let (last_resort, leads_to) = match (found.flatten(), &ways) {
                    (Some((bound, way)), Some(ways)) => (Some(bound), self.path(ways.get(way))),
                    _ => (None, Vec::new()),
                };
                let node = &self.map.nodes[state];
                let case = &node.cases[case];
                let levels = case.rungs.iter().map(|rung| LevelBound {
                    level: rung.level,
                    who: rung.who.clone(),
                    hops: rung.hops,
                    bound: self.measure.bound(&rung.until),
                    place: rung.place.clone(),
                });
                bounds.push(StateBound {
                    state: node.state.name.clone(),
                    within: node.state.within.clone(),
                    ladder: case.ladder.map(|ladder| ladder.name.clone()),
                    when: case.when.map(ToString::to_string),
                    levels: levels.collect(),
                    last_resort,
                    leads_to,
                });
            }
        }
        bounds
    }

    /// The longest of the ways, and which it is.
    fn bound_of(&mut self, ways: &Ways) -> Option<(Bound, usize)> {
        let mut longest: Option<(Bound, usize)> = None;
        let mut working = 0;
        for (index, way) in ways.iter().enumerate() {
            let bound = self.measure.bound(&way.chain)?;
            working = working.max(bound.working);
            if longest.is_none_or(|(other, _)| bound.wall > other.wall) {
                longest = Some((bound, index));
            }
        }
        longest.map(|(bound, index)| (Bound { working, ..bound }, index))
    }

    /// The states that a way leads to.
    fn path(&self, way: Option<&Way>) -> Vec<Name> {
        let mut path = Vec::new();
        if let Some(way) = way {
            self.follow(way, &mut path);
        }
        path
    }

    fn follow(&self, way: &Way, path: &mut Vec<Name>) {
        let mut own = way.next;
        while let Some((state, index)) = own
            && path.len() < MAX_PATH
        {
            path.push(self.node(state).state.name.clone());
            let ways = self.own[state].as_ref();
            own = ways.and_then(|ways| ways.get(index)?.next);
        }
        for (state, index) in &way.then {
            if path.len() >= MAX_PATH {
                return;
            }
            path.push(self.node(*state).state.name.clone());
            let ways = self.unbroken[*state].as_ref();
            // Where a join leads is less deep in parallel states, so that this comes to an end.
            if let Some(way) = ways.and_then(|ways| ways.get(*index)) {
                self.follow(way, path);
            }
        }
    }

    pub(super) fn endless(&self, path: &[usize]) -> Problem {
        let names = |path: &[usize]| -> Vec<Name> {
            let names = path.iter().take(MAX_PATH).map(|state| self.node(*state));
            names.map(|node| node.state.name.clone()).collect()
        };
        let path_names = names(path);
        let round = path_names.join(" → ");
        Problem {
            kind: ProblemKind::EndlessSilence,
            place: self.exit_place(path),
            text: format!(
                "nobody acts, and time alone leads round in a circle: {round}; \
                 each time the ladder starts anew"
            ),
            path: path_names,
        }
    }

    /// Where the rule stands that leads from the first state of a path to the second.
    fn exit_place(&self, path: &[usize]) -> Place {
        let Some((first, next)) = path.first().zip(path.get(1)) else {
            return Place::default();
        };
        let node = self.node(*first);
        let exit = node.exits.iter().find(|exit| exit.to == *next);
        exit.map_or_else(|| node.state.place.clone(), |exit| exit.place.clone())
    }

    pub(super) fn forgettable(&self, state: usize) -> Problem {
        let state = self.node(state).state;
        Problem {
            kind: ProblemKind::ForgettableState,
            path: vec![state.name.clone()],
            place: state.place.clone(),
            text: format!(
                "nothing watches `{}`: it has neither a ladder nor a time after which it is left",
                state.name
            ),
        }
    }

    fn unbounded(&self, state: usize) -> Problem {
        let state = self.node(state).state;
        Problem {
            kind: ProblemKind::Unbounded,
            path: vec![state.name.clone()],
            place: state.place.clone(),
            text: format!(
                "a ticket in `{}` may wait longer than calendars know before the last resort has it",
                state.name
            ),
        }
    }
}
