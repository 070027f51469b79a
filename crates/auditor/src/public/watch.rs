//! What was verified last of each node, and the rounds in which it is looked at again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use ledger::{Member, Roster};
use tokio::sync::Mutex as Turn;
use tokio::task::JoinSet;
use tokio::time::Instant;
use verifier::UnixTime;
use verifier::trust::RootDocument;

use super::config::{Config, NodeAt};
use super::list::{self, Held};
use super::log::{self, Believed, Followed};
use super::problem::{Fault, Problem};
use super::time::Clock;

/// Least time between two rounds that pages ask for.
const LEAST_BETWEEN: Duration = Duration::from_secs(10);

/// What is known of a node.
#[derive(Clone)]
pub(super) struct NodeState {
    pub(super) at: NodeAt,
    /// Why its trust list was not verified in the last round.
    pub(super) list_problem: Option<Problem>,
    /// Its log, as it was verified last.
    pub(super) log: Option<Arc<Followed>>,
    /// Why it was not verified in the last round.
    pub(super) log_problem: Option<Problem>,
}

/// What is known.
#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) held: Option<Held>,
    pub(super) nodes: Vec<NodeState>,
    /// When the last round ended.
    pub(super) looked_at: Option<UnixTime>,
}

/// Looks at the nodes of a configuration.
pub(super) struct Watch {
    config: Arc<Config>,
    clock: Clock,
    state: Mutex<State>,
    /// When the last round began; one at a time.
    turn: Turn<Option<Instant>>,
}

impl Watch {
    pub(super) fn new(config: Config) -> Self {
        let nodes = config.nodes.iter().map(|at| NodeState {
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
            clock: Clock::of(config.clock),
            config: Arc::new(config),
            state: Mutex::new(state),
            turn: Turn::default(),
        }
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    pub(super) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(super) fn state(&self) -> State {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.clone()
    }

    /// Looks again for a page, unless that was done a moment ago.
    pub(super) async fn look_again(&self) {
        let mut turn = self.turn.lock().await;
        if turn.is_none_or(|last| last.elapsed() >= LEAST_BETWEEN) {
            self.round(&mut turn).await;
        }
    }

    /// Looks at every node, once.
    pub(super) async fn look(&self) {
        let mut turn = self.turn.lock().await;
        self.round(&mut turn).await;
    }

    async fn round(&self, turn: &mut Option<Instant>) {
        *turn = Some(Instant::now());
        let mut state = self.state();
        self.lists(&mut state).await;
        // What the list says is there before the logs are.
        self.keep(&state);
        self.logs(&mut state).await;
        state.looked_at = Some(self.clock.now());
        self.keep(&state);
    }

    fn keep(&self, state: &State) {
        let mut kept = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clone_from(state);
    }

    /// Fetches the lists of all nodes at once, and follows each from the best one so far.
    async fn lists(&self, state: &mut State) {
        let mut fetching = JoinSet::new();
        for (place, node) in state.nodes.iter().enumerate() {
            let origin = node.at.origin.clone();
            fetching.spawn(async move { (place, list::fetch(&origin).await) });
        }
        let mut fetched = fetching.join_all().await;
        // The same order each time: what a node is told to be does not depend on who answers first.
        fetched.sort_by_key(|(place, _)| *place);
        for (place, bytes) in fetched {
            let node = &mut state.nodes[place];
            let taken = match bytes {
                Ok(bytes) => {
                    let (held, pinned) = (state.held.as_ref(), &self.config.root_keys);
                    let now = self.clock.now();
                    list::take(&bytes, &node.at.origin, held, pinned, now).await
                }
                Err(problem) => Err(problem),
            };
            match taken {
                Ok(held) => {
                    node.list_problem = None;
                    state.held = Some(held);
                }
                Err(problem) => node.list_problem = Some(problem),
            }
        }
    }

    async fn logs(&self, state: &mut State) {
        let Some(held) = &state.held else {
            let problem = Problem::new(Fault::NoList, "no trust list was verified");
            for node in &mut state.nodes {
                node.log_problem = Some(problem.clone());
            }
            return;
        };
        let roster = match roster_of(held.list.root()) {
            Ok(roster) => Arc::new(roster),
            Err(error) => {
                let problem = Problem::new(Fault::Garbage, format_args!("{error:#}"));
                for node in &mut state.nodes {
                    node.log_problem = Some(problem.clone());
                }
                return;
            }
        };
        let now = self.clock.now();
        let mut following = JoinSet::new();
        for (place, node) in state.nodes.iter().enumerate() {
            let (at, known) = (node.at.clone(), node.log.clone());
            let (roster, config) = (Arc::clone(&roster), Arc::clone(&self.config));
            following.spawn(async move {
                let believed = Believed {
                    federation: &config.federation,
                    roster: &roster,
                    slot: at.slot,
                    now,
                };
                let followed = log::follow(&at.origin, believed, known.as_deref()).await;
                (place, followed)
            });
        }
        for (place, followed) in following.join_all().await {
            let node = &mut state.nodes[place];
            match followed {
                Ok(followed) => {
                    node.log = Some(Arc::new(followed));
                    node.log_problem = None;
                }
                Err(problem) => node.log_problem = Some(problem),
            }
        }
    }
}

fn roster_of(root: &RootDocument) -> Result<Roster> {
    let members = root.provinces.iter().map(|entry| Member {
        province: entry.province,
        slot: entry.slot,
        head_keys: entry.head_keys.clone(),
    });
    Roster::new(members.collect()).context("the root document's provinces")
}
