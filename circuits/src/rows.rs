//! Rank-1 rows under construction: wires, linear combinations, and the headings that rows belong to.
//!
//! One walk over the statement serves all purposes: with [`Purpose::Shape`] it records the rows, with
//! [`Purpose::Names`] what each wire and row is called, and with [`Purpose::Assign`] it only computes the wires' values
//! and notes which headings they break.

use std::fmt::{self, Write};
use std::ops::{Add, Mul, Sub};

use ark_bn254::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField};
use commitment::poseidon::Domain;

/// What a walk is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Record rows and their coefficients, and the hashes among them.
    Shape,
    /// Record what wires and rows are called.
    Names,
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

/// A hash among the rows: what goes in and what comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashCall {
    /// What it is for.
    pub domain: Domain,
    /// The rows that compute it: the first, and the one after the last.
    pub rows: (usize, usize),
    /// Its inputs.
    pub inputs: Vec<Terms>,
    /// Its output.
    pub output: Terms,
}

/// A piece of a name: a word, and its number where there are several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part(&'static str, Option<usize>);

impl From<&'static str> for Part {
    fn from(word: &'static str) -> Self {
        Self(word, None)
    }
}

impl From<(&'static str, usize)> for Part {
    fn from((word, number): (&'static str, usize)) -> Self {
        Self(word, Some(number))
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            None => f.write_str(self.0),
            Some(number) => write!(f, "{}[{number}]", self.0),
        }
    }
}

/// The rows and values of one walk.
pub struct Rows<H> {
    purpose: Purpose,
    heading: H,
    omitted: Option<H>,
    instance: usize,
    values: Vec<Fr>,
    recorded: Vec<Row<H>>,
    hashes: Vec<HashCall>,
    scopes: Vec<Part>,
    wire_names: Vec<String>,
    row_names: Vec<String>,
    count: usize,
    broken: Vec<H>,
}

impl<H: Copy + PartialEq + fmt::Display> Rows<H> {
    /// Begins a walk under `heading`, with the named public inputs as variables 1, 2, … in their order.
    /// Rows under `omitted` are left out; only tests leave any out.
    pub fn new(
        purpose: Purpose,
        heading: H,
        public: &[(&'static str, Fr)],
        omitted: Option<H>,
    ) -> (Self, Vec<Wire>) {
        let mut rows = Self {
            purpose,
            heading,
            omitted,
            instance: 1 + public.len(),
            values: vec![Fr::ONE],
            recorded: Vec::new(),
            hashes: Vec::new(),
            scopes: Vec::new(),
            wire_names: vec!["one".to_owned()],
            row_names: Vec::new(),
            count: 0,
            broken: Vec::new(),
        };
        let input = |(name, value): &(&'static str, Fr)| {
            let wire = rows.variable(*value);
            rows.wire_names.push((*name).to_owned());
            wire
        };
        let wires = public.iter().map(input).collect();
        (rows, wires)
    }

    /// What follows belongs under `heading`.
    pub fn under(&mut self, heading: H) {
        self.heading = heading;
    }

    /// What the walk does in `inside` is named under `part`.
    pub fn within<T>(&mut self, part: impl Into<Part>, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.scopes.push(part.into());
        let out = inside(self);
        self.scopes.pop();
        out
    }

    /// The name of something here: heading, scopes, and its own part.
    fn name(&self, part: Part) -> String {
        let mut name = self.heading.to_string();
        for part in self.scopes.iter().chain([&part]) {
            let _ = write!(name, "/{part}");
        }
        name
    }

    /// A new variable, named here.
    pub fn witness(&mut self, part: impl Into<Part>, value: Fr) -> Wire {
        if self.purpose == Purpose::Names {
            let name = self.name(part.into());
            self.wire_names.push(name);
        }
        self.variable(value)
    }

    fn variable(&mut self, value: Fr) -> Wire {
        let index = self.values.len();
        self.values.push(value);
        let terms = match self.purpose {
            Purpose::Shape => vec![(Fr::ONE, index)],
            Purpose::Names | Purpose::Assign => Vec::new(),
        };
        Wire {
            value,
            terms,
            constant: false,
        }
    }

    /// A new variable with a small value.
    pub fn witness_u64(&mut self, part: impl Into<Part>, value: u64) -> Wire {
        self.witness(part, Fr::from(value))
    }

    /// The row `a · b = c`, named here.
    pub fn enforce(&mut self, part: impl Into<Part>, a: &Wire, b: &Wire, c: &Wire) {
        if self.omitted == Some(self.heading) {
            return;
        }
        self.count += 1;
        if a.value * b.value != c.value && !self.broken.contains(&self.heading) {
            self.broken.push(self.heading);
        }
        match self.purpose {
            Purpose::Assign => {}
            Purpose::Names => {
                let name = self.name(part.into());
                self.row_names.push(name);
            }
            Purpose::Shape => {
                let (a, b, c) = (a.terms.clone(), b.terms.clone(), c.terms.clone());
                let heading = self.heading;
                self.recorded.push(Row { heading, a, b, c });
            }
        }
    }

    /// The row `a = b`, named here.
    pub fn equal(&mut self, part: impl Into<Part>, a: &Wire, b: &Wire) {
        self.enforce(part, a, &Wire::constant(1u64), b);
    }

    /// A new variable that is the product of two wires; one row, or none where one of them is constant. Both are named
    /// here.
    pub fn product(&mut self, part: impl Into<Part>, a: &Wire, b: &Wire) -> Wire {
        if a.constant {
            return Wire::linear([(a.value, b)]);
        }
        if b.constant {
            return Wire::linear([(b.value, a)]);
        }
        let part = part.into();
        let c = self.witness(part, a.value * b.value);
        self.enforce(part, a, b, &c);
        c
    }

    /// Notes that the rows from number `first` on compute the hash `output` of `inputs`.
    pub fn note_hash(&mut self, domain: Domain, first: usize, inputs: &[Wire], output: &Wire) {
        if self.purpose == Purpose::Shape {
            self.hashes.push(HashCall {
                domain,
                rows: (first, self.count),
                inputs: inputs.iter().map(|wire| wire.terms.clone()).collect(),
                output: output.terms.clone(),
            });
        }
    }

    /// Rows so far.
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Ends the walk.
    pub fn finish(self) -> Walk<H> {
        Walk {
            instance: self.instance,
            values: self.values,
            rows: self.recorded,
            hashes: self.hashes,
            wire_names: self.wire_names,
            row_names: self.row_names,
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
    /// The hashes among them, if the walk was for the shape.
    pub hashes: Vec<HashCall>,
    /// What all variables are called, if the walk was for the names.
    pub wire_names: Vec<String>,
    /// What the rows are called, if the walk was for the names.
    pub row_names: Vec<String>,
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
