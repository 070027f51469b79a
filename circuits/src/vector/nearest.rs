//! Attempts beside the accept vectors from which they differ in the fewest places.

use super::changes::between;
use super::write::whole;
use super::{Body, Tried, Vector, Vectors};

/// A witness that does not fulfil the statement.
pub(crate) struct Attempt<C: Tried> {
    pub(crate) heading: C::Heading,
    pub(crate) name: &'static str,
    pub(crate) tries: &'static str,
    pub(crate) statement: (C::Public, C::Witness),
}

/// Each attempt on the accept vector from which it differs in the fewest places.
pub(crate) fn rejected<C: Tried>(
    accepted: &Vectors<C>,
    attempts: impl Iterator<Item = Attempt<C>>,
) -> Vec<Vector<C>> {
    let bases: Vec<_> = accepted
        .all
        .iter()
        .filter_map(|vector| match &vector.body {
            Body::Accept { public, witness } => Some((&vector.name, whole::<C>(public, witness))),
            _ => None,
        })
        .collect();
    let reject = |attempt: Attempt<C>| {
        let (public, witness) = attempt.statement;
        let itself = whole::<C>(&public, &witness);
        let nearest = bases
            .iter()
            .min_by_key(|(_, base)| between(base, &itself).len());
        Vector {
            name: attempt.name.to_owned(),
            tries: attempt.tries.to_owned(),
            body: Body::Reject {
                heading: attempt.heading,
                base: nearest.map(|(name, _)| (*name).clone()).unwrap_or_default(),
                public,
                witness: Box::new(witness),
            },
        }
    };
    attempts.map(reject).collect()
}
