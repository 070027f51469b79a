//! What a resident says about a proxy, and an office for somebody who has no phone, as values of the domain.

use rules::Minute;
use rules::naming::{NAMING_LEN_BYTES, Naming};

use crate::resident::v1 as proto;
use crate::source::v1 as source;
use crate::{
    DeviceKey, MAX_PROXY_LABEL_BYTES, SIGNATURE_BYTES, WireError, bytes_exact, text_within,
};

/// A proxy that a resident names, changes or ends.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyWish {
    /// The proxy's key.
    pub key: DeviceKey,
    /// What the resident calls it, as sent: an end needs none.
    label: String,
    /// Minute from which it is a proxy no more.
    pub until: Minute,
}

impl ProxyWish {
    /// What the resident calls a proxy that is named or changed.
    ///
    /// # Errors
    /// [`WireError::Missing`] and [`WireError::TooLong`] unless it has 1 to 48 bytes, [`WireError::Malformed`] for control
    /// characters.
    pub fn label(&self) -> Result<&str, WireError> {
        let label = text_within("label", &self.label, MAX_PROXY_LABEL_BYTES)?;
        if label.chars().any(char::is_control) {
            return Err(WireError::Malformed { field: "label" });
        }
        Ok(label)
    }
}

/// Prints nothing of the person.
impl std::fmt::Debug for ProxyWish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyWish(..)")
    }
}

impl TryFrom<&proto::SetProxy> for ProxyWish {
    type Error = WireError;

    fn try_from(body: &proto::SetProxy) -> Result<Self, WireError> {
        let malformed = WireError::Malformed {
            field: "until_minute",
        };
        Ok(Self {
            key: DeviceKey::from_bytes(&body.proxy_key)?,
            label: body.label.clone(),
            until: Minute::new(body.until_minute).map_err(|_| malformed)?,
        })
    }
}

/// A proxy that an office names, with its signature, which is not checked yet.
#[derive(Clone, PartialEq, Eq)]
pub struct NamingRequest {
    /// Who names whom, and until when.
    pub naming: Naming,
    /// The proxy's key: a point of its curve.
    pub key: DeviceKey,
    /// Ed25519 over the naming's signing bytes.
    pub signature: [u8; SIGNATURE_BYTES],
}

/// Prints nothing of the person.
impl std::fmt::Debug for NamingRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NamingRequest(..)")
    }
}

impl From<&NamingRequest> for source::NameProxyRequest {
    fn from(request: &NamingRequest) -> Self {
        Self {
            naming: request.naming.to_bytes(),
            signature: request.signature.to_vec(),
        }
    }
}

impl TryFrom<&source::NameProxyRequest> for NamingRequest {
    type Error = WireError;

    fn try_from(message: &source::NameProxyRequest) -> Result<Self, WireError> {
        let bytes: [u8; NAMING_LEN_BYTES] = bytes_exact("naming", &message.naming)?;
        let malformed = WireError::Malformed { field: "naming" };
        let naming = Naming::from_bytes(&bytes).map_err(|_| malformed)?;
        Ok(Self {
            naming,
            key: DeviceKey::from_bytes(&naming.proxy_key)?,
            signature: bytes_exact("signature", &message.signature)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;
    use rules::{IdentityNumber, ProvinceCode, SourceId, SourceKind};

    use super::*;

    fn named() -> source::NameProxyRequest {
        let key = DeviceKey::of(&SigningKey::from_slice(&[7; 32]).unwrap());
        let naming = Naming {
            request_id: [1; 16],
            subject: IdentityNumber::assemble(330_102, (1940, 1, 1), 5).unwrap(),
            proxy_key: key.to_bytes(),
            until: Minute::new(27_700_000).unwrap(),
            source: SourceId {
                province: ProvinceCode::new(33).unwrap(),
                kind: SourceKind::CommunityOffice,
                number: 1,
            },
        };
        let signature = [9; SIGNATURE_BYTES];
        (&NamingRequest {
            naming,
            key,
            signature,
        })
            .into()
    }

    #[test]
    fn a_naming_reads_back_and_shows_nobody() {
        let read = NamingRequest::try_from(&named()).unwrap();
        assert!(source::NameProxyRequest::from(&read) == named());
        assert_eq!(format!("{read:?}"), "NamingRequest(..)");
    }

    #[test]
    fn a_naming_of_another_form_is_refused_by_its_field() {
        let refused = |change: &dyn Fn(&mut source::NameProxyRequest)| {
            let mut message = named();
            change(&mut message);
            NamingRequest::try_from(&message).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        assert_eq!(refused(&|m| m.naming[72] = 99), malformed("naming"));
        assert!(matches!(
            refused(&|m| m.naming.push(0)),
            WireError::WrongLength { .. }
        ));
        assert!(matches!(
            refused(&|m| m.signature.clear()),
            WireError::WrongLength { .. }
        ));
        // A version that is not read, and a key that is no point.
        assert_eq!(refused(&|m| m.naming[0] = 2), malformed("naming"));
        assert!(
            NamingRequest::try_from(&{
                let mut message = named();
                message.naming[35..68].fill(0);
                message
            })
            .is_err()
        );
    }

    #[test]
    fn a_label_is_short_text_without_control_characters() {
        let key = SigningKey::from_slice(&[7; 32]).unwrap();
        let wish = |label: &str| {
            ProxyWish::try_from(&proto::SetProxy {
                proxy_key: DeviceKey::of(&key).to_bytes().to_vec(),
                label: label.to_owned(),
                until_minute: 1,
            })
            .unwrap()
        };
        assert_eq!(wish("女儿").label(), Ok("女儿"));
        assert!(wish(&"a".repeat(48)).label().is_ok());
        for bad in ["", &"a".repeat(49), "a\nb", "\u{7f}"] {
            assert!(wish(bad).label().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_key_that_is_no_point_is_refused() {
        for proxy_key in [vec![], vec![2; 32], vec![0; 33]] {
            let body = proto::SetProxy {
                proxy_key,
                ..Default::default()
            };
            assert!(ProxyWish::try_from(&body).is_err());
        }
    }
}
