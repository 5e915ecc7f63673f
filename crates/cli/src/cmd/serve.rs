//! `upline serve` and `upline token`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use upline_daemon::settings::{Given, SETTINGS, Settings};
use upline_daemon::tokens::{Tokens, hash, new_secret};
use upline_daemon::{Daemon, Signals, Start, StartError, start_log, use_small_pages};
use upline_dsl::shown;

use super::config;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// The variable of the environment that names the file of settings.
const CONFIG: &str = "UPLINE_CONFIG";

/// What can be given of the settings on the command line.
#[derive(clap::Args)]
pub(crate) struct GivenArgs {
    /// The file of settings, in TOML; or UPLINE_CONFIG
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The folder in which tickets are kept
    #[arg(long, value_name = "FOLDER")]
    data: Option<String>,
    /// The folder of workflow files, with the directory
    #[arg(long, value_name = "FOLDER")]
    workflows: Option<String>,
    /// The address to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The file of API tokens; without one nobody gets in
    #[arg(long, value_name = "FILE")]
    tokens: Option<String>,
    /// A proxy with TLS is in front: others than this machine may reach it
    #[arg(long)]
    behind_proxy: bool,
    /// How much is logged: error, warn, info, debug, trace, off [default: info]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Where people reach it: what links in messages begin with
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// For how many days what has ended is kept, 7 at least [default: for ever]
    #[arg(long, value_name = "DAYS")]
    keep_history: Option<String>,
}

/// Run an engine on a data folder, behind an HTTP API
///
/// Settings come from a file, over it from the environment (UPLINE_DATA, UPLINE_LISTEN, …), over that from
/// the options. How people are told is in the file alone, in its section `[mail]`; without it, messages are
/// only written into the log.
#[derive(clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    given: GivenArgs,
    /// Print each setting and where it came from, and end: `upline config show --effective`
    #[arg(long)]
    settings: bool,
}

/// What a token or a login may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything, and deploying files
    Admin,
    /// A person who sees every ticket
    Lead,
    /// A person who sees what has to do with him
    Agent,
    /// Sees every ticket, does nothing
    Reader,
    /// Another system, which opens tickets
    Integration,
}

/// Make an API token for `upline serve`
///
/// Prints the secret, which is kept nowhere, and what to add to the file of tokens: only a hash of it.
#[derive(clap::Args)]
pub(crate) struct TokenArgs {
    /// What the journal calls it: whose it is, and where it is used
    name: String,
    /// What it may do
    #[arg(long, value_enum)]
    role: Role,
    /// The person of the directory that it stands for; lead and agent need one
    #[arg(long, value_name = "ID")]
    person: Option<String>,
}

pub(crate) fn run(args: &ServeArgs, output: &mut Output) -> Result<Exit, Failure> {
    let settings = settings(&args.given)?;
    if args.settings {
        config::print(&settings, true, output)?;
        return Ok(Exit::Ok);
    }
    let tokens = match &settings.tokens.value {
        Some(path) => Tokens::read(&text(path)?).map_err(|error| {
            Failure::usage(format!("`{}`: {error}", shown(path)))
                .help("`upline token NAME --role ROLE` prints what belongs into it")
        })?,
        None => Tokens::default(),
    };
    use_small_pages();
    start_log(settings.log.value);
    settings.warn_of_open_secrets();
    settings.warn_of_unknown_variables();
    let start = settings.start(tokens);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| Failure::not_found(format!("cannot start: {error}")))?;
    if !runtime.block_on(serve(start))? {
        // What had begun is not waited for: it may be a folder that is read for minutes.
        runtime.shutdown_background();
    }
    Ok(Exit::Ok)
}

