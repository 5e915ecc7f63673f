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
}

impl Clocks {
    pub(super) fn new(begin: i64) -> Self {
        Self {
            begin,
            elapsed: 0,
            wrong: 0,
            began: 0,
        }
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
        self.reading()
    }

    pub(super) fn pass(&mut self, millis: i64) {
        self.elapsed += millis.max(0);
    }

    pub(super) fn jump(&mut self, millis: i64) {
        self.wrong += millis;
    }

    pub(super) fn right(&mut self) {
        self.wrong = 0;
    }
}
