//! What an office for appeals asks a home, as values of the domain. Whether the office is one, and the signatures are its own, is the
//! home's to judge.

use std::fmt;

use ledger::receipt::{HELD_RECEIPT_LEN_MAX_BYTES, HeldReceipt};
use rules::appeal::{Decision, MAX_DECISION_LEN_BYTES, Outcome};
use rules::{Event, Minute};

use crate::source::v1 as proto;
use crate::{
    CaseId, MAX_EVENT_BYTES, MAX_STATEMENT_BYTES, SIGNATURE_BYTES, WireError, bytes_exact,
    bytes_within, required, signed_event, text_within,
};

/// Length of the name that an appeal has at the office, in bytes.
pub const APPEAL_ID_BYTES: usize = 20;
/// Most appeals in one answer.
pub const MAX_APPEALS: usize = 256;
/// Longest identifier of a source with its name, in bytes.
const MAX_SOURCE_BYTES: usize = 160;

const _: () = assert!(MAX_DECISION_LEN_BYTES <= 1_100);

/// The name of an appeal at the office: its deadline and a number that tells nothing of the resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppealId(pub [u8; APPEAL_ID_BYTES]);

impl AppealId {
    /// The name of an appeal that is to be decided by then.
    pub fn new(decide_by: Minute, number: [u8; 16]) -> Self {
        let mut id = [0; APPEAL_ID_BYTES];
        id[..4].copy_from_slice(&decide_by.get().to_be_bytes());
        id[4..].copy_from_slice(&number);
        Self(id)
    }

    /// Until when it is to be decided; none for a name of no appeal.
    pub fn decide_by(&self) -> Option<Minute> {
        let minute = self.0.first_chunk().copied()?;
        Minute::new(u32::from_be_bytes(minute)).ok()
    }

    fn read(field: &'static str, bytes: &[u8]) -> Result<Self, WireError> {
        let id = Self(bytes_exact(field, bytes)?);
        id.decide_by().ok_or(WireError::Malformed { field })?;
        Ok(id)
    }
}

/// The appeal after which a list goes on; none for the first.
///
/// # Errors
/// [`WireError`] for a name of no appeal.
pub fn appeals_after(request: &proto::ListAppealsRequest) -> Result<Option<AppealId>, WireError> {
    if request.after.is_empty() {
        return Ok(None);
    }
    AppealId::read("after", &request.after).map(Some)
}

/// Which appeal is to be read.
impl TryFrom<&proto::ReadAppealRequest> for AppealId {
    type Error = WireError;

    fn try_from(request: &proto::ReadAppealRequest) -> Result<Self, WireError> {
        Self::read("appeal", &request.appeal)
    }
}

/// An appeal that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingAppeal {
    /// Its name.
    pub appeal: AppealId,
    /// When it came.
    pub opened_at: Minute,
}

/// The appeals that wait, as many as are told at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingAppeals {
    /// The node's clock.
    pub now: Minute,
    /// At most [`MAX_APPEALS`], the earliest deadline first.
    pub appeals: Vec<WaitingAppeal>,
    /// How many wait in all.
    pub total: u32,
    /// How many of them have waited beyond their deadline.
    pub overdue: u32,
}

impl From<&WaitingAppeals> for proto::ListAppealsResponse {
    fn from(waiting: &WaitingAppeals) -> Self {
        let appeal = |waiting: &WaitingAppeal| proto::WaitingAppeal {
            appeal: waiting.appeal.0.to_vec(),
            opened_at_minute: waiting.opened_at.get(),
            decide_by_minute: waiting.appeal.decide_by().map_or(0, Minute::get),
        };
        Self {
            now_minute: waiting.now.get(),
            appeals: waiting.appeals.iter().map(appeal).collect(),
            total: waiting.total,
            overdue: waiting.overdue,
        }
    }
}

impl TryFrom<&proto::ListAppealsResponse> for WaitingAppeals {
    type Error = WireError;

