//! Pseudonyms of nobody, of somebody else, or for somebody else, and witnesses of other records and trees.

use commitment::poseidon::{Domain, hash3};
use commitment::pseudonym::{Period, Pseudonym};
use commitment::record::RecordLayout;
use commitment::{Fr, Minute, STATE_DEPTH, Tree};

use super::{Attempt, Statement};
use crate::clearance::scene::{ago, path};
use crate::opening::scene::{full_record, somebody_else};
use crate::pseudonym::scene::{Scene, pharmacy, registered};
use crate::pseudonym::{Heading, Witness};

pub(super) fn attempts() -> Vec<Attempt> {
    let all = [registry(), head_time(), state(), record(), named(), form()];
    all.into_iter().flatten().collect()
}

/// Attempts under one heading.
fn under(heading: Heading, attempts: Vec<(&'static str, &'static str, Statement)>) -> Vec<Attempt> {
    let attempt = |(name, tries, statement)| Attempt {
        heading,
        name,
        tries,
        statement,
    };
    attempts.into_iter().map(attempt).collect()
}

fn honest() -> Statement {
    Scene::new().named().expect("a pseudonym")
}

fn somebody_elses() -> Statement {
    let subject = somebody_else();
    let scene = Scene {
        subject,
        ..Scene::new()
    };
    scene.named().expect("a pseudonym")
}

/// An honest statement with its witness changed.
fn changed(change: impl FnOnce(&mut Witness)) -> Statement {
    let (public, mut witness) = honest();
    change(&mut witness);
    (public, witness)
}

fn registry() -> Vec<Attempt> {
    let one = Fr::from(1u64);
    under(
        Heading::RegistryMembership,
        vec![
            (
                "registry-another-root",
                "A way to another registry root than the public one.",
                {
                    let (mut public, witness) = honest();
                    public.registry_root += one;
                    (public, witness)
                },
            ),
            (
                "registry-another-slot",
                "The tree head said to stand in its neighbour's slot.",
                changed(|w| w.registry_path.index ^= 1),
            ),
            (
                "registry-sibling-changed",
                "Another province's leaf on the way changed.",
                changed(|w| w.registry_path.levels[1][5] += one),
            ),
            (
                "registry-earlier-head",
                "The head said to be of an hour earlier than the registry has it.",
                changed(|w| w.head_time -= 60),
            ),
            (
                "registry-head-never-registered",
                "A tree with somebody else's record, whose head stands in no registry.",
                {
                    let (mut public, witness) = somebody_elses();
                    public.registry_root = honest().0.registry_root;
                    (public, witness)
                },
            ),
        ],
    )
}

fn head_time() -> Vec<Attempt> {
    let late = |head_time: Minute, as_of: Minute| {
        let (mut public, mut witness) = honest();
        let (way, root) = registered(Scene::new().slot, head_time, witness.state_root);
        (public.registry_root, public.as_of) = (root, as_of);
        (witness.registry_path, witness.head_time) = (way, head_time.get());
        (public, witness)
    };
    under(
        Heading::HeadTime,
        vec![
            (
                "head-a-minute-after-the-close",
                "A registered tree head of a minute after the epoch's close.",
                late(ago(0), ago(1)),
            ),
            (
                "head-from-the-end-of-time",
                "A registered tree head of the last minute that there is, in the first epoch.",
                late(Minute::MAX, Minute::ZERO),
            ),
        ],
    )
}

fn state() -> Vec<Attempt> {
    let one = Fr::from(1u64);
    under(
        Heading::StateMembership,
        vec![
            (
                "state-another-position",
                "The leaf said to stand at its neighbour's position.",
                changed(|w| w.state_path.index ^= 1),
            ),
            (
                "state-sibling-changed",
                "A sibling on the way changed.",
                changed(|w| w.state_path.levels[4][6] += one),
            ),
            (
                "state-leaf-not-in-the-tree",
                "A record of somebody else, whose leaf stands in no tree, under somebody else's pseudonym.",
                {
                    let (mut public, honest) = honest();
                    let (other, witness) = somebody_elses();
                    public.pseudonym = other.pseudonym;
                    let witness = Witness {
                        elements: witness.elements,
                        identity: witness.identity,
                        leaf: witness.leaf,
                        ..honest
                    };
                    (public, witness)
                },
            ),
            (
                "state-of-another-province",
                "A way in another province's tree, whose head does not stand in this slot.",
                {
                    let scene = Scene {
                        leaf_index: 7,
                        ..Scene::new()
                    };
                    let (_, other) = scene.named().expect("a pseudonym");
                    changed(|w| w.state_path = other.state_path)
                },
            ),
        ],
    )
}

