//! Residents' calls: who calls, that they have not called so before, and that the call's effect is written with its nonce.

use rules::Minute;
use wire::{DeviceKey, DeviceKeyId, Nonce, Reason, SignedCall, UnverifiedCall};

use crate::proxies::PROXIES_MAX;
use crate::store::{
    DeviceRow, Evidence, LimitRow, ReadPurpose, ReadRow, ResidentKey, StoreError, Table, WriteSet,
};
use crate::{Node, NodeError};

/// Nonces removed at a time, so that no batch grows without bound.
const PURGE_LEN: usize = 4_096;

/// A resident's call whose signature holds.
pub(crate) struct ResidentCall<B> {
    pub(crate) resident: ResidentKey,
    pub(crate) device: DeviceKeyId,
    pub(crate) nonce: Nonce,
    pub(crate) now: Minute,
    pub(crate) body: B,
    /// Whether the key is a proxy's, and not a device of the resident.
    pub(crate) is_proxy: bool,
    pub(crate) evidence: Evidence,
    nonce_key: Vec<u8>,
}

impl Node {
    /// Checks a call: its form, that the key is bound here or a proxy's, the signature, the time, that it is no replay, and that a
    /// proxy may make it.
    ///
    /// # Errors
    /// [`Reason::UnknownDevice`], [`Reason::Replayed`], [`Reason::ProxyRefused`], or what [`UnverifiedCall`] refuses.
    pub(crate) fn authenticate<C: SignedCall>(
        &self,
        request: &C,
    ) -> Result<ResidentCall<C::Body>, NodeError> {
        let unverified = UnverifiedCall::parse(request)?;
        let device = unverified.device_key_id();
        let now = self.clock.now();
        let row: Option<DeviceRow> = self.vault.get(Table::Devices, &device.0)?;
        let is_proxy = row.is_none();
        let (resident, key, table) = if let Some(row) = row {
            (row.resident, row.key, Table::Devices)
        } else {
            let (resident, row) = self.proxy_of_key(device, now)?;
            (resident, row.key, Table::Proxies)
        };
        let key = DeviceKey::from_bytes(&key)
            .map_err(|_| NodeError::Store(StoreError::Damaged(table)))?;
        let verified = unverified.verify(&key, self.home, now, self.limits.request_skew_min)?;
        let nonce_key = nonce_key(verified.auth.at, device, verified.auth.nonce);
        self.refuse_replay(&nonce_key)?;
        // Only who holds the key spends its quota.
        self.quotas.device_call(device)?;
        if is_proxy {
            self.admit_proxy(resident, device, C::METHOD, now)?;
        }
        Ok(ResidentCall {
            resident,
            device,
            nonce: verified.auth.nonce,
            now,
            body: verified.body,
            is_proxy,
            evidence: evidence(request),
            nonce_key,
        })
    }

    pub(crate) fn refuse_replay(&self, nonce_key: &[u8]) -> Result<(), NodeError> {
        match self.vault.get::<()>(Table::Nonces, nonce_key)? {
            Some(()) => Err(NodeError::Refused(Reason::Replayed)),
            None => Ok(()),
        }
    }

    /// Counts a declaration against the day's limit.
    pub(crate) fn spend_declaration<B>(
        &self,
        call: &ResidentCall<B>,
        write: &mut WriteSet<'_>,
    ) -> Result<(), NodeError> {
        let (key, mut row) = self.limit_of_day(call)?;
        if row.count >= call.share_of(self.limits.declarations_per_day) {
            return Err(NodeError::Later {
                reason: Reason::Overloaded,
                wait: std::time::Duration::from_hours(1),
            });
        }
        row.count += 1;
        write.put(Table::Limits, &key, &row);
        Ok(())
    }

    /// Counts a rule set against the day's limit; the home's own is always free, and so is one asked under before.
    pub(crate) fn spend_rule_set<B>(
        &self,
        call: &ResidentCall<B>,
        rule_set: &str,
        write: &mut WriteSet<'_>,
    ) -> Result<(), NodeError> {
        if self.charter().rules.is_home(rule_set) {
            return Ok(());
        }
        let (key, mut row) = self.limit_of_day(call)?;
        if row.rule_sets.iter().any(|s| s == rule_set) {
            return Ok(());
        }
        if row.rule_sets.len() >= call.share_of(self.limits.rule_sets_per_day) as usize {
            return Err(NodeError::Refused(Reason::TooManyRuleSets));
        }
        row.rule_sets.push(rule_set.to_owned());
        write.put(Table::Limits, &key, &row);
        Ok(())
    }

