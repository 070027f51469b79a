//! One resident, or row, after the other, whatever their number: a page of names in memory, and the store to others in between.

use std::thread;
use std::time::{Duration, Instant};

use rules::{Event, Minute};
use wire::Reason;

use crate::store::{EventRow, ResidentKey, StoreError, Table};
use crate::{Node, NodeError};

/// Names read at a time.
const PAGE_LEN: usize = 256;
/// After each page the job rests so many times as long as the page took: it takes at most a quarter of one core.
const REST: u32 = 3;
/// The longest rest.
const REST_MAX: Duration = Duration::from_millis(500);

/// An event with the minute in which it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) event: Event,
    pub(crate) at: Minute,
}

impl Node {
    /// Calls `each` with every resident's events that had come by `at`, and gives the number of residents.
    ///
    /// # Errors
    /// [`NodeError::Store`]; [`Reason::Draining`] when the node ends meanwhile.
    pub(super) fn walk_residents(
        &self,
        at: Minute,
        each: &mut dyn FnMut(&[Received]),
    ) -> Result<u64, NodeError> {
        let mut residents = 0;
        self.walk_keys(Table::Residents, b"", &mut |key| {
            let key =
                <[u8; 32]>::try_from(key).map_err(|_| StoreError::Damaged(Table::Residents))?;
            if let Some(events) = self.received_by(ResidentKey(key), at)? {
                each(&events);
                residents += 1;
            }
            Ok(())
        })?;
        Ok(residents)
    }

    /// Calls `each` with every key of a table that begins with `prefix`, page by page, with rests in between.
    ///
    /// # Errors
    /// As for [`Self::walk_residents`], and those of `each`.
    pub(super) fn walk_keys(
        &self,
        table: Table,
        prefix: &[u8],
        each: &mut dyn FnMut(&[u8]) -> Result<(), NodeError>,
    ) -> Result<(), NodeError> {
        let mut after: Option<Vec<u8>> = None;
        loop {
            if self.is_draining() {
                return Err(NodeError::Refused(Reason::Draining));
            }
            let began = Instant::now();
            let page = self
                .vault
                .keys_after(table, prefix, after.as_deref(), PAGE_LEN)?;
            page.iter().try_for_each(|key| each(key))?;
            if page.len() < PAGE_LEN {
                return Ok(());
            }
            after = page.into_iter().next_back();
            thread::sleep((began.elapsed() * REST).min(REST_MAX));
        }
    }

    /// A resident's events that had come by `at`; none of one who was erased meanwhile.
    fn received_by(
        &self,
        resident: ResidentKey,
        at: Minute,
    ) -> Result<Option<Vec<Received>>, NodeError> {
        let mut events = Vec::new();
        let walked =
            self.vault
                .walk::<EventRow, NodeError>(Table::Events, &resident.0, |_, row| {
                    let event = Event::from_bytes(&row.event)
                        .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Events)))?;
                    let came = row.received_at;
                    if came <= at {
                        events.push(Received { event, at: came });
                    }
                    Ok(())
                });
        match walked {
            Ok(()) => Ok(Some(events)),
            // Whoever is erased between two reads has rows and no key.
            Err(_)
                if self
                    .vault
                    .keys(Table::Residents, &resident.0, 1)?
                    .is_empty() =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
