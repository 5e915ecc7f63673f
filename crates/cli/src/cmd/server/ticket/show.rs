//! How tickets look on a terminal.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::exit::Failure;
use crate::output::Output;

/// A text of an answer; empty if there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// So many seconds, in the two largest units.
pub(super) fn span(seconds: i64) -> String {
    let sign = if seconds < 0 { "−" } else { "" };
    let of = seconds.unsigned_abs();
    let (days, hours, minutes, rest) = (of / 86_400, of / 3600 % 24, of / 60 % 60, of % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{rest} s"),
        (0, 0, _) => format!("{sign}{minutes} min {rest} s"),
        (0, _, _) => format!("{sign}{hours} h {minutes} min"),
        _ => format!("{sign}{days} d {hours} h"),
    }
}

pub(super) fn time(value: &Value) -> String {
    let time = text(value).parse::<Timestamp>();
    let local = time.map(|time| time.to_zoned(TimeZone::system()));
    local.map_or_else(
        |_| String::new(),
        |time| time.strftime("%m-%d %H:%M").to_string(),
    )
}

/// What an other one wrote, so that it can't do anything to a terminal.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text
            .escape_debug()
            .to_string()
            .replace("\\'", "'")
            .replace("\\\"", "\""),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn level(value: &Value) -> String {
    match value {
        Value::Number(number) => format!("L{number}"),
        other => match text(other) {
            "entry" => "–".to_owned(),
            word => word.to_owned(),
        },
    }
}

/// A row for each position of each ticket.
pub(super) fn table(tickets: &[Value], output: &mut Output) -> Result<(), Failure> {
    let now = Timestamp::now();
    let mut rows = Vec::new();
    for ticket in tickets {
        let first = &ticket["positions"][0];
        let due = text(&first["next-due"]).parse::<Timestamp>();
        let left = match (
            ticket["ended"].is_null(),
            first["suspended-until"].is_null(),
            due,
        ) {
            (false, _, _) => text(&ticket["ended"]["outcome"]).to_owned(),
            (_, false, _) => "paused".to_owned(),
            (_, _, Ok(due)) => span(due.duration_since(now).as_secs()),
            (_, _, Err(_)) => String::new(),
        };
        let all = |name: &str| {
            let positions = ticket["positions"].as_array().into_iter().flatten();
            let mut all: Vec<&str> = positions
                .map(|at| text(&at[name]))
                .filter(|one| !one.is_empty())
                .collect();
            all.dedup();
            all.join(", ")
        };
        rows.push(vec![
            left,
            text(&ticket["id"]).to_owned(),
            level(&first["level"]),
            all("answerable"),
            all("state"),
            text(&ticket["workflow"]).to_owned(),
            time(&ticket["opened"]),
            plain(&ticket["key"]),
        ]);
    }
    let head = [
        "left",
        "id",
        "level",
        "answerable",
        "state",
        "workflow",
        "opened",
        "key",
    ];
    Ok(output.table(&head, rows, &[0])?)
}

/// How a ticket stands, in a line for each position.
pub(super) fn standing(ticket: &Value) -> Vec<String> {
    let id = text(&ticket["id"]);
    if !ticket["ended"].is_null() {
        let (outcome, at) = (
            text(&ticket["ended"]["outcome"]),
            time(&ticket["ended"]["at"]),
        );
        return vec![format!("{id}: ended, {outcome}, {at}")];
    }
    let positions = ticket["positions"].as_array();
    let Some(positions) = positions.filter(|all| !all.is_empty()) else {
        return vec![format!("{id}: done")];
    };
    let one = |at: &Value| {
        let branch = match text(&at["branch"]) {
            "" => String::new(),
            branch => format!(" ({branch})"),
        };
        let mut line = format!("{id}{branch}: {}", text(&at["state"]));
        if let Some(who) = at["answerable"].as_str() {
            let verb = if at["taken"] == true {
                "has it"
            } else {
                "is asked"
            };
            line.push_str(&format!(", {who} {verb} since {}", time(&at["since"])));
        }
        match (at["suspended-until"].is_null(), at["next-due"].is_null()) {
            (false, _) => {
                line.push_str(&format!(", paused until {}", time(&at["suspended-until"])))
            }
            (true, false) => line.push_str(&format!(", next due {}", time(&at["next-due"]))),
            (true, true) => (),
        }
        line
    };
    positions.iter().map(one).collect()
}

