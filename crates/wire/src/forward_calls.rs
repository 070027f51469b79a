//! Events on their way to another province: what a source says of the home, and what the home answers.

use ledger::receipt::HeldReceipt;
use rules::{Minute, ProvinceCode};

use crate::federation::v1 as proto;
use crate::share::known;
use crate::source::v1::SignedEvent;
use crate::{
    ENVELOPE_BYTES, MAX_EVENTS, MAX_REASON_BYTES, WireError, bytes_exact, count_within, text_within,
};

/// The home that a source states for an event; none where it states none.
///
/// # Errors
/// [`WireError::Malformed`] for a number that is no province.
pub fn stated_home(message: &SignedEvent) -> Result<Option<ProvinceCode>, WireError> {
    const FIELD: &str = "home_province";
    if message.home_province == 0 {
        return Ok(None);
    }
    u8::try_from(message.home_province)
        .ok()
        .and_then(|code| ProvinceCode::new(code).ok())
        .map(Some)
        .ok_or(WireError::Malformed { field: FIELD })
}

/// The envelopes of a call, each of its length. What is in them is for the home to judge.
///
/// # Errors
/// [`WireError::WrongCount`] for none or more than 256, [`WireError::WrongLength`].
pub fn envelopes(
    request: &proto::ForwardEventsRequest,
) -> Result<Vec<[u8; ENVELOPE_BYTES]>, WireError> {
    count_within("envelopes", &request.envelopes, MAX_EVENTS)?
        .iter()
        .map(|bytes| bytes_exact("envelopes", bytes))
        .collect()
}

/// What a home answers to an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForwardAnswer {
    /// The event is part of the record, now or before.
    Accepted,
    /// It has no effect until its source confirms it.
    Waiting {
        /// The last minute for that.
        confirm_by: Minute,
    },
    /// Nothing is kept of it.
    Refused {
        /// A stable code: 1 to 32 of a-z and '-'.
        reason: String,
    },
    /// It came too late, or was not confirmed in time.
    Lapsed,
}

impl ForwardAnswer {
    /// A refusal under a code.
    pub fn refused(reason: &str) -> Self {
        Self::Refused {
            reason: reason.to_owned(),
        }
    }
}

impl From<&ForwardAnswer> for proto::ForwardResult {
    fn from(answer: &ForwardAnswer) -> Self {
        let mut result = Self::default();
        let outcome = match answer {
            ForwardAnswer::Accepted => proto::ForwardOutcome::Accepted,
            ForwardAnswer::Waiting { confirm_by } => {
                result.confirm_by_minute = confirm_by.get();
                proto::ForwardOutcome::Waiting
            }
            ForwardAnswer::Refused { reason } => {
                result.reason.clone_from(reason);
                proto::ForwardOutcome::Refused
            }
            ForwardAnswer::Lapsed => proto::ForwardOutcome::Lapsed,
        };
        result.set_outcome(outcome);
        result
    }
}

impl TryFrom<&proto::ForwardResult> for ForwardAnswer {
    type Error = WireError;

    fn try_from(result: &proto::ForwardResult) -> Result<Self, WireError> {
        let malformed = |field| WireError::Malformed { field };
        match known(result.outcome, "outcome")? {
            proto::ForwardOutcome::Unspecified => Err(WireError::Missing { field: "outcome" }),
            proto::ForwardOutcome::Accepted => Ok(Self::Accepted),
            proto::ForwardOutcome::Waiting => Minute::new(result.confirm_by_minute)
                .map(|confirm_by| Self::Waiting { confirm_by })
                .map_err(|_| malformed("confirm_by_minute")),
            proto::ForwardOutcome::Refused => {
                let reason = text_within("reason", &result.reason, MAX_REASON_BYTES)?;
                let admitted = |b: u8| b.is_ascii_lowercase() || b == b'-';
                if reason.bytes().all(admitted) {
                    Ok(Self::refused(reason))
                } else {
                    Err(malformed("reason"))
                }
            }
            proto::ForwardOutcome::Lapsed => Ok(Self::Lapsed),
        }
    }
}

