//! The trust list: everything that a verifier believes, and why it may.
//!
//! A *root document*, signed by k of n offline keys and chained from one to the next, names provinces, circuits, rule
//! sets and gate profiles. An *online document*, signed by a quorum of those provinces, names registries, each with its
//! risk map, and batches of revocations, each by its digest. [`TrustList`] can only be had from both and all batches,
//! checked; the documents themselves are not believed. What is newer than a list in hand travels as an [`Increment`].

mod batch;
mod increment;
mod online;
mod root;
mod signatures;

use std::collections::BTreeMap;
use std::sync::Arc;

use commitment::layout::{Reader, put_count};
use commitment::{CircuitShortId, Epoch};

pub use batch::{BATCH_LEN, BATCH_LEN_BYTES, BatchDigest, BatchEntry, Revocation, RevocationBatch};
pub use increment::{InHand, Increment, MAX_INCREMENT_LEN_BYTES};
pub use online::{
    BATCH_SPACING_MIN, MAX_BATCHES, MAX_REGISTRIES, OnlineDocument, RegistryEntry, STALE_LIMIT_S,
};
pub use root::{
    CircuitEntry, GRACE_LIMIT_MIN, HeadKeys, MAX_CIRCUITS, MAX_NAME_LEN_BYTES, MAX_OPENINGS,
    MAX_PROFILES, MAX_ROOT_KEYS, MAX_RULE_SETS, OpeningEntry, Profile, ProvinceEntry, RootDocument,
    RootKeys, RuleSetEntry, root_key_from_digits,
};
pub use signatures::{ProvinceSignature, RootSignature, SignedOnline, SignedRoot};

use crate::time::CLOCK_TOLERANCE_S;
use crate::{AcceptanceRule, Error, PreparedCircuit, RevocationHash, RuleSetShortId, UnixTime};
use root::list;
use signatures::{Strangers, block, put_block};

const VERSION: u8 = 1;
/// Longest root document.
pub const MAX_ROOT_LEN_BYTES: usize = 94_208;
/// Longest root document with its signatures.
pub const MAX_SIGNED_ROOT_LEN_BYTES: usize = 98_304;
/// Longest online document.
pub const MAX_ONLINE_LEN_BYTES: usize = 139_264;
/// Longest online document with its signatures.
pub const MAX_SIGNED_ONLINE_LEN_BYTES: usize = 143_360;
/// Longest bundle: it fits one message of 256 kB.
pub const MAX_BUNDLE_LEN_BYTES: usize = 245_760;
/// Most root documents in a bundle. Whoever missed more needs a new pin.
pub const MAX_ROOTS: usize = 16;

/// The number of a document; it never falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// The sequence with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// Root documents, oldest first, and an online document, as they are published: not believed.
///
/// Layout: version 1 · roots (count 2; length 4, signed root) · length 4 · signed online.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundle {
    /// The last root documents, ascending by sequence, so that whoever missed some can follow.
    pub roots: Vec<SignedRoot>,
    /// The newest online document.
    pub online: SignedOnline,
}

impl Bundle {
    /// The canonical bytes.
    ///
    /// # Errors
    /// As [`RootDocument::to_bytes`]; [`Error::TrustContent`] above [`MAX_BUNDLE_LEN_BYTES`] or [`MAX_ROOTS`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        if self.roots.is_empty() || self.roots.len() > MAX_ROOTS {
            return Err(Error::TrustContent("1 to 16 root documents"));
        }
        let mut out = vec![VERSION];
        put_count(&mut out, self.roots.len());
        for root in &self.roots {
            put_block(&mut out, &root.to_bytes()?);
        }
        put_block(&mut out, &self.online.to_bytes()?);
        if out.len() > MAX_BUNDLE_LEN_BYTES {
            return Err(Error::TrustContent("a bundle of at most 245,760 bytes"));
        }
        Ok(out)
    }

    /// Reads a bundle; nothing is believed yet.
    ///
    /// # Errors
    /// [`Error::Layout`], and those of the documents.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_BUNDLE_LEN_BYTES)?;
        reader.version(VERSION)?;
        let roots = list(&mut reader, "root documents", MAX_ROOTS, |r| {
            SignedRoot::from_bytes(block(r, MAX_SIGNED_ROOT_LEN_BYTES)?)
        })?;
        if roots.is_empty() {
            return Err(Error::TrustContent("1 to 16 root documents"));
        }
        root::ascending(&roots, |r| r.document().sequence, "root documents")?;
        let online = SignedOnline::from_bytes(block(&mut reader, MAX_SIGNED_ONLINE_LEN_BYTES)?)?;
        reader.finish()?;
        Ok(Self { roots, online })
    }
}

