//! `upline status`.

use serde_json::{Value, json};

use super::At;
use super::client::Client;
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// Say how a running service is
///
/// Code 1: it runs, and does not do its work.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let client = Client::new(&args.at)?;
    let version = client.get("/version")?.body;
    let ready = client.ready()?;
    let is_ready = ready["ready"] == true;
    let exit = match is_ready {
        true => Exit::Ok,
        false => Exit::Findings,
    };
    if output.is_json() {
        output.json(&json!({
            "version": version["version"],
            "ready": ready["ready"],
            "reasons": ready["reasons"],
            "warnings": ready["warnings"],
        }))?;
        return Ok(exit);
    }
    let version = version["version"].as_str().unwrap_or("?");
    output.line(format_args!("upline {version} at {}", client.server()))?;
    output.line(match is_ready {
        true => "it does its work",
        false => "it does not do its work",
    })?;
    for (kind, list) in [
        ("trouble", &ready["reasons"]),
        ("warning", &ready["warnings"]),
    ] {
        for one in list.as_array().into_iter().flatten() {
            let (code, detail) = (text(&one["code"]), text(&one["detail"]));
            output.line(format_args!("{kind} [{code}]: {detail}"))?;
        }
    }
    Ok(exit)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
