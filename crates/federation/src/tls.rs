//! TLS 1.3 with identities instead of host names.

use std::collections::BTreeMap;
use std::sync::Arc;

use rules::ProvinceCode;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, verify_server_cert_signed_by_trust_anchor};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{NoServerSessionStorage, ParsedCertificate, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    PeerMisbehaved, RootCertStore, ServerConfig, SignatureScheme,
};
use tokio::sync::watch;

use crate::roots::{Roots, read_certificates};
use crate::{FederationError, FederationId, PeerId, Role};

/// The only application protocol.
const ALPN_H2: &[u8] = b"h2";

/// Gives the TLS material in use. It is asked anew for each connection, so that certificates can be swapped while
/// connections stand.
pub trait Credentials: Send + Sync + 'static {
    /// The material in use now.
    fn current(&self) -> Arc<TlsIdentity>;

    /// Tells when the material is swapped, so that connections which it no longer admits are cut; none for material that
    /// never changes.
    fn changes(&self) -> Option<Changes> {
        None
    }
}

/// Changes whenever material is swapped.
pub type Changes = watch::Receiver<Arc<TlsIdentity>>;

/// Material that never changes.
impl Credentials for Arc<TlsIdentity> {
    fn current(&self) -> Arc<TlsIdentity> {
        Arc::clone(self)
    }
}

/// Material that can be swapped while doors are open and channels stand.
pub struct Swappable {
    current: watch::Sender<Arc<TlsIdentity>>,
}

impl Swappable {
    /// Begins with `first`.
    pub fn new(first: Arc<TlsIdentity>) -> Self {
        Self {
            current: watch::Sender::new(first),
        }
    }

    /// Swaps the material, after checking it as a whole at `now`. Connections from now on are made with it; standing ones
    /// whose other side it does not admit are cut.
    ///
    /// # Errors
    /// [`FederationError::OtherIdentity`] if it is somebody else's, and those of [`TlsIdentity::check_own`]; then the
    /// former material stays.
    pub fn swap(&self, next: TlsIdentity, now: UnixTime) -> Result<(), FederationError> {
        if next.peer() != self.current.borrow().peer() || *next.federation() != self.federation() {
            return Err(FederationError::OtherIdentity);
        }
        next.check_own(now)?;
        self.current.send_replace(Arc::new(next));
        Ok(())
    }

    fn federation(&self) -> FederationId {
        self.current.borrow().federation.clone()
    }
}

impl Credentials for Arc<Swappable> {
    fn current(&self) -> Arc<TlsIdentity> {
        Arc::clone(&self.current.borrow())
    }

    fn changes(&self) -> Option<Changes> {
        Some(self.current.subscribe())
    }
}

/// The roots of a federation, and the own certificate if there is one.
pub struct TlsIdentity {
    federation: FederationId,
    roots: Arc<Roots>,
    own: Option<Own>,
}

struct Own {
    peer: PeerId,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    clients: Arc<FederationClients>,
    at_peers: Arc<ServerConfig>,
    at_public: Arc<ServerConfig>,
}

impl TlsIdentity {
    /// For clients without a certificate: residents' devices, and checkpoints that only read the trust list.
    ///
    /// # Errors
    /// [`FederationError::Pem`] if there is no root; [`FederationError::Tls`] if one is unusable.
    pub fn anonymous(federation: &FederationId, roots_pem: &str) -> Result<Self, FederationError> {
        Ok(Self {
            federation: federation.clone(),
            roots: Arc::new(Roots::read(federation, roots_pem)?),
            own: None,
        })
    }

