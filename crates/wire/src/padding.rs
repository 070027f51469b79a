//! Answers whose length would tell something about a record are brought to one length.

use prost::Message;

use crate::resident::v1 as proto;

/// Shortest padding, so that its own length always takes two bytes and every total can be reached exactly.
const LEAST: usize = 128;
/// Longest padding whose own length takes two bytes.
const MOST: usize = 16_383;
/// Tag and length of the padding.
const FRAME: usize = 3;

/// An answer that travels at a multiple of one length.
pub trait Padded: Message {
    /// The length, in bytes; an answer longer than it takes the next multiple.
    const STEP_BYTES: usize;

    /// The field that fills it up.
    fn padding_mut(&mut self) -> &mut Vec<u8>;

    /// Fills the message up to the least multiple of [`Padded::STEP_BYTES`].
    fn pad(&mut self) {
        const { assert!(Self::STEP_BYTES + LEAST <= MOST) };
        self.padding_mut().clear();
        let least = self.encoded_len() + FRAME + LEAST;
        let total = least.next_multiple_of(Self::STEP_BYTES);
        let len = total - least + LEAST;
        self.padding_mut().resize(len, 0);
    }
}

impl Padded for proto::MakeCodeResponse {
    // The most passes and the longest refusal fit; a test says so.
    const STEP_BYTES: usize = 8_192;

    fn padding_mut(&mut self) -> &mut Vec<u8> {
        &mut self.padding
    }
}

impl Padded for proto::QueryResponse {
    // About as much as one padding can be: a reason takes some hundred bytes, and most answers have few.
    const STEP_BYTES: usize = 16_000;

    fn padding_mut(&mut self) -> &mut Vec<u8> {
        &mut self.padding
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{ID_BYTES, MAX_NAME_ID_BYTES, MAX_PASS_BYTES, MAX_PASSES};

    fn passes(count: usize) -> proto::MakeCodeResponse {
        let pass = proto::IssuedPass {
            pass: vec![7; MAX_PASS_BYTES],
            revocation_secret: vec![7; ID_BYTES],
        };
        proto::MakeCodeResponse {
            state: proto::MakeCodeState::Ready.into(),
            passes: vec![pass; count],
            ..Default::default()
        }
    }

    fn refused(rules: usize) -> proto::MakeCodeResponse {
        proto::MakeCodeResponse {
            state: proto::MakeCodeState::Refused.into(),
            refusal: Some(proto::Refusal {
                rule_ids: vec!["R".repeat(MAX_NAME_ID_BYTES); rules],
                test_too_old: true,
            }),
            ..Default::default()
        }
    }

    #[test]
    fn the_most_passes_the_longest_refusal_and_waiting_have_one_length() {
        let pending = proto::MakeCodeResponse {
            state: proto::MakeCodeState::Pending.into(),
            retry_after_ms: 1_000,
            ..Default::default()
        };
        // As many as a rule set can have.
        let all_rules = refused(64);
        for mut answer in [
            passes(1),
            passes(MAX_PASSES),
            refused(0),
            all_rules,
            pending,
        ] {
            answer.pad();
            assert_eq!(answer.encode_to_vec().len(), 8_192);
        }
    }

    #[test]
    fn padding_twice_is_padding_once() {
        let mut answer = passes(2);
        answer.pad();
        let once = answer.encode_to_vec();
        answer.pad();
        assert_eq!(answer.encode_to_vec(), once);
    }

    proptest! {
        #[test]
        fn every_length_comes_to_a_multiple(text in 0..40_000_usize) {
            let mut answer = proto::QueryResponse {
                rule_set_id: "x".repeat(text),
                ..Default::default()
            };
            answer.pad();
            let len = answer.encode_to_vec().len();
            prop_assert_eq!(len % 16_000, 0);
            prop_assert!(len - text < 16_000 + 256);
        }
    }
}
