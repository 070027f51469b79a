//! The institutions that the console signs for: their keys, and each one's own channel to the node.

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use federation::{
    Credentials as _, FederationError, FederationId, PeerId, Swappable, TlsIdentity, UnixTime,
    connect,
};
use parking_lot::Mutex;
use rules::{Event, ProvinceCode, SourceId, SourceKind};
use tonic::transport::Channel;
use wire::console::v1 as proto;
use wire::source::v1::SignedEvent;
use wire::{Reason, SIGNATURE_BYTES};

use crate::config::Certificate;
use crate::files::{PEM_LEN_MAX_BYTES, read_private, read_secret, read_text};
use crate::node::{HomeNode, TIMEOUTS};
use crate::statement::{exposures_of, kinds_of};
use crate::{Config, ConsoleError, naming};

/// Why an institution cannot be signed for; the configuration is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum OfficeError {
    /// The certificate is somebody else's.
    #[error("office {office}: the certificate is not its own but {found}")]
    OtherCertificate {
        /// The office.
        office: SourceId,
        /// Whose it is.
        found: String,
    },
    /// The node's address is none.
    #[error("node.address: {0}")]
    Node(#[from] FederationError),
}

/// What is read of an institution.
pub(crate) struct OfficeParts {
    /// Who it is.
    pub(crate) source: SourceId,
    /// What it signs events and decisions with.
    pub(crate) signing_key: SigningKey,
    /// Its certificate with the federation's roots.
    pub(crate) identity: Arc<TlsIdentity>,
}

/// An institution.
pub(crate) struct Office {
    pub(crate) source: SourceId,
    pub(crate) node: HomeNode,
    /// Another once its file is another.
    key: Mutex<SigningKey>,
    identity: Arc<Swappable>,
}

impl Office {
    /// Takes up another certificate of the same institution and the signing key that goes with it, after checking it at `now`.
    ///
    /// # Errors
    /// As [`Swappable::swap`]; then both stay as they were.
    pub(crate) fn renew(
        &self,
        identity: TlsIdentity,
        key: SigningKey,
        now: UnixTime,
    ) -> Result<(), FederationError> {
        self.identity.swap(identity, now)?;
        *self.key.lock() = key;
        Ok(())
    }

    /// Its certificate.
    pub(crate) const fn identity(&self) -> &Arc<Swappable> {
        &self.identity
    }

    /// What its signatures are verified with.
    pub(crate) fn verifying_key(&self) -> VerifyingKey {
        self.key.lock().verifying_key()
    }

    /// Whether it is one that decides appeals.
    pub(crate) fn decides_appeals(&self) -> bool {
        self.source.kind == SourceKind::AppealsOffice
    }

    /// An event's signature.
    pub(crate) fn sign(&self, signing_bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.key.lock().sign(signing_bytes).to_bytes()
    }

    /// An event with its signature, for a home.
    pub(crate) fn signed(&self, event: &Event, home: Option<ProvinceCode>) -> SignedEvent {
        sent_to(
            home,
            SignedEvent::new(event, self.sign(&event.signing_bytes())),
        )
    }

    /// An event signed a second time, for a home that contests it.
    pub(crate) fn confirmed(&self, event: &Event, home: Option<ProvinceCode>) -> SignedEvent {
        let signature = self.sign(&event.confirmation_bytes());
        sent_to(home, SignedEvent::new(event, signature))
    }
}

fn sent_to(home: Option<ProvinceCode>, event: SignedEvent) -> SignedEvent {
    SignedEvent {
        home_province: home.map_or(0, |home| home.get().into()),
        ..event
    }
}

/// The institutions of a console.
pub(crate) struct Offices(Vec<Office>);

impl Offices {
    /// Those that a configuration names.
    ///
    /// # Errors
    /// A message naming the file that is wrong, or the certificate that is somebody else's.
    pub(crate) fn open(config: &Config) -> Result<Self, String> {
        let parts = config.offices.iter().map(|office| {
            let secret = read_secret(&office.signing_key_file)?;
            Ok(OfficeParts {
                source: office.source,
                signing_key: SigningKey::from_bytes(&secret),
                identity: identity(&office.certificate, config)?,
            })
        });
        let parts = parts.collect::<Result<_, String>>()?;
        let (federation, address) = (&config.federation, &config.node.address);
        let offices = Self::new(federation, config.province, address, parts);
        offices.map_err(|error| error.to_string())
    }

