//! What was verified last of each node, and the rounds in which it is looked at again.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ledger::Roster;
use tokio::sync::Mutex as Turn;
use tokio::task::JoinSet;
use tokio::time::Instant;
use verifier::UnixTime;
use verifier::trust::RootKeys;

use crate::list::{self, Fetched, Held, Judging};
use crate::log::{self, Believed, Followed};
use crate::looking::NodeAt;
use crate::problem::{Fault, Problem};

/// Tells the time.
pub trait Clock: Send + Sync + 'static {
    /// The second that it is.
    fn now(&self) -> UnixTime;

    /// Whether that is not the world's.
    fn is_simulated(&self) -> bool;
}

/// A federation: what is believed of it, and who is asked.
#[derive(Clone, Debug)]
pub struct Watched {
    /// Its name: logs and witnesses are called after it.
    pub federation: String,
    /// The keys that its trust list is believed by.
    pub root_keys: RootKeys,
    /// The nodes, each slot once.
    pub nodes: Vec<NodeAt>,
}

/// How long is waited for whom.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Time for all of a node's list with its batches, and as long again for all of its log. In two minutes a line of 3 Mbit/s brings the
    /// most that is read of a log in one round.
    pub(crate) node_within: Duration,
    /// Time after which logs are judged by the best list so far, without those of nodes that are slow.
    pub(crate) lists_within: Duration,
    /// Least time between two rounds that pages ask for, from the end of one.
    pub(crate) least_between: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            node_within: Duration::from_mins(2),
            lists_within: Duration::from_secs(3),
            least_between: Duration::from_secs(10),
        }
    }
}

/// What is known of a node.
#[derive(Clone)]
pub(crate) struct NodeState {
    pub(crate) at: NodeAt,
    /// Why its trust list was not verified in the last round.
    pub(crate) list_problem: Option<Problem>,
    /// Its log, as it was verified last.
    pub(crate) log: Option<Arc<Followed>>,
    /// Why it was not verified in the last round.
    pub(crate) log_problem: Option<Problem>,
}

/// What is known.
#[derive(Clone, Default)]
pub(crate) struct State {
    pub(crate) held: Option<Held>,
    pub(crate) nodes: Vec<NodeState>,
    /// When the last round ended.
    pub(crate) looked_at: Option<UnixTime>,
}

/// Looks at the nodes of a federation, and remembers what was verified of each.
pub struct Watch {
    watched: Arc<Watched>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    fetched: Arc<Fetched>,
    pub(crate) pace: Pace,
    /// When the last round ended; one at a time.
    turn: Turn<Option<Instant>>,
}

/// What came of a node, by its place.
enum Came {
    List(usize, Result<Held, Problem>),
    Log(usize, Result<Arc<Followed>, Problem>),
}

impl Watch {
    /// One that has not looked yet.
    pub fn new(watched: Watched, clock: Arc<dyn Clock>) -> Self {
        let nodes = watched.nodes.iter().map(|at| NodeState {
            at: at.clone(),
            list_problem: None,
            log: None,
            log_problem: None,
        });
        let state = State {
            nodes: nodes.collect(),
            ..State::default()
        };
        Self {
            clock,
            watched: Arc::new(watched),
            state: Mutex::new(state),
            fetched: Arc::default(),
            pace: Pace::default(),
            turn: Turn::default(),
        }
    }

