//! A province's node: it keeps its residents' signed events, commits them every epoch, and proves passes from them.
//!
//! It knows no gate and no other province's residents, and has no function that sets a colour. Only `store` knows a
//! database; only the binary owns a clock and seeds the generator.

mod clock;
mod entropy;
pub mod store;

pub use clock::{Clock, ManualClock, SimulatedClock, SystemClock};
pub use entropy::Entropy;
