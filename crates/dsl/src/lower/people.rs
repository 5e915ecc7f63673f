//! `people:`

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use upline_core::{Channel, Name, Person, Quiet, Span};

use super::{leaf, quiet};
use crate::Code;
use crate::names::valid_name;
use crate::reader::{Reader, is_language};
use crate::syntax::{Entry, Kind, Node};
use crate::zone::zone;

/// Most people of a directory.
pub(crate) const MAX_PEOPLE: usize = 10_000;

/// Most tickets that a limit can allow.
const MAX_AT_MOST: u32 = 100_000;

/// Longest mail address, in bytes.
const MAX_MAIL_BYTES: usize = 254;

const SHAPE: &str = "`ID: { name: \"Ann Berg\", mail: ann@example.com }`";

/// The people in the author's order. `usual` is the zone of one who names none.
pub(super) fn people(reader: &mut Reader<'_>, usual: &TimeZone, entry: &Entry) -> Vec<Person> {
    let entries = reader.named(entry, "`people`", SHAPE);
    if entries.len() > MAX_PEOPLE {
        let message = format!("a directory has at most {MAX_PEOPLE} people");
        reader.error(Code::TooMany, entry.key_at, message);
        return Vec::new();
    }
    entries
        .iter()
        .filter_map(|one| person(reader, usual, one))
        .collect()
}

fn person(reader: &mut Reader<'_>, usual: &TimeZone, entry: &Entry) -> Option<Person> {
    let id = reader.key_name(entry);
    let mut map = reader.map(entry, "a person", SHAPE);
    let name = map.optional(reader, "name");
    let mail = map.optional(reader, "mail");
    let skills = map.optional(reader, "skills");
    let languages = map.optional(reader, "languages");
    let at_most = map.optional(reader, "at-most");
    let time_zone = map.optional(reader, "time-zone");
    let notify = map.optional(reader, "notify");
    let quiet_hours = map.optional(reader, "quiet-hours");
    map.finish(reader);
    let name = name.and_then(|name| reader.line(&name.value, "a person's name"));
    let has_mail = mail.is_some();
    let mail = mail.and_then(|mail| address(reader, &mail.value));
    let channels = match notify {
        Some(notify) => channels(reader, notify, has_mail, quiet_hours.is_some()),
        None if has_mail => vec![Channel {
            via: Name::new_static("mail"),
            after: None,
            unless_acted: false,
            quiet: Quiet::Any,
        }],
        None => Vec::new(),
    };
    let own_zone = time_zone.and_then(|entry| zone(reader, entry));
    let quiet_hours = quiet_hours.and_then(|entry| {
        let zone = own_zone.as_ref().map_or(usual, |(_, zone)| zone);
        quiet::hours(reader, zone, entry)
    });
    let id = id?;
    Some(Person {
        name: name.unwrap_or_else(|| id.to_string()),
        mail,
        skills: skills.map_or_else(BTreeSet::new, |skills| words(reader, skills)),
        languages: languages.map_or_else(Vec::new, |entry| read_languages(reader, entry)),
        at_most: at_most.and_then(|entry| capacity(reader, entry)),
        time_zone: own_zone.map(|(name, _)| name),
        channels,
        quiet_hours,
        id,
    })
}

fn words(reader: &mut Reader<'_>, entry: &Entry) -> BTreeSet<Name> {
    let mut words = BTreeSet::new();
    for item in reader.items(entry) {
        if let Some(text) = reader.text(item, "a skill") {
            let read = valid_name(text);
            words.extend(reader.checked_name(item.at, text, read));
        }
    }
    words
}

fn read_languages(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Name> {
    let mut languages = Vec::new();
    for item in reader.items(entry) {
        let Some(text) = reader.text(item, "a language") else {
            continue;
        };
        if is_language(text) {
            languages.push(text.clone());
        } else {
            let message = format!("`{text}` is no language");
            let label = "write `en`, `zh` or another language tag";
            reader.error_with(Code::BadValue, item.at, message, label);
        }
    }
    languages
}

/// `at-most: 8 tickets`.
fn capacity(reader: &mut Reader<'_>, entry: &Entry) -> Option<u32> {
    let text = reader.text(&entry.value, "`at-most`")?;
    let count = text
        .strip_suffix("tickets")
        .or_else(|| text.strip_suffix("ticket"))
        .unwrap_or(text);
    reader.number_in(entry.value.at, "at-most", count.trim(), 1, MAX_AT_MOST)
}

fn address(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let text = reader.text(node, "a mail address")?;
    let host = text
        .split_once('@')
        .and_then(|(local, host)| (!local.is_empty()).then_some(host));
    let fine = host.is_some_and(|host| {
        !host.contains('@') && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
    });
    let strange = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c);
    if fine && !text.contains(strange) && text.len() <= MAX_MAIL_BYTES {
        return Some(text.to_string());
    }
    let message = format!("`{text}` is no mail address");
    reader.error_with(
        Code::BadValue,
        node.at,
        message,
        "such as `ann@example.com`",
    );
    None
}

