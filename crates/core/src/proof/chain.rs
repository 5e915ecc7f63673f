//! Chains of spans: what must pass, at most, until something happens.

use crate::calendar::local::DAY;
use crate::decide::HOLD_SECONDS;
use crate::{Calendar, Span, SpanCount};

/// Most items of a chain. A longer one is made coarser: its items all count as open time.
const MAX_ITEMS: usize = 12;

/// How time counts in the workflow.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hours<'a> {
    /// All of it; a day of the calendar is at most this many seconds longer than 24 hours.
    Always { longer: i64 },
    /// The calendar's.
    In(&'a Calendar),
}

/// Something that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    /// Seconds of open time.
    Open(i64),
    /// Seconds of physical time.
    Clock(i64),
    /// Steps from working day to working day.
    Days(u32),
    /// So many holds by links without login after open time: physical time that counts as open time, too,
    /// as soon as more follows. Only the last item may be one, and only after [`Item::Open`].
    Hold(i64),
}

/// Items one after the other. A run of real clocks may leave some out, but never takes longer.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Chain(Vec<Item>);

impl Hours<'_> {
    /// A span as an item.
    pub(super) fn item(self, span: Span) -> Item {
        match (self, span.count) {
            (Self::In(_), SpanCount::Time { seconds }) if !span.around_the_clock => {
                Item::Open(seconds.max(0))
            }
            (Self::In(_), SpanCount::Days { days }) if !span.around_the_clock => Item::Days(days),
            (_, SpanCount::Time { seconds }) => Item::Clock(seconds.max(0)),
            (Self::Always { longer }, SpanCount::Days { days }) if !span.around_the_clock => {
                Item::Clock(i64::from(days) * DAY + longer)
            }
            (_, SpanCount::Days { days }) => Item::Clock(i64::from(days) * DAY),
        }
    }

    /// A hold by a link without login.
    pub(super) fn hold(self) -> Item {
        match self {
            Self::Always { .. } => Item::Clock(HOLD_SECONDS),
            Self::In(_) => Item::Hold(1),
        }
    }
}

impl Item {
    /// Open time that contains the item wherever it begins: a second of open time takes a second or more.
    fn as_open(self, day: i64) -> i64 {
        match self {
            Self::Open(seconds) | Self::Clock(seconds) => seconds,
            Self::Hold(holds) => holds.saturating_mul(HOLD_SECONDS),
            Self::Days(days) => {
                // From somewhere in the first day to the end of the last, and into the next opening.
                i64::from(days).saturating_add(1).saturating_mul(day) + 1
            }
        }
    }

    /// What is left of this item, once it has covered `part`. `None`: it can't.
    fn less(self, part: Self) -> Option<Self> {
        let left = |all: i64, part: i64| all.checked_sub(part).filter(|left| *left >= 0);
        match (part, self) {
            (Self::Days(part), Self::Days(all)) => (part <= all).then_some(Self::Clock(0)),
            (Self::Days(_), _) | (_, Self::Days(_)) => None,
            (Self::Hold(part), Self::Hold(all)) => Some(Self::Hold(left(all, part)?)),
            (_, Self::Hold(_)) => None,
            (part, Self::Open(all)) => Some(Self::Open(left(all, part.as_open(0))?)),
            (Self::Open(_), Self::Clock(_)) => None,
            (part, Self::Clock(all)) => Some(Self::Clock(left(all, part.as_open(0))?)),
        }
    }
}

impl Chain {
    /// The items in order.
    pub(super) fn items(&self) -> &[Item] {
        &self.0
    }

    /// A chain of one item.
    pub(super) fn of(item: Item) -> Self {
        let mut chain = Self::default();
        chain.push(item);
        chain
    }

