//! Events on their way to another province.

use node::forward::{Envelope, Header, SealingStatement, SignedSealingKey};
use rules::{Event, Minute, ProvinceCode};
use wire::federation::v1 as federation;
use wire::source::v1 as source;
use wire::{ForwardAnswer, envelopes, forward_answers};

use super::{Row, converted, event, hidden, minute, province, read, row, silent};
use crate::bytes::canonical;
use crate::event::samples;

pub(super) fn rows() -> Vec<Row> {
    let key = sealing_key();
    let answers = [
        ForwardAnswer::Accepted,
        ForwardAnswer::Waiting {
            confirm_by: minute(),
        },
        ForwardAnswer::refused("not-taken"),
        ForwardAnswer::Lapsed,
    ];
    let confirmation = source::ConfirmForwardedRequest {
        event: Some(for_another_home(&samples()[0])),
    };
    vec![
        row(
            told,
            &[federation::GetSealingKeyResponse {
                statement: key.to_bytes(),
            }],
        ),
        row(
            sent,
            &[federation::ForwardEventsRequest {
                envelopes: vec![envelope(&key)],
            }],
        ),
        row(
            answered,
            &[federation::ForwardEventsResponse {
                results: answers.iter().map(Into::into).collect(),
            }],
        ),
        row(confirmed, &[confirmation]),
        row(
            hidden::<source::GetForwardedResponse>,
            &[source::GetForwardedResponse::default()],
        ),
    ]
}

fn for_another_home(event: &Event) -> source::SignedEvent {
    source::SignedEvent {
        home_province: 35,
        ..source::SignedEvent::new(event, [6; 64])
    }
}

fn sealing_key() -> SignedSealingKey {
    let statement = SealingStatement {
        province: province(),
        slot: ledger::Slot::new(3).expect("a slot"),
        public_key: [9; 32],
        not_before: minute(),
        not_after: minute().saturating_add_signed(60),
    };
    SignedSealingKey {
        statement,
        signature: [7; 64],
    }
}

/// An envelope by its form: what is sealed in it does not open.
fn envelope(key: &SignedSealingKey) -> Vec<u8> {
    let sender = ProvinceCode::new(35).expect("a province");
    let header = Header::to(&key.statement, sender, [4; 16], minute());
    let head = [
        &[1, header.sender.get(), header.home.get()][..],
        &header.key_id,
        &header.forwarding_id,
        &header.expires_at.get().to_be_bytes(),
    ];
    let mut bytes = head.concat();
    bytes.resize(wire::ENVELOPE_BYTES, 5);
    bytes
}

fn told(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetSealingKeyResponse>(bytes) {
        let bytes = &message.statement;
        let read = SignedSealingKey::from_bytes(bytes);
        canonical(bytes, read, SignedSealingKey::to_bytes);
    }
}

fn sent(bytes: &[u8]) {
    let message = read::<federation::ForwardEventsRequest>(bytes);
    for bytes in message
        .and_then(|m| converted(envelopes(&m)))
        .unwrap_or_default()
    {
        let envelope = canonical(&bytes, Envelope::from_bytes(&bytes), Envelope::to_bytes);
        if let Some(Envelope { header, .. }) = envelope {
            assert!(header.sender.get() > 0 && header.expires_at <= Minute::MAX);
        }
    }
}

fn answered(bytes: &[u8]) {
    if let Some(message) = read::<federation::ForwardEventsResponse>(bytes) {
        let answers = converted(forward_answers(&message, message.results.len()));
        for answer in answers.unwrap_or_default() {
            let again = federation::ForwardResult::from(&answer);
            assert_eq!(ForwardAnswer::try_from(&again), Ok(answer));
        }
    }
}

fn confirmed(bytes: &[u8]) {
    let message = silent::<source::ConfirmForwardedRequest>(bytes);
    message.and_then(|m| m.event).iter().for_each(event);
}
