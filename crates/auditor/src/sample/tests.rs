//! What a sample shows to be wrong, one thing at a time.

mod made_up;

use ed25519_dalek::{Signer as _, SigningKey};
use ledger::log::SourceEntitlement;
use ledger::sample::{SampleFault, SampleSeed, SampleWays};
use ledger::{CosignedStatement, Member, Roster, TreeHead};
use risk_list::FactTable;
use rules::{CheckInRun, Day, EventBody, Minute, Record, SourceId, SourceKind};
use wire::{LeafContent, OpenedEvent, OpenedEvidence, OpenedLeaf, ShownSample};

use super::{Believed, EventFault, Finding, Part, State, Unjudged, judge, opens};
use made_up::{
    AT, DAY, Resident, believed, check_in, contact, contact_by, cosigned, event, everything,
    findings, head_key, judged, key_of, minute, negative, of_one, of_record, one_event, person,
    province, resident, roster, rule_sets, shown, signed, slot, source,
};

/// Two people's, for whoever keeps it.
pub(super) fn an_honest_sample() -> ShownSample {
    shown(&[resident(1, everything(1)), resident(2, everything(2))]).0
}

#[test]
fn what_an_honest_province_commits_and_shows_contradicts_nothing() {
    let residents: Vec<Resident> = (0..40).map(|n| resident(n, everything(n))).collect();
    let (shown, _) = shown(&residents);
    let judgement = judged(&shown);
    assert_eq!(judgement.findings, []);
    assert_eq!(judgement.leaf_count, Some(40));
    let opened = judgement.places.iter().filter(|place| {
        matches!(
            place.state,
            State::Opened {
                events: 7,
                late: 0,
                ..
            }
        )
    });
    assert_eq!(opened.count(), 2);
    // And so it is after it was kept.
    let kept = ShownSample::from_bytes(&shown.to_bytes()).unwrap();
    assert!(kept == shown);
    assert_eq!(judged(&kept).findings, []);
    assert!(!format!("{shown:?}").contains("33010219900101"));
}

#[test]
fn an_event_left_out_of_the_record_is_found() {
    let all = vec![negative(1, AT - 90), contact(1, AT - 60)];
    let left_out = |part| Finding::LeftOut {
        place: 0,
        part,
        count: 1,
    };
    let found = of_one(of_record(1, all.clone(), &all[..1]));
    assert_eq!(found, [left_out(Part::Facts)]);
    let found = of_one(of_record(1, all.clone(), &all[1..]));
    assert_eq!(found, [left_out(Part::NegativeTests)]);
    let days = vec![check_in(1, AT - DAY, false, false)];
    let found = of_one(of_record(1, days, &[]));
    assert_eq!(found, [left_out(Part::CheckInDays)]);
    let whole = everything(1);
    let found = of_one(of_record(
        1,
        whole.clone(),
        &[&whole[..2], &whole[3..]].concat(),
    ));
    assert_eq!(found, [left_out(Part::Stays)]);
}

#[test]
fn an_invented_event_is_found_by_its_signature_and_by_what_the_record_has_from_it() {
    let mut invented = contact(1, AT - 60);
    if let OpenedEvidence::Source { signature, .. } = &mut invented.evidence {
        let forger = SigningKey::from_bytes(&[250; 32]);
        *signature = forger.sign(&invented.event).to_bytes();
    }
    let found = of_one(resident(1, vec![invented.clone()]));
    let unsigned = Finding::Event {
        place: 0,
        number: 0,
        why: EventFault::Unsigned,
    };
    let unstated = Finding::Unstated {
        place: 0,
        part: Part::Facts,
        count: 1,
    };
    assert_eq!(found, [unsigned, unstated.clone()]);
    // Not shown at all it stands in the record alone.
    assert_eq!(of_one(of_record(1, vec![], &[invented])), [unstated]);
}

