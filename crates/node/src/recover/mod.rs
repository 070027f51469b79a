//! A node whose store was put back from an older copy gets its log back: the entries that are missing from whoever holds
//! them, and from these what it must never do twice. Decisions: docs/adr/0022.
//!
//! Done while the node does not run. Everything that came from outside is held against a checkpoint that this node signed
//! itself before it lost it, and all of it is stored in one commit.

mod ask;
mod floors;
mod history;
mod http;
mod mark;
mod passed;
mod read;
mod rows;
mod source;
mod witness;

use std::time::Duration;

use commitment::Slot;
use ed25519_dalek::SigningKey;
use federation::FederationId;
use ledger::Roster;
use ledger::log::{Log, LogSigner, NoteKey, SignedCheckpoint};
use rules::{Minute, ProvinceCode};

use crate::store::{StoreError, Table, Vault};
use crate::transparency::stored_keys;
use crate::{NodeError, Peers};

use ask::Holder;
pub use mark::{is_older_than_signed, mark_older};
pub(crate) use mark::{recovered, take_off_mark};
pub use passed::{PassedOver, Patience, WhyNot};

/// Bytes of entries that are recovered at once: they are held in memory, and stored in one commit.
pub(crate) const RECOVERED_MAX_BYTES: usize = 512 << 20;

/// Why a log is not recovered. Nothing in the store is changed then, unless it is the store itself that failed: what is held and known
/// as cosigned of the others' logs may be further then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecoverError {
    /// The store failed, or is damaged.
    #[error("{}", .0.for_operator())]
    Node(#[from] NodeError),
    /// Too few of the other provinces answered to know what this node has signed; again when they are to be reached.
    #[error(
        "{answered} other provinces said what they have of this node, at least {needed} are to: others may hold more than these; silent: {}",
        numbers(silent)
    )]
    TooFewAnswers {
        /// Those that did.
        answered: usize,
        /// How many are needed.
        needed: usize,
        /// Those that did not.
        silent: Vec<ProvinceCode>,
    },
    /// Nobody who was asked holds all entries.
    #[error(
        "this node signed {wanted} entries; no mirror leads further than to {reached}{}",
        passed::listed(passed_over)
    )]
    Incomplete {
        /// Up to which size it could be recovered.
        reached: u64,
        /// Entries in the largest checkpoint that it signed.
        wanted: u64,
        /// Those who were not used, or not to the end: who did not answer, and who was asked for more.
        passed_over: Vec<PassedOver>,
    },
    /// The store went on by itself after it was put back: what it wrote contradicts what it signed before.
    #[error(
        "entry {index} of the store is another than the one that this node signed: it went on from an older copy, and its log has two histories"
    )]
    OtherHistory {
        /// The first entry that differs; where nobody shows it, the last of those among which one does.
        index: u64,
    },
    /// Two checkpoints that this node signed contradict each other, and no quorum of witnesses holds one of them alone.
    #[error(
        "this node signed two histories: the checkpoint of {size} entries at {shown_by} is not of the log that the newest is of, and neither has a quorum of witnesses for itself: there is no log to be recovered"
    )]
    TwoHistories {
        /// Entries in the one that is not of the newest's log.
        size: u64,
        /// Who shows it.
        shown_by: String,
    },
    /// A recovered entry is none that this version knows.
    #[error("entry {index} is none that this version knows")]
    UnknownEntry {
        /// Which.
        index: u64,
    },
    /// The log keys that the recovered log announces are not known.
    #[error(
        "the log announces log keys of number {number}, which nobody who was asked has, nor this node's files"
    )]
    UnknownKeys {
        /// Their number.
        number: u32,
    },
    /// More is missing than is recovered at once.
    #[error("more than {limit} bytes of entries are missing")]
    TooMuch {
        /// The limit.
        limit: usize,
    },
}

fn numbers(provinces: &[ProvinceCode]) -> String {
    let numbers = provinces.iter().map(|province| province.get().to_string());
    numbers.collect::<Vec<_>>().join(", ")
}

