//! Identities: one URI per province and role, in the manner of SPIFFE.

use std::fmt;
use std::str::FromStr;

use rules::{ProvinceCode, SourceId, SourceKind};
use x509_parser::prelude::{FromDer as _, GeneralName, X509Certificate};

use crate::FederationError;
use crate::roots::read_certificates;

/// What every identity begins with.
const PREFIX: &str = "spiffe://viridian/";
/// Longest identity that is looked at, in bytes.
const MAX_URI_BYTES: usize = 160;
/// Longest name of a federation, in bytes.
const MAX_FEDERATION_BYTES: usize = 32;

/// Name of a federation: 1 to 32 characters of a-z, 0-9 and '-'.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FederationId(String);

impl FederationId {
    /// A checked name.
    ///
    /// # Errors
    /// [`FederationError::FederationName`].
    pub fn new(name: &str) -> Result<Self, FederationError> {
        let admitted = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=MAX_FEDERATION_BYTES).contains(&name.len()) && name.bytes().all(admitted) {
            Ok(Self(name.to_owned()))
        } else {
            Err(FederationError::FederationName)
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a certificate's holder is. Residents hold no certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A province's node.
    Node,
    /// A source of events, by kind and number; never of the kind `Resident`.
    Source(SourceKind, u32),
    /// A checkpoint.
    Checkpoint,
    /// Somebody who operates a province's node.
    Operator,
    /// Somebody who holds nodes' records against what sources signed, by number.
    Auditor(u32),
}

/// An identity: federation, province and role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PeerId {
    /// The federation that it belongs to.
    pub federation: FederationId,
    /// The province that answers for it.
    pub province: ProvinceCode,
    /// What it is.
    pub role: Role,
}

impl PeerId {
    /// The node of a province.
    pub fn node(federation: &FederationId, province: ProvinceCode) -> Self {
        Self {
            federation: federation.clone(),
            province,
            role: Role::Node,
        }
    }

    /// The source, if it is one.
    pub fn source(&self) -> Option<SourceId> {
        match self.role {
            Role::Source(kind, number) => Some(SourceId {
                province: self.province,
                kind,
                number,
            }),
            _ => None,
        }
    }

    /// The identity in a certificate, which has exactly one URI name. Says nothing about who issued it.
    ///
    /// # Errors
    /// [`FederationError::CertificateForm`], [`FederationError::UriNames`], [`FederationError::IdentityForm`].
    pub fn from_certificate(der: &[u8]) -> Result<Self, FederationError> {
        match &uri_names(der)?[..] {
            [uri] => uri.parse(),
            uris => Err(FederationError::UriNames(uris.len())),
        }
    }
}

/// A province's own certificate authority: it vouches for identities of its province only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The federation that it belongs to.
    pub federation: FederationId,
    /// The province that it vouches for.
    pub province: ProvinceCode,
}

impl Authority {
    /// The authority that a root certificate names; none for a root without a URI name, which vouches for all.
    ///
    /// # Errors
    /// [`FederationError::CertificateForm`]; [`FederationError::Authority`] for a URI name of another form, or several.
    pub fn from_certificate(der: &[u8]) -> Result<Option<Self>, FederationError> {
        match &uri_names(der)?[..] {
            [] => Ok(None),
            [uri] => uri.parse().map(Some),
            _ => Err(FederationError::Authority),
        }
    }

    /// The authority that the one root certificate in PEM text names; none for one that vouches for all.
    ///
    /// # Errors
    /// [`FederationError::Pem`] for anything but one certificate, and those of [`Authority::from_certificate`].
    pub fn from_pem(pem: &str) -> Result<Option<Self>, FederationError> {
        let what = "root certificate";
        match &read_certificates(pem, what)?[..] {
            [root] => Self::from_certificate(root),
            _ => Err(FederationError::Pem { what }),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let province = self.province.get();
        write!(f, "{PREFIX}{}/{province:02}/authority", self.federation.0)
    }
}

impl FromStr for Authority {
    type Err = FederationError;

    /// Reads the name of an authority; only the exact spelling that [`fmt::Display`] writes is admitted.
    fn from_str(uri: &str) -> Result<Self, FederationError> {
        let node = uri
            .strip_suffix("authority")
            .and_then(|path| format!("{path}node").parse::<PeerId>().ok())
            .ok_or(FederationError::Authority)?;
        Ok(Self {
            federation: node.federation,
            province: node.province,
        })
    }
}

/// The URI names of a certificate, in their order.
fn uri_names(der: &[u8]) -> Result<Vec<String>, FederationError> {
    const FORM: FederationError = FederationError::CertificateForm;
    let (rest, certificate) = X509Certificate::from_der(der).map_err(|_| FORM)?;
    if !rest.is_empty() {
        return Err(FORM);
    }
    let names = certificate.subject_alternative_name().map_err(|_| FORM)?;
    let names = names.iter().flat_map(|names| &names.value.general_names);
    Ok(names
        .filter_map(|name| match name {
            GeneralName::URI(uri) => Some((*uri).to_owned()),
            _ => None,
        })
        .collect())
}

/// The word for a kind of source in identities.
const fn kind_word(kind: SourceKind) -> &'static str {
    match kind {
        SourceKind::Laboratory => "laboratory",
        SourceKind::Cdc => "cdc",
        SourceKind::BorderPost => "border-post",
        SourceKind::Telecom => "telecom",
        SourceKind::CommunityOffice => "community-office",
        SourceKind::Hospital => "hospital",
        SourceKind::Resident => "resident",
        SourceKind::AppealsOffice => "appeals-office",
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{PREFIX}{}/{:02}/",
            self.federation.0,
            self.province.get()
        )?;
        match self.role {
            Role::Node => f.write_str("node"),
            Role::Source(kind, number) => write!(f, "source/{}/{number}", kind_word(kind)),
            Role::Checkpoint => f.write_str("checkpoint"),
            Role::Operator => f.write_str("operator"),
            Role::Auditor(number) => write!(f, "auditor/{number}"),
        }
    }
}

