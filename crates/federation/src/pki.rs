//! Certificate authorities: a small offline one for each province, and one of a whole federation for demonstrations and
//! tests.
//!
//! The key of either lies in a plain file. A province that has an authority with a key in hardware takes only the form of
//! the identities from here.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SigningKey,
};
use time::OffsetDateTime;

use crate::roots::read_certificates;
use crate::{Authority, FederationError, FederationId, PeerId, Role};

/// When certificates are valid, inclusive on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Validity {
    /// First moment, seconds since the Unix epoch.
    pub from_s: i64,
    /// Last moment, seconds since the Unix epoch.
    pub until_s: i64,
}

impl Validity {
    /// For a template of which no certificate is made.
    const UNUSED: Self = Self {
        from_s: 0,
        until_s: 0,
    };
}

/// A self-made root whose key is at hand.
pub struct DemoAuthority {
    root: CertifiedIssuer<'static, KeyPair>,
    validity: Validity,
}

/// A certificate with its key.
pub struct IssuedCertificate {
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
        let name = format!("{} demonstration root", federation.as_str());
        let params = root_params(&name, validity)?;
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
    pub fn issue_for_demo(&self, peer: &PeerId) -> Result<IssuedCertificate, FederationError> {
        self.issue(&[peer.to_string()], usages_of(peer.role), self.validity)
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
    ) -> Result<IssuedCertificate, FederationError> {
        issue("demonstration", uris, usages, validity, &self.root)
    }
}

/// A province's own authority: it issues identities of its province, and vouches for no others.
pub struct ProvinceAuthority {
    authority: Authority,
    certificate_pem: String,
    key_pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl ProvinceAuthority {
    /// Makes a root with a new key, drawn from the operating system.
    ///
    /// # Errors
    /// [`FederationError::Issue`].
    pub fn generate(authority: Authority, validity: Validity) -> Result<Self, FederationError> {
        let mut params = root_params(&authority.to_string(), validity)?;
        let uri = authority.to_string();
        params.subject_alt_names = vec![SanType::URI(uri.as_str().try_into()?)];
        let key = KeyPair::generate()?;
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            authority,
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Takes up an authority from its certificate and key.
    ///
    /// # Errors
    /// [`FederationError::Pem`], [`FederationError::Authority`] for a certificate that is no province's authority,
    /// [`FederationError::Issue`] for a key that cannot be read.
    pub fn from_pem(certificate_pem: &str, key_pem: &str) -> Result<Self, FederationError> {
        let certificates = read_certificates(certificate_pem, "root certificate")?;
        let authority = Authority::from_certificate(&certificates[0])?;
        let authority = authority.ok_or(FederationError::Authority)?;
        let key = KeyPair::from_pem(key_pem)?;
        // The name is all that it takes from the certificate to issue others under it.
        let params = root_params(&authority.to_string(), Validity::UNUSED)?;
        Ok(Self {
            authority,
            certificate_pem: certificate_pem.to_owned(),
            key_pem: key_pem.to_owned(),
            issuer: Issuer::new(params, key),
        })
    }

    /// Whose authority it is.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The root's certificate, PEM: public.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// The root's PKCS#8 key, PEM: secret, and kept off line.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Issues a certificate for an identity of the province.
    ///
    /// # Errors
    /// [`FederationError::OtherIdentity`] for another province's, [`FederationError::Issue`].
    pub fn issue(
        &self,
        peer: &PeerId,
        validity: Validity,
    ) -> Result<IssuedCertificate, FederationError> {
        if peer.federation != self.authority.federation || peer.province != self.authority.province
        {
            return Err(FederationError::OtherIdentity);
        }
        let usages = usages_of(peer.role);
        issue(
            &peer.to_string(),
            &[peer.to_string()],
            usages,
            validity,
            &self.issuer,
        )
    }
}

/// What a certificate is for. Only nodes can serve.
fn usages_of(role: Role) -> Vec<ExtendedKeyUsagePurpose> {
    match role {
        Role::Node => vec![
            ExtendedKeyUsagePurpose::ClientAuth,
            ExtendedKeyUsagePurpose::ServerAuth,
        ],
        Role::Source(..) | Role::Checkpoint | Role::Operator | Role::Auditor(_) => {
            vec![ExtendedKeyUsagePurpose::ClientAuth]
        }
    }
}

fn issue(
    name: &str,
    uris: &[String],
    usages: Vec<ExtendedKeyUsagePurpose>,
    validity: Validity,
    issuer: &Issuer<'_, impl SigningKey>,
) -> Result<IssuedCertificate, FederationError> {
    let mut params = params(name, validity)?;
    for uri in uris {
        let uri = SanType::URI(uri.as_str().try_into()?);
        params.subject_alt_names.push(uri);
    }
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = usages;
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, issuer)?;
    Ok(IssuedCertificate {
        chain_pem: certificate.pem(),
        key_pem: key.serialize_pem(),
    })
}

fn root_params(name: &str, validity: Validity) -> Result<CertificateParams, FederationError> {
    let mut params = params(name, validity)?;
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    Ok(params)
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
