//! The rows, and the keys under which they lie. Numbers in keys are big-endian, so that scans ascend.

use rules::{Minute, ProvinceCode, Record, SourceId};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The name of a resident inside the store: a blinded identity number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResidentKey(pub [u8; 32]);

impl std::fmt::Debug for ResidentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ResidentKey(..)")
    }
}

impl ResidentKey {
    /// The key of one of this resident's rows in a table keyed by resident and `rest`.
    pub fn row(&self, rest: &[u8]) -> Vec<u8> {
        [&self.0[..], rest].concat()
    }
}

/// A resident. Key: [`ResidentKey`].
#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct ResidentRow {
    /// Identity number, 18 ASCII characters.
    pub identity_number: [u8; 18],
    /// Fixed place in the province's state tree.
    pub place: u32,
    /// Salt of the identity commitment, a canonical field element.
    pub salt: [u8; 32],
    /// Events stored; the next event's number.
    pub events: u32,
    /// Device keys bound.
    pub devices: u8,
}

/// A bound device key. Key: device key id (32).
#[derive(Clone, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Whose it is.
    pub resident: ResidentKey,
    /// Compressed P-256 point, 33 bytes.
    pub key: Vec<u8>,
    /// When it was bound.
    pub bound_at: Minute,
}

/// Who may act for a resident. Key: resident (32), proxy key id (32).
#[derive(Clone, Serialize, Deserialize)]
pub struct ProxyRow {
    /// Compressed P-256 point, 33 bytes.
    pub key: Vec<u8>,
    /// What the resident calls it.
    pub label: String,
    /// When it was named first.
    pub since: Minute,
    /// From when on it is a proxy no more.
    pub until: Minute,
    /// Its newest call.
    pub last_used: Option<Minute>,
    /// When a reading of the record by it was last put into the trail for the resident to see.
    pub told_at: Option<Minute>,
    /// Requests for passes that it made: their ids.
    pub uses: Vec<[u8; 16]>,
}

/// A proxy that an office named, whatever has become of it since; the proxy's own row is beside it, and has the form that it always had.
/// Key: resident (32), the office's name for it (16).
#[derive(Clone, Serialize, Deserialize)]
pub struct NamingRow {
    /// Canonical bytes of the naming.
    pub naming: Vec<u8>,
    /// The office's Ed25519 signature over its signing bytes.
    pub signature: Vec<u8>,
    /// When it came.
    pub received_at: Minute,
}

/// An event. Key: resident (32), number (4).
#[derive(Clone, Serialize, Deserialize)]
pub struct EventRow {
    /// Canonical bytes.
    pub event: Vec<u8>,
    /// Who vouches for them.
    pub evidence: Evidence,
    /// When it came.
    pub received_at: Minute,
}

/// What shows that a source stated an event.
#[derive(Clone, Serialize, Deserialize)]
pub enum Evidence {
    /// The source's Ed25519 signature over the event's signing bytes.
    Source(Vec<u8>),
    /// The resident's own call: canonical authorisation, signature, body.
    Device {
        /// Canonical bytes of the authorisation.
        auth: Vec<u8>,
        /// The device key's signature over it.
        signature: Vec<u8>,
        /// The body that the authorisation names by digest.
        body: Vec<u8>,
    },
    /// The source's signature, as another province forwarded it.
    Forwarded {
        /// The province that forwarded the event.
        sender: ProvinceCode,
        /// Ed25519 over the event's signing bytes.
        signature: Vec<u8>,
        /// Ed25519 over the confirmation's signing bytes, of an event that was contested.
        confirmation: Option<Vec<u8>>,
    },
}

/// A request for passes. Key: resident (32), use id (16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UseRow {
    /// Code of the claim.
    pub claim: u8,
    /// Rule set, by identifier.
    pub rule_set: String,
    /// Code of the binder kind.
    pub binder_kind: u8,
    /// Holder keys, 33 bytes each.
    pub holder_keys: Vec<Vec<u8>>,
    /// Epoch for which they are made.
    pub epoch: u32,
}

/// An issued pass. Key: resident (32), use id (16), position (1).
#[derive(Clone, Serialize, Deserialize)]
pub struct IssuedRow {
    /// Canonical bytes of the pass.
    pub pass: Vec<u8>,
    /// Its revocation secret.
    pub revocation_secret: [u8; 16],
    /// Epoch of the pass.
    pub epoch: u32,
    /// When it was proved.
    pub issued_at: Minute,
}

/// Why the record did not support the claim of a use. Key: resident (32), use id (16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRow {
    /// Rules of the rule set with an open reason worse than the claim, without repetition.
    pub rules: Vec<String>,
    /// Whether the newest negative test is older than claimed, or missing.
    pub test_too_old: bool,
    /// Epoch of the record.
    pub epoch: u32,
}

