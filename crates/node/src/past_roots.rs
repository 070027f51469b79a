//! Root documents that were in use before, by which what was signed then is judged by whoever missed it: who cosigned a registry
//! last week may have another head key by now, and other rule sets may have counted.

use commitment::layout::LayoutError;
use commitment::{Fr, fr_from_bytes, fr_to_bytes};
use ledger::{Roster, RuleSetsDigest};
use rules::Minute;
use verifier::UnixTime;
use verifier::trust::{RootDocument, RootKeys, Sequence, SignedRoot};

use crate::charter::{Charter, roster_of};
use crate::rule_book::CountingSet;
use crate::store::{RootRow, RootSetRow, StoreError, Table, Vault};
use crate::{NodeError, RuleBook};

/// For how long after a newer document came in registries and trust lists are judged by the earlier one, minutes: not all
/// nodes take a document at the same moment.
const OVERLAP_MIN: i64 = 1_440;

/// A root document that was in use, and what follows from it.
pub(crate) struct PastRoot {
    root: SignedRoot,
    roster: Roster,
    sets: Vec<CountingSet>,
    /// What is of later moments is not judged by it.
    until: Minute,
}

impl Charter {
    /// The document that an online document of this root sequence and moment is judged under.
    pub(crate) fn root_of(&self, sequence: Sequence, issued_at: UnixTime) -> &SignedRoot {
        let judges = |past: &&PastRoot| {
            past.root.document().sequence == sequence && issued_at.minute() <= past.until
        };
        let past = self.past.iter().find(judges);
        past.map_or(&self.root, |past| &past.root)
    }

    /// By whom a registry of `as_of` may be cosigned, and over which rule sets: by what is in use first, then by what was, if
    /// it is not later than `latest`.
    pub(crate) fn judging(
        &self,
        as_of: Minute,
        latest: Minute,
    ) -> impl Iterator<Item = (&Roster, RuleSetsDigest)> {
        let past = self.past.iter();
        let past = past.filter(move |past| as_of <= past.until.min(latest));
        let past = past.map(move |past| {
            let grace_min = past.root.document().grace_min.into();
            let digest = RuleBook::digest_at(&past.sets, grace_min, as_of);
            (&past.roster, digest)
        });
        std::iter::once((&self.roster, self.rules.counting_at(as_of).digest)).chain(past)
    }

    /// The roster in use, and those that judge what is of a minute beside it.
    pub(crate) fn rosters_of(&self, minute: Minute) -> impl Iterator<Item = &Roster> {
        let past = self.past.iter().filter(move |past| minute <= past.until);
        std::iter::once(&self.roster).chain(past.map(|past| &past.roster))
    }

    /// Reads the documents that were in use before this one, as far as the pinned keys have signed them, and stores this one
    /// if it is new.
    ///
    /// # Errors
    /// [`NodeError::Fault`] for a document that is older than one that was in use, or another of the same number;
    /// [`NodeError::Store`].
    pub(crate) fn remember(
        &mut self,
        vault: &Vault,
        root_keys: &RootKeys,
        now: Minute,
    ) -> Result<(), NodeError> {
        let own = self.document().sequence;
        let stored = stored(vault)?;
        let mut until = now.saturating_add_signed(OVERLAP_MIN);
        let mut is_stored = false;
        self.past.clear();
        for Stored { root, since, sets } in stored.into_iter().rev() {
            let sequence = root.document().sequence;
            if sequence > own {
                return Err(NodeError::Fault(
                    "the root document is older than the one in use",
                ));
            }
            let is_own = sequence == own;
            if is_own && root.document() != self.document() {
                return Err(NodeError::Fault(
                    "the root document has the number of the one in use, and says something else",
                ));
            }
            is_stored |= is_own;
            // After the root keys were pinned anew, what only the old ones had signed judges nothing.
            if !is_own && root.check_pinned(root_keys).is_ok() {
                let roster = roster_of(root.document())?;
                let newer = self.past.iter().map(|past| &past.root).chain([&self.root]);
                let ends =
                    newer.filter_map(|newer| first_new_key(root.document(), newer.document()));
                // A key that is announced with a date ends what the documents before it say of the one that it follows.
                let until = ends.fold(until, |until, from| {
                    until.min(from.saturating_add_signed(-1))
                });
                self.past.push(PastRoot {
                    root,
                    roster,
                    sets,
                    until,
                });
            }
            until = since.saturating_add_signed(OVERLAP_MIN);
        }
        if is_stored {
            return Ok(());
        }
        let document = self
            .root
            .to_bytes()
            .map_err(|_| NodeError::Fault("a root document that cannot be written"))?;
        let sets = self.rules.counting_sets().into_iter();
        let row = RootRow {
            document,
            since: now,
            sets: sets.map(Into::into).collect(),
        };
        let mut write = vault.write();
        write.put_large(Table::Roots, &own.get().to_be_bytes(), &row);
        Ok(write.commit()?)
    }
}

