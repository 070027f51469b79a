//! The one registry of a node, and what is counted as it happens. What is looked up when somebody asks is in `sample`.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use federation::{CallObserver, EndedCall, RequestId};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use rand::RngCore as _;
use rand_chacha::ChaCha20Rng;
use rules::appeal::Outcome;
use store::{CommitOutcome, StoreError, StoreObserver};
use wire::{ForwardAnswer, Method, Reason};

use super::labels::{
    AppealLabels, AppealWord, CallLabels, CodeWord, CommitLabels, CommitWord, EventLabels,
    EventOutcome, EventWord, HomeLabels, HomeOutcome, HomeWord, MethodLabels, MethodWord,
    ReasonLabels, ReasonWord,
};
use super::sample::Sampled;
use super::store::Commits;
use crate::{Entropy, EventAnswer};

/// Histograms of calls.
type Durations = Family<MethodLabels, Histogram, fn() -> Histogram>;

/// Bounds of the times of calls: from a look-up to the longest deadline.
const CALL_BOUNDS_S: [f64; 12] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 2.0, 8.0, 30.0,
];
/// Bounds of the times of commits: a durable one takes about a millisecond on a disk that is well.
const COMMIT_BOUNDS_S: [f64; 11] = [
    0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];
/// Bounds of the number of commits that share one flush.
const GROUP_BOUNDS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// Bounds of the times of pass jobs. Each time is counted as the bound above it: a refusal takes exactly as long as the
/// newest proof did, and a sum of exact times would show which was which. Powers of two, so that sums are exact.
const JOB_BOUNDS_S: [f64; 10] = [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0];
/// Bounds of the times of closing an epoch.
const CLOSE_BOUNDS_S: [f64; 9] = [0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0];

/// Where the store lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreDisk {
    /// Its directory.
    pub dir: PathBuf,
    /// Bytes that are to stay free.
    pub reserve_bytes: u64,
}

/// Everything that is counted in a node. Each node has its own.
pub struct Metrics {
    registry: Registry,
    counted: Counted,
    pub(super) sampled: Sampled,
    pub(super) started: Instant,
    pub(super) disk: Option<StoreDisk>,
    pub(super) store_state: Mutex<Commits>,
    ids: Mutex<ChaCha20Rng>,
}

/// What is counted as it happens.
struct Counted {
    calls: Family<CallLabels, Counter>,
    call_durations: Durations,
    calls_under_way: Gauge,
    refusals: Family<ReasonLabels, Counter>,
    events: Family<EventLabels, Counter>,
    forwarded: Family<HomeLabels, Counter>,
    foreign: Family<HomeLabels, Counter>,
    appeals: Family<AppealLabels, Counter>,
    commits: Family<CommitLabels, Counter>,
    commit_durations: Histogram,
    commits_per_flush: Histogram,
    flush_durations: Histogram,
    pass_jobs: Counter,
    pass_jobs_failed: Counter,
    pass_job_durations: Histogram,
    pass_queue_refusals: Counter,
    epochs_closed: Counter,
    close_durations: Histogram,
    checkpoint_refusals: Counter,
}

impl Metrics {
    /// A registry whose request ids come from a generator of their own. `disk` is looked at whenever numbers are asked
    /// for; a store in memory has none.
    pub fn new(entropy: &Entropy, disk: Option<StoreDisk>) -> Self {
        let mut registry = Registry::with_prefix("viridian");
        let build = [
            ("version", env!("CARGO_PKG_VERSION")),
            (
                "revision",
                option_env!("VIRIDIAN_REVISION").unwrap_or("unknown"),
            ),
        ];
        registry.register("build", "What runs here", Info::new(build));
        let counted = Counted::register(&mut registry);
        counted.begin_series();
        Self {
            counted,
            sampled: Sampled::register(&mut registry),
            registry,
            started: Instant::now(),
            disk,
            store_state: Mutex::default(),
            ids: Mutex::new(entropy.fork()),
        }
    }

    /// All numbers as `OpenMetrics` text. Those that are looked up are as they were last looked up.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }

    pub(crate) fn events_judged(&self, answers: &[EventAnswer]) {
        for answer in answers {
            let outcome = EventWord((*answer).into());
            let events = &self.counted.events;
            events.get_or_create(&EventLabels { outcome }).inc();
        }
    }

