//! Which wires the rows leave free, and what a prover can do who sets those as it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut, Range};
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use commitment::PublicInputs;
use r1cs_audit::values::{self, Places};
use r1cs_audit::{Row, System};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clearance::{Heading, Witness, assign, shape};
use crate::gives::{Given, given};

static GIVEN: LazyLock<Given> = LazyLock::new(|| given(shape()));

/// The shape as data.
static SYSTEM: LazyLock<System<Fr>> = LazyLock::new(|| {
    let shape = shape();
    let [a, b, c] = &shape.matrices;
    let rows = a.iter().zip(b).zip(c).map(|((a, b), c)| Row {
        a: a.clone(),
        b: b.clone(),
        c: c.clone(),
    });
    let wires = shape.instance + shape.witness;
    System::new(shape.instance - 1, wires, rows.collect()).expect("the shape is a system")
});

static PLACES: LazyLock<Places<Fr>> = LazyLock::new(|| Places::of(&SYSTEM));

/// All wires, the constant and the public inputs among them.
pub(super) fn wires() -> Range<usize> {
    0..SYSTEM.wires()
}

/// Whether a row says that a wire is zero or one.
pub(super) fn is_bit(wire: usize) -> bool {
    GIVEN.is_bit[wire]
}

/// Whether a wire of the witness is given by no row.
pub(super) fn is_free(wire: usize) -> bool {
    wire >= shape().instance && GIVEN.row_of[wire].is_none()
}

/// The heading of the first row in which a wire stands.
pub(super) fn heading(wire: usize) -> Heading {
    shape().headings[PLACES.of_wire(wire)[0].0]
}

/// The free wires under a heading that are bits, or that are not, in their order; `every_wire_follows_from_others_but_these`
/// says which they are.
pub(super) fn free(under: Heading, bits: bool) -> Vec<usize> {
    let free = wires().filter(|w| is_free(*w) && is_bit(*w) == bits);
    free.filter(|w| heading(*w) == under).collect()
}

