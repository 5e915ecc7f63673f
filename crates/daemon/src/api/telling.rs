//! What somebody would be told of a ticket, and whether it would reach him.

use std::num::NonZeroU32;
use std::str::FromStr as _;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use upline::core::{Directory, Name, Person, Recipient};
use upline::dsl::did_you_mean;
use upline::lab::render::Language as Tag;

use super::State;
use super::extract::{Asked, By, Json, Named, is_name, read, too_many};
use super::messages::{To, to};
use super::tickets::met;
use crate::limits::MAX_NAME_BYTES;
use crate::problem::Problem;
use crate::tell::{About, Language, NoRecipient, Preview};
use crate::tokens::Role;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// What it is about.
    topic: About,
    /// To whom; else to whoever is answerable. Not with `customer` and `answered`, which go to the caller.
    person: Option<String>,
    /// The language: `en`, `zh`; else the recipient's.
    lang: Option<String>,
}

/// A letter that nobody gets.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Shown {
    to: To,
    language: &'static str,
    subject: String,
    /// A line or two, for chats and phones.
    brief: String,
    text: String,
    html: Option<String>,
}

/// `GET /v1/tickets/{id}/preview`. It changes nothing, and the letter has no links.
pub(super) async fn preview(
    Shared(state): Shared<State>,
    By(caller): By,
    Named(id): Named<String>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    if !matches!(caller.role, Role::Admin | Role::Lead) {
        let detail = "only an admin or a lead may see what somebody else would get";
        return Err(Problem::forbidden(detail));
    }
    let language = wanted.lang.as_deref().map(language).transpose()?;
    let met = met(&state, &caller, &id).await?;
    let directory = state.handle().directory().await?;
    let directory = directory.ok_or(upline::Error::NoDirectory)?;
    let preview = Preview {
        ticket: &met.ticket,
        workflow: &met.workflow,
        directory: &directory,
        now: state.handle().status().await?.now,
    };
    let person = wanted.person.map(Name::new);
    let letter = preview.letter(state.letters(), wanted.topic, person.as_ref(), language);
    let (recipient, letter) = letter.map_err(|error| match &error {
        NoRecipient::NoContact => Problem::unprocessable("no-contact", error.to_string()),
        NoRecipient::NoPerson(name) => nobody(&directory, name),
    })?;
    let shown = Shown {
        to: match &recipient {
            Recipient::Person(name) => to("person", name),
            Recipient::Contact(name) => to("contact", name),
        },
        language: letter.language.tag(),
        subject: letter.subject,
        brief: letter.brief,
        text: letter.text,
        html: letter.html,
    };
    Ok(axum::Json(shown).into_response())
}

/// A language that letters are written in; the same tags as everywhere in the API.
fn language(tag: &str) -> Result<Language, Problem> {
    let wrong = |error| Problem::bad("query-wrong", format!("`lang`: {error}"));
    Ok(match Tag::from_str(tag).map_err(wrong)? {
        Tag::English => Language::En,
        Tag::Chinese => Language::Zh,
    })
}

fn nobody(directory: &Directory, name: &Name) -> Problem {
    let detail = format!("there is no person `{name}` in the directory");
    let problem = Problem::unprocessable("no-such-person", detail);
    match did_you_mean(name, directory.people.keys().map(Name::as_str)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    /// The person of the directory. Left out only where `via` is a webhook.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    person: Option<String>,
    /// By this channel alone, `mail` or `webhook:NAME`; else by each of the person's.
    #[schemars(length(min = 1, max = MAX_NAME_BYTES))]
    via: Option<String>,
}

/// What became of the test messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Tests {
    /// One for each channel, in the person's order.
    results: Vec<Tried>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Tried {
    via: String,
    /// `delivered`: the mail server or the peer has taken it; or `failed`.
    state: &'static str,
    /// The address, or the peer's host.
    to: Option<String>,
    /// Why it failed, as the peer said it.
    why: Option<String>,
}

/// `POST /v1/notify-tests`: sends a test message now, and answers what became of it. Nothing is kept of it,
/// and nothing is tried again.
pub(super) async fn test(
    Shared(state): Shared<State>,
    By(caller): By,
    Json(body): Json,
) -> Result<Response, Problem> {
    if caller.role != Role::Admin {
        return Err(Problem::forbidden("only an admin may send test messages"));
    }
    let test: Test = read(&body)?;
    for (name, value) in [("person", &test.person), ("via", &test.via)] {
        value
            .as_ref()
            .map_or(Ok(()), |value| is_name(name, value))?;
    }
    let directory = state.handle().directory().await?;
    let directory = directory.ok_or(upline::Error::NoDirectory)?;
    let (person, ways) = ways(&directory, &test)?;
    let many = u32::try_from(ways.len()).unwrap_or(u32::MAX);
    if let Some(many) = NonZeroU32::new(many) {
        let counted = state.trials().count(many);
        counted.map_err(|after| too_many("so many tests were sent just now", after))?;
    }
    let results = send(&state, &person, ways).await;
    let peer = caller.from.map(tracing::field::display);
    for one in &results {
        tracing::info!(
            code = "notify-test", by = %caller.name, peer, person = %person.id, via = %one.via,
            state = one.state, why = one.why, "a test message was sent"
        );
    }
    Ok(axum::Json(Tests { results }).into_response())
}

/// Whom, and by which channels.
fn ways(directory: &Directory, test: &Test) -> Result<(Person, Vec<Name>), Problem> {
    let Some(name) = &test.person else {
        let is_webhook = |via: &&String| via.starts_with("webhook:");
        let detail = "a test needs a `person`, or a webhook as `via`";
        let via = test.via.as_ref().filter(is_webhook);
        let via = via.ok_or_else(|| Problem::unprocessable("body-wrong", detail))?;
        return Ok((Person::default(), vec![Name::new(via)]));
    };
    let name = Name::new(name);
    let person = directory.people.get(&name);
    let person = person.ok_or_else(|| nobody(directory, &name))?.clone();
    let ways: Vec<Name> = match &test.via {
        Some(via) => vec![Name::new(via)],
        None => {
            let mut ways: Vec<Name> = Vec::new();
            for channel in &person.channels {
                // One channel may be named twice, after different times.
                if !ways.contains(&channel.via) {
                    ways.push(channel.via.clone());
                }
            }
            ways
        }
    };
    if ways.is_empty() {
        let detail = format!("`{name}` has no mail address and no other channel in the directory");
        return Err(Problem::unprocessable("no-channel", detail));
    }
    Ok((person, ways))
}

/// By all channels at once, so that one that hangs holds up no other.
async fn send(state: &State, person: &Person, ways: Vec<Name>) -> Vec<Tried> {
    let language = state.letters().language_of(Some(person));
    let mut sending = JoinSet::new();
    for (place, via) in ways.into_iter().enumerate() {
        let (state, person) = (state.clone(), person.clone());
        sending.spawn(async move {
            let sent = state.trials().send(state.hooks(), &via, &person, language);
            let (to, why) = match sent.await {
                Ok(to) => (Some(to), None),
                Err(why) => (None, Some(why)),
            };
            let tried = Tried {
                via: via.to_string(),
                state: if why.is_none() { "delivered" } else { "failed" },
                to,
                why,
            };
            (place, tried)
        });
    }
    let mut all = sending.join_all().await;
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, tried)| tried).collect()
}
