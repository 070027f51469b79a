//! Record, plan, relation and rows agree on random records and on whatever is sought in them and answered; and what `rules`
//! folds into a record can be opened for each event that went into it.

use std::collections::BTreeSet;

use commitment::opening::{Answer, OpeningInputs, Said, Sought, Stated};
use proptest::prelude::*;
use proptest::sample::select;
use rules::{
    AreaCode, CaseKind, ContactDegree, Context, Event, EventBody, EventId, ExposureList, Fact,
    FactKind, IdentityNumber, Minute, ProvinceCode, Record, SourceId, SourceKind, Stay, TestResult,
    fold,
};

use crate::clearance::scene::{ago, map, place, table};
use crate::opening::scene::{Scene, subject};
use crate::opening::statement::check_with;
use crate::opening::{POSITIONS, Refusal, Witness, assign, check};

/// Moments at both ends of time and close together.
fn moment() -> impl Strategy<Value = Minute> {
    let last = Minute::MAX.get();
    select(vec![1, 2, 3, 4, last - 1, last]).prop_map(|m| Minute::new(m).unwrap())
}

fn span() -> impl Strategy<Value = (Minute, Option<Minute>)> {
    (moment(), prop::option::of(moment())).prop_map(|(a, b)| match b {
        Some(b) => (a.min(b), Some(a.max(b))),
        None => (a, None),
    })
}

fn kind() -> impl Strategy<Value = FactKind> {
    select(vec![
        FactKind::ConfirmedCase,
        FactKind::AsymptomaticCase,
        FactKind::Symptoms,
    ])
}

fn province() -> impl Strategy<Value = ProvinceCode> {
    select(vec![0, 33, 82]).prop_map(|p| ProvinceCode::new(p).unwrap())
}

fn site() -> impl Strategy<Value = AreaCode> {
    select(vec![AreaCode::FIRST, place(1), AreaCode::LAST])
}

fn record() -> impl Strategy<Value = Record> {
    let stay = (site(), span()).prop_map(|(place, (begin, end))| Stay { place, begin, end });
    let fact = (kind(), province(), span()).prop_map(|(kind, province, (begin, end))| Fact {
        kind,
        province,
        begin,
        end,
    });
    let negatives = prop::collection::btree_set(moment(), 0..6);
    let stays = prop::collection::vec(stay, 0..5);
    let facts = prop::collection::vec(fact, 0..19);
    (stays, facts, negatives).prop_map(|(stays, facts, negatives)| {
        Record::new(stays, facts, negatives.into_iter().collect(), vec![]).unwrap()
    })
}

fn sought() -> impl Strategy<Value = Sought> {
    let fact = (kind(), province(), moment()).prop_map(|(kind, province, begin)| Stated::Fact {
        kind,
        province,
        begin,
    });
    let stay = (site(), moment()).prop_map(|(place, begin)| Stated::Stay { place, begin });
    let test = moment().prop_map(|sampled_at| Stated::NegativeTest { sampled_at });
    (prop_oneof![fact, stay, test], moment())
        .prop_map(|(stated, end)| Sought::new(stated).unwrap().ended_not_before(end))
}

