//! What nodes say to each other about their logs, as values of the ledger, and the service's server and client.

use ledger::log::{AddCheckpoint, MAX_ADD_CHECKPOINT_LEN_BYTES, SignedLogKeys};
use tonic::transport::Channel;

use crate::federation::v1 as proto;
use crate::federation::v1::log_service_client::LogServiceClient;
use crate::federation::v1::log_service_server::{LogService, LogServiceServer};
use crate::{MAX_MESSAGE_BYTES, WireError, bytes_within};

/// Longest signature line of a witness, in bytes.
pub const MAX_COSIGNATURE_LINE_BYTES: usize = 512;

const _: () = assert!(MAX_ADD_CHECKPOINT_LEN_BYTES + 1_024 <= MAX_MESSAGE_BYTES);

/// The log service over an implementation, with the protocol's size limit set.
pub fn log_server<S: LogService>(service: S) -> LogServiceServer<S> {
    LogServiceServer::new(service)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A client of the log service over a channel, with the protocol's size limit set.
pub fn log_client(channel: Channel) -> LogServiceClient<Channel> {
    LogServiceClient::new(channel)
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES)
}

/// A log asks a witness for a cosignature. Nothing is checked beyond its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointOffer {
    /// The log's keys.
    pub keys: SignedLogKeys,
    /// The checkpoint with its proof.
    pub request: AddCheckpoint,
}

impl From<&CheckpointOffer> for proto::AddCheckpointRequest {
    fn from(offer: &CheckpointOffer) -> Self {
        Self {
            log_keys: offer.keys.to_bytes(),
            body: offer.request.to_bytes(),
        }
    }
}

impl TryFrom<&proto::AddCheckpointRequest> for CheckpointOffer {
    type Error = WireError;

    fn try_from(request: &proto::AddCheckpointRequest) -> Result<Self, WireError> {
        let body = bytes_within("body", &request.body, MAX_ADD_CHECKPOINT_LEN_BYTES)?;
        Ok(Self {
            keys: keys(&request.log_keys)?,
            request: AddCheckpoint::from_bytes(body).map_err(|_| malformed("body"))?,
        })
    }
}

/// What a witness answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessAnswer {
    /// The witness's keys.
    pub keys: SignedLogKeys,
    /// Its signature line; none where it knows another old size.
    pub cosignature: Option<Vec<u8>>,
    /// Entries in the checkpoint that it cosigned last.
    pub size: u64,
}

impl From<&WitnessAnswer> for proto::AddCheckpointResponse {
    fn from(answer: &WitnessAnswer) -> Self {
        Self {
            log_keys: answer.keys.to_bytes(),
            cosignature: answer.cosignature.clone().unwrap_or_default(),
            size: answer.size,
        }
    }
}

impl TryFrom<&proto::AddCheckpointResponse> for WitnessAnswer {
    type Error = WireError;

    fn try_from(answer: &proto::AddCheckpointResponse) -> Result<Self, WireError> {
        let line = &answer.cosignature;
        let cosignature = match line.len() {
            0 => None,
            _ => Some(bytes_within("cosignature", line, MAX_COSIGNATURE_LINE_BYTES)?.to_vec()),
        };
        Ok(Self {
            keys: keys(&answer.log_keys)?,
            cosignature,
            size: answer.size,
        })
    }
}

fn keys(bytes: &[u8]) -> Result<SignedLogKeys, WireError> {
    SignedLogKeys::from_bytes(bytes).map_err(|_| malformed("log_keys"))
}

const fn malformed(field: &'static str) -> WireError {
    WireError::Malformed { field }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use ledger::log::{LogHash, LogSigner};
    use ledger::{ProvinceCode, Slot};

    use super::*;

    fn offer() -> CheckpointOffer {
        let signer = LogSigner::derive(&[1; 32]);
        let public = signer.public(ProvinceCode::new(33).unwrap(), Slot::new(2).unwrap(), 1);
        let log = public.log_key("test").unwrap();
        let checkpoint = signer.sign(3, LogHash([5; 32]), &log).unwrap();
        CheckpointOffer {
            keys: public.sign(rules::Minute::ZERO, &SigningKey::from_bytes(&[8; 32])),
            request: AddCheckpoint {
                old_size: 1,
                proof: vec![LogHash([6; 32])],
                checkpoint,
            },
        }
    }

    #[test]
    fn offers_and_answers_travel_unchanged() {
        let offer = offer();
        let request = proto::AddCheckpointRequest::from(&offer);
        assert_eq!(CheckpointOffer::try_from(&request), Ok(offer.clone()));
        for cosignature in [None, Some(vec![b'x'; MAX_COSIGNATURE_LINE_BYTES])] {
            let answer = WitnessAnswer {
                keys: offer.keys,
                cosignature,
                size: 9,
            };
            let message = proto::AddCheckpointResponse::from(&answer);
            assert_eq!(WitnessAnswer::try_from(&message), Ok(answer));
        }
    }

    #[test]
    fn damaged_and_oversized_fields_are_named() {
        let refusal = |damage: fn(&mut proto::AddCheckpointRequest)| {
            let mut request = proto::AddCheckpointRequest::from(&offer());
            damage(&mut request);
            CheckpointOffer::try_from(&request).unwrap_err()
        };
        assert_eq!(refusal(|r| r.log_keys.push(0)), malformed("log_keys"));
        assert_eq!(refusal(|r| r.body[0] = b'O'), malformed("body"));
        assert_eq!(
            refusal(|r| r.body.clear()),
            WireError::Missing { field: "body" }
        );
        let long = refusal(|r| r.body = vec![b'x'; MAX_ADD_CHECKPOINT_LEN_BYTES + 1]);
        assert_eq!(
            long,
            WireError::TooLong {
                field: "body",
                limit: MAX_ADD_CHECKPOINT_LEN_BYTES,
                got: MAX_ADD_CHECKPOINT_LEN_BYTES + 1
            }
        );
        let answer = proto::AddCheckpointResponse {
            log_keys: offer().keys.to_bytes(),
            cosignature: vec![b'x'; MAX_COSIGNATURE_LINE_BYTES + 1],
            size: 1,
        };
        assert!(matches!(
            WitnessAnswer::try_from(&answer),
            Err(WireError::TooLong { .. })
        ));
    }
}
