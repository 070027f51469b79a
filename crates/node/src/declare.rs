//! What residents do themselves: bind a device, declare health and trips, contest an event.

use std::time::Duration;

use ledger::receipt::{Content, HeldReceipt};
use rules::intake::admit;
use rules::{
    Context, Event, EventBody, EventId, IdentityNumber, Minute, SourceGrant, SourceId, SourceKind,
};
use wire::resident::v1 as proto;
use wire::{CheckIn, Contestation, DeviceKeyId, Reason, Registration, Trip, UnverifiedCall};

use crate::appeals::{WAITING_MAX, ruling_on};
use crate::calls::{ResidentCall, commit_with_nonce, nonce_key};
use crate::quotas::used_up;
use crate::receipts::contestation;
use crate::residents::{Resident, unavailable};
use crate::revoke::can_worsen;
use crate::store::{CaseRow, DeviceRow, EventRow, ReadPurpose, Table};
use crate::{Node, NodeError};

/// When somebody with as many appeals as may wait asks again: an office decides within hours.
const APPEAL_AGAIN: Duration = Duration::from_hours(1);

/// Where a contestation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseState {
    /// Received; the event still counts.
    Open,
    /// A ruling voided the event.
    Upheld,
    /// An office let the event stand.
    Dismissed,
}

/// A resident's own event, durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Whether it was there already.
    pub is_duplicate: bool,
    /// The receipt for it; none for a proxy.
    pub receipt: Option<HeldReceipt>,
    /// Canonical bytes of the event, which the receipt is over; none for a proxy.
    pub event: Vec<u8>,
}

/// A contestation, durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contested {
    /// Where it stands.
    pub state: CaseState,
    /// The receipt for it.
    pub receipt: Option<HeldReceipt>,
}

impl Node {
    /// Binds a device key to a resident after the real-name check.
    ///
    /// # Errors
    /// [`Reason::RealNameRefused`] for a wrong name, an unknown person and one who lives elsewhere alike,
    /// [`Reason::Quota`] after too many tries for one identity number, whoever's it is,
    /// [`Reason::AlreadyBound`] for a key that is somebody else's, [`Reason::TooManyDevices`]; [`Reason::Quota`] also after unbinding
    /// all others too often in a day.
    pub fn register(&self, request: &proto::RegisterRequest) -> Result<DeviceKeyId, NodeError> {
        let now = self.clock.now();
        let (key, call) = UnverifiedCall::parse(request)?.verify_with_own_key(
            self.home,
            now,
            self.limits.request_skew_min,
        )?;
        let device = key.id();
        let nonce = nonce_key(call.auth.at, device, call.auth.nonce);
        self.refuse_replay(&nonce)?;
        let body = Registration::try_from(&call.body)?;
        let person = body.identity_number;
        let tried = self.resident_key(&person);
        self.quotas.register_try(tried, now)?;
        let confirmed = self
            .register
            .confirms(&person, &body.name, &body.evidence)
            .map_err(unavailable)?;
        if !confirmed {
            return Err(NodeError::Refused(Reason::RealNameRefused));
        }
        self.quotas.register_confirmed(tried);

        let _held = self.locks.hold([tried]);
        let mut resident = self
            .resident_or_new(&person)?
            .ok_or(NodeError::Refused(Reason::RealNameRefused))?;
        let mut write = self.vault.write();
        if let Some(row) = self.vault.get::<DeviceRow>(Table::Devices, &device.0)? {
            return if row.resident == resident.key {
                commit_with_nonce(write, &nonce).map(|()| device)
            } else {
                Err(NodeError::Refused(Reason::AlreadyBound))
            };
        }
        if self.is_proxy_key(device)? {
            return Err(NodeError::Refused(Reason::AlreadyBound));
        }
        if body.forget_other_devices && !resident.is_new {
            self.quotas.leave(resident.key, now)?;
            self.forget_all(&mut write, resident.key)?;
            resident.row.devices = 0;
        }
        if resident.row.devices >= self.limits.devices_per_resident {
            return Err(NodeError::Refused(Reason::TooManyDevices));
        }
        resident.row.devices += 1;
        self.write_resident(&mut write, &mut resident)?;
        let row = DeviceRow {
            resident: resident.key,
            key: key.to_bytes().to_vec(),
            bound_at: now,
        };
        write.put_new(Table::Devices, &device.0, &row);
        commit_with_nonce(write, &nonce)?;
        self.count(u64::from(resident.is_new), 0);
        Ok(device)
    }