    /// Takes them up, with channels to the node of `province` at `address` (`host:port`) that connect with their first call.
    ///
    /// # Errors
    /// [`OfficeError`].
    pub(crate) fn new(
        federation: &FederationId,
        province: ProvinceCode,
        address: &str,
        parts: Vec<OfficeParts>,
    ) -> Result<Self, OfficeError> {
        let mut offices: Vec<Office> = Vec::new();
        for of in parts {
            let source = of.source;
            let peer = of.identity.peer();
            let is_own = peer.is_some_and(|peer| {
                peer.federation == *federation && peer.source() == Some(source)
            });
            if !is_own {
                let found = peer.map_or_else(|| "nobody's".to_owned(), ToString::to_string);
                let office = source;
                return Err(OfficeError::OtherCertificate { office, found });
            }
            let node = PeerId::node(federation, province);
            let identity = Arc::new(Swappable::new(of.identity));
            let credentials = Arc::new(Arc::clone(&identity));
            let channel = connect(address, node, credentials, TIMEOUTS)?;
            offices.push(Office {
                source,
                node: HomeNode(channel),
                key: Mutex::new(of.signing_key),
                identity,
            });
        }
        Ok(Self(offices))
    }

    /// What the page is told of them.
    pub(crate) fn told(&self) -> Vec<proto::Office> {
        let offices = self.0.iter();
        let told = offices.map(|office| {
            let kind = office.source.kind;
            proto::Office {
                source: office.source.to_string(),
                kinds: kinds_of(kind).into_iter().map(i32::from).collect(),
                decides_appeals: office.decides_appeals(),
                names_proxies: naming::is_offered(kind),
                exposures: exposures_of(kind).into_iter().map(i32::from).collect(),
            }
        });
        told.collect()
    }

    /// The one that the page names.
    ///
    /// # Errors
    /// [`Reason::UnknownOffice`].
    pub(crate) fn named(&self, source: &str) -> Result<&Office, ConsoleError> {
        let source = SourceId::parse(source).ok_or(Reason::UnknownOffice)?;
        self.get(source)
    }

    /// The one that the page names, if it decides appeals.
    ///
    /// # Errors
    /// [`Reason::UnknownOffice`], [`Reason::NotEntitled`].
    pub(crate) fn for_appeals(&self, source: &str) -> Result<&Office, ConsoleError> {
        let office = self.named(source)?;
        if office.decides_appeals() {
            Ok(office)
        } else {
            Err(Reason::NotEntitled.into())
        }
    }

    /// The one that the page names, if it is one that may name proxies.
    ///
    /// # Errors
    /// [`Reason::UnknownOffice`], [`Reason::NotEntitled`].
    pub(crate) fn for_proxies(&self, source: &str) -> Result<&Office, ConsoleError> {
        let office = self.named(source)?;
        if naming::is_offered(office.source.kind) {
            Ok(office)
        } else {
            Err(Reason::NotEntitled.into())
        }
    }

    /// The one with this identity.
    ///
    /// # Errors
    /// [`Reason::UnknownOffice`] for one that the console signs for no more.
    pub(crate) fn get(&self, source: SourceId) -> Result<&Office, ConsoleError> {
        let office = self.0.iter().find(|office| office.source == source);
        office.ok_or(Reason::UnknownOffice.into())
    }

    /// All of them.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Office> {
        self.0.iter()
    }

    /// The end of each one's certificate, seconds since the Unix epoch.
    pub(crate) fn certificate_ends(&self) -> impl Iterator<Item = (String, u64)> {
        self.0.iter().filter_map(|office| {
            let ends_at_s = office.identity.current().expires_at_s()?;
            Some((office.source.to_string(), ends_at_s))
        })
    }

    /// A channel to the node, of whichever of them comes first.
    pub(crate) fn any_channel(&self) -> Option<Channel> {
        self.0.first().map(|office| office.node.0.clone())
    }
}

/// A certificate of the configuration with the federation's roots.
///
/// # Errors
/// A message naming the file that is wrong.
pub(crate) fn identity(
    certificate: &Certificate,
    config: &Config,
) -> Result<Arc<TlsIdentity>, String> {
    let chain = read_text(&certificate.certificate_file, PEM_LEN_MAX_BYTES)?;
    let key = read_private(&certificate.key_file, PEM_LEN_MAX_BYTES)?;
    let roots = read_text(&config.node.roots_file, PEM_LEN_MAX_BYTES)?;
    identity_of(certificate, [&chain, &key, &roots]).map(Arc::new)
}

/// The same of a chain, its key and the roots that were read.
///
/// # Errors
/// A message naming the certificate's file.
pub(crate) fn identity_of(
    certificate: &Certificate,
    [chain, key, roots]: [&str; 3],
) -> Result<TlsIdentity, String> {
    let identity = TlsIdentity::from_pem(chain, key, roots);
    identity.map_err(|error| format!("{}: {error}", certificate.certificate_file.display()))
}

#[cfg(test)]
#[path = "offices_tests.rs"]
mod tests;
