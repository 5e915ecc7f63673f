//! The workflow as silence sees it: what leads out of each state without anybody acting.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::SilentOutcomes;
use super::calls::silent_actions;
use super::chain::{Chain, Item};
use super::hops::People;
use super::ladder::{Climb, Rung};
use super::measure::Measure;
use super::silence::Index;
use crate::decide::{FAILED, MAX_BACKOFF_SECONDS};
use crate::span::MAX_SPAN_SECONDS;
use crate::workflow::{Doing, Join, Ladder, Run, StateKind, Work};
use crate::{Condition, Directory, Name, Place, State, Workflow};

/// What leads out of a state without anybody acting.
#[derive(Clone)]
pub(super) struct Exit {
    /// What must pass, at most.
    pub(super) chain: Chain,
    /// Where it leads.
    pub(super) to: usize,
    /// Whether it is left exactly then; else at any moment up to it.
    pub(super) exact: bool,
    /// Whether it is taken at all, sooner or later: a called ticket may stay with somebody for ever.
    pub(super) sure: bool,
    pub(super) place: Place,
}

/// A ladder that the state may choose.
pub(super) struct Case<'a> {
    /// `None`: none of them.
    pub(super) ladder: Option<&'a Ladder>,
    pub(super) when: Option<&'a Condition>,
    pub(super) rungs: Vec<Rung>,
    /// What must pass until the last resort is answerable.
    pub(super) climb: Option<Chain>,
}

/// A state, and the numbers of those that it leads to.
pub(super) struct Node<'a> {
    pub(super) state: &'a State,
    /// In how many parallel states it lies.
    pub(super) depth: usize,
    /// The innermost of them.
    pub(super) parent: Option<usize>,
    /// One at least for a working state, none for others.
    pub(super) cases: Vec<Case<'a>>,
    pub(super) exits: Vec<Exit>,
    /// Where a choice leads.
    pub(super) chooses: Vec<usize>,
    /// Where actions and clocks lead.
    leads: Vec<usize>,
    /// The first states of a parallel state's branches.
    pub(super) starts: Vec<usize>,
    pub(super) join: Option<Join>,
    /// Where the join leads.
    pub(super) goto: Option<usize>,
    /// Whether it can be entered at another moment than the one at which its branch begins.
    pub(super) later: bool,
}

/// All states.
pub(super) struct Map<'a> {
    workflow: &'a Workflow,
    /// In the author's order.
    pub(super) nodes: Vec<Node<'a>>,
    /// Where breaches of promises lead, in the author's order, and where that stands.
    pub(super) breaches: Vec<(usize, Place)>,
    /// Which states may come to a branch's end by silence, now or later.
    pub(super) may_end: Vec<bool>,
    /// By parallel state: the branches that may do so.
    ends: Vec<BTreeSet<&'a Name>>,
}

impl<'a> Map<'a> {
    pub(super) fn new(
        workflow: &'a Workflow,
        directory: &'a Directory,
        from: Timestamp,
        calls: &SilentOutcomes,
        measure: &mut Measure<'a>,
    ) -> Self {
        let ordered: BTreeSet<&Name> = workflow.state_order.iter().collect();
        let rest = workflow
            .states
            .keys()
            .filter(|name| !ordered.contains(name));
        let mut seen = BTreeSet::new();
        let states: Vec<&'a State> = workflow
            .state_order
            .iter()
            .chain(rest)
            .filter(|name| seen.insert(*name))
            .filter_map(|name| workflow.states.get(name))
            .collect();
        let index: Index<'a> = states
            .iter()
            .enumerate()
            .map(|(number, state)| (&state.name, number))
            .collect();
        let mut build = Build {
            workflow,
            people: People::new(directory, from),
            known: BTreeMap::new(),
            stand_ins: super::standin::StandIns::new(directory, from),
            index,
            calls,
            measure,
        };
        let nodes = states.iter().map(|state| build.node(state)).collect();
        let promises = workflow.promises.iter();
        let breaches = promises.filter_map(|promise| {
            let goto = promise.breach.goto.as_ref()?;
            Some((build.index.get(goto).copied()?, promise.place.clone()))
        });
        let mut map = Self {
            workflow,
            nodes,
            breaches: breaches.collect(),
            may_end: Vec::new(),
            ends: Vec::new(),
        };
        map.may_end = map.may_end(measure);
        map.mark_later();
        map.ends = vec![BTreeSet::new(); map.nodes.len()];
        for (number, node) in map.nodes.iter().enumerate() {
            if let (Some(parent), Some((_, branch)), true) =
                (node.parent, &node.state.within, map.may_end[number])
            {
                map.ends[parent].insert(branch);
            }
        }
        map
    }

