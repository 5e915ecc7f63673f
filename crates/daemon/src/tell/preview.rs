//! Letters that nobody gets: what somebody would be told of a ticket, if he were told it now.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use upline::core::{Branch, Directory, FieldType, Name, Recipient, Ticket, Topic, Workflow};
use upline::notify::Comment;

use super::{Language, Letter, Letters, Matter};

/// What a letter is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// He has it.
    Assigned,
    /// He may claim it.
    Offered,
    /// A `notify`.
    Informed,
    /// He still has it.
    Reminded,
    /// A promise is about to be broken.
    PromiseWarned,
    /// A promise is broken.
    PromiseBreached,
    /// He was asked, and it has moved on.
    Outcome,
    /// Somebody has said something about what he has.
    Commented,
    /// To the caller.
    Customer,
    /// To the caller: what was said to him.
    Answered,
}

/// Why nobody could get such a letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoRecipient {
    /// It would go to the caller, and there is no field that says who that is.
    #[error("the workflow has no field of the type `contact`")]
    NoContact,
    /// Nobody is called that.
    #[error("there is no person `{0}` in the directory")]
    NoPerson(Name),
}

/// What a letter is written from.
#[derive(Debug, Clone, Copy)]
pub struct Preview<'a> {
    /// The ticket.
    pub ticket: &'a Ticket,
    /// The version of its workflow.
    pub workflow: &'a Workflow,
    /// The people.
    pub directory: &'a Directory,
    /// When it is written.
    pub now: Timestamp,
}

impl Preview<'_> {
    /// The letter, and whom it would go to: this person, else whoever is answerable. It is in his language
    /// unless another is named, and has no links, which would work.
    ///
    /// # Errors
    /// [`NoRecipient`].
    pub fn letter(
        &self,
        letters: &Letters,
        about: About,
        person: Option<&Name>,
        language: Option<Language>,
    ) -> Result<(Recipient, Letter), NoRecipient> {
        let (branch, to) = self.recipient(about, person)?;
        let person = match &to {
            Recipient::Person(name) => self.directory.people.get(name),
            Recipient::Contact(_) => None,
        };
        let language = language.unwrap_or_else(|| letters.language_of(person));
        let topic = self.topic(about);
        let comment = self.comment(&topic, language);
        let matter = Matter {
            ticket: self.ticket,
            branch: &branch,
            to: &to,
            person,
            topic: &topic,
            comment: comment.as_ref(),
            workflow: self.workflow,
            directory: self.directory,
            now: self.now,
        };
        let letter = letters.compose(&matter, language, Vec::new());
        Ok((to, letter))
    }

    /// The branch that a letter is about, and whom it goes to.
    fn recipient(
        &self,
        about: About,
        person: Option<&Name>,
    ) -> Result<(Branch, Recipient), NoRecipient> {
        let of_person = self
            .ticket
            .answerable()
            .find(|(_, holder)| Some(*holder) == person);
        let held = of_person.or_else(|| self.ticket.answerable().next());
        let branch = held.map(|(branch, _)| branch.clone()).unwrap_or_default();
        if matches!(about, About::Customer | About::Answered) {
            let fields = self.workflow.field_order.iter();
            let kind = |name: &&Name| self.workflow.fields.get(*name).map(|field| &field.kind);
            let mut contacts = fields.filter(|name| kind(name) == Some(&FieldType::Contact));
            let field = contacts.next().ok_or(NoRecipient::NoContact)?;
            return Ok((branch, Recipient::Contact(field.clone())));
        }
        let person = person.or(held.map(|(_, holder)| holder));
        let person = person.unwrap_or(&self.directory.last_resort).clone();
        match self.directory.people.contains_key(&person) {
            true => Ok((branch, Recipient::Person(person))),
            false => Err(NoRecipient::NoPerson(person)),
        }
    }

    /// Something that could have been said.
    fn comment(&self, topic: &Topic, language: Language) -> Option<Comment> {
        let text = match language {
            Language::En => "Any news?\nThis is an example.",
            Language::Zh => "有进展吗？\n这是一个示例。",
        };
        let comment = || Comment::new(self.ticket.opener.clone(), text, false);
        (*topic == Topic::Commented).then(comment)
    }

    fn topic(&self, about: About) -> Topic {
        let promise = self.workflow.promises.first();
        let promise = promise.map_or_else(|| Name::new("promise"), |promise| promise.name.clone());
        match about {
            About::Assigned => Topic::Assigned,
            About::Offered => Topic::Offered,
            About::Informed | About::Customer => Topic::Informed,
            About::Reminded => Topic::Reminded,
            About::PromiseWarned => Topic::PromiseWarned {
                promise,
                percent: 75,
            },
            About::PromiseBreached => Topic::PromiseBreached { promise },
            About::Outcome => Topic::Outcome,
            About::Commented | About::Answered => Topic::Commented,
        }
    }
}
