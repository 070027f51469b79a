//! The configuration file. It is read, completed and checked as a whole before anything else happens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rules::{Minute, ProvinceCode};
use serde::Deserialize;

use crate::keys::KeyToken;
use crate::observe::Observe;

pub use crate::counts::Counts;
pub use crate::forward::{Forward, SealingKeyFile};
pub use crate::keeping::{Retention, StoreRoom};
pub use crate::limits::Limits;
pub use crate::opening::Openings;
pub use crate::page::Page;
pub use crate::proving::{Parameters, Proving};
pub use crate::receipts::Receipts;

/// Longest configuration file, in bytes.
pub(crate) const MAX_CONFIG_LEN_BYTES: u64 = 256 * 1024;

/// The configuration file of a node. Paths are relative to the file's own directory.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Whether this node issues passes that count: then test circuits and simulated clocks are refused.
    pub production: bool,
    /// Directory of the store.
    pub data_dir: PathBuf,
    /// The node's key ring, made by `node keys new`, mode 0600; in production sealed.
    pub node_key_file: PathBuf,
    /// age identities that open a sealed key ring, mode 0600; not on the store's disk.
    #[serde(default)]
    pub node_key_identity_file: Option<PathBuf>,
    /// The PKCS#11 token that a sealed key ring is opened by.
    #[serde(default)]
    pub node_key_token: Option<KeyToken>,
    /// Ed25519 seed that signs tree heads and cosignatures: 64 hexadecimal digits, mode 0600.
    pub signing_key_file: PathBuf,
    /// The seed of the head key that is to follow, once it is made: read as soon as the file is there, also while the node runs. The
    /// root document says from when it signs.
    #[serde(default)]
    pub signing_key_next_file: Option<PathBuf>,
    /// The secret of the log's and the witness's keys, as the signing key; without one they are derived from that.
    #[serde(default)]
    pub log_key_file: Option<PathBuf>,
    /// Who lives here, as made by `node seal-register`.
    pub register_file: PathBuf,
    /// Sources of events with their keys, TOML.
    pub sources_file: PathBuf,
    /// The doors.
    pub doors: Doors,
    /// The residents' page; without it there is none.
    #[serde(default)]
    pub page: Option<Page>,
    /// The trust list's root.
    pub trust: Trust,
    /// The other nodes of the federation.
    #[serde(default, rename = "peer")]
    pub peers: Vec<Peer>,
    /// Rule sets.
    pub rules: Rules,
    /// Risk map.
    #[serde(default)]
    pub risk: Risk,
    /// Proving.
    pub proving: Proving,
    /// Openings for sources; without this table none are offered.
    #[serde(default)]
    pub openings: Option<Openings>,
    /// A clock that is not the world's; absent in production.
    #[serde(default)]
    pub clock: Option<SimulatedTime>,
    /// When epochs close, and what this node asks of the registries that it cosigns.
    #[serde(default)]
    pub epochs: Epochs,
    /// What is too late or too early.
    #[serde(default)]
    pub intake: Intake,
    /// Limits on residents and calls.
    #[serde(default)]
    pub limits: Limits,
    /// How long things are kept.
    #[serde(default)]
    pub retention: Retention,
    /// Events that go to, and come from, other provinces.
    #[serde(default)]
    pub forward: Forward,
    /// Receipts for what is accepted.
    #[serde(default)]
    pub receipts: Receipts,
    /// Numbers of residents that are published.
    #[serde(default)]
    pub counts: Counts,
    /// The store's room.
    #[serde(default)]
    pub store: StoreRoom,
    /// Who may look at the node, and where traces go.
    #[serde(default)]
    pub observe: Observe,
}

