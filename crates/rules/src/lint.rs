//! What a rule set must satisfy before it can colour anybody, and what a province's must satisfy beside the nation's.

use crate::rule_set::{
    Bound, Bounds, Case, MAX_RULES, RuleSet, RuleSetFile, RuleSetId, Text, Validity, colours,
};
use crate::{
    Clearing, Colour, Day, FactKind, Grade, KEYS, Key, MINUTES_PER_DAY, Offset, ProvinceCode, Row,
    RowTable,
};

/// Days from announcement to force, unless it is flagged as an emergency.
pub const NOTICE_DAYS: u16 = 2;
/// Bytes of one text in one language.
pub const MAX_TEXT_LEN_BYTES: usize = 2000;
/// Grounds that an authority states at its discretion; they end by themselves unless renewed.
pub const DISCRETIONARY: [FactKind; 4] = [
    FactKind::SuspectedCase,
    FactKind::PossibleLink,
    FactKind::AssistList,
    FactKind::PotentialRisk,
];

/// What the linter refuses; the author of the rule set is at fault. [`Finding::code`] is stable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// An id that is not 3 to 32 of `a-z`, `0-9` and `-`.
    #[error("the id has 3 to 32 of a-z, 0-9 and -")]
    BadId,
    /// A version of 0.
    #[error("versions begin at 1")]
    BadVersion,
    /// A date that is none, or announced ≤ from < until does not hold.
    #[error("announced, valid_from and valid_until are dates in this order")]
    BadDates,
    /// In force less than 48 hours after the announcement without the flag.
    #[error("in force less than 48 hours after its announcement, and no emergency")]
    ShortNotice,
    /// A text that is missing in a language, or too long.
    #[error("{0}: a text is empty or above 2000 bytes")]
    BadText(String),
    /// No rule, more than 64, or two with one id.
    #[error("1 to 64 rules, each with its own id of 1 to 8 letters or digits")]
    BadRules,
    /// A pattern that names neither facts nor stays, or both, or nothing.
    #[error("rule {0}: a pattern names facts or stays, not both, and at least one")]
    BadPattern(String),
    /// A pattern of local events in the nation's set, for which none is local.
    #[error("rule {0}: nothing is local to the nation")]
    LocalToNation(String),
    /// Two patterns with one key.
    #[error("key {key} has two rows, the second in rule {rule}")]
    Overlap {
        /// The key.
        key: u8,
        /// The second rule.
        rule: String,
    },
    /// A key without a row, and no `otherwise` that says it is inert.
    #[error("key {0} has no row, and the file does not say that the rest never colours")]
    Uncovered(u8),
    /// A row with parts that contradict each other or leave their range.
    #[error("rule {rule}: {what}")]
    BadRow {
        /// The rule.
        rule: String,
        /// What is wrong.
        what: String,
    },
    /// More distinct rows than a table holds, or a look-back above its limit.
    #[error("the table: {0}")]
    BadTable(String),
    /// A way out that is open from the start: the row would never colour.
    #[error("rule {0}: a way out is open from the start")]
    NeverColours(String),
    /// A way out that cannot be met: its tests do not fit into their span.
    #[error("rule {0}: a way out cannot be met, its tests do not fit into their span")]
    CannotClear(String),
    /// A colour that nothing ends.
    #[error("key {0} colours and has no exit")]
    NoExit(u8),
    /// A discretionary ground that colours without a lapse.
    #[error("key {0} is discretionary and does not lapse")]
    NoLapse(u8),
    /// A stay that met no listing, and colours.
    #[error("key {0} colours a stay that met no listing")]
    UnlistedColours(u8),
    /// A stay that cannot be (a grade at its end above the worst it met), and colours.
    #[error("key {0} colours a stay that cannot be")]
    ImpossibleColours(u8),
    /// A colour that rises with time unannounced, or is announced and does not rise.
    #[error("rule {0}: `rises` does not say whether the colour rises")]
    Rises(String),
    /// Bounds in a province's set.
    #[error("only the nation's set has bounds")]
    BoundsOfProvince,
}

