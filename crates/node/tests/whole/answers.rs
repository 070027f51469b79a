//! What an answer gives away to whoever sees only its length and its moment: whether there was a pass, or why not.

use std::sync::Arc;
use std::time::Duration;

use node::store::{Store, Table};
use node::{Node, resident_service};
use prost::Message as _;
use rules::{EventBody, SourceKind};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, pause};
use tonic::{Code, Request};
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::resident::v1::resident_service_server::ResidentService;
use wire::{Reason, reason_of};

use crate::clients::{Phone, accepted, event};
use crate::passes::{ask, confirmed, epoch, negative, request};
use crate::provers::Checking;
use crate::world::{House, START, Wish, World, minute, person, province, source};

const QUANTUM: Duration = Duration::from_secs(2);
const SET: &str = "fj-2022-08";

/// Residents of one house: 1 is green, 2 yellow, 3 red, and 4 green without a test.
pub(crate) struct Street {
    world: World,
    pub(crate) phones: Vec<Phone>,
}

impl Street {
    pub(crate) async fn new(wish: Wish) -> Self {
        let world = World::new(wish).await;
        let house = &world.houses[1];
        let mut phones = Vec::new();
        for number in 1..=4 {
            phones.push(Phone::registered(house, number).await);
        }
        for number in 1..=3 {
            negative(house, number, START - 60).await;
        }
        // A close contact is yellow from the eighth day to the tenth.
        let contact = EventBody::Contact {
            degree: rules::ContactDegree::Close,
            last_contact_at: minute(START - 9 * 1_440),
            province: province(35),
        };
        let cdc = source(35, SourceKind::Cdc);
        let contact = event(person(35, 2), cdc, minute(START - 60), contact);
        accepted(house, &contact).await;
        confirmed(house, 3).await;
        epoch(&world, 1).await;
        Self { world, phones }
    }

    pub(crate) fn house(&self) -> &House {
        &self.world.houses[1]
    }

    /// The same request of each resident: not yellow, not red, and tested within two days.
    async fn asked(&mut self, passes: u8) -> Vec<r::RequestUse> {
        let mut bodies = Vec::new();
        for phone in &mut self.phones {
            let body = request(passes, Colour::Green, TestAge::Hours48, SET);
            ask(phone, &body).await.unwrap();
            bodies.push(body);
        }
        bodies
    }

    fn call(&self, resident: usize, body: &r::RequestUse) -> Request<r::MakeCodeRequest> {
        let use_id = body.use_id.clone();
        Request::new(self.phones[resident].sign(&r::MakeCode { use_id }))
    }

    /// Lets the stopped clock stand until another pass or refusal is written: the runtime moves it on only while no
    /// thread is at work, and it does not know of the proving threads.
    fn hold_clock(&self) {
        let (node, store) = (
            Arc::clone(&self.house().node),
            Arc::clone(&self.house().store),
        );
        let before = rows(&*store);
        drop(spawn_blocking(move || {
            while rows(&*store) == before || node.uses_under_way() > 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }));
    }
}

/// Passes and refusals in a store.
fn rows(store: &dyn Store) -> usize {
    let count = |table| store.scan(table, b"", None, 1_000).unwrap().len();
    count(Table::Passes) + count(Table::Refusals)
}

fn service(house: &House) -> impl ResidentService + use<> {
    resident_service(Arc::clone(&house.node))
}

/// Answers on a coarse grid, by a prover that takes so long.
fn coarse(delay: Duration) -> Wish {
    let mut wish = Wish {
        prover: Arc::new(Checking { delay }),
        ..Wish::default()
    };
    wish.proving.answer_quantum_ms = 2_000;
    wish.proving.wait_ms = 7_000;
    wish
}

/// A call that came at `began` is answered now, and that is at the point `after`: to the millisecond, up to which the
/// runtime rounds its timers.
fn assert_at(began: Instant, after: Duration, resident: usize) {
    let late = began.elapsed().checked_sub(after);
    assert!(
        late.is_some_and(|late| late <= Duration::from_millis(1)),
        "resident {resident}: {:?}",
        began.elapsed()
    );
}

fn proofs(node: &Node) -> u64 {
    node.proof_times().made()
}

