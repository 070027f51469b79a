//! An event that one province finds about a resident of another: what its way tells to those who listen and to whoever takes a
//! disk.

use std::collections::BTreeSet;
use std::time::Duration;

use federation::{PeerId, Role};
use rules::{EventBody, SourceKind, TestResult};
use tests::{Plan, World, event_of, peer, province};
use wire::pass::v1::Colour;
use wire::source::v1::{ForwardedState, GetForwardedRequest, SignedEvent};

use crate::NODE;
use crate::leak::{
    HOME, OTHER, between, exchanges_tell_nothing, moments, sentinel, sentinels_of, walk,
};

/// What became of an event, as its source is told.
async fn state(world: &World, event: &[u8; 16]) -> ForwardedState {
    let identity = PeerId {
        federation: world.federation.clone(),
        province: province(OTHER),
        role: Role::Source(SourceKind::Laboratory, 1),
    };
    let channel = peer::channel(world, world.credentials(&identity), OTHER);
    let request = GetForwardedRequest {
        event_id: event.to_vec(),
    };
    let mut client = wire::client::forwarded(channel);
    let answer = client.get_forwarded(request).await;
    answer.expect("an answer").get_ref().state()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_its_home_after_a_kill_and_is_in_plain_on_no_disk_and_in_no_frame() {
    let mut plan = Plan::new(NODE, 2);
    plan.people.push(sentinel());
    plan.log = "trace";
    let mut world = World::prepare(plan);
    let [_, to_home] = between(&world).await;
    world.start_node(HOME);
    world.start_node(OTHER);
    let (person, now) = (sentinel(), world.now());
    let mut device = world.device(&person);
    device.register(now).await.unwrap();
    assert_eq!(
        device.query(World::FUJIAN, now).await.unwrap().colour(),
        Colour::Green
    );
    let (exit, _) = world.take_node(HOME).terminate();
    assert_eq!(exit, Some(0));

    let mut laboratory = world.source(OTHER, SourceKind::Laboratory, OTHER);
    let body = EventBody::Test {
        sampled_at: moments()[3],
        result: TestResult::Positive,
    };
    let event = SignedEvent {
        home_province: HOME.into(),
        ..laboratory.sign(&laboratory.event(person.number, now, body))
    };
    assert_eq!(
        laboratory.offer(vec![event.clone()]).await.unwrap(),
        ["forwarded"]
    );
    let event = event_of(&event);
    let search = sentinels_of(&person, std::slice::from_ref(&event)).search();
    let nothing_on_disk = |world: &World| {
        let mut files = 0;
        walk(&world.data_dir(OTHER), &mut |path, bytes| {
            files += 1;
            let found = search.found_in(bytes);
            assert_eq!(found, BTreeSet::new(), "{}", path.display());
        });
        assert!(files > 1, "{files} files were looked at");
    };
    let mut logs = vec![world.take_node(OTHER).kill()];
    nothing_on_disk(&world);
    world.start_node(OTHER);
    assert_eq!(state(&world, &event.id.0).await, ForwardedState::Queued);
    world.start_node(HOME);
    for attempt in 0.. {
        if state(&world, &event.id.0).await == ForwardedState::Accepted {
            break;
        }
        assert!(attempt < 600, "the event does not arrive");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut device = world.device(&person);
    let status = device.query(World::FUJIAN, now).await.unwrap();
    assert_eq!(status.colour(), Colour::Red);
    let told = &status.foreign_events[0];
    assert_eq!(
        (told.sender_province, told.event_id.as_slice()),
        (OTHER.into(), &event.id.0[..])
    );
    assert!(told.source.starts_with("35-laboratory-1"));

    exchanges_tell_nothing(&search, &to_home);
    let plain = to_home.plain.lock().unwrap();
    let said = |words: &[u8]| plain.windows(words.len()).any(|w| w == words);
    // A field of 212 bytes: an envelope from the one province to the other.
    assert!(said(&[0x0a, 0xd4, 0x01, 1, OTHER, HOME]));
    drop(plain);
    for code in [HOME, OTHER] {
        let (exit, log) = world.take_node(code).terminate();
        assert_eq!(exit, Some(0));
        logs.push(log);
    }
    for log in logs {
        search.must_find_nothing("log", &log.bytes());
    }
    nothing_on_disk(&world);
}
