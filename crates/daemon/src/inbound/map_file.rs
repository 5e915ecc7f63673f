//! Reads a map, with every mistake at its place.

use upline::core::Name;
use upline::dsl::names::valid_name;
use upline::dsl::reader::{Entry, Kind, Node, Reader};
use upline::dsl::{Code, File, Found, Read, Site, Sources, read_with};

use super::map::{Condition, Envelope, Fields, Map, Pointer, Rule, Templates, Text};

/// Most rules of a map.
pub const MAX_RULES: usize = 200;

impl Map {
    /// Reads a map from a YAML file. It is returned only if no error was found; what was found is always all
    /// of it.
    ///
    /// ```
    /// use upline::dsl::Sources;
    /// use upline_daemon::inbound::Map;
    /// let text = "
    /// map: Burglar alarms
    /// workflow: it-incident
    /// key: /sensor
    /// rules:
    ///   - when: { /state: [open, broken] }
    ///     open: { summary: \"{{ item.sensor }} is {{ item.state }}\" }
    ///   - comment: /state
    /// ";
    /// let (map, found) = Map::read(&mut Sources::new(), ("alarms.yaml", text));
    /// assert!(found.is_empty());
    /// assert!(map.is_some());
    /// ```
    pub fn read<'a>(
        sources: &mut Sources,
        file: impl Into<File<'a>>,
    ) -> (Option<Read<Self>>, Found) {
        read_with(sources, file, map)
    }
}

/// What is read besides the tree.
struct Scope {
    templates: Templates,
    /// How many there are.
    count: usize,
}

fn map(reader: &mut Reader<'_>, root: &Node) -> Option<Map> {
    let start = Site {
        end: root.at.start,
        ..root.at
    };
    let mut scope = Scope {
        templates: Templates::default(),
        count: 0,
    };
    let mut keys = reader.map_of(root, start, "the map", "map: …");
    let title = keys.required(reader, "map");
    let title = title.and_then(|entry| reader.line(&entry.value, "the map's name"));
    let envelope = match keys.optional(reader, "envelope") {
        Some(entry) => envelope(reader, entry),
        None => Some(Envelope::Plain),
    };
    let each = keys.optional(reader, "each");
    let each = each.map(|entry| place(reader, &entry.value));
    let workflow = keys.optional(reader, "workflow");
    let workflow = workflow.map(|entry| name(reader, &entry.value, "a workflow's name"));
    let key = keys.required(reader, "key");
    let key = key.and_then(|entry| text(reader, &mut scope, entry));
    let id = keys.optional(reader, "id");
    let id = id.map(|entry| text(reader, &mut scope, entry));
    let rules = keys.required(reader, "rules");
    let rules = rules.map(|entry| rules_of(reader, &mut scope, entry));
    keys.finish(reader);
    Some(Map {
        title: title?,
        envelope: envelope?,
        each: optional(each)?,
        workflow: optional(workflow)?,
        key: key?,
        id: optional(id)?,
        rules: rules?,
        templates: scope.templates,
    })
}

/// What is not there is fine, what could not be read is not.
#[expect(
    clippy::option_option,
    reason = "nothing, something wrong, and something are three"
)]
fn optional<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    match read {
        None => Some(None),
        Some(None) => None,
        Some(Some(value)) => Some(Some(value)),
    }
}

fn envelope(reader: &mut Reader<'_>, entry: &Entry) -> Option<Envelope> {
    let text = reader.text(&entry.value, "the envelope")?;
    match text.as_str() {
        "cloudevents" => Some(Envelope::CloudEvents),
        other => {
            let message = format!("there is no envelope `{other}`");
            let label = "write `cloudevents`, or leave it out";
            reader.error_with(Code::BadValue, entry.value.at, message, label);
            None
        }
    }
}

fn name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Name> {
    let text = reader.text(node, what)?.clone();
    let read = valid_name(&text);
    reader.checked_name(node.at, &text, read)
}

