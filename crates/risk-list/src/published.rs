//! The Commission's JSON: one list, read within limits.

use rules::{Day, Grade, Minute};
use serde::Deserialize;

use crate::Error;

/// Bytes of one published list; the largest known (2022-12-02) has 2.4 MB.
pub const MAX_LIST_BYTES: usize = 32 << 20;
/// Listed strings in one list; the largest known has 44,925.
pub const MAX_LIST_ENTRIES: usize = 400_000;
/// Bytes of one listed string; the longest known has 1,043.
pub const MAX_TEXT_BYTES: usize = 16 << 10;
/// Bytes of the name of a province, city or county.
pub const MAX_NAME_BYTES: usize = 256;

/// One published list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedList {
    /// When it was published, from its own `end_update_time` (an hour of UTC+8).
    pub updated: Minute,
    /// The counts that the list states of itself: high, medium, low.
    pub declared: [Option<u64>; 3],
    /// Its groups, high first, in the order of the file.
    pub groups: Vec<Group>,
}

/// The listed strings under one county at one grade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The grade of the list that the group stands in.
    pub grade: Grade,
    /// Where it lies, in the list's own words.
    pub place: GroupName,
    /// What is listed there: houses, villages, whole townships.
    pub texts: Vec<String>,
}

/// The three names over a group. In municipalities `city` holds the district and `county` the township.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName {
    /// Province.
    pub province: String,
    /// City.
    pub city: String,
    /// County.
    pub county: String,
}

impl std::fmt::Display for GroupName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.province, self.city, self.county)
    }
}

/// The grades that a list has, in its order.
pub const LISTED_GRADES: [Grade; 3] = [Grade::High, Grade::Medium, Grade::Low];

impl PublishedList {
    /// Reads one list.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::TooMany`] or [`Error::TooLong`] beyond the limits of this module,
    /// [`Error::NotAList`] for another shape, [`Error::UpdateTime`] for a time that cannot be read.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Error> {
        if bytes.len() > MAX_LIST_BYTES {
            return Err(Error::TooLarge {
                what: "a published list",
                limit: MAX_LIST_BYTES,
            });
        }
        let file: File = serde_json::from_slice(bytes).map_err(Error::NotAList)?;
        let data = file.data;
        let mut groups = Vec::new();
        let mut entries = 0_usize;
        let lists = [data.highlist, data.middlelist, data.lowlist];
        for (grade, list) in LISTED_GRADES.into_iter().zip(lists) {
            for raw in list.unwrap_or_default() {
                entries += raw.communitys.as_ref().map_or(0, Vec::len);
                if entries > MAX_LIST_ENTRIES || groups.len() >= MAX_LIST_ENTRIES {
                    return Err(Error::TooMany {
                        what: "listed strings",
                        limit: MAX_LIST_ENTRIES,
                    });
                }
                groups.push(raw.into_group(grade)?);
            }
        }
        Ok(Self {
            updated: update_time(&data.end_update_time)?,
            declared: [data.hcount, data.mcount, data.lcount],
            groups,
        })
    }

    /// How many strings it lists.
    pub fn entries(&self) -> usize {
        self.groups.iter().map(|g| g.texts.len()).sum()
    }
}

#[derive(Deserialize)]
struct File {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    end_update_time: String,
    hcount: Option<u64>,
    mcount: Option<u64>,
    lcount: Option<u64>,
    highlist: Option<Vec<RawGroup>>,
    middlelist: Option<Vec<RawGroup>>,
    lowlist: Option<Vec<RawGroup>>,
}

#[derive(Deserialize)]
struct RawGroup {
    province: Option<String>,
    city: Option<String>,
    county: Option<String>,
    communitys: Option<Vec<String>>,
}

impl RawGroup {
    fn into_group(self, grade: Grade) -> Result<Group, Error> {
        let place = GroupName {
            province: self.province.unwrap_or_default(),
            city: self.city.unwrap_or_default(),
            county: self.county.unwrap_or_default(),
        };
        for name in [&place.province, &place.city, &place.county] {
            within(name, "an area's name", MAX_NAME_BYTES)?;
        }
        let texts = self.communitys.unwrap_or_default();
        for text in &texts {
            within(text, "a listed string", MAX_TEXT_BYTES)?;
        }
        Ok(Group {
            grade,
            place,
            texts,
        })
    }
}

fn within(text: &str, what: &'static str, limit: usize) -> Result<(), Error> {
    if text.len() > limit {
        return Err(Error::TooLong { what, limit });
    }
    Ok(())
}

/// Reads `2022-08-18 19时` (also with `30分`, or `19:30`), an hour of UTC+8.
fn update_time(text: &str) -> Result<Minute, Error> {
    parse_time(text).ok_or_else(|| Error::UpdateTime(text.chars().take(40).collect()))
}

fn parse_time(text: &str) -> Option<Minute> {
    let numbers: Vec<&str> = text
        .split(|c: char| !c.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .collect();
    if numbers.len() < 4 || numbers.len() > 6 || text.len() > 60 {
        return None;
    }
    if numbers[0].len() != 4 || numbers[1..].iter().any(|n| n.len() > 2) {
        return None;
    }
    let [hour, minute] = [numbers[3], numbers.get(4).unwrap_or(&"0")].map(|n| n.parse().ok());
    let (hour, minute): (u32, u32) = (hour?, minute?);
    if hour > 24 || minute > 59 {
        return None;
    }
    let [year, month, day] = [numbers[0], numbers[1], numbers[2]];
    let day: Day = format!("{year}-{month:0>2}-{day:0>2}").parse().ok()?;
    let minutes = i64::from(hour * 60 + minute);
    Some(day.first_minute().saturating_add_signed(minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_time_is_an_hour_of_utc_plus_8() {
        // 2022-08-18 11:00 UTC.
        assert_eq!(update_time("2022-08-18 19时").unwrap().get(), 27_680_340);
        assert_eq!(update_time("2022-08-18 19:30").unwrap().get(), 27_680_370);
        for bad in [
            "",
            "19时",
            "2022-02-29 1时",
            "2022-13-01 1时",
            "2022-08-18",
            "20220818 19时",
            "2022-08-18 25时",
        ] {
            assert!(update_time(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_without_medium_areas_is_read_and_another_shape_is_refused() {
        let list = PublishedList::from_json(
            r#"{"data":{"end_update_time":"2022-12-02 08时","hcount":2,"highlist":[{"type":"2","province":"甲省","city":"乙市",
            "county":"丙区","communitys":["一号楼","二号楼"]}],"lowlist":[]},"code":0}"#
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(list.entries(), 2);
        assert_eq!(list.declared, [Some(2), None, None]);
        for bad in ["", "[]", "{}", r#"{"data":{"end_update_time":7}}"#] {
            assert!(matches!(
                PublishedList::from_json(bad.as_bytes()),
                Err(Error::NotAList(_))
            ));
        }
    }

    #[test]
    fn names_and_texts_beyond_their_limits_are_refused() {
        let with = |county: &str, text: &str| {
            PublishedList::from_json(
                serde_json::json!({"data": {"end_update_time": "2022-12-02 08时",
                    "highlist": [{"county": county, "communitys": [text]}]}})
                .to_string()
                .as_bytes(),
            )
        };
        assert!(with("丙区", "一号楼").is_ok());
        assert!(matches!(
            with(&"区".repeat(86), ""),
            Err(Error::TooLong { .. })
        ));
        assert!(matches!(
            with("", &"x".repeat(MAX_TEXT_BYTES + 1)),
            Err(Error::TooLong { .. })
        ));
    }
}
