//! The institutions that the console signs for: their keys, and each one's own channel to the node.

use std::sync::Arc;

use ed25519_dalek::{Signer as _, SigningKey};
use federation::{FederationError, FederationId, PeerId, TlsIdentity, connect};
use rules::{Event, ProvinceCode, SourceId, SourceKind};
use wire::console::v1 as proto;
use wire::source::v1::SignedEvent;
use wire::{Reason, SIGNATURE_BYTES};

use crate::ConsoleError;
use crate::node::{HomeNode, TIMEOUTS};
use crate::statement::{exposures_of, kinds_of};

/// Most institutions of one console.
pub const OFFICES_MAX: usize = 8;

/// Why an institution cannot be signed for; the configuration is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfficeError {
    /// None, or too many.
    #[error("1 to {OFFICES_MAX} offices, not {0}")]
    Count(usize),
    /// One stands there twice.
    #[error("office {0} stands there twice")]
    Twice(SourceId),
    /// It is of another province, or no institution.
    #[error("office {0} is no institution of this province")]
    NotOurs(SourceId),
    /// The certificate is somebody else's.
    #[error("office {office}: the certificate is not its own but {found}")]
    OtherCertificate {
        /// The office.
        office: SourceId,
        /// Whose it is.
        found: String,
    },
    /// The node's address is none.
    #[error("node: {0}")]
    Node(#[from] FederationError),
}

/// What is read of an institution.
pub struct OfficeParts {
    /// Who it is.
    pub source: SourceId,
    /// What it signs events and decisions with.
    pub signing_key: SigningKey,
    /// Its certificate with the federation's roots.
    pub identity: Arc<TlsIdentity>,
}

/// An institution.
pub(crate) struct Office {
    pub(crate) source: SourceId,
    pub(crate) node: HomeNode,
    key: SigningKey,
    identity: Arc<TlsIdentity>,
}

impl Office {
    /// Whether it is one that decides appeals.
    pub(crate) fn decides_appeals(&self) -> bool {
        self.source.kind == SourceKind::AppealsOffice
    }

    /// An event's signature.
    pub(crate) fn sign(&self, signing_bytes: &[u8]) -> [u8; SIGNATURE_BYTES] {
        self.key.sign(signing_bytes).to_bytes()
    }

    /// An event with its signature, for a home.
    pub(crate) fn signed(&self, event: &Event, home: Option<ProvinceCode>) -> SignedEvent {
        let signed = SignedEvent::new(event, self.sign(&event.signing_bytes()));
        SignedEvent {
            home_province: home.map_or(0, |home| home.get().into()),
            ..signed
        }
    }
}

/// The institutions of a console.
pub struct Offices(Vec<Office>);

impl Offices {
    /// Takes them up, with channels to the node of `province` at `address` (`host:port`) that connect with their first call.
    ///
    /// # Errors
    /// [`OfficeError`].
    pub fn new(
        federation: &FederationId,
        province: ProvinceCode,
        address: &str,
        parts: Vec<OfficeParts>,
    ) -> Result<Self, OfficeError> {
        if !(1..=OFFICES_MAX).contains(&parts.len()) {
            return Err(OfficeError::Count(parts.len()));
        }
        let mut offices: Vec<Office> = Vec::new();
        for of in parts {
            let source = of.source;
            if source.province != province || source.kind == SourceKind::Resident {
                return Err(OfficeError::NotOurs(source));
            }
            if offices.iter().any(|office| office.source == source) {
                return Err(OfficeError::Twice(source));
            }
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
            let credentials = Arc::new(Arc::clone(&of.identity));
            let channel = connect(address, node, credentials, TIMEOUTS)?;
            offices.push(Office {
                source,
                node: HomeNode(channel),
                key: of.signing_key,
                identity: of.identity,
            });
        }
        Ok(Self(offices))
    }

    /// What the page is told of them.
    pub fn told(&self) -> Vec<proto::Office> {
        let offices = self.0.iter();
        let told = offices.map(|office| {
            let kind = office.source.kind;
            proto::Office {
                source: office.source.to_string(),
                kinds: kinds_of(kind).into_iter().map(i32::from).collect(),
                decides_appeals: office.decides_appeals(),
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
        let office = self.0.iter().find(|o| o.source.to_string() == source);
        office.ok_or(Reason::UnknownOffice.into())
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

    /// The one with this identity.
    ///
    /// # Errors
    /// [`Reason::UnknownOffice`] for one that the console signs for no more.
    pub(crate) fn get(&self, source: SourceId) -> Result<&Office, ConsoleError> {
        let office = self.0.iter().find(|office| office.source == source);
        office.ok_or(Reason::UnknownOffice.into())
    }

    /// The end of each one's certificate, seconds since the Unix epoch.
    pub(crate) fn certificate_ends(&self) -> impl Iterator<Item = (String, u64)> {
        self.0.iter().filter_map(|office| {
            let ends_at_s = office.identity.expires_at_s()?;
            Some((office.source.to_string(), ends_at_s))
        })
    }

    /// A channel to the node, by whichever of them comes first.
    pub(crate) fn any_node(&self) -> Option<&HomeNode> {
        self.0.first().map(|office| &office.node)
    }
}
