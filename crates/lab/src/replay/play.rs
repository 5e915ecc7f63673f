//! Plays a log's tickets in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use upline_core::{
    Actor, Branch, Command, Context, Directory, Name, Position, Ticket, Wish, Workflow,
};

use super::doer::{LOG, holder, named, whoever_may};
use super::fill::Filler;
use super::play_report::{PlayReport, Refused};
use super::tally::Tally;
use super::watched::Watched;
use super::{Act, Log, LogEntry, Mapping, PlayMap, ROWS_PER_PROGRESS, ValueRows, What};
use crate::world::{Observer, Refusal, Unobserved, Workflows, World};

/// Most clocks that fall due in a run. A single row of a far year would else remind the last resort of
/// every open ticket for a lifetime.
pub const MAX_CLOCKS: u64 = 50_000_000;
/// Most actions that one row takes.
pub const MAX_ACTIONS_PER_ROW: usize = 8;
/// Most different reasons of refusal that are told apart.
pub const MAX_REASONS: usize = 500;

/// Why a log can't be played at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlayError {
    /// The mapping has no `play`.
    #[error("the mapping has no `play`: it does not say what the rows do in a workflow")]
    NoPlay,
    /// No such workflow.
    #[error("there is no workflow `{0}`")]
    NoWorkflow(Name),
}

/// Plays every ticket's arrival and the people's recorded acts in virtual time.
///
/// A ticket's first row opens it. Each row then does what the mapping says for its meaning, at its time;
/// between the rows the clocks do their part: the ladder asks the next person when nobody acts. The run ends
/// with the last row. The same log, mapping, workflow and directory give the same report.
///
/// `progress` is told the number of rows played, every [`ROWS_PER_PROGRESS`].
///
/// # Errors
/// [`PlayError`]; what can't be done with a single row is counted, and stands in the report.
pub fn play(
    log: &Log,
    mapping: &Mapping,
    workflows: &Workflows,
    workflow: &str,
    directory: &Arc<Directory>,
    progress: &mut dyn FnMut(u64),
) -> Result<PlayReport, PlayError> {
    let setting = Setting {
        log,
        mapping,
        workflows,
        workflow,
        directory,
    };
    let played = play_within(MAX_CLOCKS, &setting, Unobserved, progress)?;
    Ok(played.0)
}

/// The same, and an observer of yours is told what the virtual world was asked to do, when, and what
/// happened: enough to have something else do the same, and to compare.
///
/// # Errors
/// As [`play`].
pub fn play_observed<O: Observer>(
    log: &Log,
    mapping: &Mapping,
    workflows: &Workflows,
    workflow: &str,
    directory: &Arc<Directory>,
    observer: O,
) -> Result<(PlayReport, O), PlayError> {
    let setting = Setting {
        log,
        mapping,
        workflows,
        workflow,
        directory,
    };
    play_within(MAX_CLOCKS, &setting, observer, &mut |_| ())
}

/// What is played.
pub(super) struct Setting<'a> {
    pub(super) log: &'a Log,
    pub(super) mapping: &'a Mapping,
    pub(super) workflows: &'a Workflows,
    pub(super) workflow: &'a str,
    pub(super) directory: &'a Arc<Directory>,
}

/// The same with a limit of its own.
pub(super) fn play_within<O: Observer>(
    max_clocks: u64,
    setting: &Setting<'_>,
    observer: O,
    progress: &mut dyn FnMut(u64),
) -> Result<(PlayReport, O), PlayError> {
    let Setting {
        log,
        mapping,
        workflows,
        workflow,
        directory,
    } = *setting;
    let map = mapping.play.as_ref().ok_or(PlayError::NoPlay)?;
    let found = workflows.newest(workflow);
    let found = found.ok_or_else(|| PlayError::NoWorkflow(Name::new(workflow)))?;
    let start = log
        .entries
        .first()
        .map_or(Timestamp::UNIX_EPOCH, |entry| entry.at);
    let observers = Watched {
        tally: Tally::default(),
        other: observer,
    };
    let mut player = Player {
        log,
        map,
        max_clocks,
        filler: Filler::new(log, map),
        workflow: Arc::clone(found),
        world: World::observed(start, workflows.clone(), Arc::clone(directory), observers)
            .keeping_only_ends(),
        report: PlayReport {
            workflow: found.name.clone(),
            version: found.version,
            directory: directory.name.clone(),
            from: log.entries.first().map(|entry| entry.at),
            until: log.entries.last().map(|entry| entry.at),
            ..PlayReport::default()
        },
        refused: BTreeMap::new(),
        known: vec![Known::No; log.texts.len()],
        asks_person: map.asks_person(),
    };
    for (index, entry) in (1..).zip(&log.entries) {
        if !player.advance(entry.at) {
            player.report.rows.not_played = log.entries.len() as u64 - (index - 1);
            break;
        }
        player.row(entry);
        if index % ROWS_PER_PROGRESS == 0 {
            progress(index);
        }
    }
    progress(log.entries.len() as u64);
    Ok(player.finish())
}

/// Whether a ticket of the log is in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    Open,
    Refused,
}

