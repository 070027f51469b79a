//! What the tests of any circuit ask of its vectors: each is what it says, by relation, rows and matrices; the shipped files are
//! those that the code makes.

use std::collections::{BTreeMap, BTreeSet};

use r1cs_audit::kind_of;

use super::{Body, Fault, MAX_VECTOR_LEN_BYTES, Tried, VectorError, Vectors, broken_headings};
use crate::choice::Choice;
use crate::shape::Shape;

/// A vector that a program has inside it: folder and name, and what stands in it.
type Shipped = (&'static str, &'static str);

/// The registry's line and the statement's table say what the shape is: rows under each heading, counts, digest, inputs.
pub(crate) fn registry_and_statement_say_the_shape<C: Tried>(statement: &str) {
    let registry: toml::Table = toml::from_str(include_str!("../../registry.toml")).unwrap();
    let lines = registry["circuit"].as_array().unwrap();
    let own = lines
        .iter()
        .find(|line| line["name"].as_str() == Some(C::NAME));
    let own = own.expect("a line");
    let shape = C::shape();
    let version = usize::try_from(C::VERSION).unwrap();
    for (what, count) in [
        ("version", version),
        ("constraints", shape.constraints()),
        ("rows", shape.rows()),
        ("witnesses", shape.witness),
    ] {
        assert_eq!(own[what].as_integer(), i64::try_from(count).ok(), "{what}");
    }
    let digest = hex::encode(shape.digest());
    assert_eq!(own["matrix_sha256"].as_str(), Some(&*digest));
    let inputs = own["public_inputs"].as_array().unwrap().iter();
    let inputs: Vec<&str> = inputs.filter_map(toml::Value::as_str).collect();
    assert_eq!(inputs, C::INPUT_NAMES);

    for heading in C::HEADINGS {
        let title = format!("## {heading}");
        assert!(
            statement.lines().any(|l| l == title),
            "no heading {heading}"
        );
        let rows = shape.rows_under(*heading).to_string();
        let grouped = match rows.len() {
            0..=3 => rows,
            digits => format!("{},{}", &rows[..digits - 3], &rows[digits - 3..]),
        };
        let cell = format!("| {heading} | {grouped} |");
        assert!(statement.contains(&cell), "the table lacks {cell}");
    }
}

/// Wires and rows have names of their own, the public inputs theirs, and rows begin with their heading.
pub(crate) fn all_have_names_of_their_own<C: Tried>() {
    let (names, shape) = (C::names(), C::shape());
    for (all, count) in [
        (&names.wires, shape.instance + shape.witness),
        (&names.rows, shape.constraints()),
    ] {
        assert_eq!(all.len(), count);
        let distinct: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        assert_eq!(distinct.len(), count);
    }
    assert_eq!(names.wires[1..shape.instance], *C::INPUT_NAMES);
    for (name, heading) in names.rows.iter().zip(&shape.headings) {
        assert!(name.starts_with(&heading.to_string()), "{name}");
    }
}

/// The choices are wires that there are, and the statement says of how many kinds and how many in all.
pub(crate) fn statement_counts_the_choices<C: Tried>(
    choices: &[Choice<C::Heading>],
    (statement, kinds): (&str, &str),
) {
    let mut counts: BTreeMap<String, usize> =
        choices.iter().map(|choice| (choice.name(), 0)).collect();
    for name in &C::names().wires {
        if let Some(count) = counts.get_mut(&kind_of(name)) {
            *count += 1;
        }
    }
    assert!(counts.values().all(|count| *count > 0), "{counts:?}");
    let said = format!(
        "those of {kinds} kinds, {} in all",
        counts.values().sum::<usize>()
    );
    assert!(statement.contains(&said), "{said}");
}

/// How many vectors are such.
pub(crate) fn count<C: Tried>(vectors: &Vectors<C>, is: impl Fn(&Body<C>) -> bool) -> usize {
    vectors.all().iter().filter(|v| is(&v.body)).count()
}

/// How many reject and how many wire vectors there are of a heading.
pub(crate) fn attempts_under<C: Tried>(vectors: &Vectors<C>, heading: C::Heading) -> [usize; 2] {
    [
        count(
            vectors,
            |b| matches!(b, Body::Reject { heading: h, .. } if *h == heading),
        ),
        count(
            vectors,
            |b| matches!(b, Body::Wires { heading: h, .. } if *h == heading),
        ),
    ]
}

pub(crate) fn accepted_ones_are_fulfilled<C: Tried>(vectors: &Vectors<C>) {
    for vector in vectors.all() {
        if let Body::Accept { public, witness } = &vector.body {
            assert_eq!(C::refuses(public, witness), None, "{}", vector.name);
            let assignment = C::assign(public, witness);
            assert_eq!(assignment.broken, [], "{}", vector.name);
            let broken = C::shape().first_broken(&assignment.values);
            assert_eq!(broken, None, "{}", vector.name);
        }
    }
}

