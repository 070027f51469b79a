//! A certificate authority for one machine: demonstrations, tests and first deployments.
//!
//! Its key lies in memory and then in a plain file; a federation in earnest has its certificates from an authority
//! with a key in hardware, and only the form of the identity is taken from here.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
};
use time::OffsetDateTime;

use crate::{FederationError, FederationId, PeerId, Role};

/// When certificates are valid, inclusive on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// First moment, seconds since the Unix epoch.
    pub from_s: i64,
    /// Last moment, seconds since the Unix epoch.
    pub until_s: i64,
}

/// A self-made root whose key is at hand.
pub struct DemoAuthority {
    root: CertifiedIssuer<'static, KeyPair>,
    validity: Validity,
}

/// A certificate with its key.
pub struct DemoCertificate {
    /// The certificate, PEM.
    pub chain_pem: String,
    /// Its PKCS#8 key, PEM: secret.
    pub key_pem: String,
}

impl DemoAuthority {
    /// Makes a root for a federation. Keys and serial numbers are drawn from the operating system.
    ///
    /// # Errors
    /// [`FederationError::Issue`].
    pub fn generate_for_demo(
        federation: &FederationId,
        validity: Validity,
    ) -> Result<Self, FederationError> {
        let mut params = params(
            &format!("{} demonstration root", federation.as_str()),
            validity,
        )?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { root, validity })
    }

    /// The root's certificate, PEM.
    pub fn root_pem(&self) -> String {
        self.root.pem()
    }

    /// Issues a certificate for an identity. Only nodes can serve with it.
    ///
    /// # Errors
    /// [`FederationError::Issue`].
    pub fn issue_for_demo(&self, peer: &PeerId) -> Result<DemoCertificate, FederationError> {
        let usages = match peer.role {
            Role::Node => vec![
                ExtendedKeyUsagePurpose::ClientAuth,
                ExtendedKeyUsagePurpose::ServerAuth,
            ],
            Role::Source(..) | Role::Checkpoint | Role::Operator => {
                vec![ExtendedKeyUsagePurpose::ClientAuth]
            }
        };
        self.issue(&[peer.to_string()], usages, self.validity)
    }

    /// Issues whatever is asked: URI names, usages, validity. What is wrong in a certificate is tested with it.
    ///
    /// # Errors
    /// [`FederationError::Issue`].
    pub fn issue(
        &self,
        uris: &[String],
        usages: Vec<ExtendedKeyUsagePurpose>,
        validity: Validity,
    ) -> Result<DemoCertificate, FederationError> {
        let mut params = params("demonstration", validity)?;
        for uri in uris {
            params
                .subject_alt_names
                .push(SanType::URI(uri.as_str().try_into()?));
        }
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.root)?;
        Ok(DemoCertificate {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        })
    }
}

fn params(name: &str, validity: Validity) -> Result<CertificateParams, FederationError> {
    let moment = |s| OffsetDateTime::from_unix_timestamp(s).map_err(|_| rcgen::Error::Time);
    let mut params = CertificateParams::default();
    params.not_before = moment(validity.from_s)?;
    params.not_after = moment(validity.until_s)?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    Ok(params)
}
