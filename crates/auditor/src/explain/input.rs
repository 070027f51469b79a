use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use risk_list::{FactTable, MAX_FACT_BYTES, MapOptions, Register, Resolver, import};
use rules::rule_set::MAX_RULE_SET_LEN_BYTES;
use rules::{AreaCode, Interval, Minute, Record, RiskMap, RuleSet};
use serde::Deserialize;

use crate::files;

/// A record of full capacity takes about 4 kB.
const MAX_RECORD_BYTES: usize = 64 << 10;
/// A map of 65,536 intervals takes about 20 MB.
const MAX_MAP_BYTES: usize = 64 << 20;

/// A built-in rule set, or one read from a file.
pub(crate) fn rule_set(name: &str) -> Result<RuleSet> {
    if RuleSet::BUILT_IN.contains(&name) {
        return Ok(RuleSet::built_in(name)?);
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!(
            "no built-in rule set and no file is called {name}; built in are {}",
            RuleSet::BUILT_IN.join(", ")
        );
    }
    let bytes = files::read(path, MAX_RULE_SET_LEN_BYTES)?;
    let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
    RuleSet::from_toml(&text).with_context(|| format!("{name} is refused"))
}

pub(super) fn record(path: &Path) -> Result<Record> {
    let bytes = files::read(path, MAX_RECORD_BYTES)?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no record", path.display()))
}

/// A map of one's own: what it does not name is unlisted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OwnMap {
    listed: Vec<Interval>,
}

pub(super) fn risk_map(paths: &[PathBuf], at: Minute) -> Result<RiskMap> {
    if let [path] = paths {
        if path.extension().is_some_and(|e| e == "zst") {
            let table = FactTable::read(&files::read(path, MAX_FACT_BYTES)?)
                .with_context(|| format!("{} is refused", path.display()))?;
            return from_facts(&table, at);
        }
        let bytes = files::read(path, MAX_MAP_BYTES)?;
        if let Ok(own) = serde_json::from_slice::<OwnMap>(&bytes) {
            let map =
                fill(own.listed).with_context(|| format!("{} is no risk map", path.display()))?;
            return Ok(map);
        }
    }
    if paths.is_empty() {
        return Ok(RiskMap::empty());
    }
    let lists = files::lists(paths)?;
    let resolver = Resolver::shipped()?;
    from_facts(
        &import(&resolver, &mut Register::new(), &lists, "the files given")?,
        at,
    )
}

fn from_facts(table: &FactTable, at: Minute) -> Result<RiskMap> {
    let options = MapOptions {
        known_at: Some(at),
        horizon: Minute::ZERO,
    };
    Ok(table.risk_map(options)?.map)
}

/// Puts unlisted intervals into the gaps between listed ones, which must ascend.
fn fill(listed: Vec<Interval>) -> Result<RiskMap> {
    let mut all = Vec::with_capacity(2 * listed.len() + 1);
    let mut next = AreaCode::FIRST.packed();
    for interval in listed {
        if interval.from.packed() > next {
            all.push(unlisted(next, interval.from.packed() - 1)?);
        }
        next = interval.last.packed() + 1;
        all.push(interval);
    }
    if next <= AreaCode::LAST.packed() {
        all.push(unlisted(next, AreaCode::LAST.packed())?);
    }
    Ok(RiskMap::new(all)?)
}

fn unlisted(from: u64, last: u64) -> Result<Interval> {
    let from = AreaCode::from_packed(from)?;
    Ok(Interval {
        from,
        last: AreaCode::from_packed(last)?,
        periods: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(text: &str) -> Interval {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_gaps_of_a_map_are_unlisted_and_disorder_is_refused() {
        let a = listed(
            r#"{"from":"330102001/1","last":"330102001/3","periods":[{"grade":"high","since":5,"until":9}]}"#,
        );
        let b = listed(r#"{"from":"330102001/4","last":"330102001/4","periods":[]}"#);
        let map = fill(vec![a.clone(), b.clone()]).unwrap();
        assert_eq!(map.intervals().len(), 4);
        assert_eq!(map.interval_of("330102001/2".parse().unwrap()), &a);
        assert!(
            map.interval_of("350102001".parse().unwrap())
                .periods
                .is_empty()
        );
        assert!(fill(vec![b, a]).is_err());
        assert_eq!(fill(vec![]).unwrap(), RiskMap::empty());
    }
}
