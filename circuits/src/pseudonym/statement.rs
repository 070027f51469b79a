//! The native relation: the same statement as the rows, heading by heading, in plain arithmetic.

use commitment::poseidon::{Domain, hash3};
use commitment::pseudonym::{Pseudonym, PseudonymInputs};
use commitment::record::packed_leaf;
use commitment::{Fr, Tree};

use super::{Heading, Witness};

/// Why the relation refuses: the heading that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("pseudonym does not hold: {0}")]
pub struct Refusal(pub Heading);

/// Whether `witness` fulfils the statement for `public`; the first heading that fails, if not. The binder has no relation
/// to the witness: any will do.
///
/// # Errors
/// [`Refusal`] with that heading.
pub fn check(public: &PseudonymInputs, w: &Witness) -> Result<(), Refusal> {
    let need = |holds: bool, heading| if holds { Ok(()) } else { Err(Refusal(heading)) };
    if let Some(heading) = w.malformed() {
        return Err(Refusal(heading));
    }
    let slot = Fr::from(w.registry_path.index);
    let head = [slot, Fr::from(w.head_time), w.state_root];
    let registered = hash3(Domain::RegistryLeaf, &head);
    let registry_root = w.registry_path.root(Tree::Registry, registered);
    need(
        registry_root == Some(public.registry_root),
        Heading::RegistryMembership,
    )?;
    need(w.head_time <= public.as_of.get(), Heading::HeadTime)?;
    let state_root = w.state_path.root(Tree::State, w.leaf);
    need(state_root == Some(w.state_root), Heading::StateMembership)?;
    let leaf = packed_leaf(&w.elements, w.identity, w.blinding);
    need(leaf == w.leaf, Heading::RecordOpening)?;
    let pseudonym = Pseudonym::new(w.identity, public.scope, public.period);
    need(pseudonym == public.pseudonym, Heading::Pseudonym)
}
