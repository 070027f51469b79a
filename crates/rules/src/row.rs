//! Rule rows: the normal form that every published rule set compiles to, and the dense table of them.

use serde::{Deserialize, Serialize};

use crate::{Colour, Error, FactKind, Grade, Minute, ProvinceCode};

/// Keys of the dense table: 64 for facts, 32 for stays.
pub const KEYS: usize = 96;
/// Distinct rows that one table can hold.
pub const MAX_ROWS: usize = 26;
/// Largest count in an [`Offset`], a span or a look-back.
pub const MAX_COUNT: u16 = 1023;

/// A distance in time from an anchor, in hours or in UTC+8 calendar days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Offset {
    /// So many times sixty minutes after the anchor.
    Hours(u16),
    /// The UTC+8 midnight that begins the day so many days after the anchor's day.
    Days(u16),
}

impl Offset {
    /// No distance.
    pub const ZERO: Offset = Offset::Hours(0);

    /// The first minute at or after which this distance from `anchor` is reached, as minutes since the epoch.
    /// It may lie beyond [`Minute::MAX`], and then is never reached; before the epoch it is negative.
    pub fn from_anchor(self, anchor: Minute) -> i64 {
        let anchor_min = i64::from(anchor.get());
        match self {
            Self::Hours(n) => anchor_min + 60 * i64::from(n),
            Self::Days(n) => anchor_min - i64::from(anchor.minute_of_day()) + 1440 * i64::from(n),
        }
    }

    /// Whether `at` has reached this distance from `anchor`.
    pub fn reached(self, anchor: Minute, at: Minute) -> bool {
        i64::from(at.get()) >= self.from_anchor(anchor)
    }

    /// The count of hours or days.
    pub const fn count(self) -> u16 {
        match self {
            Self::Hours(n) | Self::Days(n) => n,
        }
    }
}

/// One way out of a reason: all of its conditions must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clearing {
    /// Least time since the anchor.
    pub after: Offset,
    /// Negative tests needed, 0 to 3.
    pub negatives: u8,
    /// Least hours between two successive ones of them, 1 to 128.
    pub gap_hours: u8,
    /// Most hours from the first to the last of them, 0 to 1023.
    pub span_hours: u16,
    /// Earliest sampling of the first, in hours after the anchor, −256 to 255.
    pub neg_from_hours: i16,
    /// Consecutive days of normal check-in needed in one run after the anchor's day, 0 to 31.
    pub check_in_days: u8,
}

/// What a key means under a rule set: colours over time, and how they end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Colour from the anchor until `switch`.
    pub first: Colour,
    /// When `then` replaces `first`.
    pub switch: Offset,
    /// Colour from `switch` until cleared or lapsed.
    pub then: Colour,
    /// When the reason ends by itself; never where absent. A lapse has a count of at least 1.
    pub lapse: Option<Offset>,
    /// Up to two ways out; any one suffices.
    pub clearing: [Option<Clearing>; 2],
}

impl Row {
    /// The row that never colours.
    pub const INERT: Row = Row {
        first: Colour::Green,
        switch: Offset::ZERO,
        then: Colour::Green,
        lapse: None,
        clearing: [None, None],
    };

    /// Whether this row never colours.
    pub fn is_inert(&self) -> bool {
        self.first == Colour::Green && self.then == Colour::Green
    }

    /// Whether a later anchor never gives a better colour, so that grounds may merge to their latest anchor.
    /// Clearing, lapse and switch only recede with a later anchor; so it suffices that the colours do not rise.
    pub fn is_monotone(&self) -> bool {
        self.first >= self.then
    }

    /// Checks every count against the width that the canonical encoding gives it.
    ///
    /// # Errors
    /// [`Error::Row`] with what is out of range.
    pub fn check(&self) -> Result<(), Error> {
        let offset = |o: Offset, what| {
            if o.count() > MAX_COUNT {
                Err(Error::Row(what))
            } else {
                Ok(())
            }
        };
        offset(self.switch, "switch above 1023")?;
        if let Some(lapse) = self.lapse {
            offset(lapse, "lapse above 1023")?;
            if lapse.count() == 0 {
                return Err(Error::Row("lapse of 0; leave it out for never"));
            }
        }
        for clearing in self.clearing.iter().flatten() {
            offset(clearing.after, "after above 1023")?;
            let fits = clearing.negatives <= 3
                && (1..=128).contains(&clearing.gap_hours)
                && clearing.span_hours <= MAX_COUNT
                && (-256..=255).contains(&clearing.neg_from_hours)
                && clearing.check_in_days <= 31;
            if !fits {
                return Err(Error::Row(
                    "a clearing's negatives (3), gap (1-128), span (1023), neg_from (-256-255) or check-ins (31)",
                ));
            }
        }
        Ok(())
    }
}

