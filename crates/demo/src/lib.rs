//! The main job on one machine, as processes: three nodes, a gate, and two weeks of August 2022.
//!
//! It knows no proving key and no store: what it shows it has from the nodes' doors and from the checkpoint.

pub mod acts;
pub mod bad_events;
pub mod callers;
pub mod figures;
pub mod gate;
pub mod people;
pub mod programs;
pub mod report;
pub mod rule_sets;
pub mod run;
pub mod scenarios;
pub mod stage;
pub mod story;
pub mod voice;
