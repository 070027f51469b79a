//! Epochs by the clock: nobody tells the nodes to close, to assemble or to publish.

use std::time::Duration;

use rules::Minute;
use tests::{PROVINCES, Plan, World};
use wire::operator::v1 as op;

use crate::NODE;

/// Hours, as epochs go here, since the Unix epoch.
const EVERY_MIN: u32 = 60;
const TABLES: &str = "[epochs]\nevery_min = 60\npropose_after_s = 1\n";
const PATIENCE: Duration = Duration::from_mins(1);

async fn status(world: &World, code: u8) -> op::GetStatusResponse {
    let answer = world
        .operator(code)
        .get_status(op::GetStatusRequest {})
        .await;
    answer.unwrap().into_inner()
}

/// Waits until these nodes have a registry of the epoch, and a trust list that is newer than `online`.
async fn until_assembled(world: &World, codes: &[u8], epoch: u32, online: u64) -> u64 {
    let begun = std::time::Instant::now();
    loop {
        let mut newest = Vec::new();
        for code in codes {
            let status = status(world, *code).await;
            newest.push((status.registry_epoch, status.online_sequence));
        }
        if newest
            .iter()
            .all(|(e, sequence)| *e == epoch && *sequence > online)
        {
            return newest[0].1;
        }
        assert!(begun.elapsed() < PATIENCE, "{newest:?}, not {epoch}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn epochs_close_by_the_clock_and_whoever_is_away_is_not_waited_for() {
    let mut world = World::prepare(Plan::new(NODE, 1));
    for code in PROVINCES {
        world.write_config(code, TABLES);
        world.start_node(code);
    }
    let first = world.now().get() / EVERY_MIN;
    let online = until_assembled(&world, &PROVINCES, first, 0).await;

    let closing = |epoch: u32| Minute::new(epoch * EVERY_MIN).unwrap();
    world.advance(closing(first + 1)).await;
    let online = until_assembled(&world, &PROVINCES, first + 1, online).await;

    // One is away for an epoch, and has its registry when it is back.
    let [away, others @ ..] = PROVINCES;
    let (exit, log) = world.take_node(away).terminate();
    assert_eq!(exit, Some(0), "{}", log.text());
    world.advance(closing(first + 2)).await;
    let online = until_assembled(&world, &others, first + 2, online).await;
    world.write_config(away, TABLES);
    world.start_node(away);
    world.advance(closing(first + 3)).await;
    until_assembled(&world, &PROVINCES, first + 3, online).await;
    for code in PROVINCES {
        assert_eq!(status(&world, code).await.closed_epoch, first + 3);
    }
    world.stop();
}
