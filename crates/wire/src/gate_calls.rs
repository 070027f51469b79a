//! What a scanner asks its checkpoint, and how a verdict travels back.

use std::fmt;

use verifier::{Accepted, CardNumber, GateChallenge, GateId, GateNonce, Outcome, Verdict};

use crate::gate::v1 as proto;
use crate::{
    MAX_CODES, MAX_NAME_ID_BYTES, MAX_QR_TEXT_BYTES, WireError, bytes_exact, count_within,
    text_within,
};

/// One code to be verified.
pub struct GateRequest<'a> {
    /// The QR text; what it holds is for the verifier to say.
    pub qr_text: &'a str,
    /// Acceptance profile; `None` for the gate's own.
    pub profile: Option<&'a str>,
    /// The number on the card that was read.
    pub card: Option<CardNumber>,
    /// The nonce that was shown to this holder.
    pub nonce: Option<GateNonce>,
}

/// Prints nothing of what was scanned.
impl fmt::Debug for GateRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GateRequest(..)")
    }
}

impl<'a> TryFrom<&'a proto::VerifyCodeRequest> for GateRequest<'a> {
    type Error = WireError;

    fn try_from(request: &'a proto::VerifyCodeRequest) -> Result<Self, WireError> {
        let card = match request.card_identity_number.as_bytes() {
            [] => None,
            number => Some(CardNumber::new(bytes_exact(
                "card_identity_number",
                number,
            )?)),
        };
        let nonce = match request.nonce.as_slice() {
            [] => None,
            nonce => Some(GateNonce(bytes_exact("nonce", nonce)?)),
        };
        let profile = match request.profile_id.as_str() {
            "" => None,
            profile => Some(text_within("profile_id", profile, MAX_NAME_ID_BYTES)?),
        };
        let qr_text = text_within("qr_text", &request.qr_text, MAX_QR_TEXT_BYTES)?;
        Ok(Self {
            qr_text,
            profile,
            card,
            nonce,
        })
    }
}

/// The codes of a batch: 1 to 256.
///
/// # Errors
/// [`WireError`] for the first that is not of its form.
pub fn gate_requests(
    request: &proto::VerifyCodesRequest,
) -> Result<Vec<GateRequest<'_>>, WireError> {
    count_within("codes", &request.codes, MAX_CODES)?
        .iter()
        .map(TryInto::try_into)
        .collect()
}

impl From<GateChallenge> for proto::NewChallengeResponse {
    fn from(challenge: GateChallenge) -> Self {
        let (nonce, gate): (GateNonce, GateId) = (challenge.nonce, challenge.gate);
        Self {
            nonce: nonce.0.to_vec(),
            gate_id: gate.0.to_vec(),
        }
    }
}

impl From<&Verdict> for proto::Verdict {
    fn from(verdict: &Verdict) -> Self {
        let code = verdict.code();
        let outcome = match verdict.outcome() {
            Outcome::Accept => proto::Outcome::Accept,
            Outcome::Reject => proto::Outcome::Reject,
            Outcome::Undecided => proto::Outcome::Undecided,
        };
        let accepted = match verdict {
            Verdict::Accept(accepted) => Some(accepted.into()),
            Verdict::Reject(_) | Verdict::Undecided(_) => None,
        };
        Self {
            outcome: outcome.into(),
            code: code.as_str().to_owned(),
            text_zh: code.officer().zh.to_owned(),
            text_en: code.officer().en.to_owned(),
            holder_text_zh: code.resident().zh.to_owned(),
            holder_text_en: code.resident().en.to_owned(),
            accepted,
        }
    }
}

impl From<&Accepted> for proto::Accepted {
    fn from(accepted: &Accepted) -> Self {
        let binder_kind = crate::pass::v1::BinderKind::from(accepted.binder);
        Self {
            claim: Some(accepted.claim.into()),
            epoch: accepted.epoch.get(),
            as_of_minute: accepted.as_of.get(),
            rule_set_id: accepted.rule_set.clone(),
            binder_kind: binder_kind.into(),
            specimen: accepted.specimen,
            list_stale: accepted.list_stale,
        }
    }
}

#[cfg(test)]
mod tests {
    use rules::Minute;
    use verifier::{BinderKind, CircuitShortId, Epoch, Reason};

