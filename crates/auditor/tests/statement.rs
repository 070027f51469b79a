//! `auditor statement`, run as a user runs it.
#![allow(missing_docs)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use roxmltree::{Document, ParsingOptions};
use serde_json::Value;

fn statement(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_auditor"));
    command.arg("statement").args(arguments);
    command.output().expect("the auditor starts")
}

fn text(arguments: &[&str]) -> String {
    let output = statement(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    let text = text(&[arguments, &["--json"]].concat());
    serde_json::from_str(&text).unwrap()
}

fn sum(parts: &Value, of: &str) -> u64 {
    let parts = parts.as_array().unwrap();
    parts.iter().map(|part| part[of].as_u64().unwrap()).sum()
}

fn registry(line: &str) -> u64 {
    let registry = include_str!("../../../circuits/registry.toml");
    let line = registry.lines().find_map(|l| l.strip_prefix(line)).unwrap();
    line.trim_start_matches(" = ").parse().unwrap()
}

#[test]
fn rows_and_wires_of_the_headings_add_up_to_those_of_the_registry() {
    let said = json(&[]);
    assert_eq!(sum(&said["headings"], "rows"), registry("constraints"));
    assert_eq!(sum(&said["headings"], "wires"), registry("witnesses"));
    assert_eq!(said["rows"], registry("rows"));
    assert_eq!(said["domain_rows"], 32_768);
    assert_eq!(said["agrees"], true);
    let prose = include_str!("../../../circuits/src/clearance/STATEMENT.md");
    let mut at = 0;
    for heading in said["headings"].as_array().unwrap() {
        let name = heading["name"].as_str().unwrap();
        let found = prose[at..].find(&format!("\n## {name}\n"));
        at += found.unwrap_or_else(|| panic!("{name} stands after the one before"));
    }
}

#[test]
fn a_heading_breaks_down_into_parts_that_add_up_to_it() {
    let whole = json(&[]);
    // Two of them; that none loses a row is shown beside the counting.
    for heading in &whole["headings"].as_array().unwrap()[6..8] {
        let name = heading["name"].as_str().unwrap();
        for more in [
            &["--depth", "2"][..],
            &["--depth", "8"],
            &["--by", "gadget"],
            &[],
        ] {
            let said = json(&[&["--heading", name], more].concat());
            let selection = &said["selection"];
            assert_eq!(selection["rows"], heading["rows"], "{name} {more:?}");
            assert_eq!(
                sum(&selection["parts"], "rows"),
                heading["rows"],
                "{name} {more:?}"
            );
        }
    }
    let stays = text(&["--heading", "entry key", "--depth", "4"]);
    assert!(
        stays.contains("Entry key/entry[]/stay/meeting[]"),
        "{stays}"
    );
}

#[test]
fn an_unknown_heading_is_refused_with_the_list_of_those_there_are() {
    let output = statement(&["--heading", "Colour"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    for heading in ["Registry membership", "Anchor, phases, lapse", "Binder"] {
        assert!(stderr.contains(heading), "{stderr}");
    }
    for wrong in [
        &["--depth", "0"][..],
        &["--width", "10"],
        &["--text", "--json"],
    ] {
        assert_eq!(statement(wrong).status.code(), Some(2), "{wrong:?}");
    }
}

#[test]
fn bars_are_drawn_where_a_width_is_given_and_left_out_where_there_is_no_terminal() {
    assert!(!text(&[]).contains('█'));
    let drawn = text(&["--width", "80"]);
    let bars = drawn
        .lines()
        .filter(|line| line.contains('█') || line.contains('▏'));
    let bars: Vec<_> = bars.collect();
    assert_eq!(bars.len(), 14, "{drawn}");
    assert!(
        bars.iter().all(|line| line.chars().count() <= 80),
        "{drawn}"
    );
    let full = |line: &&&str| line.matches('█').count();
    let longest = bars.iter().max_by_key(full).unwrap();
    assert!(longest.contains("Risk opening"), "{drawn}");
}

#[test]
fn the_prose_is_printed_whole_or_by_heading() {
    let prose = include_str!("../../../circuits/src/clearance/STATEMENT.md");
    assert_eq!(text(&["--text"]), prose);
    let part = text(&["--text", "--heading", "BINDER"]);
    assert!(part.starts_with("## Binder\n") && prose.contains(&part));
}

fn texts(file: &Path) -> (String, Vec<(String, Option<String>)>) {
    let written = fs::read_to_string(file).unwrap();
    let options = ParsingOptions {
        allow_dtd: true,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&written, options).expect("well-formed");
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    let texts = elements.map(|node| {
        let tag = node.tag_name().name().to_owned();
        (tag, node.text().map(str::to_owned))
    });
    let texts = texts.collect();
    (written, texts)
}

#[test]
fn page_and_drawing_are_written_whole_and_say_what_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let [html, svg] = ["page.html", "rows.svg"].map(|name| at(name).display().to_string());
    let said = json(&["--html", &html, "--svg", &svg]);
    let (page, elements) = texts(Path::new(&html));
    let texts_of = |tag: &str| -> Vec<String> {
        let own = elements.iter().filter(|(name, _)| name == tag);
        own.filter_map(|(_, text)| text.clone()).collect()
    };
    assert!(page.contains(said["matrix_sha256"].as_str().unwrap()));
    let (cells, numbers) = (texts_of("th"), texts_of("td"));
    for heading in said["headings"].as_array().unwrap() {
        assert!(cells.contains(&heading["name"].as_str().unwrap().to_owned()));
        let rows = heading["rows"].as_u64().unwrap();
        let rows = match rows {
            0..1_000 => rows.to_string(),
            _ => format!("{},{:03}", rows / 1_000, rows % 1_000),
        };
        assert!(numbers.contains(&rows), "{rows}");
    }
    assert_eq!(texts_of("summary").len(), 14);
    assert!(
        texts_of("pre")
            .iter()
            .any(|text| text.contains("head time ≤ as_of"))
    );
    let (drawing, elements) = texts(Path::new(&svg));
    let labels = elements.iter().filter(|(name, _)| name == "text").count();
    assert_eq!(labels, 1 + 2 * 14);
    assert!(drawing.contains("Risk opening: 12,204"));
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "nothing is left beside the two files");
}

#[test]
fn a_file_that_cannot_be_written_is_said_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("no such folder/page.html");
    let output = statement(&["--html", &page.display().to_string()]);
    assert_eq!(output.status.code(), Some(3));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("cannot write"), "{stderr}");
    let output = statement(&["--svg", &folder.path().display().to_string()]);
    assert_eq!(output.status.code(), Some(3));
    let parent = folder.path().parent().unwrap();
    let partial = format!(".partial-{}", folder.path().file_name().unwrap().display());
    assert!(!parent.join(partial).exists());
}
