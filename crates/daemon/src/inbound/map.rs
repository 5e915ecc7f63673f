//! What a map says, and what that makes of a message.

use std::fmt;
use std::io::{self, Write};

/// A value as templates see it.
pub(super) use minijinja::Value as Seen;
pub(super) use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior, context};
use serde_json::Value;
use upline::core::{Field, FieldType, Name, Typed, Workflow};

/// Most bytes that a template may make. What is longer ends there.
pub const MAX_TEMPLATE_BYTES: usize = 16 * 1024;

/// How many steps a template may take.
pub const TEMPLATE_FUEL: u64 = 50_000;

/// Longest key of a ticket, in bytes.
pub const MAX_KEY_BYTES: usize = upline::core::decide::MAX_ID_BYTES;

/// How a message comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Envelope {
    /// The body is the message.
    #[default]
    Plain,
    /// A CloudEvent: in the body, in the headers, or several of them.
    CloudEvents,
}

/// A file that says what a source's messages mean.
#[derive(Debug)]
pub struct Map {
    pub(super) title: String,
    pub(super) envelope: Envelope,
    /// Where the list of messages is, if the body has several.
    pub(super) each: Option<Pointer>,
    pub(super) workflow: Option<Name>,
    /// What names the ticket: a second opening with the same is the same ticket.
    pub(super) key: Text,
    /// What names the message: the same a second time is not carried out twice. Without it, all that it says.
    pub(super) id: Option<Text>,
    pub(super) rules: Vec<Rule>,
    pub(super) templates: Templates,
}

/// What a kind of messages means.
#[derive(Debug)]
pub(super) struct Rule {
    /// All of these must be true.
    pub(super) when: Vec<Condition>,
    /// Opens a ticket with these fields, if none with the key is open.
    pub(super) open: Option<Fields>,
    /// Whose ticket it is, if the message names somebody of the directory.
    pub(super) opener: Option<Text>,
    /// Opens none if there ever was one with the key.
    pub(super) once: bool,
    /// The message to a ticket that another message has opened, in the place of `message`.
    pub(super) again: Option<Name>,
    /// Takes the action that awaits this message.
    pub(super) message: Option<(Name, Fields)>,
    /// What is said at a ticket that is open and was not moved.
    pub(super) comment: Option<Text>,
}

/// Fields, and what they get.
pub(super) type Fields = Vec<(Name, Text)>;

/// What stands at a place is one of these, `*` standing for anything at an end.
#[derive(Debug)]
pub(super) struct Condition {
    pub(super) at: Pointer,
    pub(super) is: Vec<String>,
}

/// A place in a message, as RFC 6901 writes it. Behind `?` it may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pointer {
    pub(super) path: String,
    pub(super) optional: bool,
}

/// How a text is made of a message.
#[derive(Debug)]
pub(super) enum Text {
    Fixed(String),
    At(Pointer),
    /// By the name under which the template is kept.
    Template(String),
    /// By what the text is: these words for those.
    Words {
        from: Box<Text>,
        words: Vec<(String, String)>,
        otherwise: Option<String>,
    },
}

/// What a message means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Nothing: its rule says so.
    Nothing,
    /// Something about the ticket with this key.
    About(Box<About>),
}

/// What is to be done about a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct About {
    pub(super) key: Name,
    /// What names the message, if the map says.
    pub(super) id: Option<String>,
    pub(super) open: Option<Typed>,
    pub(super) opener: Option<Name>,
    pub(super) once: bool,
    pub(super) again: Option<Name>,
    pub(super) message: Option<(Name, Typed)>,
    pub(super) comment: Option<String>,
}

/// The compiled templates of a map.
pub(super) struct Templates(Environment<'static>);

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Templates")
    }
}

impl Default for Templates {
    fn default() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment.set_fuel(Some(TEMPLATE_FUEL));
        Self(environment)
    }
}

impl Templates {
    /// Keeps a template.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let added = self.0.add_template_owned(name.to_owned(), text.to_owned());
        added.map_err(|error| said(&error))
    }

    fn render(&self, name: &str, item: &Seen, body: &Seen) -> Result<String, String> {
        let template = self.0.get_template(name).map_err(|error| said(&error))?;
        let mut written = Written::default();
        let rendered = template.render_captured_to(context! { item, body }, &mut written);
        match rendered {
            Ok(_) => (),
            // What came before the end is what there is room for.
            Err(_) if written.is_full => (),
            Err(error) => return Err(said(&error)),
        }
        let end = written.bytes.utf8_chunks().next();
        Ok(end
            .map(|chunk| chunk.valid().to_owned())
            .unwrap_or_default())
    }
}

