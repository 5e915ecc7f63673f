//! A clock that runs faster than the room's.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use upline::clock::{Clock, Reading};

/// A clock that began at a time of its own, and runs so many times faster since.
#[derive(Debug, Clone)]
pub(super) struct FastClock {
    began: Instant,
    from: Timestamp,
    speed: f64,
}

impl FastClock {
    pub(super) fn new(from: Timestamp, speed: f64) -> Self {
        Self {
            began: Instant::now(),
            from,
            speed: speed.clamp(super::MIN_SPEED, super::MAX_SPEED),
        }
    }

    pub(super) fn speed(&self) -> f64 {
        self.speed
    }

    /// How much time has passed by it.
    pub(super) fn passed(&self) -> Duration {
        self.began.elapsed().mul_f64(self.speed)
    }

    /// What it shows.
    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.read().wall).unwrap_or(self.from)
    }

    /// In how many seconds of the room it will show this.
    pub(super) fn real_seconds_until(&self, at: Timestamp) -> f64 {
        at.duration_since(self.now()).as_secs_f64() / self.speed
    }
}

impl Clock for FastClock {
    fn read(&self) -> Reading {
        let passed = i64::try_from(self.passed().as_millis()).unwrap_or(i64::MAX / 4);
        Reading {
            wall: self.from.as_millisecond() + passed,
            steady: passed,
        }
    }

    fn idle(&self, rest: Duration) -> Option<Duration> {
        Some(rest.div_f64(self.speed))
    }

    fn watch(&self, _wake: Box<dyn Fn() + Send + Sync>) {}
}
