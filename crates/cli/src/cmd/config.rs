//! `upline config`.

use upline_daemon::settings::Settings;

use super::serve::{self, GivenArgs};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Look at the settings of `upline serve`
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Show(Box<ShowArgs>),
}

/// Print the settings that were given, and where each came from
///
/// They are read as `upline serve` reads them, from the file, the environment and the options. Of secrets it
/// is only said where they are kept.
#[derive(clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    given: GivenArgs,
    /// All that hold, the defaults too
    #[arg(long)]
    effective: bool,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let Command::Show(show) = &args.command;
    let settings = serve::settings(&show.given)?;
    print(&settings, show.effective, output)?;
    Ok(Exit::Ok)
}

/// Each setting with its value and where that came from; without the defaults, if only what was given is
/// wanted.
pub(super) fn print(
    settings: &Settings,
    effective: bool,
    output: &mut Output,
) -> Result<(), Failure> {
    let rows = settings.rows().into_iter();
    let rows = rows.filter(|(.., source)| effective || source != "default");
    for unknown in settings.unknown_variables() {
        output.note(format!("warning: `{unknown}` is no setting"));
    }
    if output.is_json() {
        let of = |(setting, value, source): (String, String, String)| {
            let (setting, value, source) = (setting.as_str(), value.as_str(), source.as_str());
            serde_json::json!({ "setting": setting, "value": value, "source": source })
        };
        let all: Vec<serde_json::Value> = rows.map(of).collect();
        output.json(&all)?;
        return Ok(());
    }
    let rows = rows.map(|(setting, value, source)| vec![setting, value, source]);
    output.table(&["setting", "value", "from"], rows, &[])?;
    Ok(())
}