    fn limit_of_day<B>(&self, call: &ResidentCall<B>) -> Result<(Vec<u8>, LimitRow), NodeError> {
        let key = call.limit_key(b'd', &call.now.day().get().to_be_bytes());
        let row = self.vault.get(Table::Limits, &key)?.unwrap_or_default();
        Ok((key, row))
    }

    /// Removes nonces of calls that would be refused for their age alone.
    pub(crate) fn purge_nonces(&self) -> Result<(), NodeError> {
        let keep = 2 * i64::from(self.limits.request_skew_min);
        let oldest = self.clock.now().saturating_add_signed(-keep);
        loop {
            let mut old = self.vault.keys(Table::Nonces, b"", PURGE_LEN)?;
            old.retain(|key| key[..] < oldest.get().to_be_bytes()[..]);
            if old.is_empty() {
                return Ok(());
            }
            let mut write = self.vault.write();
            for key in &old {
                write.delete(Table::Nonces, key);
            }
            write.commit()?;
        }
    }
}

impl<B> ResidentCall<B> {
    /// Where it is written how much of a limit of a day or an epoch is used up: the resident's own, or the proxy's. What a proxy uses up
    /// leaves the resident all of theirs, with which they can end it.
    pub(crate) fn limit_key(&self, kind: u8, of: &[u8]) -> Vec<u8> {
        let by: &[u8] = if self.is_proxy { &self.device.0 } else { b"" };
        self.resident.row(&[&[kind], of, by].concat())
    }

    /// What of a resident's limit this caller has: a proxy, of which there are four at most, a quarter of as much again.
    pub(crate) fn share_of(&self, limit: u32) -> u32 {
        if self.is_proxy {
            (limit / PROXIES_MAX).max(1)
        } else {
            limit
        }
    }

    /// Puts a row of the trail among the changes: what is answered comes after they are durable. A row is never written
    /// over.
    pub(crate) fn note_reading(
        &self,
        purpose: ReadPurpose,
        rule_set: &str,
        write: &mut WriteSet<'_>,
    ) {
        let row = ReadRow {
            purpose,
            device_key_id: self.device.0,
            rule_set: rule_set.to_owned(),
        };
        let key = [&self.now.get().to_be_bytes()[..], &self.nonce.0].concat();
        write.put_new(Table::Reads, &self.resident.row(&key), &row);
    }

    /// Commits a call's effect together with its nonce.
    ///
    /// # Errors
    /// [`Reason::Replayed`] if the same call was made meanwhile.
    pub(crate) fn commit(&self, write: WriteSet<'_>) -> Result<(), NodeError> {
        commit_with_nonce(write, &self.nonce_key)
    }
}

pub(crate) fn commit_with_nonce(
    mut write: WriteSet<'_>,
    nonce_key: &[u8],
) -> Result<(), NodeError> {
    write.put_new(Table::Nonces, nonce_key, &());
    write.commit().map_err(|error| match error {
        StoreError::Conflict(Table::Nonces) => NodeError::Refused(Reason::Replayed),
        StoreError::Conflict(Table::ProxyKeys) => NodeError::Refused(Reason::AlreadyBound),
        other => other.into(),
    })
}

pub(crate) fn nonce_key(at: Minute, device: DeviceKeyId, nonce: Nonce) -> Vec<u8> {
    [&at.get().to_be_bytes()[..], &device.0, &nonce.0].concat()
}

pub(crate) fn evidence<C: SignedCall>(request: &C) -> Evidence {
    let auth = request.auth();
    Evidence::Device {
        auth: auth.map(|a| a.auth.clone()).unwrap_or_default(),
        signature: auth.map(|a| a.signature.clone()).unwrap_or_default(),
        body: request.body().to_vec(),
    }
}
