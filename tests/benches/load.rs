//! Load on a real node, over real connections: sources, residents' devices, health checks.
//!
//! Finds the rate of events that the node sustains, offers 1, 2, 5 and 10 times of it, and then once again; says what was
//! accepted, shed and how long it took, whether health and trust list answered meanwhile, and what memory it took. Then
//! passes are fetched by as many devices as two cores prove for, and by 2, 5 and 10 times as many.
//!
//!     cargo bench -p tests --bench load                         # about five minutes
//!     LOAD_LONG_MINUTES=30 cargo bench -p tests --bench load    # and then 30 minutes at the sustained rate
//!
//! `LOAD_RESIDENTS` (10,000), `LOAD_SECONDS` (15, at each rate), `LOAD_BACKEND` (sled). The load is made on the machine that
//! the node runs on and takes its share of it: figures are a lower bound.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use p256::ecdsa::SigningKey;
use rules::{Claim, EventBody, IdentityNumber, SourceKind, TestAge, TestResult, WorstColour};
use tests::{Device, Holder, Person, Plan, Source, World, peer, province};
use tokio::sync::Mutex;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use wire::source::v1::{SignedEvent, SubmitEventsRequest};
use wire::trust::v1::GetTrustListRequest;

const HOME: u8 = 33;
/// Events in one call, as many as there may be.
const BATCH: usize = 256;
/// Connections of each laboratory.
const CONNECTIONS: usize = 4;
/// How long a source waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Multiples of the sustained rate; the last shows whether the node has recovered.
const MULTIPLES: [u32; 5] = [1, 2, 5, 10, 1];
/// Devices that fetch passes at once, each the next when it has one: an answer comes every two seconds at most.
const DEVICES: [usize; 4] = [4, 8, 20, 40];

/// The node is asked for more than one machine's callers would be by default.
const QUOTAS: &str = "[limits.quotas]
events_per_s = 1_000_000
events_burst = 1_000_000
peer_calls_per_s = 100_000
peer_calls_burst = 200_000
address_calls_per_s = 100_000
address_calls_burst = 200_000
address_connections_per_s = 10_000
address_connections_burst = 20_000
address_registers_per_min = 100_000
address_registers_burst = 200_000
";

