//! From a resident's events to the record that is committed: what ends what, what merges, what leaves, what fits.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::{State, exposure, key_of_fact, row_state_with};
use crate::{
    CheckInRun, Event, EventId, Fact, FactKind, Grade, Key, MAX_NEGATIVES, MAX_RUNS, Minute,
    ProvinceCode, Record, RiskMap, RowTable, Stay,
};

mod gather;
mod room;

use gather::{DraftFact, DraftStay, Relief, grounds, live, relief};
pub(crate) use room::check_room;
pub use room::{Capacity, fits};
use room::{demand, over};

/// Hours after which no listing is published with an earlier `since` any more; a stay waits so long beyond the
/// look-back before it leaves.
pub const LISTING_DELAY_HOURS: u16 = 72;

/// Everything that decides what a record must keep.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The row tables of every rule set in force, announced, or within the grace time, of every province and the nation.
    pub tables: &'a [RowTable],
    /// The risk map in force.
    pub map: &'a RiskMap,
}

/// The kind of the fact that an event states; none for a stay, for relief, and for what ends or voids.
pub fn fact_kind(event: &Event) -> Option<FactKind> {
    gather::fact_of(event).map(|(kind, ..)| kind)
}

/// The fact that an event states, without an end; none for a stay, for relief, and for what ends or voids.
pub fn stated_fact(event: &Event) -> Option<Fact> {
    gather::fact_of(event).map(|(kind, province, begin)| Fact {
        kind,
        province,
        begin,
        end: None,
    })
}

/// Why events do not fold into a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// More grounds than a record holds, after merging and leaving; nobody's fault, the event is refused to its source.
    #[error("{count} of {capacity:?}, at most {}", capacity.limit())]
    OverCapacity {
        /// What there is too much of.
        capacity: Capacity,
        /// How many there are.
        count: usize,
    },
    /// Without a rule set nothing would count; the caller is at fault.
    #[error("no rule set to fold for")]
    NoRuleSet,
    /// Events of more than one subject; the caller is at fault.
    #[error("events of more than one subject")]
    MixedSubjects,
    /// An event that intake would have refused: a moment of zero, an end before its begin; the caller is at fault.
    #[error("an event that was never checked")]
    Unchecked,
}

/// A record with where its entries come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// The record.
    pub record: Record,
    /// For each fact of the record the events that state it, merged ones included.
    pub facts_from: Vec<Vec<EventId>>,
    /// For each stay of the record the events that state it, joined ones included.
    pub stays_from: Vec<Vec<EventId>>,
    /// Grounds that left: inert or closed under every table.
    pub left: Vec<EventId>,
    /// Self-declared stays in unlisted places that gave way because the record was full.
    pub yielded: Vec<EventId>,
}

/// The record that `events` of one subject give at the moment `at`.
///
/// Only events issued at or before `at` count. Every capacity of the record holds in the result; whether one proof can
/// open it is [`Context::fits`].
///
/// # Errors
/// [`FoldError`]; `OverCapacity` is the only one that accepted events can cause.
pub fn fold(events: &[Event], context: &Context<'_>, at: Minute) -> Result<Folded, FoldError> {
    let draft = Draft::new(events, context, at)?;
    let demand = demand(&draft.parts(), context, at);
    for capacity in [Capacity::Entries, Capacity::Stays] {
        over(capacity, demand.of(capacity))?;
    }
    draft.finish()
}

/// What will be the record.
struct Draft {
    facts: Vec<Fact>,
    facts_from: Vec<Vec<EventId>>,
    stays: Vec<Stay>,
    stays_from: Vec<Vec<EventId>>,
    negatives: Vec<Minute>,
    runs: Vec<CheckInRun>,
    left: Vec<EventId>,
    yielded: Vec<EventId>,
}

impl Draft {
    fn new(events: &[Event], context: &Context<'_>, at: Minute) -> Result<Self, FoldError> {
        if context.tables.is_empty() {
            return Err(FoldError::NoRuleSet);
        }
        if events.windows(2).any(|w| w[0].subject != w[1].subject) {
            return Err(FoldError::MixedSubjects);
        }
        let live = live(events, at);
        let relief = relief(&live);
        let (mut facts, mut stays) = grounds(&live);
        let mut left = Vec::new();
        facts.retain(|f| {
            keep(
                fact_counts(&f.fact, &relief, context, at),
                &f.from,
                &mut left,
            )
        });
        stays.retain(|s| {
            keep(
                stay_counts(&s.stay, &relief, context, at),
                &s.from,
                &mut left,
            )
        });
        let facts = merge(facts, context.tables);
        let (stays, courtesy): (Vec<_>, Vec<_>) = stays
            .into_iter()
            .partition(|s| !s.self_declared || has_met(&s.stay, context, at));
        let (facts, facts_from) = facts.into_iter().map(|f| (f.fact, f.from)).unzip();
        let (stays, stays_from) = stays.into_iter().map(|s| (s.stay, s.from)).unzip();
        let mut draft = Self {
            facts,
            facts_from,
            stays,
            stays_from,
            negatives: relief.negatives[relief.negatives.len().saturating_sub(MAX_NEGATIVES)..]
                .to_vec(),
            runs: useful_runs(&relief.runs, context.tables),
            left,
            yielded: Vec::new(),
        };
        draft.add_courtesy(courtesy, context, at);
        Ok(draft)
    }

    fn parts(&self) -> (&[Fact], &[Stay]) {
        (&self.facts, &self.stays)
    }

