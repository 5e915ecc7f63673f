//! When a team has nobody: [`uncovered`].

use jiff::Timestamp;

use super::Schedule;
use super::layer::NEVER;
use super::walk::Walk;
use crate::calendar::local::{join, split};
use crate::{Calendar, Directory, Group, Name};

/// Who is asked for: the members of a group, those on duty by a schedule, or the members on duty.
#[derive(Debug, Clone, Copy)]
pub struct Team<'a> {
    /// Only these; `None` is whoever is on duty.
    pub members: Option<&'a [Name]>,
    /// Only while on duty; `None` is always.
    pub schedule: Option<&'a Schedule>,
}

impl<'a> Team<'a> {
    /// The members of a group, while they are on shift if the group has a schedule.
    #[must_use]
    pub fn of_group(directory: &'a Directory, group: &'a Group) -> Self {
        let schedule = group
            .schedule
            .as_ref()
            .and_then(|name| directory.schedules.get(name));
        Self {
            members: Some(&group.members),
            schedule,
        }
    }

    /// Whoever is on duty by a schedule.
    #[must_use]
    pub const fn on_call(schedule: &'a Schedule) -> Self {
        Self {
            members: None,
            schedule: Some(schedule),
        }
    }
}

/// The time from `from` to `to` in which nobody of a team is there: on duty, and present or represented by a
/// deputy. A deputy of a member must be on duty himself if the schedule knows him. With a calendar, only its
/// open time counts. In order and apart from each other.
///
/// What binds at the moment only is left out: capacity, skills, who has had the ticket.
///
/// Takes time for each change of the schedule and each absence within the time, not for its length.
#[must_use]
pub fn uncovered(
    directory: &Directory,
    team: Team<'_>,
    calendar: Option<&Calendar>,
    from: Timestamp,
    to: Timestamp,
) -> Vec<(Timestamp, Timestamp)> {
    let absences = directory.absences.values().flatten();
    let mut edges: Vec<Timestamp> = absences
        .flat_map(|absence| [absence.from, absence.to])
        .collect();
    edges.retain(|edge| from < *edge && *edge < to);
    edges.sort_unstable();
    edges.dedup();
    let mut edges = edges.into_iter().peekable();

    let mut walk = team
        .schedule
        .map(|schedule| Walk::new(schedule, split(from).0));
    let mut gaps = Vec::new();
    let mut at = from;
    while at < to {
        let change = walk.as_ref().map_or(NEVER, Walk::next_edge);
        let change = if change == NEVER {
            to
        } else {
            join(change, 0).min(to)
        };
        let next = edges.peek().map_or(change, |edge| change.min(*edge));
        if !is_covered(directory, team, walk.as_ref(), at) {
            add_gap(&mut gaps, at, next);
        }
        while edges.next_if(|edge| *edge <= next).is_some() {}
        if let Some(walk) = &mut walk {
            walk.go_to(split(next).0);
        }
        at = next;
    }
    match calendar {
        None => gaps,
        Some(calendar) => gaps
            .into_iter()
            .flat_map(|(from, to)| calendar.openings(from, to))
            .collect(),
    }
}

fn is_covered(
    directory: &Directory,
    team: Team<'_>,
    walk: Option<&Walk<'_>>,
    at: Timestamp,
) -> bool {
    let there = |name: &Name| directory.stand_in(name, at).is_some();
    match (walk, team.members) {
        (None, None) => false,
        (None, Some(members)) => members.iter().any(there),
        (Some(walk), None) => walk.on_duty().into_iter().any(there),
        (Some(walk), Some(members)) => {
            let on_duty = walk.on_duty();
            let off_shift = |deputy: &Name| {
                let schedule = team.schedule;
                schedule.is_some_and(|schedule| schedule.knows(deputy))
                    && !on_duty.contains(&deputy)
            };
            let there = |name: &Name| {
                let there = directory.stand_in(name, at);
                there.is_some_and(|there| there == name || !off_shift(there))
            };
            let mut on_duty = on_duty.iter();
            on_duty.any(|name| members.contains(name) && there(name))
        }
    }
}

/// Adds a gap after the others; one that touches the last makes it longer.
pub(super) fn add_gap(gaps: &mut Vec<(Timestamp, Timestamp)>, from: Timestamp, to: Timestamp) {
    match gaps.last_mut() {
        Some(last) if last.1 == from => last.1 = to,
        _ => gaps.push((from, to)),
    }
}
