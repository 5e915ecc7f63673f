//! A small workflow and its people, made without files: the tests of this crate's parts use it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use upline_core::workflow::{After, Assign, CatchUp, Ladder, LadderChoice, Level};
use upline_core::{
    Action, Channel, Command, Directory, Group, Name, Person, Place, Span, State, StateKind, Wish,
    Work, Workflow,
};

use crate::World;
use crate::world::Workflows;

/// The instant that `text` names.
pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn assign(phrase: &str) -> Option<Assign> {
    let who = upline_dsl::phrase::who(phrase).unwrap().value;
    Some(Assign::new(who, Place::default()))
}

fn state(name: &str, kind: StateKind) -> (Name, State) {
    let name = Name::new(name);
    let state = State {
        name: name.clone(),
        title: upline_core::Label::plain(name.as_str()),
        within: None,
        kind,
        place: Place::default(),
    };
    (name, state)
}

fn action(name: &str, goto: &str) -> Action {
    Action {
        name: Name::new(name),
        label: upline_core::Label::plain(name),
        by: Vec::new(),
        message: None,
        goto: Name::new(goto),
        requires: Vec::new(),
        ticked: Vec::new(),
        set: Vec::new(),
        place: Place::default(),
    }
}

fn work(who: &str, ladder: Option<&str>, actions: Vec<Action>, after: Vec<After>) -> StateKind {
    let choice = ladder.map(|ladder| LadderChoice {
        when: None,
        ladder: Name::new(ladder),
    });
    StateKind::Work(Work {
        assign: assign(who),
        notify: Vec::new(),
        escalate: choice.into_iter().collect(),
        form: Vec::new(),
        checklist: Vec::new(),
        actions,
        after,
        doing: None,
    })
}

/// Told, then colleagues, then the lead, with a quarter of an hour each; `accept` leads to work, `done` ends.
pub(crate) fn workflow() -> Arc<Workflow> {
    let level = |who| Level {
        after: Span::minutes(15).around_the_clock(),
        assign: assign(who),
        notify: Vec::new(),
        set: Vec::new(),
        place: Place::default(),
    };
    let ladder = |name: &str, levels| Ladder {
        name: Name::new(name),
        levels,
        repeat: 0,
        back_to: None,
        restart_on_activity: None,
        answer_by: None,
        place: Place::default(),
    };
    let nobody_acts = ladder(
        "nobody-acts",
        vec![level("another in desk"), level("lead of desk")],
    );
    let ladders = [
        nobody_acts,
        ladder("gone-quiet", vec![level("lead of desk")]),
    ];
    let states = [
        state(
            "asked",
            work(
                "least busy in desk",
                Some("nobody-acts"),
                vec![action("accept", "working")],
                vec![],
            ),
        ),
        state(
            "working",
            work(
                "who did accept",
                Some("gone-quiet"),
                vec![action("done", "closed")],
                vec![],
            ),
        ),
        state(
            "closed",
            StateKind::End {
                outcome: Name::new("done"),
                by_silence: false,
                notify: Vec::new(),
            },
        ),
    ];
    Arc::new(Workflow {
        name: Name::new("small"),
        version: 1,
        title: upline_core::Label::plain("Small"),
        calendar: None,
        fields: BTreeMap::new(),
        field_order: Vec::new(),
        promises: Vec::new(),
        ladders: ladders
            .into_iter()
            .map(|ladder| (ladder.name.clone(), ladder))
            .collect(),
        start: Name::new("asked"),
        state_order: states.iter().map(|(name, _)| name.clone()).collect(),
        states: states.into_iter().collect(),
        catch_up: CatchUp::FromTold,
        every: Vec::new(),
        suspend_at_most: Span::days(30),
        place: Place::default(),
    })
}

/// ann, bob and cem at the desk, lea leads it, max is the last resort.
pub(crate) fn directory() -> Directory {
    let person = |id: &str| {
        let person = Person {
            id: Name::new(id),
            name: id.to_owned(),
            mail: Some(format!("{id}@example.com")),
            channels: vec![Channel {
                via: Name::new("mail"),
                after: None,
                unless_acted: false,
                quiet: upline_core::Quiet::Any,
            }],
            ..Person::default()
        };
        (Name::new(id), person)
    };
    let desk = Group {
        id: Name::new("desk"),
        members: ["ann", "bob", "cem"].map(Name::new).to_vec(),
        lead: Some(Name::new("lea")),
        manager: Some(Name::new("max")),
        schedule: None,
    };
    Directory {
        name: Name::new("acme"),
        last_resort: Name::new("max"),
        people: ["ann", "bob", "cem", "lea", "max", "tom"]
            .map(person)
            .into(),
        groups: [(desk.id.clone(), desk)].into(),
        calendars: BTreeMap::new(),
        schedules: BTreeMap::new(),
        absences: BTreeMap::new(),
    }
}

/// A desk in Berlin that is open from nine to five, and a promise.
pub(crate) const OFFICE: &str = r#"
workflow: office
calendar: office-hours
promises:
  answer: { within: 4 h, met-in: working }
ladders:
  nobody-acts:
    - { after: 30 min, assign: another in desk }
    - { after: 1 h, assign: lead of desk }
start: asked
states:
  asked:
    assign: anyone in desk
    escalate: nobody-acts
    actions: { accept: { goto: working } }
  working:
    assign: who did accept
    escalate: nobody-acts
    actions: { done: { goto: closed } }
  closed: { end: done }
"#;

/// Who is there for [`OFFICE`]; bob is away.
pub(crate) const PEOPLE: &str = r#"
directory: acme
last-resort: user max
people:
  ann: { name: Ann, mail: ann@example.com }
  bob: { name: Bob, mail: bob@example.com }
  lea: { name: Lea, mail: lea@example.com }
  max: { name: Max, mail: max@example.com }
  tom: { name: Tom, mail: tom@example.com }
groups:
  desk: { members: [ann, bob], lead: lea, manager: max }
calendars:
  office-hours:
    time-zone: Europe/Berlin
    hours: { mon-fri: "09:00-17:00" }
absences:
  - { who: bob, from: 2026-03-01, to: 2026-03-31 }
"#;

/// The office and its people, as the transcript `office.test.txt` finds them beside it.
pub(crate) fn office_files() -> BTreeMap<PathBuf, Vec<u8>> {
    let files = [("office.yaml", OFFICE), ("directory.yaml", PEOPLE)];
    let files = files.map(|(name, text)| (name.into(), text.into()));
    files.into()
}

/// The office, read as authors' files are.
pub(crate) fn office() -> crate::transcript::Setting {
    let files = [("office.yaml", OFFICE), ("people.yaml", PEOPLE)];
    let loaded = upline_dsl::load(files.map(|(name, text)| (name, text.as_bytes())));
    assert!(!loaded.found.has_errors(), "{:?}", loaded.found);
    crate::transcript::Setting::of(loaded.workflows, loaded.directory, None).unwrap()
}

/// A world with one ticket `t1`, opened by tom at noon.
pub(crate) fn world() -> World {
    let mut world = World::new(
        at("2026-03-06T12:00Z"),
        Workflows::new([workflow()]),
        Arc::new(directory()),
    );
    world.open("small", &open("t1")).unwrap();
    world
}

/// tom opens a ticket.
pub(crate) fn open(id: &str) -> Command {
    Command::person(
        "tom",
        Wish::Open {
            ticket: Name::new(id),
            key: None,
            parent: None,
            fields: Vec::new(),
        },
    )
}
