//! What a log tells of each day beside its colours: what came of appeals, and what was kept no longer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

use ledger::log::{AppealCounts, Entry, RetentionCounts, Rounded, Wait};
use rules::Day;
use wire::public::v1 as proto;

use crate::counted::count;
use crate::log::MAX_DAYS;

/// As far as the log was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Daily {
    appeals: BTreeMap<u16, AppealCounts>,
    retention: BTreeMap<u16, RetentionCounts>,
}

impl Daily {
    /// Takes what an entry tells of it, and says what must not be.
    pub(crate) fn take(&mut self, entry: &Entry) -> Option<String> {
        match entry {
            Entry::Appeals(counts) => {
                let twice = "two counts of the appeals of";
                keep(&mut self.appeals, counts.day, counts, twice)
            }
            Entry::Retention(counts) => {
                let twice = "told twice what was kept no longer on";
                keep(&mut self.retention, counts.day, counts, twice)
            }
            _ => None,
        }
    }

    /// Adds to days what is known of each.
    pub(crate) fn tell(&self, days: &mut [proto::Day]) {
        for day in days {
            let Ok(number) = u16::try_from(day.day) else {
                continue;
            };
            day.appeals = self.appeals.get(&number).map(appeals);
            day.retention = self.retention.get(&number).map(retention);
        }
    }
}

/// Keeps the first of a day, which is what was told, and the newest days.
fn keep<T: Clone>(
    days: &mut BTreeMap<u16, T>,
    day: u16,
    counts: &T,
    twice: &str,
) -> Option<String> {
    match days.entry(day) {
        MapEntry::Occupied(_) => return Some(format!("{twice} {}", Day::new(day))),
        MapEntry::Vacant(free) => drop(free.insert(counts.clone())),
    }
    while days.len() > MAX_DAYS {
        days.pop_first();
    }
    None
}

fn appeals(counts: &AppealCounts) -> proto::Appeals {
    let cells = |is_upheld, cells: &[Rounded]| {
        let by_wait = Wait::ALL.into_iter().zip(cells);
        let by_wait = by_wait.map(|(wait, cell)| proto::DecidedCell {
            is_upheld,
            wait: told(wait).into(),
            appeals: Some(count(*cell)),
        });
        by_wait.collect::<Vec<_>>()
    };
    proto::Appeals {
        came: Some(count(counts.came)),
        decided: [cells(true, &counts.upheld), cells(false, &counts.dismissed)].concat(),
        waiting: Some(count(counts.waiting)),
        overdue: Some(count(counts.overdue)),
    }
}

const fn told(wait: Wait) -> proto::AppealWait {
    match wait {
        Wait::Hour => proto::AppealWait::Hour,
        Wait::FourHours => proto::AppealWait::FourHours,
        Wait::EightHours => proto::AppealWait::EightHours,
        Wait::Longer => proto::AppealWait::Longer,
        Wait::LateDay => proto::AppealWait::LateDay,
        Wait::LateLonger => proto::AppealWait::LateLonger,
    }
}

fn retention(counts: &RetentionCounts) -> proto::Retention {
    proto::Retention {
        horizon_days: counts.horizon_days.into(),
        first_day: counts.first_day().into(),
        events: Some(count(counts.events)),
        erased: Some(count(counts.erased)),
    }
}
