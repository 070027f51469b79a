//! The relation, the rows and the rules say the same; every heading is needed.

mod agreement;
mod attempts;
mod forgeries;
mod form;
mod freedom;
mod vectors;
mod wires;

use std::collections::{BTreeMap, BTreeSet};

use commitment::{Fr, PublicInputs};
use rules::{Claim, Minute, TestAge, WorstColour};

use super::scene::Scene;
use super::{CHOICES, Heading, PUBLIC_INPUT_NAMES, assign, check, names, shape};

#[test]
fn the_green_scene_fulfils_relation_and_rows() {
    let (public, witness) = Scene::green().witness().unwrap();
    assert_eq!(check(&public, &witness), Ok(()));
    let assignment = assign(&public, &witness);
    assert_eq!(assignment.broken, []);
    assert_eq!(shape().first_broken(&assignment.values), None);
    assert_eq!(assignment.values.len(), shape().instance + shape().witness);
    // Nothing of it is empty: every slot but none to spare carries a reason.
    assert!(witness.slots.iter().filter(|s| s.key != 0).count() >= 6);
}

#[test]
fn names_and_values_of_public_inputs_stand_in_one_order() {
    let public = PublicInputs {
        registry_root: Fr::from(101u64),
        risk_root: Fr::from(102u64),
        rule_digest: Fr::from(103u64),
        as_of: Minute::new(104).unwrap(),
        claim: Claim {
            worst: WorstColour::Yellow,
            test_age: TestAge::Hours72,
        },
        binder: Fr::from(106u64),
    };
    let expected = [
        ("registry_root", 101u64),
        ("risk_root", 102),
        ("rule_digest", 103),
        ("as_of", 104),
        ("claim", 7),
        ("binder", 106),
    ];
    let named = std::array::from_fn(|i| (PUBLIC_INPUT_NAMES[i], public.to_fields()[i]));
    assert_eq!(named, expected.map(|(name, value)| (name, Fr::from(value))));
    assert_eq!(names().wires[1..=expected.len()], PUBLIC_INPUT_NAMES);
}

#[test]
fn the_shape_is_pinned() {
    let shape = shape();
    let under: Vec<usize> = Heading::ALL.iter().map(|h| shape.rows_under(*h)).collect();
    assert_eq!(under, PINNED_ROWS, "rows under each heading");
    assert_eq!(
        (shape.constraints(), shape.rows()),
        (PINNED_CONSTRAINTS, PINNED_CONSTRAINTS + 7)
    );
    assert!(shape.rows() <= 1 << 15);
    assert_eq!(hex::encode(shape.digest()), PINNED_DIGEST);
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
    assert_eq!(names.wires[4], "as_of");
    assert!(
        names
            .rows
            .iter()
            .any(|n| n == "Entry key/entry[3]/stay/meeting[2]/met")
    );
    for (name, heading) in names.rows.iter().zip(&shape().headings) {
        assert!(name.starts_with(heading.title()));
    }
}

#[test]
fn the_choices_are_wires_that_there_are_and_the_statement_counts_them() {
    let kind = |name: &String| {
        let mut parts = name.split('[');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |kind, part| {
            kind + "[]" + part.split_once(']').map_or("", |(_, rest)| rest)
        })
    };
    let mut counts: BTreeMap<String, usize> =
        CHOICES.iter().map(|choice| (choice.name(), 0)).collect();
    for name in &names().wires {
        if let Some(count) = counts.get_mut(&kind(name)) {
            *count += 1;
        }
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    assert_eq!(counts.len(), 19);
    let statement = include_str!("../STATEMENT.md");
    let said = format!(
        "those of nineteen kinds, {} in all",
        counts.values().sum::<usize>()
    );
    assert!(statement.contains(&said), "{said}");
}

const PINNED_ROWS: [usize; 14] = [
    1089, 27, 3718, 1582, 1684, 2126, 12204, 3900, 1152, 2464, 2008, 36, 38, 1,
];
const PINNED_CONSTRAINTS: usize = 32_029;
const PINNED_DIGEST: &str = "4893d684dd1a0de6dbff0ea24a43096b6c8141e68f25c969cf19fcb696e90b63";

#[test]
fn registry_and_statement_say_what_the_shape_is() {
    let registry = include_str!("../../../registry.toml");
    for line in [
        format!("constraints = {PINNED_CONSTRAINTS}"),
        format!("rows = {}", shape().rows()),
        format!("witnesses = {}", shape().witness),
        format!("matrix_sha256 = \"{PINNED_DIGEST}\""),
    ] {
        assert!(
            registry.lines().any(|l| l == line),
            "registry.toml lacks {line}"
        );
    }
    let statement = include_str!("../STATEMENT.md");
    for (heading, rows) in Heading::ALL.iter().zip(PINNED_ROWS) {
        let title = heading.title();
        assert!(
            statement.lines().any(|l| l == format!("## {title}")),
            "no heading {title}"
        );
        let rows = rows.to_string();
        let grouped = match rows.len() {
            0..=3 => rows,
            digits => format!("{},{}", &rows[..digits - 3], &rows[digits - 3..]),
        };
        let cell = format!("| {title} | {grouped} |");
        assert!(statement.contains(&cell), "the table lacks {cell}");
    }
}
