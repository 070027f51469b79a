use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use commitment::Slot;
use ed25519_dalek::SigningKey;
use federation::FederationId;
use ledger::log::LogSigner;
use rules::{Minute, Policy, ProvinceCode};
use tokio::sync::Notify;
use verifier::trust::{RootKeys, SignedRoot};

use crate::batches::Offers;
use crate::charter::{Charter, Named};
use crate::config::{Counts as PublishedCounts, Epochs, Intake, Limits, Proving, Retention, Trust};
use crate::counts::CountBook;
use crate::epoch::Ledger;
use crate::forward::{Forward, Forwarding, SealingKeys, SealingSecret};
use crate::locks::Locks;
use crate::observe::Metrics;
use crate::opening::{OpeningParts, OpeningRoom};
use crate::passes::InFlight;
use crate::proving::{PassProver, ProofTimes, ProvingQueue};
use crate::quotas::NodeQuotas;
use crate::receipts::{Commitments, Receipts, given_since};
use crate::recover::recovered;
use crate::retain::{Retained, last_run};
use crate::sample_book::SampleBook;
use crate::source_tally::SourceTallies;
use crate::sources::SourceBook;
use crate::store::{EpochRow, ResidentKey, ResidentRow, StoreError, Table, Vault};
use crate::transparency::{LogBook, LogNames, Mirrors};
use crate::{CivilRegister, Clock, Entropy, NodeError, RiskBook, RuleBook};

/// Everything that a node is made of. What is read from files has been checked by itself; [`Node::open`] checks that
/// it fits together.
pub struct Parts {
    /// The federation.
    pub federation: FederationId,
    /// The province.
    pub home: ProvinceCode,
    /// Sealed storage.
    pub vault: Arc<Vault>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<Entropy>,
    /// Sign tree heads and cosignatures: the head key in force and, where there is one, the one announced.
    pub signing_keys: Vec<SigningKey>,
    /// Signs the log, and what the node cosigns as a witness.
    pub log_signer: LogSigner,
    /// The trust list's root.
    pub root: SignedRoot,
    /// The keys that it is believed by.
    pub root_keys: RootKeys,
    /// Rule sets.
    pub rules: RuleBook,
    /// Risk maps.
    pub risk: RiskBook,
    /// Who lives here.
    pub register: Box<dyn CivilRegister>,
    /// Who may hand in events.
    pub sources: SourceBook,
    /// What events from other provinces are sealed to.
    pub sealing: Vec<SealingSecret>,
    /// Makes proofs.
    pub prover: Arc<dyn PassProver>,
    /// Makes openings for sources; none where they are not offered.
    pub openings: Option<OpeningParts>,
    /// What is counted. The vault's store is to tell it of its commits.
    pub metrics: Arc<Metrics>,
    /// Settings.
    pub settings: Settings,
}

/// The parts of the configuration that a running node looks at.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What is too late or too early.
    pub intake: Intake,
    /// Limits on residents and calls.
    pub limits: Limits,
    /// The proving queue.
    pub proving: Proving,
    /// What is asked of registries.
    pub epochs: Epochs,
    /// Ages of online documents.
    pub trust: Trust,
    /// How long things are kept.
    pub retention: Retention,
    /// Events that go to, and come from, other provinces.
    pub forward: Forward,
    /// Receipts for what is accepted.
    pub receipts: Receipts,
    /// Numbers of residents that are published.
    pub counts: PublishedCounts,
}

/// A province's node, without its doors. Its methods block: they read and write the store, and are called from
/// threads that may wait.
pub struct Node {
    pub(crate) federation: FederationId,
    pub(crate) home: ProvinceCode,
    pub(crate) slot: Slot,
    pub(crate) vault: Arc<Vault>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<Entropy>,
    /// The head keys held for the next root document; those of the one in use are in the charter.
    pub(crate) held: RwLock<Vec<SigningKey>>,
    pub(crate) charter: RwLock<Arc<Charter>>,
    pub(crate) root_keys: RootKeys,
    pub(crate) risk: RiskBook,
    pub(crate) register: Box<dyn CivilRegister>,
    pub(crate) sources: SourceBook,
    pub(crate) source_tallies: SourceTallies,
    pub(crate) prover: Arc<dyn PassProver>,
    pub(crate) openings: Option<OpeningRoom>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    pub(crate) settings: Settings,
    pub(crate) locks: Locks,
    pub(crate) quotas: NodeQuotas,
    pub(crate) places: Mutex<u32>,
    pub(crate) counts: Counts,
    /// Held by whoever closes an epoch, or signs a statement or a document: one at a time.
    pub(crate) signing: Mutex<()>,
    /// Held by whoever cosigns a log: what is checked is stored before anybody else checks.
    pub(crate) witnessing: Mutex<()>,
    pub(crate) log_signer: LogSigner,
    pub(crate) log_names: LogNames,
    pub(crate) log_book: Mutex<LogBook>,
    pub(crate) mirrors: Mirrors,
    /// Until when nothing is signed that may have been signed before the store was put back.
    pub(crate) quiet_until: Option<Minute>,
    /// Told of every new checkpoint.
    pub(crate) checkpoint_signed: Notify,
    pub(crate) ledger: RwLock<Ledger>,
    pub(crate) queue: ProvingQueue,
    pub(crate) proof_times: ProofTimes,
    pub(crate) in_flight: Mutex<InFlight>,
    pub(crate) is_draining: AtomicBool,
    /// Held by whoever makes or ends this province's part of a batch.
    pub(crate) batching: Mutex<()>,
    pub(crate) offers: Offers,
    /// Told when something came in that passes are to be held against.
    pub(crate) recheck_due: Notify,
    pub(crate) forward: Forwarding,
    pub(crate) commitments: Commitments,
    pub(crate) count_book: CountBook,
    /// When what is past its time was removed last, and what it came to.
    pub(crate) retained: Mutex<Option<(Minute, Retained)>>,
    pub(crate) samples: SampleBook,
}

