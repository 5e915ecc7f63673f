//! Says whether what the engine has written down, answered and sent is what it must. It reads the journal by
//! itself and adds it up by itself; of the engine it uses nothing.

pub mod fold;
pub mod journal;
mod quiet;
mod rule;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upline_core::event::Cause;
use upline_core::ticket::{Clock, ClockKind, Level};
use upline_core::{Fact, LeftOut, PromiseChange, Reason};

use crate::counters::Counters;
use fold::{Ticket, Wrong};
use journal::{Commit, Entry, Fate, Files, Frame, Hash, Moved, Reader};
pub use rule::Again;
use rule::Known;

/// A commit with so many fired clocks may leave others to the next one, for the sake of those who wait.
const MOST_FIRED: usize = 512;

/// What one command has come to in the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The ticket.
    pub number: u64,
    /// Its revision before.
    pub before: u64,
    /// Its revision after.
    pub after: u64,
    /// How often the command is in the journal.
    pub times: u32,
}

/// The durable journal, and what it adds up to.
#[derive(Debug, Clone, Default)]
pub struct Oracle {
    reader: Reader,
    hashes: Vec<Hash>,
    /// What is known besides, to judge what was removed.
    known: Known,
    /// The tickets by number.
    pub tickets: BTreeMap<u64, Ticket>,
    /// Commands that bore an id.
    pub effects: BTreeMap<[u8; 16], Effect>,
    /// The time of the last commit.
    pub at: i64,
    /// The people of the directory that holds.
    pub people: BTreeSet<String>,
    /// How each of them is told, and when otherwise.
    ways: quiet::Ways,
    /// Versions of workflows that came.
    pub files: usize,
    /// Messages whose fate became known, since somebody has looked.
    pub settled: Vec<(u64, u32, Fate, i64)>,
}

impl Oracle {
    /// Of a folder in which history is kept for so many days; without, for ever.
    #[must_use]
    pub fn under(keep_history: Option<u64>) -> Self {
        Self {
            known: Known::under(keep_history),
            ..Self::default()
        }
    }

    /// Reads what is new in the journal, and accepts it or not.
    ///
    /// # Errors
    /// What is wrong.
    pub fn read_on(&mut self, files: &dyn Files, counters: &mut Counters) -> Result<usize, Wrong> {
        let frames = self.reader.read(files)?;
        for frame in &frames {
            let seq = frame.seq;
            self.frame(frame, counters)
                .map_err(|wrong| format!("frame {seq}: {wrong}"))?;
        }
        Ok(frames.len())
    }

    /// Takes in commits of a store that has no files.
    ///
    /// # Errors
    /// What is wrong.
    pub fn take(&mut self, commits: Vec<Commit>, counters: &mut Counters) -> Result<(), Wrong> {
        for commit in commits {
            let seq = self.hashes.len() as u64 + 1;
            let frame = Frame {
                seq,
                position: seq - 1,
                hash: *blake3::hash(format!("{commit:?}").as_bytes()).as_bytes(),
                commit,
            };
            self.frame(&frame, counters)
                .map_err(|wrong| format!("commit {seq}: {wrong}"))?;
        }
        Ok(())
    }

