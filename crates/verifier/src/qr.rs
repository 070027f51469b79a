//! QR text: `VIR1:` and base45, all of it in the alphanumeric mode of QR codes.

use crate::showing::MAX_SHOWING_LEN_BYTES;
use crate::{Error, Showing};

/// What every QR text begins with: the project and the version of the text form.
pub const QR_PREFIX: &str = "VIR1:";
/// Longest QR text: the prefix, three characters for every two bytes of the longest showing, two for a last lone one.
pub const MAX_QR_TEXT_CHARS: usize =
    QR_PREFIX.len() + MAX_SHOWING_LEN_BYTES / 2 * 3 + MAX_SHOWING_LEN_BYTES % 2 * 2;

/// The text of a QR code.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QrText(String);

impl QrText {
    /// The text of a showing.
    pub fn from_showing(showing: &Showing) -> Self {
        Self(format!("{QR_PREFIX}{}", base45::encode(showing.to_bytes())))
    }

    /// Reads a text of at most [`MAX_QR_TEXT_CHARS`] characters.
    ///
    /// # Errors
    /// [`Error::TextTooLong`], [`Error::NoPrefix`], or [`Error::NotBase45`] for anything but the one way to write bytes.
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.len() > MAX_QR_TEXT_CHARS {
            return Err(Error::TextTooLong {
                chars: text.len(),
                limit: MAX_QR_TEXT_CHARS,
            });
        }
        let body = text.strip_prefix(QR_PREFIX).ok_or(Error::NoPrefix)?;
        let bytes = base45::decode(body).map_err(|_| Error::NotBase45)?;
        // The decoder drops high bits of a lone last byte; one pass has one text.
        if base45::encode(&bytes) != body {
            return Err(Error::NotBase45);
        }
        Ok(Self(text.to_owned()))
    }

    /// The showing in this text.
    ///
    /// # Errors
    /// As [`Showing::from_bytes`].
    pub fn showing(&self) -> Result<Showing, Error> {
        let bytes = base45::decode(&self.0[QR_PREFIX.len()..]).map_err(|_| Error::NotBase45)?;
        Showing::from_bytes(&bytes)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for QrText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_another_prefix_or_alphabet_are_refused() {
        assert_eq!(QrText::parse("HC1:6BF"), Err(Error::NoPrefix));
        assert_eq!(QrText::parse("vir1:"), Err(Error::NoPrefix));
        assert_eq!(QrText::parse("VIR1:ab"), Err(Error::NotBase45));
        assert_eq!(QrText::parse("VIR1:A"), Err(Error::NotBase45));
        assert_eq!(QrText::parse("VIR1:通"), Err(Error::NotBase45));
    }

    #[test]
    fn a_second_way_to_write_the_last_byte_is_refused() {
        assert!(QrText::parse("VIR1:U5").is_ok()); // 255
        assert_eq!(QrText::parse("VIR1:V5"), Err(Error::NotBase45)); // 256, cut to 0
        assert_eq!(QrText::parse("VIR1:::::::"), Err(Error::NotBase45)); // above 65,535
    }

    #[test]
    fn the_length_limit_comes_before_decoding() {
        let long = format!("VIR1:{}", "0".repeat(MAX_QR_TEXT_CHARS));
        assert!(matches!(
            QrText::parse(&long),
            Err(Error::TextTooLong { limit: 439, .. })
        ));
    }
}
