//! A record to try the statement on, in a state tree and a registry, and who asks what its resident is called.

use commitment::pseudonym::{Period, PseudonymInputs, Scope};
use commitment::record::RecordLayout;
use commitment::{
    BinderKind, Blinding, Fr, IdentityCommitment, MerklePath, Minute, REGISTRY_DEPTH, STATE_DEPTH,
    Tree, binder, registry_leaf,
};
use rules::{IdentityNumber, Record};

use super::{Plan, PlanError, Witness, plan};
use crate::clearance::scene::{ago, path};
use crate::opening::scene as of_openings;

/// A record in its surroundings, and a question.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The record.
    pub record: Record,
    /// Whose it is.
    pub subject: IdentityNumber,
    /// The salt of the identity in it.
    pub salt: u64,
    /// What hides it.
    pub blinding: u64,
    /// Its position in the state tree.
    pub leaf_index: u32,
    /// The province's slot.
    pub slot: u8,
    /// When the tree head was signed.
    pub head_time: Minute,
    /// The epoch's closing minute.
    pub as_of: Minute,
    /// Who asks.
    pub scope: Scope,
    /// For which of its spans.
    pub period: Period,
}

/// The scope of the scenes' hospital.
///
/// # Panics
/// Never: the name is one.
pub fn hospital() -> Scope {
    Scope::of_name("hospital/330102/17").expect("a name")
}

/// The scope of the scenes' pharmacy.
///
/// # Panics
/// Never: the name is one.
pub fn pharmacy() -> Scope {
    Scope::of_name("pharmacy/330102/2201").expect("a name")
}

impl Scene {
    /// The scenes' record, and a hospital that asks without end.
    pub fn new() -> Self {
        Self {
            record: of_openings::record(),
            subject: of_openings::subject(),
            salt: 5,
            blinding: 77,
            leaf_index: 12_345_678,
            slot: of_openings::SLOT,
            head_time: ago(3),
            as_of: ago(0),
            scope: hospital(),
            period: Period::default(),
        }
    }

    /// The pseudonym with its public inputs and a witness.
    ///
    /// # Errors
    /// [`PlanError`] for a head from after the close.
    pub fn named(&self) -> Result<(PseudonymInputs, Witness), PlanError> {
        let layout = RecordLayout::from(&self.record);
        let identity = self.identity();
        let blinding = Blinding(Fr::from(self.blinding));
        let leaf = layout.leaf(identity, blinding);
        let (state_path, state_root) = path(Tree::State, STATE_DEPTH, self.leaf_index, leaf);
        let (registry_path, registry_root) = registered(self.slot, self.head_time, state_root);
        plan(&Plan {
            record: &layout,
            identity,
            blinding,
            state_path: &state_path,
            state_root,
            head_time: self.head_time,
            registry_path: &registry_path,
            registry_root,
            as_of: self.as_of,
            scope: self.scope,
            period: self.period,
            binder: pass_binder(7),
        })
    }

    /// The identity in the record.
    pub fn identity(&self) -> IdentityCommitment {
        IdentityCommitment::new(self.subject.expose(), Fr::from(self.salt))
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// The binder of a pass for a device's key.
pub fn pass_binder(key: u8) -> Fr {
    binder(BinderKind::Device, &[key; 33], &[9; 16])
}

/// A tree head's way in a registry that holds little else, and its root.
pub(crate) fn registered(slot: u8, head_time: Minute, state_root: Fr) -> (MerklePath, Fr) {
    let leaf = registry_leaf(slot, head_time, state_root);
    path(Tree::Registry, REGISTRY_DEPTH, u32::from(slot), leaf)
}
