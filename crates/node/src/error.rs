use std::time::Duration;

use rules::EventError;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use wire::{Reason, WireError};

use crate::store::StoreError;

/// Why the node does not do what a caller asks. None of it carries anything about a resident but [`NodeError::Claim`],
/// which goes to that resident alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NodeError {
    /// A message is not of its form; the caller is at fault.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A request is refused for a stable reason.
    #[error("{}", .0.text())]
    Refused(Reason),
    /// A request may be made again after a while.
    #[error("{}; again in {wait:?}", reason.text())]
    Later {
        /// Why not now.
        reason: Reason,
        /// How long to wait.
        wait: Duration,
    },
    /// The record does not support the claim: these rules have open reasons, or the test is too old.
    #[error("{}", Reason::ClaimNotSupported.text())]
    Claim {
        /// Rules of the rule set with an open reason worse than the claim, without repetition.
        rules: Vec<String>,
        /// Whether the newest negative test is older than claimed, or missing.
        test_too_old: bool,
    },
    /// A resident's own declaration is refused by the rules of intake.
    #[error("the declared event is refused: {0}")]
    Declaration(#[from] EventError),
    /// The store did not take or give what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The node is at fault; the text names what was impossible.
    #[error("fault of the node: {0}")]
    Fault(&'static str),
}

impl NodeError {
    /// The stable reason that this error travels under.
    pub fn reason(&self) -> Reason {
        match self {
            Self::Wire(error) => error.reason(),
            Self::Refused(reason) | Self::Later { reason, .. } => *reason,
            Self::Claim { .. } => Reason::ClaimNotSupported,
            Self::Declaration(_) => Reason::EventRefused,
            Self::Store(StoreError::Full { .. }) => Reason::StorageFull,
            Self::Store(_) => Reason::StorageFailed,
            Self::Fault(_) => Reason::Internal,
        }
    }
}

impl From<NodeError> for Status {
    fn from(error: NodeError) -> Self {
        let reason = error.reason();
        if matches!(reason, Reason::StorageFailed | Reason::Internal) {
            tracing::error!(%error, "a call failed through the node's own fault");
        }
        match error {
            NodeError::Wire(error) => error.into(),
            NodeError::Later { reason, wait } => wire::status_retry_after(reason, wait),
            NodeError::Claim {
                rules,
                test_too_old,
            } => with_metadata(
                reason,
                [
                    ("rules", rules.join(",")),
                    ("test_too_old", test_too_old.to_string()),
                ],
            ),
            NodeError::Declaration(error) => {
                with_metadata(reason, [("event", error.code().to_owned())])
            }
            _ => wire::status(reason),
        }
    }
}

fn with_metadata<const N: usize>(reason: Reason, data: [(&str, String); N]) -> Status {
    let data = data.map(|(key, value)| (key.to_owned(), value));
    let details = ErrorDetails::with_error_info(reason.code(), wire::DOMAIN, data);
    Status::with_error_details(reason.grpc(), reason.text(), details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_claim_names_its_rules_to_the_resident() {
        let status = Status::from(NodeError::Claim {
            rules: vec!["R1".to_owned(), "Y2".to_owned()],
            test_too_old: false,
        });
        assert_eq!(wire::reason_of(&status), Some(Reason::ClaimNotSupported));
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["rules"], "R1,Y2");
        assert!(!status.message().contains("R1"));
    }

    #[test]
    fn a_full_disk_is_told_apart_from_a_failed_one() {
        let full = StoreError::Full {
            free_bytes: 1,
            reserve_bytes: 2,
        };
        assert_eq!(NodeError::from(full).reason(), Reason::StorageFull);
        let failed = StoreError::Failed("io".to_owned());
        assert_eq!(NodeError::from(failed).reason(), Reason::StorageFailed);
    }
}
