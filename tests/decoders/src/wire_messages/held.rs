//! What nodes give each other of logs that they hold, and of what they have signed once.

use ed25519_dalek::SigningKey;
use ledger::log::{LogHash, LogPart, LogSigner};
use wire::federation::v1 as federation;
use wire::{
    Proposal, ReadPart, SignedNumber, SignedProposal, WitnessedLog, log_part_response,
    signed_number_response,
};

use super::{Row, converted, read, row};
use crate::world::{FEDERATION, GATE};

pub(super) fn rows() -> Vec<Row> {
    let known = &*FEDERATION;
    let written = "the values of the checks are within limits";
    let part = LogPart {
        entries: vec![vec![7; 40], vec![8; 3]],
        proof: vec![LogHash([9; 32]); 2],
    };
    let signed = SignedProposal {
        proposal: Proposal {
            statement: known.statement.clone(),
            heads: known.heads.clone(),
        },
        cosignature: known.cosigned.cosignatures()[0],
    };
    let online = &GATE.online[0];
    let number = SignedNumber {
        sequence: online.document().sequence,
        signed: Some((online.document().clone(), online.signatures()[0])),
    };
    vec![
        row(held, &[log_part_response(&part).expect(written)]),
        row(witnessed, &[federation::GetWitnessedResponse::from(&log())]),
        row(
            statement,
            &[federation::GetSignedRegistryResponse::from(&signed)],
        ),
        row(
            document,
            &[
                signed_number_response(&number).expect(written),
                federation::GetSignedOnlineResponse {
                    sequence: 5,
                    ..Default::default()
                },
            ],
        ),
    ]
}

fn log() -> WitnessedLog {
    let member = &FEDERATION.roster.members()[0];
    let signer = LogSigner::derive(&[5; 32]);
    let public = signer.public(member.province, member.slot, 1);
    let keys = public.sign(
        ledger::Minute::new(0).expect("a minute"),
        &SigningKey::from_bytes(&[6; 32]),
    );
    let name = public.log_key("test").expect("a name");
    let checkpoint = signer.sign(9, LogHash([7; 32]), &name);
    WitnessedLog {
        keys,
        checkpoint: checkpoint.expect("the log's own key"),
        witness: keys,
        first: 2,
        end: 9,
    }
}

fn held(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetLogPartResponse>(bytes)
        && let Some(ReadPart(part)) = converted(ReadPart::try_from(&message))
    {
        assert!(log_part_response(&part) == Ok(message));
    }
}

fn witnessed(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetWitnessedResponse>(bytes)
        && let Some(value) = converted(WitnessedLog::try_from(&message))
    {
        assert!(value.first <= value.end && value.end <= value.checkpoint.size());
        assert!(federation::GetWitnessedResponse::from(&value) == message);
    }
}

fn statement(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetSignedRegistryResponse>(bytes)
        && let Some(value) = converted(SignedProposal::try_from(&message))
    {
        assert!(federation::GetSignedRegistryResponse::from(&value) == message);
    }
}

fn document(bytes: &[u8]) {
    if let Some(message) = read::<federation::GetSignedOnlineResponse>(bytes)
        && let Some(value) = converted(SignedNumber::try_from(&message))
    {
        assert!(signed_number_response(&value) == Ok(message));
    }
}
