//! What each step of a plan does.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use upline::core::{Actor, Command, Holder, Name, Ticket, Wish};

use super::{End, Run};
use crate::clients::Sent;
use crate::oracle::fold::{self, Wrong};
use crate::oracle::instant;
use crate::plan::{Act, By, How, Step, TO_CALLER};

/// Most turns in one step of time: what is left passes at once.
const MOST_TURNS: u64 = 60;
/// Turns after which every step of time passes at once, so that a plan has an end.
const MOST_TURNS_IN_ALL: u64 = 2_000;

/// What the engine has said of each ticket.
type Found = Arc<Mutex<Vec<(u64, Option<Ticket>)>>>;

const DAY: i64 = 86_400_000;
const DAY_BACK: i64 = -DAY;

impl Run<'_> {
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Wrong> {
        match step {
            Step::Deploy(files) => self.deploy(files),
            Step::Open {
                workflow,
                by,
                key,
                how,
            } => {
                let wish = Wish::Open {
                    ticket: Name::default(),
                    key: key.as_deref().map(Name::new),
                    parent: None,
                    fields: vec![("about".into(), "the tap drips".into())],
                };
                let by = Actor::Person(by.as_str().into());
                self.command(Ok(workflow.clone()), by, wish, *how, None)
            }
            Step::Do {
                ticket,
                by,
                act,
                how,
            } => self.act(*ticket, by, act, *how),
            Step::Again {
                back,
                other,
                together,
            } => self.again(*back, *other, *together),
            Step::Pass { millis, asleep } => {
                self.pass(*millis, *asleep)?;
                self.check()
            }
            Step::PassToDue { more } => self.pass_to_due(*more),
            Step::Wall { millis } => {
                self.clocks.jump(*millis);
                match *millis {
                    DAY.. => self.counters.add("clock_forward_1d"),
                    ..=DAY_BACK => self.counters.add("clock_back_1d"),
                    _ => (),
                }
                self.turn()
            }
            Step::WallRight => {
                self.clocks.right();
                self.turn()
            }
            Step::Believe => {
                if let Some(driver) = &mut self.driver {
                    driver.believe_clock();
                }
                self.turn()?;
                self.clocks.believed();
                Ok(())
            }
            Step::Peers(mood) => {
                self.peers.mood = *mood;
                Ok(())
            }
            machine => self.machine(machine),
        }
    }

    /// A fault of the machine.
    fn machine(&mut self, step: &Step) -> Result<(), Wrong> {
        let disk = self.home.disk.as_ref().filter(|_| !self.home.is_compared());
        let Some(disk) = disk else {
            return Ok(());
        };
        let next = disk.operations();
        match step {
            Step::Kill { operation } => {
                disk.power_off_at(next + operation);
                self.end = Some(End::Kill);
            }
            Step::Cut { operation, keep } => {
                disk.power_off_at(next + operation);
                self.end = Some(End::Cut(*keep));
            }
            Step::Fail { operation, fault } => {
                disk.fail(next + operation, (*fault).into());
                self.calm = false;
            }
            Step::FailRead { read } => {
                disk.fail_read(disk.reads() + read);
                self.calm = false;
            }
            Step::Full { spare } => {
                disk.set_capacity(Some(disk.used() + spare));
                self.full = true;
                self.calm = false;
                self.counters.add("disk_full");
            }
            Step::Free => {
                disk.set_capacity(None);
                if std::mem::take(&mut self.full) {
                    self.counters.add("disk_full_recovered");
                }
            }
            Step::Restart { keep } => {
                self.end = Some(keep.map_or(End::Kill, End::Cut));
                self.stop()?;
                self.turn()?;
                return self.check();
            }
            Step::Damage { back, byte } => return self.damage(*back, *byte),
            _ => (),
        }
        self.stop_if_off()
    }

    fn damage(&mut self, back: usize, byte: u64) -> Result<(), Wrong> {
        self.end = Some(End::Kill);
        self.stop()?;
        let snapshots = self.home.snapshots();
        let which = snapshots.iter().rev().nth(back);
        if let (Some(disk), Some(path)) = (&self.home.disk, which) {
            let length = disk.contents(path).map_or(0, |bytes| bytes.len() as u64);
            let at = byte.checked_rem(length).unwrap_or(0);
            if disk.flip(path, at, 3) {
                self.counters.add("snapshot_damaged_passed_over");
            }
        }
        self.turn()?;
        self.check()
    }

    fn command(
        &mut self,
        to: Result<String, String>,
        by: Actor,
        wish: Wish,
        how: How,
        revision: Option<u64>,
    ) -> Result<(), Wrong> {
        let command = Command {
            by,
            branch: None,
            wish,
        };
        let sent = Sent {
            to,
            command,
            id: how.id.then(|| self.clients.fresh_id()),
            expecting: how.expecting.and_then(|back| revision?.checked_sub(back)),
        };
        self.send(sent, how.together)
    }

    fn send(&mut self, sent: Sent, together: bool) -> Result<(), Wrong> {
        if !self.start()? {
            return Ok(());
        }
        let now = instant(self.engine_now());
        if self
            .oracle
            .first_clock()
            .is_some_and(|(_, clock)| clock.due == now)
        {
            self.counters.add("command_at_exact_deadline");
        }
        self.say(|| format!("send {sent:?}"));
        if let Some(driver) = &mut self.driver {
            self.clients.send(driver, sent);
        }
        match together {
            true => Ok(()),
            false => self.turn(),
        }
    }

    fn again(&mut self, back: usize, other: bool, together: bool) -> Result<(), Wrong> {
        let Some(sent) = self.clients.earlier(back) else {
            return Ok(());
        };
        let mut sent = sent.clone();
        if other {
            sent.command.by = Actor::Operator("max".into());
            sent.expecting = None;
            if sent.to.is_err() {
                let text = "something else".to_owned();
                sent.command.wish = Wish::Comment {
                    text,
                    to_caller: false,
                };
            }
        }
        self.send(sent, together)
    }

    fn act(&mut self, ticket: usize, by: &By, act: &Act, how: How) -> Result<(), Wrong> {
        let count = self.oracle.tickets.len();
        let Some((_, ticket)) = self.oracle.tickets.iter().rev().nth(ticket % count.max(1)) else {
            return Ok(());
        };
        let by = actor(ticket, by);
        let (id, revision) = (ticket.id.to_string(), ticket.revision);
        let first = ticket.first_clock().map(|clock| (clock.id, clock.due));
        let wish = self.wish(act, first);
        self.command(Err(id), by, wish, how, Some(revision))
    }

    fn wish(&self, act: &Act, first: Option<(u32, jiff::Timestamp)>) -> Wish {
        let now = self.engine_now();
        let reason = Some("so it is".to_owned());
        match act {
            Act::Take(action) => Wish::Act {
                action: action.as_str().into(),
                fields: Vec::new(),
                note: Some("a private word".into()),
            },
            Act::Claim => Wish::Claim,
            Act::Decline => Wish::Decline { reason },
            Act::Release => Wish::Release { reason },
            Act::Delegate(to) => Wish::Delegate {
                to: to.as_str().into(),
                reason,
            },
            Act::Reassign(to) => Wish::Reassign {
                to: to.as_str().into(),
                reason,
            },
            Act::Escalate => Wish::Escalate { to: None, reason },
            Act::Suspend(millis, nanos) => {
                let until = instant(now + millis);
                let until = until.checked_add(jiff::SignedDuration::from_nanos(*nanos));
                Wish::Suspend {
                    until: until.unwrap_or(jiff::Timestamp::MAX),
                    reason,
                }
            }
            Act::Resume => Wish::Resume,
            Act::Comment(text) => Wish::Comment {
                text: text.clone(),
                to_caller: text == TO_CALLER,
            },
            Act::Save(field, text) => Wish::Save {
                fields: vec![(field.as_str().into(), text.clone())],
            },
            Act::Hold => Wish::Hold,
            Act::AnswerBy(millis) => Wish::AnswerBy {
                at: instant(now + millis),
            },
            Act::ChangeClock(millis) => {
                let (clock, due) = first.unwrap_or((0, instant(now)));
                Wish::ChangeClock {
                    clock,
                    due: instant(due.as_millisecond().max(now) + millis),
                    reason: "it must be".into(),
                }
            }
            Act::Cancel => Wish::Cancel {
                reason: "a wrong number".into(),
            },
        }
    }

    /// The engine's time, as far as it can be known without asking.
    fn engine_now(&self) -> i64 {
        self.now.max(self.oracle.at).max(self.reading().wall)
    }

    /// Time passes, and the engine has its turn whenever it wants one or a peer answers.
    pub(super) fn pass(&mut self, millis: i64, asleep: bool) -> Result<(), Wrong> {
        let end = self.clocks.elapsed() + millis.max(0);
        let mut turns = 0;
        loop {
            let rest = end - self.clocks.elapsed();
            let wake = self.wake.map(|wake| millis_of(wake).min(rest));
            let peers = self.peers.next().map(|at| at - self.clocks.elapsed());
            let next = wake.into_iter().chain(peers).min().unwrap_or(rest);
            let late = asleep || turns > MOST_TURNS || self.turns > MOST_TURNS_IN_ALL;
            self.time_passes(if late { rest } else { next.clamp(0, rest) });
            self.deliver();
            self.turn()?;
            turns += 1;
            if self.clocks.elapsed() >= end && self.wake != Some(Duration::ZERO) {
                return Ok(());
            }
        }
    }

    /// The engine may have wanted its turn.
    pub(super) fn time_passes(&mut self, millis: i64) {
        self.held_up |= millis > 0 && self.wake == Some(Duration::ZERO);
        self.clocks.pass(millis);
    }

    /// What peers have said by now reaches the engine.
    fn deliver(&mut self) {
        while let Some((id, result)) = self.peers.take(self.clocks.elapsed()) {
            if let Some(trace) = &mut self.trace {
                trace.push_str(&format!("peer {id:?}: {result:?}\n"));
            }
            if let Some(driver) = &mut self.driver {
                driver.sent(id, result);
            }
        }
    }

    /// The turn at the exact time is left to the next step, so that a command can come at the same moment.
    fn pass_to_due(&mut self, more: i64) -> Result<(), Wrong> {
        self.check()?;
        let Some((_, clock)) = self.oracle.first_clock() else {
            return Ok(());
        };
        let rest = clock.due.as_millisecond() - self.now + more;
        if rest > 1 {
            self.pass(rest - 1, false)?;
        }
        self.clocks.pass(rest.min(1));
        Ok(())
    }

    /// The engine's tickets are those that the journal adds up to.
    pub(super) fn compare(&mut self) -> Result<(), Wrong> {
        let found = Found::default();
        let Some(driver) = &mut self.driver else {
            return Ok(());
        };
        for (number, ticket) in &self.oracle.tickets {
            let (number, found) = (*number, Arc::clone(&found));
            driver.ticket(&ticket.id, move |ticket| {
                if let Ok(ticket) = ticket {
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.push((number, ticket));
                }
            });
        }
        self.look_at_tickets(&found)
    }

    fn look_at_tickets(&mut self, found: &Found) -> Result<(), Wrong> {
        // What was asked is answered before anything else happens in the turn.
        let before = self.oracle.tickets.clone();
        self.turn()?;
        let found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
        for (number, is) in found {
            let Some(should) = before.get(&number) else {
                continue;
            };
            match is {
                Some(is) => same(should, &is)?,
                None if should.is_open() => {
                    return Err(format!("ticket {} is forgotten", should.id));
                }
                None => (),
            }
        }
        Ok(())
    }
}

