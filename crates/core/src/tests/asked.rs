//! Who is asked: by a field, as a deputy, by an offer.

use super::kit::{Desk, action, directory, end, ladder, level, start, state, who, work, workflow};
use crate::event::{LeftOut, Reason};
use crate::proof::prove;
use crate::workflow::Assign;
use crate::{Base, Fact, Hop, Place, StateKind, Value, Workflow};

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
