//! What a node opens to auditors, as values of the domain. Nothing here is checked beyond its form: ways, leaves, signatures and
//! records are the auditor's to judge.

use ledger::sample::{DRAWS_MAX, SampleWays, way_from_bytes, way_to_bytes};
use std::collections::BTreeMap;

use ledger::{Epoch, MerklePath};
use prost::Message as _;
use rules::{
    AreaCode, CheckInRun, Day, Event, Fact, FactKind, IdentityNumber, MAX_ENTRIES, MAX_NEGATIVES,
    MAX_RUNS, MAX_STAYS, Minute, ProvinceCode, Record, Stay,
};

use crate::audit::v1 as proto;
use crate::{
    KEY_BYTES, MAX_AUTH_BYTES, MAX_BODY_BYTES, MAX_MESSAGE_BYTES, PublishedRegistry,
    SIGNATURE_BYTES, WireError, bytes_exact, bytes_within, required,
};

/// Most events that one call opens.
pub const MAX_OPENED_EVENTS: usize = 1_024;
/// Longest that one opened event with its evidence takes in a message, bytes.
const MAX_OPENED_EVENT_BYTES: usize = 66 + MAX_AUTH_BYTES + MAX_BODY_BYTES + 160;
/// What the events of one call may take in a message, bytes; there is room for one more, and for what stands before them.
pub const OPENED_EVENTS_BYTES: usize = 192 * 1_024;
/// Most events of one person that an auditor reads.
pub const MAX_EVENTS_OF_LEAF: usize = 65_536;

/// Largest file of a kept sample, bytes.
pub const MAX_KEPT_SAMPLE_BYTES: usize = 64 << 20;

const _: () = assert!(OPENED_EVENTS_BYTES + MAX_OPENED_EVENT_BYTES + 8_192 <= MAX_MESSAGE_BYTES);
const _: () = assert!(
    (DRAWS_MAX + 1) * (ledger::sample::WAY_LEN_BYTES + 16) + 64 * 180 + 8_192 <= MAX_MESSAGE_BYTES
);

/// The places drawn from a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedSample {
    /// The registry.
    pub registry: PublishedRegistry,
    /// The ways of the drawn places.
    pub ways: SampleWays,
    /// Days for which events on which nothing rests are kept.
    pub horizon_days: u32,
}

impl From<&OpenedSample> for proto::OpenSampleResponse {
    fn from(sample: &OpenedSample) -> Self {
        Self {
            registry: Some((&sample.registry).into()),
            last: sample.ways.last.as_ref().map(write_way),
            drawn: sample.ways.drawn.iter().map(write_way).collect(),
            horizon_days: sample.horizon_days,
        }
    }
}

impl TryFrom<&proto::OpenSampleResponse> for OpenedSample {
    type Error = WireError;

    fn try_from(message: &proto::OpenSampleResponse) -> Result<Self, WireError> {
        let drawn = at_most("drawn", &message.drawn, DRAWS_MAX)?;
        Ok(Self {
            registry: message.registry.as_ref().try_into()?,
            ways: SampleWays {
                last: message.last.as_ref().map(read_way).transpose()?,
                drawn: drawn.iter().map(read_way).collect::<Result<_, _>>()?,
            },
            horizon_days: message.horizon_days,
        })
    }
}

fn write_way(way: &MerklePath) -> proto::Way {
    proto::Way {
        place: way.index,
        path: way_to_bytes(way),
    }
}

fn read_way(way: &proto::Way) -> Result<MerklePath, WireError> {
    way_from_bytes(way.place, &way.path).map_err(|_| malformed("way"))
}

/// Which leaf is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafRequest {
    /// The registry's epoch.
    pub epoch: Epoch,
    /// The place.
    pub place: u32,
    /// The number of the first event.
    pub first_event: u32,
}

impl From<LeafRequest> for proto::OpenLeafRequest {
    fn from(request: LeafRequest) -> Self {
        Self {
            epoch: request.epoch.get(),
            place: request.place,
            first_event: request.first_event,
        }
    }
}

impl From<proto::OpenLeafRequest> for LeafRequest {
    fn from(request: proto::OpenLeafRequest) -> Self {
        Self {
            epoch: Epoch::new(request.epoch),
            place: request.place,
            first_event: request.first_event,
        }
    }
}

