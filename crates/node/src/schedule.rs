//! Epochs by the clock: every node closes at the same minute, and the nodes take turns to assemble the registry.
//!
//! Between two epochs they publish a trust list every quarter of an hour in the same way, with what was revoked meanwhile.
//! An epoch's number is its closing minute divided by the time between two, so that all provinces count alike without
//! asking. Whose turn is first moves on with each round: no node can keep the federation from a registry, or choose when it
//! comes.

use std::time::Duration;

use commitment::Epoch;
use rules::Minute;
use tokio::time::{Instant, MissedTickBehavior};
use verifier::trust::BATCH_SPACING_MIN;

use crate::assemble::assemble;
use crate::config::Epochs;
use crate::doors::Desk;
use crate::peers::Peers;

/// How often the clock is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The epoch that should be closed at `now`, and its closing minute; none before the first.
fn due(now: Minute, every_min: u32) -> Option<(Epoch, Minute)> {
    let number = now.get().checked_div(every_min)?;
    let as_of = Minute::new(number * every_min).ok()?;
    (number > 0).then_some((Epoch::new(number), as_of))
}

/// How many others come before the node at `place` among `of` in a round.
fn turn(round: u32, place: usize, of: usize) -> usize {
    let of = of.max(1);
    let first = round as usize % of;
    (place + of - first) % of
}

/// What is done in turns: an epoch's registry, and between two epochs a newer trust list with what was revoked meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Round {
    number: u32,
    begun: Minute,
}

impl Round {
    /// The round at `now`: rounds are as long as an epoch, or as a batch of revocations where that is shorter.
    fn at(now: Minute, every_min: u32) -> Option<Self> {
        let (number, begun) = due(now, every_min.min(BATCH_SPACING_MIN))?;
        Some(Self {
            number: number.get(),
            begun,
        })
    }
}

/// When this node tries to do what its round asks for.
struct Attempt {
    round: Round,
    at: Instant,
}

/// Closes epochs, and assembles registries and trust lists by the clock, for as long as the node serves; never ends.
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
        let now = desk.node().clock().now();
        let (Some((epoch, as_of)), Some(round)) =
            (due(now, epochs.every_min), Round::at(now, epochs.every_min))
        else {
            continue;
        };
        close_if_due(desk, epoch, as_of, &mut refused).await;
        if is_done(desk, &epochs, epoch, as_of, round, now) {
            continue;
        }
        if attempt.as_ref().is_none_or(|a| a.round != round) {
            let at = Instant::now() + first_wait(desk, &epochs, round);
            attempt = Some(Attempt { round, at });
        }
        if let Some(attempt) = &mut attempt
            && attempt.at <= Instant::now()
        {
            try_assembling(desk, peers, epoch).await;
            // Not in step with the others, who try too.
            let all_turns = epochs.propose_after() * desk.node().provinces().1;
            attempt.at = Instant::now() + all_turns + jitter(desk, &epochs);
        }
    }
}

/// Closes the epoch, unless it is closed; one that the ledger refuses is tried once.
async fn close_if_due(desk: &Desk, epoch: Epoch, as_of: Minute, refused: &mut Option<Epoch>) {
    if desk.node().closed_epoch() >= Some(epoch) || *refused == Some(epoch) {
        return;
    }
    match desk.ask(move |node| node.close_epoch(epoch, as_of)).await {
        Ok(closed) => tracing::info!(
            epoch = epoch.get(),
            records = closed.records,
            "an epoch is closed"
        ),
        Err(status) => {
            let reason = wire::reason_of(&status);
            tracing::error!(
                epoch = epoch.get(),
                reason = reason.map(wire::Reason::code),
                "an epoch is not closed"
            );
            // Overload passes; what the ledger refuses it refuses again.
            if reason != Some(wire::Reason::Overloaded) {
                *refused = Some(epoch);
            }
        }
    }
}

/// Whether there is nothing to assemble: another node did it, it is too late, or this node has no head of the epoch.
fn is_done(
    desk: &Desk,
    epochs: &Epochs,
    epoch: Epoch,
    as_of: Minute,
    round: Round,
    now: Minute,
) -> bool {
    let node = desk.node();
    let is_late = as_of.saturating_add_signed(i64::from(epochs.delay_max_min)) < now;
    let list = node.trust_list();
    let is_listed = list.is_some_and(|list| list.online().issued_at.minute() >= round.begun);
    is_late || node.closed_epoch() != Some(epoch) || node.knows_registry(epoch) && is_listed
}

fn first_wait(desk: &Desk, epochs: &Epochs, round: Round) -> Duration {
    let (place, of) = desk.node().provinces();
    let before = u32::try_from(turn(round.number, place, of as usize)).unwrap_or(u32::MAX);
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
    fn a_round_is_a_quarter_of_an_hour_or_a_shorter_epoch() {
        let round = |now, every_min| Round::at(minute(now), every_min).unwrap();
        assert_eq!(round(74, 60).begun, minute(60));
        assert_eq!(round(75, 60).begun, minute(75));
        assert_eq!(round(74, 10).begun, minute(70));
        assert_ne!(round(74, 60).number, round(75, 60).number);
        assert_eq!(Round::at(minute(74), 0), None);
    }

    #[test]
    fn everybody_has_another_turn_and_the_first_moves_on() {
        for of in 1..6 {
            for number in 1..12 {
                let mut turns: Vec<usize> = (0..of).map(|place| turn(number, place, of)).collect();
                assert_eq!(turns[number as usize % of], 0);
                turns.sort_unstable();
                assert_eq!(turns, (0..of).collect::<Vec<_>>());
            }
        }
        assert_eq!(turn(3, 0, 0), 0);
    }
}
