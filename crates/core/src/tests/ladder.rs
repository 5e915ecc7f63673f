//! The ladder, rule by rule.

use super::kit::{Desk, directory, level, minutes, person, start, trouble};
use crate::ticket::MAX_TOLD;
use crate::workflow::CatchUp;
use crate::{
    Absence, Actor, Base, Because, Command, Fact, Holder, Level, Name, Reason, Rejection, Span,
    StateKind, Wish, Workflow,
};

fn desk() -> Desk {
    Desk::opened(trouble(Base::LeastBusy("desk".into())))
}

pub(super) fn working(workflow: &mut Workflow) -> &mut crate::Work {
    work_of(workflow, "working")
}

fn work_of<'a>(workflow: &'a mut Workflow, state: &str) -> &'a mut crate::Work {
    match &mut workflow.states.get_mut(state).unwrap().kind {
        StateKind::Work(work) => work,
        _ => panic!("{state} is a working state"),
    }
}

pub(super) fn say(who: &str, wish: Wish) -> Command {
    Command::person(who, wish)
}

#[test]
fn nobody_acts() {
    let mut desk = desk();
    desk.until(24 * 60);
    // Each colleague once, the lead, the manager, then the last resort, who is reminded.
    assert!(
        desk.hops()
            .starts_with("ann@0 bob@15 cem@30 lea@45 max@75 zoe@105"),
        "{}",
        desk.hops()
    );
    assert_eq!(desk.ticket.positions[""].level, Level::LastResort);
    let reminders = desk
        .journal
        .iter()
        .filter(|event| matches!(event.fact, Fact::Reminded { .. }))
        .count();
    assert_eq!(reminders, (24 * 60 - 105) / 30);
}

/// The ticket of somebody who is reminded for days stays small, and its newest notices are those it knows.
#[test]
fn a_ticket_does_not_grow_with_its_reminders() {
    let mut desk = desk();
    desk.until(7 * 24 * 60);
    let told = &desk.ticket.positions[""].told;
    assert_eq!(told.len(), MAX_TOLD);
    let newest = told.last().map(|told| told.notice);
    assert_eq!(newest, Some(desk.ticket.last_notice));
}

#[test]
fn an_accepted_ticket_is_watched_too() {
    let mut desk = desk();
    desk.until(10);
    desk.act("ann", "accept").unwrap();
    assert_eq!((desk.state(), desk.holder()), ("working", "ann"));
    desk.until(10 + 240 + 119);
    assert_eq!(desk.holder(), "ann");
    desk.until(10 + 240 + 120);
    assert_eq!(desk.holder(), "lea");
}

#[test]
fn a_sign_of_life_restarts_a_ladder_against_silence_but_not_an_offer() {
    let comment = || {
        say(
            "ann",
            Wish::Comment {
                text: "looking".into(),
                to_caller: false,
            },
        )
    };
    let mut desk = desk();
    desk.until(10);
    desk.submit(&comment()).unwrap();
    desk.until(15);
    assert_eq!(desk.holder(), "bob", "a comment does not hold an offer");
    desk.act("bob", "accept").unwrap();
    desk.until(15 + 200);
    desk.submit(&say(
        "bob",
        Wish::Comment {
            text: "still on it".into(),
            to_caller: false,
        },
    ))
    .unwrap();
    desk.until(15 + 200 + 240 + 119);
    assert_eq!(desk.holder(), "bob");
    desk.until(15 + 200 + 240 + 120);
    assert_eq!(desk.holder(), "lea");
}

#[test]
fn late_answer_is_refused_with_the_holder() {
    let mut desk = desk();
    desk.until(20);
    assert_eq!(
        desk.act("ann", "accept"),
        Err(Rejection::HeldBy {
            holder: "bob".into()
        })
    );
}

#[test]
fn a_level_with_nobody_is_passed_at_once() {
    let mut away = directory();
    for id in ["ann", "bob", "cem"] {
        let (from, to) = (start(), start() + minutes(20));
        away.absences.insert(
            id.into(),
            vec![Absence {
                who: id.into(),
                from,
                to,
                deputy: None,
            }],
        );
    }
    let mut desk = Desk::new(trouble(Base::LeastBusy("desk".into())), away);
    desk.open().unwrap();
    assert_eq!(desk.hops(), "lea@0");
    let passed = desk
        .journal
        .iter()
        .filter(|event| matches!(event.fact, Fact::LevelPassed { .. }))
        .count();
    assert_eq!(passed, 2, "the state's own phrase and the first level");
}

