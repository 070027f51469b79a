//! What goes on beside all faults: laboratories state events, residents ask for passes and show them at gates.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rules::{Claim, EventBody, TestAge, TestResult, WorstColour};
use serde::Serialize;
use tests::{Device, Holder, Issued, Person, Source, event_of, fresh_id, show};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tonic::Status;
use wire::gate::v1 as gate;
use wire::pass::v1 as words;
use wire::resident::v1 as res;
use wire::source::v1::{ForwardedState, GetForwardedRequest, SignedEvent};

use crate::host::Place;
use crate::realm::rule_set_of;
use crate::site::{GATES, LABORATORY, PROVINCES, Site};

const CALL_LIMIT: Duration = Duration::from_secs(10);
/// For a pass, from asking for it to having it.
const PASS_LIMIT: Duration = Duration::from_mins(1);
/// Events that are offered for the second time in one call.
const CHECK_LEN: usize = 128;
/// Events of before that are asked for after each fault.
const SAMPLE: usize = 64;
/// Time that a pass is shown again and again while its gate does not know the registry.
const SHOWN_FOR: Duration = Duration::from_mins(1);
const CLAIM: Claim = Claim {
    worst: WorstColour::Yellow,
    test_age: TestAge::NotAsked,
};

/// How often what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct LoadPace {
    /// Time between two calls of a laboratory, with one to three events each.
    pub state_every: Duration,
    /// Time between two passes of a province's residents.
    pub pass_every: Duration,
}

/// Numbers of what was done.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Counts {
    /// Events that were acknowledged.
    pub events_acknowledged: u64,
    /// Those of them that were for another province.
    pub events_forwarded: u64,
    /// Calls with events that were not answered, and made again.
    pub calls_repeated: u64,
    /// Passes that were made.
    pub passes_made: u64,
    /// Passes accepted at a gate.
    pub passes_accepted: u64,
    /// Passes not accepted within a minute.
    pub passes_not_accepted: u64,
    /// Those of them that their home had refused while its clock was behind.
    pub events_handed_in_again: u64,
    /// Events that were asked for again.
    pub events_asked_for_again: u64,
}

/// What the offices of a province have been acknowledged.
#[derive(Default)]
struct Acknowledged {
    events: Vec<SignedEvent>,
    /// How many of them were asked for again after an earlier fault.
    seen: usize,
}

