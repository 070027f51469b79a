//! From a listed string to a code: the county from the three names over its group, the township from the string itself.

use crate::alias::Aliases;
use crate::corps::Corps;
use crate::published::GroupName;
use crate::scope::{Home, Scope};
use crate::table::AreaTable;
use crate::text::{normalise, without_exception};
use crate::{Error, matching};

/// How finely a listed string could be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// No area of the table is named.
    Nowhere,
    /// Only the province.
    Province,
    /// Only the city: a zone in several counties and no township named.
    City,
    /// The county.
    County,
    /// The township.
    Township,
}

/// Where a listed string lies: one area for a site, one or more for whole areas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// How finely it was placed.
    pub precision: Precision,
    /// What it names.
    pub target: Target,
}

impl Resolution {
    /// Whether the string, not placed in a township, names neither a township nor a community that a better table could place.
    pub fn is_bare(&self) -> bool {
        const NAMED: [&str; 10] = [
            "街道",
            "办事处",
            "街办",
            "片区",
            "镇",
            "乡",
            "社区",
            "村",
            "居委会",
            "嘎查",
        ];
        match &self.target {
            _ if self.precision == Precision::Township => false,
            Target::Whole(_) => true,
            Target::Site { text, .. } => !NAMED.iter().any(|word| text.contains(word)),
            Target::Unknown => false,
        }
    }
}

/// What a listed string names. Areas are nine digits: `330102000` is a county, `330102001` a township.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whole townships or a whole county.
    Whole(Vec<u32>),
    /// A site, by its normalised text.
    Site {
        /// The area it lies in; a city or province (ending in zeros) where no county is known,
        /// several counties for a zone that lies in them and has no code of its own.
        areas: Vec<u32>,
        /// The site's text, the same on every day on which it is listed.
        text: String,
    },
    /// Nothing that the table has.
    Unknown,
}

/// Resolves listed strings against a table of areas.
pub struct Resolver {
    table: AreaTable,
    aliases: Aliases,
    corps: Corps,
}

impl Resolver {
    /// A resolver with the shipped table.
    ///
    /// # Errors
    /// Only if a shipped file is damaged.
    pub fn shipped() -> Result<Self, Error> {
        Self::new(AreaTable::shipped()?)
    }

    /// A resolver with another table.
    ///
    /// # Errors
    /// [`Error::Line`] if the shipped aliases are damaged.
    pub fn new(table: AreaTable) -> Result<Self, Error> {
        let aliases = Aliases::shipped(&table)?;
        let corps = Corps::new(&table);
        Ok(Self {
            table,
            aliases,
            corps,
        })
    }

    /// The table in use.
    pub fn table(&self) -> &AreaTable {
        &self.table
    }

    /// Reads the three names over a group once, for all of its strings.
    pub fn scope(&self, group: &GroupName) -> Scope {
        Scope::of(&self.table, &self.aliases, group)
    }

    /// Places one listed string of a group.
    pub fn resolve(&self, scope: &Scope, listed: &str) -> Resolution {
        let text = normalise(&listed.replace("（地区）", "").replace("(地区)", ""));
        if scope.is_corps() {
            let (inner, rest) = self.corps.enter(&self.table, &self.aliases, &text);
            return self.place(&inner, &rest);
        }
        self.place(scope, &text)
    }

    fn place(&self, scope: &Scope, text: &str) -> Resolution {
        if let Some(townships) = matching::whole(&self.table, scope, text) {
            return self.whole(scope, townships);
        }
        let rest = matching::strip_names(&self.table, scope, text);
        if let Some(found) = matching::township_at_start(&self.table, scope, rest) {
            let part = self.table.is_part(found.township, &rest[..found.len]);
            return self.site(found.township, if part { rest } else { &rest[found.len..] });
        }
        if let Some(township) = scope.hint {
            return self.site(township, rest);
        }
        let found = matching::township_inside(&self.table, scope, rest)
            .or_else(|| matching::community(&self.table, scope, rest));
        if let Some(township) = found {
            return self.site(township, rest);
        }
        if let Some(township) = self.only_township(scope) {
            return self.site(township, rest);
        }
        self.coarse(scope, rest)
    }

    /// The township of a county that is one township as a whole, such as the districts of Sanya.
    fn only_township(&self, scope: &Scope) -> Option<usize> {
        let Home::County(county) = scope.home else {
            return None;
        };
        let mut townships = self.table.counties[county].townships.clone();
        let first = townships.next()?;
        townships.next().is_none().then_some(first)
    }

    fn whole(&self, scope: &Scope, townships: Vec<usize>) -> Resolution {
        let townships = match scope.hint {
            Some(hint) if townships.is_empty() => vec![hint],
            _ => townships,
        };
        if !townships.is_empty() {
            let mut areas: Vec<u32> = townships
                .into_iter()
                .map(|t| self.table.townships[t].code)
                .collect();
            areas.sort_unstable();
            areas.dedup();
            return Resolution {
                precision: Precision::Township,
                target: Target::Whole(areas),
            };
        }
        if let Home::County(county) = scope.home {
            return Resolution {
                precision: Precision::County,
                target: Target::Whole(vec![self.table.counties[county].nine_digit()]),
            };
        }
        // A zone without a code of its own: a site of that name in its counties, never the counties themselves.
        if !scope.alias.is_empty() {
            return Resolution {
                precision: Precision::County,
                target: Target::Site {
                    areas: scope
                        .alias
                        .iter()
                        .map(|c| self.table.counties[*c].nine_digit())
                        .collect(),
                    text: scope.label.clone(),
                },
            };
        }
        self.coarse(scope, "")
    }

    fn site(&self, township: usize, rest: &str) -> Resolution {
        Resolution {
            precision: Precision::Township,
            target: Target::Site {
                areas: vec![self.table.townships[township].code],
                text: site_text(rest),
            },
        }
    }

    fn coarse(&self, scope: &Scope, rest: &str) -> Resolution {
        let (precision, area) = match scope.home {
            Home::County(county) | Home::Within(county) => {
                (Precision::County, self.table.counties[county].nine_digit())
            }
            Home::City(city) => (Precision::City, city * 100_000),
            Home::Province(province) => (Precision::Province, province * 10_000_000),
            Home::Nowhere => {
                return Resolution {
                    precision: Precision::Nowhere,
                    target: Target::Unknown,
                };
            }
        };
        let text = match scope.home {
            Home::County(_) => site_text(rest),
            _ => site_text(&format!("{}:{rest}", scope.label)),
        };
        Resolution {
            precision,
            target: Target::Site {
                areas: vec![area],
                text,
            },
        }
    }
}

fn site_text(rest: &str) -> String {
    let trimmed = rest.trim_start_matches([':', ',', '-', '.', ')']);
    let cut = without_exception(trimmed);
    if cut.is_empty() { trimmed } else { cut }.to_owned()
}
