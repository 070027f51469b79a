use std::collections::HashSet;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::store::ResidentKey;

/// Locks over residents, so that what is checked against a record still holds when it is written.
///
/// Each resident is locked by itself: a call holds its locks until its changes are durable, and those of others become
/// durable together with them.
#[derive(Default)]
pub(crate) struct Locks {
    held: Mutex<HashSet<ResidentKey>>,
    released: Condvar,
}

impl Locks {
    /// Waits until nobody holds any of `residents`, and holds all of them. They are taken at once, so that no two callers
    /// wait for each other; a caller must not hold some and ask for more.
    pub(crate) fn hold(&self, residents: impl IntoIterator<Item = ResidentKey>) -> Holding<'_> {
        let mut residents: Vec<ResidentKey> = residents.into_iter().collect();
        residents.sort_unstable();
        residents.dedup();
        let is_held = |held: &mut HashSet<ResidentKey>| residents.iter().any(|r| held.contains(r));
        let mut held = self
            .released
            .wait_while(self.lock(), is_held)
            .unwrap_or_else(PoisonError::into_inner);
        held.extend(&residents);
        drop(held);
        Holding {
            locks: self,
            residents,
        }
    }

    /// What a lock guards is in the store, which takes all of a batch or nothing: a panic leaves no half state.
    fn lock(&self) -> MutexGuard<'_, HashSet<ResidentKey>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Holds residents' locks until it is dropped.
#[must_use]
pub(crate) struct Holding<'a> {
    locks: &'a Locks,
    residents: Vec<ResidentKey>,
}

impl Drop for Holding<'_> {
    fn drop(&mut self) {
        let mut held = self.locks.lock();
        for resident in &self.residents {
            held.remove(resident);
        }
        drop(held);
        self.locks.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::thread;

    use super::*;

    fn resident(number: u8) -> ResidentKey {
        ResidentKey([number; 32])
    }

    #[test]
    fn others_are_not_held_up_and_the_same_wait_until_all_of_it_is_free() {
        let locks = Arc::new(Locks::default());
        let first = locks.hold([resident(1), resident(2), resident(1)]);
        drop(locks.hold([resident(3)]));
        let waiting = {
            let locks = Arc::clone(&locks);
            thread::spawn(move || drop(locks.hold([resident(2), resident(3)])))
        };
        // Whoever waits for one resident holds none of the others.
        drop(locks.hold([resident(3)]));
        assert!(!waiting.is_finished());
        drop(first);
        waiting.join().unwrap();
        assert!(locks.lock().is_empty());
    }

    #[test]
    fn one_who_panics_lets_go() {
        let locks = Arc::new(Locks::default());
        let panicking = {
            let locks = Arc::clone(&locks);
            thread::spawn(move || {
                let _held = locks.hold([resident(1)]);
                panic!("while it holds");
            })
        };
        assert!(panicking.join().is_err());
        drop(locks.hold([resident(1)]));
    }

    #[test]
    fn many_callers_with_overlapping_residents_never_hold_one_twice_and_all_get_through() {
        const CALLERS: u8 = 8;
        let locks = Locks::default();
        let inside: [AtomicU32; 16] = std::array::from_fn(|_| AtomicU32::new(0));
        thread::scope(|scope| {
            for caller in 0..CALLERS {
                let (locks, inside) = (&locks, &inside);
                scope.spawn(move || {
                    for round in 0..200_u8 {
                        let mine = [caller, round, caller ^ round].map(|n| n % 16);
                        let distinct: HashSet<u8> = mine.into_iter().collect();
                        let _held = locks.hold(mine.map(resident));
                        for number in &distinct {
                            let before =
                                inside[usize::from(*number)].fetch_add(1, Ordering::SeqCst);
                            assert_eq!(before, 0, "{number} is held twice");
                        }
                        thread::yield_now();
                        for number in &distinct {
                            inside[usize::from(*number)].fetch_sub(1, Ordering::SeqCst);
                        }
                    }
                });
            }
        });
    }
}
