//! Quotas: how much one caller may ask for, so that none takes the place of all others.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::RateLimiter;
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

/// Buckets that are shared by callers for whom there is no room.
const SHARED_BUCKETS: usize = 1_024;
/// Time between two searches for callers who can be forgotten.
const SWEEP_EVERY_NS: u64 = 1_000_000_000;

/// How much a caller may have at once, and how fast it comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Time in which one unit comes back; not zero.
    pub period: Duration,
    /// Units that may be taken at once.
    pub burst: NonZeroU32,
}

impl Quota {
    /// `per_s` units each second, `burst` of them at once. A zero counts as one.
    pub fn per_second(per_s: u32, burst: u32) -> Self {
        Self::every(Duration::from_secs(1) / per_s.max(1), burst)
    }

    /// One unit in each `period`, `burst` of them at once. A zero counts as the least.
    pub fn every(period: Duration, burst: u32) -> Self {
        Self {
            period: period.max(Duration::from_nanos(1)),
            burst: NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// A token bucket for each caller, in bounded memory. Callers whose bucket is full again are forgotten when there is no
/// room; while there is still none, newcomers share 1,024 buckets, so that many made-up callers cost neither memory nor
/// the quota of those that were there before.
pub struct Quotas<K: Hash + Eq + Clone> {
    limiter: RateLimiter<K, Store<K>, Hand, NoOpMiddleware<Nanos>>,
    buckets: Arc<Guarded<K>>,
    quota: Quota,
    hand: Hand,
    swept_at_ns: AtomicU64,
    most: usize,
}

impl<K: Hash + Eq + Clone> Quotas<K> {
    /// The same `quota` for every caller; `most` of them are told apart.
    pub fn new(quota: Quota, most: usize) -> Self {
        let hand = Hand::default();
        let shape = governor::Quota::with_period(quota.period).unwrap_or_else(|| {
            // A period is never zero; see `Quota::every`. This is the slowest that cannot fail.
            governor::Quota::per_hour(NonZeroU32::MIN)
        });
        let buckets = Arc::new(Guarded(Mutex::default()));
        let store = Store {
            most,
            hasher: RandomState::new(),
            buckets: Arc::clone(&buckets),
        };
        Self {
            limiter: RateLimiter::new(shape.allow_burst(quota.burst), store, hand.clone()),
            buckets,
            quota,
            hand,
            swept_at_ns: AtomicU64::new(0),
            most,
        }
    }

    /// Takes `units` of a caller's quota at `now`, the time since any moment that stays the same. All or nothing.
    ///
    /// # Errors
    /// The time to wait until it can be had. More than the burst can never be had; then it is the time in which the whole
    /// burst comes back.
    pub fn take(&self, caller: &K, units: u32, now: Duration) -> Result<(), Duration> {
        let Some(units) = NonZeroU32::new(units) else {
            return Ok(());
        };
        self.hand.advance(now);
        self.sweep_if_full();
        let now = self.hand.now();
        match self.limiter.check_key_n(caller, units) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(until.wait_time_from(now)),
            Err(_) => Err(self.all_of_it()),
        }
    }

    /// Gives a caller its whole quota back. One that shares its bucket has to wait like the others.
    pub fn forget(&self, caller: &K) {
        let mut buckets = self.buckets.lock();
        buckets.known.remove(caller);
    }

    /// Callers that are told apart at present.
    pub fn known(&self) -> usize {
        self.limiter.len()
    }

    fn all_of_it(&self) -> Duration {
        self.quota.period.saturating_mul(self.quota.burst.get())
    }

    fn sweep_if_full(&self) {
        if self.limiter.len() < self.most {
            return;
        }
        let now = self.hand.now().as_u64();
        let last = self.swept_at_ns.load(Ordering::Relaxed);
        let is_due = last == 0 || now.saturating_sub(last) >= SWEEP_EVERY_NS;
        let mine = is_due
            && self
                .swept_at_ns
                .compare_exchange(last, now.max(1), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
        if mine {
            self.limiter.retain_recent();
        }
    }
}

/// A clock that is told the time; it does not go back.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn advance(&self, to: Duration) {
        let to = u64::try_from(to.as_nanos()).unwrap_or(u64::MAX);
        self.0.fetch_max(to, Ordering::Relaxed);
    }
}

impl Clock for Hand {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

/// Where the buckets are.
struct Store<K> {
    most: usize,
    /// Keyed at random, so that nobody can choose whose bucket to share.
    hasher: RandomState,
    buckets: Arc<Guarded<K>>,
}

struct Guarded<K>(Mutex<Buckets<K>>);

struct Buckets<K> {
    known: HashMap<K, Nanos>,
    shared: Box<[Option<Nanos>]>,
}

impl<K> Default for Buckets<K> {
    fn default() -> Self {
        Self {
            known: HashMap::new(),
            shared: vec![None; SHARED_BUCKETS].into(),
        }
    }
}

impl<K> Guarded<K> {
    fn lock(&self) -> MutexGuard<'_, Buckets<K>> {
        // Buckets are good between any two of their operations.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Hash + Eq + Clone> StateStore for Store<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut buckets = self.buckets.lock();
        if let Some(bucket) = buckets.known.get_mut(key) {
            let (answer, next) = decide(Some(*bucket))?;
            *bucket = next;
            return Ok(answer);
        }
        if buckets.known.len() < self.most {
            let (answer, next) = decide(None)?;
            buckets.known.insert(key.clone(), next);
            return Ok(answer);
        }
        let place = usize::try_from(self.hasher.hash_one(key) % SHARED_BUCKETS as u64).unwrap_or(0);
        let (answer, next) = decide(buckets.shared[place])?;
        buckets.shared[place] = Some(next);
        Ok(answer)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Store<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        self.buckets
            .lock()
            .known
            .retain(|_, full_at| *full_at > drop_below);
    }

