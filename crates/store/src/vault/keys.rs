//! Changing the keys that data keys are wrapped under.

use std::sync::{Arc, PoisonError};

use super::{Vault, WALK_LEN};
use crate::seal::KeyRing;
use crate::{Batch, Change, StoreError, Table};

impl Vault {
    /// Takes a ring with other wrapping keys; data keys are wrapped under its newest from now on.
    ///
    /// # Errors
    /// [`StoreError::WrongKey`] for a ring of another root, [`StoreError::KeyMissing`] for one without a key that data
    /// keys are wrapped under; the ring in use is kept then.
    pub fn take_ring(&self, ring: KeyRing) -> Result<(), StoreError> {
        if !ring.same_root(&self.ring()) {
            return Err(StoreError::WrongKey);
        }
        self.check_ring(&ring)?;
        *self.ring.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(ring);
        Ok(())
    }

    /// Whether a ring has every key that data keys are wrapped under.
    pub(super) fn check_ring(&self, ring: &KeyRing) -> Result<(), StoreError> {
        let known = ring.numbers();
        let under = self.wrapped_under()?.into_iter();
        let mut missing = under.filter(|(number, _)| !known.contains(number));
        match missing.next() {
            Some((number, _)) => Err(StoreError::KeyMissing(number)),
            None => Ok(()),
        }
    }

    /// Wraps every data key that is under an older key anew, under the ring's newest, while calls go on; `each` is called
    /// with the number of keys looked at. Afterwards the older keys can be retired, and with them goes what was erased
    /// before: no old file and no old backup opens it any more. It ends with a pass that found none, so that a set of
    /// changes that was begun under the ring before is not missed. Returns how many were wrapped anew.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn rewrap(&self, each: &mut dyn FnMut(u64)) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let changed = self.rewrap_once(each)?;
            all += changed;
            if changed == 0 {
                return Ok(all);
            }
        }
    }

    fn rewrap_once(&self, each: &mut dyn FnMut(u64)) -> Result<u64, StoreError> {
        let ring = self.ring();
        let (mut seen, mut changed) = (0, 0);
        let mut after: Option<Vec<u8>> = None;
        loop {
            let rows = self
                .store
                .scan(Table::Keys, b"", after.as_deref(), WALK_LEN)?;
            let mut batch = Batch::default();
            for (owner, wrapped) in &rows {
                seen += 1;
                if ring.is_newest(wrapped) {
                    continue;
                }
                let of = owner[..]
                    .try_into()
                    .map_err(|_| StoreError::Damaged(Table::Keys))?;
                let key = ring.unwrap(&of, wrapped)?;
                let anew = ring.wrap(&of, &key, &self.entropy);
                let change = Change::Replace(wrapped.clone(), anew);
                batch.push(Table::Keys, owner.clone(), change);
            }
            let count = batch.changes().len() as u64;
            match self.store.commit(batch) {
                Ok(()) => changed += count,
                // One of them was erased meanwhile: the same rows are looked at again.
                Err(StoreError::Conflict(Table::Keys)) => continue,
                Err(error) => return Err(error),
            }
            each(seen);
            match rows.into_iter().next_back() {
                Some((last, _)) => after = Some(last),
                None => return Ok(changed),
            }
        }
    }

    /// How many data keys are wrapped under which number.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn wrapped_under(&self) -> Result<Vec<(u32, u64)>, StoreError> {
        let mut counts = std::collections::BTreeMap::new();
        self.walk_stored::<StoreError>(Table::Keys, b"", &mut |_, wrapped| {
            let number = wrapped
                .first_chunk()
                .ok_or(StoreError::Damaged(Table::Keys))?;
            *counts.entry(u32::from_be_bytes(*number)).or_insert(0) += 1;
            Ok(())
        })?;
        Ok(counts.into_iter().collect())
    }
}