impl Finding {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BadId => "bad-id",
            Self::BadVersion => "bad-version",
            Self::BadDates => "bad-dates",
            Self::ShortNotice => "short-notice",
            Self::BadText(_) => "bad-text",
            Self::BadRules => "bad-rules",
            Self::BadPattern(_) => "bad-pattern",
            Self::LocalToNation(_) => "local-to-nation",
            Self::Overlap { .. } => "overlap",
            Self::Uncovered(_) => "uncovered",
            Self::BadRow { .. } => "bad-row",
            Self::BadTable(_) => "bad-table",
            Self::NeverColours(_) => "never-colours",
            Self::CannotClear(_) => "cannot-clear",
            Self::NoExit(_) => "no-exit",
            Self::NoLapse(_) => "no-lapse",
            Self::UnlistedColours(_) => "unlisted-colours",
            Self::ImpossibleColours(_) => "impossible-colours",
            Self::Rises(_) => "rises",
            Self::BoundsOfProvince => "bounds-of-province",
        }
    }
}

/// Where a province's set leaves the nation's bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Outside {
    /// The first set is not the nation's, or has no bounds.
    #[error("the first rule set is not the nation's, or has no bounds")]
    NoBounds,
    /// A look-back longer than the nation's.
    #[error("the look-back for grade {0:?} is longer than the nation's")]
    Lookback(Grade),
    /// A colour worse than the bound.
    #[error("key {0} colours worse than the nation admits")]
    TooStrict(u8),
    /// A colour better than the bound.
    #[error("key {0} colours less than the nation asks for")]
    TooLax(u8),
    /// A time that is longer than the bound.
    #[error("key {0} lasts longer than the nation admits")]
    TooLong(u8),
}

/// Everything in which `province` leaves the bounds of `nation`; within them if empty.
pub fn within(nation: &RuleSet, province: &RuleSet) -> Vec<Outside> {
    let Some(bounds) = nation.bounds() else {
        return vec![Outside::NoBounds];
    };
    let table = province.table();
    let mut outside: Vec<Outside> = Grade::ALL
        .into_iter()
        .filter(|g| table.lookback_hours().of(*g) > bounds.lookback_hours.of(*g))
        .map(Outside::Lookback)
        .collect();
    for (code, bound) in (0..).zip(&bounds.of_key) {
        if let (Some(bound), Some(key)) = (*bound, Key::from_code(code)) {
            outside.extend(row_outside(table.row(key), bound, code));
        }
    }
    outside
}

fn row_outside(row: &Row, bound: Bound, key: u8) -> Vec<Outside> {
    let mut outside = Vec::new();
    let (worst, _) = colours(row);
    if worst > bound.at_most {
        outside.push(Outside::TooStrict(key));
    }
    if worst < bound.at_least {
        outside.push(Outside::TooLax(key));
    }
    if let Some(longest) = bound.longest {
        let times = row.clearing.iter().flatten().map(|c| c.after);
        if times
            .chain(row.lapse)
            .any(|t| length_min(t) > length_min(longest))
        {
            outside.push(Outside::TooLong(key));
        }
    }
    outside
}

/// The longest that an offset can last, in minutes.
fn length_min(offset: Offset) -> u32 {
    match offset {
        Offset::Hours(n) => 60 * u32::from(n),
        Offset::Days(n) => MINUTES_PER_DAY * u32::from(n),
    }
}

/// What the linter hands on.
pub(crate) struct Linted {
    pub(crate) id: RuleSetId,
    pub(crate) validity: Validity,
    pub(crate) rule_of_key: Vec<Option<u8>>,
    pub(crate) table: RowTable,
    pub(crate) bounds: Option<Bounds>,
}

/// A row with the index of its rule.
type Placed = Option<(u8, Row)>;

pub(crate) fn lint(file: &RuleSetFile) -> Result<Linted, Vec<Finding>> {
    let mut found = Vec::new();
    let id: Result<RuleSetId, Finding> = file.id.parse();
    if file.version == 0 {
        found.push(Finding::BadVersion);
    }
    let validity = validity(file, &mut found);
    lint_texts(file, &mut found);
    let placed = place(file, &mut found);
    lint_keys(&placed, &mut found);
    let bounds = bounds(file, &mut found);
    let id = id.map_err(|e| found.insert(0, e));
    if !found.is_empty() {
        return Err(found);
    }
    let table = RowTable::new(file.province, file.lookback_hours, |key| {
        row_of(&placed, key)
    })
    .map_err(|e| vec![Finding::BadTable(e.to_string())])?;
    match (id, validity) {
        (Ok(id), Some(validity)) => Ok(Linted {
            id,
            validity,
            rule_of_key: placed.iter().map(|p| p.map(|(rule, _)| rule)).collect(),
            table,
            bounds,
        }),
        _ => Err(found),
    }
}

