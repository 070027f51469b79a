//! Conversions of the words that several services share.

use rules::{Claim, Colour, TestAge, WorstColour};
use verifier::BinderKind;

use crate::{WireError, pass::v1 as proto};

impl From<Colour> for proto::Colour {
    fn from(colour: Colour) -> Self {
        match colour {
            Colour::Green => Self::Green,
            Colour::Yellow => Self::Yellow,
            Colour::Red => Self::Red,
        }
    }
}

impl TryFrom<proto::Colour> for Colour {
    type Error = WireError;

    fn try_from(colour: proto::Colour) -> Result<Self, WireError> {
        match colour {
            proto::Colour::Unspecified => Err(WireError::Missing { field: "colour" }),
            proto::Colour::Green => Ok(Self::Green),
            proto::Colour::Yellow => Ok(Self::Yellow),
            proto::Colour::Red => Ok(Self::Red),
        }
    }
}

impl From<TestAge> for proto::TestAge {
    fn from(age: TestAge) -> Self {
        match age {
            TestAge::NotAsked => Self::NotAsked,
            TestAge::Hours24 => Self::Hours24,
            TestAge::Hours48 => Self::Hours48,
            TestAge::Hours72 => Self::Hours72,
        }
    }
}

impl TryFrom<proto::TestAge> for TestAge {
    type Error = WireError;

    fn try_from(age: proto::TestAge) -> Result<Self, WireError> {
        match age {
            proto::TestAge::Unspecified => Err(WireError::Missing { field: "test_age" }),
            proto::TestAge::NotAsked => Ok(Self::NotAsked),
            proto::TestAge::Hours24 => Ok(Self::Hours24),
            proto::TestAge::Hours48 => Ok(Self::Hours48),
            proto::TestAge::Hours72 => Ok(Self::Hours72),
        }
    }
}

impl From<BinderKind> for proto::BinderKind {
    fn from(kind: BinderKind) -> Self {
        match kind {
            BinderKind::Device => Self::Device,
            BinderKind::DeviceAndCard => Self::DeviceAndCard,
            BinderKind::Card => Self::Card,
        }
    }
}

impl From<Claim> for proto::Claim {
    fn from(claim: Claim) -> Self {
        let worst = proto::Colour::from(claim.worst.colour());
        let test_age = proto::TestAge::from(claim.test_age);
        Self {
            worst: worst.into(),
            test_age: test_age.into(),
        }
    }
}

impl TryFrom<&proto::Claim> for Claim {
    type Error = WireError;

    fn try_from(claim: &proto::Claim) -> Result<Self, WireError> {
        let worst = match known(claim.worst, "claim.worst")? {
            proto::Colour::Unspecified => {
                return Err(WireError::Missing {
                    field: "claim.worst",
                });
            }
            proto::Colour::Green => WorstColour::Green,
            proto::Colour::Yellow => WorstColour::Yellow,
            proto::Colour::Red => {
                return Err(WireError::Malformed {
                    field: "claim.worst",
                });
            }
        };
        let test_age = known::<proto::TestAge>(claim.test_age, "claim.test_age")?.try_into()?;
        Ok(Self { worst, test_age })
    }
}

/// The value of an enum field, refused if the number is not known here.
pub(crate) fn known<E: TryFrom<i32>>(number: i32, field: &'static str) -> Result<E, WireError> {
    E::try_from(number).map_err(|_| WireError::Malformed { field })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_travels_both_ways_and_none_is_taken_for_another() {
        for (colour, word) in [
            (Colour::Green, proto::Colour::Green),
            (Colour::Yellow, proto::Colour::Yellow),
            (Colour::Red, proto::Colour::Red),
        ] {
            assert_eq!(proto::Colour::from(colour), word);
            assert_eq!(Colour::try_from(word), Ok(colour));
        }
        for (age, word) in TestAge::MENU.into_iter().zip([
            proto::TestAge::NotAsked,
            proto::TestAge::Hours24,
            proto::TestAge::Hours48,
            proto::TestAge::Hours72,
        ]) {
            assert_eq!(proto::TestAge::from(age), word);
            assert_eq!(TestAge::try_from(word), Ok(age));
            for worst in [WorstColour::Green, WorstColour::Yellow] {
                let test_age = age;
                let claim = Claim { worst, test_age };
                assert_eq!(Claim::try_from(&proto::Claim::from(claim)), Ok(claim));
            }
        }
        for (kind, word) in [
            (BinderKind::Device, proto::BinderKind::Device),
            (BinderKind::DeviceAndCard, proto::BinderKind::DeviceAndCard),
            (BinderKind::Card, proto::BinderKind::Card),
        ] {
            assert_eq!(proto::BinderKind::from(kind), word);
        }
    }

    #[test]
    fn what_is_not_said_is_missing_and_what_is_unknown_is_malformed() {
        let field = "colour";
        assert_eq!(
            Colour::try_from(proto::Colour::Unspecified),
            Err(WireError::Missing { field })
        );
        assert_eq!(
            TestAge::try_from(proto::TestAge::Unspecified),
            Err(WireError::Missing { field: "test_age" })
        );
        assert_eq!(
            known::<proto::Colour>(99, field),
            Err(WireError::Malformed { field })
        );
        assert_eq!(known(2, field), Ok(proto::Colour::try_from(2).unwrap()));
    }
}
