//! A statement's constraint system: its matrices, its digest, and assignments to it.

use ark_bn254::Fr;
use commitment::fr_to_bytes;
use sha2::{Digest, Sha256};

use crate::rows::{HashCall, Terms, Walk};

/// The constraint system: the rows `A·z ∘ B·z = C·z`, and the heading of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape<H> {
    /// Instance variables: the constant one and the public inputs.
    pub instance: usize,
    /// Witness variables.
    pub witness: usize,
    /// Left factors, right factors, products: a row is at the same position in each.
    pub matrices: [Vec<Terms>; 3],
    /// The heading of each row.
    pub headings: Vec<H>,
    /// The hashes among the rows.
    pub hashes: Vec<HashCall>,
}

/// What the variables and rows of the constraint system are called: heading, gadget, and their own part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireNames {
    /// One for each variable, instance first.
    pub wires: Vec<String>,
    /// One for each row.
    pub rows: Vec<String>,
}

/// Values for every variable of the constraint system.
pub struct Assignment<H> {
    /// Instance first: one, the public inputs, then the witness.
    pub values: Vec<Fr>,
    /// The headings that the values break; empty for a witness that fulfils the statement.
    pub broken: Vec<H>,
}

impl<H: Copy + PartialEq> Shape<H> {
    /// The constraint system that a walk for the shape recorded.
    pub(crate) fn of(walk: Walk<H>) -> Self {
        let mut shape = Self {
            instance: walk.instance,
            witness: walk.values.len() - walk.instance,
            matrices: Default::default(),
            headings: Vec::with_capacity(walk.count),
            hashes: walk.hashes,
        };
        for row in walk.rows {
            shape.headings.push(row.heading);
            for (matrix, terms) in shape.matrices.iter_mut().zip([row.a, row.b, row.c]) {
                matrix.push(terms);
            }
        }
        shape
    }

    /// Rows, the proof system's own rows for the instance not counted.
    pub fn constraints(&self) -> usize {
        self.headings.len()
    }

    /// Rows of the proof system: constraints and instance variables. Its domain is the next power of two.
    pub fn rows(&self) -> usize {
        self.headings.len() + self.instance
    }

    /// How many rows stand under a heading.
    pub fn rows_under(&self, heading: H) -> usize {
        self.headings.iter().filter(|h| **h == heading).count()
    }

    /// SHA-256 over the sizes and all coefficients: whoever rebuilds the circuit from source gets this digest.
    pub fn digest(&self) -> [u8; 32] {
        let sizes = [self.instance, self.witness, self.headings.len()];
        digest_of(sizes, &self.matrices)
    }

    /// The first row that `values` break, by evaluating the matrices.
    pub fn first_broken(&self, values: &[Fr]) -> Option<usize> {
        first_broken_of(&self.matrices, values)
    }
}

// Without a type parameter these are compiled here, and not wherever a shape is used.

fn digest_of(sizes: [usize; 3], matrices: &[Vec<Terms>; 3]) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"viridian/r1cs/v1\0");
    let mut number = |n: usize| hash.update((n as u64).to_be_bytes());
    sizes.into_iter().for_each(&mut number);
    for matrix in matrices {
        for row in matrix {
            hash.update((row.len() as u64).to_be_bytes());
            for (coefficient, variable) in row {
                hash.update((*variable as u64).to_be_bytes());
                hash.update(fr_to_bytes(*coefficient));
            }
        }
    }
    hash.finalize().into()
}

fn first_broken_of([a, b, c]: &[Vec<Terms>; 3], values: &[Fr]) -> Option<usize> {
    let at = |terms: &Terms| terms.iter().map(|(c, i)| *c * values[*i]).sum::<Fr>();
    (0..a.len()).find(|r| at(&a[*r]) * at(&b[*r]) != at(&c[*r]))
}

impl<H: Copy + PartialEq> Assignment<H> {
    /// The values of a walk, with the heading under which the witness is none at all, if there is one.
    pub(crate) fn of(walk: Walk<H>, malformed: Option<H>) -> Self {
        let malformed = malformed.filter(|heading| !walk.broken.contains(heading));
        Self {
            values: walk.values,
            broken: malformed.into_iter().chain(walk.broken).collect(),
        }
    }
}
