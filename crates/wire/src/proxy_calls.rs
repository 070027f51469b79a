//! What a resident says about a proxy, as a value of the domain.

use rules::Minute;

use crate::resident::v1 as proto;
use crate::{DeviceKey, MAX_PROXY_LABEL_BYTES, WireError, text_within};

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

#[cfg(test)]
mod tests {
    use p256::ecdsa::SigningKey;

    use super::*;

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
