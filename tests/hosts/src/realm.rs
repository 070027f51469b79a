//! The federation: founded with its own programs, its nodes and gates as processes on their hosts.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail, ensure};
use tests::{Person, key_cache, key_seed};

use crate::desk::{Desk, NAME, slot_of};
use crate::host::Place;
use crate::network::{Network, Wanted};
use crate::process::{Process, Started, last_words};
use crate::programs::Programs;
use crate::site::{GATE, GATES, LOG, METRICS, PEERS, PROVINCES, PUBLIC, Pulse, Site};

/// Where cables to the peers' doors begin; the called node's code is added.
const CABLES_TO_PEERS: u16 = 8000;
/// Where cables to the public doors begin.
const CABLES_TO_PUBLIC: u16 = 8200;

/// The rule set of each province.
pub(crate) fn rule_set_of(province: u8) -> &'static str {
    match province {
        33 => "hz-2020-02",
        _ => "fj-2022-08",
    }
}

/// The federation with its running processes.
pub struct Realm {
    /// What everybody knows of it.
    pub site: Arc<Site>,
    pub(crate) desk: Desk,
    processes: BTreeMap<Place, Process>,
}

/// A node's clock: so many minutes from everybody's.
#[derive(Clone, Copy)]
pub(crate) enum Hands {
    /// Its operator may move it forward, and the node itself does where it lies behind its last epoch.
    Movable(i64),
    /// It stands as a machine's own clock does.
    Fixed(i64),
}

/// Everybody's place.
pub fn places() -> Vec<Place> {
    let nodes = PROVINCES.into_iter().map(Place::Node);
    let gates = GATES.into_iter().map(|(number, _)| Place::Gate(number));
    nodes.chain(gates).collect()
}

impl Realm {
    /// Founds a federation in a new directory; nothing of it runs yet.
    ///
    /// # Errors
    /// What a program or the system refuses.
    pub async fn found(
        dir: &Path,
        programs: Programs,
        wanted: Wanted,
        pulse: Pulse,
    ) -> Result<Self> {
        ensure!(!dir.exists(), "{} is there already", dir.display());
        fs::create_dir_all(dir)?;
        let dir = fs::canonicalize(dir)?;
        fs::create_dir_all(key_cache())?;
        // The circuit, with the key of whoever proves with these test parameters.
        let circuit = tests::circuit();
        let circuit = serde_json::json!({
            "test": true,
            "matrix_digest": hex::encode(circuit.matrix_digest),
            "verifying_key": hex::encode(circuit.key.to_bytes()),
        });
        let mut network = Network::with_hosts(&places(), wanted)?;
        lay_cables(&mut network).await?;
        let desk = Desk::found(dir.clone(), programs, &circuit.to_string())?;
        let site = Site::new(dir, network, pulse, desk.root_keys.clone());
        let realm = Self {
            site: Arc::new(site),
            desk,
            processes: BTreeMap::new(),
        };
        for code in PROVINCES {
            realm.equip(code)?;
        }
        realm.desk.agree()?;
        for (number, _) in GATES {
            let home = realm.site.home(Place::Gate(number));
            fs::create_dir(&home)?;
        }
        realm.hand_out(&places())?;
        Ok(realm)
    }

    /// Everything that a province needs but the root document.
    fn equip(&self, code: u8) -> Result<()> {
        let place = Place::Node(code);
        let name = place.to_string();
        let address = SocketAddr::new(self.site.network.host(place).address, PEERS);
        self.desk.join(code, &name, &address.to_string())?;
        let file = |file: &str| format!("{name}/{file}");
        self.desk.node(&["keys", "new", &file("node.key")], b"")?;
        let people = (1..=self.site.pulse.residents).map(|number| Person::of(code, number));
        let list = people.fold(String::new(), |list, person| {
            format!("{list}{},{}\n", person.number_text(), person.name)
        });
        let seal = ["seal-register", "--node-key", &file("node.key")];
        let sealed = self.desk.node(&seal, list.as_bytes())?;
        fs::write(self.site.dir.join(file("register.sealed")), sealed)?;
        self.desk.node(&["new-key", &file("sealing.key")], b"")?;
        self.desk.node(&["new-key", &file("log.key")], b"")?;
        let key = ["new-key", &file("laboratory.key")];
        let public_key = self.desk.federation(&key)?;
        self.issue_laboratory(code)?;
        let row = format!(
            "[[source]]\nprovince = {code}\nkind = \"laboratory\"\nnumber = 1\nname = \"laboratory of {code}\"\n\
             public_key = \"{}\"\n",
            public_key.trim()
        );
        let sources = self.site.dir.join("sources.toml");
        let before = fs::read_to_string(&sources).unwrap_or_default();
        Ok(fs::write(sources, before + &row)?)
    }

