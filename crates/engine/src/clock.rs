//! Time: where the engine gets it, and why it never runs backwards.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::record::Millis;

/// A forward jump longer than this is not believed at once.
pub const JUMP: Duration = Duration::from_secs(10 * 60);

/// For how long a jump must have lasted before it is believed.
pub const JUMP_LASTS: Duration = Duration::from_secs(2 * 60);

/// While the machine's clock is behind the engine's time, this share of every second is left out, until it
/// has caught up: 1/16.
pub const SLEW: i64 = 16;

/// What the machine's clocks show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The clock on the wall, in milliseconds since 1970; it may jump.
    pub wall: Millis,
    /// Milliseconds since some beginning; never jumps.
    pub steady: Millis,
}

impl Reading {
    /// So much later, but not later than there are instants.
    fn forward(&mut self, by: Millis) {
        let end = Timestamp::MAX.as_millisecond();
        self.wall = self.wall.saturating_add(by).min(end);
        self.steady = self.steady.saturating_add(by).min(LONGEST);
    }
}

/// A source of time. The engine asks nothing else what time it is.
pub trait Clock: Send + Sync {
    /// What the clocks show now.
    fn read(&self) -> Reading;

    /// For how long the engine may be idle that has nothing to do for `rest`. `None`: until it is woken.
    fn idle(&self, rest: Duration) -> Option<Duration>;

    /// `wake` is to be called whenever time has moved in another way than by passing.
    fn watch(&self, wake: Box<dyn Fn() + Send + Sync>);
}

/// The machine's clocks.
#[derive(Debug)]
pub struct SystemClock {
    began: Instant,
}

impl SystemClock {
    /// Starts counting.
    #[must_use]
    pub fn new() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        Reading {
            wall: Timestamp::now().as_millisecond(),
            steady: millis(self.began.elapsed()),
        }
    }

    /// At most a minute: the wall's clock may be set meanwhile.
    fn idle(&self, rest: Duration) -> Option<Duration> {
        Some(rest.min(Duration::from_secs(60)))
    }

    fn watch(&self, _wake: Box<dyn Fn() + Send + Sync>) {}
}

/// A clock that stands still until it is moved: for tests that play weeks in a moment.
///
/// ```
/// use upline::clock::{Clock, ManualClock};
///
/// let clock = ManualClock::at("2026-03-06T09:20:00Z".parse()?);
/// clock.forward(std::time::Duration::from_secs(900));
/// assert_eq!(clock.now(), "2026-03-06T09:35:00Z".parse()?);
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone)]
pub struct ManualClock {
    shown: Arc<Mutex<Shown>>,
}

struct Shown {
    reading: Reading,
    wake: Vec<Box<dyn Fn() + Send + Sync>>,
}

impl std::fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        let reading = Reading {
            wall: now.as_millisecond(),
            steady: 0,
        };
        let shown = Shown {
            reading,
            wake: Vec::new(),
        };
        Self {
            shown: Arc::new(Mutex::new(shown)),
        }
    }

    /// What it shows.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        crate::floor::instant(self.shown().reading.wall)
    }

    /// Lets time pass, in one step: an engine finds all that fell due meanwhile at once, as after an outage,
    /// and catches up with it as the workflow says. [`Handle::pass`](crate::Handle::pass) goes from one clock
    /// to the next. Where instants end, at [`Timestamp::MAX`], it stands still, and what is due only there
    /// never fires.
    pub fn forward(&self, by: Duration) {
        self.change(|reading| reading.forward(millis(by)));
    }

    /// Lets time pass until `to`, in one step; an earlier instant changes nothing.
    pub fn forward_to(&self, to: Timestamp) {
        self.change(|reading| {
            let by = to.as_millisecond() - reading.wall;
            reading.forward(by.max(0));
        });
    }

    /// Sets the clock on the wall, as somebody does whose clock was wrong: no time passes.
    pub fn set_wall(&self, to: Timestamp) {
        self.change(|reading| reading.wall = to.as_millisecond());
    }

    fn change(&self, change: impl FnOnce(&mut Reading)) {
        let mut shown = self.shown();
        change(&mut shown.reading);
        shown.wake.iter().for_each(|wake| wake());
    }

    fn shown(&self) -> std::sync::MutexGuard<'_, Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        self.shown().reading
    }

    fn idle(&self, _rest: Duration) -> Option<Duration> {
        None
    }

    fn watch(&self, wake: Box<dyn Fn() + Send + Sync>) {
        self.shown().wake.push(wake);
    }
}

/// Makes the engine's time out of readings.
///
/// It follows the clock on the wall, except: it never runs backwards; a jump forward of more than [`JUMP`]
/// counts only when it has lasted for [`JUMP_LASTS`]; and while the wall's clock is behind, time goes on by
/// the steady clock, a little slower ([`SLEW`]) until both agree. So nothing fires twice when a clock is set
/// back, and a clock that is wrong for a moment fires nothing early.
#[derive(Debug, Clone)]
pub(crate) struct TimeKeeper {
    now: Millis,
    steady: Millis,
    /// Steady time when the jump was first seen that is not believed yet.
    jumped: Option<Millis>,
    /// What is left over of slewing, in sixteenths of a millisecond.
    rest: i64,
}

impl TimeKeeper {
    /// Begins with what the clocks show, but not before the last commit.
    pub(crate) fn begin(reading: Reading, last: Millis) -> Self {
        Self {
            now: reading.wall.min(end()).max(last),
            steady: reading.steady,
            jumped: None,
            rest: 0,
        }
    }

