//! The TOML of a rule set, format 1: what the author writes, before the linter.

use serde::Deserialize;

use super::Text;
use crate::{Clearing, Colour, FactKind, Grade, Key, LookbackHours, Offset, ProvinceCode, Row};

/// A whole file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleSetFile {
    pub(crate) format: u32,
    pub(crate) id: String,
    pub(crate) version: u32,
    pub(crate) province: ProvinceCode,
    pub(crate) announced: String,
    pub(crate) valid_from: String,
    pub(crate) valid_until: String,
    pub(crate) emergency: bool,
    pub(crate) source: String,
    pub(crate) title: Text,
    pub(crate) authority: Text,
    pub(crate) lookback_hours: LookbackHours,
    pub(crate) otherwise: Option<Text>,
    #[serde(default)]
    pub(crate) rule: Vec<RuleFile>,
    pub(crate) bounds: Option<BoundsFile>,
}

/// A published rule with the cases that it distinguishes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) id: String,
    pub(crate) zh: String,
    pub(crate) en: String,
    pub(crate) source: String,
    pub(crate) case: Vec<Case>,
}

/// A row and the keys that it is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) on: Vec<Pattern>,
    pub(crate) first: Colour,
    pub(crate) switch: Option<Offset>,
    pub(crate) then: Option<Colour>,
    pub(crate) lapse: Option<Offset>,
    #[serde(default)]
    pub(crate) clear: Vec<ClearingFile>,
    /// Says that the colour rises on purpose, so that entries cannot merge.
    #[serde(default)]
    pub(crate) rises: bool,
}

/// A way out; what it does not name it does not ask for.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClearingFile {
    pub(crate) after: Offset,
    #[serde(default)]
    pub(crate) negatives: u8,
    pub(crate) gap_hours: Option<u8>,
    pub(crate) span_hours: Option<u16>,
    pub(crate) neg_from_hours: Option<i16>,
    #[serde(default)]
    pub(crate) check_in_days: u8,
}

/// Keys of facts (`fact`) or of stays (`worst`); a part that is left out stands for all its values.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pattern {
    fact: Option<Vec<FactKind>>,
    ended: Option<bool>,
    pub(crate) local: Option<bool>,
    worst: Option<Vec<Grade>>,
    at_end: Option<Vec<Grade>>,
    present: Option<bool>,
}

/// The nation's bounds on the provinces.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundsFile {
    pub(crate) lookback_hours: LookbackHours,
    #[serde(default)]
    pub(crate) row: Vec<BoundFile>,
}

/// A bound and the keys that it is for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BoundFile {
    pub(crate) on: Vec<Pattern>,
    pub(crate) at_most: Colour,
    pub(crate) at_least: Colour,
    pub(crate) longest: Option<Offset>,
}

impl Pattern {
    /// The keys that it stands for; nothing where it names neither facts nor stays, both, or an empty list.
    pub(crate) fn keys(&self) -> Option<Vec<Key>> {
        let both = |flag: Option<bool>| flag.map_or(vec![false, true], |f| vec![f]);
        let keys = match (&self.fact, &self.worst) {
            (Some(kinds), None) if self.at_end.is_none() && self.present.is_none() => {
                let mut keys = Vec::new();
                for kind in kinds {
                    for ended in both(self.ended) {
                        let locals = both(self.local);
                        keys.extend(locals.into_iter().map(|l| Key::of_fact(*kind, ended, l)));
                    }
                }
                keys
            }
            (None, Some(worst)) if self.ended.is_none() && self.local.is_none() => {
                let at_ends = self.at_end.clone().unwrap_or(Grade::ALL.to_vec());
                let mut keys = Vec::new();
                for worst in worst {
                    for at_end in &at_ends {
                        let presents = both(self.present);
                        keys.extend(
                            presents
                                .into_iter()
                                .map(|p| Key::of_stay(*worst, *at_end, p)),
                        );
                    }
                }
                keys
            }
            _ => return None,
        };
        (!keys.is_empty()).then_some(keys)
    }
}

impl Case {
    /// The row, or what is wrong with its parts.
    pub(crate) fn row(&self) -> Result<Row, &'static str> {
        let (switch, then) = match (self.switch, self.then) {
            (Some(switch), Some(then)) if then != self.first => (switch, then),
            (None, None) => (Offset::ZERO, self.first),
            _ => return Err("switch and then stand together and change the colour"),
        };
        let mut ways = self.clear.iter();
        let mut clearing = [None, None];
        for place in &mut clearing {
            *place = ways.next().map(ClearingFile::clearing).transpose()?;
        }
        if ways.next().is_some() {
            return Err("a row has at most two ways out");
        }
        Ok(Row {
            first: self.first,
            switch,
            then,
            lapse: self.lapse,
            clearing,
        })
    }
}

impl ClearingFile {
    fn clearing(&self) -> Result<Clearing, &'static str> {
        let needs_gap = self.negatives > 1;
        let given = (
            self.neg_from_hours.is_some(),
            self.gap_hours.is_some(),
            self.span_hours.is_some(),
        );
        if given != (self.negatives > 0, needs_gap, needs_gap) {
            return Err(
                "neg_from_hours stands with negatives, gap_hours and span_hours with two or more",
            );
        }
        Ok(Clearing {
            after: self.after,
            negatives: self.negatives,
            gap_hours: self.gap_hours.unwrap_or(1),
            span_hours: self.span_hours.unwrap_or(0),
            neg_from_hours: self.neg_from_hours.unwrap_or(0),
            check_in_days: self.check_in_days,
        })
    }
}