/// Where the node listens, and with which certificate.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doors {
    /// Address for nodes, sources, checkpoints and operators (mutual TLS).
    pub peers_listen: SocketAddr,
    /// Address for residents and readers of the trust list (server TLS).
    pub public_listen: SocketAddr,
    /// Address of the operator's listener (plain HTTP: `/metrics`, `/livez`, `/readyz`); without one there is none.
    #[serde(default)]
    pub metrics_listen: Option<SocketAddr>,
    /// Address for readers of the transparency log (plain HTTP: `/checkpoint`, `/tile/…`, `/policy`, `/evidence`); without
    /// one it is read by nobody.
    #[serde(default)]
    pub log_listen: Option<SocketAddr>,
    /// Certificate chain, PEM, own first; its identity tells federation and province.
    pub certificate_file: PathBuf,
    /// Its PKCS#8 key, PEM.
    pub key_file: PathBuf,
    /// Roots of the federation, PEM.
    pub roots_file: PathBuf,
    /// How often the three files are looked at for a change, seconds; SIGHUP has them read at once.
    #[serde(default = "Doors::default_reload_poll_s")]
    pub reload_poll_s: u64,
}

impl Doors {
    /// Often enough that a revoked authority is not admitted for long, seldom enough to cost nothing.
    const fn default_reload_poll_s() -> u64 {
        10
    }
}

/// The trust list's root document and the keys that it is believed by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trust {
    /// Signed root document, canonical bytes.
    pub root_document_file: PathBuf,
    /// Ed25519 public keys of the offline roots, 64 hexadecimal digits each.
    pub root_keys: Vec<String>,
    /// How many of them must have signed.
    pub root_threshold: u8,
    /// Age from which gates fetch a newer online document, seconds.
    #[serde(default = "Trust::default_soft_stale_s")]
    pub soft_stale_s: u32,
    /// Age from which gates cannot tell, seconds; at most seven days.
    #[serde(default = "Trust::default_hard_stale_s")]
    pub hard_stale_s: u32,
}

impl Trust {
    const fn default_soft_stale_s() -> u32 {
        6 * 3_600
    }

    const fn default_hard_stale_s() -> u32 {
        72 * 3_600
    }
}

/// Another province's node.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Peer {
    /// Its province.
    pub province: ProvinceCode,
    /// `host:port` of its peers' door.
    pub address: String,
}

/// Which rule sets are known, and which are the home's own and the nation's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Name of the home's own.
    pub home: String,
    /// Name of the nation's, if there is one.
    #[serde(default)]
    pub nation: Option<String>,
    /// Rule-set files besides the built-in ones; those that the root document does not name are not used.
    #[serde(default)]
    pub files: Vec<PathBuf>,
}

/// Where the risk map comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Fact table of published listings; without one nothing is listed.
    #[serde(default)]
    pub fact_table_file: Option<PathBuf>,
}

/// A simulated clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SimulatedTime {
    /// Where it starts, minutes since the Unix epoch.
    pub start_minute: Minute,
    /// How fast it goes, minutes each second; zero stands still.
    pub rate_min_per_s: u32,
    /// Whether an operator may move it forward.
    #[serde(default)]
    pub operator_may_advance: bool,
}

/// What this node asks of the registries that it cosigns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Epochs {
    /// Minutes between two epochs, which close at its multiples since the Unix epoch; the same in all provinces. Zero where
    /// the operator closes them. An epoch's number is its closing minute divided by it, and never falls: it may be made
    /// shorter, and not longer again.
    pub every_min: u32,
    /// Seconds from an epoch's close to the first node's turn to assemble the registry, and from each to the next.
    pub propose_after_s: u32,
    /// Least number of provinces with a head of the epoch itself; at least 2 in production.
    pub fresh_provinces_min: usize,
    /// Oldest head that may stand in for a province that is away, minutes before the epoch's close.
    pub stale_head_max_min: u32,
    /// Latest moment for a registry, minutes after the epoch's close.
    pub delay_max_min: u32,
}

impl Default for Epochs {
    fn default() -> Self {
        Self {
            every_min: 0,
            propose_after_s: 60,
            fresh_provinces_min: 2,
            stale_head_max_min: 1_440,
            delay_max_min: 1_440,
        }
    }
}

impl Epochs {
    /// Values with the least and the most that they may be: a pass is to be had within a week, and nobody proposes without
    /// letting the others close.
    fn ranges(&self) -> impl Iterator<Item = (&'static str, u64, u64, u64)> {
        [
            ("epochs.every_min", self.every_min.into(), 0, 10_080),
            (
                "epochs.propose_after_s",
                self.propose_after_s.into(),
                1,
                3_600,
            ),
        ]
        .into_iter()
    }

