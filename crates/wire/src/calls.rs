//! What a resident's device and a source ask, as values of the domain.

use std::fmt;

use rules::{
    AreaCode, Claim, Day, Event, EventId, IdentityNumber, Minute, ProvinceCode, RuleSetId,
};
use verifier::{BinderKind, HolderKey};

use crate::pass::v1 as pass;
use crate::resident::v1 as proto;
use crate::share::known;
use crate::source::v1::SignedEvent;
use crate::{
    DeviceKey, MAX_EVENT_BYTES, MAX_EVIDENCE_BYTES, MAX_NAME_BYTES, MAX_PASSES,
    MAX_STATEMENT_BYTES, READING_PLACE_BYTES, SIGNATURE_BYTES, WireError, bytes_exact,
    bytes_within, count_within, required, text_within,
};

/// Name of a request for passes, chosen by the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UseId(pub [u8; 16]);

/// Name of a contestation, chosen by the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CaseId(pub [u8; 16]);

/// Who registers, and with which key.
#[derive(Clone)]
pub struct Registration {
    /// The key to bind.
    pub device_key: DeviceKey,
    /// The person.
    pub identity_number: IdentityNumber,
    /// The person's name; 1 to 96 bytes.
    pub name: String,
    /// For the real-name check; at most 1,024 bytes.
    pub evidence: Vec<u8>,
    /// Whether all other devices are unbound, and what was requested before is revoked.
    pub forget_other_devices: bool,
}

/// Prints nothing of the person.
impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Registration(..)")
    }
}

impl TryFrom<&proto::Register> for Registration {
    type Error = WireError;

    fn try_from(body: &proto::Register) -> Result<Self, WireError> {
        let evidence = &body.real_name_evidence;
        if evidence.len() > MAX_EVIDENCE_BYTES {
            let (limit, got) = (MAX_EVIDENCE_BYTES, evidence.len());
            return Err(WireError::TooLong {
                field: "real_name_evidence",
                limit,
                got,
            });
        }
        Ok(Self {
            device_key: DeviceKey::from_bytes(&body.device_key)?,
            identity_number: IdentityNumber::from_bytes(body.identity_number.as_bytes())
                .map_err(|_| WireError::IdentityNumber)?,
            name: text_within("name", &body.name, MAX_NAME_BYTES)?.to_owned(),
            evidence: evidence.clone(),
            forget_other_devices: body.forget_other_devices,
        })
    }
}

/// One day's check-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckIn {
    /// Name of the event.
    pub id: EventId,
    /// The day declared.
    pub day: Day,
    /// Whether there are symptoms.
    pub symptoms: bool,
}

impl TryFrom<&proto::DeclareHealth> for CheckIn {
    type Error = WireError;

    fn try_from(body: &proto::DeclareHealth) -> Result<Self, WireError> {
        let day = u16::try_from(body.day).map_err(|_| WireError::Malformed { field: "day" })?;
        let symptoms = match known(body.symptoms, "symptoms")? {
            proto::Symptoms::Unspecified => return Err(WireError::Missing { field: "symptoms" }),
            proto::Symptoms::None => false,
            proto::Symptoms::Present => true,
        };
        Ok(Self {
            id: event_id(&body.event_id)?,
            day: Day::new(day),
            symptoms,
        })
    }
}

/// One stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// Name of the event.
    pub id: EventId,
    /// Where.
    pub place: AreaCode,
    /// Arrival.
    pub begin: Minute,
    /// Departure, unless the stay goes on; not before the arrival.
    pub end: Option<Minute>,
}

impl TryFrom<&proto::DeclareTrip> for Trip {
    type Error = WireError;

    fn try_from(body: &proto::DeclareTrip) -> Result<Self, WireError> {
        let place =
            AreaCode::new(body.area_nine_digit, body.site).map_err(|_| WireError::AreaCode)?;
        let province = place.province().map_err(|_| WireError::AreaCode)?;
        if province == ProvinceCode::NATION {
            return Err(WireError::AreaCode);
        }
        let begin = minute("begin_minute", body.begin_minute)?;
        let end = body
            .end_minute
            .map(|end| minute("end_minute", end))
            .transpose()?;
        if end.is_some_and(|end| end < begin) {
            return Err(WireError::Malformed {
                field: "end_minute",
            });
        }
        Ok(Self {
            id: event_id(&body.event_id)?,
            place,
            begin,
            end,
        })
    }
}

/// A question about the own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Under which rule set; `None` for the home's own.
    pub rule_set: Option<RuleSetId>,
    /// Before which readings by others those begin that are asked for; `None` for the newest.
    pub readings_from: Option<[u8; READING_PLACE_BYTES]>,
}

impl TryFrom<&proto::Query> for Question {
    type Error = WireError;

    fn try_from(body: &proto::Query) -> Result<Self, WireError> {
        let from = &body.readings_from;
        let from = (!from.is_empty()).then(|| bytes_exact("readings_from", from));
        Ok(Self {
            rule_set: rule_set(&body.rule_set_id)?,
            readings_from: from.transpose()?,
        })
    }
}

/// What the passes asked for are bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holders {
    /// One pass for each one-time key; 1 to 16, all different.
    Device(Vec<HolderKey>),
    /// The same, to be shown with the identity card.
    DeviceAndCard(Vec<HolderKey>),
    /// One pass for the resident's own identity card.
    Card,
}

