//! A province's node: it keeps its residents' signed events, commits them every epoch, and proves passes from them.
//!
//! It knows no gate and no other province's residents, and has no function that sets a colour. Only [`store`] knows a
//! database; only the binary owns a clock and seeds the generator.

mod agreed;
mod appeals;
mod assemble;
mod batches;
mod calls;
mod charter;
mod circuit;
mod clock;
pub mod config;
mod counts;
mod credentials;
mod declare;
mod doors;
mod epoch;
mod error;
mod files;
mod finish;
pub mod forward;
mod fresh;
mod grid;
mod harden;
mod intake;
mod keeping;
mod keys;
mod leave;
mod limits;
mod locks;
pub mod logs;
mod node;
pub mod observe;
mod online;
mod opening;
mod page;
mod passes;
mod past_roots;
mod peers;
mod plain_http;
mod proving;
mod proxies;
mod query;
mod quotas;
mod receipts;
mod recover;
mod refusal;
mod register;
mod registry;
mod residents;
mod retain;
mod revoke;
mod risk_book;
mod rule_book;
mod sample;
mod sample_book;
mod schedule;
mod serve;
mod signed;
mod source_tally;
mod sources;
mod start;
mod terms;
mod trail;
mod transparency;
mod trust_http;
mod upkeep;
mod words;

pub use agreed::AgreedFiles;
pub use appeals::{AppealDecided, EndedAppeal, OwnAppeal};
pub use charter::CharterTaken;
pub use circuit::{describe_circuit, describe_opening_circuit};
pub use clock::{Clock, SimulatedClock, SystemClock};
pub use credentials::FileCredentials;
pub use declare::{CaseState, Contested, Declared};
pub use doors::resident_service;
pub use epoch::ClosedEpoch;
pub use error::NodeError;
pub use files::{write_new_secret, write_private};
pub use fresh::{Reloaded, Watched, keep_fresh};
pub use harden::harden;
pub use intake::{EventAnswer, OfferedEvent, Taken};
pub use keys::{KeyToken, Opener, Sealing, new_identity, read_ring, write_ring};
pub use node::{Node, Parts, Settings};
pub use opening::{OpeningParts, OpeningUnderWay};
pub use page::{PageFiles, PageListener};
pub use passes::{Making, Outcome, Requested, Waiting};
pub use peers::Peers;
pub use proving::{PassProver, ProofFailed, ProofTimes};
pub use proxies::KnownProxy;
pub use query::Status;
pub use quotas::QuotaSettings;
pub use recover::{
    PassedOver, Patience, RecoverError, Recovered, Recovering, WhyNot, is_older_than_signed,
    mark_older,
};
pub use register::{CivilRegister, FileRegister, RegisterUnavailable};
pub use retain::{Retained, retain_every_day};
pub use risk_book::{RiskBook, RiskInForce};
pub use rule_book::{Counting, KnownSet, RuleBook, RuleBookError};
pub use sample::Auditor;
pub use serve::{Listeners, serve};
pub use source_tally::{SourceIntake, SourceTally};
pub use sources::{Source, SourceBook};
pub use start::{Opened, Prepared, StartError};
pub use store::{self, Entropy};
pub use trust_http::trust_list;
pub use upkeep::{
    BackupFile, Fsck, Upkeep, control_channel, fsck, open_control, restore_from, serve_control,
};
