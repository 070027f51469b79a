//! A small federation to try the statement in: one province with one resident among others, a rule table and a risk map;
//! and random ones.

mod differential;
mod random;
mod random_table;

use std::sync::LazyLock;

use commitment::{
    Blinding, Fr, IdentityCommitment, MerklePath, PublicInputs, REGISTRY_DEPTH, RiskTree,
    STATE_DEPTH, Tree, empty_subtree, node_hash, record_leaf, registry_leaf, rule_digest,
};
use rules::{
    AreaCode, CheckInRun, Claim, Clearing, Colour, Day, Fact, FactKind, Grade, Interval, Key,
    LookbackHours, Minute, Offset, Period, ProvinceCode, Record, RiskMap, Row, RowTable, Stay,
    TestAge, WorstColour,
};

use super::{Plan, PlanError, Witness, plan};

pub use differential::{
    Compared, Depth, Difference, Disagreement, Support, differential, supported, unrelieved,
};
pub use random::scene as random_scene;

/// Everything that a proof is about.
#[derive(Clone)]
pub struct Scene {
    /// The resident's record.
    pub record: Record,
    /// The rule table.
    pub table: RowTable,
    /// The risk map.
    pub map: RiskMap,
    /// The epoch's closing minute.
    pub as_of: Minute,
    /// When the tree head was signed.
    pub head_time: Minute,
    /// What is claimed.
    pub claim: Claim,
    /// Position of the record in the state tree.
    pub leaf_index: u32,
    /// The province's slot.
    pub slot: u8,
}

/// The moment of the scenes, 2022-08-31 23:59 UTC+8.
pub const AS_OF: u32 = 27_699_359;

/// A moment so many minutes before `AS_OF`.
pub fn ago(minutes: u32) -> Minute {
    Minute::new(AS_OF - minutes).expect("small")
}

const HOUR: u32 = 60;
const DAY: u32 = 1440;

fn clearing(after: Offset, negatives: u8, check_in_days: u8) -> Clearing {
    Clearing {
        after,
        negatives,
        gap_hours: 24,
        span_hours: 72,
        neg_from_hours: 0,
        check_in_days,
    }
}

/// A rule table of the province 33 with a row of each interesting form.
pub fn table() -> RowTable {
    let province = ProvinceCode::new(33).expect("known");
    let lookback = LookbackHours {
        low: 0,
        medium: 24,
        high: 48,
    };
    RowTable::new(province, lookback, row_of).expect("in range")
}

fn row_of(key: Key) -> Row {
    let plain = |colour, lapse, clearing| Row {
        first: colour,
        switch: Offset::ZERO,
        then: colour,
        lapse,
        clearing,
    };
    let red = Colour::Red;
    let is = |kind, ended, local| key == Key::of_fact(kind, ended, local);
    let any = |kind, ended| is(kind, ended, false) || is(kind, ended, true);
    if any(FactKind::ConfirmedCase, false) {
        plain(red, None, [None, None])
    } else if any(FactKind::CloseContact, false) {
        let row = plain(red, None, [Some(clearing(Offset::Days(11), 1, 0)), None]);
        Row {
            switch: Offset::Days(8),
            then: Colour::Yellow,
            ..row
        }
    } else if is(FactKind::Entry, false, false) {
        let row = plain(
            Colour::Green,
            None,
            [Some(clearing(Offset::Days(11), 1, 0)), None],
        );
        Row {
            switch: Offset::Days(8),
            then: Colour::Yellow,
            ..row
        }
    } else if any(FactKind::PooledTube, false) {
        plain(Colour::Yellow, Some(Offset::Hours(12)), [None, None])
    } else if any(FactKind::PotentialRisk, false) {
        let ways = [
            Some(clearing(Offset::ZERO, 2, 0)),
            Some(clearing(Offset::Days(7), 1, 0)),
        ];
        plain(Colour::Yellow, Some(Offset::Days(30)), ways)
    } else if any(FactKind::Symptoms, false) {
        plain(red, None, [Some(clearing(Offset::Days(7), 0, 7)), None])
    } else if key.is_stay() && key.code() % 4 == Grade::High.code() && key.code() & 0b1100 != 0 {
        plain(red, None, [Some(clearing(Offset::Hours(168), 1, 0)), None])
    } else if key.is_stay() && key.code() % 4 == Grade::Medium.code() {
        plain(
            Colour::Yellow,
            None,
            [Some(clearing(Offset::ZERO, 3, 0)), None],
        )
    } else {
        Row::INERT
    }
}

