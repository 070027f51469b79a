//! What time it is: one time for the world, and each house's clock, which can be off and never goes back while its node runs.

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::Clock;
use rules::Minute;
use verifier::UnixTime;

/// The world's time: it goes on with the simulation, and can be moved ahead where nothing happens.
pub(crate) struct WorldTime {
    start: u32,
    minute_ms: u64,
    elapsed_ms: AtomicU64,
    skipped_min: AtomicU32,
}

impl WorldTime {
    pub(crate) fn new(start: u32, minute_ms: u64) -> Self {
        Self {
            start,
            minute_ms,
            elapsed_ms: AtomicU64::new(0),
            skipped_min: AtomicU32::new(0),
        }
    }

    /// The simulation has come so far.
    pub(crate) fn set(&self, elapsed: Duration) {
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.elapsed_ms.store(elapsed_ms, Ordering::SeqCst);
    }

    /// Leaves out the minutes to `minute`.
    pub(crate) fn skip_to(&self, minute: u32) {
        let ahead = minute.saturating_sub(self.now());
        self.skipped_min.fetch_add(ahead, Ordering::SeqCst);
    }

    /// Seconds since the epoch of Unix.
    fn now_s(&self) -> u64 {
        let minutes = u64::from(self.start) + u64::from(self.skipped_min.load(Ordering::SeqCst));
        minutes * 60 + self.elapsed_ms.load(Ordering::SeqCst) * 60 / self.minute_ms
    }

    pub(crate) fn now(&self) -> u32 {
        u32::try_from(self.now_s() / 60).unwrap_or(u32::MAX)
    }

    pub(crate) fn unix(&self) -> UnixTime {
        UnixTime::from_s(self.now_s())
    }
}

/// The clock of one house.
pub(crate) struct HouseClock {
    world: Arc<WorldTime>,
    ahead_min: AtomicI64,
    latest: Mutex<Minute>,
}

impl HouseClock {
    pub(crate) fn new(world: Arc<WorldTime>) -> Self {
        Self {
            world,
            ahead_min: AtomicI64::new(0),
            latest: Mutex::new(Minute::ZERO),
        }
    }

    /// Sets the machine's clock off by as many minutes.
    pub(crate) fn set_ahead(&self, minutes: i64) {
        self.ahead_min.store(minutes, Ordering::SeqCst);
    }

    /// A process that starts knows nothing of what the former one has seen.
    pub(crate) fn restart(&self) {
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Minute::ZERO;
    }
}

impl Clock for HouseClock {
    fn now(&self) -> Minute {
        let world = Minute::new(self.world.now()).unwrap_or(Minute::MAX);
        let shown = world.saturating_add_signed(self.ahead_min.load(Ordering::SeqCst));
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        *latest = shown.max(*latest);
        *latest
    }
}