    /// [`Epochs::propose_after_s`].
    pub(crate) fn propose_after(&self) -> std::time::Duration {
        std::time::Duration::from_secs(self.propose_after_s.into())
    }
}

/// What intake admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Intake {
    /// Oldest moment that an event may speak of, hours.
    pub max_age_hours: u32,
    /// Days after its own for which a check-in may come.
    pub check_in_grace_days: u16,
    /// How far a source's clock may run ahead, minutes.
    pub clock_tolerance_min: u32,
}

impl Default for Intake {
    fn default() -> Self {
        let policy = rules::Policy::default();
        Self {
            max_age_hours: policy.max_age_hours,
            check_in_grace_days: policy.check_in_grace_days,
            clock_tolerance_min: policy.clock_tolerance_min,
        }
    }
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// A message naming the file and what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = crate::files::read_text(path, MAX_CONFIG_LEN_BYTES)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, dir).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// Parses and checks the text of such a file that lies in `dir`.
    ///
    /// # Errors
    /// A message saying what is wrong.
    pub fn parse(text: &str, dir: &Path) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|e| e.to_string())?;
        config.check()?;
        config.for_each_path(|path| *path = dir.join(&*path));
        Ok(config)
    }

    /// Whether the peers are other provinces than `home`.
    ///
    /// # Errors
    /// A message saying that they are not.
    pub(crate) fn check_peers(&self, home: ProvinceCode) -> Result<(), String> {
        if self.peers.iter().any(|peer| peer.province == home) {
            return Err("peer: this node's own province is among its peers".to_owned());
        }
        Ok(())
    }

    fn for_each_path(&mut self, mut change: impl FnMut(&mut PathBuf)) {
        change(&mut self.data_dir);
        change(&mut self.node_key_file);
        self.node_key_identity_file.iter_mut().for_each(&mut change);
        if let Some(token) = &mut self.node_key_token {
            change(&mut token.module);
            change(&mut token.pin_file);
        }
        change(&mut self.signing_key_file);
        self.signing_key_next_file.iter_mut().for_each(&mut change);
        self.log_key_file.iter_mut().for_each(&mut change);
        change(&mut self.register_file);
        change(&mut self.sources_file);
        let sealing = self.forward.keys.iter_mut().map(|key| &mut key.file);
        sealing.for_each(&mut change);
        change(&mut self.doors.certificate_file);
        change(&mut self.doors.key_file);
        change(&mut self.doors.roots_file);
        if let Some(page) = &mut self.page {
            page.for_each_path(&mut change);
        }
        change(&mut self.trust.root_document_file);
        self.rules.files.iter_mut().for_each(&mut change);
        self.risk.fact_table_file.iter_mut().for_each(&mut change);
        let openings = self.openings.iter_mut().map(|o| &mut o.parameters);
        for parameters in std::iter::once(&mut self.proving.parameters).chain(openings) {
            match parameters {
                Parameters::Test { cache_dir, .. } => change(cache_dir),
                Parameters::Pinned { file, .. } => change(file),
            }
        }
    }

    fn check(&self) -> Result<(), String> {
        let openings = self.openings.iter().map(|o| ("openings", &o.parameters));
        for (table, parameters) in
            std::iter::once(("proving", &self.proving.parameters)).chain(openings)
        {
            if self.production && matches!(parameters, Parameters::Test { .. }) {
                return Err(format!(
                    "production: {table}.parameters are test parameters"
                ));
            }
            if parse_digits(parameters.hex()).is_none() {
                return Err(format!(
                    "{table}.parameters: 64 hexadecimal digits are needed"
                ));
            }
        }
        if self.production {
            if self.clock.is_some() {
                return Err("production: a simulated clock is configured".to_owned());
            }
            if self.epochs.fresh_provinces_min < 2 {
                return Err("production: epochs.fresh_provinces_min is below 2".to_owned());
            }
        }
        for (i, peer) in self.peers.iter().enumerate() {
            if peer.province == ProvinceCode::NATION {
                return Err("peer: the nation has no node".to_owned());
            }
            if self.peers[..i].iter().any(|p| p.province == peer.province) {
                let province = peer.province.get();
                return Err(format!("peer: province {province} stands twice"));
            }
        }
        if self.trust.soft_stale_s > self.trust.hard_stale_s
            || self.trust.hard_stale_s > verifier::trust::STALE_LIMIT_S
        {
            return Err("trust: soft_stale_s <= hard_stale_s <= 604800".to_owned());
        }
        self.observe
            .check(self.doors.metrics_listen, self.production)?;
        self.check_ranges()?;
        self.page.as_ref().map_or(Ok(()), Page::check)?;
        self.forward.check()?;
        self.receipts.check()?;
        if self.retention.horizon_days * 24 < self.intake.max_age_hours {
            return Err(format!(
                "retention.horizon_days is {}, less than intake.max_age_hours, {}: an event that has left would be taken again",
                self.retention.horizon_days, self.intake.max_age_hours
            ));
        }
        self.check_moments()
    }

    /// Whether every answer leaves before its call's deadline.
    fn check_moments(&self) -> Result<(), String> {
        let deadline_s = self.limits.deadline_s;
        let passes = "proving: wait_ms, rounded up to answer_quantum_ms, and one quantum more";
        for (what, latest_ms) in [
            (passes, self.proving.latest_answer_ms()),
            ("limits: query_quantum_ms", self.limits.query_quantum_ms),
        ] {
            if latest_ms >= deadline_s * 1_000 {
                return Err(format!(
                    "{what}: {latest_ms} ms, must be less than limits.deadline_s, {deadline_s} s"
                ));
            }
        }
        Ok(())
    }

    fn check_ranges(&self) -> Result<(), String> {
        let of_doors = ("doors.reload_poll_s", self.doors.reload_poll_s, 1, 3_600);
        let kept = self.retention.ranges().chain(self.store.ranges());
        let kept = kept
            .chain(self.proving.ranges())
            .chain(self.openings.iter().flat_map(Openings::ranges))
            .chain(self.forward.ranges())
            .chain(self.epochs.ranges())
            .chain(self.counts.ranges());
        let of_tables = self.limits.ranges().chain(kept);
        for (name, value, least, most) in std::iter::once(of_doors).chain(of_tables) {
            if !(least..=most).contains(&value) {
                return Err(format!("{name} is {value}, must be from {least} to {most}"));
            }
        }
        Ok(())
    }
}

