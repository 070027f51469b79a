//! The trust list by plain HTTP: from a node's listener of its log, or from any cache or mirror of it. Nothing there is secret, and
//! nothing is believed because of the channel.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use verifier::TrustList;
use verifier::trust::{BatchEntry, InHand, MAX_BUNDLE_LEN_BYTES};

use super::{Reader, Said};
use crate::Error;

/// Longest answer; a batch of revocations is shorter than a bundle.
const MAX_ANSWER_LEN_BYTES: usize = MAX_BUNDLE_LEN_BYTES;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// For a whole answer, so that one that trickles takes no longer than one that is slow.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Whether `url` is what a mirror's can be: `http://host[:port]`, perhaps with a path.
///
/// # Errors
/// [`Error::Config`].
pub(crate) fn check_url(url: &str) -> Result<(), Error> {
    MirrorReader::new(url).map(drop)
}

/// A reader of one mirror: a connection for each request, no redirect is followed.
pub(super) struct MirrorReader {
    /// As it stands in the URL.
    authority: String,
    host: String,
    port: u16,
    /// What stands before `/trust/v1/`.
    path: String,
}

impl MirrorReader {
    pub(super) fn new(url: &str) -> Result<Self, Error> {
        let wrong = |why: &str| Error::Config(format!("mirror.url {url:?}: {why}"));
        let uri: Uri = url.parse().map_err(|_| wrong("not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong(
                "must begin with http://; what is read is believed for its signatures",
            ));
        }
        if uri.query().is_some() {
            return Err(wrong("has a query"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("names a user; nothing there is secret"));
        }
        let (host, port) = (authority.host(), authority.port_u16());
        if port.is_none() && authority.as_str() != host {
            return Err(wrong("has a port that is none"));
        }
        Ok(Self {
            authority: authority.as_str().to_owned(),
            // An IPv6 address stands in brackets in a URL, and without them where it is connected to.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(80),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What is under a path; none if nothing is.
    async fn get(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let answer = tokio::time::timeout(ANSWER_WITHIN, self.get_slowly(path)).await;
        answer.unwrap_or_else(|_| Err(format!("no answer within {} s", ANSWER_WITHIN.as_secs())))
    }

    async fn get_slowly(&self, path: &str) -> Result<Option<Vec<u8>>, String> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = tokio::time::timeout(CONNECT_WITHIN, connecting).await;
        let stream = stream
            .map_err(|_| "no connection within 5 s".to_owned())?
            .map_err(|error| error.to_string())?;
        let failed = |error: hyper::Error| error.to_string();
        let made = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = made.map_err(failed)?;
        // It ends with the answer, or is dropped with this call.
        let mut connections = tokio::task::JoinSet::new();
        connections.spawn(connection);
        let request = Request::get(format!("{}/trust/v1/{path}", self.path))
            .header(hyper::header::HOST, self.authority.as_str())
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(failed)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(format!("HTTP {status}")),
        }
        let body = Limited::new(answer.into_body(), MAX_ANSWER_LEN_BYTES);
        let body = body.collect().await.map_err(|error| error.to_string())?;
        Ok(Some(body.to_bytes().to_vec()))
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
