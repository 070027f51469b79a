//! What is accepted: every way of relief, every capacity, and boundaries on the near side.

use commitment::risk_tree::{padding_elements, pair_hash};
use commitment::{Fr, PublicInputs, Tree, node_hash, registry_leaf};
use rules::{
    FactKind, Grade, Interval, LookbackHours, Minute, Period, ProvinceCode, Record, RiskMap,
    RowTable, RuleSet, TestAge,
};

use super::{DAY, GREEN, HOUR, NOT_RED, Statement, honest, local, record, scene, stay, with};
use crate::clearance::scene::{Scene, ago, fact, place, table};
use crate::clearance::{OpenedInterval, Witness};

/// An accept vector before it is planned.
pub(super) struct Accepted {
    pub(super) name: &'static str,
    pub(super) tries: &'static str,
    scene: Scene,
    /// What is otherwise than the planner has it.
    otherwise: fn(&mut PublicInputs, &mut Witness),
}

impl Accepted {
    /// Public inputs and witness.
    ///
    /// # Panics
    /// If the scene cannot be planned.
    pub(super) fn statement(&self) -> Statement {
        with(honest(&self.scene), self.otherwise)
    }
}

/// All of them.
pub(super) fn all() -> Vec<Accepted> {
    let planned = scenes().into_iter().map(|(name, tries, scene)| Accepted {
        name,
        tries,
        scene,
        otherwise: |_, _| {},
    });
    planned.chain(otherwise()).collect()
}

type Planned = (&'static str, &'static str, Scene);

/// Name, sentence and scene of those that are as the planner has them.
fn scenes() -> Vec<Planned> {
    let plain = vec![
        (
            "empty-record",
            "A resident of whom nothing is known is not red; no test is asked for.",
            Scene::not_red(Record::default()),
        ),
        (
            "green",
            "Stays, contacts, an entry, a pooled tube, a potential risk and symptoms, all of them over: green, with a test of 24 hours.",
            Scene::green(),
        ),
        (
            "open-yellow",
            "A close contact on its ninth day is yellow from the eighth on, and not red.",
            scene(
                record(
                    &[local(FactKind::CloseContact, 9 * DAY)],
                    &[],
                    &[5 * HOUR],
                    &[],
                ),
                NOT_RED,
            ),
        ),
        (
            "relieved-not-red",
            "A positive pooled tube that lapsed and a potential risk that two negatives cleared; not red is all that is claimed.",
            scene(
                record(
                    &[
                        local(FactKind::PooledTube, 13 * HOUR),
                        local(FactKind::PotentialRisk, 5 * DAY),
                    ],
                    &[],
                    &[4 * DAY, 3 * DAY],
                    &[],
                ),
                NOT_RED,
            ),
        ),
        (
            "full-capacity",
            "24 entries, 12 of them stays in 4 intervals, 8 tests, 4 runs and 8 reasons: nothing is left empty.",
            scene(full(), NOT_RED),
        ),
        (
            "ends-of-the-trees",
            "The record at the last position of its province, the province in the first slot.",
            Scene {
                leaf_index: (1 << 27) - 1,
                slot: 0,
                ..Scene::green()
            },
        ),
    ];
    [
        plain,
        relieved(),
        ages(),
        boundaries(),
        stays(),
        published(),
    ]
    .concat()
}

/// A record that fills every position.
pub(super) fn full() -> Record {
    let contact = |days| local(FactKind::CloseContact, days * DAY);
    let risk = |days| local(FactKind::PotentialRisk, days * DAY);
    let facts = [
        contact(12),
        contact(13),
        contact(14),
        fact(FactKind::Entry, 35, 2 * DAY),
        fact(FactKind::Entry, 35, 2 * DAY),
        local(FactKind::PooledTube, 13 * HOUR),
        local(FactKind::PooledTube, 15 * HOUR),
        risk(5),
        risk(6),
        risk(9),
        local(FactKind::Symptoms, 9 * DAY),
        local(FactKind::Symptoms, 10 * DAY),
    ];
    let ended = |site, from, to| stay(site, from * DAY, Some(to * DAY));
    let stays = [
        ended(1, 11, 9),
        ended(1, 10, 8),
        ended(1, 12, 10),
        ended(2, 8, 7),
        ended(2, 6, 5),
        stay(2, DAY, None),
        ended(3, 15, 14),
        ended(3, 16, 13),
        ended(3, 14, 12),
        ended(4, 30, 29),
        ended(4, 7, 6),
        stay(4, 3 * DAY, None),
    ];
    let negatives = [20, 15, 10, 4, 3, 2, 1].map(|days| days * DAY);
    let negatives = [&negatives[..], &[5 * HOUR]].concat();
    record(
        &facts,
        &stays,
        &negatives,
        &[(30, 28), (25, 22), (20, 10), (8, 1)],
    )
}