/// A ticket in full.
pub(super) fn ticket(ticket: &Value) -> Vec<String> {
    let (workflow, version) = (text(&ticket["workflow"]), &ticket["version"]);
    let mut lines = standing(ticket);
    let opener = &ticket["opener"];
    lines.push(format!(
        "  {workflow} version {version}, opened {} by {} {}, revision {}",
        time(&ticket["opened"]),
        text(&opener["kind"]),
        plain(&opener["name"]),
        ticket["revision"],
    ));
    for (name, value) in ticket["fields"].as_object().into_iter().flatten() {
        lines.push(format!("  {name}: {}", plain(value)));
    }
    for promise in ticket["promises"].as_array().into_iter().flatten() {
        let breached = match promise["breached"].is_null() {
            true => String::new(),
            false => format!(", broken {}", time(&promise["breached"])),
        };
        let (name, state) = (text(&promise["promise"]), text(&promise["state"]));
        lines.push(format!("  promise {name}: {state}{breached}"));
    }
    let actions = ticket["actions"].as_array().into_iter().flatten();
    let actions: Vec<String> = actions.map(|one| text(&one["name"]).to_owned()).collect();
    if !actions.is_empty() {
        lines.push(format!("  you could: {}", actions.join(", ")));
    }
    lines
}

/// Who is asked when.
pub(super) fn forecast(answer: &Value) -> Vec<String> {
    let lines = answer["lines"].as_array().into_iter().flatten();
    let lines: Vec<String> = lines.map(|line| text(&line["text"]).to_owned()).collect();
    match lines.is_empty() {
        true => vec!["nothing happens until then".to_owned()],
        false => lines,
    }
}

/// Who has it, since when, and why.
pub(super) fn explanation(answer: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let set_aside = answer["set-aside"].as_str();
    if let Some(why) = set_aside {
        let ticket = text(&answer["ticket"]);
        lines.push(format!(
            "set aside, and no engine moves it until an operator has looked: {why}"
        ));
        lines.push(format!(
            "  now: see to what is wrong, and let it go on with `upline ticket put-back {ticket}`"
        ));
    }
    let put_back = &answer["put-back"];
    if let Some(by) = put_back["by"].as_str() {
        lines.push(format!("put back by {by}, {}", time(&put_back["at"])));
    }
    for at in answer["positions"].as_array().into_iter().flatten() {
        let (state, who) = (text(&at["state"]), text(&at["answerable"]));
        lines.push(format!(
            "{state}: {who} is answerable since {}",
            time(&at["since"])
        ));
        let place = match &at["place"] {
            Value::String(place) => place.clone(),
            place => format!("{}:{}", text(&place["file"]), place["line"]),
        };
        lines.push(format!("  because: {} ({place})", text(&at["rule"])));
        for other in at["not-asked"].as_array().into_iter().flatten() {
            lines.push(format!(
                "  not asked: {}: {}",
                text(&other["who"]),
                text(&other["reason"])
            ));
        }
        // No clock of it fires.
        let clocks = at["clocks"].as_array().filter(|_| set_aside.is_none());
        for clock in clocks.into_iter().flatten() {
            let due = time(&clock["due"]);
            let span = plain(&clock["span"]);
            lines.push(format!("  a clock is due {due} ({span})").replace(" ()", ""));
            for part in clock["ledger"].as_array().into_iter().flatten() {
                let (from, to) = (time(&part["from"]), time(&part["to"]));
                let counted = if part["counted"] == true {
                    "counted"
                } else {
                    "not counted"
                };
                lines.push(
                    format!("    {from} – {to}  {counted} {}", text(&part["why"]))
                        .trim_end()
                        .to_owned(),
                );
            }
        }
    }
    for promise in answer["promises"].as_array().into_iter().flatten() {
        let (name, state) = (text(&promise["promise"]), text(&promise["state"]));
        let due = time(&promise["due"]);
        lines.push(
            format!("promise {name}: {state}, due {due}")
                .trim_end_matches(", due ")
                .to_owned(),
        );
    }
    lines
}