/// A trust list that was checked: what a verifier believes.
#[derive(Clone, Debug)]
pub struct TrustList {
    bytes: Vec<u8>,
    root: RootDocument,
    online: SignedOnline,
    circuits: BTreeMap<CircuitShortId, PreparedCircuit>,
    /// What each batch of the online document revokes.
    batches: BTreeMap<BatchDigest, Arc<[RevocationHash]>>,
    /// What all of them revoke, ascending.
    revoked: Vec<RevocationHash>,
}

/// A list whose documents hold, and that waits for batches which its online document names. It says nothing about passes
/// yet: a list without its revocations is none.
#[derive(Clone, Debug)]
pub struct Candidate {
    list: TrustList,
    missing: Vec<BatchEntry>,
}

impl Candidate {
    /// The root document.
    pub const fn root(&self) -> &RootDocument {
        self.list.root()
    }

    /// The online document.
    pub const fn online(&self) -> &OnlineDocument {
        self.list.online()
    }

    /// The batches that are named and not in hand, ascending by minute.
    pub fn missing(&self) -> &[BatchEntry] {
        &self.missing
    }

    /// Takes the canonical bytes of a batch, from wherever they come: they are what their digest says, or refused.
    ///
    /// # Errors
    /// [`Error::Layout`] for bytes that are no batch, [`Error::UnknownBatch`] for one that is not missing.
    pub fn supply(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let batch = RevocationBatch::from_bytes(bytes)?;
        let entry = batch.entry();
        let missing = self.missing.iter().position(|e| *e == entry);
        self.missing.remove(missing.ok_or(Error::UnknownBatch)?);
        let hashes = batch.hashes().into();
        self.list.batches.insert(entry.digest, hashes);
        Ok(())
    }

    /// The list, once nothing is missing.
    ///
    /// # Errors
    /// [`Error::MissingBatches`].
    pub fn complete(mut self) -> Result<TrustList, Error> {
        if !self.missing.is_empty() {
            return Err(Error::MissingBatches(self.missing.len()));
        }
        let list = &mut self.list;
        list.revoked = list
            .batches
            .values()
            .flat_map(|b| b.iter().copied())
            .collect();
        list.revoked.sort_unstable();
        Ok(self.list)
    }
}

impl TrustList {
    /// Judges a bundle by everything but its batches: sizes, layouts, sequences, the chain of root documents from `previous`
    /// – or from the pinned keys, if there is none – and the quorum under the online document. Batches that `previous` has
    /// are not missing.
    ///
    /// # Errors
    /// Any [`Error`]; the list in use stays the last good one.
    pub fn consider(
        bytes: &[u8],
        previous: Option<&TrustList>,
        pinned: &RootKeys,
        now: UnixTime,
    ) -> Result<Candidate, Error> {
        let candidate = Self::follow(bytes, previous, pinned)?;
        let (root, online) = (candidate.root(), candidate.online());
        if online.issued_at.since_s(now) > CLOCK_TOLERANCE_S {
            return Err(Error::FromTheFuture {
                issued_s: online.issued_at.get_s(),
                now_s: now.get_s(),
            });
        }
        let online_end = (online.issued_at.get_s()).saturating_add(u64::from(online.hard_stale_s));
        let ended_s = root.expires_at.get_s().min(online_end);
        if now.get_s() >= ended_s {
            return Err(Error::Expired {
                ended_s,
                now_s: now.get_s(),
            });
        }
        Ok(candidate)
    }

    /// Takes a bundle that names no batch but those of `previous`.
    ///
    /// # Errors
    /// As [`TrustList::consider`], and [`Error::MissingBatches`].
    pub fn accept(
        bytes: &[u8],
        previous: Option<&TrustList>,
        pinned: &RootKeys,
        now: UnixTime,
    ) -> Result<Self, Error> {
        Self::consider(bytes, previous, pinned, now)?.complete()
    }

    /// Takes back a list that this verifier accepted and stored; it may have ended since, and then verdicts say so.
    ///
    /// # Errors
    /// As [`TrustList::consider`], except for the checks against the time.
    pub fn restore(bytes: &[u8], pinned: &RootKeys) -> Result<Candidate, Error> {
        Self::follow(bytes, None, pinned)
    }

    /// The bytes that it was accepted from, to be stored.
    pub fn to_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The root document.
    pub const fn root(&self) -> &RootDocument {
        &self.root
    }

    /// The online document.
    pub const fn online(&self) -> &OnlineDocument {
        self.online.document()
    }

    /// The number of revocations, those that stand for nothing among them.
    pub const fn revocations(&self) -> usize {
        self.revoked.len()
    }

    /// The circuit with this short name.
    pub fn circuit(&self, short: CircuitShortId) -> Option<&PreparedCircuit> {
        self.circuits.get(&short)
    }

