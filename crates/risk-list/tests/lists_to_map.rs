//! Consecutive lists to dated facts, and facts to a map.
#![allow(missing_docs)]

mod common;

use common::{SOURCE, facts, grade, list, map, resolver};
use risk_list::{Fact, FactTable, MapOptions, Place, PublishedList, Register, import};
use rules::{Grade, Minute};

const JINJIANG: [&str; 3] = ["四川省", "成都市", "锦江区"];

fn minute(minutes: u32) -> Minute {
    Minute::new(minutes).unwrap()
}

fn at(list: &PublishedList) -> Minute {
    list.updated
}

#[test]
fn a_listed_building_leaves_its_street_and_county_alone() {
    let day = list(
        "08-18 19",
        &[
            (Grade::High, JINJIANG, &["成龙路街道1栋", "无名大酒店"]),
            (
                Grade::Low,
                JINJIANG,
                &["锦江区除高、中风险区以外的其他区域"],
            ),
        ],
    );
    let when = at(&day);
    let map = map(&facts(&[day]));
    assert_eq!(grade(&map, "510104035/1", when), Grade::High);
    assert_eq!(grade(&map, "510104000/1", when), Grade::High);
    for other in [
        "510104035",
        "510104035/2",
        "510104000",
        "510104000/2",
        "510104999/131071",
    ] {
        assert_eq!(grade(&map, other, when), Grade::Low, "{other}");
    }
    assert_eq!(grade(&map, "510105000", when), Grade::None);
}

#[test]
fn a_whole_township_is_graded_with_its_sites() {
    let rows: &[_] = &[(
        Grade::Medium,
        ["广东省", "深圳市", "罗湖区"],
        &["莲塘街道全域"][..],
    )];
    let day = list("08-18 19", rows);
    let when = at(&day);
    let map = map(&facts(&[day]));
    for place in ["440303008", "440303008/1", "440303008/131071"] {
        assert_eq!(grade(&map, place, when), Grade::Medium);
    }
    assert_eq!(grade(&map, "440303007/131071", when), Grade::None);
    assert_eq!(grade(&map, "440303009", when), Grade::None);
}

#[test]
fn a_place_is_listed_since_the_first_list_and_until_the_first_without_it() {
    let house: &[&str] = &["成龙路街道1栋"];
    let lists = [
        list("08-18 19", &[(Grade::High, JINJIANG, house)]),
        list(
            "08-19 20",
            &[(Grade::High, JINJIANG, &["成龙路街道 １栋。"])],
        ),
        list("08-20 23", &[(Grade::Medium, JINJIANG, house)]),
        list("08-21 21", &[]),
        list("08-22 20", &[(Grade::High, JINJIANG, house)]),
    ];
    let times: Vec<Minute> = lists.iter().map(at).collect();
    let mut shuffled = lists.to_vec();
    shuffled.rotate_left(2);
    let table = facts(&shuffled);
    let place: Place = "510104035/1".parse().unwrap();
    let fact = |grade, listed: usize, released: Option<usize>| Fact {
        place,
        grade,
        listed: times[listed],
        released: released.map(|r| times[r]),
    };
    assert_eq!(
        table.facts(),
        [
            fact(Grade::Medium, 2, Some(3)),
            fact(Grade::High, 0, Some(2)),
            fact(Grade::High, 4, None)
        ]
    );
    let map = map(&table);
    let code = "510104035/1".parse().unwrap();
    assert_eq!(map.interval_of(code).periods.len(), 3);
    for (when, expected) in times.iter().zip([
        Grade::High,
        Grade::High,
        Grade::Medium,
        Grade::None,
        Grade::High,
    ]) {
        assert_eq!(grade(&map, "510104035/1", *when), expected);
    }
}

