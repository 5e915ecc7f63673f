//! How long things took, in a few numbers.

use jiff::SignedDuration;
use serde::Serialize;

/// How long many stretches of time were, in seconds.
///
/// A quantile is the nearest rank: the shortest stretch such that at least that share of all stretches
/// are no longer. It is always one of the stretches, never a value between two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// All together.
    pub total: i64,
    /// At least half of them are no longer than this.
    pub median: i64,
    /// At least 90 % of them are no longer than this.
    pub p90: i64,
    /// At least 99 % of them are no longer than this.
    pub p99: i64,
    /// The longest.
    pub longest: i64,
}

impl Spread {
    /// The numbers of these stretches, in seconds; the order does not matter.
    ///
    /// ```
    /// use upline_lab::replay::Spread;
    /// let spread = Spread::of(vec![5, 1, 4, 2, 3, 6, 7, 8, 9, 10]);
    /// assert_eq!((spread.median, spread.p90, spread.p99, spread.longest), (5, 9, 10, 10));
    /// ```
    pub fn of(mut seconds: Vec<i64>) -> Self {
        seconds.sort_unstable();
        let rank = |percent: usize| {
            // Without overflow for any length, and never 0 for a list that is not empty.
            let rank = (seconds.len() as u128 * percent as u128).div_ceil(100);
            let index = usize::try_from(rank)
                .unwrap_or(usize::MAX)
                .saturating_sub(1);
            seconds.get(index).copied().unwrap_or(0)
        };
        Self {
            count: seconds.len() as u64,
            total: seconds.iter().fold(0, |sum, one| sum.saturating_add(*one)),
            median: rank(50),
            p90: rank(90),
            p99: rank(99),
            longest: seconds.last().copied().unwrap_or(0),
        }
    }
}

/// Seconds as people say them: `35 min`, `2 h 10 min`, `16 days`; two units at most.
///
/// ```
/// use upline_lab::replay::in_words;
/// assert_eq!(in_words(45), "45 s");
/// assert_eq!(in_words(2_130), "35 min 30 s");
/// assert_eq!(in_words(7_200), "2 h");
/// assert_eq!(in_words(1_382_400), "16 days");
/// ```
pub fn in_words(seconds: i64) -> String {
    let units = [(86_400, "day"), (3_600, "h"), (60, "min"), (1, "s")];
    let whole = SignedDuration::from_secs(seconds).unsigned_abs().as_secs();
    let first = units
        .iter()
        .position(|(unit, _)| whole >= *unit)
        .unwrap_or(units.len() - 1);
    let mut rest = whole;
    let mut words = Vec::new();
    for (unit, name) in &units[first..units.len().min(first + 2)] {
        let count = rest / unit;
        rest %= unit;
        match (*name, count) {
            (_, 0) if !words.is_empty() => {}
            ("day", 1) => words.push("1 day".to_owned()),
            ("day", _) => words.push(format!("{count} days")),
            _ => words.push(format!("{count} {name}")),
        }
    }
    let sign = if seconds < 0 { "−" } else { "" };
    format!("{sign}{}", words.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_quantile_is_the_shortest_that_covers_its_share(
            seconds in proptest::collection::vec(0_i64..50, 1..60)
        ) {
            let spread = Spread::of(seconds.clone());
            for (percent, value) in [(50, spread.median), (90, spread.p90), (99, spread.p99)] {
                let covered = |limit: i64| seconds.iter().filter(|one| **one <= limit).count() * 100;
                prop_assert!(covered(value) >= percent * seconds.len());
                prop_assert!(covered(value - 1) < percent * seconds.len());
                prop_assert!(seconds.contains(&value));
            }
        }

        #[test]
        fn any_number_has_words(seconds in any::<i64>()) {
            prop_assert!(!in_words(seconds).is_empty());
        }
    }
}
