//! A federation's keys, certificates, people and root documents, all derived from names, so that a seed gives the same again.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use commitment::Slot;
use ed25519_dalek::{Signer as _, SigningKey};
use federation::pki::{DemoAuthority, Validity};
use federation::{Credentials, FederationId, PeerId, Role, TlsIdentity};
use ledger::log::LogSigner;
use node::config::{Epochs, Intake, Limits, Parameters, Peer, Proving, Receipts, Retention, Trust};
use node::forward::{Forward, SealingSecret};
use node::observe::Metrics;
use node::store::{KeyRing, StoreIdentity, Vault};
use node::{Entropy, FileRegister, Parts, QuotaSettings, RiskBook, RuleBook, Settings, SourceBook};
use rules::{
    Claim, IdentityNumber, Minute, ProvinceCode, RuleSet, SourceId, SourceKind, TestAge,
    WorstColour,
};
use verifier::trust::{
    CircuitEntry, HeadKeys, Profile, ProvinceEntry, RootDocument, RootKeys, RootSignature,
    RuleSetEntry, Sequence, SignedRoot,
};
use verifier::{AcceptanceRule, BinderKinds, UnixTime};

use crate::house::House;
use crate::trapdoor::{Prover, Trapdoor};

/// 29 August 2022, 08:00 in UTC+8.
pub(crate) const START: u32 = 27_695_520;
/// Divisions of the first level, by their codes: as many as a registry is made for.
pub(crate) const DIVISIONS: [u8; 34] = [
    11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52,
    53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
];
/// People in each province's register.
pub(crate) const PEOPLE: u16 = 12;
/// The rule set that passes are asked for under.
pub(crate) const RULES: &str = "fj-2022-08";
/// Ports of each node.
pub(crate) const PEERS_PORT: u16 = 4_000;
pub(crate) const PUBLIC_PORT: u16 = 5_000;
/// From 2020 to 2100: TLS looks at the machine's own clock.
const LONG: Validity = Validity {
    from_s: 1_577_836_800,
    until_s: 4_102_444_800,
};
/// A set that a later root document adds.
const LATER_RULES: &str = "hz-2020-02";

pub(crate) fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).expect("a code of the table")
}

pub(crate) fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).expect("a minute of this century")
}

/// Somebody of a province's register, who does not exist.
pub(crate) fn person(home: u8, number: u16) -> IdentityNumber {
    let county = u32::from(home) * 10_000 + 102;
    IdentityNumber::assemble(county, (1990, 1, 1), number).expect("a number of its form")
}

pub(crate) fn name(number: u16) -> String {
    format!("resident {number}")
}

pub(crate) fn host(home: u8) -> String {
    format!("n{home}")
}

/// The laboratory or the centre for disease control of a province.
pub(crate) fn source(home: u8, kind: SourceKind) -> SourceId {
    SourceId {
        province: province(home),
        kind,
        number: 1,
    }
}

pub(crate) fn source_key(id: SourceId) -> SigningKey {
    let mut seed = [id.province.get(); 32];
    seed[0] = id.kind.code();
    SigningKey::from_bytes(&seed)
}

/// A province's head key; each rotation makes another generation.
pub(crate) fn head_key(home: u8, generation: u8) -> SigningKey {
    let mut seed = [home; 32];
    (seed[0], seed[1]) = (generation, 101);
    SigningKey::from_bytes(&seed)
}

fn root_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

pub(crate) fn root_keys() -> RootKeys {
    RootKeys::new(vec![root_key().verifying_key()], 1).expect("one key of one")
}

/// What gates ask for: not red, of the last two days.
fn profile() -> Profile {
    Profile {
        name: "open".to_owned(),
        rule: AcceptanceRule {
            asked: Claim {
                worst: WorstColour::Yellow,
                test_age: TestAge::NotAsked,
            },
            pass_age_max_min: 1_440,
            card_pass_age_max_min: 1_440,
            binders: BinderKinds::ALL,
        },
    }
}

/// What a root document says, as it is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Constitution {
    pub(crate) sequence: u64,
    /// The members with the generation of their head keys.
    pub(crate) members: BTreeMap<u8, u8>,
    /// Whether a second rule set is among those that count.
    pub(crate) has_later_set: bool,
}

