//! [`Subject`]: the workflow that the rules look at, and where its parts stand.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::proof::{self, Proof};
use upline_core::{Directory, Level, State, Workflow};

use super::graph::{Edge, Graph, How, parallel, work};
use super::phrases::{Asked, Role, phrases};
use crate::phrase::how_long;
use crate::syntax::{Entry, Node};
use crate::{Loaded, Read, Site, Sources};

/// Most other places that a diagnostic points at.
pub(super) const MAX_ALSO: usize = 5;

/// One workflow with everything that rules ask of it.
pub(super) struct Subject<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) workflow: &'a Workflow,
    pub(super) sources: &'a Sources,
    pub(super) directory: Option<&'a Directory>,
    pub(super) proof: Option<&'a Proof>,
    /// From when the directory is looked at.
    pub(super) from: Timestamp,
    pub(super) graph: Graph<'a>,
    /// Which states can be reached from the start.
    pub(super) reachable: Vec<bool>,
    /// All *who* phrases.
    pub(super) phrases: Vec<Asked<'a>>,
    root: &'a Node,
    /// The states where they are defined, by number.
    entries: Vec<&'a Entry>,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        loaded: &'a Loaded,
        read: &'a Read<Workflow>,
        proof: Option<&'a Proof>,
        from: Timestamp,
    ) -> Self {
        let graph = Graph::new(&read.value);
        let root = read.spans.root();
        let mut entries = Vec::with_capacity(graph.states.len());
        state_entries(root, &mut entries);
        Self {
            reachable: graph.reachable(),
            phrases: phrases(&read.value),
            loaded,
            workflow: &read.value,
            sources: &loaded.sources,
            directory: loaded.directory.as_ref().map(|read| &read.value),
            proof,
            from,
            graph,
            root,
            entries,
        }
    }

    /// The zone of the workflow's calendar, in which times are shown.
    pub(super) fn zone(&self) -> TimeZone {
        let name = self.workflow.calendar.as_ref();
        let calendar = self
            .directory
            .and_then(|directory| directory.calendars.get(name?));
        calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
    }

    /// The states that can be reached, by number.
    pub(super) fn reached(&self) -> impl Iterator<Item = (usize, &'a State)> {
        let states = self.graph.states.iter().copied().enumerate();
        states.filter(|(number, _)| self.reachable[*number])
    }

    /// The name of a state.
    pub(super) fn name(&self, state: usize) -> &'a str {
        let state = self.graph.state(state);
        state.map_or("", |state| state.name.as_str())
    }

    /// The name of a state where it is defined.
    pub(super) fn state_at(&self, state: usize) -> Site {
        let entry = self.entries.get(state);
        entry.map_or_else(|| self.key_at("states"), |entry| entry.key_at)
    }

    /// The definition of a state.
    pub(super) fn state_node(&self, state: usize) -> &'a Node {
        let entry = self.entries.get(state);
        entry.map_or(self.root, |entry| &entry.value)
    }

    /// What stands at the end of a path through the file.
    pub(super) fn node(&self, path: &[&str]) -> &'a Node {
        self.root.find(path)
    }

    /// A key of the workflow itself where it stands; else the workflow's name.
    pub(super) fn key_at(&self, key: &str) -> Site {
        let entry = self.root.get(key).or_else(|| self.root.get("workflow"));
        entry.map_or(self.root.at, |entry| entry.key_at)
    }

    /// A name that the workflow gives, where it is defined: `("ladders", "calls")`.
    pub(super) fn defined_at(&self, kind: &str, name: &str) -> Site {
        let entry = self.root.find(&[kind]).get(name);
        entry.map_or_else(|| self.key_at(kind), |entry| entry.key_at)
    }

    /// A level of a ladder.
    pub(super) fn level_node(&self, ladder: &str, number: usize) -> &'a Node {
        self.node(&["ladders", ladder, "levels"]).item(number)
    }

    /// What a way out of a state says: the target of its `goto`.
    pub(super) fn edge_at(&self, edge: &Edge) -> Site {
        let state = self.graph.state(edge.from);
        let node = self.state_node(edge.from);
        let at = |path: &[&str]| node.find(path).at;
        match edge.how {
            How::Action(number) => {
                let action = state.and_then(work);
                let action = action.and_then(|work| work.actions.get(number));
                let name = action.map_or("", |action| action.name.as_str());
                at(&["actions", name, "goto"])
            }
            How::After(number) => self.after_at(edge.from, number).1,
            How::Case(number) => node.find(&["choose"]).item(number).find(&["goto"]).at,
            How::Otherwise => {
                let items = node.find(&["choose"]).items();
                let otherwise = items.iter().find_map(|item| item.get("else"));
                otherwise.map_or(node.at, |entry| entry.value.at)
            }
            How::Branch(number) => {
                let branches = state.and_then(parallel).map(|parallel| &parallel.branches);
                let branch = branches.and_then(|branches| branches.get(number));
                let name = branch.map_or("", |(name, _)| name.as_str());
                at(&["parallel", "branches", name, "start"])
            }
            How::Join => at(&["parallel", "goto"]),
            How::Breach(promise) => {
                let promise = self.workflow.promises.get(promise);
                let name = promise.map_or("", |promise| promise.name.as_str());
                self.node(&["promises", name, "breach", "goto"]).at
            }
            How::Broken => self.state_at(edge.from),
        }
    }

    /// The key and the target of an `after`. The core's are sorted, so it is found by what it says.
    pub(super) fn after_at(&self, state: usize, number: usize) -> (Site, Site) {
        let after = self.graph.state(state).and_then(work);
        let after = after.and_then(|work| work.after.get(number));
        let same = |entry: &&Entry| {
            let span = how_long(&entry.key).ok();
            span.is_some() && span == after.map(|after| after.span)
        };
        let entries = self.state_node(state).find(&["after"]).entries();
        match entries.iter().find(same) {
            Some(entry) => (entry.key_at, entry.value.at),
            None => (self.state_at(state), self.state_at(state)),
        }
    }

    /// A *who* phrase where it stands.
    pub(super) fn phrase_at(&self, asked: &Asked<'_>) -> Site {
        let of = |state: usize, path: &[&str]| self.state_node(state).find(path);
        let node = match asked.role {
            Role::Assign(state) => of(state, &["assign"]),
            Role::Informed(state, item) => of(state, &["notify"]).item(item),
            Role::By(state, action, item) => of(state, &["actions", action, "by"]).item(item),
            Role::Level(ladder, level) => self.level_node(ladder, level).find(&["assign"]),
            Role::LevelInformed(ladder, level, item) => {
                let node = self.level_node(ladder, level);
                node.find(&["notify"]).item(item)
            }
            Role::Warned(promise, percent, item) => {
                let warnings = self.node(&["promises", promise, "warn"]);
                let here = |node: &&Node| {
                    let text = self.sources.slice(node.find(&["at"]).at);
                    text.trim_matches(['"', '\'']).trim_end_matches(['%', ' '])
                        == percent.to_string()
                };
                let warning = warnings.items().iter().find(here).unwrap_or(warnings);
                warning.find(&["notify"]).item(item)
            }
            Role::Breached(promise, item) => {
                let node = self.node(&["promises", promise, "breach", "notify"]);
                node.item(item)
            }
        };
        node.at
    }

    /// A phrase of the proof where it stands.
    pub(super) fn asked_at(&self, asked: &proof::Asked) -> Site {
        let level = match (&asked.ladder, asked.level) {
            (Some(ladder), Level::Number(number)) => {
                let number = usize::from(number).saturating_sub(1);
                Some(self.level_node(ladder, number))
            }
            _ => None,
        };
        let state = asked
            .state
            .as_ref()
            .and_then(|name| self.graph.number(name));
        let state = state.map(|number| self.state_node(number));
        level
            .or(state)
            .map_or(self.root.at, |node| node.find(&["assign"]).at)
    }

    /// A word of a phrase where it stands; the phrase if the word is not plainly there.
    pub(super) fn word_at(&self, phrase: Site, word: &str) -> Site {
        word_at(self.sources, phrase, word)
    }
}

