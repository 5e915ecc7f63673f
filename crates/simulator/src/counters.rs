//! What has happened at least once: a run in which nothing goes wrong shows nothing.

use std::collections::BTreeMap;

/// How often each thing has happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters(BTreeMap<&'static str, u64>);

/// What must happen at least once in the seeds that are played before a change lands.
pub const REQUIRED: [&str; 58] = [
    "answered",
    "cancelled_or_ended_by_people",
    "child_called",
    "child_opened",
    "claim_race_lost",
    "claimed",
    "clock_back_1d",
    "clock_forward_1d",
    "clock_forward_held_by_guard",
    "clock_moved",
    "command_at_exact_deadline",
    "commit_unknown_was_done",
    "commit_unknown_was_lost",
    "crash_after_send_before_mark",
    "dead_letter",
    "declined",
    "definition_replaced_while_running",
    "delegated",
    "delivered",
    "delivered_twice_same_key",
    "directory_replaced_while_running",
    "disk_full",
    "disk_full_recovered",
    "duplicate_command_absorbed",
    "ended",
    "hop_skipped_inactive",
    "hopped_by_clock",
    "killed",
    "last_resort_reached",
    "last_resort_reminded",
    "level_empty",
    "old_history_removed",
    "old_keys_destroyed",
    "outbox_retry_10",
    "outbox_told",
    "owner_gone_released",
    "parent_told",
    "power_cut",
    "promise_breached",
    "promise_warned",
    "quiet_hours_told",
    "reassigned",
    "rejected",
    "same_id_other_payload",
    "second_round",
    "several_in_one_commit",
    "snapshot_damaged_passed_over",
    "snapshot_plus_tail",
    "stale_revision_refused",
    "state_left_by_itself",
    "store_failed",
    "suspended",
    "timeout_at_exact_deadline",
    "torn_tail_recovered",
    "unavailable",
    "undeliverable_passed_on",
    "withdrawn",
    "woke_by_itself",
];

impl Counters {
    /// It has happened.
    pub fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    /// Those of several runs.
    pub fn merge(&mut self, other: &Self) {
        for (what, times) in &other.0 {
            *self.0.entry(what).or_default() += times;
        }
    }

    /// How often it has happened.
    #[must_use]
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// What has to happen and has not.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        let missing = REQUIRED.into_iter().filter(|what| self.of(what) == 0);
        missing.collect()
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|(what, times)| (*what, *times))
    }
}