    /// With a certificate chain (own first) and its PKCS#8 key; the identity is the certificate's, and its
    /// federation is the only one admitted.
    ///
    /// # Errors
    /// [`FederationError::Pem`] for text without the material, [`FederationError::Tls`] for a key that does not fit,
    /// and those of [`PeerId::from_certificate`].
    pub fn from_pem(
        chain_pem: &str,
        key_pem: &str,
        roots_pem: &str,
    ) -> Result<Self, FederationError> {
        let chain = read_certificates(chain_pem, "certificate")?;
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| {
            FederationError::Pem {
                what: "private key",
            }
        })?;
        let peer = PeerId::from_certificate(&chain[0])?;
        let roots = Arc::new(Roots::read(&peer.federation, roots_pem)?);
        let clients = Arc::new(FederationClients::new(&peer.federation, &roots)?);
        let server = |clients| server_config(clients, &chain, &key);
        let (at_peers, at_public) = (server(Some(Arc::clone(&clients)))?, server(None)?);
        let federation = peer.federation.clone();
        Ok(Self {
            federation,
            roots,
            own: Some(Own {
                peer,
                chain,
                key,
                clients,
                at_peers,
                at_public,
            }),
        })
    }

    /// The federation that peers must belong to.
    pub const fn federation(&self) -> &FederationId {
        &self.federation
    }

    /// The own identity, if there is a certificate.
    pub fn peer(&self) -> Option<&PeerId> {
        self.own.as_ref().map(|own| &own.peer)
    }

    /// The end of the own certificate chain's validity, seconds since the Unix epoch: the earliest of its certificates;
    /// none without a certificate.
    pub fn expires_at_s(&self) -> Option<u64> {
        crate::expiry::earliest(&self.own.as_ref()?.chain)
    }

    /// Whether others who trust the same roots will admit the own certificate at `now`: its chain, its dates, and what it is
    /// for. Material without a certificate has nothing to check.
    ///
    /// # Errors
    /// [`FederationError::OwnChain`].
    pub fn check_own(&self, now: UnixTime) -> Result<(), FederationError> {
        let Some(own) = &self.own else {
            return Ok(());
        };
        self.admits_client(&own.chain, now)
            .map_err(FederationError::OwnChain)?;
        // Only nodes serve; the others' certificates say so themselves.
        if own.peer.role == Role::Node {
            self.admits_server(&own.peer, &own.chain, now)
                .map_err(FederationError::OwnChain)?;
        }
        Ok(())
    }

    /// Whether a client that showed `chain`, own certificate first, would be admitted at `now`.
    pub(crate) fn admits_client(
        &self,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let clients = self.own.as_ref().map(|own| &own.clients);
        let (Some(clients), Some((first, more))) = (clients, chain.split_first()) else {
            return Err(Error::NoCertificatesPresented);
        };
        clients.verify_client_cert(first, more, now).map(|_| ())
    }

    /// Whether a server that showed `chain`, own certificate first, would be taken for `expected` at `now`.
    pub(crate) fn admits_server(
        &self,
        expected: &PeerId,
        chain: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), Error> {
        let (first, more) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        let exact = self.exact(expected.clone());
        // The verifier looks at no host name; any will do.
        let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
        exact
            .verify_server_cert(first, more, &name, &[], now)
            .map(|_| ())
    }

    fn exact(&self, expected: PeerId) -> ExactServer {
        ExactServer {
            expected,
            roots: Arc::clone(&self.roots),
            algorithms: algorithms(),
        }
    }

    /// For the door of peers: each must show a certificate of the federation.
    ///
    /// # Errors
    /// [`FederationError::NoCertificate`].
    pub fn server_for_peers(&self) -> Result<Arc<ServerConfig>, FederationError> {
        let own = self.own.as_ref().ok_or(FederationError::NoCertificate)?;
        Ok(Arc::clone(&own.at_peers))
    }

    /// For the public door: no certificate is asked for.
    pub(crate) fn server_for_public(&self) -> Result<Arc<ServerConfig>, FederationError> {
        let own = self.own.as_ref().ok_or(FederationError::NoCertificate)?;
        Ok(Arc::clone(&own.at_public))
    }

    /// For a connection to exactly one peer.
    ///
    /// # Errors
    /// [`FederationError::Tls`] for a key that cannot sign.
    pub fn client(&self, expected: PeerId) -> Result<ClientConfig, FederationError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(self.exact(expected)));
        let mut config = match &self.own {
            Some(own) => builder.with_client_auth_cert(own.chain.clone(), own.key.clone_key())?,
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = vec![ALPN_H2.to_vec()];
        config.enable_sni = false;
        // Each connection is checked anew, against the roots of that moment.
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn server_config(
    clients: Option<Arc<FederationClients>>,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, FederationError> {
    let clients = clients.map(|clients| clients as _);
    server_config_for(clients, chain, key, &[ALPN_H2])
}

/// For a door with this certificate, and these application protocols behind it.
pub(crate) fn server_config_for(
    clients: Option<Arc<dyn ClientCertVerifier>>,
    chain: &[CertificateDer<'static>],
    key: &PrivateKeyDer<'static>,
    protocols: &[&[u8]],
) -> Result<Arc<ServerConfig>, FederationError> {
    let builder =
        ServerConfig::builder_with_provider(provider()).with_protocol_versions(&[&TLS13])?;
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(chain.to_vec(), key.clone_key())?;
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    // Each connection is checked anew, against the roots of that moment.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn algorithms() -> WebPkiSupportedAlgorithms {
    rustls::crypto::ring::default_provider().signature_verification_algorithms
}

/// An identity that is not admitted, as TLS reports it.
fn refused(reason: FederationError) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}

/// TLS 1.2 is not offered; a peer that signs for it misbehaves.
fn no_tls12() -> Error {
    Error::PeerMisbehaved(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)
}

/// Admits clients with a certificate under the federation's roots and with an identity of the federation, in a province
/// that the root may vouch for.
#[derive(Debug)]
struct FederationClients {
    federation: FederationId,
    chain: Arc<dyn ClientCertVerifier>,
    of_province: BTreeMap<Option<ProvinceCode>, Arc<dyn ClientCertVerifier>>,
}

impl FederationClients {
    fn new(federation: &FederationId, roots: &Roots) -> Result<Self, FederationError> {
        let under = |roots: &Arc<RootCertStore>| {
            let built = WebPkiClientVerifier::builder_with_provider(Arc::clone(roots), provider());
            built.build().map_err(|_| FederationError::Pem {
                what: "root certificate",
            })
        };
        let of_province = roots.by_province().filter(|(_, store)| !store.is_empty());
        Ok(Self {
            federation: federation.clone(),
            chain: under(&roots.all)?,
            of_province: of_province
                .map(|(province, store)| Ok((province, under(store)?)))
                .collect::<Result<_, FederationError>>()?,
        })
    }

    /// Who judges chains of a province: its own roots, if it has any.
    fn of(&self, province: ProvinceCode) -> Option<&Arc<dyn ClientCertVerifier>> {
        let own = self.of_province.get(&Some(province));
        own.or_else(|| self.of_province.get(&None))
    }
}

impl ClientCertVerifier for FederationClients {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.chain.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let verified = self
            .chain
            .verify_client_cert(end_entity, intermediates, now)?;
        let peer = PeerId::from_certificate(end_entity).map_err(refused)?;
        if peer.federation != self.federation {
            return Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ));
        }
        // Once more under the roots that may vouch for this province.
        self.of(peer.province)
            .ok_or(Error::InvalidCertificate(CertificateError::UnknownIssuer))?
            .verify_client_cert(end_entity, intermediates, now)?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.chain
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}

/// Admits exactly one server: its chain under the roots that may vouch for its province, its identity the expected one. The host name is not looked
/// at, the identity takes its place.
#[derive(Debug)]
struct ExactServer {
    expected: PeerId,
    roots: Arc<Roots>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for ExactServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let parsed = ParsedCertificate::try_from(end_entity)?;
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            self.roots.of(self.expected.province),
            intermediates,
            now,
            self.algorithms.all,
        )?;
        if PeerId::from_certificate(end_entity).map_err(refused)? == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(no_tls12())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
