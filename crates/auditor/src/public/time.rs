//! The page's clock: the world's, or for rehearsals another.

use std::time::Instant;

use rules::Minute;
use serde::Deserialize;
use verifier::UnixTime;

/// A clock that is not the world's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SimulatedTime {
    /// Where it starts, minutes since the Unix epoch.
    pub(super) start_minute: Minute,
    /// Minutes that pass in a second; 0 stands still.
    pub(super) rate_min_per_s: u32,
}

/// Tells the time.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    simulated: Option<(SimulatedTime, Instant)>,
}

impl Clock {
    /// The system's, or from now on a simulated one.
    pub(super) fn of(simulated: Option<SimulatedTime>) -> Self {
        Self {
            simulated: simulated.map(|time| (time, Instant::now())),
        }
    }
}

impl published::Clock for Clock {
    fn is_simulated(&self) -> bool {
        self.simulated.is_some()
    }

    fn now(&self) -> UnixTime {
        let Some((time, since)) = self.simulated else {
            return crate::clock::now_s();
        };
        let start_s = u64::from(time.start_minute.get()) * 60;
        let passed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let passed_s = passed_ms.saturating_mul(60 * u64::from(time.rate_min_per_s)) / 1000;
        UnixTime::from_s(start_s.saturating_add(passed_s))
    }
}
