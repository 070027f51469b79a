//! The three names over a group, read: which counties to search, and where a string lies that names no township.

use std::collections::BTreeSet;

use crate::alias::{AliasKind, Aliases};
use crate::matching::longest_spelling;
use crate::published::GroupName;
use crate::table::AreaTable;
use crate::text::{normalise, short_forms, stem, zone_kind};

/// The Production and Construction Corps, which stands as a province of its own in the lists.
const CORPS: &str = "新疆生产建设兵团";

/// What the names over a group say.
#[derive(Clone, Debug)]
pub struct Scope {
    pub(crate) home: Home,
    /// Counties (by index) whose townships and communities are meant.
    pub(crate) near: Vec<usize>,
    /// The counties (by index) of a zone that has no code of its own.
    pub(crate) alias: Vec<usize>,
    /// Counties of the same city in which a township may lie that `near` does not have.
    pub(crate) far: Vec<usize>,
    /// The township (by index) that the names over the group already give.
    pub(crate) hint: Option<usize>,
    /// Names that a string may repeat before it comes to the point, longest first.
    pub(crate) words: Vec<String>,
    /// The county's name as the list has it, normalised.
    pub(crate) label: String,
    /// Whether "X街" is how the city writes the subdistrict "X街道".
    pub(crate) short_streets: bool,
    corps: bool,
}

/// Where a string of the group lies if it names nothing finer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// The county itself (by index).
    County(usize),
    /// A part of this county (by index) that has no code of its own.
    Within(usize),
    /// A city, four digits.
    City(u32),
    /// A province, two digits.
    Province(u32),
    /// No area of the table.
    Nowhere,
}

/// Cities that say 街 for 街道: Tianjin, Guangzhou, Wuhan.
const SHORT_STREET_CITIES: [u32; 3] = [1201, 4401, 4201];

impl Scope {
    pub(crate) fn of(table: &AreaTable, aliases: &Aliases, group: &GroupName) -> Self {
        let clean = |name: &str| normalise(&name.replace("（地区）", "").replace("(地区)", ""));
        let (province, city, county) = (
            clean(&group.province),
            clean(&group.city),
            clean(&group.county),
        );
        let mut scope = Self::empty(&county);
        if province == CORPS {
            scope.corps = true;
            scope.home = Home::Province(65);
            return scope;
        }
        let Some(province_code) = find_province(table, &province) else {
            return scope;
        };
        scope.home = Home::Province(province_code);
        let city_code = find_city(table, province_code, &city);
        if let Some(code) = city_code {
            scope.home = Home::City(code);
        }
        scope.settle(table, aliases, province_code, city_code, [&city, &county]);
        scope.finish(table, [&province, &city, &county]);
        if let Home::County(at) = scope.home {
            scope.words.extend_from_slice(aliases.names_of(at));
        }
        scope.words.sort_by_key(|w| std::cmp::Reverse(w.len()));
        scope
    }

    /// A scope for one county, as the Corps uses it.
    pub(crate) fn of_county(table: &AreaTable, county: usize, near: Vec<usize>) -> Self {
        let mut scope = Self::empty(&normalise(&table.counties[county].name));
        scope.home = Home::County(county);
        scope.near = near;
        scope.finish(table, ["", "", ""]);
        scope
    }

    fn empty(label: &str) -> Self {
        Self {
            home: Home::Nowhere,
            near: Vec::new(),
            alias: Vec::new(),
            far: Vec::new(),
            hint: None,
            words: Vec::new(),
            label: label.to_owned(),
            short_streets: false,
            corps: false,
        }
    }

    /// A scope of a province and nothing finer.
    pub(crate) fn province(code: u32) -> Self {
        let mut scope = Self::empty("");
        scope.home = Home::Province(code);
        scope
    }

    pub(crate) fn is_corps(&self) -> bool {
        self.corps
    }

    /// Finds the county by the first of these ways that gives exactly one.
    fn settle(
        &mut self,
        table: &AreaTable,
        aliases: &Aliases,
        province: u32,
        city: Option<u32>,
        [city_name, county_name]: [&String; 2],
    ) {
        if let Some(found) = county_by_name(table, province, city, county_name) {
            return self.at_county(found);
        }
        if let Some(alias) = aliases.find(table, province, city, county_name) {
            return self.at_alias(alias.kind, &alias.counties);
        }
        // Municipalities, and cities without counties: the city's place holds a county, the county's a township.
        if let Some(found) = county_by_name(table, province, None, city_name) {
            self.at_county(found);
            self.hint = longest_spelling(table.spellings(found), county_name)
                .filter(|(len, _)| *len == county_name.len())
                .map(|(_, township)| township);
            return;
        }
        if let Some(alias) = aliases.find(table, province, None, city_name) {
            self.at_alias(alias.kind, &alias.counties);
            self.hint = unique_township(table, &self.near, county_name);
            return;
        }
        let Some(city) = city else {
            return;
        };
        let of_city: Vec<usize> = table.counties_of_city(city).collect();
        if let Some(found) = zone_by_name(table, city, county_name)
            .or_else(|| county_by_stem(table, &of_city, county_name))
        {
            return self.at_county(found);
        }
        if let Some(township) = unique_township(table, &of_city, county_name) {
            self.hint = Some(township);
            if let Some(at) = table.county_at(table.townships[township].code / 1000) {
                self.home = Home::Within(at);
            }
        }
        self.near = of_city;
    }

    fn at_county(&mut self, county: usize) {
        self.home = Home::County(county);
        self.near = vec![county];
    }

