//! The fact table: Viridian's own compact form of imported lists. See the README for its lines.

use std::fmt::Write;

use rules::{Grade, Minute};

use crate::place::Place;
use crate::{Error, Precision, Resolution, bytes};

/// Bytes of a fact table, decompressed.
pub const MAX_FACT_BYTES: usize = 64 << 20;
/// Facts, counts and unplaced names of one table together.
pub const MAX_FACTS: usize = 1_000_000;
/// Times that one place can be listed anew at one grade.
pub const MAX_RELISTINGS: usize = 256;
/// Bytes of the source line.
pub const MAX_SOURCE_BYTES: usize = 1024;
const WHAT: &str = "the fact table";
const HEADER: &str = "viridian risk facts 1";
const AUGUST_2022: &[u8] = include_bytes!("../data/facts-2022-08.zst");

/// One place at one grade for one span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fact {
    /// Where.
    pub place: Place,
    /// The grade, never [`Grade::None`].
    pub grade: Grade,
    /// Update time of the first list that has it.
    pub listed: Minute,
    /// Update time of the first later list that has it no more; `None` while it is listed.
    pub released: Option<Minute>,
}

/// A listed string that could not be placed in a county, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unplaced {
    /// The names over its group, a bar, and the string.
    pub text: String,
    /// The grade.
    pub grade: Grade,
    /// Update time of the first list that has it.
    pub listed: Minute,
    /// Update time of the first later list that has it no more.
    pub released: Option<Minute>,
}

/// How many strings one list had at one grade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListCounts {
    /// Update time of the list.
    pub at: Minute,
    /// Grade.
    pub grade: Grade,
    /// Counts.
    pub counts: Counts,
}

/// Counts of listed strings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All listed strings.
    pub entries: u64,
    /// Of these, resolved to a county or finer.
    pub resolved: u64,
    /// Of these, resolved to a township or finer.
    pub township: u64,
    /// Of these, naming a whole county.
    pub whole_county: u64,
    /// Not resolved to a township, and naming neither a township nor a community: a bare house or street, or the whole county.
    /// No table of names places these finer than their county.
    pub bare: u64,
    /// Not resolved to a county, but put under their city or province as a site.
    pub coarse: u64,
    /// Of all, those that list again what the same list already has at the same grade.
    pub duplicates: u64,
}

impl Counts {
    /// Counts one string.
    pub(crate) fn count(&mut self, resolution: &Resolution) {
        let precision = resolution.precision;
        self.entries += 1;
        self.bare += u64::from(resolution.is_bare());
        self.resolved += u64::from(precision >= Precision::County);
        self.township += u64::from(precision == Precision::Township);
        self.coarse += u64::from(matches!(precision, Precision::City | Precision::Province));
    }

    /// The sum of two counts.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            resolved: self.resolved.saturating_add(other.resolved),
            township: self.township.saturating_add(other.township),
            whole_county: self.whole_county.saturating_add(other.whole_county),
            bare: self.bare.saturating_add(other.bare),
            coarse: self.coarse.saturating_add(other.coarse),
            duplicates: self.duplicates.saturating_add(other.duplicates),
        }
    }

    fn in_order(self) -> [u64; 7] {
        [
            self.entries,
            self.resolved,
            self.township,
            self.whole_county,
            self.bare,
            self.coarse,
            self.duplicates,
        ]
    }
}

/// Imported lists as dated facts, with the counts of what was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactTable {
    source: String,
    counts: Vec<ListCounts>,
    facts: Vec<Fact>,
    unplaced: Vec<Unplaced>,
}

impl FactTable {
    /// A table from its parts.
    ///
    /// # Errors
    /// [`Error::TooLong`] for the source, [`Error::TooMany`] above [`MAX_FACTS`], [`Error::Overlap`] if a place stands twice at
    /// one grade at one time or is released before it is listed, [`Error::Rules`] for a code that no area has.
    pub fn new(
        source: &str,
        counts: Vec<ListCounts>,
        mut facts: Vec<Fact>,
        unplaced: Vec<Unplaced>,
    ) -> Result<Self, Error> {
        if source.len() > MAX_SOURCE_BYTES || source.contains('\n') {
            return Err(Error::TooLong {
                what: "the source of a fact table (one line)",
                limit: MAX_SOURCE_BYTES,
            });
        }
        if counts.len() + facts.len() + unplaced.len() > MAX_FACTS {
            return Err(Error::TooMany {
                what: "facts",
                limit: MAX_FACTS,
            });
        }
        facts.sort_unstable();
        for fact in &facts {
            fact.place.range()?;
            if fact.grade == Grade::None || fact.released.is_some_and(|r| r <= fact.listed) {
                return Err(overlap(fact));
            }
        }
        for span in facts.chunk_by(|a, b| (a.place, a.grade) == (b.place, b.grade)) {
            if span.len() > MAX_RELISTINGS {
                return Err(Error::TooMany {
                    what: "listings of one place at one grade",
                    limit: MAX_RELISTINGS,
                });
            }
            for pair in span.windows(2) {
                if pair[0].released.is_none_or(|r| r > pair[1].listed) {
                    return Err(overlap(&pair[1]));
                }
            }
        }
        Ok(Self {
            source: source.to_owned(),
            counts,
            facts,
            unplaced,
        })
    }

    /// The table of the lists of 2022-08-18 to 2022-08-31 that ships with this crate.
    ///
    /// # Errors
    /// Only if the shipped file is damaged.
    pub fn august_2022() -> Result<Self, Error> {
        Self::read(AUGUST_2022)
    }

