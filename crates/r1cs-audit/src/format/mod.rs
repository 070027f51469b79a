//! The files that tools outside speak: a system as `.r1cs` (iden3's binary format, version 1), its values as `.wtns`
//! (snarkjs', version 2), its names as `.sym` (circom's).
//!
//! The wires of a [`System`](crate::System) and of these files stand in the same order: the constant one, the public
//! inputs, the rest. The bytes themselves are laid out and taken apart by the crates `r1cs-file` and `wtns-file`. Their
//! readers trust what a file says of itself: they allocate as much as a section claims to hold, and see neither bytes
//! after the end nor coefficients above the modulus nor counts that are wrong. So a file's length, its table of
//! sections and all sizes are checked here before they see it, and its counts and numbers after.

pub mod r1cs;
mod sections;
pub mod sym;
pub mod wtns;

use ark_ff::{BigInteger, PrimeField};

use crate::SystemError;

/// Bytes of a field element in these files: those of the fields of BN254, BLS12-381 and the Pasta curves.
const ELEMENT_BYTES: usize = 32;

/// Longest file that is read, in bytes: five times what a system of 32,000 rows with hashes in it takes.
pub const MAX_FILE_BYTES: usize = 128 << 20;

/// Why a file cannot be read or written; its maker is at fault, and with `Field` and `TooLarge` the caller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// Longer than [`MAX_FILE_BYTES`].
    #[error("{bytes} bytes, and at most {MAX_FILE_BYTES} are read")]
    TooLong {
        /// Length of the file.
        bytes: usize,
    },
    /// The field's elements do not take 32 bytes.
    #[error("elements of this field take {bytes} bytes, and only 32 are written and read")]
    Field {
        /// Bytes that an element takes.
        bytes: usize,
    },
    /// More than the format can count.
    #[error("{count} {what} are more than the format can count")]
    TooLarge {
        /// Wires, rows or terms.
        what: &'static str,
        /// How many.
        count: usize,
    },
    /// The file does not begin with its format's letters.
    #[error("magic: the first four bytes are not \"{0}\"")]
    Magic(&'static str),
    /// Another version of the format.
    #[error("version: {found}, and only {known} is read")]
    Version {
        /// In the file.
        found: u32,
        /// Read here.
        known: u32,
    },
    /// Another number of sections.
    #[error("sections: {found}, and {known} are read")]
    Sections {
        /// In the file.
        found: u32,
        /// Read here.
        known: u32,
    },
    /// A section of a kind that is not known or does not stand there.
    #[error(
        "section {at}: of kind {kind}, which is not known, stands there already or belongs elsewhere"
    )]
    Section {
        /// Its position, from 1.
        at: u32,
        /// Its kind.
        kind: u32,
    },
    /// The file ends within a part.
    #[error("cut short in the {0}")]
    CutShort(&'static str),
    /// A section says that it has another length than its content takes.
    #[error("size of the {section}: {found} bytes, and its content takes {wanted}")]
    Size {
        /// The section.
        section: &'static str,
        /// Bytes it says it has.
        found: u64,
        /// Bytes it ought to have.
        wanted: u64,
    },
    /// Elements of another length.
    #[error("field size: {found} bytes, and only 32 are read")]
    FieldSize {
        /// In the file.
        found: u32,
    },
    /// Another field.
    #[error("prime: the file is over another field")]
    Prime,
    /// A count in the header is not what the file holds or can hold.
    #[error("count of {what}: the header says {said}, and there are {found}")]
    Count {
        /// What is counted.
        what: &'static str,
        /// In the header.
        said: u64,
        /// In the file.
        found: u64,
    },
    /// A number at or above the prime.
    #[error("{0} is not canonical: a number at or above the prime")]
    NotCanonical(String),
    /// A wire's label is not among those counted.
    #[error("label of wire {wire}: {label}, and there are {labels}")]
    Label {
        /// The wire.
        wire: usize,
        /// Its label.
        label: u64,
        /// Labels in the header.
        labels: u64,
    },
    /// The first value is not one.
    #[error("value 0 is not one")]
    Constant,
    /// Bytes after the last section.
    #[error("{0} trailing bytes")]
    Trailing(usize),
    /// Rows that are no system.
    #[error(transparent)]
    System(#[from] SystemError),
}

/// The 32 little-endian bytes of a number below the prime.
fn bytes_of<F: PrimeField>(value: &F) -> Result<[u8; ELEMENT_BYTES], FormatError> {
    fit(&value.into_bigint().to_bytes_le())
}

/// The prime's 32 little-endian bytes.
fn prime<F: PrimeField>() -> Result<[u8; ELEMENT_BYTES], FormatError> {
    fit(&F::MODULUS.to_bytes_le())
}

fn fit(bytes: &[u8]) -> Result<[u8; ELEMENT_BYTES], FormatError> {
    let bytes_len = bytes.len();
    bytes
        .try_into()
        .map_err(|_| FormatError::Field { bytes: bytes_len })
}

/// The element that 32 little-endian bytes name, if they name one.
fn element<F: PrimeField>(bytes: &[u8; ELEMENT_BYTES]) -> Option<F> {
    F::deserialize_compressed(&bytes[..]).ok()
}

fn count(what: &'static str, count: usize) -> Result<u32, FormatError> {
    u32::try_from(count).map_err(|_| FormatError::TooLarge { what, count })
}

/// Refuses a file over the limit before anything of it is looked at.
fn check_length(bytes: &[u8]) -> Result<(), FormatError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(FormatError::TooLong { bytes: bytes.len() });
    }
    Ok(())
}
