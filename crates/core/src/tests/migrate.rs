//! Another version of the workflow, while tickets run.

use super::kit::{Desk, after, level, minutes, start, trouble};
use crate::decide::{MigratedClocks, Migration, migrate};
use crate::{
    Actor, Base, Context, Event, Level, Rejection, Span, StateKind, Ticket, Workflow, evolve,
};

fn moved(desk: &Desk, target: &Workflow, plan: &Migration) -> Result<Vec<Event>, Rejection> {
    let (workflow, directory, workload) = (&desk.workflow, &desk.directory, &desk.workload);
    let ctx = Context {
        now: desk.now,
        workflow,
        directory,
        workload,
    };
    migrate(
        &ctx,
        target,
        &desk.ticket,
        plan,
        &Actor::Operator("max".into()),
    )
}

fn migrated(desk: &mut Desk, target: Workflow, plan: &Migration) -> Ticket {
    let events = moved(desk, &target, plan).unwrap();
    assert_eq!(
        moved(desk, &target, plan).as_ref(),
        Ok(&events),
        "a plan is the same call"
    );
    events
        .iter()
        .for_each(|event| evolve(&mut desk.ticket, event));
    desk.workflow = target;
    desk.ticket.clone()
}

fn slower() -> Workflow {
    let mut target = trouble(Base::LeastBusy("desk".into()));
    target.version = 2;
    target.ladders.get_mut("climbing").unwrap().levels[0].after = Span::minutes(60);
    target
}

fn next_due(desk: &mut Desk, clocks: MigratedClocks) -> i64 {
    let plan = Migration {
        clocks,
        ..Migration::default()
    };
    let ticket = migrated(desk, slower(), &plan);
    (ticket.next_due().unwrap().due.as_second() - start().as_second()) / 60
}

#[test]
fn clocks_keep_what_remains_or_restart_or_count_anew_from_their_start() {
    let mut desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    desk.until(10);
    assert_eq!(
        next_due(&mut desk.clone(), MigratedClocks::KeepRemaining),
        15
    );
    assert_eq!(next_due(&mut desk.clone(), MigratedClocks::Restart), 70);
    assert_eq!(next_due(&mut desk.clone(), MigratedClocks::Rebase), 60);
}

#[test]
fn whoever_has_it_keeps_it_and_the_ladder_goes_on_in_the_new_version() {
    let mut desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    desk.until(20);
    let before = desk.ticket.positions[""].clone();
    migrated(&mut desk, slower(), &Migration::default());
    let position = &desk.ticket.positions[""];
    assert_eq!(
        (position.epoch, position.visit, &position.holder),
        (before.epoch, before.visit, &before.holder)
    );
    assert_eq!(desk.ticket.version, 2);
    desk.until(30);
    assert_eq!(desk.holder(), "cem");
    desk.until(30 + 14);
    assert_eq!(desk.holder(), "cem");
}

#[test]
fn a_shorter_ladder_leaves_nobody_above_its_end() {
    let mut desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    desk.until(80);
    assert_eq!(desk.holder(), "max");
    let mut target = trouble(Base::LeastBusy("desk".into()));
    target.version = 2;
    target.ladders.get_mut("climbing").unwrap().levels =
        vec![level(15, Some(Base::LeadOf("desk".into())))];
    migrated(&mut desk, target, &Migration::default());
    assert_eq!(desk.ticket.positions[""].level, Level::Number(1));
    desk.until(105);
    assert_eq!(
        desk.holder(),
        "zoe",
        "the running clock led to the last resort, and still does"
    );
}

#[test]
fn a_plan_that_would_leave_a_ticket_without_a_clock_is_refused() {
    let desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    let mut target = slower();
    if let Some(StateKind::Work(work)) = target
        .states
        .get_mut("dispatched")
        .map(|state| &mut state.kind)
    {
        work.escalate.clear();
    }
    assert!(matches!(
        moved(&desk, &target, &Migration::default()),
        Err(Rejection::CannotMigrate { .. })
    ));
    target.states.remove("dispatched");
    assert!(matches!(
        moved(&desk, &target, &Migration::default()),
        Err(Rejection::CannotMigrate { .. })
    ));
    // Into a state that watches it, it may go.
    let states = [("dispatched".into(), "working".into())].into();
    let plan = Migration {
        states,
        clocks: MigratedClocks::Restart,
    };
    assert!(moved(&desk, &target, &plan).is_ok());
}

#[test]
fn a_new_timeout_counts_from_entering_the_state() {
    let mut desk = Desk::opened(trouble(Base::LeastBusy("desk".into())));
    desk.until(10);
    let mut target = slower();
    if let Some(StateKind::Work(work)) = target
        .states
        .get_mut("dispatched")
        .map(|state| &mut state.kind)
    {
        work.after = vec![after(12, "closed")];
    }
    let ticket = migrated(&mut desk, target, &Migration::default());
    assert_eq!(ticket.next_due().unwrap().due, start() + minutes(12));
}
