use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ark_bn254::Bn254;
use ark_ec::AffineRepr;
use ark_groth16::ProvingKey;
use ark_relations::gr1cs::SynthesisError;
use circuits::{Circuit, Clearance, Opening, Pseudonym, Shape};
use commitment::{CircuitId, CircuitUse};
use sha2::{Digest, Sha256};

use crate::scheme::{self, Rows};

/// First bytes of a key file; the last one is its version.
const MAGIC: &[u8; 8] = b"VIRPKEY\x01";
/// Bytes before the key: magic, use, matrix digest.
const HEAD_BYTES: usize = 8 + 1 + 32;
/// A key file is about 12 MB for 32,768 rows.
const MAX_KEY_BYTES: usize = 64 << 20;

/// Why a proving key cannot be had; the file or who made it is at fault, except for `Io` and `Setup`.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("proving key file {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are no key file of this version, or longer than 64 MiB.
    #[error("not a proving key: {0}")]
    Format(&'static str),
    /// The key is for other constraint matrices than the ones built here.
    #[error("the proving key is for another circuit than the one built here")]
    OtherCircuit,
    /// The bytes are not those that the configuration pins.
    #[error("the proving key's SHA-256 is not the pinned one")]
    Digest,
    /// A key without a phase-2 contribution (gamma equals delta), under which anybody can forge.
    #[error("the proving key has gamma equal to delta: anybody could forge proofs under it")]
    GammaIsDelta,
    /// A point of the key is off its curve or outside its group; whoever made the key is at fault.
    #[error("the proving key has a point that is off its curve or outside its group")]
    BadPoint,
    /// The circuit could not be synthesised; a fault of this crate.
    #[error("test parameters could not be made: {0}")]
    Setup(SynthesisError),
}

/// A proving key for `clearance`, ready to prove.
pub type Prover = ProverOf<Clearance>;
/// A proving key for `opening`, ready to prove.
pub type OpeningProver = ProverOf<Opening>;
/// A proving key for `pseudonym`, ready to prove.
pub type PseudonymProver = ProverOf<Pseudonym>;

/// A proving key with the constraint matrices it belongs to, ready to prove.
pub struct ProverOf<C: Circuit> {
    pub(crate) key: ProvingKey<Bn254>,
    pub(crate) shape: &'static Shape<C::Heading>,
    id: CircuitId,
    verifying_key: Vec<u8>,
}

impl<C: Circuit> ProverOf<C> {
    /// Makes parameters for **tests and demonstrations** from one party's seed: who knows the seed can forge. The
    /// circuit's identity carries the flag, and production nodes and verifiers refuse it. Takes some seconds.
    ///
    /// # Errors
    /// [`KeyError::Setup`] if the circuit cannot be synthesised.
    pub fn from_test_parameters(seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = scheme::set_up(Rows::of(C::shape()), seed).map_err(KeyError::Setup)?;
        Self::new(key, CircuitUse::Test)
    }

    /// As [`ProverOf::from_test_parameters`], kept in `directory` under a name made of circuit and seed digests. A
    /// cached file that is damaged is made again.
    ///
    /// # Errors
    /// [`KeyError::Io`] if the directory cannot be written, [`KeyError::Setup`] as above.
    pub fn from_cached_test_parameters(
        directory: &Path,
        seed: &[u8; 32],
    ) -> Result<Self, KeyError> {
        let name = Sha256::new_with_prefix(C::shape().digest())
            .chain_update(Sha256::digest(seed))
            .finalize();
        let path = directory.join(format!("{}-test-{}.key", C::NAME, hex::encode(&name[..8])));
        if let Ok(bytes) = fs::read(&path)
            && let Some((body, digest)) = bytes.split_last_chunk::<32>()
            && let Ok(prover) = Self::from_pinned_bytes(body, digest)
            && prover.id.circuit_use() == CircuitUse::Test
        {
            return Ok(prover);
        }
        let prover = Self::from_test_parameters(seed)?;
        let mut bytes = prover.to_bytes();
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        write_whole(&path, &bytes)?;
        Ok(prover)
    }

    /// Reads a key file whose SHA-256 is known beforehand, for instance from configuration.
    ///
    /// # Errors
    /// [`KeyError::Digest`] for other bytes; [`KeyError::Format`], [`KeyError::OtherCircuit`] and
    /// [`KeyError::GammaIsDelta`] for bytes that are no key for this circuit.
    pub fn from_pinned_bytes(bytes: &[u8], sha256: &[u8; 32]) -> Result<Self, KeyError> {
        if bytes.len() > MAX_KEY_BYTES {
            return Err(KeyError::Format("longer than 64 MiB"));
        }
        let (head, key) = bytes
            .split_at_checked(HEAD_BYTES)
            .ok_or(KeyError::Format("cut short"))?;
        if head[..8] != MAGIC[..] {
            return Err(KeyError::Format("other first bytes"));
        }
        if Sha256::digest(bytes)[..] != sha256[..] {
            return Err(KeyError::Digest);
        }
        let circuit_use = CircuitUse::from_code(head[8]).ok_or(KeyError::Format("unknown use"))?;
        if head[9..] != C::shape().digest() {
            return Err(KeyError::OtherCircuit);
        }
        let key = scheme::read_pinned(key).map_err(KeyError::Format)?;
        Self::new(key, circuit_use)
    }

