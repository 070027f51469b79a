//! The trust list of a node: fetched with its batches of revocations, and followed from the one in use.

use std::collections::BTreeMap;
use std::sync::Arc;

use plain_http::Origin;
use verifier::trust::{BatchDigest, MAX_BUNDLE_LEN_BYTES, RootKeys};
use verifier::{TrustList, UnixTime};

use super::mirror::get;
use super::problem::Problem;

/// Longest batch, with room.
const MAX_BATCH_LEN_BYTES: usize = 32 * 1024;

/// A trust list that was verified, and when.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) list: Arc<TrustList>,
    /// The batches that it names, as they are handed on.
    pub(super) batches: BTreeMap<BatchDigest, Arc<[u8]>>,
    pub(super) at: UnixTime,
}

/// The list that a node serves, as bytes.
pub(super) async fn fetch(origin: &Origin) -> Result<Vec<u8>, Problem> {
    get(origin, "trust/v1/list", MAX_BUNDLE_LEN_BYTES).await
}

/// Judges a list, and has the batches fetched that it needs.
pub(super) async fn take(
    bytes: &[u8],
    origin: &Origin,
    held: Option<&Held>,
    pinned: &RootKeys,
    now: UnixTime,
) -> Result<Held, Problem> {
    let previous = held.map(|held| &*held.list);
    let considered = TrustList::consider(bytes, previous, pinned, now);
    let mut candidate = considered.map_err(|error| Problem::from(&error))?;
    let mut batches = BTreeMap::new();
    for entry in &candidate.online().batches {
        let known = held.and_then(|held| held.batches.get(&entry.digest));
        if let Some(known) = known {
            batches.insert(entry.digest, Arc::clone(known));
        }
    }
    for entry in candidate.missing().to_vec() {
        let path = format!("trust/v1/batch/{}", hex::encode(entry.digest.0));
        let batch = get(origin, &path, MAX_BATCH_LEN_BYTES).await?;
        let supplied = candidate.supply(&batch);
        supplied.map_err(|error| Problem::from(&error))?;
        batches.insert(entry.digest, batch.into());
    }
    let list = candidate.complete();
    Ok(Held {
        list: Arc::new(list.map_err(|error| Problem::from(&error))?),
        batches,
        at: now,
    })
}
