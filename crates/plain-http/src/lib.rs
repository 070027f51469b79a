//! Fetches what lies under a path of a plain-HTTP server: one connection for each answer, with limits of size and time, and no
//! redirect followed.
//!
//! Knows nothing of what it fetches. Whoever asks holds the answer against signatures: the way to it is not trusted.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

/// Time for a connection, of the time for the answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// Why an address is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// It does not parse.
    #[error("not a URL")]
    NotUrl,
    /// Another scheme.
    #[error("must begin with http://; what is read is believed for its signatures")]
    NotPlain,
    /// Something behind a question mark.
    #[error("has a query")]
    Query,
    /// No host.
    #[error("names no host")]
    NoHost,
    /// A user before the host.
    #[error("names a user; nothing there is secret")]
    User,
    /// A port that is no number of 16 bits.
    #[error("has a port that is none")]
    Port,
}

/// Why there is no answer; the server or the way to it is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// It took too long.
    #[error("no answer within {} s", .0.as_secs())]
    Late(Duration),
    /// No connection.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// Not HTTP, or cut short.
    #[error("{0}")]
    Http(String),
    /// Neither there nor known not to be.
    #[error("HTTP {0}")]
    Status(u16),
    /// Longer than asked for.
    #[error("more than {0} bytes")]
    TooLong(usize),
}

/// A server at `http://host[:port]`, perhaps with a path before everything that is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// As it stands in the URL.
    authority: String,
    host: String,
    port: u16,
    prefix: String,
}

impl Origin {
    /// The server of a URL.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn new(url: &str) -> Result<Self, AddressError> {
        let uri: Uri = url.parse().map_err(|_| AddressError::NotUrl)?;
        if uri.scheme_str() != Some("http") {
            return Err(AddressError::NotPlain);
        }
        if uri.query().is_some() {
            return Err(AddressError::Query);
        }
        let authority = uri.authority().ok_or(AddressError::NoHost)?;
        if authority.as_str().contains('@') {
            return Err(AddressError::User);
        }
        let (host, port) = (authority.host(), authority.port_u16());
        if port.is_none() && authority.as_str() != host {
            return Err(AddressError::Port);
        }
        Ok(Self {
            authority: authority.as_str().to_owned(),
            // An IPv6 address stands in brackets in a URL, and without them where it is connected to.
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.unwrap_or(80),
            prefix: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// What lies under a path, at most `limit_bytes` of it; none if nothing does. `within` is for the whole answer, so that one
    /// that trickles takes no longer than one that is slow.
    ///
    /// # Errors
    /// [`FetchError`].
    pub async fn get(
        &self,
        path: &str,
        limit_bytes: usize,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let answer = tokio::time::timeout(within, self.get_slowly(path, limit_bytes)).await;
        answer.unwrap_or(Err(FetchError::Late(within)))
    }

    async fn get_slowly(
        &self,
        path: &str,
        limit_bytes: usize,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let failed = |error: hyper::Error| FetchError::Http(error.to_string());
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let stream = tokio::time::timeout(CONNECT_WITHIN, connecting)
            .await
            .map_err(|_| {
                FetchError::Unreachable(format!("none within {} s", CONNECT_WITHIN.as_secs()))
            })?
            .map_err(|error| FetchError::Unreachable(error.to_string()))?;
        let made = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = made.map_err(failed)?;
        // It ends with the answer, or is dropped with this call.
        let mut connections = JoinSet::new();
        connections.spawn(connection);
        let request = Request::get(format!("{}/{path}", self.prefix))
            .header(HOST, self.authority.as_str())
            .body(Empty::<Bytes>::new())
            .map_err(|error| FetchError::Http(error.to_string()))?;
        let answer = sender.send_request(request).await.map_err(failed)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Ok(None),
            status => return Err(FetchError::Status(status.as_u16())),
        }
        let body = Limited::new(answer.into_body(), limit_bytes);
        let body = body.collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                FetchError::TooLong(limit_bytes)
            } else {
                FetchError::Http(error.to_string())
            }
        })?;
        Ok(Some(body.to_bytes().to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// Answers every request with these bytes; gives the address and what was asked.
    async fn serving(answer: &'static str) -> (String, JoinSet<Vec<u8>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/logs/", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 1024];
            let len = stream.read(&mut asked).await.unwrap();
            asked.truncate(len);
            stream.write_all(answer.as_bytes()).await.unwrap();
            if answer.is_empty() {
                std::future::pending::<()>().await;
            }
            asked
        });
        (url, serving)
    }

    async fn fetched(
        answer: &'static str,
        within: Duration,
    ) -> Result<Option<Vec<u8>>, FetchError> {
        let (url, _serving) = serving(answer).await;
        Origin::new(&url)
            .unwrap()
            .get("checkpoint", 8, within)
            .await
    }

    #[test]
    fn an_address_that_is_no_plain_one_is_refused_by_what_is_wrong_with_it() {
        for good in [
            "http://log.example",
            "http://log.example:7450/zj/",
            "http://[::1]:80",
        ] {
            assert!(Origin::new(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", AddressError::NotUrl),
            ("http://", AddressError::NotUrl),
            ("log.example", AddressError::NotPlain),
            ("https://log.example", AddressError::NotPlain),
            ("http://a/?b=c", AddressError::Query),
            ("http://me@log.example", AddressError::User),
            ("http://log.example:99999", AddressError::Port),
        ] {
            assert_eq!(Origin::new(bad), Err(why), "{bad}");
        }
    }

    #[tokio::test]
    async fn what_lies_under_a_path_is_asked_for_under_the_prefix_and_given_whole() {
        let (url, mut serving) =
            serving("HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n12345678").await;
        let origin = Origin::new(&url).unwrap();
        let got = origin.get("checkpoint", 8, SOON).await;
        assert_eq!(got, Ok(Some(b"12345678".to_vec())));
        let asked = serving.join_next().await.unwrap().unwrap();
        assert!(asked.starts_with(b"GET /logs/checkpoint HTTP/1.1\r\n"));
    }

    #[tokio::test]
    async fn nothing_there_another_status_too_much_and_no_http_are_told_apart() {
        let of = |answer| fetched(answer, SOON);
        assert_eq!(
            of("HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n").await,
            Ok(None)
        );
        let moved = "HTTP/1.1 302 Found\r\nlocation: http://a/\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(of(moved).await, Err(FetchError::Status(302)));
        let long = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123456789";
        assert_eq!(of(long).await, Err(FetchError::TooLong(8)));
        let cut = "HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n1234";
        assert!(matches!(of(cut).await, Err(FetchError::Http(_))));
        assert!(matches!(
            of("SSH-2.0-x\r\n").await,
            Err(FetchError::Http(_))
        ));
    }

    #[tokio::test]
    async fn a_server_that_never_answers_and_one_that_is_not_there_are_given_up() {
        let soon = Duration::from_millis(50);
        assert_eq!(fetched("", soon).await, Err(FetchError::Late(soon)));
        let free = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap();
        let gone = Origin::new(&format!("http://{free}")).unwrap();
        assert!(matches!(
            gone.get("a", 8, SOON).await,
            Err(FetchError::Unreachable(_))
        ));
    }
}
