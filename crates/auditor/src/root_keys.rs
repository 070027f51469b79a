//! The root keys that a command line pins.

use anyhow::{Context as _, Result};
use ed25519_dalek::VerifyingKey;
use verifier::trust::RootKeys;

/// These keys, of which `threshold` must have signed; all of them if that is not given.
pub(crate) fn pinned(keys: &[VerifyingKey], threshold: Option<u8>) -> Result<RootKeys> {
    let all = u8::try_from(keys.len()).unwrap_or(u8::MAX);
    RootKeys::new(keys.to_vec(), threshold.unwrap_or(all)).context("the root keys are refused")
}
