//! Places for connections at a door: so many in all, so many for one address, and whose is given away.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::activity::Activity;

/// How often a connection without a call is looked for while all places are taken.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The places of one door.
pub(crate) struct Places {
    room: Arc<Semaphore>,
    most_per_address: usize,
    by_address: Counts<IpAddr>,
    used: Arc<Mutex<Used>>,
}

/// What connections do, by the number of their place.
#[derive(Default)]
struct Used {
    next: u64,
    by_number: HashMap<u64, Weak<Activity>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is counted here is good between any two of its operations.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How many of something each key has at present.
pub(crate) struct Counts<K: Hash + Eq>(Arc<Mutex<HashMap<K, usize>>>);

impl<K: Hash + Eq + Clone> Counts<K> {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// One more for a key; none if it has `most` already.
    pub(crate) fn enter(&self, key: K, most: usize) -> Option<Counted<K>> {
        let mut counts = lock(&self.0);
        let count = counts.entry(key.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Counted {
            key,
            counts: Arc::clone(&self.0),
        })
    }
}

/// One of those counted, until it is dropped.
pub(crate) struct Counted<K: Hash + Eq> {
    key: K,
    counts: Arc<Mutex<HashMap<K, usize>>>,
}

impl<K: Hash + Eq> Drop for Counted<K> {
    fn drop(&mut self) {
        let mut counts = lock(&self.counts);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

impl Places {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(most)),
            most_per_address,
            by_address: Counts::new(),
            used: Arc::default(),
        }
    }

    /// Counts a connection from an address; none if it has as many as it may.
    pub(crate) fn count(&self, from: IpAddr) -> Option<Counted<IpAddr>> {
        self.by_address.enter(from, self.most_per_address)
    }

    /// A place for a connection that is counted, as soon as there is one.
    pub(crate) async fn enter(&self, counted: Counted<IpAddr>) -> Place {
        let room = self.room().await;
        let mut used = lock(&self.used);
        used.next += 1;
        Place {
            number: used.next,
            used: Arc::clone(&self.used),
            _counted: counted,
            _room: room,
        }
    }

    /// Waits for a place. When all are taken the connection that has been without a call for longest is cut, so that
    /// connections which do nothing keep nobody out.
    async fn room(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(permit) = Arc::clone(&self.room).try_acquire_owned() {
                return permit;
            }
            self.cut_idlest();
            let waiting = Arc::clone(&self.room).acquire_owned();
            if let Ok(Ok(permit)) = tokio::time::timeout(LOOK_EVERY, waiting).await {
                return permit;
            }
        }
    }

    fn cut_idlest(&self) {
        let used: Vec<Arc<Activity>> = {
            let used = lock(&self.used);
            used.by_number.values().filter_map(Weak::upgrade).collect()
        };
        let idle = used
            .iter()
            .filter_map(|activity| Some((activity.idle_since()?, activity)));
        if let Some((_, idlest)) = idle.min_by_key(|(since, _)| *since) {
            idlest.give_way();
        }
    }
}

/// A connection's place.
pub(crate) struct Place {
    number: u64,
    used: Arc<Mutex<Used>>,
    _counted: Counted<IpAddr>,
    _room: OwnedSemaphorePermit,
}

impl Place {
    /// Says what the connection does that has this place; until then it is in its handshake.
    pub(crate) fn is_used_by(&self, activity: &Arc<Activity>) {
        let activity = Arc::downgrade(activity);
        lock(&self.used).by_number.insert(self.number, activity);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.used).by_number.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_count_and_what_is_dropped_counts_no_more() {
        let counts = Counts::new();
        let first = counts.enter("a", 2).unwrap();
        let _second = counts.enter("a", 2).unwrap();
        assert!(counts.enter("a", 2).is_none());
        let other = counts.enter("b", 2).unwrap();
        drop(first);
        let _third = counts.enter("a", 2).unwrap();
        assert!(counts.enter("a", 2).is_none());
        drop(other);
        assert_eq!(lock(&counts.0).len(), 1, "nobody is kept who has none");
    }
}