    /// How many commits there are.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.hashes.len()
    }

    /// The hash of the last commit.
    #[must_use]
    pub fn head(&self) -> Hash {
        self.hashes.last().copied().unwrap_or_default()
    }

    /// The ticket of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&u64, &Ticket)> {
        let mut tickets = self.tickets.iter();
        tickets.find(|(_, ticket)| ticket.id == *id)
    }

    /// Messages whose fate is not known.
    #[must_use]
    pub fn unsent(&self) -> usize {
        let tickets = self.tickets.values();
        let told = tickets.flat_map(|ticket| ticket.told.values());
        told.filter(|told| told.fate.is_none()).count()
    }

    /// The first clock of all.
    #[must_use]
    pub fn first_clock(&self) -> Option<(u64, &Clock)> {
        let open = self.tickets.iter();
        let open = open.filter(|(_, ticket)| ticket.is_open() && ticket.set_aside.is_none());
        let clocks = open.filter_map(|(number, ticket)| Some((*number, ticket.first_clock()?)));
        clocks.min_by_key(|(number, clock)| (clock.due, *number))
    }

    /// Who is answerable though he is not in the directory.
    #[must_use]
    pub fn strangers(&self) -> Option<String> {
        let open = self.tickets.values().filter(|ticket| ticket.is_open());
        let places = open.flat_map(|ticket| ticket.places.values().map(move |at| (ticket, at)));
        let mut strangers = places.filter_map(|(ticket, place)| {
            let person = place.holder.answerable()?;
            let gone = !place.ended && !self.people.contains(person.as_str());
            gone.then(|| format!("{} of ticket {} is gone", person, ticket.id))
        });
        strangers.next()
    }

    fn frame(&mut self, frame: &Frame, counters: &mut Counters) -> Result<(), Wrong> {
        self.hashes.push(frame.hash);
        self.known.frame(frame);
        let commit = &frame.commit;
        if commit.at < self.at {
            return Err(format!("time runs back from {} to {}", self.at, commit.at));
        }
        self.at = commit.at;
        let mut last_due = None;
        let mut touched = BTreeSet::new();
        for entry in &commit.entries {
            match entry {
                Entry::Moved(moved) => {
                    touched.insert(moved.number);
                    let number = moved.number;
                    self.moved(frame, moved, &mut last_due, counters)
                        .map_err(|wrong| format!("ticket number {number}: {wrong}"))?;
                }
                Entry::Files(files) => {
                    for file in files {
                        self.files += 1;
                        if let Some(people) = people(&file.text) {
                            self.people = people;
                            self.ways = quiet::Ways::of(&file.text);
                        }
                    }
                }
                Entry::Erased { .. } => return Err("a key was destroyed".into()),
                Entry::SetAside { number, why } => {
                    return Err(format!("ticket number {number} is set aside: {why:?}"));
                }
                Entry::Released { number, by } => {
                    return Err(format!("ticket number {number} was let go on by {by}"));
                }
            }
        }
        self.after(commit, frame.position, &touched)
    }

    /// What must hold after each commit.
    fn after(
        &mut self,
        commit: &Commit,
        position: u64,
        touched: &BTreeSet<u64>,
    ) -> Result<(), Wrong> {
        for number in touched {
            let Some(ticket) = self.tickets.get_mut(number) else {
                continue;
            };
            ticket.last = Some(position);
            if let Some(gap) = ticket.gap() {
                return Err(format!("ticket number {number}: {gap}"));
            }
        }
        let timer =
            |entry: &&Entry| matches!(entry, Entry::Moved(moved) if moved.origin == "timer");
        let fired = commit.entries.iter().filter(timer).count();
        match self.first_clock() {
            // So many are left to the next commit.
            Some(_) if fired >= MOST_FIRED => Ok(()),
            Some((number, clock)) if clock.due <= instant(commit.at) => Err(format!(
                "clock {} of ticket number {number} was due at {} and has not fired by {}",
                clock.id, clock.due, commit.at
            )),
            _ => Ok(()),
        }
    }

    fn moved(
        &mut self,
        frame: &Frame,
        moved: &Moved,
        last_due: &mut Option<i64>,
        counters: &mut Counters,
    ) -> Result<(), Wrong> {
        let at = frame.commit.at;
        let ticket = self.tickets.entry(moved.number).or_default();
        // Of one that was opened in this commit there is none before.
        let fresh = ticket.last.is_none() && moved.revision > 0;
        if ticket.revision != moved.revision || ticket.last != moved.previous && !fresh {
            return Err(format!(
                "it says revision {} after {:?}, and it is {} after {:?}",
                moved.revision, moved.previous, ticket.revision, ticket.last
            ));
        }
        if moved.origin == "timer" && moved.revision > 0 {
            let fired = fired(ticket, moved, at)?;
            // Between two tickets the engine's millisecond counts: the first at which both are due.
            let due = first_millisecond(fired.due);
            if last_due.is_some_and(|last| due < last) {
                return Err(format!("clock {} fired out of order", fired.id));
            }
            if fired.due.as_millisecond() == at {
                counters.add("timeout_at_exact_deadline");
            }
            *last_due = Some(due);
        }
        self.known.key(moved);
        count(moved, ticket, counters);
        for event in &moved.events {
            if event.at.as_millisecond() != at {
                return Err(format!("an event of {} in a commit of {at}", event.at));
            }
            self.ways.fit(event, counters)?;
            ticket.add(event)?;
        }
        if ticket.ended {
            self.known.ended(moved.number, frame.seq);
        }
        if moved.origin == "timer" && moved.events.is_empty() {
            return Err("a clock fired and nothing happened".into());
        }
        for settled in &moved.settled {
            let Some(told) = ticket.told.get(&settled.notice).cloned() else {
                return Err(format!("message {} was never written", settled.notice));
            };
            if told.fate.is_some() {
                return Err(format!("message {} was settled twice", settled.notice));
            }
            if settled.fate == Fate::Withdrawn && ticket.needs(&told) {
                return Err(format!("message {} was still needed", settled.notice));
            }
            if let Some(told) = ticket.told.get_mut(&settled.notice) {
                told.fate = Some(settled.fate);
            }
            let settled = (moved.number, settled.notice, settled.fate, told.at);
            self.settled.push(settled);
        }
        if let Some((id, _)) = moved.command {
            let effect = Effect {
                number: moved.number,
                before: moved.revision,
                after: ticket.revision,
                times: 0,
            };
            let effect = self.effects.entry(id).or_insert(effect);
            effect.times += 1;
            if effect.times > 1 {
                return Err("a command was carried out twice".into());
            }
        }
        Ok(())
    }
}

/// The instant of so many milliseconds.
#[must_use]
pub fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// The first whole millisecond that is not before an instant.
fn first_millisecond(at: Timestamp) -> i64 {
    let millis = at.as_millisecond();
    millis + i64::from(instant(millis) < at)
}

