//! Plays a transcript.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::{Directory, Name, Workflow};
use upline_dsl::{Code, Found, Read};

use super::coverage::Coverage;
use super::deed::Deed;
use super::outcome::{Outcome, Played};
use super::parse::deeds;
use super::player::Player;
use super::script::{Script, Step};
use crate::render::Language;
use crate::world::{Log, Workflows};

/// What a transcript is played in.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The workflows.
    pub workflows: Workflows,
    /// The one that tickets are opened with unless the transcript says otherwise.
    pub main: Name,
    /// The people.
    pub directory: Arc<Directory>,
}

/// Plays a transcript. Mistakes of the transcript itself go to `found`, all at once, and nothing is played
/// if there are any.
pub fn run(script: &Script, setting: &Setting, found: &mut Found) -> Option<Outcome> {
    run_in(Language::English, script, setting, found)
}

/// The same with the journal in another language than that of transcripts.
pub fn run_in(
    language: Language,
    script: &Script,
    setting: &Setting,
    found: &mut Found,
) -> Option<Outcome> {
    let mut mistakes = Found::new();
    let deeds = deeds(
        script,
        &setting.workflows,
        &setting.main,
        &setting.directory,
        &mut mistakes,
    );
    let zone = zone(script, setting, &mut mistakes);
    if !mistakes.is_empty() || found.has_errors() {
        found.append(mistakes);
        return None;
    }
    let story = || Player::new(setting, zone.clone(), language);
    let mut player = story();
    let (mut coverage, mut gaps) = (Coverage::default(), Vec::new());
    let mut end = |player: &Player<'_>| {
        let (exercised, broken) = player.summary();
        coverage.merge(exercised);
        gaps.extend(broken);
    };
    let mut steps = Vec::new();
    for (index, deed) in &deeds {
        let step = &script.steps[*index];
        if step.begins {
            end(&player);
            player = story();
        }
        if let Err((site, message)) = player.play(deed) {
            found.report(Code::BadTranscript, site, message);
            return None;
        }
        steps.push(played(script, step, &mut player));
    }
    end(&player);
    if is_empty(&deeds, &steps) {
        let message = "nothing is tested: a transcript has steps, such as `at 2026-03-06 17:20` and \
                       `> ann opens`";
        found.report(Code::BadTranscript, script.site(0..0), message);
        return None;
    }
    Some(Outcome {
        name: script.name.clone(),
        steps,
        coverage,
        gaps,
    })
}

/// Whether nobody does anything, nothing happens, and nothing is expected.
fn is_empty(deeds: &[(usize, Deed)], steps: &[Played]) -> bool {
    let only_time = deeds.iter().all(|(_, deed)| matches!(deed, Deed::At(_)));
    let silent = |step: &Played| step.expected.is_empty() && step.actual.is_empty();
    only_time && steps.iter().all(silent)
}

/// What a story of a transcript has asked of its world, and what came of it.
#[derive(Debug)]
pub struct Tape {
    /// When it begins.
    pub begins: Timestamp,
    /// All that was asked, and the journal.
    pub log: Log,
}

/// Plays a transcript, and tells of each story what was asked and what happened, so that the same can be
/// played in another way and compared.
pub fn tapes(script: &Script, setting: &Setting, found: &mut Found) -> Vec<Tape> {
    let (workflows, main) = (&setting.workflows, &setting.main);
    let deeds = deeds(script, workflows, main, &setting.directory, found);
    let zone = zone(script, setting, found);
    let story = || Player::new(setting, zone.clone(), Language::English);
    let mut player = story();
    let mut tapes = Vec::new();
    for (index, deed) in &deeds {
        if script.steps[*index].begins {
            tapes.extend(std::mem::replace(&mut player, story()).tape());
        }
        if let Err((site, message)) = player.play(deed) {
            found.report(Code::BadTranscript, site, message);
            return tapes;
        }
    }
    tapes.extend(player.tape());
    tapes
}

fn played(script: &Script, step: &Step, player: &mut Player<'_>) -> Played {
    let expected = step.expected.iter();
    let expected = expected.map(|line| script.line(*line).trim().to_owned());
    Played {
        line: step.line,
        lines: step.expected.clone(),
        expected: expected.collect(),
        actual: std::mem::take(&mut player.lines),
    }
}

/// The zone that the transcript names, else that of the workflow's calendar, else UTC.
fn zone(script: &Script, setting: &Setting, found: &mut Found) -> TimeZone {
    if let Some((name, site)) = &script.zone {
        return TimeZone::get(name).unwrap_or_else(|_| {
            found.unknown_zone(*site, name);
            TimeZone::UTC
        });
    }
    setting.zone()
}

impl Setting {
    /// Workflows that were read, if there are any, and their directory: the first one is the one that tickets
    /// are opened with, unless `main` names another.
    pub fn of(
        workflows: Vec<Read<Workflow>>,
        directory: Option<Read<Directory>>,
        main: Option<&str>,
    ) -> Option<Self> {
        let mut names = workflows.iter().map(|read| &read.value.name);
        let main = match main {
            Some(main) => names.find(|name| *name == main)?.clone(),
            None => names.next()?.clone(),
        };
        let workflows = workflows.into_iter().map(|read| Arc::new(read.value));
        Some(Self {
            main,
            workflows: Workflows::new(workflows),
            directory: Arc::new(directory?.value),
        })
    }

    /// The zone of the first workflow's calendar, else UTC.
    pub fn zone(&self) -> TimeZone {
        let workflow = self.workflows.newest(&self.main);
        let calendar = workflow.and_then(|workflow| workflow.calendar.as_ref());
        let calendar = calendar.and_then(|name| self.directory.calendars.get(name));
        calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
    }
}
