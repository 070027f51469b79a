//! The node's transparency log, the node as a witness of other logs, and what anybody may read of both.

mod book;
mod forked;
mod gather;
mod http;
mod mirror;
mod told_keys;
mod witness;

pub(crate) use book::{CHECKPOINT_KEY, LogBook, LogNames, stored_keys};
pub(crate) use forked::{mark_forked, put_evidence};
pub(crate) use gather::keep_witnessed;
pub(crate) use http::listen_public;
pub(crate) use mirror::{HeldLog, Mirrors};
