//! How many provinces must agree.

/// The least number of distinct provinces out of `provinces` that is more than half of all and of the faulty ones
/// together, where fewer than a third may be faulty: the least integer above `(n + f) / 2` with `f = (n − 1) / 3`.
///
/// Any two quorums then share a province that is not faulty (DESIGN, registry; Castro and Liskov 1999).
pub const fn quorum(provinces: usize) -> usize {
    let faulty = provinces.saturating_sub(1) / 3;
    usize::midpoint(provinces, faulty) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_quorums_always_share_a_province_that_is_not_faulty() {
        for n in 1..200 {
            let faulty = (n - 1) / 3;
            assert!(2 * quorum(n) > n + faulty, "{n}");
            assert!(
                quorum(n) <= n - faulty || n < 2,
                "{n}: the others can still agree"
            );
        }
        assert_eq!((quorum(1), quorum(3), quorum(4), quorum(34)), (1, 2, 3, 23));
    }
}
