//! The auditor's room: the zero-knowledge statements as prose, native relation and rank-1 rows.
//!
//! Knows no keys, no proofs, no storage and no network.

pub mod clearance;
pub mod gadget;
pub mod rows;