    /// Adds an item; items of one kind are one.
    pub(super) fn push(&mut self, item: Item) {
        if matches!(
            item,
            Item::Open(0) | Item::Clock(0) | Item::Hold(0) | Item::Days(0)
        ) {
            return;
        }
        let held = match self.0.last() {
            Some(Item::Hold(holds)) => Some(holds.saturating_mul(HOLD_SECONDS)),
            _ => None,
        };
        match (held, item) {
            // Open time after a hold: as if the hold had been open time, which takes no less.
            (Some(held), Item::Open(seconds)) => {
                self.0.pop();
                self.push(Item::Open(held.saturating_add(seconds)));
                return;
            }
            (Some(held), Item::Clock(_) | Item::Days(_)) => {
                self.0.pop();
                self.0.push(Item::Clock(held));
            }
            _ => (),
        }
        let item = match (self.0.last(), item) {
            (Some(Item::Open(_) | Item::Hold(_)), _) => item,
            (_, Item::Hold(holds)) => Item::Clock(holds.saturating_mul(HOLD_SECONDS)),
            _ => item,
        };
        match (self.0.last_mut(), item) {
            (Some(Item::Open(all)), Item::Open(more))
            | (Some(Item::Clock(all)), Item::Clock(more))
            | (Some(Item::Hold(all)), Item::Hold(more)) => *all = all.saturating_add(more),
            _ => self.0.push(item),
        }
    }

    /// Adds an item, and what may follow it, as often as said. `day` is the open time of the longest
    /// working day.
    pub(super) fn push_times(&mut self, item: Item, hold: Option<Item>, times: u64, day: i64) {
        if times == 0 {
            return;
        }
        let held = hold.map_or(0, |hold| hold.as_open(day));
        let before = i64::try_from(times - 1).unwrap_or(i64::MAX);
        // All but the last one are followed by more of the same: see [`Item::Hold`].
        match item {
            Item::Open(one) => {
                self.push(Item::Open(one.saturating_add(held).saturating_mul(before)));
            }
            Item::Clock(one) => {
                self.push(Item::Clock(one.saturating_add(held).saturating_mul(before)));
            }
            Item::Days(_) | Item::Hold(_) if times <= MAX_ITEMS as u64 => {
                for _ in 1..times {
                    self.push(item);
                    self.push(Item::Clock(held));
                }
            }
            Item::Days(_) | Item::Hold(_) => {
                let one = item.as_open(day).saturating_add(held);
                self.push(Item::Open(one.saturating_mul(before)));
            }
        }
        self.push(item);
        if let Some(hold) = hold {
            self.push(hold);
        }
        self.settle(day);
    }

    /// This chain, and then the other.
    pub(super) fn then(&self, next: &Self, day: i64) -> Self {
        let mut all = self.clone();
        for item in &next.0 {
            all.push(*item);
        }
        all.settle(day);
        all
    }

    /// Makes a long chain coarser. `day` is the open time of the longest working day.
    pub(super) fn settle(&mut self, day: i64) {
        if self.0.len() > MAX_ITEMS {
            self.coarsen(day);
        }
    }

    /// Counts everything as open time: never less, and chains can be compared and swapped.
    pub(super) fn coarsen(&mut self, day: i64) {
        let open = self
            .0
            .iter()
            .fold(0, |sum: i64, item| sum.saturating_add(item.as_open(day)));
        self.0.clear();
        self.push(Item::Open(open));
    }

    /// Whether `other` takes at least as long, wherever both begin. `false` if that isn't plain.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let mut others = other.0.iter();
        let mut room = None;
        self.0.iter().all(|item| {
            loop {
                if let Some(left) = room.and_then(|room: Item| room.less(*item)) {
                    room = Some(left);
                    return true;
                }
                match others.next() {
                    Some(next) => room = Some(*next),
                    None => return false,
                }
            }
        })
    }

    /// Whether it is over before `other`, wherever both begin. `false` if that isn't plain.
    pub(super) fn is_before(&self, other: &Self) -> bool {
        // A second more, of the kind that it ends with.
        let second = match self.0.last() {
            Some(Item::Open(_) | Item::Hold(_)) => Item::Open(1),
            Some(Item::Days(_)) => Item::Days(1),
            Some(Item::Clock(_)) | None => Item::Clock(1),
        };
        let mut later = self.clone();
        later.push(second);
        later.fits(other)
    }

    /// The least time that it takes, in seconds. Holds may be left out.
    pub(super) fn at_least(&self) -> i64 {
        self.0.iter().fold(0, |sum: i64, item| {
            sum.saturating_add(match item {
                Item::Open(seconds) | Item::Clock(seconds) => *seconds,
                // The same time of day on a later day, up to the greatest jump that zones have made.
                Item::Days(days) => i64::from(days.saturating_sub(1)) * DAY,
                Item::Hold(_) => 0,
            })
        })
    }
}
