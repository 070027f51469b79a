//! Spelling: one form for texts that differ only in how they were typed.

/// `text` in one spelling: half-width ASCII, lower case, no white space or quotes, one sign per kind of punctuation.
///
/// Consecutive lists type the same place with other brackets, commas and blanks; a site is recognised by this form.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for raw in text.chars() {
        let half = match raw {
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(raw as u32 - 0xfee0).unwrap_or(raw),
            other => other,
        };
        let kept = match half {
            c if c.is_whitespace() || c.is_control() => continue,
            '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{2060}' => continue,
            '"' | '\'' | '“' | '”' | '‘' | '’' | '「' | '」' | '《' | '》' | '。' => {
                continue;
            }
            '、' | ';' | '﹑' => ',',
            '【' | '〔' | '[' | '〈' | '{' => '(',
            '】' | '〕' | ']' | '〉' | '}' => ')',
            '—' | '–' | '―' | '─' | '~' | '〜' | '‐' | '‑' | '−' | '_' => '-',
            '·' | '•' | '・' => '·',
            '〇' | '○' => '零',
            c => c.to_ascii_lowercase(),
        };
        if matches!(kept, '-' | ',') && out.ends_with(kept) {
            continue;
        }
        out.push(kept);
    }
    while out.ends_with([',', '.', '-', ':']) {
        out.pop();
    }
    out
}

/// Spellings of the two common kinds of development zone; the first of each is the short form.
const ZONE_KINDS: [&[&str]; 2] = [
    &[
        "高新区",
        "高新技术产业开发区",
        "高新技术产业园区",
        "高新技术产业区",
        "高新技术开发区",
        "高新技术园区",
        "高技术产业开发区",
        "高新产业开发区",
        "高新开发区",
        "高新技术区",
    ],
    &[
        "经开区",
        "经济技术开发区",
        "经济技术产业开发区",
        "经济开发区",
        "经济技术区",
        "开发区",
    ],
];

/// The spellings of a zone's kind with which `name` ends, and what stands before it.
pub(crate) fn zone_kind(name: &str) -> Option<(&str, &'static [&'static str])> {
    ZONE_KINDS.iter().find_map(|kind| {
        kind.iter()
            .filter_map(|s| name.strip_suffix(s))
            .min_by_key(|base| base.len())
            .map(|base| (base, *kind))
    })
}

/// The name of a province, city or county without its last word (市, 区, 县, 自治州 …); the name itself where little would be left.
pub(crate) fn stem(name: &str) -> &str {
    const LAST: [&str; 12] = [
        "维吾尔自治区",
        "壮族自治区",
        "回族自治区",
        "自治区",
        "自治州",
        "自治县",
        "自治旗",
        "地区",
        "新区",
        "林区",
        "特区",
        "省",
    ];
    let cut = LAST
        .iter()
        .find_map(|s| name.strip_suffix(s))
        .or_else(|| name.strip_suffix(['市', '区', '县', '盟', '旗', '州']))
        .unwrap_or(name);
    if cut.chars().count() < 2 { name } else { cut }
}

/// The nationalities that stand in names of autonomous areas and townships.
const NATIONS: [&str; 44] = [
    "蒙古族",
    "蒙古",
    "回族",
    "藏族",
    "维吾尔族",
    "苗族",
    "彝族",
    "壮族",
    "布依族",
    "朝鲜族",
    "满族",
    "侗族",
    "瑶族",
    "白族",
    "土家族",
    "哈尼族",
    "哈萨克族",
    "哈萨克",
    "傣族",
    "黎族",
    "傈僳族",
    "佤族",
    "畲族",
    "高山族",
    "拉祜族",
    "水族",
    "东乡族",
    "纳西族",
    "景颇族",
    "柯尔克孜",
    "土族",
    "达斡尔族",
    "仫佬族",
    "羌族",
    "布朗族",
    "撒拉族",
    "毛南族",
    "仡佬族",
    "锡伯族",
    "锡伯",
    "保安族",
    "裕固族",
    "独龙族",
    "各族",
];

/// `name` without the nationalities at its end: `民和回族土族` becomes `民和`.
pub(crate) fn without_nations(mut name: &str) -> &str {
    while let Some(shorter) = NATIONS.iter().find_map(|n| name.strip_suffix(n)) {
        if shorter.chars().count() < 2 {
            break;
        }
        name = shorter;
    }
    name
}

/// Short forms in which an area is commonly written: `民和县` for 民和回族土族自治县, `昌吉州` for 昌吉回族自治州.
pub(crate) fn short_forms(name: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for (long, short) in [("自治州", "州"), ("自治县", "县"), ("自治旗", "旗")] {
        if let Some(base) = name.strip_suffix(long) {
            forms.push(format!("{}{short}", without_nations(base)));
        }
    }
    if let Some(base) = name.strip_suffix("自治区") {
        forms.push(without_nations(base).to_owned() + "自治区");
    }
    forms
}

/// Cuts a closing exception such as `(除高风险区外)` or `除高、中风险区以外的其他区域` from a normalised site text.
pub(crate) fn without_exception(site: &str) -> &str {
    let mut rest = site;
    if let Some(open) = rest.rfind('(')
        && rest.ends_with(')')
        && is_exception(&rest[open..])
    {
        rest = &rest[..open];
    } else if let Some(at) = rest.rfind('除')
        && is_exception(&rest[at..])
    {
        rest = &rest[..at];
    }
    rest.trim_end_matches(['内', ',', ':', '('])
}

fn is_exception(text: &str) -> bool {
    text.contains("风险") && text.contains('除')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_only_in_typing_get_one_spelling() {
        let one = normalise("南区１号楼、２号楼（除３单元外）");
        assert_eq!(one, "南区1号楼,2号楼(除3单元外)");
        assert_eq!(normalise(" 南区1号楼，2号楼 (除3单元外)。"), one);
        assert_eq!(normalise("“美的”小区——A座"), "美的小区-a座");
        assert_eq!(normalise("一〇一团"), normalise("一零一团"));
    }

    #[test]
    fn stems_and_short_forms_follow_the_way_names_are_written() {
        assert_eq!(stem("偃师市"), "偃师");
        assert_eq!(stem("雄县"), "雄县");
        assert_eq!(short_forms("民和回族土族自治县"), ["民和县"]);
        assert_eq!(short_forms("海西蒙古族藏族自治州"), ["海西州"]);
    }

    #[test]
    fn a_closing_exception_is_cut_and_another_bracket_is_not() {
        assert_eq!(without_exception("临春社区(除高风险区外)"), "临春社区");
        assert_eq!(
            without_exception("临春社区(内除高风险区以外的区域)"),
            "临春社区"
        );
        assert_eq!(
            without_exception("临春社区内除中风险区以外区域"),
            "临春社区"
        );
        assert_eq!(without_exception("6号楼(除1单元外)"), "6号楼(除1单元外)");
    }
}
