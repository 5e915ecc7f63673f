//! What happened to a ticket, why it is where it is, and what comes next.

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upline::Met;
use upline::core::{Event, Fact, Rejection, Ticket};
use upline::index::{HistoryCursor, Step};
use upline::lab::explain::Explanation;
use upline::lab::forecast::Horizon;
use upline::lab::render::{Language, Times, say};
use upline::record::Entry;

use super::State;
use super::extract::{Asked, By, Named};
use super::tickets::{Speaking, language, met, page};
use super::view::{ActorView, actor};
use crate::limits::{MAX_HISTORY, MAX_PAGE};
use crate::problem::Problem;

/// Longest forecast, in days.
const MAX_DAYS: u16 = 366;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Piece {
    /// `next` of the page before.
    after: Option<u64>,
    /// Entries on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
    /// The last entries rather than the first; they are still the oldest first, and no page follows.
    #[serde(default)]
    last: bool,
    /// The language of the lines: `en`, `zh`.
    lang: Option<String>,
}

/// One thing that happened: what a command did, or a clock.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Happened {
    /// The ticket's revision after it.
    revision: u64,
    at: Timestamp,
    /// By which way it came: a token, a clock, the outbox.
    origin: String,
    lines: Vec<String>,
    /// What somebody said; of a ticket that was erased, nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    comments: Vec<Comment>,
    /// Who destroyed what was personal in the ticket, if this is what happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    erased_by: Option<String>,
    /// The lines, before they have their times.
    #[serde(skip)]
    said: Vec<(Timestamp, String)>,
}

/// Something that somebody said.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
struct Comment {
    by: Who,
    text: String,
    /// Whether the caller sees it.
    to_caller: bool,
}

/// Who said it.
#[derive(Debug, Serialize, JsonSchema)]
struct Who {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct History {
    entries: Vec<Happened>,
    /// What to ask with as `after` for more.
    next: Option<u64>,
}

/// What has happened to a ticket, the newest first: all of it, up to [`MAX_HISTORY`].
pub(super) async fn history(state: &State, ticket: &str) -> Result<Vec<Step>, Problem> {
    let archive = state.handle().archive()?;
    let (mut steps, mut cursor): (Vec<Step>, Option<HistoryCursor>) = (Vec::new(), None);
    loop {
        let some = archive.history(ticket, cursor, MAX_PAGE).await?;
        steps.extend(some.steps);
        cursor = some.next;
        if cursor.is_none() || steps.len() > MAX_HISTORY {
            return Ok(steps);
        }
    }
}

/// `GET /v1/tickets/{id}/timeline`: the oldest first.
pub(super) async fn timeline(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(piece): Asked<Piece>,
) -> Result<Response, Problem> {
    let limit = page(piece.limit)?;
    let language = language(piece.lang.as_deref())?;
    let met = met(&state, &caller, &id).await?;
    let steps = history(&state, &met.ticket.id).await?;
    let all = told(&met, steps, language);
    let after = piece.after.unwrap_or(0);
    let mut entries: Vec<Happened> = all.into_iter().filter(|one| one.revision > after).collect();
    let more = match piece.last {
        true => {
            entries.drain(..entries.len().saturating_sub(limit));
            false
        }
        false => cut(&mut entries, limit),
    };
    let next = entries.last().filter(|_| more).map(|last| last.revision);
    // Each page can be read alone: its first line has its date.
    let mut times = Times::new(met.zone.clone(), language);
    for entry in &mut entries {
        let lines = std::mem::take(&mut entry.said).into_iter();
        let lines = lines.map(|(at, text)| format!("{}  {text}", times.stamp(at)));
        entry.lines = lines.collect();
    }
    Ok(axum::Json(History { entries, next }).into_response())
}

/// Leaves so many, and what follows at the revision of the last, since the next page begins behind that.
/// Whether there are more.
fn cut(entries: &mut Vec<Happened>, limit: usize) -> bool {
    let last = entries.get(limit.saturating_sub(1));
    let limit = last.map_or(limit, |last| {
        let revision = last.revision;
        entries.partition_point(|one| one.revision <= revision)
    });
    let more = entries.len() > limit;
    entries.truncate(limit);
    more
}

/// The steps, which come newest first, told oldest first.
fn told(met: &Met, steps: Vec<Step>, language: Language) -> Vec<Happened> {
    let mut ticket = Ticket::default();
    let times = Times::new(met.zone.clone(), language);
    let mut all: Vec<Happened> = Vec::new();
    for step in steps.into_iter().rev() {
        let moved = match step.entry {
            Entry::Moved(moved) => moved,
            other => {
                let Some((what, origin)) = noted(&other, language) else {
                    continue;
                };
                let at = Timestamp::from_millisecond(step.at).unwrap_or_default();
                let revision = all.last().map_or(0, |last| last.revision);
                let erased_by = match other {
                    Entry::Erased { by, .. } => Some(by.to_string()),
                    _ => None,
                };
                all.push(Happened {
                    revision,
                    at,
                    origin: origin.to_owned(),
                    lines: Vec::new(),
                    comments: Vec::new(),
                    erased_by,
                    said: vec![(at, what)],
                });
                continue;
            }
        };
        // Only the fate of messages: the ticket did not move.
        let Some(first) = moved.events.first() else {
            continue;
        };
        let at = first.at;
        let said = say(&moved.events, &mut ticket, Some(&met.workflow));
        let said = said.iter();
        all.push(Happened {
            said: said
                .map(|said| (said.at, said.text(language, &times)))
                .collect(),
            comments: moved.events.iter().filter_map(comment).collect(),
            revision: moved.revision + moved.events.len() as u64,
            at,
            origin: moved.origin.to_string(),
            lines: Vec::new(),
            erased_by: None,
        });
    }
    all
}

fn comment(event: &Event) -> Option<Comment> {
    let Fact::Commented {
        by,
        text,
        to_caller,
        ..
    } = &event.fact
    else {
        return None;
    };
    let ActorView { kind, name } = actor(by);
    let name = name.to_owned();
    Some(Comment {
        by: Who { kind, name },
        text: text.clone(),
        to_caller: *to_caller,
    })
}

/// What was done to a ticket without moving it, and by which way it came.
fn noted(entry: &Entry, language: Language) -> Option<(String, &'static str)> {
    let (english, chinese, origin) = match entry {
        Entry::SetAside { why: Some(why), .. } => (
            format!("set aside: {why}"),
            format!("已搁置：{why}"),
            "engine",
        ),
        Entry::SetAside { why: None, .. } => ("goes on".to_owned(), "继续".to_owned(), "operator"),
        Entry::Released { by, .. } => (
            format!("let go on by {by}"),
            format!("{by} 让它继续"),
            "operator",
        ),
        Entry::Erased { by, .. } => (
            format!("erased by {by}"),
            format!("{by} 已抹除"),
            "operator",
        ),
        Entry::Moved(_) | Entry::Files(_) => return None,
    };
    let told = match language {
        Language::English => english,
        Language::Chinese => chinese,
    };
    Some((told, origin))
}

/// `GET /v1/tickets/{id}/explain`.
pub(super) async fn explain(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(speaking): Asked<Speaking>,
) -> Result<Response, Problem> {
    let language = language(speaking.lang.as_deref())?;
    let met = still_open(met(&state, &caller, &id).await?)?;
    let explanation = state.handle().explain(&id).await?;
    let times = Times::new(met.zone, language);
    let mut lines = vec![explanation.head(&times, language)];
    lines.extend(explanation.lines(&times, language));
    let explained = Explained {
        explanation,
        put_back: put_back(&state, &id).await,
        lines,
    };
    Ok(axum::Json(explained).into_response())
}

/// Nobody has what has ended, and nothing comes next: the timeline says what there was.
fn still_open(met: Met) -> Result<Met, Problem> {
    match met.ticket.ended {
        Some(_) => {
            Err(Problem::from(Rejection::HasEnded).hint("its timeline says how it came to that"))
        }
        None => Ok(met),
    }
}

/// An explanation, and what an operator has to do with it.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Explained {
    #[serde(flatten)]
    explanation: Explanation,
    #[serde(skip_serializing_if = "Option::is_none")]
    put_back: Option<PutBack>,
    /// The explanation for people.
    lines: Vec<String>,
}