    fn len(&self) -> usize {
        self.buckets.lock().known.len()
    }

    fn is_empty(&self) -> bool {
        self.buckets.lock().known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_burst_can_be_had_at_once_and_comes_back_with_time() {
        let quotas = Quotas::new(Quota::per_second(2, 10), 100);
        assert_eq!(quotas.take(&"a", 10, s(1)), Ok(()));
        let wait = quotas.take(&"a", 4, s(1)).unwrap_err();
        assert_eq!(wait, s(2));
        assert_eq!(quotas.take(&"b", 10, s(1)), Ok(()), "each has its own");
        assert!(quotas.take(&"a", 4, s(2)).is_err());
        assert_eq!(quotas.take(&"a", 4, s(3)), Ok(()));
        assert_eq!(quotas.take(&"a", 0, s(3)), Ok(()), "nothing costs nothing");
    }

    #[test]
    fn more_than_the_burst_is_never_to_be_had_and_takes_nothing() {
        let quotas = Quotas::new(Quota::per_second(1, 10), 100);
        assert_eq!(quotas.take(&1, 11, s(0)), Err(s(10)));
        assert_eq!(quotas.take(&1, 10, s(0)), Ok(()));
    }

    #[test]
    fn a_caller_that_is_forgotten_has_its_whole_quota_again() {
        let quotas = Quotas::new(Quota::every(s(3_600), 2), 100);
        quotas.take(&1, 2, s(0)).unwrap();
        assert!(quotas.take(&1, 1, s(0)).is_err());
        quotas.forget(&1);
        assert_eq!(quotas.take(&1, 2, s(0)), Ok(()));
    }

    #[test]
    fn a_time_that_goes_back_gives_nothing_back() {
        let quotas = Quotas::new(Quota::per_second(1, 1), 100);
        assert_eq!(quotas.take(&1, 1, s(50)), Ok(()));
        assert!(quotas.take(&1, 1, s(3)).is_err());
        assert_eq!(quotas.take(&1, 1, s(51)), Ok(()));
    }

    #[test]
    fn callers_whose_bucket_is_full_again_are_forgotten() {
        let quotas = Quotas::new(Quota::per_second(1, 2), 3);
        for caller in 0..3 {
            quotas.take(&caller, 1, s(10)).unwrap();
        }
        assert_eq!(quotas.known(), 3);
        quotas.take(&7, 1, s(20)).unwrap();
        assert_eq!(quotas.known(), 1);
    }

    #[test]
    fn made_up_callers_cost_neither_memory_nor_the_quota_of_others() {
        let quotas = Quotas::new(Quota::every(s(3_600), 2), 1_000);
        quotas.take(&0, 1, s(0)).unwrap();
        let mut refused = 0;
        for caller in 1..100_000 {
            refused += u32::from(quotas.take(&caller, 1, s(0)).is_err());
        }
        assert_eq!(quotas.known(), 1_000);
        assert!(refused > 90_000, "{refused}");
        assert_eq!(quotas.take(&0, 1, s(0)), Ok(()), "it still has its own");
        assert!(quotas.take(&0, 1, s(0)).is_err());
    }
}
