//! `upline login` and `upline logout`.

use serde_json::json;

use super::At;
use super::client::Client;
use crate::cmd::password;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Log in to a running service with a password
///
/// Prints a token, which ends after 12 hours, or when the service is started anew:
/// `export UPLINE_TOKEN=$(upline login ann)`.
#[derive(clap::Args)]
pub(crate) struct LoginArgs {
    /// The name of the login
    name: String,
    #[command(flatten)]
    at: At,
}

/// End the token that a login has given
#[derive(clap::Args)]
pub(crate) struct LogoutArgs {
    #[command(flatten)]
    at: At,
}

pub(crate) fn run_login(args: &LoginArgs, output: &mut Output) -> Result<Exit, Failure> {
    let client = Client::new(&args.at)?;
    let password = password::ask("the password: ")?;
    let given = json!({ "name": args.name, "password": password });
    let answer = client.post("/v1/login", &[], &given)?.body;
    if output.is_json() {
        output.json(&answer)?;
        return Ok(Exit::Ok);
    }
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    output.line(text("token"))?;
    output.flush()?;
    output.note(format!(
        "it ends at {}, or by `upline logout`",
        text("ends")
    ));
    Ok(Exit::Ok)
}

pub(crate) fn run_logout(args: &LogoutArgs, output: &mut Output) -> Result<Exit, Failure> {
    Client::new(&args.at)?.post("/v1/logout", &[], &json!({}))?;
    match output.is_json() {
        true => output.json(&json!({ "ended": true }))?,
        false => output.note("the token has ended"),
    }
    Ok(Exit::Ok)
}
