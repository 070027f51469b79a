//! The three colours, and the claim a pass makes about them.

use serde::{Deserialize, Serialize};

/// A colour, best first: `Green < Yellow < Red`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// May move about.
    Green,
    /// May be asked to stay at home.
    Yellow,
    /// Quarantine.
    Red,
}

/// How old the newest negative test may be, from a fixed menu so that an odd number cannot mark a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestAge {
    /// No test is asked for.
    NotAsked,
    /// Sampled within 24 hours before `as_of`.
    Hours24,
    /// Sampled within 48 hours before `as_of`.
    Hours48,
    /// Sampled within 72 hours before `as_of`.
    Hours72,
}

impl TestAge {
    /// The menu, in the order of its codes.
    pub const MENU: [TestAge; 4] = [Self::NotAsked, Self::Hours24, Self::Hours48, Self::Hours72];

    /// Hours admitted, zero where no test is asked for.
    pub const fn hours(self) -> u32 {
        self as u32 * 24
    }

    /// Position in [`TestAge::MENU`].
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What a pass claims: a worst colour, and a test age if one was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Claim {
    /// The worst colour the record can have: green, or yellow for "not red".
    pub worst: WorstColour,
    /// The test age asked for.
    pub test_age: TestAge,
}

/// The bound on a colour that a claim can state; "at most red" would say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorstColour {
    /// The record is green.
    Green,
    /// The record is not red.
    Yellow,
}

impl WorstColour {
    /// The bound as a colour.
    pub const fn colour(self) -> Colour {
        match self {
            Self::Green => Colour::Green,
            Self::Yellow => Colour::Yellow,
        }
    }
}

impl Claim {
    /// The claim as a number below 8: bit 0 is the colour bound, bits 1 and 2 the test-age code.
    pub const fn code(self) -> u8 {
        self.worst as u8 | self.test_age.code() << 1
    }

    /// The claim with this code, if it is below 8.
    pub const fn from_code(code: u8) -> Option<Self> {
        if code > 7 {
            return None;
        }
        let worst = if code & 1 == 0 {
            WorstColour::Green
        } else {
            WorstColour::Yellow
        };
        Some(Self {
            worst,
            test_age: TestAge::MENU[(code >> 1) as usize],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_claim_has_its_own_code_below_eight() {
        for code in 0..8 {
            assert_eq!(Claim::from_code(code).unwrap().code(), code);
        }
        assert_eq!(Claim::from_code(8), None);
    }
}