#[test]
fn a_record_that_says_more_than_its_events_is_found() {
    let event = negative(1, AT - 60);
    let record = |negatives: &[u32], runs| {
        let negatives = negatives.iter().map(|at| minute(*at)).collect();
        Record::new(vec![], vec![], negatives, runs).unwrap()
    };
    let with = |record| Resident {
        record: Some(record),
        ..resident(1, vec![event.clone()])
    };
    assert_eq!(of_one(with(record(&[AT - 60], vec![]))), []);
    let unstated = |part, count| Finding::Unstated {
        place: 0,
        part,
        count,
    };
    let found = of_one(with(record(&[AT - 70, AT - 60], vec![])));
    assert_eq!(found, [unstated(Part::NegativeTests, 1)]);
    let today = minute(AT).day().get();
    let run = CheckInRun {
        first: Day::new(today - 13),
        last: Day::new(today),
    };
    let found = of_one(with(record(&[AT - 60], vec![run])));
    assert_eq!(found, [unstated(Part::CheckInDays, 14)]);
}

#[test]
fn what_does_not_give_the_leaf_is_found() {
    let residents = [resident(1, everything(1)), resident(2, everything(2))];
    let (right, _) = shown(&residents);
    let other_leaves = |change: &dyn Fn(&mut ShownSample)| {
        let mut shown = right.clone();
        change(&mut shown);
        let found = judged(&shown).findings.into_iter();
        found.filter(|f| matches!(f, Finding::OtherLeaf(_))).count()
    };
    let content = |shown: &mut ShownSample, change: &dyn Fn(&mut LeafContent)| {
        let leaf = shown.leaves.get_mut(&0).unwrap();
        change(leaf.content.as_mut().unwrap());
    };
    assert_eq!(other_leaves(&|_| {}), 0);
    assert_eq!(
        other_leaves(&|s| content(s, &|c| c.record = Record::default())),
        1
    );
    assert_eq!(
        other_leaves(&|s| content(s, &|c| c.resident = person(3))),
        1
    );
    assert_eq!(other_leaves(&|s| content(s, &|c| c.salt[31] ^= 1)), 1);
    assert_eq!(other_leaves(&|s| content(s, &|c| c.blinding[31] ^= 1)), 1);
    assert_eq!(
        other_leaves(&|s| content(s, &|c| c.blinding = [0xff; 32])),
        1
    );
    // Another place's leaf.
    let swap = |s: &mut ShownSample| {
        let (a, b) = (s.leaves[&0].clone(), s.leaves[&1].clone());
        s.leaves = [(0, b), (1, a)].into();
    };
    assert_eq!(other_leaves(&swap), 2);
}

#[test]
fn another_draw_and_a_seed_of_the_provinces_own_signature_are_found() {
    let residents: Vec<Resident> = (0..40).map(|n| resident(n, vec![])).collect();
    let (right, tree) = shown(&residents);
    let is_other = |shown: &ShownSample| {
        matches!(
            judged(shown).findings[..],
            [Finding::Draw(SampleFault::OtherPlace { .. })]
        )
    };
    assert!(!is_other(&right));
    // What it would draw if its own signature counted.
    let stranger = |number, code| Member {
        province: province(code),
        slot: slot(number),
        head_keys: ledger::HeadKeys::single(head_key(number).verifying_key()),
    };
    let pretended = Roster::new(vec![stranger(0, 11), stranger(1, 35), stranger(2, 42)]).unwrap();
    let alone = cosigned(&right.sample.registry.heads[0].head, &[0]);
    let own = SampleSeed::new(&alone.cosigned, slot(1), &pretended).unwrap();
    let mut shown = right.clone();
    shown.sample.ways = SampleWays::of(&tree, own);
    assert!(is_other(&shown));
    let mut shown = right.clone();
    shown.sample.ways = SampleWays::of(&tree, SampleSeed::from_bytes([0; 32]));
    assert!(is_other(&shown));
    let mut shown = right;
    shown.sample.ways.drawn.swap(0, 1);
    assert!(is_other(&shown));
}

