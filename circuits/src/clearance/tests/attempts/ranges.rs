//! Where every compared value can lie, derived from the rows that bound its parts and from nothing else, against the
//! domain of its comparison. The table stands in `SOUNDNESS.md`.

/// Values from the first to the second, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span(i64, i64);

impl std::ops::Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.1, self.1 - other.0)
    }
}

impl std::ops::Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0, self.1 + other.1)
    }
}

impl std::ops::Mul<i64> for Span {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0 * factor, self.1 * factor)
    }
}

/// So many bits.
const fn bits(width: u32) -> Span {
    Span(0, (1 << width) - 1)
}

const fn just(number: i64) -> Span {
    Span(number, number)
}

/// Last minute of 26 bits.
const M: i64 = (1 << 26) - 1;
/// `as_of`, by the verifier's type.
const AS_OF: Span = Span(0, M);
/// A time as a record's type has it.
const TYPED: Span = Span(0, M);
/// A time as the rows alone bound it: `as_of` less 26 bits.
const ANY: Span = Span(-M, M);

/// A moment given by 16 bits of days and a minute below 1,440.
fn moment() -> Span {
    bits(16) * 1440 + Span(0, 1439) - just(480)
}

/// When an offset from a moment is reached: hours from it, or days from the midnight before it.
fn reached() -> Span {
    let hours = moment() + bits(10) * 60;
    let days = bits(16) * 1440 - just(480) + bits(10) * 1440;
    Span(hours.0.min(days.0), hours.1.max(days.1))
}

/// `since` less the look-back.
fn reach() -> Span {
    bits(26) - bits(10) * 60
}

#[test]
fn a_sign_is_asked_only_of_values_in_the_domain_or_of_times_that_no_record_has() {
    // (value, width, whether all of it lies in −2^width … 2^width − 1)
    let inside = |span: Span, width: u32| -(1 << width) <= span.0 && span.1 < 1 << width;
    let until = bits(26);
    let begins_before = |time: Span| until - time - just(1);
    assert_eq!(begins_before(TYPED), Span(-M - 1, M - 1));
    assert!(inside(begins_before(TYPED), 26));
    // Beyond the domain the rows cannot be fulfilled; a begin before the epoch is met by nothing it should not meet.
    assert_eq!(begins_before(ANY), Span(-M - 1, 2 * M - 1));
    assert!(!inside(begins_before(ANY), 26));

    let ends_after = ANY - reach();
    assert_eq!(ends_after, Span(-2 * M, M + 61_380));
    assert!(inside(ends_after, 27));

    let until_switch = AS_OF - reached();
    assert_eq!(moment(), Span(-480, 94_371_359));
    assert_eq!(reached(), Span(-480, 95_843_040));
    assert_eq!(until_switch, Span(-95_843_040, M + 480));
    assert!(inside(until_switch, 27));
}

#[test]
fn a_range_admits_every_true_value_and_no_negative_one() {
    // A range admits 0 … 2^width − 1. A negative value is the modulus less at most 2^48, far above any width; so what
    // is left to show is that no true value is refused, and that none is large enough to wrap.
    let typed = TYPED;
    let day = bits(16);
    let shifted = bits(9) * 60 - just(256 * 60);
    let gap = (bits(7) + just(1)) * 60;
    let table = [
        ("as_of − head time", AS_OF - typed, 26, M),
        ("as_of − time", AS_OF - typed, 26, M),
        ("today − last day of a run", day - day, 16, 65_535),
        ("1439 − minute of the day", just(1439) - bits(11), 11, 1439),
        ("place − from", bits(47) - bits(47), 47, (1 << 47) - 1),
        ("last − place", bits(47) - bits(47), 47, (1 << 47) - 1),
        ("slot's anchor − ground's", moment() - typed, 27, 94_371_359),
        ("as_of − lapse or way out", AS_OF - reached(), 27, M + 480),
        (
            "first test − earliest",
            typed - moment() - shifted,
            27,
            M + 480 + 15_360,
        ),
        ("second − first − gap", typed - typed - gap, 26, M - 60),
        ("test − as_of + age", Span(-M, 0) + just(4320), 26, 4320),
        ("first day − run's first", day - day, 17, 65_535),
        ("first day − anchor's − 1", day - day - just(1), 17, 65_534),
        ("run's last − last day", day - day, 17, 65_535),
    ];
    for (name, span, width, largest) in table {
        assert_eq!(span.1, largest, "{name}");
        assert!(span.1 < 1 << width, "{name} can be true and too large");
        assert!(span.0 > -(1 << 48), "{name}");
    }
    // The span of the tests is large only where the last lies before the first, which the gaps refuse.
    let spare = bits(10) * 60 - (typed - typed);
    assert_eq!(spare, Span(-M, M + 61_380));
    // Times that no record has widen the values on one side each, and stay as far from the modulus.
    for span in [moment() - ANY, ANY - moment() - shifted, ANY - ANY - gap] {
        assert!(span.0 > -(1 << 48) && span.1 < 1 << 48);
    }
}

#[test]
fn a_packed_element_stays_below_the_modulus() {
    // Widths of elements, in bits: two wide entries, three narrow ones, negatives, runs, the two of a risk interval, the
    // rule table's head and its others, a row, a word of four row indices.
    let wide = 1 + 4 + 1 + 27 + 27 + 47;
    let narrow = 4 + 1 + 27 + 27 + 7;
    let period = 2 + 26 + 26;
    let way = 1 + 11 + 2 + 7 + 10 + 9 + 5;
    let elements = [
        2 * wide,
        3 * narrow,
        8 * 27,
        4 * (17 + 17),
        47 + 47 + period,
        2 * period,
        32 * 5 + 7 + 3 * 10,
        32 * 5,
        2 + 2 + 11 + 11 + 1 + 2 * way,
        4 * 5,
    ];
    assert_eq!(elements, [214, 198, 216, 136, 148, 108, 197, 160, 117, 20]);
    assert!(elements.iter().all(|width| *width < 253));
}
