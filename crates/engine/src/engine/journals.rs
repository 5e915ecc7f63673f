//! Every transcript of the repository, played by the engine: the journals are those of the world in virtual
//! time, in memory, and on a disk where the program is killed after every step.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use upline_core::{Event, Fact, Name, Rejection};
use upline_dsl::{Content, Files, Unreadable};
use upline_lab::transcript::{Prepared, Setting, Tape, tapes};
use upline_lab::world::Asked;

use crate::clock::Reading;
use crate::disk::sim::{Keep, SimDisk};
use crate::error::Error;
use crate::floor::{Done, Request, Target};
use crate::kit::entropy;
use crate::outbox::OutboxOptions;
use crate::record::{Commit, Entry, Number, Record};
use crate::store::{Batch, LogOptions, LogStore, MemoryStore, Recovered, Store, StoreError};
use crate::writer::{Input, Reply, Writer};

struct Folder;

impl Files for Folder {
    fn read(&mut self, path: &Path) -> Result<Content, Unreadable> {
        let bytes = std::fs::read(path);
        let bytes = bytes.map_err(|error| Unreadable::new(path, error.to_string()))?;
        Ok(Content::from(bytes))
    }

    fn names(&mut self, folder: &Path) -> Vec<String> {
        let inside = std::fs::read_dir(folder).into_iter().flatten().flatten();
        inside
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

fn transcripts() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = [root.join("workflows"), root.join("tests/scenarios")];
    let inside = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let paths = inside.map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.to_string_lossy().ends_with(".test.txt"))
        .collect();
    paths.sort();
    paths
}

type Written = Arc<Mutex<Vec<(Number, Event)>>>;

/// Notes what is committed.
struct Noted {
    inner: Box<dyn Store>,
    written: Written,
}

impl Store for Noted {
    fn commit(&mut self, batch: Batch<'_>) -> Result<(), StoreError> {
        let moves = batch.entries.iter().filter_map(|entry| match entry {
            Entry::Moved(moved) => Some(moved),
            _ => None,
        });
        let events = moves.flat_map(|moved| {
            let number = moved.number;
            moved
                .events
                .iter()
                .map(move |event| (number, event.clone()))
        });
        let events: Vec<_> = events.collect();
        self.inner.commit(batch)?;
        self.written.lock().unwrap().extend(events);
        Ok(())
    }

    fn recover(&mut self, each: &mut crate::store::Show<'_>) -> Result<Recovered, StoreError> {
        self.inner.recover(each)
    }

    fn make_room(&mut self) -> Result<(), StoreError> {
        self.inner.make_room()
    }

    fn next_position(&self) -> u64 {
        self.inner.next_position()
    }

    fn new_key(&mut self) -> Result<u32, StoreError> {
        self.inner.new_key()
    }

    fn ticket(&mut self, number: Number) -> Result<Option<Record>, StoreError> {
        self.inner.ticket(number)
    }

    fn read(&self, position: u64) -> Result<Option<Commit>, StoreError> {
        self.inner.read(position)
    }

    fn destroy_key(&mut self, key: u32) -> Result<(), StoreError> {
        self.inner.destroy_key(key)
    }

    fn between_commits(&mut self, known: &dyn Fn() -> Recovered) -> Result<(), StoreError> {
        self.inner.between_commits(known)
    }
}

/// Where the engine keeps its tickets.
enum Home {
    Memory,
    /// Killed after every step.
    Disk(SimDisk),
}

struct Stage<'a> {
    setting: &'a Setting,
    home: Home,
    writer: Option<Writer>,
    /// In memory a writer that is down keeps what it knows.
    asleep: Option<Writer>,
    now: Timestamp,
    written: Written,
    directory: Arc<upline_core::Directory>,
}

impl<'a> Stage<'a> {
    fn new(setting: &'a Setting, begins: Timestamp, home: Home) -> Self {
        let mut stage = Self {
            setting,
            home,
            writer: None,
            asleep: None,
            now: begins,
            written: Written::default(),
            directory: Arc::clone(&setting.directory),
        };
        stage.start();
        stage
    }

