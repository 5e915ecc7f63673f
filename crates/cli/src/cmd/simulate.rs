//! `upline simulate`.

use std::path::PathBuf;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use upline_core::{Actor, Name, Typed};
use upline_dsl::phrase::how_long;
use upline_dsl::{Diagnostic, Found};
use upline_lab::forecast::Horizon;
use upline_lab::render::Language;
use upline_lab::simulate::{Simulation, simulate};
use upline_lab::timeline::Timeline;
use upline_lab::transcript::Setting;

use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::Output;

/// Play one ticket in virtual time: who is asked when, until when, and why
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workflow's file
    workflow: PathBuf,
    /// The directory [default: directory.yaml beside the workflow or above it]
    #[arg(long, value_name = "FILE")]
    directory: Option<PathBuf>,
    /// When it is opened, in the time zone of the workflow's calendar: `2026-03-06 17:20`
    #[arg(long, value_name = "TIME")]
    at: String,
    /// Who opens it [default: another system]
    #[arg(long, value_name = "PERSON")]
    by: Option<Name>,
    /// What is known from the start; once for each field
    #[arg(long = "with", value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    /// What somebody does, and when: `ann accept @20 min`, `lea claims @Mon 09:30`
    #[arg(long = "act", value_name = "ACT @TIME")]
    acts: Vec<String>,
    /// How far to look after the last act
    #[arg(long = "for", value_name = "SPAN", default_value = "366 days")]
    within: String,
    /// The language of the lines: en, zh
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: String,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let set = files::one(&args.workflow, args.directory.as_deref(), output)?;
    let (setting, mut sources) = set.into_setting()?;
    let simulation = Simulation {
        opened: time(&args.at, &setting.zone())?,
        by: opener(args.by.as_ref(), &setting)?,
        fields: args
            .fields
            .iter()
            .map(|field| typed(field))
            .collect::<Result<Typed, _>>()?,
        acts: args.acts.clone(),
        horizon: Horizon {
            within: span(&args.within)?,
            ..Horizon::default()
        },
        language: Language::of_tag(&args.lang),
    };
    let mut found = Found::new();
    let timeline = simulate(&setting, &simulation, &mut sources, &mut found);
    let found: Vec<Diagnostic> = found.iter().cloned().collect();
    files::complain(&sources, &found, output);
    let Some(timeline) = timeline else {
        return Err(Failure::findings("the ticket can't be played like that"));
    };
    if output.is_json() {
        output.json(&timeline)?;
    } else {
        print(&timeline, output)?;
    }
    Ok(Exit::Ok)
}

fn print(timeline: &Timeline, output: &mut Output) -> Result<(), Failure> {
    for line in &timeline.lines {
        output.line(&line.text)?;
    }
    if timeline.more {
        output.note("... and so on");
    }
    Ok(())
}

/// `2026-03-06 17:20` by the clocks of `zone`, or an instant with its offset. A time that the clocks skip is
/// the next one there is; of one that comes twice it is the first.
pub(crate) fn time(text: &str, zone: &TimeZone) -> Result<Timestamp, Failure> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    let local = text.parse::<DateTime>().ok();
    let instant = local.and_then(|local| zone.to_ambiguous_timestamp(local).compatible().ok());
    instant.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no time")).help("such as `2026-03-06 17:20`")
    })
}

fn opener(by: Option<&Name>, setting: &Setting) -> Result<Actor, Failure> {
    let Some(person) = by else {
        return Ok(Actor::System(Name::new("simulation")));
    };
    match setting.directory.people.contains_key(person) {
        true => Ok(Actor::Person(person.clone())),
        false => Err(Failure::not_found(format!(
            "there is nobody called `{person}` in the directory"
        ))),
    }
}

fn typed(field: &str) -> Result<(Name, String), Failure> {
    let parts = field
        .split_once('=')
        .map(|(field, value)| (Name::new(field.trim()), value.to_owned()));
    parts.ok_or_else(|| {
        Failure::usage(format!("`{field}` is not a field and its value"))
            .help("write `problem=\"no dial tone\"`")
    })
}

fn span(text: &str) -> Result<SignedDuration, Failure> {
    match how_long(text) {
        Ok(span) => Ok(SignedDuration::from_secs(
            span.around_the_clock().at_least_seconds(),
        )),
        Err(error) => Err(Failure::usage(format!(
            "`{text}` is no span: {}",
            error.message
        ))),
    }
}
