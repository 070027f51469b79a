//! The statement as rank-1 rows, under the headings of `STATEMENT.md`.

use commitment::Tree;
use commitment::poseidon::Domain;
use commitment::pseudonym::{PSEUDONYM_INPUTS, PseudonymInputs};

use super::{Heading, Witness};
use crate::gadget::{bits, leaf, merkle, poseidon};
use crate::rows::{Purpose, Rows, Walk, Wire};

/// Bits of a moment.
const MINUTE_BITS: usize = 26;

/// The public inputs' names, in their order.
pub const PUBLIC_INPUT_NAMES: [&str; PSEUDONYM_INPUTS] = [
    "registry_root",
    "as_of",
    "scope",
    "period",
    "pseudonym",
    "binder",
];

/// Walks over the whole statement.
pub(super) fn walk(
    purpose: Purpose,
    public: &PseudonymInputs,
    w: &Witness,
    omitted: Option<Heading>,
) -> Walk<Heading> {
    let fields = public.to_fields();
    let named: [_; PSEUDONYM_INPUTS] = std::array::from_fn(|i| (PUBLIC_INPUT_NAMES[i], fields[i]));
    let (mut rows, wires) = Rows::new(purpose, Heading::RegistryMembership, &named, omitted);
    let wires: [Wire; PSEUDONYM_INPUTS] = wires.try_into().expect("as many as were given");
    let [registry_root, as_of, scope, period, pseudonym, binder] = wires;
    let rows_ = &mut rows;

    let head = (w.head_time, w.state_root);
    let (head_time, state_root) = leaf::registered(rows_, head, &w.registry_path, &registry_root);

    // `as_of` has 26 bits by the verifier's type.
    rows_.under(Heading::HeadTime);
    bits::bits(rows_, "back", &(&as_of - &head_time), MINUTE_BITS);

    rows_.under(Heading::StateMembership);
    let own = rows_.witness("leaf", w.leaf);
    let (root, _) = merkle::root(rows_, Tree::State, &own, &w.state_path);
    rows_.equal("root", &root, &state_root);

    // The record is hashed as it stands: nothing here reads it.
    rows_.under(Heading::RecordOpening);
    let elements = w.elements.iter().enumerate();
    let elements: Vec<Wire> = elements
        .map(|(i, element)| rows_.witness(("element", i), *element))
        .collect();
    let (hashed, identity) = leaf::record(rows_, &elements, w.identity, w.blinding);
    rows_.equal("leaf", &hashed, &own);

    rows_.under(Heading::Pseudonym);
    let named = [identity, scope, period];
    let hashed = poseidon::hash(rows_, "hash", Domain::Pseudonym, &named);
    rows_.equal("pseudonym", &hashed, &pseudonym);

    // The binder is used nowhere else; a row of its own keeps it from vanishing out of the key.
    rows_.under(Heading::Binder);
    let _ = rows_.product("square", &binder, &binder);
    rows.finish()
}
