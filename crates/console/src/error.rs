//! Why the console does not do what it is asked.

use store::StoreError;
use tonic::Status;
use wire::{Reason, WireError};

/// Why a call is refused. None of it carries anything about a resident.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// A message is not of its form; the page is at fault.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A request is refused for a stable reason.
    #[error("{}", .0.text())]
    Refused(Reason),
    /// The node refused what the console asked of it: its own reason is passed on.
    #[error("the node refuses: {}", .0.text())]
    Node(Reason),
    /// The node does not answer, or not in a form that is understood; the text is for engineers and names nobody.
    #[error("the node does not answer: {0}")]
    NodeSilent(String),
    /// The store did not take or give what it should.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The chain of acts does not hold: an act was changed, taken out or put in before or at this number.
    #[error("the chain of acts is broken at act {0}")]
    BrokenChain(u64),
    /// The console is at fault; the text names what was impossible.
    #[error("fault of the console: {0}")]
    Fault(&'static str),
}

impl ConsoleError {
    /// The stable reason that this error travels under.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Wire(error) => error.reason(),
            Self::Refused(reason) | Self::Node(reason) => *reason,
            Self::NodeSilent(_) => Reason::NodeSilent,
            Self::Store(StoreError::Full { .. } | StoreError::SizeLimit { .. }) => {
                Reason::StorageFull
            }
            Self::Store(_) => Reason::StorageFailed,
            Self::BrokenChain(_) | Self::Fault(_) => Reason::Internal,
        }
    }
}

impl From<Reason> for ConsoleError {
    fn from(reason: Reason) -> Self {
        Self::Refused(reason)
    }
}

impl From<ConsoleError> for Status {
    fn from(error: ConsoleError) -> Self {
        let reason = error.reason();
        match error {
            ConsoleError::Store(_) | ConsoleError::BrokenChain(_) | ConsoleError::Fault(_) => {
                tracing::error!(%error, "a call failed through the console's own fault");
                wire::status(reason)
            }
            ConsoleError::NodeSilent(_) => {
                tracing::warn!(%error, "the node could not be asked");
                wire::status(reason)
            }
            ConsoleError::Wire(error) => error.into(),
            ConsoleError::Refused(_) | ConsoleError::Node(_) => wire::status(reason),
        }
    }
}
