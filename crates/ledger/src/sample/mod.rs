//! The sample of leaves: which of a province's records are opened to auditors, by what others have signed.
//!
//! Whoever keeps records must not choose which of them are looked at, and must not know it before they are committed. So
//! the places are drawn from a cosignature under the registry that holds the province's tree head, by another province: it exists
//! only once the head is fixed, and there is one of each province for an epoch. How many places there are to draw from
//! follows from the tree alone, by the way of its last leaf.

mod draw;
mod ways;

pub use draw::{DRAWS_MAX, SAMPLE_LEAVES, SampleSeed, draw, passed_over};
pub use ways::{Drawn, SampleFault, SampleWays, WAY_LEN_BYTES, way_from_bytes, way_to_bytes};