/// `notify: [{ mail: now }, { webhook: duty-phone, after: 5 min, unless: acted }]`.
fn channels(
    reader: &mut Reader<'_>,
    entry: &Entry,
    has_mail: bool,
    has_quiet_hours: bool,
) -> Vec<Channel> {
    let before = reader.found.errors();
    let items = reader.items(entry);
    if matches!(entry.value.kind, Kind::List(_)) && items.is_empty() {
        let message = "nobody can be told without a way to reach him";
        reader.error_with(Code::BadValue, entry.value.at, message, "delete the line");
    }
    let channels: Vec<Channel> = items
        .iter()
        .filter_map(|item| channel(reader, item, has_mail, has_quiet_hours))
        .collect();
    // A way that could not be read may be the one that is missing.
    if has_quiet_hours && reader.found.errors() == before {
        quiet::check(reader, entry.key_at, &channels);
    }
    channels
}

fn channel(
    reader: &mut Reader<'_>,
    item: &Node,
    has_mail: bool,
    has_quiet_hours: bool,
) -> Option<Channel> {
    let shape = "`{ mail: now }` or `{ webhook: NAME, after: 5 min, unless: acted }`";
    let mut map = reader.map_of(item, item.at, "a way to reach a person", shape);
    if !map.is_map() {
        return None;
    }
    let mail = map.optional(reader, "mail");
    let webhook = map.optional(reader, "webhook");
    let after = map.optional(reader, "after");
    let unless = map.optional(reader, "unless");
    let minds = map.optional(reader, "quiet");
    map.finish(reader);
    let mut after = after
        .and_then(|after| leaf::span(reader, &after.value))
        .map(Span::around_the_clock);
    let via = match (mail, webhook) {
        (Some(mail), None) => {
            if !has_mail {
                let message = "there is no address to mail to";
                reader.error_with(
                    Code::BadValue,
                    mail.key_at,
                    message,
                    "give the person a `mail`",
                );
            }
            after = mail_after(reader, mail, after);
            Some(Name::new_static("mail"))
        }
        (None, Some(webhook)) => webhook_name(reader, webhook),
        _ => {
            let message = "a way to reach a person is `mail` or `webhook`, one of them";
            reader.error_with(Code::MissingKey, item.at, message, shape);
            None
        }
    };
    let unless_acted = unless.is_some_and(|unless| acted(reader, unless));
    let quiet = minds.map_or(Quiet::Any, |minds| {
        quiet::minds(reader, minds, has_quiet_hours)
    });
    Some(Channel {
        via: via?,
        after,
        unless_acted,
        quiet,
    })
}

/// `mail: now`, or how long after: `mail: 5 min`.
fn mail_after(reader: &mut Reader<'_>, mail: &Entry, after: Option<Span>) -> Option<Span> {
    if matches!(&mail.value.kind, Kind::Text { text, .. } if text == "now") {
        return after;
    }
    let span = leaf::span(reader, &mail.value)?.around_the_clock();
    if after.is_some() {
        let message = "how long after is said twice";
        reader.error_with(Code::BadValue, mail.value.at, message, "write `mail: now`");
    }
    Some(span)
}

fn webhook_name(reader: &mut Reader<'_>, entry: &Entry) -> Option<Name> {
    let text = reader.text(&entry.value, "a webhook's name")?;
    let read = valid_name(text);
    let name = reader.checked_name(entry.value.at, text, read)?;
    Some(Name::from(format!("webhook:{name}")))
}

fn acted(reader: &mut Reader<'_>, entry: &Entry) -> bool {
    let Some(word) = reader.text(&entry.value, "`unless`") else {
        return false;
    };
    let acted = word == "acted";
    if !acted {
        let message = format!("`unless` must be `acted`, not `{word}`");
        reader.error(Code::BadValue, entry.value.at, message);
    }
    acted
}
