//! The trust list by plain HTTP: nothing here is secret, and nothing is believed because of the channel.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH};
use hyper::{Request, Response, StatusCode};
use verifier::trust::{BatchDigest, InHand, Increment};

use crate::Node;

/// The list as a whole; its tag is its two numbers.
const LIST: &str = "/trust/v1/list";
/// Followed by root sequence, online sequence, newest epoch and minute of the newest batch in hand, each behind a slash.
const INCREMENT: &str = "/trust/v1/increment/";
/// Followed by the digest, 64 hexadecimal digits. What is under it never changes.
const BATCH: &str = "/trust/v1/batch/";

/// Whether a path is one of these.
pub(crate) fn is_trust_path(path: &str) -> bool {
    path.starts_with("/trust/v1/")
}

/// Answers a GET below `/trust/v1/`: the list, an increment, or a batch of revocations, in their canonical bytes. It may read
/// the store. Where there is no increment the answer is 404 and the whole list serves.
pub(crate) fn trust_list<B>(node: &Node, request: &Request<B>) -> Response<Full<Bytes>> {
    let path = request.uri().path();
    let found = if path == LIST {
        list(node, request)
    } else if let Some(rest) = path.strip_prefix(INCREMENT) {
        increment(node, rest)
    } else if let Some(digits) = path.strip_prefix(BATCH) {
        batch(node, digits)
    } else {
        None
    };
    found.unwrap_or_else(|| answer(StatusCode::NOT_FOUND, Vec::new(), "no-store"))
}

fn list<B>(node: &Node, request: &Request<B>) -> Option<Response<Full<Bytes>>> {
    let list = node.trust_list()?;
    let in_hand = InHand::of(&list);
    let tag = format!("\"{}.{}\"", in_hand.root_sequence, in_hand.online_sequence);
    let tag = HeaderValue::from_str(&tag).ok()?;
    let is_known = request.headers().get(IF_NONE_MATCH) == Some(&tag);
    let mut found = if is_known {
        answer(StatusCode::NOT_MODIFIED, Vec::new(), "no-cache")
    } else {
        answer(StatusCode::OK, list.to_bytes().to_vec(), "no-cache")
    };
    found.headers_mut().insert(ETAG, tag);
    Some(found)
}

fn increment(node: &Node, rest: &str) -> Option<Response<Full<Bytes>>> {
    let mut numbers = rest.splitn(4, '/');
    let mut next = || numbers.next();
    let in_hand = InHand {
        root_sequence: next()?.parse().ok()?,
        online_sequence: next()?.parse().ok()?,
        epoch: next()?.parse().ok()?,
        batch_minute: next()?.parse().ok()?,
    };
    let increment = Increment::of(&*node.trust_list()?, &in_hand).ok()??;
    Some(answer(StatusCode::OK, increment.to_bytes(), "no-cache"))
}

fn batch(node: &Node, digits: &str) -> Option<Response<Full<Bytes>>> {
    let mut digest = [0; 32];
    hex::decode_to_slice(digits, &mut digest).ok()?;
    let batch = node.batch(BatchDigest(digest)).ok()?;
    let kept = "public, max-age=1209600, immutable";
    Some(answer(StatusCode::OK, batch, kept))
}

fn answer(status: StatusCode, body: Vec<u8>, caching: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    let kind = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    answer
}