/// The answers to as many envelopes.
///
/// # Errors
/// [`WireError::WrongCount`] for more or fewer; what is wrong with one of them.
pub fn forward_answers(
    response: &proto::ForwardEventsResponse,
    envelopes: usize,
) -> Result<Vec<ForwardAnswer>, WireError> {
    let results = &response.results;
    if results.len() != envelopes {
        return Err(WireError::WrongCount {
            field: "results",
            least: envelopes,
            limit: envelopes,
            got: results.len(),
        });
    }
    results.iter().map(ForwardAnswer::try_from).collect()
}

/// The homes' receipts that came with as many answers. What is no receipt is none: the event is accepted all the same.
pub fn home_receipts(
    response: &proto::ForwardEventsResponse,
) -> impl Iterator<Item = Option<HeldReceipt>> {
    let results = response.results.iter();
    results.map(|result| HeldReceipt::from_bytes(&result.receipt).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers() -> Vec<ForwardAnswer> {
        vec![
            ForwardAnswer::Accepted,
            ForwardAnswer::Waiting {
                confirm_by: Minute::new(27_700_000).unwrap(),
            },
            ForwardAnswer::refused("not-taken"),
            ForwardAnswer::Lapsed,
        ]
    }

    #[test]
    fn answers_travel_unchanged_and_there_are_as_many_as_envelopes() {
        let results = answers().iter().map(proto::ForwardResult::from).collect();
        let response = proto::ForwardEventsResponse { results };
        assert_eq!(forward_answers(&response, 4), Ok(answers()));
        for other in [0, 3, 5] {
            let got = forward_answers(&response, other);
            assert!(matches!(got, Err(WireError::WrongCount { got: 4, .. })));
        }
    }

    #[test]
    fn an_answer_of_another_form_is_refused_by_its_field() {
        use proto::ForwardOutcome as O;
        let refused = |outcome: proto::ForwardOutcome, reason: &str, confirm_by_minute| {
            let result = proto::ForwardResult {
                outcome: outcome.into(),
                reason: reason.to_owned(),
                confirm_by_minute,
                receipt: Vec::new(),
            };
            ForwardAnswer::try_from(&result).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        assert_eq!(
            refused(O::Unspecified, "", 0),
            WireError::Missing { field: "outcome" }
        );
        assert_eq!(
            refused(O::Waiting, "", u32::MAX),
            malformed("confirm_by_minute")
        );
        assert_eq!(
            refused(O::Refused, "11010519491231002X", 0),
            malformed("reason")
        );
        assert_eq!(
            refused(O::Refused, "", 0),
            WireError::Missing { field: "reason" }
        );
        assert!(matches!(
            refused(O::Refused, &"a".repeat(33), 0),
            WireError::TooLong { limit: 32, .. }
        ));
    }

    #[test]
    fn a_home_is_a_province_or_not_stated() {
        let stated = |home_province| {
            stated_home(&SignedEvent {
                home_province,
                ..Default::default()
            })
        };
        assert_eq!(stated(0), Ok(None));
        assert_eq!(stated(35), Ok(ProvinceCode::new(35).ok()));
        for bad in [100, 256 + 35, u32::MAX] {
            assert_eq!(
                stated(bad),
                Err(WireError::Malformed {
                    field: "home_province"
                })
            );
        }
    }

    #[test]
    fn envelopes_are_held_to_their_number_and_length() {
        let request = |envelopes: Vec<Vec<u8>>| proto::ForwardEventsRequest { envelopes };
        let one = vec![7; ENVELOPE_BYTES];
        assert_eq!(
            envelopes(&request(vec![one.clone()])),
            Ok(vec![[7; ENVELOPE_BYTES]])
        );
        for count in [0, 257] {
            assert!(matches!(
                envelopes(&request(vec![one.clone(); count])),
                Err(WireError::WrongCount { .. })
            ));
        }
        for len in [0, ENVELOPE_BYTES - 1, ENVELOPE_BYTES + 1] {
            assert!(matches!(
                envelopes(&request(vec![one.clone(), vec![7; len]])),
                Err(WireError::WrongLength { .. })
            ));
        }
    }
}
