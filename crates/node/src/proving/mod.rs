//! Proving on threads of its own, behind a queue that is bounded and says so.

mod settings;

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use circuits::clearance::Witness;
use commitment::{CircuitId, PublicInputs};
use prover::Prover;
use verifier::PassProof;

pub use settings::{Parameters, Proving};

/// Why there is no proof; the node is at fault, for it checks a claim before it proves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no proof: {0}")]
pub struct ProofFailed(pub String);

/// Makes proofs under one circuit. What comes out is checked and re-randomised.
pub trait PassProver: Send + Sync + 'static {
    /// The circuit.
    fn circuit(&self) -> CircuitId;

    /// A proof of the statement `inputs` by `witness`; `seed` is fresh randomness.
    ///
    /// # Errors
    /// [`ProofFailed`] if the witness does not satisfy the statement, or the proof does not verify.
    fn prove(
        &self,
        inputs: &PublicInputs,
        witness: &Witness,
        seed: [u8; 32],
    ) -> Result<PassProof, ProofFailed>;
}

impl PassProver for Prover {
    fn circuit(&self) -> CircuitId {
        self.circuit_id()
    }

    fn prove(
        &self,
        inputs: &PublicInputs,
        witness: &Witness,
        seed: [u8; 32],
    ) -> Result<PassProof, ProofFailed> {
        let bytes = Self::prove(self, inputs, witness, seed)
            .map_err(|error| ProofFailed(error.to_string()))?;
        PassProof::from_bytes(&bytes).map_err(|error| ProofFailed(error.to_string()))
    }
}

/// Proofs whose times are remembered.
const TIMES_KEPT: usize = 1_024;

/// How long proofs took: what an operator sizes a node by.
#[derive(Debug, Default)]
pub struct ProofTimes(Mutex<(u64, VecDeque<Duration>)>);

impl ProofTimes {
    /// Remembers one.
    pub(crate) fn record(&self, took: Duration) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.0 += 1;
        if times.1.len() >= TIMES_KEPT {
            times.1.pop_front();
        }
        times.1.push_back(took);
    }

    /// Proofs made since the start.
    pub fn made(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Time of the newest proof; none before the first.
    pub(crate) fn newest(&self) -> Option<Duration> {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        times.1.back().copied()
    }

    /// Median time of the last 1,024 proofs, milliseconds; 0 for none.
    pub fn median_ms(&self) -> u32 {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<Duration> = times.1.iter().copied().collect();
        drop(times);
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or_default();
        u32::try_from(median.as_millis()).unwrap_or(u32::MAX)
    }
}

/// A piece of work for a proving thread.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// The queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QueueFull {
    /// A guess at when there will be room.
    pub(crate) wait: Duration,
}

/// A wait, and up to half of it more as `draw` says, so that those who were refused together do not come back together.
pub(crate) fn spread(wait: Duration, draw: [u8; 4]) -> Duration {
    let share = f64::from(u32::from_be_bytes(draw)) / f64::from(u32::MAX);
    wait + wait.mul_f64(share / 2.0)
}

struct State {
    jobs: VecDeque<Job>,
    is_open: bool,
    average: Duration,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    limit: usize,
    threads: u32,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The queue is in a good state between any two of its operations.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A bounded queue with its threads.
pub(crate) struct ProvingQueue {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl ProvingQueue {
    pub(crate) fn start(threads: usize, limit: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                jobs: VecDeque::new(),
                is_open: true,
                average: Duration::from_secs(1),
            }),
            wake: Condvar::new(),
            limit,
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
        });
        let spawn = |number: usize| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("prover-{number}"))
                .spawn(move || work(&shared))
        };
        let threads = (0..threads).map(spawn).collect::<Result<_, _>>()?;
        Ok(Self {
            shared,
            threads: Mutex::new(threads),
        })
    }

    /// Takes all of `jobs` or none.
    pub(crate) fn submit(&self, jobs: Vec<Job>) -> Result<(), QueueFull> {
        let mut state = self.shared.lock();
        if !state.is_open || state.jobs.len() + jobs.len() > self.shared.limit {
            let ahead = u32::try_from(state.jobs.len()).unwrap_or(u32::MAX);
            let wait = state.average.saturating_mul(ahead) / self.shared.threads.max(1);
            return Err(QueueFull {
                wait: wait.clamp(Duration::from_millis(100), Duration::from_mins(1)),
            });
        }
        state.jobs.extend(jobs);
        drop(state);
        self.shared.wake.notify_all();
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.shared.lock().jobs.len()
    }

    /// Drops what waits, finishes what is being proved, and ends the threads.
    pub(crate) fn stop(&self) {
        let mut state = self.shared.lock();
        state.is_open = false;
        state.jobs.clear();
        drop(state);
        self.shared.wake.notify_all();
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let own = std::thread::current().id();
        for thread in threads.drain(..).filter(|t| t.thread().id() != own) {
            if thread.join().is_err() {
                tracing::error!("a proving thread had died");
            }
        }
    }
}