pub(crate) fn rejected_ones_are_refused_under_their_heading_alone<C: Tried>(vectors: &Vectors<C>) {
    let mut wrong = Vec::new();
    for vector in vectors.all() {
        let Body::Reject {
            heading,
            public,
            witness,
            ..
        } = &vector.body
        else {
            continue;
        };
        let relation = C::refuses(public, witness);
        let assignment = C::assign(public, witness);
        let by_rows = if C::malformed(witness).is_some() {
            assignment.broken.first() == Some(heading)
        } else {
            let broken = broken_headings::<C>(&assignment.values);
            assignment.broken == [*heading] && broken == [*heading]
        };
        if relation != Some(*heading) || !by_rows {
            let (name, broken) = (&vector.name, &assignment.broken);
            wrong.push(format!("{name}: {heading:?} {relation:?} {broken:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

pub(crate) fn set_wires_break_rows_of_their_heading_alone<C: Tried>(vectors: &Vectors<C>) {
    let mut wrong = Vec::new();
    for vector in vectors.all() {
        if let Body::Wires { heading, wires, .. } = &vector.body {
            let broken = broken_headings::<C>(&vectors.values(vector).expect("on a base"));
            if broken != [*heading] {
                let (name, count) = (&vector.name, wires.len());
                wrong.push(format!("{name}: {heading:?} {broken:?} {count}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

pub(crate) fn without_a_headings_rows_its_attempts_get_through<C: Tried>(
    vectors: &Vectors<C>,
    shape_without: fn(C::Heading) -> Shape<C::Heading>,
) {
    for heading in C::HEADINGS {
        let shape = shape_without(*heading);
        for vector in vectors.all() {
            let values = match &vector.body {
                // What no prover can state is refused by its form, not by rows.
                Body::Reject {
                    heading: h,
                    public,
                    witness,
                    ..
                } if h == heading && C::malformed(witness).is_none() => {
                    C::assign(public, witness).values
                }
                Body::Wires { heading: h, .. } if h == heading => {
                    vectors.values(vector).expect("on a base")
                }
                _ => continue,
            };
            assert_eq!(shape.first_broken(&values), None, "{}", vector.name);
        }
    }
}

pub(crate) fn shipped_files_are_those_made<C: Tried>(vectors: &Vectors<C>, shipped: &[Shipped]) {
    let made = vectors.write();
    let listed: BTreeSet<&str> = shipped.iter().map(|(path, _)| *path).collect();
    let paths: BTreeSet<&str> = made.iter().map(|f| f.path.as_str()).collect();
    let circuit = C::NAME;
    assert_eq!(
        listed, paths,
        "write them anew with `auditor vectors --circuit {circuit} --write circuits/vectors/{circuit}`, and list them"
    );
    for made in &made {
        assert!(
            file(shipped, &made.path) == made.text,
            "{} is out of date: write it anew",
            made.path
        );
    }
    assert!(made.iter().all(|f| f.text.len() < MAX_VECTOR_LEN_BYTES / 4));
}

pub(crate) fn what_is_written_reads_back<C: Tried>(vectors: &Vectors<C>, shipped: &[Shipped]) {
    let files = shipped.iter().map(|(path, text)| (*path, text.as_bytes()));
    let read = Vectors::<C>::read(files).expect("whole files");
    assert!(read.write() == vectors.write());
    assert_eq!(read.all().len(), vectors.all().len());
    for (a, b) in read.all().iter().zip(vectors.all()) {
        assert!(format!("{a:?}") == format!("{b:?}"), "{}", b.name);
    }
}

/// A shipped file.
pub(crate) fn file(shipped: &[Shipped], path: &str) -> &'static str {
    let found = shipped.iter().find(|(p, _)| *p == path);
    found.expect("shipped").1
}

/// What is wrong with an accept vector in which something is written otherwise.
pub(crate) fn fault<C: Tried>(
    shipped: &[Shipped],
    path: &'static str,
    (from, to): (&str, &str),
) -> Fault {
    let text = file(shipped, path);
    assert!(text.contains(from), "{from}");
    let text = text.replacen(from, to, 1);
    let read = Vectors::<C>::read([(path, text.as_bytes())]);
    let VectorError { fault, .. } = read.map(|_| ()).expect_err("refused");
    fault
}

/// Reads the accept vector that `which` chooses, with a byte changed: reader, relation and rows agree and do not panic.
pub(crate) fn damaged<C: Tried>(
    shipped: &[Shipped],
    (which, at): (&proptest::sample::Index, &proptest::sample::Index),
    byte: u8,
) {
    let accepted: Vec<_> = shipped
        .iter()
        .filter(|(p, _)| p.starts_with("accept/"))
        .collect();
    let (path, text) = accepted[which.index(accepted.len())];
    let mut bytes = text.as_bytes().to_vec();
    let at = at.index(bytes.len());
    bytes[at] = byte;
    if let Ok(read) = Vectors::<C>::read([(*path, &bytes[..])]) {
        for vector in read.all() {
            if let Body::Accept { public, witness } = &vector.body {
                let by_relation = C::refuses(public, witness).is_none();
                assert_eq!(by_relation, C::assign(public, witness).broken.is_empty());
            }
        }
    }
}
