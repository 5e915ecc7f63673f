//! Small workflows and directories, and a desk that plays one ticket in virtual time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::decide::{Possible, possible};
use crate::workflow::{After, Assign, CatchUp, Ladder, LadderChoice, Level, Place};
use crate::{
    Action, Actor, Base, Channel, Command, Context, Directory, Event, Fact, Field, FieldType,
    Group, Label, Name, Person, Rejection, Span, State, StateKind, Ticket, Who, Wish, Work,
    Workflow, Workload, decide, evolve,
};

/// 2026-03-06 09:00 UTC, a Friday.
pub(super) fn start() -> Timestamp {
    "2026-03-06T09:00:00Z".parse().unwrap()
}

pub(super) fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

pub(super) fn person(id: &str) -> Person {
    Person {
        id: id.into(),
        name: id.to_uppercase(),
        mail: Some(format!("{id}@example.com")),
        channels: vec![Channel {
            via: "mail".into(),
            after: None,
            unless_acted: false,
            quiet: crate::Quiet::Any,
        }],
        ..Person::default()
    }
}

/// Three agents, their lead and manager, a clerk besides, and the last resort.
pub(super) fn directory() -> Directory {
    let people =
        ["ann", "bob", "cem", "lea", "max", "tom", "zoe"].map(|id| (id.into(), person(id)));
    let desk = Group {
        id: "desk".into(),
        members: ["ann", "bob", "cem"].map(Into::into).to_vec(),
        lead: Some("lea".into()),
        manager: Some("max".into()),
        schedule: None,
    };
    Directory {
        name: "acme".into(),
        last_resort: "zoe".into(),
        people: BTreeMap::from(people),
        groups: BTreeMap::from([("desk".into(), desk)]),
        calendars: BTreeMap::new(),
        schedules: BTreeMap::new(),
        absences: BTreeMap::new(),
    }
}

pub(super) fn assign(base: Base) -> Option<Assign> {
    Some(Assign::new(base.into(), Place::default()))
}

pub(super) fn level(after: i64, base: Option<Base>) -> Level {
    Level {
        after: Span::seconds(after * 60),
        assign: base.and_then(assign),
        notify: Vec::new(),
        set: Vec::new(),
        place: Place::default(),
    }
}

pub(super) fn ladder(name: &str, levels: Vec<Level>) -> Ladder {
    Ladder {
        name: name.into(),
        levels,
        repeat: 0,
        back_to: None,
        restart_on_activity: None,
        answer_by: Some(Span::hours(8)),
        place: Place::default(),
    }
}

pub(super) fn action(name: &str, goto: &str) -> Action {
    Action {
        name: name.into(),
        label: Label::plain(name),
        by: Vec::new(),
        message: None,
        goto: goto.into(),
        requires: Vec::new(),
        ticked: Vec::new(),
        set: Vec::new(),
        place: Place::default(),
    }
}

pub(super) fn work(base: Option<Base>, ladder: Option<&str>, actions: Vec<Action>) -> Work {
    Work {
        assign: base.and_then(assign),
        notify: Vec::new(),
        escalate: ladder
            .map(|ladder| LadderChoice {
                when: None,
                ladder: ladder.into(),
            })
            .into_iter()
            .collect(),
        form: vec!["cause".into()],
        checklist: Vec::new(),
        actions,
        after: Vec::new(),
        doing: None,
    }
}

pub(super) fn after(minutes: i64, goto: &str) -> After {
    After {
        span: Span::seconds(minutes * 60),
        goto: goto.into(),
        place: Place::default(),
    }
}

pub(super) fn state(name: &str, kind: StateKind) -> (Name, State) {
    let state = State {
        name: name.into(),
        title: Label::plain(name),
        within: None,
        kind,
        place: Place::default(),
    };
    (name.into(), state)
}

pub(super) fn end(name: &str) -> (Name, State) {
    state(
        name,
        StateKind::End {
            outcome: "done".into(),
            by_silence: true,
            notify: Vec::new(),
        },
    )
}

pub(super) fn workflow(states: Vec<(Name, State)>, ladders: Vec<Ladder>) -> Workflow {
    let fields = [
        ("cause", FieldType::Text),
        ("caller", FieldType::Contact),
        ("severity", FieldType::Number),
        ("expert", FieldType::Person),
    ];
    let fields = fields.map(|(name, kind)| {
        (
            name.into(),
            Field {
                name: name.into(),
                kind,
                label: Label::plain(name),
                option_labels: BTreeMap::new(),
                required: false,
            },
        )
    });
    Workflow {
        name: "trouble".into(),
        version: 1,
        title: Label::plain("Trouble"),
        calendar: None,
        fields: BTreeMap::from(fields),
        field_order: Vec::new(),
        promises: Vec::new(),
        ladders: ladders
            .into_iter()
            .map(|ladder| (ladder.name.clone(), ladder))
            .collect(),
        start: states[0].0.clone(),
        state_order: states.iter().map(|(name, _)| name.clone()).collect(),
        states: states.into_iter().collect(),
        catch_up: CatchUp::FromTold,
        every: Vec::new(),
        suspend_at_most: Span::days(30).around_the_clock(),
        place: Place::default(),
    }
}

