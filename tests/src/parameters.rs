//! The one test proving key that all scenarios share.

use std::fs::File;
use std::path::PathBuf;

use commitment::CircuitUse;
use prover::Prover;
use verifier::VerifyingKey;
use verifier::trust::CircuitEntry;

/// The party's seed of the test parameters.
pub const fn key_seed() -> [u8; 32] {
    [0x17; 32]
}

/// Where the proving key is kept between tests and runs: within cargo's target directory.
pub fn key_cache() -> PathBuf {
    let program = std::env::current_exe().expect("a test has a program");
    let beside = program.parent().expect("it lies in a directory");
    // Programs lie in `target/<profile>`, tests in `deps` within it.
    let profile = match beside.file_name() {
        Some(name) if name == "deps" => beside.parent().expect("target/<profile>"),
        _ => beside,
    };
    profile.join("system-tests")
}

/// The circuit, as a root document names it. Makes the proving key on the first call on a machine; others wait for it.
///
/// # Panics
/// If the cache cannot be written.
pub fn circuit() -> CircuitEntry {
    let cache = key_cache();
    std::fs::create_dir_all(&cache).expect("target is writable");
    let lock = File::create(cache.join("lock")).expect("target is writable");
    lock.lock().expect("files can be locked");
    let prover = Prover::from_cached_test_parameters(&cache, &key_seed()).expect("a proving key");
    CircuitEntry {
        circuit_use: CircuitUse::Test,
        matrix_digest: prover.matrix_digest(),
        key: VerifyingKey::from_bytes(prover.verifying_key()).expect("a verifying key"),
    }
}
