//! A resident whose record is full of values that can be told apart from everything else, and everywhere that they
//! must not be found.

use std::collections::BTreeSet;
use std::path::Path;

use federation::{PeerId, Role};
use rules::{
    AreaCode, Claim, ContactDegree, Event, EventBody, IdentityNumber, Minute, SourceKind, TestAge,
    TestResult, WorstColour,
};
use tests::{
    Holder, Person, Plan, Search, Sentinels, World, event_of, minute, peer, province, show,
};
use tokio::net::TcpListener;
use tonic::Status;
use wire::audit::v1 as audit;
use wire::resident::v1 as res;

use crate::NODE;
use crate::ear::{EAR, Ear, answers_to};
use crate::relay::Relay;

pub(crate) const HOME: u8 = 33;
/// The other province with a node.
pub(crate) const OTHER: u8 = 35;
pub(crate) const NOT_RED: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::Hours24,
};

pub(crate) fn sentinel() -> Person {
    Person {
        number: IdentityNumber::assemble(330_106, (1987, 6, 5), 739).unwrap(),
        name: "司马哨兵".to_owned(),
        ..Person::of(HOME, 900)
    }
}

pub(crate) fn place() -> AreaCode {
    AreaCode::new(330_106_017, 77_731).unwrap()
}

/// Moments of the record, each with an odd minute of its own.
pub(crate) fn moments() -> [Minute; 4] {
    [
        minute("2022-08-23 19:37"),
        minute("2022-08-25 03:13"),
        minute("2022-08-27 21:59"),
        minute("2022-08-28 07:41"),
    ]
}

