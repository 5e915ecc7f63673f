//! Plays a transcript.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::ToSpan;
use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, TimeZone};
use upline_core::ticket::NoticeId;
use upline_core::{
    Absence, Actor, ClockKind, Command, Directory, Event, Fact, Name, Ticket, Wish, evolve,
};
use upline_dsl::{Code, Found, Site};

use super::coverage::Coverage;
use super::deed::{Answer, Change, ClockWord, Day, Deed, Target, Verb, When};
use super::outcome::{Outcome, Played};
use super::parse::{FIRST_TICKET, deeds};
use super::script::{Script, Step};
use crate::render::{Language, Times, say};
use crate::world::{Log, Refusal, Workflows, World};

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
    let mut mistakes = Found::new();
    let deeds = deeds(
        script,
        &setting.workflows,
        &setting.main,
        &setting.directory,
        &mut mistakes,
    );
    let zone = zone(script, setting, &mut mistakes);
    if !mistakes.is_empty() {
        found.append(mistakes);
        return None;
    }
    let mut player = Player {
        script,
        setting,
        times: Times::new(zone.clone(), Language::English),
        zone,
        world: None,
        shown: 0,
        refused: 0,
        lines: Vec::new(),
    };
    let mut steps = Vec::new();
    for (index, deed) in &deeds {
        let step = &script.steps[*index];
        if let Err((site, message)) = player.play(deed) {
            found.report(Code::BadTranscript, site, message);
            return None;
        }
        steps.push(player.played(step));
    }
    let (coverage, gaps) = player.summary();
    Some(Outcome {
        name: script.name.clone(),
        steps,
        coverage,
        gaps,
    })
}

/// The zone that the transcript names, else that of the workflow's calendar, else UTC.
fn zone(script: &Script, setting: &Setting, found: &mut Found) -> TimeZone {
    if let Some((name, site)) = &script.zone {
        return TimeZone::get(name).unwrap_or_else(|_| {
            found.unknown_zone(*site, name, []);
            TimeZone::UTC
        });
    }
    let workflow = setting.workflows.newest(&setting.main);
    let calendar = workflow.and_then(|workflow| workflow.calendar.as_ref());
    let calendar = calendar.and_then(|name| setting.directory.calendars.get(name));
    calendar.map_or(TimeZone::UTC, |calendar| calendar.zone().clone())
}

/// Where the transcript is wrong, and how.
type Fault = (Site, String);

struct Player<'a> {
    script: &'a Script,
    setting: &'a Setting,
    times: Times,
    zone: TimeZone,
    /// There is none before the first `at`.
    world: Option<World<Log>>,
    /// Entries of the log, and refusals in it, that are lines already.
    shown: usize,
    refused: usize,
    /// The lines of this step.
    lines: Vec<String>,
}

