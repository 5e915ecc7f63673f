//! `upline demo`.

use std::io;
use std::time::Duration;

use upline_daemon::demo::{Demo, DemoError, MAX_SPEED, MIN_SPEED, Options};
use upline_daemon::tell;
use upline_lab::render::Language;

use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Run the daemon with the shipped workflows, people, tickets that come by themselves, and faster time
///
/// Mail goes to a page that is printed. Nothing is left behind. `upline tour` shows one ticket, without a
/// daemon.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many times faster time runs
    #[arg(long, default_value_t = 60.0, value_name = "FACTOR")]
    speed: f64,
    /// End by itself after so many seconds
    #[arg(long, value_name = "NUMBER")]
    seconds: Option<u32>,
    /// The port of the API and of links; 0 is any that is free
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    port: u16,
    /// The port of the page with the mail; 0 is any that is free
    #[arg(long, default_value_t = 0, value_name = "PORT")]
    mail_port: u16,
    /// The language of what is told: en, zh
    #[arg(long, default_value = "en", value_name = "TAG")]
    lang: Language,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    if !(MIN_SPEED..=MAX_SPEED).contains(&args.speed) {
        return Err(Failure::usage(format!(
            "`--speed` must be {MIN_SPEED} to {MAX_SPEED}"
        )));
    }
    if output.is_json() {
        return Err(
            Failure::usage("a demo tells people what happens, and has no `--json`")
                .help("its API answers in JSON: it prints where"),
        );
    }
    let options = Options {
        speed: args.speed,
        language: match args.lang {
            Language::English => tell::Language::En,
            Language::Chinese => tell::Language::Zh,
        },
        port: args.port,
        mail_port: args.mail_port,
    };
    let limit = args
        .seconds
        .map(|seconds| Duration::from_secs(seconds.into()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::not_found(format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let demo = Demo::start(&options).await?;
        demo.run(limit, |line| told(output, line)).await
    });
    match ended {
        Ok(()) => Ok(Exit::Ok),
        // Whoever read it has seen enough.
        Err(DemoError::Io { error, .. }) if error.kind() == io::ErrorKind::BrokenPipe => {
            Ok(Exit::Ok)
        }
        Err(error) => Err(Failure::not_found(error.to_string())),
    }
}

/// A line counts when it is seen.
fn told(output: &mut Output, line: &str) -> io::Result<()> {
    output.line(line)?;
    output.flush()
}
