//! A mail that answers a ticket.

use upline::core::ticket::Position;
use upline::core::value::MAX_TEXT_BYTES;
use upline::core::{Actor, Branch, FieldType, Name, Operation, Recipient, Rejection, Value, Wish};
use upline::lab::render::rejection_words;
use upline::{Error, Met};

use super::figures::Became;
use super::mail::{self, Mail};
use super::open::key;
use super::reply::Waiting;
use super::room::{Room, Stop};
use super::settings::{AfterEnd, Strangers};
use super::words::Asked;
use super::{quote, words};
use crate::links::rendered;
use crate::tell::Language;
use crate::thread::{Mark, Threads, Told, hex};

/// For how long a word of command may be answered to a mail, in seconds: as long as a link is good.
pub const COMMAND_SECONDS: i64 = 72 * 3600;

/// Most tickets that are looked at to find the one that a mail answers.
const MAX_TICKETS: usize = 5;

/// The ticket that a mail answers.
#[derive(Debug)]
pub(super) struct Answered {
    met: Met,
    /// The mail that it answers, and to whom that went.
    to: Option<(Told, Recipient)>,
}

/// A word of command that was not carried out.
struct NotDone<'a> {
    ticket: &'a Name,
    person: &'a Name,
    word: &'a str,
    refused: Refused,
}

/// Why not.
enum Refused {
    TooOld,
    /// It was among what the person could do.
    No(Rejection),
    /// It is not his, or needs more than a word.
    NeedsMore(Rejection),
}

impl Refused {
    fn told(&self, language: Language) -> String {
        let words =
            |rejection| rejection_words(rejection, rendered(language), &|at| at.to_string());
        match self {
            Self::TooOld => language.too_old().to_owned(),
            Self::No(rejection) => words(rejection),
            Self::NeedsMore(rejection) => {
                format!("{} ({})", language.needs_more(), words(rejection))
            }
        }
    }
}

/// Who has written it, as far as can be known.
enum By {
    /// Somebody of the directory, to whom the mail went that he answers.
    Person(Name, Told),
    /// Whom this contact field names.
    Contact(Name),
    Stranger,
}

/// Whether an address, in lower case, is this one.
pub(super) fn is_mail_of(address: &str, mail: Option<&str>) -> bool {
    mail.and_then(mail::address).as_deref() == Some(address)
}

/// The address in what a contact field holds: `Mr Low <low@example.com>`, or the address alone.
fn address_in(contact: &str) -> Option<String> {
    let inner = contact.rsplit_once('<').map(|(_, rest)| rest);
    let inner = inner
        .and_then(|rest| rest.split_once('>'))
        .map(|(address, _)| address);
    mail::address(inner.unwrap_or(contact))
}

impl Room {
    /// The ticket that a mail answers: it brings back an id that nobody could make up, or answers the mail
    /// that opened the ticket.
    pub(super) async fn answered(&self, mail: &Mail) -> Result<Option<Answered>, Stop> {
        let marks = mail.refers.iter().chain(&mail.to);
        let mut marks: Vec<Mark> = marks.filter_map(|text| Threads::read(text)).collect();
        // A mail of ours says more than that it was about the ticket.
        marks.sort_by_key(|mark| mark.told.is_none());
        marks.dedup();
        for mark in marks.iter().take(MAX_TICKETS) {
            if let Some(answered) = self.marked(mark).await? {
                return Ok(Some(answered));
            }
        }
        let Some(workflow) = &self.settings.workflow else {
            return Ok(None);
        };
        for id in mail.refers.iter().take(MAX_TICKETS) {
            let found = self
                .handle
                .archive()?
                .by_key(workflow, &key(id), None, 1)
                .await?;
            if let Some(ticket) = found.items.first()
                && let Some(met) = self.handle.meet(&ticket.id, &self.system()).await?
            {
                return Ok(Some(Answered { met, to: None }));
            }
        }
        Ok(None)
    }

