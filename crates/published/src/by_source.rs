//! The parts that a log's counts by source come in, day by day.

use std::collections::BTreeSet;

use ledger::log::SourceCounts;
use rules::Day;

/// The parts of one day that were seen.
#[derive(Clone, Debug, Default)]
pub struct Parts {
    seen: BTreeSet<u8>,
    of: u8,
}

impl Parts {
    /// Takes the next part. Says what must not be; a part that was there before tells nothing.
    ///
    /// # Errors
    /// For a part that was seen already.
    pub fn take(&mut self, counts: &SourceCounts) -> Result<Option<String>, String> {
        let day = Day::new(counts.day);
        if !self.seen.insert(counts.part) {
            let part = counts.part;
            return Err(format!("{day}: part {part} of the counts by source twice"));
        }
        let is_other = self.seen.len() > 1 && self.of != counts.parts;
        self.of = counts.parts;
        Ok(is_other.then(|| format!("{day}: counts by source of two lengths")))
    }

    /// How many parts were seen, and of how many.
    pub fn seen(&self) -> (usize, usize) {
        (self.seen.len(), self.of.into())
    }

    /// Whether all were seen.
    pub fn is_whole(&self) -> bool {
        self.seen.len() >= usize::from(self.of)
    }
}
