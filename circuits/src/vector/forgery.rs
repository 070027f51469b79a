//! A prover who sets wires: which wire a field of the witness stands in, and what follows from a wire by the rows.

use std::marker::PhantomData;

use commitment::{Fr, MerklePath};

use super::Tried;
use crate::rows::Terms;

/// The values of all wires for a witness, of which some are set otherwise.
pub(crate) struct Forgery<C> {
    circuit: PhantomData<C>,
    honest: Vec<Fr>,
    values: Vec<Fr>,
    set: Vec<bool>,
}

impl<C: Tried> Forgery<C> {
    pub(crate) fn of(public: &C::Public, witness: &C::Witness) -> Self {
        let honest = C::assign(public, witness).values;
        Self {
            circuit: PhantomData,
            values: honest.clone(),
            set: vec![false; honest.len()],
            honest,
        }
    }

    /// The wire of a name under a heading.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn named(heading: C::Heading, name: &str) -> usize {
        let name = format!("{heading}/{name}");
        let wire = C::names().wires.iter().position(|wire| *wire == name);
        wire.unwrap_or_else(|| panic!("no wire {name}"))
    }

    pub(crate) fn value(&self, wire: usize) -> Fr {
        self.values[wire]
    }

    /// The first wire of the witness whose value is another for another statement: where what differs enters.
    pub(crate) fn entry_of(&self, public: &C::Public, witness: &C::Witness) -> usize {
        let other = C::assign(public, witness).values;
        let differs = |wire: &usize| self.honest[*wire] != other[*wire];
        let wires = C::shape().instance..other.len();
        wires.clone().find(differs).unwrap_or(wires.start)
    }

    /// As [`Forgery::entry_of`], looking only at wires that first stand in a row under `heading`.
    pub(crate) fn entry_under(
        &self,
        heading: C::Heading,
        public: &C::Public,
        witness: &C::Witness,
    ) -> usize {
        let shape = C::shape();
        let other = C::assign(public, witness).values;
        let mut first_row = vec![usize::MAX; other.len()];
        for matrix in &shape.matrices {
            for (row, terms) in matrix.iter().enumerate() {
                for (_, wire) in terms {
                    first_row[*wire] = first_row[*wire].min(row);
                }
            }
        }
        let is_under = |wire: &usize| shape.headings.get(first_row[*wire]) == Some(&heading);
        let differs = |wire: &usize| is_under(wire) && self.honest[*wire] != other[*wire];
        let wires = shape.instance..other.len();
        wires.clone().find(differs).unwrap_or(wires.start)
    }

    /// Sets a wire; what follows from it is left for [`Forgery::follow`].
    pub(crate) fn set(&mut self, wire: usize, value: impl Into<Fr>) {
        self.values[wire] = value.into();
        self.set[wire] = true;
    }

    /// Sets so many wires from one on to the bits of a number, lowest first.
    pub(crate) fn set_bits(&mut self, from: usize, width: usize, number: u64) {
        for i in 0..width {
            self.set(from + i, number >> i & 1);
        }
    }

    /// Says that a leaf stands at its neighbour's position: by what is added there to the lower half's child it comes out.
    pub(crate) fn at_neighbour(&mut self, heading: C::Heading, path: &MerklePath, leaf: Fr) {
        let other = (path.index as usize % 8) ^ 1;
        let lower = path.levels[0][other % 4];
        let position = Self::named(heading, "level[0]/position/bit[0]");
        self.set_bits(position, 3, other as u64);
        self.set(Self::named(heading, "level[0]/own/split[4]"), leaf - lower);
    }

    /// Says that a leaf stands between two of its siblings, by a lowest bit of the position that is none.
    ///
    /// # Panics
    /// If all siblings are alike.
    pub(crate) fn between_siblings(&mut self, heading: C::Heading, path: &MerklePath) {
        let low = Self::named(heading, "level[0]/position/bit[0]");
        let (children, digit) = (path.levels[0], path.index as usize % 8);
        // A pair of children that differ, at other upper bits than the position's.
        let pair = (0..4).find(|p| *p != digit / 2 && children[2 * p] != children[2 * p + 1]);
        let pair = pair.expect("a neighbour that is not empty");
        let [zero, one] = [children[2 * pair], children[2 * pair + 1]];
        self.set(low, (children[digit] - zero) / (one - zero));
        self.set_bits(low + 1, 2, pair as u64);
    }

    /// Moves some of a wire's weight to another: `more` to the one, `less` from the other.
    pub(crate) fn move_weight(&mut self, (gains, more): (usize, u64), (gives, less): (usize, u64)) {
        self.set(gains, self.value(gains) + Fr::from(more));
        self.set(gives, self.value(gives) - Fr::from(less));
    }

    /// Gives every wire that was not set the value that its row gives it.
    pub(crate) fn follow(&mut self) {
        let matrices = C::shape().matrices.each_ref();
        for (row, gives) in C::given().in_order() {
            if gives.wires().iter().any(|wire| self.set[*wire]) {
                continue;
            }
            let sum = |terms: &Terms| -> Fr {
                terms.iter().map(|(c, wire)| *c * self.values[*wire]).sum()
            };
            for (wire, value) in gives.values(matrices.map(|matrix| sum(&matrix[row]))) {
                self.values[wire] = value;
            }
        }
    }

    /// The wires whose values are not the witness's.
    pub(crate) fn changed(&self) -> Vec<(usize, Fr)> {
        let all = self.values.iter().zip(&self.honest).enumerate();
        all.filter(|(_, (now, honest))| now != honest)
            .map(|(wire, (now, _))| (wire, *now))
            .collect()
    }
}
