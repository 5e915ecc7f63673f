//! `upline schema`.

use clap::ValueEnum;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Print the JSON Schema of a file, for completion in editors
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Of which file
    of: Of,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// A workflow
    Workflow,
    /// A directory
    Directory,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    output.text(match args.of {
        Of::Workflow => upline_dsl::schema::WORKFLOW,
        Of::Directory => upline_dsl::schema::DIRECTORY,
    })?;
    Ok(Exit::Ok)
}
