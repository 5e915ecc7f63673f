//! `upline tour`.

use std::thread;
use std::time::Duration;

use jiff::{Timestamp, civil};
use upline_core::{Actor, Name};
use upline_dsl::load;
use upline_lab::forecast::Horizon;
use upline_lab::render::Language;
use upline_lab::simulate::{Simulation, simulate};
use upline_lab::timeline::Timeline;
use upline_lab::transcript::Setting;

use crate::exit::{Exit, Failure};
use crate::output::Output;

const WORKFLOW: &str = include_str!("../../../../workflows/trouble-ticket.yaml");
const DIRECTORY: &str = include_str!("../../../../workflows/directory.yaml");
/// Longest pause between two lines: nights and weekends would take for ever.
const MAX_PAUSE: Duration = Duration::from_millis(1_500);

/// Watch a ticket climb in virtual time, with the reasons
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Take time: that many virtual seconds in one; without it everything is there at once
    #[arg(long, value_name = "FACTOR")]
    speed: Option<f64>,
    /// The language of the lines: en, zh
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: Language,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    if args
        .speed
        .is_some_and(|speed| !speed.is_finite() || speed <= 0.0)
    {
        return Err(Failure::usage(
            "`--speed` must be more than nothing, such as 600",
        ));
    }
    let timeline = climb(args.lang)?;
    if output.is_json() {
        output.json(&timeline)?;
        return Ok(Exit::Ok);
    }
    let words = Words::of(args.lang);
    output.line(words.before)?;
    let mut last = timeline.from;
    for line in &timeline.lines {
        pause(last, line.at, args.speed, output)?;
        last = line.at;
        output.line(&line.text)?;
    }
    output.line(words.after)?;
    Ok(Exit::Ok)
}

/// A ticket opened on a Friday afternoon that nobody acts on.
fn climb(language: Language) -> Result<Timeline, Failure> {
    let files = [
        ("workflows/trouble-ticket.yaml", WORKFLOW),
        ("workflows/directory.yaml", DIRECTORY),
    ];
    let loaded = load(files);
    let broken = || Failure::findings("the tour's ticket can't be played");
    let setting = Setting::of(loaded.workflows, loaded.directory, None).ok_or_else(broken)?;
    let opened = civil::date(2026, 3, 6)
        .at(17, 20, 0, 0)
        .to_zoned(setting.zone());
    let typed = |field: &str, value: &str| (Name::new(field), value.to_owned());
    let simulation = Simulation {
        opened: opened.map_err(|_| broken())?.timestamp(),
        by: Actor::Person(Name::new("tom")),
        fields: vec![
            typed("caller", "Mr Low <low@example.com>"),
            typed("problem", "no dial tone"),
        ],
        acts: vec!["tom open @1 min".to_owned()],
        horizon: Horizon {
            fired: 12,
            ..Horizon::default()
        },
        language,
    };
    simulate(&setting, &simulation).map_err(|_| broken())
}

/// Lets the time between two lines pass, if a speed was asked for.
fn pause(
    from: Timestamp,
    to: Timestamp,
    speed: Option<f64>,
    output: &mut Output,
) -> Result<(), Failure> {
    let Some(speed) = speed else { return Ok(()) };
    output.flush()?;
    let seconds = to.duration_since(from).as_secs_f64() / speed;
    let pause = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    thread::sleep(pause.min(MAX_PAUSE));
    Ok(())
}

/// What is said round the journal.
struct Words {
    before: &'static str,
    after: &'static str,
}

impl Words {
    fn of(language: Language) -> Self {
        match language {
            Language::English => Self {
                before: "A caller reports a fault on a Friday, shortly before the office closes. \
                         Nobody acts.\n",
                after: "\nAt every moment one person was answerable, and a clock was running. Next:\n  \
                        upline check workflows                     proof that it is always so\n  \
                        upline test workflows                      the authors' tests\n  \
                        upline graph workflows/trouble-ticket.yaml the workflow drawn",
            },
            Language::Chinese => Self {
                before: "周五临近下班，来电人报告故障。没有人处理。\n",
                after: "\n任何时刻都有一个人负责，并且有时钟在走。接下来：\n  \
                        upline check workflows                     证明总是如此\n  \
                        upline test workflows                      作者的测试\n  \
                        upline graph workflows/trouble-ticket.yaml 画出流程",
            },
        }
    }
}
