//! What a source asks a home about an event of its own, and what it is answered.

use ed25519_dalek::SigningKey;
use ledger::Epoch;
use ledger::receipt::{Content, HeldReceipt, Receipt, Salt, promised_by};
use wire::source::v1 as source;
use wire::{OpeningRequest, opening_bytes};

use super::{Row, converted, minute, row, silent};
use crate::event::samples;
use crate::world::FEDERATION;

pub(super) fn rows() -> Vec<Row> {
    let asked = samples().into_iter().take(2).zip([None, Some(minute())]);
    let asked: Vec<source::OpenEventRequest> = asked
        .map(|(event, ended_not_before)| OpeningRequest {
            receipt: receipt(&event.to_bytes()),
            event,
            epoch: Epoch::new(41),
            ended_not_before,
        })
        .map(|request| (&request).into())
        .collect();
    vec![
        row(question, &asked),
        row(
            answer,
            &[source::OpenEventResponse {
                opening: vec![1; 719],
            }],
        ),
    ]
}

fn receipt(content: &[u8]) -> HeldReceipt {
    let member = &FEDERATION.roster.members()[0];
    let salt = Salt([9; 32]);
    let receipt = Receipt {
        content: Content::Event,
        federation: "test".to_owned(),
        province: member.province,
        slot: member.slot,
        commitment: Content::Event.commit(&salt, content),
        accepted: minute(),
        promised_by: promised_by(minute()),
    };
    HeldReceipt {
        salt,
        signed: receipt.sign(&SigningKey::from_bytes(&[6; 32])),
    }
}

fn question(bytes: &[u8]) {
    if let Some(message) = silent::<source::OpenEventRequest>(bytes)
        && let Some(asked) = converted(OpeningRequest::try_from(&message))
    {
        // What became a value has one form.
        assert!(source::OpenEventRequest::from(&asked) == message);
        assert!(asked.epoch.get() > 0);
    }
}

fn answer(bytes: &[u8]) {
    if let Some(message) = silent::<source::OpenEventResponse>(bytes)
        && let Some(opening) = converted(opening_bytes(&message))
    {
        assert_eq!(&opening[..], &message.opening[..]);
    }
}
