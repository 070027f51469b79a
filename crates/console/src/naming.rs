//! A proxy that an office names for somebody who has no phone: a form of the page as what the office would sign.

use rules::naming::{Naming, may_name_proxies};
use rules::{Minute, SourceId, SourceKind};
use wire::console::v1 as proto;
use wire::{DeviceKey, MAX_PROXY_MIN, NamingRequest, WireError};

use crate::offices::Office;

/// Whether an office of this kind is offered the form. Whether it may is for the node to say, which entitles offices one by one.
pub(crate) const fn is_offered(source: SourceKind) -> bool {
    may_name_proxies(source)
}

/// Reads a form; the name of what is signed follows from the proposal, and stands in it later.
///
/// # Errors
/// [`WireError`] for the first field that is not of its form.
pub(crate) fn read(message: &proto::ProxyNaming, source: SourceId) -> Result<Naming, WireError> {
    let field = "until_minute";
    let key = DeviceKey::from_bytes(&message.proxy_key)?;
    Ok(Naming {
        request_id: [0; 16],
        subject: (message.identity_number.parse()).map_err(|_| WireError::IdentityNumber)?,
        proxy_key: key.to_bytes(),
        until: Minute::new(message.until_minute).map_err(|_| WireError::Malformed { field })?,
        source,
    })
}

/// Whether its end is to come, and not too far ahead.
///
/// # Errors
/// [`WireError::Malformed`].
pub(crate) fn check(naming: &Naming, now: Minute) -> Result<(), WireError> {
    let latest = now.saturating_add_signed(MAX_PROXY_MIN.into());
    if now < naming.until && naming.until <= latest {
        Ok(())
    } else {
        let field = "until_minute";
        Err(WireError::Malformed { field })
    }
}

/// The form that it was read from.
pub(crate) fn to_message(naming: &Naming) -> proto::ProxyNaming {
    proto::ProxyNaming {
        source: naming.source.to_string(),
        identity_number: String::from_utf8_lossy(naming.subject.expose()).into_owned(),
        proxy_key: naming.proxy_key.to_vec(),
        until_minute: naming.until.get(),
    }
}

/// What the node is handed, signed by the office.
///
/// # Errors
/// [`WireError`] for a key that is none; none was read.
pub(crate) fn signed(naming: Naming, office: &Office) -> Result<NamingRequest, WireError> {
    Ok(NamingRequest {
        naming,
        key: DeviceKey::from_bytes(&naming.proxy_key)?,
        signature: office.sign(&naming.signing_bytes()),
    })
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