/// Serves until it is told to stop; whether it had started before that.
async fn serve(start: Start) -> Result<bool, Failure> {
    let failed = |error: upline::Error| Failure::findings(error.to_string());
    let mut signals = Signals::listen().map_err(failed)?;
    let daemon = tokio::select! {
        started = Daemon::start(start) => started.map_err(failure)?,
        () = signals.stop() => return Ok(false),
    };
    daemon.run(signals).await.map_err(failed)?;
    Ok(true)
}

/// What was given besides flags: the file, and the environment.
pub(crate) fn given_besides(config: Option<&Path>) -> Result<Given, Failure> {
    let mut given = Given::default();
    let named = config.map(Path::to_owned);
    let named = named.or_else(|| std::env::var_os(CONFIG).map(PathBuf::from));
    if let Some(path) = named {
        let text = text(&path)?;
        given = given.text(path, text);
    }
    for (name, value) in std::env::vars_os() {
        if let (Some(name), Some(value)) = (name.to_str(), value.to_str())
            && name.starts_with("UPLINE_")
        {
            given = given.environment(name, value);
        }
    }
    Ok(given)
}

/// The settings, from all that was given.
pub(super) fn settings(args: &GivenArgs) -> Result<Settings, Failure> {
    let settings = Settings::read(&given(args)?);
    settings.map_err(|faults| Failure::usages(faults.into_iter().map(|fault| (fault, None))))
}

/// All that was given, from everywhere.
fn given(args: &GivenArgs) -> Result<Given, Failure> {
    let mut given = given_besides(args.config.as_deref())?;
    let proxy = args.behind_proxy.then(|| "true".to_owned());
    let flags = [
        &args.data,
        &args.workflows,
        &args.listen,
        &args.tokens,
        &proxy,
        &args.log,
        &args.public_url,
        &args.keep_history,
    ];
    for ((name, _), value) in SETTINGS.iter().zip(flags) {
        if let Some(value) = value {
            given = given.flag(name, value);
        }
    }
    Ok(given)
}

fn text(path: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(path);
    text.map_err(|error| Failure::not_found(format!("cannot read `{}`: {error}", shown(path))))
}

/// Why a daemon did not start, as the failure of a command.
fn failure(error: StartError) -> Failure {
    let message = error.to_string();
    match error {
        StartError::Files(checked) => {
            Failure::findings(message).found(checked.sources, checked.diagnostics)
        }
        StartError::NoTokens { .. } => Failure::usage(message)
            .help("name a file with `--tokens`, or listen on 127.0.0.1 alone"),
        StartError::NoTls { .. } => Failure::usage(message)
            .help("put a proxy with TLS in front and say `--behind-proxy`, or listen on 127.0.0.1"),
        StartError::NoDirectory => {
            Failure::findings(message).help("add a file that begins with `directory: NAME`")
        }
        StartError::Refused(_) => Failure::findings(message),
        StartError::Sections(_) => Failure::usage(message),
        _ => Failure::not_found(message),
    }
}

pub(crate) fn run_token(args: &TokenArgs, output: &mut Output) -> Result<Exit, Failure> {
    let role = args.role.to_possible_value();
    let role = role.as_ref().map_or("", |role| role.get_name()).to_owned();
    let secret = new_secret();
    let secret = secret.map_err(|error| Failure::not_found(format!("no random bytes: {error}")))?;
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let person = args.person.as_deref();
    let person = person
        .map(|person| format!("person = {}\n", quoted(person)))
        .unwrap_or_default();
    let entry = format!(
        "[[token]]\nname = {}\nhash = \"{}\"\nrole = \"{role}\"\n{person}",
        quoted(&args.name),
        hash(&secret),
    );
    // What would not be read later is refused now.
    Tokens::read(&entry).map_err(|error| Failure::usage(error.to_string()))?;
    if output.is_json() {
        output.json(&serde_json::json!({ "secret": secret, "entry": entry }))?;
    } else {
        output.text(&entry)?;
        output.flush()?;
        output.note(format!("the secret, which is shown only now: {secret}"));
    }
    Ok(Exit::Ok)
}
