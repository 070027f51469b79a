//! Which root documents a node takes, by what they say of its rule sets.

use node::{RuleBook, RuleBookError};
use rules::{Minute, RuleSet};
use verifier::trust::{RootDocument, RuleSetEntry};

use crate::provers::Checking;
use crate::world::{province, root_document};

const HOME: &str = "fj-2022-08";
const HOME_TOML: &str = include_str!("../../../rules/rule_sets/fj-2022-08.toml");

fn built_in() -> Vec<RuleSet> {
    let names = RuleSet::BUILT_IN.iter();
    names.map(|id| RuleSet::built_in(id).unwrap()).collect()
}

/// A root document that names the built-in sets, with a change to what it says of the home's own.
fn root(change: impl FnOnce(&mut RuleSetEntry)) -> RootDocument {
    let mut root = root_document(Checking::entry()).document().clone();
    let mut entries = root.rule_sets.iter_mut();
    change(entries.find(|entry| entry.name == HOME).unwrap());
    root
}

fn book(at_hand: Vec<RuleSet>, root: &RootDocument) -> Result<RuleBook, RuleBookError> {
    RuleBook::new(at_hand, root, HOME.to_owned(), None)
}

fn refusal(change: impl FnOnce(&mut RuleSetEntry)) -> RuleBookError {
    book(built_in(), &root(change)).err().unwrap()
}

#[test]
fn a_root_document_that_gives_a_rule_set_to_another_province_or_the_nation_is_refused() {
    assert!(book(built_in(), &root(|_| {})).is_ok());
    for code in [0, 33] {
        assert_eq!(
            refusal(|entry| entry.scope = province(code)),
            RuleBookError::Scope {
                name: HOME.to_owned(),
                stated: province(code),
                own: province(35),
            }
        );
    }
}

#[test]
fn a_root_document_with_other_dates_than_a_rule_sets_own_is_refused() {
    let set = RuleSet::built_in(HOME).unwrap();
    let (from, until) = (set.validity().from, set.validity().until);
    for by in [-1, 1] {
        let stated = from.saturating_add_signed(by);
        assert_eq!(
            refusal(|entry| entry.valid_from = stated),
            RuleBookError::ValidFrom {
                name: HOME.to_owned(),
                stated,
                own: from,
            }
        );
    }
    let ends: [Option<Minute>; 3] = [
        None,
        Some(until.saturating_add_signed(-1)),
        Some(until.saturating_add_signed(1)),
    ];
    for stated in ends {
        let error = refusal(|entry| entry.superseded_at = stated);
        let name = HOME.to_owned();
        let own = until;
        assert_eq!(error, RuleBookError::SupersededAt { name, stated, own });
        let said = stated.map_or("no minute".to_owned(), |m| format!("minute {}", m.get()));
        assert!(error.to_string().contains(&said), "{error}");
    }
}

#[test]
fn a_rule_set_that_is_not_at_hand_or_not_named_is_refused() {
    let strange = refusal(|entry| entry.digest += commitment::Fr::from(1));
    assert_eq!(strange, RuleBookError::NotAtHand(HOME.to_owned()));
    let renamed = refusal(|entry| entry.name = "fj-2022-09".to_owned());
    assert_eq!(renamed, RuleBookError::NotAtHand("fj-2022-09".to_owned()));
    let mut without = root(|_| {});
    without.rule_sets.retain(|entry| entry.name != HOME);
    let missing = book(built_in(), &without).err().unwrap();
    assert_eq!(missing, RuleBookError::NotNamed(HOME.to_owned()));
}

#[test]
fn of_two_versions_with_one_table_the_one_with_the_stated_dates_is_taken() {
    let shorter = HOME_TOML.replace("\"2023-01-08\"", "\"2022-12-01\"");
    assert_ne!(shorter, HOME_TOML);
    let shorter = RuleSet::from_toml(&shorter).unwrap();
    let until = shorter.validity().until;
    let at_hand = [built_in(), vec![shorter]].concat();
    let root = root(|entry| entry.superseded_at = Some(until));
    let book = book(at_hand, &root).unwrap();
    let last = until.saturating_add_signed(-1);
    assert!(book.for_query(None, last).is_ok());
    assert!(book.for_query(None, until).is_err());
    let longer = RuleSet::built_in(HOME).unwrap();
    assert!(until < longer.validity().until);
}