impl Player<'_> {
    fn played(&mut self, step: &Step) -> Played {
        let expected = step.expected.iter();
        let expected = expected.map(|line| self.script.line(*line).trim().to_owned());
        Played {
            line: step.line,
            lines: step.expected.clone(),
            expected: expected.collect(),
            actual: std::mem::take(&mut self.lines),
        }
    }

    fn play(&mut self, deed: &Deed) -> Result<(), Fault> {
        if let Deed::At(when) = deed {
            return self.at(when);
        }
        let Some(world) = &mut self.world else {
            // The first step is `at`, or the transcript was refused.
            return Ok(());
        };
        let mut doer = None;
        let refusal = match deed {
            Deed::At(_) => None,
            Deed::Open {
                by,
                workflow,
                ticket,
                key,
                fields,
            } => {
                doer = Some((ticket.clone(), by.clone()));
                let wish = Wish::Open {
                    ticket: ticket.clone(),
                    key: key.clone(),
                    parent: None,
                    fields: fields.clone(),
                };
                let command = Command {
                    by: by.clone(),
                    branch: None,
                    wish,
                };
                world
                    .open(workflow, &command)
                    .err()
                    .map(|refusal| refusal.to_string())
            }
            Deed::Wish { target, by, verb } => {
                doer = Some((target.ticket.clone(), by.clone()));
                let wish = wish(world, &self.zone, target, verb)?;
                submit(world, target, by, wish)
            }
            Deed::Delivery {
                target,
                via,
                to,
                arrives,
                detail,
            } => {
                let wish = match latest_notice(world, target, via, to) {
                    Some(notice) if *arrives => Ok(Wish::Delivered { notice }),
                    Some(notice) => Ok(Wish::Undeliverable {
                        notice,
                        reason: detail.clone(),
                    }),
                    None => Err(format!("no message to {to} by {via} is under way")),
                };
                submit(world, target, &Actor::System(via.clone()), wish)
            }
            Deed::Run { target, answer } => {
                let (target, wish) = run_answer(world, target, answer);
                submit(world, &target, &Actor::System(Name::new("webhook")), wish)
            }
            Deed::Engine { up } => {
                match up {
                    true => world.start(),
                    false => world.stop(),
                }
                None
            }
            Deed::ClockAgain => {
                world.fire_again();
                None
            }
            Deed::Directory { who, change } => {
                let directory = changed(world, &self.zone, who, change)?;
                world.set_directory(Arc::new(directory));
                None
            }
        };
        self.show(doer.as_ref());
        if let Some(text) = refusal {
            self.rejected(&text);
        }
        Ok(())
    }

    fn at(&mut self, when: &When) -> Result<(), Fault> {
        let now = self.world.as_ref().map(World::now);
        let to = instant(when, now, &self.zone)?;
        if let Some(world) = &mut self.world {
            if to < world.now() {
                return Err((when.site, "time does not run backwards".to_owned()));
            }
            world.advance_to(to);
            self.show(None);
        } else {
            let setting = self.setting;
            let directory = Arc::clone(&setting.directory);
            self.world = Some(World::new(to, setting.workflows.clone(), directory));
        }
        self.times.know(to);
        Ok(())
    }

    /// Makes lines of what was logged since the last time, except what the step itself says: that `doer`
    /// opened the ticket, filled the fields and took the action.
    fn show(&mut self, doer: Option<&(Name, Actor)>) {
        let Some(world) = &self.world else { return };
        let log = world.observer();
        let fresh = &log.entries[self.shown..];
        self.shown = log.entries.len();
        for command in fresh.chunk_by(|a, b| a.ticket == b.ticket && a.event.at == b.event.at) {
            let ticket = &command[0].ticket;
            let echoes = |event: &&Event| {
                let said = doer.filter(|(told, _)| told == ticket);
                !said.is_some_and(|(_, by)| is_echo(&event.fact, by))
            };
            let events = command.iter().map(|entry| &entry.event);
            let events: Vec<Event> = events.filter(echoes).cloned().collect();
            let workflow = world.workflow_of(ticket);
            for said in say(&events, workflow.map(Arc::as_ref)) {
                let text = said.text(Language::English, &self.times);
                let stamp = self.times.stamp(said.at);
                self.lines.push(match ticket.as_str() {
                    FIRST_TICKET => format!("{stamp}  {text}"),
                    other => format!("{stamp}  {other}: {text}"),
                });
            }
        }
        let refused: Vec<_> = log.refused[self.refused..].to_vec();
        self.refused = log.refused.len();
        for (ticket, _, refusal) in refused {
            self.rejected(&format!("{ticket}: {refusal}"));
        }
    }

    fn rejected(&mut self, text: &str) {
        if let Some(world) = &self.world {
            let stamp = self.times.stamp(world.now());
            self.lines.push(format!("{stamp}  rejected: {text}"));
        }
    }

    fn summary(&self) -> (Coverage, Vec<String>) {
        let mut coverage = Coverage::default();
        let mut gaps = Vec::new();
        if let Some(world) = &self.world {
            for ticket in world.tickets() {
                let mut before = Ticket::default();
                for event in world.observer().of(&ticket.id) {
                    coverage.note(&before, &event.fact);
                    evolve(&mut before, event);
                }
                if before != *ticket {
                    gaps.push(format!(
                        "the replay of ticket {} differs from its life",
                        ticket.id
                    ));
                }
            }
            gaps.extend(world.audit().iter().map(ToString::to_string));
        }
        (coverage, gaps)
    }
}

/// Whether the event says only what the step itself says.
fn is_echo(fact: &Fact, doer: &Actor) -> bool {
    match fact {
        Fact::Opened { by, .. } | Fact::FieldsSet { by, .. } | Fact::Acted { by, .. } => by == doer,
        _ => false,
    }
}

fn submit(
    world: &mut World<Log>,
    target: &Target,
    by: &Actor,
    wish: Result<Wish, String>,
) -> Option<String> {
    let wish = match wish {
        Ok(wish) => wish,
        Err(text) => return Some(text),
    };
    let command = Command {
        by: by.clone(),
        branch: target.branch.clone(),
        wish,
    };
    let answer = world.submit(&target.ticket, &command);
    answer.err().map(|refusal: Refusal| refusal.to_string())
}

