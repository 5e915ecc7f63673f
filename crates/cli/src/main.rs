//! The `upline` binary: reads the command line and files, calls the libraries, prints what they say.

mod bar;
mod cmd;
mod exit;
mod files;
mod language;
mod moment;
mod output;
mod sets;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use exit::{Exit, Failure};
use output::{Colour, Output};

/// Half of the engine's time was spent in the system's; see `docs/benchmarks.md`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

// A paragraph is one line here: clap breaks lines where the terminal ends, and so a second time.
const EXIT_CODES: &str = "\
Exit codes:
  0  done, nothing found wrong
  1  mistakes were found, or a test failed
  2  the command line is wrong
  3  what was named doesn't exist or can't be read
  4  somebody else was first, or it is not possible now
  5  the token has no right to it
  6  the service can't be reached

What was asked for goes to stdout, everything else to stderr. \
With --json, a command that can't do its work says why on stdout too.";

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
    Tour(cmd::tour::Args),
    Check(cmd::check::Args),
    Test(cmd::test::Args),
    Simulate(cmd::simulate::Args),
    Replay(cmd::replay::Args),
    Explain(cmd::explain::Args),
    Forecast(cmd::forecast::Args),
    Migrate(cmd::migrate::Args),
    Graph(cmd::graph::Args),
    Schema(cmd::schema::Args),
    Backup(cmd::backup::BackupArgs),
    Restore(cmd::backup::RestoreArgs),
    Verify(cmd::verify::Args),
    Doctor(cmd::doctor::Args),
    Serve(cmd::serve::ServeArgs),
    Config(cmd::config::Args),
    Token(cmd::serve::TokenArgs),
    Password(cmd::password::Args),
    Login(cmd::server::login::LoginArgs),
    Logout(cmd::server::login::LogoutArgs),
    Notify(cmd::notify::Args),
    Oncall(cmd::oncall::Args),
    Ticket(cmd::server::ticket::Args),
    Events(cmd::server::events::Args),
    Status(cmd::server::status::Args),
    Completions(cmd::completions::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // A program that asked for JSON gets it even for a call that can't be understood.
        Err(error) if error.use_stderr() && std::env::args_os().any(|word| word == "--json") => {
            let mut output = Output::new(true, Colour::Auto);
            let _ = error.print();
            return fail_in_json(&Failure::from(error), &mut output);
        }
        Err(error) => error.exit(),
    };
    let mut output = Output::new(cli.json, cli.color);
    let result = run(cli.command, &mut output);
    // What is still buffered must get out before the exit code says that all went well.
    let result = result.and_then(|exit| Ok(output.flush().map(|()| exit)?));
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => fail(&failure, &mut output),
    }
}

fn run(command: Command, output: &mut Output) -> Result<Exit, Failure> {
    match command {
        Command::Check(args) => cmd::check::run(&args, output),
        Command::Test(args) => cmd::test::run(&args, output),
        Command::Demo(args) => cmd::demo::run(&args, output),
        Command::Tour(args) => cmd::tour::run(&args, output),
        Command::Simulate(args) => cmd::simulate::run(&args, output),
        Command::Replay(args) => cmd::replay::run(&args, output),
        Command::Graph(args) => cmd::graph::run(&args, output),
        Command::Schema(args) => cmd::schema::run(&args, output),
        Command::Explain(args) => cmd::explain::run(&args, output),
        Command::Forecast(args) => cmd::forecast::run(&args, output),
        Command::Migrate(args) => cmd::migrate::run(&args, output),
        Command::Backup(args) => cmd::backup::run_backup(&args, output),
        Command::Restore(args) => cmd::backup::run_restore(&args, output),
        Command::Verify(args) => cmd::verify::run(&args, output),
        Command::Doctor(args) => cmd::doctor::run(&args, output),
        Command::Serve(args) => cmd::serve::run(&args, output),
        Command::Config(args) => cmd::config::run(&args, output),
        Command::Notify(args) => cmd::notify::run(&args, output),
        Command::Token(args) => cmd::serve::run_token(&args, output),
        Command::Password(args) => cmd::password::run(&args, output),
        Command::Login(args) => cmd::server::login::run_login(&args, output),
        Command::Logout(args) => cmd::server::login::run_logout(&args, output),
        Command::Oncall(args) => cmd::oncall::run(&args, output),
        Command::Ticket(args) => cmd::server::ticket::run(&args, output),
        Command::Events(args) => cmd::server::events::run(&args, output),
        Command::Status(args) => cmd::server::status::run(&args, output),
        Command::Completions(args) => cmd::completions::run(&args, output),
    }
}

/// Says why a command could not do its work. If both streams are closed, the exit code is all that can be
/// said.
fn fail(failure: &Failure, output: &mut Output) -> ExitCode {
    if failure.exit == Exit::Ok {
        return failure.exit.into();
    }
    if output.is_json() {
        output.note(failure);
        return fail_in_json(failure, output);
    }
    output.note(failure.text(output.colour_of_notes()));
    failure.exit.into()
}

fn fail_in_json(failure: &Failure, output: &mut Output) -> ExitCode {
    let _ = output.json(&failure.report()).and_then(|()| output.flush());
    failure.exit.into()
}
