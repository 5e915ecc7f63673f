//! `upline test`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use upline_core::Name;
use upline_dsl::render::{Report, texts};
use upline_dsl::{Sort, plain, shown};
use upline_lab::transcript::{Coverage, Outcome, Prepared};

use crate::exit::{Exit, Failure};
use crate::files::{self, Disk};
use crate::output::Output;

/// Run the tests of workflows: transcripts, in files that end with `.test.txt`
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folders, transcripts, or workflows whose transcript stands beside them
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write what happens into the transcripts, for you to read and keep [env: UPLINE_BLESS=1]
    #[arg(long)]
    bless: bool,
    /// Show which states, actions and levels no transcript has exercised
    #[arg(long)]
    coverage: bool,
}

/// What became of a file.
#[derive(Serialize)]
struct Tested {
    file: String,
    passed: bool,
    steps: usize,
    /// Steps whose journal differs.
    failures: Vec<Difference>,
    /// Mistakes in the transcript or in a file that it needs, as in `check`.
    diagnostics: Vec<serde_json::Value>,
    /// For people: what differs, or what is wrong.
    #[serde(skip)]
    text: String,
    #[serde(skip)]
    blessed: bool,
}

#[derive(Serialize)]
struct Difference {
    line: usize,
    expected: Vec<String>,
    actual: Vec<String>,
}

#[derive(Serialize)]
struct Summary {
    passed: usize,
    failed: usize,
    tests: Vec<Tested>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Vec<Covered>>,
}

/// How much of a workflow the transcripts have exercised.
#[derive(Serialize)]
struct Covered {
    workflow: Name,
    exercised: usize,
    of: usize,
    missing: Vec<String>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let bless = args.bless || std::env::var_os("UPLINE_BLESS").is_some_and(|value| value == "1");
    let transcripts = transcripts(&args.paths)?;
    let mut done = Coverage::default();
    let mut whole = Coverage::default();
    let mut tests = Vec::new();
    let mut lacks_files = false;
    for path in &transcripts {
        let mut prepared = Prepared::new(path, files::read(path)?, &mut Disk);
        let outcome = prepared.run();
        lacks_files |= prepared.lacks_files;
        if let Some(outcome) = &outcome {
            done.merge(outcome.coverage.clone());
        }
        for workflow in prepared
            .setting
            .iter()
            .flat_map(|setting| setting.workflows.iter())
        {
            whole.merge(Coverage::whole(workflow));
        }
        tests.push(tested(path, &prepared, outcome.as_ref(), bless, output)?);
    }
    let failed = tests.iter().filter(|test| !test.passed).count();
    let coverage = args.coverage.then(|| covered(&done, &whole));
    let summary = Summary {
        passed: tests.len() - failed,
        failed,
        tests,
        coverage,
    };
    if output.is_json() {
        output.json(&summary)?;
    } else {
        print(&summary, output)?;
    }
    Ok(match failed {
        _ if lacks_files => Exit::NotFound,
        0 => Exit::Ok,
        _ => Exit::Findings,
    })
}

fn transcripts(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let is_transcript = |name: &str| name.ends_with(".test.txt");
    let mut found = BTreeSet::new();
    for path in paths {
        if path.is_dir() {
            found.extend(files::below(path, &is_transcript)?);
        } else if path
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml")
        {
            found.insert(beside(path)?);
        } else {
            found.insert(path.clone());
        }
    }
    if found.is_empty() {
        let named: Vec<String> = paths.iter().map(|path| shown(path)).collect();
        return Err(Failure::not_found(format!(
            "there are no transcripts in `{}`",
            named.join("`, `")
        ))
        .help("transcripts are files that end with `.test.txt`"));
    }
    Ok(found.into_iter().collect())
}

/// The transcript of a workflow.
fn beside(path: &Path) -> Result<PathBuf, Failure> {
    let transcript = path.with_extension("test.txt");
    let file = shown(path);
    match Sort::of(&files::read(path)?.bytes) {
        Sort::Directory => {
            let message = format!("`{file}` is a directory, not a workflow");
            let help = "name a transcript, a workflow that has one beside it, or a folder";
            Err(Failure::usage(message).help(help))
        }
        _ if transcript.exists() => Ok(transcript),
        _ => {
            let transcript = shown(&transcript);
            let message = format!("`{file}` has no transcript: there is no `{transcript}`");
            let help = "write one, such as `at 2026-03-06 17:20` and `> ann opens`, and run \
                        `upline test --bless`";
            Err(Failure::not_found(message).help(help))
        }
    }
}

