//! The node that is killed, with its world, and the directory that it begins from.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use node::store::{Backend, Entropy};
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;
use reliability::files::{copy_dir, remove_dir};
use rules::{EventBody, Minute, SourceKind, TestResult};
use tests::{Device, Log, NodeProcess, Person, Plan, Source, World};
use wire::operator::v1 as op;

use crate::offices::Office;
use crate::upkeep::{Order, Work};

pub(crate) const HOME: u8 = 33;
/// The province whose node cosigns the first registry; it is not there afterwards.
const OTHER: u8 = 35;
/// Residents whom events speak of: those with a record in the first registry, and some more.
pub(crate) const RESIDENTS: u16 = 12;
pub(crate) const COMMITTED: u16 = 8;
/// A start that takes longer has failed.
const OPEN_LIMIT: Duration = Duration::from_mins(1);

/// Everybody calls from one address and more often than people do; answers are not held back.
const LIMITS: &str = "
[limits]
devices_per_resident = 16
declarations_per_day = 1_024
passes_per_epoch = 1_024
events_per_resident = 65_536
query_quantum_ms = 1
[limits.quotas]
device_calls_per_min = 100_000
device_calls_burst = 100_000
register_tries_burst = 1_000
events_per_s = 1_000_000
events_burst = 1_000_000
";

/// A node, running or not.
pub(crate) struct House {
    world: World,
    /// Copies of the data directory and the key ring as they are at first.
    first: PathBuf,
    /// Where what the node has logged is kept.
    log_file: PathBuf,
    log: Option<Log>,
    /// How long the last start took.
    opening: Duration,
}

impl House {
    /// A world in a directory, and in it a node that has closed an epoch.
    pub(crate) async fn build(dir: &Path, backend: Backend) -> Result<Self> {
        let within = dir.join("world");
        // What an interrupted run has left.
        remove_dir(&within)?;
        std::fs::create_dir_all(&within)?;
        let program = std::env::current_exe()?.with_file_name("viridian-node");
        ensure!(program.exists(), "there is no {}", program.display());
        let mut plan = Plan::new(program, RESIDENTS);
        plan.within = Some(within);
        let mut world = World::prepare(plan);
        let (_, recipient) = node::new_identity();
        let store = format!(
            "[store]\nbackend = \"{}\"\nreserve_mib = 1\nbackup_recipients = [\"{recipient}\"]\n",
            backend.name()
        );
        world.write_config(HOME, &(store + LIMITS));
        world.start_node(HOME);
        world.start_node(OTHER);
        let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
        for number in 1..=COMMITTED {
            let body = EventBody::Test {
                sampled_at: world.now().saturating_add_signed(-60),
                result: TestResult::Negative,
            };
            let person = Person::of(HOME, number);
            laboratory.state(&person, world.now(), body).await;
        }
        world.commit(1).await;
        world.stop();
        let first = world.dir().join("first");
        let house = Self {
            first,
            log_file: dir.join("node.log"),
            log: None,
            opening: Duration::from_secs(1),
            world,
        };
        copy_dir(&house.data_dir(), &house.first.join("data"))?;
        std::fs::copy(house.ring(), house.first.join("node.key"))?;
        Ok(house)
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.world.data_dir(HOME)
    }

    fn ring(&self) -> PathBuf {
        self.world.dir().join(format!("{HOME}/node.key"))
    }

    /// Puts the node that may be running aside, and its store as it was at first.
    pub(crate) fn begin_anew(&mut self) -> Result<()> {
        self.kill();
        remove_dir(&self.data_dir())?;
        copy_dir(&self.first.join("data"), &self.data_dir())?;
        std::fs::copy(self.first.join("node.key"), self.ring())?;
        Ok(())
    }

    /// Events and residents at first.
    pub(crate) fn at_first() -> (u64, BTreeSet<u16>) {
        (COMMITTED.into(), (1..=COMMITTED).collect())
    }

    /// The command that runs the node; it ends with this process.
    fn command(&self) -> Command {
        let run = self.world.node_command(HOME);
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(run.get_program());
        command.args(run.get_args());
        for (name, value) in run.get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        command
    }

    /// Starts the node; gives how long it took.
    pub(crate) fn open(&mut self) -> Result<Duration, String> {
        let began = Instant::now();
        let started = NodeProcess::start_within(self.command(), OPEN_LIMIT);
        let node = started.map_err(|(exit, log)| match exit {
            Some(code) => format!("lost: the node does not start, exit code {code}: {log}"),
            None => format!("hung: the node does not open its doors: {log}"),
        })?;
        self.opening = began.elapsed();
        self.log = Some(node.log());
        self.world.adopt(HOME, node);
        Ok(self.opening)
    }

    /// Starts the node and kills it before its doors are open, if it is not too quick; true if they were open.
    pub(crate) fn kill_while_opening(&mut self, rng: &mut ChaCha8Rng) -> Result<bool, String> {
        let start = |error: std::io::Error| format!("the node is not started: {error}");
        let mut command = self.command();
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().map_err(start)?;
        let upto_us = u64::try_from(self.opening.as_micros()).unwrap_or(u64::MAX);
        std::thread::sleep(Duration::from_micros(rng.random_range(0..upto_us)));
        child.kill().map_err(start)?;
        let said = child.wait_with_output().map_err(start)?;
        Ok(said.stdout.starts_with(b"ready"))
    }

    /// SIGKILL, if the node runs.
    pub(crate) fn kill(&mut self) {
        if self.world.runs(HOME) {
            self.world.take_node(HOME).kill();
        }
    }

    /// SIGTERM; the node must end in order.
    pub(crate) fn end_in_order(&mut self) -> Result<(), String> {
        match self.world.take_node(HOME).terminate() {
            (Some(0), _) => Ok(()),
            (code, log) => Err(format!("the node ended with {code:?}: {}", log.text())),
        }
    }

    /// Looks at the store of the node, which does not run.
    pub(crate) fn fsck(&self) -> Result<(), String> {
        let run = self.world.node_command(HOME);
        let mut command = Command::new(run.get_program());
        command.args(["fsck", "--json", "--config"]);
        command.args(run.get_args().last());
        let output = command.output().map_err(|error| error.to_string())?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!(
            "torn: fsck ended with {}: {}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        ))
    }

    /// Writes down what the node has logged since its last start.
    pub(crate) fn keep_log(&self) -> Result<PathBuf> {
        let log = self.log.as_ref().map(Log::bytes).unwrap_or_default();
        std::fs::write(&self.log_file, log).context("the node's log")?;
        Ok(self.log_file.clone())
    }

    pub(crate) fn order(&self, work: Work, seed: [u8; 32]) -> Order {
        Order {
            work,
            data_dir: self.data_dir(),
            ring: self.ring(),
            entropy: Entropy::from_seed(seed),
        }
    }

    pub(crate) fn now(&self) -> Minute {
        self.world.now()
    }

    pub(crate) fn source(&self, office: &Office) -> Source {
        self.world.source(office.province, office.kind, HOME)
    }

    /// A connection for residents' devices.
    pub(crate) fn device(&self) -> Device {
        self.world.device(&Person::of(HOME, 1))
    }

    /// How many events and residents the node counts.
    pub(crate) async fn counts(&self) -> Result<(u64, u64), String> {
        let mut operator = self.world.operator(HOME);
        let status = operator.get_status(op::GetStatusRequest {}).await;
        let status = status.map_err(|status| format!("the operator: {status}"))?;
        Ok((status.get_ref().events, status.get_ref().residents))
    }
}
