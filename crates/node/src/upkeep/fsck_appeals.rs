//! Appeals in a store: what waits leads to an event that is contested and not decided about, and what is to wait does.

use std::collections::{BTreeMap, BTreeSet};

use rules::{Event, EventId};
use store::{
    AppealDecisionRow, AppealRow, CaseRow, Checked, EventRow, ResidentKey, StoreError, Table, Vault,
};

use super::fsck::Residents;
use crate::appeals::{appeal_ids, appeal_of_key, are_queued, ruling_on, stored_decision};

/// A contestation: its resident and its name.
type Named = (ResidentKey, [u8; 16]);

pub(super) fn check_appeals(
    vault: &Vault,
    residents: &Residents,
    checked: &mut Checked,
) -> Result<(), StoreError> {
    let mut cases: BTreeMap<Named, CaseRow> = BTreeMap::new();
    vault.walk::<CaseRow, StoreError>(Table::Cases, b"", |key, row| {
        match named(key).filter(|(resident, _)| residents.contains_key(resident)) {
            Some(name) => drop(cases.insert(name, row)),
            None => checked.add(Table::Cases, "a contestation of nobody"),
        }
        Ok(())
    })?;
    let decided = check_decisions(vault, &cases, checked)?;
    let mut open = BTreeSet::new();
    for ((resident, case_id), case) in &cases {
        let events = events_of(vault, *resident)?;
        let event = EventId(case.event_id);
        let is_kept = events.iter().any(|known| known.id == event);
        let is_void = ruling_on(event, &events).is_some();
        if is_kept && !is_void && !decided.contains(&(*resident, *case_id)) {
            open.insert((*resident, *case_id));
        }
    }
    let mut waiting = BTreeSet::new();
    vault.walk::<AppealRow, StoreError>(Table::Appeals, b"", |key, row| {
        let name = (row.resident, row.case_id);
        let case = cases.get(&name);
        let (Some((appeal, waits)), Some(case)) = (appeal_of_key(key), case) else {
            checked.add(Table::Appeals, "an appeal that points nowhere");
            return Ok(());
        };
        let ids = appeal_ids(vault, name.0, &name.1, case.opened_at);
        if !ids.contains(&appeal) || row.opened_at != case.opened_at {
            checked.add(Table::Appeals, "an appeal that is another's");
        }
        if waits && !open.contains(&name) {
            checked.add(Table::Appeals, "an appeal that waits for nothing");
        }
        if waits {
            waiting.insert(name);
        }
        Ok(())
    })?;
    if are_queued(vault)? {
        for _ in open.difference(&waiting) {
            checked.add(Table::Cases, "a contestation that no office is told of");
        }
    }
    Ok(())
}

fn check_decisions(
    vault: &Vault,
    cases: &BTreeMap<Named, CaseRow>,
    checked: &mut Checked,
) -> Result<BTreeSet<Named>, StoreError> {
    let mut decided = BTreeSet::new();
    let table = Table::AppealDecisions;
    vault.walk::<AppealDecisionRow, StoreError>(table, b"", |key, row| {
        let name = named(key);
        let case = name.and_then(|name| cases.get(&name));
        match (stored_decision(&row), name, case) {
            (Err(_), ..) => checked.add(table, "bytes that are no decision"),
            (Ok(decision), Some(name), Some(case))
                if decision.case_id == name.1 && decision.event.0 == case.event_id =>
            {
                decided.insert(name);
            }
            _ => checked.add(table, "a decision about what nobody contests"),
        }
        Ok(())
    })?;
    Ok(decided)
}

fn named(key: &[u8]) -> Option<Named> {
    let (resident, case_id) = key.split_first_chunk::<32>()?;
    Some((ResidentKey(*resident), case_id.try_into().ok()?))
}

fn events_of(vault: &Vault, resident: ResidentKey) -> Result<Vec<Event>, StoreError> {
    let rows: Vec<(Vec<u8>, EventRow)> = vault.list(Table::Events, &resident.0)?;
    // What is no event has been found before.
    let events = rows.iter().map(|(_, row)| Event::from_bytes(&row.event));
    Ok(events.filter_map(Result::ok).collect())
}