/// Offered to the desk, climbing to lead and manager; then worked on under a ladder against silence.
pub(super) fn trouble(first: Base) -> Workflow {
    let climbing = ladder(
        "climbing",
        vec![
            level(15, Some(Base::AnotherIn("desk".into()))),
            level(15, Some(Base::LeadOf("desk".into()))),
            level(30, Some(Base::ManagerOf("desk".into()))),
        ],
    );
    let quiet = ladder(
        "quiet",
        vec![
            level(240, None),
            level(120, Some(Base::LeadOf("desk".into()))),
        ],
    );
    let dispatched = work(
        Some(first),
        Some("climbing"),
        vec![action("accept", "working")],
    );
    let working = work(
        Some(Base::WhoDid("accept".into())),
        Some("quiet"),
        vec![action("resolve", "closed"), action("pass", "dispatched")],
    );
    workflow(
        vec![
            state("dispatched", StateKind::Work(dispatched)),
            state("working", StateKind::Work(working)),
            end("closed"),
        ],
        vec![climbing, quiet],
    )
}

/// One ticket, its journal and the time.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) workflow: Workflow,
    pub(super) directory: Directory,
    pub(super) workload: Workload,
    pub(super) now: Timestamp,
    pub(super) ticket: Ticket,
    pub(super) journal: Vec<Event>,
}

impl Desk {
    pub(super) fn new(workflow: Workflow, directory: Directory) -> Self {
        let (workload, ticket) = (Workload::default(), Ticket::default());
        Self {
            workflow,
            directory,
            workload,
            now: start(),
            ticket,
            journal: Vec::new(),
        }
    }

    pub(super) fn opened(workflow: Workflow) -> Self {
        let mut desk = Self::new(workflow, directory());
        desk.open().unwrap();
        desk
    }

    pub(super) fn open(&mut self) -> Result<Vec<Event>, Rejection> {
        let fields = [("caller", "Mr Low"), ("expert", "cem")];
        self.submit(&opening(fields))
    }

    pub(super) fn open_with<'f>(
        &mut self,
        fields: impl IntoIterator<Item = (&'f str, &'f str)>,
    ) -> Vec<Event> {
        self.submit(&opening(fields)).unwrap()
    }

    fn context(&self) -> Context<'_> {
        Context {
            now: self.now,
            workflow: &self.workflow,
            directory: &self.directory,
            workload: &self.workload,
        }
    }

    pub(super) fn decide(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        decide(&self.context(), &self.ticket, command)
    }

    /// What somebody could do now.
    pub(super) fn could(&self, by: &Actor) -> Vec<Possible> {
        possible(&self.context(), &self.ticket, by)
    }

    pub(super) fn submit(&mut self, command: &Command) -> Result<Vec<Event>, Rejection> {
        let events = self.decide(command)?;
        self.apply(&events);
        Ok(events)
    }

    pub(super) fn apply(&mut self, events: &[Event]) {
        for event in events {
            let before = self.ticket.clone();
            evolve(&mut self.ticket, event);
            self.workload.follow(&before, event, &self.ticket);
            self.journal.push(event.clone());
        }
    }

    pub(super) fn act(&mut self, who: &str, action: &str) -> Result<Vec<Event>, Rejection> {
        self.submit(&Command::person(
            who,
            Wish::Act {
                action: action.into(),
                fields: Vec::new(),
                note: None,
            },
        ))
    }

    /// Fires what falls due until `minutes` after the start, each clock at its time.
    pub(super) fn until(&mut self, at: i64) {
        let end = start() + minutes(at);
        while let Some(clock) = self
            .ticket
            .next_due()
            .filter(|clock| clock.due <= end)
            .cloned()
        {
            self.now = self.now.max(clock.due);
            self.submit(&Command::due(clock.id)).unwrap();
            assert_eq!(
                self.ticket.clock(clock.id),
                None,
                "a fired clock is disarmed"
            );
        }
        self.now = end;
    }

    pub(super) fn holder(&self) -> &str {
        let mut answerable = self.ticket.answerable();
        answerable
            .next()
            .map_or("nobody", |(_, person)| person.as_str())
    }

    /// Who became answerable when: `ann@0 bob@15`.
    pub(super) fn hops(&self) -> String {
        let hops = self.journal.iter().filter_map(|event| match &event.fact {
            Fact::Hopped(hop) => {
                let minutes = (event.at.as_second() - start().as_second()) / 60;
                Some(format!("{}@{minutes}", hop.holder.answerable()?))
            }
            _ => None,
        });
        hops.collect::<Vec<_>>().join(" ")
    }

    pub(super) fn state(&self) -> &str {
        self.ticket
            .positions
            .get("")
            .map_or("ended", |position| position.state.as_str())
    }
}

fn opening<'f>(fields: impl IntoIterator<Item = (&'f str, &'f str)>) -> Command {
    let fields = fields.into_iter();
    let fields = fields.map(|(field, value)| (field.into(), value.to_owned()));
    let (ticket, fields) = ("t1".into(), fields.collect());
    let wish = Wish::Open {
        ticket,
        key: None,
        parent: None,
        fields,
    };
    Command::person("tom", wish)
}

pub(super) fn who(base: Base) -> Who {
    base.into()
}

pub(super) fn names(list: &[&str]) -> BTreeSet<Name> {
    list.iter().map(|name| Name::new(*name)).collect()
}
