//! `upline explain`.

use std::path::Path;

use serde::Serialize;
use upline::doctor::in_language;
use upline_dsl::{Code, did_you_mean, explain, shown};
use upline_lab::render::Times;

use super::look::{Look, When};
use crate::exit::{Exit, Failure};
use crate::language::pick;
use crate::output::Output;

/// A mistake has no folder: one word is a code, two are a ticket.
const USAGE: &str = "\
upline explain [OPTIONS] CODE
       upline explain [OPTIONS] FOLDER TICKET";

/// Explain a mistake, or a ticket of a data folder
///
/// A mistake: what it means, an example, and the way out. A ticket: who is answerable now, since when and
/// why, why not the others, and what each clock has counted.
#[derive(clap::Args)]
#[command(override_usage = USAGE)]
pub(crate) struct Args {
    /// The code of a mistake, such as `unknown-state`; `list` shows all
    #[arg(value_name = "CODE")]
    what: String,
    /// The ticket; the first word is its data folder then, which no engine has open, or a backup
    ticket: Option<String>,
    #[command(flatten)]
    when: When,
}

#[derive(Serialize)]
struct Entry {
    code: &'static str,
    severity: &'static str,
    page: &'static str,
}

impl From<Code> for Entry {
    fn from(code: Code) -> Self {
        Self {
            code: code.as_str(),
            severity: code.severity().as_str(),
            page: explain(code),
        }
    }
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    match &args.ticket {
        Some(ticket) => of_folder(args, ticket, output),
        None => mistake(args, output),
    }
}

fn of_folder(args: &Args, ticket: &str, output: &mut Output) -> Result<Exit, Failure> {
    let mut look = Look::into(Path::new(&args.what), args.when.language())?;
    let found = look.find(ticket, &args.when)?;
    let explanation = look.folder.explain(&found);
    let mut explanation = explanation.map_err(|error| look.failure(&error))?;
    let language = args.when.language();
    let times = Times::new(look.zone(&found.ticket), language);
    if output.is_json() {
        explanation.reasons_in(&times, language);
        explanation.set_aside = explanation.set_aside.map(|why| in_language(&why, language));
        look.json(&explanation, output)?;
        return Ok(Exit::Ok);
    }
    output.line(look.head(&found, language))?;
    for line in explanation.lines(&times, language) {
        output.line(line)?;
    }
    if explanation.set_aside.is_some() {
        output.line(pick(
            language,
            format!(
                "now: see to what is wrong, and let it go on with `upline ticket put-back {ticket}`"
            ),
            format!("现在：解决问题，再用 `upline ticket put-back {ticket}` 让它继续"),
        ))?;
    }
    Ok(Exit::Ok)
}

fn mistake(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    if args.when.is_said() {
        let message = "`--at` and `--lang` are for a ticket of a data folder";
        let help = "`upline explain FOLDER TICKET`";
        return Err(Failure::usage(message).help(help));
    }
    if args.what.eq_ignore_ascii_case("list") {
        let entries: Vec<Entry> = Code::ALL.iter().copied().map(Entry::from).collect();
        if output.is_json() {
            output.json(&entries)?;
        } else {
            for entry in entries {
                output.line(format_args!("{:<8} {}", entry.severity, entry.code))?;
            }
        }
        return Ok(Exit::Ok);
    }
    let words = args.what.to_ascii_lowercase();
    let Some(code) = Code::from_words(&words) else {
        if Path::new(&args.what).is_dir() {
            let message = format!("`{}` is a folder", shown(Path::new(&args.what)));
            let help = "name a ticket in it too: `upline explain FOLDER TICKET`";
            return Err(Failure::usage(message).help(help));
        }
        let failure = Failure::not_found(format!("there is no mistake called `{}`", args.what));
        let near = did_you_mean(&words, Code::ALL.iter().map(|code| code.as_str()));
        return Err(match near {
            Some(near) => failure.help(format!(
                "did you mean `{near}`? `upline explain list` shows all"
            )),
            None => failure.help("`upline explain list` shows all"),
        });
    };
    if output.is_json() {
        output.json(&Entry::from(code))?;
    } else {
        output.text(explain(code))?;
    }
    Ok(Exit::Ok)
}