fn row_of(placed: &[Placed], key: Key) -> Row {
    placed[usize::from(key.code())].map_or(Row::INERT, |(_, row)| row)
}

fn validity(file: &RuleSetFile, found: &mut Vec<Finding>) -> Option<Validity> {
    let dates =
        [&file.announced, &file.valid_from, &file.valid_until].map(|text| text.parse::<Day>().ok());
    let [Some(announced), Some(from), Some(until)] = dates else {
        found.push(Finding::BadDates);
        return None;
    };
    if announced > from || from >= until {
        found.push(Finding::BadDates);
    }
    let short = from.get() < announced.get().saturating_add(NOTICE_DAYS);
    if short && !file.emergency {
        found.push(Finding::ShortNotice);
    }
    Some(Validity {
        announced: announced.first_minute(),
        from: from.first_minute(),
        until: until.first_minute(),
        emergency: file.emergency,
    })
}

fn lint_texts(file: &RuleSetFile, found: &mut Vec<Finding>) {
    let bad = |s: &str| s.trim().is_empty() || s.len() > MAX_TEXT_LEN_BYTES;
    let bad_text = |t: &Text| bad(&t.zh) || bad(&t.en);
    let heads = [
        ("title", bad_text(&file.title)),
        ("authority", bad_text(&file.authority)),
        ("source", bad(&file.source)),
        ("otherwise", file.otherwise.as_ref().is_some_and(bad_text)),
    ];
    let heads = heads.into_iter().filter(|(_, bad)| *bad);
    found.extend(heads.map(|(what, _)| Finding::BadText(what.to_owned())));
    for rule in &file.rule {
        if bad(&rule.zh) || bad(&rule.en) || bad(&rule.source) {
            found.push(Finding::BadText(format!("rule {}", rule.id)));
        }
    }
    let ids: std::collections::BTreeSet<&str> = file.rule.iter().map(|r| r.id.as_str()).collect();
    let well_named =
        |id: &&str| (1..=8).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let counted = (1..=MAX_RULES).contains(&file.rule.len()) && ids.len() == file.rule.len();
    if !counted || !ids.iter().all(well_named) {
        found.push(Finding::BadRules);
    }
}

/// Gives each key its row; every key must get exactly one, or the file must say that the rest never colours.
fn place(file: &RuleSetFile, found: &mut Vec<Finding>) -> Vec<Placed> {
    let mut placed: Vec<Placed> = vec![None; KEYS];
    for (index, rule) in file.rule.iter().enumerate().take(MAX_RULES) {
        for case in &rule.case {
            let row = lint_row(case, &rule.id, found);
            for pattern in &case.on {
                if file.province == ProvinceCode::NATION && pattern.local.is_some() {
                    found.push(Finding::LocalToNation(rule.id.clone()));
                }
                let Some(keys) = pattern.keys() else {
                    found.push(Finding::BadPattern(rule.id.clone()));
                    continue;
                };
                for key in keys {
                    let place = &mut placed[usize::from(key.code())];
                    if place.is_some() {
                        found.push(Finding::Overlap {
                            key: key.code(),
                            rule: rule.id.clone(),
                        });
                    }
                    *place = Some((u8::try_from(index).unwrap_or(u8::MAX), row));
                }
            }
        }
        if rule.case.is_empty() || rule.case.iter().any(|c| c.on.is_empty()) {
            found.push(Finding::BadPattern(rule.id.clone()));
        }
    }
    if file.otherwise.is_none() {
        let uncovered = (0u8..)
            .zip(&placed)
            .filter(|(code, place)| place.is_none() && is_nameable(*code));
        found.extend(uncovered.map(|(code, _)| Finding::Uncovered(code)));
    }
    placed
}

/// Keys 0, 16, 32 and 48 have no kind of fact; nothing ever has them.
fn is_nameable(code: u8) -> bool {
    code >= 64 || !code.is_multiple_of(16)
}

