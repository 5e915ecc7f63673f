//! Keys that are misspelt: taken for what they were meant to be, once that is reported, so that one slip of
//! the finger is one mistake and not one for each place that needs what stands under the key.
//!
//! Only the keys of the language are looked at, where it has a fixed set of them; names that authors give are
//! compared where they are used.

use upline_core::Name;

use crate::syntax::{Entry, Kind, Node};
use crate::{Found, did_you_mean};

/// Most misspelt keys that are put right; a file with more is something else.
const MAX_MENDED: usize = 100;

/// A map of a fixed set of keys.
pub(crate) struct Shape {
    /// As messages call it.
    what: &'static str,
    keys: &'static [(&'static str, &'static Inside)],
}

/// What can stand under a key, as far as it has keys of the language.
enum Inside {
    /// Texts, or keys that authors choose.
    Leaf,
    /// A map of this shape.
    Map(&'static Shape),
    /// A map whose keys authors choose, each with such a map; or one such map alone.
    Named(&'static Shape),
    /// A list of maps, or one of them; or the same under a key in a map of another shape.
    Each(&'static Shape),
    /// Named lists of maps, or named maps of the second shape.
    Ladders(&'static Shape, &'static Shape),
}

use Inside::{Each, Ladders, Leaf, Map, Named};

/// Makes a shape.
macro_rules! shape {
    ($(#[doc = $doc:literal])+ $vis:vis $name:ident = $what:literal:
     $($key:literal $inside:expr),+ $(,)?) => {
        $(#[doc = $doc])+
        $vis static $name: Shape = Shape {
            what: $what,
            keys: &[$(($key, &$inside)),+],
        };
    };
}

shape! {
    /// A workflow.
    pub(crate) WORKFLOW = "the workflow":
    "workflow" Leaf, "version" Leaf, "title" Leaf, "calendar" Leaf, "catch-up" Leaf,
    "suspend-at-most" Leaf, "fields" Named(&FIELD), "promises" Named(&PROMISE),
    "ladders" Ladders(&LEVEL, &LADDER), "every" Named(&EVERY), "start" Leaf, "states" Named(&STATE),
}
shape! {
    /// A directory.
    pub(crate) DIRECTORY = "the directory":
    "directory" Leaf, "last-resort" Leaf, "people" Named(&PERSON), "groups" Named(&GROUP),
    "calendars" Named(&CALENDAR), "schedules" Named(&SCHEDULE), "absences" Each(&ABSENCE),
}
shape! {
    /// Of a form.
    FIELD = "a field": "type" Leaf, "label" Leaf, "required" Leaf, "options" Leaf,
}
shape! {
    /// A service level.
    PROMISE = "a promise":
    "within" Leaf, "except" Each(&EXCEPTION), "calendar" Leaf, "since" Leaf, "met-in" Leaf,
    "paused-in" Leaf, "once" Leaf, "warn" Each(&WARNING), "breach" Map(&BREACH),
}
shape! {
    /// Another budget of a promise.
    EXCEPTION = "an exception": "when" Leaf, "within" Leaf,
}
shape! {
    /// Of a promise.
    WARNING = "a warning": "at" Leaf, "notify" Leaf,
}
shape! {
    /// Of a promise.
    BREACH = "a breach": "notify" Leaf, "escalate" Leaf, "set" Leaf, "goto" Leaf,
}
shape! {
    /// A ladder that is more than its levels.
    LADDER = "a ladder":
    "levels" Each(&LEVEL), "repeat" Leaf, "back-to" Leaf, "restart" Leaf, "answer-by" Leaf,
}
shape! {
    /// Of a ladder.
    LEVEL = "a level": "after" Leaf, "assign" Leaf, "notify" Leaf, "set" Leaf,
}
shape! {
    /// One of several ladders of a state.
    CHOICE = "a choice of ladder": "when" Leaf, "ladder" Leaf, "else" Leaf,
}
shape! {
    /// Work, a choice or an end.
    STATE = "a state":
    "title" Leaf, "assign" Leaf, "notify" Leaf, "escalate" Each(&CHOICE), "form" Leaf, "checklist" Leaf,
    "actions" Named(&ACTION), "after" Leaf, "parallel" Map(&PARALLEL), "run" Map(&RUN),
    "call" Map(&CALL), "choose" Each(&CASE), "end" Leaf, "by-silence" Leaf,
}
shape! {
    /// A button.
    ACTION = "an action":
    "label" Leaf, "goto" Leaf, "by" Leaf, "requires" Leaf, "ticked" Leaf, "set" Leaf, "message" Leaf,
}
shape! {
    /// Of a choice.
    CASE = "a case": "when" Leaf, "goto" Leaf, "else" Leaf,
}
shape! {
    /// Branches side by side.
    PARALLEL = "`parallel`": "branches" Named(&BRANCH), "join" Leaf, "goto" Leaf,
}
shape! {
    /// One of them.
    BRANCH = "a branch": "start" Leaf, "states" Named(&STATE),
}
shape! {
    /// A machine.
    RUN = "`run`":
    "webhook" Leaf, "body" Leaf, "timeout" Leaf, "retries" Leaf, "backoff" Leaf, "take" Leaf,
}
shape! {
    /// Another workflow.
    CALL = "`call`": "workflow" Leaf, "with" Leaf, "take" Leaf,
}
shape! {
    /// Tickets that open by themselves.
    EVERY = "`every`": "cron" Leaf, "time-zone" Leaf, "set" Leaf,
}
shape! {
    /// Of a directory.
    PERSON = "a person":
    "name" Leaf, "mail" Leaf, "skills" Leaf, "languages" Leaf, "at-most" Leaf, "time-zone" Leaf,
    "notify" Each(&CHANNEL), "quiet-hours" Each(&QUIET_HOURS),
}
shape! {
    /// Of a person.
    CHANNEL = "a way to reach a person":
    "mail" Leaf, "webhook" Leaf, "after" Leaf, "unless" Leaf, "quiet" Leaf,
}
shape! {
    /// Of a person.
    QUIET_HOURS = "quiet hours": "days" Leaf, "hours" Leaf,
}
shape! {
    /// Of people.
    GROUP = "a group": "members" Leaf, "lead" Leaf, "manager" Leaf, "schedule" Leaf,
}
shape! {
    /// Hours and holidays.
    CALENDAR = "a calendar": "time-zone" Leaf, "hours" Leaf, "holidays" Leaf, "working-days" Leaf,
}
shape! {
    /// Who is on duty.
    SCHEDULE = "a schedule":
    "time-zone" Leaf, "rotation" Each(&ROTATION), "rotations" Each(&ROTATION), "shifts" Each(&SHIFT),
    "overrides" Each(&OVERRIDE),
}
shape! {
    /// By turns.
    ROTATION = "a rotation":
    "every" Leaf, "from" Leaf, "until" Leaf, "members" Leaf, "time-zone" Leaf, "hours" Leaf,
}
shape! {
    /// At hours of the week, or for some days.
    SHIFT = "a shift": "members" Leaf, "days" Leaf, "hours" Leaf, "from" Leaf, "to" Leaf,
}
shape! {
    /// Somebody else for once.
    OVERRIDE = "an override": "from" Leaf, "to" Leaf, "on-call" Leaf, "instead-of" Leaf,
}
shape! {
    /// Of a person.
    ABSENCE = "an absence": "who" Leaf, "from" Leaf, "to" Leaf, "deputy" Leaf,
}

/// Reports keys that are misspelt and puts them right. Whether there were any.
pub(crate) fn mend(root: &mut Node, shape: &'static Shape, found: &mut Found) -> bool {
    let mut mended = 0;
    map(root, shape, found, &mut mended);
    mended > 0
}

// As deep as the file, which its reader has bounded.
fn map(node: &mut Node, shape: &'static Shape, found: &mut Found, mended: &mut usize) {
    let Kind::Map(entries) = &mut node.kind else {
        return;
    };
    put_right(entries, shape, found, mended);
    for entry in entries {
        let inside = shape.keys.iter().find(|(key, _)| entry.key == **key);
        if let Some((_, inside)) = inside {
            below(&mut entry.value, inside, found, mended);
        }
    }
}

fn below(node: &mut Node, inside: &Inside, found: &mut Found, mended: &mut usize) {
    match (inside, &mut node.kind) {
        (Leaf, _) => (),
        (Map(shape), _) => map(node, shape, found, mended),
        (Named(shape), Kind::Map(entries)) => {
            // `every` may be one that has no name; no other is where its keys are names.
            let alone = std::ptr::eq(*shape, &raw const EVERY)
                && entries.iter().any(|entry| shape.has(&entry.key));
            if alone {
                map(node, shape, found, mended);
            } else {
                for entry in entries {
                    map(&mut entry.value, shape, found, mended);
                }
            }
        }
        (Each(shape), Kind::List(items)) => {
            for item in items {
                map(item, shape, found, mended);
            }
        }
        (Each(shape), _) => map(node, shape, found, mended),
        (Ladders(level, ladder), Kind::Map(entries)) => {
            for entry in entries {
                match &mut entry.value.kind {
                    Kind::List(_) => below(&mut entry.value, &Each(level), found, mended),
                    _ => map(&mut entry.value, ladder, found, mended),
                }
            }
        }
        (Named(_) | Ladders(..), _) => (),
    }
}

impl Shape {
    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|(known, _)| *known == key)
    }
}

fn put_right(entries: &mut [Entry], shape: &Shape, found: &mut Found, mended: &mut usize) {
    for index in 0..entries.len() {
        let Entry { key, key_at, .. } = &entries[index];
        if shape.has(key) || *mended >= MAX_MENDED {
            continue;
        }
        let keys = shape.keys.iter().map(|(key, _)| *key);
        let Some(near) = did_you_mean(key, keys.clone()) else {
            continue;
        };
        // What is there already is not missing; the stranger is reported with the others of its kind.
        if entries.iter().any(|other| other.key == *near) {
            continue;
        }
        let keys: Vec<&str> = keys.collect();
        found.unknown_key(*key_at, key, shape.what, &keys);
        entries[index].key = Name::new_static(near);
        *mended += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::schema;

    type Keys = BTreeSet<BTreeSet<String>>;

    /// The keys of each map of a fixed set, as the schema has them.
    fn of_schema(part: &Value, all: &mut Keys) {
        if let Some(properties) = part.get("properties").and_then(Value::as_object) {
            all.insert(properties.keys().cloned().collect());
        }
        let parts = part.as_object().into_iter().flat_map(|map| map.values());
        let items = part.as_array().into_iter().flatten();
        parts.chain(items).for_each(|part| of_schema(part, all));
    }

    fn of_shape(shape: &'static Shape, all: &mut Keys) {
        let keys = shape.keys.iter().map(|(key, _)| (*key).to_owned());
        if !all.insert(keys.collect()) {
            return;
        }
        for (_, inside) in shape.keys {
            match inside {
                Leaf => (),
                Map(shape) | Named(shape) | Each(shape) => of_shape(shape, all),
                Ladders(level, ladder) => {
                    of_shape(level, all);
                    of_shape(ladder, all);
                }
            }
        }
    }

    #[test]
    fn the_keys_are_those_of_the_schema() {
        let (mut schemas, mut shapes) = (Keys::new(), Keys::new());
        for (text, shape) in [
            (schema::WORKFLOW, &WORKFLOW),
            (schema::DIRECTORY, &DIRECTORY),
        ] {
            of_schema(&serde_json::from_str(text).unwrap(), &mut schemas);
            of_shape(shape, &mut shapes);
        }
        let other = |these: &Keys, those: &Keys| -> Vec<BTreeSet<String>> {
            // A case is one map here, and either of two in the schema.
            let either = ["else", "goto", "ladder", "when"];
            let one =
                |keys: &&BTreeSet<String>| !keys.iter().all(|key| either.contains(&key.as_str()));
            these.difference(those).filter(one).cloned().collect()
        };
        assert_eq!(other(&schemas, &shapes), []);
        assert_eq!(other(&shapes, &schemas), []);
    }
}
