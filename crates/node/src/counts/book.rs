//! What was counted and what is to be, and since when.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use commitment::fr_to_bytes;
use ledger::log::{Entry, ImpactCount};
use rules::{Day, Minute};

use crate::store::{EpochRow, RuleSetCountRow, StoreError, Table};
use crate::{KnownSet, Node, NodeError, RuleBook};

/// In memory of what is in the store.
#[derive(Default)]
pub(crate) struct CountBook {
    /// Held by whoever counts: one at a time.
    pub(super) counting: Mutex<()>,
    /// Held while what leaves is committed with its number; nothing else is waited for under it.
    pub(super) leaving: Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    /// The newest day counted.
    pub(super) newest_day: Option<Day>,
    /// The newest day that was looked at and that nothing can be said of.
    pub(super) passed_over: Option<Day>,
    /// When the first epoch closed.
    pub(super) first_closed: Option<Minute>,
    /// Rule sets, by the digest of their text.
    pub(super) sets: BTreeMap<[u8; 32], RuleSetCountRow>,
}

/// What an operator must know of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CountsState {
    /// Rule sets whose effect is not counted yet.
    pub(crate) missing: Vec<String>,
    /// Those of them that are in force.
    pub(crate) late: Vec<String>,
    /// Time since the end of the newest day counted, or of the first that should be; none before that.
    pub(crate) day_age_s: Option<u64>,
}

impl CountBook {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Between any two of its changes it is what the store has.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Brings the book to where the store says it was, and notes rule sets that are new.
    pub(crate) fn restore_counts(&self) -> Result<(), NodeError> {
        let mut sets = BTreeMap::new();
        for (key, row) in self
            .vault
            .list::<RuleSetCountRow>(Table::RuleSetCounts, b"")?
        {
            let key =
                <[u8; 32]>::try_from(key).map_err(|_| StoreError::Damaged(Table::RuleSetCounts))?;
            sets.insert(key, row);
        }
        let days = self.vault.keys(Table::DailyCounts, b"", usize::MAX)?;
        let mut state = self.count_book.state();
        state.sets = sets;
        state.newest_day = days.last().and_then(|key| day_of_key(key));
        drop(state);
        self.note_rule_sets()?;
        self.note_first_epoch()
    }

    /// Notes rule sets that are new. What a node begins with in force is not counted, nor is a table that was in force already
    /// under other dates; all else is: before it takes effect, or, where the root document came too late for that, at once.
    pub(crate) fn note_rule_sets(&self) -> Result<(), NodeError> {
        let (charter, seen_at) = (self.charter(), self.clock.now());
        let mut state = self.count_book.state();
        let is_first = state.sets.is_empty();
        let mut new = Vec::new();
        for known in charter.rules.known() {
            let (text, validity) = (known.set().digest_sha256(), known.set().validity());
            if state.sets.contains_key(&text) {
                continue;
            }
            let (scope, digest) = (known.set().province(), fr_to_bytes(known.digest()));
            let was_there = |row: &RuleSetCountRow| (row.scope, row.digest) == (scope, digest);
            let is_ahead = validity.from > seen_at;
            let is_sudden =
                !is_first && !state.sets.values().any(was_there) && validity.until > seen_at;
            let row = RuleSetCountRow {
                seen_at,
                scope,
                digest,
                is_due: is_ahead || is_sudden,
                entry: None,
            };
            new.push((text, row));
        }
        if !new.is_empty() {
            let mut write = self.vault.write();
            for (text, row) in &new {
                write.put_new(Table::RuleSetCounts, text, row);
            }
            write.commit()?;
            state.sets.extend(new);
        }
        Ok(())
    }

