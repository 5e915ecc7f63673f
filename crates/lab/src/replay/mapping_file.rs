//! Reads a mapping file, with every mistake at its place.

use std::collections::BTreeMap;

use encoding_rs::{Encoding, REPLACEMENT, UTF_8};
use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use upline_dsl::reader::{Entry, Fields, Kind, Node, Reader, zone};
use upline_dsl::{Code, File, Found, Read, Site, Sources, did_you_mean, read_with};

use super::play_file;
use super::{Columns, Mapping, Means, Notation, Times, What};

/// Highest rank of a level.
pub const MAX_RANK: u32 = 1_000;

impl Mapping {
    /// Reads a mapping from a YAML file. It is returned only if no error was found; what was
    /// found is always all of it. [`Mapping::check`] compares it with a workflow.
    ///
    /// ```
    /// use upline_dsl::Sources;
    /// use upline_lab::replay::{Mapping, What};
    /// let text = "
    /// log: Telephone faults
    /// delimiter: \";\"
    /// columns: { ticket: No, time: Changed, status: [State, Detail], person: Agent }
    /// times: { format: \"%d.%m.%Y %H:%M\", zone: Europe/Berlin }
    /// means:
    ///   New / *: queued
    ///   Open / At work: taken
    ///   Done / *: closed
    /// ";
    /// let mut sources = Sources::new();
    /// let (mapping, found) = Mapping::read(&mut sources, ("map.yaml", text));
    /// assert!(found.is_empty());
    /// let means = mapping.unwrap().value.means;
    /// assert_eq!(means.of("Done / By phone"), Some(What::Closed));
    /// ```
    pub fn read<'a>(
        sources: &mut Sources,
        file: impl Into<File<'a>>,
    ) -> (Option<Read<Self>>, Found) {
        read_with(sources, file, mapping)
    }
}

fn mapping(reader: &mut Reader<'_>, root: &Node) -> Option<Mapping> {
    let start = Site {
        end: root.at.start,
        ..root.at
    };
    let mut keys = reader.map_of(root, start, "the mapping", "log: …");
    let title = keys.required(reader, "log");
    let title = title.and_then(|entry| reader.line(&entry.value, "the log's name"));
    let delimiter = match keys.optional(reader, "delimiter") {
        Some(entry) => delimiter(reader, entry),
        None => Some(b','),
    };
    let encoding = match keys.optional(reader, "encoding") {
        Some(entry) => encoding(reader, entry),
        None => Some(UTF_8),
    };
    let columns = keys.required(reader, "columns");
    let columns = columns.and_then(|entry| columns_of(reader, entry));
    let times = match keys.optional(reader, "times") {
        Some(entry) => times(reader, entry),
        None => Some(Times {
            notation: Notation::Iso,
            zone: None,
        }),
    };
    let means = keys.required(reader, "means");
    let means = means.map(|entry| means_of(reader, entry));
    let levels = keys.optional(reader, "levels");
    let levels = levels
        .map(|entry| levels_of(reader, entry))
        .unwrap_or_default();
    let play = keys.optional(reader, "play");
    let play = play.map(|entry| play_file::play_of(reader, entry));
    keys.finish(reader);
    Some(Mapping {
        title: title?,
        delimiter: delimiter?,
        encoding: encoding?,
        columns: columns?,
        times: times?,
        means: means?,
        levels,
        play,
    })
}

fn delimiter(reader: &mut Reader<'_>, entry: &Entry) -> Option<u8> {
    let Kind::Text { text, .. } = &entry.value.kind else {
        reader.wrong_type(&entry.value, entry.key_at, "the delimiter", "a text", "");
        return None;
    };
    match text.as_bytes() {
        b"tab" => Some(b'\t'),
        [one] if *one == b'\t' || *one == b' ' => Some(*one),
        [one] if one.is_ascii_punctuation() && *one != b'"' => Some(*one),
        _ => {
            let message = format!("`{}` can't part columns", shown(text));
            let label = "write one character such as \",\" \";\" or \"|\", or `tab`";
            reader.error_with(Code::BadValue, entry.value.at, message, label);
            None
        }
    }
}

fn encoding(reader: &mut Reader<'_>, entry: &Entry) -> Option<&'static Encoding> {
    let label = reader.text(&entry.value, "the encoding")?;
    // `replacement` stands for encodings that are not safe to read.
    let known = Encoding::for_label(label.as_bytes()).filter(|known| *known != REPLACEMENT);
    if known.is_none() {
        let message = format!("there is no encoding `{}`", shown(label));
        let hint = "write one such as `utf-8`, `gbk`, `big5`, `shift_jis` or `windows-1252`";
        reader.error_with(Code::BadValue, entry.value.at, message, hint);
    }
    known
}

fn columns_of(reader: &mut Reader<'_>, entry: &Entry) -> Option<Columns> {
    let shape = "ticket: …, time: …, status: …, by the names in the log's first line";
    let mut keys = reader.map(entry, "the columns", shape);
    let ticket = keys.required(reader, "ticket");
    let ticket = ticket.and_then(|entry| column(reader, &entry.value));
    let time = keys.required(reader, "time");
    let time = time.and_then(|entry| column(reader, &entry.value));
    let status = keys.required(reader, "status").map(|entry| {
        let parts = reader.items(entry).iter();
        let parts: Vec<_> = parts.map(|node| column(reader, node)).collect();
        parts.into_iter().collect::<Option<Vec<_>>>()
    });
    let mut optional = |keys: &mut Fields<'_>, key| {
        let entry = keys.optional(reader, key);
        entry.and_then(|entry| column(reader, &entry.value))
    };
    let person = optional(&mut keys, "person");
    let team = optional(&mut keys, "team");
    let level = optional(&mut keys, "level");
    if let Some(entry) = keys.optional(reader, "status")
        && matches!(&entry.value.kind, Kind::List(items) if items.is_empty())
    {
        let message = "the status must be made of at least one column";
        reader.error(Code::BadValue, entry.value.at, message);
    }
    keys.finish(reader);
    Some(Columns {
        ticket: ticket?,
        time: time?,
        status: status.flatten()?,
        person,
        team,
        level,
    })
}

