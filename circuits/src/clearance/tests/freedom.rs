//! Which wires the rows leave free, and what a prover can do who sets those as it likes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, Field};
use commitment::PublicInputs;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clearance::{Heading, Witness, assign, shape};
use crate::rows::low_bits;

/// How a row fixes wires by wires of lower index.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Fixes {
    /// The wire is the product of the row's factors.
    Product(usize),
    /// The wire is the row's right side.
    Equal(usize),
    /// The wires are bits, and their number, lowest first, is the product of the row's factors.
    Bits(Vec<usize>),
}

impl Fixes {
    fn wires(&self) -> &[usize] {
        match self {
            Self::Product(wire) | Self::Equal(wire) => std::slice::from_ref(wire),
            Self::Bits(wires) => wires,
        }
    }
}

/// The shape read by wires.
pub(super) struct Index {
    /// For each wire where it stands: row, factor (0, 1) or product (2), coefficient.
    pub(super) places: Vec<Vec<(usize, usize, Fr)>>,
    /// Whether a row says that the wire is zero or one.
    pub(super) is_bit: Vec<bool>,
    /// What each row fixes.
    fixes: Vec<Option<Fixes>>,
    /// The row by which wires of lower index fix a wire, if there is one.
    pub(super) fixed_by: Vec<Option<usize>>,
}

pub(super) static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let shape = shape();
    let wires = shape.instance + shape.witness;
    let mut index = Index {
        places: vec![Vec::new(); wires],
        is_bit: vec![false; wires],
        fixes: vec![None; shape.constraints()],
        fixed_by: vec![None; wires],
    };
    for (factor, matrix) in shape.matrices.iter().enumerate() {
        for (row, terms) in matrix.iter().enumerate() {
            for (coefficient, wire) in terms {
                index.places[*wire].push((row, factor, *coefficient));
            }
        }
    }
    let [a, b, c] = &shape.matrices;
    for row in 0..shape.constraints() {
        if let ([(one, wire)], true) = (&a[row][..], a[row] == b[row] && b[row] == c[row]) {
            index.is_bit[*wire] |= *one == Fr::ONE;
        }
    }
    for row in 0..shape.constraints() {
        let fixes = index.fixes_of(&a[row], &b[row], &c[row]);
        let new = fixes.filter(|f| f.wires().iter().all(|w| index.is_free(*w)));
        for wire in new.iter().flat_map(Fixes::wires) {
            index.fixed_by[*wire] = Some(row);
        }
        index.fixes[row] = new;
    }
    index
});

impl Index {
    fn fixes_of(&self, a: &[(Fr, usize)], b: &[(Fr, usize)], c: &[(Fr, usize)]) -> Option<Fixes> {
        let last = |terms: &[(Fr, usize)]| terms.last().map_or(0, |t| t.1);
        let below = last(a).max(last(b));
        if let [(one, wire)] = c
            && *one == Fr::ONE
            && *wire > below
        {
            return Some(Fixes::Product(*wire));
        }
        if let ([(one, wire)], [(times, 0)]) = (a, b)
            && *one == Fr::ONE
            && *times == Fr::ONE
            && *wire > last(c)
        {
            return Some(Fixes::Equal(*wire));
        }
        let number = c.iter().enumerate().all(|(i, (coefficient, wire))| {
            *coefficient == commitment::pow2(i) && self.is_bit[*wire] && *wire > below
        });
        (number && c.len() < 250 && !c.is_empty())
            .then(|| Fixes::Bits(c.iter().map(|(_, wire)| *wire).collect()))
    }

    /// Whether a wire of the witness is fixed by no row.
    pub(super) fn is_free(&self, wire: usize) -> bool {
        wire >= shape().instance && self.fixed_by[wire].is_none()
    }

    /// The heading of the first row in which a wire stands.
    pub(super) fn heading(&self, wire: usize) -> Heading {
        shape().headings[self.places[wire][0].0]
    }
}

/// Values of all wires with what they make of every row.
pub(super) struct Values {
    pub(super) wires: Vec<Fr>,
    sums: Vec<[Fr; 3]>,
    pub(super) broken: BTreeSet<usize>,
    /// A heading whose rows are not looked at.
    omitted: Option<Heading>,
    /// Wires set, with what they were.
    undo: Vec<(usize, Fr)>,
}

impl Values {
    pub(super) fn of(public: &PublicInputs, witness: &Witness) -> Self {
        let values = assign(public, witness).values;
        let at = |matrix: usize, row: usize| {
            let terms = &shape().matrices[matrix][row];
            terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>()
        };
        let sums: Vec<[Fr; 3]> = (0..shape().constraints())
            .map(|row| std::array::from_fn(|matrix| at(matrix, row)))
            .collect();
        let broken = |(row, [a, b, c]): (usize, &[Fr; 3])| (*a * b != *c).then_some(row);
        Self {
            broken: sums.iter().enumerate().filter_map(broken).collect(),
            sums,
            wires: values,
            omitted: None,
            undo: Vec::new(),
        }
    }

    /// The same, as if there were no rows under a heading.
    pub(super) fn without(mut self, heading: Heading) -> Self {
        self.broken.retain(|row| shape().headings[*row] != heading);
        self.omitted = Some(heading);
        self
    }