impl From<StoreError> for RecoverError {
    fn from(error: StoreError) -> Self {
        Self::Node(error.into())
    }
}

/// Who the node is whose log is recovered.
pub struct Recovering<'a> {
    /// Its store.
    pub vault: &'a Vault,
    /// The federation.
    pub federation: &'a FederationId,
    /// Its province.
    pub home: ProvinceCode,
    /// Its slot.
    pub slot: Slot,
    /// All provinces.
    pub roster: &'a Roster,
    /// The head keys that it holds.
    pub head_keys: &'a [SigningKey],
    /// Its log key.
    pub log_signer: &'a LogSigner,
    /// Its clock's time.
    pub now: Minute,
    /// Most minutes that a call may be from now.
    pub skew_min: u32,
    /// How long the others are waited for.
    pub patience: Patience,
}

/// The keys under which a checkpoint is this node's own.
struct OwnKeys(Vec<NoteKey>);

impl OwnKeys {
    /// Whether a checkpoint is one that this node signed.
    fn have_signed(&self, checkpoint: &SignedCheckpoint) -> bool {
        self.0.iter().any(|name| checkpoint.check_log(name).is_ok())
    }
}

/// What recovering came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// Entries that the store had.
    pub had: u64,
    /// Entries that it has now.
    pub has: u64,
    /// Witnesses whose cosignatures the newest checkpoint carries.
    pub cosigned_by: usize,
    /// Provinces that said what they have.
    pub answered: Vec<ProvinceCode>,
    /// Logs of others of which this node knows again what their witnesses have cosigned.
    pub logs: usize,
    /// Slots whose logs were found with two histories: they are not cosigned until they have new log keys.
    pub forked: Vec<Slot>,
    /// Slots of whose logs it could not be read what their witnesses have cosigned, or of which too few said it.
    pub unread: Vec<Slot>,
    /// Epochs whose heads came back.
    pub heads: usize,
    /// The last epoch of which no registry is signed any more.
    pub epoch: u32,
    /// The last number of which no list is signed any more.
    pub sequence: u64,
    /// Before this no list is signed at all.
    pub quiet_until: Minute,
    /// Those who were not used, or not to the end: who did not answer among them, and who shows another history.
    pub passed_over: Vec<PassedOver>,
}

