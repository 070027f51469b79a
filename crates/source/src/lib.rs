//! What a source of events does with its receipts: whether what it handed in stands in the home's log, the evidence if it does not, and
//! whether it stands in the record that the home committed.
//!
//! What is judged here is judged by a receipt, what it is over, the federation's documents, and what anybody can read: it knows no secret
//! and believes no server. Only [`ask`] speaks to a node, as a source with a certificate.

pub mod ask;
mod judge;
mod opening;
mod reading;

pub use judge::{JudgeError, Judged, State, Trust, judge};
pub use opening::{Judges, OpeningFault, Question, newest_epoch};
pub use reading::{DirectoryLog, HttpLog, LogReader, Unread};
