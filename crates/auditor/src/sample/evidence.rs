//! Whether an event was stated by whom it names, and whether that source may state it.

use ed25519_dalek::{Signature, VerifyingKey};
use ledger::log::SourceEntitlement;
use rules::intake::{Policy, SourceGrant, check};
use rules::{Event, EventBody, Minute, ProvinceCode, SourceId, SourceKind};
use wire::resident::v1::{DeclareHealthRequest, DeclareTripRequest, RequestAuth as SentAuth};
use wire::{
    CheckIn, DeviceKey, Method, OpenedEvent, OpenedEvidence, RequestAuth, SignedCall, Trip,
    UnverifiedCall,
};

use super::finding::EventFault;

/// By how much a device's clock may be off for a node that admits the most, minutes.
const SKEW_MAX_MIN: u16 = 1_440;
/// How late an event may come is a node's own to say; here everything passes that any node may admit.
const WIDEST: Policy = Policy {
    max_age_hours: u32::MAX,
    check_in_grace_days: u16::MAX,
    clock_tolerance_min: 60,
};

/// What an event of one home is held against.
pub(super) struct Witnesses<'a> {
    /// The home.
    pub(super) home: ProvinceCode,
    /// What the node's log tells of sources, if it is at hand.
    pub(super) log: Option<&'a [SourceEntitlement]>,
}

impl Witnesses<'_> {
    /// Checks one event by itself; `known` are those before it.
    pub(super) fn check(
        &self,
        event: &Event,
        opened: &OpenedEvent,
        known: &[Event],
    ) -> Result<(), EventFault> {
        let grant = match &opened.evidence {
            OpenedEvidence::Source {
                signature,
                known,
                confirmation,
            } => {
                let (key, since, until) = known.ok_or(EventFault::NoKey)?;
                if event.source.kind == SourceKind::Resident {
                    return Err(EventFault::OtherEvidence);
                }
                check_signature(&key, &event.signing_bytes(), signature)?;
                if let Some(signature) = confirmation {
                    check_signature(&key, &event.confirmation_bytes(), signature)?;
                }
                self.check_log(event.source, key, since, until)?;
                SourceGrant {
                    source: event.source,
                    since,
                    until,
                }
            }
            OpenedEvidence::Device {
                auth,
                signature,
                body,
                key,
            } => {
                let own = SourceId {
                    province: self.home,
                    kind: SourceKind::Resident,
                    number: 0,
                };
                if event.source != own {
                    return Err(EventFault::OtherEvidence);
                }
                let key = key.ok_or(EventFault::NoKey)?;
                let call = Call {
                    auth,
                    signature,
                    body,
                };
                self.check_call(event, &call, &key, known)?;
                SourceGrant {
                    source: own,
                    since: Minute::ZERO,
                    until: Minute::MAX,
                }
            }
        };
        check(event, &grant, opened.received_at, &WIDEST)
            .map_err(|error| EventFault::Inadmissible(error.code()))
    }

    fn check_log(
        &self,
        source: SourceId,
        key: [u8; 32],
        since: Minute,
        until: Minute,
    ) -> Result<(), EventFault> {
        let wanted = SourceEntitlement {
            is_entitled: true,
            province: source.province,
            kind: source.kind.code(),
            number: source.number,
            key,
            since,
            until,
        };
        let Some(told) = self.log else {
            return Ok(());
        };
        // What the log told last of a source holds: an entitlement can end, or be cut short.
        let last = told.iter().rfind(|told| {
            (told.province, told.kind, told.number) == (wanted.province, wanted.kind, wanted.number)
        });
        if last == Some(&wanted) {
            Ok(())
        } else {
            Err(EventFault::NotInLog)
        }
    }

    /// Whether a resident's call is signed by the device, and states the event.
    fn check_call(
        &self,
        event: &Event,
        call: &Call<'_>,
        key: &[u8; 33],
        known: &[Event],
    ) -> Result<(), EventFault> {
        const OTHER: EventFault = EventFault::OtherEvidence;
        let key = DeviceKey::from_bytes(key).map_err(|_| EventFault::NoKey)?;
        let auth = RequestAuth::from_bytes(call.auth).map_err(|_| OTHER)?;
        match auth.method {
            Method::DeclareHealth => {
                let body = self.verified::<DeclareHealthRequest>(event, call, &key)?;
                let CheckIn { id, day, symptoms } = (&body).try_into().map_err(|_| OTHER)?;
                let is_stated = event.body == EventBody::CheckIn { day, symptoms };
                (event.id == id && is_stated).then_some(()).ok_or(OTHER)
            }
            Method::DeclareTrip => {
                let body = self.verified::<DeclareTripRequest>(event, call, &key)?;
                let trip: Trip = (&body).try_into().map_err(|_| OTHER)?;
                let is_it = event.id == trip.id && states(&trip, &event.body, known);
                is_it.then_some(()).ok_or(OTHER)
            }
            _ => Err(OTHER),
        }
    }

    fn verified<C: SignedCall>(
        &self,
        event: &Event,
        call: &Call<'_>,
        key: &DeviceKey,
    ) -> Result<C::Body, EventFault> {
        let sent = SentAuth {
            auth: call.auth.to_vec(),
            signature: call.signature.to_vec(),
        };
        let request = C::assemble(call.body.to_vec(), sent);
        let call = UnverifiedCall::parse(&request).map_err(|_| EventFault::OtherEvidence)?;
        let verified = call.verify(key, self.home, event.issued_at, SKEW_MAX_MIN);
        Ok(verified.map_err(|_| EventFault::Unsigned)?.body)
    }
}

/// A resident's call, as it was stored.
struct Call<'a> {
    auth: &'a [u8],
    signature: &'a [u8],
    body: &'a [u8],
}

/// Whether a declared stay is what an event states: itself, or the end of one that was declared as begun before.
fn states(trip: &Trip, body: &EventBody, known: &[Event]) -> bool {
    let (place, begin) = (trip.place, trip.begin);
    let stay = |end| EventBody::Stay { place, begin, end };
    match *body {
        EventBody::Release { target, at } => {
            let begun = known.iter().find(|event| event.id == target);
            // The begin may have left the store; its end then ends nothing.
            trip.end == Some(at) && begun.is_none_or(|begun| begun.body == stay(None))
        }
        ref other => *other == stay(trip.end),
    }
}

fn check_signature(key: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> Result<(), EventFault> {
    let key = VerifyingKey::from_bytes(key)
        .ok()
        .filter(|key| !key.is_weak());
    let key = key.ok_or(EventFault::NoKey)?;
    key.verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| EventFault::Unsigned)
}
