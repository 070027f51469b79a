//! The ways in which one township's name is written.

use crate::text::{normalise, short_forms, stem, without_nations, zone_kind};

/// The names of the areas above a township: county, city, province.
pub(crate) struct Above<'n> {
    pub(crate) names: [Option<&'n str>; 3],
}

impl Above<'_> {
    /// `name` without the names of areas above it: 石家庄市鹿泉区经济开发区 is also 鹿泉区经济开发区 and 经济开发区.
    fn strip<'t>(&self, name: &'t str) -> Option<&'t str> {
        let long_enough = |rest: &&str| rest.chars().count() > 2;
        let names = || self.names.iter().flatten();
        names()
            .filter_map(|n| name.strip_prefix(*n))
            .find(long_enough)
            .or_else(|| {
                names()
                    .flat_map(|n| short_forms(n).into_iter().chain([stem(n).to_owned()]))
                    .filter_map(|n| name.strip_prefix(n.as_str()))
                    .filter(long_enough)
                    .find(|rest| zone_kind(rest).is_some())
            })
    }
}

/// Same kind in other words, and kinds that a township of this kind was before or became since.
const KINDS: [(&str, &[&str], &[&str]); 6] = [
    (
        "街道片区",
        &["街道", "片区", "街道办事处"],
        &["路街道", "街街道"],
    ),
    (
        "片区",
        &["街道", "片区管委会", "街道片区"],
        &["路街道", "街街道"],
    ),
    (
        "街道",
        &["街道办事处", "街道办", "街办", "办事处", "街"],
        &[
            "镇",
            "地区",
            "地区办事处",
            "乡",
            "片区",
            "街道片区",
            "路街道",
            "街街道",
        ],
    ),
    (
        "地区",
        &["地区办事处", "地区街道"],
        &["镇", "乡", "街道", "街道办事处"],
    ),
    (
        "镇",
        &[],
        &["街道", "街道办事处", "街道办", "街", "乡", "地区", "办事处"],
    ),
    ("乡", &[], &["镇", "街道", "街道办事处", "地区", "办事处"]),
];

/// Spellings of a township by rank: its own name; the same kind in other words; a kind that it had before or since.
pub(crate) fn township_spellings(name: &str, above: &Above<'_>) -> [Vec<String>; 3] {
    let name = normalise(name);
    let mut own = vec![name.clone()];
    let mut bare = name.as_str();
    while let Some(shorter) = above.strip(bare) {
        bare = shorter;
        own.push(bare.to_owned());
    }
    let [mut same, mut other] = [Vec::new(), Vec::new()];
    for full in &own {
        if let Some((base, kind)) = zone_kind(full) {
            same.extend(kind.iter().map(|k| format!("{base}{k}")));
            same.extend(kind.iter().map(|k| format!("{base}{k}管委会")));
            same.push(format!("{full}管理委员会"));
        }
        kinds(full, &mut same, &mut other);
    }
    for prefix in ["新疆兵团", "兵团"] {
        if let Some(unit) = name.strip_prefix(prefix) {
            let unit = ["分部", "生活区", "中心团场"]
                .iter()
                .find_map(|end| unit.strip_suffix(end));
            same.extend(unit.map(str::to_owned));
        }
    }
    for end in ["分部", "核心区"] {
        same.extend(name.strip_suffix(end).map(str::to_owned));
    }
    [own, same, other]
}

fn kinds(name: &str, same: &mut Vec<String>, other: &mut Vec<String>) {
    let found = KINDS.iter().find_map(|(kind, same_kind, other_kind)| {
        Some((name.strip_suffix(kind)?, *kind, same_kind, other_kind))
    });
    let Some((base, kind, same_kind, other_kind)) = found else {
        return;
    };
    if base.is_empty() {
        return;
    }
    same.extend(same_kind.iter().map(|k| format!("{base}{k}")));
    if base.chars().count() < 2 {
        return;
    }
    other.extend(other_kind.iter().map(|k| format!("{base}{k}")));
    let plain = without_nations(base);
    if plain != base {
        same.push(format!("{plain}{kind}"));
        other.extend(other_kind.iter().map(|k| format!("{plain}{k}")));
    }
    // 光明路街道 is also written 光明街道.
    if kind == "街道"
        && let Some(street) = base.strip_suffix(['路', '街'])
        && street.chars().count() >= 2
    {
        other.extend(["街道", "街道办事处", "街办"].map(|k| format!("{street}{k}")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(name: &str, above: [&str; 3], spelling: &str) -> Option<usize> {
        let above = Above {
            names: above.map(Some),
        };
        township_spellings(name, &above)
            .iter()
            .position(|r| r.iter().any(|s| s == spelling))
    }

    #[test]
    fn a_name_comes_before_its_other_wordings_and_these_before_other_kinds() {
        let above = ["丙区", "乙市", "甲省"];
        assert_eq!(rank("东华门街道", above, "东华门街道"), Some(0));
        assert_eq!(rank("东华门街道", above, "东华门街道办事处"), Some(1));
        assert_eq!(rank("东华门街道", above, "东华门镇"), Some(2));
        assert_eq!(rank("汉江路街道", above, "汉江街办"), Some(2));
        assert_eq!(rank("于家务回族乡", above, "于家务乡"), Some(1));
        assert_eq!(rank("张镇", above, "张乡"), None);
        assert_eq!(rank("苏木镇", above, "苏镇"), None);
    }

    #[test]
    fn a_zone_is_found_without_the_names_above_it() {
        let above = ["鹿泉区", "石家庄市", "河北省"];
        assert_eq!(rank("河北鹿泉经济开发区", above, "经济开发区"), Some(0));
        assert_eq!(rank("河北鹿泉经济开发区", above, "鹿泉经开区"), Some(1));
        assert_eq!(rank("鹿泉区明湖街道", above, "明湖办事处"), Some(1));
        assert_eq!(rank("鹿泉街道", above, "街道"), None);
    }
}
