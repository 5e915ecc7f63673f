//! Branches, machines and other workflows.

use super::kit::{
    Desk, action, directory, end, ladder, level, minutes, start, state, work, workflow,
};
use crate::workflow::{BodyValue, Call, ChecklistItem, Doing, Join, Parallel, Run};
use crate::{
    Actor, Base, Command, Condition, Fact, FieldFault, Name, Rejection, Span, StateKind, Value,
    Wish, Workflow,
};

fn user(id: &str) -> Option<Base> {
    Some(Base::User(id.into()))
}

/// Two branches: `parts` is cem's, `visit` is bob's; then ann closes.
fn field_service(join: Join) -> Workflow {
    let mut split = work(None, None, Vec::new());
    let branches = [("parts", "ordered"), ("visit", "planned")]
        .map(|(name, first)| (name.into(), first.into()));
    split.doing = Some(Doing::Parallel(Parallel {
        branches: branches.to_vec(),
        join,
        goto: "billing".into(),
    }));
    let climbing = ladder("climbing", vec![level(60, user("lea"))]);
    workflow(
        vec![
            state(
                "received",
                StateKind::Work(work(
                    user("ann"),
                    Some("climbing"),
                    vec![action("start", "split")],
                )),
            ),
            state("split", StateKind::Work(split)),
            state(
                "ordered",
                StateKind::Work(work(
                    user("cem"),
                    Some("climbing"),
                    vec![action("arrived", "stocked")],
                )),
            ),
            state(
                "planned",
                StateKind::Work(work(
                    user("bob"),
                    Some("climbing"),
                    vec![action("done", "visited")],
                )),
            ),
            state(
                "billing",
                StateKind::Work(work(
                    user("ann"),
                    Some("climbing"),
                    vec![action("bill", "closed")],
                )),
            ),
            end("stocked"),
            end("visited"),
            end("closed"),
        ],
        vec![climbing],
    )
}