#[test]
fn deputies_stand_in_and_the_journal_says_so() {
    let mut away = directory();
    let absence = Absence {
        who: "ann".into(),
        from: start(),
        to: start() + minutes(60),
        deputy: Some("tom".into()),
    };
    away.absences.insert("ann".into(), vec![absence]);
    let mut desk = Desk::new(trouble(Base::User("ann".into())), away);
    desk.open().unwrap();
    let hop = desk.journal.iter().find_map(|event| match &event.fact {
        Fact::Hopped(hop) => Some(hop.clone()),
        _ => None,
    });
    let hop = hop.unwrap();
    assert_eq!(
        (hop.holder, hop.deputy_of),
        (Holder::Assignee("tom".into()), Some("ann".into()))
    );
    assert!(matches!(hop.left_out[0].reason, Reason::Absent { .. }));
}

#[test]
fn declining_asks_the_next_at_once() {
    let mut desk = desk();
    desk.until(5);
    desk.submit(&say("ann", Wish::Decline { reason: None }))
        .unwrap();
    assert_eq!(desk.hops(), "ann@0 bob@5");
    desk.submit(&say("bob", Wish::Decline { reason: None }))
        .unwrap();
    desk.submit(&say("cem", Wish::Decline { reason: None }))
        .unwrap();
    assert_eq!(desk.hops(), "ann@0 bob@5 cem@5 lea@5");
}

#[test]
fn whoever_gives_up_what_he_took_does_not_keep_it() {
    for wish in [
        Wish::Decline { reason: None },
        Wish::Release { reason: None },
    ] {
        let mut desk = desk();
        desk.act("ann", "accept").unwrap();
        desk.submit(&say("ann", wish)).unwrap();
        assert_eq!(
            desk.holder(),
            "lea",
            "the first level only reminds, so the second has it"
        );
    }
}

#[test]
fn capacity_does_not_bind_the_last_level() {
    let mut full = directory();
    for person in full.people.values_mut() {
        person.at_most = Some(0);
    }
    let mut desk = Desk::new(trouble(Base::LeastBusy("desk".into())), full);
    desk.open().unwrap();
    assert_eq!(desk.hops(), "max@0");
}

#[test]
fn an_offer_is_claimed_once() {
    let mut desk = Desk::opened(trouble(Base::AnyoneIn("desk".into())));
    assert_eq!(
        desk.holder(),
        "lea",
        "the lead is answerable while candidates are asked"
    );
    assert_eq!(
        desk.submit(&say("tom", Wish::Claim)),
        Err(Rejection::NotAllowed {
            operation: crate::Operation::Claim
        })
    );
    desk.submit(&say("bob", Wish::Claim)).unwrap();
    assert_eq!(desk.holder(), "bob");
    assert_eq!(
        desk.submit(&say("ann", Wish::Claim)),
        Err(Rejection::AlreadyClaimed { by: "bob".into() })
    );
    desk.until(15);
    assert_eq!(
        desk.holder(),
        "ann",
        "a claim starts the ladder on the claimant"
    );
}

#[test]
fn rounds_are_repeated_before_the_last_resort() {
    let mut workflow = trouble(Base::User("ann".into()));
    let climbing = workflow.ladders.get_mut("climbing").unwrap();
    climbing.levels = vec![level(10, Some(Base::User("bob".into())))];
    climbing.repeat = 1;
    let mut desk = Desk::opened(workflow);
    desk.until(60);
    assert!(
        desk.hops().starts_with("ann@0 bob@10 ann@20 bob@30 zoe@40"),
        "{}",
        desk.hops()
    );
}

#[test]
fn an_outage_burns_no_level_unseen() {
    let mut desk = desk();
    desk.now = start() + minutes(100);
    let clock = desk.ticket.next_due().unwrap().id;
    desk.submit(&Command::due(clock)).unwrap();
    assert_eq!(desk.hops(), "ann@0 bob@100");
    assert_eq!(desk.ticket.next_due().unwrap().due, start() + minutes(115));
    // Delivered twice, it does nothing.
    assert_eq!(desk.submit(&Command::due(clock)), Ok(Vec::new()));
}

#[test]
fn catching_up_from_the_due_time_is_a_knob() {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    workflow.catch_up = CatchUp::FromDue;
    let mut desk = Desk::opened(workflow);
    desk.now = start() + minutes(40);
    while let Some(clock) = desk
        .ticket
        .next_due()
        .filter(|clock| clock.due <= desk.now)
        .cloned()
    {
        desk.submit(&Command::due(clock.id)).unwrap();
    }
    assert_eq!(desk.hops(), "ann@0 bob@40 cem@40");
    assert_eq!(desk.ticket.next_due().unwrap().due, start() + minutes(45));
}

#[test]
fn whom_no_channel_reaches_is_passed_over_at_once() {
    let mut desk = desk();
    let notice = desk.ticket.positions[""].told[0].notice;
    let command = Command {
        by: Actor::Clock,
        branch: None,
        wish: Wish::Undeliverable {
            notice,
            reason: "550".into(),
        },
    };
    desk.submit(&command).unwrap();
    assert_eq!(desk.hops(), "ann@0 bob@0");
    assert_eq!(desk.submit(&command), Ok(Vec::new()));
}

