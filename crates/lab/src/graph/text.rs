//! The picture for a terminal.

use std::fmt::Write;

use super::{EdgeKind, Graph, Node, Shape};

impl Graph {
    /// Plain text: each state with whom it asks, what happens if nobody acts, and where it leads.
    pub fn to_text(&self) -> String {
        let mut text = format!("{}: {}\n", self.name, self.title);
        for node in &self.nodes {
            // Writing to a String can't fail.
            let _ = self.write_node(node, &mut text);
        }
        text
    }

    fn write_node(&self, node: &Node, text: &mut String) -> std::fmt::Result {
        let mark = if node.name == self.start { "→ " } else { "" };
        write!(text, "\n{mark}{}", node.name)?;
        if !node.title.is_empty() && node.title != node.name.as_str() {
            write!(text, ": {}", node.title)?;
        }
        match (&node.within, node.shape) {
            (_, Shape::End) => text.push_str(" (end)"),
            (Some((_, branch)), _) => write!(text, " (branch {branch})")?,
            (None, _) => (),
        }
        text.push('\n');
        if let Some(asks) = &node.asks {
            writeln!(text, "    asks {asks}")?;
        }
        for (ladder, levels) in &node.ladder {
            writeln!(text, "    if nobody acts ({ladder}):")?;
            for (after, phrase) in levels {
                writeln!(text, "      {after} later {phrase}")?;
            }
            writeln!(text, "      then the last resort")?;
        }
        for edge in self.leaving(&node.name) {
            let label = match edge.kind {
                EdgeKind::Action => format!("“{}”", edge.label),
                EdgeKind::Time | EdgeKind::Branches => edge.label.clone(),
                EdgeKind::Condition if edge.label == "else" => edge.label.clone(),
                EdgeKind::Condition => format!("when {}", edge.label),
            };
            writeln!(text, "    {label} → {}", edge.to)?;
        }
        Ok(())
    }
}
