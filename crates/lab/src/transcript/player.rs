//! Does what steps say, one after the other, and writes down what happens.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use upline_core::{Absence, Actor, Command, Directory, Fact, Name, Ticket, Wish, evolve};
use upline_dsl::Site;

use super::coverage::Coverage;
use super::deed::{Change, Deed, Target, When};
use super::moment::instant;
use super::parse::FIRST_TICKET;
use super::wishes::{latest_notice, run_answer, wish};
use super::{Setting, Tape};
use crate::chronicle::{Chronicle, Reminders};
use crate::render::{InVain, Language, Times, in_vain, rejected};
use crate::world::{Entry, Log, World};

/// Most days that one `at` skips: two years. A slip in the year would else remind the last resort for ages.
pub const MAX_SKIP_DAYS: i64 = 732;

/// Most clocks that fall due in one `at`.
pub const MAX_CLOCKS_PER_STEP: u32 = 100_000;

/// Where an author's text is wrong, and how.
pub(crate) type Fault = (Site, String);

/// Plays deeds in a world of its own.
pub(crate) struct Player<'a> {
    setting: &'a Setting,
    chronicle: Chronicle,
    zone: TimeZone,
    /// There is none before the first time is known.
    pub(crate) world: Option<World<Log>>,
    begins: Option<Timestamp>,
    /// Entries of the log, and refusals in it, that are lines already.
    shown: usize,
    refused: usize,
    /// Where a ticket could have been forgotten.
    gaps: Vec<String>,
    /// What was rejected, and when.
    pub(crate) rejected: Vec<(Timestamp, String)>,
    /// The lines since they were taken last.
    pub(crate) lines: Vec<String>,
}

impl<'a> Player<'a> {
    pub(crate) fn new(setting: &'a Setting, zone: TimeZone, language: Language) -> Self {
        let times = Times::new(zone.clone(), language);
        let first = Name::new(FIRST_TICKET);
        Self {
            setting,
            chronicle: Chronicle::new([], &first, times, language),
            zone,
            world: None,
            begins: None,
            shown: 0,
            refused: 0,
            gaps: Vec::new(),
            rejected: Vec::new(),
            lines: Vec::new(),
        }
    }