    fn reading(&self) -> Reading {
        Reading {
            wall: self.now.as_millisecond(),
            steady: self.now.as_millisecond(),
        }
    }

    fn start(&mut self) {
        let inner: Box<dyn Store> = match &self.home {
            Home::Memory => Box::new(MemoryStore::new()),
            Home::Disk(disk) => {
                let options = LogOptions {
                    segment_bytes: 64 << 10,
                    snapshot_commits: 7,
                    beside: false,
                    ..LogOptions::default()
                };
                let disk = Arc::new(disk.clone());
                Box::new(LogStore::open(disk, options, entropy(3)).unwrap())
            }
        };
        let store = Noted {
            inner,
            written: Arc::clone(&self.written),
        };
        // Messages stay on their way: transcripts say what becomes of them.
        let outbox = OutboxOptions {
            lease: Duration::from_secs(u64::from(u32::MAX)),
            ..OutboxOptions::default()
        };
        let writer = Writer::open(Box::new(store), self.reading(), outbox, 1).unwrap();
        self.writer = Some(writer);
        self.define();
    }

    fn define(&mut self) {
        let workflows = self.setting.workflows.clone();
        if let Some(writer) = &mut self.writer {
            writer.define(workflows, Arc::clone(&self.directory));
            self.turn(None);
        }
    }

    fn kill(&mut self) {
        if let Home::Disk(disk) = &self.home {
            self.writer = None;
            self.home = Home::Disk(disk.crash(Keep::Nothing));
            self.start();
        }
    }

    fn turn(&mut self, input: Option<Input>) -> Option<Duration> {
        let reading = self.reading();
        let writer = self.writer.as_mut().unwrap();
        let mut turn = writer.turn(reading, input);
        while writer.is_busy() || turn.wake == Some(Duration::ZERO) {
            turn = writer.turn(reading, None);
        }
        turn.wake
    }

    fn ask(&mut self, input: impl FnOnce(Reply<Done>) -> Input) -> Result<Done, Error> {
        let answer: Arc<Mutex<Option<Result<Done, Error>>>> = Arc::default();
        let reply = Arc::clone(&answer);
        self.turn(Some(input(Box::new(move |done| {
            *reply.lock().unwrap() = Some(done);
        }))));
        let done = answer.lock().unwrap().take();
        done.unwrap()
    }

    fn until(&mut self, to: Timestamp) {
        while self.writer.is_some() {
            let Some(rest) = self.turn(None) else { break };
            let next = self.now.checked_add(rest).unwrap();
            if next > to {
                break;
            }
            self.now = next;
        }
        self.now = self.now.max(to);
    }

    fn play(&mut self, asked: &Asked) {
        match asked {
            Asked::Open(workflow, command) => {
                let request = Request::own(command.clone(), "test");
                let _refused = self.ask(|reply| Input::Open(workflow.clone(), request, reply));
            }
            Asked::Submit(ticket, command) => {
                let request = Request::own(command.clone(), "test");
                let target = Target::Id(ticket.clone());
                let done = self.ask(|reply| Input::Submit(target, request, reply));
                if let Err(other) = done {
                    assert!(matches!(other, Error::Rejected(_)), "{other}");
                }
            }
            Asked::Until(to) => self.until(*to),
            Asked::Stop => match self.home {
                Home::Memory => self.asleep = self.writer.take(),
                Home::Disk(_) => self.writer = None,
            },
            Asked::Start if self.writer.is_some() => (),
            Asked::Start => match self.asleep.take() {
                Some(writer) => {
                    self.writer = Some(writer);
                    self.define();
                }
                None => self.start(),
            },
            Asked::Directory(directory) => {
                self.directory = Arc::clone(directory);
                self.define();
            }
        }
        let stops = matches!(self.home, Home::Memory) || self.writer.is_none();
        if !stops {
            self.kill();
        }
    }

