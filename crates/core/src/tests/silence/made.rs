//! Random workflows with spans of all kinds, calendars, shifts and absences.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::calendar::tests::{ZONES, week, zone};
use crate::calendar::{CalendarParts, Holiday};
use crate::proof::PROVED_SECONDS;
use crate::schedule::{ScheduleParts, Shift, WeeklyShift};
use crate::tests::kit::start;
use crate::tests::random::{Tape, random_workflow};
use crate::workflow::Doing;
use crate::{Absence, Calendar, Directory, Name, Schedule, Span, StateKind, Workflow};

pub(super) fn number(tape: &mut Tape<'_>, bound: usize) -> i64 {
    i64::try_from(tape.below(bound)).unwrap()
}

fn any_span(tape: &mut Tape<'_>) -> Span {
    let span = match tape.below(5) {
        0 => Span::seconds(1 + number(tape, 250)),
        1 | 2 => Span::seconds(60 * (1 + number(tape, 90))),
        3 => Span::seconds(3600 * (1 + number(tape, 20))),
        _ => Span::days(1 + u32::try_from(tape.below(3)).unwrap()),
    };
    match tape.below(6) {
        5 => span.around_the_clock(),
        _ => span,
    }
}

fn any_hours(tape: &mut Tape<'_>) -> crate::calendar::Week {
    const HOURS: [&[&str]; 6] = [
        &["09:00-12:00", "13:30-18:00"],
        &["08:00-16:00"],
        &["22:00-06:00"],
        &["01:15-02:45", "02:50-03:10"],
        &["10:00-10:20"],
        &["00:00-24:00"],
    ];
    let hours = HOURS[tape.below(HOURS.len())];
    match tape.below(4) {
        0 => week(0..7, hours),
        1 => week(0..1, hours),
        _ => week(0..5, hours),
    }
}

pub(super) fn any_calendar(tape: &mut Tape<'_>) -> Calendar {
    let from = jiff::civil::date(2026, 3, 1) + jiff::Span::new().days(number(tape, 250));
    let to = from + jiff::Span::new().days(number(tape, 9));
    Calendar::new(CalendarParts {
        name: Name::from("hours"),
        zone: zone(ZONES[tape.below(ZONES.len())]),
        week: any_hours(tape),
        holidays: vec![Holiday::between(from, to)],
        working_days: vec![],
    })
    .unwrap()
}

fn people(directory: &Directory) -> Vec<Name> {
    directory.people.keys().cloned().collect()
}

/// Shifts, and absences of days besides those of minutes.
pub(super) fn staff(tape: &mut Tape<'_>, directory: &mut Directory) {
    let all = people(directory);
    let pick = |tape: &mut Tape<'_>| all[tape.below(all.len())].clone();
    if tape.below(2) == 1 {
        let shifts = Schedule::new(ScheduleParts {
            name: "shifts".into(),
            zone: zone(ZONES[tape.below(ZONES.len())]),
            rotations: vec![],
            shifts: vec![Shift {
                who: vec![pick(tape)],
                from: Some(jiff::civil::date(2026, 3, 6).at(12, 0, 0, 0)),
                to: Some(jiff::civil::date(2026, 3, 9).at(12, 0, 0, 0)),
            }],
            weekly: vec![WeeklyShift {
                who: vec![pick(tape), pick(tape)],
                hours: week(0..7, &["08:00-20:00"]),
            }],
            overrides: vec![],
        });
        directory
            .schedules
            .insert("nobody-is".into(), shifts.clone().unwrap());
        if tape.below(2) == 1 {
            directory.schedules.insert("shifts".into(), shifts.unwrap());
            directory.groups.get_mut("desk").unwrap().schedule = Some("shifts".into());
        }
    }
    for _ in 0..tape.below(4) {
        let from = start() + SignedDuration::from_mins(number(tape, 250) * 17);
        let who = pick(tape);
        let deputy = (tape.below(2) == 1).then(|| pick(tape));
        let absences = directory.absences.entry(who.clone()).or_default();
        absences.push(Absence {
            who,
            from,
            to: from + SignedDuration::from_mins(1 + number(tape, 250) * 11),
            deputy,
        });
        absences.sort_by_key(|absence| absence.from);
    }
}

/// The random workflow, with spans of all kinds, and each state knows its branch.
pub(super) fn silent_workflow(tape: &mut Tape<'_>) -> Workflow {
    let mut workflow = random_workflow(tape);
    let mut branches: BTreeMap<String, (Name, Name)> = BTreeMap::new();
    for (name, state) in &workflow.states {
        if let StateKind::Work(work) = &state.kind
            && let Some(Doing::Parallel(parallel)) = &work.doing
        {
            for (branch, start) in &parallel.branches {
                let prefix = start.strip_suffix("s0").unwrap().to_owned();
                branches.insert(prefix, (name.clone(), branch.clone()));
            }
        }
    }
    let other = tape.below(3) > 0;
    for (name, state) in &mut workflow.states {
        let mut prefixes = branches
            .iter()
            .filter(|(prefix, _)| name.starts_with(prefix.as_str()));
        // The longest is the innermost: a map lists it last.
        state.within = prefixes.next_back().map(|(_, within)| within.clone());
        if let (StateKind::Work(work), true) = (&mut state.kind, other) {
            work.after
                .iter_mut()
                .for_each(|after| after.span = any_span(tape));
        }
    }
    for ladder in workflow.ladders.values_mut().filter(|_| other) {
        for level in &mut ladder.levels {
            level.after = any_span(tape);
        }
    }
    workflow.calendar = (tape.below(4) > 0).then(|| "hours".into());
    workflow
}

/// When the ticket is opened: somewhere in the year, mostly where a calendar or an absence changes it.
pub(super) fn opening(tape: &mut Tape<'_>, directory: &Directory, from: Timestamp) -> Timestamp {
    let aside = SignedDuration::from_secs(number(tape, 250) * number(tape, 250) * 3);
    let at = match tape.below(4) {
        0 => start() - aside,
        1 => start() + aside,
        _ => from + SignedDuration::from_hours(number(tape, 250) * 35 + number(tape, 250)),
    };
    let near = directory
        .calendars
        .get("hours")
        .and_then(|hours| match tape.below(4) {
            0 => hours.next_close(at),
            1 => hours.next_open(at),
            _ => None,
        });
    let at = near.unwrap_or(at) + SignedDuration::from_secs(number(tape, 3) - 1);
    at.clamp(from, from + SignedDuration::from_secs(PROVED_SECONDS))
}