/// The same with another leaf committed and registered in the place of the record's.
fn committed(leaf: Fr) -> Statement {
    let (mut public, mut witness) = honest();
    let (way, root) = path(Tree::State, STATE_DEPTH, witness.state_path.index, leaf);
    (witness.leaf, witness.state_path, witness.state_root) = (leaf, way, root);
    let (way, root) = registered(Scene::new().slot, Scene::new().head_time, root);
    (witness.registry_path, public.registry_root) = (way, root);
    (public, witness)
}

fn record() -> Vec<Attempt> {
    under(
        Heading::RecordOpening,
        vec![
            (
                "record-somebody-elses-identity",
                "The record opened with somebody else's identity, under whose pseudonym the holder would go.",
                {
                    let (mut public, honest) = honest();
                    let (other, witness) = somebody_elses();
                    public.pseudonym = other.pseudonym;
                    let identity = witness.identity;
                    (public, Witness { identity, ..honest })
                },
            ),
            (
                "record-an-identity-of-ones-own",
                "The record opened with an identity of the prover's making: a new pseudonym for each visit.",
                {
                    let scene = Scene {
                        salt: 4711,
                        ..Scene::new()
                    };
                    let (mut public, honest) = honest();
                    let identity = scene.identity();
                    public.pseudonym = Pseudonym::new(identity, public.scope, public.period);
                    (public, Witness { identity, ..honest })
                },
            ),
            (
                "record-another-blinding",
                "The record opened with another blinding.",
                changed(|w| w.blinding.0 += Fr::from(1u64)),
            ),
            (
                "record-another-record",
                "Other elements than those committed.",
                changed(|w| {
                    w.elements = RecordLayout::from(&full_record()).elements();
                }),
            ),
            (
                "record-elements-exchanged",
                "Two of the committed elements exchanged.",
                changed(|w| w.elements.swap(0, 6)),
            ),
            (
                "record-an-empty-place",
                "An empty place of the tree said to be a record.",
                committed(Fr::from(0u64)),
            ),
            (
                "record-an-inner-node",
                "A node of the tree said to be a record.",
                {
                    let (_, witness) = honest();
                    committed(witness.state_path.levels[3][0])
                },
            ),
        ],
    )
}

fn named() -> Vec<Attempt> {
    let shown = |change: &dyn Fn(&mut Statement)| {
        let mut statement = honest();
        change(&mut statement);
        statement
    };
    let of = |domain, (public, witness): &Statement| {
        let inputs = [
            witness.identity.element(),
            public.scope.element(),
            Fr::from(public.period.0),
        ];
        Pseudonym::from_element(hash3(domain, &inputs))
    };
    under(
        Heading::Pseudonym,
        vec![
            (
                "pseudonym-of-somebody-else",
                "The own record, and somebody else's pseudonym.",
                shown(&|s| s.0.pseudonym = somebody_elses().0.pseudonym),
            ),
            (
                "pseudonym-of-another-scope",
                "The pharmacy's pseudonym at the hospital.",
                shown(&|s| {
                    let (scope, period) = (pharmacy(), s.0.period);
                    s.0.pseudonym = Pseudonym::new(s.1.identity, scope, period);
                }),
            ),
            (
                "pseudonym-of-another-period",
                "The pseudonym of another period.",
                shown(&|s| {
                    let (scope, period) = (s.0.scope, Period(1));
                    s.0.pseudonym = Pseudonym::new(s.1.identity, scope, period);
                }),
            ),
            (
                "pseudonym-under-another-domain",
                "The same three elements hashed as an identity is.",
                shown(&|s| s.0.pseudonym = of(Domain::Identity, s)),
            ),
            (
                "pseudonym-that-is-zero",
                "Nothing at all said to be a pseudonym.",
                shown(&|s| s.0.pseudonym = Pseudonym::from_element(Fr::from(0u64))),
            ),
            (
                "pseudonym-that-is-the-identity",
                "The identity commitment itself: the same in every scope.",
                shown(&|s| s.0.pseudonym = Pseudonym::from_element(s.1.identity.element())),
            ),
        ],
    )
}

fn form() -> Vec<Attempt> {
    let of = |heading, name, tries, change: fn(&mut Witness)| Attempt {
        heading,
        name,
        tries,
        statement: changed(change),
    };
    vec![
        of(
            Heading::RegistryMembership,
            "form-slot-beyond-the-registry",
            "A slot beyond the 64 that there are.",
            |w| w.registry_path.index += 64,
        ),
        of(
            Heading::RegistryMembership,
            "form-registry-way-shortened",
            "A registry of one level.",
            |w| w.registry_path.levels.truncate(1),
        ),
        of(
            Heading::StateMembership,
            "form-state-way-shortened",
            "A state tree of eight levels, whose leaf is a node of nine.",
            |w| {
                w.state_path.levels.remove(0);
                w.state_path.index /= 8;
            },
        ),
        of(
            Heading::StateMembership,
            "form-position-beyond-the-tree",
            "A position beyond the tree's leaves.",
            |w| w.state_path.index |= 1 << 27,
        ),
    ]
}
