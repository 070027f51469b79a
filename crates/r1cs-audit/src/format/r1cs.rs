//! `.r1cs`: the rows.
//!
//! What is written says: no public outputs; every public input; all other wires as private inputs, since nothing here
//! tells an input from what follows of it; one label for each wire, with the wire's own number, which is also its number
//! in `.sym`. What is read may have outputs (they count as public, and stand first), fewer private inputs, more labels;
//! it may not have sections of other kinds, such as custom gates.

use ark_ff::PrimeField;
use r1cs_file::{Constraint, Constraints, FieldElement, Header, R1csFile, WireMap};

use super::sections::{Layout, number, take};
use super::{ELEMENT_BYTES, FormatError, bytes_of, check_length, count, element, prime};
use crate::{Row, System, Terms};

const LAYOUT: Layout = Layout {
    magic: "r1cs",
    version: 1,
    sections: &["header", "rows", "labels"],
    in_order: false,
};

/// Bytes of the header: size of an element, the prime, four counts, labels in eight bytes, rows.
const HEADER_BYTES: u64 = 4 + ELEMENT_BYTES as u64 + 4 * 4 + 8 + 4;

type FileTerms = Vec<(FieldElement<ELEMENT_BYTES>, u32)>;

/// The system as a file's bytes; names and bindings are left out.
///
/// # Errors
/// [`FormatError::Field`] for a field whose elements do not take 32 bytes, [`FormatError::TooLarge`] for over 2^32 − 1
/// wires, rows or terms in a row.
pub fn write<F: PrimeField>(system: &System<F>) -> Result<Vec<u8>, FormatError> {
    let wires = count("wires", system.wires())?;
    let public = count("public inputs", system.public())?;
    let rows = system.rows().iter().map(|row| {
        let [a, b, c] = [&row.a, &row.b, &row.c].map(terms_to_file);
        Ok(Constraint(a?, b?, c?))
    });
    let file = R1csFile::<ELEMENT_BYTES> {
        header: Header {
            prime: prime::<F>()?.into(),
            n_wires: wires,
            n_pub_out: 0,
            n_pub_in: public,
            n_prvt_in: wires - 1 - public,
            n_labels: u64::from(wires),
            n_constraints: count("rows", system.rows().len())?,
        },
        constraints: Constraints(rows.collect::<Result<_, FormatError>>()?),
        map: WireMap((0..u64::from(wires)).collect()),
    };
    let mut bytes = Vec::new();
    file.write(&mut bytes).expect("a vector takes all bytes");
    Ok(bytes)
}

fn terms_to_file<F: PrimeField>(terms: &Terms<F>) -> Result<FileTerms, FormatError> {
    count("terms", terms.len())?;
    let term = |(c, wire): &(F, usize)| Ok((bytes_of(c)?.into(), count("wires", *wire)?));
    terms.iter().map(term).collect()
}

/// The system in a file's bytes; wires and rows are named by their numbers.
///
/// # Errors
/// [`FormatError`] naming what is wrong: nothing is repaired or passed over.
pub fn read<F: PrimeField>(bytes: &[u8]) -> Result<System<F>, FormatError> {
    check_length(bytes)?;
    let sections = LAYOUT.split(bytes)?;
    check_header::<F>(sections[0], sections[2].len() as u64)?;
    // Every section lies within the file and has the size that its counts want, so no more is allocated than the
    // file has bytes, times a small factor. What can still be wrong is a row that runs over the end of its section.
    let file = R1csFile::<ELEMENT_BYTES>::read(bytes).map_err(|_| FormatError::CutShort("rows"))?;
    let header = &file.header;
    let said = u64::from(header.n_constraints);
    let found = file.constraints.0.len() as u64;
    if said != found {
        let what = "rows";
        return Err(FormatError::Count { what, said, found });
    }
    let labels = header.n_labels;
    let beyond = file.map.0.iter().enumerate().find(|(_, l)| **l >= labels);
    if let Some((wire, label)) = beyond {
        let label = *label;
        return Err(FormatError::Label {
            wire,
            label,
            labels,
        });
    }
    let rows = file.constraints.0.iter().enumerate().map(|(n, row)| {
        let side = |terms, side| terms_from_file::<F>(terms, n, side);
        Ok(Row {
            a: side(&row.0, "a")?,
            b: side(&row.1, "b")?,
            c: side(&row.2, "c")?,
        })
    });
    let rows = rows.collect::<Result<_, FormatError>>()?;
    let public = header.n_pub_out as usize + header.n_pub_in as usize;
    Ok(System::new(public, header.n_wires as usize, rows)?)
}

/// Checks the header by itself and against the size of the table of labels.
fn check_header<F: PrimeField>(header: &[u8], labels_bytes: u64) -> Result<(), FormatError> {
    let mut rest = header;
    let found = header.len() as u64;
    let section = "header";
    if found != HEADER_BYTES {
        let wanted = HEADER_BYTES;
        return Err(FormatError::Size {
            section,
            found,
            wanted,
        });
    }
    let found = number(&mut rest, section)?;
    if found as usize != ELEMENT_BYTES {
        return Err(FormatError::FieldSize { found });
    }
    if take(&mut rest, section)? != prime::<F>()? {
        return Err(FormatError::Prime);
    }
    let wires = u64::from(number(&mut rest, section)?);
    let outputs = u64::from(number(&mut rest, section)?);
    let public = u64::from(number(&mut rest, section)?);
    let private = u64::from(number(&mut rest, section)?);
    let said = outputs + public + private;
    if said >= wires {
        let what = "inputs and outputs, for which wires besides the constant are needed";
        let found = wires.saturating_sub(1);
        return Err(FormatError::Count { what, said, found });
    }
    if labels_bytes != 8 * wires {
        return Err(FormatError::Size {
            section: "labels",
            found: labels_bytes,
            wanted: 8 * wires,
        });
    }
    Ok(())
}

fn terms_from_file<F: PrimeField>(
    terms: &FileTerms,
    row: usize,
    side: &str,
) -> Result<Terms<F>, FormatError> {
    let term = |(c, wire): &(FieldElement<ELEMENT_BYTES>, u32)| {
        let place = || format!("the coefficient of wire {wire} in row {row}, side {side},");
        let coefficient = element(c).ok_or_else(|| FormatError::NotCanonical(place()))?;
        Ok((coefficient, *wire as usize))
    };
    terms.iter().map(term).collect()
}
