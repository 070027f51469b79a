//! An institution's console: its staff propose what it would state, agree on it as two persons, and the console signs that and
//! hands it to the node.
//!
//! Knows no record, no colour and no resident beyond whom a proposal is about: it lists nobody and looks nobody up. Whoever is
//! signed in has a passkey and the roles that the list of staff names; all that anybody does is an act in a chain.

mod acts;
mod admission;
mod cases;
mod ceremonies;
mod clock;
pub mod config;
mod employ;
mod error;
mod files;
mod naming;
mod node;
mod offices;
mod overview;
mod page;
mod passkeys;
mod program;
mod proposals;
mod public;
mod renewal;
mod sending;
mod service;
mod sessions;
mod staff;
mod statement;
#[cfg(test)]
mod testing;

pub use acts::{ACT_WORDS_LEN_MAX_BYTES, About, ActRow, Entry, Head, Journal, What, walk};
pub use clock::{Clock, SetClock, SimulatedTime, SystemClock};
pub use config::Config;
pub use error::ConsoleError;
pub use program::{Program, StartError, check, new_key};
pub use staff::{Person, Role, Roles, StaffId, StaffList};