fn tested(
    path: &Path,
    prepared: &Prepared,
    outcome: Option<&Outcome>,
    bless: bool,
    output: &Output,
) -> Result<Tested, Failure> {
    let mut tested = Tested {
        file: plain(path),
        passed: outcome.is_some_and(Outcome::passed),
        steps: outcome.map_or(0, |outcome| outcome.steps.len()),
        failures: Vec::new(),
        diagnostics: Vec::new(),
        text: String::new(),
        blessed: false,
    };
    let Some(outcome) = outcome else {
        let found: Vec<_> = prepared.found.iter().cloned().collect();
        let report = |one| serde_json::to_value(Report::new(&prepared.sources, one));
        tested.diagnostics = found.iter().filter_map(|one| report(one).ok()).collect();
        tested.text = texts(&prepared.sources, &found, output.colour());
        return Ok(tested);
    };
    if bless && !tested.passed && outcome.gaps.is_empty() {
        let blessed = outcome.blessed(&prepared.script);
        fs::write(path, blessed).map_err(|error| {
            Failure::not_found(format!("cannot write `{}`: {error}", shown(path)))
        })?;
        tested.passed = true;
        tested.blessed = true;
        return Ok(tested);
    }
    tested.text = outcome.diff(&prepared.script);
    tested.failures = outcome
        .failures()
        .map(|step| Difference {
            line: step.line(),
            expected: step.expected.clone(),
            actual: step.actual.clone(),
        })
        .collect();
    Ok(tested)
}

fn covered(done: &Coverage, whole: &Coverage) -> Vec<Covered> {
    let names: BTreeSet<&Name> = whole.states.iter().map(|(workflow, _)| workflow).collect();
    let of = |coverage: &Coverage, name: &Name| Coverage {
        states: coverage
            .states
            .iter()
            .filter(|state| state.0 == *name)
            .cloned()
            .collect(),
        actions: coverage
            .actions
            .iter()
            .filter(|action| action.0 == *name)
            .cloned()
            .collect(),
        levels: coverage
            .levels
            .iter()
            .filter(|level| level.0 == *name)
            .cloned()
            .collect(),
    };
    let row = |name: &Name| {
        let (whole, done) = (of(whole, name), of(done, name));
        let missing = done.missing(&whole);
        let states = missing
            .states
            .iter()
            .map(|(_, state)| format!("state {state}"));
        let actions = missing
            .actions
            .iter()
            .map(|(_, state, action)| format!("{state}: {action}"));
        let levels = missing
            .levels
            .iter()
            .map(|(_, ladder, level)| format!("{ladder}: level {level}"));
        Covered {
            workflow: name.clone(),
            exercised: whole.len() - missing.len(),
            of: whole.len(),
            missing: states.chain(actions).chain(levels).collect(),
        }
    };
    names.into_iter().map(row).collect()
}

fn print(summary: &Summary, output: &mut Output) -> Result<(), Failure> {
    for test in &summary.tests {
        let word = match (test.blessed, test.passed) {
            (true, _) => "written",
            (false, true) => "ok",
            (false, false) => "FAILED",
        };
        let file = shown(Path::new(&test.file));
        output.line(format_args!("{file} ... {word}"))?;
    }
    for test in summary.tests.iter().filter(|test| !test.text.is_empty()) {
        output.text(format_args!("\n{}", test.text))?;
    }
    for covered in summary.coverage.iter().flatten() {
        let Covered {
            workflow,
            exercised,
            of,
            missing,
        } = covered;
        output.line(format_args!(
            "\n{workflow}: {exercised} of {of} states, actions and levels exercised"
        ))?;
        for missing in missing {
            output.line(format_args!("  not exercised: {missing}"))?;
        }
    }
    output.line(format_args!(
        "\n{} passed, {} failed",
        summary.passed, summary.failed
    ))?;
    Ok(())
}
