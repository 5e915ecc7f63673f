//! From a letter to a mail: headers, threading, and both parts.

use jiff::Timestamp;
use lettre::Address;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, MultiPart, SinglePart};
use upline::core::{Person, Recipient, Value};
use upline::notify::Message;

use super::address::{address, as_it_stands, checked, display, mailbox};
use super::{MailSettings, Reply};
use crate::tell::Letter;
use crate::thread::Threads;

/// Who mail is from, and where answers go.
#[derive(Debug, Clone)]
pub(super) struct Sender {
    pub(super) from: Mailbox,
    reply_to: Option<Mailbox>,
    /// Whether answers go to an address that says what they answer.
    sub_addresses: bool,
}

/// What a mail's headers say besides its subject.
struct Envelope {
    to: Mailbox,
    own: String,
    thread: Option<String>,
    reply_to: Option<Mailbox>,
    /// A word of its own, for what sets the parts apart.
    key: String,
    date: Timestamp,
}

/// A mail, and to whom.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

impl Sender {
    /// # Errors
    /// What is wrong with the settings, a line for the operator.
    pub(super) fn new(settings: &MailSettings) -> Result<Self, String> {
        let from = mailbox(&settings.from).map_err(|why| format!("`from`: {why}"))?;
        let reply_to = settings.reply_to.as_deref().map(mailbox).transpose();
        Ok(Self {
            from,
            reply_to: reply_to.map_err(|why| format!("`reply-to`: {why}"))?,
            sub_addresses: settings.sub_addresses,
        })
    }

    /// # Errors
    /// Why there is no mail that could be sent: no address, a wrong one.
    pub(super) fn mail(
        &self,
        threads: &Threads,
        message: &Message,
        letter: &Letter,
    ) -> Result<Ready, String> {
        let to = recipient(message)?;
        let domain = self.from.email.domain();
        let own = threads.of_message(message, domain);
        let thread = threads.of_ticket(&message.ticket.id, domain);
        let reply_to = match &self.reply_to {
            Some(reply_to) => Some(self.answers(threads, message, reply_to)?),
            None => None,
        };
        let envelope = Envelope {
            to,
            own,
            thread: Some(thread),
            reply_to,
            key: message.key.clone(),
            date: message.written,
        };
        self.build(&envelope, letter)
    }

    /// Where answers go.
    fn answers(
        &self,
        threads: &Threads,
        message: &Message,
        reply_to: &Mailbox,
    ) -> Result<Mailbox, String> {
        let plain: &str = reply_to.email.as_ref();
        let tagged = threads.reply_to(message, plain);
        match tagged.filter(|_| self.sub_addresses) {
            Some(tagged) => Ok(Mailbox::new(reply_to.name.clone(), address(&tagged)?)),
            // The thread says what is answered.
            None => Ok(reply_to.clone()),
        }
    }

    /// A mail that is about no ticket. The key is the same for every try, and for no other mail.
    pub(super) fn plain(
        &self,
        person: &Person,
        key: &str,
        date: Timestamp,
        letter: &Letter,
    ) -> Result<Ready, String> {
        let envelope = Envelope {
            to: of_person(person)?,
            own: format!("{key}@{}", self.from.email.domain()),
            thread: None,
            reply_to: self.reply_to.clone(),
            key: key.to_owned(),
            date,
        };
        self.build(&envelope, letter)
    }

    /// A mail to whoever keeps the daemon running. The key is of no other mail.
    pub(super) fn to_operator(
        &self,
        to: &Mailbox,
        key: &str,
        date: Timestamp,
        letter: &Letter,
    ) -> Result<Ready, String> {
        let envelope = Envelope {
            to: to.clone(),
            own: format!("{key}@{}", self.from.email.domain()),
            thread: None,
            reply_to: None,
            key: key.to_owned(),
            date,
        };
        self.build(&envelope, letter)
    }

    /// A mail about a ticket that answers one of a person's.
    pub(super) fn reply(
        &self,
        threads: &Threads,
        reply: &Reply<'_>,
        letter: &Letter,
    ) -> Result<Ready, String> {
        let domain = self.from.email.domain();
        let to = Recipient::Person(reply.person.id.clone());
        let own = threads.of_other(reply.ticket, reply.key, reply.written, &to, domain);
        let envelope = Envelope {
            to: of_person(reply.person)?,
            own,
            thread: Some(threads.of_ticket(reply.ticket, domain)),
            reply_to: self.reply_to.clone(),
            key: reply.key.to_owned(),
            date: reply.written,
        };
        self.build(&envelope, letter)
    }

    fn build(&self, envelope: &Envelope, letter: &Letter) -> Result<Ready, String> {
        let subject = checked("the subject", as_it_stands(&letter.subject))?;
        let own = checked("the message's id", format!("<{}>", envelope.own))?;
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .to(envelope.to.clone())
            .subject(subject)
            .date(std::time::SystemTime::from(envelope.date))
            .message_id(Some(own));
        if let Some(thread) = &envelope.thread {
            let thread = checked("the thread's id", format!("<{thread}>"))?;
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        if let Some(reply_to) = &envelope.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        let list = format!("Upline <upline.{}>", self.from.email.domain());
        for (name, value) in [
            (
                HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated",
            ),
            (
                HeaderName::new_from_ascii_str("X-Auto-Response-Suppress"),
                "All",
            ),
            (HeaderName::new_from_ascii_str("List-Id"), &list),
        ] {
            let value = checked("a header", value.to_owned())?;
            builder = builder.raw_header(HeaderValue::new(name, value));
        }
        let text = part(ContentType::TEXT_PLAIN, &letter.text)?;
        let mail = match &letter.html {
            None => builder.singlepart(text),
            Some(html) => {
                // What the encodings write never holds `=_`, so no text can end its part early.
                let boundary = format!("=_upline_{}", envelope.key);
                let parts = MultiPart::alternative().boundary(boundary);
                let html = part(ContentType::TEXT_HTML, html)?;
                builder.multipart(parts.singlepart(text).singlepart(html))
            }
        };
        let mail = mail.map_err(|error| error.to_string())?;
        Ok(Ready {
            to: envelope.to.email.clone(),
            bytes: mail.formatted(),
        })
    }
}

fn part(kind: ContentType, text: &str) -> Result<SinglePart, String> {
    let ascii = text.bytes().filter(u8::is_ascii).count();
    // Chinese as quoted-printable is three times as long as in base64.
    let encoding = match ascii * 6 >= text.len() * 5 {
        true => ContentTransferEncoding::QuotedPrintable,
        false => ContentTransferEncoding::Base64,
    };
    let body = Body::new_with_encoding(text.to_owned(), encoding);
    let body = body.map_err(|_| "the text can't be put into a mail".to_owned())?;
    Ok(SinglePart::builder().header(kind).body(body))
}

fn of_person(person: &Person) -> Result<Mailbox, String> {
    let mail = person.mail.as_deref();
    let mail = mail.ok_or_else(|| format!("`{}` has no mail address", person.id))?;
    Ok(Mailbox::new(display(&person.name), address(mail)?))
}

/// To whom a message goes.
fn recipient(message: &Message) -> Result<Mailbox, String> {
    match &message.to {
        Recipient::Person(id) => {
            let person = message.person.as_ref();
            let person = person.ok_or_else(|| format!("`{id}` is not in the directory"))?;
            of_person(person)
        }
        Recipient::Contact(field) => match message.ticket.fields.get(field) {
            Some(Value::Text(text)) => {
                mailbox(text).map_err(|why| format!("the field `{field}`: {why}"))
            }
            _ => Err(format!("the field `{field}` is empty")),
        },
    }
}