/// What a leaf was made of, or a part of it.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedLeaf {
    /// Its resident and record; none for a resident whose data were erased.
    pub content: Option<LeafContent>,
    /// Events in the order in which they came, from the first one asked for.
    pub events: Vec<OpenedEvent>,
    /// How many there are in all.
    pub events_total: u32,
}

/// The resident and record of a leaf.
#[derive(Clone, PartialEq, Eq)]
pub struct LeafContent {
    /// Whose it is.
    pub resident: IdentityNumber,
    /// Salt of the commitment to the identity number; a field element, if it is one.
    pub salt: [u8; 32],
    /// The record.
    pub record: Record,
    /// Blinding of the leaf; a field element, if it is one.
    pub blinding: [u8; 32],
}

/// An event with its evidence. That its bytes are an event is the auditor's to say.
#[derive(Clone, PartialEq, Eq)]
pub struct OpenedEvent {
    /// Canonical bytes.
    pub event: Vec<u8>,
    /// When the node accepted it.
    pub received_at: Minute,
    /// Who vouches for it.
    pub evidence: OpenedEvidence,
}

/// What shows that a source stated an event.
#[derive(Clone, PartialEq, Eq)]
pub enum OpenedEvidence {
    /// A source's signature, and one over the confirmation of an event that was contested.
    Source {
        /// Over the event's signing bytes.
        signature: [u8; SIGNATURE_BYTES],
        /// The source's key with first minute in force, and first minute not; none where the node knows it no more.
        known: Option<([u8; 32], Minute, Minute)>,
        /// Over the confirmation's signing bytes.
        confirmation: Option<[u8; SIGNATURE_BYTES]>,
    },
    /// A resident's call.
    Device {
        /// Canonical bytes of the authorisation.
        auth: Vec<u8>,
        /// The device's signature over it.
        signature: Vec<u8>,
        /// The body as sent.
        body: Vec<u8>,
        /// The device's key; none where the node knows it no more.
        key: Option<[u8; KEY_BYTES]>,
    },
}

/// A sample with the leaves that were opened, as an auditor holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownSample {
    /// The places drawn.
    pub sample: OpenedSample,
    /// The leaves opened, by place, each with all its events.
    pub leaves: BTreeMap<u32, OpenedLeaf>,
    /// When, by the auditor's clock.
    pub at: Minute,
}

impl ShownSample {
    /// As a file holds it; it has personal data.
    pub fn to_bytes(&self) -> Vec<u8> {
        let leaves = self.leaves.iter().map(|(place, leaf)| proto::KeptLeaf {
            place: *place,
            leaf: Some(leaf.into()),
        });
        let kept = proto::KeptSample {
            sample: Some((&self.sample).into()),
            leaves: leaves.collect(),
            at_minute: self.at.get(),
        };
        kept.encode_to_vec()
    }

    /// Reads such a file; nothing of it is checked beyond its form.
    ///
    /// # Errors
    /// [`WireError`], naming the part that is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let bytes = bytes_within("kept sample", bytes, MAX_KEPT_SAMPLE_BYTES)?;
        let kept = proto::KeptSample::decode(bytes).map_err(|_| malformed("kept sample"))?;
        let mut leaves = BTreeMap::new();
        for kept in at_most("leaves", &kept.leaves, DRAWS_MAX)? {
            let leaf = required("leaf", kept.leaf.as_ref())?;
            let leaf = read_leaf(leaf, MAX_EVENTS_OF_LEAF)?;
            if leaves.insert(kept.place, leaf).is_some() {
                return Err(WireError::Repeated { field: "leaves" });
            }
        }
        Ok(Self {
            sample: required("sample", kept.sample.as_ref())?.try_into()?,
            leaves,
            at: minute(kept.at_minute)?,
        })
    }
}

/// Values that print nothing of a person.
macro_rules! silent {
    ($($name:ident)*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }
    )*};
}

silent! { ShownSample OpenedLeaf LeafContent OpenedEvent OpenedEvidence }

impl From<&OpenedLeaf> for proto::OpenLeafResponse {
    fn from(leaf: &OpenedLeaf) -> Self {
        let content = leaf.content.as_ref();
        Self {
            resident: content.map(|content| proto::Resident {
                identity_number: content.resident.expose().to_vec(),
                salt: content.salt.to_vec(),
            }),
            record: content.map(|content| write_record(&content.record, &content.blinding)),
            events: leaf.events.iter().map(write_event).collect(),
            events_total: leaf.events_total,
        }
    }
}

