//! The parser's events to the tree, without recursion and within limits.

use std::collections::BTreeMap;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span};
use upline_core::Name;

use super::explain::explain;
use super::plain::differs;
use super::text::check_text;
use super::{Entry, Kind, MAX_DEPTH, MAX_NODES, Node};
use crate::names::normal;
use crate::{Code, Diagnostic, FileId, Found, Site};

/// Up to so many keys a map is searched pair by pair for a key that it has twice.
const SMALL_MAP: usize = 16;

/// The tree of a file, if it could be read to its end. Reports everything wrong with it as YAML.
pub(crate) fn parse(text: &str, file: FileId, found: &mut Found) -> Option<Node> {
    if !check_text(text, file, found) {
        return None;
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_anchor_events = true;
    options.emit_unresolved_aliases = true;
    options.disallow_directives = true;
    let mut builder = Builder {
        text,
        file,
        found,
        open: Vec::new(),
        root: None,
        nodes: 0,
        documents: 0,
        foreign: BTreeMap::new(),
    };
    let read = builder.read(options);
    builder.report_foreign();
    if read == Err(Stop) {
        return None;
    }
    match builder.root {
        Some(root) if root.kind != Kind::Empty => Some(root),
        _ => {
            let site = Site::new(file, 0..0);
            let help = "begin with `workflow: NAME` or `directory: NAME`";
            found.report_with(
                Code::YamlSyntax,
                site,
                "there is nothing in this file",
                help,
            );
            None
        }
    }
}

/// Reading can't go on; why was reported.
#[derive(Debug, PartialEq, Eq)]
struct Stop;

/// A list or map that is not over yet.
enum Open {
    List(Site, Vec<Node>),
    Map(Site, Vec<Entry>, Option<Key>),
}

/// A key that waits for its value; `None` is one that can't be used.
type Key = Option<(Name, Site)>;

struct Builder<'a> {
    text: &'a str,
    file: FileId,
    found: &'a mut Found,
    open: Vec<Open>,
    root: Option<Node>,
    nodes: usize,
    documents: usize,
    /// What YAML has and the language does not: where it stands first, what it says, and how often it is
    /// there.
    foreign: BTreeMap<Foreign, (Site, String, usize)>,
}

/// What YAML has and the language does not. A file that uses it does so many times, and for one reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Foreign {
    Anchor,
    Alias,
    Tag,
}

impl<'a> Builder<'a> {
    fn read(&mut self, options: Options) -> Result<(), Stop> {
        for next in Parser::new_from_str_with_options(self.text, options) {
            match next {
                Ok((event, span)) => self.take(event, self.at(&span))?,
                Err(error) => {
                    let mut diagnostic = explain(self.text, self.file, &error);
                    self.point_at_open_bracket(&mut diagnostic);
                    return Err(self.stop(diagnostic));
                }
            }
        }
        Ok(())
    }

    fn foreign(&mut self, what: Foreign, at: Site, name: &str) {
        let (_, _, count) = self
            .foreign
            .entry(what)
            .or_insert_with(|| (at, name.to_owned(), 0));
        *count += 1;
    }

    fn report_foreign(&mut self) {
        for (what, (site, name, count)) in std::mem::take(&mut self.foreign) {
            let (message, label) = match what {
                Foreign::Anchor => (
                    format!("`&{name}` names a part of the file, which this language does not do"),
                    "write the text where it is needed",
                ),
                Foreign::Alias => (
                    "`*` stands for a part of the file, which this language does not do".to_owned(),
                    "write it out; a text that begins with `*` must stand in quotation marks",
                ),
                Foreign::Tag => (
                    "tags such as `!!str` are not part of the language".to_owned(),
                    "put a text in quotation marks to keep it a text",
                ),
            };
            let message = match count {
                1 => message,
                _ => format!("{message}; it is in the file {count} times"),
            };
            self.report(site, message, label);
        }
    }

    fn at(&self, span: &Span) -> Site {
        let range = span.byte_range().unwrap_or_default();
        Site::new(
            self.file,
            range.start
                ..range
                    .end
                    .clamp(range.start, self.text.len().max(range.start)),
        )
    }

    fn report(&mut self, site: Site, message: impl Into<String>, label: &str) {
        self.found
            .report_with(Code::YamlSyntax, site, message, label);
    }

    fn stop(&mut self, diagnostic: Diagnostic) -> Stop {
        self.found.push(diagnostic);
        Stop
    }

    /// Most errors after a bracket that was never closed are about something else, further down.
    fn point_at_open_bracket(&self, diagnostic: &mut Diagnostic) {
        let Some(Open::List(site, _) | Open::Map(site, ..)) = self.open.last() else {
            return;
        };
        let bracket = self.text.get(site.start..site.start + 1);
        if let Some(bracket @ ("[" | "{")) = bracket
            && site.start != diagnostic.primary.span.start
        {
            let at = Site::new(site.file, site.start..site.start + 1);
            diagnostic.also(at, format!("this `{bracket}` is still open"));
        }
    }

