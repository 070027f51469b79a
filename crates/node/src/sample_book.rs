//! Samples that were drawn, and how often each auditor had one shown. In memory: a draw follows from what is stored, and nothing of
//! anybody's record is in it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use commitment::Epoch;
use ledger::SignedTreeHead;
use ledger::sample::SampleWays;
use wire::PublishedRegistry;

/// Registries whose draws are kept: the newest, and those before it that a record can still be opened in.
const KEPT_MAX: usize = 4;
/// How often one auditor has the sample of a registry shown: to ask, to go on after an interruption, to ask again.
const SHOWINGS_MAX: u32 = 16;
/// Auditors and registries that are told apart.
const COUNTED_MAX: usize = 4_096;

/// What is drawn from a registry.
pub(crate) struct DrawnSample {
    pub(crate) registry: PublishedRegistry,
    /// This node's head in it.
    pub(crate) own: SignedTreeHead,
    pub(crate) ways: SampleWays,
}

#[derive(Default)]
struct Pages {
    /// By the registry's epoch, each under the root document by which it was drawn.
    drawn: BTreeMap<Epoch, (u64, Arc<DrawnSample>)>,
    shown: BTreeMap<(Epoch, String), u32>,
}

/// The samples that are at hand.
#[derive(Default)]
pub(crate) struct SampleBook(Mutex<Pages>);

impl SampleBook {
    fn lock(&self) -> MutexGuard<'_, Pages> {
        // Each change is one insertion or removal.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sample of a registry under a root document, drawn if it is not at hand.
    pub(crate) fn drawn<E>(
        &self,
        (epoch, root_sequence): (Epoch, u64),
        draw: impl FnOnce() -> Result<DrawnSample, E>,
    ) -> Result<Arc<DrawnSample>, E> {
        let known = self.lock().drawn.get(&epoch).cloned();
        if let Some((of, sample)) = known
            && of == root_sequence
        {
            return Ok(sample);
        }
        let sample = Arc::new(draw()?);
        let mut pages = self.lock();
        let entry = (root_sequence, Arc::clone(&sample));
        pages.drawn.insert(epoch, entry);
        if pages.drawn.len() > KEPT_MAX {
            pages.drawn.pop_first();
        }
        Ok(sample)
    }

    /// Counts a showing to an auditor; false after too many.
    pub(crate) fn may_show(&self, epoch: Epoch, auditor: String) -> bool {
        let mut pages = self.lock();
        let shown = pages.shown.entry((epoch, auditor)).or_default();
        if *shown >= SHOWINGS_MAX {
            return false;
        }
        *shown += 1;
        if pages.shown.len() > COUNTED_MAX {
            pages.shown.pop_first();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ledger::sample::SampleWays;
    use ledger::{CosignedStatement, HeadHash, RegistryStatement, RuleSetsDigest, TreeHead};

    use super::*;

    fn sample(number: u32) -> DrawnSample {
        let minute = commitment::Minute::new(1_000).unwrap();
        let head = TreeHead {
            province: commitment::ProvinceCode::new(33).unwrap(),
            slot: commitment::Slot::new(0).unwrap(),
            epoch: Epoch::new(number),
            head_time: minute,
            state_root: commitment::Fr::from(1u64),
            leaf_count: 0,
            rule_sets: RuleSetsDigest([0; 32]),
            previous: HeadHash::NONE,
        };
        let own = head.sign(&SigningKey::from_bytes(&[3; 32]));
        let statement = RegistryStatement::new(
            Epoch::new(number),
            minute,
            commitment::Fr::from(2u64),
            RuleSetsDigest([0; 32]),
            &[own],
        );
        DrawnSample {
            registry: PublishedRegistry {
                cosigned: CosignedStatement::new(statement.unwrap(), Vec::new()),
                heads: vec![own],
            },
            own,
            ways: SampleWays {
                last: None,
                drawn: Vec::new(),
            },
        }
    }

    #[test]
    fn a_sample_is_drawn_once_for_a_registry_and_a_root_document_and_few_are_kept() {
        let book = SampleBook::default();
        let mut draws = 0;
        let mut ask = |number: u32, root| {
            let drawn = book.drawn((Epoch::new(number), root), || {
                draws += 1;
                Ok::<_, ()>(sample(number))
            });
            assert_eq!(drawn.unwrap().own.head.epoch.get(), number);
            draws
        };
        assert_eq!((ask(1, 1), ask(1, 1), ask(1, 1)), (1, 1, 1));
        // Under another root document other keys count, and so perhaps other cosignatures.
        assert_eq!((ask(1, 2), ask(1, 2)), (2, 2));
        for number in 2..=9 {
            ask(number, 2);
        }
        assert_eq!((ask(9, 2), ask(6, 2), ask(5, 2)), (10, 10, 11));
        assert!(book.lock().drawn.len() <= KEPT_MAX);
        let failed = book.drawn((Epoch::new(20), 2), || Err(7));
        assert_eq!(failed.err(), Some(7));
    }

    #[test]
    fn an_auditor_has_a_sample_shown_so_often_and_what_is_counted_is_bounded() {
        let book = SampleBook::default();
        let ask = |epoch, who: &str| book.may_show(Epoch::new(epoch), who.to_owned());
        for _ in 0..SHOWINGS_MAX {
            assert!(ask(1, "one"));
        }
        assert!(!ask(1, "one") && !ask(1, "one"));
        assert!(ask(1, "two") && ask(2, "one"));
        for number in 0..2 * COUNTED_MAX {
            assert!(ask(3, &number.to_string()));
        }
        assert!(book.lock().shown.len() <= COUNTED_MAX);
    }
}
