//! When an answer leaves: at points of a grid that begins with the call, so that the moment does not tell what it took.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Points at whole multiples of a quantum after a call came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grid {
    began: Instant,
    quantum: Duration,
}

impl Grid {
    /// The grid of a call that comes now.
    pub(crate) fn begin(quantum: Duration) -> Self {
        Self {
            began: Instant::now(),
            quantum: quantum.max(Duration::from_millis(1)),
        }
    }

    /// The first point at which `after` has passed since the call came; never the beginning itself.
    pub(crate) fn point(&self, after: Duration) -> Instant {
        let quanta = after.as_nanos().div_ceil(self.quantum.as_nanos()).max(1);
        self.began + self.quantum * u32::try_from(quanta).unwrap_or(u32::MAX)
    }

    /// Waits for the next point.
    pub(crate) async fn next(&self) {
        sleep_until(self.point(self.began.elapsed())).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUANTUM: Duration = Duration::from_secs(2);

    #[test]
    fn a_point_is_the_first_that_is_not_too_early() {
        let grid = Grid::begin(QUANTUM);
        for (after_ms, point_ms) in [
            (0, 2_000),
            (1, 2_000),
            (2_000, 2_000),
            (2_001, 4_000),
            (9_999, 10_000),
        ] {
            let point = grid.point(Duration::from_millis(after_ms));
            let point_ms = Duration::from_millis(point_ms);
            assert_eq!(point - grid.began, point_ms, "{after_ms}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn quick_and_slow_work_within_one_quantum_end_at_the_same_moment() {
        for work_ms in [0, 1, 700, 1_999] {
            let grid = Grid::begin(QUANTUM);
            tokio::time::sleep(Duration::from_millis(work_ms)).await;
            grid.next().await;
            assert_eq!(grid.began.elapsed(), QUANTUM, "{work_ms}");
        }
    }
}