impl Constitution {
    fn rule_sets(&self) -> Result<Vec<RuleSet>> {
        let mut sets = vec![RuleSet::built_in(RULES)?];
        if self.has_later_set {
            sets.push(RuleSet::built_in(LATER_RULES)?);
        }
        Ok(sets)
    }

    fn signed(&self, circuit: CircuitEntry) -> Result<SignedRoot> {
        let provinces = self.members.iter().map(|(code, generation)| {
            let place = DIVISIONS.iter().position(|d| d == code);
            let slot = place.and_then(|place| Slot::new(u8::try_from(place).ok()?));
            Ok(ProvinceEntry {
                province: province(*code),
                slot: slot.context("a division of the table")?,
                head_keys: HeadKeys::single(head_key(*code, *generation).verifying_key()),
            })
        });
        let sets = self.rule_sets()?;
        let mut rule_sets: Vec<RuleSetEntry> = sets.iter().map(RuleSetEntry::of).collect();
        rule_sets.sort_by_key(|entry| entry.short_id);
        let document = RootDocument {
            sequence: Sequence::new(self.sequence),
            expires_at: UnixTime::from_s(4_000_000_000),
            root_keys: root_keys(),
            grace_min: 1_440,
            provinces: provinces.collect::<Result<_>>()?,
            circuits: vec![circuit],
            openings: Vec::new(),
            rule_sets,
            profiles: vec![profile()],
        };
        let message = document.signing_bytes()?;
        let signature = RootSignature {
            key: root_key().verifying_key(),
            signature: root_key().sign(&message).to_bytes(),
        };
        Ok(SignedRoot::new(document, vec![signature]))
    }
}

/// The provinces of a federation, with what they do not change.
pub(crate) struct Realm {
    pub(crate) federation: FederationId,
    pub(crate) provinces: Vec<u8>,
    pub(crate) every_min: u32,
    pub(crate) seed: u64,
    authority: DemoAuthority,
    issued: Mutex<BTreeMap<String, Arc<TlsIdentity>>>,
}

impl Realm {
    pub(crate) fn new(provinces: Vec<u8>, every_min: u32, seed: u64) -> Result<Self> {
        let federation = FederationId::new("sim")?;
        Ok(Self {
            authority: DemoAuthority::generate_for_demo(&federation, LONG)?,
            federation,
            provinces,
            every_min,
            seed,
            issued: Mutex::default(),
        })
    }

    pub(crate) fn roots_pem(&self) -> String {
        self.authority.root_pem()
    }

    /// Credentials of an identity; without one, of anybody.
    pub(crate) fn credentials(&self, role: Option<(u8, Role)>) -> Result<Arc<dyn Credentials>> {
        let Some((code, role)) = role else {
            let anybody = TlsIdentity::anonymous(&self.federation, &self.authority.root_pem())?;
            return Ok(Arc::new(Arc::new(anybody)));
        };
        let peer = PeerId {
            federation: self.federation.clone(),
            province: province(code),
            role,
        };
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        let known = issued.get(&peer.to_string()).cloned();
        let identity = if let Some(known) = known {
            known
        } else {
            let own = self.authority.issue_for_demo(&peer)?;
            let root = self.authority.root_pem();
            let made = TlsIdentity::from_pem(&own.chain_pem, &own.key_pem, &root)?;
            let made = Arc::new(made);
            issued.insert(peer.to_string(), Arc::clone(&made));
            made
        };
        Ok(Arc::new(identity))
    }

    /// The addresses of all nodes but one.
    pub(crate) fn peers_of(&self, home: u8) -> Vec<Peer> {
        let others = self.provinces.iter().filter(|code| **code != home);
        others
            .map(|code| Peer {
                province: province(*code),
                address: format!("{}:{PEERS_PORT}", host(*code)),
            })
            .collect()
    }

    fn sources_toml(&self) -> String {
        let mut text = String::new();
        for code in &self.provinces {
            for (kind, word) in [
                (SourceKind::Laboratory, "laboratory"),
                (SourceKind::Cdc, "cdc"),
            ] {
                let key = hex::encode(source_key(source(*code, kind)).verifying_key().as_bytes());
                let _ = write!(
                    text,
                    "[[source]]\nprovince = {code}\nkind = \"{word}\"\nnumber = 1\nname = \"{word} of {code}\"\n\
                     public_key = \"{key}\"\n\n"
                );
            }
        }
        text
    }

