//! Reads the steps of a transcript: the words of people, and the names that they use.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use upline_core::workflow::Doing;
use upline_core::{Actor, Directory, FieldType, Name};
use upline_dsl::{Code, FileId, Found};

use super::cursor::{Cursor, Fault, Read, known};
use super::deed::{Answer, Change, ClockWord, Deed, Target, Verb};
use super::lex::tokens;
use super::script::{Script, StepKind};
use crate::world::Workflows;

/// The ticket that is meant where a step names none: the first one opened.
pub(super) const FIRST_TICKET: &str = "t1";

/// Reads all steps; what is wrong goes to `found`, and its step is left out.
pub(super) fn deeds(
    script: &Script,
    workflows: &Workflows,
    main: &Name,
    directory: &Directory,
    found: &mut Found,
) -> Vec<(usize, Deed)> {
    let mut parser = Parser::new(workflows, main, directory);
    let mut deeds = Vec::new();
    for (index, step) in script.steps.iter().enumerate() {
        if step.begins {
            parser.opened.clear();
        }
        let text = &script.text[step.span.clone()];
        match parser.step(step.kind, text, step.span.start, script.file) {
            Ok(deed) => {
                if step.begins && !matches!(deed, Deed::At(_)) {
                    let site = script.site(step.span.clone());
                    let message = "the first step is `at`: it says when all this begins";
                    found.report(Code::BadTranscript, site, message);
                }
                deeds.push((index, deed));
            }
            Err(fault) => {
                let site = script.site(fault.span);
                found.report_with(fault.code, site, fault.message, fault.label);
            }
        }
    }
    deeds
}

