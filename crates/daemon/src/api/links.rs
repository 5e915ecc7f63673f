//! `GET /a/{token}` and `POST /a/{token}`: acting by a link in a message, without being signed in.
//!
//! The only routes that need no token of the API, set no cookie and answer with a page. What a link may do
//! was decided when it was made, and is decided again here, by the core.

use std::net::IpAddr;
use std::sync::Arc;

use askama::Template as _;
use axum::extract::{Extension, State as Shared};
use axum::http::header::{
    ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN,
    REFERRER_POLICY, RETRY_AFTER, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use upline::core::{Actor, Command, Directory, Wish};
use upline::lab::render::rejection_words;
use upline::vault::system_entropy;
use upline::{Error, Met, Submission};

use super::State;
use super::extract::Body;
use crate::links::{Deed, Ground, Link, Links, Said, Showing, choices, rendered};
use crate::problem::Problem;
use crate::rates::Guess;
use crate::server::Peer;
use crate::settings::PublicUrl;
use crate::tell::Language;

/// What the journal says of the way by which a link's command came.
const ORIGIN_OF_COMMANDS: &str = "link";
/// How often a command is given again because something else has happened to the ticket meanwhile, such as
/// that a message was delivered.
const MAX_TRIES: usize = 8;
/// No ticket has so many events: what is expected at it is not carried out, only recognised.
const NEVER: u64 = u64::MAX;

const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// `GET /a/{token}`, and `HEAD`: says how the ticket is, and changes nothing.
pub(super) async fn show(
    Shared(state): Shared<State>,
    peer: Option<Extension<Peer>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(visit) = Visit::begin(&state, &uri).await else {
        return unknown(&state, peer, &uri, &headers).await;
    };
    if method != Method::HEAD {
        visit.links.opened(&visit.link);
    }
    let Ok(met) = visit.met().await else {
        return visit.answer(&Said::Later, None, None);
    };
    let said = match visit.void(met.as_ref()) {
        // It has moved on because he has pressed.
        Some(Said::Gone) if visit.was_pressed().await => Said::Done { again: true },
        void => void.unwrap_or(Said::Ask),
    };
    visit.answer(&said, met.as_ref(), None)
}

/// `POST /a/{token}`: does what the link is for.
pub(super) async fn press(
    Shared(state): Shared<State>,
    peer: Option<Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Body, Problem>,
) -> Response {
    let Some(visit) = Visit::begin(&state, &uri).await else {
        return unknown(&state, peer, &uri, &headers).await;
    };
    let given = body
        .map(|Body(bytes)| Given::read(&bytes))
        .unwrap_or_default();
    let (said, met) = match is_from_elsewhere(&headers, visit.links.public()) {
        true => (Said::Elsewhere, None),
        false => visit.press(&given).await,
    };
    visit.log(&said, peer.map(|Extension(Peer(peer))| peer.ip()), &headers);
    let is_right = matches!(said, Said::Done { .. });
    let typed = is_right.then_some(given.number.as_str());
    visit.answer(&said, met.as_ref(), typed)
}

/// What the form brings.
#[derive(Debug, Default)]
struct Given {
    number: String,
    undo: bool,
}

impl Given {
    fn read(body: &[u8]) -> Self {
        let mut given = Self::default();
        for (name, value) in url::form_urlencoded::parse(body) {
            match &*name {
                "number" => given.number = digits(&value),
                "undo" => given.undo = value == "1",
                _ => (),
            }
        }
        given
    }
}

/// Digits as people type them, also in the width that Chinese input methods give them.
fn digits(value: &str) -> String {
    let narrow = |c: char| match c {
        '０'..='９' => char::from_digit(u32::from(c) - u32::from('０'), 10).unwrap_or(c),
        other => other,
    };
    value.trim().chars().map(narrow).collect()
}

/// Whether a browser says that the form was sent from a page that is not ours.
fn is_from_elsewhere(headers: &HeaderMap, public: &PublicUrl) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return !matches!(site.as_bytes(), b"same-origin" | b"none");
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return false;
    };
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let origin = origin.to_str().unwrap_or_default();
    let ours = public.url().map(|url| url.origin().ascii_serialization());
    let same_host = || {
        let named = origin.split_once("://").map(|(_, host)| host.as_bytes());
        named.is_some() && named == host
    };
    // A page without a referrer, as ours is, has the origin `null`.
    origin != "null" && ours.as_deref() != Some(origin) && !same_host()
}

/// The language that the address asks for.
fn asked(uri: &Uri) -> Option<Language> {
    let query = uri.query()?.split('&');
    let mut lang = query.filter_map(|pair| pair.strip_prefix("lang="));
    lang.find_map(spoken)
}

fn spoken(tag: &str) -> Option<Language> {
    match tag.split(['-', '_']).next()?.to_ascii_lowercase().as_str() {
        "en" => Some(Language::En),
        "zh" => Some(Language::Zh),
        _ => None,
    }
}