#[test]
fn a_source_that_may_not_state_it_is_found() {
    let why = one_event(contact_by(1, SourceKind::Laboratory, AT - 60));
    assert_eq!(why, EventFault::Inadmissible("not-entitled"));
    let mut ended = contact(1, AT - 60);
    if let OpenedEvidence::Source { known, .. } = &mut ended.evidence {
        known.as_mut().unwrap().2 = minute(AT - 60);
    }
    let why = one_event(ended);
    assert_eq!(why, EventFault::Inadmissible("grant-not-in-force"));
    // A laboratory ends no contact.
    let exposure = contact(1, AT - 90);
    let release = EventBody::Release {
        target: exposure.event().unwrap().id,
        at: minute(AT - 60),
    };
    let lab = source(SourceKind::Laboratory);
    let release = signed(&event(person(1), lab, AT - 60, release));
    let events = vec![exposure, release];
    let found = of_one(of_record(1, events.clone(), &events[..1]));
    let inadmissible = |why| Finding::Event {
        place: 0,
        number: 1,
        why: EventFault::Inadmissible(why),
    };
    assert_eq!(found, [inadmissible("not-entitled-to-end")]);
    let twice = vec![negative(1, AT - 60), negative(1, AT - 60)];
    let found = of_one(of_record(1, twice.clone(), &twice[..1]));
    assert_eq!(found, [inadmissible("duplicate")]);
}

#[test]
fn evidence_of_something_else_is_found() {
    // The device said no symptoms.
    let why = one_event(check_in(1, AT - 60, false, true));
    assert_eq!(why, EventFault::OtherEvidence);
    let device = |change: &dyn Fn(&mut OpenedEvidence)| {
        let mut event = check_in(1, AT - 60, false, false);
        change(&mut event.evidence);
        one_event(event)
    };
    let why = device(&|evidence| {
        if let OpenedEvidence::Device { key, .. } = evidence {
            *key = None;
        }
    });
    assert_eq!(why, EventFault::NoKey);
    let why = device(&|evidence| {
        if let OpenedEvidence::Device { signature, .. } = evidence {
            signature[3] ^= 1;
        }
    });
    assert_eq!(why, EventFault::Unsigned);
    let why = device(&|evidence| {
        if let OpenedEvidence::Device { body, .. } = evidence {
            body.push(0);
        }
    });
    assert_eq!(why, EventFault::OtherEvidence);
    // A resident's own event by a source's signature, and a source's by a device.
    let resident = SourceId {
        kind: SourceKind::Resident,
        number: 0,
        ..source(SourceKind::Cdc)
    };
    let day = minute(AT - 60).day();
    let symptoms = false;
    let own = event(
        person(1),
        resident,
        AT - 60,
        EventBody::CheckIn { day, symptoms },
    );
    assert_eq!(one_event(signed(&own)), EventFault::OtherEvidence);
    let mut declared = negative(1, AT - 60);
    declared.evidence = check_in(1, AT - 60, false, false).evidence;
    assert_eq!(one_event(declared), EventFault::OtherEvidence);
    let source = |change: &dyn Fn(&mut OpenedEvent)| {
        let mut event = negative(1, AT - 60);
        change(&mut event);
        one_event(event)
    };
    let why = source(&|event| {
        if let OpenedEvidence::Source { known, .. } = &mut event.evidence {
            *known = None;
        }
    });
    assert_eq!(why, EventFault::NoKey);
    let why = source(&|event| {
        if let OpenedEvidence::Source { confirmation, .. } = &mut event.evidence {
            *confirmation = Some([1; 64]);
        }
    });
    assert_eq!(why, EventFault::Unsigned);
    let why = source(&|event| event.event[0] = 9);
    assert_eq!(why, EventFault::NotAnEvent("unknown-version"));
    assert_eq!(one_event(negative(2, AT - 60)), EventFault::OtherPerson);
    // A node that took it before it was stated.
    let why = source(&|event| event.received_at = minute(AT - 600));
    assert_eq!(why, EventFault::Inadmissible("future-dated"));
}

