//! The table is what `decide` does: every situation, operation and role, against the real thing.

use super::kit::{Desk, directory, minutes, person, start, trouble, who};
use crate::table::{Owner, Role, Ruling, Situation, rule};
use crate::{Actor, Base, Command, Group, Level, Operation, Rejection, StateKind, Typed, Wish};

fn wish(operation: Operation, desk: &Desk) -> Wish {
    let reason = None;
    let text = || "because".to_owned();
    let level_clock = desk.ticket.clocks.first().map_or(0, |clock| clock.id);
    match operation {
        Operation::Act => {
            let action = if desk.state() == "working" {
                "resolve"
            } else {
                "accept"
            };
            Wish::Act {
                action: action.into(),
                fields: Typed::new(),
                note: None,
            }
        }
        Operation::Claim => Wish::Claim,
        Operation::Decline => Wish::Decline { reason },
        Operation::Release => Wish::Release { reason },
        Operation::Delegate => Wish::Delegate {
            to: "tom".into(),
            reason,
        },
        Operation::Reassign => Wish::Reassign {
            to: "tom".into(),
            reason,
        },
        Operation::Escalate => Wish::Escalate { to: None, reason },
        Operation::Suspend => Wish::Suspend {
            until: desk.now + minutes(60),
            reason,
        },
        Operation::Resume => Wish::Resume,
        Operation::Comment => Wish::Comment {
            text: text(),
            to_caller: false,
        },
        Operation::Save => Wish::Save {
            fields: vec![("cause".into(), text())],
        },
        Operation::Tick => Wish::Tick {
            item: "seen".into(),
            done: true,
        },
        Operation::AnswerBy => Wish::AnswerBy {
            at: desk.now + minutes(60),
        },
        Operation::ChangeClock => Wish::ChangeClock {
            clock: level_clock,
            due: desk.now + minutes(60),
            reason: text(),
        },
        Operation::Hold => Wish::Hold,
        Operation::Cancel => Wish::Cancel { reason: text() },
    }
}

/// A ticket in the situation. `named`: its action is for `tom`, by name.
fn desk(situation: Situation, named: bool) -> Desk {
    let first = match situation {
        Situation::Offered => Base::AnyoneIn("desk".into()),
        _ => Base::LeastBusy("desk".into()),
    };
    let mut workflow = trouble(first);
    for state in workflow.states.values_mut() {
        if let StateKind::Work(work) = &mut state.kind {
            work.checklist.push(crate::workflow::ChecklistItem {
                name: "seen".into(),
                label: Default::default(),
            });
            for action in work.actions.iter_mut().filter(|_| named) {
                action.by = vec![who(Base::User("tom".into()))];
            }
        }
    }
    let mut people = directory();
    // The last resort leads a group of its own, so that it has somebody above it.
    people.people.insert("sue".into(), person("sue"));
    let top = Group {
        id: "top".into(),
        members: vec!["zoe".into()],
        lead: Some("sue".into()),
        ..Group::default()
    };
    people.groups.insert("top".into(), top);
    let mut desk = Desk::new(workflow, people);
    desk.open().unwrap();
    let operator = |wish| Command {
        by: Actor::Operator("zoe".into()),
        branch: None,
        wish,
    };
    match situation {
        Situation::Offered | Situation::Asked | Situation::Branches => (),
        Situation::Taken | Situation::Suspended => {
            let action = "accept".into();
            let by = Actor::Person(if named { "tom".into() } else { "ann".into() });
            let wish = Wish::Act {
                action,
                fields: Typed::new(),
                note: None,
            };
            desk.submit(&Command {
                by,
                branch: None,
                wish,
            })
            .unwrap();
            if named {
                desk.submit(&Command::person(
                    "tom",
                    Wish::Reassign {
                        to: "ann".into(),
                        reason: None,
                    },
                ))
                .unwrap();
                desk.ticket.positions.get_mut("").unwrap().taken = true;
            }
        }
        Situation::LastResort => desk.until(120),
        Situation::Over => {
            desk.submit(&operator(Wish::Cancel {
                reason: "test".into(),
            }))
            .unwrap();
        }
    }
    if situation == Situation::Suspended {
        let until = desk.now + minutes(600);
        desk.submit(&operator(Wish::Suspend {
            until,
            reason: None,
        }))
        .unwrap();
    }
    desk
}

fn actor(situation: Situation, role: Role) -> Option<Actor> {
    let person = |id: &str| Some(Actor::Person(id.into()));
    match role {
        Role::Operator => Some(Actor::Operator("max".into())),
        Role::Holder => match situation {
            Situation::Offered => person("lea"),
            Situation::LastResort => person("zoe"),
            Situation::Asked | Situation::Taken | Situation::Suspended => person("ann"),
            Situation::Branches | Situation::Over => None,
        },
        Role::Candidate if situation == Situation::Offered => person("bob"),
        Role::Candidate => None,
        Role::Named => person("tom"),
        Role::Lead => match situation {
            Situation::Offered => person("max"),
            Situation::LastResort => person("sue"),
            _ => person("lea"),
        },
        Role::Colleague => person("tom"),
        Role::Contact => Some(Actor::Contact("caller".into())),
        Role::System => Some(Actor::System("erp".into())),
    }
}

