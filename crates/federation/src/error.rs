use std::net::SocketAddr;

/// Why a peer, a certificate or a door is refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FederationError {
    /// A federation's name is not 1 to 32 characters of a-z, 0-9 and '-'. The configuration is at fault.
    #[error("a federation's name has 1 to 32 characters of a-z, 0-9 and '-'")]
    FederationName,
    /// An identity is not of the form `spiffe://viridian/<federation>/<province>/<role>`. Its issuer is at fault.
    #[error("not an identity of the form spiffe://viridian/<federation>/<province>/<role>")]
    IdentityForm,
    /// A certificate cannot be read. Its issuer is at fault.
    #[error("the certificate cannot be read")]
    CertificateForm,
    /// A certificate has no URI name, or several. Its issuer is at fault.
    #[error("the certificate has {0} URI names instead of one")]
    UriNames(usize),
    /// A root's URI name is not of the form `spiffe://viridian/<federation>/<province>/authority`, or names another
    /// federation. The configuration is at fault.
    #[error("a root certificate of another federation, or with a URI name that is no authority's")]
    Authority,
    /// PEM text holds no certificate, no key, or is broken. The configuration is at fault.
    #[error("the PEM text holds no usable {what}")]
    Pem {
        /// What was looked for.
        what: &'static str,
    },
    /// A door or a peer needs a certificate of its own, and the credentials hold none.
    #[error("the credentials hold no certificate of their own")]
    NoCertificate,
    /// Material to be swapped in is not of the same identity. The operator is at fault.
    #[error("the certificate is of another federation, province or role than the one in use")]
    OtherIdentity,
    /// The own certificate would not be admitted by others who trust the same roots. The operator is at fault.
    #[error("the own certificate is not admitted under the own roots: {0}")]
    OwnChain(rustls::Error),
    /// The gate's door listens beyond this machine. The configuration is at fault.
    #[error("the gate's door may only listen on loopback, not on {0}")]
    NotLoopback(SocketAddr),
    /// A peer's address is not of the form `host:port`. The configuration is at fault.
    #[error("a peer's address has the form host:port")]
    Address,
    /// A certificate could not be made.
    #[error("a certificate could not be made")]
    Issue(#[from] rcgen::Error),
    /// TLS refuses the material.
    #[error("TLS refuses the material")]
    Tls(#[from] rustls::Error),
    /// The operating system refuses.
    #[error("the operating system refuses")]
    Io(#[from] std::io::Error),
    /// The server failed.
    #[error("the server failed")]
    Server(#[from] tonic::transport::Error),
}
