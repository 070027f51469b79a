//! Rows in a few words, for this crate's tests.

use ark_bn254::Fr;

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
