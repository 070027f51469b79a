//! One random scene, told four times: by the rules, by the plan, by the relation and by the rows.

use std::cell::RefCell;

use commitment::PublicInputs;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rules::{Claim, Colour, Minute, TestAge};

use super::{Scene, Surroundings, random};
use crate::clearance::statement::{Opening, check_with};
use crate::clearance::{Heading, PlanError, Refusal, Witness, assign, check, entry_facts, shape};

/// Changed witnesses that are tried for each one to begin with.
const CHANGED: usize = 4;

/// How much of a scene is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Rules, plan and relation; an opening that the scene's witnesses share is hashed once.
    Relation,
    /// Those, with the whole relation each time, and the rows: values are assigned and put into the matrices.
    Rows,
}

/// Whether a scene's record supports its claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// The rules support the claim, and a plan was found.
    Planned,
    /// The rules support the claim, but the grounds or the stays' intervals are more than a proof has room for.
    TooLarge,
    /// The rules do not support the claim, and no plan was found.
    Unsupported,
}

/// What was compared of one scene, all of which agreed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// What the rules and the plan say of the scene.
    pub support: Support,
    /// Witnesses that the relation accepted.
    pub accepted: usize,
    /// Witnesses that the relation refused.
    pub refused: usize,
    /// How many of both went through the rows.
    pub through_rows: usize,
}

/// A scene of which two say different things.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("scene {seed}: {difference}")]
pub struct Disagreement {
    /// The seed that gives the scene again.
    pub seed: u64,
    /// What is told in two ways.
    pub difference: Difference,
}

/// What is told in two ways.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Difference {
    /// The rules refuse to evaluate a scene that speaks of nothing after its moment.
    #[error("the rules do not evaluate it: {0}")]
    Rules(rules::Error),
    /// A plan for what the rules do not support.
    #[error("a plan was found, but the rules do not support the claim")]
    Planned,
    /// No plan for what the rules support.
    #[error("the rules support the claim, but no plan was found: {0}")]
    NotPlanned(PlanError),
    /// The relation refuses a plan.
    #[error("the relation refuses the plan: {0}")]
    PlanRefused(Heading),
    /// The relation gives an entry another key or anchor than the rules.
    #[error("the rules and the relation give entry {position} another key or anchor")]
    Ground {
        /// The entry's position.
        position: usize,
    },
    /// The relation accepts a witness for a claim that the rules do not support.
    #[error("the relation accepts a claim that the rules do not support: {0:?}")]
    Accepted(Claim),
    /// Relation and assignment say different things of one witness.
    #[error("the relation says {relation:?}, the rows {rows:?}")]
    Rows {
        /// The heading under which the relation refuses.
        relation: Option<Heading>,
        /// The headings whose rows are broken.
        rows: Vec<Heading>,
    },
    /// Assignment and matrices say different things of one witness.
    #[error("the assignment breaks {assigned:?}, the matrices {matrices:?}")]
    Matrices {
        /// The headings that the assignment notes.
        assigned: Vec<Heading>,
        /// The heading of the first broken row.
        matrices: Option<Heading>,
    },
}

/// Compares what is said of the scene with this seed, of witnesses for it, and of the same with something changed.
///
/// The plan is found exactly where the rules support the claim; no witness with the scene's record is accepted for a
/// claim that they do not support; relation and, with [`Depth::Rows`], rows say the same of every witness.
///
/// # Errors
/// [`Disagreement`] with the first difference.
pub fn differential(seed: u64, depth: Depth) -> Result<Compared, Disagreement> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let scene = random::scene(&mut rng);
    compare(&scene, &mut rng, depth).map_err(|difference| Disagreement { seed, difference })
}

