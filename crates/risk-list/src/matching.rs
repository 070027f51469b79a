//! Finds names of areas in a normalised string.

use std::collections::HashMap;

use crate::scope::Scope;
use crate::table::AreaTable;

/// Characters of the longest township name that is looked for.
const LONGEST_CHARS: usize = 24;
/// Characters in which a township that does not stand first is looked for.
const LONGEST_LEAD_CHARS: usize = 100;
/// Characters of the longest community name that is looked for.
const LONGEST_COMMUNITY_CHARS: usize = 14;

/// A township found at the start of a string.
pub(crate) struct Found {
    /// Index of the township.
    pub(crate) township: usize,
    /// Bytes of its spelling.
    pub(crate) len: usize,
}

/// What may surround names in a line that means a whole area, longest first within a first letter.
const FILLERS: [&str; 66] = [
    "除已划分为",
    "除已公布",
    "除已划定",
    "除上述点位",
    "除上述",
    "除了",
    "除",
    "以外",
    "之外",
    "外",
    "其他所有",
    "其它所有",
    "所有其他",
    "其他",
    "其它",
    "其余",
    "剩余",
    "所有",
    "全部",
    "全域",
    "全区域",
    "全区",
    "全县",
    "全市",
    "全旗",
    "全镇",
    "全乡",
    "全街道",
    "全境",
    "整个",
    "辖区范围内",
    "辖区内",
    "辖区",
    "辖内",
    "范围内",
    "区域内",
    "境内",
    "内",
    "高,中风险",
    "中,高风险",
    "高中风险",
    "中高风险",
    "高风险",
    "中风险",
    "低风险",
    "高中低风险",
    "高低风险",
    "区域",
    "地区",
    "地方",
    "地域",
    "区为低风险区",
    "为低风险区",
    "区",
    "均为",
    "无疫小区",
    "采取临时管控措施",
    "临时管控区域",
    "上述",
    "点位",
    "的",
    "和",
    "及",
    "与",
    ",",
    ":",
];
/// Fillers that by themselves say that the whole is meant.
const STRONG: [&str; 22] = [
    "除已划分为",
    "除已公布",
    "除已划定",
    "除上述",
    "除了",
    "除",
    "以外",
    "之外",
    "其他所有",
    "其它所有",
    "所有其他",
    "其他",
    "其它",
    "其余",
    "剩余",
    "全部",
    "全域",
    "全区域",
    "全区",
    "全县",
    "全市",
    "全境",
];

/// The townships of a line that names nothing but whole areas (`…除高风险区以外的其他区域`); empty if it names the county.
pub(crate) fn whole(table: &AreaTable, scope: &Scope, text: &str) -> Option<Vec<usize>> {
    let mut rest = text;
    let (mut strong, mut named, mut townships) = (false, false, Vec::new());
    while !rest.is_empty() {
        let township = match_near(table, scope, rest);
        let word = scope.words.iter().find(|w| rest.starts_with(w.as_str()));
        let filler = FILLERS
            .iter()
            .filter(|f| rest.starts_with(**f))
            .max_by_key(|f| f.len());
        let lens = [
            township.as_ref().map_or(0, |f| f.len),
            word.map_or(0, String::len),
            filler.map_or(0, |f| f.len()),
        ];
        let longest = lens[0].max(lens[1]).max(lens[2]);
        if longest == 0 {
            let bracket = rest.strip_prefix(['(', ')']);
            rest = bracket?;
            continue;
        }
        if lens[0] == longest {
            let found = township?;
            if table.is_part(found.township, &rest[..longest]) {
                return None;
            }
            townships.push(found.township);
        } else if lens[1] == longest {
            named = true;
        } else if let Some(filler) = filler {
            strong |= STRONG.contains(filler);
            // "区" alone only ends "高风险区".
            if *filler == "区" && !text[..text.len() - rest.len()].ends_with("风险") {
                return None;
            }
        }
        rest = &rest[longest..];
    }
    (strong || named || !townships.is_empty()).then_some(townships)
}

/// `text` without the names of province, city and county that it repeats.
pub(crate) fn strip_names<'t>(table: &AreaTable, scope: &Scope, text: &'t str) -> &'t str {
    let mut rest = text;
    loop {
        if match_near(table, scope, rest).is_some() {
            return rest;
        }
        let shorter = scope
            .words
            .iter()
            .find_map(|w| rest.strip_prefix(w.as_str()))
            .or_else(|| rest.strip_prefix([':', ',', '-']))
            .or_else(|| bracketed_name(scope, rest));
        match shorter {
            Some(shorter) if !shorter.is_empty() => rest = shorter,
            _ => return rest,
        }
    }
}

/// `(高新区)黎明街道`: a bracket at the start that holds a repeated name.
fn bracketed_name<'t>(scope: &Scope, rest: &'t str) -> Option<&'t str> {
    let (inner, after) = rest.strip_prefix('(')?.split_once(')')?;
    scope.words.iter().any(|w| w == inner).then_some(after)
}

/// The township with whose name `rest` begins.
pub(crate) fn township_at_start(table: &AreaTable, scope: &Scope, rest: &str) -> Option<Found> {
    match_near(table, scope, rest).or_else(|| match_far(table, scope, rest))
}