fn asked(name: &str, otherwise: u32) -> u32 {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// People beyond those that the harness knows by number.
fn people(count: u32) -> Vec<Person> {
    let person = |number: u32| {
        let year = 1930 + u16::try_from(number / 9_000).expect("few enough");
        let month = 1 + u8::try_from(number / 900 % 10).expect("below 10");
        let sequence = 1 + u16::try_from(number % 900).expect("below 900");
        let mut seed = [7; 32];
        seed[..4].copy_from_slice(&number.to_be_bytes());
        Person {
            home: province(HOME),
            number: IdentityNumber::assemble(330_103, (year, month, 1), sequence)
                .expect("a valid number"),
            name: format!("测试{number}"),
            device: SigningKey::from_bytes(&seed.into()).expect("a key"),
        }
    };
    (0..count).map(person).collect()
}

/// The laboratories, each over several connections.
fn laboratories(world: &World) -> Vec<Arc<Source>> {
    let offices = [33, 35, 42]
        .into_iter()
        .flat_map(|code| [code; CONNECTIONS]);
    let connected = offices.map(|code| world.source(code, SourceKind::Laboratory, HOME));
    connected.map(Arc::new).collect()
}

/// Makes batches of tests of one resident after the other.
struct Tests {
    people: Vec<Person>,
    at: rules::Minute,
    next: AtomicU64,
}

impl Tests {
    fn batch(&self, source: &Source) -> Vec<SignedEvent> {
        let first = self.next.fetch_add(BATCH as u64, Ordering::Relaxed);
        let body = EventBody::Test {
            sampled_at: self.at,
            result: TestResult::Negative,
        };
        let event = |number: u64| {
            let person = usize::try_from(number).unwrap_or(0) % self.people.len();
            source.sign(&source.event(self.people[person].number, self.at, body))
        };
        (first..first + BATCH as u64).map(event).collect()
    }
}

/// What became of the calls of one phase.
#[derive(Default)]
struct Outcomes {
    accepted: u64,
    refused: BTreeMap<String, u64>,
    times: Vec<Duration>,
    /// From the first call to the last answer.
    took: Duration,
}

impl Outcomes {
    /// All that was noted, `began` ago.
    async fn since(began: Instant, noted: &Shared) -> Self {
        let mut outcomes = std::mem::take(&mut *noted.lock().await);
        outcomes.took = began.elapsed();
        outcomes
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    fn accepted_per_s(&self) -> f64 {
        self.accepted as f64 / self.took.as_secs_f64()
    }

    fn percentile_ms(&mut self, percent: usize) -> f64 {
        self.times.sort_unstable();
        let at = (self.times.len() * percent / 100).min(self.times.len().saturating_sub(1));
        self.times
            .get(at)
            .map_or(f64::NAN, |t| t.as_secs_f64() * 1e3)
    }
}

fn reason(status: &tonic::Status) -> String {
    wire::reason_of(status).map_or_else(|| format!("{:?}", status.code()), |r| r.code().to_owned())
}

type Shared = Arc<Mutex<Outcomes>>;

async fn offer(source: &Source, events: Vec<SignedEvent>, outcomes: &Shared) {
    let began = Instant::now();
    let count = events.len() as u64;
    let mut client = source.client.clone();
    let mut request = tonic::Request::new(SubmitEventsRequest { events });
    request.set_timeout(PATIENCE);
    let answer = client.submit_events(request).await;
    let took = began.elapsed();
    let mut outcomes = outcomes.lock().await;
    match answer {
        Ok(answer) => {
            let refused = answer
                .get_ref()
                .results
                .iter()
                .filter(|r| !r.reason.is_empty());
            let refused = refused.count() as u64;
            outcomes.accepted += count - refused;
            if refused > 0 {
                *outcomes.refused.entry("events".to_owned()).or_default() += refused;
            }
            outcomes.times.push(took);
        }
        Err(status) => {
            *outcomes.refused.entry(reason(&status)).or_default() += 1;
        }
    }
}

/// As many events a second as the node takes from so many sources that each wait for their answer.
async fn closed_loop(sources: &[Arc<Source>], tests: &Arc<Tests>, time: Duration) -> Outcomes {
    let outcomes = Shared::default();
    let began = Instant::now();
    let until = began + time;
    let calling = sources.iter().map(|source| {
        let (source, tests, outcomes) =
            (Arc::clone(source), Arc::clone(tests), Arc::clone(&outcomes));
        tokio::spawn(async move {
            while Instant::now() < until {
                let batch = tests.batch(&source);
                offer(&source, batch, &outcomes).await;
            }
        })
    });
    for caller in calling.collect::<Vec<_>>() {
        caller.await.expect("a source ends");
    }
    Outcomes::since(began, &outcomes).await
}

/// Offers so many events a second, whether or not earlier ones are answered.
async fn open_loop(sources: &[Arc<Source>], batches: &Batches) -> Outcomes {
    let outcomes = Shared::default();
    let first = Instant::now();
    let mut calls = Vec::new();
    for second in batches {
        let began = Instant::now();
        let gap = Duration::from_secs(1) / u32::try_from(second.len().max(1)).unwrap_or(1);
        for (number, (source, events)) in (0..).zip(second) {
            let due = began + gap * number;
            tokio::time::sleep_until(due.into()).await;
            let (source, events, outcomes) = (
                Arc::clone(&sources[*source]),
                events.clone(),
                Arc::clone(&outcomes),
            );
            calls.push(tokio::spawn(async move {
                offer(&source, events, &outcomes).await;
            }));
        }
        tokio::time::sleep_until((began + Duration::from_secs(1)).into()).await;
    }
    for call in calls {
        call.await.expect("a call ends");
    }
    Outcomes::since(first, &outcomes).await
}

type Batches = Vec<Vec<(usize, Vec<SignedEvent>)>>;

/// Signs ahead what is offered in so many seconds, so that signing does not hold the load back.
fn signed_ahead(
    sources: &[Arc<Source>],
    tests: &Tests,
    events_per_s: f64,
    seconds: u32,
) -> Batches {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a few thousand"
    )]
    let in_a_second = (events_per_s.max(1.0) / BATCH as f64).ceil() as usize;
    let one = |number: usize| {
        let source = number % sources.len();
        (source, tests.batch(&sources[source]))
    };
    let second = |_| (0..in_a_second).map(one).collect();
    (0..seconds).map(second).collect()
}

