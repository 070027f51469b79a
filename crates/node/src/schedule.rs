//! Epochs by the clock: every node closes at the same minute, and the nodes take turns to assemble the registry.
//!
//! An epoch's number is its closing minute divided by the time between two, so that all provinces count alike without
//! asking. Whose turn is first moves on with each epoch: no node can keep the federation from a registry, or choose when it
//! comes.

use std::time::Duration;

use commitment::Epoch;
use rules::Minute;
use tokio::time::{Instant, MissedTickBehavior};

use crate::assemble::{Peers, assemble};
use crate::config::Epochs;
use crate::doors::Desk;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The epoch that should be closed at `now`, and its closing minute; none before the first.
fn due(now: Minute, every_min: u32) -> Option<(Epoch, Minute)> {
    let number = now.get().checked_div(every_min)?;
    let as_of = Minute::new(number * every_min).ok()?;
    (number > 0).then_some((Epoch::new(number), as_of))
}

/// How many others come before the node at `place` among `of` to assemble an epoch's registry.
fn turn(epoch: Epoch, place: usize, of: usize) -> usize {
    let of = of.max(1);
    let first = epoch.get() as usize % of;
    (place + of - first) % of
}

/// When this node tries to assemble the registry of an epoch.
struct Attempt {
    epoch: Epoch,
    at: Instant,
}

/// Closes epochs and assembles registries by the clock, for as long as the node serves; never ends.
pub(crate) async fn keep_epochs(desk: &Desk, peers: &Peers) {
    let epochs = desk.node().settings.epochs;
    if epochs.every_min == 0 {
        return std::future::pending().await; // the operator does it
    }
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut refused = None;
    let mut attempt: Option<Attempt> = None;
    loop {
        tick.tick().await;
        let node = desk.node();
        let now = node.clock().now();
        let Some((epoch, as_of)) = due(now, epochs.every_min) else {
            continue;
        };
        if node.closed_epoch() < Some(epoch) && refused != Some(epoch) {
            match desk.ask(move |node| node.close_epoch(epoch, as_of)).await {
                Ok(closed) => tracing::info!(
                    epoch = epoch.get(),
                    records = closed.records,
                    "an epoch is closed"
                ),
                Err(status) => {
                    let reason = wire::reason_of(&status).map(wire::Reason::code);
                    tracing::error!(epoch = epoch.get(), ?reason, "an epoch is not closed");
                    // Overload passes; what the ledger refuses it refuses again.
                    if reason != Some(wire::Reason::Overloaded.code()) {
                        refused = Some(epoch);
                    }
                    continue;
                }
            }
        }
        let is_late = as_of.saturating_add_signed(i64::from(epochs.delay_max_min)) < now;
        if is_late || node.closed_epoch() != Some(epoch) || node.knows_registry(epoch) {
            continue;
        }
        let is_begun = attempt.as_ref().is_some_and(|a| a.epoch == epoch);
        if !is_begun {
            attempt = Some(Attempt {
                epoch,
                at: Instant::now() + first_wait(desk, &epochs, epoch),
            });
        }
        if let Some(attempt) = &mut attempt
            && attempt.at <= Instant::now()
        {
            try_assembling(desk, peers, epoch).await;
            // Not in step with the others, who try too.
            let round = epochs.propose_after() * desk.node().provinces().1;
            attempt.at = Instant::now() + round + jitter(desk, &epochs);
        }
    }
}

fn first_wait(desk: &Desk, epochs: &Epochs, epoch: Epoch) -> Duration {
    let (place, of) = desk.node().provinces();
    let before = u32::try_from(turn(epoch, place, of as usize)).unwrap_or(u32::MAX);
    epochs.propose_after() * (before + 1) + jitter(desk, epochs)
}

/// Up to a quarter of the time between two turns.
fn jitter(desk: &Desk, epochs: &Epochs) -> Duration {
    let [part] = desk.node().entropy.bytes();
    epochs.propose_after() * u32::from(part) / 1_024
}

async fn try_assembling(desk: &Desk, peers: &Peers, epoch: Epoch) {
    match assemble(desk, peers, epoch).await {
        Ok(assembled) => tracing::info!(
            epoch = epoch.get(),
            provinces = assembled.provinces,
            cosignatures = assembled.cosignatures,
            "a registry is assembled"
        ),
        Err(status) => {
            let reason = wire::reason_of(&status).map(wire::Reason::code);
            tracing::warn!(epoch = epoch.get(), ?reason, "a registry is not assembled");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u32) -> Minute {
        Minute::new(number).unwrap()
    }

    #[test]
    fn all_count_epochs_alike_and_close_them_at_the_same_minute() {
        assert_eq!(due(minute(59), 60), None);
        let first = Some((Epoch::new(1), minute(60)));
        assert_eq!(due(minute(60), 60), first);
        assert_eq!(due(minute(119), 60), first);
        assert_eq!(due(minute(120), 60), Some((Epoch::new(2), minute(120))));
        assert_eq!(due(minute(120), 0), None);
        assert!(due(Minute::MAX, 1).is_some());
    }

    #[test]
    fn everybody_has_another_turn_and_the_first_moves_on() {
        for of in 1..6 {
            for number in 1..12 {
                let epoch = Epoch::new(number);
                let mut turns: Vec<usize> = (0..of).map(|place| turn(epoch, place, of)).collect();
                assert_eq!(turns[number as usize % of], 0);
                turns.sort_unstable();
                assert_eq!(turns, (0..of).collect::<Vec<_>>());
            }
        }
        assert_eq!(turn(Epoch::new(3), 0, 0), 0);
    }
}