fn rules_of(reader: &mut Reader<'_>, scope: &mut Scope, entry: &Entry) -> Vec<Rule> {
    let items = reader.list(
        entry,
        "the rules",
        "- { when: { /status: firing }, open: { … } }",
    );
    if items.len() > MAX_RULES {
        let message = format!("a map has at most {MAX_RULES} rules");
        reader.error(Code::TooLarge, entry.key_at, message);
        return Vec::new();
    }
    let mut rules = Vec::new();
    let mut closed_by: Option<Site> = None;
    for item in items {
        if let Some(site) = closed_by {
            reader.error_with(
                Code::BadValue,
                first(item),
                "this rule is never looked at",
                "the one before has no `when`, so it is for everything",
            );
            closed_by = Some(site);
        }
        if let Some(rule) = rule(reader, scope, item) {
            if rule.when.is_empty() {
                closed_by = Some(item.at);
            }
            rules.push(rule);
        }
    }
    if items.is_empty() && matches!(entry.value.kind, Kind::List(_)) {
        let message = "a map without rules understands nothing";
        reader.error(Code::BadValue, entry.value.at, message);
    }
    rules
}

/// The beginning of what may run over many lines.
fn first(node: &Node) -> Site {
    Site {
        end: node.at.start + 1,
        ..node.at
    }
}

fn rule(reader: &mut Reader<'_>, scope: &mut Scope, node: &Node) -> Option<Rule> {
    let shape = "{ when: { /status: firing }, open: { … } }";
    let mut keys = reader.map_of(node, first(node), "a rule", shape);
    let when = keys.optional(reader, "when");
    let when = when
        .map(|entry| conditions(reader, entry))
        .unwrap_or_default();
    let open = keys.optional(reader, "open");
    let open = open.map(|entry| fields(reader, scope, entry));
    let opener = keys.optional(reader, "opener");
    let opener_of = opener.and_then(|entry| text(reader, scope, entry));
    let once = keys.optional(reader, "once");
    let is_once = once.is_some_and(|entry| reader.flag(entry) == Some(true));
    let again = keys.optional(reader, "again");
    let again_of = again.and_then(|entry| name(reader, &entry.value, "a message's name"));
    let message = keys.optional(reader, "message");
    let message_of = message.and_then(|entry| name(reader, &entry.value, "a message's name"));
    let with = keys.optional(reader, "with");
    let with_of = with
        .map(|entry| fields(reader, scope, entry))
        .unwrap_or_default();
    let comment = keys.optional(reader, "comment");
    let comment_of = comment.and_then(|entry| text(reader, scope, entry));
    let ignore = keys.optional(reader, "ignore");
    let ignores = ignore.is_some_and(|entry| reader.flag(entry) == Some(true));
    let is_map = keys.is_map();
    keys.finish(reader);
    let does = open.is_some() || message.is_some() || comment.is_some();
    if is_map && does == ignores {
        let (message, label) = match does {
            false => (
                "this rule does nothing",
                "say `open`, `message` or `comment`; or `ignore: true`",
            ),
            true => ("this rule does something, and ignores", "delete `ignore`"),
        };
        reader.error_with(Code::BadValue, first(node), message, label);
    }
    let pairs = [
        (opener, "open", open.is_some()),
        (once, "open", open.is_some()),
        (again, "open", open.is_some()),
        (with, "message", message.is_some()),
    ];
    for (given, needs, is_there) in pairs {
        if let Some(entry) = given.filter(|_| !is_there) {
            let message = format!("`{}` needs `{needs}`", entry.key);
            reader.error(Code::MissingKey, entry.key_at, message);
        }
    }
    is_map.then_some(Rule {
        when,
        open,
        opener: opener_of,
        once: is_once,
        again: again_of,
        message: message_of.map(|name| (name, with_of)),
        comment: comment_of,
    })
}

