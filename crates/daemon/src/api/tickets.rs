//! Opening tickets, finding them, and looking at one.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::header::{ETAG, LINK, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use upline::contact::comparable;
use upline::core::decide::concerns;
use upline::core::{Actor, Directory, Level, Name, Ticket, Wish, Workflow};
use upline::index::{Cursor, Filter, Standing};
use upline::lab::render::Language;
use upline::{Done, Error, Met, Page, Submission};

use super::State;
use super::extract::{Asked, By, Json, Named, is_name, needed_id, read};
use super::view::{Ahead, TicketView};
use super::wishes::{Fields, Given, typed};
use crate::limits::{DEFAULT_PAGE, MAX_CONTACT_BYTES, MAX_NAME_BYTES, MAX_PAGE};
use crate::problem::Problem;
use crate::tokens::{Caller, Role};

/// Says that the answer is that of an earlier request with the same key.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    /// Its name; the newest version is taken.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    workflow: String,
    /// The name by which another system knows it.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    key: Option<String>,
    /// Texts, numbers, `true` and `false`, lists of texts, `null` for empty.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Given>")]
    fields: Fields,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Speaking {
    /// The language of labels and lines: `en`, `zh`.
    pub(super) lang: Option<String>,
}

/// `POST /v1/tickets`.
pub(super) async fn open(
    Shared(state): Shared<State>,
    By(caller): By,
    headers: HeaderMap,
    Json(body): Json,
) -> Result<Response, Problem> {
    let actor = acting(&caller)?;
    let id = needed_id(&headers, &caller, "ticket")?;
    let opening: Opening = read(&body)?;
    is_name("workflow", &opening.workflow)?;
    if let Some(key) = &opening.key {
        is_name("key", key)?;
    }
    let wish = Wish::Open {
        ticket: Name::default(),
        key: opening.key.map(Name::new),
        parent: None,
        fields: typed(opening.fields)?,
    };
    let submission = Submission::new(actor, wish).id(id).origin(origin(&caller));
    let done = state.handle().open_with(&opening.workflow, submission);
    let done = done.await.map_err(Problem::from);
    given(&caller, "", "open", done.as_ref());
    let done = done?;
    let mut response = match met(&state, &caller, &done.id).await {
        // The workflow is not part of what the engine recognises a command by.
        Ok(met) if done.again && met.ticket.workflow.as_str() != opening.workflow => {
            return Err(Problem::other_command());
        }
        Ok(met) => answer(&state, &met, done.again, Language::English).await,
        Err(_) => receipt(&done),
    };
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::try_from(format!("/v1/tickets/{}", done.id)) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// `GET /v1/tickets/{id}`.
pub(super) async fn show(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(speaking): Asked<Speaking>,
) -> Result<Response, Problem> {
    let language = language(speaking.lang.as_deref())?;
    let met = met(&state, &caller, &id).await?;
    Ok(answer(&state, &met, false, language).await)
}

/// Most pages that are looked through for what a caller may see of a contact's tickets.
const MAX_PAGES: usize = 20;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Wanted {
    /// Those of this workflow.
    workflow: Option<String>,
    /// Those in this state; of ended ones, those with this outcome.
    state: Option<String>,
    /// Those that this person is answerable for; `me` is the token's person.
    assignee: Option<String>,
    /// Those that are offered to this person; `me` is the token's person. They are open.
    candidate: Option<String>,
    /// Those of this caller: with this number, address or name in a field of the type `contact`, however it
    /// is spelled. A `+` is sent as `%2B`.
    #[schemars(length(min = 1, max = MAX_CONTACT_BYTES))]
    contact: Option<String>,
    /// Unless said otherwise, open ones; with `contact`, all.
    standing: Option<WantedStanding>,
    /// Those at this level of a ladder: its number, `entry`, `last-resort`. They are open.
    level: Option<String>,
    /// Those with a clock that is due before that time, in order of it. They are open.
    due_before: Option<Timestamp>,
    /// `newest` unless said otherwise; `due`: open ones, what is due first before the others, and what has no
    /// clock that runs last.
    sort: Option<Sort>,
    /// `next` of the page before.
    cursor: Option<String>,
    /// Tickets on the page, else 50.
    #[schemars(range(min = 1, max = MAX_PAGE))]
    limit: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum WantedStanding {
    Open,
    Ended,
    All,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Sort {
    Newest,
    Due,
}

/// What the index is asked for.
fn filter(wanted: &Wanted, caller: &Caller) -> Result<Filter, Problem> {
    let is_by_clock = wanted.sort == Some(Sort::Due) || wanted.due_before.is_some();
    let is_open = is_by_clock || wanted.level.is_some() || wanted.candidate.is_some();
    let usual = match wanted.contact {
        Some(_) if !is_open => WantedStanding::All,
        _ => WantedStanding::Open,
    };
    let standing = wanted.standing.unwrap_or(usual);
    if is_open && standing != WantedStanding::Open {
        let detail = "`sort=due`, `due-before`, `level` and `candidate` are about open tickets: leave \
                      `standing` out";
        return Err(Problem::bad("query-wrong", detail));
    }
    if wanted.due_before.is_some() && wanted.sort == Some(Sort::Newest) {
        let detail = "with `due-before` what is due first comes first: leave `sort` out";
        return Err(Problem::bad("query-wrong", detail));
    }
    let mut filter = Filter::default();
    filter = match standing {
        WantedStanding::Open => filter.standing(Standing::Open),
        WantedStanding::Ended => filter.standing(Standing::Ended),
        WantedStanding::All => filter,
    };
    filter = match is_by_clock {
        true => filter.due_first(),
        false => filter.newest_first(),
    };
    if let Some(before) = wanted.due_before {
        filter = filter.due_before(before.as_millisecond());
    }
    if let Some(level) = &wanted.level {
        filter = filter.level(self::level(level)?);
    }
    if let Some(workflow) = &wanted.workflow {
        filter = filter.workflow(workflow);
    }
    if let Some(state) = &wanted.state {
        filter = filter.state(state);
    }
    if let Some(assignee) = &wanted.assignee {
        filter = filter.person(person(caller, "assignee", assignee)?);
    }
    if let Some(candidate) = &wanted.candidate {
        filter = filter.candidate(person(caller, "candidate", candidate)?);
    }
    if let Some(contact) = &wanted.contact {
        filter = filter.contact(&asked_for(contact)?);
    }
    Ok(filter)
}

fn level(text: &str) -> Result<Level, Problem> {
    match text {
        "entry" => Ok(Level::Entry),
        "last-resort" => Ok(Level::LastResort),
        number => {
            let number = number.parse().ok().filter(|number| *number > 0);
            let detail = "`level` must be a number from 1, `entry` or `last-resort`";
            let number = number.ok_or_else(|| Problem::bad("query-wrong", detail))?;
            Ok(Level::Number(number))
        }
    }
}

/// `GET /v1/tickets`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    By(caller): By,
    uri: axum::http::Uri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    let limit = page(wanted.limit)?;
    let filter = filter(&wanted, &caller)?;
    let wrong = |_| Problem::from(Error::Cursor);
    let cursor = wanted
        .cursor
        .as_deref()
        .map(|cursor| cursor.parse().map_err(wrong));
    let directory = state.handle().directory().await?;
    let people = directory.as_deref();
    let found = seen(&state, &caller, people, filter, cursor.transpose()?, limit).await?;
    let workflows = workflows(&state, &found.items).await;
    let row = |ticket| {
        let workflow = workflows.get(&version(ticket)).map(AsRef::as_ref);
        let ahead = Ahead {
            workflow,
            directory: people,
        };
        TicketView::row(ticket, ahead)
    };
    let rows: Vec<TicketView<'_>> = found.items.iter().map(row).collect();
    let next = found.next.map(|next| next.to_string());
    Ok(paged(&uri, "tickets", &rows, next))
}

/// A page of a list, with the whole address of the next one.
pub(super) fn paged(
    uri: &axum::http::Uri,
    of: &str,
    rows: &impl Serialize,
    next: Option<String>,
) -> Response {
    let mut response = axum::Json(json!({ of: rows, "next": next })).into_response();
    if let Some(next) = next {
        let query = uri.query().unwrap_or_default().split('&');
        let mut query: Vec<String> = query
            .filter(|part| !part.is_empty() && !part.starts_with("cursor="))
            .map(str::to_owned)
            .collect();
        query.push(format!("cursor={next}"));
        let link = format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"));
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert(LINK, link);
        }
    }
    response
}

/// Which workflow a ticket keeps.
fn version(ticket: &Ticket) -> (Name, u32) {
    (ticket.workflow.clone(), ticket.version)
}

/// The workflows that open tickets keep, as far as the engine knows them.
async fn workflows(state: &State, tickets: &[Ticket]) -> BTreeMap<(Name, u32), Arc<Workflow>> {
    let mut found = BTreeMap::new();
    for ticket in tickets.iter().filter(|ticket| ticket.ended.is_none()) {
        let Entry::Vacant(place) = found.entry(version(ticket)) else {
            continue;
        };
        let nobody = Actor::System(Name::default());
        if let Ok(Some(met)) = state.handle().meet(&ticket.id, &nobody).await {
            place.insert(met.workflow);
        }
    }
    found
}

/// A page of what the caller may see.
async fn seen(
    state: &State,
    caller: &Caller,
    directory: Option<&Directory>,
    filter: Filter,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page<Ticket, Cursor>, Problem> {
    let archive = state.handle().archive()?;
    let actor = caller.actor();
    let sees = |ticket: &Ticket| {
        caller.sees_all()
            || matches!((directory, &actor), (Some(people), Some(actor)) if concerns(people, ticket, actor))
    };
    // Whoever sees none of a contact's tickets must not learn from a next page that there are some.
    let pages = match filter.contact {
        Some(_) if !caller.sees_all() => MAX_PAGES,
        _ => 1,
    };
    let mut page = Page {
        items: Vec::new(),
        next: cursor,
    };
    for _ in 0..pages {
        let left = limit - page.items.len();
        let found = archive.list(filter.clone(), page.next, left).await?;
        page.items.extend(found.items.into_iter().filter(sees));
        page.next = found.next;
        if page.next.is_none() || page.items.len() == limit {
            break;
        }
    }
    Ok(page)
}

/// What a contact is sought by. A number's `+` that was not sent as `%2B` has become a space on the way.
fn asked_for(contact: &str) -> Result<String, Problem> {
    let is_digit = |text: &str| text.starts_with(|first: char| first.is_ascii_digit());
    let contact = match contact.strip_prefix(' ') {
        Some(number) if is_digit(number) => format!("+{number}"),
        _ => contact.to_owned(),
    };
    match comparable(&contact) {
        Some(_) if contact.len() <= MAX_CONTACT_BYTES => Ok(contact),
        _ => {
            let detail = format!(
                "`contact` must be a number, an address or a name of at most {MAX_CONTACT_BYTES} bytes"
            );
            Err(Problem::bad("query-wrong", detail))
        }
    }
}

/// `me` is the person that the token stands for.
fn person<'a>(caller: &'a Caller, asked: &str, name: &'a str) -> Result<&'a str, Problem> {
    match (name, &caller.person) {
        ("me", Some(person)) => Ok(person),
        ("me", None) => {
            let detail = format!("`{asked}=me`: this token stands for no person");
            Err(Problem::bad("query-wrong", detail))
        }
        (other, _) => Ok(other),
    }
}

/// How many are wanted on a page.
pub(super) fn page(limit: Option<usize>) -> Result<usize, Problem> {
    match limit.unwrap_or(DEFAULT_PAGE) {
        limit @ 1..=MAX_PAGE => Ok(limit),
        _ => {
            let detail = format!("`limit` must be 1 to {MAX_PAGE}");
            Err(Problem::bad("query-wrong", detail))
        }
    }
}

/// The language of texts for people.
pub(super) fn language(tag: Option<&str>) -> Result<Language, Problem> {
    let tag = tag.unwrap_or("en");
    tag.parse().map_err(|error| {
        let detail = format!("`lang`: {error}");
        Problem::bad("query-wrong", detail)
    })
}

/// From whom a command comes; a reader gives none.
pub(super) fn acting(caller: &Caller) -> Result<Actor, Problem> {
    let reads = || Problem::forbidden("this token may look, and do nothing");
    caller.actor().ok_or_else(reads)
}

/// What the journal says of the way by which a command came.
pub(super) fn origin(caller: &Caller) -> Name {
    Name::new(format!("token {}", caller.name))
}

/// A command in the log, which alone knows from where it came: by ticket and revision it is found in the
/// journal, which has who did what. Of the ticket of one that is refused it is known that the caller sees it.
pub(super) fn given(caller: &Caller, ticket: &str, what: &str, done: Result<&Done, &Problem>) {
    let origin = origin(caller);
    let peer = caller.from.map(tracing::field::display);
    match done {
        Ok(done) => tracing::info!(
            code = "command",
            what,
            ticket = %done.id,
            revision = done.revision,
            again = done.again,
            origin = %origin,
            peer,
            "a command was carried out"
        ),
        Err(problem) => tracing::info!(
            code = "command-refused",
            what,
            ticket = Some(ticket).filter(|ticket| !ticket.is_empty()),
            why = problem.code(),
            origin = %origin,
            peer,
            "a command was refused"
        ),
    }
}

/// A ticket as this caller meets it. One that is not his to see is not there.
pub(super) async fn met(state: &State, caller: &Caller, id: &str) -> Result<Met, Problem> {
    let gone = || Problem::no_ticket(id);
    // Who gives no commands meets it as nobody: with nothing that he could do.
    let nobody = || Actor::System(Name::default());
    let actor = caller.actor().unwrap_or_else(nobody);
    let mut met = state.handle().meet(id, &actor).await?.ok_or_else(gone)?;
    if !caller.sees_all() && !met.concerns {
        return Err(gone());
    }
    if caller.role == Role::Reader {
        met.possible.clear();
    }
    Ok(met)
}

/// The ticket, with its revision as ETag.
pub(super) async fn answer(state: &State, met: &Met, again: bool, language: Language) -> Response {
    // Without it the hours count around the clock, and who is next has no name; the ticket is worth showing
    // all the same.
    let directory = state.handle().directory().await.ok().flatten();
    let view = TicketView::whole(met, directory.as_deref(), language);
    let mut response = axum::Json(view).into_response();
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::try_from(format!("\"{}\"", met.ticket.revision)) {
        headers.insert(ETAG, etag);
    }
    if again {
        headers.insert(REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

/// The answer to a command that was carried out: the ticket as it is now.
pub(super) async fn after(
    state: &State,
    caller: &Caller,
    id: &str,
    done: &Done,
) -> Result<Response, Problem> {
    if done.id != id {
        return Err(Problem::other_command());
    }
    match met(state, caller, id).await {
        Ok(met) => Ok(answer(state, &met, done.again, Language::English).await),
        Err(_) => Ok(receipt(done)),
    }
}

/// It was done. Only to look at it is not possible now, or not for this caller any more.
fn receipt(done: &Done) -> Response {
    let receipt = json!({ "id": done.id.as_str(), "revision": done.revision });
    axum::Json(receipt).into_response()
}
