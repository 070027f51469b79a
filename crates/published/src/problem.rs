//! Why something was not verified.

use plain_http::FetchError;
use wire::public::v1 as proto;

pub(crate) use proto::Fault;

/// Longest detail, in bytes: what a node makes this program say is short.
const MAX_DETAIL_LEN_BYTES: usize = 300;

/// Something that was not verified, with the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) fault: Fault,
    pub(crate) detail: String,
}

impl Problem {
    pub(crate) fn new(fault: Fault, detail: impl std::fmt::Display) -> Self {
        let mut detail = detail.to_string();
        if detail.len() > MAX_DETAIL_LEN_BYTES {
            let mut end = MAX_DETAIL_LEN_BYTES - '…'.len_utf8();
            while !detail.is_char_boundary(end) {
                end -= 1;
            }
            detail.truncate(end);
            detail.push('…');
        }
        Self { fault, detail }
    }

    /// What lies under a path was not had.
    pub(crate) fn fetching(path: &str, error: &FetchError) -> Self {
        let fault = match error {
            FetchError::TooLong(_) => Fault::TooLong,
            FetchError::Http(_) => Fault::Garbage,
            _ => Fault::Silent,
        };
        Self::new(fault, format_args!("{path}: {error}"))
    }
}

impl From<&verifier::Error> for Problem {
    fn from(error: &verifier::Error) -> Self {
        use verifier::Error;
        let fault = match error {
            Error::UnknownSigner
            | Error::BadSignature
            | Error::NoHeadKey { .. }
            | Error::TooFewRootSignatures { .. }
            | Error::TooFewProvinces { .. }
            | Error::RootMismatch { .. } => Fault::Unsigned,
            Error::SequenceFell { .. } | Error::Expired { .. } => Fault::Stale,
            Error::Forked(_)
            | Error::EpochRewritten(_)
            | Error::RevocationsDropped(_)
            | Error::FromTheFuture { .. } => Fault::Contradicts,
            _ => Fault::Garbage,
        };
        Self::new(fault, error)
    }
}

impl From<ledger::log::LogError> for Problem {
    fn from(error: ledger::log::LogError) -> Self {
        use ledger::log::LogError;
        let fault = match &error {
            LogError::BadSignature(_) | LogError::UnknownOrigin(_) => Fault::Unsigned,
            LogError::KeysFell { .. } => Fault::Contradicts,
            LogError::TooLong { .. } | LogError::TooLarge(_) => Fault::TooLong,
            _ => Fault::Garbage,
        };
        Self::new(fault, error)
    }
}

impl From<&Problem> for proto::Problem {
    fn from(problem: &Problem) -> Self {
        Self {
            fault: problem.fault.into(),
            detail: problem.detail.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_is_cut_between_characters() {
        let problem = Problem::new(Fault::Silent, "省".repeat(200));
        assert!(problem.detail.len() <= MAX_DETAIL_LEN_BYTES);
        assert!(problem.detail.ends_with("省…"));
    }
}
