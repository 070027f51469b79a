//! Capacities: how much a record and one proof about it can hold, and whether a new event has room.

use std::collections::BTreeSet;

use super::{Context, Draft, FoldError};
use crate::evaluate::{exposure, key_of_fact};
use crate::{
    Event, EventBody, Fact, Grade, Key, MAX_ENTRIES, MAX_RISK_INTERVALS, MAX_SLOTS, MAX_STAYS,
    Minute, Record, RiskMap, RowTable, Stay, TestResult,
};

/// A capacity of a record or of the statement that is proved about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// Entries, at most [`MAX_ENTRIES`].
    Entries,
    /// Stays, at most [`MAX_STAYS`].
    Stays,
    /// Distinct risk intervals of stays, at most [`MAX_RISK_INTERVALS`].
    RiskIntervals,
    /// Distinct reasons under one table, at most [`MAX_SLOTS`].
    Slots,
}

impl Capacity {
    /// All capacities.
    pub const ALL: [Capacity; 4] = [Self::Entries, Self::Stays, Self::RiskIntervals, Self::Slots];

    /// How many there may be.
    pub const fn limit(self) -> usize {
        match self {
            Self::Entries => MAX_ENTRIES,
            Self::Stays => MAX_STAYS,
            Self::RiskIntervals => MAX_RISK_INTERVALS,
            Self::Slots => MAX_SLOTS,
        }
    }
}

/// Whether one proof under `table` and `map` at `at` can open `record`: risk intervals of its stays and reason slots.
///
/// # Errors
/// [`FoldError::OverCapacity`] with the first capacity that does not suffice.
pub fn fits(record: &Record, table: &RowTable, map: &RiskMap, at: Minute) -> Result<(), FoldError> {
    let context = Context {
        tables: std::slice::from_ref(table),
        map,
    };
    context.fits(record, at)
}

/// Whether `event` asks for more than there is room for, beside the `known` events of its subject.
///
/// Relief, releases and rulings always pass: they take no room. A ground passes where a capacity was exceeded already
/// and it does not make it worse.
///
/// # Errors
/// [`FoldError`].
pub(crate) fn check_room(
    event: &Event,
    known: &[Event],
    context: &Context<'_>,
    at: Minute,
) -> Result<(), FoldError> {
    if !is_ground(&event.body) {
        return Ok(());
    }
    let before = Draft::new(known, context, at)?;
    let all: Vec<Event> = known.iter().chain([event]).copied().collect();
    let after = Draft::new(&all, context, at)?;
    let had = demand(&before.parts(), context, at);
    let has = demand(&after.parts(), context, at);
    for capacity in Capacity::ALL {
        if has.of(capacity) > had.of(capacity) {
            over(capacity, has.of(capacity))?;
        }
    }
    if after.yielded.contains(&event.id) {
        return Err(FoldError::OverCapacity {
            capacity: Capacity::Stays,
            count: after.stays.len() + 1,
        });
    }
    Ok(())
}

impl Context<'_> {
    /// Whether one proof can open `record` at `at` under each of the tables.
    ///
    /// # Errors
    /// [`FoldError::OverCapacity`] with the first capacity that does not suffice.
    pub fn fits(&self, record: &Record, at: Minute) -> Result<(), FoldError> {
        let demand = demand(&(record.facts(), record.stays()), self, at);
        for capacity in Capacity::ALL {
            over(capacity, demand.of(capacity))?;
        }
        Ok(())
    }

    pub(super) fn longest_lookback_hours(&self) -> u16 {
        let each = |t: &RowTable| Grade::ALL.map(|g| t.lookback_hours().of(g));
        self.tables.iter().flat_map(each).max().unwrap_or(0)
    }
}

pub(super) fn over(capacity: Capacity, count: usize) -> Result<(), FoldError> {
    if count > capacity.limit() {
        Err(FoldError::OverCapacity { capacity, count })
    } else {
        Ok(())
    }
}

/// How much of each capacity is asked for.
pub(super) struct Demand([usize; 4]);

impl Demand {
    pub(super) fn of(&self, capacity: Capacity) -> usize {
        self.0[capacity as usize]
    }
}

pub(super) fn demand(parts: &(&[Fact], &[Stay]), context: &Context<'_>, at: Minute) -> Demand {
    let (facts, stays) = *parts;
    let intervals: BTreeSet<usize> = stays
        .iter()
        .map(|s| context.map.index_of(s.place))
        .collect();
    let slots = context
        .tables
        .iter()
        .map(|t| slots(facts, stays, t, context.map, at));
    Demand([
        facts.len() + stays.len(),
        stays.len(),
        intervals.len(),
        slots.max().unwrap_or(0),
    ])
}

/// Distinct reasons: one for each key whose row is monotone, one for each key and anchor where it is not. A stay that
/// met nothing is none.
fn slots(facts: &[Fact], stays: &[Stay], table: &RowTable, map: &RiskMap, at: Minute) -> usize {
    let of_facts = facts.iter().map(|f| (key_of_fact(f, table), f.anchor()));
    let of_stays = stays.iter().map(|s| {
        let met = exposure(s, map.interval_of(s.place), table.lookback_hours(), at);
        let key = Key::of_stay(met.worst, met.at_end, s.end.is_none());
        (key, met.anchor)
    });
    let distinct: BTreeSet<(Key, Option<Minute>)> = of_facts
        .chain(of_stays)
        .filter(|(key, _)| !key.is_no_ground())
        .map(|(key, anchor)| (key, (!table.row(key).is_monotone()).then_some(anchor)))
        .collect();
    distinct.len()
}

fn is_ground(body: &EventBody) -> bool {
    match body {
        EventBody::CheckIn { symptoms, .. } => *symptoms,
        EventBody::Test { result, .. } => *result == TestResult::Positive,
        EventBody::Release { .. } | EventBody::Ruling { .. } => false,
        _ => true,
    }
}
