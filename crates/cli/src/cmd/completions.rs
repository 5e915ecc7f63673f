//! `upline completions`.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print the completion script of a shell
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which shell
    shell: Shell,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(
        args.shell,
        &mut crate::Cli::command(),
        "upline",
        &mut script,
    );
    output.text(String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}
