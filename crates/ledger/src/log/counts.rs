//! Numbers of people and events as they are published: rounded, and small ones not at all (docs/adr/0019).
//!
//! What is counted stands in cells that do not overlap. The rest – the green, the unchanged – is never a cell, and no sum of
//! cells is published beside them. So whoever knows how many residents there are, and every cell but one, still finds all that
//! `<10` can stand for possible in that one.

use commitment::layout::{LayoutError, Reader, put_count};
use commitment::{Fr, Minute, ProvinceCode, fr_to_bytes};

use super::entry::{MAX_NAME_LEN_BYTES, read_name};

mod appeals;
mod retention;

pub use appeals::{AppealCounts, Bounds, Wait};
pub use retention::RetentionCounts;

/// The least number that is published.
pub const SMALLEST: u32 = 10;
/// Numbers are multiples of this.
pub const STEP: u32 = 10;
/// Longest name of a rule within its set.
const MAX_RULE_LEN_BYTES: usize = 8;
/// Most cells of one entry: a rule set has at most 64 rules, each can give two colours; of a change each of them three.
const MAX_CELLS: usize = 384;
/// Most cells of one part of the counts by source.
pub const SOURCE_CELLS_OF_PART: usize = 500;

/// A number as it is published: at least 10 and to the nearest 10, or that it is smaller than 10.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rounded(u32);

impl Rounded {
    /// Fewer than [`SMALLEST`], and perhaps none.
    pub const FEW: Self = Self(0);

    /// A number, rounded half up; beyond four thousand million it is that.
    pub fn of(number: u64) -> Self {
        let most = u64::from(u32::MAX / STEP * STEP);
        let nearest = number.saturating_add(u64::from(STEP / 2)).min(most) / u64::from(STEP);
        match u32::try_from(nearest) {
            Ok(tens) if number >= u64::from(SMALLEST) => Self(tens * STEP),
            _ => Self::FEW,
        }
    }

    /// The number as it is written: 0 for few, else a multiple of [`STEP`].
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The least number that this can stand for.
    pub const fn least(self) -> u32 {
        match self.0 {
            0 => 0,
            near if near - STEP / 2 < SMALLEST => SMALLEST,
            near => near - STEP / 2,
        }
    }

    /// The greatest number that this can stand for.
    pub const fn most(self) -> u32 {
        match self.0 {
            0 => SMALLEST - 1,
            near => near + (STEP - 1) / 2,
        }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0.to_be_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let number = reader.u32()?;
        if number.is_multiple_of(STEP) && (number == 0 || number >= SMALLEST) {
            Ok(Self(number))
        } else {
            Err(LayoutError::Invalid("a number that is not rounded"))
        }
    }
}

impl std::fmt::Display for Rounded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            0 => write!(f, "<{SMALLEST}"),
            near => write!(f, "{near}"),
        }
    }
}

/// A colour that is counted or changed: 0 green, 1 yellow, 2 red.
pub type ColourCode = u8;

/// The rule set that people are counted under.
///
/// Layout: name (length 1, then the bytes, at most 64) · version 4 · province or nation 1 · row-table digest 32 · SHA-256 of its
/// canonical text 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountedSet {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
    /// Whose it is.
    pub scope: ProvinceCode,
    /// The digest of its row table.
    pub digest: Fr,
    /// SHA-256 of its canonical text.
    pub text_sha256: [u8; 32],
}

/// How many people have a colour by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColourCell {
    /// The colour; not green.
    pub colour: ColourCode,
    /// The rule, by its name within the set: of all that give a person that colour the first.
    pub rule: String,
    /// How many.
    pub people: Rounded,
}

/// How many people of a province had which colour by which rule at the end of a day. Each person who is not green stands in one
/// cell; the cells are all that the rule set can give.
///
/// Layout: day 2 · residents 4 · rule set · cells (count 2; colour 1, rule (length 1, at most 8 bytes), people 4), ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColourCounts {
    /// The day, UTC+8, days since the Unix epoch.
    pub day: u16,
    /// People with a record.
    pub residents: Rounded,
    /// The rule set.
    pub set: CountedSet,
    /// The cells.
    pub cells: Vec<ColourCell>,
}

