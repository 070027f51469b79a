//! A kind of wire that the prover may set as it likes.

use std::fmt::Display;

/// A kind of wire that the prover may set as it likes, and why that is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice<H> {
    /// The heading under which the wire is named.
    pub heading: H,
    /// The rest of its name, indices left out.
    pub kind: &'static str,
    /// Whether other wires follow from it; nothing hangs on one that is idle, whatever its value.
    pub idle: bool,
    /// Why the choice cannot make a claim hold that does not.
    pub why: &'static str,
}

impl<H: Display> Choice<H> {
    /// The whole kind, as names have it with their indices left out.
    pub fn name(&self) -> String {
        format!("{}/{}", self.heading, self.kind)
    }
}
