//! Revocation between epochs: which passes, and that what revokes them is durable before anybody is told.
//!
//! A pass is revoked because what is known now does not support its claim any more, because its holder asks for it, or
//! because the resident is erased. There is no other way in: nobody revokes by name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rules::{Claim, Context, EventBody, Minute, TestResult, evaluate, fold};
use wire::resident::v1 as proto;
use wire::{Reason, Revoking};

use crate::store::{
    DeviceRow, IssuedRow, RefusedRow, ResidentKey, ResidentRow, StoreError, Table, UseRow, WriteSet,
};
use crate::{Node, NodeError};

/// Residents looked at between two looks at the table.
const CHUNK_LEN: usize = 64;
/// How long what a failure left is let be.
const RETRY_AFTER: Duration = Duration::from_secs(30);

/// How soon a revocation is published, where a batch has no room for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Urgency {
    /// Somebody may show the pass who should not.
    Soon = 0,
    /// The resident is gone, and with them the passes.
    Later = 1,
}

/// Whether an event can make a colour worse. Only a negative test and a check-in without symptoms never do; a release can
/// begin another phase, and a ruling can void a relief.
pub(crate) const fn can_worsen(body: &EventBody) -> bool {
    !matches!(
        body,
        EventBody::Test {
            result: TestResult::Negative,
            ..
        } | EventBody::CheckIn {
            symptoms: false,
            ..
        }
    )
}

impl Node {
    /// Notes, among the changes that bring an event, that the resident's passes are to be looked at: after the answer, and
    /// whatever happens in between. A resident without passes is not noted.
    pub(crate) fn note_recheck(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
    ) -> Result<(), NodeError> {
        if !self.vault.keys(Table::Passes, &resident.0, 1)?.is_empty() {
            write.put(Table::Rechecks, &resident.0, &());
        }
        Ok(())
    }

    /// Holds passes against what is known now, for every resident of whom something came in; the number revoked.
    ///
    /// # Errors
    /// [`NodeError::Store`]; what is not done yet is still noted.
    pub fn recheck(&self) -> Result<u32, NodeError> {
        let mut revoked = 0;
        loop {
            let due = self.vault.keys(Table::Rechecks, b"", CHUNK_LEN)?;
            if due.is_empty() {
                return Ok(revoked);
            }
            for key in due {
                let key = <[u8; 32]>::try_from(&key[..])
                    .map_err(|_| StoreError::Damaged(Table::Rechecks))?;
                revoked += self.recheck_one(ResidentKey(key))?;
            }
        }
    }

    fn recheck_one(&self, resident: ResidentKey) -> Result<u32, NodeError> {
        let _held = self.locks.hold([resident]);
        let mut write = self.vault.write();
        write.delete(Table::Rechecks, &resident.0);
        let mut revoked = 0;
        let mut refusals: BTreeMap<[u8; 16], Option<RefusedRow>> = BTreeMap::new();
        for (key, row) in self.usable_passes(resident, &resident.0)? {
            let use_id = use_of(&key)?;
            let refused = if let Some(known) = refusals.get(&use_id) {
                known.clone()
            } else {
                let asked: Option<UseRow> = self.vault.get(Table::Uses, &resident.row(&use_id))?;
                let asked = asked.ok_or(StoreError::Damaged(Table::Uses))?;
                let refused = self.refused_now(resident, &asked)?;
                refusals.insert(use_id, refused.clone());
                refused
            };
            if let Some(refused) = refused {
                self.revoke(&mut write, Urgency::Soon, &row);
                write.delete(Table::Passes, &key);
                write.put(Table::Refusals, &resident.row(&use_id), &refused);
                revoked += 1;
            }
        }
        write.commit()?;
        if revoked > 0 {
            tracing::info!(revoked, "passes are revoked by what came in");
        }
        Ok(revoked)
    }

