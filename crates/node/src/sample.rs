//! The sample of leaves: the places that a registry's cosignatures draw, and what their leaves were made of, opened to auditors.
//!
//! The node chooses nothing: places follow from what others signed and from the tree. Whoever's record is read finds it in the own
//! trail, by a row that is durable before the answer is made.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};

use commitment::{Epoch, Fr};
use federation::{PeerId, Role};
use ledger::sample::{SampleSeed, SampleWays};
use ledger::{LeafIndex, MerklePath, SignedTreeHead};
use rules::{Event, IdentityNumber, Minute, SourceId};
use sha2::{Digest as _, Sha256};
use wire::{
    LeafContent, LeafRequest, MAX_OPENED_EVENTS, OPENED_EVENTS_BYTES, OpenedEvent, OpenedEvidence,
    OpenedLeaf, OpenedSample, Reason,
};

use crate::epoch::{Closed, committed_key};
use crate::residents::ERASED;
use crate::sample_book::DrawnSample;
use crate::store::{
    CommittedRow, DeviceRow, EventRow, Evidence, ReadPurpose, ResidentKey, ResidentRow, StoreError,
    Table,
};
use crate::trail::{OPENINGS_MAX, OpeningNote};
use crate::{Node, NodeError};

/// Fewest events that fill a call; a leaf takes one call for each so many, and one more.
const EVENTS_PER_CALL_MIN: u32 = 40;

/// An auditor, by the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auditor {
    peer: PeerId,
    number: u32,
}

impl Auditor {
    /// The auditor that an identity names, if it is one.
    pub fn of(peer: &PeerId) -> Option<Self> {
        match peer.role {
            Role::Auditor(number) => Some(Self {
                peer: peer.clone(),
                number,
            }),
            _ => None,
        }
    }

    fn purpose(&self, epoch: Epoch) -> ReadPurpose {
        ReadPurpose::Sample {
            province: self.peer.province,
            auditor: self.number,
            epoch: epoch.get(),
        }
    }
}

impl fmt::Display for Auditor {
    /// The identity in the certificate.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.peer.fmt(f)
    }
}

/// What is drawn from a registry, and the tree that it is drawn from.
struct Sampled {
    drawn: Arc<DrawnSample>,
    closed: Arc<Closed>,
}

impl Node {
    /// The places drawn from a registry – the newest for none – with their ways. Nothing in it is anybody's record.
    ///
    /// # Errors
    /// [`Reason::UnknownEpoch`]; [`Reason::SampleGone`] where the records of that registry are not kept any more;
    /// [`Reason::NotSampled`] where nobody else cosigned it, or it holds no head of this node; [`Reason::Quota`] after too many calls
    /// of the auditor for this registry.
    pub fn open_sample(
        &self,
        auditor: &Auditor,
        epoch: Option<Epoch>,
    ) -> Result<OpenedSample, NodeError> {
        let newest = || self.newest_registry_epoch();
        let epoch = epoch.or_else(newest);
        let epoch = epoch.ok_or(NodeError::Refused(Reason::UnknownEpoch))?;
        let drawn = self.sampled(epoch)?.drawn;
        if !self.samples.may_show(epoch, auditor.to_string()) {
            return Err(NodeError::Refused(Reason::Quota));
        }
        Ok(OpenedSample {
            registry: drawn.registry.clone(),
            ways: drawn.ways.clone(),
            horizon_days: self.horizon_days(),
        })
    }

