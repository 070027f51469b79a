//! The table of codes and names: provinces, cities, counties, townships, and the communities and villages of each township.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use crate::spelling::{Above, township_spellings};
use crate::text::normalise;
use crate::{Error, bytes};

/// Bytes of the table, decompressed; the shipped one has 7 MB.
pub const MAX_TABLE_BYTES: usize = 64 << 20;
/// First line of the format.
pub(crate) const HEADER: &str = "viridian areas 1";
const WHAT: &str = "the table of areas";
const OTHER_NAMES: &str = include_str!("../data/townships.csv");
const SHIPPED: &[u8] = include_bytes!("../data/areas.zst");

/// All areas known by code and name.
pub struct AreaTable {
    pub(crate) provinces: Vec<Area>,
    pub(crate) cities: Vec<Area>,
    pub(crate) counties: Vec<County>,
    pub(crate) townships: Vec<Township>,
    other_names: OtherNames,
}

/// A province (two digits) or city (four digits).
pub(crate) struct Area {
    pub(crate) code: u32,
    pub(crate) name: String,
}

/// A county, or a development zone that the statistical code treats as one (its fifth digit is 7).
pub(crate) struct County {
    /// Six digits.
    pub(crate) code: u32,
    pub(crate) name: String,
    pub(crate) townships: Range<usize>,
    spellings: OnceLock<HashMap<String, Option<usize>>>,
    villages: OnceLock<HashMap<String, Option<usize>>>,
}

pub(crate) struct Township {
    /// Nine digits.
    pub(crate) code: u32,
    pub(crate) name: String,
    /// Names of its communities (with a trailing `=`) and villages, separated by commas.
    communities: String,
}

impl County {
    /// Whether this is a zone with a statistical code rather than a county by law.
    pub(crate) fn is_zone(&self) -> bool {
        self.code / 10 % 10 == 7
    }

    /// The city's four digits.
    pub(crate) fn city(&self) -> u32 {
        self.code / 100
    }

    /// The county's own nine digits.
    pub(crate) fn nine_digit(&self) -> u32 {
        self.code * 1000
    }
}

impl AreaTable {
    /// The table that ships with this crate.
    ///
    /// # Errors
    /// Only if the shipped file is damaged.
    pub fn shipped() -> Result<Self, Error> {
        Self::read(SHIPPED)
    }

