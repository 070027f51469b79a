//! The trust list by plain HTTP: from a node's listener of its log, or from any cache or mirror of it. Nothing there is secret, and
//! nothing is believed because of the channel.

use std::time::Duration;

use plain_http::Origin;
use verifier::TrustList;
use verifier::trust::{BatchEntry, InHand, MAX_BUNDLE_LEN_BYTES};

use super::{Reader, Said};
use crate::Error;

/// Longest answer; a batch of revocations is shorter than a bundle.
const MAX_ANSWER_LEN_BYTES: usize = MAX_BUNDLE_LEN_BYTES;
/// For a whole answer, so that one that trickles takes no longer than one that is slow.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Whether `url` is what a mirror's can be: `http://host[:port]`, perhaps with a path.
///
/// # Errors
/// [`Error::Config`].
pub(crate) fn check_url(url: &str) -> Result<(), Error> {
    MirrorReader::new(url).map(drop)
}

/// A reader of one mirror.
pub(super) struct MirrorReader(Origin);

impl MirrorReader {
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        Origin::new(url)
            .map(Self)
            .map_err(|why| Error::Config(format!("mirror.url {url:?}: {why}")))
    }

    /// What is under a path; none if nothing is.
    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let path = format!("trust/v1/{path}");
        let answer = self.0.get(&path, MAX_ANSWER_LEN_BYTES, ANSWER_WITHIN).await;
        answer.map_err(|error| error.to_string())
    }
}

impl Reader for MirrorReader {
    async fn list(&mut self, in_hand: Option<&TrustList>) -> Result<Said, String> {
        if let Some(list) = in_hand {
            let InHand {
                root_sequence,
                online_sequence,
                epoch,
                batch_minute,
            } = InHand::of(list);
            let path =
                format!("increment/{root_sequence}/{online_sequence}/{epoch}/{batch_minute}");
            if let Some(increment) = self.get(&path).await? {
                return Ok(Said {
                    increment,
                    ..Said::default()
                });
            }
        }
        let bundle = self.get("list").await?;
        let bundle = bundle.ok_or("no trust list there")?;
        // The same again is nothing new.
        let is_new = in_hand.is_none_or(|list| list.to_bytes() != bundle);
        Ok(Said {
            bundle: if is_new { bundle } else { Vec::new() },
            ..Said::default()
        })
    }

    async fn batch(&mut self, entry: &BatchEntry) -> Result<Vec<u8>, String> {
        let path = format!("batch/{}", hex::encode(entry.digest.0));
        Ok(self.get(&path).await?.ok_or("no such batch there")?)
    }
}
