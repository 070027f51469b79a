//! What operators are given under `deploy/` fits what a running node tells.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rules::{Claim, EventBody, SourceKind, TestAge, TestResult, WorstColour};
use tests::{Holder, Person, Plan, World};
use wire::Reason;

use crate::NODE;

const HOME: u8 = 33;

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(deploy().join(name)).unwrap()
}

/// Everything that a text calls a number of a node.
fn numbers_in(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_name(c));
    let numbers = words.filter(|word| word.starts_with("viridian_"));
    numbers.map(ToOwned::to_owned).collect()
}

/// What a text says in `name: "value"` or `name=~"a|b"`, for one name of a label.
fn label_values(text: &str, label: &str) -> BTreeSet<String> {
    let mut values = BTreeSet::new();
    for sign in ["=\"", "=~\"", "!=\""] {
        let begin = format!("{label}{sign}");
        for (at, _) in text.match_indices(&begin) {
            let value = text[at + begin.len()..].split('"').next().unwrap();
            values.extend(value.split('|').map(ToOwned::to_owned));
        }
    }
    values
}

/// The queries of a dashboard's panels and variables.
fn queries(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    serde_json::Value::String(text) if name == "expr" || name == "query" => {
                        found.push(text.clone());
                    }
                    _ => queries(value, found),
                }
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|v| queries(v, found)),
        _ => {}
    }
}

/// Some hours of a province: people, events, an epoch, passes, a refusal, and calls that are wrong.
async fn live(world: &mut World) {
    let now = world.now();
    let person = Person::of(HOME, 1);
    let mut device = world.device(&person);
    device.register(now).await.unwrap();
    device.declare_health(now.day(), now).await.unwrap();
    device.query("", now).await.unwrap();
    device.query("xx-1999-01", now).await.unwrap_err();
    let mut laboratory = world.source(HOME, SourceKind::Laboratory, HOME);
    let test = EventBody::Test {
        sampled_at: now,
        result: TestResult::Negative,
    };
    let event = laboratory.event(person.number, now, test);
    let event = laboratory.sign(&event);
    let answers = laboratory.offer(vec![event.clone(), event]).await.unwrap();
    assert_eq!(answers, ["accepted", "duplicate"]);
    world.advance(now.saturating_add_signed(60)).await;
    world.commit(1).await;
    let claim = Claim {
        worst: WorstColour::Green,
        test_age: TestAge::Hours24,
    };
    let passes = device
        .passes(claim, "", &[Holder::new()], world.now())
        .await;
    passes.unwrap();
}

/// Samples of a scrape by name; those with labels are added up.
fn samples(scrape: &str) -> BTreeMap<String, f64> {
    let mut samples = BTreeMap::new();
    for line in scrape.lines().filter(|line| !line.starts_with('#')) {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let name = series.split('{').next().unwrap().to_owned();
        *samples.entry(name).or_insert(0.0) += value.parse::<f64>().unwrap();
    }
    samples
}

#[tokio::test(flavor = "multi_thread")]
async fn every_number_of_the_dashboard_and_of_the_alerts_is_in_a_live_scrape() {
    let mut world = World::start(Plan::new(NODE, 2));
    live(&mut world).await;
    let (status, scrape) = world.node(HOME).ask("/metrics");
    assert_eq!(status, 200);
    let told = samples(&scrape);
    for busy in [
        "calls_total",
        "call_duration_seconds_count",
        "call_refusals_total",
        "source_events_total",
        "commits_total",
        "commit_duration_seconds_count",
        "pass_jobs_total",
        "pass_job_duration_seconds_sum",
        "epochs_closed_total",
        "registry_epoch",
        "trust_list_present",
        "store_size_bytes",
        "disk_free_bytes",
        "process_open_files",
        "ready",
    ] {
        assert!(told[&format!("viridian_{busy}")] > 0.0, "{busy}");
    }

    let dashboard: serde_json::Value =
        serde_json::from_str(&read("observability/dashboard.json")).unwrap();
    let mut asked = Vec::new();
    queries(&dashboard, &mut asked);
    let asked = asked.join("\n");
    let shown = numbers_in(&asked);
    assert!(shown.len() > 30, "{} numbers are shown", shown.len());
    let alarmed = numbers_in(&read("observability/alerts.yml"));
    assert!(alarmed.len() > 15, "{} numbers are watched", alarmed.len());
    for name in shown.iter().chain(&alarmed) {
        assert!(told.contains_key(name), "{name} is not in the scrape");
    }
    // And nothing is told that no panel shows.
    for name in told.keys() {
        let family = ["_bucket", "_sum", "_count"]
            .iter()
            .find_map(|part| name.strip_suffix(part))
            .unwrap_or(name);
        assert!(asked.contains(family), "no panel shows {name}");
    }
    let (status, ready) = world.node(HOME).ask("/readyz");
    assert!(status == 200 && ready.contains("\"ready\":true"), "{ready}");
    world.stop();
}

#[test]
fn the_alerts_name_reasons_that_there_are_and_each_has_a_test_that_sees_it() {
    let alerts = read("observability/alerts.yml");
    let reasons = label_values(&alerts, "reason");
    assert!(!reasons.is_empty());
    for reason in reasons {
        assert!(Reason::from_code(&reason).is_some(), "{reason}");
    }
    assert_eq!(
        label_values(&alerts, "outcome"),
        BTreeSet::from(["failed".to_owned()])
    );
    let names: Vec<_> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(names.len() >= 15, "{} alerts", names.len());
    let tested = read("observability/alerts_test.yml");
    for name in names {
        let quiet = format!("alertname: {name}\n        exp_alerts: []");
        let loud = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels:");
        assert!(tested.contains(&quiet), "{name} is not seen to be quiet");
        assert!(tested.contains(&loud), "{name} is not seen to fire");
    }
}

#[test]
fn the_samples_ask_the_listener_that_the_sample_configuration_opens() {
    let advanced = read("node/advanced.toml");
    let listen = advanced
        .lines()
        .find_map(|line| line.strip_prefix("metrics_listen = "))
        .unwrap();
    let scraped = read("observability/prometheus.yml");
    assert!(scraped.contains(&format!("- {}", listen.trim_matches('"'))));
}