    /// Reads a table, plain or as a Zstandard frame.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_TABLE_BYTES`], [`Error::Line`] for a line that the format does not have.
    pub fn read(bytes: &[u8]) -> Result<Self, Error> {
        let text = bytes::to_text(bytes, WHAT, MAX_TABLE_BYTES)?;
        let mut table = Self {
            provinces: Vec::new(),
            cities: Vec::new(),
            counties: Vec::new(),
            townships: Vec::new(),
            other_names: OtherNames::shipped()?,
        };
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, l)| l) != Some(HEADER) {
            return Err(bad(0, "the first line is not \"viridian areas 1\""));
        }
        let mut last = 0;
        for (at, line) in lines.filter(|(_, l)| !l.starts_with('#')) {
            let order = table.line(line).map_err(|why| bad(at, why))?;
            if order <= last {
                return Err(bad(at, "codes do not ascend"));
            }
            last = order;
        }
        Ok(table)
    }

    /// Adds one line; gives its code at nine digits, scaled so that a parent precedes its children.
    fn line(&mut self, line: &str) -> Result<u64, &'static str> {
        let (code, rest) = line.split_once(' ').ok_or("no name")?;
        if !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err("the code is no number");
        }
        let number: u32 = code.parse().map_err(|_| "the code is no number")?;
        let (name, communities) = rest.split_once('\t').unwrap_or((rest, ""));
        if name.is_empty() || name.len() > 256 {
            return Err("the name is empty or too long");
        }
        let name = name.to_owned();
        match code.len() {
            2 => self.provinces.push(Area { code: number, name }),
            4 => self.cities.push(Area { code: number, name }),
            6 => self.counties.push(County {
                code: number,
                name,
                townships: self.townships.len()..self.townships.len(),
                spellings: OnceLock::new(),
                villages: OnceLock::new(),
            }),
            9 => {
                self.townships.push(Township {
                    code: number,
                    name,
                    communities: communities.to_owned(),
                });
                let county = self
                    .counties
                    .last_mut()
                    .ok_or("a township before a county")?;
                if county.code != number / 1000 || number.is_multiple_of(1000) {
                    return Err("a township outside its county");
                }
                county.townships.end = self.townships.len();
            }
            _ => return Err("a code has 2, 4, 6 or 9 digits"),
        }
        // A parent sorts before its first child: the same nine digits, fewer of them given.
        let nine = format!("{code:0<9}{}", code.len());
        nine.parse().map_err(|_| "the code is no number")
    }

    /// Names of `area` (nine digits) from province to township, for people to read.
    pub fn names(&self, nine_digit: u32) -> String {
        let province = self
            .province_at(nine_digit / 10_000_000)
            .map_or("", |p| p.name.as_str());
        let city = self
            .city_at(nine_digit / 100_000)
            .map_or("", |c| c.name.as_str());
        let county = self
            .county_at(nine_digit / 1000)
            .map_or("", |i| self.counties[i].name.as_str());
        let township = self
            .townships
            .binary_search_by_key(&nine_digit, |t| t.code)
            .map_or("", |i| self.townships[i].name.as_str());
        [province, city, county, township]
            .into_iter()
            .filter(|n| !n.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Counties, townships.
    pub fn counts(&self) -> (usize, usize) {
        (self.counties.len(), self.townships.len())
    }

    pub(crate) fn county_at(&self, six_digit: u32) -> Option<usize> {
        self.counties
            .binary_search_by_key(&six_digit, |c| c.code)
            .ok()
    }

    pub(crate) fn city_at(&self, four_digit: u32) -> Option<&Area> {
        self.cities
            .binary_search_by_key(&four_digit, |c| c.code)
            .ok()
            .map(|i| &self.cities[i])
    }

    pub(crate) fn province_at(&self, two_digit: u32) -> Option<&Area> {
        self.provinces
            .binary_search_by_key(&two_digit, |p| p.code)
            .ok()
            .map(|i| &self.provinces[i])
    }

    pub(crate) fn counties_of_city(&self, four_digit: u32) -> Range<usize> {
        self.counties.partition_point(|c| c.city() < four_digit)
            ..self.counties.partition_point(|c| c.city() <= four_digit)
    }

    pub(crate) fn counties_of_province(&self, two_digit: u32) -> Range<usize> {
        self.counties
            .partition_point(|c| c.code / 10_000 < two_digit)
            ..self
                .counties
                .partition_point(|c| c.code / 10_000 <= two_digit)
    }

    /// Whether `spelling` names only a part of the township (by index).
    pub(crate) fn is_part(&self, township: usize, spelling: &str) -> bool {
        let code = self.townships[township].code;
        let parts = &self.other_names.parts;
        !parts.is_empty() && parts.contains(&(code, spelling.to_owned()))
    }

    /// The ways in which the townships of a county are spelled; `None` where two share a spelling.
    pub(crate) fn spellings(&self, county: usize) -> &HashMap<String, Option<usize>> {
        let of = &self.counties[county];
        of.spellings.get_or_init(|| self.spell(of))
    }

    fn spell(&self, county: &County) -> HashMap<String, Option<usize>> {
        let above = Above {
            names: [
                Some(county.name.as_str()),
                self.city_at(county.city()).map(|c| c.name.as_str()),
                self.province_at(county.code / 10_000)
                    .map(|p| p.name.as_str()),
            ],
        };
        let mut all = HashMap::new();
        // A spelling of an earlier rank is never taken away by a later one.
        let ranked: Vec<(usize, [Vec<String>; 3])> = county
            .townships
            .clone()
            .map(|t| {
                let township = &self.townships[t];
                let mut spellings = township_spellings(&township.name, &above);
                if let Some(more) = self.other_names.names.get(&township.code) {
                    spellings[1].extend_from_slice(more);
                }
                (t, spellings)
            })
            .collect();
        for rank in 0..3 {
            let mut now: HashMap<&str, Option<usize>> = HashMap::new();
            for (township, spellings) in &ranked {
                for spelling in &spellings[rank] {
                    now.entry(spelling)
                        .and_modify(|held| {
                            if *held != Some(*township) {
                                *held = None;
                            }
                        })
                        .or_insert(Some(*township));
                }
            }
            for (spelling, township) in now {
                all.entry(spelling.to_owned()).or_insert(township);
            }
        }
        all
    }

    /// Communities (`…=`) and villages of a county by name; `None` where two townships have one of that name.
    pub(crate) fn villages(&self, county: usize) -> &HashMap<String, Option<usize>> {
        let of = &self.counties[county];
        of.villages.get_or_init(|| {
            let mut all: HashMap<String, Option<usize>> = HashMap::new();
            for t in of.townships.clone() {
                for name in self.townships[t].communities.split(',') {
                    if name.is_empty() {
                        continue;
                    }
                    all.entry(normalise_community(name))
                        .and_modify(|held| {
                            if *held != Some(t) {
                                *held = None;
                            }
                        })
                        .or_insert(Some(t));
                }
            }
            all
        })
    }
}

/// Reviewed names of townships that the table does not have.
struct OtherNames {
    names: HashMap<u32, Vec<String>>,
    /// Those of them that name only a part of the township.
    parts: HashSet<(u32, String)>,
}

impl OtherNames {
    /// Reads the file: `code,name|name,same or part,reason`.
    fn shipped() -> Result<Self, Error> {
        let mut all = Self {
            names: HashMap::new(),
            parts: HashSet::new(),
        };
        for (at, line) in OTHER_NAMES.lines().enumerate().skip(1) {
            let bad = |why| Error::Line {
                what: "townships.csv",
                line: at + 1,
                why,
            };
            let fields: Vec<&str> = line.splitn(4, ',').collect();
            let [code, names, kind @ ("same" | "part"), reason] = fields[..] else {
                return Err(bad("not code, names, same or part, reason"));
            };
            if reason.is_empty() {
                return Err(bad("no reason"));
            }
            let code = code.parse().map_err(|_| bad("the code is no number"))?;
            let names: Vec<String> = names.split('|').map(normalise).collect();
            if kind == "part" {
                all.parts.extend(names.iter().map(|n| (code, n.clone())));
            }
            all.names.insert(code, names);
        }
        Ok(all)
    }
}

fn normalise_community(name: &str) -> String {
    match name.strip_suffix('=') {
        Some(base) => normalise(base) + "=",
        None => normalise(name),
    }
}

fn bad(at: usize, why: &'static str) -> Error {
    Error::Line {
        what: WHAT,
        line: at + 1,
        why,
    }
}
