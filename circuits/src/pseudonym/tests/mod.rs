//! The relation and the rows say the same; every heading and every row is needed.

mod searches;
mod vectors;

use commitment::pseudonym::{Period, Pseudonym, PseudonymInputs, Scope};
use commitment::{Fr, Minute};

use super::scene::{Scene, hospital, pass_binder, pharmacy};
use super::{CHOICES, Heading, PlanError, Refusal, Witness, assign, check, shape};
use crate::clearance::scene::ago;
use crate::opening::scene::{full_record, somebody_else};
use crate::vector::trials;

const STATEMENT: &str = include_str!("../STATEMENT.md");
/// Rows of the proof system's domain.
const DOMAIN_ROWS: usize = 1 << 13;

const PINNED_ROWS: [usize; 6] = [1089, 27, 3718, 802, 262, 1];
const PINNED_CONSTRAINTS: usize = 5_899;
const PINNED_DIGEST: &str = "a828152d0e76b8d71e4d4a826aaa35ddcfae2676a38fd6c970aa01c8b4968d45";

#[test]
fn the_shape_is_pinned() {
    let shape = shape();
    let under: Vec<usize> = Heading::ALL.iter().map(|h| shape.rows_under(*h)).collect();
    assert_eq!(under, PINNED_ROWS, "rows under each heading");
    assert_eq!(
        (shape.constraints(), shape.rows()),
        (PINNED_CONSTRAINTS, PINNED_CONSTRAINTS + 7)
    );
    assert!(shape.rows() <= DOMAIN_ROWS);
    assert_eq!(hex::encode(shape.digest()), PINNED_DIGEST);
}

#[test]
fn registry_and_statement_say_what_the_shape_is() {
    trials::registry_and_statement_say_the_shape::<crate::Pseudonym>(STATEMENT);
}

#[test]
fn every_wire_and_every_row_has_a_name_of_its_own() {
    trials::all_have_names_of_their_own::<crate::Pseudonym>();
}

#[test]
fn the_choices_are_wires_that_there_are_and_the_statement_counts_them() {
    trials::statement_counts_the_choices::<crate::Pseudonym>(&CHOICES, (STATEMENT, "two"));
}

#[test]
fn public_inputs_stand_at_their_positions_in_the_assignment() {
    let (public, witness) = Scene::new().named().unwrap();
    let assignment = assign(&public, &witness);
    assert_eq!(assignment.broken, []);
    assert_eq!(assignment.values[1..=6], public.to_fields());
    assert_eq!(assignment.values.len(), shape().instance + shape().witness);
}

fn pseudonym(scene: &Scene) -> Pseudonym {
    let (public, witness) = scene.named().unwrap();
    assert_eq!(check(&public, &witness), Ok(()));
    assert_eq!(assign(&public, &witness).broken, []);
    public.pseudonym
}

#[test]
fn a_pseudonym_outlasts_record_blinding_place_and_epoch_and_nothing_else() {
    let base = Scene::new;
    let stable = pseudonym(&base());
    for same in [
        Scene {
            record: full_record(),
            ..base()
        },
        Scene {
            blinding: 78,
            ..base()
        },
        Scene {
            leaf_index: 3,
            slot: 20,
            ..base()
        },
        Scene {
            as_of: Minute::MAX,
            ..base()
        },
    ] {
        assert_eq!(pseudonym(&same), stable, "{same:?}");
    }
    for other in [
        Scene {
            scope: pharmacy(),
            ..base()
        },
        Scene {
            period: Period(1),
            ..base()
        },
        Scene { salt: 6, ..base() },
        Scene {
            subject: somebody_else(),
            ..base()
        },
    ] {
        assert_ne!(pseudonym(&other), stable, "{other:?}");
    }
}

#[test]
fn a_head_from_after_the_close_has_no_plan() {
    let scene = Scene {
        head_time: ago(0),
        as_of: ago(1),
        ..Scene::new()
    };
    assert_eq!(scene.named().map(|_| ()), Err(PlanError::HeadAfterClose));
}

/// One registry, one close, one binder: pass and pseudonym are shown together, and the leaf is packed and hashed as there.
#[test]
fn a_leaf_that_clearance_opens_has_a_pseudonym_under_the_passs_own_inputs() {
    use crate::clearance::scene::Scene as Passes;
    let (pass, cleared) = Passes::green().witness().unwrap();
    let (scope, period) = (hospital(), Period::default());
    let public = PseudonymInputs {
        registry_root: pass.registry_root,
        as_of: pass.as_of,
        scope,
        period,
        pseudonym: Pseudonym::new(cleared.identity, scope, period),
        binder: pass.binder,
    };
    let witness = Witness {
        elements: cleared.record.elements(),
        identity: cleared.identity,
        blinding: cleared.blinding,
        leaf: cleared.leaf,
        state_path: cleared.state_path,
        state_root: cleared.state_root,
        head_time: cleared.head_time,
        registry_path: cleared.registry_path,
    };
    assert_eq!(check(&public, &witness), Ok(()));
    assert_eq!(assign(&public, &witness).broken, []);
}

/// What the statement does not say: relation and rows hold for any binder, so which pass a proof belongs to is in the proof alone.
#[test]
fn the_witness_has_no_part_in_the_binder_and_the_scope_is_any_element() {
    let (mut public, witness) = Scene::new().named().unwrap();
    for binder in [pass_binder(8), Fr::from(0u64), -Fr::from(1u64)] {
        public.binder = binder;
        assert_eq!(check(&public, &witness), Ok(()));
        assert_eq!(assign(&public, &witness).broken, []);
    }
    public.scope = Scope::from_element(-Fr::from(1u64));
    let refused = Err(Refusal(Heading::Pseudonym));
    assert_eq!(check(&public, &witness), refused);
    public.pseudonym = Pseudonym::new(witness.identity, public.scope, public.period);
    assert_eq!(check(&public, &witness), Ok(()));
    assert_eq!(assign(&public, &witness).broken, []);
}
