//! Whether a committed record is the fold of the events that are shown for it.

use std::collections::BTreeSet;

use rules::{Context, Event, Fact, MAX_RUNS, Minute, Record, Stay, fold};

use super::finding::Part;

/// Closing an epoch takes its time: events that come in it, minutes from the closing minute, may be in the record or not.
const CLOSING_MAX_MIN: i64 = 60;
/// Most cuts between events that came while the epoch was closed that are tried.
const CUTS_MAX: usize = 64;

/// An event that was found in order, and when the node accepted it.
pub(super) struct Counted {
    pub(super) event: Event,
    pub(super) received_at: Minute,
}

/// How a record and the events that are shown for it compare.
pub(super) struct Compared {
    /// What the record lacks, by part.
    pub(super) left_out: Vec<(Part, usize)>,
    /// What the record has besides, by part.
    pub(super) unstated: Vec<(Part, usize)>,
    /// Events issued before the closing minute that the node says came too late for this record.
    pub(super) late: usize,
    /// Grounds that left: inert or closed under every rule set.
    pub(super) left: usize,
    /// Self-declared stays that gave way in a full record.
    pub(super) yielded: usize,
}

impl Compared {
    fn agrees(&self) -> bool {
        self.left_out.is_empty() && self.unstated.is_empty()
    }
}

/// Compares a record, committed at `at`, with its events in the order in which they came. What lies before `kept_since` may rest on events
/// that have left the store. None if the events give no record.
///
/// A node reads a resident's events once when it closes an epoch, so that the record is of the first so many of them: of all that came
/// before the closing minute, and perhaps of some that came while the epoch was closed.
pub(super) fn compare(
    record: &Record,
    events: &[Counted],
    context: &Context<'_>,
    at: Minute,
    kept_since: Minute,
) -> Option<Compared> {
    let sure = events.iter().rposition(|e| e.received_at < at);
    let sure = sure.map_or(0, |last| last + 1);
    let latest = at.saturating_add_signed(CLOSING_MAX_MIN);
    let during = events[sure..].iter();
    let during = during.take_while(|e| e.received_at <= latest).count();
    let all: Vec<Event> = events.iter().map(|e| e.event).collect();
    let mut first = None;
    // Nearly always all of them came before the records were read, or none.
    let cuts = std::iter::once(sure + during).chain(sure..sure + during);
    for cut in cuts.take(CUTS_MAX) {
        let Ok(folded) = fold(&all[..cut], context, at) else {
            continue;
        };
        let (left_out, unstated) = differences(record, &folded.record, kept_since);
        let compared = Compared {
            left_out,
            unstated,
            late: all[cut..].iter().filter(|e| e.issued_at <= at).count(),
            left: folded.left.len(),
            yielded: folded.yielded.len(),
        };
        if compared.agrees() {
            return Some(compared);
        }
        first = first.or(Some(compared));
    }
    first
}

type Parts = Vec<(Part, usize)>;

/// What `record` lacks of `folded`, and what it has besides that `kept_since` does not explain.
fn differences(record: &Record, folded: &Record, kept_since: Minute) -> (Parts, Parts) {
    let (mut left_out, mut unstated) = (Vec::new(), Vec::new());
    let mut add = |part, (lacking, besides): (usize, usize)| {
        for (parts, count) in [(&mut left_out, lacking), (&mut unstated, besides)] {
            if count > 0 {
                parts.push((part, count));
            }
        }
    };
    let facts = both(record.facts(), folded.facts(), |fact: &Fact| {
        fact.begin < kept_since
    });
    add(Part::Facts, facts);
    let stays = both(record.stays(), folded.stays(), |stay: &Stay| {
        stay.begin < kept_since
    });
    add(Part::Stays, stays);
    let (of_record, of_folded) = (record.negatives(), folded.negatives());
    add(
        Part::NegativeTests,
        both(of_record, of_folded, |at| *at < kept_since),
    );
    // Of a run the first days may have left. An old one can stand in the place of another only where all places are taken.
    let is_full = record.runs().len() == MAX_RUNS;
    let is_crowded = is_full && record.runs().iter().any(|run| run.last < kept_since.day());
    let days = |record: &Record| -> Vec<u16> {
        let runs = record.runs().iter();
        runs.flat_map(|run| run.first.get()..=run.last.get())
            .collect()
    };
    let since = kept_since.day().get();
    let (lacking, besides) = both(&days(record), &days(folded), |day| *day <= since);
    add(
        Part::CheckInDays,
        (if is_crowded { 0 } else { lacking }, besides),
    );
    (left_out, unstated)
}

/// How many of `folded` are not in `record`, and how many of `record` are not in `folded` and not old.
fn both<T: Ord>(record: &[T], folded: &[T], is_old: impl Fn(&T) -> bool) -> (usize, usize) {
    let of_record: BTreeSet<&T> = record.iter().collect();
    let of_folded: BTreeSet<&T> = folded.iter().collect();
    let besides = of_record.difference(&of_folded);
    (
        of_folded.difference(&of_record).count(),
        besides.filter(|value| !is_old(value)).count(),
    )
}
