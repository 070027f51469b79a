//! What leaves the store: events past the published horizon on which nothing rests any more, what was asked and answered
//! before it, and residents who live here no more.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use commitment::Epoch;
use rules::{Context, Event, Minute, fold};
use serde::{Deserialize, Serialize};
use wire::Reason;

use crate::counts::Left;
use crate::residents::{ERASED, unavailable};
use crate::rule_book::Counting;
use crate::store::{
    DeviceRow, EventRow, IssuedRow, ReadRow, ResidentKey, ResidentRow, StoreError, Table, UseRow,
    Vault, WaitingRow,
};
use crate::{Node, NodeError, RiskInForce};

/// Residents looked at between two looks at whether the node ends.
const CHUNK_LEN: usize = 256;
const DAY_MIN: i64 = 1_440;
/// How often is looked whether a new day has begun.
const LOOK_EVERY: Duration = Duration::from_mins(10);
const JOB_KEY: &[u8] = b"retention";

/// What a run of the retention job came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Residents looked at.
    pub residents: u64,
    /// Events removed.
    pub events: u64,
    /// Requests, passes, refusals, limits, cases and readings removed.
    pub answers: u64,
    /// Residents erased.
    pub erased: u64,
}

/// What the job measures by.
struct Horizon<'a> {
    now: Minute,
    oldest: Minute,
    /// The first epoch closed after the horizon.
    first_epoch: Epoch,
    counting: &'a Counting,
    risk: &'a RiskInForce,
}

/// When the daily job ran to its end last, as the store has it.
pub(crate) fn last_run(vault: &Vault) -> Result<Option<(Minute, Retained)>, StoreError> {
    vault.get(Table::Jobs, JOB_KEY)
}

impl Node {
    /// How long events on which nothing rests are kept, days: the horizon that residents are told.
    pub fn horizon_days(&self) -> u32 {
        self.settings.retention.horizon_days
    }

    /// Removes what is past the horizon. An event stays, however old, as long as a ground of the record rests on it or on
    /// anything as old; a resident whom the civil register does not name any more is erased once nothing of theirs is open and newer
    /// than the horizon.
    ///
    /// # Errors
    /// [`NodeError::Store`]; [`NodeError::Later`] where the register does not answer; [`Reason::Draining`] when the node
    /// ends meanwhile. What was removed until then stays removed.
    pub fn retain(&self) -> Result<Retained, NodeError> {
        let now = self.clock.now();
        let horizon_min = i64::from(self.horizon_days()) * DAY_MIN;
        let oldest = now.saturating_add_signed(-horizon_min);
        let (counting, risk) = (self.charter().rules.counting_at(now), self.risk.at(now));
        let horizon = Horizon {
            now,
            oldest,
            first_epoch: self.first_epoch_after(oldest)?,
            counting: &counting,
            risk: &risk,
        };
        let mut retained = Retained::default();
        let mut gone = Vec::new();
        let mut residents = Vec::new();
        self.vault
            .walk::<ResidentRow, StoreError>(Table::Residents, b"", |key, row| {
                let key = key
                    .try_into()
                    .map_err(|_| StoreError::Damaged(Table::Residents))?;
                residents.push((ResidentKey(key), row.place));
                Ok(())
            })?;
        for chunk in residents.chunks(CHUNK_LEN) {
            if self.is_draining() {
                return Err(NodeError::Refused(Reason::Draining));
            }
            for (key, place) in chunk {
                retained.residents += 1;
                if self.retain_of(*key, &horizon, &mut retained)? {
                    gone.push((*key, *place));
                }
            }
        }
        retained.erased = self.erase_all(&gone, || Ok(()))?;
        self.forget_forwarded(oldest)?;
        self.forget_openings(horizon.first_epoch)?;
        // They name devices, and would lie there until the next epoch closes.
        self.purge_nonces()?;
        let horizon_days = self.horizon_days();
        self.commit_leaving(self.vault.write(), Left::Done { horizon_days })?;
        tracing::info!(
            residents = retained.residents,
            events = retained.events,
            answers = retained.answers,
            erased = retained.erased,
            "what is past the horizon is removed"
        );
        Ok(retained)
    }

