//! From a message to what its letter says.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline::core::decide::possible;
use upline::core::{
    Actor, ClockKind, Context, Field, FieldType, Holder, Level, Operation, Position, Recipient,
    Topic, Value, Workload,
};

use super::facts::{
    ButtonFact, CommentFact, Due, EndedFact, Facts, FieldFact, HolderFacts, Matter, PromiseFact,
    Then, TicketFacts, You, topic,
};
use super::people::{People, short};
use super::{clean, times};
use crate::tell::{Button, Language};

/// Most characters of one field in a letter; the ticket has the rest.
const MAX_FIELD: usize = 400;

/// Most characters of all fields together.
const MAX_FIELDS: usize = 2000;

/// Most actions that a letter names.
const MAX_ACTIONS: usize = 12;

/// Most characters of a comment in a letter to a colleague; the ticket has the rest. A customer has only his
/// letter, and gets all of it.
const MAX_COMMENT: usize = 4000;

/// Most characters of a comment for chats and phones.
const MAX_COMMENT_BRIEF: usize = 160;

/// Most characters of what a ticket is about, in the subject.
const MAX_GIST: usize = 60;

impl Facts {
    /// Of a message, for whom it goes to.
    pub(super) fn of(matter: &Matter<'_>, language: Language, buttons: &[Button]) -> Self {
        let told = Told::new(matter, language);
        let position = told.position();
        let due = position.and_then(|_| told.next());
        let is_customer = matches!(matter.to, Recipient::Contact(_));
        let heading = told.heading(is_customer);
        let rung = position.map_or(String::new(), |at| told.people.rung(at.level));
        Self {
            topic: topic(matter),
            tag: told.tag(position, due.as_ref().map(|(due, _)| due)),
            heading,
            ticket: TicketFacts {
                id: short(&matter.ticket.id),
                title: told.title(),
                opened: told.time(matter.ticket.opened),
                key: short(matter.ticket.key.as_deref().unwrap_or_default()),
            },
            state: told.state(is_customer),
            since: position.map_or(String::new(), |at| told.time(at.since)),
            rung,
            holder: told.holder(position),
            you: told.you(position),
            suspended: position
                .and_then(|at| at.suspended.as_ref())
                .map(|suspended| told.time(suspended.until)),
            then: due.as_ref().map_or(
                Then {
                    kind: "nothing",
                    who: String::new(),
                },
                |(_, then)| then.clone(),
            ),
            due: due.map(|(due, _)| due),
            actions: told.actions(is_customer),
            fields: told.fields(position, is_customer),
            promise: told.promise(),
            comment: told.comment(is_customer),
            ended: matter.ticket.ended.as_ref().map(|ended| EndedFact {
                state: told.label_of(&ended.state, is_customer),
                at: told.time(ended.at),
            }),
            buttons: buttons.iter().map(ButtonFact::from).collect(),
            zone: told
                .zone
                .iana_name()
                .map_or_else(|| "UTC".to_owned(), str::to_owned),
        }
    }
}

/// What there is to tell.
struct Told<'a> {
    matter: Matter<'a>,
    people: People<'a>,
    zone: TimeZone,
    language: Language,
}

impl<'a> Told<'a> {
    fn new(matter: &Matter<'a>, language: Language) -> Self {
        let Matter {
            ticket,
            workflow,
            directory,
            ..
        } = *matter;
        Self {
            matter: *matter,
            people: People {
                ticket,
                workflow,
                directory,
                language,
            },
            zone: times::zone(matter.person, workflow, directory),
            language,
        }
    }

    fn time(&self, at: Timestamp) -> String {
        times::instant(at, &self.zone, self.language)
    }

    fn title(&self) -> String {
        let title = self.matter.workflow.title.text(self.people.tag());
        short(if title.is_empty() {
            &self.matter.workflow.name
        } else {
            title
        })
    }

