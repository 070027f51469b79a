//! What has come of the events that each source has handed in since the node began, for whoever runs it. Nothing of it is of any
//! resident.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rules::{Minute, SourceId};

use crate::{EventAnswer, Node, Source};

/// Sources that are told of at once.
const PAGE_LEN: usize = 256;

/// What has come of a source's events since the node began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceTally {
    /// Accepted.
    pub accepted: u64,
    /// There before.
    pub duplicates: u64,
    /// Sent on to another province.
    pub forwarded: u64,
    /// Refused.
    pub refused: u64,
    /// When the last ones came; none since the node began.
    pub last_at: Option<Minute>,
}

/// A source that this node knows, and what has come of its events.
#[derive(Clone, Debug)]
pub struct SourceIntake<'a> {
    /// Which.
    pub id: SourceId,
    /// As the node knows it.
    pub source: &'a Source,
    /// What has come of its events.
    pub tally: SourceTally,
}

/// Of the sources in the node's book alone: there are no more than those.
#[derive(Debug, Default)]
pub(crate) struct SourceTallies(Mutex<BTreeMap<SourceId, SourceTally>>);

impl SourceTallies {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SourceId, SourceTally>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Adds what became of the events of one call.
    pub(crate) fn tally(&self, caller: SourceId, answers: &[EventAnswer], now: Minute) {
        if self.sources.get(&caller).is_none() {
            return;
        }
        let mut tallies = self.source_tallies.lock();
        let tally = tallies.entry(caller).or_default();
        for answer in answers {
            *match answer {
                EventAnswer::Accepted => &mut tally.accepted,
                EventAnswer::Duplicate => &mut tally.duplicates,
                EventAnswer::Forwarded => &mut tally.forwarded,
                EventAnswer::Refused(_) => &mut tally.refused,
            } += 1;
        }
        tally.last_at = Some(now);
    }

    /// At most 256 of the sources that this node takes events from, those after this one or from the first, by province, kind and
    /// number.
    pub fn source_intake(&self, after: Option<SourceId>) -> Vec<SourceIntake<'_>> {
        let tallies = self.source_tallies.lock();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let known = self.sources.range((from, Bound::Unbounded)).take(PAGE_LEN);
        let told = known.map(|(id, source)| SourceIntake {
            id: *id,
            source,
            tally: tallies.get(id).copied().unwrap_or_default(),
        });
        told.collect()
    }
}