    /// The ticket of an id, if it is one that we made.
    async fn marked(&self, mark: &Mark) -> Result<Option<Answered>, Stop> {
        let Some(met) = self.handle.meet(&mark.ticket, &self.system()).await? else {
            return Ok(None);
        };
        let Some(told) = &mark.told else {
            let ours = self.threads.is_of(mark);
            return Ok(ours.then_some(Answered { met, to: None }));
        };
        let directory = self.directory().await?;
        let people = directory.people.keys().cloned().map(Recipient::Person);
        let contacts = contacts(&met).map(|(field, _)| Recipient::Contact(field.clone()));
        let to = people
            .chain(contacts)
            .find(|to| self.threads.is_to(mark, to));
        Ok(to.map(|to| Answered {
            met,
            to: Some((told.clone(), to)),
        }))
    }

    async fn by(&self, mail: &Mail, answered: &Answered) -> Result<By, Stop> {
        let from = &mail.from.address;
        if let Some((told, Recipient::Person(person))) = &answered.to {
            let directory = self.directory().await?;
            let known = directory.people.get(person);
            if known.is_some_and(|known| is_mail_of(from, known.mail.as_deref())) {
                return Ok(By::Person(person.clone(), told.clone()));
            }
        }
        let mut contacts = contacts(&answered.met);
        let contact = contacts.find(|(_, text)| address_in(text).as_ref() == Some(from));
        Ok(contact.map_or(By::Stranger, |(field, _)| By::Contact(field.clone())))
    }

    pub(super) async fn answer(
        &self,
        mail: &Mail,
        answered: Answered,
    ) -> Result<(Became, Name), Stop> {
        let by = self.by(mail, &answered).await?;
        let ticket = answered.met.ticket.id.clone();
        let done = match &by {
            By::Person(person, told) => self.person(mail, &ticket, person, told).await?,
            By::Contact(field) => self.contact(mail, &answered.met, field).await?,
            By::Stranger if self.settings.strangers == Strangers::Refuse => {
                let why = format!(
                    "it answers ticket {ticket}, and no mail about that went to its sender"
                );
                return Err(Stop::Aside(why));
            }
            By::Stranger => {
                let who = self.settings.language.of_stranger(&mail.from.contact());
                let text = format!("{who}\n\n{}", quote::cut(&mail.text));
                let text = self.whole_text(mail, &text, MAX_TEXT_BYTES);
                self.comment(mail, &ticket, self.system(), None, text)
                    .await?
            }
        };
        match done {
            Ok(became) => Ok((became, ticket)),
            Err(Rejection::HasEnded) if self.settings.after_end == AfterEnd::Open => {
                self.open(mail, Some(&ticket)).await
            }
            Err(Rejection::HasEnded) => Err(Stop::Aside(format!(
                "ticket {ticket}, which it answers, has ended"
            ))),
            Err(rejection) => Err(Error::Rejected(rejection).into()),
        }
    }

    /// An answer of somebody of the directory: a word of command, or something that he says.
    async fn person(
        &self,
        mail: &Mail,
        ticket: &Name,
        person: &Name,
        told: &Told,
    ) -> Result<Result<Became, Rejection>, Stop> {
        let by = Actor::Person(person.clone());
        let Some(met) = self.handle.meet(ticket, &by).await? else {
            return Ok(Err(Rejection::HasEnded));
        };
        let text = quote::cut(&mail.text);
        let Some(asked) = words::asked(&text, &met.possible, &met.workflow) else {
            let text = self.whole_text(mail, &text, MAX_TEXT_BYTES);
            return self.comment(mail, ticket, by, None, text).await;
        };
        let no = |refused| NotDone {
            ticket,
            person,
            word: asked.word,
            refused,
        };
        if met.ticket.ended.is_some() && self.settings.after_end == AfterEnd::Refuse {
            self.tell(mail, &no(Refused::No(Rejection::HasEnded)))
                .await?;
            return Ok(Err(Rejection::HasEnded));
        }
        let branch = asked.branch.clone();
        if !asked.rest.is_empty() || !mail.attachments.is_empty() {
            let text = self.whole_text(mail, asked.rest, MAX_TEXT_BYTES);
            let said = self.comment(mail, ticket, by.clone(), branch, text).await?;
            if let Err(rejection) = said {
                return Ok(Err(rejection));
            }
        }
        let refused = match self.act(mail, ticket, by, &asked, told).await? {
            None => return Ok(Ok(Became::Acted)),
            Some(refused) => refused,
        };
        let ended = matches!(refused, Refused::No(Rejection::HasEnded));
        let no = no(refused);
        if ended {
            return Ok(Err(Rejection::HasEnded));
        }
        let language = self.settings.language;
        let why = no.refused.told(language);
        tracing::warn!(
            code = "mail-not-done",
            mailbox = %self.name,
            ticket = %ticket,
            person = %person,
            why = %why,
            "a word of command was not carried out"
        );
        let text = language.not_done(person, asked.word, &why);
        let said = self
            .say(mail, "not done", ticket, self.system(), None, text, false)
            .await?;
        self.tell(mail, &no).await?;
        Ok(said)
    }

