//! What a ticket's events add up to, as far as the oracle needs it, told anew: not the core's `evolve`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use upline_core::event::Cause;
use upline_core::ticket::{Clock, ClockKind, Holder, Level};
use upline_core::{ClockMove, Event, Fact, Hop, Name, Notice, Recipient, Topic};

use super::journal::Fate;

/// Where a ticket is.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The state.
    pub state: Name,
    /// Number of the visit.
    pub visit: u32,
    /// Who has it.
    pub holder: Holder,
    /// The epoch.
    pub epoch: u32,
    /// The level.
    pub level: Level,
    /// The round.
    pub round: u32,
    /// Until when it is suspended.
    pub suspended: Option<Timestamp>,
    /// Whether the branch has ended.
    pub ended: bool,
}

/// A message.
#[derive(Debug, Clone)]
pub struct Told {
    /// What it was at first.
    pub notice: Notice,
    /// Which branch it is about.
    pub branch: Name,
    /// The epoch when it was written.
    pub epoch: u32,
    /// When, in milliseconds.
    pub at: i64,
    /// What became of it.
    pub fate: Option<Fate>,
}

/// One ticket.
#[derive(Debug, Clone, Default)]
pub struct Ticket {
    /// Its id.
    pub id: Name,
    /// Its workflow.
    pub workflow: Name,
    /// Its version.
    pub version: u32,
    /// How many events it has.
    pub revision: u64,
    /// Where its last commit is.
    pub last: Option<u64>,
    /// Its branches.
    pub places: BTreeMap<Name, Place>,
    /// Its clocks.
    pub clocks: BTreeMap<u32, Clock>,
    /// Clocks that were ever armed.
    pub known: BTreeSet<u32>,
    /// Clocks that have caused a hop.
    pub hopped: BTreeSet<u32>,
    /// The last epoch.
    pub epoch: u32,
    /// Its messages.
    pub told: BTreeMap<u32, Told>,
    /// Whether it has ended.
    pub ended: bool,
    /// Why it is set aside.
    pub set_aside: Option<String>,
}

/// What is wrong.
pub type Wrong = String;

