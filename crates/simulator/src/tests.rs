//! What a change must pass.

use crate::{Home, both_stores, generate, play, twice};

#[test]
fn two_hundred_seeds_are_fine() {
    for seed in 0..200 {
        let plan = generate::plan(seed);
        let outcome = play(&plan, Home::disk(&plan), false);
        assert_eq!(outcome.failure, None, "seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_in_every_detail() {
    for seed in 1_000..1_004 {
        assert_eq!(twice(&generate::plan(seed)).failure, None, "seed {seed}");
    }
}

#[test]
fn memory_and_disk_decide_the_same() {
    for seed in 2_000..2_010 {
        assert_eq!(both_stores(&generate::plan(seed)), Ok(()), "seed {seed}");
    }
}
