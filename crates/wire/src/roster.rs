//! Who belongs to the federation, as a root document names them.

use ledger::{Member, Roster};
use verifier::trust::RootDocument;

/// The members that a root document names, as those are checked who sign heads, registries and logs.
///
/// # Errors
/// [`ledger::Error`] where the document's provinces contradict each other; whoever signed it is at fault.
pub fn roster_of(root: &RootDocument) -> Result<Roster, ledger::Error> {
    let members = root.provinces.iter().map(|entry| Member {
        province: entry.province,
        slot: entry.slot,
        head_keys: entry.head_keys.clone(),
    });
    Roster::new(members.collect())
}
