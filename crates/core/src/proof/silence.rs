//! Where silence leads, from each state, and how long that takes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chain::Chain;
use super::ends::may_join;
use super::graph::{circle, components};
use super::map::{Exit, Map, Node};
use super::measure::Measure;
use super::ways::{Stop, Way, Ways};
use super::{Problem, ProblemKind, SilentOutcomes, StateBound};
use crate::workflow::{Join, StateKind};
use crate::{Directory, Name, Workflow};

/// What is known of the states; indices are those of the [`Map`].
pub(super) struct Silence<'a> {
    pub(super) map: Map<'a>,
    pub(super) measure: Measure<'a>,
    /// By state and case: ways within the state's own branch.
    pub(super) cases: Vec<Vec<Option<Ways>>>,
    /// By state: ways within its own branch. `None`: not proved.
    pub(super) own: Vec<Option<Ways>>,
    /// By state: ways of the ticket as a whole.
    pub(super) whole: Vec<Option<Ways>>,
    /// The same, as long as no promise is broken.
    pub(super) unbroken: Vec<Option<Ways>>,
}

/// Proves the states, and says what can't be proved.
pub(super) fn states(
    workflow: &Workflow,
    directory: &Directory,
    (from, to): (Timestamp, Timestamp),
    calls: &SilentOutcomes,
    problems: &mut Vec<Problem>,
) -> Vec<StateBound> {
    let calendar = match &workflow.calendar {
        None => None,
        Some(name) => match directory.calendars.get(name) {
            Some(calendar) if calendar.next_open(from).is_some() => Some(calendar),
            Some(_) => {
                let text = format!("the calendar `{name}` never opens again");
                problems.push(at_workflow(workflow, ProblemKind::Unbounded, text));
                return Vec::new();
            }
            None => {
                let text = format!("the calendar `{name}` is not in the directory");
                problems.push(at_workflow(workflow, ProblemKind::UnknownCalendar, text));
                return Vec::new();
            }
        },
    };
    let mut measure = Measure::new(calendar, from.as_second(), to.as_second());
    let map = Map::new(workflow, directory, from, calls, &mut measure);
    let count = map.nodes.len();
    let mut silence = Silence {
        map,
        measure,
        cases: vec![Vec::new(); count],
        own: vec![None; count],
        whole: vec![None; count],
        unbroken: vec![None; count],
    };
    let depths = silence.map.nodes.iter().map(|node| node.depth).max();
    for depth in (0..=depths.unwrap_or(0)).rev() {
        silence.prove_depth(depth, problems);
    }
    for depth in 0..=depths.unwrap_or(0) {
        silence.whole_depth(depth);
    }
    silence.add_breaches();
    super::ends::silent_ends(&silence.map, &mut silence.measure, problems);
    silence.bounds(problems)
}

fn at_workflow(workflow: &Workflow, kind: ProblemKind, text: String) -> Problem {
    Problem {
        kind,
        path: Vec::new(),
        place: workflow.place.clone(),
        text,
    }
}

