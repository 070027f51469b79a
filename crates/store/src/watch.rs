//! A watch over calls into a database: over damaged files it can loop without an end and without an error.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Calls that are watched at once; further ones are not, until one ends. More than the threads that call.
const SLOTS: usize = 1_024;

/// The calls under way, by when they began.
pub(crate) struct Watch {
    since: Instant,
    /// Milliseconds after `since` plus one; zero where there is no call.
    slots: Box<[AtomicU64; SLOTS]>,
    next: AtomicUsize,
}

/// A call under way.
pub(crate) struct Watched<'a>(Option<&'a AtomicU64>);

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        if let Some(slot) = self.0 {
            slot.store(0, Ordering::Release);
        }
    }
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self {
            since: Instant::now(),
            slots: Box::new(std::array::from_fn(|_| AtomicU64::new(0))),
            next: AtomicUsize::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX - 1) + 1
    }

    /// A call begins; it ends when what is returned is dropped.
    pub(crate) fn begin(&self) -> Watched<'_> {
        let now = self.now();
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        // A few tries: with fewer calls than slots the first one nearly always succeeds.
        let free = (0..8).map(|i| &self.slots[(first + i) % SLOTS]);
        let mut taken = free.filter(|slot| {
            slot.compare_exchange(0, now, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        });
        Watched(taken.next())
    }

    /// For how long the oldest call has been under way.
    pub(crate) fn oldest(&self) -> Duration {
        let began = self.slots.iter().map(|slot| slot.load(Ordering::Acquire));
        let oldest = began.filter(|began| *began > 0).min();
        oldest.map_or(Duration::ZERO, |began| {
            Duration::from_millis(self.now().saturating_sub(began))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_call_under_way_is_seen_and_an_ended_one_is_not() {
        let watch = Watch::new();
        assert_eq!(watch.oldest(), Duration::ZERO);
        let first = watch.begin();
        std::thread::sleep(Duration::from_millis(30));
        let second = watch.begin();
        assert!(watch.oldest() >= Duration::from_millis(30));
        drop(first);
        assert!(watch.oldest() < Duration::from_millis(30));
        drop(second);
        assert_eq!(watch.oldest(), Duration::ZERO);
    }
}
