//! The private input of `pseudonym`: a packed record with its way to the registry.

use commitment::record::RECORD_ELEMENTS;
use commitment::{Blinding, Fr, IdentityCommitment, MerklePath, REGISTRY_DEPTH, STATE_DEPTH};

use super::Heading;

/// The private input of `pseudonym`.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The record, packed: nothing in it is read.
    pub elements: [Fr; RECORD_ELEMENTS],
    /// Whose it is.
    pub identity: IdentityCommitment,
    /// What hides it.
    pub blinding: Blinding,
    /// The leaf that the record is said to give.
    pub leaf: Fr,
    /// From the leaf to the province's state root.
    pub state_path: MerklePath,
    /// The state root that the path is said to lead to.
    pub state_root: Fr,
    /// Minute of the province's tree head.
    pub head_time: u32,
    /// From the province's leaf to the registry root; the index is the province's slot.
    pub registry_path: MerklePath,
}

impl Witness {
    /// The heading under which this is no witness at all: a path of another depth, or a time wider than its wires.
    /// The type admits such things; no prover could state them.
    pub fn malformed(&self) -> Option<Heading> {
        let wrong = [
            (
                !self.registry_path.fits(REGISTRY_DEPTH),
                Heading::RegistryMembership,
            ),
            (self.head_time >> 26 != 0, Heading::HeadTime),
            (!self.state_path.fits(STATE_DEPTH), Heading::StateMembership),
        ];
        wrong
            .into_iter()
            .find(|(wrong, _)| *wrong)
            .map(|(_, heading)| heading)
    }
}