#[test]
fn sources_that_the_log_does_not_tell_of_are_found() {
    let lab = source(SourceKind::Laboratory);
    let told = |key: SigningKey| SourceEntitlement {
        is_entitled: true,
        province: lab.province,
        kind: lab.kind.code(),
        number: lab.number,
        key: key.verifying_key().to_bytes(),
        since: Minute::ZERO,
        until: Minute::MAX,
    };
    let (shown, _) = shown(&[resident(1, vec![negative(1, AT - 60)])]);
    let with_logs = |entries: &[SourceEntitlement]| {
        let log = Some(entries.to_vec());
        judge(&shown, &Believed { log, ..believed() })
            .unwrap()
            .findings
    };
    let with_log = |entry| with_logs(&[entry]);
    let right = told(key_of(lab));
    assert_eq!(with_log(right), []);
    let ended = minute(AT);
    // What the log told last holds: an entitlement that was cut short or taken away does not come back.
    let cut = SourceEntitlement {
        until: ended,
        ..right
    };
    let gone = SourceEntitlement {
        is_entitled: false,
        ..right
    };
    assert_eq!(with_logs(&[cut, right]), []);
    let not_in_log = Finding::Event {
        place: 0,
        number: 0,
        why: EventFault::NotInLog,
    };
    assert!(with_logs(&[right, cut]).contains(&not_in_log));
    assert!(with_logs(&[right, gone]).contains(&not_in_log));
    for wrong in [
        told(SigningKey::from_bytes(&[9; 32])),
        SourceEntitlement {
            is_entitled: false,
            ..right
        },
        SourceEntitlement { number: 2, ..right },
        SourceEntitlement {
            until: ended,
            ..right
        },
    ] {
        let found = with_log(wrong);
        assert!(
            matches!(
                found[..],
                [
                    Finding::Event {
                        why: EventFault::NotInLog,
                        ..
                    },
                    Finding::Unstated { .. }
                ]
            ),
            "{found:?}"
        );
    }
}

#[test]
fn two_leaves_of_one_person_are_found() {
    let twin = [resident(1, vec![]), resident(1, vec![])];
    let found = findings(&twin);
    assert!(
        matches!(found[..], [Finding::SecondLeaf { .. }]),
        "{found:?}"
    );
}

#[test]
fn an_event_counts_by_when_it_came_and_while_an_epoch_closes_either_way() {
    let came = |at: u32| {
        let mut event = negative(1, AT - 60);
        event.received_at = minute(at);
        event
    };
    let late_of = |event: OpenedEvent, counted: bool| {
        let committed: &[OpenedEvent] = if counted { &[came(AT - 60)] } else { &[] };
        let resident = of_record(1, vec![event], committed);
        let (shown, _) = shown(&[resident]);
        let judgement = judged(&shown);
        match (&judgement.findings[..], &judgement.places[0].state) {
            ([], State::Opened { late, .. }) => Some(*late),
            _ => None,
        }
    };
    assert_eq!(late_of(came(AT - 1), true), Some(0));
    assert_eq!(late_of(came(AT - 1), false), None);
    for during in [AT, AT + 60] {
        assert_eq!(late_of(came(during), true), Some(0), "{during}");
        assert_eq!(late_of(came(during), false), Some(1), "{during}");
    }
    // Many that came in the closing minute, of which the first were read, or all.
    let many: Vec<OpenedEvent> = (0..100)
        .map(|number| {
            let mut event = negative(1, AT - 900 + number);
            event.received_at = minute(AT);
            event
        })
        .collect();
    for counted in [0, 3, 60, 100] {
        let found = of_one(of_record(1, many.clone(), &many[..counted]));
        assert_eq!(found, [], "{counted}");
    }
    assert_eq!(late_of(came(AT + 61), false), Some(1));
    assert_eq!(late_of(came(AT + 61), true), None);
}