/// Who let a ticket go on that was set aside.
#[derive(Serialize)]
struct PutBack {
    at: Timestamp,
    by: String,
}

/// The last time that somebody did. Without the index, which knows, an explanation is worth having all the
/// same.
async fn put_back(state: &State, ticket: &str) -> Option<PutBack> {
    let steps = history(state, ticket).await.ok()?;
    steps.into_iter().find_map(|step| match step.entry {
        Entry::Released { by, .. } => Some(PutBack {
            at: Timestamp::from_millisecond(step.at).ok()?,
            by: by.to_string(),
        }),
        _ => None,
    })
}

/// What has no parameters, or no members.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ahead {
    /// How far to look.
    #[schemars(range(min = 1, max = MAX_DAYS))]
    days: Option<u16>,
    /// The language of the lines: `en`, `zh`.
    lang: Option<String>,
}

/// `GET /v1/tickets/{id}/forecast`.
pub(super) async fn forecast(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(ahead): Asked<Ahead>,
) -> Result<Response, Problem> {
    let days = ahead.days.unwrap_or(MAX_DAYS);
    if !(1..=MAX_DAYS).contains(&days) {
        let detail = format!("`days` must be 1 to {MAX_DAYS}");
        return Err(Problem::bad("query-wrong", detail));
    }
    let language = language(ahead.lang.as_deref())?;
    let met = still_open(met(&state, &caller, &id).await?)?;
    let horizon = Horizon {
        within: SignedDuration::from_hours(i64::from(days) * 24),
        ..Horizon::default()
    };
    let times = Times::new(met.zone, language);
    let timeline = state.handle().forecast(&id, horizon, times, language);
    Ok(axum::Json(timeline.await?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_without_moving_it_is_told_with_who_did_it() {
        let released = Entry::Released {
            number: 3,
            by: "max".into(),
        };
        let told = |entry: &Entry, language| noted(entry, language).unwrap();
        let expected = ("let go on by max".to_owned(), "operator");
        assert_eq!(told(&released, Language::English), expected);
        assert_eq!(told(&released, Language::Chinese).0, "max 让它继续");
        let aside = Entry::SetAside {
            number: 3,
            why: Some("it can't be read".into()),
        };
        let expected = ("set aside: it can't be read".to_owned(), "engine");
        assert_eq!(told(&aside, Language::English), expected);
        let files = Entry::Files(Vec::new());
        assert_eq!(noted(&files, Language::English), None);
    }
}