    /// The promises, by their number among those that lead elsewhere, that can't be broken in a state
    /// which is
    /// not left by silence.
    pub(super) fn rests(&self, state: usize) -> Vec<usize> {
        let node = &self.nodes[state];
        if !node.exits.is_empty() || !node.starts.is_empty() || node.parent.is_some() {
            return Vec::new();
        }
        let name = &node.state.name;
        let promises = self.workflow.promises.iter();
        let leading = promises.filter(|promise| {
            let goto = promise.breach.goto.as_ref();
            goto.is_some_and(|goto| self.workflow.states.contains_key(goto))
        });
        leading
            .enumerate()
            .filter(|(_, promise)| {
                promise.met_in.contains(name) || promise.paused_in.contains(name)
            })
            .map(|(number, _)| number)
            .collect()
    }

    /// The first states of the other branches of the parallel state around a state.
    pub(super) fn other_starts(
        &self,
        parent: usize,
        state: usize,
    ) -> impl Iterator<Item = usize> + Clone {
        let own = &self.nodes[state].state.within;
        let starts = self.nodes[parent].starts.iter().copied();
        starts.filter(move |start| self.nodes[*start].state.within != *own)
    }

    /// Where the parallel states around a state may lead while a ticket is in it, without anybody acting.
    pub(super) fn interrupts(&self, state: usize) -> Vec<usize> {
        let mut to = Vec::new();
        let mut inner = state;
        while let Some(parent) = self.nodes[inner].parent {
            let node = &self.nodes[parent];
            to.extend(node.exits.iter().map(|exit| exit.to));
            let branch = &self.nodes[inner].state.within;
            if node.join == Some(Join::Any) && self.another_ends(parent, branch.as_ref()) {
                to.extend(node.goto);
            }
            inner = parent;
        }
        to.sort_unstable();
        to.dedup();
        to
    }

    /// Whether another branch of the parallel state may end by silence.
    fn another_ends(&self, parent: usize, branch: Option<&(Name, Name)>) -> bool {
        let ends = self.ends.get(parent).into_iter().flatten();
        ends.into_iter()
            .any(|ends| branch.is_none_or(|(_, branch)| branch != *ends))
    }

    /// Marks what an action, a clock, a join or a broken promise leads to, and what a choice behind that
    /// leads to: the choice takes no time.
    fn mark_later(&mut self) {
        let mut later = vec![false; self.nodes.len()];
        let mut ahead: Vec<usize> = self.breaches.iter().map(|(target, _)| *target).collect();
        for node in &self.nodes {
            ahead.extend(&node.leads);
            ahead.extend(node.goto);
        }
        while let Some(state) = ahead.pop() {
            if !std::mem::replace(&mut later[state], true) {
                ahead.extend(&self.nodes[state].chooses);
            }
        }
        for (node, later) in self.nodes.iter_mut().zip(later) {
            node.later = later;
        }
    }

