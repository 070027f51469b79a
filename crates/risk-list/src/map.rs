//! Facts to a risk map: all listings flattened into intervals, at each moment the worst grade over the listings that cover a place.

use std::collections::BTreeMap;

use rules::{AreaCode, Grade, Interval, MAX_INTERVALS, MAX_PERIODS, Minute, Period, RiskMap};

use crate::Error;
use crate::facts::{Fact, FactTable};

/// What a map is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapOptions {
    /// The map as known at this minute: later listings are absent, later releases still open. `None`: all that is known.
    pub known_at: Option<Minute>,
    /// Periods that ended before this minute may be dropped where an interval has too many; nobody's reason reaches back to them.
    pub horizon: Minute,
}

/// A map, and what had to be given up because an interval holds at most three periods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltMap {
    /// The map.
    pub map: RiskMap,
    /// Periods dropped because they ended before the horizon.
    pub dropped_past: usize,
    /// Low periods dropped within the horizon: low risk yields before anything above it is touched.
    pub dropped_low: usize,
    /// Neighbouring periods joined at the worse of their grades: never a lower grade than was listed.
    pub joined: usize,
}

impl FactTable {
    /// Builds the risk map.
    ///
    /// Where an interval has more than three periods, first those that ended before the horizon go, oldest first; then low
    /// periods, oldest first; then the two neighbours whose joining raises the fewest minutes are joined at the worse grade,
    /// the gap between them included.
    ///
    /// # Errors
    /// [`Error::Intervals`] above [`MAX_INTERVALS`].
    pub fn risk_map(&self, options: MapOptions) -> Result<BuiltMap, Error> {
        let known: Vec<Fact> = self
            .facts()
            .iter()
            .filter_map(|f| known_at(f, options.known_at))
            .collect();
        let mut built = BuiltMap {
            map: RiskMap::empty(),
            dropped_past: 0,
            dropped_low: 0,
            joined: 0,
        };
        let intervals = sweep(&known, |periods| fit(periods, options.horizon, &mut built))?;
        built.map = RiskMap::new(intervals)?;
        Ok(built)
    }
}

fn known_at(fact: &Fact, at: Option<Minute>) -> Option<Fact> {
    let Some(at) = at else {
        return Some(*fact);
    };
    (fact.listed <= at).then(|| Fact {
        released: fact.released.filter(|r| *r <= at),
        ..*fact
    })
}

/// Goes through the area-code space once; `fit` brings periods within their limit.
fn sweep(
    facts: &[Fact],
    mut fit: impl FnMut(Vec<Period>) -> Vec<Period>,
) -> Result<Vec<Interval>, Error> {
    // The facts that begin at each boundary; where others end, a boundary without any.
    let mut bounds: BTreeMap<u64, Vec<(&Fact, u64)>> = BTreeMap::new();
    bounds.entry(0).or_default();
    for fact in facts {
        let (first, last) = fact.place.range()?;
        bounds.entry(last.packed() + 1).or_default();
        let begin = bounds.entry(first.packed()).or_default();
        begin.push((fact, last.packed()));
    }
    let mut active: Vec<(&Fact, u64)> = Vec::new();
    let mut intervals: Vec<Interval> = Vec::new();
    for (from, begin) in bounds {
        if from > AreaCode::LAST.packed() {
            break;
        }
        if intervals.len() > MAX_INTERVALS {
            return Err(Error::Intervals(intervals.len()));
        }
        active.retain(|(_, last)| *last >= from);
        active.extend(begin);
        let periods = fit(worst(active.iter().map(|(fact, _)| *fact)));
        let from = AreaCode::from_packed(from)?;
        match intervals.last_mut() {
            Some(last) if last.periods == periods => {}
            Some(last) => {
                last.last = AreaCode::from_packed(from.packed() - 1)?;
                intervals.push(open_interval(from, periods));
            }
            None => intervals.push(open_interval(from, periods)),
        }
    }
    if intervals.len() > MAX_INTERVALS {
        return Err(Error::Intervals(intervals.len()));
    }
    Ok(intervals)
}

fn open_interval(from: AreaCode, periods: Vec<Period>) -> Interval {
    Interval {
        from,
        last: AreaCode::LAST,
        periods,
    }
}

/// The worst grade at each moment, as ascending periods.
fn worst<'f>(facts: impl Iterator<Item = &'f Fact>) -> Vec<Period> {
    let mut changes: BTreeMap<Minute, [i32; 4]> = BTreeMap::new();
    for fact in facts {
        let until = fact.released.unwrap_or(Minute::MAX);
        let grade = usize::from(fact.grade.code());
        changes.entry(fact.listed).or_default()[grade] += 1;
        changes.entry(until).or_default()[grade] -= 1;
    }
    let mut open = [0_i32; 4];
    let mut periods: Vec<Period> = Vec::new();
    let mut current = (Grade::None, Minute::ZERO);
    for (at, change) in changes {
        for (count, by) in open.iter_mut().zip(change) {
            *count += by;
        }
        let grade = Grade::ALL
            .into_iter()
            .rev()
            .find(|g| open[usize::from(g.code())] > 0)
            .unwrap_or(Grade::None);
        if grade == current.0 {
            continue;
        }
        if current.0 != Grade::None && current.1 < at {
            periods.push(Period {
                grade: current.0,
                since: current.1,
                until: at,
            });
        }
        current = (grade, at);
    }
    periods
}

fn fit(mut periods: Vec<Period>, horizon: Minute, built: &mut BuiltMap) -> Vec<Period> {
    while periods.len() > MAX_PERIODS && periods[0].until < horizon {
        periods.remove(0);
        built.dropped_past += 1;
    }
    while periods.len() > MAX_PERIODS {
        let Some(low) = periods.iter().position(|p| p.grade == Grade::Low) else {
            break;
        };
        periods.remove(low);
        built.dropped_low += 1;
    }
    while periods.len() > MAX_PERIODS {
        let Some(at) = (1..periods.len()).min_by_key(|i| raised_min(periods[i - 1], periods[*i]))
        else {
            break;
        };
        let second = periods.remove(at);
        let first = &mut periods[at - 1];
        first.grade = first.grade.max(second.grade);
        first.until = second.until;
        built.joined += 1;
    }
    periods
}

/// Minutes that would stand at a worse grade than was listed if two neighbours were joined.
fn raised_min(first: Period, second: Period) -> u32 {
    let gap = second.since.get() - first.until.get();
    let shorter = |p: Period| p.until.get() - p.since.get();
    gap + match first.grade.cmp(&second.grade) {
        std::cmp::Ordering::Less => shorter(first),
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => shorter(second),
    }
}