#[test]
fn the_map_as_known_then_has_neither_later_listings_nor_later_releases() {
    let lists = [
        list("08-18 19", &[(Grade::High, JINJIANG, &["成龙路街道1栋"])]),
        list("08-19 20", &[(Grade::High, JINJIANG, &["成龙路街道2栋"])]),
    ];
    let [first, second] = [at(&lists[0]), at(&lists[1])];
    let table = facts(&lists);
    let known = |then| {
        let options = MapOptions {
            known_at: Some(then),
            horizon: Minute::ZERO,
        };
        table.risk_map(options).unwrap().map
    };
    let before = known(minute(second.get() - 1));
    let open = before.interval_of("510104035/1".parse().unwrap());
    assert_eq!(open.periods[0].until, Minute::MAX);
    assert_eq!(grade(&before, "510104035/2", second), Grade::None);
    assert_eq!(known(first), before);
    assert_eq!(grade(&known(second), "510104035/1", second), Grade::None);
    assert_eq!(known(minute(first.get() - 1)), rules::RiskMap::empty());
    assert_eq!(known(second), map(&table));
}

#[test]
fn all_entries_are_counted_and_the_unresolved_are_named() {
    let nowhere = ["某某省", "某某市", "某某区"];
    let zone = ["陕西省", "西安市", "浐灞生态区"];
    let table = facts(&[list(
        "08-18 19",
        &[
            (
                Grade::High,
                JINJIANG,
                &["成龙路街道1栋", "成龙路街道１栋", "无名大酒店"],
            ),
            (Grade::High, nowhere, &["1栋", "1栋"]),
            (Grade::High, zone, &["无名大酒店"]),
            (Grade::Low, JINJIANG, &["锦江区其余地区"]),
        ],
    )]);
    let high = table.counts()[0].counts;
    assert_eq!((high.entries, high.resolved, high.township), (6, 3, 2));
    assert_eq!((high.coarse, high.duplicates, high.whole_county), (1, 2, 0));
    // The two hotels, of which one lies in a zone.
    assert_eq!(high.bare, 2);
    let low = table.counts()[2].counts;
    assert_eq!((low.whole_county, low.bare), (1, 1));
    let names: Vec<&str> = table.unplaced().iter().map(|u| u.text.as_str()).collect();
    assert_eq!(
        names,
        [
            "某某省 某某市 某某区 | 1栋",
            "陕西省 西安市 浐灞生态区 | 无名大酒店"
        ]
    );
    // The one whose city is known is in the map all the same, as a site of the city.
    let when = table.counts()[0].at;
    assert_eq!(grade(&map(&table), "610100000/1", when), Grade::High);
    assert_eq!(grade(&map(&table), "610100000", when), Grade::None);
}

#[test]
fn a_register_goes_on_where_it_ended() {
    let mut register = Register::new();
    let day = |when, texts: &[&str]| list(when, &[(Grade::High, JINJIANG, texts)]);
    import(
        resolver(),
        &mut register,
        &[day("08-18 19", &["成龙路街道1栋"])],
        SOURCE,
    )
    .unwrap();
    let mut read = Register::read(register.write().as_bytes()).unwrap();
    let later = day("08-19 20", &["成龙路街道2栋", "成龙路街道1栋"]);
    let table = import(resolver(), &mut read, &[later], SOURCE).unwrap();
    let places: Vec<String> = table.facts().iter().map(|f| f.place.to_string()).collect();
    assert_eq!(places, ["510104035/1", "510104035/2"]);
    assert_eq!(read.len(), 2);
}

fn table(rows: &[(Grade, u32, Option<u32>)]) -> FactTable {
    let facts = rows.iter().map(|(grade, listed, released)| Fact {
        place: "510104035/1".parse().unwrap(),
        grade: *grade,
        listed: minute(*listed),
        released: released.map(minute),
    });
    FactTable::new(SOURCE, Vec::new(), facts.collect(), Vec::new()).unwrap()
}

fn built(table: &FactTable, horizon: u32) -> (risk_list::BuiltMap, Vec<(Grade, u32, u32)>) {
    let options = MapOptions {
        known_at: None,
        horizon: minute(horizon),
    };
    let built = table.risk_map(options).unwrap();
    let interval = built.map.interval_of("510104035/1".parse().unwrap());
    let periods = interval
        .periods
        .iter()
        .map(|p| (p.grade, p.since.get(), p.until.get()))
        .collect();
    (built, periods)
}

