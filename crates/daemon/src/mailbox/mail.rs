//! From bytes to a mail. Whatever the bytes are, this ends soon, takes bounded memory, and says why it can't.

use std::panic::catch_unwind;

use mail_parser::{
    Address, HeaderName, HeaderValue, Message, MessageParser, MimeHeaders, PartType,
};

use super::automatic::{self, Automatic};
use super::html;

/// Most bytes of a mail; a larger one is put aside without being read.
pub const MAX_MAIL_BYTES: usize = 25 * 1024 * 1024;

/// Most parts of a mail, also of mails in it: deeper nests than this are made to exhaust whoever reads them.
pub const MAX_PARTS: usize = 500;

/// Most addresses of recipients that are looked at.
pub const MAX_RECIPIENTS: usize = 200;

/// Most ids of earlier mails that are looked at, the nearest first.
pub const MAX_REFERENCES: usize = 50;

/// Most bytes of the text of a mail that are kept in memory; what a ticket holds is less.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// Most attachments of a mail; of more, the first are kept and the others counted.
pub const MAX_ATTACHMENTS: usize = 20;

/// Longest address, in bytes.
const MAX_ADDRESS_BYTES: usize = 254;
/// Longest id of a mail that is told from others by it, in bytes.
const MAX_ID_BYTES: usize = 998;
/// Longest name of a person or a file, in characters.
const MAX_NAME_CHARS: usize = 128;
/// Longest subject, in characters.
const MAX_SUBJECT_CHARS: usize = 256;

/// A mail, as far as it concerns a ticket. All texts are clean: no control characters but line ends and tabs,
/// and none that turn the direction of what follows.
#[derive(Debug, Clone)]
pub(crate) struct Mail {
    /// Its `Message-ID`, without brackets.
    pub(crate) id: Option<String>,
    pub(crate) from: Sender,
    /// To whom, as far as it was looked at.
    pub(crate) to: Vec<String>,
    /// One line; empty, if it has none.
    pub(crate) subject: String,
    pub(crate) text: String,
    /// The ids of the mails that it answers, the nearest first.
    pub(crate) refers: Vec<String>,
    pub(crate) attachments: Vec<Attachment>,
    /// How many attachments there are besides.
    pub(crate) more_attachments: usize,
    /// That no person wrote it.
    pub(crate) automatic: Option<Automatic>,
    /// When it says that it was written, in seconds since 1970.
    pub(crate) date: Option<i64>,
}

/// Who says that he wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sender {
    pub(crate) name: String,
    /// In lower case.
    pub(crate) address: String,
}

impl Sender {
    /// As a contact field holds it.
    pub(crate) fn contact(&self) -> String {
        // Brackets are what sets the address apart.
        let name: String = self
            .name
            .chars()
            .filter(|c| !matches!(c, '<' | '>'))
            .collect();
        match name.trim() {
            "" => self.address.clone(),
            name => format!("{name} <{}>", self.address),
        }
    }
}

/// A file that came with a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Mail {
    /// Tells it from all other mails; read again it is the same. The id alone would not do: whoever sends
    /// writes it, and may write the same twice.
    pub(crate) fn digest(&self) -> [u8; blake3::OUT_LEN] {
        let mut hasher = blake3::Hasher::new();
        let id = self.id.as_deref().unwrap_or_default();
        let date = self.date.unwrap_or_default().to_string();
        for part in [id, &self.from.address, &date, &self.subject, &self.text] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        for attachment in &self.attachments {
            hasher.update(blake3::hash(&attachment.bytes).as_bytes());
        }
        *hasher.finalize().as_bytes()
    }
}

/// Reads a mail.
///
/// # Errors
/// Why it is none that anything could be done with, as a line for the log.
pub(crate) fn read(bytes: &[u8]) -> Result<Mail, String> {
    if bytes.len() > MAX_MAIL_BYTES {
        return Err(format!("it is larger than {MAX_MAIL_BYTES} bytes"));
    }
    if parts(bytes) > MAX_PARTS {
        return Err(format!("it has more than {MAX_PARTS} parts"));
    }
    // What others wrote is read by what others wrote; its mistakes end here.
    let read = catch_unwind(|| understood(bytes));
    read.unwrap_or_else(|_| Err("it can't be read".to_owned()))
}

/// How many parts there can be at most: each has a header that says what it is, or is inside of one.
fn parts(bytes: &[u8]) -> usize {
    const HEADER: &[u8] = b"content-type";
    let windows = bytes.windows(HEADER.len());
    windows
        .filter(|window| window.eq_ignore_ascii_case(HEADER))
        .count()
}