    use super::*;

    fn request() -> proto::VerifyCodeRequest {
        proto::VerifyCodeRequest {
            qr_text: "VIR1:ABC".into(),
            profile_id: "railway".into(),
            card_identity_number: "11010519491231002X".into(),
            nonce: vec![7; 16],
        }
    }

    #[test]
    fn a_request_is_read_and_its_empty_parts_are_none() {
        let full = request();
        let read = GateRequest::try_from(&full).unwrap();
        assert_eq!((read.qr_text, read.profile), ("VIR1:ABC", Some("railway")));
        assert!(read.card.is_some() && read.nonce == Some(GateNonce([7; 16])));

        let bare = proto::VerifyCodeRequest {
            qr_text: "VIR1:ABC".into(),
            ..Default::default()
        };
        let read = GateRequest::try_from(&bare).unwrap();
        assert!(read.profile.is_none() && read.card.is_none() && read.nonce.is_none());
    }

    #[test]
    fn a_part_of_another_length_is_refused() {
        let cases: [fn(&mut proto::VerifyCodeRequest); 5] = [
            |request| request.qr_text.clear(),
            |request| request.qr_text = "A".repeat(MAX_QR_TEXT_BYTES + 1),
            |request| request.profile_id = "a".repeat(MAX_NAME_ID_BYTES + 1),
            |request| request.card_identity_number = "1101".into(),
            |request| request.nonce = vec![7; 15],
        ];
        for (index, damage) in cases.iter().enumerate() {
            let mut request = request();
            damage(&mut request);
            assert!(GateRequest::try_from(&request).is_err(), "case {index}");
        }
    }

    #[test]
    fn a_challenge_travels_with_nonce_and_gate_and_a_request_prints_nothing() {
        let challenge = GateChallenge {
            gate: GateId([3; 8]),
            nonce: GateNonce([7; 16]),
        };
        let sent = proto::NewChallengeResponse::from(challenge);
        assert_eq!((sent.nonce, sent.gate_id), (vec![7; 16], vec![3; 8]));
        let full = request();
        let read = GateRequest::try_from(&full).unwrap();
        assert_eq!(format!("{read:?}"), "GateRequest(..)");
    }

    #[test]
    fn a_batch_has_1_to_256_codes() {
        for (count, fits) in [(0, false), (1, true), (256, true), (257, false)] {
            let batch = proto::VerifyCodesRequest {
                codes: vec![request(); count],
            };
            let read = gate_requests(&batch);
            assert_eq!(read.is_ok(), fits, "{count}");
            let texts = read.map_or(0, |codes| {
                codes.iter().filter(|c| c.qr_text == "VIR1:ABC").count()
            });
            assert_eq!(texts, if fits { count } else { 0 });
        }
    }

    #[test]
    fn a_verdict_travels_with_its_code_and_words() {
        let claim = rules::Claim {
            worst: rules::WorstColour::Yellow,
            test_age: rules::TestAge::Hours48,
        };
        let accepted = Accepted {
            claim,
            epoch: Epoch::new(9),
            as_of: Minute::new(27_700_000).unwrap(),
            age_min: 10,
            rule_set: "fj-2022-08".into(),
            binder: BinderKind::Card,
            specimen: true,
            list_age_s: 60,
            list_stale: false,
        };
        let sent = proto::Verdict::from(&Verdict::Accept(accepted));
        assert_eq!(
            (sent.outcome(), sent.code.as_str()),
            (proto::Outcome::Accept, "ACCEPTED")
        );
        let inside = sent.accepted.unwrap();
        assert_eq!(
            rules::Claim::try_from(inside.claim.as_ref().unwrap()),
            Ok(claim)
        );
        assert_eq!(inside.binder_kind(), crate::pass::v1::BinderKind::Card);

        let rejected = Verdict::Reject(Reason::Specimen(CircuitShortId([1; 4])));
        let sent = proto::Verdict::from(&rejected);
        assert_eq!(
            (sent.outcome(), sent.code.as_str()),
            (proto::Outcome::Reject, "SPECIMEN")
        );
        assert!(
            sent.accepted.is_none() && !sent.text_zh.is_empty() && !sent.holder_text_en.is_empty()
        );
    }
}