/// A text that ends at [`MAX_TEMPLATE_BYTES`].
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    is_full: bool,
}

impl Write for Written {
    fn write(&mut self, more: &[u8]) -> io::Result<usize> {
        let room = MAX_TEMPLATE_BYTES - self.bytes.len();
        if room == 0 && !more.is_empty() {
            self.is_full = true;
            return Err(io::Error::other("it is too long"));
        }
        let some = &more[..more.len().min(room)];
        self.bytes.extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is wrong, without what the message says.
fn said(error: &minijinja::Error) -> String {
    let line = error
        .line()
        .map(|line| format!(" in line {line}"))
        .unwrap_or_default();
    let detail = error
        .detail()
        .map(|detail| format!(": {detail}"))
        .unwrap_or_default();
    format!("{}{detail}{line}", error.kind())
}

impl Pointer {
    fn find<'v>(&self, value: &'v Value) -> Option<&'v Value> {
        value.pointer(&self.path)
    }
}

impl Condition {
    fn is_true(&self, item: &Value) -> bool {
        let found = self.at.find(item).and_then(plain);
        found.is_some_and(|found| self.is.iter().any(|wanted| fits(wanted, &found)))
    }
}

/// Whether a text is as wanted: `*` at an end stands for anything.
fn fits(wanted: &str, found: &str) -> bool {
    let (wanted, open_end) = match wanted.strip_suffix('*') {
        Some(wanted) => (wanted, true),
        None => (wanted, false),
    };
    match (wanted.strip_prefix('*'), open_end) {
        (Some(part), true) => found.contains(part),
        (Some(end), false) => found.ends_with(end),
        (None, true) => found.starts_with(wanted),
        (None, false) => found == wanted,
    }
}

