//! What invitations and requests share: short texts, keys, PEM.

use commitment::layout::{LayoutError, Reader};
use ed25519_dalek::{Signature, VerifyingKey};
use federation::FederationId;

use crate::MembershipError;

pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    let len = u16::try_from(text.len()).expect("texts were checked");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn read_text(reader: &mut Reader<'_>, limit: usize) -> Result<String, LayoutError> {
    let len = usize::from(reader.u16()?);
    if len > limit {
        return Err(LayoutError::Invalid("a text above its limit"));
    }
    let text = std::str::from_utf8(reader.slice(len)?);
    text.map(str::to_owned)
        .map_err(|_| LayoutError::Invalid("a text that is not UTF-8"))
}

pub(crate) fn read_federation(reader: &mut Reader<'_>) -> Result<FederationId, MembershipError> {
    Ok(FederationId::new(&read_text(reader, 32)?)?)
}

pub(crate) fn read_key(reader: &mut Reader<'_>) -> Result<VerifyingKey, MembershipError> {
    let key = VerifyingKey::from_bytes(&reader.array()?)
        .map_err(|_| LayoutError::Invalid("a key that is no point"))?;
    if key.is_weak() {
        return Err(MembershipError::BadKey("a key of small order"));
    }
    Ok(key)
}

pub(crate) fn check_signature(
    whose: &'static str,
    key: &VerifyingKey,
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), MembershipError> {
    key.verify_strict(message, &Signature::from_bytes(signature))
        .map_err(|_| MembershipError::BadSignature(whose))
}

/// The bytes in PEM text: there is exactly one block, of this label.
pub(crate) fn from_pem(
    text: &str,
    label: &'static str,
    limit_bytes: usize,
) -> Result<Vec<u8>, MembershipError> {
    if text.len() > 2 * limit_bytes {
        return Err(MembershipError::TooLong {
            what: label.to_lowercase(),
            limit_bytes: 2 * limit_bytes as u64,
        });
    }
    match pem::parse_many(text).as_deref() {
        Ok([block]) if block.tag() == label => Ok(block.contents().to_vec()),
        _ => Err(MembershipError::Armour(label)),
    }
}

pub(crate) fn to_pem(label: &str, bytes: Vec<u8>) -> String {
    let line_ending = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new(label, bytes), line_ending)
}
