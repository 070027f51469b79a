//! Proving and verifying keys: made again from a seed, or read from files with suspicion.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use commitment::{CircuitId, CircuitUse};
use prover::{KeyError, Prover};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use verifier::VerifyingKey;

use super::{points, snarkjs};
use crate::files;
use crate::test_key::{self, Seed};

/// As the prover's own limit.
const MAX_KEY_BYTES: usize = 64 << 20;
/// In either form a verifying key for six inputs takes a few kilobytes; more is read only to say how much it is.
const MAX_VERIFYING_KEY_BYTES: usize = 64 << 10;

/// A key that was rebuilt or read, as far as verifiers see it.
pub(super) struct Known {
    /// Where it comes from, for messages.
    pub(super) from: String,
    /// Its use, where that is known.
    pub(super) circuit_use: Option<CircuitUse>,
    pub(super) verifying_key: Vec<u8>,
}

/// What is printed of a key.
#[derive(Serialize)]
pub(super) struct KeyReport {
    from: String,
    /// Test or production; both identities are given where the key does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    circuit_use: Option<&'static str>,
    /// SHA-256 and length of the key file, which configurations pin.
    #[serde(skip_serializing_if = "Option::is_none")]
    key_file: Option<KeyFile>,
    verifying_key_sha256: String,
    verifying_key_bytes: usize,
    circuit_ids: Vec<Identity>,
    /// What was looked at, and what was not.
    checked: &'static str,
}

#[derive(Serialize)]
struct KeyFile {
    sha256: String,
    length: usize,
}

#[derive(Serialize)]
struct Identity {
    circuit_use: &'static str,
    id: String,
    short: String,
}

impl Identity {
    fn of(id: CircuitId) -> Self {
        Self {
            circuit_use: use_word(id.circuit_use()),
            id: id.to_string(),
            short: id.short().to_string(),
        }
    }
}

pub(super) const fn use_word(circuit_use: CircuitUse) -> &'static str {
    match circuit_use {
        CircuitUse::Production => "production",
        CircuitUse::Test => "test",
    }
}

/// A key with what is printed of it.
pub(super) type Read = (Known, KeyReport);

/// The test key of a seed, made again.
pub(super) fn from_seed(seed: &Seed) -> Result<Read> {
    let prover = test_key::make(seed, None)?;
    let from = format!("the test key of seed {}", seed.name());
    let bytes = prover.to_bytes();
    let checked = "made here from the seed; whoever knows the seed can forge";
    report(&prover, from, &bytes, checked)
}

/// A key file, whose SHA-256 is pinned on the command line.
///
/// # Errors
/// What is wrong with it; a wrong digest comes as [`PinError::Differs`].
pub(super) fn from_file(path: &Path, pinned: &[u8; 32]) -> Result<Read, PinError> {
    let bytes = files::read(path, MAX_KEY_BYTES)?;
    let bar = files::spinner("reading the key file");
    let read = Prover::from_pinned_bytes(&bytes, pinned);
    bar.finish_and_clear();
    let prover = match read {
        Err(KeyError::Digest) => {
            return Err(PinError::Differs {
                is: hex::encode(Sha256::digest(&bytes)),
                pinned: hex::encode(pinned),
            });
        }
        other => other.with_context(|| format!("{} is refused", path.display()))?,
    };
    let sign = files::spinner("checking the key's points");
    let sound = prover.check_points();
    sign.finish_and_clear();
    sound.with_context(|| format!("{} is refused", path.display()))?;
    let checked = "its SHA-256 is the pinned one, its matrices are the rebuilt ones, all its points are on their curves and in their \
         groups, none of the verifying key's is at infinity, gamma is not delta. How it came about the bytes do not say: for that \
         there is the ceremony's transcript";
    Ok(report(
        &prover,
        path.display().to_string(),
        &bytes,
        checked,
    )?)
}

