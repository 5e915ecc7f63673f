//! The proof, on small workflows whose bounds can be told by hand.

use super::kit::{
    action, after, assign, directory, end, ladder, level, start, state, trouble, work, workflow,
};
use crate::proof::{Bound, Problem, ProblemKind, Proof, StateBound, prove};
use crate::workflow::{Doing, Join, LadderChoice, Parallel, Run};
use crate::{Base, Condition, Name, Span, State, StateKind, Work, Workflow};

const MINUTE: i64 = 60;
/// A hold by a link without login.
const HOLD: i64 = 5 * MINUTE;

fn proved(workflow: &Workflow) -> Proof {
    prove(workflow, &directory(), start())
}

fn bound(seconds: i64) -> Option<Bound> {
    Some(Bound {
        working: seconds,
        wall: seconds,
        entered: start(),
    })
}

fn of<'p>(proof: &'p Proof, state: &str) -> &'p StateBound {
    proof
        .states
        .iter()
        .find(|found| found.state == state)
        .unwrap()
}

fn kinds(problems: &[Problem]) -> Vec<(ProblemKind, String)> {
    problems
        .iter()
        .map(|problem| (problem.kind, problem.path.join(" ")))
        .collect()
}

fn levels(bound: &StateBound) -> Vec<i64> {
    let levels = bound.levels.iter().skip(1);
    levels
        .map(|level| level.bound.unwrap().wall / MINUTE)
        .collect()
}

#[test]
fn each_colleague_once_then_lead_manager_and_last_resort() {
    let proof = proved(&trouble(Base::LeastBusy("desk".into())));
    assert_eq!(proof.problems, []);
    let dispatched = of(&proof, "dispatched");
    // Ann on entering, held; bob and cem, held; the lead, held; the manager, held.
    assert_eq!(levels(dispatched), [20, 60, 95]);
    assert_eq!(dispatched.levels[1].hops, 3);
    assert_eq!(dispatched.last_resort, bound((95 + 30) * MINUTE + HOLD));
    assert_eq!(dispatched.leads_to, [] as [Name; 0]);
    let working = of(&proof, "working");
    assert_eq!(levels(working), [245, 365]);
    assert_eq!(working.last_resort, bound((365 + 120) * MINUTE + HOLD));
}

#[test]
fn an_offer_is_one_hop_and_spares_nobody() {
    let proof = proved(&trouble(Base::AnyoneIn("desk".into())));
    assert_eq!(levels(of(&proof, "dispatched")), [20, 80, 115]);
}

#[test]
fn more_rounds_take_more_time() {
    let mut workflow = trouble(Base::LeastBusy("desk".into()));
    let once = (95 + 35) * MINUTE;
    workflow.ladders.get_mut("climbing").unwrap().repeat = 2;
    let proof = proved(&workflow);
    assert_eq!(of(&proof, "dispatched").last_resort, bound(3 * once));
    workflow.ladders.get_mut("climbing").unwrap().back_to = Some(2);
    let proof = proved(&workflow);
    let again = (35 + 35) * MINUTE;
    assert_eq!(
        of(&proof, "dispatched").last_resort,
        bound(once + 2 * again)
    );
    workflow.ladders.get_mut("climbing").unwrap().repeat = u32::MAX;
    let proof = proved(&workflow);
    assert_eq!(of(&proof, "dispatched").last_resort, None);
    assert_eq!(
        kinds(&proof.problems),
        [(ProblemKind::Unbounded, "dispatched".into())]
    );
}

/// `first` is left for `second` after ten minutes; its ladder needs twenty and more.
fn timed(second: StateKind) -> Workflow {
    let slow = ladder("slow", vec![level(20, Some(Base::LeadOf("desk".into())))]);
    let mut first = work(
        Some(Base::Opener),
        Some("slow"),
        vec![action("go", "closed")],
    );
    first.after.push(after(10, "second"));
    workflow(
        vec![
            state("first", StateKind::Work(first)),
            state("second", second),
            end("closed"),
        ],
        vec![slow],
    )
}

#[test]
fn silence_goes_on_in_the_next_state() {
    let second = work(
        Some(Base::Opener),
        Some("slow"),
        vec![action("go", "closed")],
    );
    let proof = proved(&timed(StateKind::Work(second)));
    assert_eq!(proof.problems, []);
    let first = of(&proof, "first");
    assert_eq!(
        first.last_resort,
        bound(10 * MINUTE + 40 * MINUTE + 2 * HOLD)
    );
    assert_eq!(first.leads_to, [Name::from("second")]);
}

