//! A gate asks for the rules of its own province, and the home applies them to its resident: people whose colour differs.

use rules::{Claim, ContactDegree, EventBody, SourceKind, TestAge, TestResult, WorstColour};
use tests::{Issued, Person, Plan, World, gate, minute, province, rule, show, trust_list};
use verifier::{GateMemory, UnixTime, Verdict, verify_text};
use wire::pass::v1::Colour;

use crate::NODE;

const GREEN: Claim = Claim {
    worst: WorstColour::Green,
    test_age: TestAge::NotAsked,
};
const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};
const ZHEJIANG: u8 = 33;
const FUJIAN: u8 = 35;

/// Contact of a close contact: yellow by Zhejiang's rules (H5), red by Fujian's (R4).
const CONTACT: u16 = 1;
/// Symptoms in a check-in: yellow by Zhejiang's rules (H7), nothing by Fujian's.
const COUGHING: u16 = 2;
/// Nothing by either.
const WELL: u16 = 3;

async fn live_through_a_morning(world: &World) {
    let now = world.now();
    let mut laboratory = world.source(ZHEJIANG, SourceKind::Laboratory, ZHEJIANG);
    for number in [CONTACT, COUGHING, WELL] {
        let person = Person::of(ZHEJIANG, number);
        world.device(&person).register(now).await.unwrap();
        let test = EventBody::Test {
            sampled_at: now.saturating_add_signed(-26 * 60),
            result: TestResult::Negative,
        };
        laboratory.state(&person, now, test).await;
    }
    let mut cdc = world.source(ZHEJIANG, SourceKind::Cdc, ZHEJIANG);
    let contact = EventBody::Contact {
        degree: ContactDegree::Secondary,
        last_contact_at: now.saturating_add_signed(-2 * 1440),
        province: province(ZHEJIANG),
    };
    cdc.state(&Person::of(ZHEJIANG, CONTACT), now, contact)
        .await;
    let mut office = world.source(ZHEJIANG, SourceKind::CommunityOffice, ZHEJIANG);
    let symptoms = EventBody::CheckIn {
        day: now.day(),
        symptoms: true,
    };
    office
        .state(&Person::of(ZHEJIANG, COUGHING), now, symptoms)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rules_of_the_place_of_showing_decide_for_people_whose_colour_differs_at_home() {
    let mut world = World::start(Plan::new(NODE, 4));
    live_through_a_morning(&world).await;
    world.advance(minute("2022-08-28 12:00")).await;
    world.commit(1).await;
    let now = world.now();

    // Both sets at the same home over the same record.
    for (number, at_home, in_fujian) in [
        (CONTACT, Colour::Yellow, Colour::Red),
        (COUGHING, Colour::Yellow, Colour::Green),
        (WELL, Colour::Green, Colour::Green),
    ] {
        let mut one = world.device(&Person::of(ZHEJIANG, number));
        let colour =
            async |device: &mut tests::Device, set| device.query(set, now).await.unwrap().colour();
        assert_eq!(colour(&mut one, World::ZHEJIANG).await, at_home, "{number}");
        assert_eq!(colour(&mut one, World::FUJIAN).await, in_fujian, "{number}");
    }

    // What the one set supports and the other does not, proved or refused.
    let mut contact = world.device(&Person::of(ZHEJIANG, CONTACT));
    let contact_at_home = contact.pass(NOT_RED, World::ZHEJIANG, now).await.unwrap();
    let refused = contact.pass(NOT_RED, World::FUJIAN, now).await;
    assert_eq!(refused.err().unwrap(), "R4");
    let mut coughing = world.device(&Person::of(ZHEJIANG, COUGHING));
    let coughing_in_fujian = coughing.pass(GREEN, World::FUJIAN, now).await.unwrap();
    let refused = coughing.pass(GREEN, World::ZHEJIANG, now).await;
    assert_eq!(refused.err().unwrap(), "H7");
    let mut well = world.device(&Person::of(ZHEJIANG, WELL));
    let well_in_fujian = well.pass(GREEN, World::FUJIAN, now).await.unwrap();

    // The gate has Fujian's own list, and no node answers any more.
    let (_, list) = trust_list(&world, FUJIAN).await;
    world.stop();
    let at = now.saturating_add_signed(10);
    let verdict = |issued: &Issued, place, worst| {
        let text = show(issued, at, 0);
        let gate = gate(place, rule(worst, TestAge::NotAsked));
        let moment = UnixTime::from_s(u64::from(at.get()) * 60);
        let mut memory = GateMemory::default();
        verify_text(text.as_str(), None, None, &list, &gate, moment, &mut memory)
    };
    for issued in [&coughing_in_fujian, &well_in_fujian] {
        let accepted = verdict(issued, FUJIAN, WorstColour::Green);
        let by = matches!(&accepted, Verdict::Accept(a) if a.rule_set == World::FUJIAN);
        assert!(by, "{accepted:?}");
        // At home the same pass says nothing: it is by another province's rules.
        let elsewhere = verdict(issued, ZHEJIANG, WorstColour::Green);
        assert_eq!(elsewhere.code().as_str(), "RULE_SET_NOT_ACCEPTED");
    }
    let at_home = verdict(&contact_at_home, ZHEJIANG, WorstColour::Yellow);
    assert_eq!(at_home.code().as_str(), "ACCEPTED");
    let in_fujian = verdict(&contact_at_home, FUJIAN, WorstColour::Yellow);
    assert_eq!(in_fujian.code().as_str(), "RULE_SET_NOT_ACCEPTED");
}