/// A township named inside `rest` after a boundary.
pub(crate) fn township_inside(table: &AreaTable, scope: &Scope, rest: &str) -> Option<usize> {
    const BOUNDARIES: [char; 11] = [
        '(', ':', '区', '县', '市', '州', '旗', '盟', '的', '外', '于',
    ];
    rest.char_indices()
        .take(LONGEST_LEAD_CHARS)
        .filter(|(_, c)| BOUNDARIES.contains(c))
        .map(|(at, c)| at + c.len_utf8())
        .find_map(|at| {
            township_at_start(table, scope, &rest[at..])
                .filter(|f| is_formal(&rest[at..at + f.len]))
        })
        .map(|f| f.township)
}

fn is_formal(spelling: &str) -> bool {
    spelling.chars().count() >= 3
        && ["街道", "镇", "乡", "苏木", "街道办事处", "街道办"]
            .iter()
            .any(|end| spelling.ends_with(end))
}

/// The township whose community or village `rest` names first (`临春社区…`, `对口村…`), or first after a township that the
/// table does not have (`红星片区老城东门社区`), where the county has one of that name.
pub(crate) fn community(table: &AreaTable, scope: &Scope, rest: &str) -> Option<usize> {
    const UNKNOWN_TOWNSHIPS: [&str; 6] = ["街道", "片区", "办事处", "街办", "镇", "乡"];
    community_at_start(table, scope, rest).or_else(|| {
        let (at, kind) = UNKNOWN_TOWNSHIPS
            .iter()
            .filter_map(|kind| Some((rest.find(kind)?, kind)))
            .filter(|(at, _)| rest[..*at].chars().count() <= 8)
            .min()?;
        let after = &rest[at + kind.len()..];
        community_at_start(table, scope, after.strip_prefix("办事处").unwrap_or(after))
    })
}

fn community_at_start(table: &AreaTable, scope: &Scope, rest: &str) -> Option<usize> {
    const COMMUNITY: [&str; 3] = ["社区", "居委会", "居民委员会"];
    const VILLAGE: [&str; 5] = ["村委会", "村民委员会", "行政村", "村", "嘎查"];
    let mut found = None;
    for (at, _) in rest
        .char_indices()
        .take(LONGEST_COMMUNITY_CHARS + 1)
        .skip(2)
    {
        let tail = &rest[at..];
        let key = if COMMUNITY.iter().any(|m| tail.starts_with(m)) {
            format!("{}=", &rest[..at])
        } else if VILLAGE.iter().any(|m| tail.starts_with(m)) {
            rest[..at].to_owned()
        } else {
            continue;
        };
        let mut holders = scope
            .near
            .iter()
            .filter_map(|c| table.villages(*c).get(&key).copied());
        if let Some(first) = holders.next() {
            // A name that two counties of the scope have places nothing.
            found = if holders.next().is_some() {
                None
            } else {
                first
            };
        }
    }
    found
}

fn match_near(table: &AreaTable, scope: &Scope, rest: &str) -> Option<Found> {
    matched(table, scope, &scope.near, rest)
}

fn match_far(table: &AreaTable, scope: &Scope, rest: &str) -> Option<Found> {
    matched(table, scope, &scope.far, rest).filter(|f| is_formal(&rest[..f.len]))
}

/// The one township in `counties` with the longest spelling at the start of `rest`.
fn matched(table: &AreaTable, scope: &Scope, counties: &[usize], rest: &str) -> Option<Found> {
    let mut best: Option<Found> = None;
    let mut tied = false;
    for county in counties {
        let Some((len, township)) = longest_spelling(table.spellings(*county), rest) else {
            continue;
        };
        match &best {
            Some(found) if found.len > len => {}
            Some(found) if found.len == len => tied = true,
            _ => {
                best = Some(Found { township, len });
                tied = false;
            }
        }
    }
    best.filter(|f| !tied && plausible(scope, rest, f.len) && !is_zone_itself(scope, rest, f.len))
}

/// Whether the spelling is that of the zone over the group: in a zone of several counties it is not the township of one of them
/// that happens to be called 高新区 too.
fn is_zone_itself(scope: &Scope, rest: &str, len: usize) -> bool {
    scope.alias.len() > 1 && scope.words.iter().any(|w| *w == rest[..len])
}

/// Whether `X街` can be the subdistrict X街道 rather than a street.
fn plausible(scope: &Scope, rest: &str, len: usize) -> bool {
    if !rest[..len].ends_with('街') {
        return true;
    }
    let next = rest[len..].chars().next();
    let street = next.is_some_and(|c| c.is_ascii_digit() || "号巷口与交-,".contains(c));
    scope.short_streets && !street
}

/// The longest key of `spellings` that `text` begins with, in bytes, and the township it means.
pub(crate) fn longest_spelling(
    spellings: &HashMap<String, Option<usize>>,
    text: &str,
) -> Option<(usize, usize)> {
    let ends = text
        .char_indices()
        .map(|(at, c)| at + c.len_utf8())
        .take(LONGEST_CHARS)
        .skip(1);
    let mut found = None;
    for end in ends {
        if let Some(township) = spellings.get(&text[..end]) {
            found = township.map(|t| (end, t));
        }
    }
    found
}
