//! What lies under a path of a node, or why it was not had.

use std::time::Duration;

use plain_http::Origin;

use crate::problem::{Fault, Problem};

/// For a whole answer, so that one that trickles takes no longer than one that is slow.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

pub(crate) async fn get(
    origin: &Origin,
    path: &str,
    limit_bytes: usize,
) -> Result<Vec<u8>, Problem> {
    match origin.get(path, limit_bytes, ANSWER_WITHIN).await {
        Ok(Some(bytes)) => Ok(bytes),
        Ok(None) => Err(Problem::new(Fault::Nothing, path)),
        Err(error) => Err(Problem::fetching(path, &error)),
    }
}