    /// What homes answered to events that were sent to them, or what the clock did.
    pub(crate) fn forwarded_events<'a>(&self, answers: impl Iterator<Item = &'a ForwardAnswer>) {
        count_homes(&self.counted.forwarded, answers);
    }

    /// What was answered to events of other provinces.
    pub(crate) fn foreign_events(&self, answers: &[ForwardAnswer]) {
        count_homes(&self.counted.foreign, answers.iter());
    }

    pub(crate) fn appeal_decided(&self, outcome: Outcome) {
        let outcome = AppealWord(outcome);
        let appeals = &self.counted.appeals;
        appeals.get_or_create(&AppealLabels { outcome }).inc();
    }

    /// A place of the proving queue was worked off, whatever came of it.
    pub(crate) fn pass_job_ended(&self, took: Duration, is_fault: bool) {
        let took_s = took.as_secs_f64();
        let above = JOB_BOUNDS_S.iter().copied().find(|bound| took_s <= *bound);
        let last = JOB_BOUNDS_S[JOB_BOUNDS_S.len() - 1];
        let counted = &self.counted;
        counted
            .pass_job_durations
            .observe(above.unwrap_or(2.0 * last));
        counted.pass_jobs.inc();
        if is_fault {
            counted.pass_jobs_failed.inc();
        }
    }

    pub(crate) fn pass_queue_was_full(&self) {
        self.counted.pass_queue_refusals.inc();
    }

    pub(crate) fn epoch_closed(&self, took: Duration) {
        self.counted.epochs_closed.inc();
        self.counted.close_durations.observe(took.as_secs_f64());
    }

    pub(crate) fn checkpoint_refused(&self) {
        self.counted.checkpoint_refusals.inc();
    }

    pub(super) fn commits_now(&self) -> MutexGuard<'_, Commits> {
        // What is known of commits is in a good state between any two of its changes.
        self.store_state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn register(r: &mut Registry) -> Self {
        let call_durations: Durations =
            Family::new_with_constructor(|| Histogram::new(CALL_BOUNDS_S));
        let help = "Time of calls from their headers to the last byte of their answer";
        r.register_with_unit(
            "call_duration",
            help,
            Unit::Seconds,
            Family::clone(&call_durations),
        );
        Self {
            calls: family(r, "calls", "Calls that have ended, by call and gRPC code"),
            call_durations,
            calls_under_way: gauge(r, "calls_under_way", "Calls that have come and not ended"),
            refusals: family(r, "call_refusals", "Calls refused, by stable reason"),
            events: family(
                r,
                "source_events",
                "Events of sources, by what became of them",
            ),
            forwarded: family(
                r,
                "forwarded_events",
                "Events sent to other provinces, by what became of them there",
            ),
            foreign: family(
                r,
                "foreign_events",
                "Events from other provinces, by what was answered",
            ),
            appeals: family(r, "appeal_decisions", "Appeals decided, by their end"),
            commits: family(r, "commits", "Commits, by what became of them"),
            commit_durations: histogram(
                r,
                "commit_duration",
                "Time of commits until they are durable, waiting included",
                &COMMIT_BOUNDS_S,
            ),
            commits_per_flush: group(r),
            flush_durations: histogram(
                r,
                "flush_duration",
                "Time of one flush to the disk",
                &COMMIT_BOUNDS_S,
            ),
            pass_jobs: counter(
                r,
                "pass_jobs",
                "Places of the proving queue worked off, passes and refusals alike",
            ),
            pass_jobs_failed: counter(
                r,
                "pass_jobs_failed",
                "Places of the proving queue that ended in a fault of the node",
            ),
            pass_job_durations: histogram(
                r,
                "pass_job_duration",
                "Time of a place of the proving queue, rounded up to a bound",
                &JOB_BOUNDS_S,
            ),
            pass_queue_refusals: counter(
                r,
                "pass_queue_refusals",
                "Requests for passes that met a full proving queue",
            ),
            epochs_closed: counter(r, "epochs_closed", "Epochs closed since the start"),
            close_durations: histogram(
                r,
                "epoch_close_duration",
                "Time of closing an epoch",
                &CLOSE_BOUNDS_S,
            ),
            checkpoint_refusals: counter(
                r,
                "checkpoint_refusals",
                "Checkpoints of other logs that this node did not cosign",
            ),
        }
    }

    /// Has series that exist from the start on, so that a rate of the first refusal can be taken.
    fn begin_series(&self) {
        for method in Method::ALL {
            let method = MethodWord(Some(*method));
            let code = CodeWord(tonic::Code::Ok);
            drop(self.calls.get_or_create(&CallLabels { method, code }));
            if !lasts_as_long_as_wanted(method.0) {
                let labels = MethodLabels { method };
                drop(self.call_durations.get_or_create(&labels));
            }
        }
        for reason in Reason::ALL {
            let reason = ReasonWord(*reason);
            drop(self.refusals.get_or_create(&ReasonLabels { reason }));
        }
        for outcome in EventOutcome::ALL {
            let outcome = EventWord(outcome);
            drop(self.events.get_or_create(&EventLabels { outcome }));
        }
        for outcome in HomeOutcome::ALL {
            let labels = HomeLabels {
                outcome: HomeWord(outcome),
            };
            drop(self.forwarded.get_or_create(&labels));
            drop(self.foreign.get_or_create(&labels));
        }
        for outcome in [Outcome::Upheld, Outcome::Dismissed] {
            let outcome = AppealWord(outcome);
            drop(self.appeals.get_or_create(&AppealLabels { outcome }));
        }
        for outcome in CommitOutcome::ALL {
            let outcome = CommitWord(outcome);
            drop(self.commits.get_or_create(&CommitLabels { outcome }));
        }
    }
}

