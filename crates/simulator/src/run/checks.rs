//! How the engine says that it is, and whether all has happened that was due.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use upline::Status;

use super::Run;
use crate::oracle::fold::Wrong;

/// How often it is looked, twenty seconds apart, while faults are still to come: each can spoil one try of
/// the engine to go on, and a plan seldom has more than half as many in a row.
const MOST_LOOKS: usize = 12;

/// How many commits it may take, one behind the other, to work off what an outage has left: each fires a
/// bounded number of clocks.
const MOST_COMMITS: usize = 64;

impl Run<'_> {
    /// How the engine says that it is; `None` if it can't say.
    pub(super) fn status(&mut self) -> Result<Option<Status>, Wrong> {
        let answer = Arc::new(Mutex::new(None));
        let reply = Arc::clone(&answer);
        if !self.start()? {
            return Ok(None);
        }
        if let Some(driver) = &mut self.driver {
            driver.status(move |status| {
                *reply.lock().unwrap_or_else(PoisonError::into_inner) = Some(status);
            });
        }
        self.turn()?;
        let status = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
        match status {
            Some(Ok(status)) => {
                let now = status.now.as_millisecond();
                if now < self.oracle.at && self.calm {
                    return Err(format!("it is {now}, and the last commit is later"));
                }
                let rushed = self.clocks.saw(now);
                if rushed {
                    return Err(format!(
                        "it is {now}: a jump of the clock is believed at once"
                    ));
                }
                self.now = now;
                if status.clock_ahead.is_some() {
                    self.counters.add("clock_forward_held_by_guard");
                }
                Ok(Some(status))
            }
            Some(Err(_)) | None => Ok(None),
        }
    }

    /// Everything due has happened, all are answerable who must be, and the engine counts as the journal
    /// does.
    pub(super) fn check(&mut self) -> Result<(), Wrong> {
        let patient = !self.calm || self.full;
        let starts = self.starts;
        let mut wrong = None;
        for _ in 0..MOST_LOOKS {
            // A process that has just died needs another turn.
            let same = starts == self.starts && self.driver.is_some();
            if wrong.is_some() && !patient && same {
                break;
            }
            if wrong.is_some() {
                self.time_passes(20_000);
                self.turn()?;
            }
            wrong = self.check_now()?;
            // One that says that it goes on at once is not done yet; and what it says of itself is of before
            // the commit with which that turn ends.
            let mut again = true;
            for _ in 0..MOST_COMMITS {
                if wrong.is_none() || !again {
                    break;
                }
                again = self.wake == Some(Duration::ZERO);
                wrong = self.check_now()?;
            }
            if wrong.is_none() {
                return Ok(());
            }
        }
        match wrong {
            Some(wrong) if !self.full && self.end.is_none() => Err(wrong),
            _ => Ok(()),
        }
    }

    fn check_now(&mut self) -> Result<Option<Wrong>, Wrong> {
        self.turn()?;
        let Some(status) = self.status()? else {
            let why = &self.last_incident;
            return Ok(Some(format!("the engine can't say how it is: {why}")));
        };
        if let Some(stranger) = self.oracle.strangers() {
            return Ok(Some(stranger));
        }
        if status.forgotten + status.set_aside > 0 {
            return Ok(Some(format!("{status:?}")));
        }
        let now = crate::oracle::instant(self.now);
        if let Some((number, clock)) = self.oracle.first_clock()
            && clock.due <= now
        {
            let (id, due) = (clock.id, clock.due);
            return Ok(Some(format!(
                "it is {now}, and clock {id} of ticket number {number} was due at {due}"
            )));
        }
        let unsent = self.oracle.unsent();
        if unsent != status.unsent {
            return Ok(Some(format!(
                "{unsent} messages must be sent, and the engine knows of {}",
                status.unsent
            )));
        }
        Ok(None)
    }
}
