//! Commitment.