#[test]
fn a_circle_of_timed_states_is_refused() {
    let mut second = work(
        Some(Base::Opener),
        Some("slow"),
        vec![action("go", "closed")],
    );
    second.after.push(after(10, "first"));
    let proof = proved(&timed(StateKind::Work(second.clone())));
    assert_eq!(
        kinds(&proof.problems),
        [(ProblemKind::EndlessSilence, "first second first".into())]
    );
    assert_eq!(of(&proof, "first").last_resort, None);
    // Once the last resort has been asked before, the circle is nobody's loss.
    second.after[0] = after(51, "first");
    let proof = proved(&timed(StateKind::Work(second)));
    assert_eq!(proof.problems, []);
}

#[test]
fn an_end_by_silence_must_be_declared() {
    let mut workflow = timed(StateKind::Choose {
        cases: vec![(Condition::IsEmpty("cause".into()), "closed".into())],
        otherwise: "closed".into(),
    });
    let proof = proved(&workflow);
    assert_eq!(proof.problems, []);
    assert_eq!(of(&proof, "first").last_resort, bound(10 * MINUTE));
    assert_eq!(
        of(&proof, "first").leads_to,
        ["second", "closed"].map(Name::from)
    );
    if let StateKind::End { by_silence, .. } = &mut workflow.states.get_mut("closed").unwrap().kind
    {
        *by_silence = false;
    }
    let proof = proved(&workflow);
    assert_eq!(
        kinds(&proof.problems),
        [(ProblemKind::SilentEnd, "first second closed".into())]
    );
}

#[test]
fn what_nothing_watches_is_refused() {
    let mut second = work(Some(Base::Opener), None, vec![action("go", "closed")]);
    let proof = proved(&timed(StateKind::Work(second.clone())));
    let forgotten = [(ProblemKind::ForgettableState, "second".into())];
    assert_eq!(kinds(&proof.problems), forgotten);
    // A ladder on a condition may not be chosen.
    second.escalate.push(LadderChoice {
        when: Some(Condition::IsEmpty("cause".into())),
        ladder: "slow".into(),
    });
    let proof = proved(&timed(StateKind::Work(second)));
    assert_eq!(kinds(&proof.problems), forgotten);
    let cases = proof.states.iter().filter(|found| found.state == "second");
    let cases: Vec<_> = cases
        .map(|case| (case.ladder.clone(), case.when.clone()))
        .collect();
    assert_eq!(
        cases,
        [
            (Some("slow".into()), Some("cause is empty".into())),
            (None, None)
        ]
    );
}

#[test]
fn a_machine_that_fails_is_silence() {
    let mut calling = work(Some(Base::Opener), None, Vec::new());
    calling.doing = Some(Doing::Run(Run {
        webhook: "erp".into(),
        body: Vec::new(),
        timeout: Span::minutes(1),
        retries: 2,
        backoff: Span::minutes(2),
        take: Vec::new(),
    }));
    calling.actions = vec![action("done", "closed"), action("failed", "first")];
    let mut workflow = timed(StateKind::Work(calling));
    let proof = proved(&workflow);
    assert_eq!(
        kinds(&proof.problems),
        [(ProblemKind::EndlessSilence, "first second first".into())]
    );
    if let StateKind::Work(work) = &mut workflow.states.get_mut("second").unwrap().kind {
        work.actions[1].goto = "closed".into();
    }
    let proof = proved(&workflow);
    // Three tries of a minute, with two and four minutes between them.
    assert_eq!(of(&proof, "second").last_resort, bound(9 * MINUTE));
    assert_eq!(of(&proof, "first").last_resort, bound(19 * MINUTE));
}

/// Two branches side by side, and behind them a state with the ladder `slow`.
fn side_by_side(join: Join, left: Work, right: Work) -> Workflow {
    let mut split = work(None, None, Vec::new());
    split.doing = Some(Doing::Parallel(Parallel {
        branches: vec![("left".into(), "l".into()), ("right".into(), "r".into())],
        join,
        goto: "last".into(),
    }));
    let within = |(name, mut state): (Name, State), branch: &str| {
        state.within = Some(("split".into(), branch.into()));
        (name, state)
    };
    let lead = || Some(Base::LeadOf("desk".into()));
    let slow = ladder("slow", vec![level(20, lead())]);
    let quick = ladder("quick", vec![level(1, lead())]);
    let go = vec![action("go", "closed")];
    let last = work(Some(Base::Opener), Some("slow"), go);
    let states = vec![
        state("split", StateKind::Work(split)),
        state("last", StateKind::Work(last)),
        within(state("l", StateKind::Work(left)), "left"),
        within(state("r", StateKind::Work(right)), "right"),
        within(end("l-end"), "left"),
        within(end("r-end"), "right"),
        end("closed"),
    ];
    workflow(states, vec![slow, quick])
}