impl FromStr for PeerId {
    type Err = FederationError;

    /// Reads an identity; only the exact spelling that [`fmt::Display`] writes is admitted.
    fn from_str(uri: &str) -> Result<Self, FederationError> {
        const FORM: FederationError = FederationError::IdentityForm;
        if uri.len() > MAX_URI_BYTES {
            return Err(FORM);
        }
        let path: Vec<&str> = uri.strip_prefix(PREFIX).ok_or(FORM)?.split('/').collect();
        let (&[federation, province], role) = path.split_first_chunk::<2>().ok_or(FORM)?;
        let province: u8 = province.parse().map_err(|_| FORM)?;
        let peer = Self {
            federation: FederationId::new(federation).map_err(|_| FORM)?,
            province: ProvinceCode::new(province).map_err(|_| FORM)?,
            role: role_of(role).ok_or(FORM)?,
        };
        // One identity, one spelling: no sign, no leading zero.
        if peer.to_string() == uri {
            Ok(peer)
        } else {
            Err(FORM)
        }
    }
}

fn role_of(path: &[&str]) -> Option<Role> {
    match path {
        ["node"] => Some(Role::Node),
        ["checkpoint"] => Some(Role::Checkpoint),
        ["operator"] => Some(Role::Operator),
        ["auditor", number] => Some(Role::Auditor(number.parse().ok()?)),
        ["source", kind, number] => {
            let kind = SourceKind::ALL
                .into_iter()
                .find(|&known| kind_word(known) == *kind)?;
            (kind != SourceKind::Resident).then_some(Role::Source(kind, number.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_written_and_read_alike() {
        for text in [
            "spiffe://viridian/demo/33/node",
            "spiffe://viridian/demo/35/source/laboratory/17",
            "spiffe://viridian/demo/35/source/border-post/0",
            "spiffe://viridian/a-1/42/checkpoint",
            "spiffe://viridian/demo/42/operator",
            "spiffe://viridian/demo/42/auditor/0",
            "spiffe://viridian/demo/42/auditor/4294967295",
        ] {
            assert_eq!(text.parse::<PeerId>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn every_kind_of_source_but_the_resident_has_an_identity() {
        for kind in SourceKind::ALL {
            let text = format!("spiffe://viridian/demo/33/source/{}/1", kind_word(kind));
            assert_eq!(
                text.parse::<PeerId>().is_ok(),
                kind != SourceKind::Resident,
                "{text}"
            );
        }
    }

    #[test]
    fn another_spelling_is_no_identity() {
        for text in [
            "",
            "spiffe://viridian/",
            "spiffe://viridian/demo/33",
            "spiffe://viridian/demo/33/",
            "spiffe://viridian/demo/33/node/",
            "spiffe://viridian/demo/33/node/x",
            "spiffe://viridian/demo/33/Node",
            "spiffe://viridian/Demo/33/node",
            "spiffe://viridian//33/node",
            "spiffe://viridian/demo/+33/node",
            "spiffe://viridian/demo/033/node",
            "spiffe://viridian/demo/99/node",
            "spiffe://other/demo/33/node",
            "https://viridian/demo/33/node",
            "spiffe://viridian/demo/33/source",
            "spiffe://viridian/demo/33/source/laboratory",
            "spiffe://viridian/demo/33/source/laboratory/01",
            "spiffe://viridian/demo/33/source/laboratory/-1",
            "spiffe://viridian/demo/33/source/oracle/1",
            "spiffe://viridian/demo/33/auditor",
            "spiffe://viridian/demo/33/auditor/01",
            "spiffe://viridian/demo/33/auditor/+1",
            "spiffe://viridian/demo/33/auditor/4294967296",
            "spiffe://viridian/demo/33/source/laboratory/4294967296",
        ] {
            assert!(text.parse::<PeerId>().is_err(), "{text}");
        }
        let long = format!("spiffe://viridian/{}/33/node", "a".repeat(33));
        assert!(long.parse::<PeerId>().is_err());
    }

    #[test]
    fn an_authority_is_written_and_read_alike_and_is_no_peer() {
        let text = "spiffe://viridian/demo/33/authority";
        assert_eq!(text.parse::<Authority>().unwrap().to_string(), text);
        assert!(text.parse::<PeerId>().is_err());
        for text in [
            "spiffe://viridian/demo/33/node",
            "spiffe://viridian/demo/33/source/authority",
            "spiffe://viridian/demo/033/authority",
            "spiffe://viridian/demo/authority",
            "authority",
        ] {
            assert!(text.parse::<Authority>().is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_certificate_have_no_identity() {
        assert!(PeerId::from_certificate(b"").is_err());
        assert!(PeerId::from_certificate(&[0x30; 40]).is_err());
    }
}