#[test]
fn what_lies_before_the_horizon_may_rest_on_events_that_have_left() {
    let (old, new) = (AT - 61 * DAY, AT - 60);
    let committed = [negative(1, old), contact(1, old), negative(1, new)];
    let left = || of_record(1, vec![negative(1, new)], &committed);
    assert_eq!(of_one(left()), []);
    // Within the horizon it may not.
    let (mut shown, _) = shown(&[left()]);
    shown.sample.horizon_days = 62;
    let found = judged(&shown).findings;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|f| matches!(f, Finding::Unstated { .. })));
    // And a node cannot say that it keeps nothing.
    shown.sample.horizon_days = 1;
    let found = judged(&shown).findings;
    assert_eq!(found, [Finding::Horizon { days: 1, least: 21 }]);
    // A clock that is far ahead excuses nothing that is newer.
    shown.sample.horizon_days = 62;
    shown.at = Minute::MAX;
    assert_eq!(judged(&shown).findings, []);
    shown.sample.horizon_days = 69;
    assert_eq!(judged(&shown).findings.len(), 2);
    // What is newer is asked for, whatever is old.
    let lacking = of_record(1, vec![negative(1, new)], &committed[..2]);
    let found = of_one(lacking);
    let part = Part::NegativeTests;
    let (place, count) = (0, 1);
    assert_eq!(found, [Finding::LeftOut { place, part, count }]);
}

#[test]
fn events_that_no_record_holds_are_found() {
    let stay = |number: u16| {
        let hour = 60 * u32::from(number);
        let body = EventBody::Stay {
            place: format!("330102001/{number}").parse().unwrap(),
            begin: minute(AT - 2_000 + hour),
            end: Some(minute(AT - 1_950 + hour)),
        };
        let telecom = source(SourceKind::Telecom);
        signed(&event(person(1), telecom, AT - 900, body))
    };
    let twelve: Vec<OpenedEvent> = (1..=12).map(stay).collect();
    assert_eq!(of_one(resident(1, twelve)), []);
    let thirteen = (1..=13).map(stay).collect();
    let found = of_one(of_record(1, thirteen, &[]));
    assert_eq!(found, [Finding::NoRecord(0)]);
}

#[test]
fn what_is_not_shown_and_what_is_gone_are_two_things() {
    let (right, _) = shown(&[resident(1, everything(1)), resident(2, everything(2))]);
    let mut shown = right.clone();
    shown.leaves.remove(&1);
    assert_eq!(judged(&shown).findings, [Finding::NotShown(1)]);
    let mut shown = right.clone();
    shown.leaves.get_mut(&1).unwrap().events_total += 1;
    let count = Finding::EventCount {
        place: 1,
        shown: 7,
        told: 8,
    };
    assert_eq!(judged(&shown).findings, [count]);
    let mut shown = right;
    let erased = OpenedLeaf {
        content: None,
        events: Vec::new(),
        events_total: 0,
    };
    assert!(!judged(&shown).has_erased());
    shown.leaves.insert(1, erased);
    let judgement = judged(&shown);
    assert_eq!(judgement.findings, []);
    assert!(judgement.has_erased());
}

