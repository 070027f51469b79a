//! What passes are made from now: for devices, so that they can say how long one is good.

use commitment::{Epoch, Minute};
use verifier::trust::RootDocument;
use verifier::{AcceptanceRule, BinderKind};

use crate::Node;

/// The registry that passes are made from now, and what may be asked of them.
pub(crate) struct PassTerms {
    /// Its epoch.
    pub(crate) epoch: Epoch,
    /// Its closing minute.
    pub(crate) as_of: Minute,
    /// Oldest pass of a device that any profile admits, minutes.
    pub(crate) pass_age_max_min: u32,
    /// Oldest pass of an identity card that any profile admits, minutes.
    pub(crate) card_pass_age_max_min: u32,
    /// Rule sets that passes can be requested under, the nation's first.
    pub(crate) rule_sets: Vec<String>,
}

impl Node {
    /// What passes are made from now; none while there is no registry with a head of this home.
    pub(crate) fn pass_terms(&self) -> Option<PassTerms> {
        let issuing = self.issuing()?;
        let as_of = issuing.statement.as_of();
        let charter = self.charter();
        Some(PassTerms {
            epoch: issuing.statement.epoch(),
            as_of,
            pass_age_max_min: longest(charter.root.document(), |rule| rule.pass_age_max_min),
            card_pass_age_max_min: longest(charter.root.document(), of_card),
            rule_sets: charter.rules.names_in_force(as_of),
        })
    }
}

/// Most minutes that any profile admits a pass for.
fn longest(root: &RootDocument, age_max_min: fn(&AcceptanceRule) -> u32) -> u32 {
    let ages = root.profiles.iter().map(|p| age_max_min(&p.rule));
    ages.max().unwrap_or(0)
}

/// Most minutes that a profile admits a card's pass for; none where it takes no cards.
fn of_card(rule: &AcceptanceRule) -> u32 {
    if rule.binders.contains(BinderKind::Card) {
        rule.card_pass_age_max_min
    } else {
        0
    }
}
