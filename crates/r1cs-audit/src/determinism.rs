//! Uniqueness: which wires follow from the public inputs and from what the prover is admitted to choose.
//!
//! A wire *follows* if any two assignments that fulfil all rows, and agree on what is given, agree on it. The search
//! knows a few sound rules and applies them until nothing new follows; what it does not reach may still be unique, but
//! that has to be shown otherwise. Each rule is a lemma over a prime field.

mod equation;
mod index;
mod walk;

use std::sync::Arc;

use ark_ff::PrimeField;

pub use index::Index;

use crate::{System, Terms};

/// Why a wire follows. Each rule is argued over two assignments that agree on what is known so far; `d` is by how much
/// they differ on a wire that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// It was given: public, or chosen.
    Given,
    /// It is the only unknown of a linear equation: `c·d = 0` with `c ≠ 0`.
    Linear,
    /// It is one of several bits whose weighted sum is known, and no two choices of the bits have one sum: among
    /// integers, each weight exceeds the sum of all smaller ones and their sum is below the modulus, so the greatest
    /// weight whose bit differs is not made up for.
    Bits,
    /// It is one of several numbers of bits whose weighted sum is known, and no two choices of the numbers, each within
    /// the bound that a row sets to it, have one sum: as for bits, where a number differs by at most its bound.
    Ranges,
    /// It says whether a known value is zero, by `v·i = δp` and `v·(β − γp) = 0`: if `v` is zero so is `p`, else `p` is
    /// `β/γ`, whatever `i` is.
    ZeroTest,
    /// It follows in both cases of a known bit `s` with `s·x = p`: from `p = 0` with the equations in which `p` stands,
    /// and also from `p = x` with them. Both assignments are in the same case.
    Cases,
}

impl Rule {
    /// All rules in their order.
    pub const ALL: [Self; 6] = [
        Self::Given,
        Self::Linear,
        Self::Bits,
        Self::Ranges,
        Self::ZeroTest,
        Self::Cases,
    ];

    /// One word for reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Linear => "linear",
            Self::Bits => "bits",
            Self::Ranges => "ranges",
            Self::ZeroTest => "zero-test",
            Self::Cases => "cases",
        }
    }
}

/// What one step rests on, so that somebody else can check it: if two assignments fulfil the rows, agree on all wires
/// that are not `unknown`, and on the sums, then they agree on the wire.
///
/// That a sum is known was concluded before: it is the product of known factors, the other factor of a known product and
/// a constant, or the input of a hash whose output is known and that is assumed to bind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Premise<F> {
    /// Rows of the system.
    pub rows: Vec<usize>,
    /// Weighted sums of unknown wires that are known.
    pub sums: Vec<Terms<F>>,
    /// Wires that were not known before the step.
    pub unknown: Vec<usize>,
}

/// For each wire, the rule by which it follows, if it does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follows<F> {
    /// By wire.
    pub rule: Vec<Option<Rule>>,
    /// By wire, what its step rests on, if that was asked for; steps together share one.
    pub premise: Vec<Option<Arc<Premise<F>>>>,
}

impl<F> Follows<F> {
    /// The wires that do not follow.
    pub fn open(&self) -> impl Iterator<Item = usize> {
        let wires = self.rule.iter().enumerate();
        wires.filter_map(|(wire, rule)| rule.is_none().then_some(wire))
    }

    /// How many wires follow by a rule.
    pub fn by(&self, rule: Rule) -> usize {
        self.rule.iter().filter(|r| **r == Some(rule)).count()
    }
}

/// What follows in `system` from the constant, the public inputs and the wires `given`, if the rows `without` were not
/// there. Hashes bind their inputs only while all of their rows are there.
///
/// # Panics
/// If the index is of another system, or for a given wire that is not there.
pub fn follow<F: PrimeField>(
    system: &System<F>,
    index: &Index<F>,
    given: &[usize],
    without: &[usize],
) -> Follows<F> {
    walk::Walk::new(system, index, without).run(given)
}

/// As [`follow`] with all rows, and with what each step rests on.
///
/// # Panics
/// As [`follow`].
pub fn follow_with_premises<F: PrimeField>(
    system: &System<F>,
    index: &Index<F>,
    given: &[usize],
) -> Follows<F> {
    walk::Walk::new(system, index, &[])
        .with_premises()
        .run(given)
}

#[cfg(test)]
mod brute_force;
#[cfg(test)]
mod tests;