    fn try_from(message: &proto::ListAppealsResponse) -> Result<Self, WireError> {
        let got = message.appeals.len();
        if got > MAX_APPEALS {
            return Err(WireError::WrongCount {
                field: "appeals",
                least: 0,
                limit: MAX_APPEALS,
                got,
            });
        }
        let mut appeals: Vec<WaitingAppeal> = Vec::with_capacity(got);
        for waiting in &message.appeals {
            let appeal = AppealId::read("appeal", &waiting.appeal)?;
            let is_next = appeals.last().is_none_or(|last| last.appeal < appeal);
            if !is_next || appeal.decide_by().map(Minute::get) != Some(waiting.decide_by_minute) {
                return Err(WireError::Malformed { field: "appeals" });
            }
            let opened_at = minute("opened_at_minute", waiting.opened_at_minute)?;
            appeals.push(WaitingAppeal { appeal, opened_at });
        }
        Ok(Self {
            now: minute("now_minute", message.now_minute)?,
            appeals,
            total: message.total,
            overdue: message.overdue,
        })
    }
}

/// What is contested, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct ShownAppeal {
    /// The resident's name for it.
    pub case_id: CaseId,
    /// The contested event.
    pub event: Event,
    /// What is wrong with it, in the resident's words.
    pub statement: String,
    /// When it came.
    pub opened_at: Minute,
    /// Until when it is to be decided.
    pub decide_by: Minute,
    /// The source that stated the event: identifier, with its name where the node knows it.
    pub source: String,
}

/// Prints nothing of the resident.
impl fmt::Debug for ShownAppeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownAppeal(..)")
    }
}

impl From<&ShownAppeal> for proto::ReadAppealResponse {
    fn from(shown: &ShownAppeal) -> Self {
        Self {
            case_id: shown.case_id.0.to_vec(),
            event: shown.event.to_bytes(),
            statement: shown.statement.clone(),
            opened_at_minute: shown.opened_at.get(),
            decide_by_minute: shown.decide_by.get(),
            source: shown.source.clone(),
        }
    }
}

impl TryFrom<&proto::ReadAppealResponse> for ShownAppeal {
    type Error = WireError;

    fn try_from(message: &proto::ReadAppealResponse) -> Result<Self, WireError> {
        let event = bytes_within("event", &message.event, MAX_EVENT_BYTES)?;
        let statement = text_within("statement", &message.statement, MAX_STATEMENT_BYTES)?;
        let source = text_within("source", &message.source, MAX_SOURCE_BYTES)?;
        Ok(Self {
            case_id: CaseId(bytes_exact("case_id", &message.case_id)?),
            event: Event::from_bytes(event).map_err(|_| WireError::Malformed { field: "event" })?,
            statement: statement.to_owned(),
            opened_at: minute("opened_at_minute", message.opened_at_minute)?,
            decide_by: minute("decide_by_minute", message.decide_by_minute)?,
            source: source.to_owned(),
        })
    }
}

/// A decision, with the ruling that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecisionRequest {
    /// Which appeal.
    pub appeal: AppealId,
    /// The decision.
    pub decision: Decision,
    /// Ed25519 over its signing bytes.
    pub signature: [u8; SIGNATURE_BYTES],
    /// Of an appeal that is upheld: canonical bytes of the ruling, not read yet, and the signature over its signing bytes.
    pub ruling: Option<(Vec<u8>, [u8; SIGNATURE_BYTES])>,
}

impl From<&DecisionRequest> for proto::DecideAppealRequest {
    fn from(request: &DecisionRequest) -> Self {
        let ruling = request.ruling.as_ref();
        Self {
            appeal: request.appeal.0.to_vec(),
            decision: request.decision.to_bytes(),
            signature: request.signature.to_vec(),
            ruling: ruling.map(|(event, signature)| proto::SignedEvent {
                event: event.clone(),
                signature: signature.to_vec(),
                home_province: 0,
            }),
        }
    }
}

