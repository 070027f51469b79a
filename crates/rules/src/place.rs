//! Provinces, areas and the listed sites within them.

use serde::{Deserialize, Serialize};

use crate::Error;

/// A province by its two-digit GB/T 2260 code; zero is the nation as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct ProvinceCode(u8);

impl ProvinceCode {
    /// The nation: no event is local to it.
    pub const NATION: ProvinceCode = ProvinceCode(0);
    /// The provincial codes of GB/T 2260 (provinces, municipalities, autonomous and special regions).
    pub const ALL: [u8; 34] = [
        11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51,
        52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82,
    ];

    /// A province by its code.
    ///
    /// # Errors
    /// [`Error::UnknownProvince`] unless `code` is one of [`ProvinceCode::ALL`] or zero.
    pub fn new(code: u8) -> Result<Self, Error> {
        if code == 0 || Self::ALL.contains(&code) {
            Ok(Self(code))
        } else {
            Err(Error::UnknownProvince(code))
        }
    }

    /// The two-digit code, zero for the nation.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for ProvinceCode {
    type Error = Error;
    fn try_from(value: u8) -> Result<Self, Error> {
        Self::new(value)
    }
}

impl From<ProvinceCode> for u8 {
    fn from(value: ProvinceCode) -> u8 {
        value.0
    }
}

/// A place: a nine-digit statistical area code and the number of a listed site in that area.
///
/// Packed as `area << 17 | site` in 47 bits, so that an area, its townships and their sites are neighbours.
/// Site 0 is "the rest": everything in the area that was never listed by itself.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AreaCode(u64);

impl AreaCode {
    /// Bits of the site number.
    pub const SITE_BITS: u32 = 17;
    /// Bits of the whole code.
    pub const BITS: u32 = 47;
    /// The last code of the space that a risk map partitions.
    pub const LAST: AreaCode = AreaCode((1 << Self::BITS) - 1);
    /// The first code of that space.
    pub const FIRST: AreaCode = AreaCode(0);

    /// A place from its nine-digit area (`330102000` is a county, `330102001` a township) and site number.
    ///
    /// # Errors
    /// [`Error::BadArea`] above 999,999,999, [`Error::BadSite`] above 131,071.
    pub fn new(nine_digit: u32, site: u32) -> Result<Self, Error> {
        if nine_digit > 999_999_999 {
            return Err(Error::BadArea(nine_digit));
        }
        if site >= 1 << Self::SITE_BITS {
            return Err(Error::BadSite(site));
        }
        Ok(Self(
            u64::from(nine_digit) << Self::SITE_BITS | u64::from(site),
        ))
    }

    /// A place from its 47-bit packing.
    ///
    /// # Errors
    /// [`Error::BadPlace`] above 47 bits.
    pub const fn from_packed(packed: u64) -> Result<Self, Error> {
        if packed >> Self::BITS != 0 {
            return Err(Error::BadPlace(packed));
        }
        Ok(Self(packed))
    }

    /// The 47-bit packing.
    pub const fn packed(self) -> u64 {
        self.0
    }

    /// The nine-digit area.
    #[allow(clippy::cast_possible_truncation)]
    pub const fn nine_digit(self) -> u32 {
        (self.0 >> Self::SITE_BITS) as u32
    }

    /// The site number within the area, 0 for "the rest".
    #[allow(clippy::cast_possible_truncation)]
    pub const fn site(self) -> u32 {
        (self.0 & ((1 << Self::SITE_BITS) - 1)) as u32
    }

    /// The two leading digits, which name the province.
    ///
    /// # Errors
    /// [`Error::UnknownProvince`] where they name none.
    pub fn province(self) -> Result<ProvinceCode, Error> {
        let two = self.nine_digit() / 10_000_000;
        ProvinceCode::new(u8::try_from(two).unwrap_or(u8::MAX))
    }
}

impl std::fmt::Debug for AreaCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for AreaCode {
    /// `330102001`, or `330102001/17` for a site.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:09}", self.nine_digit())?;
        if self.site() != 0 {
            write!(f, "/{}", self.site())?;
        }
        Ok(())
    }
}

impl std::str::FromStr for AreaCode {
    type Err = Error;
    /// Reads what `Display` writes; ten digits from 1000000000 on name no area but the unused end of the space, where
    /// the last interval of a map ends.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = || Error::BadAreaText(text.chars().take(24).collect());
        let (area, site) = text.split_once('/').unwrap_or((text, "0"));
        let ten_digits = area.len() == 10 && area.starts_with('1');
        if !(area.len() == 9 || ten_digits)
            || site.len() > 6
            || !text.bytes().all(|b| b.is_ascii_digit() || b == b'/')
        {
            return Err(bad());
        }
        let area: u64 = area.parse().map_err(|_| bad())?;
        let site: u32 = site.parse().map_err(|_| bad())?;
        if site >= 1 << Self::SITE_BITS {
            return Err(Error::BadSite(site));
        }
        Self::from_packed(area << Self::SITE_BITS | u64::from(site))
    }
}

impl TryFrom<String> for AreaCode {
    type Error = Error;
    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<AreaCode> for String {
    fn from(code: AreaCode) -> String {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_lies_between_its_area_and_the_next() {
        let area = AreaCode::new(330_102_001, 0).unwrap();
        let site = AreaCode::new(330_102_001, 131_071).unwrap();
        let next = AreaCode::new(330_102_002, 0).unwrap();
        assert!(area < site && site < next);
        assert_eq!(site.packed() + 1, next.packed());
        assert_eq!("330102001/131071".parse::<AreaCode>().unwrap(), site);
        assert_eq!(site.province().unwrap().get(), 33);
    }

    #[test]
    fn both_ends_of_the_space_read_back_from_their_text() {
        for end in [AreaCode::FIRST, AreaCode::LAST] {
            assert_eq!(end.to_string().parse(), Ok(end));
        }
        assert!("1073741824".parse::<AreaCode>().is_err());
        assert!("0330102001".parse::<AreaCode>().is_err());
    }

    #[test]
    fn area_text_that_is_not_nine_digits_is_refused() {
        for text in [
            "",
            "33010200",
            "3301020011",
            "330102001/",
            "330102001/131072",
            "33010200x",
            "330102001/1/2",
        ] {
            assert!(text.parse::<AreaCode>().is_err(), "{text}");
        }
    }
}
