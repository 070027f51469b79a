use std::sync::{Arc, Mutex, PoisonError};

use commitment::{Fr, ProvinceCode};
use ledger::RuleSetsDigest;
use rules::{Minute, RowTable, RuleSet, RuleSetId};
use verifier::RuleSetShortId;
use verifier::trust::{RootDocument, RuleSetEntry};
use wire::Reason;

use crate::NodeError;

/// Why a root document and the rule sets at hand make no rule book. Whoever set the node up is at fault, or whoever wrote
/// the root document; gates would judge by what it says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleBookError {
    /// No set at hand has this name and this digest.
    #[error("the root document names the rule set {0:?}, which is not at hand in that form")]
    NotAtHand(String),
    /// The entry gives the set to another province than it is of: it would serve at gates that it was not made for.
    #[error("the root document names the rule set {name:?} for province {}, it is of {}", stated.get(), own.get())]
    Scope {
        /// The set.
        name: String,
        /// What the root document says.
        stated: ProvinceCode,
        /// The set's own province, or the nation.
        own: ProvinceCode,
    },
    /// The entry has the set in force from another minute than it is.
    #[error("the root document has the rule set {name:?} in force from minute {}, it is from {}", stated.get(), own.get())]
    ValidFrom {
        /// The set.
        name: String,
        /// What the root document says.
        stated: Minute,
        /// The set's own.
        own: Minute,
    },
    /// The entry has the set out of force from another minute than it is, or never.
    #[error("the root document has the rule set {name:?} out of force from {}, it is from minute {}", end(*stated), own.get())]
    SupersededAt {
        /// The set.
        name: String,
        /// What the root document says.
        stated: Option<Minute>,
        /// The set's own.
        own: Minute,
    },
    /// The entry flags the set as an emergency and it is none, or the other way round, or it has another version.
    #[error(
        "the root document has the rule set {name:?} as version {stated}, it is {own} (with `!`: an emergency)"
    )]
    Version {
        /// The set.
        name: String,
        /// What the root document says.
        stated: String,
        /// The set's own.
        own: String,
    },
    /// The set that is to be the home's or the nation's is not in the root document.
    #[error("the root document does not name the rule set {0:?}")]
    NotNamed(String),
}

fn end(stated: Option<Minute>) -> String {
    stated.map_or("no minute".to_owned(), |m| format!("minute {}", m.get()))
}

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

/// A rule set, as far as it says when records keep grounds for it.
#[derive(Clone, Copy)]
pub(crate) struct CountingSet {
    pub(crate) digest: Fr,
    pub(crate) announced: Minute,
    pub(crate) until: Minute,
}

