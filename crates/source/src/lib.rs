//! What a source of events does with its receipts: whether what it handed in stands in the home's log, and the evidence if it
//! does not.
//!
//! It knows no node and no secret: a receipt, what it is over, the federation's root document, and a log that anybody can read.

mod judge;
mod reading;

pub use judge::{JudgeError, Judged, State, Trust, judge};
pub use reading::{DirectoryLog, HttpLog, LogReader, Unread};
