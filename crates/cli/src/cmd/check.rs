//! `upline check`.

mod proof;

use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use upline_core::proof::Proof;
use upline_core::{Directory, Name, Workflow};
use upline_dsl::render::{Report, github, summary, text};
use upline_dsl::{Diagnostic, Severity};

use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::sets::{self, Checks, DirectoryArg};

/// Check workflows and directories: every mistake at its place, and proof that no ticket can be forgotten
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Files or folders
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    directory: DirectoryArg,
    /// Fail on warnings too
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,
    /// From when to look at holidays, shifts and absences, for a year [default: today]
    #[arg(long, value_name = "DATE", value_parser = date)]
    from: Option<Date>,
    /// How to print mistakes [default: human]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Deny {
    /// Everything that is not an error but worth a look
    Warnings,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// For the checks of a pull request on GitHub
    Github,
}

#[derive(Serialize)]
struct Answer<'a> {
    diagnostics: Vec<Report<'a>>,
    errors: usize,
    warnings: usize,
    workflows: Vec<Proved<'a>>,
    /// Workflows of which nothing can be proved, because there is no directory.
    without_directory: Vec<&'a Name>,
}

/// A workflow with the proof that no ticket is forgotten.
#[derive(Serialize)]
struct Proved<'a> {
    workflow: &'a Name,
    version: u32,
    /// The proof holds, and nothing is wrong that would keep the workflow from being run.
    holds: bool,
    proof: &'a Proof,
    #[serde(skip)]
    checked: &'a Workflow,
    #[serde(skip)]
    directory: &'a Directory,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    if output.is_json() && args.format.is_some() {
        return Err(Failure::two_formats());
    }
    let format = args.format.unwrap_or(Format::Human);
    let from = match args.from {
        None => Timestamp::now(),
        Some(date) => date
            .to_zoned(TimeZone::UTC)
            .map_err(|error| Failure::usage(error.to_string()))?
            .timestamp(),
    };
    let sets = sets::sets(&args.paths, args.directory.directory.as_deref())?;
    let sets: Vec<Checks> = sets.into_iter().map(|set| set.check(from)).collect();
    let found: Vec<(&Checks, &Diagnostic)> = sets
        .iter()
        .flat_map(|set| set.diagnostics().map(move |one| (set, one)))
        .collect();
    let count = |severity| {
        found
            .iter()
            .filter(|(_, one)| one.severity == severity)
            .count()
    };
    let left_out: usize = sets.iter().map(|set| set.checked.left_out).sum();
    let (errors, warnings) = (count(Severity::Error) + left_out, count(Severity::Warning));
    let workflows = proofs(&sets);
    let without_directory = without_directory(&sets);
    let proved = without_directory.is_empty() && workflows.iter().all(|workflow| workflow.holds);
    if output.is_json() {
        let diagnostics = found
            .iter()
            .map(|(set, one)| Report::new(&set.checked.sources, one))
            .collect();
        output.json(&Answer {
            diagnostics,
            errors,
            warnings,
            workflows,
            without_directory,
        })?;
    } else {
        if format == Format::Human {
            for one in &workflows {
                proof::print(one, output)?;
            }
            for name in without_directory {
                output.line(format_args!(
                    "{name}: NOT PROVED, because there is no directory: who is there? \
                     Name one with `--directory FILE`\n"
                ))?;
            }
        }
        print(&found, left_out, format, output)?;
    }
    let wrong = errors > 0 || !proved || (warnings > 0 && args.deny == Some(Deny::Warnings));
    Ok(if wrong { Exit::Findings } else { Exit::Ok })
}

/// A day of the command line.
fn date(text: &str) -> Result<Date, String> {
    let digits = text.bytes().filter(u8::is_ascii_digit).count() == 8;
    let shaped = digits && text.len() == 10 && text.split('-').count() == 3;
    match text.parse::<Date>() {
        Ok(date) if shaped => Ok(date),
        _ if shaped => Err("the calendar has no such day".to_owned()),
        _ => Err("write a day such as 2026-11-30".to_owned()),
    }
}

/// The proof of each workflow that the user named; one with mistakes has none.
fn proofs(sets: &[Checks]) -> Vec<Proved<'_>> {
    let mut proofs = Vec::new();
    for set in sets {
        let Some(directory) = &set.checked.directory else {
            continue;
        };
        proofs.extend(set.proofs().map(|(read, proof)| Proved {
            workflow: &read.value.name,
            version: read.value.version,
            holds: proof.holds() && !set.has_errors(read),
            proof,
            checked: &read.value,
            directory: &directory.value,
        }));
    }
    proofs
}

/// The workflows that the user named and that have no directory to be proved with.
fn without_directory(sets: &[Checks]) -> Vec<&Name> {
    let sets = sets.iter().filter(|set| set.is_without_directory());
    sets.flat_map(Checks::workflows)
        .map(|read| &read.value.name)
        .collect()
}

fn print(
    found: &[(&Checks, &Diagnostic)],
    left_out: usize,
    format: Format,
    output: &mut Output,
) -> Result<(), Failure> {
    for (set, diagnostic) in found {
        let sources = &set.checked.sources;
        match format {
            Format::Human => {
                let text = text(sources, diagnostic, output.colour());
                output.line(format_args!("{text}\n"))?;
            }
            Format::Github => output.line(github(sources, diagnostic))?,
        }
    }
    if left_out > 0 {
        output.line(format_args!("{left_out} more are not shown"))?;
    }
    let found = found.iter().map(|(_, diagnostic)| *diagnostic);
    Ok(output.line(summary(found))?)
}
