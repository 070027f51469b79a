//! A seeded sample of resolved strings per list and grade, for people to read.

use std::fmt::Write;

use risk_list::{LISTED_GRADES, PublishedList, Resolution, Resolver, Target};

/// Prints `count` strings of each list and grade with the codes and names that they were resolved to.
pub(crate) fn print(
    resolver: &Resolver,
    lists: &[PublishedList],
    count: usize,
    seed: u64,
) -> String {
    let mut out = String::new();
    let mut draw = Draw(seed);
    for list in lists {
        for grade in LISTED_GRADES {
            let groups = list.groups.iter().filter(|g| g.grade == grade);
            let mut all: Vec<(usize, usize)> = groups
                .clone()
                .enumerate()
                .flat_map(|(g, group)| (0..group.texts.len()).map(move |t| (g, t)))
                .collect();
            let groups: Vec<_> = groups.collect();
            let taken = count.min(all.len());
            for at in 0..taken {
                let other = at + draw.below(all.len() - at);
                all.swap(at, other);
            }
            all.truncate(taken);
            all.sort_unstable();
            if taken > 0 {
                let _ = writeln!(
                    out,
                    "\n{} {grade:?}, {taken} of the listed strings:",
                    list.updated
                );
            }
            for (group, text) in all {
                let group = groups[group];
                let listed = &group.texts[text];
                let resolution = resolver.resolve(&resolver.scope(&group.place), listed);
                let _ = writeln!(
                    out,
                    "  {} | {listed}\n    -> {}",
                    group.place,
                    shown(resolver, &resolution)
                );
            }
        }
    }
    out
}

fn shown(resolver: &Resolver, resolution: &Resolution) -> String {
    let named = |areas: &[u32], end: &str| {
        let each = areas
            .iter()
            .map(|a| format!("{a:09} {}{end}", resolver.table().names(*a)));
        each.collect::<Vec<_>>().join("; ")
    };
    match &resolution.target {
        Target::Whole(areas) => named(areas, " (whole)"),
        Target::Site { areas, text } => format!("{} / {text}", named(areas, "")),
        Target::Unknown => "nothing".to_owned(),
    }
}

/// `SplitMix64`: the same sample for the same seed on every machine.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let bound = bound.max(1) as u64;
        usize::try_from(mixed % bound).unwrap_or(0)
    }
}