    /// Takes a day's check-in.
    ///
    /// # Errors
    /// [`NodeError::Declaration`] with what the rules of intake refuse.
    pub fn declare_health(
        &self,
        request: &proto::DeclareHealthRequest,
    ) -> Result<Declared, NodeError> {
        let call = self.authenticate(request)?;
        let CheckIn { id, day, symptoms } = (&call.body).try_into()?;
        self.declare(&call, id, EventBody::CheckIn { day, symptoms })
    }

    /// Takes a stay, begun or ended.
    ///
    /// # Errors
    /// [`Reason::BadAreaCode`]; [`NodeError::Declaration`] with what the rules of intake refuse.
    pub fn declare_trip(&self, request: &proto::DeclareTripRequest) -> Result<Declared, NodeError> {
        let call = self.authenticate(request)?;
        let Trip {
            id,
            place,
            begin,
            end,
        } = (&call.body).try_into()?;
        self.declare(&call, id, EventBody::Stay { place, begin, end })
    }

    fn declare<B>(
        &self,
        call: &ResidentCall<B>,
        id: EventId,
        body: EventBody,
    ) -> Result<Declared, NodeError> {
        let _held = self.locks.hold([call.resident]);
        self.caller_still(call)?;
        let mut resident = self
            .resident(call.resident)?
            .ok_or(NodeError::Refused(Reason::UnknownDevice))?;
        let mut write = self.vault.write();
        let body = as_release(body, &resident.events);
        if let Some(known) = resident.events.iter().find(|e| e.id == id) {
            if !is_own(known) || known.body != body {
                return Err(NodeError::Refused(Reason::IdReused));
            }
            call.commit(write)?;
            let event = known.to_bytes();
            let receipt = self.receipt_again(call.resident, id, &event)?;
            return Ok(declared(call, true, receipt, event));
        }
        let event = Event {
            id,
            subject: subject(&resident)?,
            source: self.residents_source(),
            issued_at: call.now,
            body,
        };
        self.admit_declaration(&resident, &event)?;
        self.spend_declaration(call, &mut write)?;
        let accepting = self.accepting();
        let row = EventRow {
            event: event.to_bytes(),
            evidence: call.evidence.clone(),
            received_at: accepting.at(),
        };
        let commitment = self.commitment_of(Content::Event, &row.event);
        self.promise(&mut write, accepting.at(), &[commitment]);
        if can_worsen(&event.body) {
            self.note_recheck(&mut write, resident.key)?;
        }
        Self::append_event(&mut write, &mut resident, event, &row);
        self.write_resident(&mut write, &mut resident)?;
        call.commit(write)?;
        self.recheck_due.notify_one();
        self.count(0, 1);
        let receipt = self.receipt(Content::Event, &row.event, row.received_at);
        Ok(declared(call, false, receipt, row.event))
    }

    fn admit_declaration(&self, resident: &Resident, event: &Event) -> Result<(), NodeError> {
        if resident.events.len() >= self.limits.events_per_resident as usize {
            return Err(NodeError::Refused(Reason::EventRefused));
        }
        let now = event.issued_at;
        let counting = self.charter().rules.counting_at(now);
        let risk = self.risk.at(now);
        let context = Context {
            tables: &counting.tables,
            map: risk.map(),
        };
        let grant = SourceGrant {
            source: event.source,
            since: Minute::ZERO,
            until: Minute::MAX,
        };
        let policy = self.policy();
        admit(event, &grant, &resident.events, &context, now, &policy)
            .map_err(NodeError::Declaration)
    }