    /// The journals by ticket, in order of opening.
    fn journals(&self) -> Vec<(Name, Vec<Event>)> {
        let mut journals: Vec<(Number, Name, Vec<Event>)> = Vec::new();
        for (number, event) in self.written.lock().unwrap().iter() {
            if let Fact::Opened { ticket, .. } = &event.fact {
                journals.push((*number, ticket.clone(), Vec::new()));
            }
            let mine = journals.iter_mut().find(|(known, ..)| known == number);
            mine.unwrap().2.push(event.clone());
        }
        let journals = journals.into_iter();
        journals
            .map(|(_, ticket, events)| (ticket, events))
            .collect()
    }
}

fn expected(tape: &Tape) -> Vec<(Name, Vec<Event>)> {
    let mut journals: Vec<(Name, Vec<Event>)> = Vec::new();
    for entry in &tape.log.entries {
        match journals
            .iter_mut()
            .find(|(ticket, _)| *ticket == entry.ticket)
        {
            Some((_, events)) => events.push(entry.event.clone()),
            None => journals.push((entry.ticket.clone(), vec![entry.event.clone()])),
        }
    }
    journals
}

fn compare(home: impl Fn() -> Home) -> usize {
    let mut played = 0;
    for path in transcripts() {
        let text = std::fs::read(&path).unwrap();
        let mut prepared = Prepared::new(&path, Content::from(text), &mut Folder);
        // A transcript of what is refused has nothing to play.
        let Some(setting) = &prepared.setting else {
            continue;
        };
        for tape in tapes(&prepared.script, setting, &mut prepared.found) {
            let mut stage = Stage::new(setting, tape.begins, home());
            for asked in &tape.log.asked {
                stage.play(asked);
            }
            let (ours, theirs) = (stage.journals(), expected(&tape));
            for ((ticket, mine), (other, events)) in ours.iter().zip(&theirs) {
                assert_eq!(ticket, other, "{}", path.display());
                for (mine, event) in mine.iter().zip(events) {
                    assert_eq!(mine, event, "{}: {ticket}", path.display());
                }
            }
            assert_eq!(ours, theirs, "{}", path.display());
            played += 1;
        }
    }
    played
}

#[test]
fn in_memory_the_engine_writes_the_journals_of_the_transcripts() {
    assert!(compare(|| Home::Memory) > 30);
}

#[test]
fn killed_after_every_step_the_engine_writes_the_same_journals() {
    assert!(compare(|| Home::Disk(SimDisk::new(5))) > 30);
}

#[test]
fn a_ticket_of_an_id_that_is_taken_is_refused() {
    let text = std::fs::read(&transcripts()[0]).unwrap();
    let prepared = Prepared::new(&transcripts()[0], Content::from(text), &mut Folder);
    let setting = prepared.setting.unwrap();
    let mut stage = Stage::new(
        &setting,
        "2026-03-06T09:00:00Z".parse().unwrap(),
        Home::Memory,
    );
    let open = |ticket: &str| {
        let wish = upline_core::Wish::Open {
            ticket: ticket.into(),
            key: None,
            parent: None,
            fields: Vec::new(),
        };
        let who = setting.directory.people.keys().next().unwrap().clone();
        Request::own(upline_core::Command::person(who, wish), "test")
    };
    let main = setting.main.clone();
    let first = stage.ask(|reply| Input::Open(main.clone(), open("t1"), reply));
    assert_eq!(first.unwrap().id, "t1");
    for taken in ["t1", "1"] {
        let again = stage.ask(|reply| Input::Open(main.clone(), open(taken), reply));
        let refused = matches!(again, Err(Error::Rejected(Rejection::AlreadyOpen)));
        assert!(refused, "{taken}: {again:?}");
    }
    let long = "x".repeat(257);
    for bad in ["17", "a\nb", &long] {
        let opened = stage.ask(|reply| Input::Open(main.clone(), open(bad), reply));
        let refused = matches!(
            opened,
            Err(Error::Rejected(Rejection::BadId { limit: 256 }))
        );
        assert!(refused, "{bad}: {opened:?}");
    }
}