impl Holders {
    /// The kind of the binding.
    pub const fn kind(&self) -> BinderKind {
        match self {
            Self::Device(_) => BinderKind::Device,
            Self::DeviceAndCard(_) => BinderKind::DeviceAndCard,
            Self::Card => BinderKind::Card,
        }
    }

    /// Number of passes.
    pub const fn count(&self) -> usize {
        match self {
            Self::Device(keys) | Self::DeviceAndCard(keys) => keys.len(),
            Self::Card => 1,
        }
    }
}

/// A request for passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassRequest {
    /// Name of the request.
    pub id: UseId,
    /// What the passes shall assert.
    pub claim: Claim,
    /// Rule set of the place of showing; `None` for the nation's.
    pub rule_set: Option<RuleSetId>,
    /// What they are bound to, and how many there are.
    pub holders: Holders,
}

impl TryFrom<&proto::RequestUse> for PassRequest {
    type Error = WireError;

    fn try_from(body: &proto::RequestUse) -> Result<Self, WireError> {
        let holders = match known(body.binder_kind, "binder_kind")? {
            pass::BinderKind::Unspecified => {
                return Err(WireError::Missing {
                    field: "binder_kind",
                });
            }
            pass::BinderKind::Device => Holders::Device(holder_keys(&body.holder_keys)?),
            pass::BinderKind::DeviceAndCard => {
                Holders::DeviceAndCard(holder_keys(&body.holder_keys)?)
            }
            pass::BinderKind::Card if body.holder_keys.is_empty() => Holders::Card,
            pass::BinderKind::Card => {
                let got = body.holder_keys.len();
                return Err(WireError::WrongCount {
                    field: "holder_keys",
                    least: 0,
                    limit: 0,
                    got,
                });
            }
        };
        Ok(Self {
            id: UseId(bytes_exact("use_id", &body.use_id)?),
            claim: required("claim", body.claim.as_ref())?.try_into()?,
            rule_set: rule_set(&body.rule_set_id)?,
            holders,
        })
    }
}

impl TryFrom<&proto::MakeCode> for UseId {
    type Error = WireError;

    fn try_from(body: &proto::MakeCode) -> Result<Self, WireError> {
        Ok(Self(bytes_exact("use_id", &body.use_id)?))
    }
}

/// A contestation.
#[derive(Clone, PartialEq, Eq)]
pub struct Contestation {
    /// Name of the case.
    pub id: CaseId,
    /// The event contested.
    pub event: EventId,
    /// Why; 1 to 1,000 bytes.
    pub statement: String,
}

/// Prints nothing of what the resident wrote.
impl fmt::Debug for Contestation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contestation(..)")
    }
}

impl TryFrom<&proto::Correct> for Contestation {
    type Error = WireError;

    fn try_from(body: &proto::Correct) -> Result<Self, WireError> {
        Ok(Self {
            id: CaseId(bytes_exact("case_id", &body.case_id)?),
            event: event_id(&body.event_id)?,
            statement: text_within("statement", &body.statement, MAX_STATEMENT_BYTES)?.to_owned(),
        })
    }
}

/// The canonical bytes of an event, within the limit of its type, and the signature over its signing bytes. What the
/// bytes mean is for [`Event::from_bytes`] to say: a bad event is an answer to its sender, not a failed call.
///
/// # Errors
/// [`WireError`] for bytes that cannot be an event or a signature by their length.
pub fn signed_event(message: &SignedEvent) -> Result<(&[u8], [u8; SIGNATURE_BYTES]), WireError> {
    let event = bytes_within("event", &message.event, MAX_EVENT_BYTES)?;
    Ok((event, bytes_exact("signature", &message.signature)?))
}

impl SignedEvent {
    /// An event for a resident of the node's own province, with the signature that its source made.
    pub fn new(event: &Event, signature: [u8; SIGNATURE_BYTES]) -> Self {
        Self {
            event: event.to_bytes(),
            signature: signature.to_vec(),
            home_province: 0,
        }
    }
}

fn event_id(bytes: &[u8]) -> Result<EventId, WireError> {
    bytes_exact("event_id", bytes).map(EventId)
}

fn minute(field: &'static str, minutes: u32) -> Result<Minute, WireError> {
    Minute::new(minutes).map_err(|_| WireError::Malformed { field })
}

fn rule_set(id: &str) -> Result<Option<RuleSetId>, WireError> {
    if id.is_empty() {
        return Ok(None);
    }
    id.parse().map(Some).map_err(|_| WireError::Malformed {
        field: "rule_set_id",
    })
}

fn holder_keys(keys: &[Vec<u8>]) -> Result<Vec<HolderKey>, WireError> {
    let keys = count_within("holder_keys", keys, MAX_PASSES)?;
    for (index, key) in keys.iter().enumerate() {
        if keys[..index].contains(key) {
            return Err(WireError::Repeated {
                field: "holder_keys",
            });
        }
    }
    keys.iter()
        .map(|key| {
            HolderKey::from_bytes(&bytes_exact("holder_keys", key)?).map_err(|_| {
                WireError::Malformed {
                    field: "holder_keys",
                }
            })
        })
        .collect()
}

#[cfg(test)]
#[path = "calls_tests.rs"]
mod tests;
