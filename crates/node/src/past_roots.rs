//! Root documents that were in use before, by which what was signed then is judged by whoever missed it: who cosigned a registry
//! last week may have another head key by now.

use ledger::Roster;
use rules::Minute;
use verifier::trust::{Sequence, SignedRoot};

use crate::charter::{Charter, roster_of};
use crate::store::{RootRow, StoreError, Table, Vault};
use crate::{NodeError, RuleBook};

/// Earlier documents kept.
const KEPT: usize = 8;
/// For how long after a newer document came in registries are judged by the earlier one, minutes: not all nodes take a
/// document at the same moment.
const OVERLAP_MIN: i64 = 1_440;

/// A root document that was in use, and what follows from it.
pub(crate) struct PastRoot {
    root: SignedRoot,
    roster: Roster,
    /// None where the rule sets that it names are not at hand any more.
    rules: Option<RuleBook>,
    /// Registries of later moments are not judged by it.
    until: Minute,
}

impl Charter {
    /// The document that an online document of this root sequence is judged under.
    pub(crate) fn root_of(&self, sequence: Sequence) -> &SignedRoot {
        let past = self.past.iter().map(|past| &past.root);
        past.into_iter()
            .find(|root| root.document().sequence == sequence)
            .unwrap_or(&self.root)
    }

    /// By whom and by what a registry of `as_of` may be cosigned: what is in use first, then what was.
    pub(crate) fn judging(&self, as_of: Minute) -> impl Iterator<Item = (&Roster, &RuleBook)> {
        let past = self.past.iter().filter(move |past| as_of <= past.until);
        let past = past.filter_map(|past| Some((&past.roster, past.rules.as_ref()?)));
        std::iter::once((&self.roster, &self.rules)).chain(past)
    }

    /// Reads the documents that were in use before this one, and stores this one if it is new.
    ///
    /// # Errors
    /// [`NodeError::Fault`] for a document that is older than one that was in use, or another of the same number;
    /// [`NodeError::Store`].
    pub(crate) fn remember(&mut self, vault: &Vault, now: Minute) -> Result<(), NodeError> {
        let own = self.document().sequence;
        let rows = stored(vault)?;
        let mut until = now.saturating_add_signed(OVERLAP_MIN);
        self.past.clear();
        for (root, since) in rows.iter().rev() {
            let sequence = root.document().sequence;
            if sequence > own {
                return Err(NodeError::Fault(
                    "the root document is older than the one in use",
                ));
            }
            if sequence == own {
                if root.document() != self.document() {
                    return Err(NodeError::Fault(
                        "the root document has the number of the one in use, and says something else",
                    ));
                }
                until = since.saturating_add_signed(OVERLAP_MIN);
                continue;
            }
            self.past.push(PastRoot {
                roster: roster_of(root.document())?,
                rules: self.rules.under(root.document()),
                root: root.clone(),
                until,
            });
            until = since.saturating_add_signed(OVERLAP_MIN);
        }
        if rows.iter().any(|(root, _)| root.document().sequence == own) {
            return Ok(());
        }
        let mut write = vault.write();
        let document = self
            .root
            .to_bytes()
            .map_err(|_| NodeError::Fault("a root document that cannot be written"))?;
        let row = RootRow {
            document,
            since: now,
        };
        write.put_large(Table::Roots, &own.get().to_be_bytes(), &row);
        let surplus = rows.len().saturating_sub(KEPT);
        for (root, _) in &rows[..surplus] {
            let key = root.document().sequence.get().to_be_bytes();
            for part in vault.keys(Table::Roots, &key, usize::MAX)? {
                write.delete(Table::Roots, &part);
            }
        }
        Ok(write.commit()?)
    }
}

/// The stored documents, ascending, each with the minute it came in.
fn stored(vault: &Vault) -> Result<Vec<(SignedRoot, Minute)>, StoreError> {
    let damaged = || StoreError::Damaged(Table::Roots);
    let mut keys: Vec<[u8; 8]> = Vec::new();
    for part in vault.keys(Table::Roots, b"", usize::MAX)? {
        let key = *part.first_chunk::<8>().ok_or_else(damaged)?;
        if keys.last() != Some(&key) {
            keys.push(key);
        }
    }
    let read = keys.iter().map(|key| {
        let row: RootRow = vault.get_large(Table::Roots, key)?.ok_or_else(damaged)?;
        let root = SignedRoot::from_bytes(&row.document).map_err(|_| damaged())?;
        Ok((root, row.since))
    });
    read.collect()
}

/// The rosters of the stored documents.
pub(crate) fn past_rosters(vault: &Vault) -> Result<Vec<Roster>, StoreError> {
    let rosters = stored(vault)?
        .into_iter()
        .map(|(root, _)| roster_of(root.document()).map_err(|_| StoreError::Damaged(Table::Roots)));
    rosters.collect()
}
