//! From a record and a question to a pseudonym and a witness.

use commitment::pseudonym::{Period, Pseudonym, PseudonymInputs, Scope};
use commitment::record::RecordLayout;
use commitment::{
    Blinding, Fr, IdentityCommitment, MerklePath, Minute, REGISTRY_DEPTH, STATE_DEPTH,
};

use super::Witness;

/// Everything that a pseudonym is proved from.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// The record as it is committed.
    pub record: &'a RecordLayout,
    /// Whose it is.
    pub identity: IdentityCommitment,
    /// What hides its leaf.
    pub blinding: Blinding,
    /// From its leaf to the state root.
    pub state_path: &'a MerklePath,
    /// The province's state root.
    pub state_root: Fr,
    /// When its tree head was signed.
    pub head_time: Minute,
    /// From the province's leaf to the registry root; the index is its slot.
    pub registry_path: &'a MerklePath,
    /// Root of the registry of the epoch.
    pub registry_root: Fr,
    /// The epoch's closing minute.
    pub as_of: Minute,
    /// Who asks.
    pub scope: Scope,
    /// For which of its spans.
    pub period: Period,
    /// The binder of the pass that the pseudonym is to be shown with.
    pub binder: Fr,
}

/// Why there is no pseudonym to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The tree head was signed after the epoch's close; whoever put head and epoch together is at fault.
    #[error("the tree head is later than the epoch's close")]
    HeadAfterClose,
}

/// The pseudonym with its public inputs and a witness.
///
/// # Errors
/// [`PlanError::HeadAfterClose`].
pub fn plan(plan: &Plan<'_>) -> Result<(PseudonymInputs, Witness), PlanError> {
    if plan.head_time > plan.as_of {
        return Err(PlanError::HeadAfterClose);
    }
    let public = PseudonymInputs {
        registry_root: plan.registry_root,
        as_of: plan.as_of,
        scope: plan.scope,
        period: plan.period,
        pseudonym: Pseudonym::new(plan.identity, plan.scope, plan.period),
        binder: plan.binder,
    };
    let witness = Witness {
        elements: plan.record.elements(),
        identity: plan.identity,
        blinding: plan.blinding,
        leaf: plan.record.leaf(plan.identity, plan.blinding),
        state_path: plan.state_path.clone(),
        state_root: plan.state_root,
        head_time: plan.head_time.get(),
        registry_path: plan.registry_path.clone(),
    };
    Ok((public, witness))
}

/// A public input and a witness of the right form and no truth, for walking over the statement's shape.
pub(super) fn blank() -> (PseudonymInputs, Witness) {
    let zero = Fr::from(0u64);
    let path = |levels| MerklePath {
        index: 0,
        levels: vec![[zero; 8]; levels],
    };
    plan(&Plan {
        record: &RecordLayout::default(),
        identity: IdentityCommitment::from_element(zero),
        blinding: Blinding(zero),
        state_path: &path(STATE_DEPTH),
        state_root: zero,
        head_time: Minute::ZERO,
        registry_path: &path(REGISTRY_DEPTH),
        registry_root: zero,
        as_of: Minute::ZERO,
        scope: Scope::from_element(zero),
        period: Period::default(),
        binder: zero,
    })
    .expect("no head is later than itself")
}
