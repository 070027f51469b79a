//! What all circuits have in common, for whoever makes keys and proofs of any of them.

use ark_bn254::Fr;

use crate::shape::{Assignment, Shape};

/// A circuit: a statement's constraint system with its public inputs and its witness.
pub trait Circuit: Clone + std::fmt::Debug + 'static {
    /// Its name in `registry.toml`.
    const NAME: &'static str;
    /// Its version there.
    const VERSION: u32;
    /// What its public inputs are called, in their order.
    const INPUT_NAMES: &'static [&'static str];
    /// The headings of its statement.
    type Heading: Copy + PartialEq + std::fmt::Debug + std::fmt::Display + Send + Sync;
    /// Its public inputs.
    type Public: Clone + std::fmt::Debug;
    /// Its private input.
    type Witness: Clone + std::fmt::Debug;

    /// The constraint system, built once.
    fn shape() -> &'static Shape<Self::Heading>;

    /// The public inputs as elements, in their order.
    fn inputs(public: &Self::Public) -> Vec<Fr>;

    /// The values of all variables, and the headings that they break.
    fn assign(public: &Self::Public, witness: &Self::Witness) -> Assignment<Self::Heading>;
}

/// The circuit `clearance`, version 1: whether a record supports a claim.
#[derive(Clone, Copy, Debug)]
pub enum Clearance {}

impl Circuit for Clearance {
    const NAME: &'static str = "clearance";
    const VERSION: u32 = 1;
    const INPUT_NAMES: &'static [&'static str] = &crate::clearance::PUBLIC_INPUT_NAMES;
    type Heading = crate::clearance::Heading;
    type Public = commitment::PublicInputs;
    type Witness = crate::clearance::Witness;

    fn shape() -> &'static Shape<Self::Heading> {
        crate::clearance::shape()
    }

    fn inputs(public: &Self::Public) -> Vec<Fr> {
        public.to_fields().to_vec()
    }

    fn assign(public: &Self::Public, witness: &Self::Witness) -> Assignment<Self::Heading> {
        crate::clearance::assign(public, witness)
    }
}

/// The circuit `opening`, version 1: whether a record holds what an event states.
#[derive(Clone, Copy, Debug)]
pub enum Opening {}

impl Circuit for Opening {
    const NAME: &'static str = "opening";
    const VERSION: u32 = 1;
    const INPUT_NAMES: &'static [&'static str] = &crate::opening::PUBLIC_INPUT_NAMES;
    type Heading = crate::opening::Heading;
    type Public = commitment::opening::OpeningInputs;
    type Witness = crate::opening::Witness;

    fn shape() -> &'static Shape<Self::Heading> {
        crate::opening::shape()
    }

    fn inputs(public: &Self::Public) -> Vec<Fr> {
        public.to_fields().to_vec()
    }

    fn assign(public: &Self::Public, witness: &Self::Witness) -> Assignment<Self::Heading> {
        crate::opening::assign(public, witness)
    }
}

/// The circuit `pseudonym`, version 1: what a record's resident is called by one who asks.
#[derive(Clone, Copy, Debug)]
pub enum Pseudonym {}

impl Circuit for Pseudonym {
    const NAME: &'static str = "pseudonym";
    const VERSION: u32 = 1;
    const INPUT_NAMES: &'static [&'static str] = &crate::pseudonym::PUBLIC_INPUT_NAMES;
    type Heading = crate::pseudonym::Heading;
    type Public = commitment::pseudonym::PseudonymInputs;
    type Witness = crate::pseudonym::Witness;

    fn shape() -> &'static Shape<Self::Heading> {
        crate::pseudonym::shape()
    }

    fn inputs(public: &Self::Public) -> Vec<Fr> {
        public.to_fields().to_vec()
    }

    fn assign(public: &Self::Public, witness: &Self::Witness) -> Assignment<Self::Heading> {
        crate::pseudonym::assign(public, witness)
    }
}
