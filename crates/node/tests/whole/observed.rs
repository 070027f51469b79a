//! What the operator's listener tells: numbers, readiness, and nothing that tells a refusal from a pass.
#![expect(
    clippy::float_cmp,
    reason = "the numbers looked at are whole, or sums of powers of two"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use wire::operator::v1 as o;
use wire::pass::v1::{Colour, TestAge};
use wire::resident::v1 as r;
use wire::{Method, Reason};

use crate::answers::Street;
use crate::clients::{Phone, at_public, operator};
use crate::passes::{ask, epoch, request};
use crate::provers::Checking;
use crate::world::{House, Wish, World};

/// Sends bytes and reads until the other side closes.
async fn exchange(at: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// Status and body of a path.
async fn get(house: &House, path: &str) -> (u16, String) {
    let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\n\r\n");
    let answer = exchange(house.metrics_at, request.as_bytes()).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// All series of a scrape by name and labels.
async fn scrape(house: &House) -> BTreeMap<String, f64> {
    let (status, text) = get(house, "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"));
    let series = text.lines().filter(|line| !line.starts_with('#'));
    let value = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap();
        (name.to_owned(), value.parse().unwrap())
    };
    series.map(value).collect()
}

/// Waits until a path answers with `status`, and gives the body.
async fn becomes(house: &House, path: &str, status: u16) -> serde_json::Value {
    let began = Instant::now();
    loop {
        let (now, body) = get(house, path).await;
        if now == status {
            return serde_json::from_str(&body).unwrap();
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{now}: {body}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn state_of(readiness: &serde_json::Value, check: &str) -> (String, String) {
    let checks = readiness["checks"].as_array().unwrap();
    let found = checks.iter().find(|c| c["check"] == check).unwrap();
    let text = |field: &str| found[field].as_str().unwrap().to_owned();
    (text("state"), text("detail"))
}

async fn health(house: &House, service: &str) -> ServingStatus {
    let mut client = HealthClient::new(at_public(house));
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(request).await.unwrap().into_inner().status()
}

async fn health_becomes(house: &House, service: &str, status: ServingStatus) {
    let began = Instant::now();
    while health(house, service).await != status {
        assert!(began.elapsed() < Duration::from_secs(30), "{service}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

const TRUST: &str = "viridian.trust.v1.TrustService";

#[tokio::test(flavor = "multi_thread")]
async fn calls_events_epochs_and_ages_are_counted() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let mut phone = Phone::registered(house, 1).await;
    // The same again, for which the key is not known: another device.
    let query: r::QueryRequest = Phone::new(house, 2).sign(&r::Query::default());
    phone.client.query(query).await.unwrap_err();
    crate::passes::negative(house, 1, crate::world::START - 60).await;
    epoch(&world, 1).await;
    let seen = scrape(house).await;
    for (series, expected) in [
        (
            "calls_total{method=\"ResidentService/Register\",code=\"OK\"}",
            1.0,
        ),
        (
            "calls_total{method=\"ResidentService/Query\",code=\"UNAUTHENTICATED\"}",
            1.0,
        ),
        (
            "calls_total{method=\"ResidentService/Query\",code=\"OK\"}",
            0.0,
        ),
        ("call_refusals_total{reason=\"UNKNOWN_DEVICE\"}", 1.0),
        (
            "call_duration_seconds_count{method=\"ResidentService/Query\"}",
            1.0,
        ),
        ("source_events_total{outcome=\"accepted\"}", 1.0),
        ("source_events_total{outcome=\"refused\"}", 0.0),
        ("epochs_closed_total", 1.0),
        ("closed_epoch", 1.0),
        ("registry_epoch", 1.0),
        ("trust_list_present", 1.0),
        ("trust_list_age_limit_seconds", 259_200.0),
        ("root_document_expiry_timestamp_seconds", 4_000_000_000.0),
        ("certificate_expiry_timestamp_seconds", 4_102_444_800.0),
        ("pass_queue_limit", 64.0),
        ("ready", 1.0),
        // Both are told in hundreds.
        ("residents", 0.0),
        ("events_stored", 0.0),
    ] {
        assert_eq!(seen[&format!("viridian_{series}")], expected, "{series}");
    }
    assert!(seen["viridian_commits_total{outcome=\"durable\"}"] >= 4.0);
    assert_eq!(
        seen["viridian_commit_duration_seconds_count"],
        seen["viridian_commits_total{outcome=\"durable\"}"]
    );
    assert!(seen["viridian_process_memory_peak_bytes"] > 1e6);
    // An hour later everything is an hour old.
    world.advance_to(crate::world::START + 60);
    let later = scrape(house).await;
    for age in ["closed_epoch_age", "registry_age", "trust_list_age"] {
        let name = format!("viridian_{age}_seconds");
        assert!((later[&name] - seen[&name] - 3_600.0).abs() < 1.0, "{age}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_label_comes_from_a_closed_list() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    Phone::registered(house, 1).await;
    // A path that names no call is counted as such, not by what it says.
    let channel = at_public(house);
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<r::Query, r::QueryResponse>::default();
    let path = "/viridian.resident.v1.ResidentService/330102199001010010";
    let path = path.parse().unwrap();
    let request = tonic::Request::new(r::Query::default());
    client.unary(request, path, codec).await.unwrap_err();

    let (_, text) = get(house, "/metrics").await;
    let mut closed: BTreeSet<String> = BTreeSet::from(["unknown".to_owned()]);
    closed.extend(
        Method::ALL
            .iter()
            .map(|m| federation::method_name(Some(*m)).to_owned()),
    );
    closed.extend(Reason::ALL.iter().map(|r| r.code().to_owned()));
    closed.extend(node::observe::Check::ALL.map(|c| c.name().to_owned()));
    closed.extend((0..=16).map(|n| code_text(tonic::Code::from_i32(n))));
    for word in [
        "accepted",
        "duplicate",
        "refused",
        "forwarded",
        "waiting",
        "lapsed",
        "upheld",
        "dismissed",
        "durable",
        "conflict",
        "too-large",
        "full",
        "failed",
    ] {
        closed.insert(word.to_owned());
    }
    let mut labels = 0;
    for line in text
        .lines()
        .filter(|l| !l.starts_with("# ") && !l.starts_with("viridian_build"))
    {
        let Some((_, rest)) = line.split_once('{') else {
            continue;
        };
        for label in rest.split_once('}').unwrap().0.split("\",") {
            let (name, value) = label.trim_end_matches('"').split_once("=\"").unwrap();
            labels += 1;
            assert!(name == "le" || closed.contains(value), "{name}={value}");
        }
    }
    assert!(labels > 100, "{labels} labels were looked at");
    assert!(text.contains("method=\"unknown\",code=\"UNIMPLEMENTED\""));
    assert!(!text.contains("330102"));
    assert!(text.len() < node::observe::MAX_ANSWER_LEN_BYTES / 4);
}

/// `InvalidArgument` as `INVALID_ARGUMENT`.
fn code_text(code: tonic::Code) -> String {
    let mut text = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_uppercase());
    }
    text
}

/// What a number is that time alone moves.
fn moves_by_itself(series: &str) -> bool {
    let by_time = [
        "_duration_seconds_sum",
        "viridian_uptime",
        "viridian_check_passed",
        "viridian_process_",
        "viridian_commit_duration_seconds_bucket",
        "viridian_call_duration_seconds_bucket",
    ];
    by_time.iter().any(|part| series.contains(part))
        && !series.contains("viridian_pass_job_duration")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_tells_a_refusal_from_a_pass() {
    let mut street = Street::new(Wish {
        prover: Arc::new(Checking {
            delay: Duration::from_millis(40),
        }),
        ..Wish::default()
    })
    .await;
    let mut deltas = Vec::new();
    // The first resident gets passes, the others are refused for a reason each; one round goes before, since how long a
    // proof takes is known after the first.
    for round in 0..2 {
        for resident in 0..4 {
            let before = scrape(street.house()).await;
            let body = request(2, Colour::Green, TestAge::Hours48, "fj-2022-08");
            let phone = &mut street.phones[resident];
            ask(phone, &body).await.unwrap();
            let use_id = body.use_id.clone();
            let call: r::MakeCodeRequest = phone.sign(&r::MakeCode { use_id });
            let answer = phone.client.make_code(call).await.unwrap().into_inner();
            let is_pass = answer.state() == r::MakeCodeState::Ready;
            assert_eq!(is_pass, resident == 0, "{answer:?}");
            // The second job's end is counted a moment after its row is there.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let mut delta = scrape(street.house()).await;
            delta.retain(|series, _| !moves_by_itself(series));
            for (series, value) in &mut delta {
                *value -= before.get(series).copied().unwrap_or(0.0);
            }
            delta.retain(|_, value| *value != 0.0);
            if round > 0 {
                deltas.push(delta);
            }
        }
    }
    assert_eq!(deltas[0]["viridian_pass_jobs_total"], 2.0);
    assert_eq!(deltas[0]["viridian_pass_job_duration_seconds_sum"], 0.25);
    for refused in &deltas[1..] {
        assert_eq!(refused, &deltas[0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_without_room_makes_a_node_unready_and_room_makes_it_ready_again() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let ready = becomes(house, "/readyz", 200).await;
    assert_eq!(ready["ready"], true);
    assert_eq!(state_of(&ready, "store").0, "ok");
    // Without a trust list a node works and says why there is none; that service alone is not serving.
    let (state, why) = state_of(&ready, "trust-list");
    assert!(state == "warning" && why.starts_with("none:"), "{why}");
    assert_eq!(health(house, "").await, ServingStatus::Serving);
    assert_eq!(health(house, TRUST).await, ServingStatus::NotServing);

    house.store.set_full(true);
    // Nobody but the check itself writes.
    let unready = becomes(house, "/readyz", 503).await;
    let (state, why) = state_of(&unready, "store");
    assert!(state == "failed" && why.contains("make room"), "{why}");
    health_becomes(house, "", ServingStatus::NotServing).await;
    let resident = "viridian.resident.v1.ResidentService";
    health_becomes(house, resident, ServingStatus::NotServing).await;
    assert_eq!(
        scrape(house).await["viridian_check_passed{check=\"store\"}"],
        0.0
    );
    assert_eq!(get(house, "/livez").await, (200, "alive\n".to_owned()));

    house.store.set_full(false);
    becomes(house, "/readyz", 200).await;
    health_becomes(house, "", ServingStatus::Serving).await;

    epoch(&world, 1).await;
    health_becomes(house, TRUST, ServingStatus::Serving).await;
    // A list that gates do not believe any more.
    world.advance_to(crate::world::START + 259_200 / 60 + 1);
    health_becomes(house, TRUST, ServingStatus::NotServing).await;
    let old = becomes(house, "/readyz", 200).await;
    let (state, why) = state_of(&old, "trust-list");
    assert!(
        state == "warning" && why.contains("gates cannot tell"),
        "{why}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_node_is_alive_and_not_ready() {
    let mut world = World::new(Wish::default()).await;
    let house = world.houses.remove(0);
    becomes(&house, "/readyz", 200).await;
    house.node.begin_drain();
    let (status, _) = get(&house, "/readyz").await;
    assert_eq!(status, 503);
    let unready = becomes(&house, "/readyz", 503).await;
    assert_eq!(get(&house, "/livez").await.0, 200);
    health_becomes(&house, "", ServingStatus::NotServing).await;
    let unready = if unready["ready"] == true {
        tokio::time::sleep(Duration::from_secs(2)).await;
        becomes(&house, "/readyz", 503).await
    } else {
        unready
    };
    assert_eq!(state_of(&unready, "running").0, "failed");
    operator(&house).drain(o::DrainRequest {}).await.unwrap();
    house.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listener_changes_nothing_and_waits_for_nobody() {
    let world = World::new(Wish::default()).await;
    let house = &world.houses[0];
    let at = house.metrics_at;
    assert_eq!(get(house, "/").await.0, 404);
    assert_eq!(get(house, "/metrics/../readyz").await.0, 404);
    let post = b"POST /metrics HTTP/1.1\r\nHost: here\r\nContent-Length: 2\r\n\r\n{}";
    assert!(exchange(at, post).await.starts_with("HTTP/1.1 405 "));
    let long = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(20_000));
    assert!(
        exchange(at, long.as_bytes())
            .await
            .starts_with("HTTP/1.1 431 ")
    );
    assert!(
        !exchange(at, b"\x16\x03\x01\xff\xff\r\n\r\n")
            .await
            .contains("200")
    );

    // Sixteen that say nothing hold all places for as long as a head may take, and no longer.
    let began = Instant::now();
    let mut silent = Vec::new();
    for _ in 0..16 {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\n")
            .await
            .unwrap();
        silent.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(get(house, "/livez").await.0, 200);
    let waited = began.elapsed();
    assert!(
        waited > Duration::from_secs(4) && waited < Duration::from_secs(12),
        "{waited:?}"
    );
    // The doors do not depend on it.
    assert_eq!(health(house, "").await, ServingStatus::Serving);
}

/// The table of numbers in the README is the registry, row by row.
#[test]
fn the_readme_has_every_number_with_its_kind_and_no_other() {
    let metrics = node::observe::Metrics::new(&node::Entropy::from_seed([1; 32]), None);
    let mut told = BTreeSet::new();
    for line in metrics.to_text().lines() {
        let Some(rest) = line.strip_prefix("# TYPE ") else {
            continue;
        };
        let (name, kind) = rest.split_once(' ').unwrap();
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            _ => "",
        };
        told.insert((format!("{name}{suffix}"), kind.to_owned()));
    }
    let readme = include_str!("../../README.md");
    let mut written = BTreeSet::new();
    for line in readme.lines() {
        let Some((name, rest)) = line
            .strip_prefix("| `viridian_")
            .and_then(|row| row.split_once("` | "))
        else {
            continue;
        };
        let kind = rest.split(' ').next().unwrap();
        written.insert((format!("viridian_{name}"), kind.to_owned()));
    }
    assert!(told.len() > 35, "{} numbers", told.len());
    assert_eq!(told, written);
}