    /// Where the lists come from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Counts per list and grade, in order of time.
    pub fn counts(&self) -> &[ListCounts] {
        &self.counts
    }

    /// The facts, ascending by place, grade and time.
    pub fn facts(&self) -> &[Fact] {
        &self.facts
    }

    /// The strings that could not be placed in a county.
    pub fn unplaced(&self) -> &[Unplaced] {
        &self.unplaced
    }

    /// Counts over all lists and grades.
    pub fn total(&self) -> Counts {
        self.counts
            .iter()
            .fold(Counts::default(), |sum, list| sum.plus(list.counts))
    }

    /// The table as text, to be compressed and stored.
    pub fn write(&self) -> String {
        let mut out = format!("{HEADER}\nsource {}\n", self.source);
        for list in &self.counts {
            let _ = write!(out, "list {} {}", list.at.get(), letter(list.grade));
            for count in list.counts.in_order() {
                let _ = write!(out, " {count}");
            }
            out.push('\n');
        }
        for fact in &self.facts {
            let span = span(fact.listed, fact.released);
            let _ = writeln!(out, "{} {} {span}", fact.place, letter(fact.grade));
        }
        for entry in &self.unplaced {
            let span = span(entry.listed, entry.released);
            let _ = writeln!(
                out,
                "unplaced {} {span} {}",
                letter(entry.grade),
                entry.text
            );
        }
        out
    }

    /// Reads a table, plain or as a Zstandard frame.
    ///
    /// # Errors
    /// [`Error::TooLarge`] above [`MAX_FACT_BYTES`], [`Error::Line`] for a line that the format does not have, and those of
    /// [`FactTable::new`].
    pub fn read(table: &[u8]) -> Result<Self, Error> {
        let text = bytes::to_text(table, WHAT, MAX_FACT_BYTES)?;
        // Not `lines`, which takes a carriage return at an end for a part of it: what is read is written as it was.
        let mut lines = text.split_terminator('\n');
        let line_error = |line, why| Error::Line {
            what: WHAT,
            line,
            why,
        };
        if lines.next() != Some(HEADER) {
            return Err(line_error(
                1,
                "the first line is not \"viridian risk facts 1\"",
            ));
        }
        let source = lines
            .next()
            .and_then(|l| l.strip_prefix("source "))
            .ok_or_else(|| line_error(2, "no source"))?;
        let (mut counts, mut facts, mut unplaced) = (Vec::new(), Vec::new(), Vec::new());
        for (at, line) in lines.enumerate() {
            let read = if let Some(rest) = line.strip_prefix("list ") {
                read_counts(rest).map(|c| counts.push(c))
            } else if let Some(rest) = line.strip_prefix("unplaced ") {
                read_unplaced(rest).map(|u| unplaced.push(u))
            } else {
                read_fact(line).map(|f| facts.push(f))
            };
            read.ok_or_else(|| line_error(at + 3, "neither list, fact nor unplaced name"))?;
        }
        Self::new(source, counts, facts, unplaced)
    }
}

fn overlap(fact: &Fact) -> Error {
    Error::Overlap {
        place: fact.place.to_string(),
        grade: fact.grade,
    }
}

fn letter(grade: Grade) -> char {
    match grade {
        Grade::None => '-',
        Grade::Low => 'L',
        Grade::Medium => 'M',
        Grade::High => 'H',
    }
}

fn read_grade(text: &str) -> Option<Grade> {
    Grade::ALL
        .into_iter()
        .skip(1)
        .find(|g| text.len() == 1 && text.starts_with(letter(*g)))
}

fn span(listed: Minute, released: Option<Minute>) -> String {
    let end = released.map_or_else(|| "-".to_owned(), |r| r.get().to_string());
    format!("{} {end}", listed.get())
}

fn read_minute(text: &str) -> Option<Minute> {
    Minute::new(text.parse().ok()?).ok()
}

/// A span's two words; the second may be `-`.
fn read_span(listed: &str, released: &str) -> Option<(Minute, Option<Minute>)> {
    let end = match released {
        "-" => None,
        minute => Some(read_minute(minute)?),
    };
    Some((read_minute(listed)?, end))
}

fn read_fact(line: &str) -> Option<Fact> {
    let fields: Vec<&str> = line.split(' ').collect();
    let [place, grade, listed, released] = fields[..] else {
        return None;
    };
    let (listed, released) = read_span(listed, released)?;
    Some(Fact {
        place: place.parse().ok()?,
        grade: read_grade(grade)?,
        listed,
        released,
    })
}

fn read_unplaced(rest: &str) -> Option<Unplaced> {
    let fields: Vec<&str> = rest.splitn(4, ' ').collect();
    let [grade, listed, released, text] = fields[..] else {
        return None;
    };
    let (listed, released) = read_span(listed, released)?;
    Some(Unplaced {
        text: text.to_owned(),
        grade: read_grade(grade)?,
        listed,
        released,
    })
}

fn read_counts(rest: &str) -> Option<ListCounts> {
    let fields: Vec<&str> = rest.split(' ').collect();
    let [at, grade, numbers @ ..] = &fields[..] else {
        return None;
    };
    let numbers: Vec<u64> = numbers
        .iter()
        .map(|n| n.parse().ok())
        .collect::<Option<_>>()?;
    let [
        entries,
        resolved,
        township,
        whole_county,
        bare,
        coarse,
        duplicates,
    ] = numbers[..]
    else {
        return None;
    };
    Some(ListCounts {
        at: read_minute(at)?,
        grade: read_grade(grade)?,
        counts: Counts {
            entries,
            resolved,
            township,
            whole_county,
            bare,
            coarse,
            duplicates,
        },
    })
}
