//! The clock of this program.

/// The minute that it is.
pub(crate) fn now() -> anyhow::Result<rules::Minute> {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH)?;
    Ok(rules::Minute::new(u32::try_from(since.as_secs() / 60)?)?)
}

/// Today in UTC, as `YYYY-MM-DD`.
pub(crate) fn today() -> String {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = time::OffsetDateTime::from(std::time::SystemTime::now());
    now.date().to_string()
}

/// The second that it is.
pub(crate) fn now_s() -> verifier::UnixTime {
    #[expect(clippy::disallowed_methods, reason = "the binary owns the clock")]
    let now = std::time::SystemTime::now();
    let since = now.duration_since(std::time::SystemTime::UNIX_EPOCH);
    verifier::UnixTime::from_s(since.unwrap_or_default().as_secs())
}
