use rules::Grade;

/// Why a list, a table of areas, a register or a fact table cannot be used.
///
/// Unless a variant says otherwise, the file that was handed in is at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// More bytes than a reader takes, before or after decompression.
    #[error("{what} holds more than {limit} bytes")]
    TooLarge {
        /// Which input.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// More of something than a reader takes.
    #[error("more than {limit} {what}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A text longer than a reader takes.
    #[error("{what} is longer than {limit} bytes")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// The limit in bytes.
        limit: usize,
    },
    /// A list that is not the Commission's JSON.
    #[error("not a published list: {0}")]
    NotAList(#[source] serde_json::Error),
    /// An update time that is not like `2022-08-18 19时`.
    #[error("{0:?} is not an update time such as \"2022-08-18 19时\"")]
    UpdateTime(String),
    /// Bytes that cannot be decompressed.
    #[error("{0} cannot be decompressed")]
    Compressed(&'static str),
    /// Bytes that are not UTF-8.
    #[error("{0} is not UTF-8")]
    NotText(&'static str),
    /// A line that a format does not have.
    #[error("{what}, line {line}: {why}")]
    Line {
        /// Which format.
        what: &'static str,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        why: &'static str,
    },
    /// An area has more listed sites than a site number can count.
    #[error("area {0:09} has more than 131071 listed sites")]
    SitesExhausted(u32),
    /// The same place stands twice at the same grade at the same time.
    #[error("{place} is listed twice at {grade:?} at the same time")]
    Overlap {
        /// The place as written in a fact table.
        place: String,
        /// The grade.
        grade: Grade,
    },
    /// More intervals than a risk map holds; the lists name more separate places than version 1 can carry.
    #[error("the listings need at least {0} intervals, a risk map holds {limit}", limit = rules::MAX_INTERVALS)]
    Intervals(usize),
    /// A value that the rules refuse.
    #[error(transparent)]
    Rules(#[from] rules::Error),
    /// No list was handed in.
    #[error("no list was given")]
    NoLists,
}