fn answerable(desk: &Desk) -> String {
    let answerable = desk
        .ticket
        .answerable()
        .map(|(branch, person)| format!("{branch}:{person}"));
    answerable.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_said_of_the_whole_is_told_in_each_branch() {
    let mut desk = Desk::opened(field_service(Join::All));
    desk.act("ann", "start").unwrap();
    let told = |desk: &mut Desk, branch: Option<&str>, by: &str| {
        let wish = Wish::Comment {
            text: "nobody is at home before noon".into(),
            to_caller: false,
        };
        let events = desk.submit(&Command {
            by: Actor::Person(by.into()),
            branch: branch.map(Into::into),
            wish,
        });
        let events = events.unwrap();
        let notices = events.iter().flat_map(|event| event.fact.notices());
        let to: Vec<String> = notices.map(|one| one.to.name().to_string()).collect();
        to
    };
    assert_eq!(told(&mut desk, None, "ann"), ["cem", "bob"]);
    assert_eq!(told(&mut desk, None, "bob"), ["cem"]);
    assert_eq!(told(&mut desk, Some("visit"), "ann"), ["bob"]);
}

#[test]
fn each_branch_has_its_own_answerable_person_and_ladder() {
    let mut desk = Desk::opened(field_service(Join::All));
    desk.act("ann", "start").unwrap();
    assert_eq!(answerable(&desk), "parts:cem visit:bob");
    desk.until(30);
    desk.act("bob", "done").unwrap();
    assert_eq!(answerable(&desk), "parts:cem");
    desk.until(60);
    assert_eq!(
        answerable(&desk),
        "parts:lea",
        "the other branch's end stops no clock of this one"
    );
    desk.act("lea", "arrived").unwrap();
    assert_eq!(answerable(&desk), ":ann");
    desk.act("ann", "bill").unwrap();
    assert_eq!(desk.ticket.ended.as_ref().unwrap().outcome.as_str(), "done");
}

#[test]
fn the_first_branch_of_any_gives_the_others_up() {
    let mut desk = Desk::opened(field_service(Join::Any));
    desk.act("ann", "start").unwrap();
    desk.act("bob", "done").unwrap();
    assert_eq!(answerable(&desk), ":ann");
    assert_eq!(desk.workload.of("cem").open, 0);
    assert!(
        desk.ticket
            .clocks
            .iter()
            .all(|clock| clock.branch.is_empty())
    );
}

/// A branch that is a parallel state itself ends while one of its own branches is open: nobody has that one any
/// more.
#[test]
fn a_branch_that_ends_takes_its_own_branches_with_it() {
    let mut workflow = field_service(Join::All);
    let mut inner = work(None, None, Vec::new());
    inner.doing = Some(Doing::Parallel(Parallel {
        branches: vec![
            ("here".into(), "ordered".into()),
            ("there".into(), "asked".into()),
        ],
        join: Join::Any,
        goto: "stocked".into(),
    }));
    let asked = work(user("max"), Some("climbing"), vec![action("no", "visited")]);
    for (name, state) in [
        state("inner", StateKind::Work(inner)),
        state("asked", StateKind::Work(asked)),
    ] {
        workflow.states.insert(name, state);
    }
    let StateKind::Work(split) = &mut workflow.states.get_mut("split").unwrap().kind else {
        unreachable!()
    };
    let Some(Doing::Parallel(split)) = &mut split.doing else {
        unreachable!()
    };
    split.branches[0].1 = "inner".into();
    let mut desk = Desk::opened(workflow);
    desk.act("ann", "start").unwrap();
    let all = "parts/here:cem parts/there:max visit:bob";
    assert_eq!(answerable(&desk), all);
    desk.act("cem", "arrived").unwrap();
    assert_eq!(answerable(&desk), "visit:bob");
    assert_eq!(desk.workload.of("max").open, 0);
    desk.until(240);
    assert_eq!(desk.holder(), "zoe", "the other branch goes on");
}

#[test]
fn branches_that_end_at_once_are_joined() {
    for join in [Join::All, Join::Any] {
        let mut workflow = field_service(join);
        let choose = |goto: &str| StateKind::Choose {
            cases: vec![(Condition::IsEmpty("cause".into()), goto.into())],
            otherwise: goto.into(),
        };
        for (name, goto) in [("ordered", "stocked"), ("planned", "visited")] {
            let (name, state) = state(name, choose(goto));
            workflow.states.insert(name, state);
        }
        let mut desk = Desk::opened(workflow);
        desk.act("ann", "start").unwrap();
        assert_eq!(
            (desk.state(), answerable(&desk).as_str()),
            ("billing", ":ann")
        );
    }
}

#[test]
fn several_branches_need_a_name_where_it_is_not_clear() {
    let mut desk = Desk::opened(field_service(Join::All));
    desk.act("ann", "start").unwrap();
    let comment = Wish::Decline { reason: None };
    let which = Rejection::WhichBranch {
        branches: vec!["parts".into(), "visit".into()],
    };
    assert_eq!(desk.submit(&Command::person("bob", comment)), Err(which));
}

fn refund() -> Workflow {
    let mut paying = work(
        user("ann"),
        Some("climbing"),
        vec![action("done", "closed"), action("failed", "broken")],
    );
    paying.doing = Some(Doing::Run(Run {
        webhook: "bank".into(),
        body: vec![("who".into(), BodyValue::Field("caller".into()))],
        timeout: Span::minutes(1),
        retries: 2,
        backoff: Span::minutes(2),
        take: vec![("cause".into(), "receipt".into())],
    }));
    let broken = work(
        user("ann"),
        Some("climbing"),
        vec![action("close", "closed")],
    );
    let climbing = ladder("climbing", vec![level(60, user("lea"))]);
    let states = vec![
        state("paying", StateKind::Work(paying)),
        state("broken", StateKind::Work(broken)),
        end("closed"),
    ];
    workflow(states, vec![climbing])
}

fn system(wish: Wish) -> Command {
    Command {
        by: Actor::System("bank".into()),
        branch: None,
        wish,
    }
}

#[test]
fn a_call_is_tried_again_and_its_failure_is_never_silent() {
    let mut desk = Desk::opened(refund());
    desk.until(30);
    let tries = desk.journal.iter().filter_map(|event| match &event.fact {
        Fact::RunStarted { attempt, .. } => {
            Some((*attempt, (event.at.as_second() - start().as_second()) / 60))
        }
        _ => None,
    });
    // A try takes a minute; the waits are two and four minutes.
    assert_eq!(tries.collect::<Vec<_>>(), [(1, 0), (2, 3), (3, 8)]);
    assert_eq!((desk.state(), desk.holder()), ("broken", "ann"));
}

#[test]
fn an_answer_fills_fields_and_a_late_one_does_nothing() {
    let mut desk = Desk::opened(refund());
    let visit = desk.ticket.positions[""].visit;
    let done = system(Wish::RunDone {
        visit,
        answer: vec![("receipt".into(), "R-17".into())],
    });
    desk.submit(&done).unwrap();
    assert_eq!(desk.ticket.fields["cause"], Value::Text("R-17".into()));
    assert!(desk.ticket.ended.is_some());
    assert_eq!(desk.submit(&done), Ok(Vec::new()));
}

#[test]
fn people_do_not_declare_a_machine_done() {
    let mut desk = Desk::opened(refund());
    let refused = Rejection::NotAllowed {
        operation: crate::Operation::Act,
    };
    assert_eq!(desk.act("ann", "done"), Err(refused));
}

#[test]
fn the_childs_end_moves_the_parent_on() {
    let mut workflow = refund();
    let Some(StateKind::Work(paying)) = workflow
        .states
        .get_mut("paying")
        .map(|state| &mut state.kind)
    else {
        panic!("a working state");
    };
    let call = Call {
        workflow: "other".into(),
        with: vec![("who".into(), "caller".into())],
        take: Vec::new(),
    };
    paying.doing = Some(Doing::Call(call));
    let mut desk = Desk::opened(workflow);
    let called = desk.journal.iter().any(|event| match &event.fact {
        Fact::Called {
            workflow, fields, ..
        } => workflow.as_str() == "other" && fields.len() == 1,
        _ => false,
    });
    assert!(called);
    let visit = desk.ticket.positions[""].visit;
    let outcome = Name::new("failed");
    desk.submit(&system(Wish::ChildEnded {
        visit,
        outcome,
        fields: Vec::new(),
    }))
    .unwrap();
    assert_eq!(desk.state(), "broken");
}

#[test]
fn a_message_takes_the_action_that_awaits_it() {
    let mut workflow = refund();
    let Some(StateKind::Work(broken)) = workflow
        .states
        .get_mut("broken")
        .map(|state| &mut state.kind)
    else {
        panic!("a working state");
    };
    broken.actions[0].message = Some("paid".into());
    workflow.start = "broken".into();
    let mut desk = Desk::opened(workflow);
    let message = |name: &str| {
        system(Wish::Message {
            message: name.into(),
            fields: Vec::new(),
        })
    };
    assert_eq!(
        desk.submit(&message("sent")),
        Err(Rejection::NotAwaited {
            message: "sent".into()
        })
    );
    desk.submit(&message("paid")).unwrap();
    assert!(desk.ticket.ended.is_some());
}

#[test]
fn forms_and_checklists_are_checked_as_a_whole() {
    let mut workflow = field_service(Join::All);
    let Some(StateKind::Work(received)) = workflow
        .states
        .get_mut("received")
        .map(|state| &mut state.kind)
    else {
        panic!("a working state");
    };
    received.checklist.push(ChecklistItem {
        name: "seen".into(),
        label: Default::default(),
    });
    received.actions[0].ticked.push("seen".into());
    received.actions[0].requires.push("cause".into());
    let mut desk = Desk::opened(workflow);
    let faults = vec![FieldFault::Missing {
        field: "cause".into(),
    }];
    assert_eq!(desk.act("ann", "start"), Err(Rejection::Form { faults }));
    let wrong = vec![
        ("cuase".into(), "x".to_owned()),
        ("severity".into(), "high".to_owned()),
    ];
    let Err(Rejection::Form { faults }) =
        desk.submit(&Command::person("ann", Wish::Save { fields: wrong }))
    else {
        panic!("a misspelt field and one that is not in the form");
    };
    assert_eq!(faults.len(), 2);
    desk.submit(&Command::person(
        "ann",
        Wish::Save {
            fields: vec![("cause".into(), "wear".into())],
        },
    ))
    .unwrap();
    assert_eq!(
        desk.act("ann", "start"),
        Err(Rejection::NotTicked {
            items: vec!["seen".into()]
        })
    );
    desk.submit(&Command::person(
        "ann",
        Wish::Tick {
            item: "seen".into(),
            done: true,
        },
    ))
    .unwrap();
    desk.act("ann", "start").unwrap();
}

#[test]
fn another_last_resort_takes_over_when_the_directory_names_one() {
    let mut desk = Desk::new(refund(), directory());
    desk.workflow.start = "broken".into();
    desk.open().unwrap();
    desk.until(120);
    assert_eq!(desk.holder(), "zoe");
    desk.directory.last_resort = "tom".into();
    desk.submit(&Command {
        by: Actor::Clock,
        branch: None,
        wish: Wish::Recheck,
    })
    .unwrap();
    assert_eq!(desk.holder(), "tom");
    assert!(desk.ticket.next_due().unwrap().due <= start() + minutes(180));
}
