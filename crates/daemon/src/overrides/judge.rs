//! Whether somebody may have the override that he asks for, and what it is then.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp};
use upline::core::{Directory, Name, Schedule};
use upline::dsl::{did_you_mean, instant};

use super::{Deed, Kept, Made};
use crate::limits::{MAX_OVERRIDES, MAX_OVERRIDES_A_DAY, OVERRIDE_AHEAD};
use crate::problem::Problem;
use crate::tokens::{Caller, Role};

/// What is asked for, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) schedule: String,
    /// Else now.
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) on_call: String,
    pub(crate) instead_of: Option<String>,
}

impl Asked {
    /// By which it is known again; texts that mean the same are not the same.
    pub(crate) fn hash(&self) -> String {
        let parts = [
            Some(&self.schedule),
            self.from.as_ref(),
            Some(&self.to),
            Some(&self.on_call),
            self.instead_of.as_ref(),
        ];
        blake3::hash(format!("{parts:?}").as_bytes()).to_string()
    }
}

/// What it is held against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The directory as its author wrote it.
    pub(crate) base: &'a Directory,
    /// The same with all overrides.
    pub(crate) directory: &'a Directory,
    pub(crate) kept: &'a Kept,
    pub(crate) now: Timestamp,
}

/// Who may make overrides at all. `me` is whom an agent must be a party as; `None`: any are his to make.
pub(crate) fn may(caller: &Caller) -> Result<Option<&Name>, Problem> {
    match (caller.role, &caller.person) {
        (Role::Admin | Role::Lead, _) => Ok(None),
        (Role::Agent, Some(person)) => Ok(Some(person)),
        _ => Err(Problem::forbidden(
            "only people change who is on call: an admin, a lead, or an agent for his own duty",
        )),
    }
}

/// Whether this caller may remove it.
pub(crate) fn may_remove(caller: &Caller, one: &Made) -> Result<(), Problem> {
    match may(caller)? {
        Some(me) if one.made.person.as_ref() != Some(me) => Err(Problem::forbidden(
            "an agent removes only overrides that he has made",
        )
        .hint("ask a lead or an admin")),
        _ => Ok(()),
    }
}

/// There is no such schedule.
pub(crate) fn no_schedule(directory: &Directory, schedule: &str) -> Problem {
    let detail = format!("the directory has no schedule `{schedule}`");
    let problem = Problem::new(StatusCode::NOT_FOUND, "no-such-schedule", detail);
    near(problem, schedule, directory.schedules.keys())
}

/// The override that it would be, with the number of the next one.
pub(crate) fn judge(
    caller: &Caller,
    asked: &Asked,
    command: String,
    around: Around<'_>,
) -> Result<Made, Problem> {
    let me = may(caller)?;
    let directory = around.directory;
    let schedule = directory.schedules.get(asked.schedule.as_str());
    let schedule = schedule.ok_or_else(|| no_schedule(directory, &asked.schedule))?;
    let on_call = person(directory, &asked.on_call)?;
    let instead_of = asked.instead_of.as_deref();
    let instead_of = instead_of.map(|other| person(directory, other));
    let instead_of = instead_of.transpose()?;
    if let Some(me) = me {
        is_own(me, &on_call, instead_of.as_ref(), &asked.schedule, around)?;
    }
    let (from, to) = span(asked, schedule, around.now)?;
    let made = Made {
        id: around.kept.next,
        schedule: schedule.name().clone(),
        from,
        to,
        on_call,
        instead_of,
        made: Deed {
            at: around.now,
            token: caller.name.clone(),
            person: caller.person.clone(),
        },
        removed: None,
        command,
        asked: asked.hash(),
    };
    is_alone(&made, around)?;
    has_effect(&made, schedule, around.now)?;
    Ok(made)
}

fn person(directory: &Directory, id: &str) -> Result<Name, Problem> {
    if let Some((id, _)) = directory.people.get_key_value(id) {
        return Ok(id.clone());
    }
    let detail = format!("the directory has no person `{id}`");
    let problem = Problem::unprocessable("no-such-person", detail);
    Err(near(problem, id, directory.people.keys()))
}