impl TryFrom<&proto::DecideAppealRequest> for DecisionRequest {
    type Error = WireError;

    fn try_from(message: &proto::DecideAppealRequest) -> Result<Self, WireError> {
        let malformed = |field| WireError::Malformed { field };
        let appeal = AppealId::read("appeal", &message.appeal)?;
        let decision = bytes_within("decision", &message.decision, MAX_DECISION_LEN_BYTES)?;
        let decision = Decision::from_bytes(decision).map_err(|_| malformed("decision"))?;
        let signature = bytes_exact("signature", &message.signature)?;
        let ruling = match decision.outcome {
            Outcome::Dismissed if message.ruling.is_some() => return Err(malformed("ruling")),
            Outcome::Dismissed => None,
            Outcome::Upheld => {
                let ruling = required("ruling", message.ruling.as_ref())?;
                // An appeal is decided at its own home.
                if ruling.home_province != 0 {
                    return Err(malformed("home_province"));
                }
                let (event, signature) = signed_event(ruling)?;
                Some((event.to_vec(), signature))
            }
        };
        Ok(Self {
            appeal,
            decision,
            signature,
            ruling,
        })
    }
}

/// The receipt for a decision, where the node gave one; it is not checked yet.
///
/// # Errors
/// [`WireError::TooLong`] and [`WireError::Malformed`].
pub fn decision_receipt(
    response: &proto::DecideAppealResponse,
) -> Result<Option<HeldReceipt>, WireError> {
    if response.receipt.is_empty() {
        return Ok(None);
    }
    let bytes = bytes_within("receipt", &response.receipt, HELD_RECEIPT_LEN_MAX_BYTES)?;
    let receipt = HeldReceipt::from_bytes(bytes);
    let receipt = receipt.map_err(|_| WireError::Malformed { field: "receipt" })?;
    Ok(Some(receipt))
}

fn minute(field: &'static str, minutes: u32) -> Result<Minute, WireError> {
    Minute::new(minutes).map_err(|_| WireError::Malformed { field })
}

#[cfg(test)]
mod tests {
    use commitment::{ProvinceCode, Slot};
    use ed25519_dalek::SigningKey;
    use ledger::receipt::{Content, Receipt, Salt, promised_by};
    use rules::appeal::Words;
    use rules::{EventBody, EventId, IdentityNumber, SourceId, SourceKind, TestResult};

    use super::*;

    const AT: u32 = 27_700_000;

    fn at(minutes: u32) -> Minute {
        Minute::new(minutes).unwrap()
    }

    fn appeal(number: u8) -> AppealId {
        AppealId::new(at(AT + 480), [number; 16])
    }

    fn of(kind: SourceKind) -> SourceId {
        SourceId {
            province: ProvinceCode::new(33).unwrap(),
            kind,
            number: 1,
        }
    }

    fn event() -> Event {
        Event {
            id: EventId([7; 16]),
            subject: IdentityNumber::assemble(330_102, (1990, 1, 1), 5).unwrap(),
            source: of(SourceKind::Laboratory),
            issued_at: at(AT),
            body: EventBody::Test {
                sampled_at: at(AT - 60),
                result: TestResult::Positive,
            },
        }
    }

    fn waiting() -> WaitingAppeals {
        WaitingAppeals {
            now: at(AT + 500),
            appeals: [1, 2]
                .map(|number| WaitingAppeal {
                    appeal: appeal(number),
                    opened_at: at(AT),
                })
                .to_vec(),
            total: 9,
            overdue: 2,
        }
    }

    fn shown() -> ShownAppeal {
        ShownAppeal {
            case_id: CaseId([3; 16]),
            event: event(),
            statement: "不是我".to_owned(),
            opened_at: at(AT),
            decide_by: at(AT + 480),
            source: "33-laboratory-1 Hangzhou".to_owned(),
        }
    }