/// `{ /status: firing, /labels/severity: [critical, page] }`.
fn conditions(reader: &mut Reader<'_>, entry: &Entry) -> Vec<Condition> {
    let mut conditions = Vec::new();
    for one in reader.named(entry, "`when`", "{ /status: firing }") {
        let at = pointer(reader, one.key_at, &one.key);
        let mut is = Vec::new();
        for node in reader.items(one) {
            if let Some(text) = reader.free_text(node, "what stands there") {
                is.push(text.to_string());
            }
        }
        if let Some(at) = at {
            conditions.push(Condition { at, is });
        }
    }
    conditions
}

/// `{ summary: /annotations/summary, severity: Sev 1 }`.
fn fields(reader: &mut Reader<'_>, scope: &mut Scope, entry: &Entry) -> Fields {
    let mut fields = Vec::new();
    for one in reader.named(entry, "the fields", "{ summary: /annotations/summary }") {
        let name = reader.key_name(one);
        let made = text(reader, scope, one);
        if let (Some(name), Some(made)) = (name, made) {
            fields.push((name, made));
        }
    }
    fields
}

/// A place, a template, a text, or words for words.
fn text(reader: &mut Reader<'_>, scope: &mut Scope, entry: &Entry) -> Option<Text> {
    match &entry.value.kind {
        Kind::Map(_) => words(reader, scope, entry),
        _ => leaf(reader, scope, &entry.value),
    }
}

fn leaf(reader: &mut Reader<'_>, scope: &mut Scope, node: &Node) -> Option<Text> {
    let text = reader.free_text(node, "what a field gets")?.clone();
    if text.starts_with('/') {
        return pointer(reader, node.at, &text).map(Text::At);
    }
    if !text.contains("{{") && !text.contains("{%") {
        return Some(Text::Fixed(text.to_string()));
    }
    scope.count += 1;
    let name = format!("template {}", scope.count);
    match scope.templates.add(&name, &text) {
        Ok(()) => Some(Text::Template(name)),
        Err(fault) => {
            let message = format!("the template can't be read: {fault}");
            reader.error(Code::BadValue, first(node), message);
            None
        }
    }
}

/// `{ from: /labels/severity?, words: { critical: Sev 1 }, else: Sev 3 }`.
fn words(reader: &mut Reader<'_>, scope: &mut Scope, entry: &Entry) -> Option<Text> {
    let shape = "{ from: /severity, words: { critical: Sev 1 }, else: Sev 3 }";
    let mut keys = reader.map(entry, "the words", shape);
    let from = keys.required(reader, "from");
    let from = from.and_then(|from| leaf(reader, scope, &from.value));
    let given = keys.required(reader, "words");
    let mut words = Vec::new();
    if let Some(given) = given {
        for one in reader.named(given, "`words`", "{ critical: Sev 1 }") {
            if let Some(word) = reader.free_text(&one.value, "a word") {
                words.push((one.key.to_string(), word.to_string()));
            }
        }
    }
    let otherwise = keys.optional(reader, "else");
    let otherwise = otherwise.map(|entry| {
        let text = reader.free_text(&entry.value, "the other word");
        text.map(ToString::to_string)
    });
    keys.finish(reader);
    Some(Text::Words {
        from: Box::new(from?),
        words,
        otherwise: optional(otherwise)?,
    })
}

fn place(reader: &mut Reader<'_>, node: &Node) -> Option<Pointer> {
    let text = reader.text(node, "a place in the message")?.clone();
    pointer(reader, node.at, &text)
}

/// `/labels/severity`, or with `?` behind it if it may be missing.
fn pointer(reader: &mut Reader<'_>, site: Site, text: &str) -> Option<Pointer> {
    let (path, optional) = match text.strip_suffix('?') {
        Some(path) => (path, true),
        None => (text, false),
    };
    let mut escapes = path.split('~').skip(1);
    let escaped = escapes.all(|part| part.starts_with(['0', '1']));
    if !path.starts_with('/') || !escaped {
        let message = format!("`{text}` is no place in a message");
        let label = "write the names on the way to it, each behind a `/`: /labels/severity";
        reader.error_with(Code::BadValue, site, message, label);
        return None;
    }
    Some(Pointer {
        path: path.to_owned(),
        optional,
    })
}
