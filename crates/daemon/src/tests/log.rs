//! A recorded log, opened and worked through the HTTP API: it comes to the same as in the virtual run of
//! `upline replay`, whose clock the daemon's is moved like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::TempDir;
use upline::core::{Actor, Command, Directory, Event, Name, Ticket, Wish, evolve};
use upline::dsl::{Sources, load};
use upline::feed::What;
use upline::lab::replay::{Log, Mapping, PlayReport, Recount, play_observed, unpack};
use upline::lab::world::{Asked, Observer, Workflows};
use upline::notify::{Message, SendError, Sending};
use upline::record::Number;

use super::kit::{Service, token};
use crate::tell::{Button, Channel, Language, Letter, Teller, Writer};
use crate::tokens::Tokens;

/// How many of the log's tickets are played, unless `UPLINE_BPI_2013_TICKETS` says another number.
const TICKETS: usize = 1_000;

fn tickets() -> usize {
    let said = std::env::var("UPLINE_BPI_2013_TICKETS").ok();
    said.map_or(TICKETS, |said| said.parse().unwrap())
}

/// What the virtual run was asked, and when something happened in it.
#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    at: Option<Timestamp>,
}

enum Step {
    Until(Timestamp),
    /// Of this ticket; whether it was carried out.
    Command(Name, Command, bool),
}

impl Script {
    fn until(&mut self, at: Timestamp) {
        if self.at.is_none_or(|before| before < at) {
            self.steps.push(Step::Until(at));
            self.at = Some(at);
        }
    }
}

impl Observer for Script {
    fn happened(&mut self, _: &Ticket, event: &Event) {
        self.until(event.at);
        if let Some(Step::Command(_, _, carried_out)) = self.steps.last_mut() {
            *carried_out = true;
        }
    }

    fn asked(&mut self, asked: impl FnOnce() -> Asked) {
        match asked() {
            Asked::Open(_, command) => {
                let Wish::Open { ticket, .. } = &command.wish else {
                    unreachable!("a ticket is opened by `Open`");
                };
                self.steps
                    .push(Step::Command(ticket.clone(), command, false));
            }
            Asked::Submit(ticket, command) => {
                self.steps.push(Step::Command(ticket, command, false));
            }
            Asked::Until(at) => self.until(at),
            other => panic!("a log asks nothing like {other:?}"),
        }
    }
}

/// Takes every message, as the virtual run does.
struct Taken;

impl Channel for Taken {
    fn send<'a>(&'a self, _: &'a Message, _: &'a Letter) -> Sending<'a> {
        Box::pin(async { Ok(()) })
    }
}

impl Writer for Taken {
    fn language(&self, _: &Message) -> Language {
        Language::En
    }

