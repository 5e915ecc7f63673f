//! Who is asked: by a field, as a deputy, by an offer.

use super::kit::{
    Desk, action, after, assign, directory, end, ladder, level, minutes, start, state, trouble,
    who, work, workflow,
};
use crate::calendar::tests::week;
use crate::event::{LeftOut, Reason, StandIn};
use crate::proof::prove;
use crate::schedule::{ScheduleParts, Team, WeeklyShift, uncovered};
use crate::workflow::Assign;
use crate::{
    Absence, Actor, Base, Command, Directory, Fact, Holder, Hop, Name, Operation, Place, Rejection,
    Schedule, StateKind, Value, Wish, Workflow,
};

/// The expert of the ticket, then the lead.
fn expert() -> Workflow {
    let up = ladder("up", vec![level(15, Some(Base::LeadOf("desk".into())))]);
    let asked = work(
        Some(Base::Named("expert".into())),
        Some("up"),
        vec![action("solve", "closed")],
    );
    let states = vec![state("asked", StateKind::Work(asked)), end("closed")];
    workflow(states, vec![up])
}

fn first_hop(desk: &Desk) -> Hop {
    let mut hops = desk.journal.iter().filter_map(|event| match &event.fact {
        Fact::Hopped(hop) => Some((**hop).clone()),
        _ => None,
    });
    hops.next().unwrap()
}

/// The ticket is opened with this expert; whoever was passed over on entering.
fn with_expert(named: Option<&str>) -> (Desk, Vec<LeftOut>) {
    let mut desk = Desk::new(expert(), directory());
    let events = desk.open_with(named.map(|named| ("expert", named)));
    let passed = events.iter().find_map(|event| match &event.fact {
        Fact::LevelPassed { left_out, .. } => Some(left_out.clone()),
        _ => None,
    });
    (desk, passed.unwrap_or_default())
}

#[test]
fn a_field_that_names_a_person_is_asked() {
    let (mut desk, passed) = with_expert(Some("cem"));
    assert_eq!((desk.holder(), passed), ("cem", Vec::new()));
    assert_eq!(first_hop(&desk).why.rule, "expert");
    desk.until(20);
    assert_eq!(desk.hops(), "cem@0 lea@15");
}

#[test]
fn a_field_that_names_nobody_is_passed_with_the_reason() {
    let (desk, passed) = with_expert(None);
    let nobody = LeftOut {
        who: "".into(),
        reason: Reason::Nobody,
    };
    assert_eq!((desk.hops(), passed), ("lea@0".into(), vec![nobody]));
    let (desk, passed) = with_expert(Some("Dr No"));
    let unknown = LeftOut {
        who: "Dr No".into(),
        reason: Reason::Unknown,
    };
    assert_eq!((desk.hops(), passed), ("lea@0".into(), vec![unknown]));
}

#[test]
fn a_field_excludes_tells_and_allows_whom_it_names() {
    let mut four_eyes = expert();
    let named = || who(Base::Named("expert".into()));
    let StateKind::Work(work) = &mut four_eyes.states.get_mut("asked").unwrap().kind else {
        unreachable!()
    };
    let mut other = who(Base::LeastBusy("desk".into()));
    other.except.push(Base::Named("expert".into()));
    work.assign = Some(Assign::new(other, Place::default()));
    work.notify.push(named());
    work.actions[0].by.push(named());
    let mut desk = Desk::new(four_eyes, directory());
    let events = desk.open_with([("expert", "ann")]);
    assert_eq!(desk.holder(), "bob");
    let told: Vec<&str> = events
        .iter()
        .flat_map(|event| event.fact.notices())
        .map(|notice| notice.to.name().as_str())
        .collect();
    assert_eq!(told, ["bob", "ann"]);
    assert!(desk.act("bob", "solve").is_err());
    assert!(desk.act("ann", "solve").is_ok());
}

/// A field may be empty, and whom it names may be gone: the proof counts with somebody, and promises nothing.
#[test]
fn the_proof_does_not_count_on_a_field() {
    let workflow = expert();
    let proof = prove(&workflow, &directory(), start());
    assert_eq!((&proof.problems[..], &proof.gaps[..]), (&[][..], &[][..]));
    let bound = proof.states[0].last_resort.unwrap();
    // Asked and held, the lead and held.
    assert_eq!(bound.wall, 2 * (15 + 5) * 60);
    let mut lost = directory();
    lost.people.retain(|id, _| id == "zoe");
    assert!(
        prove(&workflow, &lost, start()).states[0]
            .last_resort
            .is_some()
    );
}

