//! `upline password`, and how passwords are asked for.

use std::io::{self, IsTerminal as _, Read as _};

use clap::ValueEnum;
use upline_daemon::limits::MAX_PASSWORD_BYTES;
use upline_daemon::passwords::HashedPassword;
use upline_daemon::tokens::Tokens;

use super::serve::Role;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Make a login with a password for `upline serve`
///
/// Asks for the password, twice; or takes the first line of what is piped in. Prints what to add to the file
/// of tokens: only a hash of it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// By which name he logs in, and what the journal calls it
    name: String,
    /// What he may do
    #[arg(long, value_enum)]
    role: Role,
    /// The person of the directory that he is; lead and agent need one
    #[arg(long, value_name = "ID")]
    person: Option<String>,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    if args.role == Role::Integration {
        let message = "another system has no password";
        return Err(Failure::usage(message).help("`upline token` makes it a token"));
    }
    let password = ask("the password: ")?;
    if io::stdin().is_terminal() && ask("once more: ")? != password {
        return Err(Failure::usage("the two are not the same; nothing was made"));
    }
    let hashed = HashedPassword::of(&password);
    let hashed = hashed.map_err(|error| Failure::usage(error.to_string()))?;
    let role = args.role.to_possible_value();
    let role = role.as_ref().map_or("", |role| role.get_name());
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let person = args.person.as_deref();
    let person = person.map(|person| format!("person = {}\n", quoted(person)));
    let entry = format!(
        "[[login]]\nname = {}\npassword = \"{}\"\nrole = \"{role}\"\n{}",
        quoted(&args.name),
        hashed.as_str(),
        person.unwrap_or_default(),
    );
    // What would not be read later is refused now.
    Tokens::read(&entry).map_err(|error| Failure::usage(error.to_string()))?;
    match output.is_json() {
        true => output.json(&serde_json::json!({ "entry": entry }))?,
        false => output.text(&entry)?,
    }
    Ok(Exit::Ok)
}

/// A password: from the terminal, where it is not shown; else the first line of what is piped in.
pub(crate) fn ask(prompt: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::usage(format!("the password can't be read: {error}"));
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map_err(failed);
    }
    // As much as the longest has, and a line's end: what is longer is refused for its length.
    let most = MAX_PASSWORD_BYTES as u64 + 3;
    let mut bytes = Vec::new();
    io::stdin()
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    let text = String::from_utf8(bytes);
    let text = text.map_err(|_| Failure::usage("the password is no text in UTF-8"))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
