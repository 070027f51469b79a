//! Passes: what is requested, whether the committed record supports it, and proving it.

mod job;
mod under_way;

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use circuits::clearance::{Plan, plan};
use commitment::{BinderKind, Blinding, Epoch, MerklePath, fr_from_bytes};
use ledger::LeafIndex;
use rules::Claim;
use sha2::{Digest as _, Sha256};
use verifier::{CardNumber, Holder, HolderKey};
use wire::resident::v1 as proto;
use wire::{DeviceKeyId, Holders, PassRequest, Reason, UseId};

use self::job::{Common, PassJob, Work};
use self::under_way::Progress;
use crate::calls::ResidentCall;
use crate::epoch::{Issuing, committed_key};
use crate::proving::{Job, spread};
use crate::refusal::refusal;
use crate::residents::identity_of;
use crate::store::{
    CommittedRow, IssuedRow, LimitRow, ReadPurpose, RefusedRow, ResidentKey, ResidentRow,
    StoreError, Table, UseRow,
};
use crate::{Node, NodeError};

pub(crate) use self::under_way::InFlight;
pub use self::under_way::Waiting;

/// A request for passes that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requested {
    /// Epoch for which they will be made.
    pub epoch: Epoch,
    /// How many.
    pub passes: usize,
    /// How long this device waits before it renews them once a newer epoch has begun, seconds.
    pub renew_delay_s: u32,
}

/// When a device renews its passes after a newer epoch has begun: drawn by its key and the epoch, evenly over `spread_s`, so
/// that it is the same whenever it is asked for.
fn renew_delay_s(device: DeviceKeyId, epoch: u32, spread_s: u32) -> u32 {
    let mut digest = Sha256::new_with_prefix(b"viridian/renew/v1\0");
    digest.update(device.0);
    digest.update(epoch.to_be_bytes());
    let drawn: [u8; 32] = digest.finalize().into();
    let drawn = u32::from_be_bytes([drawn[0], drawn[1], drawn[2], drawn[3]]);
    drawn % spread_s.max(1)
}

/// What a request for passes ended with.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The passes, all of them.
    Made(Vec<proto::IssuedPass>),
    /// There are none, since the committed record does not support the claim.
    Refused(proto::Refusal),
}

/// What asking for passes came to.
pub enum Making {
    /// It has ended.
    Ready(Outcome),
    /// It is under way; whether to passes or to a refusal shows only at its end.
    UnderWay(Waiting),
}

/// Whether a use has ended.
enum Ended {
    /// With this.
    Yes(Outcome),
    /// Not yet; these passes are made, by position.
    NotYet(BTreeMap<usize, proto::IssuedPass>),
}

impl Node {
    /// Takes a request for passes; nothing is said about the colour.
    ///
    /// # Errors
    /// [`Reason::NotCommitted`] before the record is part of a registry, [`Reason::UnknownRuleSet`],
    /// [`Reason::TooManyRuleSets`], [`Reason::IdReused`], and `PROVER_BUSY` beyond the epoch's limit.
    pub fn request_use(&self, request: &proto::RequestUseRequest) -> Result<Requested, NodeError> {
        let call = self.authenticate(request)?;
        let wanted = PassRequest::try_from(&call.body)?;
        let issuing = self
            .issuing()
            .ok_or(NodeError::Refused(Reason::NotCommitted))?;
        let as_of = issuing.statement.as_of();
        let known = self
            .charter()
            .rules
            .for_pass(wanted.rule_set.as_ref(), as_of)?;
        let name = known.set().id().as_str();

        let _held = self.locks.hold([call.resident]);
        self.committed(&issuing, call.resident)?;
        let row = UseRow {
            claim: wanted.claim.code(),
            rule_set: name.to_owned(),
            binder_kind: wanted.holders.kind().code(),
            holder_keys: holder_keys(&wanted.holders),
            epoch: issuing.statement.epoch().get(),
        };
        let key = call.resident.row(&wanted.id.0);
        let mut write = self.vault.write();
        let mut proxy = self.caller_still(&call)?;
        if let Some(known) = self.vault.get::<UseRow>(Table::Uses, &key)? {
            let epoch = known.epoch;
            let is_own = proxy.as_ref().is_none_or(|p| p.uses.contains(&wanted.id.0));
            if !is_own || (UseRow { epoch, ..row }) != known {
                return Err(NodeError::Refused(Reason::IdReused));
            }
            call.commit(write)?;
            return Ok(self.requested(call.device, &known));
        }
        self.spend_rule_set(&call, name, &mut write)?;
        let (limit_key, limit) = self.spend_passes(&call, row.epoch, passes_of(&row))?;
        write.put(Table::Limits, &limit_key, &limit);
        write.put_new(Table::Uses, &key, &row);
        if let Some(proxy) = &mut proxy {
            self.note_use_of_proxy(&call, proxy, wanted.id.0, row.epoch, &mut write)?;
        }
        call.commit(write)?;
        Ok(self.requested(call.device, &row))
    }

