//! What a fact speaks of: a site, a whole township or a whole county.

use std::fmt;
use std::str::FromStr;

use rules::AreaCode;

/// A graded place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// One listed site, or several whose numbers follow each other: never the area around them.
    Site(AreaCode),
    /// A whole township by its nine digits, with all its sites.
    Township(u32),
    /// A whole county by its six digits, with all its townships.
    County(u32),
}

impl Place {
    /// The whole area with this nine-digit code: a county if it ends in 000.
    pub(crate) fn whole(nine_digit: u32) -> Self {
        if nine_digit.is_multiple_of(1000) {
            Self::County(nine_digit / 1000)
        } else {
            Self::Township(nine_digit)
        }
    }

    /// First and last place of the area-code space that it covers.
    ///
    /// # Errors
    /// [`rules::Error`] if the code has more digits than an area has.
    pub fn range(self) -> Result<(AreaCode, AreaCode), rules::Error> {
        const LAST_SITE: u32 = (1 << AreaCode::SITE_BITS) - 1;
        let (first, last) = match self {
            Self::Site(code) => return Ok((code, code)),
            Self::Township(nine) => (nine, nine),
            Self::County(six) if six > 999_999 => return Err(rules::Error::BadArea(six)),
            Self::County(six) => (six * 1000, six * 1000 + 999),
        };
        Ok((AreaCode::new(first, 0)?, AreaCode::new(last, LAST_SITE)?))
    }
}

impl fmt::Display for Place {
    /// `330102001/17` for a site, `330102001/*` for a township, `330102/*` for a county.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(code) => write!(f, "{:09}/{}", code.nine_digit(), code.site()),
            Self::Township(nine) => write!(f, "{nine:09}/*"),
            Self::County(six) => write!(f, "{six:06}/*"),
        }
    }
}

impl FromStr for Place {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let Some(area) = text.strip_suffix("/*") else {
            let code: AreaCode = text.parse().map_err(|_| ())?;
            return Ok(Self::Site(code));
        };
        if !area.bytes().all(|b| b.is_ascii_digit()) {
            return Err(());
        }
        let code = area.parse().map_err(|_| ())?;
        match area.len() {
            9 => Ok(Self::Township(code)),
            6 => Ok(Self::County(code)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_covers_its_townships_and_their_sites_and_nothing_else() {
        let (first, last) = Place::County(330_102).range().unwrap();
        let site = AreaCode::new(330_102_999, 131_071).unwrap();
        assert_eq!((first.to_string().as_str(), last), ("330102000", site));
        let (first, last) = Place::Township(330_102_001).range().unwrap();
        assert_eq!(last.packed() - first.packed(), 131_071);
        let (first, last) = Place::Site(site).range().unwrap();
        assert_eq!(first, last);
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["330102001/17", "330102000/1", "330102001/*", "330102/*"] {
            assert_eq!(text.parse::<Place>().unwrap().to_string(), text);
        }
        for bad in [
            "",
            "*",
            "/*",
            "33010/*",
            "+30102/*",
            "3301020010/*",
            "330102001/131072",
        ] {
            assert!(bad.parse::<Place>().is_err(), "{bad}");
        }
    }
}