    /// The source under which this home's residents speak.
    fn residents_source(&self) -> SourceId {
        SourceId {
            province: self.home,
            kind: SourceKind::Resident,
            number: 0,
        }
    }

    /// Takes a contestation of an event of the own record.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for an event that is not in the own record, [`Reason::IdReused`], [`Reason::Quota`] while as many
    /// appeals wait as may.
    pub fn correct(&self, request: &proto::CorrectRequest) -> Result<Contested, NodeError> {
        let call = self.authenticate(request)?;
        let Contestation {
            id,
            event,
            statement,
        } = (&call.body).try_into()?;
        let _held = self.locks.hold([call.resident]);
        self.caller_still(&call)?;
        let mut write = self.vault.write();
        call.note_reading(ReadPurpose::Correct, "", &mut write);
        let events = self.events_of(call.resident)?;
        let Some(contested) = events.iter().find(|e| e.id == event) else {
            call.commit(write)?;
            return Err(NodeError::Refused(Reason::NotFound));
        };
        let key = call.resident.row(&id.0);
        let content = contestation(id, event, &statement);
        let accepting = self.accepting();
        let opened_at = match self.vault.get::<CaseRow>(Table::Cases, &key)? {
            Some(row) if row.event_id == event.0 && row.statement == statement => row.opened_at,
            Some(_) => {
                call.commit(write)?;
                return Err(NodeError::Refused(Reason::IdReused));
            }
            None => {
                let is_void = ruling_on(event, &events).is_some();
                if !is_void && self.appeals_waiting_of(call.resident)? >= WAITING_MAX {
                    call.commit(write)?;
                    return Err(used_up(APPEAL_AGAIN));
                }
                self.spend_declaration(&call, &mut write)?;
                let row = CaseRow {
                    event_id: event.0,
                    statement,
                    opened_at: accepting.at(),
                };
                write.put_new(Table::Cases, &key, &row);
                let commitment = self.commitment_of(Content::Contestation, &content);
                self.promise(&mut write, row.opened_at, &[commitment]);
                if !is_void {
                    let at = row.opened_at;
                    self.queue_appeal(&mut write, call.resident, id, contested, at);
                }
                row.opened_at
            }
        };
        call.commit(write)?;
        drop(accepting);
        let state = self.state_of_case(call.resident, id, event, &events)?;
        let receipt = self.receipt(Content::Contestation, &content, opened_at);
        Ok(Contested { state, receipt })
    }
}

/// A stay declared with its end ends the own stay that was declared as begun at the same place and time.
fn as_release(body: EventBody, known: &[Event]) -> EventBody {
    let EventBody::Stay {
        place,
        begin,
        end: Some(at),
    } = body
    else {
        return body;
    };
    let begun = EventBody::Stay {
        place,
        begin,
        end: None,
    };
    match known.iter().find(|e| is_own(e) && e.body == begun) {
        Some(open) => EventBody::Release {
            target: open.id,
            at,
        },
        None => body,
    }
}

/// What a declaration is answered with. A proxy gets neither event nor receipt: the event names the resident by number, and the
/// receipt is over it.
fn declared<B>(
    call: &ResidentCall<B>,
    is_duplicate: bool,
    receipt: Option<HeldReceipt>,
    event: Vec<u8>,
) -> Declared {
    Declared {
        is_duplicate,
        receipt: receipt.filter(|_| !call.is_proxy),
        event: if call.is_proxy { Vec::new() } else { event },
    }
}

fn is_own(event: &Event) -> bool {
    event.source.kind == SourceKind::Resident
}

fn subject(resident: &Resident) -> Result<IdentityNumber, NodeError> {
    IdentityNumber::from_bytes(&resident.row.identity_number)
        .map_err(|_| NodeError::Store(crate::store::StoreError::Damaged(Table::Residents)))
}