    fn request(outcome: Outcome) -> DecisionRequest {
        DecisionRequest {
            appeal: appeal(1),
            decision: Decision {
                case_id: [3; 16],
                event: EventId([7; 16]),
                outcome,
                at: at(AT + 20),
                source: of(SourceKind::AppealsOffice),
                words: Words::new("样本属于他人").unwrap(),
            },
            signature: [5; 64],
            ruling: (outcome == Outcome::Upheld).then(|| (vec![1; 66], [6; 64])),
        }
    }

    #[test]
    fn the_name_of_an_appeal_begins_with_its_deadline() {
        let id = appeal(1);
        assert_eq!(id.decide_by(), Some(at(AT + 480)));
        assert!(AppealId::new(at(AT + 479), [9; 16]) < id && id < appeal(2));
        assert_eq!(AppealId([0xff; 20]).decide_by(), None);
    }

    #[test]
    fn a_list_travels_unchanged_and_begins_where_it_is_asked_to() {
        let message = proto::ListAppealsResponse::from(&waiting());
        assert_eq!(message.appeals[0].decide_by_minute, AT + 480);
        assert_eq!(WaitingAppeals::try_from(&message), Ok(waiting()));
        let after = |bytes: &[u8]| {
            appeals_after(&proto::ListAppealsRequest {
                after: bytes.to_vec(),
            })
        };
        assert_eq!(after(&[]), Ok(None));
        assert_eq!(after(&appeal(1).0), Ok(Some(appeal(1))));
        assert!(matches!(
            after(&[1; 19]),
            Err(WireError::WrongLength { expected: 20, .. })
        ));
        assert_eq!(
            after(&[0xff; 20]),
            Err(WireError::Malformed { field: "after" })
        );
    }

