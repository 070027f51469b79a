//! Which point of a refused verifying key is wrong, and how. The verifier only says that one is; an auditor wants to know
//! what somebody tried.

use ark_bn254::{g1, g2};
use ark_ec::AffineRepr as _;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig, SWFlags};
use ark_serialize::CanonicalDeserializeWithFlags;
use circuits::clearance::PUBLIC_INPUT_NAMES;
use commitment::PUBLIC_INPUTS;

const G1_LEN_BYTES: usize = 32;
const G2_LEN_BYTES: usize = 64;
/// Length of the number of points that stands before the last list.
const COUNT_LEN_BYTES: usize = 8;

/// How a point is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("not a canonical coordinate")]
    Coordinate,
    #[error("off its curve")]
    OffCurve,
    #[error("outside the subgroup")]
    OutsideSubgroup,
    #[error("at infinity")]
    AtInfinity,
}

/// A wrong point.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the point {point} is {fault}")]
pub(super) struct BadPoint {
    pub(super) point: String,
    pub(super) fault: Fault,
}

/// The first wrong point of a key of the right length and arity, if there is one.
pub(super) fn fault(bytes: &[u8]) -> Option<BadPoint> {
    let mut rest = bytes;
    let mut next = |len: usize| {
        let (head, tail) = rest.split_at_checked(len)?;
        rest = tail;
        Some(head)
    };
    let named = |point: String, fault: Option<Fault>| fault.map(|fault| BadPoint { point, fault });
    let alpha = next(G1_LEN_BYTES)?;
    let found = named("alpha".to_owned(), compressed::<g1::Config>(alpha));
    if found.is_some() {
        return found;
    }
    for name in ["beta", "gamma", "delta"] {
        let point = next(G2_LEN_BYTES)?;
        let found = named(name.to_owned(), compressed::<g2::Config>(point));
        if found.is_some() {
            return found;
        }
    }
    next(COUNT_LEN_BYTES)?;
    (0..=PUBLIC_INPUTS)
        .find_map(|i| named(input_name(i), compressed::<g1::Config>(next(G1_LEN_BYTES)?)))
}

/// What the point of a public input is called: the constant first.
pub(super) fn input_name(index: usize) -> String {
    let input = index.checked_sub(1).and_then(|i| PUBLIC_INPUT_NAMES.get(i));
    input.map_or_else(
        || "of the constant".to_owned(),
        |name| format!("of public input {name}"),
    )
}

/// What is wrong with a compressed point.
fn compressed<C: SWCurveConfig>(bytes: &[u8]) -> Option<Fault> {
    let read = C::BaseField::deserialize_with_flags::<_, SWFlags>(bytes);
    let Ok((x, flags)) = read else {
        return Some(Fault::Coordinate);
    };
    let Some(greatest) = flags.is_positive().map(|positive| !positive) else {
        return Some(Fault::AtInfinity);
    };
    match Affine::<C>::get_point_from_x_unchecked(x, greatest) {
        None => Some(Fault::OffCurve),
        Some(point) => of_point(&point),
    }
}

/// What is wrong with a point whose coordinates are canonical.
pub(super) fn of_point<C: SWCurveConfig>(point: &Affine<C>) -> Option<Fault> {
    if point.is_zero() {
        Some(Fault::AtInfinity)
    } else if !point.is_on_curve() {
        Some(Fault::OffCurve)
    } else if point.is_in_correct_subgroup_assuming_on_curve() {
        None
    } else {
        Some(Fault::OutsideSubgroup)
    }
}
