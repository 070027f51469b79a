//! The door of browsers: their certificate is of an authority that browsers know, for names of hosts, and no identity of a federation.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::watch;

use crate::FederationError;
use crate::expiry::earliest;
use crate::roots::read_certificates;
use crate::tls::server_config_for;

/// What a browser may speak, its own choice first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The certificate of a page's host. It can be swapped while the door is open: connections from then on are made with the new one.
pub struct WebCertificate {
    current: watch::Sender<Shown>,
}

/// What is shown now.
struct Shown {
    config: Arc<ServerConfig>,
    expires_at_s: Option<u64>,
}

impl WebCertificate {
    /// From a certificate chain, own first, and its PKCS#8 key, both PEM. Whether browsers believe it is theirs to say.
    ///
    /// # Errors
    /// [`FederationError::Pem`] for text without the material, [`FederationError::Tls`] for a key that does not fit.
    pub fn from_pem(chain_pem: &str, key_pem: &str) -> Result<Self, FederationError> {
        Ok(Self {
            current: watch::Sender::new(read(chain_pem, key_pem)?),
        })
    }

    /// Swaps it.
    ///
    /// # Errors
    /// As [`WebCertificate::from_pem`]; then the former one stays.
    pub fn swap(&self, chain_pem: &str, key_pem: &str) -> Result<(), FederationError> {
        self.current.send_replace(read(chain_pem, key_pem)?);
        Ok(())
    }

    /// The end of the chain's validity, seconds since the Unix epoch: the earliest of its certificates.
    pub fn expires_at_s(&self) -> Option<u64> {
        self.current.borrow().expires_at_s
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.borrow().config)
    }
}

fn read(chain_pem: &str, key_pem: &str) -> Result<Shown, FederationError> {
    let chain = read_certificates(chain_pem, "certificate")?;
    let key =
        PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(|_| FederationError::Pem {
            what: "private key",
        })?;
    Ok(Shown {
        config: server_config_for(None, &chain, &key, &ALPN)?,
        expires_at_s: earliest(&chain),
    })
}
