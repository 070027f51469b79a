//! Builders for the unit tests of events, intake and folding.

use crate::{
    Day, Event, EventBody, EventId, ExposureList, Minute, ProvinceCode, RuleSet, SourceGrant,
    SourceId, SourceKind, TestResult,
};

pub(crate) const ZHEJIANG: u8 = 33;
pub(crate) const FUJIAN: u8 = 35;

/// A moment of UTC+8.
pub(crate) fn at(text: &str) -> Minute {
    text.parse().unwrap()
}

/// A day of UTC+8.
pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).unwrap()
}

/// A source of Zhejiang.
pub(crate) fn source(kind: SourceKind) -> SourceId {
    SourceId {
        province: province(ZHEJIANG),
        kind,
        number: 1,
    }
}

/// A grant for it, open at both ends.
pub(crate) fn grant(kind: SourceKind) -> SourceGrant {
    SourceGrant {
        source: source(kind),
        since: Minute::ZERO,
        until: Minute::MAX,
    }
}

/// An event of Zhejiang, issued at the latest moment that it speaks of.
pub(crate) fn event(id: u8, kind: SourceKind, body: EventBody) -> Event {
    Event {
        id: EventId([id; 16]),
        subject: "11010519491231002X".parse().unwrap(),
        source: source(kind),
        issued_at: body.latest(),
        body,
    }
}

pub(crate) fn negative(id: u8, sampled_at: &str) -> Event {
    let body = EventBody::Test {
        sampled_at: at(sampled_at),
        result: TestResult::Negative,
    };
    event(id, SourceKind::Laboratory, body)
}

pub(crate) fn check_in(id: u8, on: &str, symptoms: bool) -> Event {
    let body = EventBody::CheckIn {
        day: day(on),
        symptoms,
    };
    event(id, SourceKind::Resident, body)
}

pub(crate) fn exposure(id: u8, list: ExposureList, when: &str) -> Event {
    let kind = match list {
        ExposureList::FeverClinic => SourceKind::Hospital,
        ExposureList::PooledTube => SourceKind::Laboratory,
        _ => SourceKind::Cdc,
    };
    let body = EventBody::Exposure {
        list,
        at: at(when),
        province: province(ZHEJIANG),
    };
    event(id, kind, body)
}

pub(crate) fn stay(id: u8, by: SourceKind, place: &str, begin: &str, end: Option<&str>) -> Event {
    let body = EventBody::Stay {
        place: place.parse().unwrap(),
        begin: at(begin),
        end: end.map(at),
    };
    event(id, by, body)
}

pub(crate) fn release(id: u8, by: SourceKind, target: u8, when: &str) -> Event {
    let body = EventBody::Release {
        target: EventId([target; 16]),
        at: at(when),
    };
    event(id, by, body)
}

pub(crate) fn ruling(id: u8, target: u8, when: &str) -> Event {
    let body = EventBody::Ruling {
        target: EventId([target; 16]),
        at: at(when),
    };
    event(id, SourceKind::AppealsOffice, body)
}

/// The row tables of both built-in rule sets.
pub(crate) fn tables() -> Vec<crate::RowTable> {
    RuleSet::BUILT_IN
        .iter()
        .map(|id| RuleSet::built_in(id).unwrap().table().clone())
        .collect()
}
