//! The cosigner: what a province checks before it signs an epoch's statement, and what it must not forget.

use std::collections::{BTreeMap, BTreeSet};

use commitment::layout::{LayoutError, Reader, put_count};
use commitment::{Epoch, Fr, Minute, ProvinceCode, REGISTRY_SLOTS, Slot};
use ed25519_dalek::SigningKey;

use crate::{
    Cosignature, Error, HeadHash, RegistryStatement, Roster, RuleSetsDigest, SignedTreeHead,
    StatementHash, TreeHead,
};

const VERSION: u8 = 1;
/// Longest stored state.
pub const MAX_COSIGNER_STATE_LEN_BYTES: usize = 1 + 1 + 40 + 2 + REGISTRY_SLOTS * 41;

/// What a cosigner insists on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CosignPolicy {
    /// Least number of different provinces with a head of the epoch itself, at least 2 in production: a registry with a
    /// single fresh province would name it.
    pub fresh_provinces_min: usize,
    /// Most minutes from an older head to the epoch's close, for a province that is away.
    pub stale_head_max_min: u32,
    /// Most minutes from the epoch's close to now.
    pub delay_max_min: u32,
}

/// What a cosigner knows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// The root of the risk map that it rebuilt from the published lists.
    pub risk_root: Fr,
    /// The rule sets in force or announced.
    pub rule_sets: RuleSetsDigest,
    /// The time.
    pub now: Minute,
}

/// The last head that a cosigner saw of a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenHead {
    /// Its epoch.
    pub epoch: Epoch,
    /// Its time.
    pub head_time: Minute,
    /// Its hash.
    pub hash: HeadHash,
}

/// The epoch that a head is to stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Closing {
    /// The epoch.
    pub epoch: Epoch,
    /// Its closing minute.
    pub as_of: Minute,
    /// The rule sets in force or announced.
    pub rule_sets: RuleSetsDigest,
}

