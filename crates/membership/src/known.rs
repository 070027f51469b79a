//! What a holder of a root key saw last. The folder is anybody's: whoever put another root document there could show a
//! holder small changes of it, and would have a signature under what it really says.

use std::path::{Path, PathBuf};

use verifier::trust::{MAX_SIGNED_ROOT_LEN_BYTES, SignedRoot};

use crate::MembershipError;
use crate::folder::{read_bytes, replace};

/// The root document that a holder saw last, in a file beside the key: `KEY.known`.
#[derive(Clone, Debug)]
pub struct Known {
    path: PathBuf,
    root: Option<SignedRoot>,
}

impl Known {
    /// Reads it; a holder who has seen none yet knows none.
    ///
    /// # Errors
    /// [`MembershipError::File`], [`MembershipError::Trust`].
    pub fn beside(key_file: &Path) -> Result<Self, MembershipError> {
        let mut name = key_file.file_name().unwrap_or_default().to_owned();
        name.push(".known");
        let path = key_file.with_file_name(name);
        let root = if matches!(std::fs::exists(&path), Ok(false)) {
            None
        } else {
            let bytes = read_bytes(&path, MAX_SIGNED_ROOT_LEN_BYTES as u64)?;
            Some(SignedRoot::from_bytes(&bytes)?)
        };
        Ok(Self { path, root })
    }

    /// Checks that the root document in force is the one known, or that enough of the keys that it names signed it later.
    ///
    /// # Errors
    /// [`MembershipError::Unknown`].
    pub fn check(&self, in_force: Option<&SignedRoot>) -> Result<(), MembershipError> {
        let Some(known) = &self.root else {
            return Ok(());
        };
        let number = known.document().sequence;
        let refuse = |what: String| {
            Err(MembershipError::Unknown {
                known: number.get(),
                what,
            })
        };
        let Some(offered) = in_force else {
            return refuse("there is none".to_owned());
        };
        if offered.document() == known.document() {
            return Ok(());
        }
        if offered.document().sequence <= number {
            return refuse(format!(
                "it is number {}",
                offered.document().sequence.get()
            ));
        }
        match offered.check_pinned(&known.document().root_keys) {
            Ok(()) => Ok(()),
            Err(error) => refuse(error.to_string()),
        }
    }

    /// Takes note of the root document in force.
    ///
    /// # Errors
    /// [`MembershipError::File`].
    pub fn note(&self, in_force: &SignedRoot) -> Result<(), MembershipError> {
        replace(&self.path, &in_force.to_bytes()?)
    }
}
