//! The `upline` binary: reads the command line and files, calls the libraries, prints what they say.

mod cmd;
mod exit;
mod files;
mod output;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::Exit;
use output::{Colour, Output};

const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing found wrong
  1  mistakes were found, or a test failed
  2  the command line is wrong
  3  what was named doesn't exist or can't be read

What was asked for goes to stdout, everything else to stderr.";

/// Escalation workflows: who must act, how long they have, and who is next.
#[derive(Parser)]
#[command(name = "upline", version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    /// Print JSON, for programs
    #[arg(long, global = true)]
    json: bool,
    /// Colour the output; by itself on a terminal, unless NO_COLOR is set
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Demo(cmd::demo::Args),
    Check(cmd::check::Args),
    Test(cmd::test::Args),
    Simulate(cmd::simulate::Args),
    Replay(cmd::replay::Args),
    Explain(cmd::explain::Args),
    Graph(cmd::graph::Args),
    Schema(cmd::schema::Args),
    Completions(cmd::completions::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut output = Output::new(cli.json, cli.color);
    let result = match cli.command {
        Command::Check(args) => cmd::check::run(&args, &mut output),
        Command::Test(args) => cmd::test::run(&args, &mut output),
        Command::Demo(args) => cmd::demo::run(&args, &mut output),
        Command::Simulate(args) => cmd::simulate::run(&args, &mut output),
        Command::Replay(args) => cmd::replay::run(&args, &mut output),
        Command::Graph(args) => cmd::graph::run(&args, &mut output),
        Command::Schema(args) => cmd::schema::run(&args, &mut output),
        Command::Explain(args) => cmd::explain::run(&args, &mut output),
        Command::Completions(args) => cmd::completions::run(&args, &mut output),
    };
    // What is still buffered must get out before the exit code says that all went well.
    let result = result.and_then(|exit| Ok(output.flush().map(|()| exit)?));
    let exit = result.unwrap_or_else(|failure| {
        // If stderr is closed too, the exit code is all that can be said.
        if failure.exit != Exit::Ok {
            let _ = writeln!(std::io::stderr(), "{failure}");
        }
        failure.exit
    });
    exit.into()
}
