//! Rule sets: the TOML, the linter, the compiled table and its digest.

use std::sync::LazyLock;

use rules::{
    Key, MAX_ROWS, MAX_RULE_SET_LEN_BYTES, Minute, Record, RiskMap, RuleSet, RuleSetError,
    evaluate, within,
};

use crate::bytes::{says, says_within};

const NATION: &str = include_str!("../../../crates/demo/rule_sets/cn-demo-2022-08.toml");
const HANGZHOU: &str = include_str!("../../../crates/rules/rule_sets/hz-2020-02.toml");
const FUJIAN: &str = include_str!("../../../crates/rules/rule_sets/fj-2022-08.toml");

static NATIONS: LazyLock<RuleSet> =
    LazyLock::new(|| RuleSet::from_toml(NATION).expect("the nation's rule set"));

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let set = match RuleSet::from_toml(text) {
        Ok(set) => set,
        Err(error) => return refused(&error, text.len()),
    };
    assert!(text.len() <= MAX_RULE_SET_LEN_BYTES);
    let again = RuleSet::from_toml(text).expect("what was read is read again");
    assert_eq!(again, set);
    table(&set);
    let validity = set.validity();
    assert!(validity.announced <= validity.from && validity.from < validity.until);
    for (nation, province) in [(&*NATIONS, &set), (&set, &*NATIONS), (&set, &set)] {
        for outside in within(nation, province) {
            says(&outside);
        }
    }
}

/// Every key has a row, every row is one that a circuit takes, and the digest tells tables apart.
fn table(set: &RuleSet) {
    let table = set.table();
    assert!(table.rows().len() <= MAX_ROWS);
    for code in 0..=u8::MAX {
        let Some(key) = Key::from_code(code) else {
            continue;
        };
        table.row(key).check().expect("a row that was linted");
        if let Some(rule) = set.rule_of(key) {
            assert!(set.rules().contains(rule) && !rule.text.en.is_empty());
        } else {
            assert!(table.row(key).is_inert(), "a colour that no rule speaks of");
        }
    }
    let same_table = table == NATIONS.table();
    let digest = commitment::rule_digest(table);
    assert_eq!(
        digest == commitment::rule_digest(NATIONS.table()),
        same_table
    );
    let same_set = *set == *NATIONS;
    assert_eq!(set.digest_sha256() == NATIONS.digest_sha256(), same_set);
    let record = Record::new(Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let record = record.expect("an empty record");
    let found = evaluate(&record, table, &RiskMap::empty(), Minute::ZERO);
    let found = found.expect("a colour");
    assert_eq!(found.colour, rules::Colour::Green);
}

fn refused(error: &RuleSetError, len: usize) {
    // A finding stands for each mistake, so many mistakes take many words.
    says_within(error, 4_096 + 64 * len);
    if let RuleSetError::Lint(findings) = error {
        assert!(!findings.is_empty());
        for finding in findings {
            says_within(finding, 4_096 + len);
            assert!(!finding.code().is_empty());
        }
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [NATION, HANGZHOU, FUJIAN, "format = 1\n"]
        .map(|text| text.as_bytes().to_vec())
        .to_vec()
}
