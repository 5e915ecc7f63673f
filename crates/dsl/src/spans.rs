//! [`SpanMap`]: where each part of a workflow or directory stands in its file.

use upline_core::{Name, Workflow};

use crate::Site;
use crate::syntax::{Kind, Node};

/// Where each part of a file stands, found by the path of keys that leads to it.
///
/// A path is written as in the file: `["states", "working", "actions", "resolve", "goto"]`; the items of a
/// list are `"0"`, `"1"` … A path that goes on beyond what is there gives the last part that is: a level
/// `["ladders", "calls", "0", "assign"]` without `assign` is the level.
#[derive(Debug, Clone)]
pub struct SpanMap {
    root: Node,
}

impl SpanMap {
    pub(crate) const fn new(root: Node) -> Self {
        Self { root }
    }

    /// The whole file.
    pub(crate) const fn root(&self) -> &Node {
        &self.root
    }

    /// The key at the end of the path: `ask` of `ask: { goto: waiting }`. Of an item of a list, the item.
    pub fn key<P: AsRef<str>>(&self, path: impl IntoIterator<Item = P>) -> Site {
        self.walk(path).0
    }

    /// The value at the end of the path: `waiting` of `goto: waiting`.
    pub fn value<P: AsRef<str>>(&self, path: impl IntoIterator<Item = P>) -> Site {
        self.walk(path).1.at
    }

    /// Whether there is something at the end of the path.
    pub fn has<P: AsRef<str>>(&self, path: impl IntoIterator<Item = P>) -> bool {
        self.walk(path).2
    }

    fn walk<P: AsRef<str>>(&self, path: impl IntoIterator<Item = P>) -> (Site, &Node, bool) {
        let mut key_at = Site {
            end: self.root.at.start,
            ..self.root.at
        };
        let mut node = &self.root;
        for step in path {
            let step = step.as_ref();
            match &node.kind {
                Kind::List(items) => {
                    let item = step.parse().ok().and_then(|index: usize| items.get(index));
                    let Some(item) = item else {
                        return (key_at, node, false);
                    };
                    (key_at, node) = (item.at, item);
                }
                _ => {
                    let Some(entry) = node.get(step) else {
                        return (key_at, node, false);
                    };
                    (key_at, node) = (entry.key_at, &entry.value);
                }
            }
        }
        (key_at, node, true)
    }

    /// The path to a state, through the branches that it belongs to.
    pub fn state_path(&self, workflow: &Workflow, state: &str) -> Vec<Name> {
        let mut path = vec![Name::new(state), Name::new_static("states")];
        let mut current = workflow.states.get(state);
        // Each step goes one branch out; a workflow has fewer nestings than states.
        for _ in 0..workflow.states.len() {
            let Some((parallel, branch)) = current.and_then(|state| state.within.as_ref()) else {
                break;
            };
            path.extend([
                branch.clone(),
                Name::new_static("branches"),
                Name::new_static("parallel"),
                parallel.clone(),
                Name::new_static("states"),
            ]);
            current = workflow.states.get(parallel);
        }
        path.reverse();
        path
    }

    /// The name of a state where it is defined.
    pub fn state(&self, workflow: &Workflow, state: &str) -> Site {
        self.key(self.state_path(workflow, state))
    }

    /// The value of a key of a state; the state's name if it has no such key.
    pub fn in_state(&self, workflow: &Workflow, state: &str, rest: &[&str]) -> Site {
        let mut path = self.state_path(workflow, state);
        let name_at = self.key(&path);
        path.extend(rest.iter().map(Name::new));
        match self.walk(&path) {
            (_, node, true) => node.at,
            (key_at, _, false) if rest.len() > 1 => key_at,
            _ => name_at,
        }
    }

    /// The name of an action where it is defined.
    pub fn action(&self, workflow: &Workflow, state: &str, action: &str) -> Site {
        let mut path = self.state_path(workflow, state);
        path.extend([Name::new_static("actions"), Name::new(action)]);
        self.key(path)
    }

    /// The name of a ladder where it is defined.
    pub fn ladder(&self, ladder: &str) -> Site {
        self.key(["ladders", ladder])
    }

    /// A level of a ladder, counted from 0.
    pub fn level(&self, ladder: &str, index: usize) -> Site {
        self.value(self.level_path(ladder, index))
    }

    /// The value of a key of a level; the level if it has no such key.
    pub fn in_level(&self, ladder: &str, index: usize, key: &str) -> Site {
        let mut path = self.level_path(ladder, index);
        path.push(Name::new(key));
        match self.walk(&path) {
            (_, node, true) => node.at,
            _ => self.level(ladder, index),
        }
    }

    fn level_path(&self, ladder: &str, index: usize) -> Vec<Name> {
        let mut path = vec![Name::new_static("ladders"), Name::new(ladder)];
        if self.has(["ladders", ladder, "levels"]) {
            path.push(Name::new_static("levels"));
        }
        path.push(Name::new(index.to_string()));
        path
    }

    /// The name of a promise where it is defined.
    pub fn promise(&self, promise: &str) -> Site {
        self.key(["promises", promise])
    }

    /// The name of a field where it is defined.
    pub fn field(&self, field: &str) -> Site {
        self.key(["fields", field])
    }

    /// The id of a person where it is defined.
    pub fn person(&self, person: &str) -> Site {
        self.key(["people", person])
    }

    /// The id of a group where it is defined.
    pub fn group(&self, group: &str) -> Site {
        self.key(["groups", group])
    }
}
