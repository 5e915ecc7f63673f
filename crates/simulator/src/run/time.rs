//! The clocks of a simulated machine.

use upline::drive::Reading;

/// What really passes, and what the clock on the wall makes of it.
#[derive(Debug)]
pub(super) struct Clocks {
    begin: i64,
    elapsed: i64,
    /// How wrong the wall's clock is.
    wrong: i64,
    /// When the process began.
    began: i64,
    /// When the clock on the wall was set last, but for what left a jump a jump.
    set: i64,
    /// What the engine's time was when, since this process began and nobody has said that the clock is right.
    seen: Option<(i64, i64)>,
    /// The most that the wall's clock was ahead for long enough to be believed, since this process began.
    lasted: i64,
    /// The most that the wall's clock was ever ahead.
    ahead: i64,
}

/// A jump of more than this is believed only when it has lasted: ten minutes.
const JUMP: i64 = 600_000;
/// For so long: two minutes.
const LASTS: i64 = 120_000;

impl Clocks {
    pub(super) fn new(begin: i64) -> Self {
        Self {
            begin,
            elapsed: 0,
            wrong: 0,
            began: 0,
            set: 0,
            seen: None,
            lasted: i64::MIN,
            ahead: 0,
        }
    }

    /// The latest that the engine's time can be: it goes on with the steady clock from whatever the wall's
    /// has shown once, and never back.
    pub(super) fn latest(&self) -> i64 {
        self.begin + self.elapsed + self.ahead
    }

    /// Milliseconds since the beginning.
    pub(super) fn elapsed(&self) -> i64 {
        self.elapsed
    }

    pub(super) fn reading(&self) -> Reading {
        Reading {
            wall: self.begin + self.elapsed + self.wrong,
            steady: self.elapsed - self.began,
        }
    }

    /// A process begins: its steady clock says nothing of what was before.
    pub(super) fn begin(&mut self) -> Reading {
        self.began = self.elapsed;
        self.seen = None;
        self.lasted = i64::MIN;
        self.reading()
    }

    pub(super) fn pass(&mut self, millis: i64) {
        self.elapsed += millis.max(0);
    }

    pub(super) fn jump(&mut self, millis: i64) {
        self.set(self.wrong + millis);
    }

    /// Somebody has said that the clock is right.
    pub(super) fn believed(&mut self) {
        self.seen = None;
    }

    /// The engine says what time it is. Whether it has believed a jump too early.
    pub(super) fn saw(&mut self, now: i64) -> bool {
        let before = self.seen.replace((self.elapsed, now));
        before.is_some_and(|(elapsed, time)| {
            let ahead = now - time - (self.elapsed - elapsed);
            // On top of what was believed less than a jump is believed at once.
            let believed = now - self.begin - self.elapsed <= self.lasted.saturating_add(JUMP);
            ahead > JUMP && self.elapsed - self.set < LASTS && !believed
        })
    }

    pub(super) fn right(&mut self) {
        self.set(0);
    }

    fn set(&mut self, wrong: i64) {
        if self.elapsed - self.set >= LASTS {
            self.lasted = self.lasted.max(self.wrong);
        }
        // A jump that is only put right in part goes on lasting.
        let believed = self
            .seen
            .map_or(0, |(elapsed, time)| time - self.begin - elapsed);
        let jumps = |wrong: i64| wrong - believed > JUMP;
        if !jumps(self.wrong) || !jumps(wrong) {
            self.set = self.elapsed;
        }
        self.wrong = wrong;
        self.ahead = self.ahead.max(wrong);
    }
}
