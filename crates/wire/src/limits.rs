//! Sizes that outside bytes are held to before anything parses them.

/// Largest request or response of any call, in bytes. The largest legitimate one is the trust list or a batch of
/// events; anything larger is refused before it is read into memory.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Largest serialized body of a signed resident call, in bytes.
pub const MAX_BODY_BYTES: usize = 4_096;
/// Largest canonical request authorisation, in bytes.
pub const MAX_AUTH_BYTES: usize = 192;
/// Length of a signature, Ed25519 or P-256, in bytes.
pub const SIGNATURE_BYTES: usize = 64;
/// Largest canonical event, in bytes.
pub const MAX_EVENT_BYTES: usize = 256;
/// Most events in one batch.
pub const MAX_EVENTS: usize = 256;
/// Length of an identifier that a device chooses, in bytes.
pub const ID_BYTES: usize = 16;
/// Length of a compressed P-256 point, in bytes.
pub const KEY_BYTES: usize = 33;
/// Most passes in one request.
pub const MAX_PASSES: usize = 16;
/// Largest pass with its showing, in bytes.
pub const MAX_PASS_BYTES: usize = 300;
/// Largest name of a resident, in bytes.
pub const MAX_NAME_BYTES: usize = 96;
/// Largest label of a proxy, in bytes.
pub const MAX_PROXY_LABEL_BYTES: usize = 48;
/// Longest time for which a proxy is named, in minutes: 366 days.
pub const MAX_PROXY_MIN: u32 = 366 * 1_440;
/// Length of an identity number, in bytes.
pub const IDENTITY_NUMBER_BYTES: usize = 18;
/// Largest evidence for a real-name check, in bytes.
pub const MAX_EVIDENCE_BYTES: usize = 1_024;
/// Largest statement of a contestation, in bytes.
pub const MAX_STATEMENT_BYTES: usize = 1_000;
/// Largest identifier of a rule set or an acceptance profile, in bytes.
pub const MAX_NAME_ID_BYTES: usize = 32;
/// Largest published trust list, in bytes.
pub const MAX_BUNDLE_BYTES: usize = verifier::trust::MAX_BUNDLE_LEN_BYTES;
/// Largest online document with its signatures, in bytes.
pub const MAX_ONLINE_BYTES: usize = verifier::trust::MAX_SIGNED_ONLINE_LEN_BYTES;
/// Length of a signed tree head, in bytes.
pub const HEAD_BYTES: usize = ledger::SIGNED_TREE_HEAD_LEN_BYTES;
/// Most heads or cosignatures in one registry: one for each slot.
pub const MAX_HEADS: usize = 64;
/// Largest registry statement, in bytes.
pub const MAX_REGISTRY_STATEMENT_BYTES: usize = ledger::MAX_STATEMENT_LEN_BYTES;
/// Largest registry statement with its cosignatures, in bytes.
pub const MAX_COSIGNED_BYTES: usize = ledger::MAX_COSIGNED_LEN_BYTES;
/// Length of a cosignature with its slot, in bytes.
pub const COSIGNATURE_BYTES: usize = ledger::COSIGNATURE_LEN_BYTES;
/// Length of a sealed event on its way to another province, in bytes.
pub const ENVELOPE_BYTES: usize = 212;
/// Longest stable reason code of a refused event, in bytes.
pub const MAX_REASON_BYTES: usize = 32;
/// Length of the place of a reading in its resident's trail, in bytes.
pub const READING_PLACE_BYTES: usize = 20;
/// Most QR texts in one gate call.
pub const MAX_CODES: usize = 256;
/// Largest QR text, in bytes.
pub const MAX_QR_TEXT_BYTES: usize = 600;

// A trust list, or an online document, fits one message with room for the frame.
const _: () = assert!(MAX_BUNDLE_BYTES + 1_024 <= MAX_MESSAGE_BYTES);
const _: () = assert!(MAX_EVENTS * (ENVELOPE_BYTES + 4) + 1_024 <= MAX_MESSAGE_BYTES);
const _: () = assert!(MAX_ONLINE_BYTES + 1_024 <= MAX_MESSAGE_BYTES);
const _: () = assert!(rules::event::MAX_EVENT_LEN_BYTES <= MAX_EVENT_BYTES);
const _: () = assert!(verifier::MAX_PASS_LEN_BYTES <= MAX_PASS_BYTES);
const _: () = assert!(verifier::MAX_QR_TEXT_CHARS <= MAX_QR_TEXT_BYTES);
