//! Passes, showings and trust lists as a gate meets them, good and bad.

mod bytes;
mod docs;
mod fixture;
mod proofs;
mod trust;
mod verdicts;