#[test]
fn a_registry_without_a_quorum_another_head_and_a_lone_province_are_found() {
    let (right, _) = shown(&[resident(1, vec![])]);
    let head = right.sample.registry.heads[0].head;
    let with = |registry, believed: &Believed| {
        let mut shown = right.clone();
        shown.sample.registry = registry;
        judge(&shown, believed).unwrap().findings
    };
    let one = with(cosigned(&head, &[1]), &believed());
    assert!(
        matches!(one[..], [Finding::Registry(ledger::Error::NoQuorum { .. })]),
        "{one:?}"
    );
    let mut other = cosigned(&head, &[0, 1, 2]);
    other.heads[0].signature[0] ^= 1;
    let other = with(other, &believed());
    assert!(
        matches!(
            other[..],
            [Finding::Registry(ledger::Error::BadSignature(_))]
        ),
        "{other:?}"
    );
    let slot_of_another = Believed {
        slot: slot(2),
        ..believed()
    };
    let none = with(cosigned(&head, &[0, 1, 2]), &slot_of_another);
    assert_eq!(none, [Finding::NoHead]);
    let alone = Believed {
        roster: Roster::new(roster().members()[..1].to_vec()).unwrap(),
        ..believed()
    };
    let none = with(cosigned(&head, &[0]), &alone);
    assert!(matches!(none[..], [Finding::NoSeed(_)]), "{none:?}");
}

#[test]
fn the_draw_is_that_of_the_cosignatures_in_the_nodes_log() {
    let (shown, _) = shown(&[resident(1, vec![])]);
    let head = shown.sample.registry.heads[0].head;
    let with = |registries: Vec<CosignedStatement>| {
        let believed = Believed {
            registries,
            ..believed()
        };
        let found = judge(&shown, &believed).unwrap().findings;
        assert_eq!(opens(&shown.sample, &believed), Ok(found.is_empty()));
        found
    };
    assert_eq!(with(vec![cosigned(&head, &[0, 1, 2]).cosigned]), []);
    // One of the two others draws; without it, the other would.
    let without = [[0, 1], [0, 2]].map(|by| with(vec![cosigned(&head, &by).cosigned]));
    let others = without
        .iter()
        .filter(|found| **found == [Finding::OtherDraw]);
    assert_eq!(others.count(), 1, "{without:?}");
    assert!(without.contains(&Vec::new()));
    let later = TreeHead {
        leaf_count: head.leaf_count + 1,
        ..head
    };
    let other = cosigned(&later, &[0, 1, 2]).cosigned;
    assert_eq!(with(vec![other]), [Finding::OtherRegistry]);
}

#[test]
fn nobodys_leaf_is_opened_for_what_cannot_be_judged() {
    let (shown, _) = shown(&[resident(1, everything(1))]);
    assert_eq!(opens(&shown.sample, &believed()), Ok(true));
    let one_set = Believed {
        rule_sets: rule_sets()[..1].to_vec(),
        ..believed()
    };
    assert_eq!(opens(&shown.sample, &one_set), Err(Unjudged::RuleSets));
    let mut bad = shown.sample;
    let head = bad.registry.heads[0].head;
    bad.registry = cosigned(&head, &[1]);
    assert_eq!(opens(&bad, &believed()), Ok(false));
}

#[test]
fn one_old_run_excuses_no_day_that_was_left_out() {
    let day = |at| check_in(1, at, false, false);
    let (old, new) = (AT - 61 * DAY, AT - DAY);
    let lacking = of_record(1, vec![day(new)], &[day(old)]);
    let (place, part, count) = (0, Part::CheckInDays, 1);
    let left_out = Finding::LeftOut { place, part, count };
    assert_eq!(of_one(lacking), [left_out]);
    // Where all places are taken, an old run that some rule asks for can stand in the place of a newer one.
    let full: Vec<_> = (0..4).map(|n| day(old - 2 * n * DAY)).collect();
    assert_eq!(of_one(of_record(1, vec![day(new)], &full)), []);
}

#[test]
fn with_other_rule_sets_or_lists_nothing_is_judged() {
    let (shown, _) = shown(&[resident(1, everything(1))]);
    let one_set = Believed {
        rule_sets: rule_sets()[..1].to_vec(),
        ..believed()
    };
    assert_eq!(judge(&shown, &one_set).unwrap_err(), Unjudged::RuleSets);
    let listed = Believed {
        places: Some(FactTable::august_2022().unwrap()),
        ..believed()
    };
    assert_eq!(judge(&shown, &listed).unwrap_err(), Unjudged::RiskMap);
}