impl TryFrom<&proto::OpenLeafResponse> for OpenedLeaf {
    type Error = WireError;

    fn try_from(message: &proto::OpenLeafResponse) -> Result<Self, WireError> {
        read_leaf(message, MAX_OPENED_EVENTS)
    }
}

fn read_leaf(
    message: &proto::OpenLeafResponse,
    events_max: usize,
) -> Result<OpenedLeaf, WireError> {
    let content = match (&message.resident, &message.record) {
        (None, None) => None,
        (resident, record) => {
            let resident = required("resident", resident.as_ref())?;
            let record = required("record", record.as_ref())?;
            Some(LeafContent {
                resident: IdentityNumber::from_bytes(&resident.identity_number)
                    .map_err(|_| WireError::IdentityNumber)?,
                salt: bytes_exact("salt", &resident.salt)?,
                record: read_record(record)?,
                blinding: bytes_exact("blinding", &record.blinding)?,
            })
        }
    };
    let events = at_most("events", &message.events, events_max)?;
    Ok(OpenedLeaf {
        content,
        events: events.iter().map(read_event).collect::<Result<_, _>>()?,
        events_total: message.events_total,
    })
}

fn write_record(record: &Record, blinding: &[u8; 32]) -> proto::OpenedRecord {
    let end = |end: Option<Minute>| end.map(Minute::get);
    let fact = |fact: &Fact| proto::OpenedFact {
        kind: fact.kind.code().into(),
        province: fact.province.get().into(),
        begin_minute: fact.begin.get(),
        end_minute: end(fact.end),
    };
    let stay = |stay: &Stay| proto::OpenedStay {
        area: stay.place.packed(),
        begin_minute: stay.begin.get(),
        end_minute: end(stay.end),
    };
    let run = |run: &CheckInRun| proto::OpenedRun {
        first_day: run.first.get().into(),
        last_day: run.last.get().into(),
    };
    proto::OpenedRecord {
        facts: record.facts().iter().map(fact).collect(),
        stays: record.stays().iter().map(stay).collect(),
        negative_minutes: record.negatives().iter().map(|at| at.get()).collect(),
        runs: record.runs().iter().map(run).collect(),
        blinding: blinding.to_vec(),
    }
}

fn read_record(record: &proto::OpenedRecord) -> Result<Record, WireError> {
    let facts = at_most("facts", &record.facts, MAX_ENTRIES)?.iter();
    let facts = facts.map(|fact| {
        let mut kinds = FactKind::ALL.into_iter();
        let kind = kinds.find(|kind| u32::from(kind.code()) == fact.kind);
        let province = u8::try_from(fact.province).ok();
        let province = province.and_then(|code| ProvinceCode::new(code).ok());
        Ok(Fact {
            kind: kind.ok_or(malformed("kind"))?,
            province: province.ok_or(malformed("province"))?,
            begin: minute(fact.begin_minute)?,
            end: fact.end_minute.map(minute).transpose()?,
        })
    });
    let stays = at_most("stays", &record.stays, MAX_STAYS)?.iter();
    let stays = stays.map(|stay| {
        Ok(Stay {
            place: AreaCode::from_packed(stay.area).map_err(|_| WireError::AreaCode)?,
            begin: minute(stay.begin_minute)?,
            end: stay.end_minute.map(minute).transpose()?,
        })
    });
    let negatives = at_most("negative_minutes", &record.negative_minutes, MAX_NEGATIVES)?;
    let runs = at_most("runs", &record.runs, MAX_RUNS)?.iter();
    let runs = runs.map(|run| {
        let day = |day| {
            u16::try_from(day)
                .map(Day::new)
                .map_err(|_| malformed("day"))
        };
        Ok(CheckInRun {
            first: day(run.first_day)?,
            last: day(run.last_day)?,
        })
    });
    let negatives = negatives.iter().map(|at| minute(*at));
    Record::new(
        stays.collect::<Result<_, WireError>>()?,
        facts.collect::<Result<_, WireError>>()?,
        negatives.collect::<Result<_, WireError>>()?,
        runs.collect::<Result<_, WireError>>()?,
    )
    .map_err(|_| malformed("record"))
}