    /// Does what a word of command asks for; or says why not.
    async fn act(
        &self,
        mail: &Mail,
        ticket: &Name,
        by: Actor,
        asked: &Asked<'_>,
        told: &Told,
    ) -> Result<Option<Refused>, Stop> {
        let branch = asked.branch.clone();
        let old = told.age(self.now()) > COMMAND_SECONDS;
        if old {
            return Ok(Some(Refused::TooOld));
        }
        if asked.is_possible {
            // As a link does: whoever acts by it is not signed in.
            let hold = self.submission(mail, "hold", by.clone(), branch.clone(), Wish::Hold);
            // It may have been held before, or have nothing that could be held.
            let _ = self.give(ticket, hold).await?;
        }
        let act = self.submission(mail, "act", by, branch, asked.wish.clone());
        // Read again after it was done, it is not possible any more, and answered as before.
        Ok(match self.give(ticket, act).await? {
            Ok(()) => None,
            Err(rejection) if asked.is_possible || rejection == Rejection::HasEnded => {
                Some(Refused::No(rejection))
            }
            Err(rejection) => Some(Refused::NeedsMore(rejection)),
        })
    }

    /// Lets a person know by mail what was not done, in his language.
    async fn tell(&self, mail: &Mail, no: &NotDone<'_>) -> Result<(), Stop> {
        let directory = self.directory().await?;
        let speaks = directory
            .people
            .get(no.person)
            .map(|known| &known.languages);
        let speaks = speaks
            .into_iter()
            .flatten()
            .find_map(|tag| Language::of_tag(tag));
        let language = speaks.unwrap_or(self.settings.language);
        self.reply(Waiting {
            key: format!("r{}", hex(&mail.digest()[..8])),
            ticket: no.ticket.clone(),
            person: no.person.clone(),
            word: no.word.to_owned(),
            why: no.refused.told(language),
            language: language.tag().to_owned(),
            since: self.now().as_second(),
        })
        .await
    }

    /// An answer of a customer: something that he says, and what was awaited of him.
    async fn contact(
        &self,
        mail: &Mail,
        met: &Met,
        field: &Name,
    ) -> Result<Result<Became, Rejection>, Stop> {
        let (ticket, by) = (&met.ticket.id, Actor::Contact(field.clone()));
        let text = self.whole_text(mail, &quote::cut(&mail.text), MAX_TEXT_BYTES);
        self.keep_attachments(mail).await?;
        let said = self
            .say(mail, "say", ticket, by.clone(), None, text, true)
            .await?;
        let (Ok(_), Some(names)) = (&said, &self.settings.on_answer) else {
            return Ok(said);
        };
        let Some(met) = self.handle.meet(ticket, &by).await? else {
            return Ok(said);
        };
        let mut awaited = names.names().iter();
        let awaited = awaited.find_map(|name| self.awaited(&met, name, &by));
        let Some((branch, wish, by)) = awaited else {
            return Ok(said);
        };
        let submission = self.submission(mail, "answer", by, Some(branch), wish);
        Ok(match self.give(ticket, submission).await? {
            Ok(()) => Ok(Became::Acted),
            // The ticket has moved meanwhile; what he said is there.
            Err(_) => said,
        })
    }