fn compare(scene: &Scene, rng: &mut ChaCha8Rng, depth: Depth) -> Result<Compared, Difference> {
    let mut comparison = Comparison::of(scene, depth)?;
    let around = scene.surroundings();
    let planned = scene.witness_in(&around);
    let supported = comparison.supports(scene.claim);
    comparison.compared.support = match (&planned, supported) {
        (Ok(_), true) => Support::Planned,
        (Ok(_), false) => return Err(Difference::Planned),
        (Err(PlanError::Slots(_) | PlanError::Intervals(_)), true) => Support::TooLarge,
        (Err(error), true) => return Err(Difference::NotPlanned(error.clone())),
        (Err(_), false) => Support::Unsupported,
    };
    if let Ok((public, witness)) = &planned {
        comparison.keys(public, witness)?;
        if let Some(Refusal(heading)) = comparison.judge(public, witness)? {
            return Err(Difference::PlanRefused(heading));
        }
        comparison.judge_changed(public, witness, rng)?;
    } else if let Some((public, witness)) = unrelieved_in(scene, &around) {
        comparison.judge(&public, &witness)?;
        comparison.judge_changed(&public, &witness, rng)?;
    }
    // What is planned for a lesser claim, said to fulfil the scene's.
    if !supported {
        let lenient = Scene {
            claim: Claim::from_code(1).expect("not red, no test"),
            ..scene.clone()
        };
        if let Ok((public, witness)) = lenient.witness_in(&around) {
            let claim = scene.claim;
            let public = PublicInputs { claim, ..public };
            comparison.judge(&public, &witness)?;
            comparison.judge_changed(&public, &witness, rng)?;
        }
    }
    Ok(comparison.compared)
}

/// What the rules say of a scene: its colour and its youngest test.
struct Comparison<'a> {
    scene: &'a Scene,
    depth: Depth,
    evaluation: rules::Evaluation,
    opened: Opened,
    compared: Compared,
}

/// Openings that were computed, with what they were computed from: a changed witness has mostly the same.
#[derive(Default)]
struct Opened(RefCell<Vec<(PublicInputs, Witness, Opening, bool)>>);

impl Opened {
    fn check(&self, public: &PublicInputs, witness: &Witness) -> Result<(), Refusal> {
        check_with(public, witness, |opening| {
            self.holds(opening, public, witness)
        })
    }

    fn holds(&self, opening: Opening, public: &PublicInputs, witness: &Witness) -> bool {
        let mut known = self.0.borrow_mut();
        let same = known.iter().find(|(p, w, of, _)| {
            *of == opening && same_opening(opening, (p, w), (public, witness))
        });
        if let Some((_, _, _, holds)) = same {
            return *holds;
        }
        let holds = opening.holds(public, witness);
        known.push((*public, witness.clone(), opening, holds));
        holds
    }
}

/// Whether all that an opening is computed from is the same in two statements.
fn same_opening(
    opening: Opening,
    (p, w): (&PublicInputs, &Witness),
    (q, v): (&PublicInputs, &Witness),
) -> bool {
    match opening {
        Opening::Registry => {
            (p.registry_root, w.head_time, w.state_root)
                == (q.registry_root, v.head_time, v.state_root)
                && w.registry_path == v.registry_path
        }
        Opening::State => {
            (w.leaf, w.state_root) == (v.leaf, v.state_root) && w.state_path == v.state_path
        }
        Opening::Record => {
            (w.leaf, w.identity, w.blinding) == (v.leaf, v.identity, v.blinding)
                && w.record == v.record
        }
        Opening::RuleTable => p.rule_digest == q.rule_digest && w.table == v.table,
        Opening::Intervals => p.risk_root == q.risk_root && w.intervals == v.intervals,
    }
}

impl<'a> Comparison<'a> {
    fn of(scene: &'a Scene, depth: Depth) -> Result<Self, Difference> {
        let Scene {
            record,
            table,
            map,
            as_of,
            ..
        } = scene;
        Ok(Self {
            scene,
            depth,
            evaluation: rules::evaluate(record, table, map, *as_of).map_err(Difference::Rules)?,
            opened: Opened::default(),
            compared: Compared {
                support: Support::Unsupported,
                accepted: 0,
                refused: 0,
                through_rows: 0,
            },
        })
    }

