//! What the entries of a log say, one after the other.

use std::collections::btree_map::Entry as MapEntry;
use std::collections::{BTreeMap, BTreeSet};

use ledger::log::{ColourCode, ColourCounts, Entry, ImpactCount, RuleSetNotice, SourceCounts};
use rules::{Day, Minute};
use serde::Serialize;

use super::daily::{Daily, DailyStory};

/// Least minutes of notice.
const NOTICE_MIN: u32 = 2 * 1_440;

/// Whether it was told whom a rule set changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Told {
    /// It was there before the log told of an epoch.
    Founding,
    /// Its table was announced before, for the same province and from the same minute on, and has another end.
    Redated,
    /// It was withdrawn.
    Withdrawn,
    /// It was counted before it was in force, and before the log told of a time at which it was.
    InTime,
    /// It was counted after; whatever minute the count bears.
    Late,
    /// It was not counted, and is not in force at the log's last epoch.
    Due,
    /// It was not counted, and is.
    Missing,
}

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

/// The count of a rule set, and the latest time that the log had told of before it.
#[derive(Clone, Copy)]
struct Counted<'a> {
    count: &'a ImpactCount,
    told: Option<Minute>,
}

impl Counted<'_> {
    /// Whether it was published before a minute. Which minute it bears is the node's own word; the times of tree heads and
    /// registries other provinces hold against their clocks.
    fn is_before(self, from: Minute) -> bool {
        self.count.at < from && self.told.is_none_or(|told| told < from)
    }
}

/// The parts of the counts by source of one day.
#[derive(Default)]
struct Parts {
    seen: BTreeSet<u8>,
    of: u8,
    /// Where the last one stands.
    last: usize,
}

/// The counts by source, as far as they were read.
#[derive(Default)]
struct BySource(BTreeMap<u16, Parts>);

impl BySource {
    fn take(&mut self, place: usize, counts: &SourceCounts, wrong: &mut Vec<String>) {
        let (day, parts) = (Day::new(counts.day), self.0.entry(counts.day).or_default());
        if !parts.seen.insert(counts.part) {
            let part = counts.part;
            wrong.push(format!("{day}: part {part} of the counts by source twice"));
        }
        if parts.seen.len() > 1 && parts.of != counts.parts {
            wrong.push(format!("{day}: counts by source of two lengths"));
        }
        parts.of = counts.parts;
        parts.last = place;
    }

    /// What is missing of days that are over in the log: all parts of one are written at once.
    fn missing(&self, entries: usize, wrong: &mut Vec<String>) {
        for (day, parts) in &self.0 {
            let is_over = parts.last + 1 < entries;
            if is_over && parts.seen.len() < usize::from(parts.of) {
                let (day, seen, of) = (Day::new(*day), parts.seen.len(), parts.of);
                wrong.push(format!(
                    "{day}: {seen} of {of} parts of the counts by source"
                ));
            }
        }
    }
}

/// A rule set as it was announced.
struct Announced<'a> {
    notice: &'a RuleSetNotice,
    /// The latest time that the log told of before it, if any.
    after: Option<Minute>,
    is_known_table: bool,
    is_withdrawn: bool,
}

impl Story {
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut announced: Vec<Announced<'_>> = Vec::new();
        let mut impacts: BTreeMap<[u8; 32], Counted<'_>> = BTreeMap::new();
        let (mut by_source, mut daily) = (BySource::default(), Daily::default());
        let (mut days, mut wrong): (Vec<DayStory>, Vec<String>) = (Vec::new(), Vec::new());
        let mut told: Option<Minute> = None;
        for (place, entry) in entries.iter().enumerate() {
            told = told.max(entry.told_time());
            match entry {
                Entry::RuleSet(notice) => {
                    let mut known = announced.iter();
                    let is_known_table = known.any(|other| {
                        let other = other.notice;
                        let key = |n: &RuleSetNotice| (n.scope, n.digest, n.from);
                        key(other) == key(notice)
                    });
                    announced.push(Announced {
                        notice,
                        after: told,
                        is_known_table,
                        is_withdrawn: false,
                    });
                }
                Entry::RuleSetWithdrawn(gone) => {
                    let mut same = announced.iter_mut().rev();
                    if let Some(set) = same.find(|set| set.notice == gone) {
                        set.is_withdrawn = true;
                    }
                }
                Entry::Impact(count) => match impacts.entry(count.set.text_sha256) {
                    // The first is what was told; a second is wrong, and tells nothing.
                    MapEntry::Occupied(_) => {
                        wrong.push(format!("two counts of the rule set {}", count.set.name));
                    }
                    MapEntry::Vacant(place) => drop(place.insert(Counted { count, told })),
                },
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
        let sets = announced.iter();
        let sets = sets.map(|set| {
            let impact = impacts.get(&set.notice.text_sha256).copied();
            set.story(impact, told, &mut wrong)
        });
        Self {
            entries: entries.len(),
            rule_sets: sets.collect(),
            days,
            days_missing: span - different.len(),
            daily,
            wrong,
        }
    }
}

impl Announced<'_> {
    /// What came of it by the latest time that the log tells of.
    fn story(
        &self,
        impact: Option<Counted<'_>>,
        last_told: Option<Minute>,
        wrong: &mut Vec<String>,
    ) -> RuleSetStory {
        let notice = self.notice;
        let is_founding = self.after.is_none();
        let told = match impact {
            _ if self.is_withdrawn => Told::Withdrawn,
            Some(counted) if counted.is_before(notice.from) => Told::InTime,
            Some(_) => Told::Late,
            None if self.is_known_table => Told::Redated,
            None if is_founding && last_told.is_none_or(|last| notice.from <= last) => {
                Told::Founding
            }
            None if last_told.is_none_or(|last| last < notice.from) => Told::Due,
            None => Told::Missing,
        };
        let name = format!("{} version {}", notice.name, notice.version);
        match told {
            Told::Late if impact.is_some_and(|counted| counted.count.at < notice.from) => wrong.push(format!(
                "{name}: counted in time by its own minute, and in the log after that told of a time when it was in force"
            )),
            Told::Late => wrong.push(format!("{name}: counted when it was in force")),
            Told::Missing => wrong.push(format!("{name}: in force and not counted")),
            _ => {}
        }
        let short = |after: Minute| {
            let latest = notice.from.saturating_add_signed(-i64::from(NOTICE_MIN));
            after > latest && !notice.is_emergency && !self.is_known_table
        };
        if self.after.is_some_and(short) {
            wrong.push(format!(
                "{name}: less than 48 hours' notice, and no emergency"
            ));
        }
        let changes = impact.into_iter().flat_map(|counted| &counted.count.cells);
        RuleSetStory {
            name: notice.name.clone(),
            version: notice.version,
            scope: notice.scope.get(),
            from: notice.from.day().to_string(),
            is_emergency: notice.is_emergency,
            told,
            changes: changes
                .map(|cell| ChangeStory {
                    from: word(cell.from),
                    to: word(cell.to),
                    rule: cell.rule.clone(),
                    people: cell.people.to_string(),
                })
                .collect(),
        }
    }
}

const fn word(colour: ColourCode) -> &'static str {
    match colour {
        0 => "green",
        1 => "yellow",
        _ => "red",
    }
}
