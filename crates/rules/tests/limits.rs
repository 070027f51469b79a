//! Every limit of a value is admitted, and one more is not.

use rules::source::{may_end, may_sign};
use rules::{
    AreaCode, CheckInRun, Claim, Clearing, Colour, Day, Error, EventKind, Fact, FactKind, Grade,
    IdentityError, IdentityNumber, Interval, KEYS, Key, LookbackHours, Minute, Offset, Period,
    ProvinceCode, Record, RiskMap, Row, RowTable, RuleSet, RuleSetError, RuleSetId, SourceId,
    SourceKind, Stay, TestAge, WorstColour,
};

fn minute(number: u32) -> Minute {
    Minute::new(number).unwrap()
}

fn nation() -> ProvinceCode {
    ProvinceCode::NATION
}

#[test]
fn a_moment_that_is_moved_stays_within_what_can_be_named() {
    let last = Minute::MAX.get();
    assert_eq!(last, 67_108_863);
    for (from, by, to) in [
        (100, -99, 1),
        (100, -100, 0),
        (100, -101, 0),
        (100, i64::MIN / 2, 0),
        (last, 1, last),
        (last - 1, 1, last),
        (last - 2, 1, last - 1),
        (last, i64::MAX / 2, last),
        (100, 17, 117),
    ] {
        assert_eq!(minute(from).saturating_add_signed(by), minute(to));
    }
    assert_eq!(Minute::new(last + 1), Err(Error::MinuteTooLarge(last + 1)));
    assert_eq!(Day::new(0).first_minute(), Minute::ZERO);
    assert_eq!(Day::new(1).first_minute(), minute(960));
}

#[test]
fn the_edges_of_clock_and_calendar_are_read_and_what_lies_beyond_is_not() {
    let read = |text: &str| text.parse::<Minute>().map(Minute::get);
    assert_eq!(read("1970-01-02 00:00"), Ok(960));
    assert_eq!(read("1970-01-02 23:59"), Ok(960 + 1_439));
    assert_eq!(read("2022-08-20 13:05"), Ok(27_679_200 + 2 * 1_440 + 785));
    for bad in [
        "1970-01-02 24:00",
        "1970-01-02 23:60",
        "1970-01-02 1:000",
        "1970-01-02 001:0",
        "1970-01-02 01:0",
        "1970-01-02 01:+0",
        "1970-01-02 +1:00",
        "1970-01-02 0100",
        "1970-01-01 08:00",
    ] {
        assert_eq!(read(bad), Err(Error::BadMomentText(bad.to_owned())));
    }
    let day = |text: &str| text.parse::<Day>().map(Day::get);
    assert_eq!(day("1970-01-01"), Ok(0));
    assert_eq!(day("2020-02-29"), Ok(18_321));
    let last = Minute::MAX.day();
    assert_eq!(day(&last.to_string()), Ok(last.get()));
    let over = Day::new(last.get() + 1).to_string();
    for bad in [
        over.as_str(),
        "2021-02-29",
        "2021-13-01",
        "2021-00-10",
        "2021-1-010",
        "2021/01/10",
        "2021-01/10",
        "21-01-2010",
        "2021-01-1x",
        "2021-01-100",
    ] {
        assert_eq!(day(bad), Err(Error::BadMomentText(bad.to_owned())));
    }
}

