//! What anybody may read, by plain HTTP: of the log checkpoint, tiles and entries (c2sp.org/tlog-tiles), its policy, the
//! commitments of its batches, the same of the logs of others as far as this node holds them, and the evidence kept against other logs; the trust list; and the counts that are published.

use std::sync::Arc;

use commitment::{Minute, Slot};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::{Request, Response, StatusCode};
use ledger::log::{LogHash, TilePath};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::counts::{counts_json, is_counts_path};
use crate::plain_http::{self, of_type};
use crate::trust_http::{is_trust_path, trust_list};
use crate::{Node, NodeError};

/// Connections at once; a cache stands before a log that is read by many.
const MAX_CONNECTIONS: usize = 64;
/// Reads of the store at once.
const MAX_READS: usize = 4;
/// What never changes may be kept.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What the path of a batch of commitments begins with.
const COMMITMENTS: &str = "/commitments/";
/// What the paths of another slot's log begin with.
const MIRROR: &str = "/mirror/";
const TEXT: &str = "text/plain; charset=utf-8";

/// What is asked for.
#[derive(Clone, PartialEq, Eq)]
enum Wanted {
    Checkpoint,
    Tile(TilePath),
    Policy,
    Keys,
    /// The commitments of a batch, by when it was made and its root.
    Commitments(Minute, LogHash),
    Evidence,
    /// The checkpoint up to which another slot's log is held.
    MirrorCheckpoint(Slot),
    /// A tile or bundle of it.
    MirrorTile(Slot, TilePath),
    /// With the path.
    Counts(String),
}

impl Wanted {
    fn of(path: &str) -> Option<Self> {
        match path {
            "/checkpoint" => Some(Self::Checkpoint),
            "/policy" => Some(Self::Policy),
            "/evidence" => Some(Self::Evidence),
            "/keys" => Some(Self::Keys),
            path if path.starts_with(COMMITMENTS) => batch_of(&path[COMMITMENTS.len()..]),
            path if path.starts_with(MIRROR) => mirror_of(&path[MIRROR.len()..]),
            path if is_counts_path(path) => Some(Self::Counts(path.to_owned())),
            path => TilePath::parse(path.strip_prefix('/')?)
                .ok()
                .map(Self::Tile),
        }
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Checkpoint | Self::Policy | Self::MirrorCheckpoint(_) => TEXT,
            Self::Tile(_) | Self::MirrorTile(..) | Self::Keys | Self::Commitments(..) => {
                "application/octet-stream"
            }
            Self::Evidence | Self::Counts(_) => "application/json",
        }
    }
}

/// `<minute>/<root, 64 hexadecimal digits>`, in the one way to write it.
fn batch_of(path: &str) -> Option<Wanted> {
    let (minute, root) = path.split_once('/')?;
    let at = Minute::new(minute.parse().ok()?).ok()?;
    let root = LogHash(crate::config::parse_digits(root)?);
    let is_plain = path == format!("{}/{}", at.get(), hex::encode(root.0));
    is_plain.then_some(Wanted::Commitments(at, root))
}

/// `<slot>/checkpoint` or `<slot>/tile/…`, in the one way to write it.
fn mirror_of(path: &str) -> Option<Wanted> {
    let (slot, rest) = path.split_once('/')?;
    let number: u8 = slot.parse().ok()?;
    let of = Slot::new(number).filter(|_| number.to_string() == slot)?;
    match rest {
        "checkpoint" => Some(Wanted::MirrorCheckpoint(of)),
        rest => TilePath::parse(rest)
            .ok()
            .map(|tile| Wanted::MirrorTile(of, tile)),
    }
}

/// Answers until it is dropped.
pub(crate) async fn listen_public(listener: TcpListener, node: Arc<Node>) {
    let room = Arc::new(Semaphore::new(MAX_READS));
    let answer = move |request: Request<Incoming>| {
        let (node, room) = (Arc::clone(&node), Arc::clone(&room));
        async move { answer(&request, node, &room).await }
    };
    plain_http::serve(listener, "the log's listener", MAX_CONNECTIONS, answer).await;
}

