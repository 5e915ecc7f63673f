//! Random workflows, directories and commands, read from a tape of bytes: short tapes are small cases, so a
//! failure shrinks.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::kit::{
    action, after, directory, end, ladder, level, minutes, start, state, who, work, workflow,
};
use crate::calendar::{Opening, WEEKDAYS, Week};
use crate::workflow::{
    Breach, Call, CatchUp, Doing, Join, Ladder, Parallel, Promise, Run, Since, Warn,
};
use crate::{
    Absence, Action, Actor, Base, Command, Condition, Directory, Name, Place, Quiet, QuietHours,
    Span, State, StateKind, Ticket, Who, Wish, Work, Workflow,
};

/// Bytes that decide; after its end every choice is the first one.
pub(super) struct Tape<'a>(std::slice::Iter<'a, u8>);

impl<'a> Tape<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.iter())
    }

    pub(super) fn is_over(&self) -> bool {
        self.0.len() == 0
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().copied().unwrap_or(0)) % bound.max(1)
    }

    fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == chances - 1
    }

    fn pick<'b, T>(&mut self, from: &'b [T]) -> &'b T {
        &from[self.below(from.len())]
    }
}

const PEOPLE: [&str; 7] = ["ann", "bob", "cem", "lea", "max", "tom", "zoe"];

fn somebody(tape: &mut Tape<'_>) -> Name {
    Name::new(*tape.pick(&PEOPLE))
}

pub(super) fn base(tape: &mut Tape<'_>) -> Base {
    let group = || Name::new("desk");
    let choice = tape.below(24);
    match choice % 12 {
        0 => Base::LeastBusy(group()),
        1 => Base::AnotherIn(group()),
        2 => Base::AnyoneIn(group()),
        3 => Base::LongestIdle(group()),
        4 => Base::NextIn(group()),
        5 => Base::LeadOf(group()),
        6 => Base::ManagerOf(group()),
        7 => Base::WhoDid("go".into()),
        8 => Base::Opener,
        9 => Base::Assignee,
        10 => Base::OnCall("nobody-is".into()),
        _ if choice == 23 => Base::Named((*tape.pick(&["expert", "cause"])).into()),
        _ => Base::User(somebody(tape)),
    }
}

fn phrase(tape: &mut Tape<'_>) -> Who {
    let mut phrase = who(base(tape));
    if tape.one_in(4) {
        phrase.except.push(base(tape));
    }
    if tape.one_in(6) {
        phrase.skills.push("billing".into());
    }
    if tape.one_in(4) {
        phrase.otherwise = Some(Box::new(who(base(tape))));
    }
    phrase
}

fn assigned(tape: &mut Tape<'_>) -> Option<crate::workflow::Assign> {
    Some(crate::workflow::Assign::new(phrase(tape), Place::default()))
}

fn random_ladder(tape: &mut Tape<'_>, name: &str) -> Ladder {
    let count = 1 + tape.below(4);
    let levels = (0..count).map(|_| {
        let mut level = level(1 + i64::try_from(tape.below(90)).unwrap_or(0), None);
        if !tape.one_in(4) {
            level.assign = assigned(tape);
        }
        if tape.one_in(3) {
            level.notify.push(phrase(tape));
        }
        level
    });
    let mut ladder = ladder(name, levels.collect());
    ladder.repeat = if tape.one_in(4) { 2 } else { 0 };
    ladder.back_to = tape.one_in(3).then_some(1 + tape.below(count));
    ladder.restart_on_activity = *tape.pick(&[None, None, Some(true), Some(false)]);
    ladder
}

fn condition(tape: &mut Tape<'_>) -> Condition {
    match tape.below(3) {
        0 => Condition::IsEmpty("cause".into()),
        1 => Condition::IsOver("severity".into(), 3.into()),
        _ => Condition::Not(Box::new(Condition::IsEmpty("caller".into()))),
    }
}

struct Plan {
    /// Names of the states that an action of this level may lead to.
    targets: Vec<Name>,
    states: Vec<(Name, State)>,
}

fn actions(tape: &mut Tape<'_>, targets: &[Name]) -> Vec<Action> {
    let count = 1 + tape.below(2);
    let mut actions: Vec<Action> = (0..count)
        .map(|index| {
            let mut action = action(
                ["go", "other"].get(index).unwrap_or(&"go"),
                tape.pick::<Name>(targets).as_str(),
            );
            if tape.one_in(5) {
                action.by.push(who(Base::Contact("caller".into())));
                action.by.push(who(base(tape)));
            }
            if tape.one_in(5) {
                action.requires.push("cause".into());
            }
            action
        })
        .collect();
    if tape.one_in(4) {
        actions[0].message = Some("paid".into());
    }
    actions
}

