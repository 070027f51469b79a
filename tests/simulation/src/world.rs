//! The world: all houses on their hosts, what is done to them from outside, and the loop that lets time pass.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use turmoil::{Builder, Sim};

use crate::house::{House, live};
use crate::look::Look;
use crate::realm::{Constitution, Realm, START, host};
use crate::time::WorldTime;

/// How much of the simulated time passes at once.
pub(crate) const TICK: Duration = Duration::from_millis(100);
/// Simulated milliseconds in which the houses' clocks go on by a minute.
pub(crate) const MINUTE_MS: u64 = 5_000;
/// Ticks between two looks at what the nodes say.
const LOOK_TICKS: u64 = 10;
/// A proof that takes longer has hung.
const PROOF_LIMIT: Duration = Duration::from_mins(2);

/// What only the outside can do.
pub(crate) enum Command {
    /// The process is gone at once.
    Kill(u8),
    /// It is started, if it does not run.
    Start(u8),
    /// Messages between two hosts take at most so long.
    Slow(String, String, Duration),
}

/// What the loop and whoever acts within the simulation share.
pub(crate) struct World {
    pub(crate) realm: Arc<Realm>,
    pub(crate) time: Arc<WorldTime>,
    pub(crate) houses: BTreeMap<u8, Arc<House>>,
    pub(crate) look: Mutex<Look>,
    commands: Mutex<Vec<Command>>,
}

impl World {
    pub(crate) fn new(realm: Realm) -> Self {
        let time = Arc::new(WorldTime::new(START, MINUTE_MS));
        let constitution = Constitution {
            sequence: 1,
            members: realm.provinces.iter().map(|code| (*code, 0)).collect(),
            has_later_set: false,
        };
        let house = |home: &u8| {
            let house = House::new(*home, &time, constitution.clone());
            (*home, Arc::new(house))
        };
        Self {
            houses: realm.provinces.iter().map(house).collect(),
            realm: Arc::new(realm),
            time,
            look: Mutex::default(),
            commands: Mutex::default(),
        }
    }

    pub(crate) fn house(&self, home: u8) -> &Arc<House> {
        &self.houses[&home]
    }

    pub(crate) fn command(&self, command: Command) {
        let commands = self.commands.lock();
        commands
            .unwrap_or_else(PoisonError::into_inner)
            .push(command);
    }

    /// Runs all houses, and `act` on a host of its own, until `act` has ended.
    pub(crate) fn run(
        self: &Arc<Self>,
        act: impl Future<Output = Result<()>> + 'static,
        limit: Duration,
    ) -> Result<()> {
        let mut sim = Builder::new()
            .rng_seed(self.realm.seed)
            .tick_duration(TICK)
            .min_message_latency(Duration::from_millis(1))
            .max_message_latency(Duration::from_millis(150))
            .simulation_duration(limit)
            .tcp_capacity(1 << 16)
            .build();
        for house in self.houses.values() {
            let (realm, house) = (Arc::clone(&self.realm), Arc::clone(house));
            sim.host(host(house.home), move || {
                live(Arc::clone(&realm), Arc::clone(&house))
            });
        }
        // Turmoil keeps an error's first words only.
        sim.client("people", async move {
            act.await.map_err(|error| format!("{error:#}").into())
        });
        let mut ticks = 0_u64;
        loop {
            let is_over = sim
                .step()
                .map_err(|error| anyhow::Error::msg(error.to_string()))?;
            ticks += 1;
            self.time.set(sim.elapsed());
            self.wait_for_proofs()?;
            if is_over || ticks.is_multiple_of(LOOK_TICKS) {
                self.notice_the_dead();
                let mut look = self.look.lock().unwrap_or_else(PoisonError::into_inner);
                look.at(self)?;
            }
            if is_over {
                return Ok(());
            }
            let commands = {
                let commands = self.commands.lock();
                std::mem::take(&mut *commands.unwrap_or_else(PoisonError::into_inner))
            };
            for command in commands {
                self.obey(&mut sim, command);
            }
        }
    }

    fn obey(&self, sim: &mut Sim<'_>, command: Command) {
        match command {
            Command::Kill(home) => {
                sim.crash(host(home));
                self.house(home).gone();
            }
            Command::Start(home) => {
                if !sim.is_host_running(host(home)) {
                    self.house(home).gone();
                    sim.bounce(host(home));
                }
            }
            Command::Slow(a, b, latency) => sim.set_link_max_message_latency(a, b, latency),
        }
    }

    /// Proofs are made on threads of their own, which know nothing of simulated time: it stands still meanwhile.
    fn wait_for_proofs(&self) -> Result<()> {
        let began = Instant::now();
        for house in self.houses.values() {
            let Some(node) = house.node() else { continue };
            while node.uses_under_way() > 0 {
                if began.elapsed() > PROOF_LIMIT {
                    bail!("a pass of {} is under way without an end", house.home);
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        }
        Ok(())
    }

    /// Machines that died in a commit come up again.
    fn notice_the_dead(&self) {
        for house in self.houses.values() {
            if house.is_dead() {
                self.command(Command::Kill(house.home));
                self.command(Command::Start(house.home));
            }
        }
    }
}
