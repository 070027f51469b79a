//! The configuration's table on receipts.

use serde::Deserialize;

// A row holds the commitments of one call, and goes into one batch as a whole.
const _: () = assert!(wire::MAX_EVENTS <= ledger::receipt::BATCH_LEN_MIN);

/// Receipts, and the commitments that stand in the log for what they are over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Receipts {
    /// Commitments in a batch, what came and random fillings together: a power of two from 256 to 65,536. Whoever reads the
    /// log learns of each quarter of an hour how many batches there are, and no more.
    pub commitments_per_batch: u32,
}

impl Default for Receipts {
    fn default() -> Self {
        // 32 kB each quarter of an hour. A province with more events than these should set it so that one batch is enough.
        Self {
            commitments_per_batch: 1_024,
        }
    }
}

impl Receipts {
    pub(crate) fn check(self) -> Result<(), String> {
        if ledger::receipt::is_batch_len(self.batch_len()) {
            return Ok(());
        }
        Err(format!(
            "receipts.commitments_per_batch is {}, must be a power of two from {} to {}",
            self.commitments_per_batch,
            ledger::receipt::BATCH_LEN_MIN,
            ledger::receipt::BATCH_LEN_MAX
        ))
    }

    pub(crate) const fn batch_len(self) -> usize {
        self.commitments_per_batch as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_a_power_of_two_within_its_bounds() {
        assert_eq!(Receipts::default().check(), Ok(()));
        for bad in [0, 255, 128, 1_000, 65_537, 131_072, u32::MAX] {
            let receipts = Receipts {
                commitments_per_batch: bad,
            };
            assert!(receipts.check().unwrap_err().contains(&bad.to_string()));
        }
    }
}