    /// What a drawn leaf was made of: its resident, record and blinding, and its events from one on. That it is read, by whom
    /// and what for, is a row of the resident's trail before it is answered. Of a resident who is erased there is nothing left to open.
    ///
    /// # Errors
    /// As [`Node::open_sample`]; [`Reason::NotFound`] for a place that is not drawn, or is empty; [`Reason::Quota`] after too many
    /// calls for this leaf.
    pub fn open_leaf(
        &self,
        auditor: &Auditor,
        asked: &LeafRequest,
    ) -> Result<OpenedLeaf, NodeError> {
        let sampled = self.sampled(asked.epoch)?;
        let place = LeafIndex::new(asked.place).filter(|place| {
            let is_it = |way: &MerklePath| way.index == place.get();
            let is_drawn = sampled.drawn.ways.drawn.iter().any(is_it);
            is_drawn && sampled.closed.tree.leaf(*place) != Fr::default()
        });
        let place = place.ok_or(NodeError::Refused(Reason::NotFound))?.get();
        let resident = self.at_place(place)?;
        let _held = self.locks.hold([resident]);
        // Somebody may have been erased until the lock was held.
        if resident == ERASED || self.at_place(place)? == ERASED {
            return Ok(OpenedLeaf {
                content: None,
                events: Vec::new(),
                events_total: 0,
            });
        }
        let committed = committed_key(sampled.closed.head.head.epoch, place);
        let committed: CommittedRow = self
            .vault
            .get(Table::Committed, &committed)?
            .ok_or(NodeError::Refused(Reason::SampleGone))?;
        let row: ResidentRow = self
            .vault
            .get(Table::Residents, &resident.0)?
            .ok_or(NodeError::Store(StoreError::Damaged(Table::Places)))?;
        self.note_opening(&OpeningNote {
            leaf: (asked.epoch, asked.place),
            by: Sha256::digest(auditor.to_string()).into(),
            most: OPENINGS_MAX * (1 + row.events / EVENTS_PER_CALL_MIN),
            resident,
            purpose: auditor.purpose(asked.epoch),
        })?;
        tracing::info!(%auditor, epoch = asked.epoch.get(), "a drawn leaf is opened to an auditor");
        let (events, events_total) = self.opened_events(resident, asked.first_event)?;
        let content = LeafContent {
            resident: IdentityNumber::from_bytes(&row.identity_number)
                .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Residents)))?,
            salt: row.salt,
            record: committed.record,
            blinding: committed.blinding,
        };
        Ok(OpenedLeaf {
            content: Some(content),
            events,
            events_total,
        })
    }

    fn at_place(&self, place: u32) -> Result<ResidentKey, NodeError> {
        let resident = self.vault.get(Table::Places, &place.to_be_bytes())?;
        resident.ok_or(NodeError::Store(StoreError::Damaged(Table::Places)))
    }

    /// The sample of a registry, as long as its records are kept. Nobody has it drawn more than once.
    fn sampled(&self, epoch: Epoch) -> Result<Sampled, NodeError> {
        let under = (epoch, self.root_sequence());
        let drawn = self.samples.drawn(under, || self.draw_sample(epoch))?;
        let closed = self.closed_under(&drawn.own)?;
        Ok(Sampled { drawn, closed })
    }

    fn draw_sample(&self, epoch: Epoch) -> Result<DrawnSample, NodeError> {
        let registry = self.registry(epoch)?;
        let not_sampled = NodeError::Refused(Reason::NotSampled);
        let mut heads = registry.heads.iter();
        let own = heads.find(|signed| signed.head.slot == self.slot);
        let own = *own.ok_or(not_sampled.clone())?;
        let charter = self.charter();
        let mut seeds = charter
            .rosters_of(registry.cosigned.statement().as_of())
            .map(|roster| SampleSeed::new(&registry.cosigned, self.slot, roster));
        let seed = seeds.find_map(Result::ok).ok_or(not_sampled)?;
        let closed = self.closed_under(&own)?;
        let ways = SampleWays::of(&closed.tree, seed);
        Ok(DrawnSample {
            registry,
            own,
            ways,
        })
    }

    /// The tree of one of this node's own heads, as long as its records are kept.
    ///
    /// # Errors
    /// [`Reason::SampleGone`].
    pub(crate) fn closed_under(&self, own: &SignedTreeHead) -> Result<Arc<Closed>, NodeError> {
        let ledger = self.ledger.read().unwrap_or_else(PoisonError::into_inner);
        let closed = ledger.closed.get(&own.head.epoch).map(Arc::clone);
        drop(ledger);
        closed
            .filter(|closed| closed.head.head == own.head)
            .ok_or(NodeError::Refused(Reason::SampleGone))
    }

    /// A resident's events from number `first` on, as many as one answer holds, and how many there are in all.
    fn opened_events(
        &self,
        resident: ResidentKey,
        first: u32,
    ) -> Result<(Vec<OpenedEvent>, u32), NodeError> {
        let mut total = 0_u32;
        let mut rows = Vec::new();
        self.vault
            .walk::<EventRow, StoreError>(Table::Events, &resident.0, |_, row| {
                if total >= first && rows.len() < MAX_OPENED_EVENTS {
                    rows.push(row);
                }
                total += 1;
                Ok(())
            })?;
        let mut devices = HashMap::new();
        let mut events = Vec::with_capacity(rows.len());
        let mut weight_bytes = 0;
        for row in rows {
            let opened = self.opened_event(row, &mut devices)?;
            weight_bytes += opened.weight_bytes();
            events.push(opened);
            if weight_bytes > OPENED_EVENTS_BYTES {
                break;
            }
        }
        Ok((events, total))
    }

    fn opened_event(
        &self,
        row: EventRow,
        devices: &mut HashMap<[u8; 32], Option<[u8; 33]>>,
    ) -> Result<OpenedEvent, NodeError> {
        let damaged = || NodeError::Store(StoreError::Damaged(Table::Events));
        let event = Event::from_bytes(&row.event).map_err(|_| damaged())?;
        let stated = |signature: &[u8], confirmation: Option<&[u8]>| {
            Ok::<_, NodeError>(OpenedEvidence::Source {
                signature: signature.try_into().map_err(|_| damaged())?,
                known: self.known_key(event.source),
                confirmation: confirmation
                    .map(|bytes| bytes.try_into().map_err(|_| damaged()))
                    .transpose()?,
            })
        };
        let evidence = match row.evidence {
            Evidence::Source(signature) => stated(&signature, None)?,
            Evidence::Forwarded {
                signature,
                confirmation,
                ..
            } => stated(&signature, confirmation.as_deref())?,
            Evidence::Device {
                auth,
                signature,
                body,
            } => {
                let id = wire::RequestAuth::from_bytes(&auth).map_err(|_| damaged())?;
                let id = id.device_key_id.0;
                let key = if let Some(key) = devices.get(&id) {
                    *key
                } else {
                    let row = self.vault.get::<DeviceRow>(Table::Devices, &id)?;
                    let key = match row {
                        Some(row) => Some(row.key),
                        None => self.key_of_proxy(wire::DeviceKeyId(id))?,
                    };
                    let key = key.and_then(|key| key.try_into().ok());
                    devices.insert(id, key);
                    key
                };
                OpenedEvidence::Device {
                    auth,
                    signature,
                    body,
                    key,
                }
            }
        };
        Ok(OpenedEvent {
            event: row.event,
            received_at: row.received_at,
            evidence,
        })
    }

    fn known_key(&self, source: SourceId) -> Option<([u8; 32], Minute, Minute)> {
        let known = self.sources.get(&source)?;
        Some((known.key.to_bytes(), known.grant.since, known.grant.until))
    }
}