/// A place in the scene's map: 0 and 4 unlisted, 1 high then medium, 2 medium, 3 high and released.
pub fn place(site: u32) -> AreaCode {
    AreaCode::new(330_102_001, site).expect("small")
}

/// A risk map with four listed and unlisted neighbours.
pub fn map() -> RiskMap {
    let period = |grade, since, until| Period {
        grade,
        since,
        until,
    };
    let at = |site: u32, periods| Interval {
        from: place(site),
        last: place(site),
        periods,
    };
    let open = Minute::MAX;
    let before = AreaCode::from_packed(place(1).packed() - 1).expect("in the space");
    RiskMap::new(vec![
        Interval {
            from: AreaCode::FIRST,
            last: before,
            periods: vec![],
        },
        at(
            1,
            vec![
                period(Grade::High, ago(12 * DAY), ago(4 * DAY)),
                period(Grade::Medium, ago(4 * DAY), open),
            ],
        ),
        at(2, vec![period(Grade::Medium, ago(9 * DAY), open)]),
        at(3, vec![period(Grade::High, ago(20 * DAY), ago(10 * DAY))]),
        Interval {
            from: place(4),
            last: AreaCode::LAST,
            periods: vec![],
        },
    ])
    .expect("a partition")
}

/// A fact of the scene's province.
pub fn fact(kind: FactKind, province: u8, minutes_ago: u32) -> Fact {
    let province = ProvinceCode::new(province).expect("known");
    Fact {
        kind,
        province,
        begin: ago(minutes_ago),
        end: None,
    }
}

/// A record with many grounds, all closed, which is green under [`table`] at [`AS_OF`].
pub fn green_record() -> Record {
    let stay = |site, from, to| Stay {
        place: place(site),
        begin: ago(from),
        end: Some(ago(to)),
    };
    let stays = vec![
        stay(0, 30 * DAY, 29 * DAY),
        stay(1, 11 * DAY, 8 * DAY),
        stay(3, 15 * DAY, 14 * DAY),
        stay(4, 3 * DAY, 2 * DAY),
    ];
    let day = |back: u16| Day::new(ago(0).day().get() - back);
    let facts = vec![
        fact(FactKind::CloseContact, 33, 13 * DAY),
        fact(FactKind::CloseContact, 33, 12 * DAY),
        fact(FactKind::Entry, 35, 2 * DAY),
        fact(FactKind::PooledTube, 33, 13 * HOUR),
        fact(FactKind::PotentialRisk, 33, 5 * DAY),
        fact(FactKind::Symptoms, 33, 9 * DAY),
    ];
    let negatives = vec![ago(4 * DAY), ago(3 * DAY), ago(DAY), ago(5 * HOUR)];
    let runs = vec![
        CheckInRun {
            first: day(20),
            last: day(10),
        },
        CheckInRun {
            first: day(8),
            last: day(1),
        },
    ];
    Record::new(stays, facts, negatives, runs).expect("within capacities")
}

impl Scene {
    /// The green record, with a test of 24 hours claimed.
    pub fn green() -> Self {
        let as_of = ago(0);
        Self {
            record: green_record(),
            table: table(),
            map: map(),
            as_of,
            head_time: ago(3),
            claim: Claim {
                worst: WorstColour::Green,
                test_age: TestAge::Hours24,
            },
            leaf_index: 12_345_678,
            slot: 19,
        }
    }