#[test]
fn a_field_of_another_type_names_nobody() {
    let (mut desk, _) = with_expert(None);
    let number = Value::Number(7.into());
    desk.ticket.fields.insert("expert".into(), number);
    assert_eq!(desk.ticket.named("expert"), None);
}

fn away(directory: &mut Directory, who: &str, deputy: &str) {
    let absence = Absence {
        who: who.into(),
        from: start(),
        to: start() + minutes(600),
        deputy: Some(deputy.into()),
    };
    directory.absences.insert(who.into(), vec![absence]);
}

/// Ann is on the early shift with bob, cem has the late one.
fn shifts(directory: &mut Directory) {
    let shift = |who: &[&str], hours: &str| WeeklyShift {
        who: who.iter().copied().map(Name::from).collect(),
        hours: week(0..7, &[hours]),
    };
    let shifts = Schedule::new(ScheduleParts {
        name: "shifts".into(),
        zone: jiff::tz::TimeZone::UTC,
        rotations: vec![],
        shifts: vec![],
        weekly: vec![
            shift(&["ann", "bob"], "06:00-14:00"),
            shift(&["cem"], "14:00-22:00"),
        ],
        overrides: vec![],
    });
    directory.schedules.insert("shifts".into(), shifts.unwrap());
    directory.groups.get_mut("desk").unwrap().schedule = Some("shifts".into());
}

fn offered(directory: Directory) -> (Desk, Hop) {
    let mut desk = Desk::new(trouble(Base::AnyoneIn("desk".into())), directory);
    desk.open().unwrap();
    let hop = first_hop(&desk);
    (desk, hop)
}

fn candidates(hop: &Hop) -> Vec<&str> {
    let Holder::Offer { candidates, .. } = &hop.holder else {
        return Vec::new();
    };
    candidates.iter().map(Name::as_str).collect()
}

fn stands_in(who: &str, of: &str) -> StandIn {
    let (who, of) = (who.into(), of.into());
    StandIn { who, of }
}

#[test]
fn an_offer_says_for_whom_its_candidates_and_its_lead_stand_in() {
    let mut directory = directory();
    away(&mut directory, "ann", "tom");
    away(&mut directory, "lea", "max");
    let (mut desk, hop) = offered(directory);
    assert_eq!(candidates(&hop), ["tom", "bob", "cem"]);
    assert_eq!(hop.stand_ins, [stands_in("tom", "ann")]);
    assert_eq!((desk.holder(), hop.deputy_of), ("max", Some("lea".into())));
    // Who goes on being asked goes on standing in, and who declines does not.
    let decline = |who: &str| Command::person(who, Wish::Decline { reason: None });
    desk.submit(&decline("bob")).unwrap();
    let Fact::Hopped(hop) = &desk.journal.last().unwrap().fact else {
        panic!("an offer to fewer people")
    };
    assert_eq!(hop.stand_ins, [stands_in("tom", "ann")]);
    assert_eq!(hop.deputy_of, Some("lea".into()));
    desk.submit(&decline("tom")).unwrap();
    assert_eq!(desk.ticket.positions[""].stand_ins, []);
}

#[test]
fn a_deputy_must_be_fit_himself() {
    let out = |change: &dyn Fn(&mut Directory)| {
        let mut directory = directory();
        away(&mut directory, "ann", "zoe");
        for person in directory.people.values_mut() {
            person.skills.insert("billing".into());
        }
        change(&mut directory);
        let mut billing = who(Base::AnyoneIn("desk".into()));
        billing.except.push(Base::User("max".into()));
        let mut workflow = trouble(billing.base.clone());
        let StateKind::Work(work) = &mut workflow.states.get_mut("dispatched").unwrap().kind else {
            unreachable!()
        };
        billing.skills = vec!["billing".into()];
        work.assign = Some(Assign::new(billing, Place::default()));
        let mut desk = Desk::new(workflow, directory);
        desk.open().unwrap();
        let hop = first_hop(&desk);
        let asked = candidates(&hop).join(" ");
        let reason = hop.left_out.into_iter().find(|left| left.who != "ann");
        (asked, reason.map(|left| left.reason))
    };
    let without = |reason| ("bob cem".to_owned(), Some(reason));
    assert_eq!(out(&|_| ()), ("zoe bob cem".into(), None));
    let full = out(&|directory| directory.people.get_mut("zoe").unwrap().at_most = Some(0));
    assert_eq!(full, without(Reason::AtCapacity { at_most: 0 }));
    let mute = out(&|directory| directory.people.get_mut("zoe").unwrap().channels.clear());
    assert_eq!(mute, without(Reason::Unreachable));
    let excluded = out(&|directory| away(directory, "ann", "max"));
    assert_eq!(excluded, without(Reason::Excluded));
    let unskilled = out(&|directory| directory.people.get_mut("zoe").unwrap().skills.clear());
    let skill = "billing".into();
    assert_eq!(unskilled, without(Reason::LacksSkill { skill }));
    // Away himself, and his deputy is asked anyway.
    let both = out(&|directory| away(directory, "zoe", "bob"));
    assert_eq!(both, ("bob cem".into(), None));
}

