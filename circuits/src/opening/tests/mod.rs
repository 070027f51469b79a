//! The relation, the rows and the record say the same; every heading and every row is needed.

mod agreement;
mod attempts;
mod searches;
mod vectors;

use std::collections::{BTreeMap, BTreeSet};

use r1cs_audit::kind_of;

use super::scene::Scene;
use super::{CHOICES, Heading, PUBLIC_INPUT_NAMES, assign, check, names, shape};
use crate::opening::scene::a_test;

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
    let registry: toml::Table = toml::from_str(include_str!("../../../registry.toml")).unwrap();
    let lines = registry["circuit"].as_array().unwrap();
    let own = lines
        .iter()
        .find(|line| line["name"].as_str() == Some("opening"));
    let own = own.expect("a line");
    for (what, count) in [
        ("version", 1),
        ("constraints", PINNED_CONSTRAINTS),
        ("rows", shape().rows()),
        ("witnesses", shape().witness),
    ] {
        assert_eq!(own[what].as_integer(), i64::try_from(count).ok(), "{what}");
    }
    assert_eq!(own["matrix_sha256"].as_str(), Some(PINNED_DIGEST));
    let inputs = own["public_inputs"].as_array().unwrap().iter();
    let inputs: Vec<&str> = inputs.filter_map(toml::Value::as_str).collect();
    assert_eq!(inputs, PUBLIC_INPUT_NAMES);

    let statement = include_str!("../STATEMENT.md");
    for (heading, rows) in Heading::ALL.iter().zip(PINNED_ROWS) {
        let title = format!("## {heading}");
        assert!(
            statement.lines().any(|l| l == title),
            "no heading {heading}"
        );
        let rows = rows.to_string();
        let grouped = match rows.len() {
            0..=3 => rows,
            digits => format!("{},{}", &rows[..digits - 3], &rows[digits - 3..]),
        };
        let cell = format!("| {heading} | {grouped} |");
        assert!(statement.contains(&cell), "the table lacks {cell}");
    }
}

#[test]
fn every_wire_and_every_row_has_a_name_of_its_own() {
    let names = names();
    for (all, count) in [
        (&names.wires, shape().instance + shape().witness),
        (&names.rows, shape().constraints()),
    ] {
        assert_eq!(all.len(), count);
        let distinct: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(distinct.len(), count);
    }
    assert_eq!(names.wires[1..=6], PUBLIC_INPUT_NAMES);
    for (name, heading) in names.rows.iter().zip(&shape().headings) {
        assert!(name.starts_with(heading.title()), "{name}");
    }
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
    let mut counts: BTreeMap<String, usize> =
        CHOICES.iter().map(|choice| (choice.name(), 0)).collect();
    for name in &names().wires {
        if let Some(count) = counts.get_mut(&kind_of(name)) {
            *count += 1;
        }
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    let statement = include_str!("../STATEMENT.md");
    let said = format!(
        "those of three kinds, {} in all",
        counts.values().sum::<usize>()
    );
    assert!(statement.contains(&said), "{said}");
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
