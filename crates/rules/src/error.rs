use crate::Minute;

/// Why something from outside cannot become a value of the rules; the caller's input is at fault in every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A moment beyond 26 bits of minutes.
    #[error("minute {0} lies beyond 67108863")]
    MinuteTooLarge(u32),
    /// A province code that GB/T 2260 does not have.
    #[error("no province has the code {0}")]
    UnknownProvince(u8),
    /// An area of more than nine digits.
    #[error("area {0} has more than nine digits")]
    BadArea(u32),
    /// A site number beyond 17 bits.
    #[error("site {0} lies beyond 131071")]
    BadSite(u32),
    /// A packed place beyond 47 bits.
    #[error("place {0} lies beyond 47 bits")]
    BadPlace(u64),
    /// A text that is neither nine digits nor nine digits, a slash and a site number.
    #[error("{0:?} is not an area code such as 330102001 or 330102001/17")]
    BadAreaText(String),
    /// A text that is no date `2022-08-20` or moment `2022-08-20 13:05` from 1970 to 2097.
    #[error("{0:?} is no date such as 2022-08-20 and no moment such as 2022-08-20 13:05")]
    BadMomentText(String),
    /// A risk map that is no partition or breaks a limit.
    #[error("risk map: {0}")]
    RiskMap(&'static str),
    /// A rule row out of range.
    #[error("rule row: {0}")]
    Row(&'static str),
    /// More of something than a record holds.
    #[error("{count} {what}, at most {limit}")]
    Capacity {
        /// What there is too much of.
        what: &'static str,
        /// How many there are.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A record whose parts contradict each other.
    #[error("record: {0}")]
    Record(&'static str),
    /// A record that speaks of a moment after the one it is evaluated at.
    #[error("the record speaks of minute {}, after minute {}", latest.get(), at.get())]
    Future {
        /// Latest moment in the record.
        latest: Minute,
        /// Moment of evaluation.
        at: Minute,
    },
}
