//! Systems and values through the files of other tools, and those files damaged.
#![allow(missing_docs)]

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInteger, Field, PrimeField};
use proptest::prelude::*;
use r1cs_audit::format::{FormatError, MAX_FILE_BYTES, r1cs, wtns};
use r1cs_audit::{Row, System, SystemError, Terms};

/// Where the header's content begins: magic, version, number of sections, kind, size.
const HEADER_AT: usize = 4 + 4 + 4 + 4 + 8;
const ROWS_AT: usize = HEADER_AT + 64 + 12;

fn term(c: u64, wire: usize) -> (Fr, usize) {
    (Fr::from(c), wire)
}

fn small() -> System<Fr> {
    let rows = vec![
        Row {
            a: vec![term(1, 2)],
            b: vec![term(1, 2), (-Fr::ONE, 3)],
            c: vec![],
        },
        Row {
            a: vec![term(5, 0), term(7, 4)],
            b: vec![term(1, 0)],
            c: vec![term(1, 1)],
        },
    ];
    System::new(1, 5, rows).unwrap()
}

fn values() -> Vec<Fr> {
    vec![Fr::ONE, Fr::from(3), -Fr::ONE, Fr::from(0)]
}

fn put(bytes: &[u8], at: usize, with: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    bytes
}

#[test]
fn a_system_comes_back_as_it_was_written() {
    let bytes = r1cs::write(&small()).unwrap();
    assert_eq!(r1cs::read(&bytes), Ok(small()));
    let empty = System::<Fr>::new(0, 1, vec![]).unwrap();
    assert_eq!(r1cs::read(&r1cs::write(&empty).unwrap()), Ok(empty));
}

#[test]
fn the_header_says_what_other_tools_look_for() {
    let bytes = r1cs::write(&small()).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let counts = HEADER_AT + 4 + 32;
    assert_eq!(&bytes[..4], b"r1cs");
    assert_eq!(number(HEADER_AT), 32);
    assert_eq!(bytes[HEADER_AT + 4..counts], Fr::MODULUS.to_bytes_le());
    let [wires, outputs, public, private, labels] = [0, 4, 8, 12, 16].map(|at| number(counts + at));
    assert_eq!((wires, outputs, public, private), (5, 0, 1, 3));
    assert_eq!((labels, number(counts + 24)), (5, 2));
}

#[test]
fn values_come_back_as_they_were_written() {
    let bytes = wtns::write(&values()).unwrap();
    assert_eq!(wtns::read(&bytes), Ok(values()));
    assert_eq!(wtns::write(&[Fr::from(2)]), Err(FormatError::Constant));
    assert_eq!(wtns::write::<Fr>(&[]), Err(FormatError::Constant));
}

#[test]
fn outputs_count_as_public_and_labels_may_be_more_than_wires() {
    let bytes = r1cs::write(&small()).unwrap();
    let counts = HEADER_AT + 4 + 32;
    // One output, one public input, two private inputs; 1000 labels.
    let bytes = put(&bytes, counts + 4, &[1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0]);
    let bytes = put(&bytes, counts + 16, &1000u64.to_le_bytes());
    assert_eq!(r1cs::read::<Fr>(&bytes).unwrap().public(), 2);
}