    fn may_end(&self, measure: &mut Measure<'_>) -> Vec<bool> {
        let mut leads: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            let exits = (0..node.exits.len())
                .filter(|exit| !is_behind(&node.exits, *exit, measure))
                .map(|exit| node.exits[exit].to);
            let exits: Vec<usize> = exits.chain(node.chooses.iter().copied()).collect();
            for to in exits.into_iter().chain(node.goto) {
                leads[to].push(number);
            }
        }
        let ends = self.nodes.iter().enumerate();
        let mut ends: Vec<usize> = ends
            .filter(|(_, node)| matches!(node.state.kind, StateKind::End { .. }))
            .map(|(number, _)| number)
            .collect();
        let mut may_end = vec![false; self.nodes.len()];
        ends.iter().for_each(|end| may_end[*end] = true);
        while let Some(state) = ends.pop() {
            for before in &leads[state] {
                if !may_end[*before] {
                    may_end[*before] = true;
                    ends.push(*before);
                }
            }
        }
        may_end
    }
}

/// Whether another exit is always taken before this one.
pub(super) fn is_behind(exits: &[Exit], number: usize, measure: &mut Measure<'_>) -> bool {
    let exit = &exits[number];
    exits.iter().enumerate().any(|(other_number, other)| {
        other.exact
            && number != other_number
            && (measure.is_before(&other.chain, &exit.chain)
                || (other_number < number && other.chain == exit.chain))
    })
}

/// A ladder, and whom the state asks that uses it.
type Ask<'a> = (&'a Name, Option<&'a Name>);

struct Build<'m, 'a> {
    workflow: &'a Workflow,
    /// Many states share few ladders.
    known: BTreeMap<Ask<'a>, (Vec<Rung>, Chain)>,
    people: People<'a>,
    stand_ins: super::standin::StandIns<'a>,
    index: Index<'a>,
    calls: &'m SilentOutcomes,
    measure: &'m mut Measure<'a>,
}

