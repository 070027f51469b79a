//! Whole-system tests: what the scenarios under `tests/tests` share. A [`World`] is a federation of three provinces
//! on one machine: its certificates, keys and trust root in a directory, its nodes as processes.
//!
//! Knows nodes and gates from outside only: by their files, their command lines and their doors.

mod callers;
mod console;
mod gate;
mod parameters;
mod people;
mod process;
mod search;
mod world;

pub use callers::{Device, Issued, Source, event_of, fresh_id, operator, peer, refusal};
pub use console::write_console;
pub use gate::{GateFiles, Holder, gate, rule, show, trust_list};
pub use parameters::{circuit, key_cache, key_seed};
pub use people::Person;
pub use process::{Log, NodeProcess};
pub use search::{Search, Sentinels};
pub use world::{PROVINCES, Plan, World, minute, province};