    fn write(&self, _: &Message, buttons: Vec<Button>) -> Result<Letter, SendError> {
        Ok(Letter {
            language: Language::En,
            subject: "-".to_owned(),
            text: String::new(),
            html: None,
            brief: String::new(),
            buttons,
        })
    }
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The workflow and the directory of the examples.
struct Support {
    files: [(&'static str, String); 2],
    workflows: Workflows,
    directory: Arc<Directory>,
}

fn support() -> Support {
    let names = ["it-support.yaml", "directory.yaml"];
    let folder = repository().join("examples/replay");
    let files = names.map(|name| (name, std::fs::read_to_string(folder.join(name)).unwrap()));
    let loaded = load(files.iter().map(|(name, text)| (*name, text.as_bytes())));
    let workflows = loaded.workflows.into_iter();
    Support {
        workflows: Workflows::new(workflows.map(|read| Arc::new(read.value))),
        directory: Arc::new(loaded.directory.unwrap().value),
        files,
    }
}

/// The first tickets of a log, and what its columns mean.
fn read(log: PathBuf, map: &str) -> (Log, Mapping) {
    let text = std::fs::read_to_string(repository().join("examples/replay").join(map)).unwrap();
    let (mapping, _) = Mapping::read(&mut Sources::new(), (map, &text));
    let mapping = mapping.unwrap().value;
    let file = Box::new(File::open(&log).unwrap_or_else(|error| panic!("{log:?}: {error}")));
    let mut log = Log::read(unpack(file).unwrap(), &mapping, &mut |_| ()).unwrap();
    let (mut first, tickets) = (BTreeSet::new(), tickets());
    log.entries.retain(|entry| {
        let ticket = entry.ticket.index();
        first.contains(&ticket) || first.len() < tickets && first.insert(ticket)
    });
    (log, mapping)
}

/// A service with that workflow, at this time, and a token for everybody.
fn service(support: &Support, at: Timestamp) -> Service {
    let folder = TempDir::new().unwrap();
    for (name, text) in &support.files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let mut tokens = token("log", "integration", "");
    for person in support.directory.people.keys() {
        tokens += &token(person, "lead", person);
    }
    Service::beginning(at, folder, move |start| {
        let taken = Arc::new(Taken);
        let teller = Teller::new(taken.clone()).channel("mail".into(), taken);
        start.tokens(Tokens::read(&tokens).unwrap()).teller(teller)
    })
    .unwrap()
}

fn fields(typed: &[(Name, String)]) -> Value {
    let fields = typed.iter();
    fields
        .map(|(name, text)| (name.to_string(), Value::from(text.clone())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn who(by: &Actor) -> &str {
    match by {
        Actor::Person(name) | Actor::System(name) => name,
        other => panic!("nobody of the log is {other:?}"),
    }
}

/// The tickets as the log calls them, and what the service calls them.
type Ids = BTreeMap<Name, String>;

/// Sends a command; whether it was carried out.
fn send(service: &Service, ids: &mut Ids, ticket: &Name, command: &Command) -> bool {
    let by = who(&command.by);
    let (word, mut body) = match &command.wish {
        Wish::Open { fields: typed, .. } => {
            let body = json!({ "workflow": "it-support", "fields": fields(typed) });
            let key = [("idempotency-key", ticket.as_str())];
            let answer = service.post(by, "/v1/tickets", &key, &body);
            if answer.status == 201 {
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                ids.insert(ticket.clone(), id);
            }
            return answer.status == 201;
        }
        Wish::Act {
            action,
            fields: typed,
            ..
        } => (action.as_str(), json!({ "fields": fields(typed) })),
        Wish::Tick { item, done } => ("tick", json!({ "item": item, "done": done })),
        Wish::Comment { text, to_caller } => {
            let body = json!({ "text": text, "to-caller": to_caller });
            ("comment", body)
        }
        other => panic!("a log asks nothing like {other:?}"),
    };
    if let Some(branch) = &command.branch {
        body["branch"] = Value::from(branch.as_str());
    }
    let path = format!("/v1/tickets/{}/actions/{word}", ids[ticket]);
    let answer = service.post(by, &path, &[("if-match", "*")], &body);
    assert!(
        matches!(answer.status, 200 | 409),
        "{command:?}: {answer:?}"
    );
    answer.status == 200
}

/// Counts what has happened in the service.
fn recount(service: &Service, support: &Support, from: Timestamp, until: Timestamp) -> PlayReport {
    let handle = service.daemon().handle();
    let mut tickets: BTreeMap<Number, Ticket> = BTreeMap::new();
    let (mut recount, mut after) = (Recount::default(), None);
    loop {
        let page = service.runtime.block_on(handle.events(after, 500)).unwrap();
        for happening in page.items {
            let (Some(subject), What::Fact { fact, .. }) = (happening.subject, happening.what)
            else {
                continue;
            };
            let event = Event {
                at: happening.at,
                fact,
            };
            let ticket = tickets.entry(subject.number).or_default();
            evolve(ticket, &event);
            recount.happened(ticket, &event);
        }
        after = Some(page.next);
        if !page.more {
            break;
        }
    }
    let tickets: Vec<Ticket> = tickets.into_values().collect();
    let workflow = support.workflows.newest("it-support").unwrap();
    recount.report(workflow, from, until, &tickets)
}

fn is_the_same_through_the_api(log: PathBuf, map: &str) -> PlayReport {
    let support = support();
    let (log, mapping) = read(log, map);
    let ends = [log.entries.first(), log.entries.last()];
    let [from, until] = ends.map(|entry| entry.unwrap().at);
    let (workflows, directory) = (&support.workflows, &support.directory);
    let script = Script::default();
    let played = play_observed(&log, &mapping, workflows, "it-support", directory, script);
    let (replay, script) = played.unwrap();

    let service = service(&support, from);
    let mut ids = Ids::new();
    for step in &script.steps {
        match step {
            Step::Until(at) => {
                service.clock.forward_to(*at);
                service.settle();
            }
            Step::Command(ticket, command, carried_out) => {
                let done = send(&service, &mut ids, ticket, command);
                assert_eq!(done, *carried_out, "{ticket}: {command:?}");
            }
        }
    }
    service.settle();
    let served = recount(&service, &support, from, until);
    // What the log alone knows, and the clocks that came to nothing.
    let expected = PlayReport {
        directory: Name::default(),
        events: served.events,
        clocks: 0,
        rows: Default::default(),
        refused: Vec::new(),
        unknown_values: Default::default(),
        unknown_people: Default::default(),
        ..replay.clone()
    };
    assert_eq!(
        serde_json::to_value(&served).unwrap(),
        serde_json::to_value(&expected).unwrap()
    );
    replay
}

#[test]
fn a_log_through_the_api_comes_to_the_same_as_its_replay() {
    let log = repository().join("tests/data/small-log.csv");
    let report = is_the_same_through_the_api(log, "small.map.yaml");
    assert_eq!((report.opened, report.tickets_moved), (6, 4));
}

/// How many tickets are made up where there is no real log.
const MADE_UP: usize = 12;

/// A log in the layout of the real one, always the same: each ticket is queued, and goes through states by
/// chance until it is closed.
fn made_up() -> String {
    let states = [
        "Queued,Awaiting Assignment",
        "Accepted,In Progress",
        "Accepted,Assigned",
        "Accepted,Wait - User",
        "Completed,Resolved",
        "Completed,In Call",
        "Completed,Cancelled",
        "Unmatched,Unmatched",
    ];
    let columns = [
        "SR Number",
        "Change Date+Time",
        "Status",
        "Sub Status",
        "Resource",
        "Involved ST 2",
        "ST Level",
        "Owner Country",
        "Product",
        "SR Latest Impact",
    ];
    let mut log = format!("{}\n", columns.join(","));
    // Knuth's multiplier: the upper bits are by chance enough.
    let mut state: u64 = 2013;
    let mut chance = move |of: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % of
    };
    for number in 0..MADE_UP {
        let mut minute = number * 45;
        let impact = ["Low", "Medium", "High", "Major"][chance(4)];
        let mut row = |minute: usize, state: &str, line: &str| {
            let (day, hour) = (5 + minute / 1440, minute / 60 % 24);
            let at = format!("2012-03-{day:02}T{hour:02}:{:02}:00+01:00", minute % 60);
            log += &format!(
                "1-{number},{at},{state},Some{line},G{line},{line},Sweden,PROD{number},{impact}\n"
            );
        };
        row(minute, states[0], "L1");
        for _ in 0..2 + chance(6) {
            minute += 1 + chance(600);
            row(
                minute,
                states[chance(states.len())],
                ["L1", "L2", "L3"][chance(3)],
            );
        }
        row(minute + 30, "Completed,Closed", "L2");
    }
    log
}

/// `UPLINE_BPI_2013` names the incident log of the Business Process Intelligence Challenge 2013, which is not
/// part of Upline. A thousand tickets are some 200,000 steps: hours where each waits for a busy disk.
#[test]
fn the_first_tickets_of_a_real_log_too() {
    let Some(log) = std::env::var_os("UPLINE_BPI_2013") else {
        eprintln!(
            "passed over: UPLINE_BPI_2013 is not set; a log of its layout is made up and played"
        );
        let folder = TempDir::new().unwrap();
        let log = folder.path().join("log.csv");
        std::fs::write(&log, made_up()).unwrap();
        let report = is_the_same_through_the_api(log, "bpi-2013.map.yaml");
        assert_eq!(report.opened, MADE_UP as u64);
        assert!(report.tickets_moved > 0, "{report:?}");
        return;
    };
    let report = is_the_same_through_the_api(log.into(), "bpi-2013.map.yaml");
    assert_eq!(report.opened, tickets() as u64);
    let (hops, moved) = (
        report.levels.iter().map(|level| level.hops).sum::<u64>(),
        report.tickets_moved,
    );
    eprintln!(
        "{} tickets, {hops} hops, {moved} passed on because nobody acted: the same both ways",
        report.opened
    );
}
