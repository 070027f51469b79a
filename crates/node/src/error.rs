use std::time::Duration;

use rules::EventError;
use tonic::Status;
use tonic_types::{ErrorDetails, StatusExt as _};
use wire::{Reason, WireError};

use crate::store::StoreError;

/// Why the node does not do what a caller asks. None of it carries anything about a resident, or depends on a record: a
/// claim that a record does not support is an answer, see [`crate::Outcome`].
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
            NodeError::Declaration(error) => {
                let data = [("event".to_owned(), error.code().to_owned())];
                let details = ErrorDetails::with_error_info(reason.code(), wire::DOMAIN, data);
                Status::with_error_details(reason.grpc(), reason.text(), details)
            }
            _ => wire::status(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