fn lint_row(case: &Case, rule: &str, found: &mut Vec<Finding>) -> Row {
    let mut bad = |what: String| {
        found.push(Finding::BadRow {
            rule: rule.to_owned(),
            what,
        });
    };
    let row = match case.row() {
        Ok(row) => row,
        Err(what) => {
            bad(what.to_owned());
            return Row::INERT;
        }
    };
    if let Err(error) = row.check() {
        bad(error.to_string());
    }
    if row.then == Colour::Green && row.first != Colour::Green {
        bad("a colour that fades to green is a lapse".to_owned());
    }
    let has_exit = row.lapse.is_some() || row.clearing != [None, None];
    if row.is_inert() && has_exit {
        bad("a row that never colours has no way out".to_owned());
    }
    if row.first != row.then
        && row
            .lapse
            .is_some_and(|lapse| length_min(lapse) <= length_min(row.switch))
    {
        bad("it lapses before its second phase".to_owned());
    }
    for way in row.clearing.iter().flatten() {
        if way.after.count() == 0 && way.negatives == 0 && way.check_in_days == 0 {
            found.push(Finding::NeverColours(rule.to_owned()));
        }
        if !can_be_met(way) {
            found.push(Finding::CannotClear(rule.to_owned()));
        }
    }
    if case.rises == row.is_monotone() {
        found.push(Finding::Rises(rule.to_owned()));
    }
    row
}

fn can_be_met(way: &Clearing) -> bool {
    let gaps = u16::from(way.negatives.saturating_sub(1)) * u16::from(way.gap_hours);
    gaps <= way.span_hours
}

fn lint_keys(placed: &[Placed], found: &mut Vec<Finding>) {
    for code in 0..KEYS {
        let Some(key) = u8::try_from(code).ok().and_then(Key::from_code) else {
            continue;
        };
        if row_of(placed, key).is_inert() {
            continue;
        }
        if key.is_stay() {
            lint_stay_key(placed, key, found);
        } else {
            lint_fact_key(placed, key, found);
        }
    }
}

/// Ends by itself or by what the resident does.
fn ends_itself(row: &Row) -> bool {
    row.is_inert() || row.lapse.is_some() || row.clearing != [None, None]
}

fn lint_fact_key(placed: &[Placed], key: Key, found: &mut Vec<Finding>) {
    let (code, row) = (key.code(), row_of(placed, key));
    let (kind, ended, local) = (code % 16, code / 16 % 2 == 1, code / 32 == 1);
    let Some(kind) = FactKind::ALL.into_iter().find(|k| k.code() == kind) else {
        return;
    };
    let ends = ends_itself(&row)
        || !ended && ends_itself(&row_of(placed, Key::of_fact(kind, true, local)));
    if !ends {
        found.push(Finding::NoExit(code));
    }
    if DISCRETIONARY.contains(&kind) && row.lapse.is_none() {
        found.push(Finding::NoLapse(code));
    }
}

/// While somebody stays in a listed area the anchor moves and no time passes, so only an event helps: the area's
/// release, or leaving.
fn lint_stay_key(placed: &[Placed], key: Key, found: &mut Vec<Finding>) {
    let code = key.code();
    let of = |bits: u8| Grade::ALL[usize::from(bits % 4)];
    let (worst, at_end, present) = (of(code), of(code / 4), code >= 80);
    if worst == Grade::None {
        found.push(Finding::UnlistedColours(code));
        return;
    }
    if at_end > worst {
        found.push(Finding::ImpossibleColours(code));
        return;
    }
    let by = |at_end, present| ends_itself(&row_of(placed, Key::of_stay(worst, at_end, present)));
    let moves = present && (at_end >= Grade::Medium || at_end == worst);
    let ends = if moves {
        by(Grade::None, true) || by(at_end, false)
    } else {
        by(at_end, present) || present && by(at_end, false)
    };
    if !ends {
        found.push(Finding::NoExit(code));
    }
}

fn bounds(file: &RuleSetFile, found: &mut Vec<Finding>) -> Option<Bounds> {
    let given = file.bounds.as_ref()?;
    if file.province != ProvinceCode::NATION {
        found.push(Finding::BoundsOfProvince);
    }
    let mut of_key = vec![None; KEYS];
    for row in &given.row {
        let bound = Bound {
            at_most: row.at_most,
            at_least: row.at_least,
            longest: row.longest,
        };
        if bound.at_least > bound.at_most {
            found.push(Finding::BadRow {
                rule: "bounds".to_owned(),
                what: "at_least above at_most".to_owned(),
            });
        }
        for pattern in &row.on {
            let Some(keys) = pattern.keys() else {
                found.push(Finding::BadPattern("bounds".to_owned()));
                continue;
            };
            for key in keys {
                of_key[usize::from(key.code())] = Some(bound);
            }
        }
    }
    Some(Bounds {
        of_key,
        lookback_hours: given.lookback_hours,
    })
}

#[cfg(test)]
mod tests;
