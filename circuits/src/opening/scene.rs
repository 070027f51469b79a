//! A record to try the statement on, in a state tree with others, and what can be sought in it.

use commitment::opening::{Answer, OpeningInputs, Said, Sought, Stated};
use commitment::record::RecordLayout;
use commitment::{
    Blinding, Fr, IdentityCommitment, REGISTRY_DEPTH, STATE_DEPTH, Tree, registry_leaf,
};
use rules::{
    AreaCode, CheckInRun, Day, Fact, FactKind, IdentityNumber, Minute, ProvinceCode, Record, Stay,
};

use super::{Plan, PlanError, Witness, plan};
use crate::clearance::scene::{ago, fact, path, place};

const DAY: u32 = 1440;

/// A record in its surroundings.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The record.
    pub record: Record,
    /// Whose it is.
    pub subject: IdentityNumber,
    /// Its position in the state tree.
    pub leaf_index: u32,
}

/// The subject of the scenes.
pub fn subject() -> IdentityNumber {
    IdentityNumber::assemble(330_102, (1990, 3, 7), 777).expect("a number")
}

/// The province's slot in the registry.
pub const SLOT: u8 = 19;

/// The scenes' tree head in a registry: when it was signed, its way, and the registry root.
pub fn registered(state_root: Fr) -> (Minute, [[Fr; 8]; REGISTRY_DEPTH], Fr) {
    let head_time = ago(3);
    let leaf = registry_leaf(SLOT, head_time, state_root);
    let (way, root) = path(Tree::Registry, REGISTRY_DEPTH, u32::from(SLOT), leaf);
    let way = way.levels.try_into().expect("two levels");
    (head_time, way, root)
}

/// Somebody else.
pub fn somebody_else() -> IdentityNumber {
    IdentityNumber::assemble(350_102, (1985, 11, 30), 12).expect("a number")
}

/// A fact that ended so many minutes ago.
pub fn ended(fact: Fact, minutes_ago: u32) -> Fact {
    Fact {
        end: Some(ago(minutes_ago)),
        ..fact
    }
}

/// A record with entries of many sorts, of both forms, some of which have ended.
pub fn record() -> Record {
    let stay = |site, from, to: Option<u32>| Stay {
        place: place(site),
        begin: ago(from),
        end: to.map(ago),
    };
    let stays = vec![
        stay(0, 30 * DAY, Some(29 * DAY)),
        stay(1, 11 * DAY, Some(8 * DAY)),
        stay(2, 6 * DAY, None),
    ];
    let facts = vec![
        fact(FactKind::CloseContact, 33, 4 * DAY),
        ended(fact(FactKind::ConfirmedCase, 33, 20 * DAY), 9 * DAY),
        fact(FactKind::Entry, 35, 9 * DAY),
        fact(FactKind::Entry, 35, 2 * DAY),
        fact(FactKind::ScreenedPositive, 33, 3 * DAY),
        ended(fact(FactKind::PooledTube, 33, 7 * DAY), 6 * DAY),
        fact(FactKind::Symptoms, 0, 5 * DAY),
    ];
    let negatives = vec![ago(8 * DAY), ago(7 * DAY), ago(6 * DAY), ago(60)];
    Record::new(stays, facts, negatives, vec![run(8, 1)]).expect("within capacities")
}

/// A record in which every position is taken: twelve stays, twelve facts, eight tests, four runs.
pub fn full_record() -> Record {
    let stays = (0..12u32).map(|i| Stay {
        place: place(i),
        begin: ago((40 - i) * DAY),
        end: (i % 2 == 0).then(|| ago((20 - i) * DAY)),
    });
    let facts = (0..12u32).map(|i| {
        let kind = FactKind::ALL[i as usize];
        let fact = fact(kind, ProvinceCode::ALL[i as usize], (30 - i) * DAY);
        if i % 3 == 0 {
            ended(fact, i * DAY)
        } else {
            fact
        }
    });
    let negatives = (0..8u32).rev().map(|i| ago(i * DAY)).collect();
    let runs = [(29, 25), (20, 18), (12, 9), (5, 0)];
    let runs = runs.map(|(first, last)| run(first, last)).to_vec();
    Record::new(stays.collect(), facts.collect(), negatives, runs).expect("within capacities")
}

/// Check-ins from so many days ago until so many.
fn run(first: u16, last: u16) -> CheckInRun {
    let day = |back: u16| Day::new(ago(0).day().get() - back);
    CheckInRun {
        first: day(first),
        last: day(last),
    }
}

/// A fact sought, so many minutes ago.
pub fn a_fact(kind: FactKind, province: u8, minutes_ago: u32) -> Sought {
    let Fact {
        kind,
        province,
        begin,
        ..
    } = fact(kind, province, minutes_ago);
    sought(Stated::Fact {
        kind,
        province,
        begin,
    })
}

/// A stay sought.
pub fn a_stay(place: AreaCode, minutes_ago: u32) -> Sought {
    let begin = ago(minutes_ago);
    sought(Stated::Stay { place, begin })
}

/// A negative test sought.
pub fn a_test(minutes_ago: u32) -> Sought {
    let sampled_at = ago(minutes_ago);
    sought(Stated::NegativeTest { sampled_at })
}

fn sought(stated: Stated) -> Sought {
    Sought::new(stated).expect("not at zero")
}

impl Scene {
    /// The scenes' record.
    pub fn new() -> Self {
        Self::of(record())
    }

    /// Another record in the same surroundings.
    pub fn of(record: Record) -> Self {
        Self {
            record,
            subject: subject(),
            leaf_index: 12_345_678,
        }
    }

    /// The true answer.
    ///
    /// # Errors
    /// [`PlanError`] where there is none.
    pub fn answered(&self, sought: Sought) -> Result<(OpeningInputs, Witness), PlanError> {
        self.answered_with(sought, None)
    }

    /// The true answer, by preference a certain one.
    ///
    /// # Errors
    /// [`PlanError`] where there is none.
    pub fn answered_with(
        &self,
        sought: Sought,
        preferred: Option<Answer>,
    ) -> Result<(OpeningInputs, Witness), PlanError> {
        let layout = RecordLayout::from(&self.record);
        let leaf = layout.leaf(self.identity(), BLINDING);
        let (state_path, state_root) = path(Tree::State, STATE_DEPTH, self.leaf_index, leaf);
        plan(&Plan {
            record: &self.record,
            subject: self.subject,
            salt: SALT,
            blinding: BLINDING,
            state_path: &state_path,
            state_root,
            sought,
            preferred,
        })
    }

    /// Any answer, by what stands at any position.
    ///
    /// # Panics
    /// For an answer that does not go with what is sought.
    pub fn said(&self, sought: Sought, answer: Answer, position: u8) -> (OpeningInputs, Witness) {
        // Something that is in no record is truly absent, so that this much can be had.
        let nothing = sought_in_no_record();
        let (public, witness) = self.answered(nothing).expect("absent");
        let said = Said::new(sought, answer).expect("an answer to what is sought");
        let public = OpeningInputs { said, ..public };
        (
            public,
            Witness {
                position,
                ..witness
            },
        )
    }

    fn identity(&self) -> IdentityCommitment {
        IdentityCommitment::new(self.subject.expose(), SALT)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

fn sought_in_no_record() -> Sought {
    sought(Stated::NegativeTest {
        sampled_at: Minute::MAX,
    })
}

/// The salt of the scenes' identities.
const SALT: Fr = ark_ff::MontFp!("5");
/// The blinding of the scenes' records.
const BLINDING: Blinding = Blinding(ark_ff::MontFp!("77"));
