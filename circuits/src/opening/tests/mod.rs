//! The relation, the rows and the record say the same; every heading and every row is needed.

mod agreement;
mod attempts;
mod searches;
mod vectors;

use super::scene::Scene;
use super::{CHOICES, Heading, assign, check, shape};
use crate::Opening;
use crate::opening::scene::a_test;
use crate::vector::trials;

const STATEMENT: &str = include_str!("../STATEMENT.md");

/// Rows of the proof system's domain.
const DOMAIN_ROWS: usize = 1 << 13;

const PINNED_ROWS: [usize; 7] = [3718, 1594, 1456, 262, 114, 193, 32];
const PINNED_CONSTRAINTS: usize = 7_369;
const PINNED_DIGEST: &str = "a5081ea97634fd9daff3ee20ca310cade8994d4313c1be662979c0a3df615591";

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
    trials::registry_and_statement_say_the_shape::<Opening>(STATEMENT);
}

#[test]
fn every_wire_and_every_row_has_a_name_of_its_own() {
    trials::all_have_names_of_their_own::<Opening>();
}

#[test]
fn public_inputs_stand_at_their_positions_in_the_assignment() {
    let (public, witness) = Scene::new().answered(a_test(60)).unwrap();
    assert_eq!(check(&public, &witness), Ok(()));
    let assignment = assign(&public, &witness);
    assert_eq!(assignment.broken, []);
    assert_eq!(assignment.values[1..=6], public.to_fields());
    assert_eq!(assignment.values.len(), shape().instance + shape().witness);
}

#[test]
fn the_choices_are_wires_that_there_are_and_the_statement_counts_them() {
    trials::statement_counts_the_choices::<Opening>(&CHOICES, (STATEMENT, "three"));
}

/// Both statements speak of one leaf: whoever changes how a record is packed changes both or neither.
#[test]
fn a_leaf_that_clearance_opens_is_the_leaf_that_is_opened_here() {
    use crate::clearance::scene::{Scene as ClearanceScene, green_record};
    let (_, cleared) = ClearanceScene::green().witness().unwrap();
    let layout = commitment::record::RecordLayout::from(&green_record());
    assert_eq!(cleared.record, layout);
    let (mut public, mut witness) = Scene::of(green_record()).answered(a_test(300)).unwrap();
    // The same record under the same identity and blinding, opened here.
    witness.identity = cleared.identity;
    witness.blinding = cleared.blinding;
    public.leaf = cleared.leaf;
    public.state_root = cleared.state_root;
    witness.state_path = cleared.state_path;
    // Only whose it is differs: the scenes have different people.
    assert_eq!(assign(&public, &witness).broken, [Heading::Subject]);
}