    /// A scene with another record, under "not red", no test asked.
    pub fn not_red(record: Record) -> Self {
        let claim = Claim {
            worst: WorstColour::Yellow,
            test_age: TestAge::NotAsked,
        };
        Self {
            record,
            claim,
            ..Self::green()
        }
    }

    /// The public inputs and a witness.
    ///
    /// # Errors
    /// [`PlanError`] where the record does not support the claim.
    pub fn witness(&self) -> Result<(PublicInputs, Witness), PlanError> {
        self.witness_in(&self.surroundings())
    }

    /// What stands around the record: its tree, the registry, the map's tree and the table's digest.
    fn surroundings(&self) -> Surroundings {
        let identity = *IDENTITY;
        let blinding = Blinding(Fr::from(77u64));
        let leaf = record_leaf(&self.record, identity, blinding);
        let (state_path, state_root) = path(Tree::State, STATE_DEPTH, self.leaf_index, leaf);
        let registered = registry_leaf(self.slot, self.head_time, state_root);
        let (registry_path, registry_root) = path(
            Tree::Registry,
            REGISTRY_DEPTH,
            u32::from(self.slot),
            registered,
        );
        Surroundings {
            identity,
            blinding,
            state_path,
            state_root,
            registry_path,
            registry_root,
            tree: RiskTree::new(&self.map),
            rule_digest: rule_digest(&self.table),
        }
    }

    /// As [`Scene::witness`], in the scene's surroundings, or in those of one that differs in its claim only.
    fn witness_in(&self, around: &Surroundings) -> Result<(PublicInputs, Witness), PlanError> {
        let witness = self.plan_in(around)?;
        Ok((self.public_in(around), witness))
    }

    /// A witness in surroundings of the same record, map, head time, position and slot; the table may be another.
    fn plan_in(&self, around: &Surroundings) -> Result<Witness, PlanError> {
        plan(&Plan {
            record: &self.record,
            identity: around.identity,
            blinding: around.blinding,
            state_path: &around.state_path,
            state_root: around.state_root,
            head_time: self.head_time,
            registry_path: &around.registry_path,
            table: &self.table,
            map: &self.map,
            tree: &around.tree,
            as_of: self.as_of,
            claim: self.claim,
        })
    }

    fn public_in(&self, around: &Surroundings) -> PublicInputs {
        PublicInputs {
            registry_root: around.registry_root,
            risk_root: around.tree.root(),
            rule_digest: around.rule_digest,
            as_of: self.as_of,
            claim: self.claim,
            binder: Fr::from(4711u64),
        }
    }
}

/// Trees, ways and digest of a scene: hashing costs the most by far.
struct Surroundings {
    identity: IdentityCommitment,
    blinding: Blinding,
    state_path: MerklePath,
    state_root: Fr,
    registry_path: MerklePath,
    registry_root: Fr,
    tree: RiskTree,
    rule_digest: Fr,
}

static IDENTITY: LazyLock<IdentityCommitment> =
    LazyLock::new(|| IdentityCommitment::new(b"330102199003077777", Fr::from(5u64)));

/// A path to `leaf` in a tree that holds little else, and its root.
pub(crate) fn path(tree: Tree, depth: usize, index: u32, leaf: Fr) -> (MerklePath, Fr) {
    let mut node = leaf;
    let mut levels = Vec::with_capacity(depth);
    let mut rest = index;
    for height in 0..depth {
        let mut children = [empty_subtree(tree, height); 8];
        children[(rest as usize + 3) % 8] = Fr::from(1000 + height as u64);
        children[(rest % 8) as usize] = node;
        node = node_hash(tree, &children);
        levels.push(children);
        rest /= 8;
    }
    (MerklePath { index, levels }, node)
}