fn understood(bytes: &[u8]) -> Result<Mail, String> {
    let parsed = MessageParser::default().parse(bytes);
    let message = parsed.filter(|message| !message.parts.is_empty());
    let message = message.ok_or("it has no headers")?;
    let from = sender(&message)?;
    let (attachments, more_attachments) = attachments(&message);
    Ok(Mail {
        id: id(message.message_id()),
        to: recipients(&message),
        subject: line(message.subject().unwrap_or_default(), MAX_SUBJECT_CHARS),
        text: text(&message),
        refers: refers(&message),
        automatic: automatic::find(&message, &from),
        date: message.date().map(mail_parser::DateTime::to_timestamp),
        attachments,
        more_attachments,
        from,
    })
}

fn sender(message: &Message<'_>) -> Result<Sender, String> {
    let from = message.from().and_then(Address::first);
    let from = from.ok_or("it does not say from whom it is")?;
    let address = from.address().and_then(address);
    let address = address.ok_or("what it says of its sender is no address")?;
    let name = line(from.name().unwrap_or_default(), MAX_NAME_CHARS);
    Ok(Sender { name, address })
}

/// An address in lower case, if it is one.
pub(crate) fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let (local, domain) = text.rsplit_once('@')?;
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>\"(),:;\\[]".contains(c);
    let fits = text.len() <= MAX_ADDRESS_BYTES && !local.is_empty() && !domain.is_empty();
    (fits && !text.contains(odd)).then(|| text.to_lowercase())
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let named = message.all_to().chain(message.all_cc());
    let named = named.flat_map(Address::iter);
    let named = named.filter_map(|one| one.address().and_then(address));
    // Written by servers: also for those who were not named.
    let delivered = ["Delivered-To", "X-Original-To", "Envelope-To"];
    let delivered = delivered.iter().filter_map(|header| {
        let text = message.header_raw(*header)?;
        address(text.trim().trim_start_matches('<').trim_end_matches('>'))
    });
    delivered.chain(named).take(MAX_RECIPIENTS).collect()
}

fn refers(message: &Message<'_>) -> Vec<String> {
    let ids = |header| message.header_values(header).flat_map(texts);
    let mut earlier: Vec<&str> = ids(HeaderName::References).collect();
    earlier.reverse();
    let answered = ids(HeaderName::InReplyTo);
    let all = answered.chain(earlier).filter_map(|text| id(Some(text)));
    all.take(MAX_REFERENCES).collect()
}

fn texts<'a>(value: &'a HeaderValue<'_>) -> Vec<&'a str> {
    match value {
        HeaderValue::Text(text) => vec![text],
        HeaderValue::TextList(list) => list.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    }
}

/// An id without brackets, if it is one.
pub(crate) fn id(text: Option<&str>) -> Option<String> {
    let text = text?.trim().trim_start_matches('<').trim_end_matches('>');
    let odd = |c: char| c.is_control() || c.is_whitespace();
    let fits = (1..=MAX_ID_BYTES).contains(&text.len()) && !text.contains(odd);
    fits.then(|| text.to_owned())
}

/// What people read of it: its texts, one after the other.
fn text(message: &Message<'_>) -> String {
    let mut all = String::new();
    for part in message.text_bodies() {
        let text = match &part.body {
            PartType::Text(text) => clean(text),
            PartType::Html(html) => clean(&html::text(cut(html, MAX_TEXT_BYTES))),
            _ => continue,
        };
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(cut(text.trim(), MAX_TEXT_BYTES));
        if all.len() > MAX_TEXT_BYTES {
            all.truncate(cut(&all, MAX_TEXT_BYTES).len());
            break;
        }
    }
    all
}

fn attachments(message: &Message<'_>) -> (Vec<Attachment>, usize) {
    let mut kept = Vec::new();
    let mut more = 0;
    for part in message.attachments() {
        // The other form of a text that was read already.
        let twin = matches!(part.body, PartType::Text(_) | PartType::Html(_));
        if twin && part.attachment_name().is_none() {
            continue;
        }
        if kept.len() == MAX_ATTACHMENTS {
            more += 1;
            continue;
        }
        let bytes = match &part.body {
            PartType::Message(message) => message.raw_message().to_vec(),
            _ => part.contents().to_vec(),
        };
        let name = line(part.attachment_name().unwrap_or_default(), MAX_NAME_CHARS);
        let name = match name.as_str() {
            "" => "unnamed".to_owned(),
            _ => name,
        };
        kept.push(Attachment { name, bytes });
    }
    (kept, more)
}

/// At most so many bytes of a text.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// Without control characters but line ends and tabs, and without those that turn the text round or hide.
pub(crate) fn clean(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let harmful = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    text.chars().filter(|c| !harmful(*c)).collect()
}

/// One clean line of at most so many characters.
pub(crate) fn line(text: &str, chars: usize) -> String {
    let text = clean(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(chars).collect()
}
