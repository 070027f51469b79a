//! Public inputs of the statement `pseudonym`: who asks, until when, and what a resident is called there.

use rules::Minute;
use sha2::{Digest, Sha256};

use crate::poseidon::{Domain, hash3};
use crate::{Fr, IdentityCommitment, pack};

/// Public inputs of the statement `pseudonym`; as many as a pass has, so that keys and proofs have its form.
pub const PSEUDONYM_INPUTS: usize = 6;
/// Longest name of a scope, in bytes: a certificate's name with room for a department.
pub const MAX_SCOPE_NAME_LEN_BYTES: usize = 64;

/// Bytes of a digest that an element holds, whatever they are.
const SCOPE_LEN_BYTES: usize = 31;

/// Who asks for a pseudonym: those of one scope can be compared, those of two cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope(Fr);

impl Scope {
    /// The scope of a name: the first 31 bytes of SHA-256 over a domain string and the name, so that no two names share one.
    ///
    /// # Errors
    /// [`ScopeError`] for a name that is empty, longer than [`MAX_SCOPE_NAME_LEN_BYTES`], or of other than visible ASCII
    /// characters, of which two could look the same; whoever names the scope is at fault.
    pub fn of_name(name: &str) -> Result<Self, ScopeError> {
        let fits = (1..=MAX_SCOPE_NAME_LEN_BYTES).contains(&name.len());
        if !fits || !name.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(ScopeError);
        }
        let digest = Sha256::new()
            .chain_update(b"viridian/pseudonym-scope/v1\0")
            .chain_update(name)
            .finalize();
        let bytes: Vec<(u64, usize)> = digest[..SCOPE_LEN_BYTES]
            .iter()
            .rev()
            .map(|byte| (u64::from(*byte), 8))
            .collect();
        Ok(Self(pack(&bytes)))
    }

    /// A scope from its element, as a vector states it.
    pub const fn from_element(element: Fr) -> Self {
        Self(element)
    }

    /// The element.
    pub const fn element(self) -> Fr {
        self.0
    }
}

/// A name that no scope has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a scope's name has 1 to {MAX_SCOPE_NAME_LEN_BYTES} visible ASCII characters")]
pub struct ScopeError;

/// Which of a scope's spans a pseudonym is for; zero where it has no end. What a number stands for is said beside the scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Period(pub u32);

/// What a resident is called in one scope and period. Who holds the scope's papers knows a person by it, so it is printed nowhere.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pseudonym(Fr);

impl Pseudonym {
    /// The pseudonym of an identity: whoever knows the identity's commitment can compute it for every scope.
    pub fn new(identity: IdentityCommitment, scope: Scope, Period(period): Period) -> Self {
        Self(hash3(
            Domain::Pseudonym,
            &[identity.element(), scope.element(), Fr::from(period)],
        ))
    }

    /// A pseudonym from its element, as it is shown.
    pub const fn from_element(element: Fr) -> Self {
        Self(element)
    }

    /// The element.
    pub const fn element(self) -> Fr {
        self.0
    }
}

impl std::fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonym(..)")
    }
}

/// The public inputs of the statement `pseudonym`, in the order of the constraint system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PseudonymInputs {
    /// Root over the federation's tree heads of an epoch: the pass's.
    pub registry_root: Fr,
    /// The epoch's closing minute.
    pub as_of: Minute,
    /// Who asks.
    pub scope: Scope,
    /// For which of its spans.
    pub period: Period,
    /// What the resident is called there.
    pub pseudonym: Pseudonym,
    /// The binder of the pass that it is shown with.
    pub binder: Fr,
}

impl PseudonymInputs {
    /// The field elements in their fixed order: registry root, as-of, scope, period, pseudonym, binder.
    pub fn to_fields(&self) -> [Fr; PSEUDONYM_INPUTS] {
        [
            self.registry_root,
            Fr::from(self.as_of.get()),
            self.scope.element(),
            Fr::from(self.period.0),
            self.pseudonym.element(),
            self.binder,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fr_to_bytes, pow2};

    fn identity(salt: u64) -> IdentityCommitment {
        IdentityCommitment::new(b"330102199001011234", Fr::from(salt))
    }

    #[test]
    fn a_scope_is_the_first_bytes_of_its_names_digest() {
        let digest = Sha256::digest(b"viridian/pseudonym-scope/v1\0hospital/330102/17");
        let scope = Scope::of_name("hospital/330102/17").unwrap();
        let bytes = fr_to_bytes(scope.element());
        assert_eq!((bytes[0], &bytes[1..]), (0, &digest[..31]));
        assert_ne!(Scope::of_name("hospital/330102/18"), Ok(scope));
    }

    #[test]
    fn a_name_is_short_and_visible() {
        let longest = "h".repeat(MAX_SCOPE_NAME_LEN_BYTES);
        assert!(Scope::of_name(&longest).is_ok());
        for name in ["", "hospital 17", "hospital\n", "医院", &(longest + "h")] {
            assert_eq!(Scope::of_name(name), Err(ScopeError), "{name:?}");
        }
    }

    #[test]
    fn a_pseudonym_depends_on_identity_scope_and_period_and_is_no_other_hash_of_them() {
        let [one, two] = ["pharmacy/1", "pharmacy/2"].map(|name| Scope::of_name(name).unwrap());
        let base = Pseudonym::new(identity(1), one, Period(0));
        assert_eq!(base, Pseudonym::new(identity(1), one, Period(0)));
        for other in [
            Pseudonym::new(identity(2), one, Period(0)),
            Pseudonym::new(identity(1), two, Period(0)),
            Pseudonym::new(identity(1), one, Period(1)),
        ] {
            assert_ne!(base, other);
        }
        let inputs = [identity(1).element(), one.element(), pow2(0) - pow2(0)];
        assert_ne!(base.element(), hash3(Domain::Identity, &inputs));
        assert_eq!(format!("{base:?}"), "Pseudonym(..)");
    }
}
