//! Who acts for a resident: keys that a device of the resident has named or, for somebody who has no phone, an office; until a date,
//! for a closed list of calls.
//!
//! Nothing here knows who holds such a key, and no list leads from a proxy to the persons that it acts for: each of them names a
//! key of its own.

mod office;

use rules::{Minute, SourceId};
use wire::resident::v1 as proto;
use wire::{DeviceKey, DeviceKeyId, MAX_PROXY_MIN, Method, ProxyWish, Reason, WireError};

use crate::calls::ResidentCall;
use crate::store::{DeviceRow, ProxyRow, ResidentKey, StoreError, Table, UseRow, WriteSet};
use crate::{Node, NodeError};

/// Most proxies of one resident at a time.
pub(crate) const PROXIES_MAX: u32 = 4;
/// Requests for passes of one proxy from which on those that revoke nothing any more are dropped.
const USES_LOOKED_THROUGH: usize = 256;
/// Most requests for passes of one proxy that are kept with it: 16 bytes each, in a row of at most 64 KiB.
const USES_MAX: usize = 2_048;
/// Bytes of an ended proxy's name that a resident is told.
const NAME_LEN_BYTES: usize = 4;

/// A proxy as its resident sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownProxy {
    /// Name of its key.
    pub id: DeviceKeyId,
    /// Its key, 33 bytes.
    pub key: Vec<u8>,
    /// What the resident calls it, or the identifier of the office that named it.
    pub label: String,
    /// When it was named first.
    pub since: Minute,
    /// From when on it is a proxy no more.
    pub until: Minute,
    /// Its newest call.
    pub last_used: Option<Minute>,
    /// The office that named it; none for one that the resident named.
    pub named_by: Option<SourceId>,
}

/// What is wished of a proxy that is named or changed.
struct Wished<'a> {
    key: &'a DeviceKey,
    label: &'a str,
    until: Minute,
}

/// The calls that a proxy may make. What is not in this list is the resident's own.
const fn may(method: Method) -> bool {
    matches!(
        method,
        Method::DeclareHealth
            | Method::DeclareTrip
            | Method::Query
            | Method::RequestUse
            | Method::MakeCode
            | Method::RevokePasses
    )
}

/// Whether a call is answered from the record.
const fn reads(method: Method) -> bool {
    matches!(method, Method::Query | Method::MakeCode)
}

/// What a resident calls the proxy that a reading was made by.
pub(crate) fn name_of(key_id: &[u8; 32], proxies: &[KnownProxy]) -> String {
    let known = proxies.iter().find(|proxy| proxy.id.0 == *key_id);
    known.map_or_else(
        || hex::encode(&key_id[..NAME_LEN_BYTES]),
        |proxy| proxy.label.clone(),
    )
}

impl Node {
    /// Names, changes or ends a proxy of the resident who asks; who are proxies then.
    ///
    /// # Errors
    /// [`Reason::AlreadyBound`] for a key that is a device, or somebody else's proxy; [`Reason::TooManyProxies`] for a fifth;
    /// [`Reason::NotFound`] for the end of a key that is no proxy; those of every resident's call.
    pub fn set_proxy(
        &self,
        request: &proto::SetProxyRequest,
    ) -> Result<Vec<KnownProxy>, NodeError> {
        let call = self.authenticate(request)?;
        let wish = ProxyWish::try_from(&call.body)?;
        let (resident, now, id) = (call.resident, call.now, wish.key.id());
        let _held = self.locks.hold([resident]);
        self.caller_still(&call)?;
        let mut write = self.vault.write();
        self.spend_declaration(&call, &mut write)?;
        self.forget_past_proxies(&mut write, resident, now)?;
        if wish.until <= now {
            let known = self.proxies(resident, now)?;
            let own = known.into_iter().find(|(of, _)| *of == id);
            let (_, row) = own.ok_or(NodeError::Refused(Reason::NotFound))?;
            for use_id in &row.uses {
                self.revoke_uses(&mut write, resident, &resident.row(use_id))?;
            }
            forget(&mut write, resident, id);
        } else {
            let wished = Wished {
                key: &wish.key,
                label: wish.label()?,
                until: wish.until,
            };
            self.put_proxy(&mut write, resident, &wished, now)?;
        }
        call.commit(write)?;
        self.known_proxies(resident, now)
    }

    /// Puts a proxy among the changes, where it may be one. Those whose date has passed are among the changes already.
    fn put_proxy(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        wished: &Wished<'_>,
        now: Minute,
    ) -> Result<(), NodeError> {
        let id = wished.key.id();
        let rows = self.rows_of_proxies(resident)?;
        let known = rows.iter().filter(|(_, row)| now < row.until).count();
        let former = rows.iter().find(|(of, _)| *of == id).map(|(_, row)| row);
        let row = self.named(wished, former, known, now)?;
        match self.resident_of_proxy(id)? {
            Some(of) if of != resident => {
                return Err(NodeError::Refused(Reason::AlreadyBound));
            }
            // A row that is past its date is removed and written again.
            Some(_) => write.put(Table::ProxyKeys, &id.0, &resident),
            None => write.put_new(Table::ProxyKeys, &id.0, &resident),
        }
        write.put(Table::Proxies, &resident.row(&id.0), &row);
        Ok(())
    }

