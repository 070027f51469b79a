//! From a signed event to a verdict in another province.

use rules::{
    Claim, ContactDegree, Day, EventBody, ExposureList, Minute, SourceKind, TestAge, TestResult,
    WorstColour,
};
use tests::{
    GateFiles, Issued, PROVINCES, Person, Plan, World, gate, minute, province, rule, show,
    trust_list,
};
use verifier::{GateMemory, TrustList, UnixTime, Verdict, verify_text};
use wire::pass::v1::Colour;

use crate::{CHECKPOINT, NODE};

const GREEN: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::NotAsked,
};
const GREEN_48: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::Hours48,
};
const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

/// Who is what, in every province: nothing; a contact of a close contact; a close contact who is on a list and in a
/// high-risk place; somebody in a medium-risk place.
const GREEN_ONE: u16 = 1;
const YELLOW_ONE: u16 = 2;
const RED_ONE: u16 = 3;
const TRAVELLER: u16 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn three_provinces_prove_and_a_fourth_believes_with_the_nodes_stopped() {
    let mut world = World::start(Plan::new(NODE, 4));
    for code in PROVINCES {
        live_through_a_morning(&world, code).await;
    }
    world.advance(minute("2022-08-28 12:00")).await;
    let assembled = world.commit(1).await;
    assert_eq!((assembled.provinces, assembled.cosignatures), (3, 3));

    let (mut green, mut not_red) = (Vec::new(), Vec::new());
    for code in PROVINCES {
        let now = world.now();
        let mut one = world.device(&Person::of(code, GREEN_ONE));
        green.push(one.pass(GREEN_48, World::NATION, now).await.unwrap());
        for (yellow, rule) in [(YELLOW_ONE, "N4"), (TRAVELLER, "N7")] {
            let mut one = world.device(&Person::of(code, yellow));
            assert_eq!(one.pass(GREEN, "", now).await.err().unwrap(), rule);
        }
        let mut one = world.device(&Person::of(code, TRAVELLER));
        not_red.push(one.pass(NOT_RED, "", now).await.unwrap());
        red_gets_no_pass_and_every_reason(&world, code).await;
    }
    // The destination's rules on the home's data: a contact of a contact is red in Fujian, an ordinary person is not.
    let mut from_hubei = world.device(&Person::of(42, YELLOW_ONE));
    let refused = from_hubei.pass(NOT_RED, World::FUJIAN, world.now()).await;
    assert_eq!(refused.err().unwrap(), "R4");
    let mut from_hubei = world.device(&Person::of(42, GREEN_ONE));
    let for_fujian = from_hubei.pass(GREEN, World::FUJIAN, world.now()).await;

    let (_, list) = trust_list(&world, 42).await;
    let files = GateFiles::new(CHECKPOINT, &world, "not-red", 10);
    let refreshed = files.run(&["refresh"]);
    assert_eq!(refreshed.status.code(), Some(0), "{refreshed:?}");
    let at = world.now().saturating_add_signed(10);
    world.stop();

    believed_at_the_gate(&files, at, &green, &not_red);
    let for_fujian = for_fujian.unwrap();
    each_verdict_by_what_is_asked(&list, at, &green[1], &not_red[1], &for_fujian);
}

/// The checkpoint's program accepts all of them, and a showing once only.
fn believed_at_the_gate(files: &GateFiles, at: Minute, green: &[Issued], not_red: &[Issued]) {
    for issued in green.iter().chain(not_red) {
        assert_eq!(
            files.verdict(&show(issued, at, 0)),
            (Some(0), "ACCEPTED".to_owned())
        );
    }
    let again = files.verdict(&show(&green[0], at, 0));
    assert_eq!(again, (Some(1), "REPLAYED".to_owned()));
}