/// The name of a column: any text.
pub(super) fn column(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Text { text, .. } if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Kind::Text { .. } => {
            reader.error(Code::BadValue, node.at, "a column must have a name");
            None
        }
        _ => {
            reader.wrong_type(
                node,
                node.at,
                "a column",
                "the name in the log's first line",
                "",
            );
            None
        }
    }
}

fn times(reader: &mut Reader<'_>, entry: &Entry) -> Option<Times> {
    let shape = "{ format: iso, zone: Europe/Berlin }";
    let mut keys = reader.map(entry, "the times", shape);
    let format = keys.optional(reader, "format");
    let zone_entry = keys.optional(reader, "zone");
    let found = zone_entry.map(|entry| zone(reader, entry));
    keys.finish(reader);
    let zone = match found {
        Some(None) => return None,
        Some(Some((_, zone))) => Some(zone),
        None => None,
    };
    let notation = match format {
        None => Notation::Iso,
        Some(format) => {
            let text = reader.text(&format.value, "the format of the times")?;
            notation(reader, format.value.at, text, zone.is_some())?
        }
    };
    Some(Times { notation, zone })
}

fn notation(reader: &mut Reader<'_>, at: Site, text: &str, has_zone: bool) -> Option<Notation> {
    match text {
        "iso" => return Some(Notation::Iso),
        "unix" => return Some(Notation::UnixSeconds),
        "unix-millis" => return Some(Notation::UnixMillis),
        _ => {}
    }
    let mut wrong = |message: String, label: &str| {
        reader.error_with(Code::BadValue, at, message, label);
        None
    };
    if !text.contains('%') {
        let message = format!("`{}` is no format of times", shown(text));
        let label = "write `iso`, `unix`, `unix-millis`, or a pattern such as \"%d.%m.%Y %H:%M\"";
        return wrong(message, label);
    }
    // What a pattern writes it must be able to read: day, month and year are there, and nothing that
    // can only be written.
    let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    let read = jiff::fmt::strtime::format(text, &sample)
        .and_then(|written| BrokenDownTime::parse(text, &written));
    let parts = match read {
        Ok(parts) => parts,
        Err(error) => {
            let message = format!("times can't be read with this pattern: {error}");
            return wrong(message, "a pattern such as \"%d.%m.%Y %H:%M\"");
        }
    };
    if parts.to_datetime().is_err() && parts.to_timestamp().is_err() {
        let message = "this pattern has no whole date".to_owned();
        return wrong(
            message,
            "it needs year, month and day, such as \"%Y-%m-%d\"",
        );
    }
    if parts.offset().is_none() && parts.to_timestamp().is_err() && !has_zone {
        let message = "times of this pattern have no offset from UTC".to_owned();
        return wrong(
            message,
            "add their zone: { format: …, zone: Europe/Berlin }",
        );
    }
    Some(Notation::Pattern(text.to_owned()))
}

fn means_of(reader: &mut Reader<'_>, entry: &Entry) -> Means {
    let shape = "STATUS: queued, one line for each status";
    let mut means = Means::default();
    for entry in reader.named(entry, "what the statuses mean", shape) {
        let Some(word) = reader.text(&entry.value, "a meaning") else {
            continue;
        };
        if let Some(what) = meaning(reader, entry.value.at, word) {
            means.add(&entry.key, what);
        }
    }
    means
}

/// One of the meanings.
pub(super) fn meaning(reader: &mut Reader<'_>, at: Site, word: &str) -> Option<What> {
    let what = What::from_word(word);
    if what.is_none() {
        let words = What::ALL.map(What::as_str);
        let label = match did_you_mean(word, words) {
            Some(like) => format!("did you mean `{like}`?"),
            None => format!("write one of: {}", words.join(", ")),
        };
        let message = format!("`{}` is no meaning", shown(word));
        reader.error_with(Code::BadValue, at, message, label);
    }
    what
}

fn levels_of(reader: &mut Reader<'_>, entry: &Entry) -> BTreeMap<String, u16> {
    let shape = "LEVEL: 1, one for each level";
    let levels = reader.named(entry, "the levels", shape);
    let ranked = levels.iter().filter_map(|entry| {
        let rank = reader.number(entry, 1, MAX_RANK)?;
        Some((entry.key.trim().to_owned(), u16::try_from(rank).ok()?))
    });
    ranked.collect()
}

/// A piece of the file as a message repeats it.
pub(super) fn shown(text: &str) -> String {
    super::problems::quoted(text)
}
