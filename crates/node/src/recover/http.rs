//! A mirror, or the log itself, read by plain HTTP. What is read is held against signatures, so that the way to it need not
//! be trusted.

use ledger::log::{
    BUNDLE_LEN, ENTRY_LEN_MAX_BYTES, MAX_CHECKPOINT_LEN_BYTES, SignedCheckpoint, TilePath,
    read_bundle,
};
use plain_http::Origin;

use super::ask::ANSWER_TIME;

/// Longest bundle.
const MAX_BUNDLE_LEN_BYTES: usize = BUNDLE_LEN as usize * (ENTRY_LEN_MAX_BYTES + 2);

/// A log at `http://host[:port][/prefix]`.
pub(super) struct HttpMirror(Origin);

impl HttpMirror {
    pub(super) fn new(address: &str) -> Result<Self, String> {
        Origin::new(address).map(Self).map_err(|e| e.to_string())
    }

    async fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, String> {
        let answer = self.0.get(path, limit_bytes, ANSWER_TIME).await;
        let answer = answer.map_err(|error| format!("{path}: {error}"))?;
        answer.ok_or_else(|| format!("{path}: nothing is there"))
    }

    pub(super) async fn checkpoint(&self) -> Result<SignedCheckpoint, String> {
        let bytes = self.get("checkpoint", MAX_CHECKPOINT_LEN_BYTES).await?;
        SignedCheckpoint::from_bytes(&bytes).map_err(|error| error.to_string())
    }

    /// The entries from `first` to `size`, at most `limit_bytes` of them.
    pub(super) async fn entries(
        &self,
        first: u64,
        size: u64,
        limit_bytes: usize,
    ) -> Result<Vec<Vec<u8>>, String> {
        let bundle_len = u64::from(BUNDLE_LEN);
        let (mut entries, mut len_bytes) = (Vec::new(), 0);
        let mut at = first;
        while at < size {
            let index = at / bundle_len;
            let width = (size - index * bundle_len).min(bundle_len);
            let path = TilePath {
                level: None,
                index,
                width: u16::try_from(width).map_err(|_| "a width".to_owned())?,
            };
            let bytes = self.get(&path.to_string(), MAX_BUNDLE_LEN_BYTES).await?;
            let read = read_bundle(&bytes).map_err(|error| error.to_string())?;
            if read.len() as u64 != width {
                return Err(format!("{path}: {} entries", read.len()));
            }
            let skip = usize::try_from(at % bundle_len).map_err(|_| "a place".to_owned())?;
            len_bytes += bytes.len();
            if len_bytes > limit_bytes {
                return Err(format!("more than {limit_bytes} bytes of entries"));
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
        assert!(HttpMirror::new("http://mirror.example:7450/mirror/3/").is_ok());
        assert!(HttpMirror::new("http://[::1]:7450").is_ok());
        for bad in [
            "https://mirror.example",
            "http://",
            "http://a/?b=c",
            "mirror",
            "",
        ] {
            assert!(HttpMirror::new(bad).is_err(), "{bad}");
        }
    }
}