fn near<'a>(problem: Problem, text: &str, known: impl Iterator<Item = &'a Name>) -> Problem {
    match did_you_mean(text, known.map(Name::as_str)) {
        Some(near) => problem.hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// An agent gives his own duty away or takes a colleague's: both are people of that schedule.
fn is_own(
    me: &Name,
    on_call: &Name,
    instead_of: Option<&Name>,
    schedule: &str,
    around: Around<'_>,
) -> Result<(), Problem> {
    let way_out = "a lead or an admin may make any";
    let is_party = instead_of.is_some() && [Some(on_call), instead_of].contains(&Some(me));
    if !is_party {
        let detail = "an agent gives his own duty away, or takes that of a colleague: one of both \
                      must be he, and `instead-of` must be named";
        return Err(Problem::forbidden(detail).hint(way_out));
    }
    let known = people_of(around.base, schedule);
    let mut both = [Some(on_call), instead_of].into_iter().flatten();
    match both.find(|person| !known.contains(person)) {
        Some(stranger) => {
            let detail = format!(
                "`{stranger}` has no turn in `{schedule}`, and is in no group that has this schedule"
            );
            Err(Problem::forbidden(detail).hint(way_out))
        }
        None => Ok(()),
    }
}

/// Who has a turn in a schedule by the directory's file, overrides apart, or is in a group that has it.
fn people_of<'a>(directory: &'a Directory, schedule: &str) -> BTreeSet<&'a Name> {
    let groups = directory.groups.values();
    let groups = groups.filter(|group| group.schedule.as_deref() == Some(schedule));
    let mut known: BTreeSet<&Name> = groups.flat_map(|group| &group.members).collect();
    if let Some(schedule) = directory.schedules.get(schedule) {
        let parts = schedule.parts();
        known.extend(parts.rotations.iter().flat_map(|turns| &turns.members));
        known.extend(parts.shifts.iter().flat_map(|shift| &shift.who));
        known.extend(parts.weekly.iter().flat_map(|shift| &shift.who));
    }
    known
}

