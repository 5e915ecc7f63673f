//! Watches a virtual run and counts what happens.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use upline_core::ticket::PromiseState;
use upline_core::{Actor, Branch, Cause, Event, Fact, Level, Name, Ticket, Workflow};

use super::play_report::{LevelUse, PromiseUse, StateUse};
use super::{PersonUse, PlayReport, Spread};
use crate::world::Observer;

/// What happened so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) events: u64,
    pub(super) reminders: u64,
    /// What clocks, children and openings were refused, by reason.
    pub(super) refused: BTreeMap<String, u64>,
    states: BTreeMap<Name, StateTally>,
    levels: BTreeMap<(Name, Level), LevelUse>,
    people: BTreeMap<Name, Load>,
    tickets: HashMap<Name, TicketTally>,
    promises: BTreeMap<Name, PromiseUse>,
}

#[derive(Debug, Default)]
struct StateTally {
    counts: StateUse,
    until_acted: Vec<i64>,
}

/// A ticket so far.
#[derive(Debug, Default)]
struct TicketTally {
    visits: BTreeMap<Branch, Visit>,
    holders: Vec<(Branch, Name)>,
    /// The levels that have asked somebody for it.
    levels: Vec<(Name, Level)>,
    moved: bool,
    last_resort: bool,
}

/// A stay in a state.
#[derive(Debug)]
struct Visit {
    state: Name,
    since: Timestamp,
    acted: bool,
    moved: bool,
    last_resort: bool,
}

/// What one person holds.
#[derive(Debug, Default)]
struct Load {
    open: u32,
    since: Timestamp,
    /// Open tickets times seconds.
    held: i128,
    counts: PersonUse,
}

impl Load {
    fn change(&mut self, at: Timestamp, by: i32) {
        let stretch = at.as_second() - self.since.as_second();
        self.held += i128::from(stretch) * i128::from(self.open);
        self.since = at;
        self.open = self.open.saturating_add_signed(by);
        if by > 0 {
            self.counts.given += 1;
            if self.open > self.counts.peak_open {
                self.counts.peak_open = self.open;
                self.counts.peak_at = Some(at);
            }
        }
    }
}

impl Observer for Tally {
    fn happened(&mut self, ticket: &Ticket, event: &Event) {
        self.events += 1;
        match &event.fact {
            Fact::Entered { branch, state, .. } => {
                self.leave(ticket, branch, event.at);
                self.states.entry(state.clone()).or_default().counts.visits += 1;
                let visit = Visit {
                    state: state.clone(),
                    since: event.at,
                    acted: false,
                    moved: false,
                    last_resort: false,
                };
                let tally = self.tickets.entry(ticket.id.clone()).or_default();
                tally.visits.insert(branch.clone(), visit);
                self.follow_holders(ticket, event.at);
            }
            Fact::Hopped(hop) => {
                let clock = matches!(hop.cause, Cause::Clock { .. });
                self.hopped(ticket, &hop.branch, hop.ladder.as_ref(), hop.level, clock);
                self.follow_holders(ticket, event.at);
            }
            Fact::LevelPassed { branch, level, .. } => {
                let ladder = ticket.positions.get(branch);
                let ladder = ladder
                    .and_then(|position| position.ladder.clone())
                    .unwrap_or_default();
                let level = self.levels.entry((ladder, *level)).or_default();
                level.nobody += 1;
            }
            // Whoever has it already may be the last resort: nobody new is asked then.
            Fact::LevelReached {
                branch,
                level: Level::LastResort,
                ..
            } => self.last_resort(ticket, branch),
            Fact::Reminded { .. } => self.reminders += 1,
            Fact::Acted { branch, by, .. } => self.acted(ticket, branch, by, event.at),
            Fact::BranchEnded { branch, .. } => {
                self.leave(ticket, branch, event.at);
                self.follow_holders(ticket, event.at);
            }
            Fact::Ended { .. } => {
                let tally = self.tickets.entry(ticket.id.clone()).or_default();
                let branches: Vec<Branch> = tally.visits.keys().cloned().collect();
                for branch in branches {
                    self.leave(ticket, &branch, event.at);
                }
                self.follow_holders(ticket, event.at);
            }
            _ => {}
        }
    }