#[test]
fn table_is_what_decide_does() {
    let mut rows = 0;
    for situation in Situation::ALL {
        if situation == Situation::Branches {
            continue; // Below: it has no holder, so most roles don't exist there.
        }
        for operation in Operation::ALL {
            for role in Role::ALL {
                // An action's own `by` is the only thing that makes somebody `Named`.
                let named = role == Role::Named;
                if named && operation != Operation::Act {
                    continue;
                }
                let Some(by) = actor(situation, role) else {
                    continue;
                };
                let desk = desk(situation, named);
                let command = Command {
                    by,
                    branch: None,
                    wish: wish(operation, &desk),
                };
                let decided = desk.decide(&command);
                let row = format!("{situation:?} {operation:?} {role:?}: {decided:?}");
                let shown = desk.could(&command.by).iter().any(|one| {
                    let action = match &command.wish {
                        Wish::Act { action, .. } => Some(action),
                        _ => None,
                    };
                    one.operation == operation && one.action.as_ref() == action
                });
                let held = operation == Operation::Hold;
                assert_eq!(shown, decided.is_ok() && !held, "what is shown: {row}");
                agrees(
                    &desk,
                    &command,
                    expected(situation, operation, role),
                    decided,
                    &row,
                );
                rows += 1;
            }
        }
    }
    // Offered: all 8 roles; five situations without candidates, one of them without a holder either;
    // `Named` in one operation each.
    let expected = (7 * 16 + 1) + 4 * (6 * 16 + 1) + (5 * 16 + 1);
    assert_eq!(rows, expected, "every row that can exist was played");
}

/// Whoever is answerable for an offer is the group's lead, and may in addition what a lead may.
fn expected(situation: Situation, operation: Operation, role: Role) -> Ruling {
    match rule(situation, operation, role) {
        Ruling::NotAllowed if situation == Situation::Offered && role == Role::Holder => {
            rule(situation, operation, Role::Lead)
        }
        ruling => ruling,
    }
}

/// A parallel state has no holder of its own: its branches have it.
#[test]
fn table_is_what_decide_does_to_a_parallel_state() {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    let branch = ("left".into(), "dispatched".into());
    let mut split = super::kit::work(None, None, vec![super::kit::action("accept", "closed")]);
    let (branches, join, goto) = (vec![branch], crate::workflow::Join::All, "closed".into());
    split.doing = Some(crate::workflow::Doing::Parallel(
        crate::workflow::Parallel {
            branches,
            join,
            goto,
        },
    ));
    let (name, state) = super::kit::state("split", StateKind::Work(split));
    workflow.states.insert(name.clone(), state);
    workflow.start = name;
    let desk = Desk::opened(workflow);
    for operation in Operation::ALL {
        for role in [Role::Operator, Role::Colleague, Role::Contact, Role::System] {
            let Some(by) = actor(Situation::Branches, role) else {
                continue;
            };
            let mut wish = wish(operation, &desk);
            if let Wish::Act { action, .. } = &mut wish {
                *action = "accept".into();
            }
            let mut clocks = desk.clone();
            clocks
                .ticket
                .clocks
                .iter_mut()
                .for_each(|clock| clock.branch = Default::default());
            let command = Command {
                by,
                branch: Some(Default::default()),
                wish,
            };
            let decided = clocks.decide(&command);
            let row = format!("{operation:?} {role:?}: {decided:?}");
            agrees(
                &clocks,
                &command,
                rule(Situation::Branches, operation, role),
                decided,
                &row,
            );
        }
    }
}

fn agrees(
    desk: &Desk,
    command: &Command,
    ruling: Ruling,
    decided: Result<Vec<crate::Event>, Rejection>,
    row: &str,
) {
    match (ruling, decided) {
        (Ruling::Allowed(owner), Ok(events)) => {
            assert!(!events.is_empty(), "{row}");
            owner_is(desk, command, owner, row);
        }
        (Ruling::Over, Err(Rejection::HasEnded))
        | (Ruling::HeldBy, Err(Rejection::HeldBy { .. } | Rejection::AlreadyClaimed { .. }))
        | (Ruling::NotAllowed, Err(Rejection::NotAllowed { .. })) => (),
        (Ruling::NotPossible(expected), Err(Rejection::NotPossible { because, .. })) => {
            assert_eq!(because, expected, "{row}");
        }
        (ruling, _) => panic!("the table says {ruling:?}, but {row}"),
    }
}

fn owner_is(desk: &Desk, command: &Command, owner: Owner, row: &str) {
    let before = desk.holder().to_owned();
    let mut after = desk.clone();
    after.submit(command).unwrap();
    let now = after.holder().to_owned();
    let actor = command.by.person().map_or("", |person| person.as_str());
    let same_state = after.state() == desk.state();
    match owner {
        Owner::Kept => assert_eq!(now, before, "{row}"),
        Owner::Actor => assert_eq!(now, actor, "{row}"),
        Owner::Named => assert_eq!(now, "tom", "{row}"),
        Owner::NextState => assert!(!same_state, "{row}"),
        Owner::Nobody => assert!(after.ticket.ended.is_some(), "{row}"),
        // One candidate of several who declines leaves the offer to the others.
        Owner::Next => assert!(now != actor, "{row}"),
        Owner::NextLevel => assert!(after.ticket.positions[""].level > Level::Entry, "{row}"),
        Owner::AskedAnew => assert!(now != before && same_state, "{row}"),
    }
    // Whatever was done: an open ticket has a clock.
    assert!(
        after.ticket.ended.is_some() || after.ticket.next_due().is_some(),
        "{row}"
    );
    assert!(after.now >= start());
}
