//! What a federation publishes, fetched from its nodes and verified under its root keys: trust list, rule sets, and what the logs
//! of provinces tell of heads, counts and whom a rule set changes.
//!
//! Knows no clock of its own, no page, and nobody who asks: whoever serves [`Public`] says who may.

pub mod by_source;
mod counted;
mod daily;
mod list;
mod log;
mod looking;
mod mirror;
mod problem;
mod service;
pub mod sets;
mod texts;
mod told;
mod watch;

#[cfg(test)]
mod tests;

pub use looking::{Looking, LookingError, LookingFile, NodeAt, NodeFile};
pub use service::Public;
pub use texts::Texts;
pub use watch::{Clock, Watch, Watched};
