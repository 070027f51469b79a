//! Asking a node for a sample, as an auditor with a certificate.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use commitment::Epoch;
use federation::{Credentials, PeerId, Timeouts, connect};
use rules::Minute;
use tonic::transport::Channel;
use tonic::{Code, Status};
use wire::audit::v1::OpenSampleRequest;
use wire::audit::v1::audit_service_client::AuditServiceClient;
use wire::{
    LeafRequest, MAX_EVENTS_OF_LEAF, OpenedLeaf, OpenedSample, Reason, ShownSample, WireError,
};

use super::judge::{Believed, Unjudged, opens};
use super::keep::leaves_drawn;

/// Fewest events in an answer that is not the last: so many of the longest there are.
const EVENTS_PER_ANSWER_MIN: usize = 40;

/// How long a node has for an answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(5),
    call: Duration::from_secs(20),
};

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The node says why it does not open it.
    #[error("the node refuses: {} ({})", .0.code(), .0.text())]
    Refused(Reason),
    /// The node does not answer in time, or nobody is there who shows its certificate.
    #[error("the node does not answer ({0:?})")]
    Silent(Code),
    /// The address or the credentials cannot be used.
    #[error(transparent)]
    Connection(#[from] federation::FederationError),
    /// The answer is not of its form.
    #[error("the answer is not of its form: {0}")]
    Form(#[from] WireError),
    /// What it opened cannot be judged; no leaf was asked for.
    #[error(transparent)]
    Unjudged(#[from] Unjudged),
    /// It shows another sample of a registry than it did before this program was interrupted: other cosignatures, so perhaps other
    /// places.
    #[error("the node shows another sample of epoch {} than before", .0.get())]
    OtherSample(Epoch),
    /// What was opened could not be kept; nothing more was asked for.
    #[error("what was opened is not kept: {0}")]
    NotKept(String),
    /// Parts of one leaf that do not belong together, or more events than one person has.
    #[error("the parts of the answer for one place do not belong together")]
    Parts,
}

impl From<Status> for FetchError {
    fn from(status: Status) -> Self {
        match wire::reason_of(&status) {
            // Not the node's decision about the sample, but that it did not get to it.
            Some(Reason::Overloaded | Reason::Draining | Reason::Deadline) | None => {
                Self::Silent(status.code())
            }
            Some(reason) => Self::Refused(reason),
        }
    }
}

/// Where a sample begins.
pub enum Begin {
    /// With the registry of an epoch, the newest for none, at the auditor's time.
    Anew(Option<Epoch>, Minute),
    /// With what was opened before.
    GoOn(Box<ShownSample>),
}

/// Has a node open the sample of a registry, the newest for none, and every leaf that it draws, if `believed` can judge them: an
/// opening is in somebody's trail. `at` is the auditor's time.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch(
    address: &str,
    node: PeerId,
    credentials: Arc<dyn Credentials>,
    epoch: Option<Epoch>,
    at: Minute,
    believed: &Believed,
) -> Result<ShownSample, FetchError> {
    let keep = |_: &ShownSample| Ok::<_, String>(());
    let begin = Begin::Anew(epoch, at);
    fetch_on(address, node, credentials, begin, believed, keep).await
}

/// The same from where it was interrupted; `keep` is given what has been opened as often as there is more. A leaf that is there is not
/// asked for again.
///
/// # Errors
/// [`FetchError`].
pub async fn fetch_on<E: Display>(
    address: &str,
    node: PeerId,
    credentials: Arc<dyn Credentials>,
    begin: Begin,
    believed: &Believed,
    mut keep: impl FnMut(&ShownSample) -> Result<(), E>,
) -> Result<ShownSample, FetchError> {
    let channel = connect(address, node, credentials, TIMEOUTS)?;
    let mut client = wire::client::audit(channel);
    let epoch = match &begin {
        Begin::Anew(epoch, _) => *epoch,
        Begin::GoOn(begun) => Some(epoch_of(&begun.sample)),
    };
    let request = OpenSampleRequest {
        epoch: epoch.map_or(0, Epoch::get),
    };
    let answer = client.open_sample(request).await?.into_inner();
    let sample = OpenedSample::try_from(&answer)?;
    let epoch = epoch_of(&sample);
    let mut shown = match begin {
        Begin::Anew(_, at) => ShownSample {
            sample,
            leaves: BTreeMap::new(),
            at,
        },
        Begin::GoOn(begun) if begun.sample == sample => *begun,
        Begin::GoOn(_) => return Err(FetchError::OtherSample(epoch)),
    };
    let mut keep = |shown: &ShownSample| {
        let kept = keep(shown);
        kept.map_err(|error| FetchError::NotKept(error.to_string()))
    };
    keep(&shown)?;
    if !opens(&shown.sample, believed)? {
        return Ok(shown);
    }
    let places: Vec<u32> = leaves_drawn(&shown.sample).collect();
    for place in places {
        if let Entry::Vacant(missing) = shown.leaves.entry(place) {
            missing.insert(fetch_leaf(&mut client, epoch, place).await?);
            keep(&shown)?;
        }
    }
    Ok(shown)
}

fn epoch_of(sample: &OpenedSample) -> Epoch {
    sample.registry.cosigned.statement().epoch()
}

/// A leaf with all its events, in as many calls as they take.
async fn fetch_leaf(
    client: &mut AuditServiceClient<Channel>,
    epoch: Epoch,
    place: u32,
) -> Result<OpenedLeaf, FetchError> {
    let mut whole: Option<OpenedLeaf> = None;
    for call in 0.. {
        let first_event = whole.as_ref().map_or(0, |leaf| leaf.events.len());
        let request = LeafRequest {
            epoch,
            place,
            first_event: u32::try_from(first_event).unwrap_or(u32::MAX),
        };
        let request = wire::audit::v1::OpenLeafRequest::from(request);
        let answer = client.open_leaf(request).await?.into_inner();
        let part = OpenedLeaf::try_from(&answer)?;
        let has_more = !part.events.is_empty();
        let whole = match &mut whole {
            None => whole.insert(part),
            Some(whole) => {
                // Events may have come meanwhile; the record is what was committed.
                if part.content != whole.content {
                    return Err(FetchError::Parts);
                }
                whole.events.extend(part.events);
                whole.events_total = part.events_total;
                whole
            }
        };
        let (got, told) = (whole.events.len(), whole.events_total as usize);
        let may_call = 1 + told / EVENTS_PER_ANSWER_MIN;
        if told > MAX_EVENTS_OF_LEAF || got > told || call > may_call {
            return Err(FetchError::Parts);
        }
        if got == told || !has_more {
            return Ok(whole.clone());
        }
    }
    Err(FetchError::Parts)
}