impl<'a> Silence<'a> {
    pub(super) fn node(&self, state: usize) -> &Node<'a> {
        &self.map.nodes[state]
    }

    /// States of one depth: those of the branches within them are known already.
    fn prove_depth(&mut self, depth: usize, problems: &mut Vec<Problem>) {
        let count = self.map.nodes.len();
        let edges: Vec<Vec<usize>> = (0..count)
            .map(|state| match self.node(state).depth == depth {
                true => self.leads_to(state),
                false => Vec::new(),
            })
            .collect();
        let mut found = Vec::new();
        for component in components(&edges) {
            let first = component.iter().copied().min().unwrap_or(0);
            if self.node(first).depth != depth {
                continue;
            }
            let round = component.len() > 1 || edges[first].contains(&first);
            match circle(&edges, first).filter(|_| round) {
                Some(path) => found.push((first, self.endless(&path))),
                None => {
                    if !self.prove_state(first) {
                        found.push((first, self.forgettable(first)));
                    }
                }
            }
        }
        found.sort_by_key(|(state, _)| *state);
        problems.extend(found.into_iter().map(|(_, problem)| problem));
    }

    /// Where silence may lead from a state before the last resort is asked.
    fn leads_to(&mut self, state: usize) -> Vec<usize> {
        let node = &self.map.nodes[state];
        match &node.state.kind {
            StateKind::End { .. } => Vec::new(),
            StateKind::Choose { .. } => node.chooses.clone(),
            StateKind::Work(_) => {
                let mut to = Vec::new();
                let cases = node.cases.len();
                for case in 0..cases {
                    to.extend(self.kept(state, case).iter().map(|exit| exit.to));
                }
                if may_join(&self.map, state) {
                    to.extend(self.node(state).goto);
                }
                to.sort_unstable();
                to.dedup();
                to
            }
        }
    }

    /// The exits that may be taken before the last resort is asked.
    fn kept(&mut self, state: usize, case: usize) -> Vec<Exit> {
        let node = &self.map.nodes[state];
        let case = &node.cases[case];
        let mut kept = Vec::new();
        for (index, exit) in node.exits.iter().enumerate() {
            let climbs_before = |measure: &mut Measure<'_>| match &case.climb {
                Some(climb) => measure.is_before(climb, &exit.chain),
                None => false,
            };
            let all_before = |measure: &mut Measure<'_>| {
                !node.starts.is_empty()
                    && node.starts.iter().all(|start| {
                        self.own[*start].as_ref().is_some_and(|ways| {
                            !ways.is_empty()
                                && !ways.ends()
                                && ways
                                    .iter()
                                    .all(|way| measure.is_before(&way.chain, &exit.chain))
                        })
                    })
            };
            if exit.exact
                && (super::map::is_behind(&node.exits, index, &mut self.measure)
                    || climbs_before(&mut self.measure)
                    || all_before(&mut self.measure))
            {
                continue;
            }
            kept.push(exit.clone());
        }
        kept
    }

    /// The state's ways. `false`: nothing watches it.
    fn prove_state(&mut self, state: usize) -> bool {
        let day = self.measure.day;
        let mut ways = Ways::default();
        let node = &self.map.nodes[state];
        match &node.state.kind {
            StateKind::End { .. } => {
                let end = Way {
                    chain: Chain::default(),
                    stop: Stop::End,
                    next: None,
                    then: Vec::new(),
                };
                ways.add(end, day);
            }
            StateKind::Choose { .. } => {
                for next in node.chooses.clone() {
                    let Some(nexts) = &self.own[next] else {
                        return true;
                    };
                    ways.add_after(&Chain::default(), next, nexts, day);
                }
            }
            StateKind::Work(_) => {
                let count = node.cases.len();
                let parallel = !node.starts.is_empty();
                let mut proved = true;
                for case in 0..count {
                    let exits = self.kept(state, case);
                    let climb = self.map.nodes[state].cases[case].climb.clone();
                    let leaves = exits.iter().any(|exit| exit.sure);
                    if !leaves && climb.is_none() && !parallel {
                        return false;
                    }
                    let found = self.case_ways(state, &exits, climb);
                    match &found {
                        Some(found) => found.iter().for_each(|way| ways.add(way.clone(), day)),
                        None => proved = false,
                    }
                    self.cases[state].push(found);
                }
                if !proved {
                    return true;
                }
            }
        }
        self.own[state] = Some(ways).filter(|ways| !ways.is_empty());
        true
    }

    fn case_ways(&mut self, state: usize, exits: &[Exit], climb: Option<Chain>) -> Option<Ways> {
        let day = self.measure.day;
        let mut ways = Ways::default();
        for exit in exits {
            let chain = match exit.exact {
                true => exit.chain.clone(),
                false => self.no_later(exit, exits, climb.as_ref()),
            };
            ways.add_after(&chain, exit.to, self.own[exit.to].as_ref()?, day);
        }
        // If a clock leads out of the state anyway, it does so before the last resort is asked, or the last
        // resort is asked before: either way the bound of that clock holds.
        let leaves = exits.iter().any(|exit| exit.exact);
        if let Some(chain) = climb.filter(|_| !leaves) {
            let (stop, next, then) = (Stop::LastResort, None, Vec::new());
            ways.add(
                Way {
                    chain,
                    stop,
                    next,
                    then,
                },
                day,
            );
        }
        self.branch_ways(state, exits, &mut ways)?;
        Some(ways)
    }

    /// Ways by the branches of a parallel state. `None`: one of them is not proved.
    fn branch_ways(&self, state: usize, exits: &[Exit], ways: &mut Ways) -> Option<()> {
        let day = self.measure.day;
        let node = &self.map.nodes[state];
        let leaves = exits.iter().any(|exit| exit.exact);
        // The first branch that ends gives the others up, be it one that the last resort has had for long.
        let cuts = node.join == Some(Join::Any) && node.starts.len() > 1;
        let goto = node.goto.filter(|_| may_join(&self.map, state));
        for start in &node.starts {
            let others = node.starts.iter().filter(|other| *other != start);
            let cut = cuts && others.clone().any(|other| self.map.may_end[*other]);
            let Some(branch) = &self.own[*start] else {
                if leaves {
                    continue;
                }
                return None;
            };
            for (index, way) in branch.iter().enumerate() {
                if let Some(goto) = goto.filter(|_| cut || way.stop == Stop::End) {
                    ways.add_after(&way.chain, goto, self.own[goto].as_ref()?, day);
                }
                // Nothing is open any more but branches that the last resort has.
                let stays = way.stop == Stop::LastResort || goto.is_none();
                if stays && !leaves {
                    let (stop, next) = (Stop::LastResort, Some((*start, index)));
                    let way = way.clone();
                    ways.add(Way { stop, next, ..way }, day);
                }
            }
        }
        // A branch of which nothing is proved is given up at the latest when the state is left.
        let unproved = |start: &usize| self.own[*start].is_none();
        if let Some(goto) = goto.filter(|_| cuts && node.starts.iter().any(unproved)) {
            for exit in exits.iter().filter(|exit| exit.exact) {
                ways.add_after(&exit.chain, goto, self.own[goto].as_ref()?, day);
            }
        }
        Some(())
    }

    /// A machine may fail at any moment up to its last try, but a clock or the last resort may come before.
    fn no_later(&mut self, exit: &Exit, exits: &[Exit], climb: Option<&Chain>) -> Chain {
        let mut chain = exit.chain.clone();
        let others = exits.iter().filter(|other| other.exact);
        for other in others.map(|other| &other.chain).chain(climb) {
            if self.measure.is_before(other, &chain) {
                chain = other.clone();
            }
        }
        chain
    }

    /// Ways of the ticket as a whole: a branch may be cut short, and goes on where its parallel state does.
    fn whole_depth(&mut self, depth: usize) {
        for state in 0..self.map.nodes.len() {
            if self.node(state).depth == depth {
                self.whole[state] = self.whole_ways(state, self.own[state].as_ref());
                let cases = std::mem::take(&mut self.cases[state]);
                self.cases[state] = cases
                    .into_iter()
                    .map(|ways| self.whole_ways(state, ways.as_ref()))
                    .collect();
            }
        }
    }

    fn whole_ways(&self, state: usize, own: Option<&Ways>) -> Option<Ways> {
        let day = self.measure.day;
        let own = own?;
        let Some(parent) = self.node(state).parent else {
            return Some(own.clone());
        };
        let mut ways = Ways::default();
        let around = self.node(parent);
        // Whoever begins a branch does so together with the other branches, and nobody acts in them from
        // then on. Later, people may have ended them.
        let together = around.join == Some(Join::All) && !self.node(state).later;
        let others = self.map.other_starts(parent, state);
        let joins = !together || others.clone().all(|start| self.map.may_end[start]);
        let goto = around.goto.filter(|_| joins);
        for start in others.filter(|_| together && joins) {
            let others = self.own[start].iter().flat_map(Ways::iter).enumerate();
            for (index, way) in others {
                let mut way = way.clone();
                way.next = Some((start, index));
                match (way.stop, goto) {
                    (Stop::End, Some(goto)) => {
                        ways.add_on(&way, goto, self.whole[goto].as_ref()?, day);
                    }
                    _ => ways.add(way, day),
                }
            }
        }
        for way in own.iter() {
            match (way.stop, goto) {
                (Stop::End, Some(goto)) => ways.add_on(way, goto, self.whole[goto].as_ref()?, day),
                _ => ways.add(way.clone(), day),
            }
            for next in self.map.interrupts(state) {
                ways.add_on(way, next, self.whole[next].as_ref()?, day);
            }
        }
        Some(ways)
    }

    /// A breach may lead elsewhere at any moment; each promise is broken at most once.
    fn add_breaches(&mut self) {
        let day = self.measure.day;
        let targets: Vec<usize> = self
            .map
            .breaches
            .iter()
            .map(|(target, _)| *target)
            .collect();
        let several = targets.len() > 1;
        let before = self.whole.clone();
        self.unbroken.clone_from(&before);
        let add = |ways: Option<Ways>, except: &dyn Fn(usize) -> bool| {
            let mut ways = ways?;
            for (_, target) in targets
                .iter()
                .enumerate()
                .filter(|(index, _)| !except(*index))
            {
                let mut more = ways.clone();
                for way in ways.iter() {
                    more.add_on(way, *target, before[*target].as_ref()?, day);
                }
                // They may be broken in any order, which makes no difference to open time alone.
                if several {
                    let mut coarse = Ways::default();
                    for way in more.iter() {
                        let mut way = way.clone();
                        way.chain.coarsen(day);
                        coarse.add(way, day);
                    }
                    more = coarse;
                }
                ways = more;
            }
            Some(ways)
        };
        for (state, whole) in before.iter().enumerate() {
            let rests = self.map.rests(state);
            let except = |index: usize| rests.contains(&index);
            self.whole[state] = add(whole.clone(), &except);
            let cases = std::mem::take(&mut self.cases[state]);
            self.cases[state] = cases.into_iter().map(|ways| add(ways, &except)).collect();
        }
    }
}

/// States by name.
pub(super) type Index<'a> = BTreeMap<&'a Name, usize>;