pub(crate) struct Parser<'a> {
    main: &'a Name,
    directory: &'a Directory,
    workflows: BTreeSet<Name>,
    actions: BTreeSet<Name>,
    messages: BTreeSet<Name>,
    contacts: BTreeSet<Name>,
    /// The fields of each workflow, and of all of them.
    fields: BTreeMap<Name, BTreeSet<Name>>,
    all_fields: BTreeSet<Name>,
    /// What is taken of machines' answers.
    answers: BTreeSet<Name>,
    opened: Vec<Name>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(workflows: &Workflows, main: &'a Name, directory: &'a Directory) -> Self {
        let mut parser = Self {
            main,
            directory,
            workflows: workflows
                .iter()
                .map(|workflow| workflow.name.clone())
                .collect(),
            actions: BTreeSet::new(),
            messages: BTreeSet::new(),
            contacts: BTreeSet::new(),
            fields: BTreeMap::new(),
            all_fields: BTreeSet::new(),
            answers: BTreeSet::new(),
            opened: Vec::new(),
        };
        for workflow in workflows.iter() {
            let fields = workflow.fields.values();
            let contacts = fields.filter(|field| field.kind == FieldType::Contact);
            parser
                .contacts
                .extend(contacts.map(|field| field.name.clone()));
            let fields: BTreeSet<Name> = workflow.fields.keys().cloned().collect();
            parser.all_fields.extend(fields.iter().cloned());
            parser.fields.insert(workflow.name.clone(), fields);
            let work = workflow
                .states
                .keys()
                .filter_map(|state| workflow.work(state));
            for work in work {
                for action in &work.actions {
                    parser.actions.insert(action.name.clone());
                    parser.messages.extend(action.message.clone());
                }
                if let Some(Doing::Run(run)) = &work.doing {
                    let theirs = run.take.iter().map(|(_, theirs)| theirs.clone());
                    parser.answers.extend(theirs);
                }
            }
        }
        parser
    }

    /// Reads a step, which stands at byte `start` of its file.
    pub(crate) fn step(
        &mut self,
        kind: StepKind,
        text: &str,
        start: usize,
        file: FileId,
    ) -> Read<Deed> {
        let tokens = tokens(text, start).map_err(|unclosed| Fault {
            code: Code::BadTranscript,
            span: unclosed.0,
            message: "the text is not closed by a quotation mark".to_owned(),
            label: String::new(),
        })?;
        let mut cursor = Cursor::new(&tokens, file, start + text.len());
        let deed = match kind {
            StepKind::At => Deed::At(cursor.when()?),
            StepKind::Deed => self.deed(&mut cursor)?,
        };
        cursor.done()?;
        Ok(deed)
    }

    /// A ticket of this name is opened by other means than a step.
    pub(crate) fn opens_one(&mut self, ticket: Name) {
        self.opened.push(ticket);
    }

    /// The ticket that is meant where none is named: the first one.
    fn first(&self) -> Name {
        self.opened
            .first()
            .cloned()
            .unwrap_or_else(|| Name::new(FIRST_TICKET))
    }

    fn deed(&mut self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        if cursor.eat("directory:") {
            return self.directory_change(cursor);
        }
        if cursor.eat("engine") {
            let up = cursor.eat("starts");
            return match up || cursor.eat("stops") {
                true => Ok(Deed::Engine { up }),
                false => cursor.expected("`stops` or `starts`"),
            };
        }
        if cursor.eat_all(&["clock", "fires", "again"]) {
            return Ok(Deed::ClockAgain);
        }
        let target = self.target(cursor)?;
        match cursor.peek_word() {
            Some("mail" | "webhook") => self.delivery(cursor, target),
            Some("run") => run(cursor, target, &self.answers),
            Some("system") => {
                cursor.bump();
                let (message, span) = cursor.word("a message")?;
                let message = known(
                    &self.messages,
                    message,
                    span,
                    Code::UnknownAction,
                    "message",
                )?;
                let fields = cursor.with(&self.all_fields)?;
                let by = Actor::System(Name::new("system"));
                Ok(Deed::Wish {
                    target,
                    by,
                    verb: Verb::Message { message, fields },
                })
            }
            _ => self.person(cursor, target),
        }
    }

    /// `t2:`, `parts:`, `t2/parts:` or `key A-17:`.
    fn target(&self, cursor: &mut Cursor<'_>) -> Read<Target> {
        if cursor.eat("key") {
            let (word, span) = cursor.word("a key")?;
            let Some(key) = word.strip_suffix(':') else {
                return Err(cursor.fault(span, "a colon stands behind the key: `key A-17:`"));
            };
            return Ok(Target {
                ticket: Name::new(key),
                by_key: true,
                branch: None,
            });
        }
        let named = cursor.peek_word().and_then(|word| word.strip_suffix(':'));
        let Some(named) = named else {
            return Ok(Target {
                ticket: self.first(),
                by_key: false,
                branch: None,
            });
        };
        cursor.bump();
        let is_ticket = |word: &str| {
            let root = word.split('.').next().unwrap_or(word);
            self.opened.iter().any(|name| name.as_str() == root)
        };
        let (ticket, branch) = match named.split_once('/') {
            _ if is_ticket(named) => (Name::new(named), None),
            Some((first, branch)) if is_ticket(first) => {
                (Name::new(first), Some(Name::new(branch)))
            }
            _ => (self.first(), Some(Name::new(named))),
        };
        Ok(Target {
            ticket,
            by_key: false,
            branch,
        })
    }

    fn person(&mut self, cursor: &mut Cursor<'_>, target: Target) -> Read<Deed> {
        let operator = cursor.eat("operator");
        let (word, span) = cursor.word("who does it")?;
        let by = if operator {
            Actor::Operator(self.someone(word, span)?)
        } else if self.contacts.contains(word) {
            Actor::Contact(Name::new(word))
        } else {
            Actor::Person(self.someone(word, span)?)
        };
        if cursor.eat("opens") {
            return self.opens(cursor, by);
        }
        let verb = self.verb(cursor)?;
        Ok(Deed::Wish { target, by, verb })
    }

    fn someone(&self, word: &str, span: Range<usize>) -> Read<Name> {
        let people: BTreeSet<Name> = self.directory.people.keys().cloned().collect();
        known(&people, word, span, Code::UnknownPerson, "person")
    }

    fn whom(&self, cursor: &mut Cursor<'_>) -> Read<Name> {
        cursor.keyword("to")?;
        let (word, span) = cursor.word("somebody's name")?;
        self.someone(word, span)
    }

    /// `opens [WORKFLOW] [ticket NAME] [key KEY] [with …]`.
    fn opens(&mut self, cursor: &mut Cursor<'_>, by: Actor) -> Read<Deed> {
        let mut workflow = self.main.clone();
        if let Some(word) = cursor.peek_word()
            && !["ticket", "key", "with"].contains(&word)
        {
            let (word, span) = cursor.word("a workflow")?;
            workflow = known(
                &self.workflows,
                word,
                span,
                Code::UnknownWorkflow,
                "workflow",
            )?;
        }
        let ticket = match cursor.eat("ticket") {
            true => Name::new(cursor.word("the ticket's name")?.0),
            false => Name::new(format!("t{}", self.opened.len() + 1)),
        };
        let key = match cursor.eat("key") {
            true => Some(Name::new(cursor.bump().map_or("", |token| &token.text))),
            false => None,
        };
        let known = self.fields.get(&workflow).unwrap_or(&self.all_fields);
        let fields = cursor.with(known)?;
        self.opened.push(ticket.clone());
        Ok(Deed::Open {
            by,
            workflow,
            ticket,
            key,
            fields,
        })
    }

    fn verb(&self, cursor: &mut Cursor<'_>) -> Read<Verb> {
        let Some(word) = cursor.peek_word() else {
            return cursor.expected("what is done");
        };
        // `> ann claim` is the author's own action of that name, if there is one; `> ann claims` never is.
        if self.actions.contains(word) && !is_answer_by(cursor) {
            let action = Name::new(word);
            cursor.bump();
            let fields = cursor.with(&self.all_fields)?;
            return Ok(Verb::Act {
                action,
                fields,
                note: cursor.text(),
            });
        }
        let (word, span) = cursor.word("what is done")?;
        Ok(match word {
            "claims" | "claim" => Verb::Claim,
            "declines" | "decline" => Verb::Decline(cursor.text()),
            "releases" | "release" => Verb::Release(cursor.text()),
            "delegates" | "delegate" => Verb::Delegate(self.whom(cursor)?, cursor.text()),
            "reassigns" | "reassign" => Verb::Reassign(self.whom(cursor)?, cursor.text()),
            "escalates" | "escalate" => {
                let level = match cursor.eat_all(&["to", "level"]) {
                    true => Some(number(cursor)?),
                    false => None,
                };
                Verb::Escalate(level, cursor.text())
            }
            "suspends" | "suspend" => {
                cursor.keyword("until")?;
                Verb::Suspend(cursor.when()?, cursor.text())
            }
            "resumes" | "resume" => Verb::Resume,
            "comments" | "comment" => {
                let to_caller = cursor.eat_all(&["to", "caller"]);
                Verb::Comment {
                    text: cursor.must_text("what is said")?,
                    to_caller,
                }
            }
            "saves" | "save" => Verb::Save(cursor.fields(&self.all_fields)?),
            "ticks" | "tick" => Verb::Tick(Name::new(cursor.word("an item")?.0), true),
            "unticks" | "untick" => Verb::Tick(Name::new(cursor.word("an item")?.0), false),
            "answers" | "answer" => {
                cursor.keyword("by")?;
                Verb::AnswerBy(cursor.when()?)
            }
            "moves" | "move" => moves(cursor)?,
            "holds" | "hold" => Verb::Hold,
            "cancels" | "cancel" => Verb::Cancel(cursor.must_text("the reason")?),
            _ => {
                known(&self.actions, word, span, Code::UnknownAction, "action")?;
                return cursor.expected("an action");
            }
        })
    }

    /// `mail to ann fails "why"`, `webhook duty-phone to ann arrives`.
    fn delivery(&self, cursor: &mut Cursor<'_>, target: Target) -> Read<Deed> {
        let via = match cursor.eat("mail") {
            true => Name::new("mail"),
            false => {
                cursor.bump();
                Name::new(format!("webhook:{}", cursor.word("the webhook's name")?.0))
            }
        };
        cursor.keyword("to")?;
        let (word, span) = cursor.word("somebody's name")?;
        let to = match self.contacts.contains(word) {
            true => Name::new(word),
            false => self.someone(word, span)?,
        };
        let arrives = cursor.eat("arrives");
        if !arrives && !cursor.eat("fails") {
            return cursor.expected("`arrives` or `fails`");
        }
        let detail = cursor.text().unwrap_or_default();
        Ok(Deed::Delivery {
            target,
            via,
            to,
            arrives,
            detail,
        })
    }

    /// `directory: bob leaves`, `bob is away until TIME [deputy cem]`, `bob is back`.
    fn directory_change(&self, cursor: &mut Cursor<'_>) -> Read<Deed> {
        let (word, span) = cursor.word("somebody's name")?;
        let who = self.someone(word, span)?;
        let change = if cursor.eat("leaves") {
            Change::Leaves
        } else if cursor.eat_all(&["is", "back"]) {
            Change::Back
        } else if cursor.eat_all(&["is", "away", "until"]) {
            let until = cursor.when()?;
            let deputy = match cursor.eat("deputy") {
                true => {
                    let (word, span) = cursor.word("the deputy's name")?;
                    Some(self.someone(word, span)?)
                }
                false => None,
            };
            Change::Away { until, deputy }
        } else {
            return cursor.expected("`leaves`, `is away until TIME` or `is back`");
        };
        Ok(Deed::Directory { who, change })
    }
}

