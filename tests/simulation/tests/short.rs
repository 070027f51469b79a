//! A few seeds and a few days, each time; many are run by the command.

use simulation::{days, seeds};

#[test]
fn what_a_few_seeds_bring_keeps_every_promise() {
    let mut wrong = 0;
    for seed in [1, 2, 3] {
        let outcome = seeds::run(seed, 60);
        let outcome = outcome.unwrap_or_else(|error| panic!("seed {seed}: {error:#}"));
        let count = |what: &str| outcome.counts.get(what).copied().unwrap_or(0);
        assert!(count("events accepted") > 0, "seed {seed}: {outcome:?}");
        assert!(count("registries") > 2, "seed {seed}: {outcome:?}");
        assert!(count("trust lists") > 3, "seed {seed}: {outcome:?}");
        // Nothing is held by a world in which nothing goes wrong.
        for what in [
            "processes killed",
            "machines that died in a commit",
            "links cut",
        ] {
            assert!(count(what) > 0, "seed {seed}, {what}: {outcome:?}");
        }
        wrong += count("provinces cut off") + count("clocks off by an hour");
    }
    assert!(wrong > 0);
}

#[test]
fn nine_provinces_live_through_three_days_and_one_of_them_joins_meanwhile() {
    let plan = days::Plan {
        nodes: 9,
        days: 3,
        every_min: 720,
        events: 2,
        seed: 1,
    };
    let month = days::run(&plan, |_| ()).unwrap_or_else(|error| panic!("{error:#}"));
    let figure = |what: &str| month.figures.get(what).copied().unwrap_or(0);
    assert_eq!(figure("epochs"), 6, "{month:?}");
    assert_eq!(figure("provinces that joined"), 1, "{month:?}");
    assert!(figure("events known at the end") > 40, "{month:?}");
}