    /// When the daily job ran to its end last, and what it came to; none while it never has. Also told by a node whose store does not
    /// answer.
    pub fn retained_last(&self) -> Option<(Minute, Retained)> {
        *self.retained.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs the job if it has not run on this day.
    fn retain_daily(&self) -> Result<(), NodeError> {
        let today = self.clock.now().day();
        if self
            .retained_last()
            .is_some_and(|(at, _)| at.day() >= today)
        {
            return Ok(());
        }
        let retained = self.retain()?;
        let mut write = self.vault.write();
        let ran = (self.clock.now(), retained);
        write.put(Table::Jobs, JOB_KEY, &ran);
        write.commit()?;
        *self.retained.lock().unwrap_or_else(PoisonError::into_inner) = Some(ran);
        Ok(())
    }

    fn first_epoch_after(&self, oldest: Minute) -> Result<Epoch, NodeError> {
        let rows: Vec<(Vec<u8>, crate::store::EpochRow)> = self.vault.list(Table::Epochs, b"")?;
        let after = rows.iter().find(|(_, row)| row.as_of >= oldest);
        let epoch = after.and_then(|(key, _)| crate::node::epoch_of_key(key));
        Ok(epoch.map_or(Epoch::default(), Epoch::new))
    }

    /// Removes what is past the horizon of one resident's; true if the resident is to be erased.
    fn retain_of(
        &self,
        resident: ResidentKey,
        horizon: &Horizon<'_>,
        retained: &mut Retained,
    ) -> Result<bool, NodeError> {
        let _held = self.locks.hold([resident]);
        let Some(row) = self
            .vault
            .get::<ResidentRow>(Table::Residents, &resident.0)?
        else {
            return Ok(false);
        };
        let events: Vec<(Vec<u8>, EventRow)> = self.vault.list(Table::Events, &resident.0)?;
        let events = events
            .into_iter()
            .map(|(key, row)| Ok((key, Event::from_bytes(&row.event)?)))
            .collect::<Result<Vec<_>, rules::EventError>>()
            .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Events)))?;
        let mut write = self.vault.write();
        let spent = spent(&events, horizon);
        for key in &spent {
            write.delete(Table::Events, key);
        }
        retained.events += spent.len() as u64;
        let answers = self.old_answers(resident, horizon)?;
        retained.answers += answers.len() as u64;
        for (table, key) in answers {
            write.delete(table, &key);
        }
        let kept = events.iter().filter(|(key, _)| !spent.contains(key));
        let kept: Vec<Event> = kept.map(|(_, event)| *event).collect();
        retained.answers += self.forget_old_appeals(&mut write, resident, &kept, horizon.oldest)?;
        self.forget_past_proxies(&mut write, resident, horizon.now)?;
        match spent.len() {
            0 => write.commit()?,
            events => self.commit_leaving(write, Left::Events(events as u64))?,
        }
        if spent.len() < events.len() {
            return Ok(false);
        }
        let person = rules::IdentityNumber::from_bytes(&row.identity_number)
            .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Residents)))?;
        Ok(!self.register.lives_here(&person).map_err(unavailable)?)
    }

    /// A resident's rows, other than events, that are older than the horizon.
    fn old_answers(
        &self,
        resident: ResidentKey,
        horizon: &Horizon<'_>,
    ) -> Result<Vec<(Table, Vec<u8>)>, NodeError> {
        let mut old = Vec::new();
        let of = &resident.0;
        let mut add = |table, key: &[u8], is_old: bool| {
            if is_old {
                old.push((table, key.to_vec()));
            }
            Ok::<_, StoreError>(())
        };
        let first = horizon.first_epoch.get();
        self.vault.walk::<UseRow, _>(Table::Uses, of, |key, row| {
            add(Table::Uses, key, row.epoch < first)
        })?;
        self.vault
            .walk::<IssuedRow, _>(Table::Passes, of, |key, row| {
                add(Table::Passes, key, row.epoch < first)
            })?;
        self.vault
            .walk::<crate::store::RefusedRow, _>(Table::Refusals, of, |key, row| {
                add(Table::Refusals, key, row.epoch < first)
            })?;
        self.vault
            .walk::<WaitingRow, _>(Table::Waiting, of, |key, row| {
                add(Table::Waiting, key, row.confirm_by < horizon.oldest)
            })?;
        self.vault.walk::<ReadRow, _>(Table::Reads, of, |key, _| {
            let minute = key.get(32..36).unwrap_or_default();
            let is_old = minute < &horizon.oldest.get().to_be_bytes()[..];
            add(Table::Reads, key, is_old)
        })?;
        let oldest_day = horizon.oldest.day().get();
        for key in self.vault.keys(Table::Limits, of, usize::MAX)? {
            let is_old = match key.get(32..) {
                Some([b'd', day @ ..]) => day < &oldest_day.to_be_bytes()[..],
                Some([b'e', epoch @ ..]) => epoch < &first.to_be_bytes()[..],
                _ => false,
            };
            add(Table::Limits, &key, is_old)?;
        }
        Ok(old)
    }

    /// Erases residents: keys first and all at once for each. Their leaves stay in the trees that are signed, and their
    /// places are not given again. Each is held while `may` is asked, and until all of it is gone.
    pub(crate) fn erase_all(
        &self,
        gone: &[(ResidentKey, u32)],
        may: impl Fn() -> Result<(), NodeError>,
    ) -> Result<u64, NodeError> {
        if gone.is_empty() {
            return Ok(0);
        }
        // Erasing someone between the folding and the signing of an epoch would leave a record of nobody.
        let _held = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut devices = Vec::new();
        self.vault
            .walk::<DeviceRow, StoreError>(Table::Devices, b"", |key, row| {
                devices.push((row.resident, key.to_vec()));
                Ok(())
            })?;
        let epochs: Vec<u32> = self
            .vault
            .keys(Table::Epochs, b"", usize::MAX)?
            .iter()
            .filter_map(|key| crate::node::epoch_of_key(key))
            .collect();
        for (resident, place) in gone {
            let _held = self.locks.hold([*resident]);
            may()?;
            let mut write = self.vault.write();
            self.revoke_of_erased(&mut write, *resident)?;
            self.forget_proxies(&mut write, *resident)?;
            self.forget_appeals(&mut write, *resident)?;
            write.erase(*resident);
            let own = devices.iter().filter(|(of, _)| of == resident);
            own.for_each(|(_, key)| write.delete(Table::Devices, key));
            for epoch in &epochs {
                let key = crate::epoch::committed_key(Epoch::new(*epoch), *place);
                write.delete(Table::Committed, &key);
            }
            write.put(Table::Places, &place.to_be_bytes(), &ERASED);
            self.commit_leaving(write, Left::Record)?;
            self.counts.forget(1);
        }
        Ok(gone.len() as u64)
    }
}