/// Counts since the beginning.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) residents: AtomicU64,
    pub(crate) events: AtomicU64,
}

impl Counts {
    /// Whether any event was ever accepted.
    pub(crate) fn has_events(&self) -> bool {
        self.events.load(Ordering::Relaxed) > 0
    }

    /// Counts out residents who are erased.
    pub(crate) fn forget(&self, residents: u64) {
        self.residents.fetch_sub(residents, Ordering::Relaxed);
    }
}

impl Node {
    /// Puts a node together and brings it to where its store says it was.
    ///
    /// # Errors
    /// [`NodeError::Fault`] for parts that do not fit each other, [`NodeError::Store`] for a store that is damaged.
    pub fn open(parts: Parts) -> Result<Arc<Self>, NodeError> {
        let named = Named {
            home: parts.home,
            signing_keys: &parts.signing_keys,
            circuit: parts.prover.circuit(),
            now: parts.clock.now(),
        };
        let mut charter = Charter::new(parts.root, &parts.root_keys, parts.rules, &named)?;
        charter.remember(&parts.vault, &parts.root_keys, parts.clock.now())?;
        let (root, slot) = (charter.document(), charter.slot);
        let (places, counts) = count_residents(&parts.vault)?;
        let sealing = SealingKeys::new(&parts.sealing, parts.home, slot);
        let others = root.provinces.iter().map(|entry| entry.province);
        let others = others.filter(|province| *province != parts.home);
        let settings = parts.settings.forward.clone();
        let forward = Forwarding::open(&parts.vault, settings, sealing, others)?;
        let since = given_since(&parts.vault, &counts, parts.clock.now())?;
        let commitments = Commitments::new(since, parts.settings.receipts.batch_len());
        let proving = &parts.settings.proving;
        let queue = ProvingQueue::start(proving.threads, proving.queue_len)
            .map_err(|_| NodeError::Fault("no thread for proving can be started"))?;
        let quotas = NodeQuotas::new(&parts.settings.limits.quotas);
        let log_names = LogNames::new(
            &parts.vault,
            &parts.federation,
            (parts.home, slot),
            &parts.log_signer,
        )?;
        let retained = Mutex::new(last_run(&parts.vault)?);
        let quiet_until = recovered(&parts.vault)?.quiet_until;
        let node = Self {
            federation: parts.federation,
            home: parts.home,
            slot,
            vault: parts.vault,
            clock: parts.clock,
            entropy: parts.entropy,
            held: RwLock::new(parts.signing_keys),
            charter: RwLock::new(Arc::new(charter)),
            root_keys: parts.root_keys,
            risk: parts.risk,
            register: parts.register,
            sources: parts.sources,
            source_tallies: SourceTallies::default(),
            prover: parts.prover,
            openings: parts.openings.map(OpeningRoom::new),
            metrics: parts.metrics,
            limits: parts.settings.limits,
            settings: parts.settings,
            locks: Locks::default(),
            quotas,
            places: Mutex::new(places),
            counts,
            signing: Mutex::new(()),
            witnessing: Mutex::new(()),
            log_signer: parts.log_signer,
            log_names,
            log_book: Mutex::default(),
            mirrors: Mirrors::default(),
            quiet_until,
            checkpoint_signed: Notify::new(),
            ledger: RwLock::new(Ledger::default()),
            queue,
            proof_times: ProofTimes::default(),
            in_flight: Mutex::default(),
            is_draining: AtomicBool::new(false),
            batching: Mutex::new(()),
            offers: Offers::default(),
            recheck_due: Notify::new(),
            forward,
            commitments,
            count_book: CountBook::default(),
            retained,
            samples: SampleBook::default(),
        };
        node.restore_ledger()?;
        node.check_clock()?;
        node.restore_log()?;
        node.mirrors.restore(&node.vault)?;
        node.restore_counts()?;
        node.queue_earlier_appeals()?;
        if (node.openings.as_ref()).is_some_and(|room| !node.names_openings(room)) {
            tracing::warn!(
                "the root document does not name the key of openings: none are made until it does"
            );
        }
        Ok(Arc::new(node))
    }