    /// What a name stands for where the ticket is: a message that the state awaits, or an action that the
    /// customer could take now, if it needs nothing besides.
    fn awaited(&self, met: &Met, name: &str, by: &Actor) -> Option<(Branch, Wish, Actor)> {
        let open = |(_, position): &(&Branch, &Position)| position.ended.is_none();
        let mut positions = met.ticket.positions.iter().filter(open);
        let awaits = positions.find(|(_, position)| {
            let work = met.workflow.work(&position.state);
            let mut actions = work.into_iter().flat_map(|work| &work.actions);
            actions.any(|action| action.message.as_deref() == Some(name))
        });
        if let Some((branch, _)) = awaits {
            let wish = Wish::Message {
                message: Name::new(name),
                fields: Vec::new(),
            };
            return Some((branch.clone(), wish, self.system()));
        }
        let offered = met.possible.iter().find(|one| {
            one.operation == Operation::Act
                && one.action.as_deref() == Some(name)
                && one.needs.is_empty()
        })?;
        let wish = Wish::Act {
            action: Name::new(name),
            fields: Vec::new(),
            note: None,
        };
        Some((offered.branch.clone(), wish, by.clone()))
    }

    async fn comment(
        &self,
        mail: &Mail,
        ticket: &Name,
        by: Actor,
        branch: Option<Branch>,
        text: String,
    ) -> Result<Result<Became, Rejection>, Stop> {
        self.keep_attachments(mail).await?;
        self.say(mail, "say", ticket, by, branch, text, false).await
    }

    #[expect(clippy::too_many_arguments, reason = "a comment has these parts")]
    async fn say(
        &self,
        mail: &Mail,
        what: &str,
        ticket: &Name,
        by: Actor,
        branch: Option<Branch>,
        text: String,
        to_caller: bool,
    ) -> Result<Result<Became, Rejection>, Stop> {
        let wish = Wish::Comment { text, to_caller };
        let submission = self.submission(mail, what, by, branch, wish);
        let said = self.give(ticket, submission).await?;
        Ok(said.map(|()| Became::Said))
    }

    /// A report of a mail server about a mail of ours: the ticket learns that it did not arrive.
    pub(super) async fn report(
        &self,
        mail: &Mail,
        about: &[String],
        reason: &str,
        failed: bool,
    ) -> Result<(Became, Name), Stop> {
        let marks = about.iter().filter_map(|id| Threads::read(id));
        for mark in marks.take(MAX_TICKETS) {
            let Some(answered) = self.marked(&mark).await? else {
                continue;
            };
            let ticket = answered.met.ticket.id.clone();
            let to = answered
                .to
                .map(|(_, to)| to.name().clone())
                .unwrap_or_default();
            if !failed {
                return Err(Stop::Aside(format!(
                    "it reports how a mail about ticket {ticket} fares"
                )));
            }
            self.figures.bounced(&self.name);
            tracing::warn!(
                code = "mail-bounced",
                mailbox = %self.name,
                ticket = %ticket,
                to = %to,
                reason,
                "a mail about a ticket could not be delivered"
            );
            let text = self.settings.language.bounced(reason);
            // Of a ticket that has ended nobody needs to know.
            let _ = self
                .say(mail, "bounced", &ticket, self.system(), None, text, false)
                .await?;
            let why = format!("it reports that a mail about ticket {ticket} was not delivered");
            return Err(Stop::Aside(why));
        }
        Err(Stop::Aside(
            "it reports about a mail that is none of ours".to_owned(),
        ))
    }
}

/// The contact fields of a ticket that hold something.
fn contacts(met: &Met) -> impl Iterator<Item = (&Name, &str)> {
    let held = met.ticket.fields.iter();
    held.filter_map(|(field, value)| {
        let kind = &met.workflow.fields.get(field)?.kind;
        match (kind, value) {
            (FieldType::Contact, Value::Text(text)) => Some((field, text.as_str())),
            _ => None,
        }
    })
}