    pub(super) fn set(&mut self, wire: usize, value: Fr) {
        let change = value - self.wires[wire];
        if change == Fr::ZERO {
            return;
        }
        self.undo.push((wire, self.wires[wire]));
        self.wires[wire] = value;
        for (row, factor, coefficient) in &INDEX.places[wire] {
            let sums = &mut self.sums[*row];
            sums[*factor] += *coefficient * change;
            let [a, b, c] = *sums;
            if a * b == c || self.omitted == Some(shape().headings[*row]) {
                self.broken.remove(row);
            } else {
                self.broken.insert(*row);
            }
        }
    }

    /// Sets a wire, and then every wire that follows from it as its rows demand.
    pub(super) fn follow(&mut self, wire: usize, value: Fr) {
        let mut due: BTreeMap<usize, usize> = BTreeMap::new();
        let touch = |due: &mut BTreeMap<usize, usize>, wire: usize| {
            for (row, _, _) in &INDEX.places[wire] {
                match &INDEX.fixes[*row] {
                    Some(fixes) if !fixes.wires().contains(&wire) => {
                        due.insert(fixes.wires()[0], *row);
                    }
                    _ => {}
                }
            }
        };
        self.set(wire, value);
        touch(&mut due, wire);
        while let Some((_, row)) = due.pop_first() {
            let [a, b, c] = self.sums[row];
            let new: Vec<(usize, Fr)> = match INDEX.fixes[row].as_ref().expect("only such are due")
            {
                Fixes::Product(wire) => vec![(*wire, a * b)],
                Fixes::Equal(wire) => vec![(*wire, c)],
                Fixes::Bits(wires) => {
                    let bits = low_bits(a * b, wires.len()).map(Fr::from);
                    wires.iter().copied().zip(bits).collect()
                }
            };
            for (wire, value) in new {
                if self.wires[wire] != value {
                    self.set(wire, value);
                    touch(&mut due, wire);
                }
            }
        }
    }

    /// Takes back all that was set since so many sets had been made.
    pub(super) fn undo_to(&mut self, mark: usize) {
        for (wire, value) in self.undo.split_off(mark).into_iter().rev() {
            self.set(wire, value);
        }
        self.undo.truncate(mark);
    }

    /// A value for a wire with which `row` would hold, or its right factor be zero, the other wires as they are.
    fn heal(&self, row: usize, wire: usize, to_zero: bool) -> Option<Fr> {
        let mut coefficients = [Fr::ZERO; 3];
        for (r, factor, coefficient) in &INDEX.places[wire] {
            if *r == row {
                coefficients[*factor] += coefficient;
            }
        }
        let [ca, cb, cc] = coefficients;
        let [a, b, c] = self.sums[row];
        // (a + ca·x)(b + cb·x) = c + cc·x, where the square does not occur.
        let (slope, lacking) = if to_zero {
            (cb, -b)
        } else {
            (ca * b + cb * a - cc, c - a * b)
        };
        let linear = to_zero || ca * cb == Fr::ZERO;
        (linear && slope != Fr::ZERO).then(|| self.wires[wire] + lacking / slope)
    }

    pub(super) fn broken_headings(&self) -> BTreeSet<Heading> {
        self.broken.iter().map(|r| shape().headings[*r]).collect()
    }
}

/// Whether a wire is the prover's own choice: neither committed nor fixed by others.
fn is_choice(wire: usize) -> bool {
    // The entries come after all openings.
    static ENTRIES: LazyLock<usize> = LazyLock::new(|| {
        let of_slots = |w: &usize| INDEX.heading(*w) == Heading::AnchorPhasesLapse;
        (0..INDEX.places.len()).find(of_slots).unwrap()
    });
    INDEX.is_free(wire) && wire >= *ENTRIES
}

/// Looks for choices that mend all rows: one to three at a time are changed, each followed through to every wire that
/// hangs on it, and kept while no more than two rows more are broken than at first; every 50 steps from the beginning.
/// The steps that it took, or none.
pub(super) fn search(mut values: Values, steps: usize, seed: u64) -> Option<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let choices: Vec<usize> = (0..INDEX.places.len()).filter(|w| is_choice(*w)).collect();
    let most = values.broken.len() + 2;
    for step in 0..steps {
        if step % 50 == 0 {
            values.undo_to(0);
        }
        if values.broken.is_empty() {
            return Some(step);
        }
        let mark = values.undo.len();
        for _ in 0..rng.random_range(1..4) {
            let any = choices[rng.random_range(0..choices.len())];
            let wire = (0..4)
                .find_map(|_| blamed(&values, &mut rng))
                .unwrap_or(any);
            let value = changed(&values, wire, &mut rng);
            values.follow(wire, value);
            if values.broken.is_empty() {
                return Some(step + 1);
            }
        }
        if values.broken.len() > most {
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
    let among = rng.random_range(0..values.broken.len() * 2);
    let broken = values.broken.iter().nth(among)?;
    let mut wire = pick(*broken, usize::MAX, rng)?;
    while let Some(row) = INDEX.fixed_by[wire] {
        wire = pick(row, INDEX.fixes[row].as_ref()?.wires()[0], rng)?;
    }
    is_choice(wire).then_some(wire)
}

/// Another value for a wire: the other bit, or one near, random, or such that a row with it holds.
fn changed(values: &Values, wire: usize, rng: &mut ChaCha8Rng) -> Fr {
    let old = values.wires[wire];
    if INDEX.is_bit[wire] {
        return Fr::ONE - old;
    }
    let places = &INDEX.places[wire];
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