fn relieved() -> Vec<Planned> {
    vec![
        (
            "relief-lapse",
            "A positive pooled tube lapses by itself after twelve hours; the twelfth has just passed.",
            scene(
                record(&[local(FactKind::PooledTube, 12 * HOUR)], &[], &[], &[]),
                GREEN,
            ),
        ),
        (
            "relief-one-negative",
            "A close contact is cleared from the eleventh day on by one negative.",
            scene(
                record(
                    &[local(FactKind::CloseContact, 12 * DAY)],
                    &[],
                    &[5 * HOUR],
                    &[],
                ),
                GREEN,
            ),
        ),
        (
            "relief-two-negatives",
            "A potential risk is cleared by two negatives 24 hours apart, to the minute.",
            scene(
                record(
                    &[local(FactKind::PotentialRisk, 5 * DAY)],
                    &[],
                    &[4 * DAY, 3 * DAY],
                    &[],
                ),
                GREEN,
            ),
        ),
        (
            "relief-three-negatives",
            "A stay in a place of medium risk is cleared by three negatives within 72 hours.",
            scene(
                record(
                    &[],
                    &[stay(2, 8 * DAY, Some(5 * DAY))],
                    &[4 * DAY, 3 * DAY, 2 * DAY],
                    &[],
                ),
                GREEN,
            ),
        ),
        (
            "relief-check-in-days",
            "Symptoms are cleared by exactly seven days of check-in, in one of two runs.",
            scene(
                record(
                    &[local(FactKind::Symptoms, 9 * DAY)],
                    &[],
                    &[],
                    &[(20, 9), (7, 1)],
                ),
                GREEN,
            ),
        ),
        (
            "relief-second-way",
            "A potential risk with one negative only is cleared by the second way out, after seven days.",
            scene(
                record(&[local(FactKind::PotentialRisk, 8 * DAY)], &[], &[DAY], &[]),
                GREEN,
            ),
        ),
    ]
}

fn ages() -> Vec<Planned> {
    let aged = |minutes, test_age| {
        let claim = rules::Claim { test_age, ..GREEN };
        scene(record(&[], &[], &[minutes], &[]), claim)
    };
    vec![
        (
            "test-age-24-hours",
            "A negative sampled 24 hours before the epoch's close, to the minute.",
            aged(DAY, TestAge::Hours24),
        ),
        (
            "test-age-48-hours",
            "A negative sampled 48 hours before the epoch's close, to the minute.",
            aged(2 * DAY, TestAge::Hours48),
        ),
        (
            "test-age-72-hours",
            "A negative sampled 72 hours before the epoch's close, to the minute.",
            aged(3 * DAY, TestAge::Hours72),
        ),
    ]
}

/// The midnight of UTC+8 that begins the scenes' last day.
pub(super) fn midnight() -> Minute {
    ago(0).day().first_minute()
}

/// A close contact a minute before a midnight, evaluated so many minutes before the midnight that begins its eleventh day.
pub(super) fn contact_at_midnight(before: u32) -> Scene {
    let eleven_days = Minute::new(midnight().get() - 10 * DAY - 1).expect("small");
    let contact = rules::Fact {
        begin: eleven_days,
        ..local(FactKind::CloseContact, 0)
    };
    let as_of = Minute::new(midnight().get() - before).expect("small");
    Scene {
        as_of,
        head_time: as_of,
        ..scene(record(&[contact], &[], &[2 * DAY], &[]), GREEN)
    }
}

fn boundaries() -> Vec<Planned> {
    let entries = [
        fact(FactKind::Entry, 35, 2 * DAY),
        fact(FactKind::Entry, 35, 2 * DAY),
        fact(FactKind::Entry, 35, 5 * DAY),
    ];
    vec![
        (
            "days-boundary",
            "A contact a minute before midnight is cleared at the midnight that begins its eleventh day, ten days and a minute later.",
            contact_at_midnight(0),
        ),
        (
            "after-midnight",
            "A contact ten minutes past the midnight eleven days ago is cleared by a negative.",
            scene(
                record(
                    &[local(FactKind::CloseContact, 11 * DAY + 1429)],
                    &[],
                    &[DAY],
                    &[],
                ),
                GREEN,
            ),
        ),
        (
            "hours-boundary",
            "A stay in a place of high risk that ended 168 hours ago to the minute is cleared by a negative.",
            scene(
                record(&[], &[stay(1, 9 * DAY, Some(7 * DAY))], &[DAY], &[]),
                GREEN,
            ),
        ),
        (
            "non-monotone-merge",
            "Two entries from elsewhere of one minute share a reason; a third of another day, whose row is green first and yellow later, has its own.",
            scene(record(&entries, &[], &[], &[]), GREEN),
        ),
    ]
}

/// The scenes' map with other periods at site 1.
fn listed(periods: Vec<Period>) -> RiskMap {
    let mut intervals = crate::clearance::scene::map().intervals().to_vec();
    if let Some(site) = intervals.iter_mut().find(|i| i.from == place(1)) {
        *site = Interval {
            periods,
            ..site.clone()
        };
    }
    RiskMap::new(intervals).expect("the same partition")
}

