//! Reading another node's log from whoever has it.

use commitment::Slot;
use ledger::log::{BUNDLE_LEN, Log, LogHash, LogPart, ReadError, SignedCheckpoint, leaf_hash};
use tokio::time::Instant;
use tonic::transport::Channel;

use super::ask::log_part;
use super::passed::{Spent, WhyNot};
use super::read::Failed;
use super::{RECOVERED_MAX_BYTES, Recovering};
use crate::NodeError;
use crate::transparency::HeldLog;

/// Parts that are read of one log: a log and a witness that is in league with it could give parts without end. As many as make
/// what is recovered of the own log where each is of the largest, and twice what a mirror keeps of another's.
const PARTS_MAX: usize = RECOVERED_MAX_BYTES / wire::MAX_LOG_PART_BYTES;

/// Somebody who may have a log's entries.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) name: String,
    pub(super) channel: Channel,
}

/// What was given for one log, of all its sources together.
pub(super) struct Allowance {
    until: Instant,
    parts: usize,
}

impl Allowance {
    pub(super) fn new(me: &Recovering<'_>) -> Self {
        Self {
            until: Instant::now() + me.patience.log,
            parts: PARTS_MAX,
        }
    }

    fn take_one(&mut self) -> Result<(), Failed> {
        let is_over = self.parts == 0 || Instant::now() >= self.until;
        self.parts = self.parts.saturating_sub(1);
        if is_over {
            return Err(slow("more than is read of one log"));
        }
        Ok(())
    }
}

fn slow(what: &str) -> Failed {
    Failed {
        why: WhyNot::Slow,
        what: what.to_owned(),
    }
}

impl Source {
    /// A part of a slot's log from `first` on, of the tree of a checkpoint; not yet held against it.
    async fn part(
        &self,
        me: &Recovering<'_>,
        slot: Slot,
        first: u64,
        of: &SignedCheckpoint,
    ) -> Result<LogPart, Failed> {
        let of = (first, of.size());
        log_part(&self.channel, slot, of, me.patience.answer).await
    }

    /// Has a store hold a log up to a checkpoint. What it holds beyond what was cosigned, and does not fit, is let go. As far as
    /// that is cosigned, what is read is held against what was cosigned last: the checkpoint can be of another history.
    pub(super) async fn read_to(
        &self,
        me: &Recovering<'_>,
        held: &mut HeldLog<'_>,
        of: &SignedCheckpoint,
        allowance: &mut Allowance,
    ) -> Result<Result<(), Failed>, NodeError> {
        let mut spent = Spent::default();
        loop {
            if held.end() >= of.size() {
                if held.fits(of) {
                    return Ok(Ok(()));
                }
                if !held.cut_back()? {
                    return Ok(Err(Failed::wrong(&"another tree than what is held")));
                }
                continue;
            }
            if spent.is_slow(&me.patience) {
                return Ok(Err(slow("too slow")));
            }
            if let Err(over) = allowance.take_one() {
                return Ok(Err(over));
            }
            let cosigned = held.last().map(|(last, _)| last.clone());
            let is_before =
                |last: &SignedCheckpoint| held.end() < last.size() && last.size() < of.size();
            let cosigned = cosigned.filter(is_before);
            let of = cosigned.as_ref().unwrap_or(of);
            let since = Instant::now();
            let part = match self.part(me, held.slot(), held.end(), of).await {
                Ok(part) => part,
                Err(failed) => return Ok(Err(failed)),
            };
            spent.add(since, part.entries.iter().map(Vec::len).sum());
            match held.take(&part, of) {
                Ok(()) => {}
                Err(NodeError::Refused(_)) if held.cut_back()? => {}
                Err(error @ NodeError::Refused(_)) => return Ok(Err(Failed::wrong(&error))),
                Err(error) => return Err(error),
            }
        }
    }

    /// All of a log up to a checkpoint, read without being kept.
    pub(super) async fn whole(
        &self,
        me: &Recovering<'_>,
        slot: Slot,
        of: &SignedCheckpoint,
        allowance: &mut Allowance,
    ) -> Result<Whole, Failed> {
        let mut whole = Whole::default();
        let mut spent = Spent::default();
        while whole.log.size() < of.size() {
            if spent.is_slow(&me.patience) {
                return Err(slow("too slow"));
            }
            allowance.take_one()?;
            let since = Instant::now();
            let part = self.part(me, slot, whole.log.size(), of).await?;
            spent.add(since, part.entries.iter().map(Vec::len).sum());
            let next = whole.log.extended(&part, (of.size(), of.root()));
            whole.log = next.map_err(|error| Failed::wrong(&error))?;
            whole
                .leaves
                .extend(part.entries.iter().map(|entry| leaf_hash(entry)));
        }
        Ok(whole)
    }
}

/// A log whose leaves are in memory.
#[derive(Default)]
pub(super) struct Whole {
    log: Log,
    leaves: Vec<LogHash>,
}

impl Whole {
    fn bundle(&self, number: u64) -> Result<Vec<LogHash>, ()> {
        let number = usize::try_from(number).map_err(|_| ())?;
        let mut bundles = self.leaves.chunks(BUNDLE_LEN.into());
        bundles.nth(number).map(<[LogHash]>::to_vec).ok_or(())
    }

    /// Its root when it had `size` entries, and the proof that it goes on from there.
    pub(super) fn since(&self, size: u64) -> Result<(LogHash, Vec<LogHash>), ReadError<()>> {
        let read = |bundle| self.bundle(bundle);
        let proof = self.log.prove_consistency(size, self.log.size(), &read)?;
        Ok((self.log.root_at(size, &read)?, proof))
    }
}
