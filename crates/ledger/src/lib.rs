//! What provinces commit to together: the state tree, signed tree heads, the registry of an epoch and its cosignatures.
//!
//! Knows no records, no network and no storage; signing keys, time and stored state are arguments.

mod cosigner;
mod error;
mod head;
pub mod log;
pub mod receipt;
mod registry;
mod roster;
pub mod sample;
mod state_tree;
mod statement;

pub use commitment::quorum::quorum;
pub use commitment::{Epoch, MerklePath, Minute, ProvinceCode, Slot};
pub use cosigner::{
    Closing, CosignPolicy, CosignerState, Expected, MAX_COSIGNER_STATE_LEN_BYTES, Permit, SeenHead,
};
pub use error::Error;
pub use head::{
    HeadHash, RuleSetsDigest, SIGNED_TREE_HEAD_LEN_BYTES, SignedTreeHead, TREE_HEAD_LEN_BYTES,
    TreeHead,
};
pub use registry::{Registry, RegistryEntry};
pub use roster::{HeadKeys, Member, Roster};
pub use state_tree::{LeafIndex, STATE_LEAVES, StateTree};
pub use statement::{
    COSIGNATURE_LEN_BYTES, Cosignature, CosignedStatement, MAX_COSIGNED_LEN_BYTES,
    MAX_STATEMENT_LEN_BYTES, RegistryStatement, StatementHash,
};
