//! What a log says of itself, before any workflow comes into it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::{Log, LogEntry, Spread, Text, What};

/// Stretches longer than these are counted, in seconds: four hours and a day.
pub const LONG: [i64; 2] = [4 * 3_600, 24 * 3_600];

/// What the rows of a log say.
///
/// A ticket's rows are taken in the order of time. Whatever has no meaning in the mapping still is a row
/// of its ticket: it ends a stay in the queue, and it may move the ticket to another level.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct LogFacts {
    /// Rows of the file, bad ones included.
    pub rows: u64,
    /// Rows that were used.
    pub used_rows: u64,
    /// Tickets.
    pub tickets: u64,
    /// People who did something.
    pub people: u64,
    /// Teams that had something.
    pub teams: u64,
    /// The first row's time; `None` for a log without rows.
    pub from: Option<Timestamp>,
    /// The last row's time.
    pub until: Option<Timestamp>,
    /// Rows by what they tell.
    pub rows_by_meaning: BTreeMap<What, u64>,
    /// Moves between the lines of support.
    pub moves: Moves,
    /// Stays in the queue: from a row that tells `queued` to the ticket's next row.
    pub queue: Stays,
    /// The statuses of the tickets' last rows.
    pub last_status: BTreeMap<String, u64>,
    /// What the tickets' last rows tell.
    pub last_meaning: BTreeMap<What, u64>,
    /// Tickets whose last row tells neither `solved` nor `closed`.
    pub still_open: u64,
}

/// Moves between the lines of support. Rows without a level leave a ticket where it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Moves {
    /// Tickets that moved up at least once.
    pub tickets_up: u64,
    /// Moves to a higher level.
    pub up: u64,
    /// Moves to a lower one.
    pub down: u64,
    /// Tickets by the highest level that they reached.
    pub highest: BTreeMap<u16, u64>,
}

/// Stretches of time in which a ticket waited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Stays {
    /// Those that ended, in seconds.
    pub spread: Spread,
    /// How many were longer than each of [`LONG`].
    pub longer_than: BTreeMap<i64, u64>,
    /// Those that had not ended at the end of the log; they are in none of the other numbers.
    pub not_ended: u64,
}

impl Stays {
    /// The numbers of these stretches.
    pub(super) fn of(seconds: Vec<i64>, not_ended: u64) -> Self {
        let longer = |limit: i64| seconds.iter().filter(|one| **one > limit).count() as u64;
        Self {
            longer_than: LONG
                .into_iter()
                .map(|limit| (limit, longer(limit)))
                .collect(),
            spread: Spread::of(seconds),
            not_ended,
        }
    }

    /// How many ended.
    pub fn count(&self) -> u64 {
        self.spread.count
    }
}

/// A ticket so far.
#[derive(Clone, Copy)]
struct Course {
    level: Option<u16>,
    highest: Option<u16>,
    up: bool,
    queued: Option<Timestamp>,
    status: Text,
    what: What,
}

impl LogFacts {
    /// Counts a log.
    pub fn of(log: &Log) -> Self {
        let mut facts = Self {
            rows: log.rows,
            used_rows: log.entries.len() as u64,
            from: log.entries.first().map(|entry| entry.at),
            until: log.entries.last().map(|entry| entry.at),
            people: different(log, |entry| entry.person),
            teams: different(log, |entry| entry.team),
            ..Self::default()
        };
        let mut courses: Vec<Option<Course>> = vec![None; log.texts.len()];
        let mut stays = Vec::new();
        for entry in &log.entries {
            *facts.rows_by_meaning.entry(entry.what).or_default() += 1;
            let course = &mut courses[entry.ticket.index()];
            if let Some(since) = course.and_then(|course| course.queued) {
                stays.push(entry.at.as_second() - since.as_second());
            }
            *course = Some(facts.moved(*course, entry));
        }
        let courses = || courses.iter().flatten();
        let queued = courses().filter(|course| course.queued.is_some());
        facts.queue = Stays::of(stays, queued.count() as u64);
        for course in courses() {
            facts.tickets += 1;
            facts.moves.tickets_up += u64::from(course.up);
            if let Some(highest) = course.highest {
                *facts.moves.highest.entry(highest).or_default() += 1;
            }
            let status = log.text(course.status).to_string();
            *facts.last_status.entry(status).or_default() += 1;
            *facts.last_meaning.entry(course.what).or_default() += 1;
            let over = matches!(course.what, What::Solved | What::Closed);
            facts.still_open += u64::from(!over);
        }
        facts
    }

    fn moved(&mut self, before: Option<Course>, entry: &LogEntry) -> Course {
        let level = before.and_then(|course| course.level);
        let mut up = before.is_some_and(|course| course.up);
        if let (Some(from), Some(to)) = (level, entry.level) {
            self.moves.up += u64::from(to > from);
            self.moves.down += u64::from(to < from);
            up |= to > from;
        }
        Course {
            level: entry.level.or(level),
            highest: entry.level.max(before.and_then(|course| course.highest)),
            up,
            queued: (entry.what == What::Queued).then_some(entry.at),
            status: entry.status,
            what: entry.what,
        }
    }
}

/// How many different texts there are.
fn different(log: &Log, text: impl Fn(&LogEntry) -> Option<Text>) -> u64 {
    let mut seen = vec![false; log.texts.len()];
    for text in log.entries.iter().filter_map(text) {
        seen[text.index()] = true;
    }
    seen.into_iter().filter(|seen| *seen).count() as u64
}
