//! Five nodes and two gates, each a process on a host of its own, put through what happens between hosts and to them.
//!
//! It knows the programs by their command lines, files and doors.

mod book;
mod cable;
mod desk;
mod forge;
mod host;
mod keys;
mod load;
mod network;
mod plot;
mod process;
mod programs;
mod realm;
mod report;
mod run;
mod sample;
mod site;
mod stage;
mod watch;

pub use book::{Book, Wrong};
pub use cable::Pace;
pub use host::{Host, Place};
pub use load::{Counts, Load, LoadPace};
pub use network::{Network, Wanted};
pub use plot::{Measure, picture};
pub use programs::Programs;
pub use realm::{Realm, places};
pub use report::{Idle, Report, Spread};
pub use run::{Order, Ran, run};
pub use sample::{Sample, write_table};
pub use site::{GATES, PROVINCES, Pulse, Site};
pub use stage::{Act, Fault, Measures, Stage};
pub use watch::{Books, Watch};
