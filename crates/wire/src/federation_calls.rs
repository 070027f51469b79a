//! What nodes hand to each other, as values of the ledger and the verifier. Nothing here is checked beyond its form:
//! signatures, roots and quorums are the receiver's to judge.

use ledger::{Cosignature, CosignedStatement, RegistryStatement, SignedTreeHead};
use verifier::trust::{OnlineDocument, ProvinceSignature, SignedOnline};

use crate::federation::v1 as proto;
use crate::{MAX_HEADS, WireError, count_within, required};

/// A registry statement and the signed tree heads that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What is to be signed.
    pub statement: RegistryStatement,
    /// 1 to 64 heads, as sent.
    pub heads: Vec<SignedTreeHead>,
}

impl From<&Proposal> for proto::CosignRegistryRequest {
    fn from(proposal: &Proposal) -> Self {
        Self {
            statement: proposal.statement.to_bytes(),
            heads: write_heads(&proposal.heads),
        }
    }
}

impl TryFrom<&proto::CosignRegistryRequest> for Proposal {
    type Error = WireError;

    fn try_from(request: &proto::CosignRegistryRequest) -> Result<Self, WireError> {
        let statement = RegistryStatement::from_bytes(&request.statement);
        Ok(Self {
            statement: statement.map_err(|_| malformed("statement"))?,
            heads: heads(&request.heads)?,
        })
    }
}

/// A cosigned registry statement and the signed tree heads that it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRegistry {
    /// The statement with its cosignatures.
    pub cosigned: CosignedStatement,
    /// 1 to 64 heads, as sent.
    pub heads: Vec<SignedTreeHead>,
}

impl From<&PublishedRegistry> for proto::CosignedRegistry {
    fn from(registry: &PublishedRegistry) -> Self {
        Self {
            cosigned: registry.cosigned.to_bytes(),
            heads: write_heads(&registry.heads),
        }
    }
}

impl TryFrom<Option<&proto::CosignedRegistry>> for PublishedRegistry {
    type Error = WireError;

    fn try_from(registry: Option<&proto::CosignedRegistry>) -> Result<Self, WireError> {
        let registry = required("registry", registry)?;
        let cosigned = CosignedStatement::from_bytes(&registry.cosigned);
        Ok(Self {
            cosigned: cosigned.map_err(|_| malformed("cosigned"))?,
            heads: heads(&registry.heads)?,
        })
    }
}

/// Converts a message of one field both ways.
macro_rules! single_field {
    ($($message:ident, $field:ident, $value:ty;)*) => {$(
        impl TryFrom<&proto::$message> for $value {
            type Error = WireError;

            fn try_from(message: &proto::$message) -> Result<Self, WireError> {
                <$value>::from_bytes(&message.$field).map_err(|_| malformed(stringify!($field)))
            }
        }
    )*};
}

single_field! {
    GetTreeHeadResponse, head, SignedTreeHead;
    CosignRegistryResponse, cosignature, Cosignature;
    CosignOnlineRequest, document, OnlineDocument;
    CosignOnlineResponse, signature, ProvinceSignature;
    PublishOnlineRequest, online, SignedOnline;
}

fn heads(heads: &[Vec<u8>]) -> Result<Vec<SignedTreeHead>, WireError> {
    count_within("heads", heads, MAX_HEADS)?
        .iter()
        .map(|head| SignedTreeHead::from_bytes(head).map_err(|_| malformed("heads")))
        .collect()
}

fn write_heads(heads: &[SignedTreeHead]) -> Vec<Vec<u8>> {
    heads.iter().map(SignedTreeHead::to_bytes).collect()
}

const fn malformed(field: &'static str) -> WireError {
    WireError::Malformed { field }
}

#[cfg(test)]
mod tests {
    use commitment::Fr;
    use ed25519_dalek::SigningKey;
    use ledger::{Epoch, HeadHash, Minute, ProvinceCode, RuleSetsDigest, Slot, TreeHead};

    use super::*;

    fn proposal() -> Proposal {
        let head = TreeHead {
            province: ProvinceCode::new(33).unwrap(),
            slot: Slot::new(3).unwrap(),
            epoch: Epoch::new(9),
            head_time: Minute::new(27_700_000).unwrap(),
            state_root: Fr::from(7_u64),
            leaf_count: 5,
            rule_sets: RuleSetsDigest([1; 32]),
            previous: HeadHash::NONE,
        };
        let heads = vec![head.sign(&SigningKey::from_bytes(&[8; 32]))];
        let (as_of, risk_root) = (Minute::new(27_700_010).unwrap(), Fr::from(9_u64));
        let rule_sets = RuleSetsDigest([1; 32]);
        let statement = RegistryStatement::new(Epoch::new(9), as_of, risk_root, rule_sets, &heads);
        Proposal {
            statement: statement.unwrap(),
            heads,
        }
    }

    fn registry() -> PublishedRegistry {
        let Proposal { statement, heads } = proposal();
        let cosignature = Cosignature {
            slot: Slot::new(3).unwrap(),
            signature: [4; 64],
        };
        PublishedRegistry {
            cosigned: CosignedStatement::new(statement, vec![cosignature]),
            heads,
        }
    }

    #[test]
    fn statements_and_heads_travel_unchanged() {
        let (proposal, registry) = (proposal(), registry());
        let request = proto::CosignRegistryRequest::from(&proposal);
        assert_eq!(Proposal::try_from(&request), Ok(proposal));
        let message = proto::CosignedRegistry::from(&registry);
        assert_eq!(PublishedRegistry::try_from(Some(&message)), Ok(registry));
    }

    #[test]
    fn a_registry_with_a_damaged_part_is_refused() {
        let refusal = |damage: fn(&mut proto::CosignedRegistry)| {
            let mut message = proto::CosignedRegistry::from(&registry());
            damage(&mut message);
            PublishedRegistry::try_from(Some(&message)).unwrap_err()
        };
        assert_eq!(
            refusal(|message| message.cosigned[0] = 2),
            malformed("cosigned")
        );
        assert_eq!(
            refusal(|message| message.cosigned.push(0)),
            malformed("cosigned")
        );
        assert_eq!(
            refusal(|message| message.heads[0].truncate(174)),
            malformed("heads")
        );
        let count = |got| WireError::WrongCount {
            field: "heads",
            least: 1,
            limit: 64,
            got,
        };
        assert_eq!(refusal(|message| message.heads.clear()), count(0));
        assert_eq!(
            refusal(|message| message.heads = vec![message.heads[0].clone(); 65]),
            count(65)
        );
        let missing = PublishedRegistry::try_from(None).unwrap_err();
        assert_eq!(missing, WireError::Missing { field: "registry" });
    }

    #[test]
    fn a_single_field_is_read_or_named() {
        let head = proposal().heads[0];
        let answer = proto::GetTreeHeadResponse {
            head: head.to_bytes(),
        };
        assert_eq!(SignedTreeHead::try_from(&answer), Ok(head));
        let answer = proto::CosignRegistryResponse {
            cosignature: vec![0; 64],
        };
        assert_eq!(
            Cosignature::try_from(&answer),
            Err(malformed("cosignature"))
        );
        let request = proto::CosignOnlineRequest {
            document: vec![1; 40],
        };
        assert_eq!(
            OnlineDocument::try_from(&request),
            Err(malformed("document"))
        );
    }
}