#[test]
fn a_place_has_nine_digits_and_a_site_of_seventeen_bits() {
    let last = AreaCode::new(999_999_999, 131_071).unwrap();
    assert_eq!((last.nine_digit(), last.site()), (999_999_999, 131_071));
    assert_eq!(last.packed(), (999_999_999 << 17) + 131_071);
    assert_eq!(
        AreaCode::new(1_000_000_000, 0),
        Err(Error::BadArea(1_000_000_000))
    );
    assert_eq!(
        AreaCode::new(330_102_001, 131_072),
        Err(Error::BadSite(131_072))
    );
    assert_eq!(AreaCode::from_packed((1 << 47) - 1), Ok(AreaCode::LAST));
    assert_eq!(
        AreaCode::from_packed(1 << 47),
        Err(Error::BadPlace(1 << 47))
    );
    assert_eq!(AreaCode::from_packed(0), Ok(AreaCode::FIRST));
    let site = AreaCode::new(330_102_001, 17).unwrap();
    assert_eq!(format!("{site} {site:?}"), "330102001/17 330102001/17");
    assert_eq!(
        AreaCode::new(1_102_001, 0).unwrap().to_string(),
        "001102001"
    );
    assert_eq!("330102001/000017".parse(), Ok(site));
    assert_eq!(
        "330102001/131072".parse::<AreaCode>(),
        Err(Error::BadSite(131_072))
    );
    for bad in [
        "330102001/0000017",
        "330102001/",
        "330102001/+17",
        "3301020019",
    ] {
        let refused = Err(Error::BadAreaText(bad.to_owned()));
        assert_eq!(bad.parse::<AreaCode>(), refused);
    }
    assert_eq!(site.province(), ProvinceCode::new(33));
    let nowhere = AreaCode::new(990_102_001, 0).unwrap();
    assert_eq!(nowhere.province(), Err(Error::UnknownProvince(99)));
}