/// How many people would change from one colour to another by a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactCell {
    /// The colour under the set in force.
    pub from: ColourCode,
    /// The colour under the new set; another.
    pub to: ColourCode,
    /// For the worse the new set's rule, for the better that of the one in force: of all that give the worse colour the first.
    pub rule: String,
    /// How many.
    pub people: Rounded,
}

/// How many people of a province would have had another colour under a new rule set at one moment. Each of them stands in one
/// cell.
///
/// Layout: at 4 · residents 4 · new set · flag "there is one in force" 1 · that · cells (count 2; from 1, to 1, rule (length 1, at
/// most 8 bytes), people 4), ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImpactCount {
    /// When they were counted.
    pub at: Minute,
    /// People with a record.
    pub residents: Rounded,
    /// The new set.
    pub set: CountedSet,
    /// The set in force of the same province, or the nation's; without one everybody counts as green before.
    pub before: Option<CountedSet>,
    /// The cells.
    pub cells: Vec<ImpactCell>,
}

/// How many events of a kind a source stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceCell {
    /// The source's province.
    pub province: ProvinceCode,
    /// Code of the source's kind.
    pub kind: u8,
    /// The source's number.
    pub number: u32,
    /// Code of the kind of fact, one of the discretionary ones.
    pub fact: u8,
    /// How many.
    pub events: Rounded,
}

/// How many events of discretionary kinds each source stated that this home took on a day. A source that is entitled and not
/// listed stated fewer than 10.
///
/// Layout: day 2 · part 1 · parts 1 · cells (count 2; province 1, kind 1, number 4, fact 1, events 4), ascending over all parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceCounts {
    /// The day, UTC+8, days since the Unix epoch.
    pub day: u16,
    /// Which part this is; the first is 0.
    pub part: u8,
    /// How many there are.
    pub parts: u8,
    /// At most [`SOURCE_CELLS_OF_PART`] cells.
    pub cells: Vec<SourceCell>,
}

impl CountedSet {
    fn write(&self, out: &mut Vec<u8>) {
        put_name(out, &self.name, MAX_NAME_LEN_BYTES);
        out.extend_from_slice(&self.version.to_be_bytes());
        out.push(self.scope.get());
        out.extend_from_slice(&fr_to_bytes(self.digest));
        out.extend_from_slice(&self.text_sha256);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        Ok(Self {
            name: read_name(reader, MAX_NAME_LEN_BYTES)?,
            version: reader.u32()?,
            scope: reader.province()?,
            digest: reader.fr()?,
            text_sha256: reader.array()?,
        })
    }
}

impl ColourCounts {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.day.to_be_bytes());
        self.residents.write(out);
        self.set.write(out);
        put_count(out, self.cells.len());
        for cell in &self.cells {
            out.push(cell.colour);
            put_name(out, &cell.rule, MAX_RULE_LEN_BYTES);
            cell.people.write(out);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let (day, residents) = (reader.u16()?, Rounded::read(reader)?);
        let set = CountedSet::read(reader)?;
        let count = reader.count("cells", MAX_CELLS)?;
        let cells = (0..count).map(|_| {
            Ok(ColourCell {
                colour: colour(reader)?,
                rule: read_name(reader, MAX_RULE_LEN_BYTES)?,
                people: Rounded::read(reader)?,
            })
        });
        let cells: Vec<ColourCell> = cells.collect::<Result<_, LayoutError>>()?;
        if cells.iter().any(|cell| cell.colour == 0) {
            return Err(LayoutError::Invalid("a count of the green"));
        }
        ascending(&cells, |cell| (cell.colour, cell.rule.clone()))?;
        Ok(Self {
            day,
            residents,
            set,
            cells,
        })
    }
}

