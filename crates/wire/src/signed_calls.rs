//! What a node has signed at most once, with its signature, as values of the ledger and the verifier.

use ledger::Cosignature;
use verifier::trust::{OnlineDocument, ProvinceSignature, Sequence};

use crate::federation::v1 as proto;
use crate::{Proposal, WireError};

/// A registry's statement that was signed, with the heads that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedProposal {
    /// What was signed.
    pub proposal: Proposal,
    /// The signature.
    pub cosignature: Cosignature,
}

impl From<&SignedProposal> for proto::GetSignedRegistryResponse {
    fn from(signed: &SignedProposal) -> Self {
        let proto::CosignRegistryRequest { statement, heads } = (&signed.proposal).into();
        Self {
            statement,
            heads,
            cosignature: signed.cosignature.to_bytes(),
        }
    }
}

impl TryFrom<&proto::GetSignedRegistryResponse> for SignedProposal {
    type Error = WireError;

    fn try_from(answer: &proto::GetSignedRegistryResponse) -> Result<Self, WireError> {
        let request = proto::CosignRegistryRequest {
            statement: answer.statement.clone(),
            heads: answer.heads.clone(),
        };
        Ok(Self {
            proposal: Proposal::try_from(&request)?,
            cosignature: Cosignature::from_bytes(&answer.cosignature)
                .map_err(|_| malformed("cosignature"))?,
        })
    }
}

/// An online document that was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNumber {
    /// Its number.
    pub sequence: Sequence,
    /// The document and the signature; none where only the number is known.
    pub signed: Option<(OnlineDocument, ProvinceSignature)>,
}

/// Writes what was signed.
///
/// # Errors
/// [`WireError::Malformed`] for a document that has no bytes.
pub fn signed_number_response(
    signed: &SignedNumber,
) -> Result<proto::GetSignedOnlineResponse, WireError> {
    let (document, signature) = match &signed.signed {
        Some((document, signature)) => (
            document.to_bytes().map_err(|_| malformed("document"))?,
            signature.to_bytes().to_vec(),
        ),
        None => Default::default(),
    };
    Ok(proto::GetSignedOnlineResponse {
        sequence: signed.sequence.get(),
        document,
        signature,
    })
}

impl TryFrom<&proto::GetSignedOnlineResponse> for SignedNumber {
    type Error = WireError;

    fn try_from(answer: &proto::GetSignedOnlineResponse) -> Result<Self, WireError> {
        let sequence = Sequence::new(answer.sequence);
        let signed = if answer.document.is_empty() && answer.signature.is_empty() {
            None
        } else {
            let document = OnlineDocument::from_bytes(&answer.document)
                .ok()
                .filter(|document| document.sequence == sequence)
                .ok_or(malformed("document"))?;
            let signature = ProvinceSignature::from_bytes(&answer.signature)
                .map_err(|_| malformed("signature"))?;
            Some((document, signature))
        };
        Ok(Self { sequence, signed })
    }
}

const fn malformed(field: &'static str) -> WireError {
    WireError::Malformed { field }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_alone_travels_and_half_an_answer_is_refused() {
        let alone = SignedNumber {
            sequence: Sequence::new(7),
            signed: None,
        };
        let message = signed_number_response(&alone).unwrap();
        assert_eq!(SignedNumber::try_from(&message), Ok(alone));
        let half = proto::GetSignedOnlineResponse {
            signature: vec![0; 65],
            ..message
        };
        assert_eq!(SignedNumber::try_from(&half), Err(malformed("document")));
    }

    #[test]
    fn a_damaged_statement_is_refused() {
        let message = proto::GetSignedRegistryResponse {
            statement: vec![9],
            heads: vec![vec![0; 175]],
            cosignature: vec![0; 65],
        };
        assert_eq!(
            SignedProposal::try_from(&message),
            Err(malformed("statement"))
        );
    }
}