/// What is no link of ours, whatever it is.
/// A link that nobody has made counts as a guess, as a wrong token does.
async fn unknown(
    state: &State,
    peer: Option<Extension<Peer>>,
    uri: &Uri,
    headers: &HeaderMap,
) -> Response {
    let peer = peer.map(|Extension(Peer(peer))| peer.ip());
    let address = state.rates().address(peer, headers);
    let guessed = state.rates().guessed(Guess::Link, address).await;
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let accepted = accepted.unwrap_or_default().split([',', ';']);
    let language = asked(uri).or_else(|| accepted.map(str::trim).find_map(spoken));
    let showing = Showing {
        language: language.unwrap_or_default(),
        link: None,
        met: None,
        directory: None,
        now: jiff::Timestamp::UNIX_EPOCH,
        typed: None,
    };
    let Err(after) = guessed else {
        return html(&showing, &Said::Unknown);
    };
    let mut response = html(&showing, &Said::TooMany);
    response.headers_mut().insert(RETRY_AFTER, after.into());
    response
}

/// Somebody with a link that is ours.
struct Visit<'s> {
    state: &'s State,
    links: &'s Links,
    link: Link,
    language: Language,
    directory: Option<Arc<Directory>>,
}

impl<'s> Visit<'s> {
    async fn begin(state: &'s State, uri: &Uri) -> Option<Self> {
        let links = state.links()?;
        let link = links.read(uri.path().strip_prefix("/a/")?)?;
        let directory = state.handle().directory().await.ok().flatten();
        let person = directory
            .as_ref()
            .and_then(|known| known.people.get(&link.aim.person));
        let speaks = person.and_then(|person| person.languages.iter().find_map(|tag| spoken(tag)));
        Some(Self {
            language: asked(uri).or(speaks).unwrap_or(links.language()),
            state,
            links,
            link,
            directory,
        })
    }

    /// The ticket, as the person meets it.
    async fn met(&self) -> Result<Option<Met>, Error> {
        let person = Actor::Person(self.link.aim.person.clone());
        self.state
            .handle()
            .meet(&self.link.aim.ticket, &person)
            .await
    }

    /// Why the link does nothing, if it does nothing.
    fn void(&self, met: Option<&Met>) -> Option<Said> {
        let aim = &self.link.aim;
        if self.links.is_burned(&self.link) {
            return Some(Said::Burned);
        }
        if aim.is_over(self.links.now()) {
            return Some(Said::Over);
        }
        let Some(met) = met.filter(|met| aim.is_there(&met.ticket)) else {
            return Some(Said::Gone);
        };
        let Some(directory) = &self.directory else {
            return Some(Said::Later);
        };
        let ground = Ground {
            workflow: &met.workflow,
            directory,
            now: self.links.now(),
        };
        let settings = self.links.settings();
        let found = choices(
            settings,
            &ground,
            &met.ticket,
            &aim.branch,
            &aim.person,
            self.language,
        );
        let may = found.iter().any(|choice| choice.deed == aim.deed);
        (!may).then_some(Said::NotNow)
    }

    fn void_for(&self, way: Way, met: Option<&Met>) -> Option<Said> {
        match way {
            Way::Deed => self.void(met),
            Way::Undo => (!self.showing(met, None).can_undo()).then_some(Said::Gone),
        }
    }

    async fn press(&self, given: &Given) -> (Said, Option<Met>) {
        let Ok(met) = self.met().await else {
            return (Said::Later, None);
        };
        if self.link.aim.is_over(self.links.now()) {
            return (Said::Over, met);
        }
        let way = if given.undo { Way::Undo } else { Way::Deed };
        if let Some(objection) = self.links.objection(&self.link, &given.number) {
            // Whose link is void anyway need not try again.
            let void = self.void_for(way, met.as_ref());
            // What is over because of this very link is no news of somebody else.
            if void.is_some() && way == Way::Deed && self.was_pressed().await {
                return (way.done(true), met);
            }
            return (void.unwrap_or(objection), met);
        }
        if way == Way::Undo {
            return self.give(way, met).await;
        }
        // Whatever comes of the press, somebody is there: the ladder waits for him a little.
        if self.link.aim.deed != Deed::Decline {
            self.hold(met.as_ref()).await;
        }
        let Ok(met) = self.met().await else {
            return (Said::Later, None);
        };
        self.give(way, met).await
    }

    /// Whether this very link has done what it is for. It asks for the answer that was given then: what is
    /// expected at a revision that there is not is never carried out.
    async fn was_pressed(&self) -> bool {
        let id = self.links.command(&self.link, Way::Deed.word());
        let command = self.submission(self.wish(Way::Deed)).id(id);
        let handle = self.state.handle();
        let done = handle
            .submit(&self.link.aim.ticket, command.expecting(NEVER))
            .await;
        done.is_ok_and(|done| done.again)
    }

