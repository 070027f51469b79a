use proptest::prelude::*;

use super::*;
use crate::log::{ENTRY_LEN_MAX_BYTES, Entry};

fn set(name: &str) -> CountedSet {
    CountedSet {
        name: name.to_owned(),
        version: 2,
        scope: ProvinceCode::NATION,
        digest: Fr::from(5),
        text_sha256: [6; 32],
    }
}

fn colours(cells: usize, name: &str) -> ColourCounts {
    let cell = |number: usize| ColourCell {
        colour: 1 + u8::try_from(number / 64).unwrap(),
        rule: format!("R{:07}", number % 64),
        people: Rounded::of(number as u64),
    };
    ColourCounts {
        day: 19_233,
        residents: Rounded::of(1_234),
        set: set(name),
        cells: (0..cells).map(cell).collect(),
    }
}

fn impact(cells: usize, name: &str) -> ImpactCount {
    let ways = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)];
    let cell = |number: usize| ImpactCell {
        from: ways[number / 64].0,
        to: ways[number / 64].1,
        rule: format!("R{:07}", number % 64),
        people: Rounded::of(number as u64),
    };
    ImpactCount {
        at: Minute::new(27_000_000).unwrap(),
        residents: Rounded::of(99),
        set: set(name),
        before: Some(set(name)),
        cells: (0..cells).map(cell).collect(),
    }
}

fn sources(cells: u32) -> Vec<SourceCell> {
    let cell = |number| SourceCell {
        province: ProvinceCode::new(33).unwrap(),
        kind: 2,
        number,
        fact: 12,
        events: Rounded::of(10 + u64::from(number)),
    };
    (0..cells).map(cell).collect()
}

fn appeals(from: u64) -> AppealCounts {
    let by_wait = |first: u64| {
        let mut cells = [Rounded::FEW; Wait::ALL.len()];
        (first..)
            .zip(&mut cells)
            .for_each(|(n, cell)| *cell = Rounded::of(n * 7));
        cells
    };
    AppealCounts {
        day: 19_233,
        came: Rounded::of(from),
        upheld: by_wait(from),
        dismissed: by_wait(from + 6),
        waiting: Rounded::of(from + 70),
        overdue: Rounded::FEW,
    }
}

const RETENTION: RetentionCounts = RetentionCounts {
    day: 19_233,
    horizon_days: 60,
    events: Rounded(1_230),
    erased: Rounded::FEW,
};