/// What was acknowledged, and how much was done.
#[derive(Default)]
pub(crate) struct Done {
    acknowledged: BTreeMap<u8, Acknowledged>,
    pub(crate) counts: Counts,
    /// Verdicts by code.
    pub(crate) verdicts: BTreeMap<String, u64>,
    /// Why devices got no pass, by reason.
    pub(crate) refusals: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

/// The load. It ends with its drop.
pub struct Load {
    site: Arc<Site>,
    done: Arc<Mutex<Done>>,
    pause: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Load {
    /// Begins; what is stated about whom follows from the seed.
    pub fn begin(site: &Arc<Site>, seed: u64, pace: LoadPace) -> Self {
        let done: Arc<Mutex<Done>> = Arc::default();
        let (pause, paused) = watch::channel(false);
        let turns = Arc::new(Semaphore::new(1));
        let mut tasks = Vec::new();
        for code in PROVINCES {
            let caller = Caller {
                site: Arc::clone(site),
                done: Arc::clone(&done),
                paused: paused.clone(),
                rng: ChaCha8Rng::seed_from_u64(seed ^ u64::from(code) << 32),
                code,
                turns: Arc::clone(&turns),
                pace,
            };
            tasks.push(tokio::spawn(caller.clone().state()));
            tasks.push(tokio::spawn(caller.show()));
        }
        Self {
            site: Arc::clone(site),
            done,
            pause,
            tasks,
        }
    }

    pub(crate) fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has everybody wait, or go on.
    pub(crate) fn pause(&self, is: bool) {
        self.pause.send_replace(is);
    }

    /// Events that a node has acknowledged so far.
    pub(crate) fn acknowledged_by(&self, code: u8) -> usize {
        let done = self.done();
        done.acknowledged.get(&code).map_or(0, |of| of.events.len())
    }

    /// What went wrong so far; it is told once.
    pub(crate) fn wrong(&self) -> Vec<String> {
        std::mem::take(&mut self.done().wrong)
    }

    /// Asks these nodes again for what they acknowledged: all that is new since the last time and a sample of the rest, or all.
    pub(crate) async fn check(&self, nodes: &[u8], all: bool, rng: &mut ChaCha8Rng) -> Result<u64> {
        let mut asked = 0;
        for code in nodes {
            let events = self.to_ask_for(*code, all, rng);
            let mut source = self.site.laboratory(*code).await?;
            for batch in events.chunks(CHECK_LEN) {
                let answers = offer(&mut source, batch.to_vec()).await?;
                for (event, answer) in batch.iter().zip(&answers) {
                    match answer.as_str() {
                        "duplicate" => {}
                        // A home whose clock was behind has refused it; its source hands it in again.
                        "forwarded" if self.site.was_behind(event.home_province) => {
                            self.done().counts.events_handed_in_again += 1;
                        }
                        other => {
                            bail!("node-{code} has lost what it acknowledged: it says {other}")
                        }
                    }
                }
                asked += batch.len() as u64;
            }
        }
        self.done().counts.events_asked_for_again += asked;
        Ok(asked)
    }

    fn to_ask_for(&self, code: u8, all: bool, rng: &mut ChaCha8Rng) -> Vec<SignedEvent> {
        let mut done = self.done();
        let acknowledged = done.acknowledged.entry(code).or_default();
        let from = if all { 0 } else { acknowledged.seen };
        acknowledged.seen = acknowledged.events.len();
        let (old, new) = acknowledged.events.split_at(from);
        let sample =
            (0..SAMPLE.min(old.len())).map(|_| old[rng.random_range(0..old.len())].clone());
        let all = new.iter().cloned().chain(sample);
        // For a home that is no member any more nothing is forwarded, and so nothing answered.
        let is_theirs = |event: &SignedEvent| self.site.is_away(event.home_province);
        all.filter(|event| !is_theirs(event)).collect()
    }

    /// Waits until every event that a node of these took for another of these has arrived there; gives how many there are.
    pub(crate) async fn all_arrived(&self, nodes: &[u8], patience: Duration) -> Result<u64> {
        let mut arrived = 0;
        for code in nodes {
            let events: Vec<SignedEvent> = {
                let done = self.done();
                let of = done.acknowledged.get(code);
                let events = of.map(|of| of.events.iter());
                let is_there = |e: &&SignedEvent| {
                    u8::try_from(e.home_province).is_ok_and(|home| nodes.contains(&home))
                };
                events
                    .into_iter()
                    .flatten()
                    .filter(is_there)
                    .cloned()
                    .collect()
            };
            let channel = self.site.as_one_of((*code, LABORATORY), *code).await?;
            let mut client = wire::client::forwarded(channel);
            let waiting = async {
                for event in &events {
                    let request = GetForwardedRequest {
                        event_id: event_of(event).id.0.to_vec(),
                    };
                    while client
                        .get_forwarded(request.clone())
                        .await?
                        .get_ref()
                        .state()
                        != ForwardedState::Accepted
                    {
                        sleep(Duration::from_millis(200)).await;
                    }
                }
                Ok::<_, tonic::Status>(events.len() as u64)
            };
            let waited = timeout(patience, waiting).await;
            arrived += waited.with_context(|| format!("events from {code} do not arrive"))??;
        }
        Ok(arrived)
    }

    /// Waits until so many more passes are accepted at each gate.
    pub(crate) async fn until_accepted(&self, more: u64, patience: Duration) -> Result<()> {
        let accepted = || self.done().counts.passes_accepted;
        let enough = accepted() + more;
        let waiting = async {
            while accepted() < enough {
                sleep(Duration::from_millis(200)).await;
            }
        };
        let waited = timeout(patience, waiting).await;
        waited.with_context(|| {
            let done = self.done();
            let (verdicts, refusals) = (&done.verdicts, &done.refusals);
            format!("too few passes are accepted; verdicts {verdicts:?}, refusals {refusals:?}")
        })
    }
}

/// Who acts for a province.
#[derive(Clone)]
struct Caller {
    site: Arc<Site>,
    done: Arc<Mutex<Done>>,
    paused: watch::Receiver<bool>,
    rng: ChaCha8Rng,
    code: u8,
    turns: Arc<Semaphore>,
    pace: LoadPace,
}

async fn offer(source: &mut Source, events: Vec<SignedEvent>) -> Result<Vec<String>> {
    let offered = timeout(CALL_LIMIT, source.offer(events)).await;
    Ok(offered.context("no answer")??)
}

impl Caller {
    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn while_paused(&mut self) {
        let _ = self.paused.wait_for(|is| !is).await;
    }