/// Values of all wires with what they make of every row.
pub(super) struct Values(values::Values<'static, Fr>);

impl Deref for Values {
    type Target = values::Values<'static, Fr>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Values {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl Values {
    pub(super) fn assigned(public: &PublicInputs, witness: &Witness) -> Self {
        let wires = assign(public, witness).values;
        Self(values::Values::new(&SYSTEM, &PLACES, wires))
    }

    /// The same, as if there were no rows under a heading.
    pub(super) fn without(self, heading: Heading) -> Self {
        let rows = (0..shape().constraints()).filter(|row| shape().headings[*row] == heading);
        Self(self.0.without(rows))
    }

    /// Sets a wire, and then every wire that follows from it as its rows demand.
    pub(super) fn follow(&mut self, wire: usize, value: Fr) {
        let mut due: BTreeMap<usize, usize> = BTreeMap::new();
        let touch = |due: &mut BTreeMap<usize, usize>, wire: usize| {
            for (row, _, _) in PLACES.of_wire(wire) {
                match &GIVEN.by_row[*row] {
                    Some(gives) if !gives.wires().contains(&wire) => {
                        due.insert(gives.wires()[0], *row);
                    }
                    _ => {}
                }
            }
        };
        self.set(wire, value);
        touch(&mut due, wire);
        while let Some((_, row)) = due.pop_first() {
            let gives = GIVEN.by_row[row].as_ref().expect("only such are due");
            for (wire, value) in gives.values(self.sums_of(row)) {
                if self.of(wire) != value {
                    self.set(wire, value);
                    touch(&mut due, wire);
                }
            }
        }
    }

    /// Writes a number into bits, with all that follows from them.
    pub(super) fn follow_bits(&mut self, bits: &[usize], number: u64) {
        for (i, wire) in bits.iter().enumerate() {
            self.follow(*wire, Fr::from(number >> i & 1));
        }
    }

    /// A value for a wire with which `row` would hold, or its right factor be zero, the other wires as they are.
    fn heal(&self, row: usize, wire: usize, to_zero: bool) -> Option<Fr> {
        let mut coefficients = [Fr::ZERO; 3];
        for (r, factor, coefficient) in PLACES.of_wire(wire) {
            if *r == row {
                coefficients[*factor] += coefficient;
            }
        }
        let [ca, cb, cc] = coefficients;
        let [a, b, c] = self.sums_of(row);
        // (a + ca·x)(b + cb·x) = c + cc·x, where the square does not occur.
        let (slope, lacking) = if to_zero {
            (cb, -b)
        } else {
            (ca * b + cb * a - cc, c - a * b)
        };
        let linear = to_zero || ca * cb == Fr::ZERO;
        (linear && slope != Fr::ZERO).then(|| self.of(wire) + lacking / slope)
    }

    pub(super) fn broken_headings(&self) -> BTreeSet<Heading> {
        self.broken().iter().map(|r| shape().headings[*r]).collect()
    }
}

/// Whether a wire is the prover's own choice: neither committed nor fixed by others.
fn is_choice(wire: usize) -> bool {
    // The entries come after all openings.
    static ENTRIES: LazyLock<usize> = LazyLock::new(|| {
        let of_slots = |w: &usize| heading(*w) == Heading::AnchorPhasesLapse;
        wires().find(of_slots).unwrap()
    });
    is_free(wire) && wire >= *ENTRIES
}

/// Looks for choices that mend all rows: one to three at a time are changed, each followed through to every wire that
/// hangs on it, and kept while no more than two rows more are broken than at first; every 50 steps from the beginning.
/// The steps that it took, or none.
pub(super) fn search(mut values: Values, steps: usize, seed: u64) -> Option<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let choices: Vec<usize> = wires().filter(|w| is_choice(*w)).collect();
    let most = values.broken().len() + 2;
    for step in 0..steps {
        if step % 50 == 0 {
            values.undo();
        }
        if values.broken().is_empty() {
            return Some(step);
        }
        let mark = values.mark();
        for _ in 0..rng.random_range(1..4) {
            let any = choices[rng.random_range(0..choices.len())];
            let wire = (0..4)
                .find_map(|_| blamed(&values, &mut rng))
                .unwrap_or(any);
            let value = changed(&values, wire, &mut rng);
            values.follow(wire, value);
            if values.broken().is_empty() {
                return Some(step + 1);
            }
        }
        if values.broken().len() > most {
            values.undo_to(mark);
        }
    }
    None
}

/// A choice on which a broken row hangs, found by going from wire to wire; or none, often.
fn blamed(values: &Values, rng: &mut ChaCha8Rng) -> Option<usize> {
    let pick = |row: usize, below: usize, rng: &mut ChaCha8Rng| {
        let terms = shape().matrices.iter().flat_map(|m| &m[row]);
        let wires: Vec<usize> = terms.map(|t| t.1).filter(|w| *w < below).collect();
        (!wires.is_empty()).then(|| wires[rng.random_range(0..wires.len())])
    };
    let among = rng.random_range(0..values.broken().len() * 2);
    let broken = values.broken().iter().nth(among)?;
    let mut wire = pick(*broken, usize::MAX, rng)?;
    while let Some(row) = GIVEN.row_of[wire] {
        wire = pick(row, GIVEN.by_row[row].as_ref()?.wires()[0], rng)?;
    }
    is_choice(wire).then_some(wire)
}

/// Another value for a wire: the other bit, or one near, random, or such that a row with it holds.
fn changed(values: &Values, wire: usize, rng: &mut ChaCha8Rng) -> Fr {
    let old = values.of(wire);
    if is_bit(wire) {
        return Fr::ONE - old;
    }
    let places = PLACES.of_wire(wire);
    let (row, _, _) = places[rng.random_range(0..places.len())];
    match rng.random_range(0..8) {
        0 => old + Fr::from(rng.random_range(0..4000u64)),
        1 => old - Fr::from(rng.random_range(0..4000u64)),
        2 => any_element(rng),
        _ => values.heal(row, wire, rng.random()).unwrap_or(old),
    }
}

/// Any element of the field.
pub(super) fn any_element(rng: &mut ChaCha8Rng) -> Fr {
    Fr::from(rng.random::<u128>()) * commitment::pow2(126) + Fr::from(rng.random::<u128>())
}