/// The key under which a ground finds its row, below [`KEYS`].
///
/// Facts: `kind + 16·ended + 32·local`. Stays: `64 + worst + 4·at_end + 16·present`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Key(u8);

impl Key {
    /// The key of a fact: its kind, whether it has an end, and whether its province is the rule set's.
    pub fn of_fact(kind: FactKind, ended: bool, local: bool) -> Self {
        Self(kind.code() + 16 * u8::from(ended) + 32 * u8::from(local))
    }

    /// The key of a stay: worst grade met, grade at its end (or now), and whether it goes on.
    pub fn of_stay(worst: Grade, at_end: Grade, present: bool) -> Self {
        Self(64 + worst.code() + 4 * at_end.code() + 16 * u8::from(present))
    }

    /// A key from its number, if below [`KEYS`].
    pub fn from_code(code: u8) -> Option<Self> {
        (usize::from(code) < KEYS).then_some(Self(code))
    }

    /// The number, below [`KEYS`].
    pub const fn code(self) -> u8 {
        self.0
    }

    /// Whether no ground can have this key: kind 0, or a stay that met no listing. Its row must be inert.
    pub const fn is_no_ground(self) -> bool {
        if self.is_stay() {
            self.0.is_multiple_of(4)
        } else {
            self.0.is_multiple_of(16)
        }
    }

    /// Whether this is a key of stays.
    pub const fn is_stay(self) -> bool {
        self.0 >= 64
    }
}

/// Hours by which a listing reaches back before its `since`, by grade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookbackHours {
    /// For low-risk listings.
    pub low: u16,
    /// For medium-risk listings.
    pub medium: u16,
    /// For high-risk listings.
    pub high: u16,
}

impl LookbackHours {
    /// Hours for a grade; none for [`Grade::None`].
    pub const fn of(self, grade: Grade) -> u16 {
        match grade {
            Grade::None => 0,
            Grade::Low => self.low,
            Grade::Medium => self.medium,
            Grade::High => self.high,
        }
    }
}

/// The compiled rule set: every key has exactly one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowTable {
    province: ProvinceCode,
    lookback_hours: LookbackHours,
    row_of_key: Vec<u8>,
    rows: Vec<Row>,
}

impl RowTable {
    /// A table from a row for each key; equal rows are stored once, in order of first use.
    ///
    /// # Errors
    /// [`Error::Row`] for a row out of range, a look-back above 1023 hours, more than [`MAX_ROWS`] distinct rows, or a
    /// key of no ground whose row colours.
    pub fn new(
        province: ProvinceCode,
        lookback_hours: LookbackHours,
        row_of: impl Fn(Key) -> Row,
    ) -> Result<Self, Error> {
        let LookbackHours { low, medium, high } = lookback_hours;
        if low.max(medium).max(high) > MAX_COUNT {
            return Err(Error::Row("look-back above 1023 hours"));
        }
        let mut rows: Vec<Row> = Vec::new();
        let mut row_of_key = Vec::with_capacity(KEYS);
        for code in 0..KEYS {
            let key = Key(u8::try_from(code).unwrap_or(u8::MAX));
            let row = row_of(key);
            row.check()?;
            if key.is_no_ground() && !row.is_inert() {
                return Err(Error::Row("a key of no ground colours"));
            }
            let index = rows.iter().position(|r| *r == row).unwrap_or_else(|| {
                rows.push(row);
                rows.len() - 1
            });
            row_of_key.push(u8::try_from(index).unwrap_or(u8::MAX));
        }
        if rows.len() > MAX_ROWS {
            return Err(Error::Row("more than 26 distinct rows"));
        }
        Ok(Self {
            province,
            lookback_hours,
            row_of_key,
            rows,
        })
    }

    /// The province whose events are local, or the nation.
    pub const fn province(&self) -> ProvinceCode {
        self.province
    }

    /// How far listings reach back.
    pub const fn lookback_hours(&self) -> LookbackHours {
        self.lookback_hours
    }

    /// For each key, in order, the index of its row in [`RowTable::rows`].
    pub fn row_of_key(&self) -> &[u8] {
        &self.row_of_key
    }

    /// The distinct rows, at most [`MAX_ROWS`].
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of a key.
    pub fn row(&self, key: Key) -> &Row {
        &self.rows[usize::from(self.row_of_key[usize::from(key.0)])]
    }
}