    /// States events again and again; what is not answered is offered again as it was.
    async fn state(mut self) {
        let mut open: Vec<SignedEvent> = Vec::new();
        let mut source = None;
        loop {
            self.while_paused().await;
            sleep(self.pace.state_every).await;
            if !self.site.runs(Place::Node(self.code)) {
                source = None;
                continue;
            }
            let connected = match source.take() {
                Some(source) => Ok(source),
                None => self.site.laboratory(self.code).await,
            };
            let Ok(mut connected) = connected else {
                continue;
            };
            let is_repeated = !open.is_empty();
            if !is_repeated {
                open = self.batch(&connected);
            }
            match offer(&mut connected, open.clone()).await {
                Ok(answers) => {
                    self.note(std::mem::take(&mut open), &answers, is_repeated);
                    source = Some(connected);
                }
                Err(_) => self.done().counts.calls_repeated += 1,
            }
        }
    }

    /// One to three negative tests, of residents and of those of other provinces.
    fn batch(&mut self, source: &Source) -> Vec<SignedEvent> {
        let now = self.site.now();
        let len = self.rng.random_range(1..=3);
        let mut batch = Vec::new();
        for _ in 0..len {
            let home = if self.rng.random_ratio(1, 8) {
                PROVINCES[self.rng.random_range(0..PROVINCES.len())] // those that have left among them
            } else {
                self.code
            };
            let number = self.rng.random_range(1..=self.site.pulse.residents);
            let body = EventBody::Test {
                sampled_at: now.saturating_add_signed(-self.rng.random_range(1..4_000)),
                result: TestResult::Negative,
            };
            let event = source.event(Person::of(home, number).number, now, body);
            let mut signed = source.sign(&event);
            if home != self.code {
                signed.home_province = home.into();
            }
            batch.push(signed);
        }
        batch
    }

    fn note(&self, events: Vec<SignedEvent>, answers: &[String], is_repeated: bool) {
        let mut done = self.done();
        for (event, answer) in events.into_iter().zip(answers) {
            let is_foreign = event.home_province != 0;
            match answer.as_str() {
                "accepted" if !is_foreign => {}
                "forwarded" if is_foreign => done.counts.events_forwarded += 1,
                "duplicate" if is_repeated => {}
                "unknown-province" if is_foreign && self.site.is_away(event.home_province) => {
                    continue;
                }
                "future-dated" if self.site.is_behind(self.code) => continue,
                other => {
                    let what = format!("node-{} answers an event with {other}", self.code);
                    done.wrong.push(what);
                    continue;
                }
            }
            done.counts.events_acknowledged += 1;
            done.acknowledged
                .entry(self.code)
                .or_default()
                .events
                .push(event);
        }
    }