    /// Takes note of when the first epoch closed.
    pub(super) fn note_first_epoch(&self) -> Result<(), NodeError> {
        if self.count_book.state().first_closed.is_some() {
            return Ok(());
        }
        if let Some(key) = self.vault.keys(Table::Epochs, b"", 1)?.first() {
            let row: Option<EpochRow> = self.vault.get(Table::Epochs, key)?;
            self.count_book.state().first_closed = row.map(|row| row.as_of);
        }
        Ok(())
    }

    /// The rule sets whose effect is to be counted and was not.
    pub(super) fn uncounted<'a>(&self, rules: &'a RuleBook) -> Vec<&'a KnownSet> {
        let state = self.count_book.state();
        let is_due = |known: &&KnownSet| {
            let row = state.sets.get(&known.set().digest_sha256());
            row.is_some_and(|row| row.is_due && row.entry.is_none())
        };
        rules.known().filter(is_due).collect()
    }

    /// What an operator must know of what is published.
    pub(crate) fn counts_state(&self) -> CountsState {
        let now = self.clock.now();
        let name = |known: &&KnownSet| known.set().id().to_string();
        let charter = self.charter();
        let uncounted = self.uncounted(&charter.rules);
        let late = uncounted.iter();
        let late = late.filter(|known| known.set().validity().from <= now);
        let state = self.count_book.state();
        let since = state.newest_day.map(end_of).or(state.first_closed);
        CountsState {
            missing: uncounted.iter().map(name).collect(),
            late: late.map(name).collect(),
            day_age_s: since.map(|since| u64::from(now.get().saturating_sub(since.get())) * 60),
        }
    }

    /// The counts of rule sets, in no order of meaning.
    ///
    /// # Errors
    /// [`NodeError::Store`] for one that is damaged.
    pub fn impact_counts(&self) -> Result<Vec<ImpactCount>, NodeError> {
        let state = self.count_book.state();
        let entries = state.sets.values().filter_map(|row| row.entry.as_ref());
        let counts = entries.map(|bytes| match Entry::from_bytes(bytes) {
            Ok(Entry::Impact(count)) => Ok(count),
            _ => Err(NodeError::Store(StoreError::Damaged(Table::RuleSetCounts))),
        });
        counts.collect()
    }

    /// The days with counts, ascending.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn counted_days(&self) -> Result<Vec<Day>, NodeError> {
        let keys = self.vault.keys(Table::DailyCounts, b"", usize::MAX)?;
        let mut days: Vec<Day> = keys.iter().filter_map(|key| day_of_key(key)).collect();
        days.dedup();
        Ok(days)
    }

    /// The counts of a day, as they stand in the log; empty where there are none.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn counts_of(&self, day: Day) -> Result<Vec<Entry>, NodeError> {
        let rows = self
            .vault
            .list::<Vec<u8>>(Table::DailyCounts, &day.get().to_be_bytes())?;
        let damaged = || NodeError::Store(StoreError::Damaged(Table::DailyCounts));
        rows.iter()
            .map(|(_, bytes)| Entry::from_bytes(bytes).map_err(|_| damaged()))
            .collect()
    }
}

/// Where an entry of a day's counts lies; none of what is no such entry.
pub(crate) fn day_row_of(entry: &Entry) -> Option<Vec<u8>> {
    let (day, number) = match entry {
        Entry::Colours(counts) => (counts.day, 0),
        Entry::Sources(counts) => (counts.day, 1 + u16::from(counts.part)),
        // After all parts that there can be of those before it.
        Entry::Appeals(counts) => (counts.day, 257),
        Entry::Retention(counts) => (counts.day, 258),
        _ => return None,
    };
    Some([day.to_be_bytes(), number.to_be_bytes()].concat())
}

/// The day in a key of the daily counts.
pub(super) fn day_of_key(key: &[u8]) -> Option<Day> {
    let day = key.first_chunk::<2>()?;
    Some(Day::new(u16::from_be_bytes(*day)))
}

/// The first minute after a day.
pub(super) fn end_of(day: Day) -> Minute {
    Day::new(day.get().saturating_add(1)).first_minute()
}
