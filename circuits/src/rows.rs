//! Rank-1 rows under construction: wires, linear combinations, and the headings that rows belong to.
//!
//! One walk over the statement serves both purposes: with [`Purpose::Shape`] it records the rows, with
//! [`Purpose::Assign`] it only computes the wires' values and notes which headings they break.

use std::ops::{Add, Mul, Sub};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Record rows and their coefficients.
    Shape,
    /// Compute values only.
    Assign,
}

/// A linear combination: ascending variable indices with their coefficients; index 0 is the constant one.
pub type Terms = Vec<(Fr, usize)>;

/// A value with the linear combination that it stands for.
#[derive(Clone, Debug)]
pub struct Wire {
    value: Fr,
    terms: Terms,
    constant: bool,
}

impl Wire {
    /// A constant.
    pub fn constant(value: impl Into<Fr>) -> Self {
        let value = value.into();
        let terms = if value == Fr::ZERO {
            Vec::new()
        } else {
            vec![(value, 0)]
        };
        Self {
            value,
            terms,
            constant: true,
        }
    }

    /// The value assigned.
    pub const fn value(&self) -> Fr {
        self.value
    }

    /// Whether it depends on no variable.
    pub const fn is_constant(&self) -> bool {
        self.constant
    }

    /// One minus this.
    #[must_use]
    pub fn not(&self) -> Self {
        &Self::constant(1u64) - self
    }

    /// The sum of `coefficient · wire` over the pairs.
    pub fn linear<'a>(pairs: impl IntoIterator<Item = (Fr, &'a Wire)>) -> Self {
        let mut sum = Self::constant(0u64);
        for (coefficient, wire) in pairs {
            sum.value += coefficient * wire.value;
            sum.constant &= wire.constant;
            sum.terms
                .extend(wire.terms.iter().map(|(c, i)| (*c * coefficient, *i)));
        }
        sum.terms.sort_unstable_by_key(|(_, index)| *index);
        sum.terms.dedup_by(|later, kept| {
            let same = later.1 == kept.1;
            if same {
                kept.0 += later.0;
            }
            same
        });
        sum.terms.retain(|(c, _)| *c != Fr::ZERO);
        sum
    }

    /// The sum of wires.
    pub fn sum<'a>(wires: impl IntoIterator<Item = &'a Wire>) -> Self {
        Self::linear(wires.into_iter().map(|w| (Fr::ONE, w)))
    }

    /// Packs wires of the given widths in bits, the first lowest: the twin of [`commitment::pack`].
    pub fn pack(fields: &[(&Wire, usize)]) -> Self {
        let mut offset = 0;
        Self::linear(fields.iter().map(|(wire, width)| {
            let coefficient = commitment::pow2(offset);
            offset += width;
            (coefficient, *wire)
        }))
    }

    /// The number whose bits these are, lowest first.
    pub fn from_bits(bits: &[Wire]) -> Self {
        Self::linear(
            bits.iter()
                .enumerate()
                .map(|(i, bit)| (commitment::pow2(i), bit)),
        )
    }
}

impl Add for &Wire {
    type Output = Wire;
    fn add(self, other: &Wire) -> Wire {
        Wire::linear([(Fr::ONE, self), (Fr::ONE, other)])
    }
}

impl Sub for &Wire {
    type Output = Wire;
    fn sub(self, other: &Wire) -> Wire {
        Wire::linear([(Fr::ONE, self), (-Fr::ONE, other)])
    }
}

impl Mul<u64> for &Wire {
    type Output = Wire;
    fn mul(self, factor: u64) -> Wire {
        Wire::linear([(Fr::from(factor), self)])
    }
}

/// One row: `a · b = c`, under a heading.
#[derive(Clone, Debug)]
pub struct Row<H> {
    /// The heading that it belongs to.
    pub heading: H,
    /// Left factor.
    pub a: Terms,
    /// Right factor.
    pub b: Terms,
    /// Product.
    pub c: Terms,
}

/// The rows and values of one walk.
pub struct Rows<H> {
    purpose: Purpose,
    heading: H,
    omitted: Option<H>,
    instance: usize,
    values: Vec<Fr>,
    recorded: Vec<Row<H>>,
    count: usize,
    broken: Vec<H>,
}

impl<H: Copy + PartialEq> Rows<H> {
    /// Begins a walk under `heading`, with the public inputs as variables 1, 2, … in their order.
    /// Rows under `omitted` are left out; only tests leave any out.
    pub fn new(
        purpose: Purpose,
        heading: H,
        public: &[Fr],
        omitted: Option<H>,
    ) -> (Self, Vec<Wire>) {
        let mut rows = Self {
            purpose,
            heading,
            omitted,
            instance: 1 + public.len(),
            values: vec![Fr::ONE],
            recorded: Vec::new(),
            count: 0,
            broken: Vec::new(),
        };
        let wires = public.iter().map(|value| rows.witness(*value)).collect();
        (rows, wires)
    }

    /// What follows belongs under `heading`.
    pub fn under(&mut self, heading: H) {
        self.heading = heading;
    }

    /// A new variable.
    pub fn witness(&mut self, value: Fr) -> Wire {
        let index = self.values.len();
        self.values.push(value);
        let terms = match self.purpose {
            Purpose::Shape => vec![(Fr::ONE, index)],
            Purpose::Assign => Vec::new(),
        };
        Wire {
            value,
            terms,
            constant: false,
        }
    }

    /// A new variable with a small value.
    pub fn witness_u64(&mut self, value: u64) -> Wire {
        self.witness(Fr::from(value))
    }

    /// The row `a · b = c`.
    pub fn enforce(&mut self, a: &Wire, b: &Wire, c: &Wire) {
        if self.omitted == Some(self.heading) {
            return;
        }
        self.count += 1;
        if a.value * b.value != c.value && !self.broken.contains(&self.heading) {
            self.broken.push(self.heading);
        }
        if self.purpose == Purpose::Shape {
            let (a, b, c) = (a.terms.clone(), b.terms.clone(), c.terms.clone());
            self.recorded.push(Row {
                heading: self.heading,
                a,
                b,
                c,
            });
        }
    }

    /// The row `a = b`.
    pub fn equal(&mut self, a: &Wire, b: &Wire) {
        self.enforce(a, &Wire::constant(1u64), b);
    }

    /// A new variable that is the product of two wires; one row, or none where one of them is constant.
    pub fn product(&mut self, a: &Wire, b: &Wire) -> Wire {
        if a.constant {
            return Wire::linear([(a.value, b)]);
        }
        if b.constant {
            return Wire::linear([(b.value, a)]);
        }
        let c = self.witness(a.value * b.value);
        self.enforce(a, b, &c);
        c
    }

    /// Ends the walk.
    pub fn finish(self) -> Walk<H> {
        Walk {
            instance: self.instance,
            values: self.values,
            rows: self.recorded,
            count: self.count,
            broken: self.broken,
        }
    }
}

/// What a walk leaves.
pub struct Walk<H> {
    /// Instance variables: the constant one and the public inputs.
    pub instance: usize,
    /// Values of all variables, instance first.
    pub values: Vec<Fr>,
    /// The rows, if the walk was for the shape.
    pub rows: Vec<Row<H>>,
    /// How many rows there are.
    pub count: usize,
    /// The headings that the values break, in order of first breach.
    pub broken: Vec<H>,
}

/// The lowest `width` bits of a value.
pub fn low_bits(value: Fr, width: usize) -> impl Iterator<Item = bool> {
    let number = value.into_bigint();
    (0..width).map(move |i| number.get_bit(i))
}
