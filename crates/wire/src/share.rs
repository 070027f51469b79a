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
