//! Pseudonyms.

use commitment::pseudonym::Period;
use commitment::{Fr, Minute, Tree, node_hash, registry_leaf};
use rules::Record;

use super::{Body, DAY, Statement, Vector};
use crate::clearance::scene::ago;
use crate::opening::scene::{full_record, somebody_else};
use crate::pseudonym::scene::{Scene, pharmacy};

/// A pseudonym.
pub(super) struct Accepted {
    pub(super) name: &'static str,
    tries: &'static str,
    scene: Scene,
    /// What is done to the registry around the head.
    around: fn(&mut Statement),
}

impl Accepted {
    pub(super) fn statement(&self) -> Statement {
        let mut statement = self.scene.named().expect(self.name);
        (self.around)(&mut statement);
        statement
    }

    pub(super) fn vector(self) -> Vector {
        let (public, witness) = self.statement();
        Vector {
            name: self.name.to_owned(),
            tries: self.tries.to_owned(),
            body: Body::Accept {
                public,
                witness: Box::new(witness),
            },
        }
    }
}

/// The scene a month later: another record, blinding, place in time, and the same pseudonym.
fn a_month_later() -> Scene {
    Scene {
        record: full_record(),
        blinding: 78,
        as_of: Minute::new(ago(0).get() + 30 * DAY).expect("small"),
        head_time: Minute::new(ago(3).get() + 30 * DAY).expect("small"),
        ..Scene::new()
    }
}

pub(super) fn all() -> Vec<Accepted> {
    let of = |name, tries, scene| Accepted {
        name,
        tries,
        scene,
        around: |_| {},
    };
    let base = Scene::new;
    vec![
        of(
            "at-a-hospital",
            "What a resident is called at a hospital, without end.",
            base(),
        ),
        of(
            "at-a-hospital-a-month-later",
            "The same resident there with another record, in another epoch: the same pseudonym.",
            a_month_later(),
        ),
        of(
            "at-a-pharmacy",
            "The same resident at a pharmacy: another pseudonym.",
            Scene {
                scope: pharmacy(),
                ..base()
            },
        ),
        of(
            "in-the-last-period",
            "The same resident at the hospital in the last period that there is.",
            Scene {
                period: Period(u32::MAX),
                ..base()
            },
        ),
        of(
            "after-coming-back",
            "The same resident after leaving and coming back: another salt, another place, another pseudonym.",
            Scene {
                salt: 6,
                leaf_index: 12_345_679,
                ..base()
            },
        ),
        of(
            "of-somebody-else",
            "Somebody else under the same salt.",
            Scene {
                subject: somebody_else(),
                ..base()
            },
        ),
        of(
            "empty-record-first-places",
            "An empty record at the first leaf, the province in the first slot, its head as old as can be.",
            Scene {
                record: Record::default(),
                leaf_index: 0,
                slot: 0,
                head_time: Minute::ZERO,
                ..base()
            },
        ),
        of(
            "full-record-last-places",
            "A full record at the last leaf, the province in the last slot, its head of the closing minute, at the end of time.",
            Scene {
                record: full_record(),
                leaf_index: (1 << 27) - 1,
                slot: 63,
                head_time: Minute::MAX,
                as_of: Minute::MAX,
                ..base()
            },
        ),
        Accepted {
            name: "registry-of-made-up-leaves",
            tries: "A registry in which the head of slot 5 stands at position 6, too, and at position 1 a number that is no leaf.",
            scene: Scene { slot: 5, ..base() },
            around: |(public, w)| {
                let children = &mut w.registry_path.levels[0];
                children[6] = children[5];
                // Half way between position 0 and what slot 2 would have as its leaf.
                let head_time = Minute::new(w.head_time).expect("26 bits");
                let of_slot_two = registry_leaf(2, head_time, w.state_root);
                children[1] = (children[0] + of_slot_two) / Fr::from(2u64);
                let [lower, upper] = &mut w.registry_path.levels[..] else {
                    unreachable!("two levels")
                };
                upper[0] = node_hash(Tree::Registry, lower);
                public.registry_root = node_hash(Tree::Registry, upper);
            },
        },
    ]
}
