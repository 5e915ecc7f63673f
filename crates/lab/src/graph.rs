//! A workflow as a picture: its states and what leads from one to another, for Mermaid, Graphviz or a
//! terminal.
//!
//! A ticket is somewhere, so the file already is the diagram; nothing is drawn that isn't in it.

mod diagram;
#[cfg(test)]
mod tests;
mod text;

use std::collections::BTreeSet;

use serde::Serialize;
use upline_core::workflow::{Doing, Join};
use upline_core::{Label, Name, State, StateKind, Workflow};

/// What a workflow looks like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// The workflow's name.
    pub name: Name,
    /// The workflow's title.
    pub title: String,
    /// The state in which a ticket begins.
    pub start: Name,
    /// The states in the author's order.
    pub nodes: Vec<Node>,
    /// What leads from one to another, in the author's order.
    pub edges: Vec<Edge>,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub name: Name,
    /// Its title.
    pub title: String,
    /// How it is drawn.
    pub shape: Shape,
    /// The parallel state and the branch that it is in.
    pub within: Option<(Name, Name)>,
    /// Who is asked there, in the author's words.
    pub asks: Option<Name>,
    /// What happens if nobody acts: span and phrase of each level of its ladders.
    pub ladder: Vec<(Name, Vec<(String, String)>)>,
}

/// How a state is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Somebody works there.
    Work,
    /// Decides at once.
    Choice,
    /// The ticket or the branch is over.
    End,
}

/// Something that leads from a state to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The state left.
    pub from: Name,
    /// The state entered.
    pub to: Name,
    /// What it is called.
    pub label: String,
    /// What makes it happen.
    pub kind: EdgeKind,
}

/// What makes a ticket go along an edge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// Somebody, or another system, acts.
    Action,
    /// Time passes.
    Time,
    /// A condition holds.
    Condition,
    /// Branches begin or come together.
    Branches,
}

impl Graph {
    /// The picture of `workflow`, with titles in `language` (`en`, `zh`).
    pub fn new(workflow: &Workflow, language: &str) -> Self {
        let order = workflow.state_order.iter();
        let states: Vec<&State> = order.filter_map(|name| workflow.states.get(name)).collect();
        Self {
            name: workflow.name.clone(),
            title: workflow.title.text(language).to_owned(),
            start: workflow.start.clone(),
            nodes: states
                .iter()
                .map(|state| node(workflow, state, language))
                .collect(),
            edges: states
                .iter()
                .flat_map(|state| edges(state, language))
                .collect(),
        }
    }

    /// The languages in which a picture of `workflow` has texts. None: its texts are for everybody.
    pub fn languages(workflow: &Workflow) -> BTreeSet<&Name> {
        let states = workflow.states.values();
        let labels = states.flat_map(|state| {
            let actions = workflow
                .work(&state.name)
                .map_or(&[][..], |work| &work.actions);
            let actions = actions.iter().map(|action| &action.label);
            actions.chain([&state.title])
        });
        let languages = labels.chain([&workflow.title]).flat_map(Label::languages);
        languages.filter(|language| !language.is_empty()).collect()
    }

    /// The edges that leave `state`.
    pub fn leaving<'a>(&'a self, state: &'a str) -> impl Iterator<Item = &'a Edge> {
        self.edges
            .iter()
            .filter(move |edge| edge.from.as_str() == state)
    }
}

fn node(workflow: &Workflow, state: &State, language: &str) -> Node {
    let work = workflow.work(&state.name);
    let ladders = work.into_iter().flat_map(|work| &work.escalate);
    Node {
        name: state.name.clone(),
        title: state.title.text(language).to_owned(),
        shape: match state.kind {
            StateKind::Work(_) => Shape::Work,
            StateKind::Choose { .. } => Shape::Choice,
            StateKind::End { .. } => Shape::End,
        },
        within: state.within.clone(),
        asks: work.and_then(|work| Some(work.assign.as_ref()?.text.clone())),
        ladder: ladders
            .filter_map(|choice| Some((choice.ladder.clone(), levels(workflow, &choice.ladder)?)))
            .collect(),
    }
}

fn levels(workflow: &Workflow, ladder: &str) -> Option<Vec<(String, String)>> {
    let levels = workflow.ladders.get(ladder)?.levels.iter();
    let phrase = |level: &upline_core::workflow::Level| match &level.assign {
        Some(assign) => assign.text.to_string(),
        None => {
            let told: Vec<String> = level.notify.iter().map(ToString::to_string).collect();
            format!("tell {}", told.join(", "))
        }
    };
    Some(
        levels
            .map(|level| (level.after.to_string(), phrase(level)))
            .collect(),
    )
}

fn edges(state: &State, language: &str) -> Vec<Edge> {
    let edge = |to: &Name, label: String, kind| Edge {
        from: state.name.clone(),
        to: to.clone(),
        label,
        kind,
    };
    match &state.kind {
        StateKind::End { .. } => Vec::new(),
        StateKind::Choose { cases, otherwise } => {
            let cases = cases
                .iter()
                .map(|(when, to)| edge(to, when.to_string(), EdgeKind::Condition));
            let otherwise = edge(otherwise, "else".to_owned(), EdgeKind::Condition);
            cases.chain([otherwise]).collect()
        }
        StateKind::Work(work) => {
            let actions = work.actions.iter().map(|action| {
                let label = action.label.text(language);
                let label = if label.is_empty() {
                    &action.name
                } else {
                    label
                };
                edge(&action.goto, label.to_owned(), EdgeKind::Action)
            });
            let after = work
                .after
                .iter()
                .map(|after| edge(&after.goto, format!("after {}", after.span), EdgeKind::Time));
            let mut edges: Vec<Edge> = actions.chain(after).collect();
            if let Some(Doing::Parallel(parallel)) = &work.doing {
                let branches = parallel.branches.iter();
                edges.extend(
                    branches.map(|(name, first)| edge(first, name.to_string(), EdgeKind::Branches)),
                );
                let join = match parallel.join {
                    Join::All => "all done",
                    Join::Any => "first done",
                };
                edges.push(edge(&parallel.goto, join.to_owned(), EdgeKind::Branches));
            }
            edges
        }
    }
}
