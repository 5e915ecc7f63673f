//! `upline forecast`.

use std::path::PathBuf;

use jiff::SignedDuration;
use upline_lab::forecast::Horizon;
use upline_lab::render::{Language, Times};

use super::look::{Look, When};
use super::simulate::print;
use crate::exit::{Exit, Failure};
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

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let until = args.until.as_deref();
    let until = until
        .map(|until| Moment::read("--until", until))
        .transpose()?;
    let mut look = Look::into(&args.folder)?;
    let found = look.find(&args.ticket, &args.when)?;
    let (zone, language) = (look.zone(&found.ticket), args.when.language());
    let mut horizon = Horizon::default();
    if let Some(until) = until {
        horizon.within = until.in_zone(&zone)?.duration_since(look.folder.now());
        if horizon.within <= SignedDuration::ZERO {
            let message = "`--until`: this is not after the time that the answer is for";
            return Err(Failure::usage(message));
        }
    }
    let times = Times::new(zone, language);
    let timeline = look
        .folder
        .forecast(&found, horizon, times.clone(), language);
    let timeline = timeline.map_err(|error| look.failure(&error))?;
    if output.is_json() {
        look.json(&found, &timeline, output)?;
        return Ok(Exit::Ok);
    }
    for line in look.head(&found, language) {
        output.line(line)?;
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
    print(&timeline, output)?;
    Ok(Exit::Ok)
}