/// Runs the retention job once a day, for as long as it is polled.
pub async fn retain_every_day(node: Arc<Node>) {
    loop {
        let at = Arc::clone(&node);
        let ran = tokio::task::spawn_blocking(move || at.retain_daily()).await;
        match ran {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "what is past the horizon was not removed"),
            Err(_) => tracing::error!("the retention job died"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The keys of events past the horizon, if the record's grounds are the same without all of them. Tests and check-ins of
/// before the horizon come before every ground that is left, and so clear none.
fn spent(events: &[(Vec<u8>, Event)], horizon: &Horizon<'_>) -> Vec<Vec<u8>> {
    let is_old = |event: &Event| event.issued_at < horizon.oldest;
    if !events.iter().any(|(_, event)| is_old(event)) {
        return Vec::new();
    }
    let context = Context {
        tables: &horizon.counting.tables,
        map: horizon.risk.map(),
    };
    let record = |keep: &dyn Fn(&Event) -> bool| {
        let kept = events.iter().map(|(_, event)| event).filter(|e| keep(e));
        let kept: Vec<Event> = kept.copied().collect();
        fold(&kept, &context, horizon.now).map(|folded| folded.record)
    };
    match (record(&|_| true), record(&|event| !is_old(event))) {
        (Ok(all), Ok(newer)) if all.facts() == newer.facts() && all.stays() == newer.stays() => {
            let old = events.iter().filter(|(_, event)| is_old(event));
            old.map(|(key, _)| key.clone()).collect()
        }
        _ => Vec::new(),
    }
}
