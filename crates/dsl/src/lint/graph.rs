//! The states of a workflow as a graph, made once and walked by every rule.

use std::collections::HashMap;

use upline_core::workflow::{Doing, Join, Parallel, StateKind, Work, Workflow};
use upline_core::{Name, State};

use super::circles::components;

/// One way from a state to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Edge {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) how: How,
}

/// What leads from a state to another. The numbers count in the author's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// An action.
    Action(usize),
    /// `after`.
    After(usize),
    /// A case of `choose`.
    Case(usize),
    /// The `else` of `choose`.
    Otherwise,
    /// A parallel state begins a branch.
    Branch(usize),
    /// The branches of a parallel state are over.
    Join,
    /// Any state of the ticket can be left by a breach: to the node that stands for breaches.
    Broken,
    /// The breach of a promise, from that node.
    Breach(usize),
}

/// States by number, in the author's order, and the ways between them.
pub(super) struct Graph<'w> {
    pub(super) states: Vec<&'w State>,
    pub(super) edges: Vec<Edge>,
    pub(super) start: usize,
    index: HashMap<&'w str, usize>,
    out: Lists,
    into: Lists,
    /// The parallel state that a state's branch belongs to.
    parent: Vec<Option<usize>>,
    depth: Vec<usize>,
    /// The states of each branch of a parallel state begin with these.
    heads: HashMap<usize, Vec<usize>>,
}

/// Edge numbers by state.
struct Lists {
    first: Vec<usize>,
    edges: Vec<usize>,
}

impl Lists {
    fn new(nodes: usize, edges: &[Edge], node: impl Fn(&Edge) -> usize) -> Self {
        let mut first = vec![0; nodes + 1];
        for edge in edges {
            first[node(edge) + 1] += 1;
        }
        for at in 0..nodes {
            first[at + 1] += first[at];
        }
        let mut next = first.clone();
        let mut sorted = vec![0; edges.len()];
        for (number, edge) in edges.iter().enumerate() {
            let slot = &mut next[node(edge)];
            sorted[*slot] = number;
            *slot += 1;
        }
        Self {
            first,
            edges: sorted,
        }
    }

    fn of(&self, node: usize) -> &[usize] {
        &self.edges[self.first[node]..self.first[node + 1]]
    }
}

impl<'w> Graph<'w> {
    pub(super) fn new(workflow: &'w Workflow) -> Self {
        let states: Vec<&State> = workflow
            .state_order
            .iter()
            .filter_map(|name| workflow.states.get(name))
            .collect();
        let names = states.iter().enumerate();
        let index: HashMap<&str, usize> = names
            .map(|(number, state)| (state.name.as_str(), number))
            .collect();
        let number = |name: &Name| index.get(name.as_str()).copied();
        let mut edges = Vec::with_capacity(states.len() * 3);
        let mut heads = HashMap::new();
        for (from, state) in states.iter().enumerate() {
            let mut ways = |how, name: &Name| {
                let to = number(name);
                edges.extend(to.map(|to| Edge { from, to, how }));
            };
            each_way(state, &mut ways);
            if let Some(parallel) = parallel(state) {
                let starts = parallel.branches.iter();
                let starts = starts.filter_map(|(_, start)| number(start));
                heads.insert(from, starts.collect());
            }
        }
        let breaches = breaches(workflow, &states, &mut edges, number);
        let parent = states
            .iter()
            .map(|state| state.within.as_ref().and_then(|(name, _)| number(name)));
        let parent: Vec<Option<usize>> = parent.collect();
        let nodes = states.len() + usize::from(breaches);
        Self {
            start: number(&workflow.start).unwrap_or_default(),
            out: Lists::new(nodes, &edges, |edge| edge.from),
            into: Lists::new(nodes, &edges, |edge| edge.to),
            depth: depths(&parent),
            parent,
            heads,
            edges,
            index,
            states,
        }
    }

    /// How many nodes there are: the states, and perhaps the one that stands for breaches.
    pub(super) fn nodes(&self) -> usize {
        self.out.first.len() - 1
    }

    /// The ways out of a state.
    pub(super) fn out(&self, state: usize) -> impl Iterator<Item = &Edge> + Clone {
        self.out.of(state).iter().map(|edge| &self.edges[*edge])
    }

    /// The ways into a state.
    pub(super) fn ways_to(&self, state: usize) -> impl Iterator<Item = &Edge> + Clone {
        self.into.of(state).iter().map(|edge| &self.edges[*edge])
    }

