//! What the entries of a log say, one after the other.

use std::collections::{BTreeMap, BTreeSet};

use ledger::log::{ColourCode, ColourCounts, Entry, SourceCounts};
use published::by_source::Parts;
use published::sets::{Announced, Sets, Told};
use rules::Day;
use serde::Serialize;

use super::daily::{Daily, DailyStory};

/// A change of colour that a rule set brings.
#[derive(Debug, Serialize)]
pub(super) struct ChangeStory {
    pub(super) from: &'static str,
    pub(super) to: &'static str,
    pub(super) rule: String,
    /// As it is published: `<10`, or to the nearest ten.
    pub(super) people: String,
}

/// A rule set that the log announces.
#[derive(Debug, Serialize)]
pub(super) struct RuleSetStory {
    pub(super) name: String,
    pub(super) version: u32,
    pub(super) scope: u8,
    /// First day in force, UTC+8.
    pub(super) from: String,
    pub(super) is_emergency: bool,
    pub(super) told: Told,
    pub(super) changes: Vec<ChangeStory>,
}

/// People of a colour by a rule.
#[derive(Debug, Serialize)]
pub(super) struct CellStory {
    pub(super) colour: &'static str,
    pub(super) rule: String,
    pub(super) people: String,
}

/// A day that was counted.
#[derive(Debug, Serialize)]
pub(super) struct DayStory {
    pub(super) day: String,
    pub(super) residents: String,
    pub(super) cells: Vec<CellStory>,
    #[serde(skip)]
    number: u16,
}

impl DayStory {
    fn of(counts: &ColourCounts) -> Self {
        let cells = counts.cells.iter().map(|cell| CellStory {
            colour: word(cell.colour),
            rule: cell.rule.clone(),
            people: cell.people.to_string(),
        });
        Self {
            day: Day::new(counts.day).to_string(),
            residents: counts.residents.to_string(),
            cells: cells.collect(),
            number: counts.day,
        }
    }
}

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Story {
    pub(super) entries: usize,
    pub(super) rule_sets: Vec<RuleSetStory>,
    pub(super) days: Vec<DayStory>,
    /// Days between the first and the last that are not counted.
    pub(super) days_missing: usize,
    #[serde(flatten)]
    pub(super) daily: DailyStory,
    /// What must not be.
    pub(super) wrong: Vec<String>,
}

/// The counts by source, as far as they were read: of each day the parts, and where the last one stands.
#[derive(Default)]
struct BySource(BTreeMap<u16, (Parts, usize)>);

impl BySource {
    fn take(&mut self, place: usize, counts: &SourceCounts, wrong: &mut Vec<String>) {
        let (parts, last) = self.0.entry(counts.day).or_default();
        match parts.take(counts) {
            Ok(other) => wrong.extend(other),
            Err(twice) => wrong.push(twice),
        }
        *last = place;
    }

    /// What is missing of days that are over in the log: all parts of one are written at once.
    fn missing(&self, entries: usize, wrong: &mut Vec<String>) {
        for (day, (parts, last)) in &self.0 {
            let is_over = last + 1 < entries;
            if is_over && !parts.is_whole() {
                let (day, (seen, of)) = (Day::new(*day), parts.seen());
                wrong.push(format!(
                    "{day}: {seen} of {of} parts of the counts by source"
                ));
            }
        }
    }
}

impl Story {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let (mut sets, mut by_source) = (Sets::default(), BySource::default());
        let mut daily = Daily::default();
        let (mut days, mut wrong): (Vec<DayStory>, Vec<String>) = (Vec::new(), Vec::new());
        for (place, entry) in entries.iter().enumerate() {
            wrong.extend(sets.take(entry));
            match entry {
                Entry::Sources(counts) => {
                    daily.note(place, counts.day);
                    by_source.take(place, counts, &mut wrong);
                }
                Entry::Appeals(counts) => daily.take_appeals(place, counts, &mut wrong),
                Entry::Retention(counts) => daily.take_retention(place, counts, &mut wrong),
                Entry::Colours(counts) => {
                    daily.note(place, counts.day);
                    days.push(DayStory::of(counts));
                }
                _ => {}
            }
        }
        by_source.missing(entries.len(), &mut wrong);
        let daily = daily.story(entries.len(), &mut wrong);
        let different: BTreeSet<u16> = days.iter().map(|day| day.number).collect();
        if different.len() < days.len() {
            wrong.push("two counts of one day".to_owned());
        }
        let span = match (different.first(), different.last()) {
            (Some(first), Some(last)) => usize::from(last - first) + 1,
            _ => 0,
        };
        let announced = sets.announced().iter();
        let rule_sets = announced.map(|set| set_story(&sets, set, &mut wrong));
        Self {
            entries: entries.len(),
            rule_sets: rule_sets.collect(),
            days,
            days_missing: span - different.len(),
            daily,
            wrong,
        }
    }
}

/// What came of an announcement by the latest time that the log tells of.
fn set_story(sets: &Sets, set: &Announced, wrong: &mut Vec<String>) -> RuleSetStory {
    let (notice, told) = (&set.notice, sets.told(set));
    let counted = sets.count_of(&notice.text_sha256);
    let name = format!("{} version {}", notice.name, notice.version);
    match told {
        Told::Late if counted.is_some_and(|counted| counted.count.at < notice.from) => wrong.push(format!(
            "{name}: counted in time by its own minute, and in the log after that told of a time when it was in force"
        )),
        Told::Late => wrong.push(format!("{name}: counted when it was in force")),
        Told::Missing => wrong.push(format!("{name}: in force and not counted")),
        _ => {}
    }
    if set.is_short() {
        wrong.push(format!(
            "{name}: less than 48 hours' notice, and no emergency"
        ));
    }
    let changes = counted
        .into_iter()
        .flat_map(|counted| &counted.count.cells)
        .map(|cell| ChangeStory {
            from: word(cell.from),
            to: word(cell.to),
            rule: cell.rule.clone(),
            people: cell.people.to_string(),
        });
    RuleSetStory {
        name: notice.name.clone(),
        version: notice.version,
        scope: notice.scope.get(),
        from: notice.from.day().to_string(),
        is_emergency: notice.is_emergency,
        told,
        changes: changes.collect(),
    }
}

const fn word(colour: ColourCode) -> &'static str {
    match colour {
        0 => "green",
        1 => "yellow",
        _ => "red",
    }
}
