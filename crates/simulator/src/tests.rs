//! What a change must pass. More seeds are played by `upline-sim`, in `.ci/run`.

use crate::plan::{How, Left, Step};
use crate::{Home, Plan, both_stores, every, generate, play, shrink, twice};

#[test]
fn sixty_seeds_are_fine() {
    for seed in 0..60 {
        let plan = generate::plan(seed);
        let outcome = play(&plan, Home::disk(&plan), false);
        assert_eq!(outcome.failure, None, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_in_every_detail() {
    for seed in 1_000..1_004 {
        let plan = generate::plan(seed);
        let outcome = twice(&plan);
        assert_eq!(outcome.failure, None, "seed {seed}");
        assert_eq!(outcome.head.0, play(&plan, Home::disk(&plan), false).head.0);
    }
}

#[test]
fn memory_and_disk_decide_the_same() {
    for seed in 2_000..2_010 {
        assert_eq!(both_stores(&generate::plan(seed)), Ok(()), "seed {seed}");
    }
}

#[test]
fn a_fault_at_an_operation_does_no_harm() {
    let played = every::operation(&generate::plan(3), 40, 3);
    assert_eq!(played.map_err(|failed| failed.1), Ok(140));
}

/// Each was found by a seed, and its fault in the engine is mended.
#[test]
fn plans_that_have_failed_are_fine_now() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("plans");
    let mut played = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let plan: Plan = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let outcome = play(&plan, Home::disk(&plan), false);
        assert_eq!(outcome.failure, None, "{}", path.display());
        played += 1;
    }
    assert!(played > 0);
}

/// `museum/run.sh` shows that each is found; that takes too long for here.
#[test]
fn each_bug_of_the_museum_can_still_be_planted() {
    let home = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut bugs = 0;
    for entry in std::fs::read_dir(home.join("museum")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|kind| kind != "patch") {
            continue;
        }
        let mut git = std::process::Command::new("git");
        git.args(["apply", "--check", "-C1"]).arg(&path);
        let tried = git.current_dir(home.join("../..")).output().unwrap();
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "{}: {said}", path.display());
        bugs += 1;
    }
    assert!(bugs >= 10, "{bugs}");
}

#[test]
fn a_plan_survives_being_written_down() {
    let plan = generate::plan(17);
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    assert_ne!(generate::plan(18), plan);
}

#[test]
fn what_does_not_matter_is_shrunk_away() {
    let open = |key: &str| Step::Open {
        workflow: "call".into(),
        by: "max".into(),
        key: Some(key.into()),
        how: How::default(),
    };
    let mut plan = generate::plan(5);
    plan.steps.insert(20, open("the one"));
    plan.steps.push(Step::Restart {
        keep: Some(Left::Half),
    });
    plan.steps.push(open("the other"));
    let small = shrink::shrink(&plan, &mut |plan| {
        [open("the one"), open("the other")]
            .iter()
            .all(|step| plan.steps.contains(step))
    });
    assert_eq!(small.steps, [open("the one"), open("the other")]);
}