#[tokio::test]
async fn a_pass_and_every_refusal_leave_at_the_first_point_with_one_length() {
    let mut street = Street::new(coarse(Duration::ZERO)).await;
    let bodies = street.asked(1).await;
    let service = service(street.house());
    pause();
    let (mut states, mut bare_lens) = (Vec::new(), Vec::new());
    // The second time nothing is to be made any more.
    for is_first in [true, false] {
        for (resident, body) in bodies.iter().enumerate() {
            let call = street.call(resident, body);
            if is_first {
                street.hold_clock();
            }
            let began = Instant::now();
            let answer = service.make_code(call).await.unwrap();
            assert_at(began, QUANTUM, resident);
            assert!(answer.metadata().is_empty());
            let answer = answer.into_inner();
            assert_eq!(answer.encode_to_vec().len(), 8_192, "resident {resident}");
            bare_lens.push(answer.encoded_len() - answer.padding.len());
            states.push((answer.state(), answer.refusal.clone()));
        }
    }
    let refused = |rules: &[&str], test_too_old| {
        let rule_ids = rules.iter().map(ToString::to_string).collect();
        let refusal = r::Refusal {
            rule_ids,
            test_too_old,
        };
        (r::MakeCodeState::Refused, Some(refusal))
    };
    let expected = [
        (r::MakeCodeState::Ready, None),
        refused(&["R3"], false),
        refused(&["R1"], false),
        refused(&[], true),
    ];
    assert_eq!(states[..4], expected);
    assert_eq!(states[4..], expected);
    // Without the padding each of them would show.
    println!("MakeCode before padding, by resident: {bare_lens:?} bytes");
    assert!(bare_lens[1..4].iter().all(|len| *len != bare_lens[0]));
    assert_eq!(proofs(&street.house().node), 1);
}

#[tokio::test]
async fn while_proving_is_slow_a_refusal_is_pending_as_long_as_a_pass() {
    let mut street = Street::new(coarse(Duration::from_millis(300))).await;
    let (first, second) = (street.asked(1).await, street.asked(1).await);
    let service = service(street.house());
    pause();
    // How long a proof takes is known after the first.
    street.hold_clock();
    let answer = service.make_code(street.call(0, &first[0])).await.unwrap();
    assert_eq!(answer.into_inner().state(), r::MakeCodeState::Ready);
    for (resident, body) in second.iter().enumerate() {
        let began = Instant::now();
        let answer = service
            .make_code(street.call(resident, body))
            .await
            .unwrap();
        // Seven seconds of waiting, up to the next point.
        assert_at(began, 4 * QUANTUM, resident);
        let answer = answer.into_inner();
        assert_eq!(answer.state(), r::MakeCodeState::Pending);
        assert_eq!(answer.encode_to_vec().len(), 8_192);
    }
}

#[tokio::test]
async fn a_refusal_finds_a_full_queue_as_full_as_a_pass_does() {
    let mut wish = Wish::default();
    wish.proving.queue_len = 1;
    let mut street = Street::new(wish).await;
    let bodies = street.asked(2).await;
    let service = service(street.house());
    for (resident, body) in bodies.iter().enumerate() {
        let busy = service.make_code(street.call(resident, body)).await;
        let busy = busy.unwrap_err();
        assert_eq!(reason_of(&busy), Some(Reason::ProverBusy), "{resident}");
        assert_eq!(busy.code(), Code::ResourceExhausted);
    }
    assert_eq!(rows(&*street.house().store), 0);
}

#[tokio::test]
async fn a_refusal_is_kept_with_its_use_and_outlives_the_epoch_as_passes_do() {
    let mut street = Street::new(Wish::default()).await;
    let bodies = street.asked(1).await;
    let service = service(street.house());
    let mut before = Vec::new();
    for (resident, body) in bodies.iter().enumerate() {
        let answer = service.make_code(street.call(resident, body)).await;
        before.push(answer.unwrap().into_inner());
    }
    street.world.advance_to(START + 600);
    epoch(&street.world, 2).await;
    for ((resident, body), before) in bodies.iter().enumerate().zip(before) {
        let answer = service.make_code(street.call(resident, body)).await;
        assert!(answer.unwrap().into_inner() == before, "{resident}");
    }
}

#[tokio::test]
async fn queries_with_many_reasons_and_with_none_leave_at_the_first_point_with_one_length() {
    let street = Street::new(Wish::default()).await;
    let service = service(street.house());
    pause();
    let (mut reasons, mut bare_lens) = (Vec::new(), Vec::new());
    for (resident, phone) in street.phones.iter().enumerate() {
        let body = r::Query {
            rule_set_id: SET.to_owned(),
            ..Default::default()
        };
        let call: r::QueryRequest = phone.sign(&body);
        let began = Instant::now();
        let answer = service.query(Request::new(call)).await.unwrap();
        assert_at(began, Duration::from_millis(200), resident);
        let answer = answer.into_inner();
        assert_eq!(answer.encode_to_vec().len(), 16_000, "{resident}");
        bare_lens.push(answer.encoded_len() - answer.padding.len());
        reasons.push(answer.reasons.len());
    }
    assert_eq!(reasons, [0, 1, 1, 0]);
    println!("Query before padding, by resident: {bare_lens:?} bytes");
    assert!(bare_lens[1] > 2 * bare_lens[0] && bare_lens[2] > 2 * bare_lens[0]);
}
