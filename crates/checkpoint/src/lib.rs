//! A checkpoint: reads a code, gives a verdict in two languages, and keeps its trust list fresh.
//!
//! Knows no resident and needs no network to verify: everything that a verdict rests on is the code, the stored trust
//! list, the gate's configuration, the time and the gate's own memory.

mod clock;
mod config;
mod desk;
mod error;
mod exit;
mod page;
mod reading;
mod refresh;
mod service;
mod state;

pub use clock::Clock;
pub use config::{AcceptanceFile, Config, Mirror, Place, Publisher, SimulatedTime, Trust};
pub use desk::Desk;
pub use error::Error;
pub use exit::ExitCode;
pub use gate::{Counts, ListAge, Report, Scanned};
pub use page::serve_page;
pub use reading::{
    MAX_IMAGE_FILE_LEN_BYTES, MAX_IMAGE_SIDE_PX, MAX_INPUT_TEXT_LEN_BYTES, read_code, read_image,
};
pub use refresh::{Answer, Offered, Taken, ask, ask_through, take};
pub use service::{GateService, RandomBytes, serve};
pub use state::StateDir;