    /// The registry of an epoch.
    pub fn registry(&self, epoch: Epoch) -> Option<&RegistryEntry> {
        let entries = &self.online().registries;
        let at = entries.binary_search_by_key(&epoch, |e| e.epoch).ok()?;
        entries.get(at)
    }

    /// The rule set with this short name.
    pub fn rule_set(&self, short: RuleSetShortId) -> Option<&RuleSetEntry> {
        let entries = &self.root.rule_sets;
        let at = entries.binary_search_by_key(&short, |e| e.short_id).ok()?;
        entries.get(at)
    }

    /// Whether a pass with this `h` was revoked.
    pub fn is_revoked(&self, h: RevocationHash) -> bool {
        self.revoked.binary_search(&h).is_ok()
    }

    /// The acceptance rule of a profile.
    pub fn profile(&self, name: &str) -> Option<&AcceptanceRule> {
        let profiles = &self.root.profiles;
        profiles.iter().find(|p| p.name == name).map(|p| &p.rule)
    }

    fn follow(
        bytes: &[u8],
        previous: Option<&TrustList>,
        pinned: &RootKeys,
    ) -> Result<Candidate, Error> {
        let bundle = Bundle::from_bytes(bytes)?;
        let root = match previous {
            Some(list) => follow_roots(&bundle.roots, &list.root)?,
            None => start_roots(&bundle.roots, pinned)?,
        };
        let online = bundle.online.document();
        if online.root_sequence != root.sequence {
            return Err(Error::RootMismatch {
                online: online.root_sequence.get(),
                root: root.sequence.get(),
            });
        }
        bundle.online.check(root)?;
        if let Some(list) = previous {
            check_online_follows(online, list.online(), root)?;
        }
        let circuits = root
            .circuits
            .iter()
            .map(|c| PreparedCircuit::new(c.circuit_use, &c.matrix_digest, &c.key))
            .map(|circuit| (circuit.id().short(), circuit))
            .collect();
        let mut missing = Vec::new();
        let mut batches = BTreeMap::new();
        for entry in &online.batches {
            match previous.and_then(|list| list.batches.get(&entry.digest)) {
                Some(hashes) => {
                    batches.insert(entry.digest, Arc::clone(hashes));
                }
                None => missing.push(*entry),
            }
        }
        let list = Self {
            bytes: bytes.to_vec(),
            root: root.clone(),
            online: bundle.online,
            circuits,
            batches,
            revoked: Vec::new(),
        };
        Ok(Candidate { list, missing })
    }
}

/// Follows the chain from a root document that is believed.
fn follow_roots<'a>(
    roots: &'a [SignedRoot],
    known: &'a RootDocument,
) -> Result<&'a RootDocument, Error> {
    let mut current = known;
    for signed in roots {
        let offered = signed.document();
        if offered.sequence < known.sequence {
            continue; // history, which others may still need
        }
        if offered.sequence == known.sequence {
            if offered != known {
                return Err(Error::Forked(known.sequence.get()));
            }
            continue;
        }
        signed.check(&current.root_keys, Strangers::Refused)?;
        current = offered;
    }
    let newest = roots.last().map_or(known, SignedRoot::document);
    if newest.sequence < known.sequence {
        return Err(Error::SequenceFell {
            offered: newest.sequence.get(),
            known: known.sequence.get(),
        });
    }
    Ok(current)
}

/// Follows the chain from the first root document that the pinned keys signed.
fn start_roots<'a>(roots: &'a [SignedRoot], pinned: &RootKeys) -> Result<&'a RootDocument, Error> {
    let mut refused = Error::TrustContent("1 to 16 root documents");
    for (i, signed) in roots.iter().enumerate() {
        match signed.check(pinned, Strangers::Ignored) {
            Ok(()) => return follow_roots(&roots[i..], signed.document()),
            Err(error) => refused = error,
        }
    }
    Err(refused)
}

fn check_online_follows(
    offered: &OnlineDocument,
    known: &OnlineDocument,
    root: &RootDocument,
) -> Result<(), Error> {
    if offered.sequence < known.sequence {
        return Err(Error::SequenceFell {
            offered: offered.sequence.get(),
            known: known.sequence.get(),
        });
    }
    if offered.sequence == known.sequence && offered != known {
        return Err(Error::Forked(known.sequence.get()));
    }
    for entry in &known.registries {
        let same_epoch = offered.registries.iter().find(|e| e.epoch == entry.epoch);
        if same_epoch.is_some_and(|e| e != entry) {
            return Err(Error::EpochRewritten(entry.epoch));
        }
    }
    for entry in &known.batches {
        let counts = root.counts_batch(entry.at, offered.issued_at.minute());
        if counts && !offered.batches.contains(entry) {
            return Err(Error::RevocationsDropped(entry.at));
        }
    }
    Ok(())
}