fn random_work(tape: &mut Tape<'_>, targets: &[Name], asks: bool) -> Work {
    let mut work = work(None, None, actions(tape, targets));
    if asks || !tape.one_in(4) {
        work.assign = assigned(tape);
    }
    let climbs = !tape.one_in(4);
    if climbs {
        let name = *tape.pick(&["one", "two"]);
        if tape.one_in(4) {
            let when = Some(condition(tape));
            work.escalate.push(crate::workflow::LadderChoice {
                when,
                ladder: "two".into(),
            });
        }
        work.escalate.push(crate::workflow::LadderChoice {
            when: None,
            ladder: name.into(),
        });
    }
    if !climbs || tape.one_in(3) {
        work.after.push(after(
            1 + i64::try_from(tape.below(200)).unwrap_or(0),
            tape.pick::<Name>(targets).as_str(),
        ));
    }
    if tape.one_in(3) {
        work.notify.push(phrase(tape));
    }
    match tape.below(10) {
        8 => {
            work.doing = Some(Doing::Run(Run {
                webhook: "erp".into(),
                body: Vec::new(),
                timeout: Span::minutes(1),
                retries: 2,
                backoff: Span::minutes(2),
                take: vec![("cause".into(), "reason".into())],
            }));
            for name in ["done", "failed"] {
                work.actions
                    .push(action(name, tape.pick::<Name>(targets).as_str()));
            }
        }
        9 => {
            work.doing = Some(Doing::Call(Call {
                workflow: "other".into(),
                with: Vec::new(),
                take: Vec::new(),
            }));
            work.actions
                .push(action("done", tape.pick::<Name>(targets).as_str()));
        }
        _ => (),
    }
    work
}

fn states(tape: &mut Tape<'_>, plan: &mut Plan, prefix: &str, depth: usize) {
    let count = 2 + tape.below(3);
    let mut targets: Vec<Name> = (0..count)
        .map(|index| Name::new(format!("{prefix}s{index}")))
        .collect();
    let end_name = Name::new(format!("{prefix}end"));
    targets.push(end_name.clone());
    plan.states.push(end(&end_name));
    for index in 0..count {
        let name = targets[index].clone();
        // Only forwards, so that no circle runs without a person or a clock.
        let ahead = targets[index + 1..].to_vec();
        let kind = match tape.below(8) {
            6 if index > 0 => StateKind::Choose {
                cases: vec![(condition(tape), tape.pick(&ahead).clone())],
                otherwise: tape.pick(&ahead).clone(),
            },
            7 if depth < 2 && index > 0 => {
                let branches = ["left", "right"].map(|branch| {
                    let inner = format!("{prefix}{index}{branch}-");
                    states(tape, plan, &inner, depth + 1);
                    (Name::new(branch), Name::new(format!("{inner}s0")))
                });
                let mut work = work(None, None, Vec::new());
                let join = if tape.one_in(2) { Join::Any } else { Join::All };
                let goto = tape.pick(&targets[index + 1..]).clone();
                work.doing = Some(Doing::Parallel(Parallel {
                    branches: branches.to_vec(),
                    join,
                    goto,
                }));
                StateKind::Work(work)
            }
            _ => StateKind::Work(random_work(tape, &targets, index == 0)),
        };
        plan.states.push(state(&name, kind));
    }
    if depth == 0 {
        plan.targets = targets;
    }
}

pub(super) fn random_workflow(tape: &mut Tape<'_>) -> Workflow {
    let mut plan = Plan {
        targets: Vec::new(),
        states: Vec::new(),
    };
    states(tape, &mut plan, "", 0);
    let ladders = vec![random_ladder(tape, "one"), random_ladder(tape, "two")];
    let mut workflow = workflow(plan.states, ladders);
    workflow.start = plan.targets[0].clone();
    workflow.catch_up = if tape.one_in(4) {
        CatchUp::FromDue
    } else {
        CatchUp::FromTold
    };
    if tape.one_in(2) {
        let minutes = |tape: &mut Tape<'_>| {
            Span::seconds(60 * (1 + i64::try_from(tape.below(250)).unwrap_or(0)))
        };
        workflow.promises.push(Promise {
            name: "resolution".into(),
            within: minutes(tape),
            except: vec![(condition(tape), minutes(tape))],
            calendar: None,
            since: if tape.one_in(4) {
                Since::Caller
            } else {
                Since::Opening
            },
            met_in: [tape.pick(&plan.targets).clone()].into(),
            paused_in: [tape.pick(&plan.targets).clone()].into(),
            once: tape.one_in(3),
            warn: vec![Warn {
                percent: 50,
                notify: vec![phrase(tape)],
            }],
            breach: Breach {
                notify: vec![phrase(tape)],
                escalate: tape.one_in(2),
                set: Vec::new(),
                goto: tape.one_in(4).then(|| plan.targets[0].clone()),
            },
            place: Place::default(),
        });
    }
    workflow
}