    fn position(&self) -> Option<&'a Position> {
        self.matter.ticket.positions.get(self.matter.branch)
    }

    /// What people see of a state. A customer sees what the author wrote for people, or nothing.
    fn label_of(&self, state: &str, is_customer: bool) -> String {
        let known = self.matter.workflow.states.get(state);
        let title = known.map_or("", |known| known.title.text(self.people.tag()));
        match title.is_empty() {
            true if is_customer => String::new(),
            true => short(state),
            false => short(title),
        }
    }

    fn state(&self, is_customer: bool) -> String {
        let at = self.position().map(|at| &at.state);
        let ended = self.matter.ticket.ended.as_ref().map(|ended| &ended.state);
        let state = ended.or(at);
        state.map_or(String::new(), |state| self.label_of(state, is_customer))
    }

    /// What it is about: the first paragraph that the ticket holds, in the order of its form, else the first
    /// text.
    fn gist(&self) -> Option<String> {
        let Matter {
            ticket, workflow, ..
        } = self.matter;
        let first = |kind: &FieldType| {
            let mut texts = workflow.field_order.iter().filter_map(|name| {
                let field = workflow.fields.get(name)?;
                match ticket.fields.get(name) {
                    Some(Value::Text(text)) if field.kind == *kind => Some(clean::line(text)),
                    _ => None,
                }
            });
            texts.find(|text| !text.is_empty())
        };
        let gist = first(&FieldType::Paragraph).or_else(|| first(&FieldType::Text))?;
        Some(clean::clip(&gist, MAX_GIST))
    }

    fn heading(&self, is_customer: bool) -> String {
        let (id, title) = (short(&self.matter.ticket.id), self.title());
        match (self.gist().filter(|_| !is_customer), self.language) {
            (None, _) => format!("{id} {title}"),
            (Some(gist), Language::En) => format!("{id} {title}: {gist}"),
            (Some(gist), Language::Zh) => format!("{id} {title}：{gist}"),
        }
    }

    /// What is in brackets before the subject: where on the ladder, and how long there is.
    fn tag(&self, position: Option<&Position>, due: Option<&Due>) -> String {
        let asked = matches!(
            self.matter.topic,
            Topic::Assigned | Topic::Offered | Topic::Reminded
        );
        let level = position.map(|at| match (at.level, self.language) {
            (Level::Entry, _) => String::new(),
            (Level::Number(number), _) => format!("L{number}"),
            (Level::LastResort, Language::En) => "last resort".to_owned(),
            (Level::LastResort, Language::Zh) => "最终".to_owned(),
        });
        let left = due.filter(|_| asked).map(|due| due.left.clone());
        let parts = [level, left].into_iter().flatten();
        let parts: Vec<String> = parts.filter(|part| !part.is_empty()).collect();
        parts.join(" · ")
    }

    fn holder(&self, position: Option<&Position>) -> HolderFacts {
        let nobody = HolderFacts {
            kind: "nobody",
            name: String::new(),
            group: String::new(),
            candidates: Vec::new(),
            is_you: false,
        };
        let Some(position) = position else {
            return nobody;
        };
        let is_you =
            |person: &str| matches!(self.matter.to, Recipient::Person(to) if to.as_str() == person);
        match &position.holder {
            Holder::Assignee(person) => HolderFacts {
                kind: "one",
                name: self.people.name(person),
                is_you: is_you(person),
                ..nobody
            },
            Holder::Offer {
                group,
                lead,
                candidates,
            } => HolderFacts {
                kind: "group",
                name: self.people.name(lead),
                group: short(group),
                candidates: candidates
                    .iter()
                    .take(MAX_ACTIONS)
                    .map(|one| self.people.name(one))
                    .collect(),
                is_you: is_you(lead),
            },
            Holder::Branches => HolderFacts {
                kind: "branches",
                ..nobody
            },
            Holder::Nobody => nobody,
        }
    }

    fn you(&self, position: Option<&Position>) -> You {
        let id = self.matter.to.name();
        let why = position.map_or(String::new(), |at| self.people.rule(at));
        match self.matter.to {
            Recipient::Person(_) => You {
                id: short(id),
                name: self.people.name(id),
                why,
            },
            Recipient::Contact(field) => You {
                id: String::new(),
                name: self.contact(field),
                why: String::new(),
            },
        }
    }

    /// The name of a contact, without his address.
    fn contact(&self, field: &str) -> String {
        let text = self.matter.ticket.named(field).unwrap_or_default();
        let name = text.split('<').next().unwrap_or_default();
        let name = name.trim().trim_matches('"');
        short(if name.contains('@') { "" } else { name })
    }

    /// The next thing that happens to the position if nobody acts, and when.
    fn next(&self) -> Option<(Due, Then)> {
        let clocks = self.matter.ticket.clocks.iter();
        let own = clocks.filter(|clock| clock.branch == *self.matter.branch);
        let moving = own.filter(|clock| {
            matches!(
                clock.kind,
                ClockKind::Level { .. }
                    | ClockKind::After { .. }
                    | ClockKind::Remind
                    | ClockKind::Wake
            )
        });
        let clock = moving.min_by_key(|clock| (clock.due, clock.id))?;
        let left = clock.due.as_second() - self.matter.now.as_second();
        let due = Due {
            at: self.time(clock.due),
            left: times::span(left, self.language),
            is_over: left < 0,
        };
        Some((due, self.then(&clock.kind, clock.due)?))
    }

    fn then(&self, kind: &ClockKind, at: Timestamp) -> Option<Then> {
        let position = self.position()?;
        let workflow = self.matter.workflow;
        let then = |kind, who| Some(Then { kind, who });
        match kind {
            ClockKind::Remind => then("reminds", String::new()),
            ClockKind::Wake => then("wakes", String::new()),
            ClockKind::After { index } => {
                let work = workflow.work(&position.state)?;
                let after = work.after.get(usize::from(*index))?;
                then("state", self.label_of(&after.goto, false))
            }
            ClockKind::Level { next, .. } => match next {
                Level::LastResort => {
                    let person = &self.matter.directory.last_resort;
                    then("last-resort", self.people.name(person))
                }
                Level::Entry => then("next-round", String::new()),
                Level::Number(number) => {
                    let ladder = workflow.ladders.get(position.ladder.as_ref()?)?;
                    let index = usize::from(*number).checked_sub(1)?;
                    let level = ladder.levels.get(index)?;
                    if let Some(assign) = &level.assign {
                        return then("asks", self.people.whom(&assign.who, position, at));
                    }
                    let told = level.notify.iter();
                    let told = told.map(|who| self.people.whom(who, position, at));
                    then("tells", told.collect::<Vec<_>>().join(", "))
                }
            },
            _ => None,
        }
    }

    /// What this person can do now: the state's own actions first, in their author's order.
    fn actions(&self, is_customer: bool) -> Vec<String> {
        let Recipient::Person(person) = self.matter.to else {
            return Vec::new();
        };
        if is_customer || !self.matter.directory.people.contains_key(person) {
            return Vec::new();
        }
        let workload = Workload::default();
        let context = Context {
            now: self.matter.now,
            workflow: self.matter.workflow,
            directory: self.matter.directory,
            workload: &workload,
        };
        let actor = Actor::Person(person.clone());
        let all = possible(&context, self.matter.ticket, &actor);
        let here = all.iter().filter(|one| one.branch == *self.matter.branch);
        let words = here.filter_map(|one| match (&one.operation, &one.action) {
            (Operation::Act, Some(action)) => {
                let work = self.matter.workflow.work(&self.position()?.state)?;
                Some(self.people.label(work.action(action)?))
            }
            (Operation::Claim, _) => Some(self.word("claim it", "认领")),
            (Operation::Decline, _) => Some(self.word("decline it: not me", "谢绝")),
            _ => None,
        });
        words.take(MAX_ACTIONS).collect()
    }

    fn word(&self, en: &str, zh: &str) -> String {
        match self.language {
            Language::En => en.to_owned(),
            Language::Zh => zh.to_owned(),
        }
    }

    /// The fields of the state's form that hold something; where it has none, those of the first form.
    fn fields(&self, position: Option<&Position>, is_customer: bool) -> Vec<FieldFact> {
        let Matter {
            ticket, workflow, ..
        } = self.matter;
        // What a form holds is for those who work on it.
        if is_customer {
            return Vec::new();
        }
        let here = position.and_then(|at| workflow.work(&at.state));
        let here = here.map_or(&[][..], |work| work.form.as_slice());
        let first = workflow.work(&workflow.start);
        let first = first.map_or(&[][..], |work| work.form.as_slice());
        let mut names: Vec<&str> = first.iter().map(|name| name.as_str()).collect();
        let more = here.iter().map(|name| name.as_str());
        let more: Vec<&str> = more.filter(|name| !names.contains(name)).collect();
        names.extend(more);
        let mut room = MAX_FIELDS;
        let mut fields = Vec::new();
        for name in names {
            let (Some(field), Some(value)) = (workflow.fields.get(name), ticket.fields.get(name))
            else {
                continue;
            };
            let label = short(field.label.text(self.people.tag()));
            let label = if label.is_empty() { short(name) } else { label };
            let value = self.value(field, value);
            let most = MAX_FIELD.min(room);
            if most == 0 {
                break;
            }
            let value = clean::clip(&value, most);
            room = room.saturating_sub(value.chars().count());
            fields.push(FieldFact { label, value });
        }
        fields
    }

    fn value(&self, field: &Field, value: &Value) -> String {
        let tag = self.people.tag();
        match value {
            Value::List(items) => {
                let items = items.iter().map(|item| field.option_text(item, tag));
                clean::line(&items.collect::<Vec<_>>().join(", "))
            }
            Value::Text(text) => match field.kind {
                FieldType::Choice(_) => clean::line(field.option_text(text, tag)),
                FieldType::Person => self.people.name(text),
                FieldType::Paragraph => clean::text(text).trim_end().to_owned(),
                _ => clean::line(text),
            },
            Value::Flag(true) => self.word("yes", "是"),
            Value::Flag(false) => self.word("no", "否"),
            other => clean::line(&other.to_string()),
        }
    }

    /// What was said; `None` too if it is gone.
    fn comment(&self, is_customer: bool) -> Option<CommentFact> {
        let comment = self.matter.comment?;
        let text = clean::text(&comment.text);
        let text = text.trim_end();
        if text.is_empty() {
            return None;
        }
        let most = if is_customer { usize::MAX } else { MAX_COMMENT };
        let text = clean::clip(text, most);
        let by = match (&comment.by, is_customer) {
            (_, true) => String::new(),
            (Actor::Person(person) | Actor::Operator(person), _) => self.people.name(person),
            (Actor::Contact(field), _) => self.contact(field),
            (Actor::System(system), _) => short(system),
            (Actor::Clock, _) => String::new(),
        };
        Some(CommentFact {
            by,
            to_caller: comment.to_caller && !matches!(comment.by, Actor::Contact(_)),
            lines: text.lines().map(str::to_owned).collect(),
            brief: clean::clip(&clean::line(&text), MAX_COMMENT_BRIEF),
            text,
        })
    }

    fn promise(&self) -> Option<PromiseFact> {
        let (name, percent) = match self.matter.topic {
            Topic::PromiseWarned { promise, percent } => (promise, *percent),
            Topic::PromiseBreached { promise } => (promise, 100),
            _ => return None,
        };
        let ticket = self.matter.ticket;
        let mut clocks = ticket.clocks.iter();
        let clock = clocks.find(|clock| match &clock.kind {
            ClockKind::PromiseBreach { promise } => promise == name,
            _ => false,
        });
        let broken = ticket.promises.get(name).and_then(|ledger| ledger.breached);
        let due = broken.or_else(|| clock.map(|clock| clock.due));
        Some(PromiseFact {
            name: short(name),
            percent,
            due: due.map_or(String::new(), |due| self.time(due)),
        })
    }
}
