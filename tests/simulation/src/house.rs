//! One province's node on its simulated host: the real node behind its real doors.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use federation::{Dial, Role};
use node::{Listeners, Node, Peers, serve};
use store::{MemoryStore, Store};

use crate::frail::{Frail, copy_of};
use crate::net::{Port, Simulated};
use crate::realm::{Constitution, PEERS_PORT, PUBLIC_PORT, Realm};
use crate::time::{HouseClock, WorldTime};

/// What is there of a house whether or not its node runs.
pub(crate) struct House {
    pub(crate) home: u8,
    pub(crate) clock: Arc<HouseClock>,
    rows: Mutex<Arc<MemoryStore>>,
    held: Mutex<Option<Arc<Frail>>>,
    constitution: Mutex<Constitution>,
    node: Mutex<Option<Arc<Node>>>,
    starts: AtomicU32,
    refused_starts: AtomicU64,
    last_refusal: Mutex<String>,
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl House {
    pub(crate) fn new(home: u8, time: &Arc<WorldTime>, constitution: Constitution) -> Self {
        Self {
            home,
            clock: Arc::new(HouseClock::new(Arc::clone(time))),
            rows: Mutex::default(),
            held: Mutex::default(),
            constitution: Mutex::new(constitution),
            node: Mutex::default(),
            starts: AtomicU32::new(0),
            refused_starts: AtomicU64::new(0),
            last_refusal: Mutex::default(),
        }
    }

    /// How often its node was started.
    pub(crate) fn starts(&self) -> u32 {
        self.starts.load(Ordering::SeqCst)
    }

    /// How often it would not start.
    pub(crate) fn refused_starts(&self) -> u64 {
        self.refused_starts.load(Ordering::SeqCst)
    }

    pub(crate) fn last_refusal(&self) -> String {
        lock(&self.last_refusal).clone()
    }

    pub(crate) fn constitution(&self) -> Constitution {
        lock(&self.constitution).clone()
    }

    /// Puts another root document beside the node; it is read at the next start.
    pub(crate) fn set_constitution(&self, constitution: Constitution) {
        *lock(&self.constitution) = constitution;
    }

    /// The running node.
    pub(crate) fn node(&self) -> Option<Arc<Node>> {
        lock(&self.node).clone()
    }

    pub(crate) fn rows(&self) -> Arc<MemoryStore> {
        Arc::clone(&lock(&self.rows))
    }

    /// All rows as they are now: a backup.
    pub(crate) fn backup(&self) -> Result<Arc<MemoryStore>> {
        Ok(Arc::new(copy_of(&self.rows())?))
    }

    /// Puts rows in place of those there are. The node does not run.
    pub(crate) fn restore(&self, rows: Arc<MemoryStore>) {
        *lock(&self.rows) = rows;
    }

    /// A new process takes the store; the hold of the former one is worth nothing any more.
    pub(crate) fn hold_store(&self) -> Arc<dyn Store> {
        let held = Arc::new(Frail::over(self.rows()));
        if let Some(former) = lock(&self.held).replace(Arc::clone(&held)) {
            former.die();
        }
        held
    }

    /// Has the machine die at the commit after as many more.
    pub(crate) fn die_after(&self, commits: i64, keeps_last: bool) {
        if let Some(held) = &*lock(&self.held) {
            held.die_after(commits, keeps_last);
        }
    }

    /// Whether the machine has died and nobody has noticed yet.
    pub(crate) fn is_dead(&self) -> bool {
        let is_dead = lock(&self.held).as_ref().is_some_and(|held| held.is_dead());
        is_dead && lock(&self.node).is_some()
    }

    /// The process is gone.
    pub(crate) fn gone(&self) {
        if let Some(held) = lock(&self.held).take() {
            held.die();
        }
        lock(&self.node).take();
    }

    fn refuse(&self, why: String) {
        self.refused_starts.fetch_add(1, Ordering::SeqCst);
        *lock(&self.last_refusal) = why;
    }
}

/// The process: from its store to its end.
pub(crate) async fn live(realm: Arc<Realm>, house: Arc<House>) -> turmoil::Result {
    house.starts.fetch_add(1, Ordering::SeqCst);
    house.clock.restart();
    let opened = realm
        .parts(&house)
        .and_then(|parts| Node::open(parts).map_err(|error| anyhow::Error::msg(error.to_string())));
    let node = match opened {
        Ok(node) => node,
        Err(why) => {
            house.refuse(format!("{why:#}"));
            return Ok(());
        }
    };
    let credentials = realm.credentials(Some((house.home, Role::Node)))?;
    let dial: Arc<dyn Dial> = Arc::new(Simulated);
    let others = realm.peers_of(house.home);
    let peers = Peers::through(dial, &realm.federation, &others, &credentials)?;
    let listeners = Listeners {
        peers: Port::open(PEERS_PORT).await?,
        public: Port::open(PUBLIC_PORT).await?,
        metrics: None,
        log: None,
        page: None,
    };
    *lock(&house.node) = Some(Arc::clone(&node));
    let limits = realm.settings().limits;
    Box::pin(serve(
        node,
        Arc::new(peers),
        listeners,
        credentials,
        &limits,
        std::future::pending(),
    ))
    .await?;
    Ok(())
}
