//! `upline explain`.

use serde::Serialize;
use upline_dsl::{Code, did_you_mean, explain};

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Explain a mistake: what it means, an example, and the way out
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The code, such as `unknown-state`; `list` shows all
    code: String,
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
    if args.code.eq_ignore_ascii_case("list") {
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
    let words = args.code.to_ascii_lowercase();
    let Some(code) = Code::from_words(&words) else {
        let failure = Failure::not_found(format!("there is no mistake called `{}`", args.code));
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
