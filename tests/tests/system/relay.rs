//! Somebody between two nodes who has certificates of both: keeps the bytes that they exchange as they are on the wire, and
//! as they are within TLS. Each node takes it for the other.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use federation::PeerId;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tests::{World, province};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// All bytes of one kind, in both directions.
pub(crate) type Kept = Arc<Mutex<Vec<u8>>>;

/// What was exchanged.
#[derive(Clone, Default)]
pub(crate) struct Relay {
    /// As it is on the wire.
    pub(crate) sealed: Kept,
    /// As the nodes say it: frames of HTTP/2.
    pub(crate) plain: Kept,
}

impl Relay {
    /// Listens at `listener` as the node of `server`, and says on what it hears there as the node of `client`.
    pub(crate) fn open(world: &World, listener: TcpListener, client: u8, server: u8) -> Self {
        let relay = Self::default();
        let acceptor = TlsAcceptor::from(Arc::new(as_server(world, server)));
        let connector = TlsConnector::from(Arc::new(as_client(world, client)));
        let address = ("127.0.0.1", world.port(server));
        let kept = relay.clone();
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let (acceptor, connector) = (acceptor.clone(), connector.clone());
                let kept = kept.clone();
                tokio::spawn(async move {
                    let from = acceptor.accept(Tee(from, kept.sealed)).await?;
                    let to = TcpStream::connect(address).await?;
                    let name = ServerName::try_from("localhost").expect("a name");
                    let mut to = connector.connect(name, to).await?;
                    copy_bidirectional(&mut Tee(from, kept.plain), &mut to).await
                });
            }
        });
        relay
    }
}

fn chain_and_key(
    world: &World,
    code: u8,
) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let own = world.certificate(&PeerId::node(&world.federation, province(code)));
    let chain = CertificateDer::from_pem_slice(own.chain_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(own.key_pem.as_bytes());
    (vec![chain.expect("a certificate")], key.expect("a key"))
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn as_server(world: &World, code: u8) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    let root = world.dir().join("federation.pem");
    let root = CertificateDer::from_pem_file(root).expect("a root");
    roots.add(root).expect("a root");
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let (chain, key) = chain_and_key(world, code);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_client_cert_verifier(clients.build().expect("roots"))
        .with_single_cert(chain, key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

fn as_client(world: &World, code: u8) -> ClientConfig {
    let (chain, key) = chain_and_key(world, code);
    let mut config = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(trusting::Trusting))
        .with_client_auth_cert(chain, key)
        .expect("a certificate with its key");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

/// A stream that keeps what is read and written.
struct Tee<S>(S, Kept);

impl<S: AsyncRead + Unpin> AsyncRead for Tee<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.0).poll_read(cx, into))?;
        self.1.lock().unwrap().extend(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tee<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let len = ready!(Pin::new(&mut self.0).poll_write(cx, bytes))?;
        self.1.lock().unwrap().extend(&bytes[..len]);
        Poll::Ready(Ok(len))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// Takes whoever is at the other node's address for it.
mod trusting {
    use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
    use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
    use rustls::{DigitallySignedStruct, Error, SignatureScheme};

    #[derive(Debug)]
    pub(super) struct Trusting;

    impl ServerCertVerifier for Trusting {
        fn verify_server_cert(
            &self,
            _: &CertificateDer<'_>,
            _: &[CertificateDer<'_>],
            _: &ServerName<'_>,
            _: &[u8],
            _: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            Ok(ServerCertVerified::assertion())
        }

        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn verify_tls13_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Ok(HandshakeSignatureValid::assertion())
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            rustls::crypto::ring::default_provider()
                .signature_verification_algorithms
                .supported_schemes()
        }
    }
}
