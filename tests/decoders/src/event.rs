//! Events: each one's bytes, and what a home makes of any sequence of them.
//!
//! An input is a sequence of events, each behind its length in one byte.

use std::sync::LazyLock;

use rules::intake::admit;
use rules::{
    AreaCode, CaseKind, ContactDegree, Context, Day, Event, EventBody, EventId, ExposureList,
    Grade, IdentityNumber, Interval, Minute, Period, Policy, ProvinceCode, RiskMap, RowTable,
    RuleSet, SourceGrant, SourceId, SourceKind, TestResult, evaluate, fold,
};

use crate::bytes::{canonical, says};

/// Most events of one input.
const MAX_EVENTS: usize = 64;
/// The moment at which everything is looked at.
const NOW: u32 = 27_690_000;

static TABLES: LazyLock<Vec<RowTable>> = LazyLock::new(|| {
    RuleSet::BUILT_IN
        .iter()
        .map(|id| RuleSet::built_in(id).expect("built in").table().clone())
        .collect()
});
/// Two listed places.
static MAP: LazyLock<RiskMap> = LazyLock::new(map);

pub(crate) fn check(data: &[u8]) {
    let now = minute(NOW);
    let context = Context {
        tables: &TABLES,
        map: &MAP,
    };
    let mut known: Vec<Event> = Vec::new();
    for bytes in split(data) {
        let Some(event) = canonical(bytes, Event::from_bytes(bytes), Event::to_bytes) else {
            continue;
        };
        let length = rules::event::MIN_EVENT_LEN_BYTES..=rules::event::MAX_EVENT_LEN_BYTES;
        assert!(length.contains(&bytes.len()));
        assert!(event.signing_bytes().ends_with(bytes));
        let grant = SourceGrant {
            source: event.source,
            since: Minute::ZERO,
            until: Minute::MAX,
        };
        if known
            .first()
            .is_some_and(|first| first.subject != event.subject)
        {
            continue;
        }
        match admit(&event, &grant, &known, &context, now, &Policy::default()) {
            Ok(()) => known.push(event),
            Err(error) => {
                says(&error);
                assert!(!error.code().is_empty());
            }
        }
    }
    judge(&known, &context, now);
}

/// What was admitted folds into a record, and every rule set says something of it, now and later.
fn judge(known: &[Event], context: &Context<'_>, now: Minute) {
    for later_min in [5, 1_440, 14 * 1_440, 400 * 1_440] {
        let at = now.saturating_add_signed(later_min);
        let folded = fold(known, context, at).expect("what was admitted folds");
        assert_eq!(folded.facts_from.len(), folded.record.facts().len());
        assert_eq!(folded.stays_from.len(), folded.record.stays().len());
        for table in context.tables {
            let found = evaluate(&folded.record, table, context.map, at).expect("a colour");
            let worst = found.reasons.iter().map(|reason| reason.colour).max();
            assert_eq!(found.colour, worst.unwrap_or(rules::Colour::Green));
        }
    }
}

fn split(mut data: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, rest) = data.split_first()?;
        let (event, rest) = rest.split_at(usize::from(*len).min(rest.len()));
        data = rest;
        Some(event)
    })
    .take(MAX_EVENTS)
}

fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).expect("a minute")
}

fn place(site: u32) -> AreaCode {
    AreaCode::new(330_102_001, site).expect("a place")
}

fn map() -> RiskMap {
    let listed = |site, grade| Interval {
        from: place(site),
        last: place(site),
        periods: vec![Period {
            since: minute(NOW - 5_000),
            until: minute(NOW - 1_000),
            grade,
        }],
    };
    let bare = |from, last| Interval {
        from,
        last,
        periods: Vec::new(),
    };
    let intervals = vec![
        bare(AreaCode::FIRST, place(0)),
        listed(1, Grade::High),
        listed(2, Grade::Medium),
        bare(place(3), AreaCode::LAST),
    ];
    RiskMap::new(intervals).expect("the whole country")
}

/// One resident's story: something of every kind.
fn story() -> Vec<Event> {
    let subject = IdentityNumber::assemble(330_102, (1990, 1, 1), 1).expect("a number");
    let told = own_words().into_iter().chain(of_offices());
    (1..)
        .zip(told)
        .map(|(number, (kind, body))| Event {
            id: EventId([number; 16]),
            subject,
            source: SourceId {
                province: home(),
                kind,
                number: 0,
            },
            issued_at: minute(NOW - 500),
            body,
        })
        .collect()
}

/// The province of all sources.
fn home() -> ProvinceCode {
    ProvinceCode::new(33).expect("a province")
}

/// When all of it happened.
fn moment() -> Minute {
    minute(NOW - 4_000)
}

/// What the resident declares: two stays, the second of which goes on, and a check-in.
fn own_words() -> Vec<(SourceKind, EventBody)> {
    let stay = |site, end| EventBody::Stay {
        place: place(site),
        begin: moment(),
        end,
    };
    let check_in = EventBody::CheckIn {
        day: Day::new(moment().day().get()),
        symptoms: false,
    };
    [stay(1, Some(minute(NOW - 3_000))), stay(2, None), check_in]
        .map(|body| (SourceKind::Resident, body))
        .to_vec()
}

/// What institutions state, and what ends it.
fn of_offices() -> Vec<(SourceKind, EventBody)> {
    let (at, province) = (moment(), home());
    let listed = |list| EventBody::Exposure { list, at, province };
    let test = EventBody::Test {
        sampled_at: at,
        result: TestResult::Negative,
    };
    let contact = EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: at,
        province,
    };
    let kind = CaseKind::Suspected;
    let entry = EventBody::Entry {
        port: province,
        arrived_at: at,
    };
    let release = EventBody::Release {
        target: EventId([2; 16]),
        at: minute(NOW - 2_000),
    };
    let ruling = EventBody::Ruling {
        target: EventId([1; 16]),
        at: minute(NOW - 1_000),
    };
    vec![
        (SourceKind::Laboratory, test),
        (SourceKind::Cdc, contact),
        (SourceKind::Cdc, EventBody::Case { kind, at, province }),
        (SourceKind::BorderPost, entry),
        (SourceKind::Cdc, listed(ExposureList::ColdChainOnce)),
        (SourceKind::Hospital, listed(ExposureList::FeverClinic)),
        (SourceKind::Cdc, listed(ExposureList::PotentialRisk)),
        (SourceKind::Laboratory, listed(ExposureList::PooledTube)),
        (SourceKind::CommunityOffice, release),
        (SourceKind::AppealsOffice, ruling),
    ]
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let story: Vec<Vec<u8>> = story().iter().map(framed).collect();
    let mut seeds = vec![story.concat()];
    seeds.extend(story);
    seeds
}

fn framed(event: &Event) -> Vec<u8> {
    let bytes = event.to_bytes();
    let len = u8::try_from(bytes.len()).expect("events are short");
    [&[len], &bytes[..]].concat()
}

/// The story's events, for messages that carry them.
pub(crate) fn samples() -> Vec<Event> {
    story()
}
