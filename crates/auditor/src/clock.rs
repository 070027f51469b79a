//! The clock of this program.

/// Today in UTC, as `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = time::OffsetDateTime::from(std::time::SystemTime::now());
    now.date().to_string()
}
