//! Proofs shown under other public inputs than they were made for.

use commitment::{BinderKind, PublicInputs, RiskTree, binder};
use rules::{RiskMap, RuleSet, TestAge, WorstColour};

use super::DAY;
use crate::clearance::vector::{Body, Vector, Vectors};

pub(super) fn vectors(accepted: &Vectors) -> Vec<Vector> {
    let shown = |name: &str, tries: &str, base: &str, change: &dyn Fn(&mut PublicInputs)| {
        let (public, _) = accepted.accepted(base).expect("an accept vector");
        let mut public = *public;
        change(&mut public);
        Vector {
            name: name.to_owned(),
            tries: tries.to_owned(),
            body: Body::Shown {
                base: base.to_owned(),
                public,
            },
        }
    };
    let fujian = RuleSet::built_in("fj-2022-08").expect("built in");
    let of_epoch = |name| {
        accepted
            .accepted(name)
            .expect("an accept vector")
            .0
            .registry_root
    };
    vec![
        shown(
            "shown-by-another-holder",
            "The binder of another holder, who has the proof and not the key.",
            "green",
            &|public| public.binder = binder(BinderKind::Device, &[7; 33], &[9; 16]),
        ),
        shown(
            "shown-a-day-later",
            "A proof of today said to be one of tomorrow.",
            "green",
            &|public| {
                let later = public.as_of.get() + DAY;
                public.as_of = rules::Minute::new(later).expect("small");
            },
        ),
        shown(
            "shown-in-another-epoch",
            "A proof under the registry root of another epoch.",
            "green",
            &|public| public.registry_root = of_epoch("empty-record"),
        ),
        shown(
            "shown-under-other-rules",
            "A proof under the digest of another rule set.",
            "green",
            &|public| public.rule_digest = commitment::rule_digest(fujian.table()),
        ),
        shown(
            "shown-under-another-map",
            "A proof under the root of another risk map.",
            "green",
            &|public| public.risk_root = RiskTree::new(&RiskMap::empty()).root(),
        ),
        shown(
            "shown-with-roots-exchanged",
            "Registry root and risk root in each other's place.",
            "green",
            &|public| {
                (public.registry_root, public.risk_root) = (public.risk_root, public.registry_root);
            },
        ),
        shown(
            "shown-as-green",
            "A proof of \"not red\" said to be one of \"green\".",
            "open-yellow",
            &|public| public.claim.worst = WorstColour::Green,
        ),
        shown(
            "shown-with-a-younger-test",
            "A proof of a test of 72 hours said to be one of 24 hours.",
            "test-age-72-hours",
            &|public| public.claim.test_age = TestAge::Hours24,
        ),
        shown(
            "shown-with-a-test",
            "A proof in which no test was asked for said to be one of a test of 24 hours.",
            "empty-record",
            &|public| public.claim.test_age = TestAge::Hours24,
        ),
    ]
}
