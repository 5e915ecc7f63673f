//! Letters and tests of a running service.

use clap::ValueEnum as _;
use serde_json::{Value, json};

use super::{PreviewArgs, Report, TestArgs, language, print};
use crate::cmd::server::client::{Client, part};
use crate::exit::{Exit, Failure};
use crate::output::Output;

/// What somebody would get of a ticket as it is now.
pub(super) fn preview(
    args: &PreviewArgs,
    ticket: &str,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let topic = args.topic.to_possible_value();
    let topic = topic.as_ref().map_or("", |topic| topic.get_name());
    let mut path = format!("/v1/tickets/{}/preview?topic={topic}", part(ticket));
    if let Some(person) = &args.person {
        path.push_str(&format!("&person={}", part(person)));
    }
    if let Some(tag) = &args.lang {
        path.push_str(&format!("&lang={}", language(tag)?.tag()));
    }
    let letter = Client::new(&args.at)?.get(&path)?.body;
    let text = |name: &str| letter[name].as_str().unwrap_or_default();
    let report = Report {
        language: text("language"),
        subject: text("subject"),
        brief: text("brief"),
        text: text("text"),
        html: letter["html"].as_str(),
    };
    print(&report, args.html, output)?;
    Ok(Exit::Ok)
}

/// The service sends, and says what became of each.
pub(super) fn test(args: &TestArgs, output: &mut Output) -> Result<Exit, Failure> {
    let (person, via) = match (args.person.as_str(), &args.via) {
        (webhook, None) if webhook.starts_with("webhook:") => (None, Some(webhook)),
        (person, via) => (Some(person), via.as_deref()),
    };
    let mut body = json!({ "person": person, "via": via });
    if let Some(members) = body.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    let client = Client::new(&args.at)?;
    let answer = client.post("/v1/notify-tests", &[], &body)?.body;
    let results = answer["results"].as_array().cloned().unwrap_or_default();
    let exit = match results.iter().all(|one| one["state"] == "delivered") {
        true => Exit::Ok,
        false => Exit::Findings,
    };
    if output.is_json() {
        output.json(&answer)?;
        return Ok(exit);
    }
    let lang = &args.lang;
    let rows = results.iter().map(|one| {
        let text = |name: &str| one[name].as_str().unwrap_or_default();
        let state = match &one["state"] {
            Value::String(state) if state == "delivered" => lang.pick("delivered", "已送达"),
            _ => lang.pick("failed", "失败"),
        };
        let said = [text("to"), text("why")].concat();
        vec![
            text("via").escape_debug().to_string(),
            state.to_owned(),
            said.escape_debug().to_string(),
        ]
    });
    let head = lang.pick(
        ["via", "state", "to, or why"],
        ["渠道", "状态", "送达处或原因"],
    );
    output.table(&head, rows, &[])?;
    Ok(exit)
}