    /// A proxy as it is wished, where it may be one. `former` is its row, also where its date has passed and the row is still there: what
    /// the key requested then may be good for longer, and ends with it.
    fn named(
        &self,
        wish: &Wished<'_>,
        former: Option<&ProxyRow>,
        known: usize,
        now: Minute,
    ) -> Result<ProxyRow, NodeError> {
        if wish.until.get() - now.get() > MAX_PROXY_MIN {
            let field = "until_minute";
            return Err(WireError::Malformed { field }.into());
        }
        let id = wish.key.id();
        if self
            .vault
            .get::<DeviceRow>(Table::Devices, &id.0)?
            .is_some()
        {
            return Err(NodeError::Refused(Reason::AlreadyBound));
        }
        let own = former.filter(|row| now < row.until);
        if own.is_none() && known >= PROXIES_MAX as usize {
            return Err(NodeError::Refused(Reason::TooManyProxies));
        }
        let new = || ProxyRow {
            key: wish.key.to_bytes().to_vec(),
            label: String::new(),
            since: now,
            until: now,
            last_used: None,
            told_at: None,
            uses: former.map(|row| row.uses.clone()).unwrap_or_default(),
        };
        Ok(ProxyRow {
            label: wish.label.to_owned(),
            until: wish.until,
            ..own.cloned().unwrap_or_else(new)
        })
    }

    /// Whom a key acts for, and its row.
    ///
    /// # Errors
    /// [`Reason::UnknownDevice`] for a key that is no proxy, or no more.
    pub(crate) fn proxy_of_key(
        &self,
        id: DeviceKeyId,
        now: Minute,
    ) -> Result<(ResidentKey, ProxyRow), NodeError> {
        let unknown = NodeError::Refused(Reason::UnknownDevice);
        let Some(resident) = self.resident_of_proxy(id)? else {
            return Err(unknown);
        };
        Ok((resident, self.proxy(resident, id, now)?))
    }

    /// Whether a key is, or was until its date, somebody's proxy.
    pub(crate) fn is_proxy_key(&self, id: DeviceKeyId) -> Result<bool, NodeError> {
        Ok(self.resident_of_proxy(id)?.is_some())
    }

    /// The public key of a proxy, as long as it is kept.
    pub(crate) fn key_of_proxy(&self, id: DeviceKeyId) -> Result<Option<Vec<u8>>, NodeError> {
        let Some(resident) = self.resident_of_proxy(id)? else {
            return Ok(None);
        };
        let row: Option<ProxyRow> = self.vault.get(Table::Proxies, &resident.row(&id.0))?;
        Ok(row.map(|row| row.key))
    }

    fn resident_of_proxy(&self, id: DeviceKeyId) -> Result<Option<ResidentKey>, NodeError> {
        Ok(self.vault.get(Table::ProxyKeys, &id.0)?)
    }

    fn proxy(
        &self,
        resident: ResidentKey,
        id: DeviceKeyId,
        now: Minute,
    ) -> Result<ProxyRow, NodeError> {
        let row: Option<ProxyRow> = self.vault.get(Table::Proxies, &resident.row(&id.0))?;
        row.filter(|row| now < row.until)
            .ok_or(NodeError::Refused(Reason::UnknownDevice))
    }

    /// Lets a proxy make a call that it may make, and writes that it did: for the resident to see, before anything is answered.
    ///
    /// # Errors
    /// [`Reason::ProxyRefused`] for every other call, [`Reason::UnknownDevice`] if it was ended meanwhile.
    pub(crate) fn admit_proxy(
        &self,
        resident: ResidentKey,
        id: DeviceKeyId,
        method: Method,
        now: Minute,
    ) -> Result<(), NodeError> {
        if !may(method) {
            return Err(NodeError::Refused(Reason::ProxyRefused));
        }
        let _held = self.locks.hold([resident]);
        let mut row = self.proxy(resident, id, now)?;
        let is_told = !reads(method) || row.told_at.is_some_and(|at| at.day() == now.day());
        if is_told && row.last_used == Some(now) {
            return Ok(());
        }
        row.last_used = Some(now);
        let mut write = self.vault.write();
        if !is_told {
            row.told_at = Some(now);
            self.note_reading_by_proxy(resident, id, &mut write);
        }
        write.put(Table::Proxies, &resident.row(&id.0), &row);
        Ok(write.commit()?)
    }

