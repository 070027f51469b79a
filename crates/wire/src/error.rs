use rules::Minute;

use crate::Method;

/// Why a message cannot become a value of the domain. In every case the sender is at fault, and no variant carries
/// anything that the sender wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A field is longer than its limit.
    #[error("{field} is {got} bytes long, at most {limit} are admitted")]
    TooLong {
        /// Name of the field.
        field: &'static str,
        /// Bytes admitted.
        limit: usize,
        /// Bytes sent.
        got: usize,
    },
    /// A field of fixed length has another.
    #[error("{field} is {got} bytes long instead of {expected}")]
    WrongLength {
        /// Name of the field.
        field: &'static str,
        /// Bytes that it has to have.
        expected: usize,
        /// Bytes sent.
        got: usize,
    },
    /// A list is longer or shorter than admitted.
    #[error("{field} has {got} entries, {least} to {limit} are admitted")]
    WrongCount {
        /// Name of the field.
        field: &'static str,
        /// Fewest entries admitted.
        least: usize,
        /// Most entries admitted.
        limit: usize,
        /// Entries sent.
        got: usize,
    },
    /// A field that must be there is absent, or an enum is unspecified.
    #[error("{field} is missing")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// A value is outside its range, or not of its form.
    #[error("{field} is not of its form")]
    Malformed {
        /// Name of the field.
        field: &'static str,
    },
    /// An identity number is not valid.
    #[error("the identity number is not valid")]
    IdentityNumber,
    /// An area code is not valid.
    #[error("the area code is not valid")]
    AreaCode,
    /// The same value stands twice where all must differ.
    #[error("{field} has the same value twice")]
    Repeated {
        /// Name of the field.
        field: &'static str,
    },
    /// A canonical layout begins with a version that is not known here.
    #[error("{field} has the unknown version {got}")]
    UnknownVersion {
        /// Name of the field.
        field: &'static str,
        /// Version sent.
        got: u8,
    },
    /// A signed call was made for another method.
    #[error("the call was signed for another method than {expected:?}")]
    OtherMethod {
        /// The method called.
        expected: Method,
    },
    /// A signed call was made for another home.
    #[error("the call was signed for another home")]
    OtherHome,
    /// A signed call names another key than the one that it is checked with.
    #[error("the call names another device key")]
    OtherKey,
    /// The signed digest is not that of the body.
    #[error("the signature covers another body")]
    OtherBody,
    /// A signed call is too old, or from the future.
    #[error("the call was signed at {at}, which is more than {skew_min} minutes from {now}")]
    Stale {
        /// Moment signed.
        at: Minute,
        /// The node's clock.
        now: Minute,
        /// Minutes admitted either way.
        skew_min: u16,
    },
    /// A signature does not verify.
    #[error("the signature does not verify")]
    BadSignature,
}