    fn over(&mut self, ticket: &Ticket) {
        self.promises_of(ticket);
        if let Some(tally) = self.tickets.get_mut(&ticket.id) {
            let (moved, last_resort) = (tally.moved, tally.last_resort);
            *tally = TicketTally {
                moved,
                last_resort,
                ..TicketTally::default()
            };
        }
    }

    fn refused(&mut self, _: &Name, _: &upline_core::Command, refusal: &crate::world::Refusal) {
        *self.refused.entry(refusal.to_string()).or_default() += 1;
    }
}

impl Tally {
    fn hopped(
        &mut self,
        ticket: &Ticket,
        branch: &Branch,
        ladder: Option<&Name>,
        level: Level,
        clock: bool,
    ) {
        let key = (ladder.cloned().unwrap_or_default(), level);
        let tally = self.tickets.entry(ticket.id.clone()).or_default();
        let counts = self.levels.entry(key.clone()).or_default();
        counts.hops += 1;
        if !tally.levels.contains(&key) {
            tally.levels.push(key);
            counts.tickets += 1;
        }
        if let Some(visit) = tally.visits.get_mut(branch) {
            visit.moved |= clock;
            visit.last_resort |= level == Level::LastResort;
        }
        tally.moved |= clock;
        tally.last_resort |= level == Level::LastResort;
    }

    fn last_resort(&mut self, ticket: &Ticket, branch: &Branch) {
        let tally = self.tickets.entry(ticket.id.clone()).or_default();
        tally.last_resort = true;
        if let Some(visit) = tally.visits.get_mut(branch) {
            visit.last_resort = true;
        }
    }

    fn acted(&mut self, ticket: &Ticket, branch: &Branch, by: &Actor, at: Timestamp) {
        let tally = self.tickets.entry(ticket.id.clone()).or_default();
        if let Some(visit) = tally.visits.get_mut(branch) {
            let state = self.states.entry(visit.state.clone()).or_default();
            state.counts.acted += 1;
            state.counts.moved_before_act += u64::from(visit.moved);
            state
                .until_acted
                .push(at.as_second() - visit.since.as_second());
            visit.acted = true;
        }
        if let Some(person) = by.person() {
            self.people.entry(person.clone()).or_default().counts.acts += 1;
        }
    }

    /// The stay in the state at `branch`, and in those of its own branches, is over.
    fn leave(&mut self, ticket: &Ticket, branch: &Branch, at: Timestamp) {
        let Some(tally) = self.tickets.get_mut(&ticket.id) else {
            return;
        };
        let states = &mut self.states;
        tally.visits.retain(|other, visit| {
            let inner = branch.is_empty() || other.starts_with(&format!("{branch}/"));
            if other != branch && !inner {
                return true;
            }
            let state = states.entry(visit.state.clone()).or_default();
            state.counts.over(visit.acted, visit.last_resort);
            state.counts.held_seconds += at.as_second() - visit.since.as_second();
            false
        });
    }

    /// Keeps the people's loads in step with who is answerable for the ticket now.
    fn follow_holders(&mut self, ticket: &Ticket, at: Timestamp) {
        let tally = self.tickets.entry(ticket.id.clone()).or_default();
        let now: Vec<(Branch, Name)> = ticket
            .answerable()
            .map(|(branch, person)| (branch.clone(), person.clone()))
            .collect();
        for before in tally.holders.iter().filter(|before| !now.contains(before)) {
            self.people
                .entry(before.1.clone())
                .or_default()
                .change(at, -1);
        }
        for after in now.iter().filter(|after| !tally.holders.contains(after)) {
            self.people
                .entry(after.1.clone())
                .or_default()
                .change(at, 1);
        }
        tally.holders = now;
    }

