//! How the mails of a ticket find each other: the ids that mails which are sent bear, and that their answers
//! bring back.
//!
//! - The id of a ticket, `up.t12.MAC`, stands in the `References` of every mail about it. It proves that
//!   whoever brings it back has seen one of them.
//! - The id of one mail, `up.t12.12-3.6a1b2c3d.MAC`, is its `Message-ID`, and part of its `Reply-To`, as in
//!   `desk+up.…@example.com`. It proves the same, and to whom that mail went.
//!
//! The MAC is made with a key that lies in the data folder, so that nobody can make one up: neither for a
//! ticket that he has not heard of, nor in the name of somebody else. It says nothing about who holds it now,
//! as little as a letter does: whoever passes a mail on passes its id on.

use std::path::Path;

use jiff::Timestamp;
use upline::core::{Name, Recipient};
use upline::notify::Message;

use crate::keyfile::{KeyFileError, secret};

/// The file in the data folder with the key of all ids.
pub const KEY_FILE: &str = "mail.key";

/// Longest id of a ticket that an id of a mail holds, in bytes.
pub const MAX_TICKET_BYTES: usize = 256;

/// Longest part before the `@` of an address.
const MAX_LOCAL_BYTES: usize = 64;
/// Bytes of a MAC in an id: 96 bits can't be guessed by sending mails.
const MAC_BYTES: usize = 12;
/// What every id begins with.
const MARK: &str = "up.";

/// Makes ids, and reads them again.
#[derive(Clone)]
pub struct Threads {
    key: [u8; blake3::KEY_LEN],
}

impl std::fmt::Debug for Threads {
    /// Without the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

/// What an id says. That it is one of ours, [`Threads::is_of`] or [`Threads::is_to`] finds out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The ticket.
    pub ticket: Name,
    /// The mail; `None`: it is the id of the ticket.
    pub told: Option<Told>,
    mac: String,
}

/// One mail that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The message's key.
    pub key: String,
    /// When the message was written, in seconds since 1970.
    pub written: i64,
}

impl Threads {
    /// With the key of this data folder, which is made if there is none: readable by its owner alone. A
    /// backup that lacks it is whole; only answers to mails from before are not recognised then.
    ///
    /// # Errors
    /// If the file can't be read or made, or is something else.
    pub fn in_folder(data: &Path) -> Result<Self, KeyFileError> {
        let key = secret(data, KEY_FILE)?;
        Ok(Self { key })
    }

    /// The id of a ticket, which every mail about it has in its `References`: without brackets, at this
    /// domain.
    #[must_use]
    pub fn of_ticket(&self, ticket: &str, domain: &str) -> String {
        let mac = self.mac(&["ticket", ticket]);
        format!("{MARK}{}.{mac}@{domain}", written_as(ticket))
    }

    /// The id of the mail for a message: the same for every try. Without brackets, at this domain.
    #[must_use]
    pub fn of_message(&self, message: &Message, domain: &str) -> String {
        format!("{MARK}{}@{domain}", self.tag(message))
    }

    /// The address that answers to the mail go to: `desk+TAG@example.com` for `desk@example.com`. `None`: it
    /// would be too long, or is no address.
    #[must_use]
    pub fn reply_to(&self, message: &Message, address: &str) -> Option<String> {
        let (local, domain) = address.rsplit_once('@')?;
        let local = format!("{local}+{MARK}{}", self.tag(message));
        (local.len() <= MAX_LOCAL_BYTES).then(|| format!("{local}@{domain}"))
    }

    fn tag(&self, message: &Message) -> String {
        let ticket = &message.ticket.id;
        let told = Told {
            key: message.key.clone(),
            written: message.written.as_second(),
        };
        let mac = self.told_mac(ticket, &told, &message.to);
        let ticket = written_as(ticket);
        format!("{ticket}.{}.{:x}.{mac}", told.key, told.written)
    }

