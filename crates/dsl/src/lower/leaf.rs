//! The leaves: phrases, references and values.

use std::collections::BTreeSet;

use upline_core::workflow::Assign;
use upline_core::{Base, Condition, FieldType, Name, Span, Value, Who};

use super::Scope;
use crate::names::normal;
use crate::phrase::{how_long, when, who};
use crate::reader::{Reader, quoted};
use crate::syntax::{Entry, Kind, Node};
use crate::{Code, Phrase, PhraseError, Reference, Site};

/// A name that is looked up: as it is compared, and where it stands.
pub(crate) fn name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<(Name, Site)> {
    let text = reader.text(node, what)?;
    Some((normal(text), node.at))
}

/// A *how long* phrase.
pub(crate) fn span(reader: &mut Reader<'_>, node: &Node) -> Option<Span> {
    let Kind::Text { text, .. } = &node.kind else {
        reader.wrong_type(
            node,
            node.at,
            "how long it takes",
            "a text",
            "such as `15 min`",
        );
        return None;
    };
    span_text(reader, node.at, text)
}

/// The same for a phrase that is a key.
pub(crate) fn span_text(reader: &mut Reader<'_>, site: Site, text: &str) -> Option<Span> {
    match how_long(text) {
        Ok(span) => Some(span),
        Err(error) => {
            reader.found.bad_phrase(reader.sources, site, text, &error);
            None
        }
    }
}

/// A *when* phrase.
pub(crate) fn condition(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    node: &Node,
) -> Option<Condition> {
    let Kind::Text { text, .. } = &node.kind else {
        let shape = "such as `impact is Everyone`";
        reader.wrong_type(node, node.at, "a condition", "a text", shape);
        return None;
    };
    let check = |reader: &mut Reader<'_>, at: Site, reference: &Reference| {
        scope.check(reader, at, reference)
    };
    phrase(reader, check, node.at, text, when(text, &scope.fields))
}

/// A *who* phrase.
pub(crate) fn who_phrase(reader: &mut Reader<'_>, scope: &Scope<'_>, node: &Node) -> Option<Who> {
    let Kind::Text { text, .. } = &node.kind else {
        let shape = "such as `least busy in GROUP`";
        reader.wrong_type(node, node.at, "who is asked", "a text", shape);
        return None;
    };
    let check = |reader: &mut Reader<'_>, at: Site, reference: &Reference| match reference {
        Reference::Field(name) => scope.check_somebody(reader, at, name),
        reference => scope.check(reader, at, reference),
    };
    let mut value = phrase(reader, check, node.at, text, who(text))?;
    let fine = fields_hold_somebody(reader, scope, node, &mut value);
    fine.then_some(value)
}

