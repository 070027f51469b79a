//! Appeals: what a resident contests waits for the offices for appeals of the own province, which decide it over their signatures.
//!
//! Nothing here sets a colour, and nobody is looked up: an office is told deadlines, and of one appeal the event contested. What is
//! upheld is upheld by a ruling, an event as any other. Whatever ends an appeal – a decision, a ruling handed in alone, the end of the
//! event or of the resident – takes it out of the queue in the commit that it comes with.

mod office;
mod own;

pub use office::AppealDecided;
pub use own::{EndedAppeal, OwnAppeal};

use rules::appeal::{Decision, Outcome};
use rules::{Event, EventBody, EventId, Minute};
use wire::{AppealId, CaseId};

use crate::declare::CaseState;
use crate::store::{
    AppealDecisionRow, AppealRow, CaseRow, ResidentKey, StoreError, Table, Vault, WriteSet,
};
use crate::{Node, NodeError};

/// Time to decide an appeal, minutes: a working day. A colour shuts people in, and thousands may appeal in days.
const DECIDE_WITHIN_MIN: i64 = 8 * 60;
/// The same where a source of another province stated the event, which has to be asked.
const DECIDE_FOREIGN_WITHIN_MIN: i64 = 24 * 60;
/// Appeals of one resident that wait at a time: as many as are shown at once. Each takes an officer's time.
pub(crate) const WAITING_MAX: usize = 8;
/// Begins the key of an appeal that waits.
pub(crate) const WAITING: &[u8] = b"w";
/// Begins the key of one that does not any more.
pub(crate) const ENDED: &[u8] = b"e";
/// Says that what was contested before there were offices waits for them.
const QUEUED_JOB: &[u8] = b"appeals-queued";

/// Until when an appeal is to be decided, by whether a source of the own province stated the event.
fn decide_by(opened_at: Minute, is_own: bool) -> Minute {
    opened_at.saturating_add_signed(if is_own {
        DECIDE_WITHIN_MIN
    } else {
        DECIDE_FOREIGN_WITHIN_MIN
    })
}

/// What an appeal is called at the offices. The number is a keyed digest: it tells nothing of the resident, and is found again
/// without a list that leads from residents to it.
fn appeal_id(
    vault: &Vault,
    resident: ResidentKey,
    case_id: &[u8; 16],
    decide_by: Minute,
) -> AppealId {
    let digest = vault.blinded("appeal", &resident.row(case_id));
    let mut number = [0; 16];
    number.copy_from_slice(&digest[..16]);
    AppealId::new(decide_by, number)
}

/// The names that an appeal can have: what its deadline follows from may be gone.
pub(crate) fn appeal_ids(
    vault: &Vault,
    resident: ResidentKey,
    case_id: &[u8; 16],
    opened_at: Minute,
) -> [AppealId; 2] {
    [true, false].map(|is_own| appeal_id(vault, resident, case_id, decide_by(opened_at, is_own)))
}

fn waiting_key(appeal: AppealId) -> Vec<u8> {
    [WAITING, &appeal.0].concat()
}

fn ended_key(appeal: AppealId) -> Vec<u8> {
    [ENDED, &appeal.0].concat()
}

/// The appeal of a row, and whether it waits; none for a key that is none.
pub(crate) fn appeal_of_key(key: &[u8]) -> Option<(AppealId, bool)> {
    let (place, id) = key.split_first_chunk::<1>()?;
    let appeal = AppealId(id.try_into().ok()?);
    appeal.decide_by()?;
    match &place[..] {
        WAITING => Some((appeal, true)),
        ENDED => Some((appeal, false)),
        _ => None,
    }
}

/// Whether all that is contested has been queued since the store knows of offices.
pub(crate) fn are_queued(vault: &Vault) -> Result<bool, StoreError> {
    Ok(vault.get::<()>(Table::Jobs, QUEUED_JOB)?.is_some())
}

/// A decision as it is stored.
pub(crate) fn stored_decision(row: &AppealDecisionRow) -> Result<Decision, StoreError> {
    let decision = Decision::from_bytes(&row.decision);
    decision.map_err(|_| StoreError::Damaged(Table::AppealDecisions))
}

/// The ruling that voids an event.
pub(crate) fn ruling_on(event: EventId, known: &[Event]) -> Option<&Event> {
    let voids = |e: &&Event| matches!(e.body, EventBody::Ruling { target, .. } if target == event);
    known.iter().find(voids)
}

