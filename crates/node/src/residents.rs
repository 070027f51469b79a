//! Who lives here: finding, taking in and reading residents.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use commitment::{Fr, IdentityCommitment, fr_from_bytes, fr_to_bytes};
use rules::{Event, IdentityNumber};
use wire::Reason;

use crate::store::{EventRow, ResidentKey, ResidentRow, StoreError, Table, WriteSet};
use crate::{Node, NodeError};

/// Stands for the place of a resident who is not stored yet.
const NO_PLACE: u32 = u32::MAX;

/// Stands in a place whose resident is erased; a place is never given twice.
pub(crate) const ERASED: ResidentKey = ResidentKey([0; 32]);

/// A resident with what is stored of them.
pub(crate) struct Resident {
    pub(crate) key: ResidentKey,
    pub(crate) row: ResidentRow,
    pub(crate) is_new: bool,
    pub(crate) events: Vec<Event>,
}

impl Node {
    /// The name of a person inside the store.
    pub(crate) fn resident_key(&self, person: &IdentityNumber) -> ResidentKey {
        ResidentKey(self.vault.blinded("resident", person.expose()))
    }

    /// A person's row and events; taken in anew if the civil register says that they live here.
    ///
    /// # Errors
    /// `None` for a person who lives elsewhere is no error; [`NodeError::Later`] where the register does not answer.
    pub(crate) fn resident_or_new(
        &self,
        person: &IdentityNumber,
    ) -> Result<Option<Resident>, NodeError> {
        let key = self.resident_key(person);
        if let Some(resident) = self.resident(key)? {
            return Ok(Some(resident));
        }
        if !self.register.lives_here(person).map_err(unavailable)? {
            return Ok(None);
        }
        let row = ResidentRow {
            identity_number: *person.expose(),
            place: NO_PLACE,
            salt: fr_to_bytes(self.random_element()),
            events: 0,
            devices: 0,
        };
        Ok(Some(Resident {
            key,
            row,
            is_new: true,
            events: Vec::new(),
        }))
    }

    /// A resident's row and events.
    pub(crate) fn resident(&self, key: ResidentKey) -> Result<Option<Resident>, NodeError> {
        let Some(row) = self.vault.get::<ResidentRow>(Table::Residents, &key.0)? else {
            return Ok(None);
        };
        let events = self.events_of(key)?;
        Ok(Some(Resident {
            key,
            row,
            is_new: false,
            events,
        }))
    }

    /// A resident's events in the order in which they came.
    pub(crate) fn events_of(&self, key: ResidentKey) -> Result<Vec<Event>, NodeError> {
        let mut events = Vec::new();
        self.vault
            .walk::<EventRow, NodeError>(Table::Events, &key.0, |_, row| {
                let event = Event::from_bytes(&row.event)
                    .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Events)))?;
                events.push(event);
                Ok(())
            })?;
        Ok(events)
    }

    /// A random field element: 253 random bits.
    pub(crate) fn random_element(&self) -> Fr {
        let mut bytes: [u8; 32] = self.entropy.bytes();
        bytes[0] &= 0x1f;
        fr_from_bytes(&bytes).expect("253 bits are below the modulus")
    }

    /// A place in the state tree that was never given before. A place whose resident is then not stored stays empty.
    fn next_place(&self) -> Result<u32, NodeError> {
        let mut next = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let place = *next;
        if u64::from(place) >= 8u64.pow(9) {
            return Err(NodeError::Fault("the state tree has no place left"));
        }
        *next = place + 1;
        Ok(place)
    }

    /// Puts a resident's row among the changes; one who is new is given a place.
    pub(crate) fn write_resident(
        &self,
        write: &mut WriteSet<'_>,
        resident: &mut Resident,
    ) -> Result<(), NodeError> {
        if resident.is_new {
            write.take_in(resident.key);
            resident.row.place = self.next_place()?;
            let place = resident.row.place.to_be_bytes();
            write.put_new(Table::Residents, &resident.key.0, &resident.row);
            write.put_new(Table::Places, &place, &resident.key);
        } else {
            write.put(Table::Residents, &resident.key.0, &resident.row);
        }
        Ok(())
    }

    /// Puts an event among the changes and with the resident's others.
    pub(crate) fn append_event(
        write: &mut WriteSet<'_>,
        resident: &mut Resident,
        event: Event,
        row: &EventRow,
    ) {
        if resident.is_new {
            write.take_in(resident.key);
        }
        let key = resident.key.row(&resident.row.events.to_be_bytes());
        write.put_new(Table::Events, &key, row);
        resident.row.events += 1;
        resident.events.push(event);
    }

    /// Counts residents taken in and events accepted, once they are durable.
    pub(crate) fn count(&self, residents: u64, events: u64) {
        self.counts
            .residents
            .fetch_add(residents, Ordering::Relaxed);
        self.counts.events.fetch_add(events, Ordering::Relaxed);
    }
}

/// The hiding commitment to a resident's identity number.
pub(crate) fn identity_of(row: &ResidentRow) -> Result<IdentityCommitment, NodeError> {
    let salt = fr_from_bytes(&row.salt)
        .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Residents)))?;
    Ok(IdentityCommitment::new(&row.identity_number, salt))
}

pub(crate) fn unavailable(_: crate::RegisterUnavailable) -> NodeError {
    NodeError::Later {
        reason: Reason::Overloaded,
        wait: std::time::Duration::from_secs(5),
    }
}
