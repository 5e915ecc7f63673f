//! `least busy in service-desk with skill billing except who did fix, else lead of service-desk`.

use std::ops::Range;

use upline_core::{Base, Name, Who};

use super::cursor::Cursor;
use super::{MAX_PHRASE_DEPTH, Phrase, PhraseError, Reference, too_long};
use crate::Code;
use crate::found::printable;

/// Words of *who* phrases that stand alone. With the contact fields they are what a bare word can mean.
pub const WHO_WORDS: &[&str] = &["assignee", "opener"];

/// A phrase that ends with a name: its words, what the name is of, and what it means.
struct Head {
    words: &'static [&'static str],
    text: &'static str,
    of: &'static str,
    base: fn(Name) -> Base,
    reference: fn(Name) -> Reference,
}

/// Makes the row of a head.
macro_rules! head {
    ($text:literal, [$($word:literal)+], $base:ident, $reference:ident, $of:literal) => {
        Head {
            words: &[$($word),+],
            text: $text,
            of: $of,
            base: Base::$base,
            reference: Reference::$reference,
        }
    };
}

/// All of them; no one's words begin another's.
const HEADS: &[Head] = &[
    head!("user", ["user"], User, Person, "the id of a person"),
    head!("anyone in", ["anyone" "in"], AnyoneIn, Group, "the name of a group"),
    head!("least busy in", ["least" "busy" "in"], LeastBusy, Group, "the name of a group"),
    head!("longest idle in", ["longest" "idle" "in"], LongestIdle, Group, "the name of a group"),
    head!("next in", ["next" "in"], NextIn, Group, "the name of a group"),
    head!("another in", ["another" "in"], AnotherIn, Group, "the name of a group"),
    head!("on call for", ["on" "call" "for"], OnCall, Schedule, "the name of a schedule"),
    head!("lead of", ["lead" "of"], LeadOf, Group, "the name of a group"),
    head!("manager of", ["manager" "of"], ManagerOf, Group, "the name of a group"),
    head!("who did", ["who" "did"], WhoDid, Action, "the name of an action"),
];

/// All phrases, for the longer help.
const PHRASES: &str = "the phrases are: assignee, opener, FIELD, user U, anyone in G, least busy in G, \
     longest idle in G, next in G, another in G, on call for S, lead of G, manager of G, who did ACTION; \
     each with `except WHO`, `with skill K`, `, else WHO`";

