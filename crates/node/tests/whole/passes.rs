//! Passes: who gets them, who is told why not, and what a full queue says.

use std::sync::Arc;
use std::time::Duration;

use p256::ecdsa::SigningKey;
use p256::ecdsa::signature::Signer as _;
use rules::{EventBody, SourceKind, TestResult};
use tonic_types::StatusExt as _;
use verifier::{
    Gate, GateMemory, Moment, Pass, Presented, Showing, Specimens, UnixTime, Verdict, verify,
};
use wire::pass::v1::{BinderKind, Claim, Colour, TestAge};
use wire::resident::v1 as r;
use wire::{Reason, reason_of, retry_after};

use crate::clients::{Phone, accepted, event, fresh, full_list, operator};
use crate::provers::{Checking, REAL, real_entry};
use crate::world::{House, START, Wish, World, minute, person, province, rule, source};

fn holder(number: u8) -> SigningKey {
    SigningKey::from_slice(&[number; 32]).unwrap()
}

fn holder_keys(count: u8) -> Vec<Vec<u8>> {
    let key = |n| verifier::HolderKey::from(*holder(n).verifying_key());
    (1..=count).map(|n| key(n).to_bytes().to_vec()).collect()
}

pub(crate) fn request(
    count: u8,
    worst: Colour,
    test_age: TestAge,
    rule_set: &str,
) -> r::RequestUse {
    r::RequestUse {
        use_id: fresh().to_vec(),
        claim: Some(Claim {
            worst: worst.into(),
            test_age: test_age.into(),
        }),
        rule_set_id: rule_set.to_owned(),
        binder_kind: BinderKind::Device.into(),
        holder_keys: holder_keys(count),
    }
}

pub(crate) async fn ask(phone: &mut Phone, body: &r::RequestUse) -> Result<u32, tonic::Status> {
    let call: r::RequestUseRequest = phone.sign(body);
    Ok(phone.client.request_use(call).await?.into_inner().passes)
}

pub(crate) async fn make(
    phone: &mut Phone,
    body: &r::RequestUse,
) -> Result<r::MakeCodeResponse, tonic::Status> {
    let use_id = body.use_id.clone();
    let call: r::MakeCodeRequest = phone.sign(&r::MakeCode { use_id });
    let answer = phone.client.make_code(call).await?.into_inner();
    match &answer.refusal {
        Some(refusal) => Err(wire::refused(refusal)),
        None => Ok(answer),
    }
}

/// Closes an epoch everywhere and has its registry assembled.
pub(crate) async fn epoch(world: &World, number: u32) {
    world.close_epoch(number);
    let request = wire::operator::v1::AssembleRegistryRequest { epoch: number };
    let mut client = operator(&world.houses[0]);
    client.assemble_registry(request).await.unwrap();
}

pub(crate) async fn negative(house: &House, number: u16, at: u32) {
    let body = EventBody::Test {
        sampled_at: minute(at),
        result: TestResult::Negative,
    };
    let lab = source(house.home, SourceKind::Laboratory);
    accepted(
        house,
        &event(person(house.home, number), lab, minute(at), body),
    )
    .await;
}