#[test]
fn a_person_who_leaves_loses_his_tickets_to_the_same_levels_next() {
    let mut desk = desk();
    desk.until(20);
    assert_eq!(desk.holder(), "bob");
    desk.directory.people.remove("bob");
    desk.directory
        .groups
        .get_mut("desk")
        .unwrap()
        .members
        .retain(|member| member.as_str() != "bob");
    desk.submit(&Command {
        by: Actor::Clock,
        branch: None,
        wish: Wish::Recheck,
    })
    .unwrap();
    assert_eq!(desk.hops(), "ann@0 bob@15 cem@20");
}

#[test]
fn a_link_holds_the_ladder_once() {
    let mut desk = desk();
    desk.until(13);
    desk.submit(&say("ann", Wish::Hold)).unwrap();
    assert_eq!(desk.ticket.next_due().unwrap().due, start() + minutes(18));
    let because = Because::NotGiven;
    let refused = Rejection::NotPossible {
        operation: crate::Operation::Hold,
        because,
    };
    assert_eq!(desk.submit(&say("ann", Wish::Hold)), Err(refused));
}

#[test]
fn suspended_until_and_on_again() {
    let mut desk = desk();
    desk.act("ann", "accept").unwrap();
    let until = start() + minutes(600);
    desk.submit(&say(
        "ann",
        Wish::Suspend {
            until,
            reason: None,
        },
    ))
    .unwrap();
    desk.until(600);
    assert_eq!(
        (desk.holder(), &desk.ticket.positions[""].suspended),
        ("ann", &None)
    );
    desk.until(600 + 240 + 120);
    assert_eq!(desk.holder(), "lea");
}

#[test]
fn delegating_tells_the_owner_of_the_outcome() {
    let mut desk = desk();
    desk.act("ann", "accept").unwrap();
    desk.submit(&say(
        "ann",
        Wish::Delegate {
            to: "tom".into(),
            reason: None,
        },
    ))
    .unwrap();
    assert_eq!(desk.holder(), "tom");
    let events = desk.act("tom", "resolve").unwrap();
    let told = events.iter().any(|event| match &event.fact {
        Fact::Notified { notices, .. } => notices
            .iter()
            .any(|notice| notice.to == crate::Recipient::Person("ann".into())),
        _ => false,
    });
    assert!(told, "{events:?}");
}

#[test]
fn personal_rules_are_used_one_after_the_other() {
    let mut people = directory();
    let ann = people.people.get_mut("ann").unwrap();
    let later = crate::Channel {
        via: "webhook:phone".into(),
        after: Some(Span::minutes(5)),
        unless_acted: true,
        quiet: crate::Quiet::Any,
    };
    ann.channels.push(later);
    let phoned = |desk: &Desk| {
        desk.journal.iter().any(|event| match &event.fact {
            Fact::Notified { notices, .. } => notices
                .iter()
                .any(|notice| notice.via.as_str() == "webhook:phone"),
            _ => false,
        })
    };
    let mut desk = Desk::new(trouble(Base::LeastBusy("desk".into())), people.clone());
    desk.open().unwrap();
    let mut acted = desk.clone();
    desk.until(6);
    assert!(phoned(&desk));
    acted.act("ann", "accept").unwrap();
    acted.until(6);
    assert!(!phoned(&acted));
}

#[test]
fn people_who_are_not_in_the_directory_are_told_so() {
    let mut desk = desk();
    assert_eq!(
        desk.act("eve", "accept"),
        Err(Rejection::NoSuchPerson {
            person: "eve".into()
        })
    );
    assert!(
        !desk
            .directory
            .people
            .contains_key(&Name::new(person("eve").id))
    );
}

#[test]
fn a_lead_who_has_the_ticket_himself_is_still_a_lead() {
    let mut desk = desk();
    desk.until(50);
    assert_eq!(desk.holder(), "lea");
    let cancel = |who: &str| {
        say(
            who,
            Wish::Cancel {
                reason: "a test".into(),
            },
        )
    };
    let refused = Rejection::NotAllowed {
        operation: crate::Operation::Cancel,
    };
    assert_eq!(desk.clone().submit(&cancel("ann")), Err(refused));
    desk.submit(&cancel("lea")).unwrap();
    assert!(desk.ticket.ended.is_some());
}

#[test]
fn an_else_behind_another_is_asked_once() {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    let climbing = workflow.ladders.get_mut("climbing").unwrap();
    let phrase = climbing.levels[0].assign.as_mut().unwrap();
    phrase.who.otherwise = Some(Box::new(Base::LongestIdle("desk".into()).into()));
    let mut desk = Desk::opened(workflow);
    desk.until(120);
    // Without the bound the colleagues would have it in turns, and the lead never.
    assert!(
        desk.hops().starts_with("ann@0 bob@15 cem@30 lea@45"),
        "{}",
        desk.hops()
    );
}