impl Ticket {
    /// Whether it is open.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.id.is_empty() && !self.ended
    }

    /// Whether the engine must know it: it is open, or messages are under way.
    #[must_use]
    pub fn is_hot(&self) -> bool {
        self.is_open() || self.told.values().any(|told| told.fate.is_none())
    }

    /// The clock that is due first.
    #[must_use]
    pub fn first_clock(&self) -> Option<&Clock> {
        let mut clocks: Vec<&Clock> = self.clocks.values().collect();
        clocks.sort_by(|a, b| (a.due, &a.kind, a.id).cmp(&(b.due, &b.kind, b.id)));
        clocks.first().copied()
    }

    /// Adds an event. The clock that it says it comes from must be armed and due.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn add(&mut self, event: &Event) -> Result<(), Wrong> {
        self.revision += 1;
        if self.ended {
            return Err(format!("after its end: {:?}", event.fact));
        }
        match &event.fact {
            Fact::Opened {
                ticket,
                workflow,
                version,
                ..
            } => {
                if self.revision != 1 {
                    return Err("opened twice".into());
                }
                self.id = ticket.clone();
                self.workflow = workflow.clone();
                self.version = *version;
            }
            Fact::Hopped(hop) => self.hop(hop)?,
            Fact::Entered { .. } => self.enter(event)?,
            Fact::Ended { .. } => {
                self.places.clear();
                self.clocks.clear();
                self.ended = true;
            }
            Fact::BranchEnded { branch, state, .. } => {
                self.leave(branch);
                let place = self.place(branch)?;
                place.state = state.clone();
                place.holder = Holder::Nobody;
                place.ended = true;
                place.suspended = None;
            }
            Fact::LevelReached {
                branch,
                level,
                round,
                cause,
                clock,
                ..
            } => {
                self.disarm(branch, is_ladder);
                if *cause == Cause::Activity {
                    self.disarm(branch, |kind| {
                        matches!(
                            kind,
                            ClockKind::Reach {
                                unless_acted: true,
                                ..
                            }
                        )
                    });
                }
                let place = self.place(branch)?;
                place.level = *level;
                place.round = *round;
                self.arm(clock)?;
            }
            other => self.clocks_of(other)?,
        }
        self.tell(event);
        Ok(())
    }

    fn place(&mut self, branch: &Name) -> Result<&mut Place, Wrong> {
        let place = self.places.get_mut(branch);
        place.ok_or_else(|| format!("there is no branch {branch:?}"))
    }

    fn enter(&mut self, event: &Event) -> Result<(), Wrong> {
        let Fact::Entered {
            branch,
            state,
            visit,
            clocks,
            holder,
            ..
        } = &event.fact
        else {
            return Ok(());
        };
        self.leave(branch);
        let before = self.places.remove(branch);
        self.places.retain(|other, _| !within(other, branch));
        let kept = before.filter(|before| before.holder.answerable() == holder.answerable());
        let epoch = kept.map_or_else(
            || {
                self.epoch += 1;
                self.epoch
            },
            |kept| kept.epoch,
        );
        self.places.insert(
            branch.clone(),
            Place {
                state: state.clone(),
                visit: *visit,
                holder: holder.clone(),
                epoch,
                level: Level::Entry,
                round: 1,
                suspended: None,
                ended: false,
            },
        );
        self.arm(clocks)
    }

    fn hop(&mut self, hop: &Hop) -> Result<(), Wrong> {
        if let Cause::Clock { clock, .. } = &hop.cause
            && !self.hopped.insert(*clock)
        {
            return Err(format!("clock {clock} has hopped twice"));
        }
        self.disarm(&hop.branch, |kind| {
            is_ladder(kind) || matches!(kind, ClockKind::Reach { .. } | ClockKind::Wake)
        });
        let last = self.epoch;
        let place = self.place(&hop.branch)?;
        let smaller = matches!(place.holder, Holder::Offer { .. })
            && matches!(hop.holder, Holder::Offer { .. })
            && hop.epoch == place.epoch;
        if hop.epoch != last + 1 && !smaller {
            return Err(format!("epoch {} after {last}", hop.epoch));
        }
        if hop.from.as_ref() != place.holder.answerable() {
            let had = place.holder.answerable();
            return Err(format!("hopped from {:?}, but {had:?} had it", hop.from));
        }
        place.holder = hop.holder.clone();
        place.epoch = hop.epoch;
        place.level = hop.level;
        place.round = hop.round;
        place.suspended = None;
        self.epoch = last.max(hop.epoch);
        self.arm(&hop.clock)?;
        self.arm(&hop.reach)
    }

    /// What happens to the clocks where nobody changes.
    fn clocks_of(&mut self, fact: &Fact) -> Result<(), Wrong> {
        match fact {
            Fact::Reminded { branch, clock, .. } => {
                self.disarm(branch, |kind| *kind == ClockKind::Remind);
                self.arm([clock])
            }
            Fact::Notified {
                clock: Some(clock), ..
            } => {
                self.clocks.remove(clock);
                Ok(())
            }
            Fact::Suspended { branch, clock, .. } => {
                self.disarm(branch, |kind| {
                    is_ladder(kind) || matches!(kind, ClockKind::Reach { .. })
                });
                self.place(branch)?.suspended = Some(clock.due);
                self.arm([clock])
            }
            Fact::Resumed { branch, clock, .. } => {
                self.disarm(branch, |kind| *kind == ClockKind::Wake);
                self.place(branch)?.suspended = None;
                self.arm(clock)
            }
            Fact::ClockMoved { old, new, how, .. } => {
                let moved = self.clocks.remove(old);
                let moved = moved.ok_or_else(|| format!("clock {old} moved, but is not armed"))?;
                if *how == ClockMove::Held && new.due < moved.due {
                    return Err(format!("clock {old} was held, and is due earlier"));
                }
                self.arm([new])
            }
            Fact::Promise {
                promise, clocks, ..
            } => {
                let before = std::mem::take(&mut self.clocks);
                let (old, kept): (BTreeMap<_, _>, _) = before
                    .into_iter()
                    .partition(|(_, clock)| of(&clock.kind, promise));
                self.clocks = kept;
                // Those that go on are listed again.
                let (again, new): (Vec<_>, Vec<_>) = clocks
                    .iter()
                    .partition(|clock| old.get(&clock.id) == Some(*clock));
                self.clocks
                    .extend(again.into_iter().map(|clock| (clock.id, clock.clone())));
                self.arm(new)
            }
            Fact::RunStarted { branch, clock, .. } => {
                self.disarm(branch, is_run);
                self.arm([clock])
            }
            Fact::RunFailed { branch, clock, .. } => {
                self.disarm(branch, is_run);
                self.arm(clock)
            }
            Fact::Migrated { .. } => Err("migrated, though nobody has asked for it".into()),
            _ => Ok(()),
        }
    }

    fn arm<'a>(&mut self, clocks: impl IntoIterator<Item = &'a Clock>) -> Result<(), Wrong> {
        for clock in clocks {
            if !self.known.insert(clock.id) {
                return Err(format!("the clock id {} is used again", clock.id));
            }
            self.clocks.insert(clock.id, clock.clone());
        }
        Ok(())
    }

    fn disarm(&mut self, branch: &Name, which: impl Fn(&ClockKind) -> bool) {
        self.clocks
            .retain(|_, clock| clock.branch != *branch || !which(&clock.kind));
    }

    /// The state of a branch is left: its clocks end, and those of the branches in it.
    fn leave(&mut self, branch: &Name) {
        self.clocks
            .retain(|_, clock| is_promise(&clock.kind) || !within(&clock.branch, branch));
    }

    fn tell(&mut self, event: &Event) {
        let branch = event.fact.branch().cloned().unwrap_or_default();
        let epoch = self.places.get(&branch).map_or(0, |place| place.epoch);
        for notice in event.fact.notices() {
            self.told.insert(
                notice.id,
                Told {
                    notice: notice.clone(),
                    branch: branch.clone(),
                    epoch,
                    at: event.at.as_millisecond(),
                    fate: None,
                },
            );
        }
    }

    /// Whether somebody still needs this message.
    #[must_use]
    pub fn needs(&self, told: &Told) -> bool {
        match &told.notice.topic {
            Topic::Informed | Topic::Outcome => true,
            Topic::PromiseWarned { .. } | Topic::PromiseBreached { .. } => self.is_open(),
            Topic::Commented => matches!(told.notice.to, Recipient::Contact(_)) || self.is_open(),
            Topic::Assigned | Topic::Offered | Topic::Reminded => {
                let Some(place) = self.places.get(&told.branch) else {
                    return false;
                };
                let asked = match (&told.notice.to, &place.holder) {
                    (Recipient::Contact(_), _) => true,
                    (Recipient::Person(to), Holder::Assignee(person)) => to == person,
                    (
                        Recipient::Person(to),
                        Holder::Offer {
                            lead, candidates, ..
                        },
                    ) => to == lead || candidates.contains(to),
                    (Recipient::Person(_), Holder::Branches | Holder::Nobody) => false,
                };
                !place.ended && place.epoch == told.epoch && asked
            }
        }
    }

    /// Why the ticket could be forgotten, if it could.
    #[must_use]
    pub fn gap(&self) -> Option<String> {
        if !self.is_open() || self.set_aside.is_some() {
            return None;
        }
        if self.places.is_empty() {
            return Some("is nowhere".into());
        }
        self.places.iter().find_map(|(branch, place)| {
            if place.ended {
                return None;
            }
            if place.holder == Holder::Branches {
                let waits = |(other, inner): (&Name, &Place)| {
                    other != branch && within(other, branch) && !inner.ended
                };
                let any = self.places.iter().any(waits);
                return (!any).then(|| format!("waits for no branch in {}", place.state));
            }
            if place.holder.answerable().is_none() {
                return Some(format!("nobody is answerable in {}", place.state));
            }
            let moves = |clock: &Clock| clock.branch == *branch && moves_on(&clock.kind);
            let any = self.clocks.values().any(moves);
            (!any).then(|| format!("no clock is armed in {}", place.state))
        })
    }
}

fn within(branch: &str, of: &str) -> bool {
    of.is_empty() || branch == of || branch.starts_with(&format!("{of}/"))
}

fn is_ladder(kind: &ClockKind) -> bool {
    matches!(kind, ClockKind::Level { .. } | ClockKind::Remind)
}

fn is_run(kind: &ClockKind) -> bool {
    matches!(kind, ClockKind::RunTimeout | ClockKind::RunRetry)
}

fn is_promise(kind: &ClockKind) -> bool {
    matches!(
        kind,
        ClockKind::PromiseWarn { .. } | ClockKind::PromiseBreach { .. }
    )
}

fn of(kind: &ClockKind, name: &Name) -> bool {
    match kind {
        ClockKind::PromiseWarn { promise, .. } | ClockKind::PromiseBreach { promise } => {
            promise == name
        }
        _ => false,
    }
}

fn moves_on(kind: &ClockKind) -> bool {
    !is_promise(kind) && !matches!(kind, ClockKind::Reach { .. })
}
