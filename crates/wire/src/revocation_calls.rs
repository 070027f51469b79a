//! What is said about revocations, as values of the domain.

use verifier::TrustList;
use verifier::trust::{BATCH_LEN, BatchDigest, InHand, Increment, Revocation};

use crate::federation::v1 as federation;
use crate::resident::v1 as resident;
use crate::trust::v1 as trust;
use crate::{UseId, WireError, bytes_exact};

/// Which of the own passes a resident revokes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revoking {
    /// Those of one use; `None` for all.
    pub use_id: Option<UseId>,
    /// Whether all devices but the one that asks are unbound.
    pub forget_other_devices: bool,
}

impl TryFrom<&resident::RevokePasses> for Revoking {
    type Error = WireError;

    fn try_from(body: &resident::RevokePasses) -> Result<Self, WireError> {
        let use_id = (!body.use_id.is_empty()).then(|| bytes_exact("use_id", &body.use_id));
        Ok(Self {
            use_id: use_id.transpose()?.map(UseId),
            forget_other_devices: body.forget_other_devices,
        })
    }
}

/// A province's part of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributed(pub Vec<Revocation>);

impl From<&Contributed> for federation::ContributeResponse {
    fn from(contributed: &Contributed) -> Self {
        let revocations = contributed.0.iter().flat_map(|r| r.0).collect();
        Self { revocations }
    }
}

impl TryFrom<&federation::ContributeResponse> for Contributed {
    type Error = WireError;

    fn try_from(answer: &federation::ContributeResponse) -> Result<Self, WireError> {
        let (each, rest) = answer.revocations.as_chunks::<16>();
        if !rest.is_empty() || each.is_empty() || each.len() > BATCH_LEN {
            return Err(WireError::Malformed {
                field: "revocations",
            });
        }
        Ok(Self(each.iter().copied().map(Revocation).collect()))
    }
}

impl TryFrom<&trust::GetRevocationBatchRequest> for BatchDigest {
    type Error = WireError;

    fn try_from(request: &trust::GetRevocationBatchRequest) -> Result<Self, WireError> {
        bytes_exact("digest", &request.digest).map(Self)
    }
}

impl From<&InHand> for trust::GetTrustListRequest {
    fn from(in_hand: &InHand) -> Self {
        Self {
            root_sequence: in_hand.root_sequence,
            online_sequence: in_hand.online_sequence,
            epoch: in_hand.epoch,
            batch_minute: in_hand.batch_minute,
            accepts_increment: true,
        }
    }
}

impl From<&trust::GetTrustListRequest> for InHand {
    fn from(request: &trust::GetTrustListRequest) -> Self {
        Self {
            root_sequence: request.root_sequence,
            online_sequence: request.online_sequence,
            epoch: request.epoch,
            batch_minute: request.batch_minute,
        }
    }
}

/// What leads a caller on from what is in hand to `list`: nothing, an increment, or the whole.
pub fn trust_list_answer(
    list: &TrustList,
    request: &trust::GetTrustListRequest,
) -> trust::GetTrustListResponse {
    let newest = InHand::of(list);
    let mut answer = trust::GetTrustListResponse::default();
    if (request.root_sequence, request.online_sequence)
        == (newest.root_sequence, newest.online_sequence)
    {
        return answer;
    }
    let increment = if request.accepts_increment {
        Increment::of(list, &request.into()).ok().flatten()
    } else {
        None
    };
    match increment {
        Some(increment) => answer.increment = increment.to_bytes(),
        None => answer.bundle = list.to_bytes().to_vec(),
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_batch_travels_unchanged_and_in_whole_revocations() {
        let part = Contributed(vec![Revocation([1; 16]), Revocation([2; 16])]);
        let answer = federation::ContributeResponse::from(&part);
        assert_eq!(Contributed::try_from(&answer), Ok(part));
        for len in [0, 15, 17, 16_016] {
            let revocations = vec![1; len];
            let answer = federation::ContributeResponse { revocations };
            assert!(Contributed::try_from(&answer).is_err(), "{len}");
        }
    }

    #[test]
    fn one_use_or_all_are_revoked_and_nothing_between() {
        let of = |len| {
            Revoking::try_from(&resident::RevokePasses {
                use_id: vec![5; len],
                forget_other_devices: true,
            })
        };
        assert_eq!(of(0).unwrap().use_id, None);
        assert_eq!(of(16).unwrap().use_id, Some(UseId([5; 16])));
        assert!(of(15).is_err() && of(17).is_err());
    }
}