    /// Counts how a ticket's promises stand: of one that is over as it ends, of the others at the end.
    pub(super) fn promises_of(&mut self, ticket: &Ticket) {
        for (name, ledger) in &ticket.promises {
            let counts = self.promises.entry(name.clone()).or_default();
            let met = ledger.state == PromiseState::Met;
            *match (ledger.breached.is_some(), met, ticket.ended.is_some()) {
                (false, true, _) => &mut counts.met,
                (true, true, _) => &mut counts.met_late,
                (true, false, _) => &mut counts.breached,
                (false, false, true) => &mut counts.ended_before,
                (false, false, false) => &mut counts.running,
            } += 1;
        }
    }

    /// How the promises that were counted stand, by name.
    fn promises(&mut self) -> Vec<PromiseUse> {
        let promises = std::mem::take(&mut self.promises).into_iter();
        promises
            .map(|(promise, counts)| PromiseUse { promise, ..counts })
            .collect()
    }

    /// Ends the counting: how the states were used, in the order of their names; and how long it took until
    /// somebody acted in those that `ask` somebody.
    fn states(&mut self, asks: impl Fn(&Name) -> bool) -> (Vec<StateUse>, Spread) {
        for visit in self
            .tickets
            .values()
            .flat_map(|tally| tally.visits.values())
        {
            let state = self.states.entry(visit.state.clone()).or_default();
            state.counts.still_there += 1;
            state.counts.last_resort += u64::from(visit.last_resort);
        }
        let mut asked = Vec::new();
        let states = std::mem::take(&mut self.states).into_iter();
        let states = states.map(|(state, tally)| {
            let asks = asks(&state);
            if asks {
                asked.extend_from_slice(&tally.until_acted);
            }
            StateUse {
                state,
                asks,
                until_acted: Spread::of(tally.until_acted),
                ..tally.counts
            }
        });
        let states = states.collect();
        (states, Spread::of(asked))
    }

    /// How the levels were used, by ladder.
    fn levels(&self) -> Vec<LevelUse> {
        let levels = self.levels.iter();
        let named = levels.map(|((ladder, level), counts)| LevelUse {
            ladder: ladder.clone(),
            level: *level,
            ..counts.clone()
        });
        named.collect()
    }

    /// What each person had, up to `until`; `seconds` is how long the run was.
    fn people(&mut self, until: Timestamp, seconds: i64) -> Vec<PersonUse> {
        let people = std::mem::take(&mut self.people).into_iter();
        let loads = people.map(|(person, mut load)| {
            load.change(until, 0);
            PersonUse {
                person,
                mean_open: load.held as f64 / seconds.max(1) as f64,
                open_at_end: load.open,
                ..load.counts
            }
        });
        loads.collect()
    }

    /// Ends the counting: writes what was counted of these tickets, up to `end`, into the report. Their
    /// promises were counted before.
    pub(super) fn report<'t>(
        mut self,
        report: &mut PlayReport,
        workflow: &Workflow,
        end: Timestamp,
        tickets: impl Iterator<Item = &'t Ticket>,
    ) {
        let (mut all, mut ended) = (0, 0);
        for ticket in tickets {
            all += 1;
            ended += u64::from(!ticket.is_open());
        }
        report.opened_besides = all - report.opened;
        (report.ended, report.open_at_end) = (ended, all - ended);
        report.promises = self.promises();
        report.levels = self.levels();
        (report.states, report.until_acted) =
            self.states(|state| workflow.work(state).is_some_and(|work| !work.watches()));
        (report.tickets_moved, report.last_resort) = self.moved_and_last_resort();
        let seconds = report
            .from
            .map_or(0, |from| end.as_second() - from.as_second());
        report.people = self.people(end, seconds);
        report.events = self.events;
        report.reminders = self.reminders;
        report.refused_to_clocks = self.refused;
    }

    /// Tickets that the ladder gave to somebody else while nobody acted, and those that the last resort got.
    fn moved_and_last_resort(&self) -> (u64, u64) {
        let moved = self.tickets.values().filter(|tally| tally.moved).count();
        let last = self
            .tickets
            .values()
            .filter(|tally| tally.last_resort)
            .count();
        (moved as u64, last as u64)
    }
}
