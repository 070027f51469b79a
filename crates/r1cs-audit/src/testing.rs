//! Rows in a few words, for this crate's tests.

use ark_bn254::Fr;
use ark_ff::{Fp64, MontBackend, MontConfig};

use crate::{Row, Terms};

/// Terms of small coefficients.
pub(crate) fn terms(terms: &[(i64, usize)]) -> Terms<Fr> {
    terms.iter().map(|(c, w)| (Fr::from(*c), *w)).collect()
}

/// The row `a · b = c`.
pub(crate) fn row(a: &[(i64, usize)], b: &[(i64, usize)], c: &[(i64, usize)]) -> Row<Fr> {
    Row {
        a: terms(a),
        b: terms(b),
        c: terms(c),
    }
}

/// Makes [`F31`].
#[derive(MontConfig)]
#[modulus = "31"]
#[generator = "3"]
pub(crate) struct F31Config;

/// The field of 31 elements: small enough to try all of it, and its modulus is just below a power of two.
pub(crate) type F31 = Fp64<MontBackend<F31Config, 1>>;

/// Makes [`F7`].
#[derive(MontConfig)]
#[modulus = "7"]
#[generator = "3"]
pub(crate) struct F7Config;

/// The field of seven elements.
pub(crate) type F7 = Fp64<MontBackend<F7Config, 1>>;
