//! Asking a home about an event, as its source, with a certificate.

use std::time::Duration;

use federation::Timeouts;
use tonic::transport::Channel;
use tonic::{Code, Status};
use verifier::opening::OPENING_LEN_BYTES;
use wire::source::v1::OpenEventRequest;
use wire::trust::v1::GetTrustListRequest;
use wire::{MAX_BUNDLE_BYTES, OpeningRequest, Reason, WireError, bytes_within, opening_bytes};

/// How long a home has for an answer: a proof takes a second, and may have to wait for others.
pub const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    call: Duration::from_secs(30),
};

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AskError {
    /// The home says why it does not answer.
    #[error("the home refuses: {} ({})", reason.code(), reason.text())]
    Refused {
        /// Why.
        reason: Reason,
        /// After how long it asks to be asked again, where waiting helps.
        wait: Option<Duration>,
    },
    /// The home does not answer in time, or nobody is there who shows its certificate.
    #[error("the home does not answer ({0:?})")]
    Silent(Code),
    /// The answer is not of its form.
    #[error("the answer is not of its form: {0}")]
    Form(#[from] WireError),
}

impl From<Status> for AskError {
    fn from(status: Status) -> Self {
        match wire::reason_of(&status) {
            // Not the home's decision about the event, but that it did not get to it.
            Some(Reason::Overloaded | Reason::Draining | Reason::Deadline) | None => {
                Self::Silent(status.code())
            }
            Some(reason) => Self::Refused {
                reason,
                wait: wire::retry_after(&status),
            },
        }
    }
}

/// Has the home open its record at what an event states: the bytes of the opening, which are not read yet.
///
/// # Errors
/// [`AskError`].
pub async fn open_event(
    channel: Channel,
    asked: &OpeningRequest,
) -> Result<[u8; OPENING_LEN_BYTES], AskError> {
    let mut client = wire::client::opening(channel);
    let answer = client.open_event(OpenEventRequest::from(asked)).await?;
    Ok(opening_bytes(answer.get_ref())?)
}

/// The bytes of the newest trust list, which are not believed yet.
///
/// # Errors
/// [`AskError`].
pub async fn trust_list(channel: Channel) -> Result<Vec<u8>, AskError> {
    let mut client = wire::client::trust(channel);
    let answer = client.get_trust_list(GetTrustListRequest::default());
    let bundle = answer.await?.into_inner().bundle;
    bytes_within("bundle", &bundle, MAX_BUNDLE_BYTES)?;
    Ok(bundle)
}
