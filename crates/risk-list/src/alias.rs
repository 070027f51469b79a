//! The reviewed file of names that the table does not have: renamed and merged counties, zones, divisions of the Corps.

use std::collections::HashMap;

use crate::Error;
use crate::scope::zone_key;
use crate::table::AreaTable;
use crate::text::normalise;

const FILE: &str = include_str!("../data/aliases.csv");
const WHAT: &str = "aliases.csv";

/// How an alias relates to its counties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AliasKind {
    /// Another name of the whole county.
    Same,
    /// A part of the county, or of several counties.
    Within,
}

pub(crate) struct Alias {
    pub(crate) kind: AliasKind,
    /// Counties by index.
    pub(crate) counties: Vec<usize>,
}

pub(crate) struct Aliases {
    by_name: HashMap<(u32, String), Alias>,
    divisions: HashMap<String, usize>,
    names: HashMap<usize, Vec<String>>,
}

impl Aliases {
    pub(crate) fn shipped(table: &AreaTable) -> Result<Self, Error> {
        Self::read(table, FILE)
    }

    /// Reads the file; a row whose counties `table` lacks is passed over, so that a smaller table can be used.
    fn read(table: &AreaTable, file: &str) -> Result<Self, Error> {
        let mut aliases = Self {
            by_name: HashMap::new(),
            divisions: HashMap::new(),
            names: HashMap::new(),
        };
        for (at, line) in file.lines().enumerate().skip(1) {
            let bad = |why| Error::Line {
                what: WHAT,
                line: at + 1,
                why,
            };
            let fields: Vec<&str> = line.splitn(5, ',').collect();
            let [area, names, kind, counties, reason] = fields[..] else {
                return Err(bad("not five fields"));
            };
            if reason.is_empty() {
                return Err(bad("no reason"));
            }
            let area: u32 = area.parse().map_err(|_| bad("the area is no number"))?;
            let known = |code: &str| code.parse().ok().and_then(|c| table.county_at(c));
            let Some(counties) = counties.split('|').map(known).collect::<Option<Vec<_>>>() else {
                continue;
            };
            let kind = match (kind, &counties[..]) {
                ("same", [_]) => AliasKind::Same,
                ("within", _) => AliasKind::Within,
                ("division", [seat]) => {
                    for name in names.split('|') {
                        aliases.divisions.insert(name.to_owned(), *seat);
                    }
                    continue;
                }
                _ => {
                    return Err(bad(
                        "kind is same (one county), within, or division (one county)",
                    ));
                }
            };
            for name in names.split('|') {
                if kind == AliasKind::Same {
                    aliases
                        .names
                        .entry(counties[0])
                        .or_default()
                        .push(normalise(name));
                }
                let alias = Alias {
                    kind,
                    counties: counties.clone(),
                };
                aliases
                    .by_name
                    .insert((area, zone_key(table, area, name)), alias);
            }
        }
        Ok(aliases)
    }

    /// The alias of this name in the city, or else in the province.
    pub(crate) fn find(
        &self,
        table: &AreaTable,
        province: u32,
        city: Option<u32>,
        name: &str,
    ) -> Option<&Alias> {
        let in_area = |area| self.by_name.get(&(area, zone_key(table, area, name)));
        city.and_then(in_area).or_else(|| in_area(province))
    }

    /// Other names of a county (by index).
    pub(crate) fn names_of(&self, county: usize) -> &[String] {
        self.names.get(&county).map_or(&[], Vec::as_slice)
    }

    /// The city with which a division of the Corps is one, or to which a regiment without a code belongs, as a county by index.
    pub(crate) fn division(&self, name: &str) -> Option<usize> {
        self.divisions.get(name).copied()
    }
}
