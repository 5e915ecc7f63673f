//! `upline verify`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use upline::disk::{Disk, RealDisk};
use upline::doctor::{IndexCheck, compare_index};
use upline::journal::{Mark, verify_folder};
use upline_dsl::shown;

use crate::bar::{Bar, Unit};
use crate::cmd::backup::failure;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Say whether every commit of a data folder's journal is as it was written, and its index equals it
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
    base: Option<String>,
    head: Option<String>,
    anchored: bool,
    removed: bool,
    damage: Vec<String>,
    more: u64,
    index: Option<IndexAnswer>,
}

/// What became of comparing the index with the journal.
#[derive(Serialize)]
struct IndexAnswer {
    state: IndexState,
    /// The last commit that is in it.
    commit: Option<u64>,
    tickets: u64,
    keys: u64,
    differences: Vec<String>,
    more: u64,
    why: Option<String>,
}

#[derive(Serialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum IndexState {
    None,
    InUse,
    Equal,
    Differs,
    Damaged,
    Unknown,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let disk: Arc<dyn Disk> = Arc::new(RealDisk::new(&args.folder));
    let bar = Bar::new("verifying", Unit::Of("files"));
    let mut tell = |progress: upline::journal::Progress| {
        bar.at_of(progress.segments, progress.of);
    };
    let report = verify_folder(&*disk, args.head.as_ref(), &mut tell);
    bar.clear();
    let report = report.map_err(|error| failure(&args.folder, &error.into()))?;
    if report.folder.is_none() && report.is_whole() {
        let path = shown(&args.folder);
        return Err(Failure::not_found(format!("`{path}` has no journal")));
    }
    let anchored = args.head.is_none() || report.anchored || report.removed;
    let whole = report.is_whole() && anchored;
    let index = match whole {
        true => Some(index(&args.folder)?),
        // What is damaged itself is no measure.
        false => None,
    };
    let fine = index
        .as_ref()
        .is_none_or(|index| !matches!(index.state, IndexState::Differs | IndexState::Damaged));
    let answer = Answer {
        whole,
        frames: report.frames,
        first: report.first,
        base: report.base.map(|base| base.to_string()),
        head: report.last.map(|last| last.to_string()),
        anchored: report.anchored,
        removed: report.removed,
        damage: report.damage.iter().map(ToString::to_string).collect(),
        more: report.more,
        index,
    };
    if output.is_json() {
        output.json(&answer)?;
    } else {
        told(&answer, output)?;
    }
    Ok(match whole && fine {
        true => Exit::Ok,
        false => Exit::Findings,
    })
}

fn index(folder: &Path) -> Result<IndexAnswer, Failure> {
    let mut answer = IndexAnswer {
        state: IndexState::None,
        commit: None,
        tickets: 0,
        keys: 0,
        differences: Vec::new(),
        more: 0,
        why: None,
    };
    let bar = Bar::new("comparing the index", Unit::Of("commits"));
    let compared = quietly(|| compare_index(folder, &mut |done, of| bar.at_of(done, of)));
    bar.clear();
    match compared.map_err(|error| failure(folder, &error.into()))? {
        IndexCheck::InUse => answer.state = IndexState::InUse,
        IndexCheck::Damaged(why) => {
            answer.state = IndexState::Damaged;
            answer.why = Some(why);
        }
        IndexCheck::Compared(verified) => {
            answer.state = match verified.is_fine() {
                true => IndexState::Equal,
                false => IndexState::Differs,
            };
            answer.commit = verified.mark.map(|mark| mark.seq);
            (answer.tickets, answer.keys) = (verified.tickets, verified.keys);
            let differences = verified.differences.iter();
            answer.differences = differences.map(ToString::to_string).collect();
            answer.more = verified.more;
        }
        IndexCheck::Failed(why) => {
            answer.state = IndexState::Unknown;
            answer.why = Some(why);
        }
        _ => (),
    }
    Ok(answer)
}

/// sled panics over damage. That is caught, and is part of the answer: it need not be on the screen too.
pub(crate) fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let done = work();
    std::panic::set_hook(hook);
    done
}

fn index_told(index: &IndexAnswer, output: &mut Output) -> Result<(), Failure> {
    let why = index.why.as_deref().unwrap_or_default();
    let (tickets, commit) = (index.tickets, index.commit.unwrap_or(0));
    match index.state {
        IndexState::None => return Ok(()),
        IndexState::InUse => output.line("index: an engine has it open; it was not compared")?,
        IndexState::Equal => output.line(format!(
            "index: {tickets} tickets up to commit {commit}, all as the journal says"
        ))?,
        IndexState::Differs => {
            for line in &index.differences {
                output.line(format!("index differs: {line}"))?;
            }
            if index.more > 0 {
                output.line(format!("and {} more differences", index.more))?;
            }
            output.line("index: remove the folder `index`; the next start builds it anew")?;
        }
        IndexState::Damaged => output.line(format!(
            "index: damaged, and nothing is lost: the next start builds it anew ({why})"
        ))?,
        IndexState::Unknown => output.line(format!("index: not compared: {why}"))?,
    }
    Ok(())
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
    if let Some(base) = answer.base.as_ref().filter(|_| answer.first > 1) {
        output.line(format!(
            "begins: {base}; what was before it was removed by the retention rule"
        ))?;
    }
    if answer.removed {
        output.line(
            "the commit of `--head` was removed by the retention rule: it can't be compared any more",
        )?;
    }
    if let Some(index) = &answer.index {
        index_told(index, output)?;
    }
    if let Some(head) = &answer.head {
        output.line(format!("head: {head}"))?;
    }
    Ok(())
}