    fn supports(&self, claim: Claim) -> bool {
        supports(self.evaluation.colour, self.scene, claim)
    }

    /// The relation gives every ground the key and the anchor that the rules give its reason.
    fn keys(&self, public: &PublicInputs, witness: &Witness) -> Result<(), Difference> {
        let mut grounds = 0;
        for reason in &self.evaluation.reasons {
            let stays = self.scene.record.stays().len();
            let position = match reason.ground {
                rules::Ground::Stay { index, .. } => index,
                rules::Ground::Fact { index, .. } if index < 12 => 12 + index,
                rules::Ground::Fact { index, .. } => stays + index - 12,
            };
            let facts = entry_facts(witness, position, public.as_of);
            let same = (facts.key, facts.anchor, facts.is_ground)
                == (reason.key.code(), reason.anchor.get(), true);
            if !same {
                return Err(Difference::Ground { position });
            }
            grounds += 1;
        }
        let more = |position: &usize| entry_facts(witness, *position, public.as_of).is_ground;
        let claimed: Vec<usize> = (0..rules::MAX_ENTRIES).filter(more).collect();
        if claimed.len() == grounds {
            Ok(())
        } else {
            let position = claimed.last().copied().unwrap_or(0);
            Err(Difference::Ground { position })
        }
    }

    /// Relation and rows say the same of a witness, and accept nothing that the rules do not support.
    fn judge(
        &mut self,
        public: &PublicInputs,
        witness: &Witness,
    ) -> Result<Option<Refusal>, Difference> {
        let refusal = match self.depth {
            Depth::Rows => check(public, witness).err(),
            Depth::Relation => self.opened.check(public, witness).err(),
        };
        if refusal.is_some() {
            self.compared.refused += 1;
        } else {
            self.compared.accepted += 1;
            if !self.supports(public.claim) {
                return Err(Difference::Accepted(public.claim));
            }
        }
        if self.depth == Depth::Rows {
            self.compared.through_rows += 1;
            rows_agree(public, witness, refusal)?;
        }
        Ok(refusal)
    }

    fn judge_changed(
        &mut self,
        public: &PublicInputs,
        witness: &Witness,
        rng: &mut ChaCha8Rng,
    ) -> Result<(), Difference> {
        for _ in 0..CHANGED {
            let (mut public, mut witness) = (*public, witness.clone());
            for _ in 0..rng.random_range(1..4) {
                change(&mut witness, rng);
            }
            if rng.random_bool(0.2) {
                public.claim = Claim::from_code(rng.random_range(0..8)).expect("below 8");
            }
            self.judge(&public, &witness)?;
        }
        Ok(())
    }
}

fn supports(colour: Colour, scene: &Scene, claim: Claim) -> bool {
    let hours = claim.test_age.hours();
    let fresh = |m: &Minute| m.get() + 60 * hours >= scene.as_of.get();
    colour <= claim.worst.colour() && (hours == 0 || scene.record.negatives().iter().any(fresh))
}

/// Whether the rules say that a scene's record supports its claim.
///
/// # Panics
/// If the record speaks of a moment after the scene's `as_of`.
pub fn supported(scene: &Scene) -> bool {
    let evaluation = rules::evaluate(&scene.record, &scene.table, &scene.map, scene.as_of)
        .expect("a scene speaks of nothing after its moment");
    supports(evaluation.colour, scene, scene.claim)
}