    pub(crate) fn settings(&self) -> Settings {
        let many = 1_000_000;
        let quotas = QuotaSettings {
            events_per_s: many,
            events_burst: many,
            peer_calls_per_s: many,
            peer_calls_burst: many,
            address_calls_per_s: many,
            address_calls_burst: many,
            address_connections_per_s: many,
            address_connections_burst: many,
            device_calls_per_min: many,
            device_calls_burst: many,
            register_tries_per_day: many,
            register_tries_burst: many,
            address_registers_per_min: many,
            address_registers_burst: many,
        };
        Settings {
            intake: Intake::default(),
            // Quotas count by the machine's own time, in which everybody here calls at once.
            limits: Limits {
                quotas,
                passes_per_epoch: many,
                query_quantum_ms: 1,
                ..Limits::default()
            },
            proving: Proving {
                parameters: Parameters::Test {
                    seed: String::new(),
                    cache_dir: "unused".into(),
                },
                threads: 1,
                queue_len: 64,
                wait_ms: 5_000,
                answer_quantum_ms: 20,
                renew_spread_s: 3_600,
            },
            epochs: Epochs {
                every_min: self.every_min,
                propose_after_s: 10,
                ..Epochs::default()
            },
            trust: Trust {
                root_document_file: "unused".into(),
                root_keys: Vec::new(),
                root_threshold: 1,
                soft_stale_s: 21_600,
                hard_stale_s: 259_200,
            },
            retention: Retention::default(),
            counts: node::config::Counts::default(),
            receipts: Receipts::default(),
            forward: Forward {
                contested: Vec::new(),
                ..Forward::default()
            },
        }
    }

    /// The parts of a house's node, over its store as it is.
    pub(crate) fn parts(&self, house: &House) -> Result<Parts> {
        let home = house.home;
        let start = house.starts();
        let mut entropy = [home; 32];
        entropy[..8].copy_from_slice(&self.seed.to_be_bytes());
        entropy[8..12].copy_from_slice(&start.to_be_bytes());
        let entropy = Arc::new(Entropy::from_seed(entropy));
        let metrics = Arc::new(Metrics::new(&entropy, None));
        let key = KeyRing::from_secret([home; 32]);
        let identity = StoreIdentity {
            federation: self.federation.as_str().to_owned(),
            province: province(home),
        };
        let constitution = house.constitution();
        let circuit = Trapdoor::entry()?;
        let prover = Arc::new(Prover(circuit.id()));
        let root = constitution.signed(circuit)?;
        let generation = constitution.members.get(&home).copied().unwrap_or(0);
        let vault = Vault::open(
            house.hold_store(),
            &identity,
            key.clone(),
            Arc::clone(&entropy),
        )?;
        Ok(Parts {
            federation: self.federation.clone(),
            home: province(home),
            vault: Arc::new(vault),
            clock: Arc::clone(&house.clock) as _,
            entropy,
            signing_keys: vec![head_key(home, generation)],
            log_signer: LogSigner::derive(&[home + 100; 32]),
            rules: RuleBook::new(
                constitution.rule_sets()?,
                root.document(),
                RULES.to_owned(),
                None,
            )?,
            root,
            root_keys: root_keys(),
            risk: RiskBook::empty(),
            register: Box::new(
                FileRegister::parse(&self.register(home, &key)?, &key)
                    .map_err(anyhow::Error::msg)?,
            ),
            sources: SourceBook::parse(&self.sources_toml()).map_err(anyhow::Error::msg)?,
            sealing: vec![SealingSecret {
                secret: [home ^ 0xaa; 32].into(),
                not_before: minute(START - 1_000),
                not_after: minute(START + 100_000),
            }],
            prover,
            openings: None,
            metrics,
            settings: self.settings(),
        })
    }

    #[expect(clippy::unused_self, reason = "who is registered is the realm's")]
    fn register(&self, home: u8, key: &KeyRing) -> Result<String> {
        let line = |number| {
            let person = person(home, number);
            let digits = String::from_utf8_lossy(person.expose()).into_owned();
            format!("{digits},{}\n", name(number))
        };
        let list: String = (0..PEOPLE).map(line).collect();
        FileRegister::seal(&list, key).map_err(anyhow::Error::msg)
    }
}