    fn new(key: ProvingKey<Bn254>, circuit_use: CircuitUse) -> Result<Self, KeyError> {
        let shape = C::shape();
        if key.vk.gamma_g2 == key.vk.delta_g2 {
            return Err(KeyError::GammaIsDelta);
        }
        let fits = key.vk.gamma_abc_g1.len() == C::INPUT_NAMES.len() + 1
            && key.a_query.len() == shape.instance + shape.witness
            && !key.vk.delta_g2.is_zero();
        if !fits {
            return Err(KeyError::OtherCircuit);
        }
        let verifying_key = scheme::verifying_key_bytes(&key);
        let id = CircuitId::new(circuit_use, &shape.digest(), &verifying_key);
        Ok(Self {
            key,
            shape,
            id,
            verifying_key,
        })
    }

    /// Checks every point of the key, which reading a pinned file leaves to its digest; takes some seconds.
    ///
    /// # Errors
    /// [`KeyError::BadPoint`].
    pub fn check_points(&self) -> Result<(), KeyError> {
        if scheme::has_sound_points(&self.key) {
            Ok(())
        } else {
            Err(KeyError::BadPoint)
        }
    }

    /// The key file's bytes; reading them back wants their SHA-256.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.push(self.id.circuit_use().code());
        bytes.extend_from_slice(&self.shape.digest());
        scheme::write_key(&self.key, &mut bytes);
        bytes
    }

    /// The identity of circuit and verifying key, with the test flag in its first bit.
    pub const fn circuit_id(&self) -> CircuitId {
        self.id
    }

    /// The verifying key, arkworks compressed.
    pub fn verifying_key(&self) -> &[u8] {
        &self.verifying_key
    }

    /// The arkworks key, for benches that time the parts of proving one by one.
    #[doc(hidden)]
    pub const fn bench_key(&self) -> &ProvingKey<Bn254> {
        &self.key
    }

    /// The digest of the constraint matrices.
    pub fn matrix_digest(&self) -> [u8; 32] {
        self.shape.digest()
    }

    /// Constraints of the circuit, and rows of the proof system: those and one for each instance variable.
    pub fn size(&self) -> (usize, usize) {
        (self.shape.constraints(), self.shape.rows())
    }
}

/// Writes beside and renames, so that a half-written key never stands under its name.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| KeyError::Io { path, source }
    };
    let directory = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(at(directory))?;
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let written = fs::File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written
        .and_then(|()| fs::rename(&partial, path))
        .map_err(at(&partial))
}

#[cfg(test)]
mod tests {
    use ark_bn254::{Fq, G2Affine};
    use ark_ff::Field as _;

    use super::*;

    #[test]
    fn a_cached_test_key_is_the_same_key_and_a_damaged_one_is_made_again() {
        let directory = tempfile::tempdir().unwrap();
        let made = Prover::from_cached_test_parameters(directory.path(), &[7; 32]).unwrap();
        let file = fs::read_dir(directory.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap()
            .path();
        let bytes = fs::read(&file).unwrap();
        let read = Prover::from_cached_test_parameters(directory.path(), &[7; 32]).unwrap();
        assert_eq!(made.circuit_id(), read.circuit_id());
        assert_eq!(made.circuit_id().circuit_use(), CircuitUse::Test);

        let mut damaged = bytes.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&file, &damaged).unwrap();
        let again = Prover::from_cached_test_parameters(directory.path(), &[7; 32]).unwrap();
        assert_eq!(made.circuit_id(), again.circuit_id());
        assert_eq!(fs::read(&file).unwrap(), bytes);

        let body = &bytes[..bytes.len() - 32];
        let digest = |bytes: &[u8]| -> [u8; 32] { Sha256::digest(bytes).into() };
        assert!(matches!(
            Prover::from_pinned_bytes(body, &[0; 32]),
            Err(KeyError::Digest)
        ));
        let mut other = body.to_vec();
        other[9] ^= 1;
        assert!(matches!(
            Prover::from_pinned_bytes(&other, &digest(&other)),
            Err(KeyError::OtherCircuit)
        ));
        let longer = [body, &[0]].concat();
        assert!(matches!(
            Prover::from_pinned_bytes(&longer, &digest(&longer)),
            Err(KeyError::Format(_))
        ));
        for cut in [0, 7, HEAD_BYTES, body.len() - 1] {
            let cut = &body[..cut];
            assert!(matches!(
                Prover::from_pinned_bytes(cut, &digest(cut)),
                Err(KeyError::Format(_))
            ));
        }
        let mut free = read.key.clone();
        free.vk.delta_g2 = free.vk.gamma_g2;
        assert!(matches!(
            Prover::new(free, CircuitUse::Production),
            Err(KeyError::GammaIsDelta)
        ));
    }

    #[test]
    fn a_point_off_its_curve_or_outside_its_group_is_found() {
        let sound = Prover::from_test_parameters(&[7; 32]).unwrap();
        assert!(sound.check_points().is_ok());
        let with = |change: &dyn Fn(&mut ProvingKey<Bn254>)| {
            let mut key = sound.key.clone();
            change(&mut key);
            Prover::new(key, CircuitUse::Test).unwrap().check_points()
        };
        let off = with(&|key| key.h_query[0].y += Fq::ONE);
        assert!(matches!(off, Err(KeyError::BadPoint)));
        // On the curve of G2, whose points are not all in the group.
        let outside = (1..100u64)
            .filter_map(|x| G2Affine::get_point_from_x_unchecked(x.into(), false))
            .find(|point| !point.is_in_correct_subgroup_assuming_on_curve())
            .unwrap();
        let outside = with(&|key| *key.b_g2_query.last_mut().unwrap() = outside);
        assert!(matches!(outside, Err(KeyError::BadPoint)));
    }
}