impl CallObserver for Metrics {
    fn new_id(&self) -> RequestId {
        let mut bytes = [0; 16];
        let mut ids = self.ids.lock().unwrap_or_else(PoisonError::into_inner);
        ids.fill_bytes(&mut bytes);
        RequestId::from_random(bytes)
    }

    fn began(&self) {
        self.counted.calls_under_way.inc();
    }

    fn ended(&self, call: &EndedCall) {
        let counted = &self.counted;
        counted.calls_under_way.dec();
        let method = MethodWord(call.method);
        let code = CodeWord(call.code);
        let labels = CallLabels { method, code };
        counted.calls.get_or_create(&labels).inc();
        if let Some(reason) = call.reason.map(ReasonWord) {
            let labels = ReasonLabels { reason };
            counted.refusals.get_or_create(&labels).inc();
        }
        if !lasts_as_long_as_wanted(call.method) {
            let durations = &counted.call_durations;
            let durations = durations.get_or_create(&MethodLabels { method });
            durations.observe(call.took.as_secs_f64());
        }
    }
}

/// Calls whose time says nothing: a watch or a stream lasts as long as its caller likes.
const fn lasts_as_long_as_wanted(method: Option<Method>) -> bool {
    matches!(method, Some(Method::HealthWatch | Method::StreamEvents))
}

impl StoreObserver for Metrics {
    fn commit_began(&self) -> u64 {
        self.commits_now().begin()
    }

    fn commit_ended(&self, number: u64, took: Duration, outcome: Result<(), &StoreError>) {
        self.commits_now().end(number, outcome);
        let outcome = CommitWord(CommitOutcome::of(outcome));
        let counted = &self.counted;
        let labels = CommitLabels { outcome };
        counted.commits.get_or_create(&labels).inc();
        if outcome.0 == CommitOutcome::Durable {
            counted.commit_durations.observe(took.as_secs_f64());
        }
    }

    fn group_flushed(&self, commits: usize, took: Duration) {
        let commits = u32::try_from(commits).unwrap_or(u32::MAX);
        self.counted.commits_per_flush.observe(commits.into());
        self.counted.flush_durations.observe(took.as_secs_f64());
    }
}

fn count_homes<'a>(
    family: &Family<HomeLabels, Counter>,
    answers: impl Iterator<Item = &'a ForwardAnswer>,
) {
    for answer in answers {
        let outcome = HomeWord(answer.into());
        family.get_or_create(&HomeLabels { outcome }).inc();
    }
}

/// Counters by a label.
fn family<L>(registry: &mut Registry, name: &str, help: &str) -> Family<L, Counter>
where
    Family<L, Counter>: Metric + Default + Clone,
{
    let family = Family::<L, Counter>::default();
    registry.register(name, help, family.clone());
    family
}

fn counter(registry: &mut Registry, name: &str, help: &str) -> Counter {
    let counter = Counter::default();
    registry.register(name, help, counter.clone());
    counter
}

fn gauge(registry: &mut Registry, name: &str, help: &str) -> Gauge {
    let gauge = Gauge::default();
    registry.register(name, help, gauge.clone());
    gauge
}

/// Of seconds.
fn histogram(registry: &mut Registry, name: &str, help: &str, bounds_s: &[f64]) -> Histogram {
    let histogram = Histogram::new(bounds_s.iter().copied());
    registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
    histogram
}

fn group(registry: &mut Registry) -> Histogram {
    let histogram = Histogram::new(GROUP_BOUNDS);
    let help = "Commits that shared one flush";
    registry.register("commits_per_flush", help, histogram.clone());
    histogram
}
