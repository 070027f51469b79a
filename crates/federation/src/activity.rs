//! What happens on a connection: whether it is used, and whether anybody takes the answers.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use wire::MAX_MESSAGE_BYTES;

/// Bytes that a connection may bring between two signs of progress, for each call under way and one more: a message of
/// the greatest length twice over. A connection that brings more brings frames that carry no call.
const BYTES_A_CALL: u64 = 2 * MAX_MESSAGE_BYTES as u64;

/// Why a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// No call for longer than admitted.
    Idle,
    /// A call whose time is over is still open: its answer is not taken.
    Overdue,
    /// No call, and somebody else needs the place.
    GaveWay,
}

/// Calls and bytes of one connection.
pub(crate) struct Activity {
    idle: Duration,
    state: Mutex<State>,
    unpaid_bytes: AtomicU64,
    way: Notify,
}

struct State {
    idle_since: Instant,
    next: u64,
    /// The latest end of each call under way; none for one that may last as long as the connection.
    open: BTreeMap<u64, Option<Instant>>,
}

impl Activity {
    /// For a connection that was just made, and that may be without a call for `idle`.
    pub(crate) fn new(idle: Duration) -> Arc<Self> {
        Arc::new(Self {
            idle,
            state: Mutex::new(State {
                idle_since: Instant::now(),
                next: 0,
                open: BTreeMap::new(),
            }),
            unpaid_bytes: AtomicU64::new(0),
            way: Notify::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is good between any two of its operations.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call begins that has to be over at `latest`.
    pub(crate) fn begin(self: &Arc<Self>, latest: Option<Instant>) -> OpenCall {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.open.insert(id, latest);
        drop(state);
        self.unpaid_bytes.store(0, Ordering::Relaxed);
        OpenCall {
            activity: Arc::clone(self),
            id,
        }
    }

    /// Since when there is no call; none while there is one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        state.open.is_empty().then_some(state.idle_since)
    }

    /// Asks the connection to make room for another, if it has no call.
    pub(crate) fn give_way(&self) {
        self.way.notify_one();
    }

    /// Counts bytes that came in.
    pub(crate) fn read(&self, bytes: usize) {
        self.unpaid_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Whether more came in than calls account for.
    pub(crate) fn is_noise(&self) -> bool {
        let unpaid = self.unpaid_bytes.load(Ordering::Relaxed);
        unpaid > BYTES_A_CALL && unpaid / BYTES_A_CALL > self.lock().open.len() as u64
    }

    fn fault(&self, now: Instant) -> Result<Instant, Fault> {
        let state = self.lock();
        if state.open.is_empty() {
            let due = state.idle_since + self.idle;
            return if due <= now {
                Err(Fault::Idle)
            } else {
                Ok(due)
            };
        }
        match state.open.values().flatten().min() {
            Some(&due) if due <= now => Err(Fault::Overdue),
            Some(&due) => Ok(due.min(now + self.idle)),
            None => Ok(now + self.idle),
        }
    }

    /// Completes when the connection should be cut. Looks again after a quarter of the idle time at the latest, for calls
    /// may have begun since.
    pub(crate) async fn until_fault(&self) -> Fault {
        loop {
            let now = Instant::now();
            match self.fault(now) {
                Err(fault) => return fault,
                Ok(due) => {
                    let look = tokio::time::sleep_until(due.min(now + self.idle / 4));
                    tokio::select! {
                        () = look => {}
                        () = self.way.notified() => {
                            if self.idle_since().is_some() {
                                return Fault::GaveWay;
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A call under way; it ends when this is dropped.
pub(crate) struct OpenCall {
    activity: Arc<Activity>,
    id: u64,
}

impl OpenCall {
    /// The call has got on, and has to be over, or to get on again, at `latest`.
    pub(crate) fn renew(&self, latest: Instant) {
        self.activity.lock().open.insert(self.id, Some(latest));
        self.activity.unpaid_bytes.store(0, Ordering::Relaxed);
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        let mut state = self.activity.lock();
        state.open.remove(&self.id);
        state.idle_since = Instant::now();
        drop(state);
        self.activity.unpaid_bytes.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_secs(8);

    #[tokio::test(start_paused = true)]
    async fn a_connection_without_a_call_is_idle_and_one_with_a_call_is_not() {
        let activity = Activity::new(IDLE);
        let begun = Instant::now();
        assert_eq!(activity.until_fault().await, Fault::Idle);
        assert_eq!(begun.elapsed(), IDLE);
        let call = activity.begin(None);
        let waited = tokio::time::timeout(IDLE * 10, activity.until_fault()).await;
        assert!(waited.is_err());
        drop(call);
        assert_eq!(activity.until_fault().await, Fault::Idle);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_gives_way_only_while_it_has_no_call() {
        let activity = Activity::new(IDLE);
        let call = activity.begin(None);
        assert_eq!(activity.idle_since(), None);
        activity.give_way();
        let waited = tokio::time::timeout(IDLE, activity.until_fault()).await;
        assert!(waited.is_err());
        drop(call);
        activity.give_way();
        assert_eq!(activity.until_fault().await, Fault::GaveWay);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_not_over_in_time_is_overdue_unless_it_gets_on() {
        let activity = Activity::new(IDLE);
        let begun = Instant::now();
        let call = activity.begin(Some(begun + Duration::from_secs(3)));
        call.renew(begun + Duration::from_secs(5));
        assert_eq!(activity.until_fault().await, Fault::Overdue);
        assert!(begun.elapsed() >= Duration::from_secs(5));
        assert!(begun.elapsed() <= Duration::from_secs(5) + IDLE / 4);
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_that_no_call_accounts_for_are_noise() {
        let activity = Activity::new(IDLE);
        let most = usize::try_from(BYTES_A_CALL).unwrap();
        activity.read(most);
        assert!(!activity.is_noise());
        activity.read(most);
        assert!(activity.is_noise());
        let call = activity.begin(None);
        assert!(!activity.is_noise(), "a call is progress");
        activity.read(most + 1);
        assert!(!activity.is_noise(), "a call brings bytes");
        activity.read(most);
        assert!(activity.is_noise());
        drop(call);
        assert!(!activity.is_noise());
    }
}
