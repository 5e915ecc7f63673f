//! The writer looks out: are clocks late, does the post lie, and when must it turn again?

use std::time::Duration;

use super::{FULL_AGAIN, Health, Input, Writer};
use crate::clock::{Reading, millis};
use crate::floor::{Due, Incident, Status, instant, since};
use crate::record::Millis;
use crate::store::StoreError;

/// How late a clock may be, for how long, before there is an
/// [`Incident::Overdue`](crate::Incident::Overdue).
pub const OVERDUE: Duration = Duration::from_secs(5);

/// What was seen so far. Only time that really passed counts, by the steady clock, and only while the store
/// works: a start after an outage and a jump of the clock on the wall make much late, and no alarm.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Steady time since when the store works.
    well: Option<Millis>,
    /// Steady time since when there was something due at the end of every turn.
    behind: Option<Millis>,
    /// The most that a clock was late, in milliseconds, if that was told and is not over.
    overdue: Option<Millis>,
    /// The most that a message has waited, in milliseconds, if that was told and is not over.
    outbox: Option<Millis>,
    /// That the disk is full was told and is not over: at this steady time it is looked for room.
    full: Option<Millis>,
}

impl Writer {
    /// Looks whether something lasts too long, at the end of a turn: what it left undone had its chance.
    pub(super) fn look_out(&mut self, reading: Reading, now: Millis) {
        let steady = reading.steady;
        self.look_for_room(steady);
        if !matches!(self.health, Health::Good) || self.full.is_some() {
            // What was told is not over by that.
            (self.watch.well, self.watch.behind) = (None, None);
            return;
        }
        let well = *self.watch.well.get_or_insert(steady);
        let due = self.floor.next_due().map(Due::at).filter(|at| *at <= now);
        self.watch.behind = due.map(|_| self.watch.behind.unwrap_or(steady));
        let late = due.map_or(0, |at| now - at);
        let lasts = self.watch.behind.map_or(0, |since| steady - since);
        let is = late.min(lasts) > millis(OVERDUE);
        if let Some((late, over)) = changed(&mut self.watch.overdue, is, late) {
            self.incidents.push(Incident::Overdue { late, over });
        }
        let oldest = self.outbox.oldest();
        let waited = oldest.map_or(0, |oldest| steady - oldest.since.max(well));
        let is = waited > 0 && waited >= self.outbox.alarm_after();
        // What became of it may be known, and be in the next commit.
        let oldest = oldest.map(|oldest| oldest.id);
        let leaves = |input: &Input| matches!(input, Input::Sent(id, _) if Some(*id) == oldest);
        let told = self.watch.outbox.is_some();
        let is = is && (told || !self.waiting.iter().any(leaves));
        if let Some((age, over)) = changed(&mut self.watch.outbox, is, waited) {
            let unsent = self.outbox.len();
            self.incidents.push(Incident::Outbox { age, unsent, over });
        }
    }

    /// Looks whether the disk is full. That a commit goes well does not show that it is not: the journal has
    /// room in reserve, and goes on while a new file of keys finds none.
    fn look_for_room(&mut self, steady: Millis) {
        let told = self.watch.full;
        let is_full = match self.health {
            Health::Good if self.full.is_some() => true,
            Health::Failed { full: true, .. } => true,
            Health::Good => told.is_some_and(|at| {
                // What fails for another reason is told by whoever it fails.
                steady < at || matches!(self.store.look_for_room(), Err(StoreError::Full))
            }),
            // Whether there is room is not known.
            Health::Failed { full: false, .. } | Health::Broken(_) => told.is_some(),
        };
        let again = told.filter(|at| steady < *at);
        self.watch.full = is_full.then(|| again.unwrap_or(steady + millis(FULL_AGAIN)));
        if is_full != told.is_some() {
            self.incidents.push(Incident::Full {
                over: told.is_some(),
            });
        }
    }

    /// Steady time at which the oldest message will have waited for too long.
    fn next_alarm(&mut self) -> Option<Millis> {
        let well = self.watch.well.filter(|_| self.watch.outbox.is_none())?;
        let oldest = self.outbox.oldest()?;
        let alarm = oldest
            .since
            .max(well)
            .checked_add(self.outbox.alarm_after());
        alarm.filter(|at| *at > self.last.steady)
    }

    pub(super) fn status(&mut self) -> Status {
        let position = self.store.next_position();
        // While the disk is full the floor's time stands still.
        let now = self.time.now().max(self.floor.now);
        let mut status = self.floor.status(position, now);
        status.disk_full = self.watch.full.is_some() || self.full.is_some();
        status.clock_ahead = self.time.doubt(self.last);
        status.unsent = self.outbox.len();
        status.under_way = self.outbox.under_way();
        status.waiting = status.unsent - status.under_way;
        status.given_up = self.outbox.given_up;
        let written = self.outbox.oldest().map(|oldest| oldest.written);
        status.oldest_unsent = written.map(instant);
        status.oldest_unsent_for = since(written, now);
        status
    }

    /// After how long the next turn is needed though nothing comes in.
    pub(super) fn wake(&mut self, reading: Reading, now: Millis) -> Option<Duration> {
        let rest = |at: Millis, now: Millis| u64::try_from(at - now).unwrap_or(0);
        let rest = match self.health {
            Health::Broken(_) => return None,
            Health::Failed { again, .. } => rest(again, reading.steady),
            Health::Good if self.full.is_some() => {
                rest(self.full.unwrap_or_default(), reading.steady)
            }
            Health::Good if self.is_busy() => 0,
            Health::Good => {
                let floor = self.floor.next_wake();
                let next = [floor, self.outbox.next()];
                let next = next.into_iter().flatten().min().map(|at| rest(at, now));
                let alarm = self.next_alarm();
                let look = alarm.into_iter().chain(self.watch.full).min();
                let look = look.map(|at| rest(at, reading.steady));
                next.into_iter().chain(look).min()?
            }
        };
        Some(Duration::from_millis(rest))
    }
}

/// What must be told of something that lasts too long, or does no more: how much it was, and whether it is
/// over.
fn changed(told: &mut Option<Millis>, is: bool, much: Millis) -> Option<(Duration, bool)> {
    let duration = |much| since(Some(0), much);
    match (is, *told) {
        (true, Some(most)) => {
            *told = Some(most.max(much));
            None
        }
        (true, None) => {
            *told = Some(much);
            Some((duration(much), false))
        }
        (false, Some(most)) => {
            *told = None;
            Some((duration(most), true))
        }
        (false, None) => None,
    }
}