/// Why a pinned key file cannot be taken.
pub(super) enum PinError {
    /// Its digest is another: a comparison that failed.
    Differs { is: String, pinned: String },
    /// It cannot be read or its content is refused.
    Refused(anyhow::Error),
}

impl From<anyhow::Error> for PinError {
    fn from(error: anyhow::Error) -> Self {
        Self::Refused(error)
    }
}

fn report(prover: &Prover, from: String, file: &[u8], checked: &'static str) -> Result<Read> {
    let verifying_key = checked_bytes(prover.verifying_key())
        .with_context(|| format!("{from} holds a bad verifying key"))?;
    let id = prover.circuit_id();
    let report = KeyReport {
        from: from.clone(),
        circuit_use: Some(use_word(id.circuit_use())),
        key_file: Some(KeyFile {
            sha256: hex::encode(Sha256::digest(file)),
            length: file.len(),
        }),
        verifying_key_sha256: hex::encode(Sha256::digest(&verifying_key)),
        verifying_key_bytes: verifying_key.len(),
        circuit_ids: vec![Identity::of(id)],
        checked,
    };
    let known = Known {
        from,
        circuit_use: Some(id.circuit_use()),
        verifying_key,
    };
    Ok((known, report))
}

/// A verifying key from a file, taken by the verifier.
pub(super) struct VerifyingKeyFile {
    from: String,
    key: Vec<u8>,
}

impl VerifyingKeyFile {
    /// Reads arkworks' compressed form, or snarkjs' JSON.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let from = path.display().to_string();
        let bytes = files::read(path, MAX_VERIFYING_KEY_BYTES)?;
        let key = if bytes.trim_ascii_start().starts_with(b"{") {
            snarkjs::verifying_key(&bytes)
        } else {
            checked_bytes(&bytes)
        };
        let key = key.with_context(|| format!("{from} is refused as a verifying key"))?;
        Ok(Self { from, key })
    }

    /// The key with what is printed of it, its identities being those under these matrices.
    pub(super) fn under(self, matrix_digest: &[u8; 32]) -> Read {
        let Self { from, key } = self;
        let ids = [CircuitUse::Test, CircuitUse::Production]
            .map(|circuit_use| Identity::of(CircuitId::new(circuit_use, matrix_digest, &key)));
        let report = KeyReport {
            from: from.clone(),
            circuit_use: None,
            key_file: None,
            verifying_key_sha256: hex::encode(Sha256::digest(&key)),
            verifying_key_bytes: key.len(),
            circuit_ids: ids.into(),
            checked: "six public inputs; all points on their curves, in their groups and not at infinity; gamma is not delta. Whose key \
                 it is, and for which matrices, the bytes do not say",
        };
        let known = Known {
            from,
            circuit_use: None,
            verifying_key: key,
        };
        (known, report)
    }
}

/// The key's bytes, if the verifier takes them; otherwise which point is wrong, and how.
fn checked_bytes(bytes: &[u8]) -> Result<Vec<u8>> {
    match VerifyingKey::from_bytes(bytes) {
        Ok(key) => Ok(key.to_bytes()),
        Err(verifier::Error::BadPoint(_)) => Err(points::fault(bytes).map_or_else(
            || anyhow!("a point is not canonically written"),
            anyhow::Error::from,
        )),
        Err(error) => Err(error.into()),
    }
}

impl KeyReport {
    pub(super) fn text(&self) -> String {
        let mut out = format!("{}\n", self.from);
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(out, "    {name:<22} {value}");
        };
        if let Some(file) = &self.key_file {
            line(
                "key file",
                &format!("SHA-256 {}, {} bytes", file.sha256, file.length),
            );
        }
        line(
            "verifying key",
            &format!(
                "SHA-256 {}, {} bytes",
                self.verifying_key_sha256, self.verifying_key_bytes
            ),
        );
        for id in &self.circuit_ids {
            line(
                &format!("circuit id ({})", id.circuit_use),
                &format!("{}, short {}", id.id, id.short),
            );
        }
        line("checked", self.checked);
        out
    }
}