/// Offers one multiple of the sustained rate, and asks for health and trust list meanwhile.
async fn offer_multiple(
    world: &World,
    sources: &[Arc<Source>],
    tests: &Tests,
    (sustained, multiple): (f64, u32),
    seconds: u32,
) {
    let batches = signed_ahead(sources, tests, sustained * f64::from(multiple), seconds);
    let (end, ended) = tokio::sync::oneshot::channel();
    let (mut outcomes, (mut health, mut lists)) = tokio::join!(
        async {
            let outcomes = open_loop(sources, &batches).await;
            let _ = end.send(());
            outcomes
        },
        watch(world, ended)
    );
    say(&format!("{multiple} times"), &mut outcomes);
    println!(
        "  health p99 {:.1} ms, refused {:?}; trust list p99 {:.1} ms; {} MB",
        health.percentile_ms(99),
        health.refused,
        lists.percentile_ms(99),
        memory_kb(world.node(HOME).id()) / 1024
    );
}

/// Offers the sustained rate for some minutes; does the node grow?
async fn offer_long(
    world: &World,
    sources: &[Arc<Source>],
    tests: &Tests,
    sustained: f64,
    minutes: u32,
) {
    for minute in 1..=minutes {
        let batches = signed_ahead(sources, tests, sustained, 60);
        let mut outcomes = open_loop(sources, &batches).await;
        say(&format!("minute {minute}"), &mut outcomes);
        println!("  {} MB", memory_kb(world.node(HOME).id()) / 1024);
    }
}

/// Asks for health and for the trust list five times a second until it is told to end.
async fn watch(world: &World, end: tokio::sync::oneshot::Receiver<()>) -> (Outcomes, Outcomes) {
    let channel = peer::public_channel(world, HOME);
    let mut health = HealthClient::new(channel.clone());
    let mut trust = wire::client::trust(channel);
    let (mut healths, mut lists) = (Outcomes::default(), Outcomes::default());
    let mut end = std::pin::pin!(end);
    loop {
        let began = Instant::now();
        let answer = health.check(HealthCheckRequest::default()).await;
        note(&mut healths, answer.map(drop), began);
        let began = Instant::now();
        let answer = trust.get_trust_list(GetTrustListRequest::default()).await;
        note(&mut lists, answer.map(drop), began);
        tokio::select! {
            _ = &mut end => return (healths, lists),
            () = tokio::time::sleep(Duration::from_millis(200)) => {}
        }
    }
}

fn note(outcomes: &mut Outcomes, answer: Result<(), tonic::Status>, began: Instant) {
    match answer {
        Ok(()) => {
            outcomes.accepted += 1;
            outcomes.times.push(began.elapsed());
        }
        Err(status) => {
            *outcomes.refused.entry(reason(&status)).or_default() += 1;
        }
    }
}

/// Memory of a process, kilobytes.
fn memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|rest| rest.trim().split(' ').next()?.parse().ok());
    number.unwrap_or(0)
}

