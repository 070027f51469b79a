//! The challenge that a gate gives to one holder, and its text: `VG1:` and upper-case hexadecimal digits, which a QR code has in
//! its alphanumeric mode, and people can read out.

use std::fmt;

use crate::Error;

/// What the text of every challenge begins with: a gate's, and the version of the text form.
pub const CHALLENGE_PREFIX: &str = "VG1:";
/// Length of the text: the prefix, two digits for each byte of gate and nonce.
pub const CHALLENGE_TEXT_CHARS: usize =
    CHALLENGE_PREFIX.len() + 2 * (GateId::LEN_BYTES + GateNonce::LEN_BYTES);

/// The name of a gate, chosen by its operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateId(pub [u8; 8]);

impl GateId {
    /// Its length.
    pub const LEN_BYTES: usize = 8;
}

impl fmt::Display for GateId {
    /// As people read it: eight characters of ASCII where it has no others, or 16 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match str::from_utf8(&self.0) {
            Ok(name) if name.bytes().all(|byte| byte.is_ascii_graphic()) => f.write_str(name),
            _ => f.write_str(&hex::encode(self.0)),
        }
    }
}

/// A gate's fresh random number for one holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateNonce(pub [u8; 16]);

impl GateNonce {
    /// Its length.
    pub const LEN_BYTES: usize = 16;
}

/// What a gate asks a holder to sign, so that a copied code is of no use elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GateChallenge {
    /// Which gate.
    pub gate: GateId,
    /// Its nonce.
    pub nonce: GateNonce,
}

impl GateChallenge {
    /// The text that a gate shows: [`CHALLENGE_PREFIX`], gate 16 · nonce 32.
    pub fn to_text(&self) -> String {
        let (gate, nonce) = (self.gate.0, self.nonce.0);
        let (gate, nonce) = (hex::encode_upper(gate), hex::encode_upper(nonce));
        format!("{CHALLENGE_PREFIX}{gate}{nonce}")
    }

    /// Reads such a text; a challenge has one.
    ///
    /// # Errors
    /// [`Error::ChallengeLength`] or [`Error::NoChallenge`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() != CHALLENGE_TEXT_CHARS {
            return Err(Error::ChallengeLength {
                chars: text.len(),
                expected: CHALLENGE_TEXT_CHARS,
            });
        }
        let mut challenge = Self {
            gate: GateId([0; GateId::LEN_BYTES]),
            nonce: GateNonce([0; GateNonce::LEN_BYTES]),
        };
        let digits = text.strip_prefix(CHALLENGE_PREFIX);
        let (gate, nonce) = digits
            .and_then(|digits| digits.split_at_checked(2 * GateId::LEN_BYTES))
            .ok_or(Error::NoChallenge)?;
        hex::decode_to_slice(gate, &mut challenge.gate.0).map_err(|_| Error::NoChallenge)?;
        hex::decode_to_slice(nonce, &mut challenge.nonce.0).map_err(|_| Error::NoChallenge)?;
        if challenge.to_text() != text {
            return Err(Error::NoChallenge); // digits in lower case
        }
        Ok(challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHALLENGE: GateChallenge = GateChallenge {
        gate: GateId(*b"JX000001"),
        nonce: GateNonce([0xab; 16]),
    };
    const TEXT: &str = "VG1:4A58303030303031ABABABABABABABABABABABABABABABAB";

    #[test]
    fn a_challenge_has_one_text_and_comes_out_of_it_again() {
        assert_eq!(CHALLENGE.to_text(), TEXT);
        assert_eq!(TEXT.len(), CHALLENGE_TEXT_CHARS);
        assert_eq!(GateChallenge::parse(TEXT), Ok(CHALLENGE));
    }

    #[test]
    fn another_prefix_other_digits_and_lower_case_are_refused() {
        for bad in [
            TEXT.replace("VG1:", "VG2:"),
            TEXT.replace("VG1:", "vg1:"),
            TEXT.replace("VG1:", "通:"),
            TEXT.replace("4A", "4a"),
            TEXT.replace("4A", "4G"),
            TEXT.replace("BAB", "通"),
            TEXT.replacen("303030303031ABAB", "30303030303通BA", 1),
            TEXT.replace("ABAB", "+B A"),
        ] {
            assert_eq!(bad.len(), TEXT.len(), "{bad}");
            assert_eq!(GateChallenge::parse(&bad), Err(Error::NoChallenge), "{bad}");
        }
    }

    #[test]
    fn any_other_length_is_refused_before_the_digits_are_read() {
        let expected = CHALLENGE_TEXT_CHARS;
        for bad in [
            "",
            "VG1:",
            &TEXT[..51],
            &format!("{TEXT}\n"),
            &TEXT.repeat(9_000),
        ] {
            let chars = bad.len();
            let refused = Err(Error::ChallengeLength { chars, expected });
            assert_eq!(GateChallenge::parse(bad), refused);
        }
    }

    #[test]
    fn a_gate_is_called_by_its_letters_or_by_its_digits() {
        assert_eq!(CHALLENGE.gate.to_string(), "JX000001");
        for other in [*b"JX 00001", [0xe9; 8], [0; 8]] {
            assert_eq!(GateId(other).to_string(), hex::encode(other));
        }
    }
}