/// Relation, assignment and matrices say the same of a witness.
fn rows_agree(
    public: &PublicInputs,
    witness: &Witness,
    refusal: Option<Refusal>,
) -> Result<(), Difference> {
    let assignment = assign(public, witness);
    let named = match refusal {
        None => assignment.broken.is_empty(),
        Some(Refusal(heading)) => assignment.broken.contains(&heading),
    };
    if !named {
        return Err(Difference::Rows {
            relation: refusal.map(|r| r.0),
            rows: assignment.broken,
        });
    }
    let row = shape().first_broken(&assignment.values);
    let matrices = row.map(|row| shape().headings[row]);
    // A witness of another form may be cut so that all rows hold; it is refused by its form.
    let same = match matrices {
        None => assignment.broken.is_empty() || witness.malformed().is_some(),
        Some(heading) => assignment.broken.contains(&heading),
    };
    if same {
        Ok(())
    } else {
        Err(Difference::Matrices {
            assigned: assignment.broken,
            matrices,
        })
    }
}

/// A scene's record as it stands: each ground in a slot of its own, no lapse and no relief claimed, whatever the colour;
/// none where the grounds or the stays' intervals are too many for that.
pub fn unrelieved(scene: &Scene) -> Option<(PublicInputs, Witness)> {
    unrelieved_in(scene, &scene.surroundings())
}

fn unrelieved_in(scene: &Scene, around: &Surroundings) -> Option<(PublicInputs, Witness)> {
    let public = scene.public_in(around);
    let mut witness = scene.inert().plan_in(around).ok()?;
    witness.table = scene.table.clone();
    witness.slots = Default::default();
    let mut numbers = 0..rules::MAX_SLOTS;
    for position in 0..rules::MAX_ENTRIES {
        let facts = entry_facts(&witness, position, public.as_of);
        let entry = &mut witness.entries[position];
        (entry.key, entry.anchor, entry.is_ground) = (facts.key, facts.anchor, facts.is_ground);
        if facts.is_ground {
            let number = numbers.next()?;
            entry.slot = u8::try_from(number).ok()?;
            let slot = &mut witness.slots[number];
            (slot.key, slot.anchor) = (facts.key, facts.anchor);
        }
    }
    Some((public, witness))
}

impl Scene {
    /// The same scene under a table that never colours, and with no test asked: anything can be planned in it.
    #[must_use]
    pub fn inert(&self) -> Self {
        let (province, lookback) = (self.table.province(), self.table.lookback_hours());
        let table = rules::RowTable::new(province, lookback, |_| rules::Row::INERT);
        let test_age = TestAge::NotAsked;
        Self {
            table: table.expect("the look-back is that of a table"),
            claim: Claim {
                test_age,
                ..self.claim
            },
            ..self.clone()
        }
    }
}

/// Changes one thing that the prover chooses or was given.
fn change(witness: &mut Witness, rng: &mut ChaCha8Rng) {
    let entry = rng.random_range(0..24);
    let slot = rng.random_range(0..8);
    let minute = |rng: &mut ChaCha8Rng, m: &mut u32| {
        let by = [720, 1][rng.random_range(0..2)];
        *m = m.wrapping_add_signed(rng.random_range(-2..3) * by);
    };
    match rng.random_range(0..16) {
        0 => witness.entries[entry].is_ground ^= true,
        1 => witness.entries[entry].key = rng.random_range(0..96),
        2 => minute(rng, &mut witness.entries[entry].anchor),
        3 => witness.entries[entry].slot = rng.random_range(0..8),
        4 => witness.entries[entry % 12].interval = rng.random_range(0..4),
        5 => witness.slots[slot].key = rng.random_range(0..128),
        6 | 7 => minute(rng, &mut witness.slots[slot].anchor),
        8 => witness.slots[slot].lapsed ^= true,
        9 | 10 => witness.slots[slot].relief = None,
        11..14 => {
            let relief = witness.slots[slot].relief.get_or_insert_default();
            relief.alternative = rng.random_range(0..2);
            relief.negatives = std::array::from_fn(|_| rng.random_range(0..8));
            relief.run = rng.random_range(0..4);
            relief.first_day = relief
                .first_day
                .wrapping_add_signed(rng.random_range(-3..4));
        }
        14 => witness.fresh_negative = rng.random_range(0..8),
        _ => minute(rng, &mut witness.head_time),
    }
}
