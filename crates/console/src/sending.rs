//! Handing in what was agreed on, again and again until the node answers; following what goes on to other provinces; and what
//! else is due from time to time.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use federation::Backoff;

use crate::ConsoleError;
use crate::proposals::Proposals;

/// How soon what was not handed in is tried again and what goes on is asked for again, and how often it is looked for what has lapsed or is to be forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Longest first wait after the node did not answer or had nothing new; it doubles each time.
    pub(crate) first_wait: Duration,
    /// Longest wait of all.
    pub(crate) most_wait: Duration,
    /// Between two looks.
    pub(crate) look: Duration,
}

impl Default for Pace {
    /// From 2 seconds to 5 minutes, and a look each minute.
    fn default() -> Self {
        Self {
            first_wait: Duration::from_secs(2),
            most_wait: Duration::from_mins(5),
            look: Duration::from_mins(1),
        }
    }
}

/// The console's work without anybody at it.
pub(crate) struct Sending {
    proposals: Arc<Proposals>,
    pace: Pace,
    /// Seed of the waits' jitter: any number that differs between consoles.
    seed: u64,
}

impl Sending {
    /// For these proposals; `seed` is any number that differs between consoles.
    pub(crate) const fn new(proposals: Arc<Proposals>, pace: Pace, seed: u64) -> Self {
        Self {
            proposals,
            pace,
            seed,
        }
    }

    /// Works until `shutdown` completes. What is under way then is tried again after the next start.
    pub(crate) async fn run(&self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            ((), (), ()) = async { tokio::join!(self.hand_in(), self.follow(), self.look()) } => {}
        }
    }

    async fn hand_in(&self) {
        let (mut waits, mut last) = (self.waits(), 0);
        loop {
            match self.round(&mut last).await {
                Ok(()) => {
                    waits = self.waits();
                    self.proposals.until_agreed().await;
                }
                Err(error) => {
                    tracing::warn!(%error, "what was agreed on is not handed in yet");
                    // Whoever agrees tries at once; this loop keeps to its waits.
                    tokio::time::sleep(waits.next_wait()).await;
                }
            }
        }
    }

    /// Hands in all, one after the other, until the node does not answer; the next round begins after the one that failed, so
    /// that none holds up all others.
    async fn round(&self, last: &mut u64) -> Result<(), ConsoleError> {
        for number in self.proposals.to_hand_in(*last) {
            *last = number;
            self.proposals.hand_in(number).await?;
        }
        Ok(())
    }

    /// Asks for all that goes on to other provinces, soon after something was new and then ever more rarely.
    async fn follow(&self) {
        let (mut waits, mut last) = (self.waits(), 0);
        loop {
            match self.follow_round(&mut last).await {
                Ok(true) => waits = self.waits(),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%error, "what became of forwarded events is not known yet");
                }
            }
            if self.proposals.to_follow(0).is_empty() {
                self.proposals.until_forwarded().await;
                waits = self.waits();
                continue;
            }
            tokio::select! {
                () = tokio::time::sleep(waits.next_wait()) => {}
                () = self.proposals.until_forwarded() => waits = self.waits(),
            }
        }
    }

    /// Asks for all, one after the other, as [`Sending::round`] does; whether anything was new.
    async fn follow_round(&self, last: &mut u64) -> Result<bool, ConsoleError> {
        let mut is_new = false;
        for number in self.proposals.to_follow(*last) {
            *last = number;
            is_new |= self.proposals.follow(number).await?;
        }
        Ok(is_new)
    }

    const fn waits(&self) -> Backoff {
        Backoff::new(self.pace.first_wait, self.pace.most_wait, self.seed)
    }

    async fn look(&self) {
        loop {
            self.proposals.appeals().forget_old(self.proposals.now());
            // Each whatever became of the others: a row that cannot be read is no reason to keep what others say of people.
            let looked = [
                self.proposals.lapse(),
                self.proposals.end_orphaned(),
                self.proposals.forget(),
            ];
            for error in looked.into_iter().filter_map(Result::err) {
                tracing::error!(%error, "what has lapsed or is to be forgotten is not written");
            }
            tokio::time::sleep(self.pace.look).await;
        }
    }
}

#[cfg(test)]
#[path = "sending_tests.rs"]
mod tests;
