//! How tickets look on a terminal.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use upline_lab::render::Language;

use crate::exit::Failure;
use crate::language::pick;
use crate::output::Output;

/// A text of an answer; empty if there is none.
pub(super) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// So many seconds, in the two largest units.
pub(super) fn span(seconds: i64, language: Language) -> String {
    let sign = if seconds < 0 { "−" } else { "" };
    let of = seconds.unsigned_abs();
    let (days, hours, minutes, rest) = (of / 86_400, of / 3600 % 24, of / 60 % 60, of % 60);
    let (d, h, min, s) = pick(
        language,
        (" d", " h", " min", " s"),
        (" 天", " 小时", " 分", " 秒"),
    );
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{sign}{rest}{s}"),
        (0, 0, _) => format!("{sign}{minutes}{min} {rest}{s}"),
        (0, _, _) => format!("{sign}{hours}{h} {minutes}{min}"),
        _ => format!("{sign}{days}{d} {hours}{h}"),
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

fn level(value: &Value, language: Language) -> String {
    match value {
        Value::Number(number) => format!("L{number}"),
        other => match text(other) {
            "entry" => "–".to_owned(),
            "last-resort" => pick(language, "last-resort", "最终负责人").to_owned(),
            word => word.to_owned(),
        },
    }
}

/// A row for each ticket.
pub(super) fn table(
    tickets: &[Value],
    language: Language,
    output: &mut Output,
) -> Result<(), Failure> {
    let now = Timestamp::now();
    let rows = tickets.iter().map(|ticket| row(ticket, now, language));
    let head = pick(
        language,
        [
            "left",
            "id",
            "level",
            "answerable",
            "then",
            "state",
            "workflow",
            "opened",
            "key",
        ],
        [
            "剩余",
            "工单",
            "级别",
            "负责人",
            "之后",
            "状态",
            "流程",
            "打开",
            "外部编号",
        ],
    );
    Ok(output.table(&head, rows, &[0])?)
}

fn row(ticket: &Value, now: Timestamp, language: Language) -> Vec<String> {
    let first = &ticket["positions"][0];
    let due = text(&first["next-due"]).parse::<Timestamp>();
    let left = match (
        ticket["ended"].is_null(),
        first["suspended-until"].is_null(),
        due,
    ) {
        (false, _, _) => text(&ticket["ended"]["outcome"]).to_owned(),
        (_, _, Ok(due)) => span(due.duration_since(now).as_secs(), language),
        (_, false, _) => pick(language, "paused", "已暂停").to_owned(),
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
    vec![
        left,
        text(&ticket["id"]).to_owned(),
        level(&first["level"], language),
        all("answerable"),
        then(&first["then"], language),
        all("state"),
        text(&ticket["workflow"]).to_owned(),
        time(&ticket["opened"]),
        plain(&ticket["key"]),
    ]
}

/// Who has it next, or what happens, if nobody acts: the person, where it can be one only.
fn then(next: &Value, language: Language) -> String {
    if let Some(person) = next["person"].as_str() {
        return plain(&person.into());
    }
    let by = plain(&next["by"]);
    match text(&next["kind"]) {
        "state" => pick(language, format!("state {by}"), format!("状态 {by}")),
        "next-round" => pick(language, "again", "下一轮").to_owned(),
        _ => by,
    }
}

/// Who has a ticket, since when, and how long that is by now.
pub(super) fn held(id: &str, ticket: &Value, holder: &str, language: Language) -> Option<String> {
    let positions = ticket["positions"].as_array()?;
    let his = positions.iter().find(|at| at["answerable"] == holder)?;
    let since: Timestamp = text(&his["since"]).parse().ok()?;
    let passed = Timestamp::now().duration_since(since).as_secs();
    let at = since
        .to_zoned(TimeZone::system())
        .strftime("%F %H:%M:%S %:z");
    // The clocks of the two machines may differ.
    let ago = (passed >= 0).then(|| span(passed, language));
    Some(match (his["taken"] == true, ago) {
        (true, Some(ago)) => pick(
            language,
            format!("{id}: {holder} took it {ago} ago ({at})"),
            format!("{id}：{holder} 已在 {ago}前接手（{at}）"),
        ),
        (_, Some(ago)) => pick(
            language,
            format!("{id}: {holder} has it since {at}, {ago} ago"),
            format!("{id}：自 {at} 起由 {holder} 负责，已 {ago}"),
        ),
        (_, None) => pick(
            language,
            format!("{id}: {holder} has it since {at}"),
            format!("{id}：自 {at} 起由 {holder} 负责"),
        ),
    })
}

/// How a ticket stands, in a line for each position.
pub(super) fn standing(ticket: &Value, language: Language) -> Vec<String> {
    let id = text(&ticket["id"]);
    if !ticket["ended"].is_null() {
        let (outcome, at) = (
            text(&ticket["ended"]["outcome"]),
            time(&ticket["ended"]["at"]),
        );
        return vec![pick(
            language,
            format!("{id}: ended, {outcome}, {at}"),
            format!("{id}：已结束，{outcome}，{at}"),
        )];
    }
    let positions = ticket["positions"].as_array();
    let Some(positions) = positions.filter(|all| !all.is_empty()) else {
        return vec![pick(language, format!("{id}: done"), format!("{id}：完成"))];
    };
    positions
        .iter()
        .map(|at| position(id, at, language))
        .collect()
}

fn position(id: &str, at: &Value, language: Language) -> String {
    let branch = match text(&at["branch"]) {
        "" => String::new(),
        branch => format!(" ({branch})"),
    };
    let state = text(&at["state"]);
    let mut line = pick(
        language,
        format!("{id}{branch}: {state}"),
        format!("{id}{branch}：{state}"),
    );
    if let Some(who) = at["answerable"].as_str() {
        let since = time(&at["since"]);
        line.push_str(&match at["taken"] == true {
            true => pick(
                language,
                format!(", {who} has it since {since}"),
                format!("，{who} 处理中，自 {since}"),
            ),
            false => pick(
                language,
                format!(", {who} is asked since {since}"),
                format!("，等待 {who}，自 {since}"),
            ),
        });
    }
    let (until, due) = (&at["suspended-until"], &at["next-due"]);
    if !until.is_null() {
        let until = time(until);
        line.push_str(&pick(
            language,
            format!(", paused until {until}"),
            format!("，暂停至 {until}"),
        ));
    }
    if !due.is_null() {
        let due = time(due);
        line.push_str(&pick(
            language,
            format!(", next due {due}"),
            format!("，下次到期 {due}"),
        ));
    }
    line
}

/// A ticket in full.
pub(super) fn ticket(ticket: &Value, language: Language) -> Vec<String> {
    let pick = |english: String, chinese: String| pick(language, english, chinese);
    let (workflow, version) = (text(&ticket["workflow"]), &ticket["version"]);
    let mut lines = standing(ticket, language);
    let opened = time(&ticket["opened"]);
    let (by, revision) = (who(&ticket["opener"], language), &ticket["revision"]);
    lines.push(pick(
        format!("  {workflow} version {version}, opened {opened} by {by}, revision {revision}"),
        format!("  {workflow} 第 {version} 版，{by} 于 {opened} 打开，修订 {revision}"),
    ));
    if let Some(by) = ticket["erased"]["by"].as_str() {
        let at = time(&ticket["erased"]["at"]);
        lines.push(pick(
            format!("  erased by {by}, {at}: what its fields held and what people wrote is gone for good"),
            format!("  {by} 于 {at} 抹除：字段内容和人们写下的话已无法找回"),
        ));
    }
    for (name, value) in ticket["fields"].as_object().into_iter().flatten() {
        let colon = colon(language);
        lines.extend(written(&format!("  {name}{colon}"), value, language));
    }
    for promise in ticket["promises"].as_array().into_iter().flatten() {
        let broken = time(&promise["breached"]);
        let broken = match broken.is_empty() {
            true => broken,
            false => pick(format!(", broken {broken}"), format!("，{broken} 违约")),
        };
        let (name, state) = (text(&promise["promise"]), promise_state(promise, language));
        lines.push(pick(
            format!("  promise {name}: {state}{broken}"),
            format!("  承诺 {name}：{state}{broken}"),
        ));
    }
    let comments = ticket["comments"].as_array().into_iter().flatten();
    lines.extend(comments.flat_map(|one| comment(one, language)));
    let actions = ticket["actions"].as_array().into_iter().flatten();
    let actions: Vec<&str> = actions.map(|one| text(&one["name"])).collect();
    if !actions.is_empty() {
        let actions = actions.join(", ");
        lines.push(pick(
            format!("  you could: {actions}"),
            format!("  你可以：{actions}"),
        ));
    }
    lines
}

/// Lines that are shown of what somebody has written; the rest is in `--json`.
const MAX_LINES: usize = 12;
/// Characters that are shown of it.
const MAX_CHARS: usize = 1_000;

/// What somebody has written, behind its head: in the same line, or in lines of its own if it has several.
fn written(head: &str, value: &Value, language: Language) -> Vec<String> {
    let Value::String(all) = value else {
        return vec![format!("{head}{}", plain(value))];
    };
    let shown: String = all.chars().take(MAX_CHARS).collect();
    let line = |line: &str| plain(&Value::from(line.trim_end().replace('\t', "    ")));
    let mut lines: Vec<String> = shown.trim_end().lines().take(MAX_LINES).map(line).collect();
    let seen = lines.len();
    let is_whole = shown.len() == all.len() && shown.trim_end().lines().count() == seen;
    match seen {
        0 | 1 => lines = vec![format!("{head}{}", lines.concat())],
        _ => {
            let lines = lines.iter_mut();
            lines.for_each(|line| line.insert_str(0, "      "));
        }
    }
    if seen > 1 {
        lines.insert(0, head.trim_end().to_owned());
    }
    if !is_whole {
        let count = all.chars().count();
        lines.push(pick(
            language,
            format!("      … (it has {count} characters; `--json` shows all of them)"),
            format!("      …（共 {count} 个字符；`--json` 显示全文）"),
        ));
    }
    lines
}

fn colon(language: Language) -> &'static str {
    pick(language, ": ", "：")
}

fn promise_state(promise: &Value, language: Language) -> &str {
    let word = text(&promise["state"]);
    let chinese = match word {
        "running" => "计时中",
        "paused" => "已暂停",
        "met" => "已兑现",
        other => other,
    };
    pick(language, word, chinese)
}

/// Somebody, with what he is if he is no person of the directory.
fn who(actor: &Value, language: Language) -> String {
    let kind = text(&actor["kind"]);
    let chinese = match kind {
        "person" => "人员",
        "operator" => "管理员",
        "contact" => "来电人",
        "system" => "系统",
        "clock" => "时钟",
        other => other,
    };
    let kind = pick(language, kind, chinese);
    format!("{kind} {}", plain(&actor["name"]))
}

/// Something that was said: when, by whom, whether the caller sees it, and what.
fn comment(comment: &Value, language: Language) -> Vec<String> {
    let (at, by) = (time(&comment["at"]), who(&comment["by"], language));
    let to_caller = match comment["to-caller"] == true {
        true => pick(language, ", to the caller", "，对来电人说"),
        false => "",
    };
    let head = format!("  {at}  {by}{to_caller}{}", colon(language));
    written(&head, &comment["text"], language)
}
