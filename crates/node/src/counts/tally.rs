//! Adding up: each person in one cell, or in none.

use std::collections::BTreeMap;

use ledger::log::{
    ColourCell, ColourCode, ColourCounts, CountedSet, ImpactCell, ImpactCount, Rounded, SourceCell,
    SourceCounts,
};
use rules::lint::DISCRETIONARY;
use rules::{
    Colour, Context, Day, Event, FactKind, KEYS, Key, Minute, RiskMap, RuleSet, SourceId, evaluate,
    fact_kind, fold,
};

use super::walk::Received;
use crate::KnownSet;

/// As counts have it.
const fn code(colour: Colour) -> ColourCode {
    match colour {
        Colour::Green => 0,
        Colour::Yellow => 1,
        Colour::Red => 2,
    }
}

/// A person's colour, and the rule that it is by: of all with an open reason of that colour the first of the set. None of one
/// who is green.
type Standing = Option<(Colour, usize)>;

/// What people are judged by.
pub(super) struct Measure<'a> {
    pub(super) map: &'a RiskMap,
    pub(super) at: Minute,
}

impl Measure<'_> {
    /// How a person with these events stands under each set; none whose record does not fit what a record can hold.
    fn standings<const N: usize>(
        &self,
        received: &[Received],
        sets: [&RuleSet; N],
    ) -> Option<[Standing; N]> {
        let events: Vec<Event> = received.iter().map(|received| received.event).collect();
        let tables = sets.map(|set| set.table().clone());
        let context = Context {
            tables: &tables,
            map: self.map,
        };
        let folded = fold(&events, &context, self.at).ok()?;
        let mut standings = [None; N];
        for (standing, set) in standings.iter_mut().zip(sets) {
            let evaluation = evaluate(&folded.record, set.table(), self.map, self.at).ok()?;
            *standing = leading(&evaluation, set);
        }
        Some(standings)
    }
}

fn leading(evaluation: &rules::Evaluation, set: &RuleSet) -> Standing {
    let worst = evaluation.colour;
    if worst == Colour::Green {
        return None;
    }
    let open = evaluation.reasons.iter().filter(|r| r.colour == worst);
    let first = open.filter_map(|reason| rule_of(set, reason.key)).min()?;
    Some((worst, first))
}

/// The place of a key's rule in its set.
fn rule_of(set: &RuleSet, key: Key) -> Option<usize> {
    let rule = set.rule_of(key)?;
    set.rules().iter().position(|other| other.id == rule.id)
}

/// Every colour but green that a rule of the set can give.
fn colours_of(set: &RuleSet) -> impl Iterator<Item = (Colour, String)> {
    let keys = (0..KEYS).filter_map(|code| Key::from_code(u8::try_from(code).ok()?));
    let given = keys.flat_map(|key| {
        let row = set.table().row(key);
        let rule = set.rule_of(key).map(|rule| rule.id.clone());
        let colours = [row.first, row.then].into_iter();
        let colours = colours.filter(|colour| *colour != Colour::Green);
        colours.filter_map(move |colour| Some((colour, rule.clone()?)))
    });
    given.collect::<Vec<_>>().into_iter()
}

pub(super) fn counted_set(known: &KnownSet) -> CountedSet {
    let set = known.set();
    CountedSet {
        name: set.id().as_str().to_owned(),
        version: set.version(),
        scope: set.province(),
        digest: known.digest(),
        text_sha256: set.digest_sha256(),
    }
}

/// A day: colours by rule at its end, and what sources stated on it at their discretion.
pub(super) struct DayTally<'a> {
    day: Day,
    known: &'a KnownSet,
    measure: Measure<'a>,
    people: BTreeMap<(ColourCode, String), u64>,
    stated: BTreeMap<(SourceId, FactKind), u64>,
    /// Residents whose record does not fit; they are in no cell.
    pub(super) unfit: u64,
}

impl<'a> DayTally<'a> {
    pub(super) fn new(day: Day, known: &'a KnownSet, measure: Measure<'a>) -> Self {
        let cells = colours_of(known.set());
        Self {
            day,
            known,
            measure,
            people: cells.map(|(c, rule)| ((code(c), rule), 0)).collect(),
            stated: BTreeMap::new(),
            unfit: 0,
        }
    }

