//! Reading a log: by plain HTTP, or from files that were fetched before.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use plain_http::Origin;
use tokio::runtime::{Builder, Runtime};

/// Time for one answer.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Something of a log that could not be read; whoever serves it, or the way to it, is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {what}")]
pub struct Unread {
    /// What was asked for.
    pub path: String,
    /// What went wrong.
    pub what: String,
}

/// Gives what a log has under a path, such as `checkpoint` or `tile/0/000`.
pub trait LogReader {
    /// At most `limit_bytes` bytes.
    ///
    /// # Errors
    /// [`Unread`], also for more bytes.
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread>;
}

/// A log in a directory, each path a file.
pub struct DirectoryLog(pub PathBuf);

impl LogReader for DirectoryLog {
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
        let unread = |what: String| Unread {
            path: path.to_owned(),
            what,
        };
        let file = File::open(self.0.join(path)).map_err(|error| unread(error.to_string()))?;
        let mut bytes = Vec::new();
        let mut limited = file.take(limit_bytes as u64 + 1);
        limited
            .read_to_end(&mut bytes)
            .map_err(|error| unread(error.to_string()))?;
        if bytes.len() > limit_bytes {
            return Err(unread(format!("more than {limit_bytes} bytes")));
        }
        Ok(bytes)
    }
}

/// A log by plain HTTP. What is read is checked against signatures, so that the way to it need not be trusted.
pub struct HttpLog {
    origin: Origin,
    runtime: Runtime,
}

impl HttpLog {
    /// The log at `http://host[:port][/prefix]`.
    ///
    /// # Errors
    /// A message for an address that is none.
    pub fn new(address: &str) -> Result<Self, String> {
        let origin = Origin::new(address).map_err(|error| format!("{address}: {error}"))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            origin,
            runtime: runtime.map_err(|error| error.to_string())?,
        })
    }
}

impl LogReader for HttpLog {
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
        let unread = |what: String| Unread {
            path: path.to_owned(),
            what,
        };
        let fetched = self.origin.get(path, limit_bytes, ANSWER_TIME);
        let answer = self.runtime.block_on(fetched);
        let answer = answer.map_err(|error| unread(error.to_string()))?;
        answer.ok_or_else(|| unread("nothing is there".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("checkpoint"), [b'x'; 11]).unwrap();
        let log = DirectoryLog(dir.path().to_owned());
        assert_eq!(log.read("checkpoint", 11).unwrap().len(), 11);
        assert!(log.read("checkpoint", 10).unwrap_err().what.contains("10"));
        assert!(log.read("keys", 10).is_err());
    }
}