    /// Reads an id, with or without brackets, or the address of an answer. `None`: it is none of ours.
    #[must_use]
    pub fn read(text: &str) -> Option<Mark> {
        let text = text.trim().trim_start_matches('<').trim_end_matches('>');
        let (local, _) = text.rsplit_once('@')?;
        // Some servers write it in other letters; an id has none that would be lost by it.
        let local = local.to_ascii_lowercase();
        let tag = match local.strip_prefix(MARK) {
            Some(tag) => tag,
            None => local.rsplit_once('+')?.1.strip_prefix(MARK)?,
        };
        let parts: Vec<&str> = tag.split('.').collect();
        let (ticket, told, mac) = match parts[..] {
            [ticket, mac] => (ticket, None, mac),
            [ticket, key, written, mac] => {
                let written = i64::from_str_radix(written, 16).ok()?;
                let key = key.to_owned();
                (ticket, Some(Told { key, written }), mac)
            }
            _ => return None,
        };
        let ticket = Name::new(read_as(ticket)?);
        let mac = mac.to_owned();
        Some(Mark { ticket, told, mac })
    }

    /// Whether it is the id of its ticket.
    #[must_use]
    pub fn is_of(&self, mark: &Mark) -> bool {
        mark.told.is_none() && same(&mark.mac, &self.mac(&["ticket", &mark.ticket]))
    }

    /// Whether it is of a mail that went to this recipient.
    #[must_use]
    pub fn is_to(&self, mark: &Mark, to: &Recipient) -> bool {
        let told = mark.told.as_ref();
        told.is_some_and(|told| same(&mark.mac, &self.told_mac(&mark.ticket, told, to)))
    }

    /// The id of a mail to somebody that is no message of the engine: of lower-case letters, digits and `-`
    /// is its key. Without brackets, at this domain.
    pub(crate) fn of_other(
        &self,
        ticket: &str,
        key: &str,
        written: Timestamp,
        to: &Recipient,
        domain: &str,
    ) -> String {
        let told = Told {
            key: key.to_owned(),
            written: written.as_second(),
        };
        let mac = self.told_mac(ticket, &told, to);
        let ticket = written_as(ticket);
        let written = told.written;
        format!("{MARK}{ticket}.{key}.{written:x}.{mac}@{domain}")
    }

    /// The id of a mail that went to somebody, for tests that send none.
    #[cfg(test)]
    pub(crate) fn made(&self, ticket: &str, written: Timestamp, to: &Recipient) -> String {
        self.of_other(ticket, &format!("{ticket}-1"), written, to, "example.com")
    }

    fn told_mac(&self, ticket: &str, told: &Told, to: &Recipient) -> String {
        let (kind, name) = match to {
            Recipient::Person(name) => ("person", name),
            Recipient::Contact(name) => ("contact", name),
        };
        let written = told.written.to_string();
        self.mac(&["told", ticket, &told.key, &written, kind, name])
    }

    fn mac(&self, parts: &[&str]) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            // No two lists of parts are the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let hash = hasher.finalize();
        hex(&hash.as_bytes()[..MAC_BYTES])
    }
}

impl Told {
    /// How long before `now` the message was written, in seconds.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> i64 {
        now.as_second().saturating_sub(self.written)
    }
}

/// In the same time, wherever they differ.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let pairs = one.iter().zip(other);
    one.len() == other.len() && pairs.fold(0, |all, (a, b)| all | (a ^ b)) == 0
}

/// A ticket's id in an id of a mail: as it is, where mail servers leave it as it is.
fn written_as(ticket: &str) -> String {
    let plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    match ticket.chars().all(plain) {
        true => format!("t{ticket}"),
        false => format!("x{}", hex(ticket.as_bytes())),
    }
}