    /// Adds a resident.
    pub(super) fn add(&mut self, received: &[Received]) {
        let set = self.known.set();
        match self.measure.standings(received, [set]) {
            Some([Some((colour, rule))]) => {
                let cell = (code(colour), set.rules()[rule].id.clone());
                *self.people.entry(cell).or_default() += 1;
            }
            Some([None]) => {}
            None => self.unfit += 1,
        }
        for Received { event, at } in received {
            let fact = fact_kind(event).filter(|fact| DISCRETIONARY.contains(fact));
            if let Some(fact) = fact.filter(|_| at.day() == self.day) {
                *self.stated.entry((event.source, fact)).or_default() += 1;
            }
        }
    }

    /// What is published of it.
    pub(super) fn publish(self, residents: u64) -> (ColourCounts, Vec<SourceCounts>) {
        let cells = self.people.into_iter();
        let cells = cells.map(|((colour, rule), people)| ColourCell {
            colour,
            rule,
            people: Rounded::of(people),
        });
        let colours = ColourCounts {
            day: self.day.get(),
            residents: Rounded::of(residents),
            set: counted_set(self.known),
            cells: cells.collect(),
        };
        let stated = self.stated.into_iter();
        let mut sources: Vec<SourceCell> = stated
            .map(|((source, fact), events)| SourceCell {
                province: source.province,
                kind: source.kind.code(),
                number: source.number,
                fact: fact.code(),
                events: Rounded::of(events),
            })
            .filter(|cell| cell.events != Rounded::FEW)
            .collect();
        sources.sort_by_key(|cell| (cell.province.get(), cell.kind, cell.number, cell.fact));
        let sources = SourceCounts::parts_of(self.day.get(), &sources);
        (colours, sources)
    }
}

/// A new rule set beside the one in force.
pub(super) struct ImpactTally<'a> {
    known: &'a KnownSet,
    before: Option<&'a KnownSet>,
    measure: Measure<'a>,
    people: BTreeMap<(ColourCode, ColourCode, String), u64>,
    /// Residents whose record does not fit; they are in no cell.
    pub(super) unfit: u64,
}

impl<'a> ImpactTally<'a> {
    pub(super) fn new(
        known: &'a KnownSet,
        before: Option<&'a KnownSet>,
        measure: Measure<'a>,
    ) -> Self {
        let mut people = BTreeMap::new();
        for (worse, rule) in colours_of(known.set()) {
            for better in [Colour::Green, Colour::Yellow] {
                if better < worse {
                    people.insert((code(better), code(worse), rule.clone()), 0);
                }
            }
        }
        for (worse, rule) in before.into_iter().flat_map(|b| colours_of(b.set())) {
            for better in [Colour::Green, Colour::Yellow] {
                if better < worse {
                    people.insert((code(worse), code(better), rule.clone()), 0);
                }
            }
        }
        Self {
            known,
            before,
            measure,
            people,
            unfit: 0,
        }
    }

    /// Adds a resident.
    pub(super) fn add(&mut self, received: &[Received]) {
        let new = self.known.set();
        let standings = if let Some(before) = self.before {
            self.measure.standings(received, [before.set(), new])
        } else {
            let standings = self.measure.standings(received, [new]);
            standings.map(|[standing]| [None, standing])
        };
        let Some([was, will]) = standings else {
            self.unfit += 1;
            return;
        };
        let colour = |standing: Standing| standing.map_or(Colour::Green, |(colour, _)| colour);
        let (from, to) = (colour(was), colour(will));
        let by = match (self.before, was, will) {
            (_, _, Some((_, rule))) if to > from => &new.rules()[rule],
            (Some(before), Some((_, rule)), _) if from > to => &before.set().rules()[rule],
            _ => return,
        };
        let cell = (code(from), code(to), by.id.clone());
        *self.people.entry(cell).or_default() += 1;
    }

    /// What is published of it.
    pub(super) fn publish(self, residents: u64) -> ImpactCount {
        let cells = self.people.into_iter();
        let cells = cells.map(|((from, to, rule), people)| ImpactCell {
            from,
            to,
            rule,
            people: Rounded::of(people),
        });
        ImpactCount {
            at: self.measure.at,
            residents: Rounded::of(residents),
            set: counted_set(self.known),
            before: self.before.map(counted_set),
            cells: cells.collect(),
        }
    }
}