/// From when until when, in whole seconds.
fn span(
    asked: &Asked,
    schedule: &Schedule,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Problem> {
    let from = match &asked.from {
        Some(text) => time("from", text, schedule, false)?,
        None => Timestamp::from_second(now.as_second()).unwrap_or(now),
    };
    let to = time("to", &asked.to, schedule, true)?;
    let wrong = |detail: String| Err(Problem::unprocessable("bad-time", detail));
    if to <= from {
        return wrong(format!("it would end at {to}, and begin at {from}"));
    }
    if to <= now {
        return wrong(format!("it is over: it would end at {to}, and it is {now}"));
    }
    let latest = now.saturating_add(OVERRIDE_AHEAD).unwrap_or(Timestamp::MAX);
    if to > latest {
        let days = OVERRIDE_AHEAD.as_secs() / 86_400;
        return wrong(format!(
            "it would end at {to}: at most {days} days ahead are possible"
        ));
    }
    Ok((from, to))
}

/// An instant, or a time by the clocks of the schedule. A day begins at its midnight, and ends at the next.
fn time(member: &str, text: &str, schedule: &Schedule, is_end: bool) -> Result<Timestamp, Problem> {
    let wrong = |why: &str| {
        let detail = format!("`{member}`: {why}");
        Problem::unprocessable("bad-time", detail).hint(
            "such as `2026-03-06 18:00`, by the clocks of the schedule, or \
             `2026-03-06T18:00:00+01:00`",
        )
    };
    let zone = &schedule.parts().zone;
    let text = text.trim();
    if let Ok(at) = text.parse::<Timestamp>() {
        let at = Timestamp::from_second(at.as_second()).unwrap_or(at);
        // Schedules are written by the clock on the wall, which shows this time twice.
        return match instant(zone, zone.to_datetime(at)) == Some(at) {
            true => Ok(at),
            false => Err(wrong(
                "at that time the clocks of the schedule have been set back, and show what they have \
                 shown before: take a time before or after that hour",
            )),
        };
    }
    let is_day = text.len() == "2026-03-06".len();
    let day = text.parse::<Date>().ok().filter(|_| is_day);
    let local = match day {
        Some(day) if is_end => day.tomorrow().map(|day| day.at(0, 0, 0, 0)).ok(),
        Some(day) => Some(day.at(0, 0, 0, 0)),
        None => text.parse::<DateTime>().ok(),
    };
    let at = local.and_then(|local| instant(zone, local));
    let at = at.ok_or_else(|| wrong("this is no time"))?;
    Ok(Timestamp::from_second(at.as_second()).unwrap_or(at))
}

/// Of two that take one person's place at a time, or that come before everybody, it would not be plain who is
/// on call.
fn is_alone(made: &Made, around: Around<'_>) -> Result<(), Problem> {
    let conflict = |code, detail: String| Problem::new(StatusCode::CONFLICT, code, detail);
    let all = around.kept.overrides.iter();
    let mut all = all.filter(|one| !one.is_over(around.now));
    if all.clone().count() >= MAX_OVERRIDES {
        let detail = format!("there are {MAX_OVERRIDES} overrides, and more are not possible");
        return Err(conflict("too-many-overrides", detail)
            .hint("remove those that are needed no more, or write long ones into the directory"));
    }
    let day = SignedDuration::from_hours(24);
    let of_today = around.kept.overrides.iter().filter(|one| {
        one.made.token == made.made.token && around.now.duration_since(one.made.at) < day
    });
    if of_today.count() >= MAX_OVERRIDES_A_DAY {
        let detail = format!("this token has made {MAX_OVERRIDES_A_DAY} overrides in 24 hours");
        return Err(conflict("too-many-overrides", detail)
            .hint("make one for a longer time, or write them into the directory"));
    }
    let clashes = |one: &&Made| {
        one.schedule == made.schedule
            && one.instead_of == made.instead_of
            && one.from < made.to
            && made.from < one.to
    };
    match all.find(clashes) {
        None => Ok(()),
        Some(one) => {
            let (id, on_call, from, to) = (one.id, &one.on_call, one.from, one.to);
            let detail = match &one.instead_of {
                Some(other) => format!(
                    "override {id} has put `{on_call}` in the place of `{other}` from {from} to {to}"
                ),
                None => format!("override {id} has put `{on_call}` before all from {from} to {to}"),
            };
            Err(conflict("overlapping", detail)
                .with("override", id.to_string())
                .hint("remove that one first, or take a time that it leaves free"))
        }
    }
}

/// Whoever takes a place that is not there would not be on call, and would believe to be.
fn has_effect(made: &Made, schedule: &Schedule, now: Timestamp) -> Result<(), Problem> {
    let Some(other) = &made.instead_of else {
        return Ok(());
    };
    let none = |detail: String| Problem::unprocessable("no-effect", detail);
    if *other == made.on_call {
        return Err(none(format!("`{other}` would take his own place")));
    }
    let begin = made.from.max(now);
    let at_once = schedule.on_duty(begin).contains(other);
    let later = || {
        let mut changes = schedule.handoffs(begin, made.to);
        changes.any(|change| change.on_duty.contains(other))
    };
    if at_once || later() {
        return Ok(());
    }
    let name = schedule.name();
    let problem = none(format!(
        "`{other}` is not on duty by `{name}` in that time: nobody could take his place"
    ));
    Err(match next_turn(schedule, other, now) {
        Some(at) => problem.hint(format!("he is on duty next from {at} on")),
        None => problem.hint("`GET /v1/oncall?days=14` says who is on duty when"),
    })
}

/// How many changes are looked at for the next turn of somebody.
const LOOKED_AT: usize = 1000;

fn next_turn(schedule: &Schedule, person: &Name, now: Timestamp) -> Option<Timestamp> {
    let far = now.saturating_add(OVERRIDE_AHEAD).ok()?;
    let mut changes = schedule.handoffs(now, far).take(LOOKED_AT);
    let turn = changes.find(|change| change.on_duty.contains(person))?;
    Some(turn.at)
}
