//! A mail that opens a ticket.

use upline::Error;
use upline::core::value::MAX_TEXT_BYTES;
use upline::core::{Actor, Name, Rejection, Typed, Wish};

use super::figures::Became;
use super::mail::{Mail, line};
use super::room::{Room, Stop};
use super::settings::MayOpen;
use crate::thread::hex;

/// Longest line that a field takes, in characters.
const MAX_LINE_CHARS: usize = 500;

/// The key by which the ticket that a mail has opened is found by answers to that mail.
pub(super) fn key(id: &str) -> Name {
    let hash = blake3::hash(id.as_bytes());
    Name::new(format!("mail:{}", hex(&hash.as_bytes()[..16])))
}

impl Room {
    /// Opens a ticket, if the sender may. `ended`: the mail answers this ticket.
    pub(super) async fn open(
        &self,
        mail: &Mail,
        ended: Option<&Name>,
    ) -> Result<(Became, Name), Stop> {
        let Some(workflow) = &self.settings.workflow else {
            let why = "it answers no ticket, and mail opens none here";
            return Err(Stop::Aside(why.to_owned()));
        };
        if !self.may_open(mail).await? {
            let why = "it answers no ticket, and its sender may open none";
            return Err(Stop::Aside(why.to_owned()));
        }
        self.keep_attachments(mail).await?;
        let key = mail.id.as_deref().map(key);
        let fields = self.fields(mail, ended);
        match self.open_as(mail, workflow, key, "open", &fields).await {
            // Another mail has the same id, though it says something else: that is its writer's mistake.
            Err(Error::SameKey { .. }) => {
                let opened = self
                    .open_as(mail, workflow, None, "open alike", &fields)
                    .await;
                opened.or_else(|error| self.opened_before(error))
            }
            other => other.or_else(|error| self.opened_before(error)),
        }
        .map(|ticket| (Became::Opened, ticket))
    }

    /// The mail was read before, under other settings.
    fn opened_before(&self, error: Error) -> Result<Name, Stop> {
        match error {
            Error::OtherCommand => Ok(Name::default()),
            // The mail is not to blame, but what the settings make of it.
            Error::Rejected(rejection @ Rejection::Form { .. }) => {
                let name = &self.name;
                let why = format!("`[mailbox.{name}]` does not fit the workflow: {rejection}");
                Err(Stop::Later(why))
            }
            other => Err(other.into()),
        }
    }

    async fn open_as(
        &self,
        mail: &Mail,
        workflow: &str,
        key: Option<Name>,
        what: &str,
        fields: &Typed,
    ) -> Result<Name, Error> {
        let wish = Wish::Open {
            ticket: Name::default(),
            key,
            parent: None,
            fields: fields.clone(),
        };
        // That `From` names somebody of the directory proves nothing: whoever writes is outside.
        let by = match &self.settings.sender {
            Some(field) => Actor::Contact(Name::new(field)),
            None => self.system(),
        };
        // Two mailboxes that the same mail has come to open a ticket each.
        let what = format!("{what} {}", self.name);
        let submission = self.submission(mail, &what, by, None, wish);
        let done = self.handle.open_with(workflow, submission).await?;
        Ok(done.id)
    }

    async fn may_open(&self, mail: &Mail) -> Result<bool, Stop> {
        let from = &mail.from.address;
        Ok(match self.settings.open {
            MayOpen::Nobody => false,
            MayOpen::Anyone => true,
            MayOpen::Known if self.settings.knows(from) => true,
            MayOpen::Known => {
                let directory = self.directory().await?;
                let mut people = directory.people.values();
                people.any(|person| super::answer::is_mail_of(from, person.mail.as_deref()))
            }
        })
    }

    fn fields(&self, mail: &Mail, ended: Option<&Name>) -> Typed {
        let settings = &self.settings;
        let mut fields: Typed = Vec::new();
        for (field, value) in &settings.fields {
            fields.push((Name::new(field), value.clone()));
        }
        if let Some(field) = &settings.sender {
            fields.push((Name::new(field), line(&mail.from.contact(), MAX_LINE_CHARS)));
        }
        if let Some(field) = &settings.subject {
            fields.push((Name::new(field), mail.subject.clone()));
        }
        if let Some(field) = &settings.body {
            let above = match &settings.subject {
                None => mail.subject.as_str(),
                Some(_) => "",
            };
            let ended = ended.map(|ticket| settings.language.after_end(ticket));
            let ended = ended.unwrap_or_default();
            let text = [&ended, above, &mail.text];
            let text: Vec<&str> = text.into_iter().filter(|part| !part.is_empty()).collect();
            let text = self.whole_text(mail, &text.join("\n\n"), MAX_TEXT_BYTES);
            fields.push((Name::new(field), text));
        }
        fields
    }
}