    pub(crate) fn play(&mut self, deed: &Deed) -> Result<(), Fault> {
        if let Deed::At(when) = deed {
            return self.at(when);
        }
        let Some(world) = &mut self.world else {
            // The first step is `at`, or the transcript was refused.
            return Ok(());
        };
        let by_key = found_by_key(world, deed);
        let deed = by_key.as_ref().unwrap_or(deed);
        let mut doer = None;
        let refusal = match deed {
            Deed::At(_) => None,
            Deed::Open { by, ticket, .. } => {
                if world.tickets().next().is_none() {
                    self.chronicle.first = ticket.clone();
                }
                doer = Some((ticket.clone(), by.clone()));
                open(world, deed)
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
                    None => Err(InVain::NoMessage {
                        to: to.clone(),
                        via: via.clone(),
                    }),
                };
                submit(world, target, &Actor::System(via.clone()), wish)
            }
            Deed::Run { target, answer } => {
                let (target, wish) = run_answer(world, target, answer);
                submit(world, &target, &Actor::System(Name::new("webhook")), wish)
            }
            Deed::Engine { up: true } => {
                world.start();
                None
            }
            Deed::Engine { up: false } => {
                world.stop();
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
        if let Some(why) = refusal {
            self.reject("", &why);
        }
        self.audit();
        Ok(())
    }

    fn at(&mut self, when: &When) -> Result<(), Fault> {
        let now = self.world.as_ref().map(World::now);
        let to = instant(when, now, &self.zone)?;
        if now.is_some_and(|now| to < now) {
            return Err((when.site, "time does not run backwards".to_owned()));
        }
        if now.is_some_and(|now| to.as_second() - now.as_second() > MAX_SKIP_DAYS * 24 * 3600) {
            let text = format!("the clock skips at most {MAX_SKIP_DAYS} days: is the year right?");
            return Err((when.site, text));
        }
        if let Some(world) = &mut self.world {
            let due = (0..MAX_CLOCKS_PER_STEP).find(|_| !world.step(to));
            if due.is_none() {
                let text = format!("more than {MAX_CLOCKS_PER_STEP} clocks fall due until then");
                return Err((when.site, text));
            }
        }
        self.go_to(to);
        self.audit();
        Ok(())
    }

    /// Whether somebody is answerable for every ticket now, and something moves it on.
    fn audit(&mut self) {
        let world = self.world.as_ref().filter(|world| world.is_up());
        let found = world.map(World::audit).unwrap_or_default();
        for gap in found.iter().map(ToString::to_string) {
            if !self.gaps.contains(&gap) {
                self.gaps.push(gap);
            }
        }
    }

    /// Lets time pass until `to`; the first time makes the world.
    pub(crate) fn go_to(&mut self, to: Timestamp) {
        if let Some(world) = &mut self.world {
            world.advance_to(to);
            self.show(None);
        } else {
            let directory = Arc::clone(&self.setting.directory);
            self.begins = Some(to);
            self.world = Some(World::new(to, self.setting.workflows.clone(), directory));
        }
        self.chronicle.times.know(to);
    }

    /// Makes lines of what was logged since the last time, except what the step itself says: that `doer`
    /// opened the ticket, filled the fields and took the action.
    fn show(&mut self, doer: Option<&(Name, Actor)>) {
        let Some(world) = &self.world else { return };
        let log = world.observer();
        let fresh = &log.entries[self.shown..];
        self.shown = log.entries.len();
        let echoes = |entry: &Entry| {
            let said = doer.filter(|(told, _)| *told == entry.ticket);
            said.is_some_and(|(_, by)| is_echo(&entry.event.fact, by))
        };
        let shown = Reminders::shown(fresh);
        let told = fresh.iter().zip(&shown);
        let told = told.map(|(entry, shown)| (entry, *shown && !echoes(entry)));
        let mut lines = self.chronicle.lines(world, told);
        lines.extend(self.chronicle.more_reminders(fresh, &shown));
        self.lines.extend(lines.into_iter().map(|line| line.text));
        let refused: Vec<_> = log.refused[self.refused..].to_vec();
        self.refused = log.refused.len();
        for (ticket, _, refusal) in refused {
            self.reject(&format!("{ticket}: "), &InVain::Refused(refusal));
        }
    }

    fn reject(&mut self, of: &str, why: &InVain) {
        if let Some(world) = &self.world {
            let (now, language) = (world.now(), self.chronicle.language);
            let time = |at| self.chronicle.times.within(now, at);
            let text = format!("{of}{}", in_vain(why, language, &time));
            let stamp = self.chronicle.times.stamp(now);
            self.lines
                .push(format!("{stamp}  {}", rejected(&text, language)));
            self.rejected.push((now, text));
        }
    }

    /// What was asked and what happened; `None` if nothing was.
    pub(super) fn tape(self) -> Option<Tape> {
        Some(Tape {
            begins: self.begins?,
            log: self.world?.into_observer(),
        })
    }

    /// What was exercised, and where the engine itself broke a promise: a ticket that could be forgotten, or
    /// one whose replay differs from its life.
    pub(super) fn summary(&self) -> (Coverage, Vec<String>) {
        let mut coverage = Coverage::default();
        let mut gaps = self.gaps.clone();
        let Some(world) = &self.world else {
            return (coverage, gaps);
        };
        for ticket in world.tickets() {
            let mut before = Ticket::default();
            for event in world.observer().of(&ticket.id) {
                coverage.note(&before, &event.fact);
                evolve(&mut before, event);
            }
            if before != *ticket {
                let gap = format!("the replay of ticket {} differs from its life", ticket.id);
                gaps.push(gap);
            }
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

/// The deed with the ticket's name in place of its key, if it names a key; one that no open ticket has stays.
fn found_by_key(world: &World<Log>, deed: &Deed) -> Option<Deed> {
    let mut deed = deed.clone();
    let (Deed::Wish { target, .. } | Deed::Delivery { target, .. } | Deed::Run { target, .. }) =
        &mut deed
    else {
        return None;
    };
    if !target.by_key {
        return None;
    }
    let key = target.ticket.clone();
    let mut workflows = world.workflows().iter();
    let found = workflows.find_map(|workflow| world.by_key(&workflow.name, &key))?;
    target.ticket = found.id.clone();
    Some(deed)
}

fn open(world: &mut World<Log>, deed: &Deed) -> Option<InVain> {
    let Deed::Open {
        by,
        workflow,
        ticket,
        key,
        fields,
    } = deed
    else {
        return None;
    };
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
    let answer = world.open(workflow, &command);
    answer.err().map(InVain::from)
}

fn submit(
    world: &mut World<Log>,
    target: &Target,
    by: &Actor,
    wish: Result<Wish, InVain>,
) -> Option<InVain> {
    let wish = match wish {
        Ok(wish) => wish,
        Err(why) => return Some(why),
    };
    let command = Command {
        by: by.clone(),
        branch: target.branch.clone(),
        wish,
    };
    let answer = world.submit(&target.ticket, &command);
    answer.err().map(InVain::from)
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
