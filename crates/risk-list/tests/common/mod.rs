//! Lists of our own making in the Commission's shape, and what becomes of them.
#![allow(dead_code, missing_docs, unreachable_pub)] // each test file uses its part

use std::sync::OnceLock;

use risk_list::{
    FactTable, GroupName, MapOptions, PublishedList, Register, Resolution, Resolver, import,
};
use rules::{AreaCode, Grade, Minute, RiskMap};
use serde_json::{Value, json};

pub const SOURCE: &str = "of our own making";

/// The shipped resolver, loaded once.
pub fn resolver() -> &'static Resolver {
    static RESOLVER: OnceLock<Resolver> = OnceLock::new();
    RESOLVER.get_or_init(|| Resolver::shipped().expect("the shipped files are sound"))
}

/// `(grade, [province, city, county], texts)`.
pub type Row<'a> = (Grade, [&'a str; 3], &'a [&'a str]);

/// One list of 2022 with these groups; `when` is like `08-18 19`.
pub fn list(when: &str, rows: &[Row<'_>]) -> PublishedList {
    let of = |wanted: Grade| -> Vec<Value> {
        rows.iter()
            .filter(|row| row.0 == wanted)
            .map(|(_, [province, city, county], texts)| {
                json!({"type": "2", "province": province, "city": city, "county": county,
                    "area_name": format!("{province} {city} {county}"), "communitys": texts})
            })
            .collect()
    };
    let file = json!({"data": {"end_update_time": format!("2022-{when}时"),
        "highlist": of(Grade::High), "middlelist": of(Grade::Medium), "lowlist": of(Grade::Low)}, "code": 0, "msg": ""});
    PublishedList::from_json(file.to_string().as_bytes()).expect("the shape is right")
}

/// The facts of some lists.
pub fn facts(lists: &[PublishedList]) -> FactTable {
    import(resolver(), &mut Register::new(), lists, SOURCE).expect("within limits")
}

/// The map of all that is known.
pub fn map(table: &FactTable) -> RiskMap {
    let options = MapOptions {
        known_at: None,
        horizon: Minute::ZERO,
    };
    table.risk_map(options).expect("within limits").map
}

/// The grade of a place at a moment.
pub fn grade(map: &RiskMap, place: &str, at: Minute) -> Grade {
    let place: AreaCode = place.parse().expect("a code");
    map.interval_of(place)
        .periods
        .iter()
        .find(|p| p.since <= at && at < p.until)
        .map_or(Grade::None, |p| p.grade)
}

/// Resolves one string.
pub fn resolve([province, city, county]: [&str; 3], text: &str) -> Resolution {
    let scope = resolver().scope(&GroupName {
        province: province.to_owned(),
        city: city.to_owned(),
        county: county.to_owned(),
    });
    resolver().resolve(&scope, text)
}
