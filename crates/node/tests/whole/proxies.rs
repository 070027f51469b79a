//! Proxies: who names them, what they may do, how the resident sees it, and how they end.

use std::fmt::Debug;

use node::RuleBook;
use rules::RuleSet;
use tonic::Status;
use verifier::Pass;
use verifier::trust::{RuleSetEntry, Sequence};
use wire::operator::v1::AssembleRegistryRequest;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::{DeviceKey, Reason, reason_of};

use crate::charters::root;
use crate::clients::{Phone, fresh, operator};
use crate::leave::rows;
use crate::passes::{ask, epoch, make, negative, request};
use crate::retention::DAY;
use crate::world::{House, START, Wish, World, minute, name, person};

const RULES: &str = "fj-2022-08";
const THIRD: &str = "fj-2022-09";
const HOUR: u32 = 60;
/// The first number of phones that are nobody's device.
const OTHERS: u16 = 500;

/// A phone with a key that nobody has bound, numbered from 0.
fn unbound(house: &House, number: u16) -> Phone {
    Phone::new(house, OTHERS + number)
}

fn key_of(phone: &Phone) -> Vec<u8> {
    DeviceKey::of(&phone.key).to_bytes().to_vec()
}

async fn set(
    phone: &mut Phone,
    key: Vec<u8>,
    label: &str,
    until_minute: u32,
) -> Result<Vec<r::Proxy>, Status> {
    let call: r::SetProxyRequest = phone.sign(&r::SetProxy {
        proxy_key: key,
        label: label.to_owned(),
        until_minute,
    });
    Ok(phone.client.set_proxy(call).await?.into_inner().proxies)
}

/// A resident's phone with a proxy until `until`.
async fn family(house: &House, number: u16, until: u32) -> (Phone, Phone) {
    let mut own = Phone::registered(house, number).await;
    let proxy = unbound(house, number);
    set(&mut own, key_of(&proxy), "女儿", until).await.unwrap();
    (own, proxy)
}

async fn check_in(phone: &mut Phone) -> Result<r::DeclareHealthResponse, Status> {
    let body = r::DeclareHealth {
        event_id: fresh().to_vec(),
        day: minute(START).day().get().into(),
        symptoms: r::Symptoms::None.into(),
    };
    let call: r::DeclareHealthRequest = phone.sign(&body);
    let answer = phone.client.declare_health(call).await;
    answer.map(tonic::Response::into_inner)
}

async fn revoke(phone: &mut Phone, use_id: Vec<u8>, forget: bool) -> Result<u32, Status> {
    let call: r::RevokePassesRequest = phone.sign(&r::RevokePasses {
        use_id,
        forget_other_devices: forget,
    });
    Ok(phone.client.revoke_passes(call).await?.into_inner().revoked)
}

fn refused<T: Debug>(answer: Result<T, Status>) -> Option<Reason> {
    reason_of(&answer.unwrap_err())
}

