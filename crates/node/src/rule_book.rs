use std::sync::{Arc, Mutex, PoisonError};

use commitment::{Fr, rule_digest};
use ledger::RuleSetsDigest;
use rules::{Minute, RowTable, RuleSet, RuleSetId};
use verifier::RuleSetShortId;
use verifier::trust::RootDocument;
use wire::Reason;

use crate::NodeError;

/// A rule set that the federation's root document names.
pub struct KnownSet {
    set: RuleSet,
    digest: Fr,
    short_id: RuleSetShortId,
}

impl KnownSet {
    /// The set.
    pub const fn set(&self) -> &RuleSet {
        &self.set
    }

    /// The digest of its row table.
    pub const fn digest(&self) -> Fr {
        self.digest
    }

    /// Its name in passes.
    pub const fn short_id(&self) -> RuleSetShortId {
        self.short_id
    }
}

/// What a record keeps grounds for.
pub struct Counting {
    /// The tables of every set announced, in force, or over for less than the grace time.
    pub tables: Vec<RowTable>,
    /// All of them as one value.
    pub digest: RuleSetsDigest,
}

/// The rule sets that this node knows, of every province and the nation.
pub struct RuleBook {
    sets: Vec<KnownSet>,
    home: String,
    nation: Option<String>,
    grace_min: i64,
    counting: Mutex<Option<(Vec<usize>, Arc<Counting>)>>,
}

impl RuleBook {
    /// A book of the sets that `root` names, taken from those `at_hand`; `home` is the home's own, `nation` the
    /// nation's.
    ///
    /// # Errors
    /// A message naming a set that `root` names and that is not at hand, or a home or nation that `root` does not name.
    pub fn new(
        at_hand: Vec<RuleSet>,
        root: &RootDocument,
        home: String,
        nation: Option<String>,
    ) -> Result<Self, String> {
        let mut at_hand: Vec<(Fr, RuleSet)> = at_hand
            .into_iter()
            .map(|set| (rule_digest(set.table()), set))
            .collect();
        let mut sets = Vec::new();
        for entry in &root.rule_sets {
            let found = at_hand
                .iter()
                .position(|(digest, set)| {
                    *digest == entry.digest && set.id().as_str() == entry.name
                })
                .ok_or(format!(
                    "the root document names the rule set {:?}, which is not at hand in that form",
                    entry.name
                ))?;
            let (digest, set) = at_hand.swap_remove(found);
            let short_id = entry.short_id;
            sets.push(KnownSet {
                set,
                digest,
                short_id,
            });
        }
        for name in std::iter::once(&home).chain(&nation) {
            if !sets.iter().any(|known| known.set.id().as_str() == name) {
                return Err(format!(
                    "the root document does not name the rule set {name:?}"
                ));
            }
        }
        Ok(Self {
            sets,
            home,
            nation,
            grace_min: i64::from(root.grace_min),
            counting: Mutex::new(None),
        })
    }

    /// The set of this name in force at `at`, in its highest version; the home's own for none.
    ///
    /// # Errors
    /// [`Reason::UnknownRuleSet`].
    pub fn for_query(&self, name: Option<&RuleSetId>, at: Minute) -> Result<&KnownSet, NodeError> {
        self.in_force(name.map_or(&self.home, RuleSetId::as_str), at)
    }

    /// The set of this name in force at `at`; the nation's for none.
    ///
    /// # Errors
    /// [`Reason::UnknownRuleSet`].
    pub fn for_pass(&self, name: Option<&RuleSetId>, at: Minute) -> Result<&KnownSet, NodeError> {
        let name = name.map(RuleSetId::as_str).or(self.nation.as_deref());
        self.in_force(name.ok_or(NodeError::Refused(Reason::UnknownRuleSet))?, at)
    }

    /// Whether `name` is the home's own set.
    pub fn is_home(&self, name: &str) -> bool {
        name == self.home
    }

    /// What records keep grounds for at `at`.
    pub fn counting_at(&self, at: Minute) -> Arc<Counting> {
        let counts = |known: &KnownSet| {
            let validity = known.set.validity();
            let end = validity.until.saturating_add_signed(self.grace_min);
            validity.announced <= at && at < end
        };
        let indices: Vec<usize> = (0..)
            .zip(&self.sets)
            .filter(|(_, known)| counts(known))
            .map(|(index, _)| index)
            .collect();
        let mut cached = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, counting)) = &*cached
            && *of == indices
        {
            return Arc::clone(counting);
        }
        let known = || indices.iter().map(|&i| &self.sets[i]);
        let digests: Vec<Fr> = known().map(KnownSet::digest).collect();
        let counting = Arc::new(Counting {
            tables: known().map(|k| k.set.table().clone()).collect(),
            digest: RuleSetsDigest::of(&digests),
        });
        *cached = Some((indices, Arc::clone(&counting)));
        counting
    }

    /// The set of this name in force at `at`, in its highest version.
    pub(crate) fn in_force(&self, name: &str, at: Minute) -> Result<&KnownSet, NodeError> {
        self.sets
            .iter()
            .filter(|k| k.set.id().as_str() == name && k.set.validity().holds_at(at))
            .max_by_key(|k| k.set.version())
            .ok_or(NodeError::Refused(Reason::UnknownRuleSet))
    }
}
