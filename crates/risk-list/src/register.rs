//! The local register: which site of an area has which number, given in order of first listing.

use std::collections::HashMap;
use std::fmt::Write;

use rules::AreaCode;

use crate::{Error, bytes};

/// Bytes of a register, decompressed.
pub const MAX_REGISTER_BYTES: usize = 256 << 20;
const WHAT: &str = "the register of sites";
const HEADER: &str = "viridian sites 1";
/// The last site number; 0 is "the rest".
const LAST_SITE: u32 = (1 << AreaCode::SITE_BITS) - 1;

/// Site numbers by area and normalised text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    areas: HashMap<u32, HashMap<String, u32>>,
}

impl Register {
    /// An empty register.
    pub fn new() -> Self {
        Self::default()
    }

    /// The code of a site, numbered now if it was never listed before.
    ///
    /// # Errors
    /// [`Error::SitesExhausted`] beyond 131,071 sites in one area.
    pub fn code(&mut self, area: u32, text: &str) -> Result<AreaCode, Error> {
        let sites = self.areas.entry(area).or_default();
        if let Some(number) = sites.get(text) {
            return Ok(AreaCode::new(area, *number)?);
        }
        let number = u32::try_from(sites.len())
            .ok()
            .filter(|n| *n < LAST_SITE)
            .ok_or(Error::SitesExhausted(area))?
            + 1;
        sites.insert(text.to_owned(), number);
        Ok(AreaCode::new(area, number)?)
    }

    /// Registered sites.
    pub fn len(&self) -> usize {
        self.areas.values().map(HashMap::len).sum()
    }

    /// Whether no site is registered.
    pub fn is_empty(&self) -> bool {
        self.areas.is_empty()
    }

    /// The register as lines `code TAB text`, ascending.
    pub fn write(&self) -> String {
        let mut rows: Vec<(u32, u32, &str)> = self
            .areas
            .iter()
            .flat_map(|(area, sites)| sites.iter().map(|(t, n)| (*area, *n, t.as_str())))
            .collect();
        rows.sort_unstable();
        let mut out = format!("{HEADER}\n");
        for (area, number, text) in rows {
            let _ = writeln!(out, "{area:09}/{number}\t{text}");
        }
        out
    }

    /// Reads a register, so that later lists go on with its numbers.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_REGISTER_BYTES`], [`Error::Line`] if numbers do not run from 1 in each area.
    pub fn read(register: &[u8]) -> Result<Self, Error> {
        let text = bytes::to_text(register, WHAT, MAX_REGISTER_BYTES)?;
        let mut read = Self::new();
        for (at, line) in text.split_terminator('\n').enumerate() {
            let bad = |why| Error::Line {
                what: WHAT,
                line: at + 1,
                why,
            };
            if at == 0 {
                if line != HEADER {
                    return Err(bad("the first line is not \"viridian sites 1\""));
                }
                continue;
            }
            let (code, site) = line.split_once('\t').ok_or_else(|| bad("no tab"))?;
            let code: AreaCode = code.parse().map_err(|_| bad("no code"))?;
            if read.code(code.nine_digit(), site)? != code {
                return Err(bad("a number is missing or a site stands twice"));
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_numbered_in_order_of_first_listing_and_keep_their_number() {
        let mut register = Register::new();
        for (area, text, code) in [
            (330_102_001, "1号楼", "330102001/1"),
            (330_102_001, "2号楼", "330102001/2"),
            (330_102_002, "1号楼", "330102002/1"),
            (330_102_001, "1号楼", "330102001/1"),
        ] {
            assert_eq!(register.code(area, text).unwrap().to_string(), code);
        }
        assert_eq!(
            Register::read(register.write().as_bytes()).unwrap(),
            register
        );
    }

    #[test]
    fn a_carriage_return_is_a_part_of_its_site() {
        let text = format!("{HEADER}\n330102001/1\t1号楼\r\r\n");
        let register = Register::read(text.as_bytes()).unwrap();
        assert_eq!(register.write(), text);
        let foreign = text.replace('\n', "\r\n");
        assert!(Register::read(foreign.as_bytes()).is_err());
    }

    #[test]
    fn a_register_with_a_missing_number_is_refused() {
        let text = format!("{HEADER}\n330102001/2\t2号楼\n");
        assert!(Register::read(text.as_bytes()).is_err());
    }
}
