//! The desk of a gate: trust list, memory and counts together, and the one place where a verdict is asked for and put into
//! words. The checkpoint's program and its page in a browser are built around the same desk.
//!
//! Knows no disk, no network, no clock and no random numbers: what it needs of them is handed in.

mod desk;
mod report;
mod temperature;

pub use desk::{Counts, Desk, Scanned, Setting, UnknownProfile};
pub use report::{ListAge, Report, list_text, rule_json};
pub use temperature::{NoTemperature, Temperature, TemperatureLimit};
