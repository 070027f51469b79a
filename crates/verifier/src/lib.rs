//! Pass, QR text, trust list, acceptance rule and verdict: what a checkpoint, or any partner, needs to believe a pass.
//!
//! Knows no clock, no network, no storage, no runtime and no constraint gadgets: [`verify`] is a pure function of what
//! was presented, the trust list, the gate, the time and the gate's own memory.

mod acceptance;
mod card;
mod challenge;
mod error;
mod groth16;
mod holder;
mod memory;
pub mod opening;
mod pass;
mod predicates;
mod qr;
mod showing;
mod time;
pub mod trust;
mod verdict;
mod verify;

pub use acceptance::{
    AcceptanceRule, BinderKinds, CARD_PASS_AGE_LIMIT_MIN, Gate, PASS_AGE_LIMIT_MIN, Specimens,
};
pub use card::{CardNumber, CardTag};
pub use challenge::{CHALLENGE_PREFIX, CHALLENGE_TEXT_CHARS, GateChallenge, GateId, GateNonce};
pub use commitment::{
    BinderKind, CircuitId, CircuitShortId, CircuitUse, Epoch, ProvinceCode, PublicInputs, Slot,
};
pub use error::Error;
pub use groth16::{
    BatchSeed, MAX_BATCH, PreparedCircuit, VERIFYING_KEY_LEN_BYTES, VerifyingKey, verify_proofs,
};
pub use holder::{Holder, HolderKey, RevocationHash};
pub use memory::{GateMemory, MEMORY_LIMIT};
pub use pass::{
    MAX_PASS_LEN_BYTES, PROOF_LEN_BYTES, Pass, PassProof, RiskMapShortId, RuleSetShortId,
};
pub use qr::{MAX_QR_TEXT_CHARS, QR_PREFIX, QrText};
pub use showing::{MAX_SHOWING_LEN_BYTES, Moment, Showing};
pub use time::{CLOCK_TOLERANCE_S, SLOT_LEN_S, ShowingSlot, UnixTime};
pub use trust::TrustList;
pub use verdict::{Accepted, Code, Outcome, Reason, Texts, Verdict, Why};
pub use verify::{Presented, verify, verify_batch, verify_text};
