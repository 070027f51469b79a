//! Proxies that an office names for somebody who has no phone: over its signature, seen by the resident, ended like any other.

use ed25519_dalek::Signature;
use rules::naming::Naming;
use rules::{Minute, SourceId};
use wire::{NamingRequest, Reason, WireError};

use super::Wished;
use crate::sources::Source;
use crate::store::{NamingRow, ProxyRow, ResidentKey, StoreError, Table, WriteSet};
use crate::{Node, NodeError};

/// Most namings of one resident that are kept until their dates: a changed end is one more.
const NAMINGS_MAX: usize = 64;

/// A naming that came, and when.
pub(super) type Received = (Naming, Minute);

/// The office that named a proxy as it is now; none where a device of the resident did.
pub(super) fn namer(namings: &[Received], row: &ProxyRow) -> Option<SourceId> {
    let of_key = namings.iter().filter(|(naming, received_at)| {
        naming.proxy_key[..] == row.key[..] && *received_at >= row.since
    });
    let newest = of_key.max_by_key(|(_, received_at)| *received_at);
    newest.map(|(naming, _)| naming.source)
}

const fn refused(reason: Reason) -> NodeError {
    NodeError::Refused(reason)
}

impl Node {
    /// Names a proxy at the word of an office, or gives one that the same office named another end. That it did is a row of the
    /// resident's trail, in the same commit, before it is answered. The same naming again is answered as before and changes nothing,
    /// also when the resident has ended the proxy meanwhile.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`] for an office that is not entitled, or another's naming; [`Reason::BadSignature`];
    /// [`Reason::IdReused`] for another naming under the same name; [`Reason::LivesElsewhere`]; [`Reason::Malformed`] for an end that
    /// is past or more than 366 days ahead; [`Reason::AlreadyBound`] for a key that is a device, or a proxy that somebody else named;
    /// [`Reason::TooManyProxies`] for a fifth, and for more than 64 namings of one person at a time.
    pub fn name_proxy(&self, caller: SourceId, asked: &NamingRequest) -> Result<(), NodeError> {
        let office = self.proxy_office(caller)?;
        let naming = &asked.naming;
        let signature = Signature::from_bytes(&asked.signature);
        office
            .key
            .verify_strict(&naming.signing_bytes(), &signature)
            .map_err(|_| refused(Reason::BadSignature))?;
        if naming.source != caller {
            return Err(refused(Reason::RoleRefused));
        }
        let resident = self.resident_key(&naming.subject);
        let _held = self.locks.hold([resident]);
        let (now, place) = (self.clock.now(), resident.row(&naming.request_id));
        let known: Option<NamingRow> = self.vault.get(Table::Namings, &place)?;
        match known {
            Some(row) if row.naming == naming.to_bytes() => return Ok(()),
            Some(_) => return Err(refused(Reason::IdReused)),
            None => {}
        }
        if naming.until <= now {
            let field = "until_minute";
            return Err(WireError::Malformed { field }.into());
        }
        let Some(mut person) = self.resident_or_new(&naming.subject)? else {
            return Err(refused(Reason::LivesElsewhere));
        };
        let is_new = person.is_new;
        let mut write = self.vault.write();
        if is_new {
            self.write_resident(&mut write, &mut person)?;
        }
        self.put_named(&mut write, resident, asked, now)?;
        self.note_naming(resident, caller, &mut write);
        let row = NamingRow {
            naming: naming.to_bytes(),
            signature: asked.signature.to_vec(),
            received_at: now,
        };
        write.put_new(Table::Namings, &place, &row);
        write.commit().map_err(|error| match error {
            StoreError::Conflict(Table::ProxyKeys) => refused(Reason::AlreadyBound),
            other => other.into(),
        })?;
        self.count(u64::from(is_new), 0);
        tracing::info!(source = %caller, "an office names a proxy");
        Ok(())
    }

    /// Puts the proxy itself among the changes: judged as one that a device names, and nobody else's to change.
    fn put_named(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        asked: &NamingRequest,
        now: Minute,
    ) -> Result<(), NodeError> {
        self.forget_past_proxies(write, resident, now)?;
        let namings = self.namings(resident)?;
        let lasting = namings.iter().filter(|(naming, _)| now < naming.until);
        if lasting.count() >= NAMINGS_MAX {
            return Err(refused(Reason::TooManyProxies));
        }
        let naming = &asked.naming;
        let mut label = naming.source.to_string();
        let known = self.known_proxies(resident, now)?;
        if let Some(own) = known.into_iter().find(|known| known.id == asked.key.id()) {
            if own.named_by != Some(naming.source) {
                return Err(refused(Reason::AlreadyBound));
            }
            // What the resident calls it meanwhile.
            label = own.label;
        }
        let wished = Wished {
            key: &asked.key,
            label: &label,
            until: naming.until,
        };
        self.put_proxy(write, resident, &wished, now)
    }

    /// The caller, if it is an office of this province that is entitled to name proxies now.
    ///
    /// # Errors
    /// [`Reason::RoleRefused`].
    pub(crate) fn proxy_office(&self, caller: SourceId) -> Result<&Source, NodeError> {
        let now = self.clock.now();
        let known = self.sources.get(&caller).filter(|source| {
            let grant = &source.grant;
            let is_of_now = (grant.since..grant.until).contains(&now);
            source.names_proxies && caller.province == self.home && is_of_now
        });
        known.ok_or(refused(Reason::RoleRefused))
    }

    /// What offices have said of proxies of a resident, as long as it is kept.
    pub(super) fn namings(&self, resident: ResidentKey) -> Result<Vec<Received>, NodeError> {
        let rows: Vec<(Vec<u8>, NamingRow)> = self.vault.list(Table::Namings, &resident.0)?;
        let damaged = |_| StoreError::Damaged(Table::Namings);
        rows.into_iter()
            .map(|(_, row)| {
                let naming = Naming::from_bytes(&row.naming).map_err(damaged)?;
                Ok((naming, row.received_at))
            })
            .collect()
    }

    /// Removes what offices said of proxies until a date that has come: after it, the same naming is refused for its end.
    pub(super) fn forget_past_namings(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        now: Minute,
    ) -> Result<(), NodeError> {
        for (naming, _) in self.namings(resident)? {
            if naming.until <= now {
                write.delete(Table::Namings, &resident.row(&naming.request_id));
            }
        }
        Ok(())
    }
}
