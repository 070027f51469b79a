//! Passes, showings and trust lists as a gate meets them, good and bad.

mod bench;
mod bytes;
mod dated_keys;
mod docs;
mod edges;
mod fixture;
mod limits;
mod proofs;
mod revocations;
mod showings;
mod trust;
mod vectors;
mod verdicts;
