//! The picture for programs that draw.

use std::fmt::Write;

use upline_core::Name;

use super::{Edge, EdgeKind, Graph, Node, Shape};

/// States of one branch, each with its number; `None` is the ticket itself.
type Group<'a> = (Option<&'a (Name, Name)>, Vec<(usize, &'a Node)>);

impl Graph {
    /// A Mermaid flowchart; branches of a parallel state stand in boxes.
    pub fn to_mermaid(&self) -> String {
        let mut text = "flowchart TD\n".to_owned();
        let start = self.id(&self.start);
        // Writing to a String can't fail.
        let _ = writeln!(text, "    start(( )) --> {start}");
        for (branch, nodes) in self.by_branch() {
            if let Some((parallel, name)) = branch {
                let (box_id, title) = (self.id(parallel), mermaid_text(name));
                let _ = writeln!(
                    text,
                    "    subgraph {box_id}_{} [\"{title}\"]",
                    index(nodes.first())
                );
            }
            for (id, node) in &nodes {
                let label = mermaid_text(&lines(node).join("\n"));
                let (open, close) = match node.shape {
                    Shape::Work => ("[\"", "\"]"),
                    Shape::Choice => ("{\"", "\"}"),
                    Shape::End => ("([\"", "\"])"),
                };
                let _ = writeln!(text, "    s{id}{open}{label}{close}");
            }
            if branch.is_some() {
                text.push_str("    end\n");
            }
        }
        for Edge {
            from,
            to,
            label,
            kind,
        } in &self.edges
        {
            let arrow = if *kind == EdgeKind::Time {
                "-.->"
            } else {
                "-->"
            };
            let (from, to, label) = (self.id(from), self.id(to), mermaid_text(label));
            let _ = writeln!(text, "    {from} {arrow}|\"{label}\"| {to}");
        }
        text
    }

    /// A Graphviz digraph.
    pub fn to_dot(&self) -> String {
        let mut text = "digraph workflow {\n    node [shape=box, style=rounded];\n".to_owned();
        let _ = writeln!(
            text,
            "    start [shape=point];\n    start -> {};",
            self.id(&self.start)
        );
        for (branch, nodes) in self.by_branch() {
            if let Some((_, name)) = branch {
                let (number, title) = (index(nodes.first()), dot_text(name));
                let _ = writeln!(
                    text,
                    "    subgraph cluster_{number} {{\n    label=\"{title}\";"
                );
            }
            for (id, node) in &nodes {
                let label = dot_text(&lines(node).join("\n"));
                let shape = match node.shape {
                    Shape::Work => "",
                    Shape::Choice => ", shape=diamond, style=solid",
                    Shape::End => ", shape=oval, style=solid",
                };
                let _ = writeln!(text, "    s{id} [label=\"{label}\"{shape}];");
            }
            if branch.is_some() {
                text.push_str("    }\n");
            }
        }
        for Edge {
            from,
            to,
            label,
            kind,
        } in &self.edges
        {
            let style = if *kind == EdgeKind::Time {
                ", style=dashed"
            } else {
                ""
            };
            let (from, to, label) = (self.id(from), self.id(to), dot_text(label));
            let _ = writeln!(text, "    {from} -> {to} [label=\"{label}\"{style}];");
        }
        text.push_str("}\n");
        text
    }

    /// Names may be in any script, which neither language takes as an id; so states are numbered.
    fn id(&self, state: &Name) -> String {
        let index = self.nodes.iter().position(|node| node.name == *state);
        format!("s{}", index.unwrap_or(self.nodes.len()))
    }

    /// The states with their numbers, those of one branch together, in the order of first appearance.
    fn by_branch(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let branch = node.within.as_ref();
            match groups.iter_mut().find(|(of, _)| *of == branch) {
                Some((_, nodes)) => nodes.push((index, node)),
                None => groups.push((branch, vec![(index, node)])),
            }
        }
        groups
    }
}

fn index(first: Option<&(usize, &Node)>) -> usize {
    first.map_or(0, |(index, _)| *index)
}

fn lines(node: &Node) -> Vec<String> {
    let title = if node.title.is_empty() {
        node.name.as_str()
    } else {
        &node.title
    };
    let asks = node.asks.iter().map(ToString::to_string);
    let ladders = node
        .ladder
        .iter()
        .map(|(ladder, _)| format!("ladder: {ladder}"));
    [title.to_owned()]
        .into_iter()
        .chain(asks)
        .chain(ladders)
        .collect()
}

fn mermaid_text(text: &str) -> String {
    let escaped = text
        .replace('&', "#amp;")
        .replace('"', "#quot;")
        .replace('<', "#lt;")
        .replace('>', "#gt;");
    escaped.replace('\n', "<br/>")
}

fn dot_text(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
