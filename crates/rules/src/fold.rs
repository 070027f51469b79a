//! From a resident's events to the record that is committed: what ends what, what merges, what leaves, what fits.

use std::collections::{BTreeMap, BTreeSet};

use crate::evaluate::{State, exposure, key_of_fact, row_state_with};
use crate::{
    CaseKind, CheckInRun, ContactDegree, Day, Event, EventBody, EventId, ExposureList, Fact,
    FactKind, Grade, Key, MAX_ENTRIES, MAX_NEGATIVES, MAX_RISK_INTERVALS, MAX_RUNS, MAX_SLOTS,
    MAX_STAYS, Minute, ProvinceCode, Record, RiskMap, RowTable, SourceKind, Stay, TestResult,
};

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

    fn longest_lookback_hours(&self) -> u16 {
        let each = |t: &RowTable| Grade::ALL.map(|g| t.lookback_hours().of(g));
        self.tables.iter().flat_map(each).max().unwrap_or(0)
    }
}

fn over(capacity: Capacity, count: usize) -> Result<(), FoldError> {
    if count > capacity.limit() {
        Err(FoldError::OverCapacity { capacity, count })
    } else {
        Ok(())
    }
}

/// How much of each capacity is asked for.
struct Demand([usize; 4]);

impl Demand {
    fn of(&self, capacity: Capacity) -> usize {
        self.0[capacity as usize]
    }
}