impl Drop for ProvingQueue {
    fn drop(&mut self) {
        self.stop();
    }
}

fn work(shared: &Shared) {
    loop {
        let mut state = shared.lock();
        let job = loop {
            if let Some(job) = state.jobs.pop_front() {
                break job;
            }
            if !state.is_open {
                return;
            }
            state = shared
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        };
        drop(state);
        let began = Instant::now();
        // A job that panics must not take the thread with it; what it worked on stays unproved and is asked for again.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(job)).is_err() {
            tracing::error!("a proving job died");
        }
        let mut state = shared.lock();
        state.average = (state.average * 7 + began.elapsed()) / 8;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn the_median_is_of_the_times_remembered() {
        let times = ProofTimes::default();
        assert_eq!((times.made(), times.median_ms()), (0, 0));
        for ms in [900, 100, 300] {
            times.record(Duration::from_millis(ms));
        }
        assert_eq!((times.made(), times.median_ms()), (3, 300));
        assert_eq!(times.newest(), Some(Duration::from_millis(300)));
        for _ in 0..TIMES_KEPT {
            times.record(Duration::from_millis(7));
        }
        assert_eq!((times.made(), times.median_ms()), (1_027, 7));
    }

    #[test]
    fn a_full_queue_takes_all_or_nothing_and_names_a_wait() {
        let queue = ProvingQueue::start(1, 3).unwrap();
        let (release, held) = mpsc::channel::<()>();
        let (began, begun) = mpsc::channel();
        queue
            .submit(vec![Box::new(move || {
                began.send(()).unwrap();
                let _ = held.recv();
            })])
            .unwrap();
        begun.recv().unwrap();
        let idle = || -> Job { Box::new(|| {}) };
        queue.submit(vec![idle(), idle()]).unwrap();
        let full = queue.submit(vec![idle(), idle()]).unwrap_err();
        assert!(full.wait >= Duration::from_millis(100));
        assert_eq!(queue.len(), 2);
        queue.submit(vec![idle()]).unwrap();
        drop(release);
    }

    #[test]
    fn a_wait_is_spread_over_a_half_more() {
        let wait = Duration::from_secs(4);
        assert_eq!(spread(wait, [0; 4]), wait);
        assert_eq!(spread(wait, [0xff; 4]), Duration::from_secs(6));
        let middle = spread(wait, [0x80, 0, 0, 0]);
        assert!((4_999..=5_001).contains(&middle.as_millis()));
    }

    #[test]
    fn a_job_that_dies_does_not_take_its_thread_with_it() {
        let queue = ProvingQueue::start(1, 8).unwrap();
        let (done, answer) = mpsc::channel();
        queue
            .submit(vec![Box::new(|| panic!("on purpose"))])
            .unwrap();
        queue
            .submit(vec![Box::new(move || done.send(7).unwrap())])
            .unwrap();
        assert_eq!(answer.recv().unwrap(), 7);
    }

    #[test]
    fn a_stopped_queue_takes_nothing_more() {
        let queue = ProvingQueue::start(2, 8).unwrap();
        queue.stop();
        assert!(queue.submit(vec![Box::new(|| {})]).is_err());
    }
}
