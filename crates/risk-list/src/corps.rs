//! The Production and Construction Corps: divisions (师) that are one with a city, and regiments (团) that are townships.

use std::collections::HashMap;

use crate::alias::Aliases;
use crate::scope::Scope;
use crate::table::AreaTable;
use crate::text::normalise;

/// Province in which the Corps lies.
const XINJIANG: u32 = 65;

/// Characters in which a string of the Corps names its unit.
const LONGEST_LEAD_CHARS: usize = 60;

/// Regiments and farms of the Corps by name.
pub(crate) struct Corps {
    /// Spelling to township; `None` where two share it.
    units: HashMap<String, Option<usize>>,
}

impl Corps {
    pub(crate) fn new(table: &AreaTable) -> Self {
        let mut units: HashMap<String, Option<usize>> = HashMap::new();
        for county in table.counties_of_province(XINJIANG) {
            let county = &table.counties[county];
            for t in county.townships.clone() {
                let name = normalise(&table.townships[t].name);
                if let Some(unit) = unit_name(&name) {
                    units
                        .entry(unit.to_owned())
                        .and_modify(|held| *held = None)
                        .or_insert(Some(t));
                }
            }
        }
        Self { units }
    }

    /// The scope that a string of the Corps speaks of, and the string without the division's name.
    pub(crate) fn enter(
        &self,
        table: &AreaTable,
        aliases: &Aliases,
        text: &str,
    ) -> (Scope, String) {
        let (division, without) = division_of(text);
        let seat = division.and_then(|d| aliases.division(&d));
        let text = spell_numbers(&without);
        let seat = seat.or_else(|| aliases.division(regiment_in(&text)?));
        let unit = self.unit_in(&text);
        let mut scope = match (seat, &unit) {
            (Some(seat), _) => Scope::of_county(table, seat, vec![seat]),
            (None, Some((_, township))) => table
                .county_at(table.townships[*township].code / 1000)
                .map_or_else(province, |c| Scope::of_county(table, c, vec![c])),
            (None, None) => province(),
        };
        let Some((at, township)) = unit else {
            return (scope, text);
        };
        scope.hint = Some(township);
        scope.words.insert(0, text[at].to_owned());
        (scope, text)
    }

    /// The unit named first in `text`, by place and township.
    fn unit_in(&self, text: &str) -> Option<(std::ops::Range<usize>, usize)> {
        let ends: Vec<usize> = text
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .collect();
        for (index, (at, _)) in text.char_indices().take(LONGEST_LEAD_CHARS).enumerate() {
            let longest = ends[index..]
                .iter()
                .take(10)
                .filter_map(|end| {
                    let township = self.units.get(&text[at..*end])?;
                    Some((at..*end, (*township)?))
                })
                .next_back();
            if longest.is_some() {
                return longest;
            }
        }
        None
    }
}

/// `一零一团` in a string.
fn regiment_in(text: &str) -> Option<&str> {
    let end = text.find('团')? + '团'.len_utf8();
    let number = text[..end - '团'.len_utf8()]
        .trim_end_matches(|c| "零一二三四五六七八九十".contains(c))
        .len();
    Some(&text[number..end])
}

fn province() -> Scope {
    Scope::province(XINJIANG)
}

/// `六十二团` for 兵团六十二团, `新湖农场` for 兵团农六师新湖农场; nothing for what is no unit of the Corps.
fn unit_name(name: &str) -> Option<&str> {
    let corps = name.strip_prefix("新疆").unwrap_or(name);
    let rest = match corps.strip_prefix("兵团") {
        Some(rest) => rest,
        None if name.ends_with('团') || name.ends_with("团分部") => name,
        None => return None,
    };
    let rest = match rest.split_once('师') {
        Some((division, unit)) if division.chars().count() <= 4 => unit,
        _ => rest,
    };
    let unit = ["分部", "生活区", "中心团场", "乡"]
        .iter()
        .find_map(|end| rest.strip_suffix(end))
        .unwrap_or(rest);
    (unit.chars().count() >= 2).then_some(unit)
}

/// `第四师` in a string, and the string without it.
fn division_of(text: &str) -> (Option<String>, String) {
    let Some(at) = text.find('师') else {
        return (None, text.to_owned());
    };
    let before = &text[..at];
    let start = before.rfind('第').unwrap_or(at);
    let number = before[start..].trim_start_matches('第');
    let numeral = !number.is_empty()
        && number
            .chars()
            .all(|c| "一二三四五六七八九十0123456789".contains(c));
    if !numeral {
        return (None, text.to_owned());
    }
    let name = format!(
        "第{}师",
        spell_numbers(&format!("{number}团")).trim_end_matches('团')
    );
    let after = &text[at + '师'.len_utf8()..];
    // "第八师市石河子市" and "第八师石河子市" are both written.
    let after = after.strip_prefix('市').unwrap_or(after);
    (Some(name), format!("{}{after}", &before[..start]))
}

/// Arabic numbers before 团 as the table writes them: `121团` is 一二一团, `64团` is 六十四团.
fn spell_numbers(text: &str) -> String {
    const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let Some(at) = text.find('团') else {
        return text.to_owned();
    };
    let before = &text[..at];
    let number = &before[before.trim_end_matches(|c: char| c.is_ascii_digit()).len()..];
    if number.is_empty() || number.len() > 3 {
        return text.to_owned();
    }
    let digits: Vec<usize> = number.bytes().map(|b| usize::from(b - b'0')).collect();
    let spelled: String = match digits[..] {
        [tens, ones] => {
            let lead = if tens > 1 {
                DIGITS[tens].to_string()
            } else {
                String::new()
            };
            let last = if ones > 0 {
                DIGITS[ones].to_string()
            } else {
                String::new()
            };
            format!("{lead}十{last}")
        }
        _ => digits.iter().map(|d| DIGITS[*d]).collect(),
    };
    format!(
        "{}{spelled}{}",
        &before[..before.len() - number.len()],
        &text[at..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divisions_and_regiments_are_read_in_either_script() {
        let (division, rest) = division_of("第四师六十四团阳光小区");
        assert_eq!(
            (division.as_deref(), rest.as_str()),
            (Some("第四师"), "六十四团阳光小区")
        );
        assert_eq!(
            division_of("第8师市石河子市5社区").0.as_deref(),
            Some("第八师")
        );
        assert_eq!(division_of("老师公寓").0, None);
        assert_eq!(spell_numbers("121团三连"), "一二一团三连");
        assert_eq!(spell_numbers("64团"), "六十四团");
        assert_eq!(unit_name("兵团农六师新湖农场"), Some("新湖农场"));
        assert_eq!(unit_name("新疆兵团十二师头屯河农场"), Some("头屯河农场"));
        assert_eq!(unit_name("奇台镇"), None);
    }
}