pub(super) fn random_directory(tape: &mut Tape<'_>) -> Directory {
    let mut directory = directory();
    for id in PEOPLE {
        let Some(person) = directory.people.get_mut(id) else {
            continue;
        };
        match tape.below(8) {
            3 => {
                let from = u32::try_from(tape.below(24)).unwrap_or(0) * 3600;
                let hours = Opening::new(from, (from + 3 * 3600) % (24 * 3600)).unwrap();
                let week = Week::of(&WEEKDAYS, &[hours]);
                person.quiet_hours = Some(QuietHours::new(week, TimeZone::UTC));
                let mut chat = person.channels[0].clone();
                chat.via = "webhook:chat".into();
                chat.after = tape.one_in(2).then(|| Span::minutes(5));
                (person.channels[0].quiet, chat.quiet) = (Quiet::Skip, Quiet::Only);
                person.channels.push(chat);
            }
            4 => person.at_most = Some(0),
            5 => person.channels.clear(),
            6 => {
                person.skills.insert("billing".into());
            }
            7 => {
                let from = start() + minutes(i64::try_from(tape.below(200)).unwrap_or(0));
                let to = from + minutes(i64::try_from(tape.below(200)).unwrap_or(0));
                let deputy = tape.one_in(2).then(|| somebody(tape));
                directory.absences.insert(
                    id.into(),
                    vec![Absence {
                        who: id.into(),
                        from,
                        to,
                        deputy,
                    }],
                );
            }
            _ => (),
        }
    }
    directory
}

fn actor(tape: &mut Tape<'_>, ticket: &Ticket) -> Actor {
    match tape.below(8) {
        0 => Actor::Operator("max".into()),
        1 => Actor::Contact("caller".into()),
        2 => Actor::System("erp".into()),
        3 => Actor::Person(somebody(tape)),
        // Mostly who has it, so that tickets get on.
        _ => match ticket.answerable().next() {
            Some((_, person)) => Actor::Person(person.clone()),
            None => Actor::Person(somebody(tape)),
        },
    }
}

pub(super) fn random_command(tape: &mut Tape<'_>, ticket: &Ticket, now: Timestamp) -> Command {
    let by = actor(tape, ticket);
    let branches: Vec<Name> = ticket.positions.keys().cloned().collect();
    let branch = (!branches.is_empty() && tape.one_in(2)).then(|| tape.pick(&branches).clone());
    let later = |tape: &mut Tape<'_>| {
        now + SignedDuration::from_mins(i64::try_from(tape.below(250)).unwrap_or(0) - 5)
    };
    let visit = ticket.visits;
    let notice = ticket.last_notice;
    let clock = ticket.clocks.first().map_or(0, |clock| clock.id);
    let fields = || vec![("cause".into(), "wear".to_owned())];
    let wish = match tape.below(26) {
        0..=4 => Wish::Act {
            action: (*tape.pick(&["go", "other", "done"])).into(),
            fields: fields(),
            note: None,
        },
        5 => Wish::Message {
            message: "paid".into(),
            fields: vec![("severity".into(), "5".into())],
        },
        6 => Wish::Claim,
        7 | 8 => Wish::Decline { reason: None },
        9 => Wish::Release { reason: None },
        10 => Wish::Delegate {
            to: somebody(tape),
            reason: None,
        },
        11 => Wish::Reassign {
            to: somebody(tape),
            reason: None,
        },
        12 => Wish::Escalate {
            to: None,
            reason: None,
        },
        13 => Wish::Escalate {
            to: Some(u16::try_from(tape.below(5)).unwrap_or(0)),
            reason: None,
        },
        14 => Wish::Suspend {
            until: later(tape),
            reason: None,
        },
        15 => Wish::Resume,
        16 => Wish::Comment {
            text: "hello".into(),
            to_caller: tape.one_in(2),
        },
        17 => Wish::Save { fields: fields() },
        18 => Wish::AnswerBy { at: later(tape) },
        19 => Wish::ChangeClock {
            clock,
            due: later(tape),
            reason: "asked to".into(),
        },
        20 => Wish::Hold,
        21 => Wish::Undeliverable {
            notice,
            reason: "550".into(),
        },
        22 => Wish::RunDone {
            visit,
            answer: vec![("reason".into(), "fixed".into())],
        },
        23 => Wish::RunFailed {
            visit,
            attempt: 1,
            reason: "503".into(),
            retry: tape.one_in(2),
        },
        24 => Wish::ChildEnded {
            visit,
            outcome: "done".into(),
            fields: Vec::new(),
        },
        _ => Wish::Recheck,
    };
    Command { by, branch, wish }
}
