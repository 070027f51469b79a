//! What an operator sees of a node: numbers, readiness and the listener that gives both.
//!
//! It knows nothing of residents: every label comes from a closed list, and no number tells a refusal of a pass from a
//! pass (docs/side-channels.md).

mod labels;
mod listener;
mod metrics;
mod process;
mod readiness;
mod sample;
mod settings;
mod store;

pub use listener::MAX_ANSWER_LEN_BYTES;
pub(crate) use listener::listen;
pub use metrics::{Metrics, StoreDisk};
pub use readiness::{Check, Finding, Readiness, State};
pub(crate) use readiness::{Watch, keep_watch};
pub use settings::Observe;