/// Whether an answer is true of a record, said in the record's own words.
fn is_true(record: &Record, sought: &Sought, answer: Answer) -> bool {
    let (stated, bound) = (sought.stated(), sought.end_not_before());
    let in_time = |end: Option<Minute>| end.is_some_and(|end| end >= bound);
    match stated {
        Stated::NegativeTest { sampled_at } => {
            record.negatives().contains(&sampled_at) == (answer == Answer::Stands)
        }
        Stated::Fact {
            kind,
            province,
            begin,
        } => {
            let own = record
                .facts()
                .iter()
                .filter(|f| (f.kind, f.province) == (kind, province));
            let own: Vec<&Fact> = own.collect();
            let any = |fits: &dyn Fn(&Fact) -> bool| own.iter().any(|fact| fits(fact));
            match answer {
                Answer::Stands => any(&|f| f.begin == begin && f.end.is_none()),
                Answer::Ended => any(&|f| f.begin == begin && in_time(f.end)),
                Answer::Covered => any(&|f| f.begin >= begin && f.end.is_none()),
                Answer::CoveredAndEnded => any(&|f| in_time(f.end)),
                Answer::Absent => !any(&|f| f.begin == begin),
            }
        }
        Stated::Stay { place, begin } => {
            let own: Vec<&Stay> = record.stays().iter().filter(|s| s.place == place).collect();
            let any = |fits: &dyn Fn(&Stay) -> bool| own.iter().any(|stay| fits(stay));
            match answer {
                Answer::Stands => any(&|s| s.begin == begin && s.end.is_none()),
                Answer::Ended => any(&|s| s.begin == begin && in_time(s.end)),
                Answer::Covered => any(&|s| s.begin <= begin && s.end.is_none()),
                Answer::CoveredAndEnded => any(&|s| s.begin <= begin && in_time(s.end)),
                Answer::Absent => !any(&|s| s.begin == begin),
            }
        }
    }
}

