//! Residents who do not exist: valid identity numbers of real counties, common names, keys of their own – all from a seed.

use std::collections::HashSet;

use anyhow::{Context as _, Result};
use p256::ecdsa::SigningKey;
use rand::Rng;
use rand_chacha::ChaCha20Rng;
use rules::{AreaCode, IdentityNumber, ProvinceCode, SourceId, SourceKind};

/// A township by its nine digits; the first six are its county (GB/T 2260).
type Township = u32;

/// Townships in which residents of a province live. None of them was listed in August 2022.
const ZHEJIANG: [Township; 11] = [
    330_102_001,
    330_108_001,
    330_111_001,
    330_205_001,
    330_303_001,
    330_503_001,
    330_603_001,
    330_604_001,
    330_702_001,
    330_703_001,
    331_004_001,
];
const FUJIAN: [Township; 12] = [
    350_111_001,
    350_203_001,
    350_205_001,
    350_302_001,
    350_404_001,
    350_502_001,
    350_504_001,
    350_603_001,
    350_604_001,
    350_702_001,
    350_803_001,
    350_902_001,
];
const HUBEI: [Township; 11] = [
    420_103_001,
    420_104_001,
    420_106_001,
    420_112_001,
    420_116_001,
    420_303_001,
    420_505_001,
    420_602_001,
    420_704_001,
    420_804_001,
    421_202_001,
];

const SURNAMES: [&str; 20] = [
    "王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "徐", "孙", "马", "朱", "胡", "郭",
    "何", "林", "罗", "高",
];
const GIVEN: [&str; 24] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "涛", "明", "超",
    "秀英", "建国", "晓燕", "志强", "玉兰", "子涵", "浩然", "雨桐",
];

/// The provinces with a node.
pub const PROVINCES: [u8; 3] = [33, 35, 42];

/// What a province is called, Chinese and English.
pub fn province_name(province: ProvinceCode) -> &'static str {
    match province.get() {
        33 => "浙江 Zhejiang",
        35 => "福建 Fujian",
        36 => "江西 Jiangxi",
        42 => "湖北 Hubei",
        _ => "?",
    }
}

/// What the only source of a kind in a province is called.
pub fn source_name(id: SourceId) -> String {
    let (zh, en) = match id.kind {
        SourceKind::Laboratory => ("检测机构", "laboratory"),
        SourceKind::Cdc => ("疾控中心", "CDC"),
        SourceKind::BorderPost => ("口岸", "border post"),
        SourceKind::Telecom => ("电信运营商", "telecom operator"),
        SourceKind::CommunityOffice => ("社区", "community office"),
        SourceKind::Hospital => ("医院", "hospital"),
        SourceKind::Resident => ("本人", "the resident"),
        SourceKind::AppealsOffice => ("复核机构", "appeals office"),
    };
    format!("{} {zh} {en}", province_name(id.province))
}

/// A made-up resident.
#[derive(Clone)]
pub struct Person {
    /// Where the record is kept.
    pub home: ProvinceCode,
    /// Identity number.
    pub number: IdentityNumber,
    /// Name, as the civil register has it.
    pub name: String,
    /// The township lived in: no listed site.
    pub township: AreaCode,
    /// Another township of the same province, for trips.
    pub elsewhere: AreaCode,
    /// Key of the phone.
    pub device: SigningKey,
    /// Whether check-ins are made on the phone; otherwise a community office makes them.
    pub has_phone: bool,
}

/// A code of a province with a node or a gate.
///
/// # Panics
/// For a number that is no province.
pub fn province(code: u8) -> ProvinceCode {
    ProvinceCode::new(code).expect("a province of the demonstration")
}

fn townships(home: ProvinceCode) -> &'static [Township] {
    match home.get() {
        33 => &ZHEJIANG,
        35 => &FUJIAN,
        _ => &HUBEI,
    }
}

/// So many residents, in turn of the three provinces.
///
/// # Errors
/// If a number cannot be assembled, which the lists above exclude.
pub fn generate(count: usize, rng: &mut ChaCha20Rng) -> Result<Vec<Person>> {
    let mut taken = HashSet::new();
    let mut people = Vec::with_capacity(count);
    for home in PROVINCES.into_iter().cycle().map(province).take(count) {
        let places = townships(home);
        let at = rng.random_range(0..places.len());
        let other = (at + rng.random_range(1..places.len())) % places.len();
        let number = loop {
            let number = draw_number(places[at] / 1000, rng)?;
            if taken.insert(number) {
                break number;
            }
        };
        let surname = SURNAMES[rng.random_range(0..SURNAMES.len())];
        let given = GIVEN[rng.random_range(0..GIVEN.len())];
        people.push(Person {
            home,
            number,
            name: format!("{surname}{given}"),
            township: AreaCode::new(places[at], 0)?,
            elsewhere: AreaCode::new(places[other], 0)?,
            device: device_key(rng),
            has_phone: rng.random_bool(0.5),
        });
    }
    Ok(people)
}

fn draw_number(county: u32, rng: &mut ChaCha20Rng) -> Result<IdentityNumber> {
    let birth = (
        rng.random_range(1930..=2015),
        rng.random_range(1..=12),
        rng.random_range(1..=28),
    );
    IdentityNumber::assemble(county, birth, rng.random_range(1..1000))
        .context("an identity number of a listed county")
}

/// A P-256 key from a seeded generator: for people who do not exist only.
pub fn device_key(rng: &mut ChaCha20Rng) -> SigningKey {
    loop {
        // All but about one in 2^32 draws are keys.
        if let Ok(key) = SigningKey::from_slice(&rng.random::<[u8; 32]>()) {
            return key;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use risk_list::{AreaTable, FactTable};

    #[test]
    fn the_same_seed_makes_the_same_people_and_another_seed_others() {
        let numbers = |seed| -> Vec<IdentityNumber> {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let people = generate(60, &mut rng).unwrap();
            people.iter().map(|p| p.number).collect()
        };
        assert_eq!(numbers(1), numbers(1));
        assert_ne!(numbers(1), numbers(2));
        assert_eq!(numbers(1).into_iter().collect::<HashSet<_>>().len(), 60);
    }

    #[test]
    fn every_number_is_of_a_real_county_of_the_home_province() {
        let table = AreaTable::shipped().unwrap();
        for province in PROVINCES {
            for township in townships(super::province(province)) {
                assert_eq!(township / 10_000_000, u32::from(province));
                let names = table.names(*township);
                assert_eq!(names.split(' ').count(), 4, "{township}: {names}");
            }
        }
    }

    #[test]
    fn no_place_where_people_live_was_listed() {
        let facts = FactTable::august_2022().unwrap();
        for township in PROVINCES.into_iter().flat_map(|p| townships(province(p))) {
            let place = AreaCode::new(*township, 0).unwrap();
            let listed = facts.facts().iter().any(|fact| {
                let (first, last) = fact.place.range().unwrap();
                first <= place && place <= last && fact.grade > rules::Grade::Low
            });
            assert!(!listed, "{township}");
        }
    }
}
