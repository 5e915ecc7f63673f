//! `upline verify`.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use upline::disk::{Disk, RealDisk};
use upline::journal::{Mark, verify};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::cmd::backup::failure;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Walk a data folder's journal and say whether every commit is as it was written
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, or a backup
    folder: PathBuf,
    /// A commit that must be in it, as an earlier `verify` printed it: finds a journal that was cut
    #[arg(long, value_name = "COMMIT")]
    head: Option<Mark>,
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer {
    whole: bool,
    frames: u64,
    first: u64,
    head: Option<String>,
    anchored: bool,
    damage: Vec<String>,
    more: u64,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let bar = Bar::new("verifying", Unit::Of("files"));
    let mut tell = |progress: upline::journal::Progress| {
        bar.at_of(progress.segments, progress.of);
    };
    let report = verify(&*disk, None, args.head.as_ref(), &mut tell);
    bar.clear();
    let report = report.map_err(|error| failure(&args.folder, &error.into()))?;
    if report.folder.is_none() && report.is_whole() {
        let path = shown(&args.folder);
        return Err(Failure::not_found(format!("`{path}` has no journal")));
    }
    let anchored = args.head.is_none() || report.anchored;
    let whole = report.is_whole() && anchored;
    let answer = Answer {
        whole,
        frames: report.frames,
        first: report.first,
        head: report.last.map(|last| last.to_string()),
        anchored: report.anchored,
        damage: report.damage.iter().map(ToString::to_string).collect(),
        more: report.more,
    };
    if output.is_json() {
        output.json(&answer)?;
    } else {
        told(&answer, output)?;
    }
    Ok(match whole {
        true => Exit::Ok,
        false => Exit::Findings,
    })
}

fn told(answer: &Answer, output: &mut Output) -> Result<(), Failure> {
    for line in &answer.damage {
        output.line(format!("damaged: {line}"))?;
    }
    if answer.more > 0 {
        output.line(format!("and {} more places", answer.more))?;
    }
    if answer.whole {
        let (frames, first) = (answer.frames, answer.first);
        output.line(format!(
            "{frames} commits from number {first} on, all as they were written"
        ))?;
    }
    if let Some(head) = &answer.head {
        output.line(format!("head: {head}"))?;
    }
    Ok(())
}