impl CountingSet {
    /// From its announcement until the grace time after its end.
    fn counts_at(&self, at: Minute, grace_min: i64) -> bool {
        self.announced <= at && at < self.until.saturating_add_signed(grace_min)
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
    sets: Vec<Arc<KnownSet>>,
    home: String,
    nation: Option<String>,
    grace_min: i64,
    counting: Mutex<Option<(Vec<usize>, Arc<Counting>)>>,
}

impl RuleBook {
    /// A book of the sets that `root` names, taken from those `at_hand`; `home` is the home's own, `nation` the
    /// nation's. What `root` says of a set must be what the set says of itself.
    ///
    /// # Errors
    /// [`RuleBookError`].
    pub fn new(
        at_hand: Vec<RuleSet>,
        root: &RootDocument,
        home: String,
        nation: Option<String>,
    ) -> Result<Self, RuleBookError> {
        let mut at_hand: Vec<(RuleSetEntry, RuleSet)> = at_hand
            .into_iter()
            .map(|set| (RuleSetEntry::of(&set), set))
            .collect();
        let mut sets = Vec::new();
        for entry in &root.rule_sets {
            let found = chosen(&at_hand, entry)?;
            let (own, set) = at_hand.swap_remove(found);
            sets.push(Arc::new(KnownSet {
                set,
                digest: own.digest,
                short_id: entry.short_id,
            }));
        }
        for name in std::iter::once(&home).chain(&nation) {
            if !sets.iter().any(|known| known.set.id().as_str() == name) {
                return Err(RuleBookError::NotNamed(name.clone()));
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
    pub fn for_query(
        &self,
        name: Option<&RuleSetId>,
        at: Minute,
    ) -> Result<Arc<KnownSet>, NodeError> {
        self.in_force(name.map_or(&self.home, RuleSetId::as_str), at)
    }

    /// The set of this name in force at `at`; the nation's for none.
    ///
    /// # Errors
    /// [`Reason::UnknownRuleSet`].
    pub fn for_pass(
        &self,
        name: Option<&RuleSetId>,
        at: Minute,
    ) -> Result<Arc<KnownSet>, NodeError> {
        let name = name.map(RuleSetId::as_str).or(self.nation.as_deref());
        self.in_force(name.ok_or(NodeError::Refused(Reason::UnknownRuleSet))?, at)
    }

    /// The names of those in force at `at`, each once: the nation's first, then by name.
    pub(crate) fn names_in_force(&self, at: Minute) -> Vec<String> {
        let held = self.sets.iter().filter(|k| k.set.validity().holds_at(at));
        let mut names: Vec<String> = held.map(|k| k.set.id().as_str().to_owned()).collect();
        names.sort_by_key(|name| (Some(name) != self.nation.as_ref(), name.clone()));
        names.dedup();
        names
    }

    /// All of them, as the root document names them.
    pub(crate) fn known(&self) -> impl Iterator<Item = &KnownSet> {
        self.sets.iter().map(AsRef::as_ref)
    }

    /// The sets with what says when they count, as the root document names them.
    pub(crate) fn counting_sets(&self) -> Vec<CountingSet> {
        let sets = self.sets.iter().map(|known| CountingSet {
            digest: known.digest,
            announced: known.set.validity().announced,
            until: known.set.validity().until,
        });
        sets.collect()
    }

    /// All of those that count at `at`, as one value.
    pub(crate) fn digest_at(sets: &[CountingSet], grace_min: i64, at: Minute) -> RuleSetsDigest {
        let counting = sets.iter().filter(|set| set.counts_at(at, grace_min));
        let digests: Vec<Fr> = counting.map(|set| set.digest).collect();
        RuleSetsDigest::of(&digests)
    }

    /// Whether both hold the same sets for the same uses.
    pub(crate) fn is_as(&self, other: &Self) -> bool {
        let sets = |book: &Self| -> Vec<_> {
            let ids = book.sets.iter().map(|k| (k.short_id, k.digest));
            ids.collect()
        };
        sets(self) == sets(other)
            && (&self.home, &self.nation, self.grace_min)
                == (&other.home, &other.nation, other.grace_min)
    }

    /// Whether `name` is the home's own set.
    pub fn is_home(&self, name: &str) -> bool {
        name == self.home
    }

    /// What records keep grounds for at `at`.
    pub fn counting_at(&self, at: Minute) -> Arc<Counting> {
        let sets = self.counting_sets();
        let indices: Vec<usize> = (0..)
            .zip(&sets)
            .filter(|(_, set)| set.counts_at(at, self.grace_min))
            .map(|(index, _)| index)
            .collect();
        let mut cached = self.counting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, counting)) = &*cached
            && *of == indices
        {
            return Arc::clone(counting);
        }
        let known = || indices.iter().map(|&i| &self.sets[i]);
        let counting = Arc::new(Counting {
            tables: known().map(|k| k.set.table().clone()).collect(),
            digest: Self::digest_at(&sets, self.grace_min, at),
        });
        *cached = Some((indices, Arc::clone(&counting)));
        counting
    }

    /// The set that another takes the place of, as it stands at `at` or stood before that one came into force: the one in force
    /// of the same province or the nation, else the nation's, with another table.
    pub(crate) fn before(&self, new: &KnownSet, at: Minute) -> Option<&KnownSet> {
        let at = at.min(new.set.validity().from.saturating_add_signed(-1));
        let in_force = |scope| {
            let held = self.sets.iter().filter(move |known| {
                let set = &known.set;
                set.province() == scope && set.validity().holds_at(at) && known.digest != new.digest
            });
            // Of several the one of the same name, then the newest.
            held.max_by_key(|k| {
                (
                    k.set.id() == new.set.id(),
                    k.set.version(),
                    k.set.validity().from,
                )
            })
        };
        let before = in_force(new.set.province()).or_else(|| in_force(ProvinceCode::NATION));
        before.map(AsRef::as_ref)
    }

    /// The set of this name in force at `at`; if none is, its highest version.
    pub(crate) fn newest(&self, name: &str, at: Minute) -> Result<Arc<KnownSet>, NodeError> {
        self.in_force(name, at).or_else(|unknown| {
            let named = self.sets.iter().filter(|k| k.set.id().as_str() == name);
            let newest = named.max_by_key(|k| k.set.version());
            newest.cloned().ok_or(unknown)
        })
    }

    /// The set of this name in force at `at`, in its highest version.
    pub(crate) fn in_force(&self, name: &str, at: Minute) -> Result<Arc<KnownSet>, NodeError> {
        self.sets
            .iter()
            .filter(|k| k.set.id().as_str() == name && k.set.validity().holds_at(at))
            .max_by_key(|k| k.set.version())
            .cloned()
            .ok_or(NodeError::Refused(Reason::UnknownRuleSet))
    }
}

/// Where the set that a root document's entry speaks of stands among those at hand. Two versions of a set can share name
/// and digest and differ in their dates.
fn chosen(
    at_hand: &[(RuleSetEntry, RuleSet)],
    entry: &RuleSetEntry,
) -> Result<usize, RuleBookError> {
    let mut refused = RuleBookError::NotAtHand(entry.name.clone());
    for (index, (own, set)) in at_hand.iter().enumerate() {
        if own.name == entry.name && own.digest == entry.digest {
            match agree(entry, set) {
                Ok(()) => return Ok(index),
                Err(error) => refused = error,
            }
        }
    }
    Err(refused)
}

/// Whether scope and dates of an entry are the set's own.
fn agree(entry: &RuleSetEntry, set: &RuleSet) -> Result<(), RuleBookError> {
    let name = || entry.name.clone();
    let validity = set.validity();
    if entry.scope != set.province() {
        return Err(RuleBookError::Scope {
            name: name(),
            stated: entry.scope,
            own: set.province(),
        });
    }
    if entry.valid_from != validity.from {
        return Err(RuleBookError::ValidFrom {
            name: name(),
            stated: entry.valid_from,
            own: validity.from,
        });
    }
    if entry.superseded_at != Some(validity.until) {
        return Err(RuleBookError::SupersededAt {
            name: name(),
            stated: entry.superseded_at,
            own: validity.until,
        });
    }
    let own = RuleSetEntry::of(set);
    if (entry.version, entry.is_emergency) != (own.version, own.is_emergency) {
        return Err(RuleBookError::Version {
            name: name(),
            stated: version(entry),
            own: version(&own),
        });
    }
    Ok(())
}

fn version(entry: &RuleSetEntry) -> String {
    let flag = if entry.is_emergency { "!" } else { "" };
    format!("{}{flag}", entry.version)
}
