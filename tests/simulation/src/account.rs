//! What was promised, so that it can be asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::people::{Device, Held, Stated};

/// An event that a node has acknowledged.
#[derive(Clone)]
pub(crate) struct Promised {
    /// Where it was handed in.
    pub(crate) at: u8,
    /// Where the person lives.
    pub(crate) home: u8,
    pub(crate) stated: Stated,
}

/// All that was acknowledged, and what was done.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) accepted: Vec<Promised>,
    pub(crate) forwarded: Vec<Promised>,
    pub(crate) bound: BTreeSet<Device>,
    pub(crate) held: Vec<Held>,
    /// Passes whose revocation was acknowledged.
    pub(crate) revoked: Vec<Held>,
    /// Bundles that gates had, each with its number.
    pub(crate) old_bundles: Vec<(u64, Vec<u8>)>,
    pub(crate) counts: BTreeMap<&'static str, u64>,
}

impl Account {
    pub(crate) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// A province is put back to an older copy of itself: what it had promised since is gone with it, and is asked of it no
    /// more.
    pub(crate) fn forget(&mut self, home: u8) {
        self.accepted.retain(|p| p.at != home);
        self.forwarded.retain(|p| p.at != home && p.home != home);
        self.held.retain(|held| held.device.home != home);
        self.revoked.retain(|held| held.device.home != home);
        self.bound.retain(|device| device.home != home);
    }
}
