//! The one page that there is for links: what the ticket is like, what a press has done, and a button.

use askama::Template;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline::Met;
use upline::core::ticket::ClockKind;
use upline::core::{
    Branch, Directory, Field, FieldType, Holder, Name, Person, Position, Value, Workflow,
};
use upline::lab::render::{Next, next_words};

use super::UNDO_SECONDS;
use super::token::{Deed, Link};
use super::words::{self, Words};
use crate::tell::Language;

/// Most fields of a ticket that a page shows.
const MAX_FIELDS: usize = 6;
/// Longest value that a page shows, in characters.
const MAX_VALUE_CHARS: usize = 300;
/// Most people that a page names.
const MAX_NAMES: usize = 6;

/// What a page says first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// The button can be pressed.
    Ask,
    /// It was pressed.
    Done {
        /// Some time before.
        again: bool,
    },
    /// It was given back.
    Undone,
    /// No two digits came.
    NoNumber,
    /// Others than those beside the link.
    Wrong {
        /// How many tries are left.
        left: u8,
    },
    /// Sooner after the page than people press.
    TooSoon,
    /// Another link of the same message was used just before.
    Several,
    /// From a page that is not ours.
    Elsewhere,
    /// It is none of ours.
    Unknown,
    /// Too many such ones have come from there.
    TooMany,
    /// Wrong numbers have made it void.
    Burned,
    /// It is too old.
    Over,
    /// The ticket has moved on.
    Gone,
    /// The person can't do it by a link now.
    NotNow,
    /// The core says why it can't be done.
    Refused(String),
    /// The engine does not answer.
    Later,
}

impl Said {
    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Ask | Self::Done { .. } | Self::Undone => StatusCode::OK,
            Self::NoNumber | Self::Wrong { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooSoon | Self::Several | Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Burned | Self::Over | Self::Gone => StatusCode::GONE,
            Self::NotNow | Self::Refused(_) => StatusCode::CONFLICT,
            Self::Later => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Its word, for the log.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Ask => "asked",
            Self::Done { again: false } => "done",
            Self::Done { again: true } => "done-before",
            Self::Undone => "undone",
            Self::NoNumber => "no-number",
            Self::Wrong { .. } => "wrong-number",
            Self::TooSoon => "too-soon",
            Self::Several => "several-links",
            Self::Elsewhere => "other-page",
            Self::Unknown => "unknown",
            Self::TooMany => "too-many",
            Self::Burned => "burned",
            Self::Over => "over",
            Self::Gone => "gone",
            Self::NotNow => "not-now",
            Self::Refused(_) => "refused",
            Self::Later => "later",
        }
    }

    /// Whether the page still has the button.
    fn has_button(&self) -> bool {
        matches!(
            self,
            Self::Ask
                | Self::NoNumber
                | Self::Wrong { .. }
                | Self::TooSoon
                | Self::Several
                | Self::Later
        )
    }

    /// Whether it tells the person that something is not as he wanted.
    fn is_fault(&self) -> bool {
        !matches!(self, Self::Ask | Self::Done { .. } | Self::Undone)
    }

    /// Whether the page says how the ticket is: not when the link says nothing of who has it in his hands.
    fn tells(&self) -> bool {
        !matches!(
            self,
            Self::Unknown | Self::TooMany | Self::Elsewhere | Self::Burned | Self::Over
        )
    }
}

/// A button, and what is typed before it.
struct Form {
    button: String,
    /// The number, if it was typed already.
    known: Option<String>,
    is_undo: bool,
    is_fault: bool,
}

/// The page.
#[derive(Template)]
#[template(path = "link.html")]
pub(crate) struct Page {
    lang: &'static str,
    other_tag: &'static str,
    nonce: String,
    title: String,
    said: String,
    is_fault: bool,
    is_asking: bool,
    facts: Vec<(String, String)>,
    form: Option<Form>,
    words: &'static Words,
}

/// What a page is made from.
pub(crate) struct Showing<'a> {
    pub(crate) language: Language,
    /// The link, if it is one of ours.
    pub(crate) link: Option<&'a Link>,
    /// Its ticket, as the person meets it.
    pub(crate) met: Option<&'a Met>,
    pub(crate) directory: Option<&'a Directory>,
    pub(crate) now: Timestamp,
    /// The right number, if it was typed.
    pub(crate) typed: Option<&'a str>,
}