fn write_event(opened: &OpenedEvent) -> proto::OpenedEvent {
    use proto::opened_event::Evidence;
    let evidence = match &opened.evidence {
        OpenedEvidence::Source {
            signature,
            known,
            confirmation,
        } => Evidence::Source(proto::SourceEvidence {
            signature: signature.to_vec(),
            key: known.map_or(Vec::new(), |(key, ..)| key.to_vec()),
            since_minute: known.map_or(0, |(_, since, _)| since.get()),
            until_minute: known.map_or(0, |(.., until)| until.get()),
            confirmation: confirmation.map_or(Vec::new(), |bytes| bytes.to_vec()),
        }),
        OpenedEvidence::Device {
            auth,
            signature,
            body,
            key,
        } => Evidence::Device(proto::DeviceEvidence {
            auth: auth.clone(),
            signature: signature.clone(),
            body: body.clone(),
            device_key: key.map_or(Vec::new(), |key| key.to_vec()),
        }),
    };
    proto::OpenedEvent {
        event: opened.event.clone(),
        received_minute: opened.received_at.get(),
        evidence: Some(evidence),
    }
}

fn read_event(message: &proto::OpenedEvent) -> Result<OpenedEvent, WireError> {
    use proto::opened_event::Evidence;
    let evidence = match required("evidence", message.evidence.as_ref())? {
        Evidence::Source(source) => {
            let known = match &source.key[..] {
                [] => None,
                key => Some((
                    bytes_exact("key", key)?,
                    minute(source.since_minute)?,
                    minute(source.until_minute)?,
                )),
            };
            let confirmation = &source.confirmation[..];
            OpenedEvidence::Source {
                signature: bytes_exact("signature", &source.signature)?,
                known,
                confirmation: (!confirmation.is_empty())
                    .then(|| bytes_exact("confirmation", confirmation))
                    .transpose()?,
            }
        }
        Evidence::Device(device) => {
            let key = &device.device_key[..];
            OpenedEvidence::Device {
                auth: bytes_within("auth", &device.auth, MAX_AUTH_BYTES)?.to_vec(),
                signature: bytes_within("signature", &device.signature, SIGNATURE_BYTES)?.to_vec(),
                body: longest("body", &device.body, MAX_BODY_BYTES)?.to_vec(),
                key: (!key.is_empty())
                    .then(|| bytes_exact("device_key", key))
                    .transpose()?,
            }
        }
    };
    let limit = rules::event::MAX_EVENT_LEN_BYTES;
    Ok(OpenedEvent {
        event: bytes_within("event", &message.event, limit)?.to_vec(),
        received_at: minute(message.received_minute)?,
        evidence,
    })
}

impl OpenedEvent {
    /// The event.
    ///
    /// # Errors
    /// [`rules::EventError`] where its bytes are none.
    pub fn event(&self) -> Result<Event, rules::EventError> {
        Event::from_bytes(&self.event)
    }

    /// What it takes in a message, at most, bytes.
    pub fn weight_bytes(&self) -> usize {
        let evidence = match &self.evidence {
            OpenedEvidence::Source { .. } => 2 * SIGNATURE_BYTES + 32,
            OpenedEvidence::Device { auth, body, .. } => {
                auth.len() + body.len() + SIGNATURE_BYTES + KEY_BYTES
            }
        };
        self.event.len() + evidence + 64
    }
}

/// A list of at most `limit` entries.
fn at_most<'a, T>(field: &'static str, list: &'a [T], limit: usize) -> Result<&'a [T], WireError> {
    let got = list.len();
    if got > limit {
        return Err(WireError::WrongCount {
            field,
            least: 0,
            limit,
            got,
        });
    }
    Ok(list)
}

/// At most `limit` bytes.
fn longest<'a>(field: &'static str, bytes: &'a [u8], limit: usize) -> Result<&'a [u8], WireError> {
    let got = bytes.len();
    if got > limit {
        return Err(WireError::TooLong { field, limit, got });
    }
    Ok(bytes)
}

fn minute(number: u32) -> Result<Minute, WireError> {
    Minute::new(number).map_err(|_| malformed("minute"))
}

const fn malformed(field: &'static str) -> WireError {
    WireError::Malformed { field }
}

#[cfg(test)]
#[path = "audit_calls_tests.rs"]
mod tests;