async fn answer(
    request: &Request<Incoming>,
    node: Arc<Node>,
    room: &Semaphore,
) -> Response<Full<Bytes>> {
    if let Some(refused) = plain_http::only_get(request) {
        return refused;
    }
    let wanted = Wanted::of(request.uri().path());
    let asks_for_list = is_trust_path(request.uri().path());
    if wanted.is_none() && !asks_for_list {
        let paths = "/checkpoint, /tile/<L>/<N>[.p/<W>], /tile/entries/<N>[.p/<W>], /policy, /evidence, \
                     /keys, /commitments/<minute>/<root>, /trust/v1/list, /trust/v1/increment/…, /trust/v1/batch/<digest>, \
                     /mirror/<slot>/checkpoint, /mirror/<slot>/tile/…, /counts/v1/days, /counts/v1/days/<day>, /counts/v1/rule-sets\n";
        return of_type(StatusCode::NOT_FOUND, TEXT, paths);
    }
    let Ok(_permit) = room.acquire().await else {
        return of_type(StatusCode::SERVICE_UNAVAILABLE, TEXT, "closed\n");
    };
    let Some(wanted) = wanted else {
        let mut asked = Request::new(());
        asked.uri_mut().clone_from(request.uri());
        asked.headers_mut().clone_from(request.headers());
        let answered = tokio::task::spawn_blocking(move || trust_list(&node, &asked)).await;
        return answered.unwrap_or_else(|_| {
            of_type(
                StatusCode::INTERNAL_SERVER_ERROR,
                TEXT,
                "the list could not be read\n",
            )
        });
    };
    let is_fixed = matches!(
        wanted,
        Wanted::Tile(_) | Wanted::MirrorTile(..) | Wanted::Commitments(..)
    );
    let kind = wanted.kind();
    let read = tokio::task::spawn_blocking(move || read(&node, &wanted)).await;
    match read {
        Ok(Ok(Some(bytes))) => {
            let mut answer = of_type(StatusCode::OK, kind, bytes);
            if is_fixed {
                answer
                    .headers_mut()
                    .insert(hyper::header::CACHE_CONTROL, FOREVER);
            }
            answer
        }
        Ok(Ok(None)) => of_type(StatusCode::NOT_FOUND, TEXT, "there is none\n"),
        _ => of_type(
            StatusCode::INTERNAL_SERVER_ERROR,
            TEXT,
            "the log could not be read\n",
        ),
    }
}

impl Node {
    /// What the log's listener serves under a path, such as `/checkpoint`; none where there is none.
    ///
    /// # Errors
    /// [`NodeError::Store`].
    pub fn log_file(&self, path: &str) -> Result<Option<Vec<u8>>, NodeError> {
        Wanted::of(path).map_or(Ok(None), |wanted| read(self, &wanted))
    }
}

fn read(node: &Node, wanted: &Wanted) -> Result<Option<Vec<u8>>, NodeError> {
    Ok(match wanted {
        Wanted::Checkpoint => node.checkpoint().map(|c| c.to_bytes().to_vec()),
        Wanted::Tile(path) => node.log_tile(*path)?,
        Wanted::MirrorCheckpoint(slot) => {
            let checkpoint = node.mirrored_checkpoint(*slot)?;
            checkpoint.map(|checkpoint| checkpoint.to_bytes().to_vec())
        }
        Wanted::MirrorTile(slot, path) => node.mirrored_tile(*slot, *path)?,
        Wanted::Policy => node.log_policy()?.map(String::into_bytes),
        Wanted::Keys => Some(node.known_log_keys()?),
        Wanted::Commitments(at, root) => node.commitments_of(*at, *root)?,
        Wanted::Evidence => Some(format!("{}\n", evidence(node)?).into_bytes()),
        Wanted::Counts(path) => {
            counts_json(node, path)?.map(|json| format!("{json}\n").into_bytes())
        }
    })
}

/// The evidence as JSON: of each the log's keys, both notes, the proof, and whether they are shown to contradict each other.
fn evidence(node: &Node) -> Result<serde_json::Value, NodeError> {
    let kept = node.evidence()?;
    let told = kept.iter().map(|(evidence, keys)| {
        json!({
            "origin": evidence.first.origin(),
            "log_keys": keys.iter().map(ledger::log::NoteKey::to_vkey).collect::<Vec<_>>(),
            "first": String::from_utf8_lossy(evidence.first.to_bytes()),
            "second": String::from_utf8_lossy(evidence.second.to_bytes()),
            "proof": evidence.proof.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "prefix_root": evidence.prefix_root.to_string(),
            "contradiction": evidence.check(keys).is_ok(),
        })
    });
    Ok(json!({ "evidence": told.collect::<Vec<_>>() }))
}