    /// Holds the ladder, once a hop. That it can't be held, or not twice, is no reason not to act.
    async fn hold(&self, met: Option<&Met>) {
        let Some(met) = met.filter(|met| self.void(Some(met)).is_none()) else {
            return;
        };
        let seen = met.ticket.revision;
        let hold = self.submission(Wish::Hold).expecting(seen);
        let _ = self
            .state
            .handle()
            .submit(&self.link.aim.ticket, hold)
            .await;
    }

    /// Gives the command, if the ticket is as it was when the link was made; or recognises that this very
    /// link has given it before.
    async fn give(&self, way: Way, mut met: Option<Met>) -> (Said, Option<Met>) {
        let id = self.links.command(&self.link, way.word());
        let command = || self.submission(self.wish(way)).id(id);
        let handle = self.state.handle();
        let ticket = &self.link.aim.ticket;
        for _ in 0..MAX_TRIES {
            let void = self.void_for(way, met.as_ref());
            let seen = met.as_ref().map_or(NEVER, |met| met.ticket.revision);
            let seen = if void.is_some() { NEVER } else { seen };
            match (handle.submit(ticket, command().expecting(seen)).await, void) {
                (Ok(done), _) => {
                    let met = self.met().await.ok().flatten();
                    return (way.done(done.again), met);
                }
                (Err(_), Some(void)) => return (void, met),
                (Err(Error::Changed { .. }), None) => match self.met().await {
                    Ok(now) => met = now,
                    Err(_) => return (Said::Later, None),
                },
                (Err(Error::Rejected(why)), None) => {
                    let language = rendered(self.language);
                    let why = rejection_words(&why, language, &|at| at.to_string());
                    return (Said::Refused(why), met);
                }
                (Err(_), None) => return (Said::Later, met),
            }
        }
        (Said::Later, met)
    }

    fn wish(&self, way: Way) -> Wish {
        match (way, &self.link.aim.deed) {
            (Way::Undo, _) => Wish::Release { reason: None },
            (Way::Deed, Deed::Claim) => Wish::Claim,
            (Way::Deed, Deed::Decline) => Wish::Decline { reason: None },
            (Way::Deed, Deed::Act(action)) => Wish::Act {
                action: action.clone(),
                fields: Vec::new(),
                note: None,
            },
        }
    }

    fn submission(&self, wish: Wish) -> Submission {
        let aim = &self.link.aim;
        let command = Command {
            by: Actor::Person(aim.person.clone()),
            branch: Some(aim.branch.clone()),
            wish,
        };
        Submission::of(command).origin(ORIGIN_OF_COMMANDS)
    }

    fn showing<'a>(&'a self, met: Option<&'a Met>, typed: Option<&'a str>) -> Showing<'a> {
        Showing {
            language: self.language,
            link: Some(&self.link),
            met,
            directory: self.directory.as_deref(),
            now: self.links.now(),
            typed,
        }
    }

    fn answer(&self, said: &Said, met: Option<&Met>, typed: Option<&str>) -> Response {
        html(&self.showing(met, typed), said)
    }

    /// Who pressed what, and what came of it. The token is never logged.
    fn log(&self, said: &Said, peer: Option<IpAddr>, headers: &HeaderMap) {
        let aim = &self.link.aim;
        let peer = self.state.rates().address(peer, headers);
        tracing::info!(
            code = "link",
            said = said.word(),
            ticket = %aim.ticket,
            person = %aim.person,
            deed = aim.deed.word(),
            peer = peer.map(tracing::field::display),
            "the button of a link was pressed"
        );
    }
}

/// Which of a link's two commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Deed,
    Undo,
}

impl Way {
    fn word(self) -> &'static str {
        match self {
            Self::Deed => "do",
            Self::Undo => "undo",
        }
    }

    fn done(self, again: bool) -> Said {
        match self {
            Self::Deed => Said::Done { again },
            Self::Undo => Said::Undone,
        }
    }
}

/// The page, with what keeps it to itself: no script, no frame, nothing from elsewhere, nothing kept.
fn html(showing: &Showing<'_>, said: &Said) -> Response {
    let mut bytes = [0; 16];
    // Without random bytes the page has no style, and all else.
    let random = system_entropy()(&mut bytes);
    let nonce = random.map(|()| format!("{:032x}", u128::from_le_bytes(bytes)));
    let nonce = nonce.unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let tag = showing.language.to_string();
    let Ok(text) = showing.page(said, nonce).render() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (said.status(), text).into_response();
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    set(CONTENT_TYPE, "text/html; charset=utf-8");
    set(CONTENT_LANGUAGE, &tag);
    set(CONTENT_SECURITY_POLICY, &policy);
    set(REFERRER_POLICY, "no-referrer");
    set(X_FRAME_OPTIONS, "DENY");
    set(ROBOTS, "noindex, nofollow");
    response
}
