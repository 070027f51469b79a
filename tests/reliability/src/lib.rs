//! What runs of reliability tests share: where an interrupted one stands, and the rows of the report.

pub mod files;
pub mod report;

use anyhow::{Result, bail};
use store::Backend;

/// The database of a name.
///
/// # Errors
/// If there is none.
pub fn backend_of(name: &str) -> Result<Backend> {
    let found = [Backend::Sled, Backend::Redb]
        .into_iter()
        .find(|backend| backend.name() == name);
    match found {
        Some(backend) => Ok(backend),
        None => bail!("there are the backends sled and redb"),
    }
}