#[test]
fn a_deputy_whom_the_schedule_knows_must_be_on_shift() {
    let mut off = directory();
    shifts(&mut off);
    away(&mut off, "ann", "cem");
    let (_, hop) = offered(off.clone());
    assert_eq!(candidates(&hop), ["bob"]);
    let reasons = hop
        .left_out
        .iter()
        .map(|left| (left.who.as_str(), &left.reason));
    let reasons: Vec<_> = reasons
        .filter(|(_, reason)| **reason == Reason::OffShift)
        .collect();
    // As ann's deputy and as himself, but said once.
    assert_eq!(reasons, [("cem", &Reason::OffShift)]);
    // One from elsewhere has no shifts here.
    let mut elsewhere = off.clone();
    away(&mut elsewhere, "ann", "tom");
    assert_eq!(candidates(&offered(elsewhere).1), ["tom", "bob"]);
    // The proof and the coverage know it, too.
    away(&mut off, "bob", "cem");
    let proof = prove(&trouble(Base::AnyoneIn("desk".into())), &off, start());
    let until_late = start() + minutes(300);
    let gap = &proof.gaps[0];
    assert_eq!(gap.intervals[0], (start(), until_late));
    let team = Team::of_group(&off, &off.groups["desk"]);
    let gaps = uncovered(&off, team, None, start(), start() + minutes(420));
    assert_eq!(gaps, [(start(), until_late)]);
}

/// The last message to whoever has it comes back.
fn comes_back(desk: &mut Desk) {
    let told = desk.ticket.positions[""].told.last().unwrap().notice;
    let (notice, reason) = (told, "no such address".to_owned());
    let wish = Wish::Undeliverable { notice, reason };
    desk.submit(&Command::person("zoe", wish)).unwrap();
}

/// Without a ladder the state's own phrase is asked again: by whom no message reached, nobody is served.
#[test]
fn whom_no_message_reached_is_not_asked_again_in_this_visit() {
    let mut workflow = expert();
    let StateKind::Work(work) = &mut workflow.states.get_mut("asked").unwrap().kind else {
        unreachable!()
    };
    work.assign = assign(Base::LeastBusy("desk".into()));
    work.escalate.clear();
    work.after.push(after(60, "asked"));
    let mut desk = Desk::new(workflow, directory());
    desk.open().unwrap();
    for _ in 0..4 {
        comes_back(&mut desk);
    }
    assert_eq!(desk.hops(), "ann@0 bob@0 cem@0 zoe@0");
    let passed = desk
        .journal
        .iter()
        .rev()
        .find_map(|event| match &event.fact {
            Fact::LevelPassed { left_out, .. } => Some(left_out.clone()),
            _ => None,
        });
    let out = passed.unwrap().into_iter();
    let out: Vec<(Name, Reason)> = out.map(|left| (left.who, left.reason)).collect();
    let because = |who: &str, reason| (Name::new(who), reason);
    let (mute, had) = (Reason::Unreachable, Reason::HadIt);
    let who = [
        ("cem", mute.clone()),
        ("ann", mute.clone()),
        ("bob", mute),
        ("cem", had),
    ];
    assert_eq!(out, who.map(|(who, reason)| because(who, reason)));
    // The last resort keeps it, whatever comes back, and the next visit asks all of them again.
    desk.until(60);
    assert_eq!(desk.hops(), "ann@0 bob@0 cem@0 zoe@0 ann@60");
}

/// An operator's rights need no entry in the directory, but who is answerable must have one.
#[test]
fn an_operator_whom_the_directory_does_not_know_claims_nothing() {
    let mut desk = Desk::opened(trouble(Base::AnyoneIn("desk".into())));
    let claim = |who: &str| Command {
        by: Actor::Operator(who.into()),
        branch: None,
        wish: Wish::Claim,
    };
    let claims = |desk: &Desk, who: &str| {
        let could = desk.could(&Actor::Operator(who.into()));
        could.iter().any(|one| one.operation == Operation::Claim)
    };
    let person = Name::new("root");
    assert_eq!(
        desk.decide(&claim("root")),
        Err(Rejection::NoSuchPerson { person })
    );
    assert!(!claims(&desk, "root") && claims(&desk, "max"));
    desk.submit(&claim("max")).unwrap();
    assert_eq!(desk.holder(), "max");
}
