//! The proof as a table.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::proof::{Bound, LevelBound, StateBound};
use upline_core::ticket::Level;
use upline_core::{Directory, Name, StateKind, Workflow};
use upline_lab::render::{Language, duration};
use upline_lab::replay::{in_words, level_in_words};

use super::Proved;
use crate::exit::Failure;
use crate::output::Output;

/// Prints for each state how long it takes until each level, and the last resort, has the ticket. Why
/// something can't be proved is among the mistakes.
pub(super) fn print(proved: &Proved<'_>, output: &mut Output) -> Result<(), Failure> {
    let (workflow, directory, proof) = (proved.checked, proved.directory, proved.proof);
    let (name, version) = (&workflow.name, workflow.version);
    let words = match (proved.holds, proof.holds()) {
        (true, _) => "no ticket can be forgotten",
        (false, true) => "NOT PROVED: the errors below come first",
        (false, false) => "NOT PROVED: a ticket could be forgotten",
    };
    output.line(format_args!("{name} {version}: {words}"))?;
    let head = [
        "state",
        "level",
        "who",
        "working time",
        "wall time",
        "longest if entered",
    ];
    let zone = zone(workflow, directory);
    let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
    let (from, to) = (day(proof.from), day(proof.to));
    output.line(format_args!(
        "At the latest, from entering the state (from {from} to {to}), if nobody acts:\n"
    ))?;
    let rows = proof
        .states
        .iter()
        .flat_map(|bounds| state(workflow, bounds, &zone));
    output.table(&head, rows.collect::<Vec<_>>(), &[3, 4])?;
    if proof.hold > 0 {
        let hold = duration(proof.hold, Language::English);
        output.line(format_args!(
            "\nEach person on a ladder is given {hold} more than it says: \
             a link in a mail may hold it so long, once."
        ))?;
    }
    Ok(output.line("")?)
}

/// The zone in which the workflow's clocks are read.
fn zone(workflow: &Workflow, directory: &Directory) -> TimeZone {
    let calendar = workflow.calendar.as_ref();
    let calendar = calendar.and_then(|name| directory.calendars.get(name));
    calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
}

fn state(workflow: &Workflow, state: &StateBound, zone: &TimeZone) -> Vec<Vec<String>> {
    let mut name = match &state.within {
        Some((_, branch)) => format!("{branch}/{}", state.state),
        None => state.state.to_string(),
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    if let Some(when) = &state.when {
        name = format!("{name} (when {when})");
    }
    for level in &state.levels {
        let name = std::mem::take(&mut name);
        rows.push(row(
            [name, level_in_words(level.level), who(level)],
            level.bound,
            zone,
        ));
    }
    let leads_to: Vec<&str> = state.leads_to.iter().map(Name::as_str).collect();
    let end = leads_to.last().and_then(|last| workflow.states.get(*last));
    let end = end.filter(|end| matches!(end.kind, StateKind::End { .. }));
    let level = match end {
        Some(end) if end.within.is_some() => "end of branch".to_owned(),
        Some(_) => "end".to_owned(),
        None => level_in_words(Level::LastResort),
    };
    let way = match leads_to.is_empty() {
        true => String::new(),
        false => format!("by way of {}", leads_to.join(", ")),
    };
    rows.push(row([name, level, way], state.last_resort, zone));
    rows
}

fn who(level: &LevelBound) -> String {
    let who = level.who.as_ref().map_or("notifies only", Name::as_str);
    match level.hops {
        0 | 1 => who.to_owned(),
        hops => format!("{who}, {hops} people"),
    }
}

/// Long times are told to the hour or the minute: what is "at the latest" is never told too short.
fn rounded_up(seconds: i64) -> i64 {
    let unit = match seconds {
        86_400.. => 3_600,
        3_600.. => 60,
        _ => 1,
    };
    seconds.saturating_add(unit - 1) / unit * unit
}

fn row(what: [String; 3], bound: Option<Bound>, zone: &TimeZone) -> Vec<String> {
    let empty = String::new;
    let bound = match bound {
        None => ["not proved".to_owned(), empty(), empty()],
        Some(Bound {
            working: 0,
            wall: 0,
            ..
        }) => ["at once".to_owned(), empty(), empty()],
        Some(bound) => {
            let entered = bound.entered.to_zoned(zone.clone());
            let entered = entered.strftime("%a %Y-%m-%d %H:%M").to_string();
            [
                duration(bound.working, Language::English),
                in_words(rounded_up(bound.wall)),
                entered,
            ]
        }
    };
    [what, bound].concat()
}