/// Where an appeal stands. What voids an event is the ruling, whatever was decided before.
fn state_of(event: EventId, known: &[Event], decision: Option<&Decision>) -> CaseState {
    match decision.map(|decision| decision.outcome) {
        _ if ruling_on(event, known).is_some() => CaseState::Upheld,
        Some(Outcome::Upheld) => CaseState::Upheld,
        Some(Outcome::Dismissed) => CaseState::Dismissed,
        None => CaseState::Open,
    }
}

impl Node {
    /// Puts an appeal that begins into the queue.
    pub(crate) fn queue_appeal(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        case: CaseId,
        event: &Event,
        opened_at: Minute,
    ) {
        let decide_by = decide_by(opened_at, event.source.province == self.home);
        let appeal = appeal_id(&self.vault, resident, &case.0, decide_by);
        let row = AppealRow {
            resident,
            case_id: case.0,
            opened_at,
        };
        write.put_of(resident, Table::Appeals, &waiting_key(appeal), &row);
    }

    /// How many appeals of a resident wait.
    pub(crate) fn appeals_waiting_of(&self, resident: ResidentKey) -> Result<usize, NodeError> {
        let mut waiting = 0;
        for (case_id, case) in self.cases_of(resident)? {
            let ids = appeal_ids(&self.vault, resident, &case_id, case.opened_at);
            for appeal in ids {
                waiting += usize::from(self.waiting_appeal(appeal)?.is_some());
            }
        }
        Ok(waiting)
    }

    /// Where a contestation stands.
    pub(crate) fn state_of_case(
        &self,
        resident: ResidentKey,
        case: CaseId,
        event: EventId,
        known: &[Event],
    ) -> Result<CaseState, NodeError> {
        let row = self.decision_of(resident, &case.0)?;
        let decision = row.as_ref().map(stored_decision).transpose()?;
        Ok(state_of(event, known, decision.as_ref()))
    }

    /// Takes what a resident contests of an event that a ruling voids out of the queue.
    pub(crate) fn end_appeals_against(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        event: EventId,
    ) -> Result<(), NodeError> {
        for (case_id, case) in self.cases_of(resident)? {
            if case.event_id != event.0 {
                continue;
            }
            for appeal in appeal_ids(&self.vault, resident, &case_id, case.opened_at) {
                if let Some(row) = self.waiting_appeal(appeal)? {
                    end_appeal(write, appeal, &row);
                }
            }
        }
        Ok(())
    }

    /// Removes the appeals of a resident that nothing is to be told of any more, beside the events that are `kept`: what waits is
    /// there for as long as its event is; what was decided, until the horizon. Gives how many.
    pub(crate) fn forget_old_appeals(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        kept: &[Event],
        oldest: Minute,
    ) -> Result<u64, NodeError> {
        let mut gone = 0;
        for (case_id, case) in self.cases_of(resident)? {
            let event = EventId(case.event_id);
            let is_kept = kept.iter().any(|known| known.id == event);
            let decision = self.decision_of(resident, &case_id)?;
            let stays = match &decision {
                Some(decided) => decided.received_at >= oldest,
                None if ruling_on(event, kept).is_some() => is_kept && case.opened_at >= oldest,
                None => is_kept,
            };
            if !stays {
                self.forget_appeal(write, resident, &case_id, &case);
                gone += 1;
            }
        }
        Ok(gone)
    }

    /// Takes the appeals of a resident who is erased out of those of the offices; what stands among the resident's own rows goes
    /// with those.
    pub(crate) fn forget_appeals(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
    ) -> Result<(), NodeError> {
        for (case_id, case) in self.cases_of(resident)? {
            self.forget_appeal(write, resident, &case_id, &case);
        }
        Ok(())
    }

    fn forget_appeal(
        &self,
        write: &mut WriteSet<'_>,
        resident: ResidentKey,
        case_id: &[u8; 16],
        case: &CaseRow,
    ) {
        let key = resident.row(case_id);
        write.delete(Table::Cases, &key);
        write.delete(Table::AppealDecisions, &key);
        for appeal in appeal_ids(&self.vault, resident, case_id, case.opened_at) {
            write.delete(Table::Appeals, &waiting_key(appeal));
            write.delete(Table::Appeals, &ended_key(appeal));
        }
    }

    /// How many appeals wait, and how many of them beyond their deadline.
    pub(crate) fn appeals_waiting(&self) -> Result<(usize, usize), NodeError> {
        let waiting = self.waiting_ids()?;
        Ok((waiting.len(), self.overdue_of(&waiting)))
    }

