//! From events to facts, stays and relief, before any capacity: what is voided, what ends what, what is one presence.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    CaseKind, CheckInRun, ContactDegree, Day, Event, EventBody, EventId, ExposureList, Fact,
    FactKind, Minute, ProvinceCode, SourceKind, Stay, TestResult,
};

/// A fact with the events that state it.
pub(super) struct DraftFact {
    pub(super) fact: Fact,
    pub(super) from: Vec<EventId>,
}

/// A stay with the events that state it, and whether only the resident says so.
pub(super) struct DraftStay {
    pub(super) stay: Stay,
    pub(super) self_declared: bool,
    pub(super) from: Vec<EventId>,
}

/// Relief without a capacity.
pub(super) struct Relief {
    pub(super) negatives: Vec<Minute>,
    pub(super) runs: Vec<CheckInRun>,
}

/// Events issued by `at` and not voided, by id.
pub(super) fn live(events: &[Event], at: Minute) -> BTreeMap<EventId, &Event> {
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

pub(super) fn relief(live: &BTreeMap<EventId, &Event>) -> Relief {
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

pub(super) fn grounds(live: &BTreeMap<EventId, &Event>) -> (Vec<DraftFact>, Vec<DraftStay>) {
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
pub(super) fn fact_of(event: &Event) -> Option<(FactKind, ProvinceCode, Minute)> {
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
