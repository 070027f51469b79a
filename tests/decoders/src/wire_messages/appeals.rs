//! What an office for appeals asks a home, what it is answered, and what it decides.

use rules::appeal::{DECISION_DOMAIN, Decision, Outcome, Words};
use rules::{EventId, SourceId, SourceKind};
use wire::source::v1 as source;
use wire::{
    AppealId, CaseId, DecisionRequest, ShownAppeal, WaitingAppeal, WaitingAppeals, appeals_after,
    decision_receipt,
};

use super::{Row, converted, minute, row, silent};
use crate::bytes::canonical;
use crate::event::samples;

pub(super) fn rows() -> Vec<Row> {
    let appeal = AppealId::new(minute(), [7; 16]);
    let listed = WaitingAppeals {
        now: minute(),
        appeals: vec![WaitingAppeal {
            appeal,
            opened_at: minute(),
        }],
        total: 3,
        overdue: 1,
    };
    let shown = samples().into_iter().take(2).map(|event| ShownAppeal {
        case_id: CaseId([3; 16]),
        source: event.source.to_string(),
        event,
        statement: "不是我".to_owned(),
        opened_at: minute(),
        decide_by: minute(),
    });
    let shown: Vec<source::ReadAppealResponse> = shown.map(|shown| (&shown).into()).collect();
    let decided = [Outcome::Upheld, Outcome::Dismissed].map(|outcome| {
        let decision = decision(outcome);
        let ruling = samples()
            .into_iter()
            .next()
            .map(|event| (event.to_bytes(), [6; 64]));
        source::DecideAppealRequest::from(&DecisionRequest {
            appeal,
            decision,
            signature: [5; 64],
            ruling: ruling.filter(|_| outcome == Outcome::Upheld),
        })
    });
    let after = [Vec::new(), appeal.0.to_vec()];
    vec![
        row(
            list,
            &after.map(|after| source::ListAppealsRequest { after }),
        ),
        row(waiting, &[source::ListAppealsResponse::from(&listed)]),
        row(
            one,
            &[source::ReadAppealRequest {
                appeal: appeal.0.to_vec(),
            }],
        ),
        row(contested, &shown),
        row(decide, &decided),
        row(
            answer,
            &[source::DecideAppealResponse {
                ruling: Some(source::EventResult::default()),
                receipt: vec![1; 173],
            }],
        ),
    ]
}

fn decision(outcome: Outcome) -> Decision {
    Decision {
        case_id: [3; 16],
        event: EventId([9; 16]),
        outcome,
        at: minute(),
        source: SourceId {
            province: rules::ProvinceCode::new(33).expect("a province"),
            kind: SourceKind::AppealsOffice,
            number: 1,
        },
        words: Words::new("核实无误\nIt stands.").expect("words"),
    }
}

fn list(bytes: &[u8]) {
    if let Some(message) = silent::<source::ListAppealsRequest>(bytes)
        && let Some(Some(after)) = converted(appeals_after(&message))
    {
        assert_eq!(after.0[..], message.after[..]);
    }
}

fn waiting(bytes: &[u8]) {
    if let Some(message) = silent::<source::ListAppealsResponse>(bytes)
        && let Some(read) = converted(WaitingAppeals::try_from(&message))
    {
        assert!(source::ListAppealsResponse::from(&read) == message);
    }
}

fn one(bytes: &[u8]) {
    if let Some(message) = silent::<source::ReadAppealRequest>(bytes)
        && let Some(read) = converted(AppealId::try_from(&message))
    {
        assert_eq!(read.0[..], message.appeal[..]);
        assert!(read.decide_by().is_some());
    }
}

fn contested(bytes: &[u8]) {
    if let Some(message) = silent::<source::ReadAppealResponse>(bytes)
        && let Some(read) = converted(ShownAppeal::try_from(&message))
    {
        assert!(source::ReadAppealResponse::from(&read) == message);
    }
}

fn decide(bytes: &[u8]) {
    let Some(message) = silent::<source::DecideAppealRequest>(bytes) else {
        return;
    };
    let read = Decision::from_bytes(&message.decision);
    if let Some(decision) = canonical(&message.decision, read, Decision::to_bytes) {
        assert!(Words::new(decision.words.as_str()).is_ok());
        let signed = [DECISION_DOMAIN, &message.decision].concat();
        assert_eq!(decision.signing_bytes(), signed);
    }
    if let Some(read) = converted(DecisionRequest::try_from(&message)) {
        assert_eq!(
            read.ruling.is_some(),
            read.decision.outcome == Outcome::Upheld
        );
        assert!(source::DecideAppealRequest::from(&read) == message);
    }
}

fn answer(bytes: &[u8]) {
    if let Some(message) = silent::<source::DecideAppealResponse>(bytes)
        && let Some(Some(receipt)) = converted(decision_receipt(&message))
    {
        assert_eq!(receipt.to_bytes(), message.receipt);
    }
}