struct Player<'a, O: Observer> {
    log: &'a Log,
    map: &'a PlayMap,
    max_clocks: u64,
    filler: Filler<'a>,
    workflow: Arc<Workflow>,
    world: World<Watched<O>>,
    report: PlayReport,
    refused: BTreeMap<(What, String), ValueRows>,
    known: Vec<Known>,
    asks_person: bool,
}

/// What became of a row.
enum Played {
    Acted,
    ThereAlready,
    Refused(String),
}

impl<O: Observer> Player<'_, O> {
    /// Lets the clocks do their part up to `to`; false when there were too many.
    fn advance(&mut self, to: Timestamp) -> bool {
        while self.report.clocks < self.max_clocks && self.world.step(to) {
            self.report.clocks += 1;
        }
        if self.report.clocks >= self.max_clocks {
            self.report.given_up = Some(self.world.now());
            return false;
        }
        self.world.advance_to(to);
        true
    }

    fn row(&mut self, entry: &LogEntry) {
        let log = self.log;
        let ticket = log.text(entry.ticket);
        let map = self.map;
        if let Some(person) = entry.person.filter(|_| self.asks_person) {
            let person = log.text(person);
            if !self.world.directory().people.contains_key(person) {
                self.report.unknown_people.add(entry.line, person);
            }
        }
        let known = &mut self.known[entry.ticket.index()];
        if *known == Known::No {
            *known = Known::Open;
            if let Err(reason) = self.open(entry, ticket) {
                self.known[entry.ticket.index()] = Known::Refused;
                return self.count(entry, What::Opened, Played::Refused(reason));
            }
            if !map.opening.is_empty()
                && let Played::Refused(reason) = self.act(entry, ticket, &map.opening)
            {
                return self.count(entry, What::Opened, Played::Refused(reason));
            }
        } else if *known == Known::Refused {
            let reason = "the ticket could not be opened".to_owned();
            return self.count(entry, entry.what, Played::Refused(reason));
        }
        let Some(act) = map.acts.get(&entry.what).filter(|act| !act.is_empty()) else {
            self.report.rows.nothing += 1;
            return;
        };
        let played = self.act(entry, ticket, act);
        self.count(entry, entry.what, played);
    }

    fn count(&mut self, entry: &LogEntry, what: What, played: Played) {
        let rows = &mut self.report.rows;
        let reason = match played {
            Played::Acted => {
                rows.acted += 1;
                return;
            }
            Played::ThereAlready => {
                rows.there_already += 1;
                return;
            }
            Played::Refused(reason) => reason,
        };
        rows.refused += 1;
        let full = self.refused.len() >= MAX_REASONS;
        let key = (what, reason);
        let key = match full && !self.refused.contains_key(&key) {
            true => (what, "other reasons".to_owned()),
            false => key,
        };
        let first = ValueRows {
            rows: 0,
            first_line: entry.line,
        };
        self.refused.entry(key).or_insert(first).rows += 1;
    }

    fn open(&mut self, entry: &LogEntry, ticket: &Name) -> Result<(), String> {
        let map = self.map;
        let by = named(self.log, self.world.directory(), entry, &map.opening.by);
        let unknown = &mut self.report.unknown_values;
        let fields = &map.opening.fields;
        let fields = self
            .filler
            .fill(&self.workflow, entry, fields, None, unknown);
        let open = Command {
            by: by?.unwrap_or(Actor::System(LOG)),
            branch: None,
            wish: Wish::Open {
                ticket: ticket.clone(),
                key: None,
                parent: None,
                fields,
            },
        };
        let workflow = self.report.workflow.clone();
        let opened = self.world.open(&workflow, &open);
        opened.map_err(|refusal| refusal.to_string())?;
        self.report.opened += 1;
        Ok(())
    }

    /// Takes actions until the ticket is where the row says.
    fn act(&mut self, entry: &LogEntry, id: &Name, act: &Act) -> Played {
        let mut taken: Vec<(Name, Name)> = Vec::new();
        loop {
            let Some(ticket) = self.world.ticket(id) else {
                return Played::Refused("the ticket is not there".to_owned());
            };
            if act.states.iter().any(|(state, _)| is_in(ticket, state)) {
                return self.arrived(entry, id, act, taken.is_empty());
            }
            if !taken.is_empty() && act.states.is_empty() {
                return Played::Acted;
            }
            if let Some(ended) = &ticket.ended {
                return Played::Refused(format!("the ticket has ended in `{}`", ended.state));
            }
            let next = self.next_step(entry, ticket, act);
            let (branch, state, name, by) = match next {
                Ok(next) => next,
                Err(reason) => return Played::Refused(reason),
            };
            let step = (state, name);
            if taken.contains(&step) || taken.len() >= MAX_ACTIONS_PER_ROW {
                let (state, _) = step;
                return Played::Refused(format!("the actions lead in a circle through `{state}`"));
            }
            if let Err(refusal) = self.take(entry, id, act, branch, &step, by) {
                return Played::Refused(refusal.to_string());
            }
            taken.push(step);
        }
    }

    /// The preferred action that is possible where the ticket is, and who takes it.
    fn next_step(
        &self,
        entry: &LogEntry,
        ticket: &Ticket,
        act: &Act,
    ) -> Result<(Branch, Name, Name, Actor), String> {
        let workflow = &self.workflow;
        let open = || {
            ticket
                .positions
                .iter()
                .filter(|(_, position)| position.ended.is_none())
        };
        for (name, _) in &act.take {
            for (branch, position) in open() {
                let work = workflow.work(&position.state);
                let Some((work, action)) = work.and_then(|work| Some((work, work.action(name)?)))
                else {
                    continue;
                };
                let context = self.context();
                let by = match named(self.log, self.world.directory(), entry, &act.by) {
                    Ok(Some(by)) => by,
                    Ok(None) => whoever_may(&context, ticket, position, work, action)
                        .unwrap_or(Actor::System(LOG)),
                    Err(reason) => return Err(reason),
                };
                return Ok((branch.clone(), position.state.clone(), name.clone(), by));
            }
        }
        let states: Vec<_> = open()
            .map(|(_, position)| format!("`{}`", position.state))
            .collect();
        let states = states.join(", ");
        Err(match act.take.is_empty() {
            true => format!("the ticket is in {states}, and the mapping names no action for it"),
            false => format!("{states} has none of the actions that the mapping names"),
        })
    }

    fn take(
        &mut self,
        entry: &LogEntry,
        id: &Name,
        act: &Act,
        branch: Branch,
        (state, action): &(Name, Name),
        by: Actor,
    ) -> Result<(), Refusal> {
        let workflow = Arc::clone(&self.workflow);
        let Some(work) = workflow.work(state) else {
            return Ok(());
        };
        // Of a recorded act the items of the checklist are taken for done.
        let items = work.action(action).map(|action| action.ticked.clone());
        for item in items.unwrap_or_default() {
            let tick = Command {
                by: by.clone(),
                branch: Some(branch.clone()),
                wish: Wish::Tick { item, done: true },
            };
            self.world.submit(id, &tick)?;
        }
        let unknown = &mut self.report.unknown_values;
        let form = Some(work.form.as_slice());
        let command = Command {
            by,
            branch: Some(branch),
            wish: Wish::Act {
                action: action.clone(),
                fields: self
                    .filler
                    .fill(&workflow, entry, &act.fields, form, unknown),
                note: None,
            },
        };
        self.world.submit(id, &command)?;
        Ok(())
    }

    /// The ticket is where the row says.
    fn arrived(&mut self, entry: &LogEntry, id: &Name, act: &Act, already: bool) -> Played {
        if !already {
            return Played::Acted;
        }
        if act.comment
            && let Some(comment) = self.comment(entry, id, act)
            && let Err(refusal) = self.world.submit(id, &comment)
        {
            return Played::Refused(refusal.to_string());
        }
        Played::ThereAlready
    }

    /// A sign of life of whoever has the ticket; `None` once it has ended.
    fn comment(&self, entry: &LogEntry, id: &Name, act: &Act) -> Option<Command> {
        let ticket = self.world.ticket(id).filter(|ticket| ticket.is_open())?;
        let mut positions = ticket.positions.iter();
        let state =
            |position: &Position| act.states.iter().any(|(state, _)| *state == position.state);
        let (branch, position) = positions.find(|(_, position)| state(position))?;
        let context = self.context();
        Some(Command {
            by: holder(&context, position)?,
            branch: Some(branch.clone()),
            wish: Wish::Comment {
                text: format!("in the log: {}", self.log.text(entry.status)),
                to_caller: false,
            },
        })
    }

    fn context(&self) -> Context<'_> {
        Context {
            now: self.world.now(),
            workflow: &self.workflow,
            directory: self.world.directory(),
            workload: self.world.workload(),
        }
    }

    fn finish(self) -> (PlayReport, O) {
        let end = self.world.now();
        let mut report = self.report;
        report.refused = by_rows(self.refused);
        let (mut world, workflow) = (self.world, self.workflow);
        let mut tally = std::mem::take(&mut world.observer_mut().tally);
        for ticket in world.tickets().filter(|ticket| ticket.is_open()) {
            tally.promises_of(ticket);
        }
        tally.report(&mut report, &workflow, end, world.tickets());
        (report, world.into_observer().other)
    }
}

/// Whether the ticket is in the state, or ended in it.
fn is_in(ticket: &Ticket, state: &Name) -> bool {
    let mut open = ticket
        .positions
        .values()
        .filter(|position| position.ended.is_none());
    match &ticket.ended {
        Some(ended) => ended.state == *state,
        None => open.any(|position| position.state == *state),
    }
}

/// The most frequent first.
fn by_rows(refused: BTreeMap<(What, String), ValueRows>) -> Vec<Refused> {
    let refused = refused.into_iter().map(|((what, reason), counts)| Refused {
        what,
        reason,
        rows: counts.rows,
        first_line: counts.first_line,
    });
    let mut refused: Vec<_> = refused.collect();
    refused.sort_by_key(|one| std::cmp::Reverse(one.rows));
    refused
}
