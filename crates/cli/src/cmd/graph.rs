//! `upline graph`.

use std::path::PathBuf;

use clap::ValueEnum;
use upline_lab::graph::Graph;

use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

/// Draw a workflow: its states and what leads from one to another
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workflow's file
    workflow: PathBuf,
    /// The directory [default: directory.yaml beside the workflow or above it]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// What to draw it as
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The language of titles and labels
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// For a terminal
    Text,
    /// A Mermaid flowchart
    Mermaid,
    /// A Graphviz digraph
    Dot,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let set = files::one(&args.workflow, args.directory.as_deref(), output)?;
    for read in set.workflows() {
        let graph = Graph::new(&read.value, &args.lang);
        if output.is_json() {
            output.json(&graph)?;
            continue;
        }
        output.text(match args.format {
            Format::Text => graph.to_text(),
            Format::Mermaid => graph.to_mermaid(),
            Format::Dot => graph.to_dot(),
        })?;
    }
    Ok(Exit::Ok)
}
