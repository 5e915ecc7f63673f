//! Times of the command line.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use upline_lab::render::Language;

use crate::exit::Failure;
use crate::language::pick;

/// A time of the command line.
pub(crate) struct Moment {
    /// The option that it stands in.
    option: &'static str,
    time: Time,
}

enum Time {
    /// `2026-03-06T17:20:00+01:00`.
    Instant(Timestamp),
    /// `2026-03-06 17:20`, by clocks that are not known yet.
    Local(DateTime),
}

impl Moment {
    /// The value of an option.
    pub(crate) fn read(option: &'static str, text: &str) -> Result<Self, Failure> {
        Self::read_in(Language::English, option, text)
    }

    /// The same, told in a language.
    pub(crate) fn read_in(
        language: Language,
        option: &'static str,
        text: &str,
    ) -> Result<Self, Failure> {
        let instant = text.parse().ok().map(Time::Instant);
        let time = instant.or_else(|| text.parse().ok().map(Time::Local));
        let time = time.ok_or_else(|| {
            let message = pick(
                language,
                format!("`{option} '{text}'`: this is no time"),
                format!("`{option} '{text}'`：这不是时间"),
            );
            let help = ("such as `2026-03-06 17:20`", "例如 `2026-03-06 17:20`");
            Failure::usage(message).help(pick(language, help.0, help.1))
        })?;
        Ok(Self { option, time })
    }

    /// By the clocks of `zone`. A time that they skip is the first after the skip; of one that comes twice it
    /// is the first: the one rule of transcripts, workflows and logs.
    pub(crate) fn in_zone(&self, zone: &TimeZone) -> Result<Timestamp, Failure> {
        match self.time {
            Time::Instant(instant) => Ok(instant),
            Time::Local(local) => upline_dsl::instant(zone, local).ok_or_else(|| {
                let option = self.option;
                Failure::usage(format!("`{option} '{local}'`: this time can't be computed"))
            }),
        }
    }
}
