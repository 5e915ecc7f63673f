//! One ticket in virtual time: "opened Friday 17:20, nobody acts" — who is asked when, and until when.

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use upline_core::{Actor, FieldFault, Name, Typed, Value, Workflow};
use upline_dsl::phrase::how_long;
use upline_dsl::{FileId, Sources, did_you_mean};

use crate::chronicle::Chronicle;
use crate::forecast::{Horizon, run_on};
use crate::render::{Language, Times};
use crate::timeline::{Timeline, timeline};
use crate::transcript::{Deed, MAX_SKIP_DAYS, Setting, Steps};

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
    /// from the opening around the clock, or `lea claims @Mon 09:30`. None before the opening.
    pub acts: Vec<String>,
    /// How far it looks after the last act.
    pub horizon: Horizon,
    /// The language of the lines.
    pub language: Language,
}

/// A part of a [`Simulation`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// Who opens it, and when.
    Opening,
    /// One of its fields, from 0.
    Field(usize),
    /// One of its acts, from 0.
    Act(usize),
}

/// Something of a [`Simulation`] that can't be played.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where.
    pub part: Part,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// The way out, if one is known.
    pub help: Option<String>,
}

impl Mistake {
    fn new(part: Part, message: impl Into<String>) -> Self {
        Self {
            part,
            message: message.into(),
            help: None,
        }
    }

    fn help(self, help: impl Into<String>) -> Self {
        let help = Some(help.into()).filter(|help| !help.is_empty());
        Self { help, ..self }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Plays one ticket.
///
/// # Errors
/// Everything that is wrong with the simulation, at once; then nothing was played.
pub fn simulate(setting: &Setting, simulation: &Simulation) -> Result<Timeline, Vec<Mistake>> {
    let zone = setting.zone();
    let mut steps = Steps::new(setting, zone.clone(), simulation.language);
    let mut wrong = match setting.workflows.newest(&setting.main) {
        Some(workflow) => wrong_fields(workflow, &simulation.fields),
        None => Vec::new(),
    };
    steps.go_to(simulation.opened);
    let opened = steps.open(&simulation.by, &Name::new(TICKET), &simulation.fields);
    if let Some(refusal) = opened.err().filter(|_| wrong.is_empty()) {
        wrong.push(Mistake::new(Part::Opening, refusal));
    }
    let mut acts = Vec::new();
    let mut sources = Sources::new();
    for (index, text) in simulation.acts.iter().enumerate() {
        let file = sources.add("act", text.as_str());
        match act(&mut steps, simulation.opened, text, file) {
            Ok((at, deed)) => acts.push((at, index, deed)),
            Err((message, help)) => wrong.push(Mistake::new(Part::Act(index), message).help(help)),
        }
    }
    acts.sort_by_key(|(at, index, _)| (*at, *index));
    if wrong.is_empty() {
        for (at, index, deed) in &acts {
            steps.go_to(*at);
            if let Err((_, message)) = steps.play(deed) {
                wrong.push(Mistake::new(Part::Act(*index), message));
            }
        }
    }
    let played = steps.into_world().filter(|_| wrong.is_empty());
    let Some((mut world, rejected)) = played else {
        return Err(wrong);
    };
    let more = run_on(&mut world, TICKET, simulation.horizon);
    let times = Times::new(zone, simulation.language);
    let chronicle = Chronicle::new([], &Name::new(TICKET), times, simulation.language);
    let (opened, rejected) = (simulation.opened, rejected.as_slice());
    Ok(timeline(&world, opened, more, rejected, chronicle))
}

fn wrong_fields(workflow: &Workflow, fields: &Typed) -> Vec<Mistake> {
    let known = workflow.fields.keys().map(Name::as_str);
    let wrong = fields
        .iter()
        .enumerate()
        .filter_map(|(index, (name, text))| {
            let (fault, help) = match workflow.fields.get(name) {
                None => {
                    let field = name.clone();
                    let near = did_you_mean(name, known.clone());
                    let help = near.map(|near| format!("did you mean `{near}`?"));
                    (FieldFault::Unknown { field }, help)
                }
                Some(field) => {
                    let fault = Value::read(&field.kind, text).err()?;
                    let field = name.clone();
                    (FieldFault::Value { field, fault }, None)
                }
            };
            let mistake = Mistake::new(Part::Field(index), fault.to_string());
            Some(mistake.help(help.unwrap_or_default()))
        });
    wrong.collect()
}

/// What somebody does, and when; or what is wrong with it, and the way out.
fn act(
    steps: &mut Steps<'_>,
    opened: Timestamp,
    text: &str,
    file: FileId,
) -> Result<(Timestamp, Deed), (String, String)> {
    let Some((deed, time)) = text.rsplit_once('@') else {
        let help = "write `ann accept @20 min`, or `ann accept @Mon 09:30`";
        return Err(("it does not end with its time".to_owned(), help.to_owned()));
    };
    let at = match how_long(time.trim()) {
        Ok(span) => {
            let seconds = span.around_the_clock().at_least_seconds();
            let after = SignedDuration::from_secs(seconds);
            let at = opened.checked_add(after);
            at.map_err(|_| ("its time can't be computed".to_owned(), String::new()))?
        }
        Err(_) => steps
            .time(time, deed.len() + 1, file, opened)
            .map_err(|(_, message)| {
                let help = "or give a span after the opening, such as `@20 min`";
                (message, help.to_owned())
            })?,
    };
    if at < opened {
        let message = "its time lies before the ticket is opened".to_owned();
        return Err((message, String::new()));
    }
    if at.duration_since(opened).as_hours() > MAX_SKIP_DAYS * 24 {
        let message = format!("its time lies more than {MAX_SKIP_DAYS} days after the opening");
        return Err((message, "is the year right?".to_owned()));
    }
    let deed = steps
        .read(deed, file)
        .map_err(|fault| (fault.message, fault.label))?;
    Ok((at, deed))
}