    #[test]
    fn a_list_of_another_form_is_refused() {
        let refused = |change: &dyn Fn(&mut proto::ListAppealsResponse)| {
            let mut message = proto::ListAppealsResponse::from(&waiting());
            change(&mut message);
            WaitingAppeals::try_from(&message).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        let one = proto::ListAppealsResponse::from(&waiting())
            .appeals
            .remove(0);
        assert!(matches!(
            refused(&|m| m.appeals = vec![one.clone(); 257]),
            WireError::WrongCount { limit: 256, .. }
        ));
        assert_eq!(refused(&|m| m.appeals.reverse()), malformed("appeals"));
        assert_eq!(
            refused(&|m| m.appeals[1] = one.clone()),
            malformed("appeals")
        );
        assert_eq!(
            refused(&|m| m.appeals[0].decide_by_minute += 1),
            malformed("appeals")
        );
        assert!(matches!(
            refused(&|m| m.appeals[0].appeal.clear()),
            WireError::WrongLength { .. }
        ));
        assert_eq!(
            refused(&|m| m.appeals[0].opened_at_minute = u32::MAX),
            malformed("opened_at_minute")
        );
        assert_eq!(
            refused(&|m| m.now_minute = u32::MAX),
            malformed("now_minute")
        );
    }

    #[test]
    fn what_is_contested_travels_unchanged_and_prints_nothing() {
        let message = proto::ReadAppealResponse::from(&shown());
        assert_eq!(ShownAppeal::try_from(&message), Ok(shown()));
        assert_eq!(format!("{:?}", shown()), "ShownAppeal(..)");
        let refused = |change: &dyn Fn(&mut proto::ReadAppealResponse)| {
            let mut message = message.clone();
            change(&mut message);
            ShownAppeal::try_from(&message).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        assert_eq!(refused(&|m| m.event.truncate(20)), malformed("event"));
        assert!(matches!(
            refused(&|m| m.event.resize(257, 0)),
            WireError::TooLong { limit: 256, .. }
        ));
        assert!(matches!(
            refused(&|m| m.statement = "x".repeat(1_001)),
            WireError::TooLong { limit: 1_000, .. }
        ));
        assert_eq!(
            refused(&|m| m.source.clear()),
            WireError::Missing { field: "source" }
        );
        assert!(matches!(
            refused(&|m| m.case_id.clear()),
            WireError::WrongLength { .. }
        ));
        assert_eq!(
            refused(&|m| m.opened_at_minute = u32::MAX),
            malformed("opened_at_minute")
        );
        assert_eq!(
            refused(&|m| m.decide_by_minute = u32::MAX),
            malformed("decide_by_minute")
        );
        let one = proto::ReadAppealRequest {
            appeal: appeal(4).0.to_vec(),
        };
        assert_eq!(AppealId::try_from(&one), Ok(appeal(4)));
    }

    #[test]
    fn a_decision_travels_with_a_ruling_exactly_where_it_upholds() {
        for outcome in [Outcome::Upheld, Outcome::Dismissed] {
            let message = proto::DecideAppealRequest::from(&request(outcome));
            assert_eq!(DecisionRequest::try_from(&message), Ok(request(outcome)));
        }
        let refused = |outcome, change: &dyn Fn(&mut proto::DecideAppealRequest)| {
            let mut message = proto::DecideAppealRequest::from(&request(outcome));
            change(&mut message);
            DecisionRequest::try_from(&message).unwrap_err()
        };
        let malformed = |field| WireError::Malformed { field };
        assert_eq!(
            refused(Outcome::Upheld, &|m| m.ruling = None),
            WireError::Missing { field: "ruling" }
        );
        assert_eq!(
            refused(Outcome::Dismissed, &|m| m.ruling =
                Some(proto::SignedEvent::new(&event(), [6; 64]))),
            malformed("ruling")
        );
        assert_eq!(
            refused(Outcome::Upheld, &|m| {
                m.ruling.as_mut().unwrap().home_province = 33;
            }),
            malformed("home_province")
        );
        assert!(matches!(
            refused(Outcome::Upheld, &|m| {
                m.ruling.as_mut().unwrap().signature.clear();
            }),
            WireError::WrongLength { .. }
        ));
        assert!(matches!(
            refused(Outcome::Dismissed, &|m| m.signature.clear()),
            WireError::WrongLength { .. }
        ));
        assert_eq!(
            refused(Outcome::Dismissed, &|m| m.decision.truncate(30)),
            malformed("decision")
        );
        assert!(matches!(
            refused(Outcome::Dismissed, &|m| m.decision.resize(1_047, 0)),
            WireError::TooLong { limit: 1_046, .. }
        ));
        assert_eq!(
            refused(Outcome::Dismissed, &|m| m.appeal = vec![0xff; 20]),
            malformed("appeal")
        );
    }

    #[test]
    fn the_receipt_of_an_answer_is_read_or_refused() {
        let decision = request(Outcome::Dismissed).decision.to_bytes();
        let salt = Salt([9; 32]);
        let receipt = Receipt {
            content: Content::Decision,
            federation: "test".to_owned(),
            province: ProvinceCode::new(33).unwrap(),
            slot: Slot::new(3).unwrap(),
            commitment: Content::Decision.commit(&salt, &decision),
            accepted: at(AT + 21),
            promised_by: promised_by(at(AT + 21)),
        };
        let held = HeldReceipt {
            salt,
            signed: receipt.sign(&SigningKey::from_bytes(&[3; 32])),
        };
        let answer = |receipt: &[u8]| proto::DecideAppealResponse {
            ruling: None,
            receipt: receipt.to_vec(),
        };
        let bytes = held.to_bytes();
        let read = decision_receipt(&answer(&bytes)).unwrap().unwrap();
        assert_eq!(read, held);
        assert!(read.check_content(&decision).is_ok());
        assert_eq!(decision_receipt(&answer(&[])), Ok(None));
        assert_eq!(
            decision_receipt(&answer(&bytes[..60])),
            Err(WireError::Malformed { field: "receipt" })
        );
        assert!(matches!(
            decision_receipt(&answer(&[0; 174])),
            Err(WireError::TooLong { limit: 173, .. })
        ));
    }
}
