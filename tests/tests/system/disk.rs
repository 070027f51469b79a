//! A disk that is full, and one that refuses to be written.

use std::path::Path;
use std::process::Command;

use rules::{EventBody, SourceKind, TestResult};
use tests::{NodeProcess, Person, Plan, Source, World, refusal};
use wire::operator::v1 as op;
use wire::source::v1::SignedEvent;

use crate::NODE;

const HOME: u8 = 33;
const RESIDENTS: u16 = 8;
/// More than any disk has.
const RESERVE_MIB: u64 = 1 << 40;

fn batch(source: &Source, world: &World, round: u32) -> Vec<SignedEvent> {
    (1..=RESIDENTS)
        .map(|number| {
            let ago = i64::from(round) * 8 + i64::from(number);
            let body = EventBody::Test {
                sampled_at: world.now().saturating_add_signed(-ago),
                result: TestResult::Negative,
            };
            let event = source.event(Person::of(HOME, number).number, world.now(), body);
            source.sign(&event)
        })
        .collect()
}

async fn status(world: &World) -> op::GetStatusResponse {
    let answer = world
        .operator(HOME)
        .get_status(op::GetStatusRequest {})
        .await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_below_its_reserve_takes_nothing_and_still_answers() {
    let mut world = World::prepare(Plan::new(NODE, RESIDENTS));
    world.start_node(HOME);
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    let kept = batch(&source, &world, 0);
    source.offer(kept.clone()).await.unwrap();
    let mut device = world.device(&Person::of(HOME, 1));
    device.register(world.now()).await.unwrap();
    world.take_node(HOME).terminate();

    world.write_config(HOME, &format!("[store]\nreserve_mib = {RESERVE_MIB}\n"));
    world.start_node(HOME);
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    let more = batch(&source, &world, 1);
    assert_eq!(refusal(source.offer(more.clone()).await), "STORAGE_FULL");
    let now = world.now();
    let mut device = world.device(&Person::of(HOME, 1));
    assert_eq!(
        refusal(device.declare_health(now.day(), now).await),
        "STORAGE_FULL"
    );
    // A reading that cannot be written to the trail is not answered.
    let unread = device.query("", now).await.unwrap_err();
    assert!(wire::retry_after(&unread).is_some());
    assert_eq!(refusal::<()>(Err(unread)), "STORAGE_FULL");
    let mut other = world.device(&Person::of(HOME, 2));
    assert_eq!(refusal(other.register(now).await), "STORAGE_FULL");
    let close = op::CloseEpochRequest {
        epoch: 1,
        as_of_minute: now.get(),
    };
    assert_eq!(
        refusal(world.operator(HOME).close_epoch(close).await),
        "STORAGE_FULL"
    );
    let full = status(&world).await;
    assert_eq!((full.residents, full.events, full.closed_epoch), (8, 8, 0));
    world.take_node(HOME).terminate();

    world.write_config(HOME, "");
    world.start_node(HOME);
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    assert_eq!(source.offer(kept).await.unwrap(), ["duplicate"; 8]);
    assert_eq!(source.offer(more).await.unwrap(), ["accepted"; 8]);
    assert_eq!(status(&world).await.events, 16);
    world.stop();
}

/// Length of the largest file below a directory, bytes.
fn largest_file(dir: &Path) -> u64 {
    let of = |entry: std::fs::DirEntry| match entry.metadata().unwrap() {
        meta if meta.is_dir() => largest_file(&entry.path()),
        meta => meta.len(),
    };
    let entries = dir.read_dir().unwrap();
    entries.map(|entry| of(entry.unwrap())).max().unwrap_or(0)
}

/// The same command under a limit on the size of the files that it writes: beyond it a write fails.
fn limited(command: &Command, limit_blocks: u64) -> Command {
    let script = format!("trap '' XFSZ; ulimit -f {limit_blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &script])
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_is_not_acknowledged_and_leaves_nothing_half_written() {
    let mut world = World::prepare(Plan::new(NODE, RESIDENTS));
    // Its file grows in small steps; sled's, which grows by eight mebibytes, has the same test in its own room.
    world.write_config(HOME, "[store]\nbackend = \"redb\"\nreserve_mib = 1\n");
    world.start_node(HOME);
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    let mut acknowledged = batch(&source, &world, 0);
    source.offer(acknowledged.clone()).await.unwrap();
    world.take_node(HOME).terminate();
    let largest = largest_file(&world.data_dir(HOME));

    // 512 bytes a block: room for some batches, then none.
    let command = limited(&world.node_command(HOME), largest / 512 + 2_048);
    world.adopt(HOME, NodeProcess::start(command).unwrap());
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    let mut refused = None;
    for round in 1..2_000 {
        let events = batch(&source, &world, round);
        match source.offer(events.clone()).await {
            Ok(answers) => {
                assert_eq!(answers, ["accepted"; 8]);
                acknowledged.extend(events);
            }
            Err(status) => {
                refused = Some((events, refusal::<()>(Err(status))));
                break;
            }
        }
    }
    let (refused, reason) = refused.expect("the disk gave out");
    assert!(
        ["STORAGE_FAILED", "STORAGE_FULL"].contains(&reason),
        "{reason}"
    );
    assert_eq!(status(&world).await.events, acknowledged.len() as u64);
    world.take_node(HOME).kill();

    world.start_node(HOME);
    let mut source = world.source(HOME, SourceKind::Laboratory, HOME);
    for events in acknowledged.chunks(200) {
        let answers = source.offer(events.to_vec()).await.unwrap();
        assert!(
            answers.iter().all(|a| a == "duplicate"),
            "an acknowledged event was lost"
        );
    }
    // All of the refused batch or nothing of it.
    let answers = source.offer(refused.clone()).await.unwrap();
    assert!(
        answers.windows(2).all(|w| w[0] == w[1]),
        "half written: {answers:?}"
    );
    let total = acknowledged.len() + refused.len();
    assert_eq!(status(&world).await.events, total as u64);
    world.stop();
}