    fn at_alias(&mut self, kind: AliasKind, counties: &[usize]) {
        self.home = match (kind, counties) {
            (AliasKind::Same, [only]) => Home::County(*only),
            (_, [only]) => Home::Within(*only),
            _ => self.home,
        };
        self.near = counties.to_vec();
        if kind == AliasKind::Within {
            self.alias = counties.to_vec();
        }
    }

    fn finish(&mut self, table: &AreaTable, listed: [&str; 3]) {
        let mut words: BTreeSet<String> = listed.iter().map(|w| (*w).to_owned()).collect();
        words.extend(zone_words(listed[2]));
        // "阳泉高新区" for the zone that stands in the list as 高新区 of 阳泉市.
        let with_city = |w: &String| format!("{}{w}", stem(listed[1]));
        let qualified: Vec<String> = match self.home {
            Home::County(at) if !table.counties[at].is_zone() => Vec::new(),
            _ => zone_words(listed[2])
                .iter()
                .chain([&self.label])
                .map(with_city)
                .collect(),
        };
        words.extend(qualified);
        if let Some(&first) = self.near.first() {
            let county = &table.counties[first];
            let city = table.city_at(county.city());
            let province = table.province_at(county.code / 10_000);
            let named = matches!(self.home, Home::County(_)).then_some(&county.name);
            for name in [named, city.map(|c| &c.name), province.map(|p| &p.name)]
                .into_iter()
                .flatten()
            {
                words.insert(normalise(name));
                words.extend(short_forms(name));
            }
            // 巴州 for 巴音郭楞蒙古自治州.
            let prefecture = city.filter(|c| c.name.ends_with("自治州"));
            words.extend(prefecture.map(|c| c.name.chars().take(1).chain(['州']).collect()));
            self.short_streets = SHORT_STREET_CITIES.contains(&county.city());
            self.far = far_counties(table, &self.near, county.is_zone(), county.city());
        }
        words.retain(|w| w.chars().count() >= 2 && w != "市辖区");
        self.words = words.into_iter().collect();
        self.words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    }
}

/// For a county the zones of its city; for a zone all counties of its city.
fn far_counties(table: &AreaTable, near: &[usize], zone: bool, city: u32) -> Vec<usize> {
    table
        .counties_of_city(city)
        .filter(|c| !near.contains(c) && (zone || table.counties[*c].is_zone()))
        .collect()
}

fn find_province(table: &AreaTable, name: &str) -> Option<u32> {
    table
        .provinces
        .iter()
        .find(|p| p.name == name || stem(&p.name) == stem(name))
        .map(|p| p.code)
}

fn find_city(table: &AreaTable, province: u32, name: &str) -> Option<u32> {
    table
        .cities
        .iter()
        .filter(|c| c.code / 100 == province)
        .find(|c| c.name == name || short_forms(&c.name).iter().any(|s| s == name))
        .map(|c| c.code)
}

fn county_by_name(
    table: &AreaTable,
    province: u32,
    city: Option<u32>,
    name: &str,
) -> Option<usize> {
    let same = |c: &usize| {
        let county = &table.counties[*c];
        county.name == name || short_forms(&county.name).iter().any(|s| s == name)
    };
    let mut found = table
        .counties_of_province(province)
        .filter(|c| city.is_none_or(|city| table.counties[*c].city() == city))
        .filter(same);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// `孟津县` for 孟津区: the same name with another last word, once in its city.
fn county_by_stem(table: &AreaTable, of_city: &[usize], name: &str) -> Option<usize> {
    let wanted = stem(name);
    let mut found = of_city
        .iter()
        .copied()
        .filter(|c| stem(&table.counties[*c].name) == wanted);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// `高新区` for 石家庄高新技术产业开发区: a zone with a statistical code, once in its city.
fn zone_by_name(table: &AreaTable, city: u32, name: &str) -> Option<usize> {
    let wanted = zone_key(table, city, name);
    let mut found = table.counties_of_city(city).filter(|c| {
        let county = &table.counties[*c];
        county.is_zone() && zone_key(table, city, &county.name) == wanted
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// A zone's name without province, city (given as two or four digits) and rank, its kind in the short form: `高新区`, `冀南新区`.
pub(crate) fn zone_key(table: &AreaTable, city: u32, name: &str) -> String {
    let name = normalise(name)
        .replace("(国家)", "")
        .replace("国家级", "")
        .replace("国家", "");
    let city_name = table.city_at(city).map_or("", |c| c.name.as_str());
    let province_name = table
        .province_at(if city < 100 { city } else { city / 100 })
        .map_or("", |p| p.name.as_str());
    let mut rest = name.as_str();
    for prefix in [
        province_name,
        stem(province_name),
        city_name,
        stem(city_name),
    ] {
        if let Some(shorter) = rest.strip_prefix(prefix)
            && shorter.chars().count() >= 2
            && !shorter.starts_with('市')
        {
            rest = shorter;
        }
    }
    match zone_kind(rest) {
        Some((base, kind)) => format!("{base}{}", kind[0]),
        None => rest.to_owned(),
    }
}

/// The spellings of a zone's name that a string may repeat.
fn zone_words(name: &str) -> Vec<String> {
    match zone_kind(name) {
        Some((base, kind)) => kind
            .iter()
            .flat_map(|k| [format!("{base}{k}"), (*k).to_owned()])
            .collect(),
        None => Vec::new(),
    }
}

fn unique_township(table: &AreaTable, counties: &[usize], name: &str) -> Option<usize> {
    let mut found = counties
        .iter()
        .filter_map(|c| longest_spelling(table.spellings(*c), name))
        .filter(|(len, _)| *len == name.len())
        .map(|(_, township)| township);
    let first = found.next()?;
    found.next().is_none().then_some(first)
}