/// Fetches passes with devices of these people: passes a second, and how long each took.
async fn passes(world: &World, people: &[Person], time: Duration) {
    let now = world.now();
    let first = Instant::now();
    let until = first + time;
    let outcomes = Shared::default();
    let fetching = people.iter().map(|person| {
        let mut device: Device = world.device(person);
        let outcomes = Arc::clone(&outcomes);
        tokio::spawn(async move {
            device.register(now).await.expect("a device is bound");
            let claim = Claim {
                worst: WorstColour::Yellow,
                test_age: TestAge::NotAsked,
            };
            while Instant::now() < until {
                let began = Instant::now();
                let holders = [Holder::new()];
                let asked = device.passes(claim, World::NATION, &holders, now).await;
                let wait = asked.as_ref().err().and_then(wire::retry_after);
                note(&mut *outcomes.lock().await, asked.map(drop), began);
                tokio::time::sleep(wait.unwrap_or_default()).await;
            }
        })
    });
    for device in fetching.collect::<Vec<_>>() {
        device.await.expect("a device ends");
    }
    let mut outcomes = Outcomes::since(first, &outcomes).await;
    say(
        &format!("passes for {} devices", people.len()),
        &mut outcomes,
    );
}

/// With decimals where it is small.
fn figure(number: f64) -> String {
    if number < 100.0 {
        format!("{number:.2}")
    } else {
        format!("{number:.0}")
    }
}

fn say(label: &str, outcomes: &mut Outcomes) {
    println!(
        "{label}: {} a second accepted, p50 {:.1} ms, p99 {:.1} ms, refused {:?}",
        figure(outcomes.accepted_per_s()),
        outcomes.percentile_ms(50),
        outcomes.percentile_ms(99),
        outcomes.refused
    );
}

#[tokio::main(flavor = "multi_thread")]
async fn main() {
    let residents = asked("LOAD_RESIDENTS", 10_000);
    let seconds = asked("LOAD_SECONDS", 15);
    let time = Duration::from_secs(seconds.into());
    let people = people(residents);
    let mut plan = Plan::new(env!("CARGO_BIN_EXE_viridian-node"), 0);
    plan.people.clone_from(&people);
    plan.log = "error";
    let mut world = World::prepare(plan);
    let backend = std::env::var("LOAD_BACKEND").unwrap_or_else(|_| "sled".to_owned());
    let store = format!("[store]\nreserve_mib = 1\nbackend = \"{backend}\"\n");
    for code in [33, 35, 42] {
        world.write_config(code, &format!("{QUOTAS}{store}"));
        world.start_node(code);
    }
    let pid = world.node(HOME).id();
    // Who fetches passes has a record in the registry, and there is a trust list to ask for.
    let mut first = world.source(HOME, SourceKind::Laboratory, HOME);
    for person in people.iter().take(DEVICES.iter().sum()) {
        let body = EventBody::Test {
            sampled_at: world.now().saturating_add_signed(-90),
            result: TestResult::Negative,
        };
        first.state(person, world.now(), body).await;
    }
    world.commit(1).await;
    let sources = laboratories(&world);
    let tests = Arc::new(Tests {
        people: people.clone(),
        at: world.now().saturating_add_signed(-60),
        next: AtomicU64::new(0),
    });
    let mut most = closed_loop(&sources, &tests, time).await;
    say("as fast as answers come", &mut most);
    let sustained = most.accepted_per_s() * 0.7;
    println!(
        "sustained: {sustained:.0} events a second; {} MB",
        memory_kb(pid) / 1024
    );

    for multiple in MULTIPLES {
        let rates = (sustained, multiple);
        offer_multiple(&world, &sources, &tests, rates, seconds).await;
    }
    let mut rest = &people[..];
    for count in DEVICES {
        let (own, others) = rest.split_at(count);
        passes(&world, own, time * 2).await;
        rest = others;
    }
    let minutes = asked("LOAD_LONG_MINUTES", 0);
    offer_long(&world, &sources, &tests, sustained, minutes).await;
    world.stop();
}