impl ImpactCount {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.at.get().to_be_bytes());
        self.residents.write(out);
        self.set.write(out);
        out.push(u8::from(self.before.is_some()));
        if let Some(before) = &self.before {
            before.write(out);
        }
        put_count(out, self.cells.len());
        for cell in &self.cells {
            out.extend([cell.from, cell.to]);
            put_name(out, &cell.rule, MAX_RULE_LEN_BYTES);
            cell.people.write(out);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let (at, residents) = (reader.minute()?, Rounded::read(reader)?);
        let set = CountedSet::read(reader)?;
        let before = match reader.u8()? {
            0 => None,
            1 => Some(CountedSet::read(reader)?),
            _ => return Err(LayoutError::Invalid("a flag above 1")),
        };
        let count = reader.count("cells", MAX_CELLS)?;
        let cells = (0..count).map(|_| {
            Ok(ImpactCell {
                from: colour(reader)?,
                to: colour(reader)?,
                rule: read_name(reader, MAX_RULE_LEN_BYTES)?,
                people: Rounded::read(reader)?,
            })
        });
        let cells: Vec<ImpactCell> = cells.collect::<Result<_, LayoutError>>()?;
        if cells.iter().any(|cell| cell.from == cell.to) {
            return Err(LayoutError::Invalid("a change to the same colour"));
        }
        ascending(&cells, |cell| (cell.from, cell.to, cell.rule.clone()))?;
        Ok(Self {
            at,
            residents,
            set,
            before,
            cells,
        })
    }
}

impl SourceCell {
    fn key(&self) -> (u8, u8, u32, u8) {
        (self.province.get(), self.kind, self.number, self.fact)
    }
}

impl SourceCounts {
    /// Cuts ascending cells into parts; of too many the last are left out. A day without cells has one part.
    pub fn parts_of(day: u16, cells: &[SourceCell]) -> Vec<Self> {
        let chunks: Vec<&[SourceCell]> = match cells.chunks(SOURCE_CELLS_OF_PART) {
            chunks if chunks.len() == 0 => vec![&[]],
            chunks => chunks.take(u8::MAX.into()).collect(),
        };
        let parts = u8::try_from(chunks.len()).unwrap_or(u8::MAX);
        let part = |(part, cells): (u8, &[SourceCell])| Self {
            day,
            part,
            parts,
            cells: cells.to_vec(),
        };
        (0..).zip(chunks).map(part).collect()
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.day.to_be_bytes());
        out.extend([self.part, self.parts]);
        put_count(out, self.cells.len());
        for cell in &self.cells {
            out.extend([cell.province.get(), cell.kind]);
            out.extend_from_slice(&cell.number.to_be_bytes());
            out.push(cell.fact);
            cell.events.write(out);
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, LayoutError> {
        let (day, part, parts) = (reader.u16()?, reader.u8()?, reader.u8()?);
        if part >= parts {
            return Err(LayoutError::Invalid("a part after the last"));
        }
        let count = reader.count("cells", SOURCE_CELLS_OF_PART)?;
        let cells = (0..count).map(|_| {
            Ok(SourceCell {
                province: reader.province()?,
                kind: reader.u8()?,
                number: reader.u32()?,
                fact: reader.u8()?,
                events: Rounded::read(reader)?,
            })
        });
        let cells: Vec<SourceCell> = cells.collect::<Result<_, LayoutError>>()?;
        if cells.iter().any(|cell| cell.events == Rounded::FEW) {
            return Err(LayoutError::Invalid("a source with few events"));
        }
        ascending(&cells, SourceCell::key)?;
        Ok(Self {
            day,
            part,
            parts,
            cells,
        })
    }
}

fn put_name(out: &mut Vec<u8>, name: &str, limit: usize) {
    assert!(name.len() <= limit, "a name of at most {limit} bytes");
    out.push(name.len().to_le_bytes()[0]);
    out.extend_from_slice(name.as_bytes());
}

fn colour(reader: &mut Reader<'_>) -> Result<ColourCode, LayoutError> {
    match reader.u8()? {
        code @ 0..=2 => Ok(code),
        _ => Err(LayoutError::Invalid("a colour above 2")),
    }
}

fn ascending<T, K: Ord>(cells: &[T], key: impl Fn(&T) -> K) -> Result<(), LayoutError> {
    if cells.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
        Ok(())
    } else {
        Err(LayoutError::NotAscending("cells"))
    }
}

#[cfg(test)]
mod tests;