    /// A clock that was set back behind the last closed epoch would take events for later ones. A simulated clock, which
    /// begins anew with each process, is brought to where it was.
    fn check_clock(&self) -> Result<(), NodeError> {
        let Some(last) = self.last_closed() else {
            return Ok(());
        };
        let closed_at = last.head.head_time;
        if self.clock.now() < closed_at && !self.clock.advance_to(closed_at) {
            return Err(NodeError::Fault(
                "the clock lies behind the last closed epoch",
            ));
        }
        Ok(())
    }

    /// The federation.
    pub fn federation(&self) -> &FederationId {
        &self.federation
    }

    /// The province.
    pub fn home(&self) -> ProvinceCode {
        self.home
    }

    /// The time.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What is counted.
    pub const fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Whether a province has a slot in the registry.
    pub fn is_member(&self, province: ProvinceCode) -> bool {
        let charter = self.charter();
        let members = charter.roster.members();
        members.iter().any(|member| member.province == province)
    }

    /// Which of the federation's slots, ascending, this node's is, and how many there are.
    pub(crate) fn provinces(&self) -> (usize, u32) {
        let charter = self.charter();
        let entries = &charter.document().provinces;
        let place = entries.iter().position(|entry| entry.slot == self.slot);
        (
            place.unwrap_or(0),
            u32::try_from(entries.len()).unwrap_or(u32::MAX),
        )
    }

    /// Number of the root document in use.
    pub fn root_sequence(&self) -> u64 {
        self.charter().document().sequence.get()
    }

    /// Provinces that make a quorum.
    pub(crate) fn quorum(&self) -> usize {
        self.charter().roster.quorum()
    }

    /// Time for a call.
    pub(crate) fn deadline(&self) -> Duration {
        Duration::from_secs(self.limits.deadline_s)
    }

    /// Time for which a stream may stand still.
    pub(crate) fn idle(&self) -> Duration {
        Duration::from_secs(self.limits.idle_s)
    }

    /// How long a call waits for its passes.
    pub(crate) fn pass_wait(&self) -> Duration {
        Duration::from_millis(self.settings.proving.wait_ms)
    }

    /// Answers to requests for passes leave at multiples of this after the call came.
    pub(crate) fn answer_quantum(&self) -> Duration {
        Duration::from_millis(self.settings.proving.answer_quantum_ms)
    }

    /// Answers to queries leave at multiples of this after the call came.
    pub(crate) fn query_quantum(&self) -> Duration {
        Duration::from_millis(self.limits.query_quantum_ms)
    }

    pub(crate) fn policy(&self) -> Policy {
        Policy {
            max_age_hours: self.settings.intake.max_age_hours,
            check_in_grace_days: self.settings.intake.check_in_grace_days,
            clock_tolerance_min: self.settings.intake.clock_tolerance_min,
        }
    }

    /// Residents taken in.
    pub fn residents(&self) -> u64 {
        self.counts.residents.load(Ordering::Relaxed)
    }

    /// Events accepted since the beginning.
    pub fn events(&self) -> u64 {
        self.counts.events.load(Ordering::Relaxed)
    }

    /// Passes waiting to be proved.
    pub fn proofs_queued(&self) -> usize {
        self.queue.len()
    }

    /// Uses whose passes, or whose refusal, are under way.
    pub fn uses_under_way(&self) -> usize {
        let in_flight = self.in_flight.lock();
        in_flight.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// How long proofs took.
    pub const fn proof_times(&self) -> &ProofTimes {
        &self.proof_times
    }

    /// Takes no new proofs, finishes those under way and ends their threads.
    pub fn stop_proving(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
        self.queue.stop();
    }

    /// Says that the node is about to end.
    pub fn begin_drain(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// Whether the node is about to end.
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::SeqCst)
    }
}

/// The next free place and the counts, from what is stored.
fn count_residents(vault: &Vault) -> Result<(u32, Counts), NodeError> {
    let mut next = 0;
    vault.walk::<ResidentKey, StoreError>(Table::Places, b"", |key, _| {
        let place = <[u8; 4]>::try_from(key).map_err(|_| StoreError::Damaged(Table::Places))?;
        next = u32::from_be_bytes(place) + 1;
        Ok(())
    })?;
    let counts = Counts::default();
    vault.walk::<ResidentRow, StoreError>(Table::Residents, b"", |_, row| {
        counts.residents.fetch_add(1, Ordering::Relaxed);
        counts
            .events
            .fetch_add(row.events.into(), Ordering::Relaxed);
        Ok(())
    })?;
    Ok((next, counts))
}

/// The epoch in a row's key.
pub(crate) fn epoch_of_key(key: &[u8]) -> Option<u32> {
    key.first_chunk::<4>().map(|b| u32::from_be_bytes(*b))
}

/// The closed epoch of a row.
pub(crate) fn head_of(row: &EpochRow) -> Result<ledger::SignedTreeHead, NodeError> {
    ledger::SignedTreeHead::from_bytes(&row.head)
        .map_err(|_| NodeError::Store(StoreError::Damaged(Table::Epochs)))
}