fn wish(
    world: &World<Log>,
    zone: &TimeZone,
    target: &Target,
    verb: &Verb,
) -> Result<Result<Wish, String>, Fault> {
    let time = |when: &When| instant(when, Some(world.now()), zone);
    Ok(Ok(match verb.clone() {
        Verb::Act {
            action,
            fields,
            note,
        } => Wish::Act {
            action,
            fields,
            note,
        },
        Verb::Message { message, fields } => Wish::Message { message, fields },
        Verb::Claim => Wish::Claim,
        Verb::Decline(reason) => Wish::Decline { reason },
        Verb::Release(reason) => Wish::Release { reason },
        Verb::Delegate(to, reason) => Wish::Delegate { to, reason },
        Verb::Reassign(to, reason) => Wish::Reassign { to, reason },
        Verb::Escalate(to, reason) => Wish::Escalate { to, reason },
        Verb::Suspend(until, reason) => Wish::Suspend {
            until: time(&until)?,
            reason,
        },
        Verb::Resume => Wish::Resume,
        Verb::Comment { text, to_caller } => Wish::Comment { text, to_caller },
        Verb::Save(fields) => Wish::Save { fields },
        Verb::Tick(item, done) => Wish::Tick { item, done },
        Verb::AnswerBy(at) => Wish::AnswerBy { at: time(&at)? },
        Verb::Move { clock, to, reason } => {
            let meant = |kind: &ClockKind| match clock {
                ClockWord::Level => matches!(kind, ClockKind::Level { .. } | ClockKind::Remind),
                ClockWord::After => matches!(kind, ClockKind::After { .. }),
                ClockWord::Wake => matches!(kind, ClockKind::Wake),
            };
            let ticket = world.ticket(&target.ticket);
            let clocks = ticket
                .map(|ticket| ticket.clocks.as_slice())
                .unwrap_or_default();
            let here = clocks.iter().filter(|clock| {
                let branch = target.branch.as_ref();
                branch.is_none_or(|branch| *branch == clock.branch) && meant(&clock.kind)
            });
            match here.min_by_key(|clock| clock.due) {
                Some(found) => Wish::ChangeClock {
                    clock: found.id,
                    due: time(&to)?,
                    reason,
                },
                None => return Ok(Err("no such clock is running".to_owned())),
            }
        }
        Verb::Hold => Wish::Hold,
        Verb::Cancel(reason) => Wish::Cancel { reason },
    }))
}

/// The latest message to somebody by a channel.
fn latest_notice(world: &World<Log>, target: &Target, via: &Name, to: &Name) -> Option<NoticeId> {
    let mut found = None;
    for event in world.observer().of(&target.ticket) {
        let notices = event.fact.notices().iter();
        let mine = notices.filter(|notice| notice.via == *via && notice.to.name() == to);
        found = mine.map(|notice| notice.id).next_back().or(found);
    }
    found
}

/// The answer to the call that is under way.
fn run_answer(
    world: &World<Log>,
    target: &Target,
    answer: &Answer,
) -> (Target, Result<Wish, String>) {
    let ticket = world.ticket(&target.ticket);
    let running = ticket.and_then(|ticket| {
        let mut positions = ticket.positions.iter();
        positions.find(|(branch, position)| {
            let here = target
                .branch
                .as_ref()
                .is_none_or(|target| target == *branch);
            here && position.attempt > 0
        })
    });
    let Some((branch, position)) = running else {
        return (target.clone(), Err("no machine was called".to_owned()));
    };
    let wish = match answer.clone() {
        Answer::Done(answer) => Wish::RunDone {
            visit: position.visit,
            answer,
        },
        Answer::Failed { reason, retry } => Wish::RunFailed {
            visit: position.visit,
            attempt: position.attempt,
            reason,
            retry,
        },
    };
    let branch = Some(branch.clone());
    (
        Target {
            ticket: target.ticket.clone(),
            branch,
        },
        Ok(wish),
    )
}

fn changed(
    world: &World<Log>,
    zone: &TimeZone,
    who: &Name,
    change: &Change,
) -> Result<Directory, Fault> {
    let mut directory = Directory::clone(world.directory());
    match change {
        Change::Leaves => {
            directory.people.remove(who);
            directory.absences.remove(who);
            for group in directory.groups.values_mut() {
                group.members.retain(|member| member != who);
            }
        }
        Change::Back => {
            directory.absences.remove(who);
        }
        Change::Away { until, deputy } => {
            let absence = Absence {
                who: who.clone(),
                from: world.now(),
                to: instant(until, Some(world.now()), zone)?,
                deputy: deputy.clone(),
            };
            directory.absences.insert(who.clone(), vec![absence]);
        }
    }
    Ok(directory)
}

/// What a time means now.
fn instant(when: &When, now: Option<Timestamp>, zone: &TimeZone) -> Result<Timestamp, Fault> {
    let local = match (when.day, now) {
        (Day::Date(date), _) => date.to_datetime(when.time),
        (_, None) => {
            return Err((
                when.site,
                "the first time needs a date: `2026-03-06 17:20`".to_owned(),
            ));
        }
        (day, Some(now)) => coming(day, when, zone.to_datetime(now)),
    };
    let ambiguous = zone.to_ambiguous_timestamp(local);
    if let AmbiguousOffset::Gap { .. } = ambiguous.offset() {
        return Err((
            when.site,
            "clocks went forward then: there is no such time".to_owned(),
        ));
    }
    let instant = ambiguous.compatible();
    instant.map_err(|_| {
        (
            when.site,
            "the time lies outside of what can be computed".to_owned(),
        )
    })
}

/// The next such time of day, at the day that is meant.
fn coming(day: Day, when: &When, now: DateTime) -> DateTime {
    let mut date = now.date();
    for _ in 0..8 {
        let fits = match day {
            Day::Weekday(weekday) => date.weekday() == weekday,
            Day::Date(_) | Day::Next => true,
        };
        if fits && date.to_datetime(when.time) >= now {
            break;
        }
        date = date.saturating_add(1.day());
    }
    date.to_datetime(when.time)
}
