use commitment::layout::LayoutError;

/// Why something of a log is refused. Where tlog-witness gives a refusal an HTTP status, the variant names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Bytes that break a layout of this crate; whoever supplied them is at fault.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// More bytes than are read.
    #[error("{what}: {len} bytes, at most {limit}")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Bytes supplied.
        len: usize,
        /// Most bytes admitted.
        limit: usize,
    },
    /// Text that is no signed note, checkpoint, verifier key, path, or request (400).
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// A size of a log above [`super::MAX_LOG_SIZE`].
    #[error("a log of {0} entries, at most {limit}", limit = super::MAX_LOG_SIZE)]
    TooLarge(u64),
    /// A checkpoint of another log than the one expected (404).
    #[error("the checkpoint is of another log: {0:?}")]
    UnknownOrigin(String),
    /// No signature of the expected key, or one that does not fit (403).
    #[error("the note has no fitting signature of {0}")]
    BadSignature(String),
    /// An old size above the checkpoint's (400).
    #[error("an old size of {old}, the checkpoint has {size}")]
    OldSizeAbove {
        /// The request's.
        old: u64,
        /// The checkpoint's.
        size: u64,
    },
    /// An old size that is not the one cosigned last (409).
    #[error("an old size of {offered}, cosigned last was {known}")]
    OldSize {
        /// The request's.
        offered: u64,
        /// The one cosigned last.
        known: u64,
    },
    /// A root or a proof that does not extend what was cosigned last, or is not that of the tree (422).
    #[error("the checkpoint does not extend the tree of {known} entries")]
    Inconsistent {
        /// The size cosigned last.
        known: u64,
    },
    /// A proof that does not lead to the root; whoever supplied it is at fault.
    #[error("the proof does not lead to the root")]
    BadProof,
    /// Two checkpoints that do not contradict each other.
    #[error("the two checkpoints do not contradict each other")]
    NoContradiction,
    /// A line of a policy.
    #[error("line {line} of the policy: {what}")]
    Policy {
        /// The line, from 1; 0 for the file as a whole.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A checkpoint that the policy's witnesses have not cosigned enough.
    #[error("too few witnesses have cosigned the checkpoint")]
    NoQuorum,
    /// Log keys that replace newer ones, or others of the same number.
    #[error("log keys number {offered}, known is {known}")]
    KeysFell {
        /// The number offered.
        offered: u32,
        /// The number known.
        known: u32,
    },
    /// What the caller reads stored entries with failed; the caller knows why.
    #[error("stored entries could not be read")]
    Unread,
}