#[test]
fn a_fourth_period_costs_first_what_is_past_then_low_then_raises_the_fewest_minutes() {
    let (low, medium, high) = (Grade::Low, Grade::Medium, Grade::High);
    let mixed = table(&[
        (high, 10, Some(20)),
        (low, 30, Some(40)),
        (high, 50, Some(60)),
        (medium, 60, Some(70)),
    ]);
    let (past, kept) = built(&mixed, 21);
    assert_eq!(
        (past.dropped_past, past.dropped_low, past.joined),
        (1, 0, 0)
    );
    assert_eq!(kept, [(low, 30, 40), (high, 50, 60), (medium, 60, 70)]);
    let (lows, kept) = built(&mixed, 20);
    assert_eq!(
        (lows.dropped_past, lows.dropped_low, lows.joined),
        (0, 1, 0)
    );
    assert_eq!(kept, [(high, 10, 20), (high, 50, 60), (medium, 60, 70)]);
    let four = table(&[
        (high, 10, Some(20)),
        (medium, 30, Some(40)),
        (high, 43, Some(60)),
        (medium, 80, Some(90)),
    ]);
    let (joined, kept) = built(&four, 0);
    assert_eq!(
        (joined.dropped_past, joined.dropped_low, joined.joined),
        (0, 0, 1)
    );
    assert_eq!(kept, [(high, 10, 20), (high, 30, 60), (medium, 80, 90)]);
}

#[test]
fn more_places_than_a_map_holds_are_refused() {
    let site = |n: u32| format!("{:09}/1", 110_000_000 + n).parse().unwrap();
    let facts = |count: u32| -> Vec<Fact> {
        (0..count)
            .map(|n| Fact {
                place: site(n),
                grade: Grade::High,
                listed: minute(1),
                released: None,
            })
            .collect()
    };
    let build = |count| {
        let table = FactTable::new(SOURCE, Vec::new(), facts(count), Vec::new()).unwrap();
        table.risk_map(MapOptions {
            known_at: None,
            horizon: Minute::ZERO,
        })
    };
    assert_eq!(build(32_767).unwrap().map.intervals().len(), 65_535);
    assert!(matches!(build(32_768), Err(risk_list::Error::Intervals(_))));
}

#[test]
fn a_fact_table_that_contradicts_itself_is_refused() {
    let head = "viridian risk facts 1\nsource x\n";
    for (body, sound) in [
        ("510104035/1 H 10 20\n510104035/1 H 20 -\n", true),
        ("510104035/1 H 10 20\n510104035/1 H 19 -\n", false),
        ("510104035/1 H 10 -\n510104035/1 H 20 30\n", false),
        ("510104035/1 H 10 10\n", false),
        ("510104035/1 - 10 20\n", false),
        ("510104035/1 H 10\n", false),
        ("999999999/131072 H 10 20\n", false),
        ("list 10 H 1 1 1 0 0 0\n", false),
        ("list 10 H 1 1 1 0 0 0 0\nunplaced H 10 - a b\n", true),
    ] {
        let table = FactTable::read(format!("{head}{body}").as_bytes());
        assert_eq!(table.is_ok(), sound, "{body}");
        if let Ok(table) = table {
            assert_eq!(FactTable::read(table.write().as_bytes()).unwrap(), table);
        }
    }
}

#[test]
fn the_shipped_table_of_august_2022_accounts_for_every_entry() {
    let table = FactTable::august_2022().unwrap();
    let total = table.total();
    assert_eq!(table.counts().len(), 14 * 3);
    assert_eq!(total.entries, 38_882);
    assert!(total.resolved * 100 >= total.entries * 98);
    assert_eq!(total.entries - total.resolved, total.coarse);
    assert!(!table.unplaced().is_empty());
    let built = table
        .risk_map(MapOptions {
            known_at: None,
            horizon: Minute::ZERO,
        })
        .unwrap();
    assert!(built.map.intervals().len() > 5_000);
    assert_eq!(built.joined, 0);
}
