//! Attempts on the rules and the map: another table or map than the public one, or another part of it.

use commitment::{Fr, RiskTree};
use rules::{Colour, Fact, FactKind, Interval, Key, Record, RiskMap, Row, RowTable, RuleSet};

use super::{
    Attempt, DAY, GREEN, HOUR, NOT_RED, Statement, as_it_stands, honest, local, record, scene,
    stay, with,
};
use crate::clearance::scene::{Scene, ago, fact, map, place, table};
use crate::clearance::{Heading, OpenedInterval, Witness};

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [tables(), maps(), assigned()];
    all.into_iter().flatten().collect()
}

/// What another table makes of a record, under the public digest of the scenes' table.
fn under_table(said: RowTable, facts: &[Fact], negatives: &[u32]) -> Statement {
    let said = Scene {
        table: said,
        ..scene(record(facts, &[], negatives, &[]), GREEN)
    };
    with(honest(&said), |public, _| {
        public.rule_digest = commitment::rule_digest(&table());
    })
}

/// The scenes' table with the row of a local fact without an end changed.
fn table_with(kind: FactKind, row: impl Fn(Row) -> Row) -> RowTable {
    let changed = Key::of_fact(kind, false, true);
    let row_of = |key: Key| {
        let own = *table().row(key);
        if key == changed { row(own) } else { own }
    };
    RowTable::new(table().province(), table().lookback_hours(), row_of).expect("in range")
}

fn tables() -> Vec<Attempt> {
    let under = |name, tries, statement| Attempt {
        heading: Heading::RuleTableOpening,
        name,
        tries,
        statement,
    };
    let case = [local(FactKind::ConfirmedCase, 3 * DAY)];
    let contact = |days| [local(FactKind::CloseContact, days * DAY)];
    let elsewhere = [fact(FactKind::Entry, 35, 9 * DAY)];
    let sooner = table_with(FactKind::CloseContact, |row| {
        let mut ways = row.clearing;
        if let Some(way) = &mut ways[0] {
            way.after = rules::Offset::Days(10);
        }
        Row {
            clearing: ways,
            ..row
        }
    });
    let green = table_with(FactKind::CloseContact, |row| Row {
        first: Colour::Green,
        then: Colour::Green,
        ..row
    });
    let moved = RowTable::new(
        rules::ProvinceCode::new(35).expect("known"),
        table().lookback_hours(),
        |key| *table().row(key),
    );
    let hangzhou = RuleSet::built_in("hz-2020-02").expect("built in");
    let near = record(&[], &[stay(1, 15 * DAY, Some(13 * DAY))], &[], &[]);
    let no_reach = RowTable::new(table().province(), rules::LookbackHours::default(), |key| {
        *table().row(key)
    });
    let unreached = Scene {
        table: no_reach.expect("in range"),
        ..scene(near, GREEN)
    };
    let digest = commitment::rule_digest(&table());
    vec![
        under(
            "rules-without-the-row",
            "A table in which a confirmed case colours nothing.",
            under_table(
                table_with(FactKind::ConfirmedCase, |_| Row::INERT),
                &case,
                &[],
            ),
        ),
        under(
            "rules-cleared-a-day-sooner",
            "A table that clears a close contact a day sooner than the published one.",
            under_table(sooner, &contact(10), &[5 * HOUR]),
        ),
        under(
            "rules-of-another-colour",
            "A table in which a close contact is green.",
            under_table(green, &contact(2), &[]),
        ),
        under(
            "rules-of-another-province",
            "The same rows for another province, so that what is elsewhere is at home and colours nothing.",
            under_table(moved.expect("in range"), &elsewhere, &[]),
        ),
        under(
            "rules-of-another-set",
            "Another published rule set, which does not know the ground.",
            under_table(
                hangzhou.table().clone(),
                &[local(FactKind::PotentialRisk, 5 * DAY)],
                &[],
            ),
        ),
        under(
            "rules-without-look-back",
            "The same rows with listings that reach back by nothing.",
            with(honest(&unreached), |public, _| public.rule_digest = digest),
        ),
    ]
}

/// A record with a stay, planned where nothing is listed, under the scenes' map.
fn under_map(said: RiskMap, stays: &[rules::Stay]) -> Statement {
    let said = Scene {
        map: said,
        ..scene(record(&[], stays, &[], &[]), GREEN)
    };
    with(honest(&said), |public, _| {
        public.risk_root = RiskTree::new(&map()).root();
    })
}

/// The scenes' map, with the periods of site 1 told otherwise.
fn told(periods: Vec<rules::Period>) -> RiskMap {
    let mut intervals: Vec<Interval> = map().intervals().to_vec();
    intervals[1].periods = periods;
    RiskMap::new(intervals).expect("the same partition")
}

fn risk(name: &'static str, tries: &'static str, statement: Statement) -> Attempt {
    Attempt {
        heading: Heading::RiskOpening,
        name,
        tries,
        statement,
    }
}

/// The stay that is in question: in a place of high risk, graded down to medium later than its look-back reaches.
fn exposed() -> rules::Stay {
    stay(1, 7 * DAY, Some(6 * DAY))
}

