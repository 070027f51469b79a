//! The trust list of a node: fetched with its batches of revocations, and followed from the one in use.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use plain_http::Origin;
use verifier::trust::{
    BATCH_LEN_BYTES, BatchDigest, MAX_BATCHES, MAX_BUNDLE_LEN_BYTES, OnlineDocument, RootKeys,
};
use verifier::{TrustList, UnixTime};

use crate::mirror::get;
use crate::problem::Problem;

/// A trust list that was verified, and when.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) list: Arc<TrustList>,
    /// The batches that it names, as they are handed on.
    pub(crate) batches: Batches,
    pub(crate) at: UnixTime,
}

/// Batches of revocations by their digests.
pub(crate) type Batches = BTreeMap<BatchDigest, Arc<[u8]>>;

/// Batches that were fetched, whoever gave them: each is what its digest says. What a node gave before its time was over is not
/// fetched again.
#[derive(Default)]
pub(crate) struct Fetched(Mutex<Batches>);

impl Fetched {
    fn with<T>(&self, what: impl FnOnce(&mut Batches) -> T) -> T {
        what(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn get(&self, digest: &BatchDigest) -> Option<Arc<[u8]>> {
        self.with(|batches| batches.get(digest).cloned())
    }

    /// Forgets all of it once it is more than two lists can name; a list in use has its own.
    pub(crate) fn bound(&self) {
        self.with(|batches| {
            if batches.len() > 2 * MAX_BATCHES {
                batches.clear();
            }
        });
    }
}

/// What a list is judged by.
#[derive(Clone)]
pub(crate) struct Judging {
    /// The list in use.
    pub(crate) held: Option<Held>,
    pub(crate) pinned: RootKeys,
    pub(crate) now: UnixTime,
}

/// The list that a node serves, with the batches that it names. `part` is the node's place among how many: all are asked side by
/// side, each begins elsewhere among the batches, and does not fetch what another gave.
pub(crate) async fn fetch(
    origin: &Origin,
    by: &Judging,
    fetched: &Fetched,
    part: (usize, usize),
) -> Result<Held, Problem> {
    let bytes = get(origin, "trust/v1/list", MAX_BUNDLE_LEN_BYTES).await?;
    let previous = by.held.as_ref().map(|held| &*held.list);
    let considered = TrustList::consider(&bytes, previous, &by.pinned, by.now);
    let mut candidate = considered.map_err(|error| Problem::from(&error))?;
    let mut missing = candidate.missing().to_vec();
    let (place, of) = part;
    let begin = missing.len() * place / of.max(1);
    missing.rotate_left(begin);
    for entry in missing {
        let batch = if let Some(known) = fetched.get(&entry.digest) {
            known
        } else {
            let path = format!("trust/v1/batch/{}", hex::encode(entry.digest.0));
            get(origin, &path, BATCH_LEN_BYTES).await?.into()
        };
        let supplied = candidate.supply(&batch);
        supplied.map_err(|error| Problem::from(&error))?;
        fetched.with(|batches| batches.insert(entry.digest, batch));
    }
    let batches = named(candidate.online(), by.held.as_ref(), fetched);
    let list = candidate.complete();
    Ok(Held {
        list: Arc::new(list.map_err(|error| Problem::from(&error))?),
        batches,
        at: by.now,
    })
}

/// The batches that a document names, of those in hand.
fn named(online: &OnlineDocument, held: Option<&Held>, fetched: &Fetched) -> Batches {
    let digests = online.batches.iter().map(|entry| entry.digest);
    let found = digests.filter_map(|digest| {
        let known = held.and_then(|held| held.batches.get(&digest).cloned());
        Some((digest, known.or_else(|| fetched.get(&digest))?))
    });
    found.collect()
}

impl Held {
    /// Whether this list may follow another that was verified as well.
    pub(crate) fn follows(&self, other: &Self, pinned: &RootKeys) -> Result<(), Problem> {
        let bytes = self.list.to_bytes();
        if bytes == other.list.to_bytes() {
            return Ok(());
        }
        let considered = TrustList::consider(bytes, Some(&other.list), pinned, self.at);
        considered.map(drop).map_err(|error| Problem::from(&error))
    }
}