async fn is_revoked(world: &World, pass: &r::IssuedPass, at: u32, number: u32) -> bool {
    world.advance_to(at);
    let assemble = AssembleRegistryRequest { epoch: number };
    let house = &world.houses[0];
    operator(house).assemble_registry(assemble).await.unwrap();
    let h = Pass::from_bytes(&pass.pass).unwrap().h;
    house.node.trust_list().unwrap().is_revoked(h)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_declares_asks_and_shows_for_the_resident_who_sees_that_it_did() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let until = START + 30 * DAY;
    let (mut own, mut proxy) = family(house, 1, until).await;
    negative(house, 1, START - 60).await;
    epoch(&world, 1).await;

    // Neither event nor receipt: the event names the resident by number.
    let told = check_in(&mut proxy).await.unwrap();
    assert_eq!(told, r::DeclareHealthResponse::default());
    let trip = r::DeclareTrip {
        event_id: fresh().to_vec(),
        area_nine_digit: 350_102_001,
        site: 0,
        begin_minute: START - 120,
        end_minute: Some(START - 60),
    };
    let call: r::DeclareTripRequest = proxy.sign(&trip);
    let told = proxy.client.declare_trip(call).await.unwrap().into_inner();
    assert_eq!(told, r::DeclareTripResponse::default());
    // What it declares is no reading; what it asks is one a day.
    assert_eq!(own.query(RULES).await.unwrap().readings.len(), 0);
    for _ in 0..2 {
        let answer = proxy.query(RULES).await.unwrap();
        assert_eq!(answer.colour(), Colour::Green);
        assert!(answer.newest_negative_minute.is_some());
        // It is told of itself, and not who else reads the record.
        assert_eq!((answer.proxies.len(), answer.readings.len()), (1, 0));
    }
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut proxy, &body).await.unwrap();
    assert_eq!(make(&mut proxy, &body).await.unwrap().passes.len(), 1);

    let seen = own.query(RULES).await.unwrap();
    let [reading] = &seen.readings[..] else {
        panic!("{} readings", seen.readings.len())
    };
    assert_eq!(
        (&reading.purpose[..], &reading.reader[..]),
        ("proxy", "女儿")
    );
    assert_eq!((reading.at_minute, reading.epoch), (START, 0));
    let expected = r::Proxy {
        proxy_key: key_of(&proxy),
        label: "女儿".to_owned(),
        since_minute: START,
        until_minute: until,
        last_used_minute: START,
        named_by: String::new(),
    };
    assert!(seen.proxies == [expected]);

    world.advance_to(START + DAY);
    proxy.query(RULES).await.unwrap();
    set(&mut own, key_of(&proxy), "", START).await.unwrap();
    let seen = own.query(RULES).await.unwrap();
    assert_eq!((seen.readings.len(), seen.proxies.len()), (2, 0));
    // Whoever has ended has no label any more.
    assert_eq!(seen.readings[0].reader.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_may_not_do_is_refused_under_one_reason() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    let told = check_in(&mut own).await.unwrap();
    assert!(!told.event.is_empty() && !told.receipt.is_empty());
    let leave: r::LeaveRequest = proxy.sign(&r::Leave {});
    let correct: r::CorrectRequest = proxy.sign(&r::Correct {
        case_id: fresh().to_vec(),
        event_id: vec![1; 16],
        statement: "no".to_owned(),
    });
    let another = key_of(&unbound(house, 9));
    for reason in [
        refused(proxy.client.leave(leave).await),
        refused(proxy.client.correct(correct).await),
        refused(set(&mut proxy, another, "x", START + DAY).await),
        refused(revoke(&mut proxy, Vec::new(), true).await),
    ] {
        assert_eq!(reason, Some(Reason::ProxyRefused));
    }
    // Its key binds no device, not even of the same person, and its own end is not its to set.
    proxy.person = person(house.home, 1);
    let bound = proxy.register(&name(1)).await;
    assert_eq!(refused(bound), Some(Reason::AlreadyBound));
    let longer = set(&mut proxy, key_of(&own), "x", START + 2 * DAY).await;
    assert_eq!(refused(longer), Some(Reason::ProxyRefused));
    assert_eq!(own.query("").await.unwrap().proxies.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_has_and_revokes_its_own_passes_and_nobody_elses() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    epoch(&world, 1).await;
    let (mine, its) = (
        request(1, Colour::Green, TestAge::NotAsked, ""),
        request(1, Colour::Green, TestAge::NotAsked, ""),
    );
    ask(&mut own, &mine).await.unwrap();
    make(&mut own, &mine).await.unwrap();
    assert_eq!(
        refused(make(&mut proxy, &mine).await),
        Some(Reason::NotFound)
    );
    assert_eq!(
        refused(ask(&mut proxy, &mine).await),
        Some(Reason::IdReused)
    );
    let use_id = mine.use_id.clone();
    let other = revoke(&mut proxy, use_id, false).await;
    assert_eq!(refused(other), Some(Reason::NotFound));

    ask(&mut proxy, &its).await.unwrap();
    ask(&mut proxy, &its).await.unwrap();
    make(&mut proxy, &its).await.unwrap();
    assert_eq!(revoke(&mut proxy, Vec::new(), false).await.unwrap(), 1);
    assert_eq!(
        refused(make(&mut proxy, &its).await),
        Some(Reason::NotFound)
    );
    assert_eq!(make(&mut own, &mine).await.unwrap().passes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_before_its_date_revokes_what_the_proxy_requested() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    epoch(&world, 1).await;
    let (mine, its) = (
        request(1, Colour::Green, TestAge::NotAsked, ""),
        request(1, Colour::Green, TestAge::NotAsked, ""),
    );
    ask(&mut own, &mine).await.unwrap();
    ask(&mut proxy, &its).await.unwrap();
    let kept = make(&mut own, &mine).await.unwrap().passes.remove(0);
    let gone = make(&mut proxy, &its).await.unwrap().passes.remove(0);
    assert!(
        set(&mut own, key_of(&proxy), "", 0)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(refused(proxy.query("").await), Some(Reason::UnknownDevice));
    let again = set(&mut own, key_of(&proxy), "", 0).await;
    assert_eq!(refused(again), Some(Reason::NotFound));
    world.advance_to(START + 20);
    world.close_epoch(2);
    assert!(is_revoked(&world, &gone, START + 40, 2).await);
    assert!(!is_revoked(&world, &kept, START + 41, 2).await);
    // The same key can be named again.
    set(&mut own, key_of(&proxy), "again", START + DAY)
        .await
        .unwrap();
    assert!(proxy.query("").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_named_again_after_its_date_ends_with_what_it_requested_before() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + 15).await;
    epoch(&world, 1).await;
    let its = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut proxy, &its).await.unwrap();
    let gone = make(&mut proxy, &its).await.unwrap().passes.remove(0);
    world.advance_to(START + 15);
    assert_eq!(refused(proxy.query("").await), Some(Reason::UnknownDevice));
    // Its date has passed: there is nothing to end, until it is named again.
    let ended = set(&mut own, key_of(&proxy), "", 0).await;
    assert_eq!(refused(ended), Some(Reason::NotFound));
    set(&mut own, key_of(&proxy), "again", START + DAY)
        .await
        .unwrap();
    set(&mut own, key_of(&proxy), "", 0).await.unwrap();
    world.advance_to(START + 20);
    world.close_epoch(2);
    assert!(is_revoked(&world, &gone, START + 40, 2).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_ends_by_the_nodes_clock_and_its_place_is_free() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + HOUR).await;
    for number in 1..4 {
        let key = key_of(&unbound(house, 10 + number));
        set(&mut own, key, "x", START + DAY).await.unwrap();
    }
    let fifth = key_of(&unbound(house, 20));
    let full = set(&mut own, fifth.clone(), "x", START + DAY).await;
    assert_eq!(refused(full), Some(Reason::TooManyProxies));
    // To change one of four is none more.
    set(&mut own, key_of(&proxy), "儿子", START + 2 * HOUR)
        .await
        .unwrap();
    world.advance_to(START + 2 * HOUR - 1);
    assert_eq!(proxy.query("").await.unwrap().proxies[0].label, "儿子");
    world.advance_to(START + 2 * HOUR);
    assert_eq!(refused(proxy.query("").await), Some(Reason::UnknownDevice));
    assert_eq!(own.query("").await.unwrap().proxies.len(), 3);
    let now = set(&mut own, fifth, "x", START + DAY).await.unwrap();
    assert_eq!(now.len(), 4);
    // The job takes the rest away.
    world.advance_to(START + 2 * DAY);
    house.node.retain().unwrap();
    assert!(house.node.retain().is_ok());
    assert_eq!(&rows(house)[9..11], [0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_somebodys_device_or_proxy_and_a_bad_wish_are_refused() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, proxy) = family(house, 1, START + DAY).await;
    let mut other = Phone::registered(house, 2).await;
    let (own_key, others) = (key_of(&own), key_of(&other));
    for (is_own, key) in [
        (false, key_of(&proxy)),
        (false, own_key.clone()),
        (true, others),
        (true, own_key),
    ] {
        let phone = if is_own { &mut own } else { &mut other };
        let taken = set(phone, key, "x", START + DAY).await;
        assert_eq!(refused(taken), Some(Reason::AlreadyBound));
    }
    let key = key_of(&unbound(house, 30));
    for (label, until, reason) in [
        (String::new(), START + DAY, Reason::Malformed),
        ("a".repeat(49), START + DAY, Reason::TooLarge),
        ("a\nb".to_owned(), START + DAY, Reason::Malformed),
        ("a".to_owned(), START + 366 * DAY + 1, Reason::Malformed),
    ] {
        let bad = set(&mut own, key.clone(), &label, until).await;
        assert_eq!(refused(bad), Some(reason), "{label} {until}");
    }
    let longest = START + 366 * DAY;
    assert!(set(&mut own, key, &"a".repeat(48), longest).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_takes_its_proxies_with_it_and_so_does_who_leaves() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    let (mut leaver, mut of_leaver) = family(house, 2, START + DAY).await;
    epoch(&world, 1).await;
    let mut passes = Vec::new();
    for phone in [&mut proxy, &mut of_leaver] {
        let body = request(1, Colour::Green, TestAge::NotAsked, "");
        ask(phone, &body).await.unwrap();
        passes.push(make(phone, &body).await.unwrap().passes.remove(0));
    }
    // One use is named, and the proxies' passes go all the same.
    let mine = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut own, &mine).await.unwrap();
    make(&mut own, &mine).await.unwrap();
    assert_eq!(revoke(&mut own, mine.use_id, true).await.unwrap(), 2);
    assert_eq!(refused(proxy.query("").await), Some(Reason::UnknownDevice));
    assert!(own.query("").await.unwrap().proxies.is_empty());
    let call: r::LeaveRequest = leaver.sign(&r::Leave {});
    leaver.client.leave(call).await.unwrap();
    assert_eq!(
        refused(of_leaver.query("").await),
        Some(Reason::UnknownDevice)
    );
    assert_eq!(&rows(house)[9..11], [0, 0]);
    world.advance_to(START + 20);
    world.close_epoch(2);
    for (at, pass) in (START + 40..).zip(&passes) {
        assert!(is_revoked(&world, pass, at, 2).await);
    }
    // The key of a proxy that is gone is free.
    of_leaver.person = person(house.home, 3);
    of_leaver.register(&name(3)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_uses_up_leaves_the_resident_all_of_theirs() {
    let mut wish = Wish::default();
    wish.limits.declarations_per_day = 8;
    wish.limits.passes_per_epoch = 8;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    epoch(&world, 1).await;
    // A quarter of each.
    for _ in 0..2 {
        check_in(&mut proxy).await.unwrap();
    }
    let refused = check_in(&mut proxy).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Overloaded));
    let body = |count| request(count, Colour::Yellow, TestAge::NotAsked, "");
    ask(&mut proxy, &body(2)).await.unwrap();
    let refused = ask(&mut proxy, &body(1)).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ProverBusy));

    ask(&mut own, &body(8)).await.unwrap();
    // One of the eight has named the proxy, and the last ends it.
    for _ in 0..6 {
        check_in(&mut own).await.unwrap();
    }
    set(&mut own, key_of(&proxy), "女儿", START).await.unwrap();
    let refused = check_in(&mut own).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Overloaded));
}

