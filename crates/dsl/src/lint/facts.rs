//! What may have happened before a ticket comes to a state: sets that flow along the graph.

use super::circles::{components, members};
use super::graph::{Edge, Graph};

/// For each state the facts that may hold when a ticket comes to it.
pub(super) struct Facts {
    circle: Vec<usize>,
    /// Words of each circle's set.
    words: usize,
    sets: Vec<u64>,
}

impl Facts {
    /// Lets `count` facts flow. `within` names those that may come about while a ticket is in a state, `on`
    /// those that come about on a way.
    ///
    /// Branches run side by side, so each may have done what it ever does before another is anywhere.
    pub(super) fn flow(
        graph: &Graph<'_>,
        count: usize,
        within: impl Fn(usize, &mut dyn FnMut(usize)),
        on: impl Fn(&Edge, &mut dyn FnMut(usize)),
    ) -> Self {
        let circle = components(graph.nodes(), |state, visit| {
            for edge in graph.out(state) {
                visit(edge.to);
            }
            if let Some(parent) = graph.parent(state) {
                visit(parent);
            }
        });
        let circles = members(&circle);
        let words = count.div_ceil(64);
        let mut facts = Self {
            sets: vec![0; circles.len() * words],
            circle,
            words,
        };
        // Whoever leads to others has a higher number.
        for (number, states) in circles.iter().enumerate().rev() {
            for state in states {
                for edge in graph.out(*state) {
                    let to = facts.circle[edge.to];
                    if to == number {
                        on(edge, &mut |fact| facts.add(number, fact));
                    }
                }
                if states.len() > 1 || graph.out(*state).any(|edge| edge.to == *state) {
                    within(*state, &mut |fact| facts.add(number, fact));
                }
            }
            for state in states {
                for edge in graph.out(*state) {
                    let to = facts.circle[edge.to];
                    if to != number {
                        facts.pass_on(number, to);
                        within(*state, &mut |fact| facts.add(to, fact));
                        on(edge, &mut |fact| facts.add(to, fact));
                    }
                }
            }
        }
        facts
    }

    /// Whether the fact may hold when a ticket comes to the state.
    pub(super) fn has(&self, state: usize, fact: usize) -> bool {
        let word = self.sets.get(self.circle[state] * self.words + fact / 64);
        word.is_some_and(|word| word & (1 << (fact % 64)) != 0)
    }

    fn add(&mut self, circle: usize, fact: usize) {
        self.sets[circle * self.words + fact / 64] |= 1 << (fact % 64);
    }

    fn pass_on(&mut self, from: usize, to: usize) {
        for word in 0..self.words {
            self.sets[to * self.words + word] |= self.sets[from * self.words + word];
        }
    }
}
