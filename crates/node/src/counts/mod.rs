//! What a node publishes of its residents as a whole: of each day how many had which colour by which rule, and how much each
//! source stated at its discretion; of each rule set that is announced, whom it would change. docs/adr/0019 says by which rule.
//!
//! A number is durable, together with its entry of the log, before anybody sees it, and is made once: two numbers of one day
//! would tell more than either.

mod appeals;
mod book;
mod daily;
mod http;
mod impact;
mod left;
mod settings;
mod tally;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use wire::Reason;

use crate::{Node, NodeError};

pub(crate) use book::{CountBook, day_row_of};
pub(crate) use http::{counts_json, is_counts_path};
pub(crate) use left::Left;
pub use settings::Counts;

/// How often is looked whether something is to be counted.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Time after a failure, doubled with each: it may have read all residents, and do so again.
const REST_FIRST: Duration = Duration::from_mins(1);
const REST_MOST: Duration = Duration::from_hours(1);

impl Node {
    /// Counts what is due: the effect of every rule set that is announced and was not counted, and the day before this one.
    ///
    /// # Errors
    /// [`NodeError::Store`]; [`Reason::Draining`] when the node ends meanwhile. What was counted until then stays.
    pub fn count_due(&self) -> Result<(), NodeError> {
        // One that fails does not keep the other away.
        let impacts = self.count_impacts();
        self.count_yesterday().and(impacts)
    }
}

/// Counts as it is due, for as long as it is polled.
pub(crate) async fn count_as_due(node: Arc<Node>) {
    let mut rest = REST_FIRST;
    loop {
        let at = Arc::clone(&node);
        match tokio::task::spawn_blocking(move || at.count_due()).await {
            Ok(Ok(()) | Err(NodeError::Refused(Reason::Draining))) => {
                rest = REST_FIRST;
                tokio::time::sleep(LOOK_EVERY).await;
                continue;
            }
            Ok(Err(error)) => {
                let error = error.for_operator();
                tracing::error!(%error, "what is due to be counted and published is not");
            }
            Err(_) => tracing::error!("the job that counts died"),
        }
        tokio::time::sleep(rest).await;
        rest = REST_MOST.min(rest * 2);
    }
}