fn stays() -> Vec<Planned> {
    let fujian = RuleSet::built_in("fj-2022-08").expect("built in");
    let released = Period {
        grade: Grade::High,
        since: ago(20 * DAY),
        until: ago(15 * DAY),
    };
    let again = Period {
        grade: Grade::Low,
        since: ago(5 * DAY),
        until: Minute::MAX,
    };
    vec![
        (
            "stay-downgraded",
            "A stay that goes on where high risk was graded down to medium is yellow under Fujian's rules, not red.",
            Scene {
                table: fujian.table().clone(),
                ..scene(record(&[], &[stay(1, 6 * DAY, None)], &[], &[]), NOT_RED)
            },
        ),
        (
            "stay-relisted",
            "A place was released and is listed again as of low risk while the stay goes on there: the anchor is the release, and a negative since clears it.",
            Scene {
                map: listed(vec![released, again]),
                ..scene(
                    record(&[], &[stay(1, 18 * DAY, Some(DAY))], &[2 * DAY], &[]),
                    GREEN,
                )
            },
        ),
    ]
}

fn published() -> Vec<Planned> {
    let of = |id| RuleSet::built_in(id).expect("built in").table().clone();
    let fujian = [
        fact(FactKind::CloseContact, 35, 12 * DAY),
        fact(FactKind::Entry, 35, 13 * DAY),
        fact(FactKind::Entry, 33, 3 * DAY),
        fact(FactKind::AssistList, 35, 16 * DAY),
        fact(FactKind::FeverClinic, 33, 5 * DAY),
    ];
    let hangzhou = [
        local(FactKind::CloseContact, 20 * DAY),
        local(FactKind::Symptoms, 9 * DAY),
    ];
    let lookback = LookbackHours {
        low: 0,
        medium: 24,
        high: 48,
    };
    let national = RowTable::new(ProvinceCode::NATION, lookback, |key| *table().row(key));
    let tests = [4 * DAY, 3 * DAY, DAY, 5 * HOUR];
    vec![
        (
            "fj-2022-08",
            "Fujian's rules of August 2022: a contact, entries at home and elsewhere, an assist list and a fever clinic elsewhere, all over.",
            Scene {
                table: of("fj-2022-08"),
                ..scene(record(&fujian, &[], &tests, &[]), GREEN)
            },
        ),
        (
            "hz-2020-02",
            "Hangzhou's first rules of February 2020: check-in days alone clear a contact, symptoms, and a stay within the look-back of two weeks.",
            Scene {
                table: of("hz-2020-02"),
                ..scene(
                    record(
                        &hangzhou,
                        &[stay(2, 20 * DAY, Some(18 * DAY))],
                        &[],
                        &[(18, 1)],
                    ),
                    GREEN,
                )
            },
        ),
        (
            "national-table",
            "A table of the nation, to which no fact is local.",
            Scene {
                table: national.expect("rows of another table"),
                ..Scene::green()
            },
        ),
    ]
}

/// What a planner would not do, and what other provinces may have put into the registry.
fn otherwise() -> Vec<Accepted> {
    vec![
        Accepted {
            name: "padding-opened",
            tries: "A record without stays, with an opened interval that only pads the map's tree, among others that do.",
            scene: Scene::not_red(Record::default()),
            otherwise: |_, w| w.intervals[3] = padding(&w.intervals[0]),
        },
        Accepted {
            name: "registry-of-made-up-leaves",
            tries: "A registry in which the leaf of slot 5 stands at position 6, too, and at position 1 a number that is no leaf.",
            scene: Scene {
                slot: 5,
                ..Scene::not_red(Record::default())
            },
            otherwise: |public, w| {
                let children = &mut w.registry_path.levels[0];
                children[6] = children[5];
                // Half way between position 0 and what slot 2 would have as its leaf.
                let head_time = Minute::new(w.head_time).expect("planned");
                let of_slot_two = registry_leaf(2, head_time, w.state_root);
                children[1] = (children[0] + of_slot_two) / Fr::from(2u64);
                let node = node_hash(Tree::Registry, children);
                w.registry_path.levels[1][0] = node;
                public.registry_root = node_hash(Tree::Registry, &w.registry_path.levels[1]);
            },
        },
    ]
}

/// The pair 8 of the scenes' map, which has three, opened beside an interval of its first eight pairs.
fn padding(beside: &OpenedInterval) -> OpenedInterval {
    let pair = [padding_elements(); 2];
    let mut opening = beside.opening.clone();
    (opening.index, opening.pair, opening.path.index) = (16, pair, 8);
    opening.path.levels[0] = [pair_hash(&pair); 8];
    OpenedInterval {
        from: 1,
        last: 0,
        periods: [(0, 0, 0); 3],
        opening,
    }
}