    /// The number of a state.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The state of the number; `None` for the node of breaches.
    pub(super) fn state(&self, number: usize) -> Option<&'w State> {
        self.states.get(number).copied()
    }

    /// The parallel state that the state belongs to.
    pub(super) fn parent(&self, state: usize) -> Option<usize> {
        self.parent.get(state).copied().flatten()
    }

    /// Marks what can be reached from `from`, and says what was not marked before.
    pub(super) fn flood(&self, from: usize, seen: &mut [bool]) -> Vec<usize> {
        let mut left = vec![from];
        let mut new = Vec::new();
        while let Some(state) = left.pop() {
            if std::mem::replace(&mut seen[state], true) {
                continue;
            }
            new.push(state);
            let next = self.out(state).map(|edge| edge.to);
            left.extend(next.filter(|to| !seen[*to]));
        }
        new
    }

    /// Which states can be reached from the start.
    pub(super) fn reachable(&self) -> Vec<bool> {
        let mut seen = vec![false; self.nodes()];
        if !self.states.is_empty() {
            self.flood(self.start, &mut seen);
        }
        seen
    }

    /// Which states can come to the end of the ticket, or of their branch, by the ways that `takes` lets
    /// through. From the innermost branches outwards.
    pub(super) fn ends(&self, takes: impl Fn(&Edge) -> bool) -> Vec<bool> {
        let mut ends = vec![false; self.nodes()];
        let mut by_depth: Vec<Vec<usize>> = Vec::new();
        for (state, depth) in self.depth.iter().enumerate() {
            if by_depth.len() <= *depth {
                by_depth.resize(depth + 1, Vec::new());
            }
            by_depth[*depth].push(state);
        }
        for states in by_depth.iter().rev() {
            let mut left: Vec<usize> = states.clone();
            left.retain(|state| matches!(self.states[*state].kind, StateKind::End { .. }));
            while let Some(state) = left.pop() {
                if std::mem::replace(&mut ends[state], true) {
                    continue;
                }
                let open = |edge: &&Edge| match edge.how {
                    How::Branch(_) => false,
                    How::Join => self.joins(edge.from, |head| ends[head]),
                    _ => takes(edge),
                };
                let before = self.ways_to(state).filter(open).map(|edge| edge.from);
                left.extend(before.filter(|from| !ends[*from]));
            }
        }
        ends
    }

    /// Whether a parallel state goes on, given which of its branches can be over.
    pub(super) fn joins(&self, state: usize, over: impl Fn(usize) -> bool) -> bool {
        let Some(parallel) = self.state(state).and_then(parallel) else {
            return false;
        };
        let mut heads = self.heads.get(&state).into_iter().flatten().copied();
        match parallel.join {
            Join::All => heads.all(over),
            Join::Any => heads.any(over),
        }
    }

    /// The states that lead to each other in circles: the number of each one's circle. Whoever leads to
    /// another has a higher number.
    pub(super) fn circles(&self, takes: impl Fn(&Edge) -> bool) -> Vec<usize> {
        components(self.nodes(), |state, visit| {
            for edge in self.out(state).filter(|edge| takes(edge)) {
                visit(edge.to);
            }
        })
    }
}

/// The branches of a parallel state.
pub(super) fn parallel(state: &State) -> Option<&Parallel> {
    match &work(state)?.doing {
        Some(Doing::Parallel(parallel)) => Some(parallel),
        _ => None,
    }
}

/// What happens in a state in which somebody is answerable.
pub(super) fn work(state: &State) -> Option<&Work> {
    match &state.kind {
        StateKind::Work(work) => Some(work),
        StateKind::Choose { .. } | StateKind::End { .. } => None,
    }
}

fn each_way(state: &State, way: &mut impl FnMut(How, &Name)) {
    match &state.kind {
        StateKind::End { .. } => (),
        StateKind::Choose { cases, otherwise } => {
            for (number, (_, goto)) in cases.iter().enumerate() {
                way(How::Case(number), goto);
            }
            way(How::Otherwise, otherwise);
        }
        StateKind::Work(work) => {
            for (number, action) in work.actions.iter().enumerate() {
                way(How::Action(number), &action.goto);
            }
            for (number, after) in work.after.iter().enumerate() {
                way(How::After(number), &after.goto);
            }
            if let Some(Doing::Parallel(parallel)) = &work.doing {
                for (number, (_, start)) in parallel.branches.iter().enumerate() {
                    way(How::Branch(number), start);
                }
                way(How::Join, &parallel.goto);
            }
        }
    }
}

/// A breach can come in any state. One node stands between them all and where they lead.
fn breaches(
    workflow: &Workflow,
    states: &[&State],
    edges: &mut Vec<Edge>,
    number: impl Fn(&Name) -> Option<usize>,
) -> bool {
    let node = states.len();
    let before = edges.len();
    for (promise, goto) in workflow.promises.iter().enumerate() {
        let to = goto.breach.goto.as_ref().and_then(&number);
        let how = How::Breach(promise);
        edges.extend(to.map(|to| Edge {
            from: node,
            to,
            how,
        }));
    }
    if edges.len() == before {
        return false;
    }
    let own = states.iter().enumerate();
    let own = own.filter(|(_, state)| state.within.is_none() && work(state).is_some());
    edges.extend(own.map(|(from, _)| Edge {
        from,
        to: node,
        how: How::Broken,
    }));
    true
}

fn depths(parent: &[Option<usize>]) -> Vec<usize> {
    let mut depths = vec![0; parent.len()];
    // A parallel state stands before the states of its branches.
    for state in 0..parent.len() {
        if let Some(parent) = parent[state] {
            depths[state] = depths[parent] + 1;
        }
    }
    depths
}
