//! Whom a rule set would change, counted once, before it takes effect.

use std::sync::PoisonError;
use std::time::Instant;

use ledger::log::Entry;

use super::tally::{ImpactTally, Measure};
use crate::store::Table;
use crate::{KnownSet, Node, NodeError, RuleBook};

impl Node {
    /// Counts every rule set that is to be counted and was not.
    pub(super) fn count_impacts(&self) -> Result<(), NodeError> {
        let charter = self.charter();
        for known in self.uncounted(&charter.rules) {
            self.count_impact(&charter.rules, known)?;
        }
        Ok(())
    }

    /// Counts whom a rule set would change at this minute, beside the one in force of the same province or the nation, and
    /// makes it durable with its entry of the log.
    fn count_impact(&self, rules: &RuleBook, known: &KnownSet) -> Result<(), NodeError> {
        let _held = self
            .count_book
            .counting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let text = known.set().digest_sha256();
        let row = self.count_book.state().sets.get(&text).cloned();
        let Some(mut row) = row.filter(|row| row.entry.is_none()) else {
            return Ok(());
        };
        let (at, began) = (self.clock.now(), Instant::now());
        let before = rules.before(known, at);
        let risk = self.risk.at(at);
        let map = risk.map();
        let mut tally = ImpactTally::new(known, before, Measure { map, at });
        let residents = self.walk_residents(at, &mut |received| tally.add(received))?;
        let unfit = tally.unfit;
        let entry = Entry::Impact(tally.publish(residents));
        row.entry = Some(entry.to_bytes());
        let mut write = self.vault.write();
        write.put(Table::RuleSetCounts, &text, &row);
        self.append(write, std::slice::from_ref(&entry))?;
        self.count_book.state().sets.insert(text, row);
        self.sign_checkpoint_later();
        let (rule_set, took_s) = (known.set().id(), began.elapsed().as_secs());
        if known.set().validity().from <= at {
            tracing::error!(%rule_set, "the effect of a rule set was counted when it was in force already");
        }
        tracing::info!(%rule_set, unfit, took_s, "the effect of a rule set is counted and published");
        Ok(())
    }
}
