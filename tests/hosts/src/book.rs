//! What was seen of everybody, and whether it is what must be, whatever happens.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use wire::PublishedRegistry;

use crate::host::Place;

/// What somebody said of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// The last epoch closed; a gate closes none.
    pub(crate) closed: u32,
    /// The newest epoch with a registry.
    pub(crate) registry: u32,
    /// Number of the root document.
    pub(crate) root: u64,
    /// Number of the online document; 0 for none.
    pub(crate) online: u64,
}

/// The registry of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    statement: [u8; 32],
    /// Heads in it, and those of them that are of its own epoch.
    pub(crate) heads: usize,
    pub(crate) fresh: usize,
}

/// When things were first seen, since the beginning.
#[derive(Default)]
pub struct Book {
    /// What everybody said last.
    pub(crate) last: BTreeMap<Place, Said>,
    /// When somebody had the registry of an epoch or a newer one.
    pub(crate) had: BTreeMap<(Place, u32), Duration>,
    /// The one registry of each epoch.
    pub(crate) registries: BTreeMap<u32, Seen>,
    heads: BTreeMap<(u32, u8), [u8; 32]>,
    /// What should never be.
    pub(crate) wrong: Vec<Wrong>,
    /// How often somebody was looked at.
    pub(crate) looks: u64,
}

/// Something that should never be.
#[derive(Clone, Debug, Serialize)]
pub struct Wrong {
    /// Seconds since the beginning.
    pub at_s: u64,
    /// What it is.
    pub what: String,
}

impl Book {
    pub(crate) fn fault(&mut self, at: Duration, what: impl Into<String>) {
        let at_s = at.as_secs();
        let what = what.into();
        self.wrong.push(Wrong { at_s, what });
    }

    /// Takes down what somebody said. Numbers never fall; only a node that believes a new root document has no online one for
    /// a moment.
    pub(crate) fn note(&mut self, at: Duration, place: Place, said: Said) {
        self.looks += 1;
        let before = self.last.get(&place).copied().unwrap_or_default();
        let online = said.online.max(before.online);
        for (what, before, now) in [
            ("root document", before.root, said.root),
            ("closed epoch", before.closed.into(), said.closed.into()),
            ("registry", before.registry.into(), said.registry.into()),
        ] {
            if now < before {
                self.fault(at, format!("{place}: {what} fell from {before} to {now}"));
            }
        }
        if said.online != 0 && said.online < before.online {
            let (before, now) = (before.online, said.online);
            self.fault(
                at,
                format!("{place}: trust list fell from {before} to {now}"),
            );
        }
        let first = if before.registry == 0 {
            said.registry
        } else {
            before.registry + 1
        };
        for epoch in first..=said.registry {
            self.had.insert((place, epoch), at);
        }
        self.last.insert(place, Said { online, ..said });
    }

    /// Takes down a registry that somebody has.
    pub(crate) fn note_registry(
        &mut self,
        at: Duration,
        place: Place,
        registry: &PublishedRegistry,
    ) {
        let statement = registry.cosigned.statement();
        let epoch = statement.epoch();
        let is_fresh = |head: &&ledger::SignedTreeHead| head.head.epoch == epoch;
        let seen = Seen {
            statement: statement.hash().0,
            heads: registry.heads.len(),
            fresh: registry.heads.iter().filter(is_fresh).count(),
        };
        let epoch = epoch.get();
        let known = self.registries.entry(epoch).or_insert_with(|| seen.clone());
        if *known != seen {
            self.fault(at, format!("{place}: a second registry of epoch {epoch}"));
        }
        for head in &registry.heads {
            let (of, slot) = (head.head.epoch.get(), head.head.slot.get());
            let hash = head.head.hash().0;
            if *self.heads.entry((of, slot)).or_insert(hash) != hash {
                self.fault(
                    at,
                    format!("{place}: a second head of slot {slot} in epoch {of}"),
                );
            }
        }
    }

    /// When the last of these had the registry of an epoch, or a newer one.
    pub(crate) fn all_had(&self, places: &[Place], epoch: u32) -> Option<Duration> {
        // Whoever is looked at late has a newer one at first.
        let first = |place: &Place| {
            let mut had = self.had.range((*place, epoch)..=(*place, u32::MAX));
            had.next().map(|(_, at)| *at)
        };
        let had = places.iter().map(first);
        had.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Whether everybody of these has the registry of an epoch at least.
    pub(crate) fn all_have(&self, places: &[Place], epoch: u32) -> bool {
        let has = |place| {
            self.last
                .get(place)
                .is_some_and(|said| said.registry >= epoch)
        };
        places.iter().all(has)
    }

    /// The newest epoch of which any of these has the registry.
    pub(crate) fn newest(&self, places: &[Place]) -> u32 {
        let said = places.iter().filter_map(|place| self.last.get(place));
        said.map(|said| said.registry).max().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(registry: u32, online: u64) -> Said {
        Said {
            registry,
            online,
            ..Said::default()
        }
    }

    #[test]
    fn what_falls_is_found_and_a_list_that_is_away_for_a_moment_is_not() {
        let (node, mut book) = (Place::Node(33), Book::default());
        let at = Duration::from_secs;
        book.note(at(1), node, said(5, 3));
        book.note(at(2), node, said(5, 0));
        book.note(at(3), node, said(7, 4));
        assert!(book.wrong.is_empty());
        assert_eq!(book.all_had(&[node], 6), Some(at(3)));
        assert_eq!(book.all_had(&[node], 1), Some(at(1)));
        assert_eq!(book.all_had(&[node], 8), None);
        assert!(book.all_have(&[node], 7) && !book.all_have(&[node], 8));
        book.note(at(4), node, said(6, 4));
        book.note(at(5), node, said(7, 3));
        let what: Vec<_> = book.wrong.iter().map(|wrong| wrong.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "node-33: registry fell from 7 to 6",
                "node-33: trust list fell from 4 to 3"
            ]
        );
    }
}
