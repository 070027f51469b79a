//! The files under `circuits/vectors/opening/`, inside the program. A test compares this list with what the source makes.

use super::Vectors;
use crate::vector::VectorError;

macro_rules! files {
    ($($path:literal)*) => {
        &[$((
            concat!($path, ".json"),
            include_str!(concat!("../../../vectors/opening/", $path, ".json")),
        )),*]
    };
}

/// The shipped files: folder and name, and what stands in it.
#[rustfmt::skip] // one file a line
pub const SHIPPED: &[(&str, &str)] = files! {
};

impl Vectors {
    /// The vectors that the project ships, as they stand in its files.
    ///
    /// # Errors
    /// [`VectorError`] if a file was damaged before this program was built.
    pub fn shipped() -> Result<Self, VectorError> {
        Self::read(SHIPPED.iter().map(|(path, text)| (*path, text.as_bytes())))
    }
}