    fn take(&mut self, event: Event<'a>, at: Site) -> Result<(), Stop> {
        if event.tag().is_some() {
            self.foreign(Foreign::Tag, at, "");
        }
        match event {
            Event::DocumentStart(..) => return self.document(at),
            Event::Scalar(text, style, ..) => self.scalar(&text, style, at)?,
            Event::SequenceStart(..) => self.start(Open::List(at, Vec::new()), at)?,
            Event::MappingStart(..) => self.start(Open::Map(at, Vec::new(), None), at)?,
            Event::SequenceEnd | Event::MappingEnd => self.end(at)?,
            Event::Anchor(_, name) => self.foreign(Foreign::Anchor, at, &name),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.foreign(Foreign::Alias, at, "");
                self.node(Node {
                    at,
                    kind: Kind::Broken,
                })?;
            }
            _ => (),
        }
        Ok(())
    }

    fn document(&mut self, at: Site) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let mut second = Diagnostic::new(Code::YamlSyntax, at, "a second document begins here");
        second.help("a file is one workflow or one directory: put this into a file of its own");
        Err(self.stop(second))
    }

    fn start(&mut self, open: Open, at: Site) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("lists and maps are nested more than {MAX_DEPTH} deep");
            return Err(self.stop(Diagnostic::new(Code::TooLarge, at, message)));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, at: Site) -> Result<(), Stop> {
        match self.open.pop() {
            Some(Open::List(start, items)) => self.node(Node {
                at: Site {
                    end: at.end.max(start.start),
                    ..start
                },
                kind: Kind::List(items),
            }),
            Some(Open::Map(start, entries, _)) => {
                let entries = self.without_doubles(entries);
                self.node(Node {
                    at: Site {
                        end: at.end.max(start.start),
                        ..start
                    },
                    kind: Kind::Map(entries),
                })
            }
            None => Ok(()),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, at: Site) -> Result<(), Stop> {
        let plain = style == ScalarStyle::Plain;
        // The parser makes `~`, YAML's word for nothing, of a value that is not there.
        let kind = match text {
            "" | "~" if plain => Kind::Empty,
            text => match text.chars().find(|c| is_hidden(*c)) {
                Some(hidden) => {
                    self.hidden(hidden, at);
                    Kind::Broken
                }
                None => Kind::Text {
                    text: Name::new(text),
                    plain,
                },
            },
        };
        self.node(Node { at, kind })
    }

    /// Reports a character that an escape brought in, or a line break that only some tools know.
    fn hidden(&mut self, character: char, at: Site) {
        let code = u32::from(character);
        let written = self.text.get(at.span()).unwrap_or_default();
        let (message, label) = match character {
            '\u{85}' => (
                "this text has a line break that only some tools know: U+0085".to_owned(),
                "delete it; a text is one line",
            ),
            _ if written.contains(character) => (
                format!("this text has a character that nobody sees: U+{code:04X}"),
                "delete it",
            ),
            _ => (
                format!("this text has an escape for a character that nobody sees: U+{code:04X}"),
                "delete the escape",
            ),
        };
        self.found.report_with(Code::BadText, at, message, label);
    }

    /// A node that is complete goes where it belongs.
    fn node(&mut self, node: Node) -> Result<(), Stop> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("there are more than {MAX_NODES} texts, lists and maps");
            return Err(self.stop(Diagnostic::new(Code::TooLarge, node.at, message)));
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(_, items)) => items.push(node),
            Some(Open::Map(_, entries, key)) => match key.take() {
                Some(Some((key, key_at))) => entries.push(Entry {
                    key,
                    key_at,
                    value: node,
                }),
                Some(None) => (),
                None => {
                    let usable = self.key(node);
                    if let Some(Open::Map(_, _, key)) = self.open.last_mut() {
                        *key = Some(usable);
                    }
                }
            },
        }
        Ok(())
    }

    fn key(&mut self, node: Node) -> Key {
        let at = node.at;
        let (text, plain) = match node.kind {
            Kind::Text { text, plain } => (text, plain),
            Kind::Broken => return None,
            Kind::Empty => {
                self.report(at, "there is no key before this `:`", "");
                return None;
            }
            Kind::List(_) | Kind::Map(_) => {
                self.report(
                    at,
                    "a key must be a text",
                    "brackets and braces belong after the `:`",
                );
                return None;
            }
        };
        if plain && text == "<<" {
            let message = "`<<` merges maps, which this language does not do";
            self.report(at, message, "write the keys out");
            return None;
        }
        if plain && let Some(read) = differs(&text) {
            let message = format!("some tools read the key `{text}` as {read}, others as a text");
            let label = format!("write \"{text}\", or take another word");
            self.found.report_with(Code::Yaml11, at, message, label);
        }
        Some((normal(&text), at))
    }

    /// The first of the keys that stand twice in a map.
    fn without_doubles(&mut self, entries: Vec<Entry>) -> Vec<Entry> {
        if entries.len() <= SMALL_MAP {
            let doubled = |index: usize| {
                let key = &entries[index].key;
                entries[..index].iter().any(|earlier| earlier.key == *key)
            };
            if !(1..entries.len()).any(doubled) {
                return entries;
            }
        }
        let mut seen = BTreeMap::new();
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            match seen.get(&entry.key) {
                Some(first) => self.found.duplicate_key(entry.key_at, *first, &entry.key),
                None => {
                    seen.insert(entry.key.clone(), entry.key_at);
                    kept.push(entry);
                }
            }
        }
        kept
    }
}

fn is_hidden(character: char) -> bool {
    (character.is_control() && !matches!(character, '\n' | '\t'))
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}
