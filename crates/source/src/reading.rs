//! Reading a log: by plain HTTP, or from files that were fetched before.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
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
    host: String,
    port: u16,
    prefix: String,
    runtime: Runtime,
}

impl HttpLog {
    /// The log at `http://host[:port][/prefix]`.
    ///
    /// # Errors
    /// A message for an address that is none.
    pub fn new(address: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{address}: {what}");
        let uri: Uri = address.parse().map_err(|_| wrong("not an address"))?;
        if uri.scheme_str() != Some("http") || uri.query().is_some() {
            return Err(wrong("http://HOST[:PORT][/PREFIX] is needed"));
        }
        let host = uri.host().ok_or_else(|| wrong("no host"))?;
        let runtime = Builder::new_current_thread().enable_all().build();
        Ok(Self {
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(80),
            prefix: uri.path().trim_end_matches('/').to_owned(),
            runtime: runtime.map_err(|error| error.to_string())?,
        })
    }

    async fn get(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, String> {
        let text = |error: hyper::Error| error.to_string();
        // A literal IPv6 address stands in brackets in a URL and without them in a socket's.
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await;
        let stream = stream.map_err(|error| error.to_string())?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(text)?;
        let connection = tokio::spawn(connection);
        let request = Request::get(format!("{}/{path}", self.prefix))
            .header(HOST, format!("{}:{}", self.host, self.port))
            .body(Empty::<Bytes>::new())
            .map_err(|error| error.to_string())?;
        let answer = sender.send_request(request).await.map_err(text)?;
        if answer.status() != StatusCode::OK {
            return Err(format!("answered {}", answer.status()));
        }
        let body = Limited::new(answer.into_body(), limit_bytes);
        let body = body.collect().await;
        connection.abort();
        let body =
            body.map_err(|error| format!("at most {limit_bytes} bytes are read: {error}"))?;
        Ok(body.to_bytes().to_vec())
    }
}

impl LogReader for HttpLog {
    fn read(&self, path: &str, limit_bytes: usize) -> Result<Vec<u8>, Unread> {
        let read = self.runtime.block_on(async {
            let answer = tokio::time::timeout(ANSWER_TIME, self.get(path, limit_bytes)).await;
            answer.unwrap_or_else(|_| Err(format!("no answer in {} s", ANSWER_TIME.as_secs())))
        });
        read.map_err(|what| Unread {
            path: path.to_owned(),
            what,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_no_plain_one_is_refused() {
        assert!(HttpLog::new("http://log.example:7450/zj/").is_ok());
        for bad in [
            "",
            "log.example",
            "https://log.example",
            "http://",
            "http://a/?b=c",
        ] {
            assert!(HttpLog::new(bad).is_err(), "{bad}");
        }
    }

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
