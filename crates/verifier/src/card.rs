//! The binding to an identity card: weak, linkable, for people without a phone.
//!
//! Identity numbers can be enumerated, so a tag only slows a guess down: whoever holds a pass can test numbers at the
//! price of one Argon2id each. Passes bound to a card alone are marked as such in the verdict and live at most
//! [`crate::CARD_PASS_AGE_LIMIT_MIN`].

use argon2::{Algorithm, Argon2, Params, Version};

use rules::identity::IdentityNumber;

use crate::RevocationHash;

/// Memory of one tag: 19 MiB, with two passes and one lane the least that OWASP recommends for Argon2id.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The 18 characters of an identity number, as read from the card; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber([u8; 18]);

impl CardNumber {
    /// The number on a card; a number that is none simply matches no pass.
    /// A check character `x` is taken as `X`.
    pub const fn new(mut characters: [u8; 18]) -> Self {
        characters[17] = characters[17].to_ascii_uppercase();
        Self(characters)
    }

    /// The tag of this card under a pass's `h`: Argon2id over the number, salted with `h`, which no two passes share.
    pub fn tag(&self, h: RevocationHash) -> CardTag {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).expect("constants in range");
        let mut out = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(&self.0, &h.0, &mut out)
            .expect("a 16-byte salt and a 32-byte output are in range");
        CardTag(out)
    }
}

impl From<&IdentityNumber> for CardNumber {
    fn from(number: &IdentityNumber) -> Self {
        Self::new(*number.expose())
    }
}

impl std::fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardNumber(..)")
    }
}

/// What a card contributes to a binder; never printed, never sent.
#[derive(Clone, PartialEq, Eq)]
pub struct CardTag([u8; 32]);

impl CardTag {
    /// The 32 bytes.
    pub const fn to_bytes(&self) -> [u8; 32] {
        self.0
    }
}

impl std::fmt::Debug for CardTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardTag(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_depends_on_number_and_pass_and_shows_neither() {
        let number = CardNumber::new(*b"11010519491231002X");
        let tag = number.tag(RevocationHash([1; 16]));
        assert_eq!(tag, number.tag(RevocationHash([1; 16])));
        assert_eq!(number, CardNumber::new(*b"11010519491231002x"));
        let known = IdentityNumber::from_bytes(b"11010519491231002X").unwrap();
        assert_eq!(number, CardNumber::from(&known));
        assert_ne!(tag, number.tag(RevocationHash([2; 16])));
        assert_ne!(
            tag,
            CardNumber::new(*b"110105194912310038").tag(RevocationHash([1; 16]))
        );
        assert_eq!(format!("{number:?} {tag:?}"), "CardNumber(..) CardTag(..)");
    }

    /// The value is argon2-cffi's (the reference implementation in C), for Argon2id, 19,456 KiB, 2 passes, 1 lane.
    #[test]
    fn a_tag_is_what_another_implementation_makes() {
        let tag = CardNumber::new(*b"11010519491231002X").tag(RevocationHash([1; 16]));
        let expected = [
            0xe2, 0x8e, 0x73, 0x20, 0x15, 0x1e, 0x77, 0x40, 0xe7, 0x66, 0x49, 0xc0, 0x72, 0x53,
            0xca, 0x27, 0xc9, 0xd9, 0x50, 0xb4, 0x9d, 0xd9, 0x87, 0x93, 0x89, 0xda, 0xdc, 0x80,
            0x74, 0x70, 0xf4, 0x2c,
        ];
        assert_eq!(tag.to_bytes(), expected);
    }
}