/// `run done with x "…"`, `run fails "why"`, `run fails for good "why"`.
fn run(cursor: &mut Cursor<'_>, target: Target, answers: &BTreeSet<Name>) -> Read<Deed> {
    cursor.keyword("run")?;
    let answer = if cursor.eat("done") {
        Answer::Done(cursor.with(answers)?)
    } else if cursor.eat("fails") {
        let retry = !cursor.eat_all(&["for", "good"]);
        let reason = cursor.text().unwrap_or_default();
        Answer::Failed { reason, retry }
    } else {
        return cursor.expected("`done` or `fails`");
    };
    Ok(Deed::Run { target, answer })
}

/// `moves the level clock to TIME "why"`.
fn moves(cursor: &mut Cursor<'_>) -> Read<Verb> {
    cursor.eat("the");
    let clock = match cursor.peek_word() {
        Some("level") => ClockWord::Level,
        Some("after") => ClockWord::After,
        Some("wake-up") => ClockWord::Wake,
        _ => return cursor.expected("`level`, `after` or `wake-up`"),
    };
    cursor.bump();
    cursor.keyword("clock")?;
    cursor.keyword("to")?;
    let to = cursor.when()?;
    let reason = cursor.must_text("the reason")?;
    Ok(Verb::Move { clock, to, reason })
}

fn is_answer_by(cursor: &Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    ahead.eat("answer") && ahead.eat("by")
}

fn number(cursor: &mut Cursor<'_>) -> Read<u16> {
    let span = cursor.here();
    let (word, _) = cursor.word("a number")?;
    word.parse()
        .map_err(|_| cursor.fault(span, format!("`{word}` is no number of a level")))
}