/// The clock that the move says it comes from: it must be the ticket's first, and due.
fn fired(ticket: &Ticket, moved: &Moved, at: i64) -> Result<Clock, Wrong> {
    let by = |which: &dyn Fn(&Clock) -> bool| {
        let mut clocks: Vec<&Clock> = ticket
            .clocks
            .values()
            .filter(|clock| which(clock))
            .collect();
        clocks.sort_by_key(|clock| (clock.due, clock.id));
        clocks.first().copied().cloned()
    };
    let first = moved.events.first().map(|event| &event.fact);
    let said = moved.events.iter().find_map(|event| cause(&event.fact));
    let clock = match (said, first) {
        (Some((id, late)), _) => {
            let clock = ticket.clocks.get(&id).cloned();
            let seconds = at.div_euclid(1000);
            if let Some(clock) = &clock
                && late != seconds - clock.due.as_second()
            {
                return Err(format!("clock {id} says that it is {late} s late"));
            }
            clock
        }
        (None, Some(Fact::Reminded { branch, .. })) => {
            by(&|clock| clock.branch == *branch && clock.kind == ClockKind::Remind)
        }
        (
            None,
            Some(Fact::Notified {
                clock: Some(id), ..
            }),
        ) => ticket.clocks.get(id).cloned(),
        (None, Some(Fact::Promise { promise, .. })) => by(&|clock| match &clock.kind {
            ClockKind::PromiseWarn { promise: of, .. }
            | ClockKind::PromiseBreach { promise: of } => of == promise,
            _ => false,
        }),
        (None, Some(Fact::RunStarted { .. } | Fact::RunFailed { .. })) => {
            by(&|clock| matches!(clock.kind, ClockKind::RunTimeout | ClockKind::RunRetry))
        }
        _ => ticket.first_clock().cloned(),
    };
    let clock = clock.ok_or("a clock fired that is not armed")?;
    if clock.due.as_millisecond() > at {
        return Err(format!("clock {} fired before {}", clock.id, clock.due));
    }
    match ticket.first_clock() {
        Some(first) if first.due < clock.due => {
            Err(format!("clock {} fired before {}", clock.id, first.id))
        }
        _ => Ok(clock),
    }
}

fn cause(fact: &Fact) -> Option<(u32, i64)> {
    let cause = match fact {
        Fact::Hopped(hop) => &hop.cause,
        Fact::Entered { cause, .. }
        | Fact::LevelReached { cause, .. }
        | Fact::Resumed { cause, .. }
        | Fact::Ended { cause, .. } => cause,
        _ => return None,
    };
    match cause {
        Cause::Clock { clock, late } => Some((*clock, *late)),
        _ => None,
    }
}

fn count(moved: &Moved, ticket: &Ticket, counters: &mut Counters) {
    for event in &moved.events {
        let word = match &event.fact {
            Fact::Hopped(hop) => {
                let away = |one: &LeftOut| matches!(one.reason, Reason::Absent { .. });
                if hop.left_out.iter().any(away) {
                    counters.add("hop_skipped_inactive");
                }
                if hop.round > 1 {
                    counters.add("second_round");
                }
                match (&hop.cause, hop.level) {
                    (Cause::Gone, _) => "owner_gone_released",
                    (Cause::Undeliverable, _) => "undeliverable_passed_on",
                    (Cause::Clock { .. }, Level::LastResort) => "last_resort_reached",
                    (Cause::Clock { .. }, _) => "hopped_by_clock",
                    _ => continue,
                }
            }
            Fact::LevelPassed { .. } => "level_empty",
            Fact::Reminded { .. } => "last_resort_reminded",
            Fact::Suspended { .. } => "suspended",
            Fact::Resumed {
                cause: Cause::Clock { .. },
                ..
            } => "woke_by_itself",
            Fact::Promise {
                change: PromiseChange::Warned { .. },
                ..
            } => "promise_warned",
            Fact::Promise {
                change: PromiseChange::Breached { .. },
                ..
            } => "promise_breached",
            Fact::Called { .. } => "child_called",
            Fact::Entered {
                cause: Cause::Clock { .. },
                ..
            } => "state_left_by_itself",
            Fact::Ended { .. } => "ended",
            Fact::Opened {
                parent: Some(_), ..
            } => "child_opened",
            Fact::ClockMoved { .. } => "clock_moved",
            _ => continue,
        };
        counters.add(word);
    }
    if moved.origin == "call" && moved.revision > 0 && ticket.is_open() {
        counters.add("parent_told");
    }
    for settled in &moved.settled {
        counters.add(match settled.fate {
            Fate::Delivered => "delivered",
            Fate::Failed => "dead_letter",
            Fate::Withdrawn => "withdrawn",
        });
    }
}

/// The people of a directory's text, as the generator writes it: each in a line of its own.
fn people(text: &str) -> Option<BTreeSet<String>> {
    let after = text.split_once("\npeople:\n")?.1;
    let lines = after.lines().take_while(|line| line.starts_with("  "));
    let names = lines.filter_map(|line| Some(line.trim().split_once(':')?.0.to_owned()));
    Some(names.collect())
}