    /// The certificate of a province's laboratory.
    pub(crate) fn issue_laboratory(&self, code: u8) -> Result<()> {
        let dir = Place::Node(code).to_string();
        let whom = ["--role", "source", "--kind", "laboratory", "--number", "1"];
        let issue = [&["issue", "--dir", &dir][..], &whom[..]].concat();
        self.desk.federation(&issue).map(drop)
    }

    /// Hands what was published last out to these, and tells those of them that run.
    pub(crate) fn hand_out(&self, to: &[Place]) -> Result<()> {
        for place in to {
            self.desk.hand_out(&self.site.home(*place))?;
            if let (Place::Node(_), Some(process)) = (place, self.processes.get(place)) {
                process.tell_to_read()?;
            }
        }
        Ok(())
    }

    /// Starts everybody.
    ///
    /// # Errors
    /// If somebody does not start.
    pub async fn start_all(&mut self) -> Result<()> {
        for place in places() {
            self.start(place, 0).await?;
        }
        Ok(())
    }

    /// Starts the process of a place, its clock so many minutes from everybody's.
    pub(crate) async fn start(&mut self, place: Place, skew_min: i64) -> Result<()> {
        let hands = Hands::Movable(skew_min);
        if !self.try_to_start(place, hands).await? {
            let home = self.site.home(place);
            bail!("{place} does not start: {}", last_words(&home));
        }
        Ok(())
    }

    /// The same; false if it ended instead.
    pub(crate) async fn try_to_start(&mut self, place: Place, hands: Hands) -> Result<bool> {
        ensure!(!self.processes.contains_key(&place), "{place} runs already");
        let home = self.site.home(place);
        let programs = &self.desk.programs;
        let (name, text) = match place {
            Place::Node(code) => ("node.toml", self.node_config(code, hands)),
            Place::Gate(number) => ("checkpoint.toml", self.gate_config(number)),
        };
        fs::write(home.join(name), text)?;
        let host = self.site.network.host(place);
        let started = match place {
            Place::Node(_) => {
                let program = (programs.node.as_path(), &["run", "--config", name][..]);
                Process::start(host, &home, program, "ready ").await?
            }
            Place::Gate(_) => {
                let serve = ["--config", name, "serve"];
                let program = (programs.checkpoint.as_path(), &serve[..]);
                Process::start(host, &home, program, "listening ").await?
            }
        };
        let Started::Ready(process) = started else {
            return Ok(false);
        };
        if let (Place::Node(code), Hands::Movable(skew_min)) = (place, hands) {
            // Its clock began before its store was open; minutes are to begin everywhere at once.
            self.site.minute_begins().await;
            let to_minute = self.site.now().saturating_add_signed(skew_min).get();
            self.site.move_clock(code, to_minute).await?;
        }
        self.site.note_running(place, Some(process.id()));
        self.processes.insert(place, process);
        Ok(true)
    }

    fn take(&mut self, place: Place) -> Result<Process> {
        self.site.note_running(place, None);
        let process = self.processes.remove(&place);
        process.with_context(|| format!("{place} does not run"))
    }

    pub(crate) fn kill(&mut self, place: Place) -> Result<()> {
        self.take(place)?.kill()
    }

    pub(crate) async fn end(&mut self, place: Place) -> Result<()> {
        let ended = self.take(place)?.end().await;
        ended.with_context(|| place.to_string())
    }

    pub(crate) fn tell_to_read(&self, place: Place) -> Result<()> {
        let process = self.processes.get(&place).context("a running process")?;
        process.tell_to_read()
    }

    /// Ends everybody in order, and has each node's store looked at.
    ///
    /// # Errors
    /// If somebody does not end with exit code 0, or a store is not whole.
    pub async fn end_all(&mut self) -> Result<()> {
        let running: Vec<Place> = self.processes.keys().copied().collect();
        for place in running {
            self.end(place).await?;
        }
        for code in PROVINCES {
            let place = Place::Node(code);
            // Which key is in force is a matter of time.
            let text = self.node_config(code, Hands::Movable(0));
            fs::write(self.site.home(place).join("node.toml"), text)?;
            let config = format!("{place}/node.toml");
            let looked = self
                .desk
                .node(&["fsck", "--config", &config, "--json"], b"");
            looked.with_context(|| format!("the store of {code}"))?;
        }
        Ok(())
    }