#[test]
fn a_damaged_system_is_refused_by_the_name_of_what_is_damaged() {
    let bytes = r1cs::write(&small()).unwrap();
    let refused = |bytes: &[u8]| r1cs::read::<Fr>(bytes).unwrap_err();
    let at = |at: usize, with: &[u8]| refused(&put(&bytes, at, with));
    let counts = HEADER_AT + 4 + 32;

    assert_eq!(at(0, b"R"), FormatError::Magic("r1cs"));
    assert!(matches!(at(4, &[2]), FormatError::Version { found: 2, .. }));
    assert!(matches!(
        at(8, &[5]),
        FormatError::Sections { found: 5, .. }
    ));
    let custom_gates = FormatError::Section { at: 1, kind: 4 };
    assert_eq!(at(12, &[4]), custom_gates);
    assert_eq!(at(12, &[0]), FormatError::Section { at: 1, kind: 0 });
    let repeated = FormatError::Section { at: 2, kind: 1 };
    assert_eq!(at(ROWS_AT - 12, &[1]), repeated);
    assert_eq!(at(16, &[255; 8]), FormatError::CutShort("header"));
    assert!(matches!(
        at(HEADER_AT, &[8]),
        FormatError::FieldSize { found: 8 }
    ));
    assert_eq!(at(HEADER_AT + 4, &[0]), FormatError::Prime);
    assert_eq!(r1cs::read::<Fq>(&bytes), Err(FormatError::Prime));
    let wires = |n: u32| at(counts, &n.to_le_bytes());
    assert!(matches!(
        wires(4),
        FormatError::Count {
            said: 4,
            found: 3,
            ..
        }
    ));
    assert!(matches!(wires(0), FormatError::Count { found: 0, .. }));
    for many in [6, u32::MAX] {
        let section = "labels";
        let refused = wires(many);
        assert!(
            matches!(refused, FormatError::Size { section: s, found: 40, .. } if s == section),
            "{refused}"
        );
    }
    assert!(matches!(
        at(counts + 8, &[255; 4]),
        FormatError::Count { .. }
    ));
    let labels = at(counts + 16, &[4]);
    assert!(matches!(labels, FormatError::Label { wire: 4, .. }));
    let rows = at(counts + 24, &[3]);
    let (said, found, what) = (3, 2, "rows");
    assert_eq!(rows, FormatError::Count { what, said, found });
    assert_eq!(at(ROWS_AT, &[255; 4]), FormatError::CutShort("rows"));
    let beyond = at(ROWS_AT + 4, &[5]);
    assert!(matches!(
        beyond,
        FormatError::System(SystemError::NoSuchWire { wire: 5, .. })
    ));
    let zero = at(ROWS_AT + 8, &[0; 32]);
    assert!(matches!(zero, FormatError::System(SystemError::Terms(_))));
    let mut longer = bytes.clone();
    longer.extend([0; 3]);
    assert_eq!(refused(&longer), FormatError::Trailing(3));
}

#[test]
fn a_number_at_or_above_the_prime_is_refused_with_its_place() {
    let bytes = r1cs::write(&small()).unwrap();
    for number in [Fr::MODULUS.to_bytes_le(), vec![255; 32]] {
        let refused = r1cs::read::<Fr>(&put(&bytes, ROWS_AT + 8, &number)).unwrap_err();
        let says = refused.to_string();
        assert!(says.contains("wire 2 in row 0, side a"), "{says}");
        let bytes = wtns::write(&values()).unwrap();
        let at = bytes.len() - 32;
        let refused = wtns::read::<Fr>(&put(&bytes, at, &number)).unwrap_err();
        assert_eq!(refused, FormatError::NotCanonical("value 3".to_owned()));
    }
}

#[test]
fn damaged_values_are_refused_by_the_name_of_what_is_damaged() {
    let bytes = wtns::write(&values()).unwrap();
    let refused = |bytes: &[u8]| wtns::read::<Fr>(bytes).unwrap_err();
    let at = |at: usize, with: &[u8]| refused(&put(&bytes, at, with));
    assert_eq!(at(0, b"W"), FormatError::Magic("wtns"));
    assert!(matches!(at(4, &[1]), FormatError::Version { found: 1, .. }));
    assert!(matches!(
        at(8, &[0]),
        FormatError::Sections { found: 0, .. }
    ));
    assert_eq!(at(12, &[2]), FormatError::Section { at: 1, kind: 2 });
    assert!(matches!(
        at(HEADER_AT, &[64]),
        FormatError::FieldSize { .. }
    ));
    assert_eq!(at(HEADER_AT + 4, &[0]), FormatError::Prime);
    let count = at(HEADER_AT + 36, &[255; 4]);
    assert!(matches!(
        count,
        FormatError::Size {
            section: "values",
            found: 128,
            ..
        }
    ));
    assert_eq!(at(HEADER_AT + 52, &[2]), FormatError::Constant);
    assert_eq!(wtns::read::<Fq>(&bytes), Err(FormatError::Prime));
    let longer = [&bytes[..], &[7]].concat();
    assert_eq!(refused(&longer), FormatError::Trailing(1));
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let bytes = vec![0; MAX_FILE_BYTES + 1];
    let refused = FormatError::TooLong { bytes: bytes.len() };
    assert_eq!(r1cs::read::<Fr>(&bytes), Err(refused.clone()));
    assert_eq!(wtns::read::<Fr>(&bytes), Err(refused));
}