    fn requested(&self, device: DeviceKeyId, row: &UseRow) -> Requested {
        Requested {
            epoch: Epoch::new(row.epoch),
            passes: passes_of(row),
            renew_delay_s: renew_delay_s(device, row.epoch, self.settings.proving.renew_spread_s),
        }
    }

    fn spend_passes<B>(
        &self,
        call: &ResidentCall<B>,
        epoch: u32,
        passes: usize,
    ) -> Result<(Vec<u8>, LimitRow), NodeError> {
        let key = call.limit_key(b'e', &epoch.to_be_bytes());
        let mut row: LimitRow = self.vault.get(Table::Limits, &key)?.unwrap_or_default();
        row.count += u32::try_from(passes).unwrap_or(u32::MAX);
        if row.count > call.share_of(self.limits.passes_per_epoch) {
            return Err(NodeError::Later {
                reason: Reason::ProverBusy,
                wait: Duration::from_hours(1),
            });
        }
        Ok((key, row))
    }

    /// Gives the passes of a request that are made, or has those made that are not. A claim that the committed record
    /// does not support takes the same way: as many places in the queue, for as long, and a row written at the end.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for an unknown use, [`Reason::UnknownEpoch`] if the epoch is over, [`Reason::ProverBusy`]
    /// with the time to wait.
    pub fn make_code(
        self: &Arc<Self>,
        request: &proto::MakeCodeRequest,
    ) -> Result<Making, NodeError> {
        let call = self.authenticate(request)?;
        let UseId(use_id) = (&call.body).try_into()?;
        let proxy = self.caller_still(&call)?;
        if proxy.is_some_and(|proxy| !proxy.uses.contains(&use_id)) {
            return Err(NodeError::Refused(Reason::NotFound));
        }
        let row: UseRow = self
            .vault
            .get(Table::Uses, &call.resident.row(&use_id))?
            .ok_or(NodeError::Refused(Reason::NotFound))?;
        if self.is_draining() {
            return Err(NodeError::Refused(Reason::Draining));
        }
        let mut write = self.vault.write();
        call.note_reading(ReadPurpose::Pass, &row.rule_set, &mut write);
        call.commit(write)?;
        self.have_made(call.resident, use_id, &row)
    }

