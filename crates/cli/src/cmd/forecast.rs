//! `upline forecast`.

use std::path::PathBuf;

use jiff::SignedDuration;
use serde::Serialize;
use upline::doctor::in_language;
use upline_lab::forecast::Horizon;
use upline_lab::render::{Language, Times};
use upline_lab::timeline::Timeline;

use super::look::{Look, When};
use super::simulate::print;
use crate::exit::{Exit, Failure};
use crate::language::pick;
use crate::moment::Moment;
use crate::output::Output;

/// Say who is asked when about a ticket of a data folder, if nobody acts
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The data folder, which no engine has open, or a backup
    folder: PathBuf,
    /// The ticket
    ticket: String,
    /// How far to look [default: 366 days]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    #[command(flatten)]
    when: When,
}

/// The answer for programs.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Ahead<'a> {
    #[serde(flatten)]
    timeline: &'a Timeline,
    /// Why none of it happens before an operator has looked.
    set_aside: Option<&'a str>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let until = args.until.as_deref();
    let until = until
        .map(|until| Moment::read_in(args.when.language(), "--until", until))
        .transpose()?;
    let mut look = Look::into(&args.folder, args.when.language())?;
    let found = look.find(&args.ticket, &args.when)?;
    let (zone, language) = (look.zone(&found.ticket), args.when.language());
    let mut horizon = Horizon::default();
    if let Some(until) = until {
        horizon.within = until.in_zone(&zone)?.duration_since(look.folder.now());
        if horizon.within <= SignedDuration::ZERO {
            let message = pick(
                language,
                "`--until`: this is not after the time that the answer is for",
                "`--until`：不晚于所问的时间",
            );
            return Err(Failure::usage(message));
        }
    }
    let times = Times::new(zone, language);
    let timeline = look
        .folder
        .forecast(&found, horizon, times.clone(), language);
    let timeline = timeline.map_err(|error| look.failure(&error))?;
    if output.is_json() {
        let set_aside = found.set_aside.as_deref();
        let set_aside = set_aside.map(|why| in_language(why, language));
        look.json(
            &Ahead {
                timeline: &timeline,
                set_aside: set_aside.as_deref(),
            },
            output,
        )?;
        return Ok(Exit::Ok);
    }
    output.line(look.head(&found, language))?;
    if let Some(why) = &found.set_aside {
        let why = in_language(why, language);
        output.line(match language {
            Language::English => format!(
                "set aside, and no engine moves it until an operator has looked: {why}\n\
                 if it were let go on now:"
            ),
            Language::Chinese => {
                format!("已搁置，运维人员查看之前引擎不会推动它：{why}\n如果现在让它继续：")
            }
        })?;
    }
    if let Some(ended) = &found.ticket.ended {
        let at = times.around(look.folder.now(), ended.at);
        let outcome = &ended.outcome;
        output.line(match language {
            Language::English => format!("ended: {outcome}, {at}; nothing more happens"),
            Language::Chinese => format!("结束：{outcome}，{at}；不会再发生什么"),
        })?;
        return Ok(Exit::Ok);
    }
    if timeline.lines.is_empty() {
        output.line(match language {
            Language::English => "nothing happens until then",
            Language::Chinese => "到那时为止什么也不会发生",
        })?;
    }
    print(&timeline, language, output)?;
    Ok(Exit::Ok)
}