/// What a resident has used up. Key: resident (32), `b'd'` and day (2) or `b'e'` and epoch (4).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LimitRow {
    /// Rule sets asked under (for a day).
    pub rule_sets: Vec<String>,
    /// Passes requested (for an epoch), or declarations made (for a day).
    pub count: u32,
}

/// A contested event. Key: resident (32), case id (16).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseRow {
    /// The event.
    pub event_id: [u8; 16],
    /// Why, in the resident's words.
    pub statement: String,
    /// When it came.
    pub opened_at: Minute,
}

/// An appeal at the offices that may decide it. Key: `b'w'` while it waits, `b'd'` once it does not, deadline (4), keyed digest of
/// resident and case (16).
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealRow {
    /// Whose.
    pub resident: ResidentKey,
    /// The resident's name for it.
    pub case_id: [u8; 16],
    /// When it came.
    pub opened_at: Minute,
}

/// How an appeal was decided. Key: resident (32), case id (16).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppealDecisionRow {
    /// Canonical bytes of the decision.
    pub decision: Vec<u8>,
    /// The office's Ed25519 signature over its signing bytes.
    pub signature: Vec<u8>,
    /// Until when it was to be decided.
    pub decide_by: Minute,
    /// When the decision came.
    pub received_at: Minute,
}

/// Why a record was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadPurpose {
    /// The resident asked for the own colour.
    Query,
    /// A pass was proved for the resident.
    Pass,
    /// The resident contested an event.
    Correct,
    /// The leaf was drawn from a registry, and an auditor had it opened.
    Sample {
        /// The auditor's province.
        province: ProvinceCode,
        /// The auditor's number there.
        auditor: u32,
        /// The registry's epoch.
        epoch: u32,
    },
    /// It was opened at what an event states, for the event's source.
    Opening {
        /// The source.
        source: SourceId,
        /// The registry's epoch.
        epoch: u32,
    },
    /// A proxy read the record; told once a day, beside a row for each call.
    Proxy,
    /// An office for appeals read what the resident contests, and nothing else.
    Appeal {
        /// The office.
        source: SourceId,
    },
    /// An office named a proxy, and read nothing.
    Naming {
        /// The office.
        source: SourceId,
    },
}

/// One reading of a record. Key: resident (32), minute (4), nonce of the call or id of the use (16); for somebody else than the
/// resident a random number (16) and `b'o'`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRow {
    /// Why.
    pub purpose: ReadPurpose,
    /// For whom: the device key or the proxy's that asked; zeros for an auditor and for a source, whom the purpose names.
    pub device_key_id: [u8; 32],
    /// Rule set under which the record was read; empty for none.
    pub rule_set: String,
}

/// A closed epoch. Key: epoch (4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EpochRow {
    /// Closing minute.
    pub as_of: Minute,
    /// Canonical bytes of the signed tree head.
    pub head: Vec<u8>,
    /// Records committed.
    pub records: u32,
}

/// A record as committed in an epoch. Key: epoch (4), place (4). Its leaf, a canonical field element, is a row of its own
/// under the same key: it stays in the tree when the resident is erased.
#[derive(Clone, Serialize, Deserialize)]
pub struct CommittedRow {
    /// The record.
    pub record: Record,
    /// Blinding of the leaf, a canonical field element.
    pub blinding: [u8; 32],
}

/// A registry with its quorum; a large value. Key: epoch (4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryRow {
    /// Canonical bytes of the cosigned statement.
    pub cosigned: Vec<u8>,
    /// Canonical bytes of the signed heads.
    pub heads: Vec<Vec<u8>>,
}

/// A signed online document of the trust list; a large value. Key: sequence (8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineRow {
    /// Canonical bytes.
    pub document: Vec<u8>,
}

/// A signed root document; a large value. Key: sequence (8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootRow {
    /// Canonical bytes.
    pub document: Vec<u8>,
    /// When it came in.
    pub since: Minute,
    /// Its rule sets, in its order.
    pub sets: Vec<RootSetRow>,
}

/// A rule set of a root document, as far as it says when records keep grounds for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootSetRow {
    /// Digest of its row table.
    pub digest: [u8; 32],
    /// When it was announced.
    pub announced: Minute,
    /// When it ends.
    pub until: Minute,
}

/// Which of a source's two signatures an event is sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SentAs {
    /// Its statement.
    Statement,
    /// The confirmation of a statement that was contested.
    Confirmation,
}

/// An event on its way to another province. Key: home (1), number (8).
#[derive(Clone, Serialize, Deserialize)]
pub struct OutboxRow {
    /// Canonical bytes.
    pub event: Vec<u8>,
    /// Which signature this is.
    pub sent_as: SentAs,
    /// Ed25519 over the signing bytes of that.
    pub signature: Vec<u8>,
    /// The name of the envelopes that it is sent in.
    pub forwarding_id: [u8; 16],
    /// When it was taken.
    pub taken_at: Minute,
    /// When it lapses if it is not delivered.
    pub expires_at: Minute,
}