/// A branch with this ladder that ends by itself after so many minutes.
fn branch(name: &str, ladder: Option<&str>, minutes: Option<i64>) -> Work {
    let end = format!("{name}-end");
    let mut branch = work(Some(Base::Opener), ladder, vec![action("go", &end)]);
    branch
        .after
        .extend(minutes.map(|minutes| after(minutes, &end)));
    branch
}

/// What `last` takes: twenty minutes twice, each held.
const LAST: i64 = 40 * MINUTE + 2 * HOLD;

#[test]
fn branches_end_by_silence_and_the_join_goes_on() {
    let (left, right) = (branch("l", None, Some(5)), branch("r", None, Some(50)));
    let proof = proved(&side_by_side(Join::All, left.clone(), right.clone()));
    assert_eq!(proof.problems, []);
    assert_eq!(of(&proof, "split").last_resort, bound(50 * MINUTE + LAST));
    // Both begin together, so that the join waits for the longer one.
    assert_eq!(of(&proof, "l").last_resort, bound(50 * MINUTE + LAST));
    let leads_to = |branch| of(&proof, branch).leads_to.join(" ");
    assert_eq!(
        (leads_to("l"), leads_to("r")),
        ("r r-end last".into(), "r-end last".into())
    );
    // Where one is enough, the other branch may be cut short at any moment.
    let proof = proved(&side_by_side(Join::Any, left, right));
    assert_eq!(of(&proof, "l").last_resort, bound(5 * MINUTE + LAST));
}

/// The last resort has the left branch after twelve minutes, and may let it end all the same, while somebody
/// has the other one: the join asks anew.
#[test]
fn a_branch_that_the_last_resort_has_may_end_and_join() {
    let (left, right) = (
        branch("l", Some("quick"), Some(30)),
        branch("r", None, Some(50)),
    );
    let proof = proved(&side_by_side(Join::All, left.clone(), right));
    assert_eq!(of(&proof, "split").last_resort, bound(50 * MINUTE + LAST));
    // The left one ends first, and cuts the other one short.
    let right = branch("r", Some("slow"), None);
    let proof = proved(&side_by_side(Join::Any, left, right));
    assert_eq!(proof.problems, []);
    assert_eq!(of(&proof, "split").last_resort, bound(LAST + LAST));
    // Of the right one nobody knows how long it takes, so that the state's own clock must do.
    let left = branch("l", Some("quick"), Some(30));
    let mut workflow = side_by_side(Join::Any, left, branch("r", None, None));
    assert_eq!(of(&proved(&workflow), "split").last_resort, None);
    let StateKind::Work(split) = &mut workflow.states.get_mut("split").unwrap().kind else {
        unreachable!()
    };
    split.after.push(after(60, "closed"));
    assert_eq!(
        of(&proved(&workflow), "split").last_resort,
        bound(60 * MINUTE + LAST)
    );
}

#[test]
fn silence_in_one_branch_alone_joins_nothing() {
    let (left, right) = (branch("l", None, Some(5)), branch("r", Some("slow"), None));
    let mut workflow = side_by_side(Join::All, left, right);
    let proof = proved(&workflow);
    assert_eq!(of(&proof, "l").last_resort, bound(5 * MINUTE));
    assert_eq!(of(&proof, "l").leads_to, [Name::from("l-end")]);
    assert_eq!(of(&proof, "split").leads_to, [Name::from("r")]);
    // Who comes back to it later may find that people have ended the other branch.
    if let StateKind::Work(left) = &mut workflow.states.get_mut("l").unwrap().kind {
        left.actions.push(action("again", "l"));
    }
    let proof = proved(&workflow);
    assert_eq!(of(&proof, "l").leads_to, ["l-end", "last"].map(Name::from));
}

#[test]
fn whoever_asks_nobody_is_told() {
    let mut directory = directory();
    directory.last_resort = "nobody".into();
    let workflow = {
        let mut workflow = trouble(Base::LeastBusy("desk".into()));
        workflow.calendar = Some("no-such".into());
        workflow
    };
    let proof = prove(&workflow, &directory, start());
    assert_eq!(
        kinds(&proof.problems),
        [
            (ProblemKind::NoLastResort, String::new()),
            (ProblemKind::UnknownCalendar, String::new())
        ]
    );
    let mut hopeless = trouble(Base::LeastBusy("desk".into()));
    for level in &mut hopeless.ladders.get_mut("climbing").unwrap().levels {
        level.assign = assign(Base::OnCall("nobody-is".into()));
    }
    let proof = proved(&hopeless);
    assert_eq!(
        kinds(&proof.problems),
        [(ProblemKind::HopelessLadder, String::new())]
    );
    assert_eq!(proof.gaps.len(), 1);
    assert!(proof.gaps[0].always);
    assert_eq!(proof.gaps[0].asked.len(), 3);
}
