//! The door of browsers: a certificate for names of hosts, HTTP/2 and HTTP/1.1, and the limits of every door.

use std::net::SocketAddr;
use std::sync::Arc;

use federation::{Door, FederationError, GuardedRoutes, Limits, WebCertificate, serve_web};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::client::TlsStream;
use tonic::service::Routes;

use crate::house::{House, province};

const NAME: &str = "wallet.zj.example";

/// A certificate for [`NAME`] that nobody else made: its own authority. Chain and key.
fn made() -> (String, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let parameters = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

async fn open(certificate: Option<Arc<WebCertificate>>) -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let door = Door::Web {
        home: province(33),
        certificate,
    };
    let (shut, shut_seen) = oneshot::channel::<()>();
    let routes = Routes::new(wire::server::trust(House));
    tokio::spawn(async move {
        let around = |guarded: GuardedRoutes| guarded;
        let until = async {
            let _ = shut_seen.await;
        };
        serve_web(
            listener,
            door,
            routes,
            around,
            Limits::default(),
            None,
            until,
        )
        .await
    });
    (address, shut)
}

/// A handshake as a browser makes it that knows one authority.
async fn handshake(
    at: SocketAddr,
    known_pem: &str,
    speaks: &str,
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = rustls::RootCertStore::empty();
    let known = CertificateDer::from_pem_slice(known_pem.as_bytes()).unwrap();
    roots.add(known).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![speaks.as_bytes().to_vec()];
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    let stream = TcpStream::connect(at).await?;
    let name = ServerName::try_from(NAME).unwrap();
    connector.connect(name, stream).await
}

#[tokio::test]
async fn browsers_are_shown_the_hosts_certificate_and_a_new_one_as_soon_as_it_is_swapped() {
    let (old, new) = (made(), made());
    let certificate = Arc::new(WebCertificate::from_pem(&old.0, &old.1).unwrap());
    let (at, _shut) = open(Some(Arc::clone(&certificate))).await;
    for speaks in ["h2", "http/1.1"] {
        let stream = handshake(at, &old.0, speaks).await.unwrap();
        assert_eq!(
            stream.get_ref().1.alpn_protocol(),
            Some(speaks.as_bytes()),
            "{speaks}"
        );
    }
    assert!(handshake(at, &new.0, "h2").await.is_err());

    // Another's key does not fit, and what was in use stays.
    assert!(certificate.swap(&new.0, &old.1).is_err());
    assert!(certificate.swap("", "").is_err());
    handshake(at, &old.0, "h2").await.unwrap();
    certificate.swap(&new.0, &new.1).unwrap();
    handshake(at, &new.0, "h2").await.unwrap();
    assert!(handshake(at, &old.0, "h2").await.is_err());
}

#[tokio::test]
async fn a_browser_that_speaks_the_older_http_is_held_to_the_table() {
    let (chain, key) = made();
    let certificate = Arc::new(WebCertificate::from_pem(&chain, &key).unwrap());
    let (at, _shut) = open(Some(certificate)).await;
    for (path, status) in [
        // A call that anybody may make reaches the service, which wants a message.
        ("/viridian.trust.v1.TrustService/GetTrustList", "13"),
        // PERMISSION_DENIED and UNIMPLEMENTED, by the table.
        ("/viridian.federation.v1.FederationService/GetTreeHead", "7"),
        ("/viridian.trust.v1.TrustService/SetColour", "12"),
    ] {
        let mut stream = handshake(at, &chain, "http/1.1").await.unwrap();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\nContent-Type: application/grpc\r\n\
             Content-Length: 0\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer).to_lowercase();
        let line = format!("grpc-status: {status}\r\n");
        assert!(answer.contains(&line), "{path}: {answer}");
    }
}

#[tokio::test]
async fn without_a_certificate_only_this_machine_is_served() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let door = Door::Web {
        home: province(33),
        certificate: None,
    };
    let routes = Routes::new(wire::server::trust(House));
    let around = |guarded: GuardedRoutes| guarded;
    let never = std::future::pending::<()>();
    let served = serve_web(
        listener,
        door,
        routes,
        around,
        Limits::default(),
        None,
        never,
    );
    assert!(matches!(served.await, Err(FederationError::NotLoopback(_))));
}
