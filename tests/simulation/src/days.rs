//! A month of all divisions: they join, rotate a key, leave, stay away and come back, while epochs go on. Time in which nothing
//! happens is left out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rules::{Event, EventBody, EventId, SourceKind, TestResult};
use tonic::{Code, Status};
use verifier::TrustList;
use verifier::trust::{InHand, Increment};

use crate::frail::size_of;
use crate::people::{Lines, Stated};
use crate::realm::{Constitution, DIVISIONS, PEOPLE, Realm, minute, person, source};
use crate::world::{Command, World};

/// How it is to go.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Divisions, of the 34.
    pub nodes: usize,
    /// Days.
    pub days: u32,
    /// Minutes between two epochs.
    pub every_min: u32,
    /// Events that each running node is given in each epoch.
    pub events: u32,
    /// What the absences and the network follow from.
    pub seed: u64,
}

/// What it came to.
#[derive(Clone, Debug, Default)]
pub struct Month {
    /// Counts and sizes, by what they are of.
    pub figures: BTreeMap<String, u64>,
}

/// Simulated time for a registry to come; the last node's turn is after as many waits as there are nodes.
const REGISTRY_LIMIT: Duration = Duration::from_mins(20);
const LOOK: Duration = Duration::from_millis(500);
/// Days that somebody is away.
const ABSENCE_DAYS: u32 = 2;

struct Month34 {
    world: Arc<World>,
    plan: Plan,
    lines: Lines,
    rng: ChaCha8Rng,
    constitution: Constitution,
    away: BTreeMap<u8, u32>,
    accepted: Vec<(u8, Stated)>,
    lists: Option<Arc<TrustList>>,
    figures: BTreeMap<String, u64>,
}

/// Lives through a month; `told` hears of each day that is over.
///
/// # Errors
/// What does not hold, and what the run itself cannot do.
pub fn run(plan: &Plan, told: impl Fn(u32) + 'static) -> Result<Month> {
    ensure!((5..=34).contains(&plan.nodes), "5 to 34 nodes");
    let provinces = DIVISIONS[..plan.nodes].to_vec();
    let realm = Realm::new(provinces, plan.every_min, plan.seed)?;
    let world = Arc::new(World::new(realm));
    let month = Arc::new(Mutex::new(Month::default()));
    let (of, to, plan) = (Arc::clone(&world), Arc::clone(&month), plan.clone());
    let living = async move {
        let mut life = Month34::new(&of, plan);
        let figures = life.live(told).await?;
        to.lock().unwrap_or_else(PoisonError::into_inner).figures = figures;
        Ok(())
    };
    world.run(living, Duration::from_hours(24 * 365))?;
    let month = month.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(month.clone())
}

impl Month34 {
    fn new(world: &Arc<World>, plan: Plan) -> Self {
        // The last four join later.
        let founders = world.realm.provinces.len() - 4;
        let members = world.realm.provinces[..founders].iter();
        Self {
            lines: Lines::new(Arc::clone(&world.realm)),
            rng: ChaCha8Rng::seed_from_u64(plan.seed),
            constitution: Constitution {
                // The first names everybody.
                sequence: 2,
                members: members.map(|code| (*code, 0)).collect(),
                has_later_set: false,
            },
            world: Arc::clone(world),
            plan,
            away: BTreeMap::new(),
            accepted: Vec::new(),
            lists: None,
            figures: BTreeMap::new(),
        }
    }

    fn count(&mut self, what: &str, more: u64) {
        *self.figures.entry(what.to_owned()).or_default() += more;
    }

    fn most(&mut self, what: &str, found: u64) {
        let most = self.figures.entry(what.to_owned()).or_default();
        *most = found.max(*most);
    }

    async fn live(&mut self, told: impl Fn(u32)) -> Result<BTreeMap<String, u64>> {
        self.take_up().await?;
        let every = self.plan.every_min;
        let mut epoch = self.world.time.now() / every + 1;
        let per_day = 1_440 / every;
        for day in 0..self.plan.days {
            self.begin_day(day).await?;
            for _ in 0..per_day {
                self.world.time.skip_to(epoch * every - 2);
                self.state_events()
                    .await
                    .with_context(|| format!("day {day}, before epoch {epoch}"))?;
                self.world.time.skip_to(epoch * every);
                self.await_registry(epoch)
                    .await
                    .with_context(|| format!("day {day}, epoch {epoch}"))?;
                epoch += 1;
            }
            self.measure()?;
            told(day + 1);
        }
        self.ask_for_all().await?;
        Ok(std::mem::take(&mut self.figures))
    }

