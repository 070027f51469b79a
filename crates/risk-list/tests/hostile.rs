//! Whatever is handed in, the answer is a value or a typed error.
#![allow(missing_docs)]

mod common;

use common::{SOURCE, resolve, resolver};
use proptest::prelude::*;
use risk_list::{AreaTable, Fact, FactTable, MapOptions, Place, PublishedList, Register, import};
use rules::{Grade, Minute};
use serde_json::{Value, json};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(vec![
            "data",
            "end_update_time",
            "highlist",
            "middlelist",
            "lowlist",
            "province",
            "city",
            "county",
            "communitys",
            "hcount",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|pairs| pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

/// Strings of the pieces that the resolver looks for, in any order, with some noise.
fn words() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "北京市", "朝阳区", "西安市", "高新区", "第八师", "一二一团", "121团", "师", "团", "第", "除", "高风险区", "以外", "区",
            "街道", "镇", "社区", "村", "（地区）", "（", "）", "、", "：", "1号楼", "内", "新疆生产建设兵团", "2022-08-18 19时", "市辖区",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_json_is_read_or_refused(value in any_json()) {
        if let Ok(list) = PublishedList::from_json(value.to_string().as_bytes()) {
            import(resolver(), &mut Register::new(), &[list], SOURCE).unwrap();
        }
    }

    #[test]
    fn any_strings_in_the_right_shape_are_imported_and_counted(
        groups in prop::collection::vec(([words(), words(), words()], prop::collection::vec(words(), 0..4)), 0..5),
    ) {
        let rows: Vec<Value> = groups.iter().map(|([province, city, county], texts)| {
            json!({"province": province, "city": city, "county": county, "communitys": texts})
        }).collect();
        let entries: usize = groups.iter().map(|(_, texts)| texts.len()).sum();
        let file = json!({"data": {"end_update_time": "2022-08-18 19时", "highlist": rows}});
        let list = PublishedList::from_json(file.to_string().as_bytes()).unwrap();
        let table = import(resolver(), &mut Register::new(), &[list], SOURCE).unwrap();
        let total = table.total();
        prop_assert_eq!(total.entries, entries as u64);
        prop_assert!(total.resolved + total.coarse <= total.entries);
        prop_assert_eq!(&FactTable::read(table.write().as_bytes()).unwrap(), &table);
        common::map(&table);
    }

    #[test]
    fn any_names_and_text_are_resolved(names in [words(), words(), words()], text in words()) {
        let [province, city, county] = &names;
        resolve([province, city, county], &text);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), zstd in any::<bool>()) {
        let mut bytes = bytes;
        if zstd {
            bytes.splice(0..0, [0x28, 0xb5, 0x2f, 0xfd]);
        }
        prop_assert!(PublishedList::from_json(&bytes).is_err());
        prop_assert!(FactTable::read(&bytes).is_err());
        prop_assert!(Register::read(&bytes).is_err() || bytes.is_empty());
        prop_assert!(AreaTable::read(&bytes).is_err());
    }

    #[test]
    fn any_lines_of_a_fact_table_are_read_or_refused(lines in "([0-9]{6,9}/([0-9]{1,6}|\\*)|list|unplaced) [HML-] [0-9]{1,9} ([0-9]{1,9}|-)\n{0,3}") {
        if let Ok(table) = FactTable::read(format!("viridian risk facts 1\nsource x\n{lines}").as_bytes()) {
            common::map(&table);
        }
    }
}

#[test]
fn what_stands_at_the_end_of_a_line_is_kept() {
    let text = "viridian risk facts 1\nsource x\r\r\nunplaced H 100 - 某地\r\n";
    let table = FactTable::read(text.as_bytes()).unwrap();
    assert_eq!(table.write(), text);
    assert!(FactTable::read(text.replace('\n', "\r\n").as_bytes()).is_err());
}

const PLACES: [&str; 8] = [
    "330102/*",
    "330103/*",
    "330102001/*",
    "330102002/*",
    "330102001/1",
    "330102001/2",
    "330102000/1",
    "330102002/131071",
];

fn any_facts() -> impl Strategy<Value = Vec<Fact>> {
    let grade = prop::sample::select(vec![Grade::Low, Grade::Medium, Grade::High]);
    let fact = (0..PLACES.len(), grade, 0_u32..40, 1_u32..20, any::<bool>());
    prop::collection::vec(fact, 0..7).prop_map(|rows| {
        let facts = rows
            .into_iter()
            .map(|(place, grade, listed, long, open)| Fact {
                place: PLACES[place].parse().unwrap(),
                grade,
                listed: Minute::new(listed).unwrap(),
                released: (!open).then(|| Minute::new(listed + long).unwrap()),
            });
        facts.collect()
    })
}

/// The worst grade over the facts that cover a place at a moment, straight from the definition.
fn worst(facts: &[Fact], place: rules::AreaCode, at: Minute) -> Grade {
    let covers = |p: Place| {
        let (first, last) = p.range().unwrap();
        first <= place && place <= last
    };
    facts
        .iter()
        .filter(|f| covers(f.place) && f.listed <= at && f.released.is_none_or(|r| at < r))
        .map(|f| f.grade)
        .max()
        .unwrap_or(Grade::None)
}

proptest! {
    #[test]
    fn each_place_has_at_each_moment_the_worst_grade_listed(facts in any_facts(), known_at in prop::option::of(0_u32..60)) {
        let Ok(table) = FactTable::new(SOURCE, Vec::new(), facts.clone(), Vec::new()) else {
            return Ok(()); // the same place twice at one grade
        };
        let then = known_at.map(|m| Minute::new(m).unwrap());
        let built = table.risk_map(MapOptions { known_at: then, horizon: Minute::ZERO }).unwrap();
        let known: Vec<Fact> = facts.iter().filter(|f| then.is_none_or(|t| f.listed <= t)).map(|f| Fact {
            released: f.released.filter(|r| then.is_none_or(|t| *r <= t)), ..*f
        }).collect();
        let given_up = built.dropped_low + built.joined > 0;
        for text in ["330102000", "330102000/1", "330102000/2", "330102001", "330102001/1", "330102001/2", "330102001/3",
            "330102002/131071", "330102002", "330102003", "330103000", "330103999/131071", "330104000", "330101999/131071"] {
            let place: rules::AreaCode = text.parse().unwrap();
            for at in 0..62 {
                let at = Minute::new(at).unwrap();
                let (is, should) = (common::grade(&built.map, text, at), worst(&known, place, at));
                if given_up {
                    prop_assert!(is >= should || should == Grade::Low, "{text} at {}: {is:?}, listed {should:?}", at.get());
                } else {
                    prop_assert_eq!(is, should, "{} at {}", text, at.get());
                }
            }
        }
    }
}