    /// Why a resident's record, as it is now, does not support the colour of a use; none if it does. The age of tests is
    /// not asked: that of a pass counts from its epoch.
    pub(crate) fn refused_now(
        &self,
        resident: ResidentKey,
        asked: &UseRow,
    ) -> Result<Option<RefusedRow>, NodeError> {
        let now = self.clock.now();
        let claim = Claim::from_code(asked.claim).ok_or(StoreError::Damaged(Table::Uses))?;
        let events = self.events_of(resident)?;
        let known = self.charter().rules.newest(&asked.rule_set, now)?;
        let (counting, risk) = (self.charter().rules.counting_at(now), self.risk.at(now));
        let map = risk.map();
        let fold_for = |tables| fold(&events, &Context { tables, map }, now);
        let table = known.set().table();
        let folded = fold_for(&counting.tables).or_else(|_| fold_for(std::slice::from_ref(table)));
        let mut rules = Vec::new();
        // A record that does not fit its capacities has no leaf in the next epoch, and so no passes.
        if let Ok(folded) = folded {
            let evaluation = evaluate(&folded.record, table, map, now)
                .map_err(|_| NodeError::Fault("a folded record speaks of the future"))?;
            if evaluation.colour <= claim.worst.colour() {
                return Ok(None);
            }
            let open = evaluation.reasons.iter();
            rules = open
                .filter(|reason| reason.colour > claim.worst.colour())
                .filter_map(|reason| known.set().rule_of(reason.key))
                .map(|rule| rule.id.clone())
                .collect();
            rules.sort();
            rules.dedup();
        }
        Ok(Some(RefusedRow {
            rules,
            test_too_old: false,
            epoch: asked.epoch,
        }))
    }

    /// Revokes own passes for a resident, and unbinds the other devices and ends all proxies if that is asked for. A proxy revokes
    /// those that it requested.
    ///
    /// # Errors
    /// [`Reason::NotFound`] for an unknown use, [`Reason::ProxyRefused`] for a proxy that would unbind devices, and those of every
    /// resident's call.
    pub fn revoke_passes(&self, request: &proto::RevokePassesRequest) -> Result<u32, NodeError> {
        let call = self.authenticate(request)?;
        let Revoking {
            use_id,
            forget_other_devices,
        } = (&call.body).try_into()?;
        let resident = call.resident;
        if call.is_proxy && forget_other_devices {
            return Err(NodeError::Refused(Reason::ProxyRefused));
        }
        let _held = self.locks.hold([resident]);
        let proxy = self.caller_still(&call)?;
        let mut prefixes = match (use_id, proxy) {
            (Some(id), Some(proxy)) if !proxy.uses.contains(&id.0) => {
                return Err(NodeError::Refused(Reason::NotFound));
            }
            (Some(id), _) => vec![resident.row(&id.0)],
            (None, Some(proxy)) => proxy.uses.iter().map(|id| resident.row(id)).collect(),
            (None, None) => vec![resident.0.to_vec()],
        };
        if use_id.is_some() && self.vault.keys(Table::Uses, &prefixes[0], 1)?.is_empty() {
            return Err(NodeError::Refused(Reason::NotFound));
        }
        let mut write = self.vault.write();
        self.spend_declaration(&call, &mut write)?;
        if forget_other_devices {
            self.forget_devices(&mut write, resident, &call.device.0)?;
            let of_proxies = self.forget_proxies(&mut write, resident)?;
            let covered = |key: &Vec<u8>| prefixes.iter().any(|prefix| key.starts_with(prefix));
            let more: Vec<_> = of_proxies.into_iter().filter(|key| !covered(key)).collect();
            prefixes.extend(more);
        }
        let mut revoked = 0;
        for prefix in &prefixes {
            revoked += self.revoke_uses(&mut write, resident, prefix)?;
        }
        call.commit(write)?;
        tracing::info!(revoked, "passes are revoked by their holder");
        Ok(revoked)
    }

    /// Revokes the passes under a prefix of a resident's, and removes what was requested there; how many a gate could still have
    /// accepted.
    pub(crate) fn revoke_uses(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        prefix: &[u8],
    ) -> Result<u32, NodeError> {
        let mut revoked = 0;
        for (_, row) in self.usable_passes(resident, prefix)? {
            self.revoke(write, Urgency::Soon, &row);
            revoked += 1;
        }
        // With its request gone, a pass that is under way is not kept.
        for table in [Table::Passes, Table::Refusals, Table::Uses] {
            for key in self.vault.keys(table, prefix, usize::MAX)? {
                write.delete(table, &key);
            }
        }
        Ok(revoked)
    }

    /// Unbinds every device of a resident but one. It counts against the day's declarations.
    fn forget_devices(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        kept: &[u8; 32],
    ) -> Result<(), NodeError> {
        let row = self.vault.get(Table::Residents, &resident.0)?;
        let mut row: ResidentRow = row.ok_or(NodeError::Refused(Reason::UnknownDevice))?;
        if row.devices <= 1 {
            return Ok(());
        }
        self.unbind(write, resident, Some(kept))?;
        row.devices = 1;
        write.put(Table::Residents, &resident.0, &row);
        Ok(())
    }

    /// Unbinds every device of a resident, ends every proxy and revokes every pass, for somebody who registers because all of them are
    /// lost. The count of devices in the resident's row is the caller's.
    pub(crate) fn forget_all(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
    ) -> Result<(), NodeError> {
        self.unbind(write, resident, None)?;
        self.forget_proxies(write, resident)?;
        let revoked = self.revoke_uses(write, resident, &resident.0)?;
        tracing::info!(revoked, "a resident begins anew with one device");
        Ok(())
    }