fn each_verdict_by_what_is_asked(
    list: &TrustList,
    at: Minute,
    green: &Issued,
    not_red: &Issued,
    for_fujian: &Issued,
) {
    let now = UnixTime::from_s(u64::from(at.get()) * 60);
    let at_gate = |issued: &Issued, code, worst, test_age| {
        let text = show(issued, at, 0);
        let gate = gate(code, rule(worst, test_age));
        let mut memory = GateMemory::default();
        verify_text(text.as_str(), None, None, list, &gate, now, &mut memory)
    };
    let in_fujian = at_gate(for_fujian, 35, WorstColour::Green, TestAge::NotAsked);
    assert!(
        matches!(&in_fujian, Verdict::Accept(a) if a.rule_set == World::FUJIAN),
        "{in_fujian:?}"
    );
    for (issued, worst, test_age, code) in [
        (green, WorstColour::Green, TestAge::Hours48, "ACCEPTED"),
        (green, WorstColour::Green, TestAge::Hours24, "TEST_TOO_OLD"),
        (
            not_red,
            WorstColour::Green,
            TestAge::NotAsked,
            "COLOUR_TOO_WEAK",
        ),
    ] {
        let verdict = at_gate(issued, 36, worst, test_age);
        assert_eq!(verdict.code().as_str(), code, "{verdict:?}");
    }
}

/// Residents register, declare health and trips; the province's offices state facts.
async fn live_through_a_morning(world: &World, code: u8) {
    let now = world.now();
    let people: Vec<Person> = world.residents_of(code).collect();
    for person in &people {
        let mut device = world.device(person);
        device.register(now).await.unwrap();
        let day: Day = now.day();
        device.declare_health(day, now).await.unwrap();
    }
    let mut laboratory = world.source(code, SourceKind::Laboratory, code);
    for person in &people {
        let sampled_at = now.saturating_add_signed(-26 * 60);
        let result = TestResult::Negative;
        laboratory
            .state(person, now, EventBody::Test { sampled_at, result })
            .await;
    }
    let mut cdc = world.source(code, SourceKind::Cdc, code);
    let contact = |degree| EventBody::Contact {
        degree,
        last_contact_at: now.saturating_add_signed(-3 * 1440),
        province: province(code),
    };
    let yellow = contact(ContactDegree::Secondary);
    cdc.state(&Person::of(code, YELLOW_ONE), now, yellow).await;
    let red = Person::of(code, RED_ONE);
    cdc.state(&red, now, contact(ContactDegree::Close)).await;
    let listed = EventBody::Exposure {
        list: ExposureList::AssistList,
        at: now.saturating_add_signed(-60),
        province: province(code),
    };
    cdc.state(&red, now, listed).await;
    let stay = |place| EventBody::Stay {
        place,
        begin: now.saturating_add_signed(-2 * 1440),
        end: None,
    };
    let mut telecom = world.source(code, SourceKind::Telecom, code);
    telecom.state(&red, now, stay(World::high_site())).await;
    let traveller = Person::of(code, TRAVELLER);
    telecom
        .state(&traveller, now, stay(World::medium_site()))
        .await;
}

async fn red_gets_no_pass_and_every_reason(world: &World, code: u8) {
    let now = world.now();
    let mut red = world.device(&Person::of(code, RED_ONE));
    assert_eq!(red.pass(NOT_RED, "", now).await.err().unwrap(), "N3,N5");
    assert_eq!(red.pass(GREEN, "", now).await.err().unwrap(), "N3,N5,N8");
    let status = red.query(World::NATION, now).await.unwrap();
    assert_eq!(status.colour(), Colour::Red);
    let mut rules: Vec<_> = status.reasons.iter().map(|r| r.rule_id.as_str()).collect();
    rules.sort_unstable();
    assert_eq!(rules, ["N3", "N5", "N8"]);
    for reason in &status.reasons {
        let office = match reason.rule_id.as_str() {
            "N5" => format!("{code}-telecom-1"),
            _ => format!("{code}-cdc-1"),
        };
        assert!(reason.source.contains(&office), "{}", reason.source);
        assert!(!reason.text_zh.is_empty() && !reason.text_en.is_empty());
        // Red in a high-risk place ends with the place's release, not by what the resident does.
        assert_eq!(reason.ways_out.is_empty(), reason.rule_id == "N5");
        assert_eq!(reason.event_ids.len(), 1);
    }
}