fn maps() -> Vec<Attempt> {
    let lower = {
        let mut periods = map().intervals()[1].periods.clone();
        periods[0].grade = rules::Grade::Low;
        periods
    };
    let shorter = {
        let mut periods = map().intervals()[1].periods.clone();
        periods[0].until = ago(8 * DAY);
        periods[1].since = ago(4 * DAY);
        periods
    };
    vec![
        risk(
            "risk-another-map",
            "A map in which nothing is listed.",
            under_map(RiskMap::empty(), &[exposed()]),
        ),
        risk(
            "risk-listing-wiped",
            "The interval of the stay without its periods.",
            under_map(told(vec![]), &[exposed()]),
        ),
        risk(
            "risk-graded-down",
            "The interval of the stay with low instead of high risk.",
            under_map(told(lower), &[exposed()]),
        ),
        risk(
            "risk-released-before-the-stay",
            "The interval of the stay, released a day before the stay began.",
            under_map(told(shorter), &[exposed()]),
        ),
    ]
}

/// The stay's record, planned where nothing is listed, with intervals of the scenes' true map opened instead.
fn opened(indices: [usize; 4], of_stay: u8, change: impl FnOnce(&mut Witness)) -> Statement {
    let (tree, map) = (RiskTree::new(&map()), map());
    with(under_map(RiskMap::empty(), &[exposed()]), |_, w| {
        let open = |index: usize| OpenedInterval::new(&map.intervals()[index], tree.opening(index));
        w.intervals = indices.map(open);
        w.entries[0].interval = of_stay;
        change(w);
    })
}

fn assigned() -> Vec<Attempt> {
    let padding = RiskTree::new(&map()).opening(5);
    let wide = AREA_LAST;
    let green = || honest(&Scene::green());
    vec![
        risk(
            "risk-interval-before-the-place",
            "The stay is assigned a true interval of the map that ends before its place.",
            opened([0, 4, 0, 0], 0, |_| {}),
        ),
        risk(
            "risk-interval-after-the-place",
            "The stay is assigned a true interval of the map that begins after its place.",
            opened([0, 4, 0, 0], 1, |_| {}),
        ),
        risk(
            "risk-padding-leaf",
            "The stay is assigned a leaf that only pads the tree.",
            opened([0; 4], 0, |w| {
                w.intervals[0] = OpenedInterval {
                    from: 1,
                    last: 0,
                    periods: [(0, 0, 0); 3],
                    opening: padding,
                };
            }),
        ),
        risk(
            "risk-interval-widened",
            "An unlisted interval of the map, widened until it holds the place.",
            opened([0; 4], 0, |w| w.intervals[0].last = wide),
        ),
        risk(
            "risk-second-leaf-for-one-place",
            "A second leaf for the stay's place, without a listing, where the map has another interval.",
            opened([0; 4], 0, |w| {
                (w.intervals[0].from, w.intervals[0].last) = (place(1).packed(), place(1).packed());
            }),
        ),
        risk(
            "risk-other-half-of-the-pair",
            "The true interval, said to stand in the other half of its pair.",
            with(green(), |_, w| w.intervals[0].opening.index ^= 1),
        ),
        risk(
            "risk-sibling-changed",
            "A node beside the way up in the map's tree changed.",
            with(green(), |_, w| {
                w.intervals[1].opening.path.levels[4][7] += Fr::from(1u64);
            }),
        ),
        risk(
            "risk-unused-interval-invented",
            "An interval that no stay lies in, opened to another root.",
            with(green(), |_, w| {
                w.intervals[3].opening.pair[1][0] += Fr::from(1u64);
            }),
        ),
        risk(
            "risk-stays-exchanged",
            "Two stays of two places, each assigned the interval of the other.",
            exchanged(),
        ),
        risk(
            "form-grade-too-wide",
            "A grade of 4, whose third bit is the next field of the packed element.",
            with(green(), |_, w| w.intervals[0].periods[0].0 = 4),
        ),
        risk(
            "form-risk-way-shortened",
            "A way of four levels in the map's tree.",
            with(green(), |_, w| {
                w.intervals[1].opening.path.levels.truncate(4);
            }),
        ),
        risk(
            "form-risk-position-of-another-pair",
            "An interval's index that does not belong to its pair's position.",
            with(green(), |_, w| w.intervals[1].opening.index ^= 2),
        ),
    ]
}

/// The last place of all, packed.
const AREA_LAST: u64 = rules::AreaCode::LAST.packed();

/// A stay in site 1 while high and one in site 0: the first is given the second's interval, and the other way round.
fn exchanged() -> Statement {
    let stays = [
        stay(4, 6 * DAY, Some(5 * DAY)),
        stay(0, 6 * DAY, Some(5 * DAY)),
    ];
    let made: Record = record(&[], &stays, &[], &[]);
    with(as_it_stands(made, NOT_RED), |_, w| {
        let (first, second) = (w.entries[0].interval, w.entries[1].interval);
        (w.entries[0].interval, w.entries[1].interval) = (second, first);
    })
}