pub(crate) async fn confirmed(house: &House, number: u16) {
    let body = EventBody::Case {
        kind: rules::CaseKind::Confirmed,
        at: minute(START - 60),
        province: province(house.home),
    };
    let cdc = source(house.home, SourceKind::Cdc);
    accepted(
        house,
        &event(person(house.home, number), cdc, minute(START - 60), body),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_green_resident_fetches_passes_once_made_as_often_as_asked() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    negative(house, 1, START - 60).await;
    let body = request(3, Colour::Green, TestAge::Hours24, "fj-2022-08");
    let refused = ask(&mut phone, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::NotCommitted));
    epoch(&world, 1).await;
    assert_eq!(ask(&mut phone, &body).await.unwrap(), 3);
    assert_eq!(ask(&mut phone, &body).await.unwrap(), 3);
    let made = make(&mut phone, &body).await.unwrap();
    assert_eq!(made.state(), r::MakeCodeState::Ready);
    assert_eq!(made.passes.len(), 3);
    for (issued, key) in made.passes.iter().zip(&body.holder_keys) {
        let pass = Pass::from_bytes(&issued.pass).unwrap();
        assert_eq!(pass.holder.key().unwrap().to_bytes()[..], key[..]);
        let secret: [u8; 16] = issued.revocation_secret[..].try_into().unwrap();
        assert_eq!(pass.h.0, commitment::revocation_hash(&secret));
    }
    assert_eq!(make(&mut phone, &body).await.unwrap(), made);
    let mut other = body.clone();
    other.holder_keys.pop();
    let refused = ask(&mut phone, &other).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::IdReused));
    let unknown = request(1, Colour::Green, TestAge::NotAsked, "");
    let refused = make(&mut phone, &unknown).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::NotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_told_how_long_a_pass_is_good_and_under_which_rules_it_can_be_had() {
    let world = World::new(Wish::default()).await;
    let mut phone = Phone::registered(&world.houses[0], 1).await;
    epoch(&world, 1).await;
    let home = phone.client.get_home(r::GetHomeRequest {}).await.unwrap();
    let terms = home.into_inner().pass_terms.unwrap();
    assert_eq!((terms.epoch, terms.as_of_minute), (1, START));
    assert_eq!(terms.pass_age_max_min, rule().pass_age_max_min);
    assert_eq!(terms.card_pass_age_max_min, rule().card_pass_age_max_min);
    assert!(terms.rule_set_ids.len() > 1, "{:?}", terms.rule_set_ids);
    for name in &terms.rule_set_ids {
        let body = request(1, Colour::Green, TestAge::NotAsked, name);
        assert_eq!(ask(&mut phone, &body).await.unwrap(), 1, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_red_resident_gets_no_pass_and_is_told_every_rule() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let mut phone = Phone::registered(house, 1).await;
    confirmed(house, 1).await;
    epoch(&world, 1).await;
    let body = request(1, Colour::Yellow, TestAge::Hours48, "fj-2022-08");
    ask(&mut phone, &body).await.unwrap();
    let refused = make(&mut phone, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ClaimNotSupported));
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata["rules"], "R1");
    assert_eq!(info.metadata["test_too_old"], "true");
    assert!(!refused.message().contains("R1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_that_is_too_old_is_named_as_the_cause() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    negative(house, 1, START - 24 * 60 - 1).await;
    epoch(&world, 1).await;
    let body = request(1, Colour::Green, TestAge::Hours24, "");
    ask(&mut phone, &body).await.unwrap();
    let refused = make(&mut phone, &body).await.unwrap_err();
    let info = refused.get_details_error_info().unwrap();
    assert_eq!(info.metadata["rules"], "");
    assert_eq!(info.metadata["test_too_old"], "true");
    let body = request(1, Colour::Green, TestAge::Hours48, "");
    ask(&mut phone, &body).await.unwrap();
    assert_eq!(make(&mut phone, &body).await.unwrap().passes.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_after_an_epoch_makes_no_pass_of_it_though_it_is_not_committed() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    epoch(&world, 1).await;
    confirmed(house, 1).await;
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    let refused = make(&mut phone, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ClaimNotSupported));
    world.advance_to(START + 600);
    epoch(&world, 2).await;
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    let refused = make(&mut phone, &body).await.unwrap_err();
    assert_eq!(reason_of(&refused), Some(Reason::ClaimNotSupported));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_says_when_to_come_again_and_a_slow_one_that_passes_are_under_way() {
    let prover = Checking {
        delay: Duration::from_millis(400),
    };
    let mut wish = Wish {
        prover: Arc::new(prover),
        ..Wish::default()
    };
    wish.proving.queue_len = 4;
    wish.proving.wait_ms = 100;
    let world = World::new(wish).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    let mut other = Phone::registered(house, 2).await;
    epoch(&world, 1).await;
    let first = request(4, Colour::Green, TestAge::NotAsked, "");
    let second = request(4, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &first).await.unwrap();
    ask(&mut other, &second).await.unwrap();
    let pending = make(&mut phone, &first).await.unwrap();
    assert_eq!(pending.state(), r::MakeCodeState::Pending);
    assert!(pending.retry_after_ms > 0 && pending.passes.is_empty());
    let busy = make(&mut other, &second).await.unwrap_err();
    assert_eq!(reason_of(&busy), Some(Reason::ProverBusy));
    assert!(retry_after(&busy).is_some_and(|wait| !wait.is_zero()));
    for (phone, body) in [(&mut phone, &first), (&mut other, &second)] {
        let mut made = Vec::new();
        for _ in 0..100 {
            match make(phone, body).await {
                Ok(answer) if answer.state() == r::MakeCodeState::Ready => {
                    made = answer.passes;
                    break;
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
        assert_eq!(made.len(), 4);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_nobody_waits_for_are_not_begun() {
    let prover = Checking {
        delay: Duration::from_millis(300),
    };
    let world = World::new(Wish {
        prover: Arc::new(prover),
        ..Wish::default()
    })
    .await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    epoch(&world, 1).await;
    let body = request(8, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    let impatient = tokio::time::timeout(Duration::from_millis(450), make(&mut phone, &body));
    assert!(impatient.await.is_err());
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(house.node.proofs_queued(), 0);
    assert!(house.node.proof_times().made() <= 3);
    assert_eq!(make(&mut phone, &body).await.unwrap().passes.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_requests_a_limited_number_of_passes_in_an_epoch() {
    let mut wish = Wish::default();
    wish.limits.passes_per_epoch = 5;
    let world = World::new(wish).await;
    let mut phone = Phone::registered(&world.houses[0], 1).await;
    epoch(&world, 1).await;
    let body = request(4, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    let body = request(2, Colour::Green, TestAge::NotAsked, "");
    assert!(ask(&mut phone, &body).await.is_err());
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pass_of_the_real_prover_is_accepted_at_a_gate_of_another_province() {
    let world = World::new(Wish {
        prover: REAL.clone(),
        circuit: real_entry(),
        ..Wish::default()
    })
    .await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    negative(house, 1, START - 60).await;
    epoch(&world, 1).await;
    let body = request(1, Colour::Green, TestAge::Hours24, "fj-2022-08");
    ask(&mut phone, &body).await.unwrap();
    let mut made = make(&mut phone, &body).await.unwrap();
    while made.state() != r::MakeCodeState::Ready {
        made = make(&mut phone, &body).await.unwrap();
    }
    let pass = Pass::from_bytes(&made.passes[0].pass).unwrap();
    let now = UnixTime::from_s(u64::from(START + 30) * 60);
    let moment = Moment {
        slot: now.slot(),
        challenge: None,
    };
    let signature: p256::ecdsa::Signature = holder(1).sign(&moment.signing_bytes(&pass));
    let signature = signature.to_bytes().into();
    let showing = Showing::of_device(pass, moment, &signature).unwrap();
    let bundle = house.node.trust_list().unwrap().to_bytes().to_vec();
    let list = full_list(&house.node, &bundle, now);
    let mut gate = Gate::new(province(35), rule());
    gate.specimens = Specimens::Admitted;
    let mut memory = GateMemory::starting_at(now);
    let verdict = verify(&Presented::plain(&showing), &list, &gate, now, &mut memory);
    assert!(matches!(verdict, Verdict::Accept(_)), "{verdict:?}");
}