/// Has a house know a third rule set, which is neither its own nor the nation's.
fn know_third_rule_set(house: &House) {
    let text = include_str!("../../../rules/rule_sets/fj-2022-08.toml");
    // Known by what it says, not by its name: so it says something else.
    let text = text
        .replacen(RULES, THIRD, 1)
        .replace("lapse = { days = 15 }", "lapse = { days = 16 }");
    let third = RuleSet::from_toml(&text).unwrap();
    let root = root(|document| {
        document.sequence = Sequence::new(2);
        document.rule_sets.push(RuleSetEntry::of(&third));
        document.rule_sets.sort_by_key(|entry| entry.short_id);
    });
    let built_in = RuleSet::BUILT_IN.map(|id| RuleSet::built_in(id).unwrap());
    let at_hand = [&built_in[..], &[third]].concat();
    let nation = Some("hz-2020-02".to_owned());
    let book = RuleBook::new(at_hand, root.document(), "hz-2020-02".to_owned(), nation);
    house.node.take_charter(root, book.unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_asks_under_a_quarter_of_the_rule_sets_of_its_resident() {
    let mut wish = Wish::default();
    wish.limits.rule_sets_per_day = 4;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    know_third_rule_set(house);
    let (mut own, mut proxy) = family(house, 1, START + DAY).await;
    proxy.query(RULES).await.unwrap();
    let second = proxy.query(THIRD).await;
    assert_eq!(refused(second), Some(Reason::TooManyRuleSets));
    proxy.query(RULES).await.unwrap();
    proxy.query("").await.unwrap();
    for rules in [RULES, THIRD] {
        own.query(rules).await.unwrap();
    }
}
