//! Quiet hours of a person: which of his own notification rules are for a moment.
//!
//! When the time of a rule has come that is not for that moment, the next one by time that is takes its place
//! at once. Rules of the same time are one step: if one of them is used, the others that are not for that
//! moment are left out, and nothing takes their place. So a telephone after 5 min that skips quiet hours and
//! a chat after 5 min that is for them only are one message after five minutes, by day or by night.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::calendar::Week;
use crate::calendar::local::split;
use crate::directory::{Channel, Person};
use crate::schedule::WeekIn;
use crate::ticket::{Clock, ClockId, ClockKind};

/// Hours of the week in which a person is told in another way: they choose the channel, and delay nothing.
///
/// Hours that overlap are as good as one. A night that runs over a change of the clocks is an hour shorter or
/// longer.
///
/// ```
/// use jiff::tz::TimeZone;
/// use upline_core::QuietHours;
/// use upline_core::calendar::{Opening, WEEKDAYS, Week};
///
/// let night = Opening::new(22 * 3600, 7 * 3600)?;
/// let quiet = QuietHours::new(Week::of(&WEEKDAYS, &[night]), TimeZone::UTC);
/// assert!(quiet.holds("2026-03-06T22:00:00Z".parse()?));
/// assert!(quiet.holds("2026-03-07T06:59:59Z".parse()?));
/// assert!(!quiet.holds("2026-03-07T07:00:00Z".parse()?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours(WeekIn);

impl QuietHours {
    /// These hours, by a clock in `zone`.
    #[must_use]
    pub const fn new(week: Week, zone: TimeZone) -> Self {
        Self(WeekIn { week, zone })
    }

    /// The hours.
    #[must_use]
    pub const fn week(&self) -> &Week {
        &self.0.week
    }

    /// Where the clock hangs.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.0.zone
    }

    /// Whether `at` is one of them.
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        self.0.turn(split(at).0).0
    }
}

/// Whether a notification rule minds the quiet hours of its person.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quiet {
    /// Used at all times.
    #[default]
    Any,
    /// `quiet: skip`: not used in quiet hours.
    Skip,
    /// `quiet: only`: used in quiet hours only.
    Only,
}

impl Quiet {
    /// Whether the rule is for a moment that is within quiet hours, or is not.
    #[must_use]
    pub const fn is_for(self, quiet: bool) -> bool {
        match self {
            Self::Any => true,
            Self::Skip => !quiet,
            Self::Only => quiet,
        }
    }
}

/// What a clock of a person's later rules leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later<'p> {
    /// The clock.
    pub clock: ClockId,
    /// The rule that is used then: its own, or the next one that is for that moment.
    pub channel: &'p Channel,
    /// Whether nothing comes of it when the person has acted by then.
    pub unless_acted: bool,
}

impl Person {
    /// Whether `at` is in the person's quiet hours.
    #[must_use]
    pub fn is_quiet(&self, at: Timestamp) -> bool {
        let hours = self.quiet_hours.as_ref();
        hours.is_some_and(|hours| hours.holds(at))
    }

    /// What these clocks of the person's later rules lead to from `now` on, as long as nobody acts, every
    /// channel works and the directory stays as it is. One that leads to nothing is not in the answer, nor is
    /// one whose rule is used before its time, in place of another.
    #[must_use]
    pub fn later<'c>(
        &self,
        clocks: impl IntoIterator<Item = &'c Clock>,
        now: Timestamp,
    ) -> Vec<Later<'_>> {
        let rules = clocks.into_iter().filter_map(|clock| match &clock.kind {
            ClockKind::Reach {
                person,
                channel,
                unless_acted,
            } if *person == self.id => {
                let channel = self.channels.get(usize::from(*channel))?;
                let (clock, due) = (clock.id, clock.due.max(now));
                let unless_acted = *unless_acted;
                let later = Later {
                    clock,
                    channel,
                    unless_acted,
                };
                Some((due, clock, later))
            }
            _ => None,
        });
        let mut rules: Vec<_> = rules.collect();
        rules.sort_by_key(|(due, clock, _)| std::cmp::Reverse((*due, *clock)));
        let mut all = Vec::new();
        while let Some((due, clock, rule)) = rules.pop() {
            let quiet = self.is_quiet(due);
            let fits = |rule: &Later<'_>| rule.channel.quiet.is_for(quiet);
            let used = if fits(&rule) {
                all.push(rule);
                due
            } else {
                let next = rules.iter().rposition(|(_, _, rule)| fits(rule));
                let Some((due, _, next)) = next.map(|next| rules.remove(next)) else {
                    continue;
                };
                let unless_acted = rule.unless_acted || next.unless_acted;
                all.push(Later {
                    clock,
                    unless_acted,
                    ..next
                });
                due
            };
            rules.retain(|(due, _, rule)| *due != used || fits(rule));
        }
        all
    }

    /// The later rule that takes the place of those that begin at once, if none of them is for this moment:
    /// it is used at once itself.
    pub(crate) fn brought_forward(&self, quiet: bool) -> Option<usize> {
        let now = |channel: &&Channel| channel.after.is_none();
        let mut at_once = self.channels.iter().filter(now).peekable();
        at_once.peek()?;
        if at_once.any(|channel| channel.quiet.is_for(quiet)) {
            return None;
        }
        let later = self.channels.iter().enumerate();
        let later = later.filter(|(_, channel)| channel.quiet.is_for(quiet));
        let later = later.filter_map(|(index, channel)| {
            let after = channel.after?.around_the_clock().at_least_seconds();
            Some((after, index))
        });
        later.min().map(|(_, index)| index)
    }

    /// The rule by which the person is told of what he is not asked: the first of those that begin at once,
    /// else the first of all.
    pub(crate) fn first_channel(&self, quiet: bool) -> Option<&Channel> {
        let for_now = || {
            let all = self.channels.iter();
            all.filter(|channel| channel.quiet.is_for(quiet))
        };
        let at_once = for_now().find(|channel| channel.after.is_none());
        at_once.or_else(|| for_now().next())
    }
}
