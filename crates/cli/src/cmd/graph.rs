//! `upline graph`.

use std::path::PathBuf;

use clap::ValueEnum;
use upline_core::{Name, Workflow};
use upline_lab::graph::Graph;

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::sets::{self, DirectoryArg};

/// Draw a workflow: its states and what leads from one to another
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workflow's file
    workflow: PathBuf,
    #[command(flatten)]
    directory: DirectoryArg,
    /// What to draw it as [default: text]
    #[arg(long, value_enum)]
    format: Option<Format>,
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
    if output.is_json() && args.format.is_some() {
        return Err(Failure::two_formats());
    }
    let set = sets::one(&args.workflow, args.directory.directory.as_deref())?;
    for read in set.workflows() {
        must_be_spoken(&read.value, &args.lang)?;
        let graph = Graph::new(&read.value, &args.lang);
        if output.is_json() {
            output.json(&graph)?;
            continue;
        }
        output.text(match args.format.unwrap_or(Format::Text) {
            Format::Text => graph.to_text(),
            Format::Mermaid => graph.to_mermaid(),
            Format::Dot => graph.to_dot(),
        })?;
    }
    // A workflow can be drawn though something is wrong with its directory.
    let found = set.diagnostics();
    output.mistakes(&set.into_loaded().sources, &found);
    Ok(Exit::Ok)
}

/// Texts that have no languages are for everybody, and English is what readers of all others get.
fn must_be_spoken(workflow: &Workflow, language: &str) -> Result<(), Failure> {
    let languages = Graph::languages(workflow);
    if language == "en" || languages.contains(&Name::new(language)) {
        return Ok(());
    }
    let message = format!(
        "`--lang {language}`: `{}` has no text in this language",
        workflow.name
    );
    let languages: Vec<&str> = languages.iter().map(|name| name.as_str()).collect();
    Err(Failure::usage(message).help(match languages.is_empty() {
        true => "its texts have no languages: leave `--lang` out".to_owned(),
        false => format!("the languages are: {}", languages.join(", ")),
    }))
}