/// How far a forwarded event is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ForwardState {
    /// On its way.
    Queued {
        /// When it lapses.
        expires_at: Minute,
    },
    /// Contested by its home.
    Waiting {
        /// The last minute for its confirmation.
        confirm_by: Minute,
    },
    /// The confirmation is on its way.
    Confirming {
        /// The last minute for it.
        confirm_by: Minute,
    },
    /// Part of the record at its home.
    Accepted,
    /// Refused by its home, under a stable code.
    Refused(String),
    /// Not delivered or not confirmed in time.
    Lapsed,
}

/// What became of an event for another province. Key: a keyed digest of source and event id (32). It
/// names nobody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwardedRow {
    /// Where it goes.
    pub home: ProvinceCode,
    /// A keyed digest of the event's bytes.
    pub digest: [u8; 32],
    /// How far it is.
    pub state: ForwardState,
    /// Since when.
    pub at: Minute,
}

/// A contested event that has no effect. Key: resident (32), keyed digest of the event id (16).
#[derive(Clone, Serialize, Deserialize)]
pub struct WaitingRow {
    /// Canonical bytes.
    pub event: Vec<u8>,
    /// Ed25519 over the event's signing bytes.
    pub signature: Vec<u8>,
    /// The province that forwarded it.
    pub sender: ProvinceCode,
    /// When it came.
    pub received_at: Minute,
    /// The last minute for its confirmation; afterwards it has lapsed.
    pub confirm_by: Minute,
}

/// What a witness has cosigned last of a log. Key: slot (1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessedRow {
    /// Canonical bytes of the witness's state.
    pub state: Vec<u8>,
    /// The checkpoint, as its log signed it.
    pub checkpoint: Vec<u8>,
    /// Canonical bytes of the signed log keys that it was judged by.
    pub keys: Vec<u8>,
}

/// What is held of another node's log. Key: slot (1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorRow {
    /// The first entry that is held; those before it were removed, whole bundles of them.
    pub first: u64,
    /// The entry after the last one that is held.
    pub end: u64,
    /// Bytes of the entries that are held.
    pub len_bytes: u64,
    /// The newest checkpoint all of whose tree is held, as its log signed it; empty for none.
    pub checkpoint: Vec<u8>,
}

/// What was recovered of this node's log after its store was put back. Key: `log-recovered`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveredRow {
    /// Recovered entries, the first and the one after the last, of each time.
    pub entries: Vec<(u64, u64)>,
    /// Epochs whose heads are known from there alone, the first and the last of each time.
    pub epochs: Vec<(u32, u32)>,
    /// Until when this node signs no list and gives no part of a batch.
    pub quiet_until: Option<Minute>,
    /// This node signs no head of this epoch or before it, nor of this time or before it: it may have given one out that no log
    /// tells of.
    pub no_head_to: Option<(u32, Minute)>,
}

/// What a statement that was signed rests on; a large value. Key: `signed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedStatementRow {
    /// Canonical bytes of the statement.
    pub statement: Vec<u8>,
    /// Canonical bytes of the signed heads.
    pub heads: Vec<Vec<u8>>,
}

/// A checkpoint that was refused; a large value. Key: slot (1), 0 if it contradicts the one cosigned, 1 if it only was not
/// shown to extend it, digest (16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvidenceRow {
    /// The checkpoint cosigned.
    pub first: Vec<u8>,
    /// The one refused.
    pub second: Vec<u8>,
    /// The proof that came with it.
    pub proof: Vec<[u8; 32]>,
    /// The root that its tree is shown to have had at the first one's size.
    pub prefix_root: [u8; 32],
    /// Canonical bytes of the signed log keys of both.
    pub keys: Vec<Vec<u8>>,
    /// When it came.
    pub refused_at: Minute,
}

/// What is known of a rule set's effect here. Key: SHA-256 of its canonical text (32).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSetCountRow {
    /// When this node first saw the set.
    pub seen_at: Minute,
    /// Its province, or the nation.
    pub scope: ProvinceCode,
    /// Digest of its row table, a canonical field element.
    pub digest: [u8; 32],
    /// Whether its effect is to be counted.
    pub is_due: bool,
    /// The count, an entry of the log; it is written once.
    pub entry: Option<Vec<u8>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resident_s_name_is_not_printed_and_stands_before_the_keys_of_their_rows() {
        let resident = ResidentKey([0xab; 32]);
        assert_eq!(format!("{resident:?}"), "ResidentKey(..)");
        assert_eq!(resident.row(&[1, 2]), [&[0xab; 32][..], &[1, 2]].concat());
    }
}
