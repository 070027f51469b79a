//! `.wtns`: a value for each wire.

use ark_ff::PrimeField;
use wtns_file::{FieldElement, WtnsFile};

use super::sections::{Layout, number, take};
use super::{ELEMENT_BYTES, FormatError, bytes_of, check_length, count, element, prime};

const LAYOUT: Layout = Layout {
    magic: "wtns",
    version: 2,
    sections: &["header", "values"],
    // The library reads the header first, as every writer writes it.
    in_order: true,
};

/// Bytes of the header: size of an element, the prime, the number of values.
const HEADER_BYTES: u64 = 4 + ELEMENT_BYTES as u64 + 4;

/// The values as a file's bytes.
///
/// # Errors
/// [`FormatError::Field`] for a field whose elements do not take 32 bytes, [`FormatError::TooLarge`] for over 2^32 − 1
/// values, [`FormatError::Constant`] if the first is not one.
pub fn write<F: PrimeField>(values: &[F]) -> Result<Vec<u8>, FormatError> {
    count("values", values.len())?;
    if values.first() != Some(&F::ONE) {
        return Err(FormatError::Constant);
    }
    let element = |value: &F| Ok(FieldElement::from(bytes_of(value)?));
    let elements = values.iter().map(element);
    let elements = elements.collect::<Result<Vec<_>, FormatError>>()?;
    let mut file = WtnsFile::<ELEMENT_BYTES>::from_vec(elements, prime::<F>()?.into());
    // The library's own number is 1, which is older than what snarkjs writes; the layout is the same.
    file.version = LAYOUT.version;
    let mut bytes = Vec::new();
    file.write(&mut bytes).expect("a vector takes all bytes");
    Ok(bytes)
}

/// The values in a file's bytes.
///
/// # Errors
/// [`FormatError`] naming what is wrong: nothing is repaired or passed over.
pub fn read<F: PrimeField>(bytes: &[u8]) -> Result<Vec<F>, FormatError> {
    check_length(bytes)?;
    let sections = LAYOUT.split(bytes)?;
    check_header::<F>(sections[0], sections[1].len() as u64)?;
    // No more values are announced than the file has, so no more is allocated than it has bytes.
    let file =
        WtnsFile::<ELEMENT_BYTES>::read(bytes).map_err(|_| FormatError::CutShort("values"))?;
    let value = |(wire, bytes): (usize, &FieldElement<ELEMENT_BYTES>)| {
        element(bytes).ok_or_else(|| FormatError::NotCanonical(format!("value {wire}")))
    };
    let values = file.witness.0.iter().enumerate().map(value);
    let values = values.collect::<Result<Vec<F>, _>>()?;
    if values.first() != Some(&F::ONE) {
        return Err(FormatError::Constant);
    }
    Ok(values)
}

fn check_header<F: PrimeField>(header: &[u8], values_bytes: u64) -> Result<(), FormatError> {
    let size = |section, found, wanted| FormatError::Size {
        section,
        found,
        wanted,
    };
    let section = "header";
    let found = header.len() as u64;
    if found != HEADER_BYTES {
        return Err(size(section, found, HEADER_BYTES));
    }
    let mut rest = header;
    let found = number(&mut rest, section)?;
    if found as usize != ELEMENT_BYTES {
        return Err(FormatError::FieldSize { found });
    }
    if take(&mut rest, section)? != prime::<F>()? {
        return Err(FormatError::Prime);
    }
    let said = u64::from(number(&mut rest, section)?);
    if values_bytes != said * ELEMENT_BYTES as u64 {
        let wanted = said * ELEMENT_BYTES as u64;
        return Err(size("values", values_bytes, wanted));
    }
    Ok(())
}
