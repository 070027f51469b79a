//! The roots of a federation, and for which provinces each may vouch.
//!
//! A root certificate whose one URI name is `spiffe://viridian/<federation>/<province>/authority` is that province's own:
//! it vouches for identities of its province and for no others, so that no province's authority can issue another's
//! certificates. A root without a URI name vouches for the whole federation.

use std::collections::BTreeMap;
use std::sync::Arc;

use rules::ProvinceCode;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::identity::Authority;
use crate::{FederationError, FederationId};

/// The roots, all together and for each province that has its own.
#[derive(Debug)]
pub(crate) struct Roots {
    /// All roots.
    pub(crate) all: Arc<RootCertStore>,
    /// Whoever may vouch for a province without roots of its own.
    shared: Arc<RootCertStore>,
    /// Whoever may vouch for a province with roots of its own: these and the shared ones.
    own: BTreeMap<ProvinceCode, Arc<RootCertStore>>,
}

impl Roots {
    /// Reads PEM text.
    ///
    /// # Errors
    /// [`FederationError::Pem`] if there is none, [`FederationError::Authority`] for a root of another federation or of a
    /// form that is none, [`FederationError::Tls`] if one is unusable.
    pub(crate) fn read(federation: &FederationId, pem: &str) -> Result<Self, FederationError> {
        let mut all = RootCertStore::empty();
        let mut shared = RootCertStore::empty();
        let mut own: BTreeMap<ProvinceCode, RootCertStore> = BTreeMap::new();
        for root in read_certificates(pem, "root certificate")? {
            all.add(root.clone())?;
            let Some(authority) = Authority::from_certificate(&root)? else {
                shared.add(root)?;
                continue;
            };
            if authority.federation != *federation {
                return Err(FederationError::Authority);
            }
            let store = own.entry(authority.province);
            store.or_insert_with(RootCertStore::empty).add(root)?;
        }
        let own = own.into_iter().map(|(province, mut store)| {
            store.extend(shared.roots.iter().cloned());
            (province, Arc::new(store))
        });
        Ok(Self {
            all: Arc::new(all),
            own: own.collect(),
            shared: Arc::new(shared),
        })
    }

    /// The roots that may vouch for a province, which may be none.
    pub(crate) fn of(&self, province: ProvinceCode) -> &Arc<RootCertStore> {
        self.own.get(&province).unwrap_or(&self.shared)
    }

    /// The provinces with roots of their own, and none for all others, each with who may vouch for it.
    pub(crate) fn by_province(
        &self,
    ) -> impl Iterator<Item = (Option<ProvinceCode>, &Arc<RootCertStore>)> {
        let own = self
            .own
            .iter()
            .map(|(province, store)| (Some(*province), store));
        own.chain([(None, &self.shared)])
    }
}

/// The certificates in PEM text, at least one.
pub(crate) fn read_certificates(
    pem: &str,
    what: &'static str,
) -> Result<Vec<CertificateDer<'static>>, FederationError> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(FederationError::Pem { what }),
    }
}