    /// Residents ask for passes and show them.
    async fn show(mut self) {
        let mut device = None;
        loop {
            self.while_paused().await;
            let wait_ms = u64::try_from(self.pace.pass_every.as_millis()).unwrap_or(u64::MAX);
            let wait_ms = self.rng.random_range(wait_ms / 2..=wait_ms * 3 / 2);
            sleep(Duration::from_millis(wait_ms)).await;
            if !self.site.runs(Place::Node(self.code)) {
                device = None;
                continue;
            }
            let bound = match device.take() {
                Some(device) => Ok(device),
                None => self.bind().await,
            };
            let mut bound = match bound {
                Ok(bound) => bound,
                Err(error) => {
                    let status = error.downcast_ref::<Status>();
                    self.note_refusal(status.unwrap_or(&Status::unavailable("")));
                    continue;
                }
            };
            let (number, province) = GATES[self.rng.random_range(0..GATES.len())];
            // One after the other: it is the hosts that are looked at, and not how fast one machine proves for five.
            let turn = self.turns.acquire().await;
            let made = timeout(PASS_LIMIT, self.pass(&mut bound, rule_set_of(province))).await;
            drop(turn);
            match made {
                Ok(Ok(issued)) => {
                    self.done().counts.passes_made += 1;
                    let shown = timeout(SHOWN_FOR, self.until_accepted(number, &issued)).await;
                    let mut done = self.done();
                    match shown {
                        Ok(()) => done.counts.passes_accepted += 1,
                        Err(_) => done.counts.passes_not_accepted += 1,
                    }
                    drop(done);
                    device = Some(bound);
                }
                // While a node is cut off, ahead or without a registry there is none: the next one is asked for.
                Ok(Err(status)) => self.note_refusal(&status),
                Err(_) => self.note_refusal(&Status::deadline_exceeded("")),
            }
        }
    }

    fn note_refusal(&self, status: &Status) {
        let reason = match wire::reason_of(status) {
            Some(reason) => reason.code().to_owned(),
            None => format!("{:?}", status.code()),
        };
        *self.done().refusals.entry(reason).or_default() += 1;
    }

    /// One pass; each call is signed at its own time, since clocks are fast.
    async fn pass(&self, device: &mut Device, set: &str) -> Result<Issued, Status> {
        let (use_id, holder) = (fresh_id().to_vec(), Holder::new());
        let body = res::RequestUse {
            use_id: use_id.clone(),
            claim: Some(CLAIM.into()),
            rule_set_id: set.to_owned(),
            binder_kind: words::BinderKind::Device.into(),
            holder_keys: vec![holder.public()],
        };
        let request: res::RequestUseRequest = device.sign(&body, self.site.now());
        device.client.request_use(request).await?;
        let body = res::MakeCode { use_id };
        loop {
            let request: res::MakeCodeRequest = device.sign(&body, self.site.now());
            let answer = device.client.make_code(request).await?.into_inner();
            if answer.state() == res::MakeCodeState::Ready
                && let Some(issued) = answer.passes.into_iter().next()
            {
                return Ok(Issued {
                    pass: issued.pass,
                    revocation_secret: issued.revocation_secret,
                    holder,
                });
            }
            if let Some(refusal) = &answer.refusal {
                return Err(wire::refused(refusal));
            }
            sleep(Duration::from_millis(answer.retry_after_ms.into())).await;
        }
    }

    /// A device of a resident of this province, bound.
    async fn bind(&mut self) -> Result<Device> {
        let number = self.rng.random_range(1..=self.site.pulse.residents);
        let mut device = self.site.device(Person::of(self.code, number)).await?;
        timeout(CALL_LIMIT, device.register(self.site.now())).await??;
        Ok(device)
    }

    /// Shows a pass at a gate, until it lets its holder through.
    async fn until_accepted(&self, number: u8, issued: &Issued) {
        loop {
            if let Ok(code) = self.verdict(number, issued).await {
                let is_accepted = code == "ACCEPTED";
                *self.done().verdicts.entry(code).or_default() += 1;
                if is_accepted {
                    return;
                }
            }
            sleep(Duration::from_secs(1)).await;
        }
    }

    async fn verdict(&self, number: u8, issued: &Issued) -> Result<String> {
        let text = show(issued, self.site.now(), 0);
        let request = gate::VerifyCodeRequest {
            qr_text: text.as_str().to_owned(),
            ..Default::default()
        };
        let mut client = wire::client::gate(self.site.gate(number).await?);
        let answer = client.verify_code(request).await?.into_inner();
        Ok(answer.verdict.context("a verdict")?.code)
    }
}
