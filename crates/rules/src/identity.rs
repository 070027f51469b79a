//! Identity numbers of GB 11643: eighteen characters, checked, and never shown by `Debug`.

use crate::ProvinceCode;

/// Characters in an identity number.
pub const IDENTITY_NUMBER_LEN_BYTES: usize = 18;

/// Weights of the first seventeen digits (GB 11643, ISO 7064 MOD 11-2).
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// Check characters by the weighted sum modulo eleven.
const CHECK_CHARACTERS: [u8; 11] = *b"10X98765432";
/// Prefix of residence permits for people of Taiwan, which GB/T 2260 itself codes as 71.
const TAIWAN_PERMIT_PREFIX: u8 = 83;
/// Years of birth that a number can state: before 1900 nobody alive was born, after 2097 no moment can be named.
const BIRTH_YEARS: std::ops::RangeInclusive<i32> = 1900..=2097;

/// Why a text is no identity number; whoever typed or sent it is at fault. No variant holds any part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// Not 18 characters: 17 digits and a digit or `X`.
    #[error("an identity number has 17 digits and a check character")]
    Shape,
    /// The first two digits name no province.
    #[error("an identity number begins with the code of a province")]
    Province,
    /// Digits 7 to 14 are no date from 1900 to 2097.
    #[error("digits 7 to 14 of an identity number are a date of birth")]
    Birth,
    /// The check character does not fit the digits.
    #[error("the check character of an identity number does not fit")]
    Check,
}

/// A valid identity number: 17 digits and a check character (GB 11643), with a province's prefix and a date of birth.
///
/// `Debug` shows nothing of it, and there is no `Display` and no `Serialize`: what shows it calls
/// [`IdentityNumber::expose`] and can be found by that name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityNumber([u8; IDENTITY_NUMBER_LEN_BYTES]);

impl IdentityNumber {
    /// A number from its 18 ASCII characters, exactly as canonical bytes hold them (`X` is upper case).
    ///
    /// # Errors
    /// [`IdentityError`] for what is wrong first: shape, province, date of birth, check character.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let number: [u8; IDENTITY_NUMBER_LEN_BYTES] =
            bytes.try_into().map_err(|_| IdentityError::Shape)?;
        let (digits, check) = (&number[..17], number[17]);
        if !digits.iter().all(u8::is_ascii_digit) || !(check.is_ascii_digit() || check == b'X') {
            return Err(IdentityError::Shape);
        }
        check_province(digits)?;
        check_birth(digits)?;
        if check_character(digits) != check {
            return Err(IdentityError::Check);
        }
        Ok(Self(number))
    }

    /// A number from a six-digit county, a date of birth and a sequence number below 1000; the check character is computed.
    ///
    /// # Errors
    /// [`IdentityError`] as for [`IdentityNumber::from_bytes`].
    pub fn assemble(
        county: u32,
        birth: (u16, u8, u8),
        sequence: u16,
    ) -> Result<Self, IdentityError> {
        let (year, month, day) = birth;
        let text = format!("{county:06}{year:04}{month:02}{day:02}{sequence:03}");
        if text.len() != 17 {
            return Err(IdentityError::Shape);
        }
        let mut number = text.into_bytes();
        number.push(check_character(&number));
        Self::from_bytes(&number)
    }

    /// The 18 ASCII characters; the only way to see the number.
    pub const fn expose(&self) -> &[u8; IDENTITY_NUMBER_LEN_BYTES] {
        &self.0
    }
}

impl std::str::FromStr for IdentityNumber {
    type Err = IdentityError;
    /// Reads what a person typed: as [`IdentityNumber::from_bytes`], and a lower-case `x` is taken as `X`.
    fn from_str(text: &str) -> Result<Self, IdentityError> {
        Self::from_bytes(&text.as_bytes().to_ascii_uppercase())
    }
}

impl std::fmt::Debug for IdentityNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentityNumber(hidden)")
    }
}

fn number(digits: &[u8]) -> u32 {
    digits
        .iter()
        .fold(0, |n, digit| 10 * n + u32::from(digit - b'0'))
}