fn read_as(text: &str) -> Option<String> {
    let bytes = match text.split_at_checked(1)? {
        ("t", plain) => plain.as_bytes().to_vec(),
        ("x", digits) => unhex(digits)?,
        _ => return None,
    };
    let text = String::from_utf8(bytes).ok()?;
    let fits = (1..=MAX_TICKET_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    fits.then_some(text)
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let read = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16)
            .ok()
            .filter(|_| pair.len() == 2)
    };
    pairs.map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads() -> Threads {
        Threads { key: [7; 32] }
    }

    fn mark(threads: &Threads, ticket: &str, to: &Recipient) -> String {
        let told = Told {
            key: "12-3".into(),
            written: 1_780_000_000,
        };
        let mac = threads.told_mac(ticket, &told, to);
        format!("{}.12-3.{:x}.{mac}", written_as(ticket), told.written)
    }

    #[test]
    fn an_id_is_read_back_wherever_an_answer_brings_it() {
        let threads = threads();
        let ann = Recipient::Person("ann".into());
        for ticket in ["12", "Réf. 7/A", "UPPER", "a_b-c"] {
            let tag = mark(&threads, ticket, &ann);
            for text in [
                format!("<up.{tag}@example.com>"),
                format!("  up.{tag}@example.com "),
                format!("desk+up.{tag}@example.com"),
                format!("desk+up.{tag}@example.com").to_uppercase(),
            ] {
                let read = Threads::read(&text).unwrap();
                assert_eq!(read.ticket, ticket, "{text}");
                assert!(
                    threads.is_to(&read, &ann) && !threads.is_of(&read),
                    "{text}"
                );
            }
            let read = Threads::read(&threads.of_ticket(ticket, "example.com")).unwrap();
            assert!(threads.is_of(&read) && read.ticket == ticket);
        }
    }

    #[test]
    fn nobody_makes_one_up() {
        let (threads, ann) = (threads(), Recipient::Person("ann".into()));
        let tag = mark(&threads, "12", &ann);
        let read = |text: String| Threads::read(&text).unwrap();
        let others = [
            Recipient::Person("bob".into()),
            Recipient::Contact("ann".into()),
        ];
        for other in &others {
            assert!(!threads.is_to(&read(format!("up.{tag}@x")), other));
        }
        for changed in [
            tag.replace("t12", "t13"),
            tag.replace("12-3", "12-4"),
            tag.replace("6a18", "6a19"),
        ] {
            assert_ne!(changed, tag);
            assert!(
                !threads.is_to(&read(format!("up.{changed}@x")), &ann),
                "{changed}"
            );
        }
        let other = Threads { key: [8; 32] };
        assert!(!other.is_to(&read(format!("up.{tag}@x")), &ann));
        assert!(!other.is_of(&read(threads.of_ticket("12", "x"))));
    }

    #[test]
    fn what_is_no_id_is_none() {
        let long = format!("up.x{}.00@x", "61".repeat(MAX_TICKET_BYTES + 1));
        for text in [
            "",
            "@",
            "<>",
            "up.@x",
            "up.t.00@x",
            "up.12.00@x",
            "up.t12@x",
            "up.t12.a.zz.00@x",
            "up.t12.a.1.00.00@x",
            "up.x6.00@x",
            "up.xzz.00@x",
            "up.xff.00@x",
            "up.x0a.00@x",
            "desk+12@x",
            "no-at",
            &long,
        ] {
            assert_eq!(Threads::read(text), None, "{text}");
        }
    }

    #[test]
    fn the_key_stays_and_is_its_owners_alone() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let made = Threads::in_folder(folder.path()).unwrap();
        let again = Threads::in_folder(folder.path()).unwrap();
        assert_eq!(made.key, again.key);
        let file = fs::metadata(folder.path().join(KEY_FILE)).unwrap();
        assert_eq!(file.permissions().mode() & 0o777, 0o600);
        fs::write(folder.path().join(KEY_FILE), "short").unwrap();
        assert!(Threads::in_folder(folder.path()).is_err());
    }
}