impl<'a> Build<'_, 'a> {
    fn node(&mut self, state: &'a State) -> Node<'a> {
        let mut node = Node {
            state,
            depth: 0,
            parent: None,
            cases: Vec::new(),
            exits: Vec::new(),
            chooses: Vec::new(),
            leads: Vec::new(),
            starts: Vec::new(),
            join: None,
            goto: None,
            later: false,
        };
        let mut within = state.within.as_ref();
        // A state that lies in itself was refused when the workflow was read.
        while let Some((parent, _)) = within
            && node.depth <= self.workflow.states.len()
        {
            if node.depth == 0 {
                node.parent = self.index.get(parent).copied();
            }
            node.depth += 1;
            let parent = self.workflow.states.get(parent);
            within = parent.and_then(|parent| parent.within.as_ref());
        }
        match &state.kind {
            StateKind::End { .. } => (),
            StateKind::Choose { cases, otherwise } => {
                let cases = cases.iter().map(|(_, goto)| goto);
                let to = cases.chain([otherwise]);
                node.chooses = to.filter_map(|to| self.index.get(to).copied()).collect();
                node.chooses.sort_unstable();
                node.chooses.dedup();
            }
            StateKind::Work(work) => self.work(&mut node, work),
        }
        node
    }

    fn work(&mut self, node: &mut Node<'a>, work: &'a Work) {
        let actions = work.actions.iter().map(|action| &action.goto);
        let leads = actions.chain(work.after.iter().map(|after| &after.goto));
        node.leads = leads.filter_map(|to| self.index.get(to).copied()).collect();
        for after in &work.after {
            if let Some(to) = self.index.get(&after.goto) {
                node.exits.push(Exit {
                    chain: Chain::of(self.measure.hours.item(after.span)),
                    to: *to,
                    exact: true,
                    sure: true,
                    place: after.place.clone(),
                });
            }
        }
        match &work.doing {
            Some(Doing::Run(run)) => {
                // Where it must be filled in or ticked first, the failure itself may be refused.
                let failed = work.action(FAILED);
                let failed =
                    failed.filter(|action| action.requires.is_empty() && action.ticked.is_empty());
                if let Some(action) = failed
                    && let Some(to) = self.index.get(&action.goto)
                {
                    node.exits.push(Exit {
                        chain: Chain::of(Item::Clock(longest_run(run))),
                        to: *to,
                        exact: false,
                        sure: true,
                        place: action.place.clone(),
                    });
                }
            }
            Some(Doing::Parallel(parallel)) => {
                let starts = parallel.branches.iter().map(|(_, start)| start);
                node.starts = starts
                    .filter_map(|start| self.index.get(start).copied())
                    .collect();
                node.join = Some(parallel.join);
                node.goto = self.index.get(&parallel.goto).copied();
            }
            Some(Doing::Call(call)) => {
                // The called ticket may end by its own clocks at any moment, and nobody has acted.
                for action in silent_actions(work, call, self.calls) {
                    if let Some(to) = self.index.get(&action.goto) {
                        node.exits.push(Exit {
                            chain: Chain::of(Item::Clock(MAX_SPAN_SECONDS)),
                            to: *to,
                            exact: false,
                            sure: false,
                            place: action.place.clone(),
                        });
                    }
                }
            }
            None => (),
        }
        self.cases(node, work);
    }

    fn cases(&mut self, node: &mut Node<'a>, work: &'a Work) {
        let mut certain = false;
        // Nobody is asked by a parallel state itself.
        let choices = work.escalate.iter().filter(|_| node.starts.is_empty());
        for choice in choices {
            let ladder = self.workflow.ladders.get(&choice.ladder);
            let case = match ladder {
                Some(ladder) => self.case(work, ladder, choice.when.as_ref()),
                None => no_ladder(choice.when.as_ref()),
            };
            node.cases.push(case);
            if choice.when.is_none() {
                certain = true;
                break;
            }
        }
        if !certain {
            node.cases.push(no_ladder(None));
        }
    }

    fn case(
        &mut self,
        work: &'a Work,
        ladder: &'a Ladder,
        when: Option<&'a Condition>,
    ) -> Case<'a> {
        let asks = work.assign.as_ref().map(|assign| &assign.text);
        let (mut rungs, chain) = match self.known.get(&(&ladder.name, asks)) {
            Some(known) => known.clone(),
            None => {
                let found = self.climb(work, ladder);
                self.known.insert((&ladder.name, asks), found.clone());
                found
            }
        };
        if let (Some(entry), Some(assign)) = (rungs.first_mut(), &work.assign) {
            entry.place = assign.place.clone();
        }
        Case {
            ladder: Some(ladder),
            when,
            rungs,
            climb: Some(chain),
        }
    }

    fn climb(&mut self, work: &'a Work, ladder: &'a Ladder) -> (Vec<Rung>, Chain) {
        let first = ladder.levels.first().map(|level| level.after);
        let stand_ins = match (&work.assign, first) {
            (None, Some(after)) => self.stand_ins.most(after, self.measure.hours),
            _ => 0,
        };
        let mut climb = Climb {
            work,
            ladder,
            measure: self.measure,
            people: &mut self.people,
            stand_ins,
        };
        climb.chains()
    }
}

fn no_ladder(when: Option<&Condition>) -> Case<'_> {
    Case {
        ladder: None,
        when,
        rungs: Vec::new(),
        climb: None,
    }
}

/// How long a call to a machine takes at most until it has failed for good, in seconds.
fn longest_run(run: &Run) -> i64 {
    let timeout = run.timeout.around_the_clock().at_least_seconds().max(0);
    let tries = i64::from(run.retries).saturating_add(1);
    let first = run.backoff.around_the_clock().at_least_seconds();
    let longest = MAX_BACKOFF_SECONDS.max(first);
    let (mut all, mut wait) = (timeout.saturating_mul(tries), first.clamp(1, longest));
    let mut left = i64::from(run.retries);
    while left > 0 && wait < longest {
        all = all.saturating_add(wait);
        wait = wait.saturating_mul(2).min(longest);
        left -= 1;
    }
    all.saturating_add(wait.saturating_mul(left))
}
