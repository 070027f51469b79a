//! Published rule sets: dated data with texts in two languages, read from TOML, linted, compiled to a row table.

use serde::Serialize;

use crate::lint::{Finding, lint};
use crate::{Colour, Key, LookbackHours, Minute, Offset, ProvinceCode, RowTable};

mod digest;
mod file;

pub(crate) use file::{Case, RuleSetFile};

/// Longest rule-set file that is read.
pub const MAX_RULE_SET_LEN_BYTES: usize = 64 * 1024;
/// Rules in one set.
pub const MAX_RULES: usize = 64;

/// Hangzhou's first rule of February 2020, as TOML.
const HZ_2020_02: &str = include_str!("../rule_sets/hz-2020-02.toml");
/// Fujian's rules of 20 August 2022, as TOML.
const FJ_2022_08: &str = include_str!("../rule_sets/fj-2022-08.toml");

/// Why a text is no rule set; its author is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleSetError {
    /// Longer than [`MAX_RULE_SET_LEN_BYTES`].
    #[error("a rule set has at most 65536 bytes, not {0}")]
    TooLong(usize),
    /// Not TOML, or with a key, a kind, a colour or a type that the format does not have.
    #[error("not a rule set: {0}")]
    Toml(String),
    /// A format that this program does not read.
    #[error("rule-set format {0} is not read here")]
    UnknownFormat(u32),
    /// The linter refuses it, for every reason named.
    #[error("refused by the linter: {}", list(.0))]
    Lint(Vec<Finding>),
    /// No built-in rule set has this id.
    #[error("no rule set {0:?} is built in")]
    UnknownId(String),
}

fn list(findings: &[Finding]) -> String {
    let each: Vec<String> = findings.iter().map(ToString::to_string).collect();
    each.join("; ")
}

/// The published name of a rule set: 3 to 32 of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RuleSetId(String);

impl RuleSetId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for RuleSetId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for RuleSetId {
    type Err = Finding;
    fn from_str(text: &str) -> Result<Self, Finding> {
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (3..=32).contains(&text.len()) && text.bytes().all(fits) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Finding::BadId)
        }
    }
}

/// A text in the two languages of every notice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// One published rule: what a resident reads beside a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its number in the publication, such as `R3`.
    pub id: String,
    /// What it says.
    pub text: Text,
    /// Where it says so.
    pub source: String,
}

/// When a rule set was announced and holds; dates begin at midnight of UTC+8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// First minute of the day of announcement.
    pub announced: Minute,
    /// First minute in force.
    pub from: Minute,
    /// First minute no longer in force: the sunset that every set has.
    pub until: Minute,
    /// Whether it came into force less than 48 hours after its announcement, flagged as an emergency.
    pub emergency: bool,
}

impl Validity {
    /// Whether it is in force at `at`.
    pub fn holds_at(&self, at: Minute) -> bool {
        self.from <= at && at < self.until
    }
}

/// What a province may not exceed for one key, set by the nation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The worst colour admitted.
    pub at_most: Colour,
    /// The best colour admitted as the row's worst; green asks for nothing.
    pub at_least: Colour,
    /// The longest time that a clearing may ask for, and the latest lapse, if limited.
    pub longest: Option<Offset>,
}

/// The nation's bounds: one for each key that has one, and the longest look-back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Bounds {
    /// By key.
    pub of_key: Vec<Option<Bound>>,
    /// The longest look-back for each grade.
    pub lookback_hours: LookbackHours,
}

/// A rule set that passed the linter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleSet {
    id: RuleSetId,
    version: u32,
    authority: Text,
    title: Text,
    source: String,
    validity: Validity,
    rules: Vec<Rule>,
    otherwise: Option<Text>,
    rule_of_key: Vec<Option<u8>>,
    table: RowTable,
    bounds: Option<Bounds>,
    digest_sha256: [u8; 32],
}

impl RuleSet {
    /// The identifiers of the built-in rule sets.
    pub const BUILT_IN: [&'static str; 2] = ["hz-2020-02", "fj-2022-08"];

    /// A built-in rule set.
    ///
    /// # Errors
    /// [`RuleSetError::UnknownId`] unless `id` is one of [`RuleSet::BUILT_IN`].
    pub fn built_in(id: &str) -> Result<Self, RuleSetError> {
        match id {
            "hz-2020-02" => Self::from_toml(HZ_2020_02),
            "fj-2022-08" => Self::from_toml(FJ_2022_08),
            other => Err(RuleSetError::UnknownId(other.chars().take(32).collect())),
        }
    }

    /// Reads a rule set from TOML of format 1 (README, "Rule-set files") and lints it.
    ///
    /// # Errors
    /// [`RuleSetError`].
    pub fn from_toml(text: &str) -> Result<Self, RuleSetError> {
        if text.len() > MAX_RULE_SET_LEN_BYTES {
            return Err(RuleSetError::TooLong(text.len()));
        }
        let file: RuleSetFile =
            toml::from_str(text).map_err(|e| RuleSetError::Toml(e.message().to_owned()))?;
        if file.format != 1 {
            return Err(RuleSetError::UnknownFormat(file.format));
        }
        let linted = lint(&file).map_err(RuleSetError::Lint)?;
        let rules = file.rule.into_iter().map(|r| Rule {
            id: r.id,
            text: Text { zh: r.zh, en: r.en },
            source: r.source,
        });
        let mut set = Self {
            id: linted.id,
            version: file.version,
            authority: file.authority,
            title: file.title,
            source: file.source,
            validity: linted.validity,
            rules: rules.collect(),
            otherwise: file.otherwise,
            rule_of_key: linted.rule_of_key,
            table: linted.table,
            bounds: linted.bounds,
            digest_sha256: [0; 32],
        };
        set.digest_sha256 = digest::digest(&set);
        Ok(set)
    }

    /// Its published name.
    pub fn id(&self) -> &RuleSetId {
        &self.id
    }

    /// Its version, at least 1; versions of one id only rise.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The province that it is for, or the nation.
    pub fn province(&self) -> ProvinceCode {
        self.table.province()
    }

    /// Who published it.
    pub fn authority(&self) -> &Text {
        &self.authority
    }

    /// What it is called.
    pub fn title(&self) -> &Text {
        &self.title
    }

    /// Where it was published.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// When it was announced and holds.
    pub fn validity(&self) -> &Validity {
        &self.validity
    }

    /// Its rules, in the order of publication.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule that speaks of a key; none where only [`RuleSet::otherwise`] does.
    pub fn rule_of(&self, key: Key) -> Option<&Rule> {
        let index = (*self.rule_of_key.get(usize::from(key.code()))?)?;
        self.rules.get(usize::from(index))
    }

    /// What it says about everything that no rule names, if it leaves anything unnamed: it never colours.
    pub fn otherwise(&self) -> Option<&Text> {
        self.otherwise.as_ref()
    }

    /// The compiled rows, one for each of the 96 keys.
    pub fn table(&self) -> &RowTable {
        &self.table
    }

    /// The bounds that a nation's set puts on the provinces'.
    pub fn bounds(&self) -> Option<&Bounds> {
        self.bounds.as_ref()
    }

    /// SHA-256 over the canonical form (README, "Rule-set digest").
    pub fn digest_sha256(&self) -> [u8; 32] {
        self.digest_sha256
    }
}

/// The worst and the best colour of a row's phases.
pub(crate) fn colours(row: &crate::Row) -> (Colour, Colour) {
    (row.first.max(row.then), row.first.min(row.then))
}

#[cfg(test)]
mod tests;