/// A word in the text at a site; the site if the word is not plainly there.
pub(super) fn word_at(sources: &Sources, site: Site, word: &str) -> Site {
    let text = sources.slice(site);
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let alone = |at: &usize| {
        let before = text[..*at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    };
    match text.match_indices(word).map(|(at, _)| at).find(alone) {
        Some(at) => {
            let start = site.start + at;
            Site::new(site.file, start..start + word.len())
        }
        None => site,
    }
}

/// The states of a map with `states:`, each before those of its branches: the order in which they are read.
fn state_entries<'n>(node: &'n Node, all: &mut Vec<&'n Entry>) {
    for state in node.find(&["states"]).entries() {
        all.push(state);
        let Some(parallel) = state.value.get("parallel") else {
            continue;
        };
        for branch in parallel.value.find(&["branches"]).entries() {
            state_entries(&branch.value, all);
        }
    }
}

/// Names as a sentence has them: `a`, `b` and 3 more.
pub(super) fn listed<'n>(names: impl ExactSizeIterator<Item = &'n str>) -> String {
    let count = names.len();
    let shown = if count > MAX_ALSO + 1 {
        MAX_ALSO
    } else {
        count
    };
    let mut text = String::new();
    for (index, name) in names.take(shown).enumerate() {
        let before = match index {
            0 => "",
            _ if index + 1 == count => " and ",
            _ => ", ",
        };
        text += &format!("{before}`{name}`");
    }
    if shown < count {
        text += &format!(" and {} more", count - shown);
    }
    text
}
