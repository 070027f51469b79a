use commitment::Epoch;
use commitment::layout::LayoutError;
use rules::Minute;

/// Why bytes become no pass, no showing, no verifying key or no trust list; whoever supplied them is at fault, except
/// where a variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Bytes that break their layout.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// A QR text without the prefix of this project.
    #[error("the text does not begin with VIR1:")]
    NoPrefix,
    /// A QR text longer than any pass.
    #[error("{chars} characters, at most {limit}")]
    TextTooLong {
        /// Characters supplied.
        chars: usize,
        /// Most characters admitted.
        limit: usize,
    },
    /// A QR text that is not base45, or not the one way to write its bytes.
    #[error("the text is not canonical base45")]
    NotBase45,
    /// A text of another length than any challenge has.
    #[error("{chars} characters, a challenge has {expected}")]
    ChallengeLength {
        /// Characters supplied.
        chars: usize,
        /// Characters expected.
        expected: usize,
    },
    /// A text of a challenge's length that is none.
    #[error("the text is not VG1: and 48 upper-case hexadecimal digits")]
    NoChallenge,
    /// A point that is off its curve, outside its group, at infinity, or written in a second way.
    #[error("{0} is no canonical point of its group")]
    BadPoint(&'static str),
    /// A signature out of range or with its larger half.
    #[error("the signature is not canonical")]
    BadSignatureEncoding,
    /// A holder's binding that does not go with what was supplied.
    #[error("{0}")]
    WrongBinding(&'static str),
    /// A verifying key of another size than six public inputs give.
    #[error("a verifying key of {len} bytes, always {expected}")]
    KeyLength {
        /// Bytes supplied.
        len: usize,
        /// Bytes expected.
        expected: usize,
    },
    /// A verifying key for another number of public inputs.
    #[error("a verifying key for {inputs} public inputs, always 6")]
    KeyArity {
        /// Public inputs of the key.
        inputs: u64,
    },
    /// A verifying key without a second phase: with gamma equal to delta anybody forges.
    #[error("the verifying key's gamma equals its delta")]
    GammaEqualsDelta,
    /// A document of a trust list whose content contradicts itself or breaks a limit.
    #[error("trust list: {0}")]
    TrustContent(&'static str),
    /// Head keys whose dates contradict each other, or too many of them.
    #[error("head keys: {0}")]
    HeadKeys(#[source] commitment::DatedKeysError),
    /// A document of a minute at which a slot that signed it had no head key yet.
    #[error("slot {} had no head key at minute {}", slot.get(), minute.get())]
    NoHeadKey {
        /// The slot.
        slot: commitment::Slot,
        /// When the document was issued.
        minute: Minute,
    },
    /// A root key that is configured and is none: whoever wrote the configuration is at fault.
    #[error("64 hexadecimal digits of an Ed25519 key are needed")]
    KeyDigits,
    /// A document with an Ed25519 key that is no point, or weak.
    #[error("a signing key is not a strong Ed25519 key")]
    WeakKey,
    /// A document signed by a key that is not entitled to.
    #[error("a signature by a key that the list does not know")]
    UnknownSigner,
    /// A signature that does not fit document and key.
    #[error("a signature does not fit")]
    BadSignature,
    /// A root document without enough root keys behind it.
    #[error("{have} root signatures by {of} keys, at least {need}")]
    TooFewRootSignatures {
        /// Whose keys fall short: "pinned or earlier", or "its own".
        of: &'static str,
        /// Valid signatures of different keys.
        have: usize,
        /// Signatures needed.
        need: usize,
    },
    /// An online document without enough provinces behind it.
    #[error("signed by {have} provinces, at least {need}")]
    TooFewProvinces {
        /// Different provinces with a valid signature.
        have: usize,
        /// Provinces needed.
        need: usize,
    },
    /// A list older than the one in use; an attack, or a mirror that fell behind.
    #[error("sequence {offered} after {known}")]
    SequenceFell {
        /// Sequence offered.
        offered: u64,
        /// Sequence known.
        known: u64,
    },
    /// Two different documents with one sequence: the publishers are at fault, keep both as evidence.
    #[error("another document with the sequence {0}")]
    Forked(u64),
    /// An online document for another root document.
    #[error("an online document for root {online}, with root {root}")]
    RootMismatch {
        /// Root sequence that the online document names.
        online: u64,
        /// Sequence of the root document at hand.
        root: u64,
    },
    /// A list past its end.
    #[error("the list ended at {ended_s}, it is {now_s}")]
    Expired {
        /// When it ended, seconds since the Unix epoch.
        ended_s: u64,
        /// The time of the attempt.
        now_s: u64,
    },
    /// A list from the future: this machine's clock is at fault.
    #[error("the list was issued at {issued_s}, it is {now_s}")]
    FromTheFuture {
        /// When it was issued, seconds since the Unix epoch.
        issued_s: u64,
        /// The time of the attempt.
        now_s: u64,
    },
    /// A known epoch whose registry or risk map changed between two lists: the publishers are at fault.
    #[error("epoch {0} has another registry or risk map than before")]
    EpochRewritten(Epoch),
    /// A list without all batches of revocations that it names: whoever publishes it fell short.
    #[error("{0} batches of revocations are missing")]
    MissingBatches(usize),
    /// A batch of revocations that the online document does not name, or that is in hand already.
    #[error("a batch of revocations that is not missing")]
    UnknownBatch,
    /// A batch that still counts is missing in the next online document, or is another: the publishers are at fault.
    #[error("the batch of revocations of minute {} is gone before its time", .0.get())]
    RevocationsDropped(Minute),
    /// An increment that does not lead from the list in hand to the document that it names: fetch the whole list.
    #[error("the increment does not lead from this list to the document that it names")]
    IncrementMismatch,
}