/// Reads a *who* phrase. A bare word that is no phrase is a contact field, which the reader must check.
///
/// The comma before `else` may be left out, because a comma ends a value between YAML's curly brackets.
///
/// ```
/// use upline_dsl::phrase::who;
/// let phrase = who("who did resolve, else lead of service-desk").unwrap();
/// assert_eq!(phrase.value.to_string(), "who did resolve, else lead of service-desk");
/// assert_eq!(who("leest busy in desk").unwrap_err().label, "did you mean `least busy in desk`?");
/// ```
///
/// # Errors
/// [`PhraseError`] with the code `bad-phrase`.
pub fn who(text: &str) -> Result<Phrase<Who>, PhraseError> {
    too_long(text, Code::BadPhrase)?;
    let mut parser = Parser {
        cursor: Cursor::new(text),
        names: Vec::new(),
    };
    let mut links = vec![parser.link()?];
    while parser.eat_else() {
        if links.len() >= MAX_PHRASE_DEPTH {
            let label = format!("at most {MAX_PHRASE_DEPTH}");
            return Err(parser.fault("too many `else`", label));
        }
        links.push(parser.link()?);
    }
    if !parser.cursor.at_end() {
        return Err(parser.trailing());
    }
    let chain = links.into_iter().rev().reduce(|otherwise, link| Who {
        otherwise: Some(Box::new(otherwise)),
        ..link
    });
    match chain {
        Some(value) => Ok(Phrase {
            value,
            names: parser.names,
        }),
        None => Err(parser.fault("a phrase is missing", "who?")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    names: Vec<(Range<usize>, Reference)>,
}

impl<'a> Parser<'a> {
    /// Everything up to `else`.
    fn link(&mut self) -> Result<Who, PhraseError> {
        let mut who = Who::from(self.base()?);
        loop {
            if self.cursor.eat("except") {
                who.except.push(self.base()?);
            } else if self.cursor.eat("with") {
                if !self.cursor.eat("skill") {
                    return Err(self.fault("`with` what?", "write `with skill` and the skill"));
                }
                let (skill, range) = self.cursor.name(Code::BadPhrase, "the name of a skill")?;
                self.names.push((range, Reference::Skill(skill.clone())));
                who.skills.push(skill);
            } else {
                return Ok(who);
            }
        }
    }

    fn base(&mut self) -> Result<Base, PhraseError> {
        for head in HEADS {
            if self.names_follow(head) {
                let (name, range) = self.cursor.name(Code::BadPhrase, head.of)?;
                self.names.push((range, (head.reference)(name.clone())));
                return Ok((head.base)(name));
            }
        }
        let word = self.cursor.peek();
        if word.is_empty() || is_link(word) {
            let mut fault = self.fault("a phrase is missing", "who?");
            fault.help = Some(PHRASES.to_owned());
            return Err(fault);
        }
        let alone = self.ends_after_word();
        if alone && self.cursor.eat("assignee") {
            return Ok(Base::Assignee);
        }
        if alone && self.cursor.eat("opener") {
            return Ok(Base::Opener);
        }
        if !alone {
            return Err(self.no_phrase());
        }
        let (name, range) = self.cursor.name(Code::BadPhrase, "the name of a field")?;
        self.names.push((range, Reference::Field(name.clone())));
        Ok(Base::Contact(name))
    }

    /// Takes the words of the head. `user` alone is not one: a contact field may have that name.
    fn names_follow(&mut self, head: &Head) -> bool {
        let alone = head.words.len() == 1 && self.ends_after_word();
        !alone && self.cursor.eat_all(head.words)
    }

    fn ends_after_word(&self) -> bool {
        let mut ahead = self.cursor;
        ahead.word();
        ahead.at_end() || ahead.rest().starts_with(',') || is_link(ahead.peek())
    }

    /// Takes `, else` or `else`.
    fn eat_else(&mut self) -> bool {
        let mut ahead = self.cursor;
        ahead.eat_char(',');
        let found = ahead.eat("else");
        if found {
            self.cursor = ahead;
        }
        found
    }

    fn fault(&self, message: impl Into<String>, label: impl Into<String>) -> PhraseError {
        PhraseError::new(Code::BadPhrase, self.cursor.here(), message, label)
    }

    /// The error for words that begin no phrase: the nearest one with the same name, if any is near.
    fn no_phrase(&self) -> PhraseError {
        let mut words: Vec<&'a str> = Vec::new();
        let mut ahead = self.cursor;
        let mut range = self.cursor.at()..self.cursor.at();
        while !ahead.peek().is_empty() && !is_link(ahead.peek()) {
            let (word, place) = ahead.word();
            words.push(word);
            range.end = place.end;
        }
        let written = words.join(" ");
        let name = words.pop().unwrap_or_default();
        let head = words.join(" ");
        let heads = HEADS.iter().map(|head| head.text);
        let near = crate::did_you_mean(&head, heads).or_else(|| same_words(&head));
        let label = match near {
            Some(near) => format!("did you mean `{near} {}`?", printable(name)),
            None => "not one of the phrases".to_owned(),
        };
        let message = format!("`{}` says nobody", printable(&written));
        let mut fault = PhraseError::new(Code::BadPhrase, range, message, label);
        fault.help = Some(PHRASES.to_owned());
        fault
    }

    fn trailing(&self) -> PhraseError {
        let label = "after a phrase come `except WHO`, `with skill K` or `, else WHO`";
        let rest = printable(self.cursor.rest().trim_end());
        self.fault(format!("`{rest}` does not continue the phrase"), label)
    }
}

/// The phrase whose first word this is: `lead service-desk` is `lead of service-desk`.
fn same_words(head: &str) -> Option<&'static str> {
    let first = head.split_whitespace().next()?.to_lowercase();
    let mut found = HEADS
        .iter()
        .filter(|one| one.words.first() == Some(&first.as_str()));
    found.next().map(|one| one.text)
}

fn is_link(word: &str) -> bool {
    matches!(word, "except" | "with" | "else")
}