fn millis_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn actor(ticket: &fold::Ticket, by: &By) -> Actor {
    let place = ticket.places.values().find(|place| !place.ended);
    let holder = place.and_then(|place| place.holder.answerable().cloned());
    match by {
        By::Holder => Actor::Person(holder.unwrap_or_default()),
        By::Candidate(which) => match place.map(|place| &place.holder) {
            Some(Holder::Offer { candidates, .. }) if !candidates.is_empty() => {
                Actor::Person(candidates[which % candidates.len()].clone())
            }
            _ => Actor::Person(holder.unwrap_or_default()),
        },
        By::Person(person) => Actor::Person(person.as_str().into()),
        By::Operator(person) => Actor::Operator(person.as_str().into()),
    }
}

fn same(should: &fold::Ticket, is: &Ticket) -> Result<(), Wrong> {
    let mut clocks: Vec<_> = is.clocks.iter().collect();
    clocks.sort_by_key(|clock| clock.id);
    let places = is.positions.iter().map(|(branch, at)| {
        let place = fold::Place {
            state: at.state.clone(),
            visit: at.visit,
            holder: at.holder.clone(),
            epoch: at.epoch,
            level: at.level,
            round: at.round,
            suspended: at.suspended.as_ref().map(|suspended| suspended.until),
            ended: at.ended.is_some(),
        };
        (branch.clone(), place)
    });
    let same = should.id == is.id
        && should.workflow == is.workflow
        && should.version == is.version
        && should.revision == is.revision
        && should.epoch == is.last_epoch
        && should.ended == is.ended.is_some()
        && clocks.into_iter().eq(should.clocks.values())
        && places.eq(should.places.clone());
    match same {
        true => Ok(()),
        false => Err(format!(
            "the journal says {should:?}, and the engine {is:?}"
        )),
    }
}
