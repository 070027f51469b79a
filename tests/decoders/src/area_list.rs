//! Published lists of areas as they come, and the tables and registers made of them.

use std::sync::LazyLock;

use risk_list::{
    AreaTable, FactTable, MapOptions, PublishedList, Register, Resolver, compress, import,
};
use rules::{AreaCode, Minute};

use crate::bytes::{says, says_within};

const SOURCE: &str = "of the checks' own making";
const AUGUST: &[u8] = include_bytes!("../../../crates/risk-list/data/facts-2022-08.zst");
const ZSTD_MAGIC: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];
const AREAS: &str = "viridian areas 1";

static RESOLVER: LazyLock<Resolver> =
    LazyLock::new(|| Resolver::shipped().expect("the shipped files"));

pub(crate) fn check(data: &[u8]) {
    match PublishedList::from_json(data) {
        Ok(list) => published(&list),
        Err(error) => says_within(&error, 1_024 + data.len()),
    }
    match FactTable::read(data) {
        Ok(facts) => {
            table(&facts);
            risk_map(&facts);
        }
        Err(error) => says(&error),
    }
    match Register::read(data) {
        Ok(register) => {
            let again = Register::read(register.write().as_bytes());
            assert!(again.as_ref().ok() == Some(&register), "another register");
        }
        Err(error) => says(&error),
    }
    let is_table = data.starts_with(AREAS.as_bytes()) || data.starts_with(ZSTD_MAGIC);
    if is_table && let Err(error) = AreaTable::read(data) {
        says(&error);
    }
}

/// A list that was read is imported, every string of it counted.
fn published(list: &PublishedList) {
    let mut register = Register::new();
    let facts = import(&RESOLVER, &mut register, std::slice::from_ref(list), SOURCE);
    let facts = facts.expect("one list within its limits");
    let total = facts.total();
    assert_eq!(total.entries, list.entries() as u64);
    assert!(total.resolved + total.coarse <= total.entries && total.duplicates <= total.entries);
    table(&facts);
    risk_map(&facts);
    let again = Register::read(register.write().as_bytes());
    assert!(again.ok() == Some(register), "another register");
}

/// A table is written as text that reads as the same table.
fn table(facts: &FactTable) {
    let again = FactTable::read(facts.write().as_bytes());
    assert!(again.ok().as_ref() == Some(facts), "another table");
}

/// A map of the facts covers the country, or there are too many of them.
fn risk_map(facts: &FactTable) {
    let options = MapOptions {
        known_at: None,
        horizon: Minute::ZERO,
    };
    match facts.risk_map(options) {
        Ok(built) => {
            let intervals = built.map.intervals();
            assert_eq!(intervals.first().map(|i| i.from), Some(AreaCode::FIRST));
            assert_eq!(intervals.last().map(|i| i.last), Some(AreaCode::LAST));
        }
        Err(error) => says(&error),
    }
}

pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let list = r#"{"data":{"end_update_time":"2022-08-18 19时","hcount":3,"mcount":1,"lcount":1,
"highlist":[{"type":"2","province":"四川省","city":"成都市","county":"锦江区","area_name":"四川省 成都市 锦江区",
"communitys":["成龙路街道1栋","无名大酒店"]},
{"province":"北京市","city":"朝阳区","county":"八里庄街道","communitys":["1号楼"]}],
"middlelist":[{"province":"广东省","city":"深圳市","county":"罗湖区","communitys":["莲塘街道全域"]}],
"lowlist":[{"province":"新疆生产建设兵团","city":"第八师","county":"121团","communitys":
["锦江区除高、中风险区以外的其他区域","一二一团（地区）"]}]},"code":0,"msg":""}"#;
    let parsed = PublishedList::from_json(list.as_bytes()).expect("a list");
    let mut register = Register::new();
    let facts = import(&RESOLVER, &mut register, &[parsed], SOURCE).expect("a table");
    let august = FactTable::read(AUGUST).expect("the shipped table").write();
    // The beginning of the shipped table, up to the end of a line: of counts, and of facts.
    let part = |from: usize, lines| -> String {
        let lines: Vec<&str> = august.lines().skip(from).take(lines).collect();
        lines.join("\n") + "\n"
    };
    let some = part(0, 2) + &part(2, 6) + &part(200, 40);
    let areas = format!("{AREAS}\n33 浙江省\n3301 杭州市\n330102 上城区\n330102001 清波街道\n");
    let texts = [
        list.to_owned(),
        facts.write(),
        some.clone(),
        register.write(),
        areas,
    ];
    let mut seeds: Vec<Vec<u8>> = texts.map(String::into_bytes).to_vec();
    seeds.push(compress(&some));
    seeds.push(compress(&facts.write()));
    seeds
}
