//! What a log tells of each day beside its colours: appeals, and what was kept no longer.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

use ledger::log::{AppealCounts, Bounds, RetentionCounts, Rounded, Wait};
use rules::Day;
use serde::Serialize;

/// Appeals that waited so long until they were decided.
#[derive(Debug, Serialize)]
pub(super) struct WaitStory {
    pub(super) wait: &'static str,
    /// As it is published: `<10`, or to the nearest ten.
    pub(super) appeals: String,
}

/// Appeals that were decided in one way.
#[derive(Debug, Serialize)]
pub(super) struct DecidedStory {
    /// What the cells add up to, at least and at most.
    pub(super) appeals: String,
    pub(super) by_wait: Vec<WaitStory>,
}

impl DecidedStory {
    fn of(cells: &[Rounded]) -> Self {
        let by_wait = Wait::ALL.iter().zip(cells).map(|(wait, cell)| WaitStory {
            wait: wait.word(),
            appeals: cell.to_string(),
        });
        Self {
            appeals: Bounds::of(cells.iter().copied()).to_string(),
            by_wait: by_wait.collect(),
        }
    }
}

/// What came of the appeals of a day.
#[derive(Debug, Serialize)]
pub(super) struct AppealStory {
    pub(super) day: String,
    pub(super) came: String,
    pub(super) upheld: DecidedStory,
    pub(super) dismissed: DecidedStory,
    /// Those of them that were decided after their deadline, at least and at most.
    pub(super) late: String,
    /// At the day's end, with time left.
    pub(super) waiting: String,
    /// At the day's end, beyond their deadline.
    pub(super) overdue: String,
}

impl AppealStory {
    fn of(counts: &AppealCounts) -> Self {
        Self {
            day: Day::new(counts.day).to_string(),
            came: counts.came.to_string(),
            upheld: DecidedStory::of(&counts.upheld),
            dismissed: DecidedStory::of(&counts.dismissed),
            late: counts.late().to_string(),
            waiting: counts.waiting.to_string(),
            overdue: counts.overdue.to_string(),
        }
    }
}

/// What left on a day.
#[derive(Debug, Serialize)]
pub(super) struct RetentionStory {
    pub(super) day: String,
    pub(super) horizon_days: u16,
    /// The first day of which events are still held on which nothing rests.
    pub(super) first_day: String,
    pub(super) events: String,
    pub(super) erased: String,
}

impl RetentionStory {
    fn of(counts: &RetentionCounts) -> Self {
        Self {
            day: Day::new(counts.day).to_string(),
            horizon_days: counts.horizon_days,
            first_day: Day::new(counts.first_day()).to_string(),
            events: counts.events.to_string(),
            erased: counts.erased.to_string(),
        }
    }
}

/// Of all days, as far as the log was read.
#[derive(Default)]
pub(super) struct Daily<'a> {
    appeals: BTreeMap<u16, &'a AppealCounts>,
    retention: BTreeMap<u16, &'a RetentionCounts>,
    /// Of each day that is counted, where the last entry of it stands.
    last: BTreeMap<u16, usize>,
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct DailyStory {
    pub(super) appeals: Vec<AppealStory>,
    pub(super) retention: Vec<RetentionStory>,
    /// Days on which the job by which events leave did not run to its end.
    pub(super) retention_missing: Vec<String>,
}

impl<'a> Daily<'a> {
    /// Takes note of where an entry of a day's counts stands.
    pub(super) fn note(&mut self, place: usize, day: u16) {
        self.last.insert(day, place);
    }

    pub(super) fn take_appeals(
        &mut self,
        place: usize,
        counts: &'a AppealCounts,
        wrong: &mut Vec<String>,
    ) {
        let day = counts.day;
        self.note(place, day);
        // The first is what was told; a second is wrong, and tells nothing.
        match self.appeals.entry(day) {
            MapEntry::Occupied(_) => {
                wrong.push(format!("{}: two counts of appeals", Day::new(day)));
            }
            MapEntry::Vacant(free) => drop(free.insert(counts)),
        }
    }

    pub(super) fn take_retention(
        &mut self,
        place: usize,
        counts: &'a RetentionCounts,
        wrong: &mut Vec<String>,
    ) {
        let day = counts.day;
        self.note(place, day);
        match self.retention.entry(day) {
            MapEntry::Occupied(_) => {
                let day = Day::new(day);
                wrong.push(format!("{day}: told twice what was kept no longer"));
            }
            MapEntry::Vacant(free) => drop(free.insert(counts)),
        }
    }

    /// What came of it, and what is missing since the first day on which appeals were counted: all of a day is written at once,
    /// so only of the last can some be outside what was read.
    pub(super) fn story(&self, entries: usize, wrong: &mut Vec<String>) -> DailyStory {
        let first = self.appeals.keys().next().copied();
        let told = self.last.iter().filter(|(day, last)| {
            let is_over = **last + 1 < entries;
            is_over && first.is_some_and(|first| first <= **day)
        });
        let mut retention_missing = Vec::new();
        for (day, _) in told {
            if !self.appeals.contains_key(day) {
                wrong.push(format!("{}: counted, and no appeals", Day::new(*day)));
            }
            if !self.retention.contains_key(day) {
                retention_missing.push(Day::new(*day).to_string());
            }
        }
        let (appeals, retention) = (self.appeals.values(), self.retention.values());
        DailyStory {
            appeals: appeals.map(|counts| AppealStory::of(counts)).collect(),
            retention: retention.map(|counts| RetentionStory::of(counts)).collect(),
            retention_missing,
        }
    }
}
