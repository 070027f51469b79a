use std::time::{Instant, SystemTime};

use rules::Minute;
use verifier::UnixTime;

use crate::SimulatedTime;

/// Tells the time: the system's, or outside production a simulated one.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Simulated { time: SimulatedTime, since: Instant },
}

impl Clock {
    /// The system's clock. Where it is set back, the verifier notices by what the gate has seen.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that starts at a chosen minute now and runs at a chosen rate.
    pub fn simulated(time: SimulatedTime) -> Self {
        Self(Source::Simulated {
            time,
            since: Instant::now(),
        })
    }

    /// The clock that a configuration asks for.
    pub fn of(simulated: Option<SimulatedTime>) -> Self {
        simulated.map_or_else(Self::system, Self::simulated)
    }

    /// The current time.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the checkpoint asks for the time"
    )]
    pub fn now(&self) -> UnixTime {
        match &self.0 {
            Source::System => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                UnixTime::from_s(since.unwrap_or_default().as_secs())
            }
            Source::Simulated { time, since } => {
                let start_s = u64::from(Minute::get(time.start_minute)) * 60;
                let passed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                let passed_s = passed_ms.saturating_mul(60 * u64::from(time.rate_min_per_s)) / 1000;
                UnixTime::from_s(start_s.saturating_add(passed_s))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simulated_clock_with_rate_zero_stands_still_at_its_start() {
        let clock = Clock::simulated(SimulatedTime {
            start_minute: Minute::new(27_679_200).unwrap(),
            rate_min_per_s: 0,
        });
        assert_eq!(clock.now(), UnixTime::from_s(27_679_200 * 60));
        assert_eq!(clock.now(), clock.now());
    }

    #[test]
    fn the_system_clock_is_after_this_was_written() {
        assert!(Clock::system().now() > UnixTime::from_s(1_700_000_000));
    }
}