impl Showing<'_> {
    /// The page that says this; `nonce` is for its style.
    pub(crate) fn page(&self, said: &Said, nonce: String) -> Page {
        let words = words::words(self.language);
        // Whoever the ticket has nothing to do with any more is told no more of it.
        let met = self.met.filter(|met| said.tells() && met.concerns);
        let deed = self.link.map(|link| &link.aim.deed);
        let label = self.label();
        let other = match self.language {
            Language::En => Language::Zh,
            Language::Zh => Language::En,
        };
        Page {
            lang: words::html_tag(self.language),
            other_tag: words::html_tag(other),
            nonce,
            title: self.title(words, said),
            said: words::sentence(said, &label, deed, self.language),
            is_fault: said.is_fault(),
            is_asking: *said == Said::Ask,
            facts: met
                .map(|met| self.facts(met, said, words))
                .unwrap_or_default(),
            form: self.form(said, label),
            words,
        }
    }

    fn title(&self, words: &Words, said: &Said) -> String {
        match (self.link, self.met) {
            (Some(link), Some(met)) if *said != Said::Elsewhere => {
                let title = self.text(met.workflow.title.text(self.tag()), &met.workflow.name);
                format!("{title} {}", link.aim.ticket)
            }
            (Some(link), None) if *said != Said::Elsewhere => link.aim.ticket.to_string(),
            (None, _) => words.no_link.to_owned(),
            _ => "Upline".to_owned(),
        }
    }

    fn tag(&self) -> &'static str {
        words::tag(self.language)
    }

    fn text(&self, label: &str, name: &Name) -> String {
        if label.is_empty() {
            name.as_str()
        } else {
            label
        }
        .to_owned()
    }

    /// What the button says.
    fn label(&self) -> String {
        let Some(link) = self.link else {
            return String::new();
        };
        match &link.aim.deed {
            Deed::Claim => words::claim(self.language).to_owned(),
            Deed::Decline => words::decline(self.language).to_owned(),
            Deed::Act(action) => {
                let label = self
                    .met
                    .and_then(|met| label_of(&met.workflow, action, self.tag()));
                label.unwrap_or(action).to_owned()
            }
        }
    }

    fn form(&self, said: &Said, label: String) -> Option<Form> {
        let words = words::words(self.language);
        let is_undo = self.can_undo();
        (said.has_button() || is_undo).then(|| Form {
            button: if is_undo {
                words.undo.to_owned()
            } else {
                label
            },
            known: self.typed.filter(|_| is_undo).map(str::to_owned),
            is_undo,
            is_fault: matches!(said, Said::NoNumber | Said::Wrong { .. }),
        })
    }

    /// Whether what this link has claimed can be given back: he has it still, and took it a moment ago.
    pub(crate) fn can_undo(&self) -> bool {
        let (Some(link), Some(met)) = (self.link, self.met) else {
            return false;
        };
        let aim = &link.aim;
        let position = met.ticket.positions.get(&aim.branch);
        let until = |since: Timestamp| since.as_second().saturating_add(UNDO_SECONDS);
        aim.deed == Deed::Claim
            && position.is_some_and(|at| {
                at.visit == aim.visit
                    && at.epoch != aim.epoch
                    && at.taken
                    && at.holder == Holder::Assignee(aim.person.clone())
                    && self.now.as_second() < until(at.since)
            })
    }

    fn facts(&self, met: &Met, said: &Said, words: &Words) -> Vec<(String, String)> {
        let mut facts = Vec::new();
        let mut tell = |what: &str, value: String| facts.push((what.to_owned(), value));
        let ticket = &met.ticket;
        if let Some(ended) = &ticket.ended {
            tell(
                words.outcome,
                format!("{} · {}", ended.outcome, self.time(met, ended.at)),
            );
            return facts;
        }
        let whole = Branch::default();
        let branch = self.link.map_or(&whole, |link| &link.aim.branch);
        let at = ticket.positions.get_key_value(branch);
        let Some((branch, position)) = at.or_else(|| ticket.positions.get_key_value(&whole)) else {
            return facts;
        };
        let state = met.workflow.states.get(&position.state);
        let title = state.map_or("", |state| state.title.text(self.tag()));
        tell(words.state, self.text(title, &position.state));
        self.holder(met, position, words, &mut tell);
        if let Some(next) = self.next(met, branch, position) {
            tell(words.next, next);
        }
        if said.has_button() {
            facts.extend(self.fields(met));
        }
        facts
    }

    fn holder(
        &self,
        met: &Met,
        position: &Position,
        words: &Words,
        tell: &mut impl FnMut(&str, String),
    ) {
        let name = |person: &Name| match self.directory {
            Some(directory) => words::name_of(directory, person),
            None => person.to_string(),
        };
        if let Holder::Offer { candidates, .. } = &position.holder {
            let mut names: Vec<String> = candidates.iter().take(MAX_NAMES).map(name).collect();
            if candidates.len() > MAX_NAMES {
                names.push("…".to_owned());
            }
            tell(words.asked, words::listed(&names, self.language));
        }
        if let Some(person) = position.holder.answerable() {
            let since = self.time(met, position.since);
            tell(
                words.with,
                format!("{} · {} {since}", name(person), words.since),
            );
        }
    }

    /// What happens next by itself, and when.
    fn next(&self, met: &Met, branch: &Branch, position: &Position) -> Option<String> {
        let clocks = met.ticket.clocks.iter();
        let moves = clocks.filter(|clock| {
            let kind = matches!(
                clock.kind,
                ClockKind::Level { .. }
                    | ClockKind::After { .. }
                    | ClockKind::Remind
                    | ClockKind::Wake
            );
            kind && clock.branch == *branch
        });
        let clock = moves.min_by_key(|clock| (clock.due, clock.id))?;
        let next = Next::of(clock, Some(position), Some(&met.workflow));
        let words = next_words(&next, words::rendered(self.language));
        Some(format!("{} · {words}", self.time(met, clock.due)))
    }

    /// What the ticket is about. Not the customer: the page is for whoever has the link.
    fn fields(&self, met: &Met) -> Vec<(String, String)> {
        let order = met.workflow.field_order.iter();
        let known = order.filter_map(|name| {
            let field = met.workflow.fields.get(name)?;
            let value = met.ticket.fields.get(name)?;
            let shown = !matches!(field.kind, FieldType::Contact);
            shown.then(|| {
                let label = self.text(field.label.text(self.tag()), name);
                (label, clip(&value_text(field, value, self.tag())))
            })
        });
        known.take(MAX_FIELDS).collect()
    }

    /// A time in the person's own zone, else the workflow's, with date and offset.
    fn time(&self, met: &Met, at: Timestamp) -> String {
        let person = self
            .link
            .and_then(|link| self.directory?.people.get(&link.aim.person));
        let zone = person.and_then(zone);
        let at = at.to_zoned(zone.unwrap_or_else(|| met.zone.clone()));
        match self.language {
            Language::En => at.strftime("%a %Y-%m-%d %H:%M %:z").to_string(),
            Language::Zh => {
                let names = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
                let day = usize::from(at.weekday().to_monday_zero_offset().unsigned_abs());
                let day = names[day % names.len()];
                format!(
                    "{} {day} {}",
                    at.strftime("%Y-%m-%d"),
                    at.strftime("%H:%M %:z")
                )
            }
        }
    }
}

fn zone(person: &Person) -> Option<TimeZone> {
    TimeZone::get(person.time_zone.as_ref()?).ok()
}

/// The label of an action, in whichever state it is.
fn label_of<'w>(workflow: &'w Workflow, action: &str, tag: &str) -> Option<&'w str> {
    let states = workflow.state_order.iter();
    let mut works = states.filter_map(|state| workflow.work(state));
    let action = works.find_map(|work| work.action(action))?;
    Some(action.label.text(tag)).filter(|label| !label.is_empty())
}

fn value_text(field: &Field, value: &Value, tag: &str) -> String {
    match value {
        Value::Text(text) => field.option_text(text, tag).to_owned(),
        Value::List(items) => {
            let items: Vec<&str> = items
                .iter()
                .map(|item| field.option_text(item, tag))
                .collect();
            items.join(", ")
        }
        other => other.to_string(),
    }
}

/// As long as fits, without what can't be seen.
fn clip(text: &str) -> String {
    let seen = text.chars().filter(|c| !c.is_control() || *c == '\n');
    let mut clipped: String = seen.clone().take(MAX_VALUE_CHARS).collect();
    if seen.count() > MAX_VALUE_CHARS {
        clipped.push('…');
    }
    clipped
}
