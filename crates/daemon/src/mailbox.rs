//! Taking in mail: from a mailbox to a ticket.
//!
//! | what | where |
//! |---|---|
//! | the settings of a mailbox | `settings` |
//! | from bytes to a mail: bounded, decoded, clean | `mail`, `html` |
//! | what is the answer, and what is quoted | `quote` |
//! | mails that no person wrote | `automatic` |
//! | whose mail it is, and what becomes of it | `room`, `answer`, `open` |
//! | what is sent back if a word of command was not carried out | `reply` |
//! | a folder on this machine | `maildir` |
//! | a server elsewhere | `imap` |
//!
//! A mail proves little about who wrote it. `From` is whatever its sender wrote there, so that alone never
//! moves a ticket: an answer must bring back the id of a mail that went to that person alone
//! ([`thread`](crate::thread)). What it may do then is what a link may do.
//!
//! A mail is marked as taken only when what it asks for is on disk. Read again after a crash it is the same
//! command, since the command's id is made from the mail.

mod answer;
mod attachments;
mod automatic;
mod figures;
mod html;
mod imap;
mod mail;
mod maildir;
mod open;
mod quote;
mod reply;
mod room;
mod run;
mod settings;
mod words;

pub use answer::COMMAND_SECONDS;
pub(crate) use figures::{BECAME, Figures};
pub use mail::{
    MAX_ATTACHMENTS, MAX_MAIL_BYTES, MAX_PARTS, MAX_RECIPIENTS, MAX_REFERENCES, MAX_TEXT_BYTES,
};
pub use reply::{MAX_REPLIES, MAX_REPLIES_PER_HOUR, REPLY_SECONDS};
pub(crate) use run::{Given, Mailboxes, start};
pub use settings::{
    AfterEnd, DEFAULT_EVERY, DEFAULT_FOLDER_EVERY, DEFAULT_PER_HOUR, ImapSettings, MAX_EVERY,
    MailboxSettings, MayOpen, OnAnswer, Strangers, Where,
};

/// The sender, the subject and the text of a mail.
#[cfg(test)]
pub(crate) fn read_for_tests(bytes: &[u8]) -> Result<(String, String, String), String> {
    let mail = mail::read(bytes)?;
    Ok((mail.from.contact(), mail.subject, mail.text))
}
