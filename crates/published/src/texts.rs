//! The texts of rule sets that are at hand, by the digest of their rows.

use std::collections::BTreeMap;

use commitment::fr_to_bytes;
use rules::{Clearing, Colour, KEYS, Key, Offset, Row, Rule, RuleSet, RuleSetError, Text};
use wire::pass::v1::Colour as WireColour;
use wire::public::v1 as proto;

/// Rule sets in words.
pub struct Texts(BTreeMap<[u8; 32], RuleSet>);

impl Texts {
    /// Those that are built in, and others. Of two with one digest the later one counts.
    ///
    /// # Errors
    /// [`RuleSetError`] if one of those that are built in is none.
    pub fn with(others: impl IntoIterator<Item = RuleSet>) -> Result<Self, RuleSetError> {
        let mut all = BTreeMap::new();
        let mut put = |set: RuleSet| {
            let digest = commitment::rule_digest(set.table());
            all.insert(fr_to_bytes(digest), set);
        };
        for id in RuleSet::BUILT_IN {
            put(RuleSet::built_in(id)?);
        }
        others.into_iter().for_each(put);
        Ok(Self(all))
    }

    pub(crate) fn has(&self, digest: &[u8; 32]) -> bool {
        self.0.contains_key(digest)
    }

    pub(crate) fn get(&self, digest: &[u8; 32]) -> Option<proto::GetRuleTextResponse> {
        self.0.get(digest).map(told)
    }
}

fn told(set: &RuleSet) -> proto::GetRuleTextResponse {
    let lookback = set.table().lookback_hours();
    proto::GetRuleTextResponse {
        title: Some(text(set.title())),
        authority: Some(text(set.authority())),
        source: set.source().to_owned(),
        text_sha256: set.digest_sha256().to_vec(),
        rules: set.rules().iter().map(|rule| rule_of(set, rule)).collect(),
        otherwise: set.otherwise().map(text),
        lookback_hours: [lookback.low, lookback.medium, lookback.high]
            .map(u32::from)
            .to_vec(),
    }
}

fn text(text: &Text) -> proto::Text {
    proto::Text {
        zh: text.zh.clone(),
        en: text.en.clone(),
    }
}

/// A rule with its rows: keys that have the same row stand together.
fn rule_of(set: &RuleSet, rule: &Rule) -> proto::Rule {
    let mut rows: Vec<(&Row, Vec<u32>)> = Vec::new();
    let codes = (0..KEYS).filter_map(|code| Key::from_code(u8::try_from(code).ok()?));
    for key in codes.filter(|key| set.rule_of(*key) == Some(rule)) {
        let row = set.table().row(key);
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, keys)) => keys.push(key.code().into()),
            None => rows.push((row, vec![key.code().into()])),
        }
    }
    proto::Rule {
        rule_id: rule.id.clone(),
        text: Some(text(&rule.text)),
        source: rule.source.clone(),
        rows: rows
            .into_iter()
            .map(|(row, keys)| row_of(row, keys))
            .collect(),
    }
}

fn row_of(row: &Row, keys: Vec<u32>) -> proto::Row {
    let changes = row.first != row.then;
    proto::Row {
        keys,
        first: colour(row.first).into(),
        switch_at: changes.then(|| offset(row.switch)),
        then: colour(row.then).into(),
        lapse: row.lapse.map(offset),
        clearings: row.clearing.iter().flatten().map(clearing).collect(),
    }
}

pub(crate) const fn colour(colour: Colour) -> WireColour {
    match colour {
        Colour::Green => WireColour::Green,
        Colour::Yellow => WireColour::Yellow,
        Colour::Red => WireColour::Red,
    }
}

const fn offset(offset: Offset) -> proto::Offset {
    match offset {
        Offset::Hours(hours) => proto::Offset {
            hours: hours as u32,
            days: 0,
        },
        Offset::Days(days) => proto::Offset {
            hours: 0,
            days: days as u32,
        },
    }
}

fn clearing(clearing: &Clearing) -> proto::Clearing {
    proto::Clearing {
        after: Some(offset(clearing.after)),
        negatives: clearing.negatives.into(),
        gap_hours: clearing.gap_hours.into(),
        span_hours: clearing.span_hours.into(),
        negatives_from_hours: clearing.neg_from_hours.into(),
        check_in_days: clearing.check_in_days.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_that_colours_stands_under_the_rule_that_speaks_of_it() {
        let texts = Texts::with([]).unwrap();
        for id in RuleSet::BUILT_IN {
            let set = RuleSet::built_in(id).unwrap();
            let digest = fr_to_bytes(commitment::rule_digest(set.table()));
            let told = texts.get(&digest).unwrap();
            assert_eq!(told.rules.len(), set.rules().len());
            let rows = told.rules.iter().flat_map(|rule| &rule.rows);
            let mut keys: Vec<u32> = rows.flat_map(|row| row.keys.iter().copied()).collect();
            keys.sort_unstable();
            let colours = |code: &u32| {
                let key = Key::from_code(u8::try_from(*code).unwrap()).unwrap();
                !set.table().row(key).is_inert()
            };
            let all: Vec<u32> = (0..u32::try_from(KEYS).unwrap()).filter(colours).collect();
            assert!(
                all.iter().all(|code| keys.binary_search(code).is_ok()),
                "{id}"
            );
            assert!(
                told.rules
                    .iter()
                    .all(|r| !r.text.as_ref().unwrap().zh.is_empty())
            );
        }
        assert!(texts.get(&[0; 32]).is_none());
    }
}
