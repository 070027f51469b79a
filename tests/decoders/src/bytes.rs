//! What all canonical layouts have in common.

use std::fmt::{Debug, Display};

/// Longest message of an error: it says what is wrong, and does not hand the input on.
const MAX_MESSAGE_LEN_BYTES: usize = 1_024;

/// Checks that what was decoded is written as the bytes that it was read from, and that a refusal says something.
pub(crate) fn canonical<T, E: Display + Debug>(
    bytes: &[u8],
    decoded: Result<T, E>,
    encode: impl FnOnce(&T) -> Vec<u8>,
) -> Option<T> {
    match decoded {
        Ok(value) => {
            assert!(
                encode(&value) == bytes,
                "another form of the same value was taken"
            );
            Some(value)
        }
        Err(error) => {
            says(&error);
            None
        }
    }
}

/// Checks an error's message.
pub(crate) fn says(error: &impl Display) {
    says_within(error, MAX_MESSAGE_LEN_BYTES);
}

/// Checks an error's message, which may quote a part of the input.
pub(crate) fn says_within(error: &impl Display, limit_bytes: usize) {
    let message = error.to_string();
    assert!(!message.is_empty(), "an error without a word");
    assert!(
        message.len() <= limit_bytes,
        "an error of {} bytes",
        message.len()
    );
}
