//! A node with more to do than it can: what it does not begin, what it still answers, and what each caller may have.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use rules::Minute;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::trust::v1::GetTrustListRequest;
use wire::{Reason, reason_of, retry_after};

use crate::clients::{Phone, at_public, fresh};
use crate::passes::{ask, epoch, make, negative, request};
use crate::provers::Checking;
use crate::world::{House, Wish, World, name};

/// Something that whoever comes to it waits for once it is shut.
struct Barrier {
    is_shut: Mutex<bool>,
    opened: Condvar,
    has_come: AtomicBool,
}

impl Barrier {
    const fn new() -> Self {
        Self {
            is_shut: Mutex::new(false),
            opened: Condvar::new(),
            has_come: AtomicBool::new(false),
        }
    }

    fn shut(&self) {
        *self.is_shut.lock().unwrap() = true;
    }

    fn pass(&self) {
        let shut = self.is_shut.lock().unwrap();
        self.has_come.store(*shut, Ordering::SeqCst);
        drop(self.opened.wait_while(shut, |shut| *shut).unwrap());
    }

    fn open(&self) {
        *self.is_shut.lock().unwrap() = false;
        self.opened.notify_all();
    }

    async fn somebody_waits(&self) {
        while !self.has_come.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn check_in(phone: &Phone, now: Minute) -> r::DeclareHealthRequest {
    phone.sign(&r::DeclareHealth {
        event_id: fresh().to_vec(),
        day: now.day().get().into(),
        symptoms: r::Symptoms::None.into(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_deadline_or_caller_is_gone_is_not_begun_and_the_vital_calls_are_answered() {
    static BARRIER: Barrier = Barrier::new();
    let mut wish = Wish {
        before_register: || BARRIER.pass(),
        ..Wish::default()
    };
    wish.limits.store_calls_at_once = 1;
    wish.limits.calls_at_once = 3;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    epoch(&world, 1).await;
    let mut first = Phone::registered(house, 1).await;
    let mut second = Phone::registered(house, 2).await;
    BARRIER.shut();

    // The only room at the store is taken, and stays so.
    let mut slow = Phone::new(house, 3);
    let registering = tokio::spawn(async move { slow.register(&name(3)).await });
    BARRIER.somebody_waits().await;

    let now = house.node.clock().now();
    let mut hasty = tonic::Request::new(check_in(&first, now));
    hasty.set_timeout(Duration::from_millis(200));
    let begun = Instant::now();
    assert!(first.client.declare_health(hasty).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(2), "its own deadline");
    let call = check_in(&second, now);
    let gone = tokio::spawn(async move { second.client.declare_health(call).await });
    tokio::time::sleep(Duration::from_millis(100)).await;

    // One more call has room, and then none; health and the trust list have their own.
    let mut third = Phone::new(house, 4);
    let waiting = tokio::spawn(async move { third.register(&name(4)).await });
    tokio::time::sleep(Duration::from_millis(100)).await;
    let shed = get_home(house).await.unwrap_err();
    assert_eq!(reason_of(&shed), Some(Reason::Overloaded));
    assert!(retry_after(&shed).is_some());
    for _ in 0..20 {
        let mut health = HealthClient::new(at_public(house));
        let service = String::new();
        let check = HealthCheckRequest { service };
        health.check(check).await.unwrap();
        let mut trust = wire::client::trust(at_public(house));
        let list = trust.get_trust_list(GetTrustListRequest::default()).await;
        assert!(!list.unwrap().into_inner().bundle.is_empty());
    }

    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    tokio::time::sleep(Duration::from_millis(100)).await;
    BARRIER.open();
    registering.await.unwrap().unwrap();
    waiting.await.unwrap().unwrap();
    // Neither check-in was taken, and what waited for nobody is gone.
    assert_eq!((house.node.residents(), house.node.events()), (4, 0));
    get_home(house).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_room_at_the_store_is_shed_in_time_and_events_have_room_of_their_own() {
    static BARRIER: Barrier = Barrier::new();
    let mut wish = Wish {
        before_register: || BARRIER.pass(),
        ..Wish::default()
    };
    wish.limits.store_calls_at_once = 1;
    wish.limits.intake_calls_at_once = 1;
    wish.limits.store_wait_ms = 200;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    BARRIER.shut();
    let mut slow = Phone::new(house, 3);
    let registering = tokio::spawn(async move { slow.register(&name(3)).await });
    BARRIER.somebody_waits().await;

    // Long before the patience of whoever calls.
    let begun = Instant::now();
    let now = house.node.clock().now();
    let shed = phone.client.declare_health(check_in(&phone, now)).await;
    let shed = shed.unwrap_err();
    assert_eq!(reason_of(&shed), Some(Reason::Overloaded));
    assert!(retry_after(&shed).is_some());
    assert!(begun.elapsed() < Duration::from_secs(5));
    negative(house, 1, now.get() - 40).await;
    assert_eq!(house.node.events(), 1);

    BARRIER.open();
    registering.await.unwrap().unwrap();
    let now = house.node.clock().now();
    let call = check_in(&phone, now);
    phone.client.declare_health(call).await.unwrap();
}

async fn get_home(house: &House) -> Result<(), tonic::Status> {
    let mut client = wire::client::resident(at_public(house));
    client.get_home(r::GetHomeRequest {}).await.map(|_| ())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_device_and_each_address_has_its_quota_and_is_told_when_it_comes_back() {
    let mut wish = Wish::default();
    wish.limits.quotas.device_calls_per_min = 60;
    wish.limits.quotas.device_calls_burst = 3;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let mut other = Phone::registered(house, 2).await;
    for _ in 0..3 {
        phone.query("").await.unwrap();
    }
    let refused = phone.query("").await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    let wait = retry_after(&refused).unwrap();
    assert!(!wait.is_zero() && wait <= Duration::from_secs(1));
    other.query("").await.unwrap();
    tokio::time::sleep(wait).await;
    phone.query("").await.unwrap();

    let mut wish = Wish::default();
    wish.limits.quotas.address_calls_per_s = 1;
    wish.limits.quotas.address_calls_burst = 5;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    for _ in 0..5 {
        get_home(house).await.unwrap();
    }
    let refused = get_home(house).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    assert!(retry_after(&refused).is_some());
    // Whoever has used up the quota of calls can still learn whom to trust, and how the node is.
    let mut trust = wire::client::trust(at_public(house));
    let list = trust.get_trust_list(GetTrustListRequest::default()).await;
    assert_eq!(reason_of(&list.unwrap_err()), Some(Reason::UnknownEpoch));
    let mut health = HealthClient::new(at_public(house));
    let service = String::new();
    health.check(HealthCheckRequest { service }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_not_guessed_and_no_answer_tells_who_is_known() {
    let mut wish = Wish::default();
    wish.limits.quotas.register_tries_burst = 3;
    wish.limits.quotas.register_tries_per_day = 24;
    wish.limits.query_quantum_ms = 100;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    // Somebody in the register, somebody who is nowhere, and somebody who lives elsewhere.
    let known = Phone::new(house, 5);
    let mut nobody = Phone::new(house, 6);
    nobody.person = crate::world::person(33, 900);
    let mut elsewhere = Phone::new(house, 7);
    elsewhere.person = crate::world::person(35, 7);
    let mut answers = Vec::new();
    for mut phone in [known, nobody, elsewhere] {
        let mut seen = Vec::new();
        for _ in 0..5 {
            let begun = Instant::now();
            let refused = phone.register("a guess").await.unwrap_err();
            let took = begun.elapsed();
            // Answers leave at points of the grid.
            assert!(took >= Duration::from_millis(100), "{took:?}");
            seen.push((
                reason_of(&refused).unwrap(),
                refused.message().to_owned(),
                refused.details().len(),
                retry_after(&refused),
            ));
        }
        answers.push(seen);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    let reasons: Vec<Reason> = answers[0].iter().map(|answer| answer.0).collect();
    let (wrong, over) = (Reason::RealNameRefused, Reason::Quota);
    assert_eq!(reasons, [wrong, wrong, wrong, over, over]);

    // The right name is not tried either, until a try comes back; from another device it is the same person.
    let mut again = Phone::new(house, 8);
    again.person = crate::world::person(33, 5);
    let refused = again.register(&name(5)).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    world.advance_to(crate::world::START + 61);
    again.register(&name(5)).await.unwrap();
    // A person who was confirmed has all tries again.
    for _ in 0..3 {
        let mut device = Phone::new(house, 9);
        device.person = crate::world::person(33, 5);
        let refused = device.register("a guess").await.unwrap_err();
        assert_eq!(reason_of(&refused), Some(wrong));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_registers_a_limited_number() {
    let mut wish = Wish::default();
    wish.limits.quotas.address_registers_per_min = 1;
    wish.limits.quotas.address_registers_burst = 2;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    Phone::registered(house, 1).await;
    Phone::new(house, 2).register("a guess").await.unwrap_err();
    let refused = Phone::new(house, 3).register(&name(3)).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::Quota));
    assert!(retry_after(&refused).unwrap() <= Duration::from_mins(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_the_busy_prover_refuses_has_its_last_passes_and_is_told_when_to_renew() {
    let prover = Checking {
        delay: Duration::from_millis(300),
    };
    let mut wish = Wish {
        prover: Arc::new(prover),
        ..Wish::default()
    };
    wish.proving.queue_len = 8;
    wish.proving.wait_ms = 2_000;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let mut others = Vec::new();
    for number in 2..6 {
        others.push(Phone::registered(house, number).await);
    }
    epoch(&world, 1).await;
    let last = request(2, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &last).await.unwrap();
    let passes = make(&mut phone, &last).await.unwrap().passes;
    assert_eq!(passes.len(), 2);

    world.advance_to(crate::world::START + 1_440);
    epoch(&world, 2).await;
    for other in &mut others[..2] {
        let body = request(4, Colour::Green, TestAge::NotAsked, "");
        ask(other, &body).await.unwrap();
        let call: r::MakeCodeRequest = other.sign(&r::MakeCode {
            use_id: body.use_id,
        });
        let mut client = other.client.clone();
        tokio::spawn(async move { client.make_code(call).await });
    }
    tokio::time::sleep(Duration::from_millis(150)).await;

    let mut waits = std::collections::BTreeSet::new();
    for other in &mut others[2..] {
        for _ in 0..3 {
            let body = request(4, Colour::Green, TestAge::NotAsked, "");
            ask(other, &body).await.unwrap();
            let busy = make(other, &body).await.unwrap_err();
            assert_eq!(reason_of(&busy), Some(Reason::ProverBusy));
            waits.insert(retry_after(&busy).unwrap());
        }
    }
    assert!(
        waits.len() >= 4,
        "they do not come back together: {waits:?}"
    );
    // No prover is needed for what was proved.
    let begun = Instant::now();
    assert_eq!(make(&mut phone, &last).await.unwrap().passes, passes);
    assert!(begun.elapsed() < Duration::from_millis(250));
}

#[tokio::test(flavor = "multi_thread")]
async fn renewals_are_spread_over_devices_and_the_same_for_each() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phones = Vec::new();
    for number in 1..21 {
        phones.push(Phone::registered(house, number).await);
    }
    epoch(&world, 1).await;
    let mut delays = Vec::new();
    for phone in &mut phones {
        let body = request(1, Colour::Green, TestAge::NotAsked, "");
        let mut said = Vec::new();
        for _ in 0..2 {
            let call: r::RequestUseRequest = phone.sign(&body);
            let answer = phone.client.request_use(call).await.unwrap();
            said.push(answer.into_inner().renew_delay_s);
        }
        assert_eq!(said[0], said[1]);
        delays.push(said[0]);
    }
    assert!(delays.iter().all(|delay| *delay < 3_600));
    let early = delays.iter().filter(|delay| **delay < 1_800).count();
    assert!((3..=17).contains(&early), "{delays:?}");
}
