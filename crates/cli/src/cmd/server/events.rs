//! `upline events`.

use std::io::{BufRead as _, BufReader, Read};

use clap::Subcommand;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use upline_lab::render::Language;

use super::At;
use super::client::{Client, part};
use crate::exit::{Exit, Failure};
use crate::language::{Lang, pick};
use crate::moment::Moment;
use crate::output::Output;

/// Follow what happens to all tickets of a running service
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    at: At,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Print events, and go on until it is interrupted
    ///
    /// With --json each is a line. Cut off, it goes on where it was.
    Tail(Tail),
}

#[derive(clap::Args)]
struct Tail {
    /// Only these types: `ticket.*`, `ticket.escalated.v1,notification.failed.v1`
    #[arg(long = "type", value_name = "TYPES")]
    kind: Option<String>,
    /// Begin in the past: `1h`, `30 min`, or a time
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Begin behind this event, as its id says; 0: with the oldest
    #[arg(long, value_name = "ID")]
    after: Option<String>,
    /// Only those of this ticket
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// End with what has happened until now
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    lang: Lang,
}

pub(crate) fn run(args: &Args, output: &mut Output) -> Result<Exit, Failure> {
    let What::Tail(tail) = &args.what;
    let client = Client::new(&args.at)?;
    let mut query: Vec<String> = Vec::new();
    let mut add = |name: &str, value: Option<&str>| {
        query.extend(value.map(|value| format!("{name}={}", part(value))));
    };
    let since = tail.since.as_deref().map(instant).transpose()?;
    add("type", tail.kind.as_deref());
    add("ticket", tail.ticket.as_deref());
    add("since", since.map(|since| since.to_string()).as_deref());
    let query = query.join("&");
    let mut see = |event: &Value| print(event, tail.lang.get(), output);
    match tail.once {
        true => pages(&client, &query, tail.after.as_deref(), &mut see)?,
        false => follow(&client, &query, tail.after.clone(), &mut see)?,
    }
    Ok(Exit::Ok)
}

/// `1h`, or a time.
fn instant(text: &str) -> Result<Timestamp, Failure> {
    if let Ok(span) = text.parse::<SignedDuration>() {
        let back = Timestamp::now().checked_sub(span.abs());
        return back.map_err(|_| Failure::usage("`--since`: this is too long ago"));
    }
    Moment::read("--since", text)?.in_zone(&TimeZone::system())
}

/// What is done with an event; `false` ends it.
type See<'a> = dyn FnMut(&Value) -> Result<bool, Failure> + 'a;

/// What has happened until now.
fn pages(
    client: &Client,
    query: &str,
    after: Option<&str>,
    see: &mut See<'_>,
) -> Result<(), Failure> {
    let mut after = after.unwrap_or("0").to_owned();
    loop {
        let page = client
            .get(&format!(
                "/v1/events?limit=200&after={}&{query}",
                part(&after)
            ))?
            .body;
        for event in page["events"].as_array().into_iter().flatten() {
            see(event)?;
        }
        page["next"]
            .as_str()
            .unwrap_or_default()
            .clone_into(&mut after);
        if page["more"] != true {
            return Ok(());
        }
    }
}

/// Goes on until `see` has enough. A stream that is cut off is begun again where it was.
pub(super) fn follow(
    client: &Client,
    query: &str,
    mut after: Option<String>,
    see: &mut See<'_>,
) -> Result<(), Failure> {
    loop {
        let stream = client.stream(&format!("/v1/events?{query}"), after.as_deref())?;
        if !read(stream, &mut after, see)? {
            return Ok(());
        }
    }
}

/// Reads a stream to its end; says whether more is wanted.
fn read(stream: impl Read, after: &mut Option<String>, see: &mut See<'_>) -> Result<bool, Failure> {
    let mut lines = BufReader::new(stream).lines();
    // A stream that breaks is one that ends.
    while let Some(Ok(line)) = lines.next() {
        if let Some(id) = line.strip_prefix("id: ") {
            *after = Some(id.to_owned());
        }
        let data = line.strip_prefix("data: ");
        let event: Option<Value> = data.and_then(|data| serde_json::from_str(data).ok());
        if let Some(event) = event
            && !see(&event)?
        {
            return Ok(false);
        }
    }
    Ok(true)
}

/// A line for an event. Each is seen at once.
pub(super) fn print(
    event: &Value,
    language: Language,
    output: &mut Output,
) -> Result<bool, Failure> {
    match output.is_json() {
        true => output.line(event)?,
        false => output.line(line(event, language))?,
    }
    output.flush()?;
    Ok(true)
}

/// What is told of an event, and its name in Chinese. The types stay: `--type` takes them.
const TOLD: [(&str, &str); 8] = [
    ("state", "状态"),
    ("answerable", "负责人"),
    ("action", "操作"),
    ("text", "内容"),
    ("promise", "承诺"),
    ("outcome", "结果"),
    ("detail", "详情"),
    ("why", "原因"),
];

fn line(event: &Value, language: Language) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let time = text(&event["time"]).parse::<Timestamp>();
    let time = time.map(|time| {
        time.to_zoned(TimeZone::system())
            .strftime("%m-%d %H:%M:%S")
            .to_string()
    });
    let kind = text(&event["type"]);
    let kind = kind.trim_start_matches("upline.").trim_end_matches(".v1");
    let data = &event["data"];
    let mut said: Vec<String> = Vec::new();
    for (name, chinese) in TOLD {
        if let Some(value) = data[name].as_str().filter(|value| !value.is_empty()) {
            let value = value.escape_debug();
            said.push(pick(
                language,
                format!("{name}: {value}"),
                format!("{chinese}：{value}"),
            ));
        }
    }
    if let Some(by) = data["by"]["name"].as_str() {
        let by = by.escape_debug();
        said.push(pick(language, format!("by {by}"), format!("由 {by}")));
    }
    let subject = text(&event["subject"]);
    let id = text(&event["id"]);
    let said = said.join(pick(language, ", ", "，"));
    let time = time.unwrap_or_default();
    format!("{time}  {id:<9} {subject:<9} {kind:<24} {said}")
        .trim_end()
        .to_owned()
}