    /// Reads all devices of the province, which is why whoever asks for it is counted.
    fn unbind(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        kept: Option<&[u8; 32]>,
    ) -> Result<(), NodeError> {
        self.vault
            .walk::<DeviceRow, StoreError>(Table::Devices, b"", |key, device| {
                if device.resident == resident && kept.is_none_or(|kept| key != kept) {
                    write.delete(Table::Devices, key);
                }
                Ok(())
            })?;
        Ok(())
    }

    /// Revokes all passes of a resident who is about to be erased.
    pub(crate) fn revoke_of_erased(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
    ) -> Result<(), NodeError> {
        for (_, row) in self.usable_passes(resident, &resident.0)? {
            self.revoke(write, Urgency::Later, &row);
        }
        write.delete(Table::Rechecks, &resident.0);
        Ok(())
    }

    /// The passes under a prefix of a resident's that a gate may still accept, with their keys.
    pub(crate) fn usable_passes(
        &self,
        resident: ResidentKey,
        prefix: &[u8],
    ) -> Result<Vec<(Vec<u8>, IssuedRow)>, NodeError> {
        debug_assert!(prefix.starts_with(&resident.0));
        let (charter, now) = (self.charter(), self.clock.now());
        let mut passes: Vec<(Vec<u8>, IssuedRow)> = self.vault.list(Table::Passes, prefix)?;
        passes.retain(|(_, row)| {
            let closed = self.known_registry(commitment::Epoch::new(row.epoch));
            closed.is_some_and(|registry| charter.document().counts_batch(registry.as_of, now))
        });
        Ok(passes)
    }

    fn revoke(&self, write: &mut WriteSet<'_>, urgency: Urgency, row: &IssuedRow) {
        let now = self.clock.now().get().to_be_bytes();
        let key = [&[urgency as u8][..], &now, &row.revocation_secret].concat();
        write.put(Table::Revocations, &key, &());
    }

    /// The secrets that are revoked and not yet published, the most urgent first.
    pub(crate) fn waiting_revocations(
        &self,
        limit: usize,
    ) -> Result<Vec<WaitingSecret>, NodeError> {
        let keys = self.vault.keys(Table::Revocations, b"", limit)?;
        keys.into_iter()
            .map(|key| {
                let secret = key.last_chunk::<16>().copied();
                let damaged = StoreError::Damaged(Table::Revocations);
                Ok((key, secret.ok_or(damaged)?))
            })
            .collect()
    }

    /// The number of passes that are revoked and wait for a batch with room.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn revocations_waiting(&self) -> Result<usize, NodeError> {
        let waiting = self.waiting_revocations(usize::MAX)?;
        let different: BTreeSet<_> = waiting.into_iter().map(|(_, secret)| secret).collect();
        Ok(different.len())
    }
}

impl Node {
    /// When the oldest pass that somebody may show, and that waits for a batch, was revoked.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub(crate) fn oldest_revocation(&self) -> Result<Option<Minute>, NodeError> {
        let prefix = [Urgency::Soon as u8];
        let first = self.vault.keys(Table::Revocations, &prefix, 1)?;
        let minute = first
            .first()
            .and_then(|key| key.get(1..)?.first_chunk::<4>().copied());
        Ok(minute.and_then(|bytes| Minute::new(u32::from_be_bytes(bytes)).ok()))
    }
}

/// A revocation secret that is not yet published, with the key of its row.
pub(crate) type WaitingSecret = (Vec<u8>, [u8; 16]);

fn use_of(key: &[u8]) -> Result<[u8; 16], NodeError> {
    let id = key.get(32..48).and_then(|id| id.try_into().ok());
    Ok(id.ok_or(StoreError::Damaged(Table::Passes))?)
}

/// Rechecks what came in, as soon as it did, for as long as it is polled: off the way of the answer that brought it.
pub(crate) async fn recheck_as_due(node: Arc<Node>) {
    loop {
        let at = Arc::clone(&node);
        match tokio::task::spawn_blocking(move || at.recheck()).await {
            Ok(Ok(_)) => {
                let _ = tokio::time::timeout(RETRY_AFTER, node.recheck_due.notified()).await;
            }
            Ok(Err(error)) => {
                tracing::error!(%error, "passes could not be held against what came in");
                tokio::time::sleep(RETRY_AFTER).await;
            }
            Err(_) => {
                tracing::error!("the job that rechecks passes died");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}