/// 32 bytes from 64 hexadecimal digits.
pub(crate) fn parse_digits(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASIC: &str = include_str!("../../../deploy/node/basic.toml");
    const ADVANCED: &str = include_str!("../../../deploy/node/advanced.toml");

    const TEST_KEY: &str = "{ test = { seed = \"0000000000000000000000000000000000000000000000000000000000000001\", cache_dir = \"cache\" } }";
    const PINNED_KEY: &str = "{ pinned = { file = \"clearance.key\", sha256 = \"0000000000000000000000000000000000000000000000000000000000000001\" } }";

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/viridian"))
    }

    #[test]
    fn both_samples_are_valid_and_their_paths_lie_beside_them() {
        let basic = parse(BASIC).unwrap();
        assert_eq!(basic.data_dir, Path::new("/etc/viridian/data"));
        let advanced = parse(ADVANCED).unwrap();
        assert!(advanced.peers.len() == 2 && advanced.clock.is_some());
    }

    #[test]
    fn the_advanced_sample_shows_the_defaults_of_every_optional_table() {
        let (basic, advanced) = (parse(BASIC).unwrap(), parse(ADVANCED).unwrap());
        assert_eq!(advanced.doors.reload_poll_s, basic.doors.reload_poll_s);
        assert_eq!(advanced.limits, basic.limits);
        assert_eq!(advanced.intake, basic.intake);
        assert_eq!(advanced.store, basic.store);
        assert_eq!(advanced.observe, basic.observe);
        assert_eq!(advanced.retention, basic.retention);
        assert_eq!(advanced.forward, basic.forward);
        assert_eq!(advanced.counts, basic.counts);
        // A key has no default; what can be left out beside it has.
        assert!(basic.openings.is_none());
        let shown = advanced.openings.unwrap();
        let hex = shown.parameters.hex();
        let bare = format!(
            "{BASIC}\n[openings]\nparameters = {{ test = {{ seed = \"{hex}\", cache_dir = \"cache\" }} }}\n"
        );
        assert_eq!(parse(&bare).unwrap().openings.unwrap(), shown);
        assert_eq!(advanced.trust.soft_stale_s, basic.trust.soft_stale_s);
        assert_eq!(advanced.proving.wait_ms, basic.proving.wait_ms);
        assert_eq!(
            advanced.proving.renew_spread_s,
            basic.proving.renew_spread_s
        );
        assert_eq!(
            advanced.proving.answer_quantum_ms,
            basic.proving.answer_quantum_ms
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = parse(&format!("colour = \"red\"\n{BASIC}")).unwrap_err();
        assert!(error.contains("colour"), "{error}");
    }

    #[test]
    fn production_refuses_test_parameters_and_simulated_clocks() {
        let production = BASIC.replace("production = false", "production = true");
        assert!(parse(&production).unwrap_err().contains("test parameters"));
        let pinned = production.replace(TEST_KEY, PINNED_KEY);
        assert_ne!(pinned, production);
        parse(&pinned).unwrap();
        let openings = |key| parse(&format!("{pinned}\n[openings]\nparameters = {key}\n"));
        assert!(
            openings(TEST_KEY)
                .unwrap_err()
                .contains("openings.parameters")
        );
        openings(PINNED_KEY).unwrap();
        let clock = "[clock]\nstart_minute = 27_000_000\nrate_min_per_s = 1\n";
        let simulated = parse(&format!("{pinned}\n{clock}"));
        assert!(simulated.unwrap_err().contains("simulated clock"));
        let lone = parse(&format!("{pinned}\n[epochs]\nfresh_provinces_min = 1\n"));
        assert!(lone.unwrap_err().contains("fresh_provinces_min"));
    }

    #[test]
    fn values_out_of_range_and_contradictions_are_refused() {
        for (table, line) in [
            ("limits", "request_skew_min = 0"),
            ("limits", "store_calls_at_once = 513"),
            ("limits", "query_quantum_ms = 0"),
            (
                "openings",
                "parameters = { pinned = { file = \"x\", sha256 = \"00\" } }",
            ),
            ("epochs", "propose_after_s = 0"),
            ("epochs", "every_min = 10_081"),
            ("counts", "hour = 24"),
            ("counts", "keep_days = 0"),
            ("clock", "start_minute = 70_000_000\nrate_min_per_s = 0"),
            ("peer]", "province = 0\naddress = \"x:1\""),
            ("observe", "otlp_endpoint = \"http://far.example:4317\""),
        ] {
            let head = if table.ends_with(']') {
                format!("[[{table}]")
            } else {
                format!("[{table}]")
            };
            let text = format!("{BASIC}\n{head}\n{line}\n");
            assert!(parse(&text).is_err(), "{line}");
        }
    }
    #[test]
    fn answers_that_would_leave_after_the_deadline_are_refused() {
        let with = |proving: &str, limits: &str| {
            let key = format!("{TEST_KEY}\n{proving}");
            parse(&format!(
                "{}\n[limits]\n{limits}\n",
                BASIC.replace(TEST_KEY, &key)
            ))
        };
        let passes = |proving, deadline_s| with(proving, &format!("deadline_s = {deadline_s}"));
        // Eight seconds of waiting and two more.
        assert!(passes("", 10).unwrap_err().contains("10000 ms"));
        assert!(passes("", 11).is_ok());
        // Without a wait a call still waits to the first point.
        let at_once = "wait_ms = 0\nanswer_quantum_ms = 1_500";
        assert!(passes(at_once, 3).unwrap_err().contains("3000 ms"));
        assert!(passes(at_once, 4).is_ok());
        let quick = "wait_ms = 0\nanswer_quantum_ms = 10";
        let slow = with(quick, "deadline_s = 1\nquery_quantum_ms = 1_000");
        assert!(slow.unwrap_err().contains("query_quantum_ms"));
        assert!(with(quick, "deadline_s = 1\nquery_quantum_ms = 999").is_ok());
    }
}
