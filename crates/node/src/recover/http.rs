//! A mirror, or the log itself, read by plain HTTP. What is read is held against signatures, so that the way to it need not
//! be trusted.

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use ledger::log::{
    BUNDLE_LEN, ENTRY_LEN_MAX_BYTES, MAX_CHECKPOINT_LEN_BYTES, SignedCheckpoint, TilePath,
    read_bundle,
};
use tokio::net::TcpStream;

use super::ask::ANSWER_TIME;

/// Longest bundle.
const MAX_BUNDLE_LEN_BYTES: usize = BUNDLE_LEN as usize * (ENTRY_LEN_MAX_BYTES + 2);

/// A log at `http://host[:port][/prefix]`.
pub(super) struct HttpMirror {
    host: String,
    port: u16,
    prefix: String,
}

impl HttpMirror {
    pub(super) fn new(address: &str) -> Result<Self, String> {
        let wrong = || "http://HOST[:PORT][/PREFIX] is needed".to_owned();
        let uri: Uri = address.parse().map_err(|_| wrong())?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            host: uri.host().ok_or_else(wrong)?.to_owned(),
            port: uri.port_u16().unwrap_or(80),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    async fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, String> {
        let answer = tokio::time::timeout(ANSWER_TIME, self.read(path, limit_bytes)).await;
        let late = || format!("no answer in {} s", ANSWER_TIME.as_secs());
        let answer = answer.unwrap_or_else(|_| Err(late()));
        answer.map_err(|what| format!("{path}: {what}"))
    }

    async fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, String> {
        let text = |error: hyper::Error| error.to_string();
        // A literal IPv6 address stands in brackets in a URL and without them in a socket's.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let connection = tokio::spawn(connection);
        let request = Request::get(format!("{}/{path}", self.prefix))
            .header(HOST, format!("{}:{}", self.host, self.port))
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(text)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("answered {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), limit_bytes)
            .collect()
            .await;
        connection.abort();
        let body = body.map_err(|_| format!("more than {limit_bytes} bytes, or cut short"))?;
        Ok(body.to_bytes().to_vec())
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
