//! The node's clock. Everything below the binary takes the time as an argument or from this trait.

use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use rules::Minute;

/// Tells the time and never goes back.
pub trait Clock: Send + Sync + 'static {
    /// The current minute.
    fn now(&self) -> Minute;

    /// Moves a simulated clock forward to `minute`; false if this clock cannot be moved.
    fn advance_to(&self, minute: Minute) -> bool {
        let _ = minute;
        false
    }
}

/// The system's clock. Where the system sets it back, it stands still until time has caught up.
#[derive(Debug)]
pub struct SystemClock {
    latest: Mutex<Minute>,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self {
            latest: Mutex::new(Minute::ZERO),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one clock that the binary owns"
    )]
    fn now(&self) -> Minute {
        let since = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let minute = u32::try_from(since.as_secs() / 60)
            .ok()
            .and_then(|m| Minute::new(m).ok())
            .unwrap_or(Minute::MAX);
        advance(&self.latest, minute)
    }
}

/// A clock that starts at a chosen minute and runs at a chosen rate, so that past weeks can be lived through.
#[derive(Debug)]
pub struct SimulatedClock {
    base: Mutex<(Minute, Instant)>,
    rate_min_per_s: u32,
    is_movable: bool,
}

impl SimulatedClock {
    /// One that its operator may move forward, or not.
    #[must_use]
    pub fn movable(mut self, is_movable: bool) -> Self {
        self.is_movable = is_movable;
        self
    }

    /// Starts at `start` now and goes on by `rate_min_per_s` minutes each second; at zero it stands still.
    pub fn start(start: Minute, rate_min_per_s: u32) -> Self {
        Self {
            base: Mutex::new((start, Instant::now())),
            rate_min_per_s,
            is_movable: true,
        }
    }

    fn reading(&self, (start, since): (Minute, Instant)) -> Minute {
        let passed_ms = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        let minutes = passed_ms.saturating_mul(i64::from(self.rate_min_per_s)) / 1000;
        start.saturating_add_signed(minutes)
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Minute {
        self.reading(*self.base.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn advance_to(&self, minute: Minute) -> bool {
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_movable && minute > self.reading(*base) {
            *base = (minute, Instant::now());
        }
        self.is_movable
    }
}

fn advance(latest: &Mutex<Minute>, minute: Minute) -> Minute {
    let mut latest = latest.lock().unwrap_or_else(PoisonError::into_inner);
    *latest = minute.max(*latest);
    *latest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_moved_by_hand_does_not_go_back() {
        let clock = SimulatedClock::start(Minute::new(100).unwrap(), 0);
        clock.advance_to(Minute::new(200).unwrap());
        clock.advance_to(Minute::new(150).unwrap());
        assert_eq!(clock.now().get(), 200);
    }

    #[test]
    fn a_simulated_clock_begins_where_it_is_told_and_goes_on_at_its_rate() {
        let start = Minute::new(27_000_000).unwrap();
        let still = SimulatedClock::start(start, 0);
        assert_eq!(still.now(), start);
        let fast = SimulatedClock::start(start, 60_000);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(fast.now().get() >= start.get() + 1200);
        let fixed = SimulatedClock::start(start, 0).movable(false);
        assert!(!fixed.advance_to(Minute::MAX) && fixed.now() == start);
    }
}
