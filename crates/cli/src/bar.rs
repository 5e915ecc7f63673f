//! Progress of long work: a bar on a terminal, elsewhere a line now and then.

use std::cell::Cell;
use std::io::{self, IsTerminal, Write as _};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use upline_lab::render::Language;

/// How long it works between two lines where stderr is no terminal.
const EVERY: Duration = Duration::from_secs(10);
/// The environment variable that says how many seconds it shall be instead.
const SECONDS: &str = "UPLINE_PROGRESS_SECONDS";

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    /// Things of this name.
    Of(&'static str),
    Bytes,
}

impl Unit {
    /// `reading: 12,000 rows`, `copying: 3 MiB of 12 MiB`.
    fn told(self, what: &str, done: u64, of: Option<u64>, language: Language) -> String {
        let number = |number: u64| match self {
            Self::Of(_) => HumanCount(number).to_string(),
            Self::Bytes => HumanBytes(number).to_string(),
        };
        let (colon, between) = match language {
            Language::English => (": ", " of "),
            Language::Chinese => ("：", " / "),
        };
        let of = of.map(|of| format!("{between}{}", number(of)));
        let unit = match self {
            Self::Of(unit) => format!(" {unit}"),
            Self::Bytes => String::new(),
        };
        format!(
            "{what}{colon}{}{}{unit}",
            number(done),
            of.unwrap_or_default()
        )
    }

    fn template(self, what: &str, of: bool, language: Language) -> String {
        if language == Language::Chinese {
            return match (self, of) {
                (Self::Of(unit), false) => format!("{{spinner}} {what}：{{human_pos}} {unit}"),
                (Self::Of(unit), true) => {
                    format!("{what}：{{bar:40}} {{human_pos}} / {{human_len}} {unit}，还需 {{eta}}")
                }
                (Self::Bytes, false) => format!("{{spinner}} {what}：{{bytes}}"),
                (Self::Bytes, true) => {
                    format!("{what}：{{bar:40}} {{bytes}} / {{total_bytes}}，还需 {{eta}}")
                }
            };
        }
        match (self, of) {
            (Self::Of(unit), false) => format!("{{spinner}} {what}: {{human_pos}} {unit}"),
            (Self::Of(unit), true) => {
                format!("{what}: {{bar:40}} {{human_pos}} of {{human_len}} {unit}, {{eta}} to go")
            }
            (Self::Bytes, false) => format!("{{spinner}} {what}: {{bytes}}"),
            (Self::Bytes, true) => {
                format!("{what}: {{bar:40}} {{bytes}} of {{total_bytes}}, {{eta}} to go")
            }
        }
    }
}

/// Progress on stderr.
pub(crate) struct Bar {
    bar: ProgressBar,
    what: &'static str,
    unit: Unit,
    language: Language,
    of: Cell<Option<u64>>,
    /// When the last line was told, and how long after it the next may be; `None` on a terminal.
    lines: Option<(Cell<Instant>, Duration)>,
}

impl Bar {
    /// Progress of what is done, with an end that is not known yet.
    pub(crate) fn new(what: &'static str, unit: Unit) -> Self {
        Self::told_in(Language::English, what, unit)
    }

    /// The same in a language, in which the names of what is done and counted are too.
    pub(crate) fn told_in(language: Language, what: &'static str, unit: Unit) -> Self {
        let terminal = io::stderr().is_terminal();
        let target = match terminal {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = Self {
            bar: ProgressBar::with_draw_target(None, target),
            what,
            unit,
            language,
            of: Cell::new(None),
            lines: (!terminal).then(|| (Cell::new(Instant::now()), every())),
        };
        bar.restyle();
        bar
    }

    /// So much is done.
    pub(crate) fn at(&self, done: u64) {
        self.bar.set_position(done);
        let Some((last, every)) = &self.lines else {
            return;
        };
        if last.get().elapsed() >= *every {
            last.set(Instant::now());
            // Nobody may be listening, and that is no reason to stop.
            let _ = writeln!(
                io::stderr(),
                "{}",
                self.unit
                    .told(self.what, done, self.of.get(), self.language)
            );
        }
    }

    /// So much is done of so much.
    pub(crate) fn at_of(&self, done: u64, of: u64) {
        if self.of.replace(Some(of)) != Some(of) {
            self.bar.set_length(of);
            self.restyle();
        }
        self.at(done);
    }

    /// Something else begins.
    pub(crate) fn begin(&mut self, what: &'static str, of: u64) {
        self.bar.reset();
        self.what = what;
        self.of.set(None);
        self.at_of(0, of);
    }

    /// Takes it away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }

    fn restyle(&self) {
        let of = self.of.get().is_some();
        let template = self.unit.template(self.what, of, self.language);
        let plain = |_| ProgressStyle::default_bar();
        self.bar
            .set_style(ProgressStyle::with_template(&template).unwrap_or_else(plain));
    }
}

fn every() -> Duration {
    let seconds = std::env::var(SECONDS).ok();
    let seconds = seconds.and_then(|seconds| seconds.trim().parse().ok());
    seconds.map_or(EVERY, Duration::from_secs)
}
