//! Places for connections at a door: so many in all, so many for one address, and whose is given away.

use std::collections::HashMap;
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
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    next: u64,
    by_address: HashMap<IpAddr, usize>,
    used: HashMap<u64, Weak<Activity>>,
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    // The counts are good between any two of their operations.
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    pub(crate) fn new(most: usize, most_per_address: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(most)),
            most_per_address,
            taken: Arc::default(),
        }
    }

    /// Waits for a place. When all are taken the connection that has been without a call for longest is cut, so that
    /// connections which do nothing keep nobody out.
    pub(crate) async fn room(&self) -> OwnedSemaphorePermit {
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
            let taken = lock(&self.taken);
            taken.used.values().filter_map(Weak::upgrade).collect()
        };
        let idle = used
            .iter()
            .filter_map(|activity| Some((activity.idle_since()?, activity)));
        if let Some((_, idlest)) = idle.min_by_key(|(since, _)| *since) {
            idlest.give_way();
        }
    }

    /// A place for a connection from an address; none if it has as many as it may.
    pub(crate) fn enter(&self, room: OwnedSemaphorePermit, from: IpAddr) -> Option<Place> {
        let mut taken = lock(&self.taken);
        let count = taken.by_address.entry(from).or_default();
        if *count >= self.most_per_address {
            return None;
        }
        *count += 1;
        taken.next += 1;
        Some(Place {
            number: taken.next,
            from,
            taken: Arc::clone(&self.taken),
            _room: room,
        })
    }
}

/// A connection's place.
pub(crate) struct Place {
    number: u64,
    from: IpAddr,
    taken: Arc<Mutex<Taken>>,
    _room: OwnedSemaphorePermit,
}

impl Place {
    /// Says what the connection does that has this place; until then it is in its handshake.
    pub(crate) fn is_used_by(&mut self, activity: &Arc<Activity>) {
        let activity = Arc::downgrade(activity);
        lock(&self.taken).used.insert(self.number, activity);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.used.remove(&self.number);
        if let Some(count) = taken.by_address.get_mut(&self.from) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.from);
            }
        }
    }
}