    /// Who makes a call, as it is now: the row of a proxy, none for a device of the resident. Asked again once the resident is held:
    /// a phone that was lost may have been unbound, and a proxy ended, since the call was authenticated.
    ///
    /// # Errors
    /// [`Reason::UnknownDevice`] if so.
    pub(crate) fn caller_still<B>(
        &self,
        call: &ResidentCall<B>,
    ) -> Result<Option<ProxyRow>, NodeError> {
        if call.is_proxy {
            return self.proxy(call.resident, call.device, call.now).map(Some);
        }
        let row: Option<DeviceRow> = self.vault.get(Table::Devices, &call.device.0)?;
        match row {
            Some(row) if row.resident == call.resident => Ok(None),
            _ => Err(NodeError::Refused(Reason::UnknownDevice)),
        }
    }

    /// Puts a request for passes with those of its proxy, so that its end revokes them. The resident's lock is held.
    ///
    /// # Errors
    /// [`Reason::Quota`] for a proxy with so many requests that a row does not hold them.
    pub(crate) fn note_use_of_proxy<B>(
        &self,
        call: &ResidentCall<B>,
        row: &mut ProxyRow,
        use_id: [u8; 16],
        epoch: u32,
        write: &mut WriteSet<'_>,
    ) -> Result<(), NodeError> {
        if row.uses.len() >= USES_LOOKED_THROUGH {
            row.uses = self.revocable(call.resident, &row.uses, epoch)?;
        }
        if row.uses.len() >= USES_MAX {
            return Err(NodeError::Refused(Reason::Quota));
        }
        row.uses.push(use_id);
        write.put(Table::Proxies, &call.resident.row(&call.device.0), row);
        Ok(())
    }

    /// Those of some requests with a pass that a gate could accept, or that can still be made in `epoch`.
    fn revocable(
        &self,
        resident: ResidentKey,
        uses: &[[u8; 16]],
        epoch: u32,
    ) -> Result<Vec<[u8; 16]>, NodeError> {
        let mut kept = Vec::new();
        for id in uses {
            let key = resident.row(id);
            let Some(row) = self.vault.get::<UseRow>(Table::Uses, &key)? else {
                continue;
            };
            if row.epoch >= epoch || !self.usable_passes(resident, &key)?.is_empty() {
                kept.push(*id);
            }
        }
        Ok(kept)
    }

    /// The proxies of a resident at a moment.
    pub(crate) fn known_proxies(
        &self,
        resident: ResidentKey,
        now: Minute,
    ) -> Result<Vec<KnownProxy>, NodeError> {
        let proxies = self.proxies(resident, now)?;
        let namings = self.namings(resident)?;
        let known = proxies.into_iter().map(|(id, row)| KnownProxy {
            id,
            named_by: office::namer(&namings, &row),
            key: row.key,
            label: row.label,
            since: row.since,
            until: row.until,
            last_used: row.last_used,
        });
        Ok(known.collect())
    }

    fn proxies(
        &self,
        resident: ResidentKey,
        now: Minute,
    ) -> Result<Vec<(DeviceKeyId, ProxyRow)>, NodeError> {
        let mut rows = self.rows_of_proxies(resident)?;
        rows.retain(|(_, row)| now < row.until);
        Ok(rows)
    }

    fn rows_of_proxies(
        &self,
        resident: ResidentKey,
    ) -> Result<Vec<(DeviceKeyId, ProxyRow)>, NodeError> {
        let rows: Vec<(Vec<u8>, ProxyRow)> = self.vault.list(Table::Proxies, &resident.0)?;
        rows.into_iter()
            .map(|(key, row)| {
                let id = key.last_chunk().copied();
                let id = id.ok_or(StoreError::Damaged(Table::Proxies))?;
                Ok((DeviceKeyId(id), row))
            })
            .collect()
    }

    /// Removes proxies whose date has passed, and what offices said of such. What they requested ends by itself.
    pub(crate) fn forget_past_proxies(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        now: Minute,
    ) -> Result<(), NodeError> {
        for (id, row) in self.rows_of_proxies(resident)? {
            if row.until <= now {
                forget(write, resident, id);
            }
        }
        self.forget_past_namings(write, resident, now)
    }

    /// Removes every proxy of a resident; the prefixes of what they requested.
    pub(crate) fn forget_proxies(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
    ) -> Result<Vec<Vec<u8>>, NodeError> {
        let mut requested = Vec::new();
        for (id, row) in self.rows_of_proxies(resident)? {
            forget(write, resident, id);
            requested.extend(row.uses.iter().map(|use_id| resident.row(use_id)));
        }
        Ok(requested)
    }
}

fn forget(write: &mut WriteSet<'_>, resident: ResidentKey, id: DeviceKeyId) {
    write.delete(Table::Proxies, &resident.row(&id.0));
    write.delete(Table::ProxyKeys, &id.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_makes_six_calls_and_no_other() {
        assert_eq!(Method::ALL.iter().filter(|method| may(**method)).count(), 6);
        for own in [
            Method::Register,
            Method::Correct,
            Method::Leave,
            Method::SetProxy,
        ] {
            assert!(!may(own));
        }
    }
}
