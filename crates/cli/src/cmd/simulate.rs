//! `upline simulate`.

use std::path::PathBuf;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use upline_core::{Actor, Name, Typed};
use upline_dsl::did_you_mean;
use upline_dsl::phrase::how_long;
use upline_lab::forecast::Horizon;
use upline_lab::render::Language;
use upline_lab::simulate::{Mistake, Part, Simulation, simulate};
use upline_lab::timeline::Timeline;
use upline_lab::transcript::Setting;

use crate::exit::{Exit, Failure};
use crate::language::pick;
use crate::moment::Moment;
use crate::output::Output;
use crate::sets::{self, DirectoryArg};

/// Play one ticket in virtual time: who is asked when, until when, and why
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The workflow's file
    workflow: PathBuf,
    #[command(flatten)]
    directory: DirectoryArg,
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
    lang: Language,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let opened = Moment::read("--at", &args.at)?;
    let within = span(&args.within)?;
    let fields = args.fields.iter().map(|field| typed(field));
    let fields = fields.collect::<Result<Typed, _>>()?;
    let directory = args.directory.directory.as_deref();
    // The workflow says by which clocks it is; until then, the day is near enough.
    let day = opened.in_zone(&TimeZone::UTC)?;
    let setting = sets::setting(&args.workflow, directory, day)?;
    let simulation = Simulation {
        opened: opened.in_zone(&setting.zone())?,
        by: opener(args.by.as_ref(), &setting)?,
        fields,
        acts: args.acts.clone(),
        horizon: Horizon {
            within,
            ..Horizon::default()
        },
        language: args.lang,
    };
    let timeline = simulate(&setting, &simulation).map_err(|wrong| refused(args, wrong))?;
    if output.is_json() {
        output.json(&timeline)?;
    } else {
        print(&timeline, args.lang, output)?;
    }
    Ok(Exit::Ok)
}

/// Mistakes in the words of the command line, each with the option that it stands in.
fn refused(args: &Args, wrong: Vec<Mistake>) -> Failure {
    let option = |name: &str, texts: &[String], index: usize| {
        let text = texts.get(index).map_or("", String::as_str);
        format!("`{name} '{text}'`")
    };
    Failure::usages(wrong.into_iter().map(|mistake| {
        let place = match mistake.part {
            Part::Opening => "the ticket can't be opened".to_owned(),
            Part::Field(index) => option("--with", &args.fields, index),
            Part::Act(index) => option("--act", &args.acts, index),
        };
        (format!("{place}: {}", mistake.message), mistake.help)
    }))
}

pub(crate) fn print(
    timeline: &Timeline,
    language: Language,
    output: &mut Output,
) -> Result<(), Failure> {
    for line in &timeline.lines {
        output.line(&line.text)?;
    }
    if timeline.more {
        output.note(pick(language, "... and so on", "……以此类推"));
    }
    Ok(())
}

fn opener(by: Option<&Name>, setting: &Setting) -> Result<Actor, Failure> {
    let Some(person) = by else {
        return Ok(Actor::System(Name::new("simulation")));
    };
    match setting.directory.people.contains_key(person) {
        true => Ok(Actor::Person(person.clone())),
        false => {
            let known = setting.directory.people.keys().map(Name::as_str);
            let failure =
                Failure::usage(format!("`--by '{person}'`: there is no person `{person}`"));
            Err(match did_you_mean(person, known) {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure,
            })
        }
    }
}

fn typed(field: &str) -> Result<(Name, String), Failure> {
    let parts = field
        .split_once('=')
        .map(|(field, value)| (Name::new(field.trim()), value.to_owned()));
    parts.ok_or_else(|| {
        let message = format!("`--with '{field}'`: this is not a field and its value");
        Failure::usage(message).help("write `--with 'problem=no dial tone'`")
    })
}

fn span(text: &str) -> Result<SignedDuration, Failure> {
    match how_long(text) {
        Ok(span) => Ok(SignedDuration::from_secs(
            span.around_the_clock().at_least_seconds(),
        )),
        Err(error) => Err(Failure::usage(format!(
            "`--for '{text}'`: {}",
            error.message
        ))),
    }
}
