//! Proofs shown under other public inputs than they were made for.

use commitment::Minute;
use commitment::pseudonym::{Period, Pseudonym, PseudonymInputs, Scope};

use crate::pseudonym::scene::{pass_binder, pharmacy};
use crate::pseudonym::vector::{Body, Vector, Vectors};

pub(super) fn vectors(accepted: &Vectors) -> Vec<Vector> {
    let of_vector = |name: &str| *accepted.accepted(name).expect("an accept vector").0;
    let shown = |name: &str, tries: &str, change: &dyn Fn(&mut PseudonymInputs)| {
        let mut public = of_vector("at-a-hospital");
        change(&mut public);
        Vector {
            name: name.to_owned(),
            tries: tries.to_owned(),
            body: Body::Shown {
                base: "at-a-hospital".to_owned(),
                public,
            },
        }
    };
    let of = |name| of_vector(name).pseudonym;
    vec![
        shown(
            "shown-with-somebody-elses-pass",
            "A proof of one pass's binder shown with the pass of another key.",
            &|public| public.binder = pass_binder(8),
        ),
        shown(
            "shown-under-somebody-elses-pseudonym",
            "A proof of one's own pseudonym, shown as somebody else's.",
            &|public| public.pseudonym = of("of-somebody-else"),
        ),
        shown(
            "shown-at-another-scope",
            "A proof for the hospital shown at the pharmacy, with the pseudonym that the hospital knows.",
            &|public| public.scope = pharmacy(),
        ),
        shown(
            "shown-at-another-scope-with-its-pseudonym",
            "A proof for the hospital shown at the pharmacy, with the pseudonym there.",
            &|public| (public.scope, public.pseudonym) = (pharmacy(), of("at-a-pharmacy")),
        ),
        shown(
            "shown-in-another-period",
            "A proof without end shown in the first period.",
            &|public| public.period = Period(1),
        ),
        shown(
            "shown-in-another-epoch",
            "A proof under the registry of another epoch.",
            &|public| {
                let later = of_vector("at-a-hospital-a-month-later");
                (public.registry_root, public.as_of) = (later.registry_root, later.as_of);
            },
        ),
        shown(
            "shown-a-minute-later",
            "A proof for one close shown for one of a minute later.",
            &|public| {
                public.as_of = Minute::new(public.as_of.get() + 1).expect("small");
            },
        ),
        shown(
            "shown-with-scope-and-pseudonym-exchanged",
            "Scope and pseudonym the other way round.",
            &|public| {
                let (scope, pseudonym) = (public.scope.element(), public.pseudonym.element());
                public.scope = Scope::from_element(pseudonym);
                public.pseudonym = Pseudonym::from_element(scope);
            },
        ),
    ]
}
