//! The Commission's own lists, where they are at hand: shares, time, and the shipped table made again.
#![allow(missing_docs)]

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{facts, resolver};
use risk_list::{FactTable, PublishedList};
use rules::Grade;

/// The folder beside the checkout that holds the lists; they are not copied into the project.
fn lists(prefix: &str) -> Vec<PublishedList> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/risk");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("skipped: no {}", folder.display());
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|e| e.unwrap().path()).collect();
    paths.retain(|p| {
        p.file_name()
            .is_some_and(|n| n.to_string_lossy().starts_with(prefix))
    });
    paths.sort();
    let read = |p: &PathBuf| PublishedList::from_json(&std::fs::read(p).unwrap()).unwrap();
    paths.iter().map(read).collect()
}

#[test]
fn each_list_and_grade_resolves_to_the_county() {
    let lists = lists("2022");
    if lists.is_empty() {
        return;
    }
    for list in facts(&lists)
        .counts()
        .iter()
        .filter(|l| l.counts.entries > 0)
    {
        let counts = list.counts;
        assert!(counts.resolved * 100 >= counts.entries * 98, "{list:?}");
    }
}

#[test]
fn the_list_of_2022_12_02_is_imported_in_seconds() {
    let lists = lists("20221202");
    if lists.is_empty() {
        return;
    }
    resolver();
    let start = Instant::now();
    let table = facts(&lists);
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "even unoptimised"
    );
    let high = table.counts()[0];
    assert_eq!((high.grade, high.counts.entries), (Grade::High, 42_921));
    assert!(high.counts.township * 100 >= high.counts.entries * 80);
    assert!(common::map(&table).intervals().len() > 10_000);
}

#[test]
fn the_shipped_table_is_what_the_lists_give() {
    let lists = lists("202208");
    if lists.is_empty() {
        return;
    }
    let shipped = FactTable::august_2022().unwrap();
    let made = facts(&lists);
    assert_eq!(made.facts(), shipped.facts());
    assert_eq!(made.counts(), shipped.counts());
    assert_eq!(made.unplaced(), shipped.unplaced());
}