    /// Has all members run under the root document as it is now.
    async fn take_up(&mut self) -> Result<()> {
        for house in self.world.houses.values() {
            house.set_constitution(self.constitution.clone());
            self.world.command(Command::Kill(house.home));
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        for house in self.world.houses.values() {
            let is_member = self.constitution.members.contains_key(&house.home);
            if is_member && !self.away.contains_key(&house.home) {
                self.world.command(Command::Start(house.home));
            }
        }
        tokio::time::sleep(Duration::from_secs(30)).await;
        for home in self.running() {
            let house = self.world.house(home);
            ensure!(
                house.node().is_some(),
                "{home} does not run: {}",
                house.last_refusal()
            );
        }
        Ok(())
    }

    fn running(&self) -> Vec<u8> {
        let members = self.constitution.members.keys();
        members
            .copied()
            .filter(|home| !self.away.contains_key(home))
            .collect()
    }

    /// Who joins, leaves, rotates, goes and comes back on a day.
    async fn begin_day(&mut self, day: u32) -> Result<()> {
        let back: Vec<u8> = self
            .away
            .iter()
            .filter(|(_, until)| **until <= day)
            .map(|(home, _)| *home)
            .collect();
        for home in back {
            self.away.remove(&home);
            self.world.command(Command::Start(home));
            self.count("provinces that came back", 1);
        }
        let joining = day
            .checked_sub(2)
            .filter(|n| n.is_multiple_of(3) && n / 3 < 4);
        let founders = self.world.realm.provinces.len() - 4;
        let before = self.constitution.clone();
        if let Some(number) = joining {
            let joins = self.world.realm.provinces[founders + number as usize / 3];
            self.constitution.members.insert(joins, 0);
            self.count("provinces that joined", 1);
        }
        if day == 15 {
            let rotates = self.world.realm.provinces[1];
            self.constitution.members.insert(rotates, 1);
            self.count("head keys rotated", 1);
        }
        if day == 20 {
            let leaves = self.world.realm.provinces[2];
            self.constitution.members.remove(&leaves);
            self.away.remove(&leaves);
            self.accepted.retain(|(home, _)| *home != leaves);
            self.count("provinces that left", 1);
        }
        if self.constitution != before {
            self.constitution.sequence += 1;
            self.take_up().await?;
            self.count("root documents", 1);
        } else if day % 2 == 1 && self.away.len() < 3 {
            let all = self.running();
            if let Some(goes) = all.choose(&mut self.rng) {
                self.away.insert(*goes, day + ABSENCE_DAYS);
                self.world.command(Command::Kill(*goes));
                self.count("provinces that were away", 1);
            }
        }
        Ok(())
    }

    /// Events at every running node, some for people who live elsewhere.
    async fn state_events(&mut self) -> Result<()> {
        let running = self.running();
        for at in running.clone() {
            for _ in 0..self.plan.events {
                let home = if self.rng.random_ratio(1, 10) {
                    *running.choose(&mut self.rng).context("somebody runs")?
                } else {
                    at
                };
                let number = self.rng.random_range(0..PEOPLE);
                let when = self.world.time.now() - 120;
                let stated = Stated::sign(Event {
                    id: EventId(self.lines.fresh()),
                    subject: person(home, number),
                    source: source(at, SourceKind::Laboratory),
                    issued_at: minute(when),
                    body: EventBody::Test {
                        sampled_at: minute(when),
                        result: TestResult::Negative,
                    },
                });
                let elsewhere = (at != home).then_some(home);
                let answer = self.hand_in(at, &stated, elsewhere).await?;
                // A duplicate: the answer to the first try was lost.
                match answer.as_str() {
                    "accepted" | "duplicate" if at == home => {
                        self.count("events accepted", 1);
                        self.accepted.push((at, stated));
                    }
                    "forwarded" | "duplicate" => self.count("events forwarded", 1),
                    other => bail!("an event of {at} for {home} is {other}"),
                }
            }
        }
        Ok(())
    }

    /// Hands an event in as any source does: once more where the node closed the connection for being idle in that very moment.
    async fn hand_in(&mut self, at: u8, stated: &Stated, elsewhere: Option<u8>) -> Result<String> {
        let answer = match self.lines.submit(at, stated, elsewhere).await? {
            Err(status) if is_of_the_connection(&status) => {
                self.count("events handed in twice", 1);
                self.lines.submit(at, stated, elsewhere).await?
            }
            answer => answer,
        };
        answer.with_context(|| format!("an event is handed in at {at}"))
    }

    /// Waits until every running node has the registry of an epoch and the list that names it.
    async fn await_registry(&mut self, epoch: u32) -> Result<()> {
        let (began, simulated) = (Instant::now(), tokio::time::Instant::now());
        let (mut closed, mut known) = (None, None);
        loop {
            tokio::time::sleep(LOOK).await;
            let nodes = self.running().into_iter();
            let nodes: Vec<_> = nodes
                .filter_map(|home| self.world.house(home).node())
                .collect();
            let epoch = commitment::Epoch::new(epoch);
            if closed.is_none() && nodes.iter().all(|n| n.closed_epoch() == Some(epoch)) {
                closed = Some(began.elapsed());
            }
            let all_know = nodes
                .iter()
                .all(|node| node.newest_registry_epoch() == Some(epoch));
            if known.is_none() && all_know {
                known = Some((began.elapsed(), simulated.elapsed()));
            }
            let all_list = nodes.iter().all(|node| {
                let list = node.trust_list();
                list.is_some_and(|list| list.registry(epoch).is_some())
            });
            let witnesses = nodes.len() - 1;
            let all_witnessed = nodes
                .iter()
                .all(|node| node.checkpoint_cosignatures() >= witnesses);
            if all_know && all_list && all_witnessed {
                let (real, of_network) = known.unwrap_or_default();
                let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
                self.count("epochs", 1);
                self.count(
                    "ms of all nodes' work for epochs, together",
                    ms(began.elapsed()),
                );
                self.most(
                    "ms of all nodes' work for an epoch at most",
                    ms(began.elapsed()),
                );
                let closing = closed.unwrap_or_default();
                self.count(
                    "ms of all nodes' work from the last closing to the registry, together",
                    ms(real.saturating_sub(closing)),
                );
                self.most(
                    "simulated ms to the registry at every node at most",
                    ms(of_network),
                );
                return self.measure_list();
            }
            if simulated.elapsed() > REGISTRY_LIMIT {
                let without = nodes
                    .iter()
                    .filter(|node| node.newest_registry_epoch() != Some(epoch))
                    .map(|node| node.home().get().to_string());
                let without: Vec<String> = without.collect();
                bail!(
                    "after {:?} these have no registry: [{}], lists {all_list}, witnessed {all_witnessed}",
                    simulated.elapsed(),
                    without.join(" ")
                );
            }
        }
    }

    /// What a gate that has the list of the epoch before fetches, and one that has none.
    fn measure_list(&mut self) -> Result<()> {
        let node = self.world.house(self.running()[0]).node();
        let list = node.and_then(|node| node.trust_list()).context("a list")?;
        let len = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        self.most("trust list bytes at most", len(list.to_bytes().len()));
        if let Some(before) = self.lists.replace(Arc::clone(&list))
            && let Some(increment) = Increment::of(&list, &InHand::of(&before))?
        {
            self.most("increment bytes at most", len(increment.to_bytes().len()));
        }
        Ok(())
    }

    /// Sizes at the end of a day.
    fn measure(&mut self) -> Result<()> {
        let first = self.running()[0];
        let node = self.world.house(first).node().context("it runs")?;
        self.most("log entries of a node at most", node.log_entries());
        let rows = size_of(&self.world.house(first).rows())?;
        self.most("bytes of a node's rows at most", rows);
        self.most("MB of memory of all nodes in one process", resident_mb()?);
        Ok(())
    }

    async fn ask_for_all(&mut self) -> Result<()> {
        for (home, stated) in std::mem::take(&mut self.accepted) {
            if self.away.contains_key(&home) {
                continue;
            }
            let answer = self.hand_in(home, &stated, None).await?;
            ensure!(
                answer == "duplicate",
                "lost: an event of {home} is {answer}"
            );
            self.count("events known at the end", 1);
        }
        let look = self.world.look.lock();
        let mut look = look.unwrap_or_else(PoisonError::into_inner);
        let seen = look.at_all_registries(&self.world)?;
        drop(look);
        self.count("registries compared at the end", seen);
        Ok(())
    }
}

/// Resident memory of this process.
fn resident_mb() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kb = line.and_then(|line| line.split_whitespace().next());
    Ok(kb.context("VmRSS")?.parse::<u64>()? / 1_024)
}

/// The node did not refuse: the call came to nobody, or its answer did not come back.
fn is_of_the_connection(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::Unknown)
}
