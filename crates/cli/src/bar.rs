//! Progress of long work: on a terminal; elsewhere nothing.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar on stderr.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar whose template is given; see indicatif.
    pub(crate) fn new(template: &str) -> Self {
        let target = match io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = Self(ProgressBar::with_draw_target(None, target));
        bar.restyle(template);
        bar
    }

    /// So much is done.
    pub(crate) fn at(&self, done: u64) {
        self.0.set_position(done);
    }

    /// So much is done of so much.
    pub(crate) fn at_of(&self, done: u64, of: u64) {
        self.0.set_length(of);
        self.0.set_position(done);
    }

    /// Something else begins.
    pub(crate) fn begin(&self, template: &str, of: u64) {
        self.0.reset();
        self.0.set_length(of);
        self.restyle(template);
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.0.finish_and_clear();
    }

    fn restyle(&self, template: &str) {
        let plain = |_| ProgressStyle::default_bar();
        self.0
            .set_style(ProgressStyle::with_template(template).unwrap_or_else(plain));
    }
}