/// Whether some position makes an answer hold by the relation, the openings taken for granted.
fn holds_somewhere(public: &OpeningInputs, witness: &Witness) -> bool {
    (0..POSITIONS).any(|position| {
        let position = u8::try_from(position).unwrap();
        let witness = Witness {
            position,
            ..witness.clone()
        };
        check_with(public, &witness, |_| true).is_ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_answer_holds_at_some_position_just_if_it_is_true_of_the_record(
        record in record(),
        sought in sought(),
        at in 0u8..32,
    ) {
        let scene = Scene::of(record.clone());
        for answer in Answer::ALL {
            if Said::new(sought, answer).is_err() {
                continue;
            }
            let (public, witness) = scene.said(sought, answer, at);
            let expected = is_true(&record, &sought, answer);
            prop_assert_eq!(holds_somewhere(&public, &witness), expected, "{:?} {:?}", sought, answer);
            // At this position relation and rows refuse under the same heading, or neither refuses.
            let relation = check_with(&public, &witness, |_| true).err().map(|Refusal(heading)| heading);
            let broken = assign(&public, &witness).broken;
            prop_assert_eq!(broken, relation.into_iter().collect::<Vec<_>>());
        }
        match scene.answered(sought) {
            Ok((public, witness)) => {
                prop_assert!(is_true(&record, &sought, public.said.answer()));
                prop_assert_eq!(check(&public, &witness), Ok(()));
                prop_assert_eq!(assign(&public, &witness).broken, []);
            }
            Err(_) => prop_assert!(Answer::ALL.iter().all(|answer| !is_true(&record, &sought, *answer))),
        }
    }
}

/// What a source can state, so many minutes ago.
fn body() -> impl Strategy<Value = (SourceKind, EventBody)> {
    let back = select(vec![90u32, 2000, 2001, 4000, 9000, 20_000]);
    let back_too = back.clone();
    (0u8..8, back, back_too, 1u32..4, 0u8..6).prop_map(|(what, back, later, site, target)| {
        let (at, end) = (ago(back.max(later)), ago(back.min(later)));
        let province = ProvinceCode::new(33).unwrap();
        let target = EventId([target; 16]);
        let list = ExposureList::PooledTube;
        let result = TestResult::Negative;
        match what {
            0 => (
                SourceKind::Cdc,
                EventBody::Contact {
                    degree: ContactDegree::Close,
                    last_contact_at: at,
                    province,
                },
            ),
            1 => (
                SourceKind::Cdc,
                EventBody::Case {
                    kind: CaseKind::Suspected,
                    at,
                    province,
                },
            ),
            2 => (
                SourceKind::BorderPost,
                EventBody::Entry {
                    port: province,
                    arrived_at: at,
                },
            ),
            3 => (
                SourceKind::Laboratory,
                EventBody::Exposure { list, at, province },
            ),
            4 => (
                SourceKind::Telecom,
                EventBody::Stay {
                    place: place(site),
                    begin: at,
                    end: Some(end),
                },
            ),
            5 => (
                SourceKind::Telecom,
                EventBody::Stay {
                    place: place(site),
                    begin: at,
                    end: None,
                },
            ),
            6 => (
                SourceKind::Laboratory,
                EventBody::Test {
                    sampled_at: at,
                    result,
                },
            ),
            _ => (
                SourceKind::Cdc,
                EventBody::Release {
                    target,
                    at: ago(60),
                },
            ),
        }
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (body(), prop::bool::weighted(0.1));
    prop::collection::vec(one, 1..10).prop_map(|bodies| {
        let subject: IdentityNumber = subject();
        let mut events = Vec::new();
        for (i, ((kind, body), voided)) in (0u8..).zip(bodies) {
            let event = |id, kind, body| Event {
                id: EventId([id; 16]),
                subject,
                source: SourceId {
                    province: ProvinceCode::new(33).unwrap(),
                    kind,
                    number: 1,
                },
                issued_at: ago(50),
                body,
            };
            events.push(event(i, kind, body));
            if voided {
                let ruling = EventBody::Ruling {
                    target: EventId([i; 16]),
                    at: ago(50),
                };
                events.push(event(100 + i, SourceKind::AppealsOffice, ruling));
            }
        }
        events
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    /// The answers are those that folding needs: whatever merged, joined or ended, its source can be answered.
    #[test]
    fn whatever_is_folded_into_a_record_can_be_opened_to_its_source(events in events()) {
        let (tables, map) = ([table()], map());
        let context = Context { tables: &tables, map: &map };
        let folded = fold(&events, &context, ago(0)).unwrap();
        let scene = Scene::of(folded.record.clone());
        let kept: BTreeSet<EventId> =
            folded.facts_from.iter().chain(&folded.stays_from).flatten().copied().collect();
        let voided: BTreeSet<EventId> = events.iter().filter_map(|e| match e.body {
            EventBody::Ruling { target, .. } => Some(target),
            _ => None,
        }).collect();
        for event in &events {
            let Ok(sought) = Sought::of_event(event) else { continue };
            let answered = scene.answered(sought);
            if kept.contains(&event.id) {
                let answer = answered.map(|(public, _)| public.said.answer());
                prop_assert!(answer.is_ok_and(|a| a != Answer::Absent), "{:?} {:?}", event, folded.record);
            } else if let EventBody::Test { sampled_at, .. } = event.body && !voided.contains(&event.id) {
                prop_assert!(folded.record.negatives().contains(&sampled_at));
                prop_assert_eq!(answered.unwrap().0.said.answer(), Answer::Stands);
            }
        }
        // The source of a release learns that what it ended has ended, no earlier than it says.
        for release in &events {
            let EventBody::Release { target, at } = release.body else { continue };
            let ended = events.iter().find(|e| e.id == target && kept.contains(&target));
            let Some(ended) = ended.filter(|_| !voided.contains(&release.id)) else { continue };
            let is_stay = matches!(ended.body, EventBody::Stay { .. });
            if is_stay || matches!(ended.body, EventBody::Test { .. }) {
                continue;
            }
            let sought = Sought::of_event(ended).unwrap().ended_not_before(at);
            let exact = scene.answered_with(sought, Some(Answer::Ended));
            let exact = exact.map(|(public, _)| public.said.answer());
            let merged = scene.answered_with(sought, Some(Answer::CoveredAndEnded));
            let merged = merged.map(|(public, _)| public.said.answer());
            prop_assert!(exact == Ok(Answer::Ended) || merged == Ok(Answer::CoveredAndEnded));
        }
    }
}