fn check_province(digits: &[u8]) -> Result<(), IdentityError> {
    let prefix = u8::try_from(number(&digits[..2])).unwrap_or(0);
    if ProvinceCode::ALL.contains(&prefix) || prefix == TAIWAN_PERMIT_PREFIX {
        Ok(())
    } else {
        Err(IdentityError::Province)
    }
}

fn check_birth(digits: &[u8]) -> Result<(), IdentityError> {
    let year = i32::try_from(number(&digits[6..10])).map_err(|_| IdentityError::Birth)?;
    let month = u8::try_from(number(&digits[10..12])).map_err(|_| IdentityError::Birth)?;
    let day = u8::try_from(number(&digits[12..14])).map_err(|_| IdentityError::Birth)?;
    let month = time::Month::try_from(month).map_err(|_| IdentityError::Birth)?;
    time::Date::from_calendar_date(year, month, day).map_err(|_| IdentityError::Birth)?;
    if BIRTH_YEARS.contains(&year) {
        Ok(())
    } else {
        Err(IdentityError::Birth)
    }
}

fn check_character(digits: &[u8]) -> u8 {
    let sum: u32 = digits
        .iter()
        .zip(WEIGHTS)
        .map(|(digit, weight)| u32::from(digit - b'0') * weight)
        .sum();
    CHECK_CHARACTERS[(sum % 11) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard.
    const EXAMPLE: &str = "11010519491231002X";

    #[test]
    fn the_example_of_the_standard_is_valid_in_either_case() {
        let number: IdentityNumber = EXAMPLE.parse().unwrap();
        assert_eq!(number.expose(), EXAMPLE.as_bytes());
        assert_eq!("11010519491231002x".parse(), Ok(number));
        assert_eq!(
            IdentityNumber::from_bytes(b"11010519491231002x"),
            Err(IdentityError::Shape)
        );
        assert_eq!(
            IdentityNumber::assemble(110_105, (1949, 12, 31), 2),
            Ok(number)
        );
    }

    #[test]
    fn each_damaged_number_is_refused_for_its_own_reason() {
        for (text, why) in [
            ("", IdentityError::Shape),
            ("11010519491231002", IdentityError::Shape),
            ("11010519491231002X1", IdentityError::Shape),
            ("1101051949123100ＸX", IdentityError::Shape),
            ("1X010519491231002X", IdentityError::Shape),
            ("100105194912310025", IdentityError::Province),
            ("110105194913310023", IdentityError::Birth),
            ("110105194902290023", IdentityError::Birth),
            ("110105189912310023", IdentityError::Birth),
            ("110105194912310021", IdentityError::Check),
        ] {
            assert_eq!(text.parse::<IdentityNumber>(), Err(why), "{text}");
        }
    }

    #[test]
    fn every_change_of_one_character_and_every_swap_of_two_neighbours_is_noticed() {
        for at in 0..18 {
            for other in b"0123456789X" {
                let mut bytes = EXAMPLE.as_bytes().to_vec();
                if bytes[at] != *other {
                    bytes[at] = *other;
                    assert!(IdentityNumber::from_bytes(&bytes).is_err());
                }
            }
            let mut bytes = EXAMPLE.as_bytes().to_vec();
            if at < 17 && bytes[at] != bytes[at + 1] {
                bytes.swap(at, at + 1);
                assert!(IdentityNumber::from_bytes(&bytes).is_err());
            }
        }
    }

    #[test]
    fn debug_shows_no_digit_of_it() {
        let shown = format!("{:?}", EXAMPLE.parse::<IdentityNumber>().unwrap());
        assert_eq!(shown, "IdentityNumber(hidden)");
    }

    #[test]
    fn a_county_or_sequence_that_is_too_long_does_not_assemble() {
        assert!(IdentityNumber::assemble(1_101_050, (1949, 12, 31), 2).is_err());
        assert!(IdentityNumber::assemble(110_105, (1949, 12, 31), 1000).is_err());
        assert!(IdentityNumber::assemble(110_105, (1949, 2, 31), 1).is_err());
    }
}