#[test]
fn values_are_written_as_they_are_read_and_no_file_holds_one_that_cannot_be() {
    let province = ProvinceCode::new(33).unwrap();
    let place = AreaCode::new(330_102_001, 17).unwrap();
    let written = |value: serde_json::Result<String>| value.unwrap();
    let json = written(serde_json::to_string(&(province, place, minute(960))));
    assert_eq!(json, r#"[33,"330102001/17",960]"#);
    let read: (ProvinceCode, AreaCode, Minute) = serde_json::from_str(&json).unwrap();
    assert_eq!(read, (province, place, minute(960)));
    assert!(serde_json::from_str::<ProvinceCode>("34").is_ok());
    assert!(serde_json::from_str::<ProvinceCode>("38").is_err());
    assert!(serde_json::from_str::<AreaCode>("\"33010200\"").is_err());
    assert!(serde_json::from_str::<Minute>("67108864").is_err());
}

#[test]
fn an_identity_number_has_a_province_or_taiwan_s_prefix_and_a_birth_from_1900_to_2097() {
    let of = |county, year| IdentityNumber::assemble(county, (year, 6, 15), 7).map(|_| ());
    assert_eq!(of(830_000, 1990), Ok(()));
    assert_eq!(of(710_000, 1990), Ok(()));
    for county in [840_000, 990_000, 0, 10_000] {
        assert_eq!(of(county, 1990), Err(IdentityError::Province));
    }
    assert_eq!(of(110_105, 1900), Ok(()));
    assert_eq!(of(110_105, 2097), Ok(()));
    assert_eq!(of(110_105, 1899), Err(IdentityError::Birth));
    assert_eq!(of(110_105, 2098), Err(IdentityError::Birth));
    let month = |month, day| IdentityNumber::assemble(110_105, (1990, month, day), 7).map(|_| ());
    assert_eq!(month(12, 31), Ok(()));
    assert_eq!(month(13, 1), Err(IdentityError::Birth));
    assert_eq!(month(0, 1), Err(IdentityError::Birth));
    assert_eq!(month(6, 31), Err(IdentityError::Birth));
    let sequence = |number| IdentityNumber::assemble(110_105, (1990, 6, 15), number).map(|_| ());
    assert_eq!(sequence(999), Ok(()));
    assert_eq!(sequence(1_000), Err(IdentityError::Shape));
}

#[test]
fn claims_and_test_ages_have_the_codes_of_the_circuit() {
    assert_eq!(TestAge::MENU.map(TestAge::hours), [0, 24, 48, 72]);
    assert_eq!(TestAge::MENU.map(TestAge::code), [0, 1, 2, 3]);
    assert_eq!(WorstColour::Green.colour(), Colour::Green);
    assert_eq!(WorstColour::Yellow.colour(), Colour::Yellow);
    for (code, worst, test_age) in [
        (0, WorstColour::Green, TestAge::NotAsked),
        (1, WorstColour::Yellow, TestAge::NotAsked),
        (4, WorstColour::Green, TestAge::Hours48),
        (7, WorstColour::Yellow, TestAge::Hours72),
    ] {
        let claim = Claim { worst, test_age };
        assert_eq!(claim.code(), code);
        assert_eq!(Claim::from_code(code), Some(claim));
    }
}

#[test]
fn keys_have_the_numbers_of_the_canonical_table() {
    let fact = Key::of_fact(FactKind::Symptoms, true, true);
    assert_eq!(fact.code(), 15 + 16 + 32);
    assert_eq!(Key::of_fact(FactKind::Entry, false, true).code(), 7 + 32);
    assert_eq!(Key::of_fact(FactKind::Entry, true, false).code(), 7 + 16);
    let stay = Key::of_stay(Grade::High, Grade::Medium, true);
    assert_eq!(stay.code(), 64 + 3 + 4 * 2 + 16);
    assert_eq!(Key::of_stay(Grade::Low, Grade::None, false).code(), 65);
    assert_eq!(Key::from_code(95).map(Key::code), Some(95));
    assert_eq!(Key::from_code(96), None);
    let all = || (0..96).filter_map(Key::from_code);
    let stays: Vec<u8> = all().filter(|k| k.is_stay()).map(Key::code).collect();
    assert_eq!(stays, (64..96).collect::<Vec<u8>>());
    let nobody: Vec<u8> = all().filter(|k| k.is_no_ground()).map(Key::code).collect();
    assert_eq!(nobody, [0, 16, 32, 48, 64, 68, 72, 76, 80, 84, 88, 92]);
}

fn clearing() -> Clearing {
    Clearing {
        after: Offset::Days(14),
        negatives: 2,
        gap_hours: 24,
        span_hours: 72,
        neg_from_hours: 0,
        check_in_days: 14,
    }
}

fn row(way: Clearing) -> Row {
    Row {
        first: Colour::Red,
        switch: Offset::ZERO,
        then: Colour::Red,
        lapse: None,
        clearing: [Some(way), None],
    }
}

#[test]
fn a_row_s_counts_fit_the_fields_of_the_canonical_encoding() {
    let way = |change: &dyn Fn(&mut Clearing)| {
        let mut way = clearing();
        change(&mut way);
        row(way).check()
    };
    for good in [
        way(&|w| w.after = Offset::Hours(1_023)),
        way(&|w| w.negatives = 3),
        way(&|w| w.gap_hours = 1),
        way(&|w| w.gap_hours = 128),
        way(&|w| w.span_hours = 1_023),
        way(&|w| w.neg_from_hours = -256),
        way(&|w| w.neg_from_hours = 255),
        way(&|w| w.check_in_days = 31),
    ] {
        assert_eq!(good, Ok(()));
    }
    for bad in [
        way(&|w| w.after = Offset::Hours(1_024)),
        way(&|w| w.negatives = 4),
        way(&|w| w.gap_hours = 0),
        way(&|w| w.gap_hours = 129),
        way(&|w| w.span_hours = 1_024),
        way(&|w| w.neg_from_hours = -257),
        way(&|w| w.neg_from_hours = 256),
        way(&|w| w.check_in_days = 32),
    ] {
        assert!(matches!(bad, Err(Error::Row(_))), "{bad:?}");
    }
    let timed = |switch, lapse| {
        Row {
            switch,
            lapse,
            ..row(clearing())
        }
        .check()
    };
    assert_eq!(
        timed(Offset::Days(1_023), Some(Offset::Days(1_023))),
        Ok(())
    );
    assert_eq!(timed(Offset::ZERO, Some(Offset::Hours(1))), Ok(()));
    let refused = |what| Err(Error::Row(what));
    assert_eq!(
        timed(Offset::Days(1_024), None),
        refused("switch above 1023")
    );
    assert_eq!(
        timed(Offset::ZERO, Some(Offset::Days(1_024))),
        refused("lapse above 1023")
    );
    assert_eq!(
        timed(Offset::ZERO, Some(Offset::Days(0))),
        refused("lapse of 0; leave it out for never")
    );
}

#[test]
fn only_a_row_that_is_green_in_both_phases_is_inert_and_one_that_rises_is_not_monotone() {
    let phases = |first, then| Row {
        first,
        then,
        ..row(clearing())
    };
    let (green, yellow, red) = (Colour::Green, Colour::Yellow, Colour::Red);
    for (first, then, inert, monotone) in [
        (green, green, true, true),
        (green, yellow, false, false),
        (yellow, green, false, true),
        (yellow, yellow, false, true),
        (red, yellow, false, true),
        (yellow, red, false, false),
    ] {
        let row = phases(first, then);
        assert_eq!((row.is_inert(), row.is_monotone()), (inert, monotone));
    }
    assert!(Row::INERT.is_inert());
}

#[test]
fn an_offset_is_reached_at_its_first_minute() {
    // 2022-08-18 10:00 of UTC+8.
    let anchor = minute(27_679_200 + 600);
    assert_eq!(Offset::Hours(2).from_anchor(anchor), 27_679_200 + 720);
    assert_eq!(Offset::Days(2).from_anchor(anchor), 27_679_200 + 2_880);
    assert_eq!((Offset::Hours(2).count(), Offset::Days(3).count()), (2, 3));
    for offset in [Offset::Hours(2), Offset::Days(2)] {
        let first = u32::try_from(offset.from_anchor(anchor)).unwrap();
        assert!(offset.reached(anchor, minute(first)));
        assert!(!offset.reached(anchor, minute(first - 1)));
    }
}

#[test]
fn a_table_has_at_most_26_rows_and_looks_back_at_most_1023_hours() {
    let table = |lookback, distinct: u8| {
        RowTable::new(nation(), lookback, |key| {
            let kind = key.code() % 16 + 16 * (key.code() / 64);
            if key.is_no_ground() || kind == 0 || kind >= distinct {
                return Row::INERT;
            }
            Row {
                lapse: Some(Offset::Hours(u16::from(kind))),
                ..row(clearing())
            }
        })
    };
    let back = |low, medium, high| LookbackHours { low, medium, high };
    let most = table(back(1_023, 1_023, 1_023), 5).unwrap();
    assert_eq!(most.rows().len(), 5);
    assert_eq!(most.row_of_key().len(), KEYS);
    let of = |grade| back(1, 2, 3).of(grade);
    assert_eq!(Grade::ALL.map(of), [0, 1, 2, 3]);
    for over in [back(1_024, 0, 0), back(0, 1_024, 0), back(0, 0, 1_024)] {
        let refused = Err(Error::Row("look-back above 1023 hours"));
        assert_eq!(table(over, 5), refused);
    }
    // Kinds 1 to 15, and stays 17 to 31 but those that met nothing: with the inert row 26 and 27.
    assert_eq!(table(back(0, 0, 0), 30).unwrap().rows().len(), 26);
    assert_eq!(
        table(back(0, 0, 0), 31),
        Err(Error::Row("more than 26 distinct rows"))
    );
    let colours_nobody = RowTable::new(nation(), back(0, 0, 0), |_| row(clearing()));
    assert_eq!(
        colours_nobody,
        Err(Error::Row("a key of no ground colours"))
    );
}

fn stay(begin: u32, end: Option<u32>) -> Stay {
    Stay {
        place: AreaCode::FIRST,
        begin: minute(begin),
        end: end.map(minute),
    }
}

fn fact(begin: u32, end: Option<u32>) -> Fact {
    Fact {
        kind: FactKind::Entry,
        province: nation(),
        begin: minute(begin),
        end: end.map(minute),
    }
}

fn run(first: u16, last: u16) -> CheckInRun {
    CheckInRun {
        first: Day::new(first),
        last: Day::new(last),
    }
}

#[test]
fn a_record_is_full_at_its_capacities() {
    let of = |stays: usize, facts: usize, negatives: u32, runs: u16| {
        let negatives = (1..=negatives).map(minute).collect();
        let runs = (1..=runs).map(|n| run(2 * n, 2 * n)).collect();
        Record::new(
            vec![stay(5, None); stays],
            vec![fact(5, None); facts],
            negatives,
            runs,
        )
    };
    let full = of(12, 12, 8, 4).unwrap();
    assert_eq!((full.stays().len(), full.facts().len()), (12, 12));
    assert_eq!((full.negatives().len(), full.runs().len()), (8, 4));
    assert!(of(0, 24, 0, 0).is_ok());
    let over = |what, count, limit| Err(Error::Capacity { what, count, limit });
    assert_eq!(of(13, 0, 0, 0), over("stays", 13, 12));
    assert_eq!(of(12, 13, 0, 0), over("entries", 25, 24));
    assert_eq!(of(0, 25, 0, 0), over("entries", 25, 24));
    assert_eq!(of(0, 0, 9, 0), over("negative tests", 9, 8));
    assert_eq!(of(0, 0, 0, 5), over("check-in runs", 5, 4));
}

#[test]
fn a_record_s_parts_are_in_order_and_end_no_earlier_than_they_begin() {
    let ok = |record: Result<Record, Error>| record.is_ok();
    let entries = |stay, fact| Record::new(vec![stay], vec![fact], vec![], vec![]);
    assert!(ok(entries(stay(1, Some(1)), fact(1, Some(1)))));
    assert!(!ok(entries(stay(2, Some(1)), fact(1, None))));
    assert!(!ok(entries(stay(1, None), fact(2, Some(1)))));
    assert!(!ok(entries(stay(0, None), fact(1, None))));
    assert!(!ok(entries(stay(1, None), fact(0, None))));
    let negatives = |list: &[u32]| {
        let list = list.iter().map(|n| minute(*n)).collect();
        Record::new(vec![], vec![], list, vec![])
    };
    assert!(ok(negatives(&[1, 2])));
    for bad in [&[0][..], &[2, 2], &[2, 1]] {
        assert!(!ok(negatives(bad)));
    }
    let runs = |list: &[CheckInRun]| Record::new(vec![], vec![], vec![], list.to_vec());
    assert!(ok(runs(&[run(1, 1), run(3, 5)])));
    for bad in [
        &[run(0, 1)][..],
        &[run(2, 1)],
        &[run(1, 1), run(2, 2)],
        &[run(1, 3), run(3, 4)],
        &[run(3, 4), run(1, 1)],
    ] {
        assert!(!ok(runs(bad)));
    }
}

#[test]
fn the_latest_moment_of_a_record_is_that_of_its_latest_part() {
    let latest = |stays, facts, negatives, runs| {
        let record = Record::new(stays, facts, negatives, runs).unwrap();
        record.latest().get()
    };
    assert_eq!(Record::default().latest(), Minute::ZERO);
    assert_eq!(latest(vec![stay(7, None)], vec![], vec![], vec![]), 7);
    assert_eq!(latest(vec![stay(7, Some(9))], vec![], vec![], vec![]), 9);
    let facts = vec![fact(7, None), fact(3, Some(8))];
    assert_eq!(latest(vec![], facts, vec![minute(6)], vec![]), 8);
    assert_eq!(latest(vec![], vec![], vec![minute(6)], vec![]), 6);
    let runs = vec![run(1, 2)];
    assert_eq!(latest(vec![], vec![], vec![minute(6)], runs), 1_440 + 960);
}

#[test]
fn a_map_has_at_most_65_536_intervals_of_at_most_three_periods() {
    let place = |packed| AreaCode::from_packed(packed).unwrap();
    let map = |count: u64| {
        let last = |n| {
            if n + 1 == count {
                AreaCode::LAST
            } else {
                place(n)
            }
        };
        let each = (0..count).map(|n| Interval {
            from: place(n),
            last: last(n),
            periods: vec![],
        });
        RiskMap::new(each.collect())
    };
    assert_eq!(map(65_536).unwrap().intervals().len(), 65_536);
    let refused = |what| Err(Error::RiskMap(what));
    assert_eq!(
        map(65_537),
        refused("a risk map holds at most 65536 intervals")
    );
    let period = |since, until| Period {
        grade: Grade::Low,
        since: minute(since),
        until: minute(until),
    };
    let with = |periods: Vec<Period>| {
        let whole = Interval {
            from: AreaCode::FIRST,
            last: AreaCode::LAST,
            periods,
        };
        RiskMap::new(vec![whole])
    };
    let three = vec![period(1, 2), period(2, 3), period(4, 5)];
    assert!(with(three.clone()).is_ok());
    let four = [three, vec![period(5, 6)]].concat();
    assert_eq!(with(four), refused("an interval holds at most 3 periods"));
    let empty = "a period is empty or has no grade";
    assert_eq!(with(vec![period(2, 2)]), refused(empty));
    assert_eq!(with(vec![period(3, 2)]), refused(empty));
    let ungraded = Period {
        grade: Grade::None,
        ..period(1, 2)
    };
    assert_eq!(with(vec![ungraded]), refused(empty));
    assert_eq!(
        with(vec![period(4, 5), period(2, 3)]),
        refused("the periods of an interval do not ascend")
    );
    let backwards = [(0, 9), (10, 4), (5, AreaCode::LAST.packed())];
    let backwards = backwards.map(|(from, last)| Interval {
        from: place(from),
        last: place(last),
        periods: vec![],
    });
    assert_eq!(
        RiskMap::new(backwards.to_vec()),
        refused("an interval ends before it begins")
    );
}

#[test]
fn a_rule_set_s_name_has_from_3_to_32_characters_and_its_file_64_kib() {
    let name = |text: &str| text.parse::<RuleSetId>().is_ok();
    assert!(name("abc") && name(&"a-9".repeat(10)) && name(&"z".repeat(32)));
    for bad in ["ab", "aB3", "a_b", "a b", "abé", &"z".repeat(33)] {
        assert!(!name(bad), "{bad}");
    }
    let text = "# ".to_owned() + &"x".repeat(64 * 1024 - 2);
    assert!(matches!(
        RuleSet::from_toml(&text),
        Err(RuleSetError::Toml(_))
    ));
    let longer = text + "x";
    assert_eq!(
        RuleSet::from_toml(&longer),
        Err(RuleSetError::TooLong(65_537))
    );
}

#[test]
fn a_rule_set_is_in_force_from_its_first_minute_to_the_last_before_its_end() {
    let set = RuleSet::built_in("fj-2022-08").unwrap();
    let validity = set.validity();
    let (from, until) = (validity.from.get(), validity.until.get());
    let holds = [from - 1, from, until - 1, until].map(|at| validity.holds_at(minute(at)));
    assert_eq!(holds, [false, true, true, false]);
    assert_eq!(set.id().to_string(), "fj-2022-08");
    assert_eq!(set.id().as_str(), "fj-2022-08");
    assert_eq!(set.version(), 1);
    assert_eq!(set.province(), ProvinceCode::new(35).unwrap());
    assert!(set.authority().zh.contains("福建") && !set.title().en.is_empty());
    assert!(!set.source().is_empty() && set.otherwise().is_some());
}

#[test]
fn the_closed_table_of_who_signs_and_who_ends_what_is_as_published() {
    // Laboratory, CDC, border post, telecom, community office, hospital, resident, appeals office.
    let row = |may: &dyn Fn(SourceKind) -> bool| -> String {
        let kinds = [
            SourceKind::Laboratory,
            SourceKind::Cdc,
            SourceKind::BorderPost,
            SourceKind::Telecom,
            SourceKind::CommunityOffice,
            SourceKind::Hospital,
            SourceKind::Resident,
            SourceKind::AppealsOffice,
        ];
        kinds
            .map(|kind| if may(kind) { 'x' } else { '.' })
            .iter()
            .collect()
    };
    for (event, signs, ends) in [
        (EventKind::CheckIn, "....x.x.", ".x...x.."),
        (EventKind::Test, "x....x..", "xx...x.."),
        (EventKind::Stay, "...xx.x.", "...x...."),
        (EventKind::Contact, ".x......", ".x......"),
        (EventKind::Case, ".x...x..", ".x...x.."),
        (EventKind::Entry, "..x.....", ".xx....."),
        (EventKind::ColdChain, ".x..x...", ".x..x..."),
        (EventKind::FeverClinic, ".....x..", ".x...x.."),
        (EventKind::List, ".x......", ".x......"),
        (EventKind::PooledTube, "x.......", "xx......"),
        (EventKind::Release, "xxxxxxx.", "........"),
        (EventKind::Ruling, ".......x", "........"),
    ] {
        assert_eq!(row(&|kind| may_sign(kind, event)), signs, "{event:?}");
        let by = |kind| may_end(kind, event, SourceKind::Telecom);
        assert_eq!(row(&by), ends, "{event:?}");
    }
    let source = SourceId {
        province: ProvinceCode::new(33).unwrap(),
        kind: SourceKind::CommunityOffice,
        number: 17,
    };
    assert_eq!(source.to_string(), "33-community-office-17");
}
