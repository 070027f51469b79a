//! The risk map: a partition of the area-code space into intervals, each with its dated grades.

use serde::{Deserialize, Serialize};

use crate::{AreaCode, Error, Minute};

/// Periods that one interval can hold.
pub const MAX_PERIODS: usize = 3;
/// Intervals that one map can hold: 8-ary depth 5 above pairs.
pub const MAX_INTERVALS: usize = 65_536;

/// The published grade of an area; not listed is below low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    /// Not listed.
    None,
    /// Low risk.
    Low,
    /// Medium risk.
    Medium,
    /// High risk.
    High,
}

impl Grade {
    /// All grades, in the order of their codes.
    pub const ALL: [Grade; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// Position in [`Grade::ALL`].
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// A grade that held from `since` (inclusive) until `until` (exclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Period {
    /// The grade, never [`Grade::None`].
    pub grade: Grade,
    /// First minute at this grade.
    pub since: Minute,
    /// First minute no longer at this grade; [`Minute::MAX`] while it is open.
    pub until: Minute,
}

/// All places from `from` to `last`, both included, which share their periods.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Interval {
    /// First place.
    pub from: AreaCode,
    /// Last place, included.
    pub last: AreaCode,
    /// At most [`MAX_PERIODS`], ascending and disjoint (`until` of one is at most `since` of the next).
    pub periods: Vec<Period>,
}

/// A dated grading of all places; intervals ascend without gap or overlap from [`AreaCode::FIRST`] to [`AreaCode::LAST`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RiskMap {
    intervals: Vec<Interval>,
}

impl RiskMap {
    /// A map in which nothing is listed.
    pub fn empty() -> Self {
        Self {
            intervals: vec![Interval {
                from: AreaCode::FIRST,
                last: AreaCode::LAST,
                periods: Vec::new(),
            }],
        }
    }

    /// A map from its intervals.
    ///
    /// # Errors
    /// [`Error::RiskMap`] unless they are a partition with ascending, disjoint, non-empty periods within the limits.
    pub fn new(intervals: Vec<Interval>) -> Result<Self, Error> {
        check(&intervals).map_err(Error::RiskMap)?;
        Ok(Self { intervals })
    }

    /// The intervals, ascending.
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// The index of the one interval that holds `place`.
    pub fn index_of(&self, place: AreaCode) -> usize {
        self.intervals.partition_point(|i| i.last < place)
    }

    /// The one interval that holds `place`.
    pub fn interval_of(&self, place: AreaCode) -> &Interval {
        &self.intervals[self.index_of(place)]
    }
}

fn check(intervals: &[Interval]) -> Result<(), &'static str> {
    let (Some(first), Some(end)) = (intervals.first(), intervals.last()) else {
        return Err("a risk map needs at least one interval");
    };
    if intervals.len() > MAX_INTERVALS {
        return Err("a risk map holds at most 65536 intervals");
    }
    if first.from != AreaCode::FIRST || end.last != AreaCode::LAST {
        return Err("the intervals do not cover the whole area-code space");
    }
    if intervals
        .windows(2)
        .any(|w| w[0].last.packed() + 1 != w[1].from.packed())
    {
        return Err("the intervals leave a gap or overlap");
    }
    for interval in intervals {
        if interval.from > interval.last {
            return Err("an interval ends before it begins");
        }
        if interval.periods.len() > MAX_PERIODS {
            return Err("an interval holds at most 3 periods");
        }
        if interval
            .periods
            .iter()
            .any(|p| p.grade == Grade::None || p.since >= p.until)
        {
            return Err("a period is empty or has no grade");
        }
        if interval.periods.windows(2).any(|w| w[0].until > w[1].since) {
            return Err("the periods of an interval do not ascend");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(packed: u64) -> AreaCode {
        AreaCode::from_packed(packed).unwrap()
    }

    fn plain(from: u64, last: u64) -> Interval {
        Interval {
            from: code(from),
            last: code(last),
            periods: Vec::new(),
        }
    }

    #[test]
    fn a_map_with_a_gap_an_overlap_or_a_missing_end_is_refused() {
        let end = AreaCode::LAST.packed();
        assert!(RiskMap::new(vec![plain(0, 9), plain(10, end)]).is_ok());
        for bad in [
            vec![],
            vec![plain(0, 9), plain(11, end)],
            vec![plain(0, 9), plain(9, end)],
            vec![plain(1, end)],
            vec![plain(0, end - 1)],
        ] {
            assert!(RiskMap::new(bad).is_err());
        }
    }

    #[test]
    fn each_place_lies_in_exactly_one_interval() {
        let map = RiskMap::new(vec![
            plain(0, 9),
            plain(10, 10),
            plain(11, AreaCode::LAST.packed()),
        ])
        .unwrap();
        for (place, index) in [
            (0, 0),
            (9, 0),
            (10, 1),
            (11, 2),
            (AreaCode::LAST.packed(), 2),
        ] {
            assert_eq!(map.index_of(code(place)), index);
        }
    }

    #[test]
    fn periods_that_overlap_or_are_empty_are_refused() {
        let period = |since, until| Period {
            grade: Grade::High,
            since: Minute::new(since).unwrap(),
            until: Minute::new(until).unwrap(),
        };
        let with = |periods| {
            RiskMap::new(vec![Interval {
                from: AreaCode::FIRST,
                last: AreaCode::LAST,
                periods,
            }])
        };
        assert!(with(vec![period(5, 9), period(9, 12)]).is_ok());
        assert!(with(vec![period(5, 9), period(8, 12)]).is_err());
        assert!(with(vec![period(5, 5)]).is_err());
        assert!(with(vec![period(1, 2), period(2, 3), period(3, 4), period(4, 5)]).is_err());
    }
}