    pub(crate) fn watched(&self) -> &Watched {
        &self.watched
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) fn state(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    /// Looks again for a page, unless that was done a moment ago.
    pub(crate) async fn look_again(&self) {
        let mut turn = self.turn.lock().await;
        let least = self.pace.least_between;
        if turn.is_none_or(|ended| ended.elapsed() >= least) {
            self.round(&mut turn).await;
        }
    }

    /// Looks again and again, `every` so long after the last look has ended, until it is dropped.
    pub async fn keep_looking(&self, every: Duration) -> Infallible {
        loop {
            self.look().await;
            tokio::time::sleep(every).await;
        }
    }

    /// Looks at every node, once.
    pub async fn look(&self) {
        let mut turn = self.turn.lock().await;
        self.round(&mut turn).await;
    }

    /// Asks all nodes side by side. What comes of each is there at once: who is slow holds up nobody but itself.
    async fn round(&self, turn: &mut Option<Instant>) {
        let mut state = self.state();
        let judging = Judging {
            held: state.held.clone(),
            pinned: self.watched.root_keys.clone(),
            now: self.clock.now(),
        };
        let (mut lists, mut are_logs_asked) = (BTreeMap::new(), false);
        let mut asking = JoinSet::new();
        self.ask_lists(&state, &judging, &mut asking);
        let mut lists_end = pin!(tokio::time::sleep(self.pace.lists_within));
        loop {
            let are_all_in = lists.len() == state.nodes.len();
            let is_time = are_all_in || (lists_end.is_elapsed() && state.held.is_some());
            if is_time && !are_logs_asked {
                are_logs_asked = true;
                self.ask_logs(&mut state, &mut asking);
            }
            let came = tokio::select! {
                came = asking.join_next() => came,
                () = &mut lists_end, if !lists_end.is_elapsed() => continue,
            };
            match came {
                None => break,
                Some(Ok(Came::List(place, list))) => {
                    settle(&mut state, (place, list), &mut lists, &judging.pinned);
                }
                Some(Ok(Came::Log(place, followed))) => state.nodes[place].take(followed),
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            }
            self.keep(&state);
        }
        state.looked_at = Some(self.clock.now());
        self.keep(&state);
        self.fetched.bound();
        *turn = Some(Instant::now());
    }

    fn keep(&self, state: &State) {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone_from(state);
    }

    fn ask_lists(&self, state: &State, judging: &Judging, asking: &mut JoinSet<Came>) {
        let (time, all) = (self.pace.node_within, state.nodes.len());
        for (place, node) in state.nodes.iter().enumerate() {
            let (origin, judging) = (node.at.origin.clone(), judging.clone());
            let fetched = Arc::clone(&self.fetched);
            asking.spawn(async move {
                let fetching = list::fetch(&origin, &judging, &fetched, (place, all));
                Came::List(place, within(time, fetching).await)
            });
        }
    }

    /// Has the logs followed under the list in use; without one nothing can be verified.
    fn ask_logs(&self, state: &mut State, asking: &mut JoinSet<Came>) {
        let roster = match roster_of(state.held.as_ref()) {
            Ok(roster) => Arc::new(roster),
            Err(problem) => {
                for node in &mut state.nodes {
                    node.log_problem = Some(problem.clone());
                }
                return;
            }
        };
        let (time, now) = (self.pace.node_within, self.clock.now());
        for (place, node) in state.nodes.iter().enumerate() {
            let (at, known) = (node.at.clone(), node.log.clone());
            let (roster, watched) = (Arc::clone(&roster), Arc::clone(&self.watched));
            asking.spawn(async move {
                let believed = Believed {
                    federation: &watched.federation,
                    roster: &roster,
                    slot: at.slot,
                    now,
                };
                let following = log::follow(&at.origin, believed, known.as_deref());
                Came::Log(place, within(time, following).await.map(Arc::new))
            });
        }
    }
}

impl NodeState {
    /// A log that was not verified leaves the one that was before.
    fn take(&mut self, followed: Result<Arc<Followed>, Problem>) {
        match followed {
            Ok(followed) => {
                self.log = Some(followed);
                self.log_problem = None;
            }
            Err(problem) => self.log_problem = Some(problem),
        }
    }
}

/// Takes up a list that has come if it may follow the one in use, which is left for no other; then judges all that have come by the one in
/// use, so that who is told to be behind does not depend on who answers first.
fn settle(
    state: &mut State,
    (place, list): (usize, Result<Held, Problem>),
    lists: &mut BTreeMap<usize, Result<Held, Problem>>,
    pinned: &RootKeys,
) {
    if let Ok(list) = &list {
        let held = state.held.as_ref();
        if held.is_none_or(|held| list.follows(held, pinned).is_ok()) {
            state.held = Some(list.clone());
        }
    }
    lists.insert(place, list);
    for (place, list) in lists {
        let list = list.as_ref().map_err(Problem::clone);
        let held = state.held.as_ref();
        let judged = list.and_then(|list| held.map_or(Ok(()), |held| list.follows(held, pinned)));
        state.nodes[*place].list_problem = judged.err();
    }
}

/// What comes of a node within its time.
async fn within<T>(
    time: Duration,
    asked: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let came = tokio::time::timeout(time, asked).await;
    came.unwrap_or_else(|_| {
        let detail = format!("not all of it within {} s", time.as_secs());
        Err(Problem::new(Fault::Silent, detail))
    })
}

fn roster_of(held: Option<&Held>) -> Result<Roster, Problem> {
    let held = held.ok_or_else(|| Problem::new(Fault::NoList, "no trust list was verified"))?;
    wire::roster_of(held.list.root()).map_err(|error| {
        let detail = format_args!("the root document's provinces: {error}");
        Problem::new(Fault::Garbage, detail)
    })
}
