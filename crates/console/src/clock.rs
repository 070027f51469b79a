//! The console's clock: the world's, or for rehearsals another. Everything below the binary takes it as an argument.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use rules::Minute;
use serde::Deserialize;

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The second that it is, since the Unix epoch.
    fn now_s(&self) -> u64;

    /// The minute that it is.
    fn now_minute(&self) -> Minute {
        let minute = u32::try_from(self.now_s() / 60).ok();
        minute
            .and_then(|minute| Minute::new(minute).ok())
            .unwrap_or(Minute::MAX)
    }
}

/// A clock that is not the world's, `[clock]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedTime {
    /// Where it starts, minutes since the Unix epoch.
    pub start_minute: Minute,
    /// Minutes that pass in a second; 0 stands still.
    pub rate_min_per_s: u32,
}

/// The system's clock, or from now on a simulated one.
#[derive(Clone, Debug)]
pub struct SystemClock {
    simulated: Option<(SimulatedTime, Instant)>,
}

impl SystemClock {
    /// The system's, or from now on the simulated one.
    pub fn of(simulated: Option<SimulatedTime>) -> Self {
        Self {
            simulated: simulated.map(|time| (time, Instant::now())),
        }
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one clock that the binary owns"
    )]
    fn now_s(&self) -> u64 {
        let Some((time, since)) = self.simulated else {
            let now = std::time::SystemTime::now();
            let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH);
            return since.unwrap_or_default().as_secs();
        };
        let start_s = u64::from(time.start_minute.get()) * 60;
        let passed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let passed_s = passed_ms.saturating_mul(60 * u64::from(time.rate_min_per_s)) / 1000;
        start_s.saturating_add(passed_s)
    }
}

/// A clock that is set by hand, for tests.
#[derive(Debug, Default)]
pub struct SetClock(AtomicU64);

impl SetClock {
    /// One that stands at a second.
    pub fn at_s(second: u64) -> Self {
        Self(AtomicU64::new(second))
    }

    /// Moves it on.
    pub fn pass_s(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now_s(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}
