//! Checks of single fields: length, presence, count.

use crate::WireError;

/// Exactly `N` bytes.
///
/// # Errors
/// [`WireError::WrongLength`].
pub fn bytes_exact<const N: usize>(
    field: &'static str,
    bytes: &[u8],
) -> Result<[u8; N], WireError> {
    bytes.try_into().map_err(|_| WireError::WrongLength {
        field,
        expected: N,
        got: bytes.len(),
    })
}

/// One to `limit` bytes.
///
/// # Errors
/// [`WireError::Missing`] for none, [`WireError::TooLong`] for more.
pub fn bytes_within<'a>(
    field: &'static str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<&'a [u8], WireError> {
    match bytes.len() {
        0 => Err(WireError::Missing { field }),
        got if got > limit => Err(WireError::TooLong { field, limit, got }),
        _ => Ok(bytes),
    }
}

/// One to `limit` bytes of text.
///
/// # Errors
/// [`WireError::Missing`] for none, [`WireError::TooLong`] for more.
pub fn text_within<'a>(
    field: &'static str,
    text: &'a str,
    limit: usize,
) -> Result<&'a str, WireError> {
    bytes_within(field, text.as_bytes(), limit).map(|_| text)
}

/// A list of one to `limit` entries.
///
/// # Errors
/// [`WireError::WrongCount`].
pub fn count_within<'a, T>(
    field: &'static str,
    list: &'a [T],
    limit: usize,
) -> Result<&'a [T], WireError> {
    if (1..=limit).contains(&list.len()) {
        Ok(list)
    } else {
        Err(WireError::WrongCount {
            field,
            least: 1,
            limit,
            got: list.len(),
        })
    }
}

/// A message that must be there.
///
/// # Errors
/// [`WireError::Missing`].
pub fn required<'a, T>(field: &'static str, message: Option<&'a T>) -> Result<&'a T, WireError> {
    message.ok_or(WireError::Missing { field })
}