/// A value as people would type it; `None`: it is empty, or not one text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let texts = items.iter().map(|item| match item {
                Value::Array(_) | Value::Object(_) => None,
                other => plain(other),
            });
            let texts: Option<Vec<String>> = texts.collect();
            texts.map(|texts| texts.join(", "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Signs that no field takes become spaces: a message is not lost for them.
fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let clean = text.chars().map(|c| match c {
        '\n' | '\t' => c,
        c if c.is_control() => ' ',
        c => c,
    });
    let clean: String = clean.collect();
    clean.trim().to_owned()
}

impl Map {
    /// The messages in a body.
    ///
    /// # Errors
    /// That they are not where the map says.
    pub(super) fn items<'v>(&self, body: &'v Value) -> Result<Vec<&'v Value>, String> {
        let Some(each) = &self.each else {
            return Ok(vec![body]);
        };
        match each.find(body) {
            Some(Value::Array(items)) => Ok(items.iter().collect()),
            Some(_) => Err(format!("`{}` is no list", each.path)),
            None => Err(format!("`{}` is missing", each.path)),
        }
    }

    /// What a message means. `body` is all that came with it.
    ///
    /// # Errors
    /// All that keeps it from meaning something, each as a line; none shows what the message says.
    pub(super) fn understand(&self, item: &Value, body: &Seen) -> Result<Meaning, Vec<String>> {
        let rule = self.rules.iter().find(|rule| rule.is_for(item));
        let Some(rule) = rule else {
            return Err(vec![self.no_rule(item)]);
        };
        if rule.open.is_none() && rule.message.is_none() && rule.comment.is_none() {
            return Ok(Meaning::Nothing);
        }
        let mut faults = Vec::new();
        let seen = Seen::from(Serde(item));
        let mut text = |what: &str, text: &Text| match self.make(text, item, &seen, body) {
            Ok(text) => text,
            Err(fault) => {
                faults.push(format!("{what}: {fault}"));
                None
            }
        };
        let mut fields = |of: &Fields| -> Typed {
            let made = of.iter();
            let made = made
                .map(|(name, made)| Some((name.clone(), text(&format!("field `{name}`"), made)?)));
            made.flatten().collect()
        };
        let open = rule.open.as_ref().map(&mut fields);
        let message = rule.message.as_ref();
        let message = message.map(|(name, of)| (name.clone(), fields(of)));
        let opener = rule
            .opener
            .as_ref()
            .and_then(|opener| text("opener", opener));
        let comment = rule
            .comment
            .as_ref()
            .and_then(|comment| text("comment", comment));
        let id = self.id.as_ref().and_then(|id| text("id", id));
        let key = text("key", &self.key);
        let key = key.map(|key| key.split_whitespace().collect::<Vec<_>>().join(" "));
        match &key {
            Some(key) if key.is_empty() => faults.push("key: it is empty".to_owned()),
            Some(key) if key.len() > MAX_KEY_BYTES => {
                faults.push(format!("key: it is longer than {MAX_KEY_BYTES} bytes"));
            }
            Some(_) => (),
            None if faults.is_empty() => faults.push("key: it is empty".to_owned()),
            None => (),
        }
        let key = key.filter(|_| faults.is_empty()).ok_or(faults)?;
        Ok(Meaning::About(Box::new(About {
            key: Name::new(key),
            id,
            open,
            opener: opener.filter(|opener| !opener.is_empty()).map(Name::new),
            once: rule.once,
            again: rule.again.clone(),
            message,
            comment: comment.filter(|comment| !comment.is_empty()),
        })))
    }

    /// What the map names and the workflow does not have, each as a line.
    pub(super) fn check(&self, workflow: &Workflow) -> Vec<String> {
        let mut faults = Vec::new();
        let named = &workflow.name;
        for rule in &self.rules {
            let with = rule.message.as_ref().map(|(_, with)| with);
            let fields = rule.open.iter().chain(with).flatten();
            for (name, text) in fields {
                match workflow.fields.get(name) {
                    None => faults.push(format!("`{named}` has no field `{name}`")),
                    Some(field) => faults.extend(text.strange(field)),
                }
            }
            let message = rule.message.as_ref().map(|(name, _)| name);
            for message in message.into_iter().chain(&rule.again) {
                let works = workflow
                    .states
                    .keys()
                    .filter_map(|state| workflow.work(state));
                let mut actions = works.flat_map(|work| &work.actions);
                if !actions.any(|action| action.message.as_ref() == Some(message)) {
                    faults.push(format!(
                        "no action of `{named}` awaits the message `{message}`"
                    ));
                }
            }
        }
        faults.dedup();
        faults
    }

    /// That no rule is for a message: where the rules have looked, and what was missing there.
    fn no_rule(&self, item: &Value) -> String {
        let mut looked: Vec<&str> = Vec::new();
        for condition in self.rules.iter().flat_map(|rule| &rule.when) {
            if !looked.contains(&condition.at.path.as_str()) {
                looked.push(&condition.at.path);
            }
        }
        let missing: Vec<String> = looked
            .iter()
            .filter(|path| item.pointer(path).is_none())
            .map(|path| format!("`{path}`"))
            .collect();
        match missing.is_empty() {
            true => format!("no rule is for what stands at `{}`", looked.join("`, `")),
            false => format!("no rule is for it: {} is missing", missing.join(", ")),
        }
    }

    /// The text, if there is one.
    fn make(
        &self,
        text: &Text,
        item: &Value,
        seen: &Seen,
        body: &Seen,
    ) -> Result<Option<String>, String> {
        let made = match text {
            Text::Fixed(text) => Some(text.clone()),
            Text::At(pointer) => match pointer.find(item) {
                None | Some(Value::Null) if pointer.optional => None,
                None | Some(Value::Null) => return Err(format!("`{}` is missing", pointer.path)),
                Some(found) => match plain(found) {
                    Some(text) => Some(text),
                    None => return Err(format!("`{}` is not one text", pointer.path)),
                },
            },
            Text::Template(name) => Some(self.templates.render(name, seen, body)?),
            Text::Words {
                from,
                words,
                otherwise,
            } => {
                let found = self.make(from, item, seen, body)?;
                let word = found.as_ref().and_then(|found| {
                    let word = words.iter().find(|(known, _)| fits(known, found));
                    word.map(|(_, word)| word.clone())
                });
                match (word, otherwise, found) {
                    (Some(word), ..) => Some(word),
                    (None, Some(otherwise), _) => Some(otherwise.clone()),
                    (None, None, Some(_)) => return Err("none of the `words` is for it".to_owned()),
                    (None, None, None) => None,
                }
            }
        };
        Ok(made.map(|text| clean(&text)))
    }
}

impl Text {
    /// Fixed texts that are no option of the field.
    fn strange(&self, field: &Field) -> Vec<String> {
        let FieldType::Choice(options) = &field.kind else {
            return Vec::new();
        };
        let fixed: Vec<&String> = match self {
            Self::Fixed(text) => vec![text],
            Self::Words {
                words, otherwise, ..
            } => words
                .iter()
                .map(|(_, word)| word)
                .chain(otherwise)
                .collect(),
            Self::At(_) | Self::Template(_) => Vec::new(),
        };
        let strange = fixed.into_iter().filter(|text| {
            !options
                .iter()
                .any(|option| option.as_str() == text.as_str())
        });
        strange
            .map(|text| format!("`{}` has no option `{text}`", field.name))
            .collect()
    }
}

impl Rule {
    fn is_for(&self, item: &Value) -> bool {
        self.when.iter().all(|condition| condition.is_true(item))
    }
}