/// What is looked for: the person, the place, the moments and the events.
pub(crate) fn sentinels_of(person: &Person, events: &[Event]) -> Sentinels {
    let mut sentinels = Sentinels::default();
    sentinels.person(person);
    sentinels.number("place", place().packed());
    sentinels.number("area", place().nine_digit().into());
    for at in moments() {
        sentinels.moment(at);
    }
    for event in events {
        sentinels.event(event);
    }
    sentinels
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_record_is_in_passes_frames_logs_errors_or_in_plain_on_disk() {
    let mut plan = Plan::new(NODE, 2);
    plan.people.push(sentinel());
    plan.log = "trace";
    let mut world = World::prepare(plan);
    let ear = Ear::open(&world).await;
    let relays = between(&world).await;
    world.start_node(HOME);
    world.start_node(OTHER);

    let person = sentinel();
    let mut device = world.device(&person);
    device.register(world.now()).await.unwrap();
    let mut errors = Vec::new();
    let events = live(&world, &person, &mut errors).await;
    let search = sentinels_of(&person, &events).search();
    the_search_finds_what_is_there(&search, &person, &events);
    // A device's key and its name lie on disk in plain, and are not to be anywhere else.
    let on_disk = search;
    let mut sentinels = sentinels_of(&person, &events);
    sentinels.device(&person);
    let search = sentinels.search();

    world.advance(minute("2022-08-28 12:00")).await;
    let assembled = world.commit(1).await;
    assert_eq!((assembled.provinces, assembled.cosignatures), (2, 2));
    opened_to_an_auditor(&world, &person).await;
    let holders = [Holder::new(), Holder::new()];
    let passes = device.passes(NOT_RED, "", &holders, world.now()).await;
    for issued in passes.unwrap() {
        search.must_find_nothing("pass", &issued.pass);
        let text = show(&issued, world.now(), 60);
        search.must_find_nothing("QR text", text.as_str().as_bytes());
        let showing = text.showing().unwrap().to_bytes();
        search.must_find_nothing("showing", &showing);
    }
    refusals(&world, &person, &mut errors).await;
    misstatements(&world, &person, &events, &mut errors).await;
    refusals_tell_nothing(&search, &errors);

    // What nodes say to each other: all that two of them said to a third, and all that they answer when it asks.
    let heard = ear.heard();
    search.must_find_nothing("frames to a peer", &heard);
    for relay in &relays {
        exchanges_tell_nothing(&search, relay);
    }
    search.must_find_nothing("answers to a peer", &answers_to(&world, EAR).await);
    let status = world
        .operator(HOME)
        .get_status(wire::operator::v1::GetStatusRequest {})
        .await;
    let status = status.unwrap();
    assert_eq!(status.get_ref().events, 6);
    search.must_find_nothing("status", format!("{status:?}").as_bytes());
    for code in [HOME, OTHER] {
        for path in ["/metrics", "/readyz", "/livez", "/"] {
            let (_, told) = world.node(code).ask(path);
            search.must_find_nothing(path, told.as_bytes());
        }
    }

    let mut logs = Vec::new();
    for code in [HOME, OTHER] {
        let (exit, log) = world.take_node(code).terminate();
        assert_eq!(exit, Some(0));
        let log = log.bytes();
        assert!(
            log.windows(5).any(|w| w == b"TRACE"),
            "the log is not at trace level"
        );
        search.must_find_nothing("log", &log);
        logs.push(String::from_utf8_lossy(&log).into_owned());
    }
    the_logs_tell_of_each_call_by_its_id(&logs, &errors, &heard);
    let mut files = 0;
    walk(world.dir(), &mut |path, bytes| {
        files += 1;
        assert_eq!(
            on_disk.found_in(bytes),
            BTreeSet::new(),
            "{}",
            path.display()
        );
    });
    assert!(files > 20, "{files} files were looked at");
    assert!(world.data_dir(HOME).read_dir().unwrap().count() > 0);
}

/// The leaf is opened to an auditor, who is told all of it; what is written down on the way is searched with the rest.
async fn opened_to_an_auditor(world: &World, person: &Person) {
    let who = PeerId {
        federation: world.federation.clone(),
        province: province(OTHER),
        role: Role::Auditor(3),
    };
    let channel = peer::channel(world, world.credentials(&who), HOME);
    let mut client = wire::client::audit(channel);
    let asked = audit::OpenSampleRequest { epoch: 1 };
    let sample = client.open_sample(asked).await.unwrap().into_inner();
    let mut people = Vec::new();
    for way in sample.drawn {
        let asked = audit::OpenLeafRequest {
            epoch: 1,
            place: way.place,
            first_event: 0,
        };
        let opened = client.open_leaf(asked).await.unwrap().into_inner();
        people.extend(opened.resident.map(|resident| resident.identity_number));
    }
    assert_eq!(people, [person.number.expose().to_vec()]);
}

/// Neither message nor details of a refusal say anything of the record, whatever it is refused for.
fn refusals_tell_nothing(search: &Search, errors: &[Status]) {
    let reasons: BTreeSet<_> = errors
        .iter()
        .filter_map(wire::reason_of)
        .map(wire::Reason::code)
        .collect();
    assert!(reasons.len() >= 15, "{reasons:?}");
    for error in errors {
        search.must_find_nothing("refusal", format!("{error:?}").as_bytes());
        search.must_find_nothing("refusal's details", &[error.details(), b"."].concat());
    }
}

/// What two nodes have said to each other says nothing of the record.
pub(crate) fn exchanges_tell_nothing(search: &Search, relay: &Relay) {
    let (sealed, plain) = (relay.sealed.lock().unwrap(), relay.plain.lock().unwrap());
    let said = |words: &[u8]| plain.windows(words.len()).any(|w| w == words);
    // How a connection over HTTP/2 begins.
    assert!(
        said(b"PRI * HTTP/2.0") && plain.len() > 500,
        "{}",
        plain.len()
    );
    assert!(sealed.len() > plain.len());
    search.must_find_nothing("bytes on the wire", &sealed);
    search.must_find_nothing("bytes within TLS", &plain);
}

/// Whoever was refused can quote an id that stands in a log; and what one node asks of others has one id everywhere.
fn the_logs_tell_of_each_call_by_its_id(logs: &[String], errors: &[Status], heard: &[u8]) {
    let mut ids = BTreeSet::new();
    for error in errors {
        // A refused claim is an answer, of which the device itself makes an error.
        let Some(id) = error.metadata().get("x-request-id") else {
            continue;
        };
        let id = id.to_str().unwrap();
        assert!(ids.insert(id), "{id} was given twice");
        let named = format!("request={id}");
        assert!(logs.iter().any(|log| log.contains(&named)), "{named}");
    }
    assert!(ids.len() >= 6, "{} refusals", ids.len());
    let heard = String::from_utf8_lossy(heard);
    let (_, sent) = heard.split_once("\"x-request-id\": \"").unwrap();
    let named = format!("request={}", &sent[..32]);
    assert!(logs.iter().all(|log| log.contains(&named)), "{named}");
}

/// Six facts of the record, of several kinds and sources; and some that are refused.
pub(crate) async fn live(world: &World, person: &Person, errors: &mut Vec<Status>) -> Vec<Event> {
    let now = world.now();
    let [first, second, third, fourth] = moments();
    let test = |sampled_at| EventBody::Test {
        sampled_at,
        result: TestResult::Negative,
    };
    let stay = EventBody::Stay {
        place: place(),
        begin: first,
        end: Some(second),
    };
    let contact = EventBody::Contact {
        degree: ContactDegree::Secondary,
        last_contact_at: first,
        province: province(HOME),
    };
    let mut events = Vec::new();
    for (kind, body) in [
        (SourceKind::Laboratory, test(second)),
        (SourceKind::Laboratory, test(third)),
        (SourceKind::Laboratory, test(fourth)),
        (SourceKind::Telecom, stay),
        (SourceKind::Cdc, contact),
    ] {
        let mut source = world.source(HOME, kind, HOME);
        let event = source.sign(&source.event(person.number, now, body));
        let mut forged = event.clone();
        forged.signature[7] ^= 1;
        let answers = source.offer(vec![forged, event.clone()]).await.unwrap();
        assert_eq!(answers, ["bad-signature", "accepted"]);
        events.push(event_of(&event));
        // The same at another home.
        let mut elsewhere = world.source(HOME, kind, OTHER);
        assert_eq!(
            elsewhere.offer(vec![event]).await.unwrap(),
            ["lives-elsewhere"]
        );
    }
    let mut device = world.device(person);
    let trip = |nine_digit: u32| res::DeclareTrip {
        event_id: tests::fresh_id().to_vec(),
        area_nine_digit: nine_digit,
        site: place().site(),
        begin_minute: third.get(),
        end_minute: Some(fourth.get()),
    };
    let good: res::DeclareTripRequest = device.sign(&trip(place().nine_digit()), now);
    device.client.declare_trip(good).await.unwrap();
    for bad in [trip(990_106_017), trip(u32::MAX)] {
        let request: res::DeclareTripRequest = device.sign(&bad, now);
        errors.push(device.client.declare_trip(request).await.unwrap_err());
    }
    events
}

/// Calls about the resident that are refused, each for another reason.
pub(crate) async fn refusals(world: &World, person: &Person, errors: &mut Vec<Status>) {
    let now = world.now();
    let mut device = world.device(person);
    let green = Claim {
        worst: WorstColour::Green,
        ..NOT_RED
    };
    for (claim, set) in [
        (green, ""),
        (NOT_RED, World::FUJIAN),
        (NOT_RED, "no-such-set"),
    ] {
        let holders = [Holder::new()];
        let refused = device.passes(claim, set, &holders, now).await;
        errors.push(refused.err().unwrap());
    }
    let replayed: res::QueryRequest = device.sign(&res::Query::default(), now);
    device.client.query(replayed.clone()).await.unwrap();
    errors.push(device.client.query(replayed).await.unwrap_err());
    let an_hour_ago = now.saturating_add_signed(-60);
    let old: res::QueryRequest = device.sign(&res::Query::default(), an_hour_ago);
    errors.push(device.client.query(old).await.unwrap_err());

    let mut wrong_name = person.clone();
    wrong_name.device = Person::of(HOME, 899).device;
    wrong_name.name.push('乙');
    errors.push(world.device(&wrong_name).register(now).await.unwrap_err());
    let mut elsewhere = person.clone();
    elsewhere.home = province(OTHER);
    errors.push(world.device(&elsewhere).register(now).await.unwrap_err());
    assert!(errors.iter().all(|e| wire::reason_of(e).is_some()));
}

/// Calls that are refused for what they say, which is of the resident's wherever anything may be said.
pub(crate) async fn misstatements(
    world: &World,
    person: &Person,
    events: &[Event],
    errors: &mut Vec<Status>,
) {
    let now = world.now();
    let mut device = world.device(person);
    let number = person.number_text();
    let wrong_digit = if number.ends_with('0') { "1" } else { "0" };
    let register = |number: &str, name: &str| res::Register {
        device_key: wire::DeviceKey::of(&person.device).to_bytes().to_vec(),
        identity_number: number.to_owned(),
        name: name.to_owned(),
        real_name_evidence: person.name.clone().into_bytes(),
        forget_other_devices: false,
    };
    for (number, name) in [
        (
            format!("{}{wrong_digit}", &number[..17]),
            person.name.clone(),
        ),
        (number.repeat(2), person.name.clone()),
        (number.clone(), person.name.repeat(100)),
    ] {
        let request: res::RegisterRequest = device.sign(&register(&number, &name), now);
        errors.push(device.client.register(request).await.unwrap_err());
    }
    // Somebody else's device; an event's name for another statement; an unknown event; names where others belong.
    let mut other = Person::of(HOME, 1);
    other.device = person.device.clone();
    errors.push(world.device(&other).register(now).await.unwrap_err());
    let again = res::DeclareHealth {
        event_id: events[0].id.0.to_vec(),
        day: now.day().get().into(),
        symptoms: res::Symptoms::None.into(),
    };
    let request: res::DeclareHealthRequest = device.sign(&again, now);
    errors.push(device.client.declare_health(request).await.unwrap_err());
    for (event_id, statement) in [
        (
            tests::fresh_id().to_vec(),
            format!("{} {number}", person.name),
        ),
        (number.clone().into_bytes(), number.clone()),
        (events[1].id.0.to_vec(), person.name.repeat(2_000)),
    ] {
        let contest = res::Correct {
            case_id: tests::fresh_id().to_vec(),
            event_id,
            statement,
        };
        let request: res::CorrectRequest = device.sign(&contest, now);
        errors.push(device.client.correct(request).await.unwrap_err());
    }
    refused_trips(world, person, errors).await;
    for set in [&*number, &person.name, &moments()[0].to_string()] {
        errors.push(device.query(set, now).await.unwrap_err());
        let passes = device.passes(NOT_RED, set, &[Holder::new()], now).await;
        errors.push(passes.err().unwrap());
    }
    assert!(errors.iter().all(|e| wire::reason_of(e).is_some()));
}

async fn refused_trips(world: &World, person: &Person, errors: &mut Vec<Status>) {
    let now = world.now();
    let mut device = world.device(person);
    let trip = |begin: Minute, end: Minute| res::DeclareTrip {
        event_id: tests::fresh_id().to_vec(),
        area_nine_digit: place().nine_digit(),
        site: place().site(),
        begin_minute: begin.get(),
        end_minute: Some(end.get()),
    };
    let [first, second, ..] = moments();
    let later = now.saturating_add_signed(1_440);
    for trip in [trip(second, first), trip(first, later)] {
        let request: res::DeclareTripRequest = device.sign(&trip, now);
        errors.push(device.client.declare_trip(request).await.unwrap_err());
    }
    let mut changed: res::DeclareTripRequest = device.sign(&trip(first, second), now);
    if let Some(auth) = &mut changed.auth {
        auth.signature[9] ^= 1;
    }
    errors.push(device.client.declare_trip(changed).await.unwrap_err());
    let unbound = Person {
        device: Person::of(HOME, 898).device,
        ..person.clone()
    };
    errors.push(world.device(&unbound).query("", now).await.unwrap_err());
}

/// The search finds what does hold something, or it shows nothing.
fn the_search_finds_what_is_there(search: &Search, person: &Person, events: &[Event]) {
    let holds = |hay: &[u8], form: &str| {
        assert!(search.found_in_little(hay).contains(form), "{form}");
    };
    holds(&events[3].to_bytes(), "place, 8 bytes");
    holds(&events[0].to_bytes(), "identity number");
    let digits = hex::encode(events[4].to_bytes());
    holds(digits.as_bytes(), "event's body, hexadecimal");
    let list = format!("{},{}", person.number_text(), person.name);
    holds(list.as_bytes(), "name");
    let text = format!("{} {:?}", moments()[2], moments()[1]);
    holds(text.as_bytes(), "moment on the wall");
    holds(text.as_bytes(), "minutes, decimal");
}

/// Has the two nodes reach each other through somebody who listens.
pub(crate) async fn between(world: &World) -> [Relay; 2] {
    let mut relays = Vec::new();
    for (client, server) in [(HOME, OTHER), (OTHER, HOME)] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let at = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let direct = format!("127.0.0.1:{}", world.port(server));
        let file = world.dir().join(format!("{client}/node.toml"));
        let config = std::fs::read_to_string(&file).unwrap();
        assert_eq!(config.matches(&direct).count(), 1);
        std::fs::write(&file, config.replace(&direct, &at)).unwrap();
        relays.push(Relay::open(world, listener, client, server));
    }
    relays.try_into().ok().unwrap()
}

/// All files under a directory.
pub(crate) fn walk(dir: &Path, see: &mut impl FnMut(&Path, &[u8])) {
    for entry in dir.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, see);
        } else if path.is_file() {
            // A node that runs has a socket there, too, and files that come and go.
            match std::fs::read(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                read => see(&path, &read.unwrap()),
            }
        }
    }
}
