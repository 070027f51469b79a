//! What is said of public inputs and capacities.

use circuits::clearance::PUBLIC_INPUT_NAMES;
use commitment::{PUBLIC_INPUTS, REGISTRY_DEPTH, REGISTRY_SLOTS, RISK_DEPTH, STATE_DEPTH};
use rules::{
    KEYS, MAX_ENTRIES, MAX_INTERVALS, MAX_NEGATIVES, MAX_PERIODS, MAX_RISK_INTERVALS, MAX_ROWS,
    MAX_RUNS, MAX_SLOTS, MAX_STAYS, Minute,
};
use serde::Serialize;

/// A public input of the proof.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Input {
    pub(super) name: &'static str,
    pub(super) meaning: &'static str,
    /// The same in Chinese.
    pub(super) meaning_zh: &'static str,
    /// Who checks what about it.
    pub(super) checked_by: &'static str,
}

/// Meaning, the same in Chinese, and who checks what, in the order of the constraint system.
const SAID: [[&str; 3]; PUBLIC_INPUTS] = [
    [
        "the root over all provinces' tree heads of an epoch, under which the record stands",
        "本期各省状态树根之上的登记树根",
        "a quorum of provinces recomputes it before they sign; a gate takes it from the trust list by the pass's epoch",
    ],
    [
        "the root of the risk map: all places with their dated grades",
        "风险地图之根：全部地点及其分级时段",
        "anybody recomputes it from the published lists (auditor risk-map); a gate takes it from the trust list and refuses a map \
             that was not in force",
    ],
    [
        "the digest of the rule table applied",
        "所用规则表的摘要",
        "anybody recomputes it from the published rules; a gate takes it from the trust list and admits this place's rules or the \
             nation's",
    ],
    [
        "the epoch's closing minute, at which the record is judged",
        "本期截止时刻（分钟），按此时刻判定",
        "a gate takes it from the trust list by the pass's epoch and refuses what is too old",
    ],
    [
        "the bound that is proved: worst colour admitted, and age of a negative test",
        "所证之上界：最差颜色与检测时效",
        "stands in the pass; a gate refuses one that does not reach what is asked there",
    ],
    [
        "who may show the pass, and the hash of its revocation secret",
        "持证绑定：何人可出示，及撤销秘密的哈希",
        "a gate computes it from the pass (and the card that is read), checks the holder's signature over the moment, and \
             looks into the list of revocations",
    ],
];

/// All of them, in the order of the constraint system.
pub(super) fn inputs() -> [Input; PUBLIC_INPUTS] {
    let mut said = SAID.into_iter();
    PUBLIC_INPUT_NAMES.map(|name| {
        let [meaning, meaning_zh, checked_by] = said.next().unwrap_or_default();
        Input {
            name,
            meaning,
            meaning_zh,
            checked_by,
        }
    })
}

/// How much the statement holds of something.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Capacity {
    pub(super) what: &'static str,
    pub(super) what_zh: &'static str,
    pub(super) value: usize,
    /// The constant in the source that has the value.
    pub(super) constant: &'static str,
    /// What it means, or what happens to more.
    pub(super) note: &'static str,
}

const NO_ROOM: &str = "intake refuses a ground for which there is no room";

const fn capacity(
    what: &'static str,
    what_zh: &'static str,
    value: usize,
    constant: &'static str,
    note: &'static str,
) -> Capacity {
    Capacity {
        what,
        what_zh,
        value,
        constant,
        note,
    }
}

/// All capacities, each as the source has it.
pub(super) const CAPACITIES: [Capacity; 15] = [
    capacity(
        "entries of a record",
        "记录条目",
        MAX_ENTRIES,
        "rules::MAX_ENTRIES",
        NO_ROOM,
    ),
    capacity(
        "stays among them",
        "其中停留",
        MAX_STAYS,
        "rules::MAX_STAYS",
        NO_ROOM,
    ),
    capacity(
        "risk intervals that stays lie in",
        "停留所涉风险区间",
        MAX_RISK_INTERVALS,
        "rules::MAX_RISK_INTERVALS",
        NO_ROOM,
    ),
    capacity(
        "dated grades of a place",
        "每地分级时段",
        MAX_PERIODS,
        "rules::MAX_PERIODS",
        "a map with more is refused when it is made",
    ),
    capacity(
        "negative tests",
        "阴性检测",
        MAX_NEGATIVES,
        "rules::MAX_NEGATIVES",
        "the latest are kept",
    ),
    capacity(
        "check-in runs",
        "连续打卡",
        MAX_RUNS,
        "rules::MAX_RUNS",
        "those are kept that can serve, then the latest",
    ),
    capacity(
        "reasons at once",
        "同时成立的理由",
        MAX_SLOTS,
        "rules::MAX_SLOTS",
        NO_ROOM,
    ),
    capacity(
        "keys of a rule table",
        "规则表的键",
        KEYS,
        "rules::KEYS",
        "dense: each key has a row, and there is no default",
    ),
    capacity(
        "distinct rows of a rule table",
        "规则表的不同行",
        MAX_ROWS,
        "rules::MAX_ROWS",
        "a rule set with more is refused when it is compiled",
    ),
    capacity(
        "levels of a state tree",
        "状态树层数",
        STATE_DEPTH,
        "commitment::STATE_DEPTH",
        "eight children each: 134,217,728 records in a slot of the registry",
    ),
    capacity(
        "levels of the registry",
        "登记树层数",
        REGISTRY_DEPTH,
        "commitment::REGISTRY_DEPTH",
        "eight children each: 64 slots",
    ),
    capacity(
        "slots of the registry",
        "登记树席位",
        REGISTRY_SLOTS,
        "commitment::REGISTRY_SLOTS",
        "one for each province; a very large one takes two",
    ),
    capacity(
        "levels of the risk map above pairs",
        "风险地图层数",
        RISK_DEPTH,
        "commitment::RISK_DEPTH",
        "eight children each: 32,768 pairs",
    ),
    capacity(
        "intervals of the risk map",
        "风险地图区间",
        MAX_INTERVALS,
        "rules::MAX_INTERVALS",
        "a map with more is refused when it is made",
    ),
    capacity(
        "last minute of a time",
        "时间上限（分钟）",
        Minute::MAX.get() as usize,
        "rules::Minute::MAX",
        "26 bits of minutes since the beginning of 1970: to the year 2097",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::page::thousands;

    /// The children of a node in every tree.
    const ARITY: usize = 8;

    #[test]
    fn every_input_has_words_of_its_own() {
        let all = inputs();
        for (i, input) in all.iter().enumerate() {
            assert!(input.meaning.len() > 10 && input.checked_by.len() > 10);
            assert!(all[..i].iter().all(|other| other.meaning != input.meaning));
        }
    }

    #[test]
    fn the_notes_on_trees_multiply_out() {
        let notes: Vec<_> = CAPACITIES.iter().map(|c| c.note).collect();
        for (depth, unit) in [
            (STATE_DEPTH, "records"),
            (REGISTRY_DEPTH, "slots"),
            (RISK_DEPTH, "pairs"),
        ] {
            let leaves = ARITY.pow(u32::try_from(depth).unwrap());
            let said = format!("{} {unit}", thousands(leaves));
            assert!(notes.iter().any(|note| note.contains(&said)), "{said}");
        }
        assert_eq!(
            ARITY.pow(u32::try_from(RISK_DEPTH).unwrap()) * 2,
            MAX_INTERVALS
        );
    }
}
