//! A resident leaves: what is erased, who may, and what a leaver cannot get away from.

use node::store::{Store as _, Table};
use rules::{ContactDegree, EventBody, SourceKind};
use tonic::Status;
use verifier::Pass;
use wire::operator::v1::AssembleRegistryRequest;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::source::v1::ForwardedState;
use wire::{Reason, reason_of};

use crate::clients::{Phone, accepted, event, fresh, operator};
use crate::forward::{confirm, hand_in, list, until};
use crate::passes::{ask, epoch, make, negative, request};
use crate::retention::DAY;
use crate::world::{House, START, Wish, World, minute, name, person, province, source};

const RULES: &str = "fj-2022-08";
/// Tables whose rows are a resident's own, and those that lead to them.
const OWN: [Table; 12] = [
    Table::Residents,
    Table::Devices,
    Table::Events,
    Table::Uses,
    Table::Passes,
    Table::Limits,
    Table::Cases,
    Table::Reads,
    Table::Waiting,
    Table::Proxies,
    Table::ProxyKeys,
    Table::Committed,
];

pub(crate) async fn leave(phone: &mut Phone) -> Result<(), Status> {
    let call: r::LeaveRequest = phone.sign(&r::Leave {});
    phone.client.leave(call).await.map(|_| ())
}

async fn refusal(phone: &mut Phone) -> Option<Reason> {
    reason_of(&leave(phone).await.unwrap_err())
}

pub(crate) fn rows(house: &House) -> Vec<usize> {
    let count = |table| {
        house
            .store
            .scan(table, b"", None, usize::MAX)
            .unwrap()
            .len()
    };
    OWN.map(count).to_vec()
}

async fn contact(house: &House, number: u16, at: u32) {
    let body = EventBody::Contact {
        degree: ContactDegree::Close,
        last_contact_at: minute(at),
        province: province(house.home),
    };
    let cdc = source(house.home, SourceKind::Cdc);
    accepted(
        house,
        &event(person(house.home, number), cdc, minute(at), body),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_erased_with_all_passes_and_may_come_back_as_somebody_unknown() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut stays = Phone::registered(house, 2).await;
    negative(house, 2, START - 60).await;
    epoch(&world, 1).await;
    let without = rows(house);
    let mut phone = Phone::registered(house, 1).await;
    negative(house, 1, START - 60).await;
    world.advance_to(START + 20);
    world.close_epoch(2);
    let assemble = AssembleRegistryRequest { epoch: 2 };
    operator(house).assemble_registry(assemble).await.unwrap();
    let body = request(1, Colour::Green, TestAge::NotAsked, "");
    ask(&mut phone, &body).await.unwrap();
    let pass = make(&mut phone, &body).await.unwrap().passes.remove(0);

    leave(&mut phone).await.unwrap();
    let mut found = rows(house);
    // The other's record is committed once more in the newer epoch, as it was in the older.
    *found.last_mut().unwrap() = *without.last().unwrap();
    assert_eq!(found, without);
    assert_eq!(
        reason_of(&phone.query("").await.unwrap_err()),
        Some(Reason::UnknownDevice)
    );
    assert_eq!(refusal(&mut phone).await, Some(Reason::UnknownDevice));
    assert_eq!(stays.query(RULES).await.unwrap().colour(), Colour::Green);

    world.advance_to(START + 40);
    operator(house).assemble_registry(assemble).await.unwrap();
    let h = Pass::from_bytes(&pass.pass).unwrap().h;
    assert!(house.node.trust_list().unwrap().is_revoked(h));

    phone.register(&name(1)).await.unwrap();
    let known = phone.query(RULES).await.unwrap();
    assert_eq!(
        (known.reasons.len(), known.newest_negative_minute),
        (0, None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_is_no_way_out_of_a_colour_nor_of_a_stay_that_may_yet_be_listed() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[1];
    let mut ill = Phone::registered(house, 1).await;
    let mut away = Phone::registered(house, 2).await;
    contact(house, 1, START - 60).await;
    let stay = r::DeclareTrip {
        event_id: fresh().to_vec(),
        area_nine_digit: 350_102_001,
        site: 0,
        begin_minute: START - 120,
        end_minute: Some(START - 60),
    };
    let call: r::DeclareTripRequest = away.sign(&stay);
    away.client.declare_trip(call).await.unwrap();
    let before = rows(house);
    for phone in [&mut ill, &mut away] {
        assert_eq!(refusal(phone).await, Some(Reason::GroundOpen));
    }
    assert_eq!(rows(house), before, "nothing has changed");
    assert!(!ill.query(RULES).await.unwrap().reasons.is_empty());

    // A stay leaves by its days; a ground that only tests or a release close does not.
    world.advance_to(START + 60 * DAY);
    leave(&mut away).await.unwrap();
    assert_eq!(refusal(&mut ill).await, Some(Reason::GroundOpen));
    assert_eq!(rows(house)[0], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_does_not_get_away_from_what_another_province_is_about_to_confirm() {
    let world = World::new(Wish::default()).await;
    let (home, away) = (&world.houses[0], &world.houses[1]);
    let mut phone = Phone::registered(home, 1).await;
    let listed = list(1, START - 30);
    assert_eq!(hand_in(away, &listed, 33).await, "forwarded");
    until(away, &listed, ForwardedState::Waiting).await;
    assert_eq!(phone.query(RULES).await.unwrap().colour(), Colour::Green);
    assert_eq!(refusal(&mut phone).await, Some(Reason::GroundOpen));
    confirm(away, &listed).await;
    until(away, &listed, ForwardedState::Accepted).await;
    assert_eq!(phone.query(RULES).await.unwrap().colour(), Colour::Yellow);
    assert_eq!(refusal(&mut phone).await, Some(Reason::GroundOpen));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_and_comes_back_a_third_time_within_a_day() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    for _ in 0..2 {
        leave(&mut phone).await.unwrap();
        phone.register(&name(1)).await.unwrap();
    }
    assert_eq!(refusal(&mut phone).await, Some(Reason::Quota));
    phone.query(RULES).await.unwrap();
    world.advance_to(START + DAY);
    leave(&mut phone).await.unwrap();
}