#[test]
fn every_file_that_ends_too_early_is_refused() {
    let system = r1cs::write(&small()).unwrap();
    for end in 0..system.len() {
        assert!(r1cs::read::<Fr>(&system[..end]).is_err(), "{end}");
    }
    let witness = wtns::write(&values()).unwrap();
    for end in 0..witness.len() {
        assert!(wtns::read::<Fr>(&witness[..end]).is_err(), "{end}");
    }
}

/// What a flipped bit may leave as it was: the number of private inputs, and labels as long as they are in range.
#[test]
fn every_flipped_bit_that_speaks_of_rows_or_values_is_noticed() {
    let system = r1cs::write(&small()).unwrap();
    let counts = HEADER_AT + 4 + 32;
    let labels_at = system.len() - 5 * 8;
    for bit in 0..8 * system.len() {
        let at = bit / 8;
        let flipped = put(&system, at, &[system[at] ^ 1 << (bit % 8)]);
        let free = (counts + 12..counts + 24).contains(&at) || at >= labels_at;
        let read = r1cs::read::<Fr>(&flipped);
        assert!(free || read != Ok(small()), "byte {at}");
    }
    let witness = wtns::write(&values()).unwrap();
    for bit in 0..8 * witness.len() {
        let at = bit / 8;
        let flipped = put(&witness, at, &[witness[at] ^ 1 << (bit % 8)]);
        assert_ne!(wtns::read::<Fr>(&flipped), Ok(values()), "byte {at}");
    }
}

fn any_terms(wires: usize) -> impl Strategy<Value = Terms<Fr>> {
    let term = (1..=u64::MAX, any::<bool>());
    proptest::collection::btree_map(0..wires, term, 0..6).prop_map(|terms| {
        let element = |(wire, (c, negative)): (usize, (u64, bool))| {
            let c = Fr::from(c);
            (if negative { -c } else { c }, wire)
        };
        terms.into_iter().map(element).collect()
    })
}

fn any_system() -> impl Strategy<Value = System<Fr>> {
    (2..40usize).prop_flat_map(|wires| {
        let row = [any_terms(wires), any_terms(wires), any_terms(wires)]
            .prop_map(|[a, b, c]| Row { a, b, c });
        let rows = proptest::collection::vec(row, 0..20);
        (0..wires, rows).prop_map(move |(public, rows)| System::new(public, wires, rows).unwrap())
    })
}

proptest! {
    #[test]
    fn any_system_comes_back_as_it_was_written(system in any_system()) {
        prop_assert_eq!(r1cs::read(&r1cs::write(&system).unwrap()), Ok(system));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        at in 0..400usize,
    ) {
        let _ = r1cs::read::<Fr>(&bytes);
        let _ = wtns::read::<Fr>(&bytes);
        // Behind a valid beginning, which most random bytes do not have.
        for valid in [r1cs::write(&small()).unwrap(), wtns::write(&values()).unwrap()] {
            let head = &valid[..at.min(valid.len())];
            let joined = [head, &bytes].concat();
            let _ = r1cs::read::<Fr>(&joined);
            let _ = wtns::read::<Fr>(&joined);
            let mut over = valid.clone();
            let start = at.min(over.len());
            for (old, new) in over[start..].iter_mut().zip(&bytes) {
                *old = *new;
            }
            let _ = r1cs::read::<Fr>(&over);
            let _ = wtns::read::<Fr>(&over);
        }
    }
}
