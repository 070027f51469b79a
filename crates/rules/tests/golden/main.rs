//! Golden vectors: for each rule set the colours of small stories around every boundary, dates worked out by hand.
//!
//! `VIRIDIAN_WRITE_VECTORS=1 cargo test -p rules --test golden` writes `vectors/*.json` from the stories. What is
//! expected comes from the stories alone, never from `evaluate`.

mod fj;
mod hz;
mod story;

use rules::{Colour, Interval, Minute, Record, RiskMap, RuleSet, evaluate};
use serde::{Deserialize, Serialize};
use story::Story;

/// One file of vectors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    rule_set: String,
    vectors: Vec<Vector>,
}

/// A record, a map and a moment with the colour that follows.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    /// The moment in UTC+8, for readers.
    local: String,
    at: Minute,
    colour: Colour,
    record: Record,
    risk_map: Vec<Interval>,
}

fn path(id: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("vectors")
        .join(format!("{id}.json"))
}

/// One vector a line, so that a change shows as the vectors that it touches.
fn text_of(id: &str, stories: &[Story]) -> String {
    let vectors = stories.iter().flat_map(Story::vectors);
    let lines: Vec<String> = vectors
        .map(|v| serde_json::to_string(&v).unwrap())
        .collect();
    format!(
        "{{\"rule_set\":\"{id}\",\"vectors\":[\n{}\n]}}\n",
        lines.join(",\n")
    )
}

fn check_file(id: &str, stories: &[Story]) {
    let text = text_of(id, stories);
    if std::env::var_os("VIRIDIAN_WRITE_VECTORS").is_some() {
        std::fs::write(path(id), &text).unwrap();
    }
    let stored = std::fs::read_to_string(path(id)).unwrap();
    assert!(
        stored == text,
        "vectors/{id}.json is not what the stories say"
    );
}

fn replay(id: &str) {
    let stored = std::fs::read_to_string(path(id)).unwrap();
    let file: File = serde_json::from_str(&stored).unwrap();
    let set = RuleSet::built_in(&file.rule_set).unwrap();
    let mut wrong = Vec::new();
    for v in &file.vectors {
        let map = RiskMap::new(v.risk_map.clone()).unwrap();
        let got = evaluate(&v.record, set.table(), &map, v.at).unwrap().colour;
        if got != v.colour {
            wrong.push(format!(
                "{} at {}: {got:?}, not {:?}",
                v.name, v.local, v.colour
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(file.vectors.len() > 100);
}

#[test]
fn the_vectors_of_hangzhou_are_what_the_stories_say() {
    check_file("hz-2020-02", &hz::stories());
}

#[test]
fn the_vectors_of_fujian_are_what_the_stories_say() {
    check_file("fj-2022-08", &fj::stories());
}

#[test]
fn evaluation_agrees_with_the_vectors_of_hangzhou() {
    replay("hz-2020-02");
}

#[test]
fn evaluation_agrees_with_the_vectors_of_fujian() {
    replay("fj-2022-08");
}

#[test]
fn every_rule_of_a_built_in_set_has_a_story() {
    for (id, stories) in [("hz-2020-02", hz::stories()), ("fj-2022-08", fj::stories())] {
        for rule in RuleSet::built_in(id).unwrap().rules() {
            let told = |s: &Story| s.name.starts_with(&format!("{} ", rule.id));
            assert!(stories.iter().any(told), "{id} {}", rule.id);
        }
    }
}
