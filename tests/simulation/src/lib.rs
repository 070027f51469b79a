//! A federation's real nodes on a simulated network, in simulated time: what a seed brings, and 34 provinces through a month.
//!
//! It knows nodes by their doors and by what they say of themselves; the network, the clocks and the disks under them are not
//! real, so that they can fail as a seed says.

mod account;
mod acts;
pub mod days;
mod frail;
mod house;
mod look;
mod net;
mod people;
mod realm;
pub mod seeds;
mod time;
mod trapdoor;
mod world;