    fn overdue_of(&self, waiting: &[AppealId]) -> usize {
        let now = self.clock.now();
        let is_overdue = |appeal: &&AppealId| appeal.decide_by().is_some_and(|by| by < now);
        waiting.iter().filter(is_overdue).count()
    }

    /// What waits, the earliest deadline first.
    fn waiting_ids(&self) -> Result<Vec<AppealId>, NodeError> {
        let keys = self.vault.keys(Table::Appeals, WAITING, usize::MAX)?;
        let ids = keys.iter().map(|key| appeal_of_key(key).map(|(id, _)| id));
        let ids: Option<Vec<AppealId>> = ids.collect();
        ids.ok_or(NodeError::Store(StoreError::Damaged(Table::Appeals)))
    }

    fn waiting_appeal(&self, appeal: AppealId) -> Result<Option<AppealRow>, NodeError> {
        Ok(self.vault.get(Table::Appeals, &waiting_key(appeal))?)
    }

    /// What a resident has contested, by its name.
    fn cases_of(&self, resident: ResidentKey) -> Result<Vec<([u8; 16], CaseRow)>, NodeError> {
        let rows: Vec<(Vec<u8>, CaseRow)> = self.vault.list(Table::Cases, &resident.0)?;
        let named = rows.into_iter().map(|(key, row)| {
            let case_id = key.get(32..).and_then(|id| id.try_into().ok());
            Ok((case_id.ok_or(StoreError::Damaged(Table::Cases))?, row))
        });
        named.collect()
    }

    pub(crate) fn decision_of(
        &self,
        resident: ResidentKey,
        case_id: &[u8; 16],
    ) -> Result<Option<AppealDecisionRow>, NodeError> {
        let key = resident.row(case_id);
        Ok(self.vault.get(Table::AppealDecisions, &key)?)
    }

    /// Queues, once, what was contested while this store knew of no offices.
    pub(crate) fn queue_earlier_appeals(&self) -> Result<(), NodeError> {
        if are_queued(&self.vault)? {
            return Ok(());
        }
        let mut write = self.vault.write();
        for (key, case) in self.vault.list::<CaseRow>(Table::Cases, b"")? {
            let (Some(resident), Some(case_id)) = (key.first_chunk(), key.last_chunk()) else {
                return Err(NodeError::Store(StoreError::Damaged(Table::Cases)));
            };
            let (resident, case_id) = (ResidentKey(*resident), CaseId(*case_id));
            let events = self.events_of(resident)?;
            let event = EventId(case.event_id);
            let contested = events.iter().find(|known| known.id == event);
            if let (Some(contested), None) = (contested, ruling_on(event, &events)) {
                self.queue_appeal(&mut write, resident, case_id, contested, case.opened_at);
            }
        }
        write.put(Table::Jobs, QUEUED_JOB, &());
        Ok(write.commit()?)
    }
}

/// Takes an appeal out of the queue. What it was called stays known, so that a decision that is handed in again finds it.
fn end_appeal(write: &mut WriteSet<'_>, appeal: AppealId, row: &AppealRow) {
    write.delete(Table::Appeals, &waiting_key(appeal));
    write.put_of(row.resident, Table::Appeals, &ended_key(appeal), row);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u32) -> Minute {
        Minute::new(number).unwrap()
    }

    #[test]
    fn an_appeal_has_eight_hours_and_twenty_four_where_another_province_is_to_be_asked() {
        assert_eq!(decide_by(minute(100), true), minute(100 + 480));
        assert_eq!(decide_by(minute(100), false), minute(100 + 1_440));
    }

    #[test]
    fn keys_tell_what_waits_and_stand_in_the_order_of_deadlines() {
        let early = AppealId::new(minute(100), [0xff; 16]);
        let late = AppealId::new(minute(101), [0; 16]);
        assert!(waiting_key(early) < waiting_key(late));
        assert_eq!(appeal_of_key(&waiting_key(late)), Some((late, true)));
        assert_eq!(appeal_of_key(&ended_key(late)), Some((late, false)));
        for bad in [
            &b""[..],
            b"w",
            &[b'x'; 21],
            &waiting_key(late)[..20],
            &[&b"w"[..], &[0xff; 20]].concat(),
        ] {
            assert_eq!(appeal_of_key(bad), None);
        }
    }
}
