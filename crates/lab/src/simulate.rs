//! One ticket in virtual time: "opened Friday 17:20, nobody acts" — who is asked when, and until when.

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use upline_core::{Actor, Name, Typed};
use upline_dsl::phrase::how_long;
use upline_dsl::{Code, Found, Site, Sources};

use crate::chronicle::Chronicle;
use crate::forecast::{Horizon, run_on};
use crate::render::{Language, Times};
use crate::timeline::{Timeline, timeline};
use crate::transcript::{Setting, Steps};

/// The name of the simulated ticket.
pub const TICKET: &str = "t1";

/// What is simulated.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// When the ticket is opened.
    pub opened: Timestamp,
    /// Who opens it.
    pub by: Actor,
    /// What is known of it from the start.
    pub fields: Typed,
    /// What people do, each as a transcript says it with its time behind: `ann accept @20 min`, counted
    /// from the opening around the clock, or `lea claims @Mon 09:30`.
    pub acts: Vec<String>,
    /// How far it looks after the last act.
    pub horizon: Horizon,
    /// The language of the lines.
    pub language: Language,
}

/// Plays one ticket. Mistakes in the acts go to `found`, all at once; then there is no timeline.
pub fn simulate(
    setting: &Setting,
    simulation: &Simulation,
    sources: &mut Sources,
    found: &mut Found,
) -> Option<Timeline> {
    let zone = setting.zone();
    let mut steps = Steps::new(setting, zone.clone(), simulation.language);
    steps.go_to(simulation.opened);
    let mut wrong = Found::new();
    let opened = steps.open(&simulation.by, &Name::new(TICKET), &simulation.fields);
    if let Err(refusal) = opened {
        let file = sources.add("the opening", "");
        wrong.report(Code::BadTranscript, Site::new(file, 0..0), refusal);
    }
    let mut acts = Vec::new();
    for text in &simulation.acts {
        let file = sources.add("act", text.clone());
        let site = |start: usize, end: usize| Site::new(file, start..end);
        let Some((deed, time)) = text.rsplit_once('@') else {
            let message = "an act ends with its time: `ann accept @20 min`";
            wrong.report(Code::BadTranscript, site(0, text.len()), message);
            continue;
        };
        let start = deed.len() + 1;
        let at = match how_long(time.trim()) {
            Ok(span) => {
                let seconds = span.around_the_clock().at_least_seconds();
                let after = SignedDuration::from_secs(seconds);
                simulation.opened.checked_add(after).ok()
            }
            Err(_) => match steps.time(time, start, file, simulation.opened) {
                Ok(at) => Some(at),
                Err((site, message)) => {
                    let label = "or a span after the opening, such as `20 min`";
                    wrong.report_with(Code::BadTranscript, site, message, label);
                    continue;
                }
            },
        };
        let Some(at) = at else {
            let message = "the time lies outside of what can be computed";
            wrong.report(Code::BadTranscript, site(start, text.len()), message);
            continue;
        };
        match steps.read(deed, file) {
            Ok(deed) => acts.push((at, deed)),
            Err(fault) => fault.report(file, &mut wrong),
        }
    }
    acts.sort_by_key(|(at, _)| *at);
    if wrong.is_empty() {
        for (at, deed) in &acts {
            steps.go_to(*at);
            if let Err((site, message)) = steps.play(deed) {
                wrong.report(Code::BadTranscript, site, message);
            }
        }
    }
    if !wrong.is_empty() {
        found.append(wrong);
        return None;
    }
    let (mut world, rejected) = steps.into_world()?;
    let more = run_on(&mut world, TICKET, simulation.horizon);
    let times = Times::new(zone, simulation.language);
    let chronicle = Chronicle::new([], &Name::new(TICKET), times, simulation.language);
    Some(timeline(
        &world,
        simulation.opened,
        more,
        &rejected,
        chronicle,
    ))
}