/// A phrase whose names are looked up.
fn phrase<T>(
    reader: &mut Reader<'_>,
    check: impl Fn(&mut Reader<'_>, Site, &Reference),
    site: Site,
    text: &str,
    read: Result<Phrase<T>, PhraseError>,
) -> Option<T> {
    match read {
        Ok(Phrase { value, names }) => {
            for (range, reference) in &names {
                let at = reader.sources.within(site, text, range);
                check(reader, at, reference);
            }
            Some(value)
        }
        Err(error) => {
            reader.found.bad_phrase(reader.sources, site, text, &error);
            None
        }
    }
}

/// A bare word names a field; only those that hold somebody can be asked. The grammar takes it for a contact;
/// a field of the type `person` means somebody of the directory.
fn fields_hold_somebody(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    node: &Node,
    who: &mut Who,
) -> bool {
    let mut fine = true;
    let mut each = Some(who);
    while let Some(who) = each {
        for base in std::iter::once(&mut who.base).chain(&mut who.except) {
            let Base::Contact(name) = base else {
                continue;
            };
            match scope.fields.get(name).map(|field| &field.kind) {
                Some(FieldType::Person) => *base = Base::Named(std::mem::take(name)),
                Some(FieldType::Contact) | None => (),
                Some(_) => {
                    let message = format!("the field `{name}` does not hold somebody");
                    let label = "a field of the type `contact` or `person` does";
                    reader.error_with(Code::BadPhrase, node.at, message, label);
                    fine = false;
                }
            }
        }
        each = who.otherwise.as_deref_mut();
    }
    fine
}

/// *Who* phrases: one, or a list of them.
pub(crate) fn whos(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Who> {
    let items = reader.items(entry);
    items
        .iter()
        .filter_map(|item| who_phrase(reader, scope, item))
        .collect()
}

/// A *who* phrase that makes somebody answerable: somebody of the directory.
pub(crate) fn assign(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Option<Assign> {
    let who = who_phrase(reader, scope, &entry.value)?;
    let mut each = Some(&who);
    while let Some(one) = each {
        if let Base::Contact(name) = &one.base
            && scope.fields.contains_key(name)
        {
            let message = format!("`{name}` is outside the directory and can't be answerable");
            let label = "name somebody of the directory; `notify` tells the others";
            reader.error_with(Code::BadPhrase, entry.value.at, message, label);
        }
        each = one.otherwise.as_deref();
    }
    Some(Assign::new(who, reader.place(entry.value.at)))
}

/// Fields that are named: one, or a list of them, each once.
pub(crate) fn field_names(reader: &mut Reader<'_>, scope: &Scope<'_>, entry: &Entry) -> Vec<Name> {
    let mut names = Vec::new();
    let mut seen = BTreeSet::new();
    for item in reader.items(entry) {
        let Some((name, site)) = name(reader, item, "a field's name") else {
            continue;
        };
        if !seen.insert(name.clone()) {
            let message = format!("the field `{name}` is named twice");
            reader.error(Code::DuplicateName, site, message);
        } else if field(reader, scope, &name, site).is_some() {
            names.push(name);
        }
    }
    names
}

/// A field that must exist.
pub(crate) fn field<'s>(
    reader: &mut Reader<'_>,
    scope: &'s Scope<'_>,
    name: &Name,
    site: Site,
) -> Option<&'s upline_core::Field> {
    let found = scope.fields.get(name);
    if found.is_none() {
        let names = reader.candidates(scope.fields.keys().map(Name::as_str));
        reader.found.unknown_field(site, name, names);
    }
    found
}

/// A state of `states` that must exist; `elsewhere` are others that can't be gone to from here.
pub(crate) fn state(
    reader: &mut Reader<'_>,
    node: &Node,
    states: &BTreeSet<Name>,
    elsewhere: &BTreeSet<Name>,
) -> Option<Name> {
    let (name, site) = name(reader, node, "a state's name")?;
    if states.contains(&name) {
        return Some(name);
    }
    if elsewhere.contains(&name) {
        let message =
            format!("`{name}` can't be gone to from here: a branch is left by its end only");
        let label = "name a state beside this one";
        reader.error_with(Code::BadBranch, site, message, label);
    } else {
        let names = reader.candidates(states.iter().map(Name::as_str));
        reader.found.unknown_state(site, &name, names);
    }
    None
}

/// `set: { priority: high }`.
pub(crate) fn settings(
    reader: &mut Reader<'_>,
    scope: &Scope<'_>,
    entry: &Entry,
) -> Vec<(Name, Value)> {
    let mut set = Vec::new();
    for change in reader.named(entry, "`set`", "`{ FIELD: VALUE }`") {
        let Some(field) = field(reader, scope, &change.key, change.key_at) else {
            continue;
        };
        let texts: Vec<&str> = reader
            .items(change)
            .iter()
            .filter_map(|item| reader.free_text(item, &quoted(&change.key)))
            .map(Name::as_str)
            .collect();
        if texts.len() > 1 && !matches!(field.kind, FieldType::Choices(_)) {
            let what = quoted(&change.key);
            reader.wrong_type(&change.value, change.key_at, &what, "one value", "");
            continue;
        }
        let text = texts.join(",");
        match Value::read(&field.kind, &text) {
            Ok(Some(value)) => set.push((change.key.clone(), value)),
            Ok(None) => {
                let message = format!("`{}` has no value", change.key);
                reader.error(Code::BadValue, change.value.at, message);
            }
            Err(error) => {
                let message = format!("`{}` {error}", change.key);
                reader.error(Code::BadValue, change.value.at, message);
            }
        }
    }
    set
}