#[test]
fn counts_survive_their_bytes_and_nothing_shorter_or_longer_is_one() {
    let long = "n".repeat(64);
    let mut without = impact(3, "fj-2022-08");
    without.before = None;
    let entries = [
        Entry::Colours(colours(0, "fj-2022-08")),
        Entry::Colours(colours(128, &long)),
        Entry::Impact(without),
        Entry::Impact(impact(384, &long)),
        Entry::Sources(SourceCounts::parts_of(7, &[])[0].clone()),
        Entry::Sources(SourceCounts::parts_of(7, &sources(900))[0].clone()),
        Entry::Appeals(appeals(0)),
        Entry::Appeals(appeals(1_000_000)),
        Entry::Retention(RETENTION),
    ];
    for entry in entries {
        let bytes = entry.to_bytes();
        assert!(bytes.len() <= ENTRY_LEN_MAX_BYTES, "{}", bytes.len());
        assert_eq!(Entry::from_bytes(&bytes), Ok(entry));
        assert!(Entry::from_bytes(&bytes[..bytes.len() - 1]).is_err());
        assert!(Entry::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }
}

#[test]
fn counts_that_say_too_much_or_stand_in_another_order_are_refused() {
    let exact = |entry: Entry, number: u32| {
        let mut bytes = entry.to_bytes();
        let end = bytes.len();
        bytes[end - 4..].copy_from_slice(&number.to_be_bytes());
        Entry::from_bytes(&bytes).is_ok()
    };
    let few = || Entry::Colours(colours(1, "fj-2022-08"));
    assert!(exact(few(), 0) && exact(few(), 10) && exact(few(), 120));
    assert!(!exact(few(), 3) && !exact(few(), 11) && !exact(few(), 125));
    let source = || Entry::Sources(SourceCounts::parts_of(7, &sources(1))[0].clone());
    assert!(exact(source(), 20) && !exact(source(), 0));
    for last in [Entry::Appeals(appeals(1)), Entry::Retention(RETENTION)] {
        assert!(exact(last.clone(), 0) && exact(last.clone(), 10));
        assert!(!exact(last.clone(), 3) && !exact(last, 11));
    }

    let refused = |entry: Entry| Entry::from_bytes(&entry.to_bytes()).is_err();
    let mut green = colours(1, "fj-2022-08");
    green.cells[0].colour = 0;
    let mut twice = colours(2, "fj-2022-08");
    twice.cells[1] = twice.cells[0].clone();
    let mut same = impact(1, "fj-2022-08");
    same.cells[0].to = 0;
    let mut part = SourceCounts::parts_of(7, &[])[0].clone();
    part.part = 1;
    for entry in [
        Entry::Colours(green),
        Entry::Colours(twice),
        Entry::Impact(same),
        Entry::Sources(part),
        Entry::Retention(RetentionCounts {
            horizon_days: 0,
            ..RETENTION
        }),
    ] {
        assert!(refused(entry));
    }
}

/// Every number of an entry about appeals is a rounded one: whichever is put in its place exactly is refused.
#[test]
fn no_number_of_appeals_can_be_told_exactly() {
    let bytes = Entry::Appeals(appeals(3)).to_bytes();
    assert_eq!(bytes.len(), 63);
    for place in (3..63).step_by(4) {
        let mut exact = bytes.clone();
        exact[place..place + 4].copy_from_slice(&13_u32.to_be_bytes());
        assert!(Entry::from_bytes(&exact).is_err(), "{place}");
    }
    assert_eq!(Entry::Retention(RETENTION).to_bytes().len(), 13);
    assert_eq!(RETENTION.first_day(), 19_173);
}

#[test]
fn an_appeal_is_of_one_class_by_how_long_it_waited_and_whether_in_time() {
    for (waited_min, is_late, wait) in [
        (0, false, Wait::Hour),
        (60, false, Wait::Hour),
        (61, false, Wait::FourHours),
        (240, false, Wait::FourHours),
        (241, false, Wait::EightHours),
        (480, false, Wait::EightHours),
        (481, false, Wait::Longer),
        (1_440, false, Wait::Longer),
        (481, true, Wait::LateDay),
        (1_440, true, Wait::LateDay),
        (1_441, true, Wait::LateLonger),
    ] {
        assert_eq!(Wait::of(waited_min, is_late), wait, "{waited_min}");
        assert_eq!(wait.is_late(), is_late);
    }
    for (place, wait) in Wait::ALL.into_iter().enumerate() {
        assert_eq!(wait as usize, place, "the order of the bytes");
    }
}

#[test]
fn what_is_said_of_several_cells_is_their_bounds() {
    let few = Bounds::of([Rounded::FEW, Rounded::FEW]);
    assert_eq!(
        (few.least, few.most, few.to_string()),
        (0, 18, "<19".to_owned())
    );
    let mut counts = appeals(0);
    counts.dismissed[Wait::LateDay as usize] = Rounded::of(100);
    counts.upheld = [Rounded::FEW; 6];
    assert_eq!(counts.waited(Wait::LateDay).to_string(), "95 to 113");
    counts.dismissed[Wait::LateLonger as usize] = Rounded::of(20);
    assert_eq!(counts.late().to_string(), "110 to 146");
}

#[test]
fn many_sources_are_cut_into_parts_that_give_them_all() {
    let all = sources(1_234);
    let parts = SourceCounts::parts_of(7, &all);
    assert_eq!(parts.len(), 3);
    let joined: Vec<SourceCell> = parts.iter().flat_map(|part| part.cells.clone()).collect();
    assert_eq!(joined, all);
    for (number, part) in (0..).zip(&parts) {
        assert_eq!((part.part, part.parts, part.day), (number, 3, 7));
    }
}

#[test]
fn a_number_is_rounded_to_the_nearest_ten_and_below_ten_not_told() {
    for (number, told, least, most) in [
        (0, "<10", 0, 9),
        (9, "<10", 0, 9),
        (10, "10", 10, 14),
        (14, "10", 10, 14),
        (15, "20", 15, 24),
        (24, "20", 15, 24),
        (25, "30", 25, 34),
        (1_000_004, "1000000", 999_995, 1_000_004),
    ] {
        let rounded = Rounded::of(number);
        assert_eq!(rounded.to_string(), told);
        assert_eq!((rounded.least(), rounded.most()), (least, most), "{number}");
    }
    assert_eq!(Rounded::of(u64::MAX).get(), 4_294_967_290);
}

/// What is published of cells that do not overlap.
fn published(cells: &[u64]) -> Vec<Rounded> {
    cells.iter().map(|number| Rounded::of(*number)).collect()
}

/// Numbers as they are in an outbreak: most small, some large.
fn cell() -> impl Strategy<Value = u64> {
    prop_oneof![0_u64..10, 0_u64..40, 0_u64..100_000]
}

/// Four bytes in the place of a number: mostly a rounded one.
fn told() -> impl Strategy<Value = u32> {
    prop_oneof![30 => Just(0), 30 => (1_u32..30).prop_map(|n| n * 10), 1 => any::<u32>()]
}

proptest! {
    /// Bytes of the two new kinds are an entry or none, and an entry has one form.
    #[test]
    fn bytes_of_appeals_and_retention_are_read_in_one_way(
        kind in 25_u8..=26,
        numbers in prop_oneof![
            prop::collection::vec(told(), 2),
            prop::collection::vec(told(), 15),
            prop::collection::vec(told(), 0..18),
        ],
        day in any::<u16>(),
        cut in 0_usize..4,
    ) {
        let mut bytes = vec![kind];
        bytes.extend(day.to_be_bytes());
        if kind == 26 {
            bytes.extend(day.to_be_bytes());
        }
        for number in &numbers {
            bytes.extend(number.to_be_bytes());
        }
        bytes.truncate(bytes.len() - cut.min(bytes.len() - 1));
        if let Ok(entry) = Entry::from_bytes(&bytes) {
            prop_assert_eq!(entry.to_bytes(), bytes);
        }
    }

    /// Whatever each of them waited, the cells hold each appeal that was decided once, and the bounds hold.
    #[test]
    fn every_appeal_decided_stands_in_one_cell(
        decided in prop::collection::vec((0_u32..3_000, any::<bool>(), any::<bool>()), 0..200),
    ) {
        let mut exact = [[0_u64; 6]; 2];
        for (waited, is_late, is_upheld) in &decided {
            exact[usize::from(*is_upheld)][Wait::of(*waited, *is_late) as usize] += 1;
        }
        let counts = AppealCounts {
            upheld: exact[1].map(Rounded::of),
            dismissed: exact[0].map(Rounded::of),
            ..appeals(0)
        };
        let sum = Bounds::of(counts.upheld.into_iter().chain(counts.dismissed));
        let all = decided.len() as u64;
        prop_assert!(sum.least <= all && all <= sum.most);
        let late = decided.iter().filter(|(_, is_late, _)| *is_late).count() as u64;
        let told = counts.late();
        prop_assert!(told.least <= late && late <= told.most);
    }

    /// Whoever knows the exact number of residents and reads every cell: each value that `<10` can stand for is that of a
    /// people of the same number with the same publication, as long as at least nine of them are in no cell.
    #[test]
    fn no_sum_of_what_is_published_narrows_a_cell_that_is_not(
        cells in prop::collection::vec(cell(), 1..40),
        rest in 9_u64..1_000_000,
        wanted in 0_u64..10,
        at in any::<prop::sample::Index>(),
    ) {
        let told = published(&cells);
        let few: Vec<usize> = (0..cells.len()).filter(|i| told[*i] == Rounded::FEW).collect();
        prop_assume!(!few.is_empty());
        let chosen = few[at.index(few.len())];
        let residents = cells.iter().sum::<u64>() + rest;
        let mut others = cells.clone();
        others[chosen] = wanted;
        let other_rest = residents.checked_sub(others.iter().sum());
        prop_assert!(other_rest.is_some(), "the same number of people have room");
        prop_assert_eq!(published(&others), told);
    }

    /// The same for the number of all small cells together, and with the bounds that are told of sums.
    #[test]
    fn the_bounds_of_a_sum_are_those_of_its_cells_and_hold(
        cells in prop::collection::vec(cell(), 1..40),
    ) {
        let told = published(&cells);
        let sum: u64 = cells.iter().sum();
        let least: u64 = told.iter().map(|r| u64::from(r.least())).sum();
        let most: u64 = told.iter().map(|r| u64::from(r.most())).sum();
        prop_assert!(least <= sum && sum <= most);
        let few = told.iter().filter(|r| **r == Rounded::FEW).count() as u64;
        prop_assert!(most - least >= 9 * few);
    }

    #[test]
    fn a_rounded_number_stands_for_the_number_and_for_nothing_less_than_five_numbers(number in cell()) {
        let rounded = Rounded::of(number);
        prop_assert!(u64::from(rounded.least()) <= number && number <= u64::from(rounded.most()));
        for other in [rounded.least(), rounded.most()] {
            prop_assert_eq!(Rounded::of(other.into()), rounded);
        }
        prop_assert!(rounded.most() - rounded.least() >= 4);
    }
}