    fn node_config(&self, code: u8, hands: Hands) -> String {
        let (skew_min, is_movable) = match hands {
            Hands::Movable(skew_min) => (skew_min, true),
            Hands::Fixed(skew_min) => (skew_min, false),
        };
        let (site, pulse) = (&self.site, &self.site.pulse);
        let host = site.network.host(Place::Node(code));
        let start = site.now().saturating_add_signed(skew_min).get();
        let (address, own) = (host.address, host.own);
        let mut text = format!(
            "production = false\ndata_dir = \"data\"\nnode_key_file = \"node.key\"\n\
             signing_key_file = \"signing.key\"\nsigning_key_next_file = \"signing.key.next\"\nlog_key_file = \"log.key\"\n\
             register_file = \"register.sealed\"\nsources_file = \"../sources.toml\"\n\
             [doors]\npeers_listen = \"{address}:{PEERS}\"\npublic_listen = \"{address}:{PUBLIC}\"\n\
             metrics_listen = \"{own}:{METRICS}\"\nlog_listen = \"{address}:{LOG}\"\n\
             certificate_file = \"node.pem\"\nkey_file = \"node-key.pem\"\nroots_file = \"federation.pem\"\n\
             reload_poll_s = 2\n\
             [trust]\nroot_document_file = \"root.bin\"\nroot_keys = {:?}\nroot_threshold = 2\n\
             [rules]\nhome = {:?}\n\
             [proving]\nparameters = {{ test = {{ seed = \"{}\", cache_dir = \"{}\" }} }}\n\
             [clock]\nstart_minute = {start}\nrate_min_per_s = {}\noperator_may_advance = {is_movable}\n\
             [epochs]\nevery_min = {}\npropose_after_s = {}\n\
             [receipts]\ncommitments_per_batch = 256\n\
             [limits]\npasses_per_epoch = 1_024\nevents_per_resident = 65_536\n\
             [limits.quotas]\ndevice_calls_per_min = 6_000\ndevice_calls_burst = 6_000\n\
             [store]\nreserve_mib = 1\n",
            site.root_keys,
            rule_set_of(code),
            hex::encode(key_seed()),
            key_cache().display(),
            pulse.rate_min_per_s,
            pulse.every_min,
            pulse.propose_after_s,
        );
        let (from, until) = (start.saturating_sub(100_000), start + 100_000);
        let _ = write!(
            text,
            "[[forward.key]]\nfile = \"sealing.key\"\nnot_before_minute = {from}\nnot_after_minute = {until}\n"
        );
        for other in PROVINCES.into_iter().filter(|other| *other != code) {
            let port = CABLES_TO_PEERS + u16::from(other);
            let _ = write!(
                text,
                "[[peer]]\nprovince = {other}\naddress = \"{own}:{port}\"\n"
            );
        }
        text
    }

    fn gate_config(&self, number: u8) -> String {
        let site = &self.site;
        let own = site.network.host(Place::Gate(number)).own;
        let province = GATES.into_iter().find(|gate| gate.0 == number);
        let mut text = format!(
            "production = false\nprovince = {}\ngate_id = \"4a583030303030{:02x}\"\nstate_dir = \"state\"\n\
             profile = \"not-red\"\nadmit_specimens = true\nslot_skew_half_min = 10\nlisten = \"{own}:{GATE}\"\n\
             clock = {{ start_minute = {}, rate_min_per_s = {} }}\n\
             [trust]\nroot_keys = {:?}\nroot_threshold = 2\nfederation = {NAME:?}\n\
             certificate_roots_file = \"federation.pem\"\nrefresh_every_s = 10\n",
            province.map_or(0, |gate| gate.1),
            number,
            site.now().get(),
            site.pulse.rate_min_per_s,
            site.root_keys,
        );
        for code in PROVINCES {
            let port = CABLES_TO_PUBLIC + u16::from(code);
            let _ = write!(
                text,
                "[[publisher]]\nprovince = {code}\naddress = \"{own}:{port}\"\n"
            );
        }
        text
    }

    /// Takes a province's slot away, as holders do with one that was caught.
    pub(crate) fn remove(&self, code: u8) -> Result<u64> {
        self.desk.write_plan(&[slot_of(code)])?;
        self.desk.agree()
    }
}

/// A cable from each host to each node.
async fn lay_cables(network: &mut Network) -> Result<()> {
    for from in places() {
        for code in PROVINCES {
            let to = Place::Node(code);
            if from == to {
                continue;
            }
            let (base, door) = match from {
                Place::Node(_) => (CABLES_TO_PEERS, PEERS),
                Place::Gate(_) => (CABLES_TO_PUBLIC, PUBLIC),
            };
            let port = base + u16::from(code);
            network.lay(from, port, (to, door)).await?;
        }
    }
    Ok(())
}
