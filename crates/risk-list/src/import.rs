//! Published lists to dated facts: listed since the first list that has a place, released at the first that no longer has it.

use std::collections::{BTreeMap, HashMap, HashSet};

use rules::{Grade, Minute};

use crate::facts::{Counts, Fact, FactTable, ListCounts, Unplaced};
use crate::place::Place;
use crate::register::Register;
use crate::{Error, Precision, PublishedList, Resolver, Target};

/// Lists that one import takes.
pub const MAX_LISTS: usize = 4096;

/// Turns lists into a fact table, numbering new sites in `register`.
///
/// Lists are taken in order of their own update times; two of the same time count as one. Between two of them nothing is
/// assumed: a place is listed since the time of the first list that has it, until the time of the first that has it no more.
/// `source` is written into the table.
///
/// # Errors
/// [`Error::NoLists`], [`Error::TooMany`] above [`MAX_LISTS`], [`Error::SitesExhausted`].
pub fn import(
    resolver: &Resolver,
    register: &mut Register,
    lists: &[PublishedList],
    source: &str,
) -> Result<FactTable, Error> {
    if lists.is_empty() {
        return Err(Error::NoLists);
    }
    if lists.len() > MAX_LISTS {
        return Err(Error::TooMany {
            what: "lists",
            limit: MAX_LISTS,
        });
    }
    let mut by_time: BTreeMap<Minute, Vec<&PublishedList>> = BTreeMap::new();
    for list in lists {
        by_time.entry(list.updated).or_default().push(list);
    }
    let mut places = Timeline::default();
    let mut unplaced = Timeline::default();
    let mut counts = Vec::new();
    for (at, lists) in by_time {
        let day = read_day(resolver, register, &lists)?;
        counts.extend(LISTED_COUNTS.map(|grade| ListCounts {
            at,
            grade,
            counts: day.counts.get(&grade).copied().unwrap_or_default(),
        }));
        places.advance(at, day.places);
        unplaced.advance(at, day.unplaced);
    }
    let facts = places
        .finish()
        .map(|((place, grade), listed, released)| Fact {
            place,
            grade,
            listed,
            released,
        });
    let unplaced = unplaced
        .finish()
        .map(|((text, grade), listed, released)| Unplaced {
            text,
            grade,
            listed,
            released,
        });
    FactTable::new(source, counts, facts.collect(), unplaced.collect())
}

const LISTED_COUNTS: [Grade; 3] = crate::LISTED_GRADES;

struct DayOfLists {
    places: HashSet<(Place, Grade)>,
    unplaced: HashSet<(String, Grade)>,
    counts: HashMap<Grade, Counts>,
}

fn read_day(
    resolver: &Resolver,
    register: &mut Register,
    lists: &[&PublishedList],
) -> Result<DayOfLists, Error> {
    let mut day = DayOfLists {
        places: HashSet::new(),
        unplaced: HashSet::new(),
        counts: HashMap::new(),
    };
    for group in lists.iter().flat_map(|l| &l.groups) {
        let scope = resolver.scope(&group.place);
        let counts = day.counts.entry(group.grade).or_default();
        for text in &group.texts {
            let resolution = resolver.resolve(&scope, text);
            counts.count(&resolution);
            let mut new = false;
            if resolution.precision < Precision::County {
                let name = format!("{} | {text}", group.place).replace(['\n', '\r', '\t'], " ");
                new = day.unplaced.insert((name, group.grade));
            }
            for place in places(register, resolution.target)? {
                if matches!(place, Place::County(_)) {
                    counts.whole_county += 1;
                }
                new |= day.places.insert((place, group.grade));
            }
            counts.duplicates += u64::from(!new);
        }
    }
    Ok(day)
}

fn places(register: &mut Register, target: Target) -> Result<Vec<Place>, Error> {
    match target {
        Target::Whole(areas) => Ok(areas.into_iter().map(Place::whole).collect()),
        Target::Site { areas, text } => areas
            .into_iter()
            .map(|area| register.code(area, &text).map(Place::Site))
            .collect(),
        Target::Unknown => Ok(Vec::new()),
    }
}

/// Spans of time during which each key was there.
struct Timeline<K> {
    open: HashMap<K, Minute>,
    closed: Vec<(K, Minute, Option<Minute>)>,
}

impl<K> Default for Timeline<K> {
    fn default() -> Self {
        Self {
            open: HashMap::new(),
            closed: Vec::new(),
        }
    }
}

impl<K: std::hash::Hash + Eq + Ord> Timeline<K> {
    fn advance(&mut self, at: Minute, now: HashSet<K>) {
        let gone = self.open.extract_if(|key, _| !now.contains(key));
        self.closed
            .extend(gone.map(|(key, since)| (key, since, Some(at))));
        for key in now {
            self.open.entry(key).or_insert(at);
        }
    }

    fn finish(mut self) -> impl Iterator<Item = (K, Minute, Option<Minute>)> {
        self.closed
            .extend(self.open.into_iter().map(|(key, since)| (key, since, None)));
        self.closed.sort();
        self.closed.into_iter()
    }
}
