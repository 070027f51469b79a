//! The counts of a day, made once after its end.

use std::sync::PoisonError;
use std::time::Instant;

use ledger::log::Entry;
use rules::Day;

use super::book::{day_of_key, day_row_of, end_of};
use super::tally::{DayTally, Measure};
use crate::store::{Table, WriteSet};
use crate::{Node, NodeError};

impl Node {
    /// Counts the day before this one, once the hour for it has come, unless it is counted. A day at whose end nothing was
    /// committed yet has no counts, nor has one that was over for a day before the node looked.
    pub(super) fn count_yesterday(&self) -> Result<(), NodeError> {
        let now = self.clock.now();
        let settings = &self.settings.counts;
        let hour_min = i64::from(settings.hour) * 60;
        let today = now.day();
        if now < today.first_minute().saturating_add_signed(hour_min) {
            return Ok(());
        }
        let Some(yesterday) = today.get().checked_sub(1).map(Day::new) else {
            return Ok(());
        };
        self.note_first_epoch()?;
        let state = self.count_book.state();
        let is_done = state.newest_day.max(state.passed_over) >= Some(yesterday);
        let is_committed = state.first_closed.is_some_and(|at| at < end_of(yesterday));
        drop(state);
        if is_done || !is_committed {
            return Ok(());
        }
        self.count_day(yesterday)
    }

    /// Counts a day and makes it durable with its entries of the log. What came after the day's last minute does not count.
    fn count_day(&self, day: Day) -> Result<(), NodeError> {
        let _held = self
            .count_book
            .counting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.count_book.state().newest_day >= Some(day) {
            return Ok(());
        }
        let (at, began) = (end_of(day).saturating_add_signed(-1), Instant::now());
        let Ok(known) = self.charter().rules.for_query(None, at) else {
            tracing::error!(%day, "no rule set of the home's own was in force: the day has no counts");
            self.count_book.state().passed_over = Some(day);
            return Ok(());
        };
        let risk = self.risk.at(at);
        let map = risk.map();
        let mut tally = DayTally::new(day, &known, Measure { map, at });
        let residents = self.walk_residents(at, &mut |received| tally.add(received))?;
        let unfit = tally.unfit;
        let (colours, sources) = tally.publish(residents);
        let mut entries = vec![Entry::Colours(colours)];
        entries.extend(sources.into_iter().map(Entry::Sources));
        entries.push(Entry::Appeals(self.count_appeals(day)?));
        entries.extend(self.retained_on(day)?.map(Entry::Retention));
        let mut write = self.vault.write();
        for entry in &entries {
            if let Some(key) = day_row_of(entry) {
                write.put_new(Table::DailyCounts, &key, &entry.to_bytes());
            }
        }
        self.forget_days(&mut write, day)?;
        self.forget_left(&mut write, day)?;
        self.append(write, &entries)?;
        self.count_book.state().newest_day = Some(day);
        self.sign_checkpoint_later();
        let took_s = began.elapsed().as_secs();
        tracing::info!(%day, unfit, took_s, "a day is counted and published");
        Ok(())
    }

    /// Removes the counts of days before those that are kept; the log keeps all.
    fn forget_days(&self, write: &mut WriteSet<'_>, newest: Day) -> Result<(), NodeError> {
        let kept = self.settings.counts.keep_days;
        let oldest = Day::new(newest.get().saturating_sub(kept.saturating_sub(1)));
        for key in self.vault.keys(Table::DailyCounts, b"", usize::MAX)? {
            if day_of_key(&key).is_some_and(|day| day < oldest) {
                write.delete(Table::DailyCounts, &key);
            }
        }
        Ok(())
    }
}
