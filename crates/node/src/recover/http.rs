//! A mirror, or the log itself, read by plain HTTP. What is read is held against signatures, so that the way to it need not
//! be trusted.

use ledger::log::{
    BUNDLE_LEN, ENTRY_BUNDLE_LEN_MAX_BYTES, MAX_CHECKPOINT_LEN_BYTES, SignedCheckpoint, TilePath,
    read_bundle,
};
use plain_http::{FetchError, Origin};
use tokio::time::Instant;

use super::passed::{Patience, Spent, WhyNot};
use super::read::Failed;

/// A log at `http://host[:port][/prefix]`.
pub(super) struct HttpMirror {
    origin: Origin,
    patience: Patience,
}

impl HttpMirror {
    pub(super) fn new(address: &str, patience: Patience) -> Result<Self, String> {
        let origin = Origin::new(address).map_err(|e| e.to_string())?;
        Ok(Self { origin, patience })
    }

    async fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Failed> {
        let answer = self.origin.get(path, limit_bytes, self.patience.answer);
        let answer = answer.await.map_err(|error| Failed {
            why: match error {
                FetchError::Late(_) | FetchError::Unreachable(_) => WhyNot::Silent,
                _ => WhyNot::OtherEntries,
            },
            what: format!("{path}: {error}"),
        })?;
        answer.ok_or_else(|| Failed::wrong(&format!("{path}: nothing is there")))
    }

    pub(super) async fn checkpoint(&self) -> Result<SignedCheckpoint, String> {
        let bytes = self.get("checkpoint", MAX_CHECKPOINT_LEN_BYTES).await;
        let bytes = bytes.map_err(|failed| failed.what)?;
        SignedCheckpoint::from_bytes(&bytes).map_err(|error| error.to_string())
    }

    /// The entries from `first` to `size`, at most `limit_bytes` of them, at no less than the least rate.
    pub(super) async fn entries(
        &self,
        first: u64,
        size: u64,
        limit_bytes: usize,
    ) -> Result<Vec<Vec<u8>>, Failed> {
        let bundle_len = u64::from(BUNDLE_LEN);
        let (mut entries, mut len_bytes) = (Vec::new(), 0);
        let (mut at, mut spent) = (first, Spent::default());
        while at < size {
            let index = at / bundle_len;
            let width = (size - index * bundle_len).min(bundle_len);
            let path = TilePath {
                level: None,
                index,
                width: u16::try_from(width).map_err(|_| Failed::wrong(&"a width"))?,
            };
            let since = Instant::now();
            let bytes = self
                .get(&path.to_string(), ENTRY_BUNDLE_LEN_MAX_BYTES)
                .await?;
            spent.add(since, bytes.len());
            if spent.is_slow(&self.patience) {
                return Err(Failed {
                    why: WhyNot::Slow,
                    what: format!("{path}: too slow"),
                });
            }
            let read = read_bundle(&bytes).map_err(|error| Failed::wrong(&error))?;
            if read.len() as u64 != width {
                let what = format!("{path}: {} entries", read.len());
                return Err(Failed::wrong(&what));
            }
            let skip = usize::try_from(at % bundle_len).map_err(|_| Failed::wrong(&"a place"))?;
            len_bytes += bytes.len();
            if len_bytes > limit_bytes {
                let what = format!("more than {limit_bytes} bytes of entries");
                return Err(Failed::wrong(&what));
            }
            entries.extend(read.into_iter().skip(skip).map(<[u8]>::to_vec));
            at = index * bundle_len + width;
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_addresses_are_taken() {
        let made = |address| HttpMirror::new(address, Patience::default());
        assert!(made("http://mirror.example:7450/mirror/3/").is_ok());
        assert!(made("http://[::1]:7450").is_ok());
        for bad in [
            "https://mirror.example",
            "http://",
            "http://a/?b=c",
            "mirror",
            "",
        ] {
            assert!(made(bad).is_err(), "{bad}");
        }
    }
}