fn demand(parts: &(&[Fact], &[Stay]), context: &Context<'_>, at: Minute) -> Demand {
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

/// Distinct reasons: one for each key whose row is monotone, one for each key and anchor where it is not.
fn slots(facts: &[Fact], stays: &[Stay], table: &RowTable, map: &RiskMap, at: Minute) -> usize {
    let of_facts = facts.iter().map(|f| (key_of_fact(f, table), f.anchor()));
    let of_stays = stays.iter().map(|s| {
        let met = exposure(s, map.interval_of(s.place), table.lookback_hours(), at);
        let key = Key::of_stay(met.worst, met.at_end, s.end.is_none());
        (key, met.anchor)
    });
    let distinct: BTreeSet<(Key, Option<Minute>)> = of_facts
        .chain(of_stays)
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

/// A fact with the events that state it.
struct DraftFact {
    fact: Fact,
    from: Vec<EventId>,
}

/// A stay with the events that state it, and whether only the resident says so.
struct DraftStay {
    stay: Stay,
    self_declared: bool,
    from: Vec<EventId>,
}

/// Relief without a capacity.
struct Relief {
    negatives: Vec<Minute>,
    runs: Vec<CheckInRun>,
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

/// Events issued by `at` and not voided, by id.
fn live(events: &[Event], at: Minute) -> BTreeMap<EventId, &Event> {
    let issued = || events.iter().filter(|e| e.issued_at <= at);
    let voided: BTreeSet<EventId> = issued()
        .filter_map(|e| match e.body {
            EventBody::Ruling { target, .. } => Some(target),
            _ => None,
        })
        .collect();
    issued()
        .filter(|e| !voided.contains(&e.id))
        .map(|e| (e.id, e))
        .collect()
}

fn relief(live: &BTreeMap<EventId, &Event>) -> Relief {
    let mut negatives = BTreeSet::new();
    let mut normal = BTreeSet::new();
    let mut symptomatic = BTreeSet::new();
    for event in live.values() {
        match event.body {
            EventBody::Test {
                sampled_at,
                result: TestResult::Negative,
            } => {
                negatives.insert(sampled_at);
            }
            EventBody::CheckIn {
                day,
                symptoms: false,
            } => {
                normal.insert(day.get());
            }
            EventBody::CheckIn {
                day,
                symptoms: true,
            } => {
                symptomatic.insert(day.get());
            }
            _ => {}
        }
    }
    let mut runs: Vec<CheckInRun> = Vec::new();
    for &day in normal.difference(&symptomatic) {
        match runs.last_mut() {
            Some(run) if run.last.get().checked_add(1) == Some(day) => run.last = Day::new(day),
            _ => runs.push(CheckInRun {
                first: Day::new(day),
                last: Day::new(day),
            }),
        }
    }
    Relief {
        negatives: negatives.into_iter().collect(),
        runs,
    }
}

fn grounds(live: &BTreeMap<EventId, &Event>) -> (Vec<DraftFact>, Vec<DraftStay>) {
    let mut ends: BTreeMap<EventId, Minute> = BTreeMap::new();
    for event in live.values() {
        if let EventBody::Release { target, at } = event.body {
            let end = ends.entry(target).or_insert(at);
            *end = at.max(*end);
        }
    }
    let mut facts = Vec::new();
    let mut stays = Vec::new();
    for event in live.values() {
        let end = ends.get(&event.id).copied();
        if let Some((kind, province, begin)) = fact_of(event) {
            let fact = Fact {
                kind,
                province,
                begin,
                end: end.map(|e| e.max(begin)),
            };
            facts.push(DraftFact {
                fact,
                from: vec![event.id],
            });
        }
        if let EventBody::Stay {
            place,
            begin,
            end: own_end,
        } = event.body
        {
            let stay = Stay {
                place,
                begin,
                end: own_end.or(end.map(|e| e.max(begin))),
            };
            stays.push(DraftStay {
                stay,
                self_declared: event.source.kind == SourceKind::Resident,
                from: vec![event.id],
            });
        }
    }
    (facts, join(stays))
}

/// The kind, province and begin of the fact that an event states, if it states one.
fn fact_of(event: &Event) -> Option<(FactKind, ProvinceCode, Minute)> {
    Some(match event.body {
        EventBody::CheckIn {
            day,
            symptoms: true,
        } => (FactKind::Symptoms, ProvinceCode::NATION, day.first_minute()),
        EventBody::Test {
            sampled_at,
            result: TestResult::Positive,
        } => (
            FactKind::ScreenedPositive,
            event.source.province,
            sampled_at,
        ),
        EventBody::Contact {
            degree,
            last_contact_at,
            province,
        } => {
            let kind = match degree {
                ContactDegree::Close => FactKind::CloseContact,
                ContactDegree::Secondary => FactKind::SecondaryContact,
            };
            (kind, province, last_contact_at)
        }
        EventBody::Case { kind, at, province } => {
            let kind = match kind {
                CaseKind::Confirmed => FactKind::ConfirmedCase,
                CaseKind::Asymptomatic => FactKind::AsymptomaticCase,
                CaseKind::Suspected => FactKind::SuspectedCase,
            };
            (kind, province, at)
        }
        EventBody::Entry { port, arrived_at } => (FactKind::Entry, port, arrived_at),
        EventBody::Exposure { list, at, province } => (fact_of_list(list), province, at),
        _ => return None,
    })
}

const fn fact_of_list(list: ExposureList) -> FactKind {
    match list {
        ExposureList::ColdChainOnce => FactKind::ColdChainOnce,
        ExposureList::ColdChainFrequent => FactKind::ColdChainFrequent,
        ExposureList::FeverClinic => FactKind::FeverClinic,
        ExposureList::PossibleLink => FactKind::PossibleLink,
        ExposureList::AssistList => FactKind::AssistList,
        ExposureList::PotentialRisk => FactKind::PotentialRisk,
        ExposureList::PooledTube => FactKind::PooledTube,
    }
}

/// Joins stays in one place that overlap or follow without a free minute: they are one presence, and nobody left.
/// What the resident declares joins only with what the resident declares.
fn join(mut stays: Vec<DraftStay>) -> Vec<DraftStay> {
    let group = |s: &DraftStay| (s.stay.place, s.self_declared);
    stays.sort_by_key(|s| (group(s), s.stay.begin, s.stay.end));
    let mut joined: Vec<DraftStay> = Vec::new();
    for next in stays {
        match joined.last_mut() {
            Some(last) if group(last) == group(&next) && touches(&last.stay, &next.stay) => {
                let ends = last.stay.end.zip(next.stay.end);
                last.stay.end = ends.map(|(a, b)| a.max(b));
                last.from.extend(next.from);
            }
            _ => joined.push(next),
        }
    }
    joined
}

fn touches(earlier: &Stay, later: &Stay) -> bool {
    earlier
        .end
        .is_none_or(|end| later.begin.get() <= end.get().saturating_add(1))
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

/// The runs that can still serve: the newest, and for each number of days that some row asks for the latest run that
/// long (an older one cannot do more, whatever the anchor). Free places go to the latest others; the oldest drop first.
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
        .chain([runs.len() - 1])
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
