//! Whole-system scenarios: real nodes, sources, devices and gates, over their doors.

mod crash;
mod disk;
mod doors;
mod leak;
mod story;
mod trust;
mod unlinkable;

/// The node's program.
const NODE: &str = env!("CARGO_BIN_EXE_viridian-node");
/// The checkpoint's program.
const CHECKPOINT: &str = env!("CARGO_BIN_EXE_viridian-checkpoint");
