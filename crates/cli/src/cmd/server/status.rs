//! `upline status`.

use serde_json::{Value, json};

use super::At;
use super::client::Client;
use crate::exit::{Exit, Failure};
use crate::language::Lang;
use crate::output::Output;

/// Say how a running service is
///
/// Code 1: it runs, and does not do its work.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    lang: Lang,
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
    let (lang, server) = (&args.lang, client.server());
    output.line(lang.pick(
        format!("upline {version} at {server}"),
        format!("upline {version}，位于 {server}"),
    ))?;
    output.line(match is_ready {
        true => lang.pick("it does its work", "工作正常"),
        false => lang.pick("it does not do its work", "无法工作"),
    })?;
    for (kind, list) in [
        (lang.pick("trouble", "故障"), &ready["reasons"]),
        (lang.pick("warning", "警告"), &ready["warnings"]),
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