impl From<&RegistryStatement> for Closing {
    fn from(statement: &RegistryStatement) -> Self {
        Self {
            epoch: statement.epoch(),
            as_of: statement.as_of(),
            rule_sets: statement.rule_sets(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LastSigned {
    epoch: Epoch,
    as_of: Minute,
    hash: StatementHash,
}

/// What a cosigner must not forget: the last statement signed, and each slot's last head. It is stored *before* the
/// signature leaves, see [`Permit`].
///
/// Layout, big-endian: version 1 · signed flag 1 · [epoch 4 · as-of 4 · statement hash 32] · heads (count 2; slot 1,
/// epoch 4, head time 4, hash 32; ascending by slot).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CosignerState {
    signed: Option<LastSigned>,
    heads: BTreeMap<Slot, SeenHead>,
}

impl CosignerState {
    /// The last epoch signed.
    pub fn last_epoch(&self) -> Option<Epoch> {
        self.signed.map(|s| s.epoch)
    }

    /// This state of somebody who may have signed more than it says: no statement of `epoch` or before it is permitted any
    /// more, nor one that closed at `as_of` or before.
    #[must_use]
    pub fn refraining(&self, epoch: Epoch, as_of: Minute) -> Self {
        let mut next = self.clone();
        let last = self.signed.map_or(as_of, |signed| signed.as_of.max(as_of));
        let epoch = self.signed.map_or(epoch, |signed| signed.epoch.max(epoch));
        next.signed = Some(LastSigned {
            epoch,
            as_of: last,
            // The hash of no statement: that of the epoch itself is not permitted again either.
            hash: StatementHash([0; 32]),
        });
        next
    }

    /// The last head seen of a slot.
    pub fn head(&self, slot: Slot) -> Option<&SeenHead> {
        self.heads.get(&slot)
    }

    /// Checks a statement and the heads that it rests on. A statement that was signed before is permitted again; of an
    /// epoch no second one ever is.
    ///
    /// # Errors
    /// The first thing that is wrong, see [`Error`].
    pub fn consider(
        &self,
        statement: &RegistryStatement,
        heads: &[SignedTreeHead],
        roster: &Roster,
        policy: &CosignPolicy,
        expected: &Expected,
    ) -> Result<Permit, Error> {
        let signed_before = self.check_epoch(statement)?;
        statement.check_heads(heads, roster)?;
        if !signed_before {
            self.check_time(statement, policy, expected.now)?;
            if statement.risk_root() != expected.risk_root {
                return Err(Error::WrongRiskRoot);
            }
            if statement.rule_sets() != expected.rule_sets {
                return Err(Error::WrongRuleSets);
            }
            for signed in heads {
                self.check_head(&signed.head, &statement.into(), policy)?;
            }
            check_fresh(statement, heads, policy)?;
        }
        Ok(Permit {
            next: self.after(statement, heads),
            message: statement.signing_bytes(),
        })
    }

    /// Whether this very statement was signed before.
    fn check_epoch(&self, statement: &RegistryStatement) -> Result<bool, Error> {
        let Some(last) = self.signed else {
            return Ok(false);
        };
        let offered = statement.epoch();
        if offered < last.epoch {
            return Err(Error::EpochFell {
                offered,
                signed: last.epoch,
            });
        }
        if offered == last.epoch && statement.hash() != last.hash {
            return Err(Error::SecondStatement(offered));
        }
        Ok(offered == last.epoch)
    }

    fn check_time(
        &self,
        statement: &RegistryStatement,
        policy: &CosignPolicy,
        now: Minute,
    ) -> Result<(), Error> {
        let mut from = now.saturating_add_signed(-i64::from(policy.delay_max_min));
        if let Some(last) = self.signed {
            from = from.max(last.as_of.saturating_add_signed(1));
        }
        let as_of = statement.as_of();
        if as_of < from || as_of > now {
            return Err(Error::WrongAsOf {
                as_of,
                from,
                to: now,
            });
        }
        Ok(())
    }

    /// Whether this cosigner signs a statement that rests on a head, as far as the head goes. Whoever proposes leaves a head
    /// out that it would not sign for itself, and with it no more than its province: one node's bad head keeps nobody else
    /// from a registry.
    ///
    /// # Errors
    /// [`Error::HeadFromTheFuture`], [`Error::WrongRuleSets`], [`Error::HeadTooOld`], [`Error::HeadForked`].
    pub fn check_head(
        &self,
        head: &TreeHead,
        of: &Closing,
        policy: &CosignPolicy,
    ) -> Result<(), Error> {
        let slot = head.slot;
        if head.head_time > of.as_of || head.epoch > of.epoch {
            return Err(Error::HeadFromTheFuture(slot));
        }
        if head.epoch == of.epoch {
            if head.rule_sets != of.rule_sets {
                return Err(Error::WrongRuleSets);
            }
        } else {
            let age_min = of.as_of.get() - head.head_time.get();
            if age_min > policy.stale_head_max_min {
                return Err(Error::HeadTooOld {
                    slot,
                    age_min,
                    limit_min: policy.stale_head_max_min,
                });
            }
        }
        match self.heads.get(&slot) {
            Some(seen) if !continues(head, seen) => Err(Error::HeadForked(slot)),
            _ => Ok(()),
        }
    }

    fn after(&self, statement: &RegistryStatement, heads: &[SignedTreeHead]) -> Self {
        let mut next = self.clone();
        next.signed = Some(LastSigned {
            epoch: statement.epoch(),
            as_of: statement.as_of(),
            hash: statement.hash(),
        });
        for SignedTreeHead { head, .. } in heads {
            let seen = SeenHead {
                epoch: head.epoch,
                head_time: head.head_time,
                hash: head.hash(),
            };
            next.heads.insert(head.slot, seen);
        }
        next
    }

    /// The canonical bytes, at most [`MAX_COSIGNER_STATE_LEN_BYTES`].
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION, u8::from(self.signed.is_some())];
        if let Some(last) = &self.signed {
            out.extend_from_slice(&last.epoch.get().to_be_bytes());
            out.extend_from_slice(&last.as_of.get().to_be_bytes());
            out.extend_from_slice(&last.hash.0);
        }
        put_count(&mut out, self.heads.len());
        for (slot, seen) in &self.heads {
            out.push(slot.get());
            out.extend_from_slice(&seen.epoch.get().to_be_bytes());
            out.extend_from_slice(&seen.head_time.get().to_be_bytes());
            out.extend_from_slice(&seen.hash.0);
        }
        out
    }

    /// Reads a stored state.
    ///
    /// # Errors
    /// [`Error::Layout`] for anything but canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(bytes, MAX_COSIGNER_STATE_LEN_BYTES)?;
        reader.version(VERSION)?;
        let signed = match reader.u8()? {
            0 => None,
            1 => Some(LastSigned {
                epoch: reader.epoch()?,
                as_of: reader.minute()?,
                hash: StatementHash(reader.array()?),
            }),
            _ => return Err(LayoutError::Invalid("a flag above 1").into()),
        };
        let mut heads = BTreeMap::new();
        for _ in 0..reader.count("heads", REGISTRY_SLOTS)? {
            let slot = reader.slot()?;
            let seen = SeenHead {
                epoch: reader.epoch()?,
                head_time: reader.minute()?,
                hash: HeadHash(reader.array()?),
            };
            if heads
                .last_key_value()
                .is_some_and(|(last, _)| *last >= slot)
            {
                return Err(LayoutError::NotAscending("heads").into());
            }
            heads.insert(slot, seen);
        }
        reader.finish()?;
        Ok(Self { signed, heads })
    }
}

/// Whether a head is the one seen, or comes after it. Where the epochs follow directly, it must name the one seen as its
/// predecessor; where some lie between, this cosigner has not seen the heads that link the two.
fn continues(head: &TreeHead, seen: &SeenHead) -> bool {
    if head.hash() == seen.hash {
        return true;
    }
    let later = head.epoch > seen.epoch && head.head_time > seen.head_time;
    let linked = seen.epoch.next() != Some(head.epoch) || head.previous == seen.hash;
    later && linked
}

fn check_fresh(
    statement: &RegistryStatement,
    heads: &[SignedTreeHead],
    policy: &CosignPolicy,
) -> Result<(), Error> {
    let fresh: BTreeSet<ProvinceCode> = heads
        .iter()
        .filter(|h| h.head.epoch == statement.epoch())
        .map(|h| h.head.province)
        .collect();
    if fresh.len() < policy.fresh_provinces_min {
        return Err(Error::TooFewFresh {
            have: fresh.len(),
            need: policy.fresh_provinces_min,
        });
    }
    Ok(())
}

/// Leave to sign one statement. First store [`Permit::next_state`] durably, then call [`Permit::sign`]: a cosigner that
/// forgets what it signed may sign twice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Permit {
    next: CosignerState,
    message: Vec<u8>,
}

impl Permit {
    /// The state to store before signing.
    pub const fn next_state(&self) -> &CosignerState {
        &self.next
    }

    /// Signs; `slot` is the signer's own.
    pub fn sign(self, slot: Slot, key: &SigningKey) -> Cosignature {
        Cosignature::new(slot, &self.message, key)
    }
}