    fn have_made(
        self: &Arc<Self>,
        resident: ResidentKey,
        use_id: [u8; 16],
        row: &UseRow,
    ) -> Result<Making, NodeError> {
        let total = passes_of(row);
        let lock = || {
            self.in_flight
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(progress) = lock().get(&(resident, use_id)) {
            let waiting = Waiting::new(Arc::clone(progress), resident, use_id, total);
            return Ok(Making::UnderWay(waiting));
        }
        let made = match self.ended(resident, use_id, total)? {
            Ended::Yes(outcome) => return Ok(Making::Ready(outcome)),
            Ended::NotYet(made) => made,
        };
        let missing: Vec<(usize, Holder)> = (0..total)
            .filter(|position| !made.contains_key(position))
            .map(|position| Ok((position, holder(row, position)?)))
            .collect::<Result<_, NodeError>>()?;
        let work = self.work(resident, row)?;
        let progress = Arc::new(Progress::of(missing.len()));
        let waiting = Waiting::new(Arc::clone(&progress), resident, use_id, total);
        match lock().entry((resident, use_id)) {
            Entry::Occupied(other) => {
                // Another call for the same use was quicker.
                let waiting = Waiting::new(Arc::clone(other.get()), resident, use_id, total);
                return Ok(Making::UnderWay(waiting));
            }
            Entry::Vacant(entry) => entry.insert(Arc::clone(&progress)),
        };
        let jobs = missing.into_iter().map(|(position, holder)| {
            let job = PassJob {
                node: Arc::clone(self),
                work: work.clone(),
                progress: Arc::clone(&progress),
                holder,
                resident,
                use_id,
                position,
            };
            Box::new(move || job.run()) as Job
        });
        // Jobs that find no room are dropped, and with them the entry above.
        self.queue.submit(jobs.collect()).map_err(|full| {
            self.metrics.pass_queue_was_full();
            NodeError::Later {
                reason: Reason::ProverBusy,
                wait: spread(full.wait, self.entropy.bytes()),
            }
        })?;
        Ok(Making::UnderWay(waiting))
    }

    /// What a call waited for.
    ///
    /// # Errors
    /// [`Reason::Internal`] if one of them could not be made, [`Reason::ProverBusy`] if there was no room for them.
    pub fn collect(&self, waiting: &Waiting) -> Result<Outcome, NodeError> {
        if waiting.progress.has_failed.load(Ordering::SeqCst) {
            return Err(NodeError::Fault("a pass could not be made"));
        }
        match self.ended(waiting.resident, waiting.use_id, waiting.total)? {
            Ended::Yes(outcome) => Ok(outcome),
            Ended::NotYet(_) => Err(NodeError::Later {
                reason: Reason::ProverBusy,
                wait: Duration::from_millis(500),
            }),
        }
    }

    /// Whether a use of `total` passes has ended, and how.
    fn ended(
        &self,
        resident: ResidentKey,
        use_id: [u8; 16],
        total: usize,
    ) -> Result<Ended, NodeError> {
        let made = self.issued(resident, use_id)?;
        let refused: Option<RefusedRow> =
            self.vault.get(Table::Refusals, &resident.row(&use_id))?;
        Ok(if made.len() == total {
            Ended::Yes(Outcome::Made(made.into_values().collect()))
        } else if let Some(row) = refused {
            Ended::Yes(Outcome::Refused(proto::Refusal {
                rule_ids: row.rules,
                test_too_old: row.test_too_old,
            }))
        } else {
            Ended::NotYet(made)
        })
    }

    /// The passes of a use that are made, by position.
    fn issued(
        &self,
        resident: ResidentKey,
        use_id: [u8; 16],
    ) -> Result<BTreeMap<usize, proto::IssuedPass>, NodeError> {
        let rows: Vec<(Vec<u8>, IssuedRow)> =
            self.vault.list(Table::Passes, &resident.row(&use_id))?;
        Ok(rows
            .into_iter()
            .filter_map(|(key, row)| {
                let pass = proto::IssuedPass {
                    pass: row.pass,
                    revocation_secret: row.revocation_secret.to_vec(),
                };
                Some((usize::from(*key.last()?), pass))
            })
            .collect())
    }

    /// What a resident's record in the registry is, and the way from it to the state root.
    fn committed(
        &self,
        issuing: &Issuing,
        resident: ResidentKey,
    ) -> Result<(ResidentRow, CommittedRow, MerklePath), NodeError> {
        let not_committed = || NodeError::Refused(Reason::NotCommitted);
        let row: ResidentRow = self
            .vault
            .get(Table::Residents, &resident.0)?
            .ok_or_else(not_committed)?;
        let key = committed_key(issuing.own.head.head.epoch, row.place);
        let committed: CommittedRow = self
            .vault
            .get(Table::Committed, &key)?
            .ok_or_else(not_committed)?;
        let index = LeafIndex::new(row.place).ok_or_else(not_committed)?;
        Ok((row, committed, issuing.own.tree.path(index)))
    }

    /// Checks the claim against the committed record, and plans the witness that all passes of the use share.
    fn work(&self, resident: ResidentKey, row: &UseRow) -> Result<Work, NodeError> {
        let damaged = || NodeError::Store(StoreError::Damaged(Table::Uses));
        let issuing = self
            .issuing()
            .filter(|i| i.statement.epoch().get() == row.epoch)
            .ok_or(NodeError::Refused(Reason::UnknownEpoch))?;
        let as_of = issuing.statement.as_of();
        let known = self.charter().rules.in_force(&row.rule_set, as_of)?;
        let claim = Claim::from_code(row.claim).ok_or_else(damaged)?;
        let (resident_row, committed, state_path) = self.committed(&issuing, resident)?;
        let blinding = fr_from_bytes(&committed.blinding).map_err(|_| damaged())?;
        let witness = plan(&Plan {
            record: &committed.record,
            identity: identity_of(&resident_row)?,
            blinding: Blinding(blinding),
            state_path: &state_path,
            state_root: issuing.own.tree.root(),
            head_time: issuing.own.head.head.head_time,
            registry_path: &issuing.registry.path(self.slot),
            table: known.set().table(),
            map: issuing.risk.map(),
            tree: issuing.risk.tree(),
            as_of,
            claim,
        });
        let witness = match witness {
            // What came after the epoch is not proved from it, and makes no pass that would be revoked at once.
            Ok(witness) => match self.refused_now(resident, row)? {
                None => witness,
                Some(refused) => return Ok(Work::Refuse(Arc::new(refused))),
            },
            Err(error) => {
                let refused = refusal(&error, &committed, &known, &issuing, claim)?;
                return Ok(Work::Refuse(Arc::new(refused)));
            }
        };
        let needs_card = BinderKind::from_code(row.binder_kind) != Some(BinderKind::Device);
        Ok(Work::Prove(Arc::new(Common {
            witness: Arc::new(witness),
            claim,
            rule_set: known.short_id(),
            digest: known.digest(),
            card: needs_card.then(|| CardNumber::new(resident_row.identity_number)),
            issuing,
        })))
    }
}

/// The holder keys as stored; none for a card, which one pass is made for.
fn holder_keys(holders: &Holders) -> Vec<Vec<u8>> {
    match holders {
        Holders::Device(keys) | Holders::DeviceAndCard(keys) => {
            keys.iter().map(|key| key.to_bytes().to_vec()).collect()
        }
        Holders::Card => Vec::new(),
    }
}

fn passes_of(row: &UseRow) -> usize {
    row.holder_keys.len().max(1)
}

fn holder(row: &UseRow, position: usize) -> Result<Holder, NodeError> {
    let damaged = || NodeError::Store(StoreError::Damaged(Table::Uses));
    let key = || {
        let stored = row.holder_keys.get(position).ok_or_else(damaged)?;
        let bytes: [u8; 33] = stored[..].try_into().map_err(|_| damaged())?;
        HolderKey::from_bytes(&bytes).map_err(|_| damaged())
    };
    Ok(match BinderKind::from_code(row.binder_kind) {
        Some(BinderKind::Device) => Holder::Device(key()?),
        Some(BinderKind::DeviceAndCard) => Holder::DeviceAndCard(key()?),
        Some(BinderKind::Card) => Holder::Card,
        None => return Err(damaged()),
    })
}