    /// The engine's time.
    pub(crate) fn observe(&mut self, reading: Reading) -> Millis {
        let passed = reading.steady.saturating_sub(self.steady).max(0);
        self.steady = self.steady.max(reading.steady);
        let by_steady = self.now.saturating_add(passed);
        let ahead = reading.wall.saturating_sub(by_steady);
        let mut now = reading.wall;
        if ahead < 0 {
            self.jumped = None;
            let sixteenths = passed.saturating_mul(SLEW - 1).saturating_add(self.rest);
            self.rest = sixteenths % SLEW;
            let slower = self.now.saturating_add(sixteenths / SLEW);
            now = slower.max(reading.wall.min(by_steady));
        } else if ahead <= millis(JUMP) {
            self.jumped = None;
        } else {
            let since = *self.jumped.get_or_insert(reading.steady);
            if reading.steady.saturating_sub(since) >= millis(JUMP_LASTS) {
                self.jumped = None;
            } else {
                now = by_steady;
            }
        }
        // One that began behind the end stays there.
        self.now = now.min(end()).max(self.now);
        self.now
    }

    /// The engine's time, as it was observed last.
    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    /// An operator says that the clock on the wall is right.
    pub(crate) fn believe(&mut self, reading: Reading) {
        self.jumped = None;
        self.now = self.now.max(reading.wall.min(end()));
    }

    /// How far the clock on the wall is ahead of the engine's time, if that is not believed yet.
    pub(crate) fn doubt(&self, reading: Reading) -> Option<Duration> {
        self.jumped?;
        u64::try_from(reading.wall.saturating_sub(self.now))
            .ok()
            .map(Duration::from_millis)
    }
}

/// Longer than anything lasts, and still far from where sums end.
const LONGEST: Millis = Millis::MAX / 4;

/// A duration in milliseconds; one too long is the longest there is.
pub(crate) fn millis(duration: Duration) -> Millis {
    let millis = Millis::try_from(duration.as_millis());
    millis.map_or(LONGEST, |millis| millis.min(LONGEST))
}

/// The last instant of an engine. What would be due later than there are instants is due at the last one: it
/// would fire there without end if time came so far.
fn end() -> Millis {
    Timestamp::MAX.as_millisecond() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Millis = 60_000;
    const HOUR: Millis = 60 * MINUTE;

    fn reading(wall: Millis, steady: Millis) -> Reading {
        Reading { wall, steady }
    }

    #[test]
    fn small_steps_forward_are_followed_and_long_ones_when_they_last() {
        let mut time = TimeKeeper::begin(reading(0, 0), 0);
        assert_eq!(time.observe(reading(1_000, 1_000)), 1_000);
        assert_eq!(time.observe(reading(9 * MINUTE, 1_000)), 9 * MINUTE);
        let day = 24 * HOUR;
        assert_eq!(time.observe(reading(day, 2_000)), 9 * MINUTE + 1_000);
        assert_eq!(
            time.observe(reading(day + MINUTE, 2_000 + MINUTE)),
            10 * MINUTE + 1_000
        );
        assert!(time.doubt(reading(day, 0)).is_some());
        let lasted = reading(day + 2 * MINUTE, 2_000 + 2 * MINUTE);
        assert_eq!(time.observe(lasted), lasted.wall);
    }

    #[test]
    fn a_clock_that_jumps_and_comes_back_moves_nothing() {
        let mut time = TimeKeeper::begin(reading(0, 0), 0);
        time.observe(reading(HOUR, 1_000));
        assert_eq!(time.observe(reading(2_000, 2_000)), 2_000);
        // The next jump must last for itself.
        time.observe(reading(HOUR, 3_000));
        assert_eq!(time.observe(reading(HOUR, 100_000)), 100_000);
    }

    #[test]
    fn time_never_runs_back_and_is_caught_up_with() {
        let mut time = TimeKeeper::begin(reading(HOUR, 0), 0);
        let mut last = HOUR;
        for second in 1..=16 * 60 {
            let now = time.observe(reading(second * 1_000, second * 1_000));
            assert!((0..=1_000).contains(&(now - last)), "{last} {now}");
            last = now;
        }
        assert_eq!(last, HOUR + 15 * MINUTE);
        let end = 16 * HOUR;
        for second in (16 * 60)..=(end / 1_000) {
            last = time.observe(reading(second * 1_000, second * 1_000));
        }
        assert_eq!(last, end, "an hour is caught up with in sixteen");
    }

    #[test]
    fn a_restart_goes_on_from_the_last_commit() {
        let mut time = TimeKeeper::begin(reading(0, 0), HOUR);
        assert_eq!(time.observe(reading(16, 16)), HOUR + 15);
    }

    #[test]
    fn time_ends_where_instants_end() {
        let clock = ManualClock::at(Timestamp::UNIX_EPOCH);
        let mut time = TimeKeeper::begin(clock.read(), 0);
        let longest = Duration::from_secs(9_223_372_036_854_775);
        for by in [
            longest,
            Duration::MAX,
            longest,
            Duration::MAX,
            Duration::MAX,
        ] {
            clock.forward(by);
            assert_eq!(time.observe(clock.read()), end());
        }
        assert_eq!(clock.now().as_millisecond(), end() + 1);
        clock.set_wall(Timestamp::UNIX_EPOCH);
        clock.forward(Duration::MAX);
        assert_eq!(time.observe(clock.read()), end());
        let mut time = TimeKeeper::begin(reading(0, 0), 0);
        time.observe(reading(0, Millis::MAX));
        time.observe(reading(Millis::MAX, Millis::MIN));
        time.observe(reading(Millis::MIN, Millis::MAX));
        time.believe(reading(Millis::MAX, 0));
        assert_eq!(time.now(), end());
        assert_eq!(time.doubt(reading(Millis::MIN, 0)), None);
    }
}
