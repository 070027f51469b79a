//! The process that is killed, cut off and refused: it opens a store, commits from several threads and says each step.

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Result;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use store::{Backend, Batch, Change, DiskOptions, DiskStore, Store as _, StoreError, Table};

use crate::load;

/// What a writer does.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Writer {
    /// Directory of the store.
    #[arg(long)]
    pub(crate) dir: PathBuf,
    /// Database.
    #[arg(long, value_parser = reliability::backend_of)]
    pub(crate) backend: Backend,
    /// Seed of the batches.
    #[arg(long)]
    pub(crate) seed: u64,
    /// Number of the first batch of each thread; there are as many threads.
    #[arg(long, value_delimiter = ',')]
    pub(crate) from: Vec<u64>,
    /// Batches of each thread after each opening.
    #[arg(long, default_value_t = u64::MAX)]
    pub(crate) batches: u64,
    /// How often the store is opened, written to and given back.
    #[arg(long, default_value_t = 1)]
    pub(crate) openings: u64,
    /// Longest time between two compactions, milliseconds; 0 for none but those of `compact-after`.
    #[arg(long, default_value_t = 0)]
    pub(crate) compact_ms: u64,
    /// Seed of the times of compactions.
    #[arg(long, default_value_t = 0)]
    pub(crate) times: u64,
    /// Batch of each opening before which the first thread compacts.
    #[arg(long)]
    pub(crate) compact_after: Option<u64>,
}

/// Says a line with one write, so that it is not torn by a kill and stands in the order of the disk's record.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // Who does not listen any more has ended this process, or will.
    let _ = out.write_all(format!("{line}\n").as_bytes());
    let _ = out.flush();
}

impl Writer {
    /// Runs until its batches are made or a failure is not repaired by opening the store again.
    pub(crate) fn run(&self) -> Result<()> {
        // A run that is interrupted leaves no writer behind.
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        let mut from = self.from.clone();
        let mut failures = 0;
        let mut opening = 0;
        while opening < self.openings {
            say("opening");
            let options = DiskOptions {
                backend: self.backend,
                cache_bytes: 4 << 20,
                stall_limit: Duration::from_secs(10),
                ..DiskOptions::new(&self.dir)
            };
            let went = match DiskStore::open(&options) {
                Ok(store) => {
                    say("opened");
                    let went = self.write(&store, &mut from);
                    if store.has_failed() {
                        must_stay_refused(&store);
                    }
                    say("closing");
                    drop(store);
                    say("closed");
                    went
                }
                Err(error) => {
                    say(&format!("refusal opening: {error}"));
                    false
                }
            };
            if went {
                opening += 1;
                continue;
            }
            // What was in doubt is settled by opening again, once: the batch that failed is there or not, which only the
            // one who looks knows. So a writer ends at its second failure, and makes no more batches after its first.
            failures += 1;
            if failures > 1 {
                return Ok(());
            }
            from = vec![u64::MAX; from.len()];
        }
        Ok(())
    }

    /// Whether all batches were made.
    fn write(&self, store: &DiskStore, from: &mut [u64]) -> bool {
        if from.contains(&u64::MAX) {
            return true;
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            if self.compact_ms > 0 {
                scope.spawn(|| self.compact_at_times(store, &stop));
            }
            let threads: Vec<_> = (0..)
                .zip(&mut *from)
                .map(|(thread, first)| scope.spawn(move || self.write_thread(store, thread, first)))
                .collect();
            let all = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or(false));
            let all = all.fold(true, |all, one| all & one);
            stop.store(true, Ordering::SeqCst);
            all
        })
    }

    fn write_thread(&self, store: &DiskStore, thread: u8, first: &mut u64) -> bool {
        for made in 0..self.batches {
            if thread == 0 && self.compact_after == Some(made) {
                self.compact(store);
            }
            let number = *first;
            say(&format!("begun {thread} {number}"));
            let committed =
                load::batch(self.seed, thread, number, store).and_then(|batch| store.commit(batch));
            match committed {
                Ok(()) => say(&format!("acknowledged {thread} {number}")),
                Err(StoreError::Conflict(_)) => say(&format!("conflict {thread} {number}")),
                Err(error) => {
                    say(&format!("refusal commit: {error}"));
                    return false;
                }
            }
            *first += 1;
        }
        true
    }

    fn compact_at_times(&self, store: &DiskStore, stop: &AtomicBool) {
        let mut rng = ChaCha8Rng::seed_from_u64(self.times);
        while !stop.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(rng.random_range(0..self.compact_ms)));
            self.compact(store);
        }
    }

    fn compact(&self, store: &DiskStore) {
        say("compacting");
        match store.compact(self.backend, &mut |_| ()) {
            Ok(()) => say("compacted"),
            Err(error) => say(&format!("refusal compaction: {error}")),
        }
    }
}

/// A store that has failed answers nothing until it is opened again.
fn must_stay_refused(store: &DiskStore) {
    let mut batch = Batch::default();
    batch.push(Table::Events, vec![u8::MAX], Change::Put(vec![1]));
    if store.commit(batch).is_ok() {
        say("a failed store has taken a commit");
    }
    if store.get(Table::Events, &[0]).is_ok() || store.scan(Table::Events, b"", None, 1).is_ok() {
        say("a failed store has answered");
    }
}
