//! Promises: what runs, stands still, warns and breaks.

use super::kit::{Desk, after, minutes, names, start, trouble, who};
use super::ladder::{say, working};
use crate::workflow::{Breach, Promise, Since, Warn};
use crate::{Base, Command, Fact, Place, PromiseChange, Span, StateKind, Wish, Workflow};

fn promise(within: i64) -> Promise {
    Promise {
        name: "resolution".into(),
        within: Span::seconds(within * 60),
        except: Vec::new(),
        calendar: None,
        since: Since::Opening,
        met_in: names(&["resolved"]),
        paused_in: names(&["waiting"]),
        once: false,
        warn: [50, 75]
            .map(|percent| Warn {
                percent,
                notify: vec![who(Base::Assignee)],
            })
            .to_vec(),
        breach: Breach {
            notify: vec![who(Base::ManagerOf("desk".into()))],
            ..Breach::default()
        },
        place: Place::default(),
    }
}

fn changes(desk: &Desk) -> Vec<(i64, PromiseChange)> {
    let changes = desk.journal.iter().filter_map(|event| match &event.fact {
        Fact::Promise { change, .. } => Some((
            (event.at.as_second() - start().as_second()) / 60,
            change.clone(),
        )),
        _ => None,
    });
    changes.collect()
}

fn with_waiting() -> Workflow {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    working(&mut workflow)
        .actions
        .push(super::kit::action("ask", "waiting"));
    let mut waiting = super::kit::work(None, None, vec![super::kit::action("answer", "working")]);
    waiting.after = vec![after(600, "working")];
    let (name, state) = super::kit::state("waiting", StateKind::Work(waiting));
    workflow.states.insert(name, state);
    workflow.promises = vec![promise(100)];
    workflow
}

#[test]
fn a_promise_stands_still_while_it_waits_and_warns_once() {
    let mut desk = Desk::opened(with_waiting());
    desk.until(10);
    desk.act("ann", "accept").unwrap();
    desk.until(40);
    desk.act("ann", "ask").unwrap();
    desk.until(200);
    desk.act("ann", "answer").unwrap();
    desk.until(400);
    let expected = vec![
        (0, PromiseChange::Started { budget: 6000 }),
        (40, PromiseChange::Paused { consumed: 2400 }),
        (200, PromiseChange::Resumed),
        (
            210,
            PromiseChange::Warned {
                percent: 50,
                late: 0,
            },
        ),
        (
            235,
            PromiseChange::Warned {
                percent: 75,
                late: 0,
            },
        ),
        (260, PromiseChange::Breached { late: 0 }),
    ];
    assert_eq!(changes(&desk), expected);
}

#[test]
fn after_an_outage_only_the_highest_warning_is_given() {
    let mut desk = Desk::opened(with_waiting());
    desk.now = start() + minutes(80);
    while let Some(clock) = desk
        .ticket
        .next_due()
        .filter(|clock| clock.due <= desk.now)
        .cloned()
    {
        desk.submit(&Command::due(clock.id)).unwrap();
    }
    let warned = changes(&desk).into_iter().skip(1).collect::<Vec<_>>();
    assert_eq!(
        warned,
        [(
            80,
            PromiseChange::Warned {
                percent: 75,
                late: 300
            }
        )]
    );
}

#[test]
fn passing_a_ticket_round_postpones_no_promise() {
    let mut desk = Desk::opened(with_waiting());
    for (at, to) in [(5, "bob"), (10, "cem"), (15, "ann")] {
        desk.until(at);
        let command = say(
            "lea",
            Wish::Reassign {
                to: to.into(),
                reason: None,
            },
        );
        desk.submit(&command).unwrap();
    }
    desk.until(100);
    assert_eq!(
        changes(&desk).last(),
        Some(&(100, PromiseChange::Breached { late: 0 }))
    );
}