impl Recovering<'_> {
    /// Recovers the log from the mirrors of `peers` and from those that are served by plain HTTP at `urls`, and takes the mark
    /// off the store by which the node does not start. `least` lowers how many of the other provinces must answer; `each` is
    /// called with the number of entries read.
    ///
    /// # Errors
    /// [`RecoverError`]; nothing is changed then but what that says.
    pub async fn run(
        &self,
        peers: &Peers,
        urls: &[String],
        least: Option<usize>,
        each: &mut (dyn FnMut(u64) + Send),
    ) -> Result<Recovered, RecoverError> {
        let (log, checkpoint) = self.own_log()?;
        let had = log.size();
        let own_keys = self.own_keys()?;
        let asked = ask::ask_peers(self, peers, &own_keys).await;
        let needed = self.needed(least);
        if asked.answers.len() < needed {
            return Err(RecoverError::TooFewAnswers {
                answered: asked.answers.len(),
                needed,
                silent: asked.silent,
            });
        }
        let (mut holders, mut passed) = (asked.holders, asked.passed);
        for url in urls {
            holders.extend(ask::ask_url((self, &own_keys), url, &mut passed).await);
        }
        let own = (&log, checkpoint.as_ref());
        let found = history::find(self, own, &holders, &mut passed, each).await?;
        let (newest, entries) = (found.newest, found.entries);
        let newest = newest.map(|newest| self.with_cosignatures(&newest, &holders));
        rows::check(self, had, &entries, &holders, newest.as_ref())?;
        let raised = witness::raise(self, peers, &mut passed).await?;
        let floors = floors::of(self, &asked.answers);
        let provinces = asked.answers.keys().copied().collect();
        rows::store(
            self,
            rows::Found {
                had,
                entries,
                newest,
                holders: &holders,
                floors,
                raised,
                answered: provinces,
                passed,
                others: found.others,
            },
        )
    }

    /// Whether one of `peers` shows within `wait` a checkpoint that this node signed and that is of more entries than its store
    /// has; not one of another history, as a recovery found.
    ///
    /// # Errors
    /// [`NodeError::Store`], also where the log keys in the store are damaged.
    pub async fn is_older(&self, peers: &Peers, wait: Duration) -> Result<bool, NodeError> {
        let had = self.vault.keys(Table::LogEntries, b"", usize::MAX)?.len() as u64;
        let others = mark::other_histories(self.vault)?;
        let own_keys = self.own_keys()?;
        Ok(ask::holds_more(self, (peers, &own_keys), (had, &others), wait).await)
    }

    /// How many of the other provinces must answer: so many that each checkpoint which was good by the log's policy, cosigned by a
    /// quorum, is held by one of them.
    fn needed(&self, least: Option<usize>) -> usize {
        let (provinces, quorum) = (self.roster.provinces(), self.roster.quorum());
        let others = provinces.saturating_sub(1);
        let needed = (provinces + 1).saturating_sub(quorum).min(others);
        least.map_or(needed, |least| least.min(needed))
    }

    /// How many witnesses of another's log must say what they have cosigned of it: so many that each checkpoint which a quorum
    /// cosigned, this node among them, is held by one of those beside this node and the log's own; all of these, where they are fewer.
    fn needed_of_a_log(&self) -> usize {
        let witnesses = self.roster.provinces().saturating_sub(2);
        self.needed(None).min(witnesses)
    }

    /// The log in the store, and the checkpoint over it.
    fn own_log(&self) -> Result<(Log, Option<SignedCheckpoint>), RecoverError> {
        let damaged = |table| NodeError::Store(StoreError::Damaged(table));
        let mut log = Log::default();
        self.vault
            .walk::<Vec<u8>, NodeError>(Table::LogEntries, b"", |key, bytes| {
                if key != log.size().to_be_bytes() {
                    return Err(damaged(Table::LogEntries));
                }
                log.append(&bytes).map_err(|_| damaged(Table::LogEntries))
            })?;
        let stored = self.vault.list::<Vec<u8>>(Table::LogCheckpoint, b"")?;
        let stored = stored
            .first()
            .map(|(_, bytes)| SignedCheckpoint::from_bytes(bytes));
        let stored = stored.transpose();
        Ok((log, stored.map_err(|_| damaged(Table::LogCheckpoint))?))
    }

    /// The keys under which a checkpoint is this log's: those in the store and those of its files. Others that a head key signed are
    /// not taken from anybody: the head key can be one that was given up, and known to others.
    fn own_keys(&self) -> Result<OwnKeys, NodeError> {
        let stored = stored_keys(self.vault, self.slot)?.map(|stored| stored.keys);
        let files = self.log_signer.public(self.home, self.slot, 1);
        let all = [stored, Some(files)].into_iter().flatten();
        let names = all.filter_map(|keys| keys.log_key(self.federation.as_str()).ok());
        Ok(OwnKeys(names.collect()))
    }

    /// The newest checkpoint with the cosignatures of all who hold that tree.
    fn with_cosignatures(&self, newest: &SignedCheckpoint, holders: &[Holder]) -> SignedCheckpoint {
        let same = holders
            .iter()
            .filter(|h| h.checkpoint.text() == newest.text());
        let mut newest = newest.clone();
        for holder in same {
            let witness = holder.witness.as_ref();
            let checked = witness.filter(|keys| keys.check(self.roster).is_ok());
            let name = checked.and_then(|w| w.keys.witness_key(self.federation.as_str()).ok());
            if let Some(name) = name {
                let lines = holder.checkpoint.to_bytes();
                let lines = &lines[holder.checkpoint.text().len() + 1..];
                newest = newest.with_cosignature(lines, &name).unwrap_or(newest);
            }
        }
        newest
    }
}
