use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use commitment::{Fr, RiskTree};
use risk_list::{FactTable, MapOptions};
use rules::{Minute, RiskMap};

/// Maps kept at hand; only the newest few are ever asked for.
const MAPS_KEPT: usize = 8;

/// The risk map as it was known from one publication to the next.
pub struct RiskInForce {
    map: RiskMap,
    known_at: Option<Minute>,
    tree: OnceLock<RiskTree>,
}

impl RiskInForce {
    fn new(map: RiskMap, known_at: Option<Minute>) -> Self {
        Self {
            map,
            known_at,
            tree: OnceLock::new(),
        }
    }

    /// The map.
    pub fn map(&self) -> &RiskMap {
        &self.map
    }

    /// The publication that it rests on; none where nothing had been published.
    pub fn known_at(&self) -> Option<Minute> {
        self.known_at
    }

    /// Its tree; computed when first asked for.
    pub fn tree(&self) -> &RiskTree {
        self.tree.get_or_init(|| RiskTree::new(&self.map))
    }

    /// The root of its tree.
    pub fn root(&self) -> Fr {
        self.tree().root()
    }
}

/// All published listings that this node knows, and the maps built from them.
pub struct RiskBook {
    facts: Option<FactTable>,
    publications: Vec<Minute>,
    kept: Mutex<Vec<Arc<RiskInForce>>>,
}

impl RiskBook {
    /// A book in which nothing is listed.
    pub fn empty() -> Self {
        Self {
            facts: None,
            publications: Vec::new(),
            kept: Mutex::new(vec![Arc::new(RiskInForce::new(RiskMap::empty(), None))]),
        }
    }

    /// A book of the facts in a table; every map that it can ever give is built once, so that none fails later.
    ///
    /// # Errors
    /// A message saying which map cannot be built.
    pub fn new(facts: FactTable) -> Result<Self, String> {
        let mut publications: Vec<Minute> = facts
            .facts()
            .iter()
            .flat_map(|f| std::iter::once(f.listed).chain(f.released))
            .collect();
        publications.sort_unstable();
        publications.dedup();
        for &at in &publications {
            build(&facts, at)?;
        }
        Ok(Self {
            facts: Some(facts),
            publications,
            kept: Self::empty().kept,
        })
    }

    /// The map as known at `at`.
    pub fn at(&self, at: Minute) -> Arc<RiskInForce> {
        let published = self.publications.partition_point(|p| *p <= at);
        let known_at = published.checked_sub(1).map(|i| self.publications[i]);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = kept.iter().position(|m| m.known_at == known_at) {
            let map = kept.remove(found);
            kept.push(Arc::clone(&map));
            return map;
        }
        let map = match (&self.facts, known_at) {
            (Some(facts), Some(at)) => build(facts, at).expect("built once before"),
            _ => RiskMap::empty(),
        };
        let map = Arc::new(RiskInForce::new(map, known_at));
        if kept.len() >= MAPS_KEPT {
            kept.remove(0);
        }
        kept.push(Arc::clone(&map));
        map
    }
}

fn build(facts: &FactTable, at: Minute) -> Result<RiskMap, String> {
    // Every cosigner and auditor rebuilds the map, so nothing in it may depend on when that happens.
    let options = MapOptions {
        known_at: Some(at),
        horizon: Minute::ZERO,
    };
    match facts.risk_map(options) {
        Ok(built) => Ok(built.map),
        Err(error) => Err(format!("the risk map of minute {}: {error}", at.get())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_knows_only_what_was_published() {
        let book = RiskBook::new(FactTable::august_2022().unwrap()).unwrap();
        let before = book.at(Minute::new(27_000_000).unwrap());
        assert_eq!(before.known_at(), None);
        assert_eq!(before.map(), &RiskMap::empty());
        let first = book.publications[0];
        let early = book.at(first);
        assert_eq!(early.known_at(), Some(first));
        let late = book.at(Minute::MAX);
        assert_ne!(early.map(), late.map());
        assert!(Arc::ptr_eq(&late, &book.at(Minute::MAX)));
    }
}
