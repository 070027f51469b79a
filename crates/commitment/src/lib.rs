//! What circuits, ledger and verifier share: native Poseidon, domain tags, and the canonical encodings of record,
//! rule table, risk map and public inputs.
//!
//! Knows no gadgets, no keys, no network; every function is pure.

mod circuit_id;
mod dated;
mod epoch;
mod field;
pub mod layout;
pub mod opening;
pub mod poseidon;
pub mod pseudonym;
mod public_inputs;
pub mod quorum;
pub mod record;
pub mod risk_tree;
pub mod rule_table;
pub mod tree;

pub use ark_bn254::Fr;
pub use circuit_id::{CircuitId, CircuitShortId, CircuitUse};
pub use dated::{DatedKeys, DatedKeysError, KEY_SWITCH_TOLERANCE_MIN, MAX_DATED_KEYS};
pub use epoch::{Epoch, Slot};
pub use field::{Error, fr_from_bytes, fr_to_bytes, pack, pow2};
pub use public_inputs::{BinderKind, PUBLIC_INPUTS, PublicInputs, binder, revocation_hash};
pub use record::{Blinding, IdentityCommitment, record_leaf};
pub use risk_tree::{RISK_DEPTH, RiskOpening, RiskTree};
pub use rule_table::rule_digest;
/// Types of the rules that every committed value is made of.
pub use rules::{Minute, ProvinceCode};
pub use tree::{
    MerklePath, REGISTRY_DEPTH, REGISTRY_SLOTS, STATE_DEPTH, Tree, empty_subtree, node_hash,
    registry_leaf,
};