    /// Adds self-declared stays that met nothing, those that go on first, then the latest, as long as all fits.
    fn add_courtesy(&mut self, mut courtesy: Vec<DraftStay>, context: &Context<'_>, at: Minute) {
        courtesy.sort_by_key(|s| std::cmp::Reverse((s.stay.end.unwrap_or(Minute::MAX), s.stay)));
        for stay in courtesy {
            self.stays.push(stay.stay);
            self.stays_from.push(stay.from);
            let demand = demand(&self.parts(), context, at);
            if Capacity::ALL.iter().any(|c| demand.of(*c) > c.limit()) {
                self.stays.pop();
                self.yielded
                    .extend(self.stays_from.pop().unwrap_or_default());
            }
        }
    }

    fn finish(self) -> Result<Folded, FoldError> {
        let (facts, facts_from) = sorted(self.facts, self.facts_from);
        let (stays, stays_from) = sorted(self.stays, self.stays_from);
        let record = Record::new(stays, facts, self.negatives, self.runs)
            .map_err(|_| FoldError::Unchecked)?;
        Ok(Folded {
            record,
            facts_from,
            stays_from,
            left: self.left,
            yielded: self.yielded,
        })
    }
}

fn sorted<T: Ord>(values: Vec<T>, from: Vec<Vec<EventId>>) -> (Vec<T>, Vec<Vec<EventId>>) {
    let mut both: Vec<_> = values.into_iter().zip(from).collect();
    both.sort();
    both.into_iter().unzip()
}

fn keep(counts: bool, from: &[EventId], left: &mut Vec<EventId>) -> bool {
    if !counts {
        left.extend(from);
    }
    counts
}

fn is_closed(state: State) -> bool {
    !matches!(state, State::Open)
}

/// Whether a fact is open under some table.
fn fact_counts(fact: &Fact, relief: &Relief, context: &Context<'_>, at: Minute) -> bool {
    !context.tables.iter().all(|table| {
        let row = table.row(key_of_fact(fact, table));
        is_closed(row_state_with(row, &relief.negatives, &relief.runs, fact.anchor(), at).0)
    })
}

/// Whether a stay goes on, may still meet a listing, or is open under some table.
fn stay_counts(stay: &Stay, relief: &Relief, context: &Context<'_>, at: Minute) -> bool {
    let Some(end) = stay.end else {
        return true;
    };
    let reach_hours = i64::from(context.longest_lookback_hours()) + i64::from(LISTING_DELAY_HOURS);
    if i64::from(end.get()) + 60 * reach_hours >= i64::from(at.get()) {
        return true;
    }
    let interval = context.map.interval_of(stay.place);
    !context.tables.iter().all(|table| {
        let met = exposure(stay, interval, table.lookback_hours(), at);
        let row = table.row(Key::of_stay(met.worst, met.at_end, false));
        let relief = (&relief.negatives, &relief.runs);
        met.worst == Grade::None
            || is_closed(row_state_with(row, relief.0, relief.1, met.anchor, at).0)
    })
}

fn has_met(stay: &Stay, context: &Context<'_>, at: Minute) -> bool {
    let interval = context.map.interval_of(stay.place);
    context
        .tables
        .iter()
        .any(|table| exposure(stay, interval, table.lookback_hours(), at).worst != Grade::None)
}

/// Merges facts of one kind, province and endedness to the latest anchor where every table's row is monotone;
/// elsewhere only facts with the same anchor.
fn merge(facts: Vec<DraftFact>, tables: &[RowTable]) -> Vec<DraftFact> {
    type Group = (FactKind, ProvinceCode, bool, Option<Minute>);
    let mut groups: BTreeMap<Group, DraftFact> = BTreeMap::new();
    for next in facts {
        let fact = next.fact;
        let monotone = tables
            .iter()
            .all(|t| t.row(key_of_fact(&fact, t)).is_monotone());
        let anchor = (!monotone).then_some(fact.anchor());
        let group = (fact.kind, fact.province, fact.end.is_some(), anchor);
        match groups.get_mut(&group) {
            Some(kept) => {
                if (fact.anchor(), fact.begin) > (kept.fact.anchor(), kept.fact.begin) {
                    kept.fact = fact;
                }
                kept.from.extend(next.from);
            }
            None => {
                groups.insert(group, next);
            }
        }
    }
    groups.into_values().collect()
}

/// The runs that can serve: for each number of days that some row asks for the latest run that long (an older one
/// cannot do more, whatever the anchor). Free places go to the latest others; the oldest drop first.
fn useful_runs(runs: &[CheckInRun], tables: &[RowTable]) -> Vec<CheckInRun> {
    if runs.len() <= MAX_RUNS {
        return runs.to_vec();
    }
    let asked: BTreeSet<u16> = tables
        .iter()
        .flat_map(RowTable::rows)
        .flat_map(|row| row.clearing.iter().flatten())
        .map(|c| u16::from(c.check_in_days))
        .filter(|days| *days > 0)
        .collect();
    let length = |run: &CheckInRun| run.last.get() - run.first.get() + 1;
    let mut kept: BTreeSet<usize> = asked
        .iter()
        .filter_map(|days| runs.iter().rposition(|run| length(run) >= *days))
        .collect();
    while kept.len() > MAX_RUNS {
        kept.pop_first();
    }
    for index in (0..runs.len()).rev() {
        if kept.len() < MAX_RUNS {
            kept.insert(index);
        }
    }
    kept.into_iter().map(|index| runs[index]).collect()
}

#[cfg(test)]
mod tests;
