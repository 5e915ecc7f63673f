//! `upline replay`.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use upline_dsl::{Diagnostic, Found, Sources};
use upline_lab::replay::{Log, LogError, LogFacts, Mapping, ReplayReport, play, unpack};
use upline_lab::transcript::Setting;

use crate::exit::{Exit, Failure};
use crate::files::{self, shown, unreadable};
use crate::output::Output;

/// Play a recorded ticket log against a workflow: what would have happened?
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The log, a CSV file, also packed with gzip; `-` reads stdin
    #[arg(value_name = "LOG")]
    log: PathBuf,
    /// What its columns and values mean; see `examples/replay`
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// The workflow's file [default: the log is only counted]
    #[arg(long, value_name = "FILE")]
    workflow: Option<PathBuf>,
    /// The directory [default: directory.yaml beside the workflow or above it]
    #[arg(long, value_name = "FILE", requires = "workflow")]
    directory: Option<PathBuf>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let setting = match &args.workflow {
        None => None,
        Some(path) => {
            let set = files::one(path, args.directory.as_deref(), output)?;
            Some(set.into_setting()?.0)
        }
    };
    let mapping = mapping(&args.map, setting.as_ref(), output)?;
    let bar = Bar::new();
    let log = read(&args.log, &mapping, &bar)?;
    let facts = LogFacts::of(&log);
    let play = match &setting {
        None => None,
        Some(setting) => {
            bar.playing(log.entries.len());
            let played = play(
                &log,
                &mapping,
                &setting.workflows,
                &setting.main,
                &setting.directory,
                &mut |rows| bar.0.set_position(rows),
            );
            let help = "see `play` in examples/replay/small.map.yaml";
            Some(played.map_err(|error| Failure::findings(error.to_string()).help(help))?)
        }
    };
    bar.0.finish_and_clear();
    let report = ReplayReport {
        log: mapping.title,
        facts,
        problems: log.problems,
        play,
    };
    print(&report, output)?;
    Ok(Exit::Ok)
}

fn print(report: &ReplayReport, output: &mut Output) -> Result<(), Failure> {
    if output.is_json() {
        output.json(report)?;
        return Ok(());
    }
    for (index, table) in report.tables().into_iter().enumerate() {
        if index > 0 {
            output.line("")?;
        }
        output.line(&table.title)?;
        output.table(&table.head, table.rows, &table.right)?;
    }
    Ok(())
}

fn mapping(
    path: &Path,
    setting: Option<&Setting>,
    output: &mut Output,
) -> Result<Mapping, Failure> {
    let mut sources = Sources::new();
    let text = files::read_text(path)?;
    let (read, mut found) = Mapping::read(&mut sources, shown(path), text);
    let workflow = setting.and_then(|setting| setting.workflows.newest(&setting.main));
    if let (Some(read), Some(setting), Some(workflow)) = (&read, setting, workflow) {
        found.append(read.value.check(workflow, &setting.directory));
    }
    let wrong = found.has_errors();
    complain(&sources, found, output);
    match read {
        Some(read) if !wrong => Ok(read.value),
        _ => Err(Failure::findings(format!(
            "`{}` can't be used as it is",
            shown(path)
        ))),
    }
}

fn complain(sources: &Sources, found: Found, output: &mut Output) {
    let found: Vec<Diagnostic> = found.into_sorted();
    files::complain(sources, &found, output);
}

fn read(path: &Path, mapping: &Mapping, bar: &Bar) -> Result<Log, Failure> {
    let source: Box<dyn Read> = if path.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(|error| unreadable(path, &error))?)
    };
    let read = unpack(source);
    let read =
        read.and_then(|source| Log::read(source, mapping, &mut |rows| bar.0.set_position(rows)));
    read.map_err(|error| match error {
        LogError::Io { .. } => Failure::not_found(format!("`{}`: {error}", shown(path))),
        other => Failure::findings(format!("`{}`: {other}", shown(path))),
    })
}

/// Says on a terminal how far it is; elsewhere nothing.
struct Bar(ProgressBar);

impl Bar {
    fn new() -> Self {
        let target = match io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style("{spinner} reading: {human_pos} rows"));
        Self(bar)
    }

    fn playing(&self, rows: usize) {
        self.0.reset();
        self.0.set_length(rows as u64);
        self.0.set_style(style(
            "playing: {bar:40} {human_pos} of {human_len} rows, {eta} to go",
        ));
    }
}

/// The style, or the plainest one if the template is not understood.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
