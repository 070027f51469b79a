//! Proving keys and what a root document names of them: of passes, by configuration, and of openings.

use std::sync::Arc;

use circuits::Circuit;
use prover::{KeyError, OpeningProver, Prover, ProverOf};
use serde_json::{Value, json};
use verifier::CircuitUse;

use crate::StartError;
use crate::config::{Config, Parameters, parse_digits};
use crate::files::read_bytes;
use crate::opening::OpeningParts;

/// Largest proving key file.
const MAX_PROVING_KEY_BYTES: u64 = 64 << 20;

/// The circuit of the configured proving key, which is made first if it is test parameters that are not in their cache:
/// what a root document has to name among its circuits.
///
/// # Errors
/// [`StartError::Config`].
pub fn describe_circuit(config: &Config) -> Result<Value, StartError> {
    Ok(describe(&load_prover(config)?))
}

/// The same of a key of openings: what a root document has to name among its openings.
///
/// # Errors
/// [`StartError::Config`].
pub fn describe_opening_circuit(parameters: &Parameters) -> Result<Value, StartError> {
    let prover: OpeningProver = load("openings", parameters, false)?;
    Ok(describe(&prover))
}

fn describe<C: Circuit>(prover: &ProverOf<C>) -> Value {
    let (constraints, rows) = prover.size();
    json!({
        "circuit": C::NAME,
        "test": prover.circuit_id().circuit_use() == CircuitUse::Test,
        "circuit_id": hex::encode(prover.circuit_id().to_bytes()),
        "matrix_digest": hex::encode(prover.matrix_digest()),
        "verifying_key": hex::encode(prover.verifying_key()),
        "constraints": constraints,
        "rows": rows,
    })
}

pub(crate) fn load_prover(config: &Config) -> Result<Prover, String> {
    load("proving", &config.proving.parameters, config.production)
}

/// The key of openings, where one is configured.
pub(crate) fn load_openings(config: &Config) -> Result<Option<OpeningParts>, String> {
    let Some(settings) = config.openings.clone() else {
        return Ok(None);
    };
    let prover = load("openings", &settings.parameters, config.production)?;
    Ok(Some(OpeningParts {
        prover: Arc::new(prover),
        settings,
    }))
}

fn load<C: Circuit>(
    table: &str,
    parameters: &Parameters,
    production: bool,
) -> Result<ProverOf<C>, String> {
    let wrong = |error: KeyError| format!("{table}.parameters: {error}");
    let digits = |text: &str| parse_digits(text).ok_or(format!("{table}.parameters: bad digits"));
    let prover = match parameters {
        Parameters::Test { seed, cache_dir } => {
            tracing::warn!(
                table,
                "test parameters are in use: whoever knows their seed can forge"
            );
            ProverOf::from_cached_test_parameters(cache_dir, &digits(seed)?).map_err(wrong)?
        }
        Parameters::Pinned { file, sha256 } => {
            let bytes = read_bytes(file, MAX_PROVING_KEY_BYTES)?;
            ProverOf::from_pinned_bytes(&bytes, &digits(sha256)?).map_err(wrong)?
        }
    };
    if production && prover.circuit_id().circuit_use() == CircuitUse::Test {
        return Err(format!(
            "production: {table}.parameters are test parameters"
        ));
    }
    Ok(prover)
}