/// The first date of a head key that `newer` names and `past` does not.
fn first_new_key(past: &RootDocument, newer: &RootDocument) -> Option<Minute> {
    let dates = newer.provinces.iter().flat_map(|entry| {
        let known = past.provinces.iter().find(|p| p.slot == entry.slot);
        let keys = entry.head_keys.entries().iter();
        keys.filter(move |(_, key)| known.is_none_or(|known| !known.head_keys.contains(key)))
    });
    let dates = dates.map(|(from, _)| *from);
    dates.filter(|from| *from > Minute::ZERO).min()
}

impl From<CountingSet> for RootSetRow {
    fn from(set: CountingSet) -> Self {
        Self {
            digest: fr_to_bytes(set.digest),
            announced: set.announced,
            until: set.until,
        }
    }
}

fn read_set(row: &RootSetRow) -> Result<CountingSet, StoreError> {
    let digest: Fr = fr_from_bytes(&row.digest).map_err(|_| StoreError::Damaged(Table::Roots))?;
    Ok(CountingSet {
        digest,
        announced: row.announced,
        until: row.until,
    })
}

struct Stored {
    root: SignedRoot,
    /// When it came in.
    since: Minute,
    sets: Vec<CountingSet>,
}

/// The stored documents, ascending.
///
/// # Errors
/// [`NodeError::Fault`] for a document of an earlier layout, [`NodeError::Store`].
fn stored(vault: &Vault) -> Result<Vec<Stored>, NodeError> {
    let damaged = || NodeError::Store(StoreError::Damaged(Table::Roots));
    let mut keys: Vec<[u8; 8]> = Vec::new();
    for part in vault.keys(Table::Roots, b"", usize::MAX)? {
        let key = *part.first_chunk::<8>().ok_or_else(damaged)?;
        if keys.last() != Some(&key) {
            keys.push(key);
        }
    }
    let read = keys.iter().map(|key| {
        let row: RootRow = vault.get_large(Table::Roots, key)?.ok_or_else(damaged)?;
        Ok(Stored {
            root: SignedRoot::from_bytes(&row.document).map_err(|error| match error {
                verifier::Error::Layout(LayoutError::UnknownVersion(_)) => NodeError::Fault(
                    "the store remembers a root document of an earlier layout, which is not read here",
                ),
                _ => damaged(),
            })?,
            since: row.since,
            sets: row.sets.iter().map(read_set).collect::<Result<_, _>>()?,
        })
    });
    read.collect()
}

/// The rosters of the stored documents.
pub(crate) fn past_rosters(vault: &Vault) -> Result<Vec<Roster>, StoreError> {
    let damaged = || StoreError::Damaged(Table::Roots);
    let stored = stored(vault).map_err(|error| match error {
        NodeError::Store(error) => error,
        _ => damaged(),
    })?;
    let rosters = stored
        .iter()
        .map(|stored| roster_of(stored.root.document()));
    rosters
        .map(|roster| roster.map_err(|_| damaged()))
        .collect()
}
