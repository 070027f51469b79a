//! The transparency log of a province and its witnesses, in the forms that C2SP publishes.
//!
//! | part | published as |
//! |---|---|
//! | [`SignedCheckpoint`] | c2sp.org/signed-note, c2sp.org/tlog-checkpoint |
//! | [`Log`], [`TilePath`], [`bundle`] | c2sp.org/tlog-tiles, RFC 6962 section 2.1 |
//! | [`NoteKey`] of a cosigner | c2sp.org/tlog-cosignature, `cosignature/v1` |
//! | [`AddCheckpoint`], [`WitnessState`] | c2sp.org/tlog-witness |
//! | [`WitnessPolicy`] | c2sp.org/tlog-policy |
//!
//! Stored entries, stored states, keys and time are arguments, as everywhere in this crate.

mod checkpoint;
mod counts;
mod entry;
mod error;
mod evidence;
mod keys;
mod note;
mod policy;
mod remote;
mod tile;
mod tree;
mod witness;

pub use checkpoint::{MAX_CHECKPOINT_LEN_BYTES, SignedCheckpoint};
pub use counts::{
    AppealCounts, Bounds, ColourCell, ColourCode, ColourCounts, CountedSet, ImpactCell,
    ImpactCount, RetentionCounts, Rounded, SMALLEST, SOURCE_CELLS_OF_PART, STEP, SourceCell,
    SourceCounts, Wait,
};
pub use entry::{
    CommitmentBatch, ENTRY_LEN_MAX_BYTES, Entry, KeyChange, KeyRole, RevocationBatch,
    RuleSetNotice, SourceEntitlement,
};
pub use error::LogError;
pub use evidence::Evidence;
pub use keys::{LogKeys, LogSigner, SIGNED_LOG_KEYS_LEN_BYTES, SignedLogKeys};
pub use note::NoteKey;
pub use policy::{MAX_POLICY_LEN_BYTES, WitnessPolicy};
pub use remote::prove_by_tiles;
pub use tile::{BUNDLE_LEN, ENTRY_BUNDLE_LEN_MAX_BYTES, TilePath, bundle, read_bundle};
pub use tree::{
    Log, LogHash, LogPart, MAX_LOG_SIZE, MAX_PROOF_LEN, ReadBundle, ReadError, check_consistency,
    check_inclusion, leaf_hash,
};
pub use witness::{AddCheckpoint, MAX_ADD_CHECKPOINT_LEN_BYTES, WitnessPermit, WitnessState};
