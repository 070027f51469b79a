//! What a source asks a home about an event of its own, as values of the domain. Whether the receipt is the home's, and the event the
//! caller's, is the home's to judge; whether the opening is to be believed, the source's.

use ledger::Epoch;
use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use rules::event::MAX_EVENT_LEN_BYTES;
use rules::{Event, Minute};
use verifier::opening::OPENING_LEN_BYTES;

use crate::source::v1 as proto;
use crate::{MAX_MESSAGE_BYTES, WireError, bytes_exact, bytes_within};

const _: () = assert!(OPENING_LEN_BYTES + 1_024 <= MAX_MESSAGE_BYTES);

/// What is asked about an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningRequest {
    /// The event, as it was handed in.
    pub event: Event,
    /// The receipt for it.
    pub receipt: HeldReceipt,
    /// The registry's epoch; from 1.
    pub epoch: Epoch,
    /// Whether what it states has ended no earlier than this; the event's own bound for none.
    pub ended_not_before: Option<Minute>,
}

impl From<&OpeningRequest> for proto::OpenEventRequest {
    fn from(request: &OpeningRequest) -> Self {
        Self {
            event: request.event.to_bytes(),
            receipt: request.receipt.to_bytes(),
            epoch: request.epoch.get(),
            ended_not_before_minute: request.ended_not_before.map(Minute::get),
        }
    }
}

impl TryFrom<&proto::OpenEventRequest> for OpeningRequest {
    type Error = WireError;

    fn try_from(message: &proto::OpenEventRequest) -> Result<Self, WireError> {
        let malformed = |field| WireError::Malformed { field };
        let event = bytes_within("event", &message.event, MAX_EVENT_LEN_BYTES)?;
        let receipt = bytes_within("receipt", &message.receipt, HELD_RECEIPT_LEN_MAX_BYTES)?;
        if message.epoch == 0 {
            return Err(WireError::Missing { field: "epoch" });
        }
        let bound = message.ended_not_before_minute.map(Minute::new);
        Ok(Self {
            event: Event::from_bytes(event).map_err(|_| malformed("event"))?,
            receipt: HeldReceipt::from_bytes(receipt).map_err(|_| malformed("receipt"))?,
            epoch: Epoch::new(message.epoch),
            ended_not_before: bound
                .transpose()
                .map_err(|_| malformed("ended_not_before_minute"))?,
        })
    }
}

/// The bytes of the opening in an answer; they are not read yet.
///
/// # Errors
/// [`WireError::WrongLength`].
pub fn opening_bytes(
    response: &proto::OpenEventResponse,
) -> Result<[u8; OPENING_LEN_BYTES], WireError> {
    bytes_exact("opening", &response.opening)
}

#[cfg(test)]
mod tests {
    use commitment::{ProvinceCode, Slot};
    use ed25519_dalek::SigningKey;
    use ledger::receipt::{Content, Receipt, Salt, promised_by};
    use rules::{EventBody, EventId, IdentityNumber, SourceId, SourceKind, TestResult};

    use super::*;

    fn minute(minutes: u32) -> Minute {
        Minute::new(minutes).unwrap()
    }

    fn request() -> OpeningRequest {
        let province = ProvinceCode::new(33).unwrap();
        let event = Event {
            id: EventId([7; 16]),
            subject: IdentityNumber::assemble(330_102, (1990, 1, 1), 5).unwrap(),
            source: SourceId {
                province,
                kind: SourceKind::Laboratory,
                number: 1,
            },
            issued_at: minute(27_700_000),
            body: EventBody::Test {
                sampled_at: minute(27_699_000),
                result: TestResult::Negative,
            },
        };
        let salt = Salt([9; 32]);
        let receipt = Receipt {
            content: Content::Event,
            federation: "test".to_owned(),
            province,
            slot: Slot::new(3).unwrap(),
            commitment: Content::Event.commit(&salt, &event.to_bytes()),
            accepted: minute(27_700_001),
            promised_by: promised_by(minute(27_700_001)),
        };
        OpeningRequest {
            event,
            receipt: HeldReceipt {
                salt,
                signed: receipt.sign(&SigningKey::from_bytes(&[3; 32])),
            },
            epoch: Epoch::new(41),
            ended_not_before: Some(minute(27_699_500)),
        }
    }

    #[test]
    fn a_question_travels_unchanged() {
        for ended_not_before in [None, Some(Minute::ZERO), Some(minute(27_699_500))] {
            let asked = OpeningRequest {
                ended_not_before,
                ..request()
            };
            let message = proto::OpenEventRequest::from(&asked);
            assert_eq!(OpeningRequest::try_from(&message), Ok(asked));
        }
    }

    #[test]
    fn a_question_of_another_form_is_refused_by_its_field() {
        let refused = |change: &dyn Fn(&mut proto::OpenEventRequest)| {
            let mut message = proto::OpenEventRequest::from(&request());
            change(&mut message);
            OpeningRequest::try_from(&message).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        assert_eq!(
            refused(&|m| m.event.clear()),
            WireError::Missing { field: "event" }
        );
        assert_eq!(
            refused(&|m| m.receipt.clear()),
            WireError::Missing { field: "receipt" }
        );
        assert!(matches!(
            refused(&|m| m.event.resize(67, 0)),
            WireError::TooLong { limit: 66, .. }
        ));
        assert!(matches!(
            refused(&|m| m.receipt.resize(174, 0)),
            WireError::TooLong { limit: 173, .. }
        ));
        assert_eq!(refused(&|m| m.event.truncate(20)), malformed("event"));
        assert_eq!(refused(&|m| m.receipt.truncate(60)), malformed("receipt"));
        assert_eq!(
            refused(&|m| m.epoch = 0),
            WireError::Missing { field: "epoch" }
        );
        assert_eq!(
            refused(&|m| m.ended_not_before_minute = Some(u32::MAX)),
            malformed("ended_not_before_minute")
        );
    }

    #[test]
    fn an_answer_has_the_length_of_an_opening() {
        let answer = |len| proto::OpenEventResponse {
            opening: vec![1; len],
        };
        assert_eq!(opening_bytes(&answer(719)), Ok([1; 719]));
        for len in [0, 718, 720, 200_000] {
            assert_eq!(
                opening_bytes(&answer(len)),
                Err(WireError::WrongLength {
                    field: "opening",
                    expected: 719,
                    got: len
                })
            );
        }
    }
}
