//! Bad input at a node's doors: each gets its stable reason, and nothing changes.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use federation::pki::{DemoAuthority, Validity};
use federation::{Credentials, FederationId, PeerId, Role, TlsIdentity};
use rules::{Claim, EventBody, SourceKind, TestAge, TestResult, WorstColour};
use tests::{Holder, PROVINCES, Person, Plan, World, fresh_id, peer, province, refusal};
use tonic::{Code, Status};
use wire::federation::v1 as fed;
use wire::operator::v1 as op;
use wire::resident::v1 as res;
use wire::source::v1 as src;

use crate::NODE;

const HOME: u8 = 33;

type Damage = fn(&mut res::DeclareHealthRequest);

fn one_node(residents: u16) -> World {
    let mut world = World::prepare(Plan::new(NODE, residents));
    world.start_node(HOME);
    world
}

async fn counts(world: &World) -> (u64, u64, u32) {
    let answer = world
        .operator(HOME)
        .get_status(op::GetStatusRequest {})
        .await;
    let status = answer.unwrap().into_inner();
    (status.residents, status.events, status.closed_epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resident_s_messages_that_are_malformed_oversized_or_of_another_version_change_nothing() {
    let world = one_node(2);
    let now = world.now();
    let mut device = world.device(&Person::of(HOME, 1));
    device.register(now).await.unwrap();
    let before = counts(&world).await;
    let day = u32::from(now.day().get());
    let check_in = |day| res::DeclareHealth {
        event_id: fresh_id().to_vec(),
        day,
        symptoms: res::Symptoms::None.into(),
    };
    let damages: [(&str, Damage); 8] = [
        ("MALFORMED", |r| r.auth = None),
        ("MALFORMED", |r| auth(r).auth.truncate(60)),
        ("TOO_LARGE", |r| auth(r).auth.resize(193, 1)),
        ("UNKNOWN_VERSION", |r| auth(r).auth[0] = 2),
        ("MALFORMED", |r| auth(r).signature.truncate(63)),
        ("TOO_LARGE", |r| r.body.resize(4_097, 0)),
        ("BAD_SIGNATURE", |r| r.body[3] ^= 1),
        ("BAD_SIGNATURE", |r| auth(r).signature[9] ^= 1),
    ];
    for (expected, damage) in damages {
        let mut request: res::DeclareHealthRequest = device.sign(&check_in(day), now);
        damage(&mut request);
        assert_eq!(
            refusal(device.client.declare_health(request).await),
            expected
        );
    }
    for (expected, body) in [
        (
            "MALFORMED",
            res::DeclareHealth {
                symptoms: 0,
                ..check_in(day)
            },
        ),
        (
            "MALFORMED",
            res::DeclareHealth {
                event_id: vec![1; 15],
                ..check_in(day)
            },
        ),
        ("EVENT_REFUSED", check_in(day + 1)),
        ("EVENT_REFUSED", check_in(day - 2)),
    ] {
        let request: res::DeclareHealthRequest = device.sign(&body, now);
        assert_eq!(
            refusal(device.client.declare_health(request).await),
            expected
        );
    }
    for at in [-11, 11] {
        let at = now.saturating_add_signed(at);
        assert_eq!(
            refusal(device.declare_health(now.day(), at).await),
            "CLOCK_SKEW"
        );
    }
    let unknown_set = device.query("xx-1999-01", now).await;
    assert_eq!(refusal(unknown_set), "UNKNOWN_RULE_SET");
    let green = Claim {
        worst: WorstColour::Green,
        test_age: TestAge::NotAsked,
    };
    let too_early = device.passes(green, "", &[Holder::new()], now).await.err();
    assert_eq!(refusal::<()>(Err(too_early.unwrap())), "NOT_COMMITTED");
    assert_eq!(counts(&world).await, before);
    device.declare_health(now.day(), now).await.unwrap();
    assert_eq!(counts(&world).await, (before.0, before.1 + 1, before.2));
}

fn auth(request: &mut res::DeclareHealthRequest) -> &mut res::RequestAuth {
    request.auth.as_mut().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_identity_numbers_and_area_codes_and_strangers_are_refused() {
    let world = one_node(1);
    let now = world.now();
    let person = Person::of(HOME, 1);
    let mut device = world.device(&person);
    let register = |number: String, name: &str| res::Register {
        device_key: wire::DeviceKey::of(&person.device).to_bytes().to_vec(),
        identity_number: number,
        name: name.to_owned(),
        real_name_evidence: Vec::new(),
        forget_other_devices: false,
    };
    let mut other_check = person.number_text();
    let last = if other_check.ends_with('1') { "2" } else { "1" };
    other_check.replace_range(17.., last);
    for (expected, number, name) in [
        ("BAD_IDENTITY_NUMBER", other_check, "x"),
        ("BAD_IDENTITY_NUMBER", "11010519491331002X".to_owned(), "x"),
        ("BAD_IDENTITY_NUMBER", "not a number".to_owned(), "x"),
        ("REAL_NAME_REFUSED", person.number_text(), "x"),
        (
            "REAL_NAME_REFUSED",
            Person::of(35, 1).number_text(),
            "测试351",
        ),
        ("MALFORMED", person.number_text(), ""),
        ("TOO_LARGE", person.number_text(), &"长".repeat(33)),
    ] {
        let request: res::RegisterRequest = device.sign(&register(number, name), now);
        assert_eq!(refusal(device.client.register(request).await), expected);
    }
    assert_eq!(counts(&world).await, (0, 0, 0));
    assert_eq!(refusal(device.query("", now).await), "UNKNOWN_DEVICE");

    device.register(now).await.unwrap();
    for (area, site) in [
        (1_000_000_000, 0),
        (990_102_000, 0),
        (102_000, 0),
        (330_102_001, 131_072),
    ] {
        let body = res::DeclareTrip {
            event_id: fresh_id().to_vec(),
            area_nine_digit: area,
            site,
            begin_minute: now.get() - 60,
            end_minute: None,
        };
        let request: res::DeclareTripRequest = device.sign(&body, now);
        let refused = device.client.declare_trip(request).await;
        assert_eq!(refusal(refused), "BAD_AREA_CODE", "{area}/{site}");
    }
    assert_eq!(counts(&world).await, (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_over_the_limit_and_bytes_that_are_no_message_leave_the_doors_open() {
    let world = one_node(1);
    let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
    let event = laboratory.event(
        Person::of(HOME, 1).number,
        world.now(),
        EventBody::Test {
            sampled_at: world.now(),
            result: TestResult::Negative,
        },
    );
    let good = laboratory.sign(&event);
    let huge = src::SignedEvent {
        event: vec![1; wire::MAX_MESSAGE_BYTES],
        ..good.clone()
    };
    // A client without the limit on its own side.
    let channel = as_role(&world, HOME, Role::Source(SourceKind::Laboratory, 1));
    let mut careless = src::source_service_client::SourceServiceClient::new(channel);
    let request = src::SubmitEventsRequest { events: vec![huge] };
    let refused = careless.submit_events(request).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    let many = laboratory.offer(vec![good.clone(); 257]).await;
    assert_eq!(refusal(many), "TOO_LARGE");
    let mut other_version = good.clone();
    other_version.event[0] = 2;
    let mut longer = good.clone();
    longer.event.push(0);
    let mut unsigned = good.clone();
    unsigned.signature.clear();
    // Each is judged by itself: the good one among them counts.
    let answers = laboratory
        .offer(vec![other_version, longer, unsigned, good])
        .await;
    let expected = ["unknown-version", "malformed", "malformed", "accepted"];
    assert_eq!(answers.unwrap(), expected);

    let doors: [SocketAddr; 2] = [world.node(HOME).peers, world.node(HOME).public];
    for door in doors {
        for noise in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &[0xff; 9_000],
            b"\x16\x03\x01\xff\xff",
        ] {
            let mut stream = TcpStream::connect(door).unwrap();
            let _ = stream.write_all(noise);
        }
    }
    assert_eq!(counts(&world).await, (1, 1, 0));
    world
        .device(&Person::of(HOME, 1))
        .register(world.now())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_role_province_or_federation_does_nothing() {
    let world = one_node(1);
    let close = op::CloseEpochRequest {
        epoch: 1,
        as_of_minute: world.now().get(),
    };
    let head = fed::GetTreeHeadRequest { epoch: 1 };
    let laboratory = Role::Source(SourceKind::Laboratory, 1);
    for (code, role) in [
        (HOME, Role::Node),
        (HOME, laboratory),
        (HOME, Role::Checkpoint),
        (35, Role::Operator),
    ] {
        let channel = as_role(&world, code, role);
        let refused = wire::client::operator(channel).close_epoch(close).await;
        assert_eq!(refusal(refused), "ROLE_REFUSED", "{role:?}");
    }
    // A node of a province that the root document does not name is no member, whatever its certificate says.
    for (code, role) in [
        (HOME, laboratory),
        (HOME, Role::Checkpoint),
        (HOME, Role::Operator),
        (36, Role::Node),
    ] {
        let channel = as_role(&world, code, role);
        let refused = wire::client::federation(channel).get_tree_head(head).await;
        assert_eq!(refusal(refused), "ROLE_REFUSED", "{role:?}");
    }
    for role in [Role::Node, Role::Checkpoint, Role::Operator] {
        let channel = as_role(&world, HOME, role);
        let events = src::SubmitEventsRequest::default();
        let refused = wire::client::source(channel).submit_events(events).await;
        assert_eq!(refusal(refused), "ROLE_REFUSED", "{role:?}");
    }
    let public = peer::public_channel(&world, HOME);
    let refused = wire::client::operator(public).close_epoch(close).await;
    assert_eq!(refusal(refused), "ROLE_REFUSED");

    for stranger in [foreign(&world), world.anonymous()] {
        let channel = peer::channel(&world, stranger, HOME);
        let refused: Status = wire::client::operator(channel)
            .close_epoch(close)
            .await
            .unwrap_err();
        // The connection ends in the handshake; the node answers nothing.
        assert!(refused.code() != Code::Ok && refused.details().is_empty());
        assert_eq!(wire::reason_of(&refused), None);
    }
    assert_eq!(counts(&world).await, (0, 0, 0));
    for code in PROVINCES {
        let channel = as_role(&world, code, Role::Node);
        let answer = wire::client::federation(channel).get_tree_head(head).await;
        assert_eq!(refusal(answer), "UNKNOWN_EPOCH", "{code}");
    }
}

fn as_role(world: &World, code: u8, role: Role) -> tonic::transport::Channel {
    let identity = PeerId {
        federation: world.federation.clone(),
        province: province(code),
        role,
    };
    peer::channel(world, world.credentials(&identity), HOME)
}

/// An operator of Zhejiang, but of a federation of its own making that calls itself the same.
fn foreign(world: &World) -> Arc<dyn Credentials> {
    let validity = Validity {
        from_s: 1_577_836_800,
        until_s: 4_102_444_800,
    };
    let name = FederationId::new(world.federation.as_str()).unwrap();
    let authority = DemoAuthority::generate_for_demo(&name, validity).unwrap();
    let identity = PeerId {
        federation: name,
        province: province(HOME),
        role: Role::Operator,
    };
    let own = authority.issue_for_demo(&identity).unwrap();
    let roots = std::fs::read_to_string(world.dir().join("federation.pem")).unwrap();
    let material = TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &roots);
    Arc::new(Arc::new(material.unwrap()))
}
