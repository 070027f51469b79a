//! Small relations in rows; where a native meaning exists, it has its twin in `commitment`.

pub mod bits;
pub mod leaf;
pub mod merkle;
pub mod mux;
pub mod poseidon;
#[cfg(test)]
mod weakened;
