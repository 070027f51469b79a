//! A story: what happens when, and the colours that follow from which minute on.

use rules::{
    AreaCode, CheckInRun, Colour, Fact, FactKind, Grade, Interval, Minute, Period, ProvinceCode,
    Record, Stay,
};

use crate::Vector;

/// The one area that stories take place in.
const PLACE: &str = "350102001";

/// What happens, in local time, and the colours from the named minutes on; before the first of them green.
#[derive(Clone, Default)]
pub(crate) struct Story {
    pub(crate) name: &'static str,
    facts: Vec<Fact>,
    stays: Vec<Stay>,
    negatives: Vec<Minute>,
    runs: Vec<CheckInRun>,
    listed: Vec<Period>,
    colours: Vec<(Minute, Colour)>,
    probes: Vec<Minute>,
}

fn minute(text: &str) -> Minute {
    text.parse().unwrap()
}

impl Story {
    pub(crate) fn new(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// A fact in a province (0 for none).
    pub(crate) fn fact(mut self, kind: FactKind, province: u8, begin: &str) -> Self {
        self.facts.push(Fact {
            kind,
            province: ProvinceCode::new(province).unwrap(),
            begin: minute(begin),
            end: None,
        });
        self
    }

    /// The end of the last fact.
    pub(crate) fn ended(mut self, end: &str) -> Self {
        self.facts.last_mut().unwrap().end = Some(minute(end));
        self
    }

    /// A stay in the place; an empty end goes on.
    pub(crate) fn stay(mut self, begin: &str, end: &str) -> Self {
        self.stays.push(Stay {
            place: PLACE.parse().unwrap(),
            begin: minute(begin),
            end: (!end.is_empty()).then(|| minute(end)),
        });
        self
    }

    /// A listing of the place.
    pub(crate) fn listed(mut self, grade: Grade, since: &str, until: &str) -> Self {
        self.listed.push(Period {
            grade,
            since: minute(since),
            until: minute(until),
        });
        self
    }

    pub(crate) fn negatives(mut self, sampled: &[&str]) -> Self {
        self.negatives = sampled.iter().map(|s| minute(s)).collect();
        self
    }

    /// Normal check-ins from one day to another, both included.
    pub(crate) fn check_ins(mut self, first: &str, last: &str) -> Self {
        self.runs.push(CheckInRun {
            first: first.parse().unwrap(),
            last: last.parse().unwrap(),
        });
        self
    }

    /// The colour from a minute on.
    pub(crate) fn from(mut self, when: &str, colour: Colour) -> Self {
        self.colours.push((minute(when), colour));
        self
    }

    /// A moment to look at besides the boundaries.
    pub(crate) fn probe(mut self, when: &str) -> Self {
        self.probes.push(minute(when));
        self
    }

    /// The minute before, at and after each boundary, and the probes.
    pub(crate) fn vectors(&self) -> Vec<Vector> {
        let near = |m: &Minute| [-1, 0, 1].map(|by| m.saturating_add_signed(by));
        let mut moments: Vec<Minute> = self.colours.iter().flat_map(|(m, _)| near(m)).collect();
        moments.extend(&self.probes);
        moments.sort();
        moments.dedup();
        moments.into_iter().map(|at| self.vector(at)).collect()
    }

    fn vector(&self, at: Minute) -> Vector {
        let past = self.colours.iter().rfind(|(from, _)| *from <= at);
        Vector {
            name: self.name.to_owned(),
            local: at.to_string(),
            at,
            colour: past.map_or(Colour::Green, |(_, colour)| *colour),
            record: self.record(at),
            risk_map: self.map(at),
        }
    }

    /// What is known at a moment: nothing that lies after it.
    fn record(&self, at: Minute) -> Record {
        let facts = self.facts.iter().filter(|f| f.begin <= at).map(|f| Fact {
            end: f.end.filter(|end| *end <= at),
            ..*f
        });
        let stays = self.stays.iter().filter(|s| s.begin <= at).map(|s| Stay {
            end: s.end.filter(|end| *end <= at),
            ..*s
        });
        let runs = self.runs.iter().filter(|r| r.first <= at.day());
        let runs = runs.map(|r| CheckInRun {
            first: r.first,
            last: r.last.min(at.day()),
        });
        let negatives = self.negatives.iter().copied().filter(|n| *n <= at);
        Record::new(
            stays.collect(),
            facts.collect(),
            negatives.collect(),
            runs.collect(),
        )
        .unwrap()
    }

    /// The map as published by a moment: listings that have begun, open unless they have ended.
    fn map(&self, at: Minute) -> Vec<Interval> {
        let known = self.listed.iter().filter(|p| p.since <= at);
        let periods: Vec<Period> = known
            .map(|p| Period {
                until: if p.until <= at { p.until } else { Minute::MAX },
                ..*p
            })
            .collect();
        let place: AreaCode = PLACE.parse().unwrap();
        let code = |packed| AreaCode::from_packed(packed).unwrap();
        let interval = |from, last, periods| Interval {
            from,
            last,
            periods,
        };
        if periods.is_empty() {
            return vec![interval(AreaCode::FIRST, AreaCode::LAST, periods)];
        }
        vec![
            interval(AreaCode::FIRST, code(place.packed() - 1), Vec::new()),
            interval(place, place, periods),
            interval(code(place.packed() + 1), AreaCode::LAST, Vec::new()),
        ]
    }
}
