//! Published counts, as the page is told: people by day, events by source, and whom a rule set changes.

use std::collections::BTreeSet;

use commitment::fr_to_bytes;
use ledger::log::{ColourCode, ColourCounts, CountedSet, ImpactCount, Rounded, SourceCell};
use verifier::trust::RuleSetEntry;
use wire::pass::v1::Colour;
use wire::public::v1 as proto;

use crate::log::{DaySources, Followed};
use crate::sets::{Announced, Counted, Told};
use crate::watch::{NodeState, State};

/// Cells of counts in one answer: some 200 kB of the longest message.
const MAX_CELLS: usize = 8_000;
/// Changes in one answer, each at most 30 bytes: some 180 kB of the longest message.
const MAX_CHANGES: usize = 6_000;

/// The days that the log of a slot counts, the newest ones that fit; none where it was not verified.
pub(crate) fn days(state: &State, slot: u32) -> proto::GetCountsResponse {
    let log = logs(state).find(|(of, _)| *of == slot).map(|(_, log)| log);
    let days: BTreeSet<u16> = log
        .into_iter()
        .flat_map(|log| log.days.keys().chain(log.sources.keys()).copied())
        .collect();
    let newest_first = days.into_iter().rev().filter_map(|of| {
        let log = log?;
        Some(day(of, log.days.get(&of), log.sources.get(&of)))
    });
    let mut cells = 0;
    let fitting = newest_first.take_while(|day| {
        cells += day.cells.len() + day.sources.len();
        cells <= MAX_CELLS
    });
    let mut days: Vec<proto::Day> = fitting.collect();
    days.reverse();
    if let Some(log) = log {
        log.daily.tell(&mut days);
    }
    proto::GetCountsResponse { days }
}

/// The logs that were verified, ascending by slot.
fn logs(state: &State) -> impl Iterator<Item = (u32, &Followed)> {
    let mut nodes: Vec<&NodeState> = state.nodes.iter().collect();
    nodes.sort_unstable_by_key(|node| node.at.slot);
    let nodes = nodes.into_iter();
    nodes.filter_map(|node| Some((u32::from(node.at.slot.get()), node.log.as_deref()?)))
}

fn day(day: u16, people: Option<&ColourCounts>, sources: Option<&DaySources>) -> proto::Day {
    let cells = people.into_iter().flat_map(|counts| &counts.cells);
    let cells = cells.map(|cell| proto::Cell {
        colour: colour(cell.colour).into(),
        rule_id: cell.rule.clone(),
        people: Some(count(cell.people)),
    });
    let read = match sources {
        None => proto::SourcesRead::None,
        Some(sources) if sources.is_whole() => proto::SourcesRead::Whole,
        Some(_) => proto::SourcesRead::Part,
    };
    let by_source = sources.into_iter().flat_map(|sources| &sources.cells);
    proto::Day {
        day: day.into(),
        rule_set_id: people.map_or_else(String::new, |counts| counts.set.name.clone()),
        version: people.map_or(0, |counts| counts.set.version),
        residents: people.map(|counts| count(counts.residents)),
        cells: cells.collect(),
        sources_read: read.into(),
        sources: by_source.map(source).collect(),
        ..proto::Day::default()
    }
}

fn source(cell: &SourceCell) -> proto::SourceCell {
    proto::SourceCell {
        province_code: cell.province.get().into(),
        source_kind: cell.kind.into(),
        number: cell.number,
        fact: cell.fact.into(),
        events: Some(count(cell.events)),
    }
}

/// What the verified logs say of a rule set, from a slot on; as many as fit.
pub(crate) fn impacts(state: &State, set: &RuleSetEntry, from: u32) -> proto::GetImpactsResponse {
    let (mut impacts, mut changes, mut next_slot) = (Vec::new(), 0, 0);
    for (slot, log) in logs(state).filter(|(slot, _)| *slot >= from) {
        let impact = impact(slot, log, set);
        changes += impact.count.as_ref().map_or(0, |of| of.changes.len());
        if changes > MAX_CHANGES && !impacts.is_empty() {
            next_slot = slot;
            break;
        }
        impacts.push(impact);
    }
    proto::GetImpactsResponse { impacts, next_slot }
}

fn impact(slot: u32, log: &Followed, set: &RuleSetEntry) -> proto::Impact {
    let is_same = |found: &CountedSet| {
        let of = (found.digest, found.scope, found.version, &found.name);
        of == (set.digest, set.scope, set.version, &set.name)
    };
    let mut announced = log.sets.announced().iter().rev();
    let announced = announced.find(|found| {
        let notice = &found.notice;
        let of = (notice.digest, notice.scope, notice.version, &notice.name);
        of == (set.digest, set.scope, set.version, &set.name) && notice.from == set.valid_from
    });
    let counted = match announced {
        Some(found) => log.sets.count_of(&found.notice.text_sha256),
        None => log.sets.counted().find(|found| is_same(&found.count.set)),
    };
    proto::Impact {
        slot,
        state: state_of(log, set, announced, counted).into(),
        announced_minute: announced.map_or(0, |found| found.notice.announced.get()),
        count: counted.map(|found| impact_count(&found.count)),
    }
}

/// Whether a rule set was counted, and in time; of what older entries may tell it says that they were not read.
fn state_of(
    log: &Followed,
    set: &RuleSetEntry,
    announced: Option<&Announced>,
    counted: Option<&Counted>,
) -> proto::ImpactState {
    use proto::ImpactState;
    match (announced, counted) {
        (Some(found), _) => match log.sets.told(found) {
            Told::InTime => ImpactState::InTime,
            Told::Late => ImpactState::Late,
            Told::Due => ImpactState::Due,
            Told::Redated => ImpactState::Redated,
            Told::Withdrawn => ImpactState::Withdrawn,
            Told::Missing if !log.sets.is_cut() => ImpactState::Missing,
            Told::Founding if log.is_all_read() => ImpactState::Founding,
            Told::Missing | Told::Founding => ImpactState::NotRead,
        },
        (None, Some(counted)) if counted.is_before(set.valid_from) => ImpactState::InTime,
        (None, Some(_)) => ImpactState::Late,
        (None, None) if log.is_all_read() && !log.sets.is_cut() => ImpactState::NotAnnounced,
        (None, None) => ImpactState::NotRead,
    }
}

fn impact_count(counts: &ImpactCount) -> proto::ImpactCount {
    let changes = counts.cells.iter().map(|cell| proto::Change {
        from: colour(cell.from).into(),
        to: colour(cell.to).into(),
        rule_id: cell.rule.clone(),
        people: Some(count(cell.people)),
    });
    proto::ImpactCount {
        at_minute: counts.at.get(),
        residents: Some(count(counts.residents)),
        set: Some(counted_set(&counts.set)),
        before: counts.before.as_ref().map(counted_set),
        changes: changes.collect(),
    }
}

fn counted_set(set: &CountedSet) -> proto::CountedSet {
    proto::CountedSet {
        rule_set_id: set.name.clone(),
        version: set.version,
        scope: set.scope.get().into(),
        digest: fr_to_bytes(set.digest).to_vec(),
        text_sha256: set.text_sha256.to_vec(),
    }
}

const fn colour(code: ColourCode) -> Colour {
    match code {
        0 => Colour::Green,
        1 => Colour::Yellow,
        _ => Colour::Red,
    }
}

pub(crate) const fn count(number: Rounded) -> proto::Count {
    proto::Count {
        least: number.least(),
        most: number.most(),
    }
}
